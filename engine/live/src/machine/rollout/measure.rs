//! What a measurement of a candidate means.
//!
//! As Argo Rollouts judges metrics: a failure condition that holds is a failure; success alone given and not met is a
//! failure; both given and neither true is inconclusive. Unlike there, a number that is missing is what the author wrote.

use super::super::words;
use mlp_core::record::{Measured, Millis};
use mlp_lang::eval::{self, Comparing, Facts};
use mlp_lang::live::{Check, Condition, LiveMetric, OnNoData};
use mlp_lang::pipeline::{Expr, MetricRef, Stat};
use mlp_lang::value::Value;

/// How a measurement, or one line of it, came out; the worse the later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// All is well.
    Success,
    /// There was nothing to measure, and the author wants to wait.
    NoData,
    /// It could not be measured.
    Error,
    /// Neither success nor failure.
    Inconclusive,
    /// It is not well.
    Failed,
}

/// One line of a check, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// As the author wrote it.
    pub text: String,
    /// How it came out.
    pub verdict: Verdict,
    /// A number was missing, so that `on_no_data` decided.
    pub no_data: bool,
    /// The comparisons that decided, with their numbers.
    pub measured: Vec<Measured>,
}

impl Line {
    /// `error_rate 5.2% > 1%`: why it came out as it did.
    pub fn words(&self) -> String {
        let wanted = |it: &&Measured| !self.no_data || it.value.is_none() || it.threshold.is_none();
        let parts: Vec<String> = self.measured.iter().filter(wanted).map(words::compared).collect();
        if parts.is_empty() { self.text.clone() } else { parts.join(" and ") }
    }
}

/// One measurement of a candidate, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// When.
    pub at: Millis,
    /// Requests it is about.
    pub requests: u64,
    /// The worst of its lines.
    pub verdict: Verdict,
    /// Each line.
    pub lines: Vec<Line>,
    /// Why it could not be made.
    pub error: Option<String>,
}

impl Measurement {
    /// What made it come out as it did.
    pub fn words(&self) -> String {
        let lines = self.lines.iter().filter(|line| line.verdict == self.verdict);
        let mut parts: Vec<String> = lines.map(Line::words).collect();
        parts.extend(self.error.clone());
        parts.join("; ")
    }
}

/// The numbers of one measurement.
struct Numbers<'a> {
    requests: u64,
    numbers: &'a [(LiveMetric, Option<Value>)],
}

impl Facts for Numbers<'_> {
    fn metric(&self, _: &MetricRef) -> Option<Value> {
        None
    }

    fn stat(&self, _: &Stat) -> Option<Value> {
        None
    }

    fn live(&self, metric: &LiveMetric) -> Option<Value> {
        match metric {
            LiveMetric::Requests => Some(Value::Int(i64::try_from(self.requests).unwrap_or(i64::MAX))),
            _ => self.numbers.iter().find(|(known, _)| known == metric).and_then(|(_, value)| value.clone()),
        }
    }
}

/// Judges a measurement.
pub(super) fn judge(check: &Check, at: Millis, requests: u64, numbers: &[(LiveMetric, Option<Value>)]) -> Measurement {
    let facts = Numbers { requests, numbers };
    let lines: Vec<Line> = check.conditions.iter().map(|it| line(it, check.on_no_data, &facts)).collect();
    let verdict = lines.iter().map(|line| line.verdict).max().unwrap_or(Verdict::Success);
    Measurement { at, requests, verdict, lines, error: None }
}

/// A measurement that could not be made.
pub(super) fn error(at: Millis, why: &str) -> Measurement {
    Measurement { at, requests: 0, verdict: Verdict::Error, lines: Vec::new(), error: Some(why.to_owned()) }
}

fn line(condition: &Condition, on_no_data: OnNoData, facts: &dyn Facts) -> Line {
    let truth = |expr: &Expr| match eval::evaluate(expr, facts) {
        Some(Value::Bool(held)) => Some(held),
        _ => None,
    };
    let success = truth(&condition.success);
    let failure = match &condition.failure {
        Some(failure) => truth(failure),
        None => success.map(|held| !held),
    };
    let known = match (success, failure) {
        (_, Some(true)) => Some(Verdict::Failed),
        (None, _) | (_, None) => None,
        (Some(true), _) => Some(Verdict::Success),
        (Some(false), Some(false)) => Some(Verdict::Inconclusive),
    };
    let verdict = known.unwrap_or(match on_no_data {
        OnNoData::Wait => Verdict::NoData,
        OnNoData::Pass => Verdict::Success,
        OnNoData::Fail => Verdict::Failed,
    });
    // A failure is explained by the condition that found it; anything else by what success lacked.
    let decided = match &condition.failure {
        Some(failure) if known == Some(Verdict::Failed) => failure,
        _ => &condition.success,
    };
    let by_failure = !std::ptr::eq(decided, &condition.success);
    let (_, comparisons) = eval::judge(decided, facts);
    let telling = |it: &Comparing| match known {
        Some(Verdict::Failed | Verdict::Inconclusive) => it.held == by_failure,
        _ => true,
    };
    let measured = comparisons.into_iter().filter(telling).map(|it| Measured {
        text: it.text,
        value: it.left,
        comparison: it.comparison,
        threshold: it.right,
        margin: it.margin,
        held: it.held,
    });
    Line { text: condition.text.clone(), verdict, no_data: known.is_none(), measured: measured.collect() }
}

/// The numbers that a check asks for, each once, in the order written; [`LiveMetric::Requests`] is always measured.
pub(super) fn wanted(check: &Check) -> Vec<LiveMetric> {
    let mut wanted = vec![LiveMetric::Requests];
    for condition in &check.conditions {
        for expr in std::iter::once(&condition.success).chain(&condition.failure) {
            expr.visit(&mut |expr| {
                if let Expr::Live(metric) = expr
                    && !wanted.contains(metric)
                {
                    wanted.push(metric.clone());
                }
            });
        }
    }
    wanted
}
