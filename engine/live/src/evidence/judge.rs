//! Judging a window: each watch of a monitor, and each column of a drift watch, gets a number, a limit and a verdict.

use super::{EvidenceError, Rows};
use mlp_core::predictor::Cells;
use mlp_lang::live::{LiveMetric, MonitorNode};
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;
use std::collections::BTreeMap;

/// A table by column name, as [`mlp_data::cells::read_table`] gives it.
pub type Reference = BTreeMap<String, Cells>;

/// What one watch says about one window; a drift watch says it once for each column.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Index into [`MonitorNode::watches`].
    pub watch: usize,
    /// The watch as its author wrote it.
    pub text: String,
    /// The column, of a drift watch.
    pub column: Option<String>,
    /// The full name of the statistic.
    pub rule: String,
    /// Its value; a duration is in nanoseconds.
    pub statistic: Option<f64>,
    /// What it is compared with.
    pub threshold: Option<f64>,
    /// `statistic comparison threshold`: for all to be well.
    pub comparison: Comparison,
    /// Whether all is well; `None`: there was nothing to measure.
    pub held: Option<bool>,
    /// Rows of the window that count in it.
    pub rows: u64,
    /// Rows of the reference that count in it; 0 where there is none.
    pub reference_rows: u64,
    /// All of it in a sentence.
    pub words: String,
}

/// Judges every watch of `monitor`. Pure: the same arguments, the same judgements.
///
/// - `rows`: the window of all watches but those with labels.
/// - `label_rows`: the window of a watch whose labels take this long (nanoseconds), with its labels.
/// - `reference`: what drift is measured against.
/// - `service`: a number of the deployment over the window.
/// - `past`: earlier statistics of a watch (its index), oldest first, over so many nanoseconds.
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
    let _ = (monitor, rows, label_rows, reference, service, past);
    unimplemented!()
}
