//! The syntax tree: what was written, with the place of everything. No names are resolved here.
//!
//! Every span is absolute in the file. A declaration that could not be understood at all is absent (its finding stands in
//! [`super::Syntax::findings`]); one with a bad member keeps its good ones.

mod live;
mod parts;

pub use live::*;
pub use parts::*;

use crate::pipeline::Arithmetic;
use crate::span::Span;
use crate::types::Comparison;

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// As written.
    pub name: String,
    /// Where.
    pub span: Span,
}

/// A whole file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct File {
    /// `mlp 1`: the number, if the line is there.
    pub edition: Option<Edition>,
    /// In the order written.
    pub declarations: Vec<Declaration>,
}

/// `mlp 1`
#[derive(Clone, Debug, PartialEq)]
pub struct Edition {
    /// The number.
    pub number: u32,
    /// Of the whole line.
    pub span: Span,
}

/// One declaration.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The `##` lines directly above, joined by newlines.
    pub doc: Option<String>,
    /// Of all of it, without the doc comment.
    pub span: Span,
    /// Of its keyword.
    pub keyword: Span,
    /// Whether a part of it could not be understood and is not in the tree, so that nothing may be said to be missing.
    pub damaged: bool,
    /// What it declares.
    pub kind: DeclarationKind,
}

/// What a declaration declares.
#[derive(Clone, Debug, PartialEq)]
pub enum DeclarationKind {
    /// `pipeline churn { about = "..." }`
    Pipeline {
        /// Its name.
        name: Ident,
        /// Its settings.
        settings: Vec<Setting>,
    },
    /// `use std/tabular`, `use "./steps/enrich.wasm" as enrich`
    Use {
        /// The path, without quotes.
        path: String,
        /// Where the path stands.
        path_span: Span,
        /// Whether it was quoted: a file rather than a module of the standard library.
        quoted: bool,
        /// `as name`
        alias: Option<Ident>,
    },
    /// `param holdout: fraction = 20%`
    Param {
        /// Its name.
        name: Ident,
        /// Its type.
        ty: TypeExpr,
        /// `= value`; without it the command line must give one.
        default: Option<Expr>,
    },
    /// `schema Customer { ... }`
    Schema {
        /// Its name.
        name: Ident,
        /// Its columns.
        fields: Vec<Field>,
    },
    /// `data customers: Customer { ... }`
    Data {
        /// Its name.
        name: Ident,
        /// The schema's name.
        schema: Option<Ident>,
        /// `source = ...`
        settings: Vec<Setting>,
        /// `expect ...`
        expectations: Vec<Clause>,
        /// `pii quarantine`: the word behind `pii`.
        pii: Option<Ident>,
    },
    /// `secret token = env("TOKEN")`
    Secret {
        /// Its name.
        name: Ident,
        /// Where it comes from: a call, when it is right.
        source: Expr,
    },
    /// `component trained(rows: dataset<Customer>, seed: int = 7) { step ... output model = fit.model }`
    Component {
        /// Its name.
        name: Ident,
        /// What an instance is given.
        params: Vec<ComponentParam>,
        /// The declarations in its block, in the order written.
        declarations: Vec<Declaration>,
        /// What an instance gives.
        outputs: Vec<OutputLine>,
    },
    /// `step split = tabular.split(rows) for x in [1, 2] when c after y { timeout = 1m }`
    Step {
        /// Its name.
        name: Ident,
        /// What runs: a call, when it is right. `sql """..."""` is a call of `sql` with one text.
        body: Expr,
        /// `for x in [1, 2]`
        fan: Option<FanOut>,
        /// `when COND`
        when: Option<Expr>,
        /// `after a, b`
        after: Vec<Ident>,
        /// `with { ... }`, `in { ... }`, `out { ... }`
        task: Task,
        /// `{ timeout = 30m }`
        settings: Vec<Setting>,
    },
    /// `tune search over train { lr in log(1e-4..1e-1) maximize train.fit.auc trials = 40 }`
    Tune {
        /// Its name.
        name: Ident,
        /// The step whose settings are searched.
        over: Ident,
        /// `lr in log(1e-4..1e-1)`
        space: Vec<SpaceLine>,
        /// `maximize train.fit.auc`: one, when it is right.
        goals: Vec<Goal>,
        /// `trials = 40`
        settings: Vec<Setting>,
    },
    /// `gate quality { require ... }`
    Gate {
        /// Its name.
        name: Ident,
        /// `require ... because "..."`
        requirements: Vec<Clause>,
        /// `approve by 2 of ["ml-lead", "risk"] within 3d`
        approvals: Vec<Approval>,
        /// `after a, b`
        after: Vec<Ident>,
    },
    /// `model churn = train.model after quality { card { ... } }`
    Model {
        /// Its name.
        name: Ident,
        /// The model.
        value: Expr,
        /// `after gate, gate`
        after: Vec<Ident>,
        /// `card { key: "text" }`
        card: Vec<(Ident, Expr)>,
        /// Other settings, all of them unknown today.
        settings: Vec<Setting>,
    },
    /// `deploy production of churn { serve = online(...) canary { ... } rollback within 30s }`
    Deploy {
        /// Its name.
        name: Ident,
        /// The model's name.
        model: Ident,
        /// `serve = ...`
        settings: Vec<Setting>,
        /// `canary { ... }`: one, when it is right.
        strategies: Vec<Strategy>,
        /// `rollback within 30s`
        rollback: Option<Expr>,
    },
    /// `monitor health of production { every 1h over 24h watch ... on breach { ... } }`
    Monitor {
        /// Its name.
        name: Ident,
        /// The deployment's name.
        deployment: Ident,
        /// `every 1h over 24h`
        rhythm: Option<Rhythm>,
        /// `reference = ...`, `on_no_data = ...`
        settings: Vec<Setting>,
        /// `watch ...`
        watches: Vec<WatchLine>,
        /// `on breach for 2 windows { ... }`
        breaches: Vec<Breach>,
        /// From its `{` to the end of its last line, for what is to be added there.
        block: Span,
    },
    /// `on schedule "0 3 * * 1" in "Europe/Paris" { run(until: now) }`, `on change customers`
    Trigger {
        /// When.
        event: Event,
        /// What stands in its block.
        actions: Vec<ActionLine>,
        /// `secret = token`
        settings: Vec<Setting>,
    },
    /// `test "stale data is refused" { with customers = csv("stale.csv") expect customers fails }`
    Test {
        /// Its text, as an ident without the quotes.
        name: Ident,
        /// `with customers = csv("stale.csv")`
        withs: Vec<With>,
        /// `expect customers fails`
        expectations: Vec<TestLine>,
    },
}

/// `name = value` inside a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub value: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// `expect COND` or `require COND because "..."`.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The condition.
    pub condition: Expr,
    /// `because "..."`
    pub because: Option<String>,
    /// `min_support 200`
    pub min_support: Option<Expr>,
    /// `unless first`: the word behind `unless`.
    pub unless: Option<Ident>,
    /// Of the whole line.
    pub span: Span,
}

/// `charges: float? >= 0.0 unique label`
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The `##` lines directly above it.
    pub doc: Option<String>,
    /// Its name. A column whose header is no identifier is written as a string: `"mean radius": float`.
    pub name: Ident,
    /// Its type, `?` included.
    pub ty: TypeExpr,
    /// What follows the type.
    pub attributes: Vec<Attribute>,
    /// Of the whole line.
    pub span: Span,
}

/// What may follow a column's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// `unique`
    Unique(Span),
    /// `label`
    Label(Span),
    /// `in 1..=12`, `in ["a"]`
    In(Expr),
    /// `>= 0.0`
    Compare(Comparison, Expr),
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeExpr {
    /// What.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `int`, or a schema's name; `common.Customer` for one of a module.
    Named(String),
    /// `"free" | "pro"`
    Enum(Vec<String>),
    /// `T?`
    Optional(Box<TypeExpr>),
    /// `list<T>`, `map<T>`, `range<T>`, `dataset<S>`, `model<f>`
    Generic(Ident, Box<TypeExpr>),
    /// `metrics { auc: float }`
    Metrics(Vec<(Ident, TypeExpr)>),
}

/// An expression as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true`
    Bool(bool),
    /// `1_000`
    Int(i64),
    /// `0.5`, `1e-3`
    Float(f64),
    /// `20%`: already divided by 100.
    Fraction(f64),
    /// `1h30m`: nanoseconds.
    Duration(i64),
    /// `4GiB`: bytes.
    Size(u64),
    /// `2011-04-01`, validated.
    Date(String),
    /// `2011-04-01T12:00:00Z`, validated.
    Time(String),
    /// `"a ${x} b"`, `"""..."""`: texts and holes in turn. A plain string is one text, or none when empty.
    String(Vec<StringPart>),
    /// `name`
    Name(String),
    /// `a.b`
    Member(Box<Expr>, Ident),
    /// `f(a, b: c)`
    Call(Box<Expr>, Vec<Argument>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{ a: 1, "b c": 2 }`
    Map(Vec<(Ident, Expr)>),
    /// `a..b`, `a..=b`
    Range {
        /// Lowest.
        low: Box<Expr>,
        /// Highest.
        high: Box<Expr>,
        /// `..=`
        inclusive: bool,
    },
    /// `not a`
    Not(Box<Expr>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `a >= b`. A chain `a < b < c` is a finding.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `a in b`
    In(Box<Expr>, Box<Expr>),
    /// `a + b`
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `a ?? b`
    Coalesce(Box<Expr>, Box<Expr>),
    /// `a when c else b`
    When {
        /// If true.
        then: Box<Expr>,
        /// Decides.
        condition: Box<Expr>,
        /// If false.
        otherwise: Box<Expr>,
    },
    /// Could not be understood; its finding was reported. Has every type.
    Error,
}

/// A piece of a string.
#[derive(Clone, Debug, PartialEq)]
pub enum StringPart {
    /// Text, escapes resolved.
    Text(String),
    /// `${expr}`
    Hole(Expr),
}

/// `name: value` or `value` in a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// `name:`
    pub name: Option<Ident>,
    /// The value.
    pub value: Expr,
}
