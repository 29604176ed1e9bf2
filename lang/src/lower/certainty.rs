//! Conditions that are decided before any run: a gate that cannot open, an expectation that cannot fail.

use super::references;
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::LiveMetric;
use crate::names::Kind;
use crate::pipeline::{Expr, Stat};
use crate::syntax::ast;
use crate::typing::reach;
use crate::value::Value;

/// Reports a condition that no run can satisfy, or that every run does. Not when a parameter decides: switching a
/// requirement by a parameter is what parameters are for.
pub(super) fn report(cx: &mut Context<'_>, written: &ast::Expr, condition: &Expr) {
    let Some(held) = certain(cx, condition) else { return };
    let mut by_param = false;
    references::names(written, &mut |name, _| {
        by_param |= cx.names.get(name).is_some_and(|declared| declared.kind == Kind::Param);
    });
    if by_param {
        return;
    }
    if held && (may_be_missing(condition) || lets_a_table_be_empty(condition)) {
        return;
    }
    let place = cx.place(written.span);
    cx.report(if held {
        Finding::warning(codes::ALWAYS_HOLDS, place, "this condition cannot fail")
            .label("true whatever the run measures")
            .help("tighten it, or remove it")
    } else {
        Finding::error(codes::NEVER_HOLDS, place, "no run can satisfy this condition")
            .label("false whatever the run measures")
            .help("a fraction lies between 0% and 100%, a count is not negative")
    });
}

/// `rows >= 0` cannot fail, and means something all the same: a table without rows is a finding unless an expectation
/// speaks of its rows.
fn lets_a_table_be_empty(expr: &Expr) -> bool {
    matches!(expr, Expr::Compare(_, left, right)
        if [left, right].iter().any(|side| matches!(***side, Expr::Stat(Stat::Rows))))
}

/// Whether something in the condition can have no value in a run: a metric that could not be computed, a statistic of an
/// empty table, a division by zero. What is missing never holds, so such a condition can fail however its numbers lie.
fn may_be_missing(expr: &Expr) -> bool {
    match expr {
        Expr::Const(value) => *value == Value::Null,
        Expr::Stat(Stat::Rows) | Expr::Live(LiveMetric::Requests) => false,
        Expr::Metric(_) | Expr::Stat(_) | Expr::Live(_) | Expr::Arithmetic(..) | Expr::Call(..) => true,
        Expr::Not(inner) | Expr::Negate(inner) => may_be_missing(inner),
        // One side that is there is enough, whichever it is.
        Expr::Coalesce(left, right) => may_be_missing(left) && may_be_missing(right),
        Expr::And(left, right) | Expr::Or(left, right) | Expr::Compare(_, left, right) | Expr::In(left, right) => {
            may_be_missing(left) || may_be_missing(right)
        }
        Expr::When { then, condition, otherwise } => {
            [then, condition, otherwise].into_iter().any(|part| may_be_missing(part))
        }
    }
}

fn certain(cx: &Context<'_>, condition: &Expr) -> Option<bool> {
    match condition {
        Expr::Const(Value::Bool(held)) => Some(*held),
        // A condition on nothing is missing, and missing never holds.
        Expr::Const(Value::Null) => Some(false),
        Expr::Compare(comparison, left, right) => {
            reach::certain(*comparison, reach::of(cx, left)?, reach::of(cx, right)?)
        }
        Expr::Not(inner) => certain(cx, inner).map(|held| !held),
        Expr::And(left, right) => match (certain(cx, left), certain(cx, right)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Expr::Or(left, right) => match (certain(cx, left), certain(cx, right)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        _ => None,
    }
}
