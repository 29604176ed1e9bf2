//! The value of a checked expression, once its facts are known.

use crate::pipeline::{Expr, MetricRef, Stat};
use crate::types::Comparison;
use crate::value::Value;

/// What is known at run time. `None` is missing.
pub trait Facts {
    /// A number a step gave.
    fn metric(&self, metric: &MetricRef) -> Option<Value>;
    /// A number about a table.
    fn stat(&self, stat: &Stat) -> Option<Value>;
}

/// One comparison inside a condition, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparing {
    /// The left side, as the author wrote it where that is known, else rendered.
    pub text: String,
    /// What it was.
    pub left: Option<Value>,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub right: Option<Value>,
    /// Signed distance to the threshold, positive inside; only for orderings of numbers.
    pub margin: Option<f64>,
    /// It held.
    pub held: bool,
}

/// The value of `expr`; `None` when something it needs is missing and nothing (`??`) stands in.
pub fn evaluate(_expr: &Expr, _facts: &dyn Facts) -> Option<Value> {
    None
}

/// Whether `condition` holds (a missing value never does), and every comparison in it with its numbers.
pub fn judge(_condition: &Expr, _facts: &dyn Facts) -> (bool, Vec<Comparing>) {
    (false, Vec::new())
}
