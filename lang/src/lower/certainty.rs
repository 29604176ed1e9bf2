//! Conditions that are decided before any run: a gate that cannot open, an expectation that cannot fail.

use super::references;
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::LiveMetric;
use crate::names::Kind;
use crate::pipeline::{Expr, Stat};
use crate::syntax::ast;
use crate::types::Comparison;
use crate::typing::reach;
use crate::value::Value;
use std::collections::HashMap;

/// Reports a condition that no run can satisfy, or that every run does. Not when a parameter decides: switching a
/// requirement by a parameter is what parameters are for.
pub(super) fn report(cx: &mut Context<'_>, written: &ast::Expr, condition: &Expr) {
    let Some(held) = certain(cx, condition) else { return };
    if asks_param(cx, written) {
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
            .help("a fraction lies between 0% and 100%; counts, losses and errors are not negative")
    });
}

/// Whether a parameter decides.
fn asks_param(cx: &Context<'_>, written: &ast::Expr) -> bool {
    let mut asks = false;
    references::names(written, &mut |name, _| {
        asks |= cx.names.get(name).is_some_and(|declared| declared.kind == Kind::Param);
    });
    asks
}

/// Reports conditions that must all hold and cannot: `auc >= 90%` beside `auc < 80%`. Each is sound by itself.
pub(super) fn contradictions(cx: &mut Context<'_>, conditions: &[(&ast::Expr, &Expr)]) {
    let mut known: HashMap<String, Allowed> = HashMap::new();
    for (at, (written, condition)) in conditions.iter().enumerate() {
        if asks_param(cx, written) || certain(cx, condition).is_some() {
            continue;
        }
        for (what, comparison, limit) in limits(condition) {
            let allowed = known.entry(what).or_insert(Allowed { low: None, high: None });
            let Some(other) = allowed.narrow(at, comparison, limit) else { continue };
            let (first, text) = (conditions[other].0.span, cx.text(conditions[other].0.span));
            let place = cx.place(written.span);
            let finding = if other == at {
                Finding::error(codes::CONTRADICTION, place, "the parts of this condition cannot hold together")
            } else {
                Finding::error(codes::CONTRADICTION, place, format!("this cannot hold together with `{text}`"))
                    .also(cx.place(first), "the other")
            };
            cx.report(finding.label("no number is both").help("loosen one of them, or remove it"));
            // More would be said of what is wrong already.
            return;
        }
    }
}

/// Limits that a condition sets to numbers: what, how it is compared, with what.
fn limits(condition: &Expr) -> Vec<(String, Comparison, f64)> {
    let mut found = Vec::new();
    let mut waiting = vec![condition];
    while let Some(expr) = waiting.pop() {
        match expr {
            Expr::And(left, right) => waiting.extend([&**right, &**left]),
            Expr::Compare(comparison, left, right) => match (&**left, &**right) {
                (what, Expr::Const(limit)) => {
                    found.extend(measured(what).zip(number(limit)).map(|(what, limit)| (what, *comparison, limit)))
                }
                (Expr::Const(limit), what) => {
                    found.extend(
                        measured(what).zip(number(limit)).map(|(what, limit)| (what, comparison.mirrored(), limit)),
                    );
                }
                _ => {}
            },
            _ => {}
        }
    }
    found
}

/// What is measured, as one word for the same thing.
fn measured(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Metric(metric) => {
            let reduced = (&metric.over, &metric.across);
            Some(format!("{:?} {} {} {reduced:?}", metric.node, metric.output, metric.metric))
        }
        Expr::Stat(stat) => Some(format!("{stat:?}")),
        Expr::Live(live) => Some(format!("{live:?}")),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) | Value::Fraction(number) => Some(*number),
        Value::Duration(length) => Some(*length as f64),
        Value::Size(bytes) => Some(*bytes as f64),
        _ => None,
    }
}

/// What several conditions leave of a number: each end, whether it is left out itself, and which condition said so.
struct Allowed {
    low: Option<(f64, bool, usize)>,
    high: Option<(f64, bool, usize)>,
}

impl Allowed {
    /// Takes in one more limit. Gives the condition that leaves nothing together with it.
    fn narrow(&mut self, by: usize, comparison: Comparison, limit: f64) -> Option<usize> {
        let (low, high, open) = match comparison {
            Comparison::GreaterOrEqual => (true, false, false),
            Comparison::Greater => (true, false, true),
            Comparison::LessOrEqual => (false, true, false),
            Comparison::Less => (false, true, true),
            Comparison::Equal => (true, true, false),
            Comparison::NotEqual => return None,
        };
        if low && self.low.is_none_or(|(at, shut, _)| limit > at || limit == at && open && !shut) {
            self.low = Some((limit, open, by));
        }
        if high && self.high.is_none_or(|(at, shut, _)| limit < at || limit == at && open && !shut) {
            self.high = Some((limit, open, by));
        }
        let ((low, low_open, low_by), (high, high_open, high_by)) = self.low.zip(self.high)?;
        let empty = low > high || low == high && (low_open || high_open);
        empty.then_some(if low_by == by { high_by } else { low_by })
    }
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
