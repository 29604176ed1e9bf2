//! How far a number can reach, known without a run: a fraction that a step gives lies in 0..1.
//!
//! What no value in reach can satisfy, and what each satisfies, is a mistake in a gate.

use crate::context::Context;
use crate::live::LiveMetric;
use crate::pipeline::{Arithmetic, Expr, OverGroups, Reduce, Stat};
use crate::types::{Comparison, Type};
use crate::value::Value;

/// The lowest and the highest value an expression can have; `None` when nothing is known.
pub(crate) fn of(cx: &Context<'_>, expr: &Expr) -> Option<(f64, f64)> {
    match expr {
        Expr::Metric(metric) => {
            let (low, high) = match cx.metric_type(metric)? {
                Type::Fraction => (0.0, 1.0),
                ty => known_metric(&metric.metric, ty)?,
            };
            match &metric.over {
                Some(OverGroups { reduce: Reduce::Disparity, .. }) => ordered(0.0, high - low),
                _ => Some((low, high)),
            }
        }
        Expr::Const(Value::Int(number)) => Some((*number as f64, *number as f64)),
        Expr::Const(Value::Float(number) | Value::Fraction(number)) => Some((*number, *number)),
        Expr::Stat(Stat::Missing(_)) => Some((0.0, 1.0)),
        Expr::Stat(Stat::Rows | Stat::Distinct(_)) => Some((0.0, f64::INFINITY)),
        Expr::Live(LiveMetric::ErrorRate) => Some((0.0, 1.0)),
        Expr::Live(LiveMetric::Requests) => Some((0.0, f64::INFINITY)),
        Expr::Negate(inner) => of(cx, inner).map(|(low, high)| (-high, -low)),
        Expr::Coalesce(left, right) => {
            let ((a, b), (c, d)) = (of(cx, left)?, of(cx, right)?);
            Some((a.min(c), b.max(d)))
        }
        Expr::Arithmetic(operator, left, right) => {
            let ((a, b), (c, d)) = (of(cx, left)?, of(cx, right)?);
            let corners = match operator {
                Arithmetic::Add => return ordered(a + c, b + d),
                Arithmetic::Subtract => return ordered(a - d, b - c),
                Arithmetic::Multiply => [a * c, a * d, b * c, b * d],
                Arithmetic::Divide if c > 0.0 || d < 0.0 => [a / c, a / d, b / c, b / d],
                Arithmetic::Divide | Arithmetic::Remainder => return None,
            };
            ordered(
                corners.iter().copied().fold(f64::INFINITY, f64::min),
                corners.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )
        }
        _ => None,
    }
}

/// Metrics that mean the same wherever they stand.
fn known_metric(name: &str, ty: &Type) -> Option<(f64, f64)> {
    Some(match (name, ty) {
        ("log_loss" | "rmse" | "mae" | "mse", Type::Float) => (0.0, f64::INFINITY),
        ("brier", Type::Float) => (0.0, 1.0),
        ("r2", Type::Float) => (f64::NEG_INFINITY, 1.0),
        ("rows" | "support", Type::Int) => (0.0, f64::INFINITY),
        ("true_positive" | "false_positive" | "true_negative" | "false_negative", Type::Int) => (0.0, f64::INFINITY),
        _ => return None,
    })
}

fn ordered(low: f64, high: f64) -> Option<(f64, f64)> {
    (low <= high).then_some((low, high))
}

/// What is certain about a comparison before any run: `Some(true)`, it holds whenever its values are there;
/// `Some(false)`, it never holds.
pub(crate) fn certain(comparison: Comparison, left: (f64, f64), right: (f64, f64)) -> Option<bool> {
    let ((a, b), (c, d)) = (left, right);
    match comparison {
        Comparison::GreaterOrEqual if a >= d => Some(true),
        Comparison::GreaterOrEqual if b < c => Some(false),
        Comparison::Greater if a > d => Some(true),
        Comparison::Greater if b <= c => Some(false),
        Comparison::LessOrEqual if b <= c => Some(true),
        Comparison::LessOrEqual if a > d => Some(false),
        Comparison::Less if b < c => Some(true),
        Comparison::Less if a >= d => Some(false),
        Comparison::Equal if b < c || a > d => Some(false),
        Comparison::NotEqual if b < c || a > d => Some(true),
        _ => None,
    }
}
