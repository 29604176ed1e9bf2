//! Decisions: do a gate's requirements hold, a table's expectations, a condition.
//!
//! Pure but for reading metrics files. Missing is never success: a number that is not there makes its comparison fail,
//! and the verdict says that it was missing.

use crate::executor::Task;
use crate::metrics::{Each, LeftOut, Metrics};
use crate::record::{Artifact, Measured, Millis, Verdict};
use mlp_lang::eval::{self, Facts};
use mlp_lang::pipeline::{DataNode, Expr, GateNode, MetricRef, Pipeline, Stat};
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// What is known of a table beside its rows: the content of a data node's `profile` output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows of the table.
    pub rows: u64,
    /// Each statistic that an expectation asks for; for `fresh`, the newest value itself. `None` is missing.
    pub stats: Vec<(Stat, Option<Value>)>,
}

/// Judges what a table must satisfy, as of `now`.
pub(crate) fn judge_data(data: &DataNode, profile: &Profile, now: Millis) -> (bool, Vec<Verdict>) {
    let facts = TableFacts { profile, now };
    let verdicts = data.expectations.iter().map(|it| verdict(&it.text, None, &it.condition, &facts));
    all_held(verdicts.collect())
}

/// The same, leaving out what depends on the time: what will be said of this table whenever it is asked.
pub(crate) fn judge_lasting(data: &DataNode, profile: &Profile) -> (bool, Vec<Verdict>) {
    let asks_age = |condition: &Expr| {
        let mut asks = false;
        condition.visit(&mut |expr| asks |= matches!(expr, Expr::Stat(Stat::Fresh(_))));
        asks
    };
    let lasting = data.expectations.iter().filter(|it| !asks_age(&it.condition)).cloned().collect();
    judge_data(&DataNode { expectations: lasting, ..data.clone() }, profile, 0)
}

/// Judges a gate from what steps gave.
pub(crate) fn judge_gate(gate: &GateNode, given: &dyn Given, pipeline: &Pipeline) -> (bool, Vec<Verdict>) {
    let facts = StepFacts { given, pipeline, left_out: RefCell::default(), parsed: RefCell::default() };
    let verdicts = gate.requirements.iter().map(|it| {
        facts.left_out.borrow_mut().clear();
        let mut verdict = verdict(&it.text, it.because.as_deref(), &it.condition, &facts);
        facts.name_left_out(&mut verdict);
        if it.unless_first {
            let missing = metrics_asked(&it.condition).into_iter().find_map(|asked| given.absent(asked.node.index()));
            verdict.waived = missing.map(|why| format!("first: {why}"));
        }
        verdict
    });
    all_held(verdicts.chain(unasked(gate)).collect())
}

/// What a gate asks of policies. Nobody here can ask them, and what was not asked is no yes: such a pipeline is refused
/// before it runs, and were it not, its gate would still not open. People are asked once everything else holds.
fn unasked(gate: &GateNode) -> impl Iterator<Item = Verdict> {
    let policies = gate.policies.iter().map(|policy| (format!("policy({:?})", policy.path), policy.because.clone()));
    policies.map(|(text, because)| Verdict { text, because, held: false, waived: None, measured: Vec::new() })
}

/// Whether a `when` is true; `None` when something it needs is missing.
pub(crate) fn condition(expr: &Expr, given: &dyn Given, pipeline: &Pipeline) -> Option<bool> {
    let facts = StepFacts { given, pipeline, left_out: RefCell::default(), parsed: RefCell::default() };
    match eval::evaluate(expr, &facts) {
        Some(Value::Bool(yes)) => Some(yes),
        _ => None,
    }
}

/// Every number that a condition asks for.
pub(crate) fn metrics_asked(expr: &Expr) -> Vec<&MetricRef> {
    let mut metrics = Vec::new();
    expr.visit(&mut |expr| {
        if let Expr::Metric(metric) = expr {
            metrics.push(metric);
        }
    });
    metrics
}

/// What steps gave: where the bytes of an output are to be had.
pub(crate) trait Given {
    /// The published output; `None` if there is none (yet).
    fn artifact(&self, node: usize, output: &str) -> Option<&Artifact>;
    /// Its bytes.
    fn bytes(&self, artifact: &Artifact) -> Option<Vec<u8>>;
    /// Why a node did not run, if that is because something is not in the registry yet.
    fn absent(&self, _node: usize) -> Option<&str> {
        None
    }
}

fn all_held(verdicts: Vec<Verdict>) -> (bool, Vec<Verdict>) {
    (verdicts.iter().all(Verdict::passes), verdicts)
}

fn verdict(text: &str, because: Option<&str>, condition: &Expr, facts: &dyn Facts) -> Verdict {
    let (held, compared) = eval::judge(condition, facts);
    let measured = compared.into_iter().map(|it| Measured {
        text: it.text,
        value: it.left,
        comparison: it.comparison,
        threshold: it.right,
        margin: it.margin,
        held: it.held,
    });
    let measured = measured.collect();
    Verdict { text: text.to_owned(), because: because.map(str::to_owned), held, waived: None, measured }
}

/// The numbers of one table.
struct TableFacts<'a> {
    profile: &'a Profile,
    now: Millis,
}

impl Facts for TableFacts<'_> {
    fn metric(&self, _metric: &MetricRef) -> Option<Value> {
        None
    }

    fn stat(&self, stat: &Stat) -> Option<Value> {
        let value = self.profile.stats.iter().find(|(known, _)| known == stat).and_then(|(_, value)| value.clone());
        match stat {
            Stat::Rows => Some(Value::Int(i64::try_from(self.profile.rows).unwrap_or(i64::MAX))),
            Stat::Fresh(_) => age(&value?, self.now),
            _ => value,
        }
    }
}

/// How long ago a date (its midnight in UTC) or an instant was.
fn age(newest: &Value, now: Millis) -> Option<Value> {
    let then = match newest {
        Value::Date(day) => day.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
        Value::Time(instant) => instant.parse::<jiff::Timestamp>().ok()?,
        _ => return None,
    };
    let nanos = i128::from(now) * 1_000_000 - then.as_nanosecond();
    Some(Value::Duration(i64::try_from(nanos).ok()?))
}

/// Metrics files by node and output, each read once. `None`: there is none that can be read.
type ParsedMetrics = HashMap<(usize, String), Option<Rc<Metrics>>>;

/// The numbers that steps gave.
struct StepFacts<'a> {
    given: &'a dyn Given,
    pipeline: &'a Pipeline,
    left_out: RefCell<Vec<(String, Vec<LeftOut>)>>,
    parsed: RefCell<ParsedMetrics>,
}

impl StepFacts<'_> {
    fn metrics(&self, node: usize, output: &str) -> Option<Rc<Metrics>> {
        let mut parsed = self.parsed.borrow_mut();
        let read = || {
            let bytes = self.given.bytes(self.given.artifact(node, output)?)?;
            Metrics::parse(&bytes).ok().map(Rc::new)
        };
        parsed.entry((node, output.to_owned())).or_insert_with(read).clone()
    }

    fn declared(&self, metric: &MetricRef) -> Type {
        let task = self.pipeline.nodes.get(metric.node.index()).and_then(|it| Task::of(&it.kind));
        let fields = task.as_ref().and_then(|task| task.outputs().get(&metric.output)?.metrics());
        let field = fields.into_iter().flatten().find(|field| field.name == metric.metric);
        field.map_or(Type::Float, |field| field.ty.clone())
    }

    /// A group that did not count is named beside the number it did not count for.
    fn name_left_out(&self, verdict: &mut Verdict) {
        for (text, groups) in self.left_out.borrow().iter() {
            let groups: Vec<String> = groups.iter().map(|(value, rows)| format!("{value} ({rows} rows)")).collect();
            let note = format!(" (too few rows, left out: {})", groups.join(", "));
            for measured in verdict.measured.iter_mut().filter(|it| it.text.contains(text.as_str())) {
                if !measured.text.contains(&note) {
                    measured.text.push_str(&note);
                }
            }
        }
    }
}

impl Facts for StepFacts<'_> {
    fn metric(&self, metric: &MetricRef) -> Option<Value> {
        if let Some(how) = metric.across {
            let bytes = self.given.bytes(self.given.artifact(metric.node.index(), &metric.output)?)?;
            let each: Each = serde_json::from_slice(&bytes).ok()?;
            return each.across(&metric.metric, &self.declared(metric), how);
        }
        let metrics = self.metrics(metric.node.index(), &metric.output)?;
        let ty = self.declared(metric);
        let Some(over) = &metric.over else { return metrics.value(&metric.metric, &ty) };
        let (value, left_out) = metrics.over(&metric.metric, &ty, over);
        if !left_out.is_empty() {
            self.left_out.borrow_mut().push((metric.text.clone(), left_out));
        }
        value
    }

    fn stat(&self, _stat: &Stat) -> Option<Value> {
        None
    }
}
