//! Parts of declarations that have a shape of their own: fan-outs, containers' clauses, searches, tests, approvals.

use super::{Expr, Ident, TypeExpr};
use crate::span::Span;

/// `for lr in [0.1, 0.2]`
#[derive(Clone, Debug, PartialEq)]
pub struct FanOut {
    /// What each value is called in the body.
    pub variable: Ident,
    /// The values.
    pub values: Expr,
    /// Of the whole clause.
    pub span: Span,
}

/// What a step that runs a program is given and gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Task {
    /// `with { lr: 0.1 }`
    pub with: Option<Entries>,
    /// `in { rows: split.train }`
    pub inputs: Option<Entries>,
    /// `out { clf: model<onnx> }`
    pub outputs: Option<Outputs>,
}

/// `with { lr: 0.1 }`
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    /// In the order written.
    pub entries: Vec<(Ident, Expr)>,
    /// Of the whole clause.
    pub span: Span,
}

/// `out { clf: model<onnx>, fit: metrics { auc: float } }`
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs {
    /// In the order written.
    pub entries: Vec<(Ident, TypeExpr)>,
    /// Of the whole clause.
    pub span: Span,
}

/// `seed: int = 7` in the header of a component.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentParam {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub ty: TypeExpr,
    /// `= 7`; without it each instance must give one.
    pub default: Option<Expr>,
    /// Of all of it.
    pub span: Span,
}

/// `output clf: model<classifier> = fit.model`
#[derive(Clone, Debug, PartialEq)]
pub struct OutputLine {
    /// The `##` lines directly above it.
    pub doc: Option<String>,
    /// Its name.
    pub name: Ident,
    /// `: model<classifier>`
    pub ty: Option<TypeExpr>,
    /// What it is.
    pub value: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// `lr in log(1e-4..1e-1)`
#[derive(Clone, Debug, PartialEq)]
pub struct SpaceLine {
    /// The setting that is searched.
    pub name: Ident,
    /// Among these.
    pub values: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// `maximize train.fit.auc`
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// `maximize`, or else `minimize`.
    pub maximize: bool,
    /// The number.
    pub metric: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// `approve by 2 of ["ml-lead", "risk"] within 3d`
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// How many; absent in `approve by "ml-lead"`.
    pub count: Option<Expr>,
    /// Of whom.
    pub people: Expr,
    /// `within 3d`
    pub within: Option<Expr>,
    /// Of the whole line.
    pub span: Span,
}

/// `with customers = csv("stale.csv")` in a test.
#[derive(Clone, Debug, PartialEq)]
pub struct With {
    /// The data or the parameter that is replaced.
    pub name: Ident,
    /// By this.
    pub value: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// `expect customers fails`, `expect eval.auc >= 0.7`
#[derive(Clone, Debug, PartialEq)]
pub struct TestLine {
    /// What is expected.
    pub kind: TestKind,
    /// `because "..."`
    pub because: Option<String>,
    /// Of the whole line.
    pub span: Span,
}

/// What a line of a test expects.
#[derive(Clone, Debug, PartialEq)]
pub enum TestKind {
    /// `customers fails`: a name and `fails`, `passes` or `skipped`.
    Ends(Ident, Ident),
    /// A condition on what the steps measured.
    Holds(Expr),
}
