//! Judging a window: each watch of a monitor, and each column of a drift watch, gets a number, a limit and a verdict.

use super::metrics::{self, Measured};
use super::{EvidenceError, Rows};
use mlp_core::predictor::Cells;
use mlp_data::drift::{self, Drift, NoDrift, Sample};
use mlp_lang::eval::{Facts, evaluate};
use mlp_lang::live::{DriftMethod, LabelMetric, LiveMetric, MonitorNode, Watch, Watched};
use mlp_lang::pipeline::{MetricRef, Stat};
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Earlier windows below which there is no baseline and no sigma.
const FEWEST_PAST: usize = 3;

/// A table that drift is measured against; each column is prepared once, when it is first asked for.
#[derive(Debug, Default)]
pub struct Reference {
    columns: BTreeMap<String, (Cells, OnceLock<Result<drift::Reference, NoDrift>>)>,
}

impl Reference {
    /// Of columns by name, as [`mlp_data::cells::read_table`] gives them.
    pub fn new(columns: BTreeMap<String, Cells>) -> Reference {
        Reference { columns: columns.into_iter().map(|(name, cells)| (name, (cells, OnceLock::new()))).collect() }
    }

    fn drift(&self, column: &str, rows: &Rows, method: DriftMethod) -> Result<Drift, String> {
        let current = rows.column(column).ok_or("the window's rows have no such column")?;
        let (cells, prepared) = self.columns.get(column).ok_or("the reference has no such column")?;
        let numeric = matches!(cells, Cells::Numbers(_));
        let reference = prepared.get_or_init(|| drift::Reference::prepare(&sample(cells), numeric));
        let reference = reference.as_ref().map_err(ToString::to_string)?;
        let drift = reference.drift(&sample(current), method).map_err(|why| why.to_string())?;
        match drift.current_rows {
            1 => Err("the window has only one row with a value".to_owned()),
            _ => Ok(drift),
        }
    }
}

fn sample(cells: &Cells) -> Sample<'_> {
    match cells {
        Cells::Numbers(cells) => Sample::Numbers(cells),
        Cells::Texts(cells) => Sample::Texts(cells),
    }
}

/// What one watch says about one window; a drift watch says it once for each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Index into [`MonitorNode::watches`].
    pub watch: usize,
    /// The watch as its author wrote it.
    pub text: String,
    /// The column, of a drift watch.
    pub column: Option<String>,
    /// The full name of the statistic that was used; of a drift watch without data, of what was asked for.
    pub rule: String,
    /// Its value; a duration is in nanoseconds, a share a fraction of 1.
    pub statistic: Option<f64>,
    /// What it is compared with, in the same unit.
    pub threshold: Option<f64>,
    /// `statistic comparison threshold`: for all to be well.
    pub comparison: Comparison,
    /// Whether all is well; `None`: there was nothing to measure.
    pub held: Option<bool>,
    /// Rows of the window that count in it.
    pub rows: u64,
    /// Rows of the reference that count in it; 0 where there is none.
    pub reference_rows: u64,
    /// The outcome in a sentence, without a full stop.
    pub words: String,
    /// What the other fields do not say: why there is no number, which columns drifted. Often empty.
    pub note: String,
}

/// Judges every watch of `monitor`. Pure: the same arguments, the same judgements.
///
/// - `rows`: the window of the watches of drift.
/// - `label_rows`: the window of a watch whose labels take so long (nanoseconds), with its labels.
/// - `reference`: what drift is measured against.
/// - `service`: a number of the deployment over the window.
/// - `past`: earlier statistics of a watch (its index) over the last so many nanoseconds. Below 3 there is no baseline.
///
/// Fewer than 2 rows, or nothing that can be compared, is no data: `held` is `None`, and the words say why.
pub fn judge(
    monitor: &MonitorNode,
    rows: &Rows,
    label_rows: impl Fn(i64) -> Result<Rows, EvidenceError>,
    reference: Option<&Reference>,
    service: &dyn Fn(&LiveMetric) -> Option<Value>,
    past: &dyn Fn(usize, i64) -> Vec<f64>,
) -> Vec<Judgement> {
    let mut judgements = Vec::new();
    for (index, watch) in monitor.watches.iter().enumerate() {
        let limit = evaluate(&watch.limit, &Past { index, is_duration: is_duration(watch), past });
        let limit = limit.as_ref().and_then(number);
        let line = Line { index, watch, limit };
        match &watch.what {
            Watched::Drift { columns, method, alpha } => {
                judgements.extend(columns.iter().map(|column| line.drift(column, *method, *alpha, rows, reference)));
            }
            Watched::Drifted { columns } => judgements.push(line.drifted(columns, rows, reference)),
            Watched::Service(metric) => judgements.push(line.service(metric, service)),
            Watched::Label { metric, delay, .. } => judgements.push(line.label(*metric, label_rows(*delay))),
        }
    }
    judgements
}

/// A watch and its limit, `None` while that is not known.
struct Line<'a> {
    index: usize,
    watch: &'a Watch,
    limit: Option<f64>,
}

/// A measurement before it is judged.
struct Outcome {
    rule: String,
    column: Option<String>,
    /// The number, or why there is none.
    statistic: Result<f64, String>,
    threshold: Option<f64>,
    comparison: Comparison,
    rows: u64,
    reference_rows: u64,
    /// Follows the sentence.
    more: String,
}

impl Line<'_> {
    fn drift(
        &self,
        column: &str,
        method: DriftMethod,
        alpha: f64,
        rows: &Rows,
        reference: Option<&Reference>,
    ) -> Judgement {
        let nothing = |why: String| Outcome {
            rule: format!("drift ({})", method.word()),
            column: Some(column.to_owned()),
            statistic: Err(why),
            threshold: self.limit,
            comparison: self.watch.comparison,
            rows: rows.len() as u64,
            reference_rows: 0,
            more: String::new(),
        };
        let drift = match measured(column, rows, reference, method) {
            Ok(drift) => drift,
            Err(why) => return self.judged(nothing(why)),
        };
        let found = Outcome {
            rule: drift.words(),
            statistic: Ok(drift.statistic),
            rows: drift.current_rows as u64,
            reference_rows: drift.reference_rows as u64,
            ..nothing(String::new())
        };
        if method == DriftMethod::Auto && drift.is_p_value {
            // Kolmogorov-Smirnov drifts at alpha itself, the others below it.
            let at_alpha = drift.rule.drifts(alpha, alpha);
            let comparison = if at_alpha { Comparison::Greater } else { Comparison::GreaterOrEqual };
            let more = format!("; the rule gives a p-value, so alpha is the limit instead of `{}`", self.watch.limit);
            return self.judged(Outcome { threshold: Some(alpha), comparison, more, ..found });
        }
        self.judged(found)
    }

    fn drifted(&self, columns: &[String], rows: &Rows, reference: Option<&Reference>) -> Judgement {
        let each: Result<Vec<(&str, Drift)>, String> = columns
            .iter()
            .map(|column| match measured(column, rows, reference, DriftMethod::Auto) {
                Ok(drift) => Ok((column.as_str(), drift)),
                Err(why) => Err(format!("{column}: {why}")),
            })
            .collect();
        let (statistic, more, reference_rows) = match &each {
            Err(why) => (Err(why.clone()), String::new(), 0),
            Ok(each) => {
                let drifted = each.iter().filter(|(_, drift)| drift.drifted);
                let told: Vec<String> = drifted
                    .map(|(column, drift)| format!("{column} ({} {})", drift.words(), short(drift.statistic)))
                    .collect();
                let more = match told.is_empty() {
                    true => "; no column drifted".to_owned(),
                    false => format!("; drifted: {}", told.join(", ")),
                };
                let most = each.iter().map(|(_, drift)| drift.reference_rows).max().unwrap_or(0);
                (Ok(told.len() as f64 / each.len().max(1) as f64), more, most as u64)
            }
        };
        self.judged(Outcome {
            rule: "share of drifted columns".to_owned(),
            column: None,
            statistic,
            threshold: self.limit,
            comparison: self.watch.comparison,
            rows: rows.len() as u64,
            reference_rows,
            more,
        })
    }

    fn service(&self, metric: &LiveMetric, service: &dyn Fn(&LiveMetric) -> Option<Value>) -> Judgement {
        let requests = match service(&LiveMetric::Requests) {
            Some(Value::Int(requests)) => u64::try_from(requests).unwrap_or(0),
            _ => 0,
        };
        let value = service(metric).as_ref().and_then(number);
        self.judged(Outcome {
            rule: metric.to_string(),
            column: None,
            statistic: value.ok_or_else(|| "the window has no requests".to_owned()),
            threshold: self.limit,
            comparison: self.watch.comparison,
            rows: requests,
            reference_rows: 0,
            more: String::new(),
        })
    }

    fn label(&self, metric: LabelMetric, rows: Result<Rows, EvidenceError>) -> Judgement {
        let (statistic, rows) = match rows.map(|rows| metrics::measure(metric, &rows)) {
            Ok(Measured { value, rows, why }) => (value.ok_or(why), rows),
            Err(error) => (Err(error.to_string()), 0),
        };
        self.judged(Outcome {
            rule: metrics::name(metric).to_owned(),
            column: None,
            statistic,
            threshold: self.limit,
            comparison: self.watch.comparison,
            rows,
            reference_rows: 0,
            more: String::new(),
        })
    }

    fn judged(&self, outcome: Outcome) -> Judgement {
        let Outcome { rule, column, statistic, threshold, comparison, rows, reference_rows, more } = outcome;
        let subject = column.as_ref().map_or(rule.clone(), |column| format!("{rule} of {column}"));
        let told = |number: f64| if is_duration(self.watch) { lasting(number) } else { short(number) };
        let held = match (&statistic, threshold) {
            (Ok(statistic), Some(threshold)) => Some(holds(*statistic, comparison, threshold)),
            _ => None,
        };
        let words = match (&statistic, threshold) {
            (Err(why), _) => format!("no number for {subject}: {why}"),
            (Ok(statistic), None) => format!(
                "{subject} is {}, and its limit `{}` is not known: that takes {FEWEST_PAST} earlier windows",
                told(*statistic),
                self.watch.limit
            ),
            (Ok(statistic), Some(threshold)) => {
                let (is, must) = (told(*statistic), told(threshold));
                format!("{subject} is {is}, wanted {comparison} {must}{more}")
            }
        };
        let note = match (&statistic, threshold) {
            (Err(why), _) => why.clone(),
            (Ok(_), None) => format!("its limit takes {FEWEST_PAST} earlier windows"),
            (Ok(_), Some(_)) => more.trim_start_matches("; ").to_owned(),
        };
        Judgement {
            watch: self.index,
            text: self.watch.text.clone(),
            column,
            rule,
            statistic: statistic.ok(),
            threshold,
            comparison,
            held,
            rows,
            reference_rows,
            words,
            note,
        }
    }
}

fn measured(column: &str, rows: &Rows, reference: Option<&Reference>, method: DriftMethod) -> Result<Drift, String> {
    match rows.len() {
        0 => return Err("the window has no rows".to_owned()),
        1 => return Err("the window has only one row".to_owned()),
        _ => {}
    }
    reference.ok_or("there is no reference yet")?.drift(column, rows, method)
}

/// Baselines and sigmas of a watch.
struct Past<'a> {
    index: usize,
    is_duration: bool,
    past: &'a dyn Fn(usize, i64) -> Vec<f64>,
}

impl Facts for Past<'_> {
    fn metric(&self, _: &MetricRef) -> Option<Value> {
        None
    }

    fn stat(&self, _: &Stat) -> Option<Value> {
        None
    }

    fn live(&self, metric: &LiveMetric) -> Option<Value> {
        let (LiveMetric::Baseline(over) | LiveMetric::Sigma(over)) = metric else { return None };
        let past = (self.past)(self.index, *over);
        if past.len() < FEWEST_PAST {
            return None;
        }
        let mean = past.iter().sum::<f64>() / past.len() as f64;
        let number = match metric {
            LiveMetric::Sigma(_) => {
                let squares: f64 = past.iter().map(|number| (number - mean) * (number - mean)).sum();
                (squares / (past.len() - 1) as f64).sqrt()
            }
            _ => mean,
        };
        // A saturating cast: no duration is longer than an i64 of nanoseconds.
        Some(if self.is_duration { Value::Duration(number.round() as i64) } else { Value::Float(number) })
    }
}

fn is_duration(watch: &Watch) -> bool {
    matches!(&watch.what, Watched::Service(LiveMetric::Latency(_) | LiveMetric::MeanLatency))
}

fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Int(number) | Value::Duration(number) => *number as f64,
        Value::Float(number) | Value::Fraction(number) => *number,
        Value::Size(bytes) => *bytes as f64,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn holds(statistic: f64, comparison: Comparison, threshold: f64) -> bool {
    match comparison {
        Comparison::Equal => statistic == threshold,
        Comparison::NotEqual => statistic != threshold,
        Comparison::Less => statistic < threshold,
        Comparison::LessOrEqual => statistic <= threshold,
        Comparison::Greater => statistic > threshold,
        Comparison::GreaterOrEqual => statistic >= threshold,
    }
}

fn lasting(nanos: f64) -> String {
    Value::Duration(nanos.round() as i64).to_string()
}

/// A number for people: four digits that count.
fn short(number: f64) -> String {
    let magnitude = if number == 0.0 { 0.0 } else { number.abs().log10().floor() };
    if !(-4.0..9.0).contains(&magnitude) {
        return format!("{number:.3e}");
    }
    let text = format!("{number:.*}", (3.0 - magnitude).max(0.0) as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
