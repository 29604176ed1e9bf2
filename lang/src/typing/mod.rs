//! Types of expressions: from what was written to [`pipeline::Expr`](crate::pipeline::Expr) with a type.
//!
//! Owns: the table of operators and units, functions, access to outputs and metrics, folding of constants, the fitting
//! of values to the types that are wanted. Must never know: which blocks exist; a block asks for an expression in a
//! [`Scope`].
//!
//! Invariant: a mistake is reported where it is made and gives [`Type::Unknown`]; whatever meets `Unknown` is `Unknown`
//! and silent.

pub(crate) mod access;
pub(crate) mod fit;
pub(crate) mod functions;
pub(crate) mod live;
mod locals;
mod operations;
pub(crate) mod operators;
pub(crate) mod reach;
mod secrets;
pub(crate) mod types;
pub(crate) mod units;

use crate::codes;
use crate::context::Context;
use crate::eval::{self, NoFacts};
use crate::finding::Finding;
use crate::names::{self, Kind};
use crate::pipeline::{Expr, MetricRef, Stat};
use crate::span::Span;
use crate::syntax::ast::{self, ExprKind, StringPart};
use crate::types::{Comparison, Schema, Type};
use crate::value::Value;
use access::Accessed;

/// What an expression may speak about.
#[derive(Clone, Copy)]
pub(crate) enum Scope<'s> {
    /// Constants and parameters.
    Constant,
    /// Also statistics of this table. `None`: its columns are not known.
    Table(Option<&'s Schema>),
    /// Also metrics of steps.
    Run,
    /// Also numbers about a deployment: `error_rate`, `p95(latency)`.
    Service,
    /// Also `baseline(7d)` and `sigma(7d)` of what is watched, if it has a past: the limit of a watch.
    Limit(Option<live::Past<'s>>),
}

/// An expression with its type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) ty: Type,
    pub(crate) expr: Expr,
}

impl Typed {
    pub(crate) fn unknown() -> Typed {
        Typed { ty: Type::Unknown, expr: Expr::Const(Value::Null) }
    }

    pub(crate) fn constant(ty: Type, value: Value) -> Typed {
        Typed { ty, expr: Expr::Const(value) }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.ty == Type::Unknown
    }
}

/// Types expressions in one scope.
pub(crate) struct Typing<'c, 'a, 's> {
    pub(crate) cx: &'c mut Context<'a>,
    scope: Scope<'s>,
    /// `min_support` of the requirement, for metrics over groups.
    pub(crate) min_support: u64,
    /// Whether a metric over groups was met.
    pub(crate) met_groups: bool,
}

impl<'c, 'a, 's> Typing<'c, 'a, 's> {
    pub(crate) fn new(cx: &'c mut Context<'a>, scope: Scope<'s>) -> Self {
        Typing { cx, scope, min_support: 0, met_groups: false }
    }

    /// The type and the checked form of an expression. Recursive: the parser bounds the depth of a tree.
    pub(crate) fn infer(&mut self, expr: &ast::Expr) -> Typed {
        match &expr.kind {
            ExprKind::Null => Typed::constant(Type::Optional(Box::new(Type::Unknown)), Value::Null),
            ExprKind::Bool(value) => Typed::constant(Type::Bool, Value::Bool(*value)),
            ExprKind::Int(value) => Typed::constant(Type::Int, Value::Int(*value)),
            ExprKind::Float(value) => Typed::constant(Type::Float, Value::Float(*value)),
            ExprKind::Fraction(value) => Typed::constant(Type::Fraction, Value::Fraction(*value)),
            ExprKind::Duration(value) => Typed::constant(Type::Duration, Value::Duration(*value)),
            ExprKind::Size(value) => Typed::constant(Type::Size, Value::Size(*value)),
            ExprKind::Date(text) => Typed::constant(Type::Date, Value::Date(text.clone())),
            ExprKind::Time(text) => Typed::constant(Type::Time, Value::Time(text.clone())),
            ExprKind::String(parts) => self.string(parts),
            ExprKind::Name(_) | ExprKind::Member(..) => self.reference(expr),
            ExprKind::Call(callee, arguments) => self.call(expr, callee, arguments),
            ExprKind::List(items) => self.list(expr.span, items),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Range { low, high, inclusive } => self.range(expr.span, low, high, *inclusive),
            ExprKind::Not(inner) => {
                let inner = self.condition(inner);
                self.compose(Type::Bool, expr.span, [inner], |[inner]| Expr::Not(inner))
            }
            ExprKind::Negate(inner) => self.negate(expr.span, inner),
            ExprKind::And(left, right) => {
                let operands = [self.condition(left), self.condition(right)];
                self.compose(Type::Bool, expr.span, operands, |[left, right]| Expr::And(left, right))
            }
            ExprKind::Or(left, right) => {
                let operands = [self.condition(left), self.condition(right)];
                self.compose(Type::Bool, expr.span, operands, |[left, right]| Expr::Or(left, right))
            }
            ExprKind::Compare(comparison, left, right) => self.compare(expr.span, *comparison, left, right),
            ExprKind::In(left, right) => self.membership(expr.span, left, right),
            ExprKind::Arithmetic(operator, left, right) => self.arithmetic(expr.span, *operator, left, right),
            ExprKind::Coalesce(left, right) => self.coalesce(expr.span, left, right),
            ExprKind::When { then, condition, otherwise } => self.when(expr.span, then, condition, otherwise),
            ExprKind::Error => Typed::unknown(),
        }
    }

    /// An expression that must be true or false.
    pub(crate) fn condition(&mut self, expr: &ast::Expr) -> Typed {
        let typed = self.infer(expr);
        if !typed.is_unknown() && typed.ty != Type::Bool {
            let found = self.describe(expr, &typed);
            self.cx.report(
                Finding::error(
                    codes::TYPE_MISMATCH,
                    self.cx.place(expr.span),
                    format!("a condition must be true or false, and {found} is neither"),
                )
                .label(format!("this is {}", with_article(&typed.ty)))
                .help(match (self.scope, &typed.ty, &expr.kind) {
                    (Scope::Service, ..) => "compare it: `error_rate <= 1%`".to_owned(),
                    (_, Type::Fraction, ExprKind::Member(..)) => {
                        format!("compare it: `{} >= 90%`", self.cx.text(expr.span))
                    }
                    (_, Type::Int | Type::Float, ExprKind::Name(_) | ExprKind::Member(..)) => {
                        format!("compare it: `{} >= 1`", self.cx.text(expr.span))
                    }
                    _ => "compare it: `eval.accuracy >= 90%`".to_owned(),
                }),
            );
            return Typed::unknown();
        }
        typed
    }

    /// An expression whose value must be known before the run.
    pub(crate) fn constant(&mut self, expr: &ast::Expr) -> Option<(Type, Value)> {
        let typed = self.infer(expr);
        match typed {
            Typed { ty: Type::Unknown, .. } => None,
            Typed { ty, expr: Expr::Const(value) } => Some((ty, value)),
            Typed { .. } => {
                self.not_known_yet(expr.span, "this is known only once a step has run");
                None
            }
        }
    }

    pub(crate) fn not_known_yet(&mut self, span: Span, message: &str) {
        self.cx.report(
            Finding::error(codes::NOT_KNOWN_YET, self.cx.place(span), message)
                .label("not known before the run")
                .help("use a constant or a `param`; a metric may stand in `when` and `require`"),
        );
    }

    fn string(&mut self, parts: &[StringPart]) -> Typed {
        let mut text = String::new();
        let mut whole = true;
        for part in parts {
            match part {
                StringPart::Text(part) => text.push_str(part),
                StringPart::Hole(hole) => match self.constant(hole) {
                    Some((_, value)) => text.push_str(&plain(&value)),
                    None => whole = false,
                },
            }
        }
        if whole { Typed::constant(Type::String, Value::String(text)) } else { Typed::unknown() }
    }

    fn list(&mut self, span: Span, items: &[ast::Expr]) -> Typed {
        let mut element = None;
        let mut values = Vec::with_capacity(items.len());
        let mut known = true;
        for item in items {
            let Some((ty, value)) = self.constant(item) else {
                known = false;
                continue;
            };
            element = match element {
                None => Some(ty),
                Some(so_far) if so_far == ty => Some(so_far),
                Some(so_far) => match operators::unify(&so_far, &ty) {
                    Some(ty) => Some(ty),
                    None => {
                        self.cx.report(
                            Finding::error(
                                codes::TYPE_MISMATCH,
                                self.cx.place(item.span),
                                format!("a list holds values of one type, here {so_far}"),
                            )
                            .label(format!("this is {}", with_article(&ty)))
                            .also(self.cx.place(span), "in this list"),
                        );
                        return Typed::unknown();
                    }
                },
            };
            values.push(value);
        }
        if !known {
            return Typed::unknown();
        }
        Typed::constant(Type::List(Box::new(element.unwrap_or(Type::Unknown))), Value::List(values))
    }

    fn map(&mut self, entries: &[(ast::Ident, ast::Expr)]) -> Typed {
        let mut element = None;
        let mut values = indexmap::IndexMap::with_capacity(entries.len());
        let mut known = true;
        for (key, value) in entries {
            let Some((ty, value)) = self.constant(value) else {
                known = false;
                continue;
            };
            element = Some(match element {
                None => ty,
                // A map of several types is a map of unknown: what takes it says what each entry must be.
                Some(so_far) => operators::unify(&so_far, &ty).unwrap_or(Type::Unknown),
            });
            if values.insert(key.name.clone(), value).is_some() {
                self.cx.report(
                    Finding::error(
                        codes::DUPLICATE_SETTING,
                        self.cx.place(key.span),
                        format!("`{}` is given twice in this map", key.name),
                    )
                    .help("remove one"),
                );
                known = false;
            }
        }
        if !known {
            return Typed::unknown();
        }
        Typed::constant(Type::Map(Box::new(element.unwrap_or(Type::Unknown))), Value::Map(values))
    }

    fn range(&mut self, span: Span, low: &ast::Expr, high: &ast::Expr, inclusive: bool) -> Typed {
        let (low, high) = (self.constant(low), self.constant(high));
        let (Some((low_type, low)), Some((high_type, high))) = (low, high) else { return Typed::unknown() };
        let ordered = operators::comparable(Comparison::Less, &low_type, &high_type);
        let Some(element) = operators::unify(&low_type, &high_type).filter(|_| ordered) else {
            self.cx.report(
                Finding::error(
                    codes::BAD_OPERANDS,
                    self.cx.place(span),
                    format!("no range goes from {} to {}", with_article(&low_type), with_article(&high_type)),
                )
                .help("both ends must be numbers, or both durations, sizes, dates or times"),
            );
            return Typed::unknown();
        };
        let fits = |wanted| eval::compare(wanted, &low, &high) == Some(true);
        if !fits(if inclusive { Comparison::LessOrEqual } else { Comparison::Less }) {
            self.cx.report(
                Finding::error(codes::EMPTY_RANGE, self.cx.place(span), "nothing lies in this range")
                    .label(format!("from {low} to {high}"))
                    .help("write the lower end first; `..=` includes the upper one"),
            );
            return Typed::unknown();
        }
        let (low, high) = (Box::new(low), Box::new(high));
        Typed::constant(Type::Range(Box::new(element)), Value::Range { low, high, inclusive })
    }

    /// A name, or members of one.
    fn reference(&mut self, expr: &ast::Expr) -> Typed {
        let Some(path) = access::path(expr) else {
            if let ExprKind::Member(base, _) = &expr.kind
                && !self.infer(base).is_unknown()
            {
                self.cx.report(
                    Finding::error(codes::NOT_A_VALUE, self.cx.place(expr.span), "only a step has members")
                        .help("write a step's name before the dot: `eval.auc`"),
                );
            }
            return Typed::unknown();
        };
        if let (Scope::Table(schema), []) = (self.scope, path.members.as_slice()) {
            if path.root == "rows" {
                return Typed { ty: Type::Int, expr: Expr::Stat(Stat::Rows) };
            }
            if schema.is_none_or(|schema| schema.column(path.root).is_some()) && self.cx.names.get(path.root).is_none()
            {
                if schema.is_some() {
                    self.bare_column(path.root, expr.span);
                }
                return Typed::unknown();
            }
        }
        if let (Scope::Service, []) = (self.scope, path.members.as_slice())
            && let Some(number) = live::number(path.root)
        {
            return number;
        }
        if let Some(local) = self.cx.locals.get(path.root).cloned() {
            return self.local(&path, local);
        }
        let Some(declared) = self.cx.names.get(path.root) else {
            self.unknown_name(path.root, path.root_span);
            return Typed::unknown();
        };
        match (declared.kind, self.scope) {
            (Kind::Param, _) => self.parameter(&path),
            (Kind::Secret, _) => {
                self.secret_seen(path.root, expr.span);
                Typed::unknown()
            }
            (Kind::Schema | Kind::Module, _) => {
                self.cx.report(
                    Finding::error(
                        codes::NOT_A_VALUE,
                        self.cx.place(expr.span),
                        format!("`{}` is {}, which has no value", path.root, declared.kind.with_article()),
                    )
                    .also(self.cx.place(declared.span), "declared here"),
                );
                Typed::unknown()
            }
            (_, Scope::Run) => match self.cx.access(&path) {
                Accessed::Metric { node, output, field } => {
                    let text = self.cx.text(expr.span);
                    let metric = MetricRef { node, output, metric: field.name, over: None, across: None, text };
                    Typed { ty: field.ty, expr: Expr::Metric(metric) }
                }
                Accessed::Output { ty, .. } => {
                    if ty != Type::Unknown {
                        self.cx.report(not_a_number(self.cx, expr.span, &ty));
                    }
                    Typed::unknown()
                }
                Accessed::Poison => Typed::unknown(),
            },
            (kind, Scope::Table(_)) => {
                self.cx.report(
                    Finding::error(
                        codes::NOT_KNOWN_YET,
                        self.cx.place(expr.span),
                        format!("`{}` is {}; an expectation speaks of its own table", path.root, kind.with_article()),
                    )
                    .help("a condition on a step's metrics belongs into a `gate`"),
                );
                Typed::unknown()
            }
            (kind, Scope::Service | Scope::Limit(_)) => {
                let message = format!(
                    "`{}` is {}; this is about the deployment while it is live",
                    path.root,
                    kind.with_article()
                );
                let finding = Finding::error(codes::NOT_KNOWN_YET, self.cx.place(expr.span), message);
                self.cx.report(finding.help("a condition on a step's metrics belongs into a `gate`"));
                Typed::unknown()
            }
            (kind, Scope::Constant) => {
                let message =
                    format!("`{}` is {}; what it gives is not known before the run", path.root, kind.with_article());
                self.not_known_yet(expr.span, &message);
                Typed::unknown()
            }
        }
    }

    fn bare_column(&mut self, column: &str, span: Span) {
        let name = crate::written::column(column);
        self.cx.report(
            Finding::error(
                codes::NOT_A_VALUE,
                self.cx.place(span),
                format!("`{column}` is a column: a condition on the whole table needs one number"),
            )
            .label("a column, not a number")
            .help(format!(
                "write `min({name})`, `max({name})`, `mean({name})` or `missing({name})`; a rule for every row is \
                 one comparison with the column on the left: `{name} >= 0`"
            )),
        );
    }

    fn parameter(&mut self, path: &access::Path<'_>) -> Typed {
        if let Some(member) = path.members.first() {
            self.cx.report(
                Finding::error(
                    codes::NOT_A_VALUE,
                    self.cx.place(member.span),
                    format!("the parameter `{}` has no member `{}`", path.root, member.name),
                )
                .help("a parameter is a plain value"),
            );
            return Typed::unknown();
        }
        match self.cx.params.get(path.root) {
            Some(param) => match &param.value {
                Some(value) => Typed::constant(param.ty.clone(), value.clone()),
                None => Typed::unknown(),
            },
            None if self.is_own_default(path) => {
                self.cx.report(
                    Finding::error(
                        codes::NOT_KNOWN_YET,
                        self.cx.place(path.root_span),
                        format!("`{}` cannot be its own default", path.root),
                    )
                    .help("write a value"),
                );
                Typed::unknown()
            }
            None => {
                self.cx.report(
                    Finding::error(
                        codes::NOT_KNOWN_YET,
                        self.cx.place(path.root_span),
                        format!("the parameter `{}` is declared below", path.root),
                    )
                    .help("a default may use the parameters above it: move this one down"),
                );
                Typed::unknown()
            }
        }
    }

    /// Whether a parameter is named within its own declaration.
    fn is_own_default(&self, path: &access::Path<'_>) -> bool {
        let declaration = self.cx.names.get(path.root).and_then(|name| self.cx.file.declarations.get(name.index));
        declaration.is_some_and(|it| it.span.start <= path.root_span.start && path.root_span.end <= it.span.end)
    }

    fn unknown_name(&mut self, name: &str, span: Span) {
        if self.cx.names.is_broken(name) || self.cx.blind {
            return;
        }
        if matches!(self.scope, Scope::Run) && name == "exists" {
            return self.cx.report(
                Finding::error(codes::MISPLACED_EXISTS, self.cx.place(span), "`exists` stands alone behind `when`")
                    .label("joined with another condition")
                    .help("write `when exists`, and let a step that reads this one have the other condition"),
            );
        }
        if matches!(self.scope, Scope::Service | Scope::Limit(_)) {
            return self.unknown_number(name, span);
        }
        let columns: &[_] = match self.scope {
            Scope::Table(Some(schema)) => &schema.columns,
            _ => &[],
        };
        let run = matches!(self.scope, Scope::Run);
        let near = {
            let declared = self.cx.names.of_kind(|kind| kind == Kind::Param || run && kind == Kind::Step);
            let built_in: &[&str] = if columns.is_empty() { &[] } else { names::FUNCTIONS };
            let columns = columns.iter().map(|column| column.name.as_str());
            let mut locals: Vec<&str> = self.cx.locals.keys().map(String::as_str).collect();
            locals.sort_unstable();
            let near = || {
                self.cx
                    .names
                    .nearest(name, locals.into_iter().chain(declared).chain(columns).chain(built_in.iter().copied()))
            };
            constant_elsewhere(name).or_else(near)
        };
        let (code, message) = match self.scope {
            Scope::Table(_) => (codes::UNKNOWN_COLUMN, format!("no column and no parameter is named `{name}`")),
            Scope::Run => (codes::UNKNOWN_NAME, format!("no step and no parameter is named `{name}`")),
            _ => (codes::UNKNOWN_NAME, format!("no parameter is named `{name}`")),
        };
        let finding = Finding::error(code, self.cx.place(span), message).label("not declared");
        let finding = names::suggest(finding, span, near, || match self.scope {
            _ if name == "now" => {
                "how old the newest value is says `fresh(column)`; `now` is for `run(...)`".to_owned()
            }
            Scope::Table(_) => format!("columns are {}", listed_columns(columns)),
            Scope::Run => "a step's metrics are written `step.metric`".to_owned(),
            _ => format!("declare it: `param {name}: int = 1`; a text needs quotes"),
        });
        match self.scope {
            Scope::Table(_) => self.cx.report(finding),
            _ => self.cx.report_once(format!("name {name}"), "also here", finding),
        }
    }

    /// Builds an expression from operands; folds it when they are constants. Unknown operands make it unknown.
    fn compose<const N: usize>(
        &mut self,
        ty: Type,
        span: Span,
        operands: [Typed; N],
        build: impl FnOnce([Box<Expr>; N]) -> Expr,
    ) -> Typed {
        if operands.iter().any(Typed::is_unknown) {
            return Typed::unknown();
        }
        let constant = operands.iter().all(|operand| matches!(operand.expr, Expr::Const(_)));
        let absent = operands.iter().any(|operand| matches!(operand.expr, Expr::Const(Value::Null)));
        let expr = build(operands.map(|operand| Box::new(operand.expr)));
        self.fold(ty, span, expr, constant, absent)
    }

    fn fold(&mut self, ty: Type, span: Span, expr: Expr, constant: bool, absent: bool) -> Typed {
        if !constant {
            return Typed { ty, expr: simplified(expr) };
        }
        match eval::evaluate(&expr, &NoFacts) {
            Some(value) => Typed::constant(ty, value),
            None if absent => Typed::constant(Type::Optional(Box::new(ty)), Value::Null),
            None => {
                self.cx.report(
                    Finding::error(codes::NO_VALUE, self.cx.place(span), format!("`{expr}` has no value"))
                        .label("out of range, or part of a day added to a date"),
                );
                Typed::unknown()
            }
        }
    }

    /// An expression with its type, for messages: "`90` (an int)".
    fn describe(&self, expr: &ast::Expr, typed: &Typed) -> String {
        let text = self.cx.text(expr.span);
        if text.len() <= 40 { format!("`{text}`") } else { with_article(&typed.ty) }
    }
}

/// What other languages call our constants.
fn constant_elsewhere(name: &str) -> Option<&'static str> {
    match name {
        "True" | "TRUE" => Some("true"),
        "False" | "FALSE" => Some("false"),
        "None" | "Null" | "NULL" | "nil" | "NA" => Some("null"),
        _ => None,
    }
}

/// Removes what a constant on one side of `and` and `or` decides.
fn simplified(expr: Expr) -> Expr {
    let truth = |expr: &Expr| match expr {
        Expr::Const(Value::Bool(held)) => Some(*held),
        _ => None,
    };
    match expr {
        Expr::And(left, right) => match (truth(&left), truth(&right)) {
            (Some(false), _) | (_, Some(false)) => Expr::Const(Value::Bool(false)),
            (Some(true), _) => *right,
            (_, Some(true)) => *left,
            _ => Expr::And(left, right),
        },
        Expr::Or(left, right) => match (truth(&left), truth(&right)) {
            (Some(true), _) | (_, Some(true)) => Expr::Const(Value::Bool(true)),
            (Some(false), _) => *right,
            (_, Some(false)) => *left,
            _ => Expr::Or(left, right),
        },
        other => other,
    }
}

/// A value inside text: a string is itself, everything else as it is written.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) | Value::Column(text) => text.clone(),
        other => other.to_string(),
    }
}

/// "an int", "a fraction": for messages.
pub(crate) fn with_article(ty: &Type) -> String {
    match ty {
        Type::Int => "an int".to_owned(),
        Type::Enum(_) => format!("one of {ty}"),
        Type::Optional(inner) if **inner == Type::Unknown => "null".to_owned(),
        Type::Metrics(_) => "a set of metrics".to_owned(),
        Type::Dataset(_) => format!("a table ({ty})"),
        other => format!("a {other}"),
    }
}

/// The columns of a table, for messages.
pub(crate) fn listed_columns(columns: &[crate::types::Column]) -> String {
    crate::written::listed(columns.iter().map(|column| column.name.as_str()))
}

fn not_a_number(cx: &Context<'_>, span: Span, ty: &Type) -> Finding {
    let finding = Finding::error(
        codes::NOT_A_VALUE,
        cx.place(span),
        format!("`{}` is {}, and a number is wanted here", cx.text(span), with_article(ty)),
    );
    match ty {
        Type::Metrics(fields) => finding
            .help(format!("say which: {}", crate::written::listed(fields.iter().map(|field| field.name.as_str())))),
        _ => finding.help(format!("`{}` can be given to a step as input", cx.text(span))),
    }
}
