//! How a watch and a window came out.

use super::super::words;
use mlp_lang::live::{LabelMetric, LiveMetric, OnNoData, Watch, Watched};
use mlp_lang::types::Comparison;
use serde::{Deserialize, Serialize};

/// How one watch (of drift: one of its columns) came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchVerdict {
    /// Which line of the monitor, from 0.
    pub watch: u32,
    /// The line as written.
    pub text: String,
    /// The column, if it is about one of several.
    pub column: Option<String>,
    /// The rule in words: `Wasserstein distance / standard deviation`; empty if there is nothing to say.
    pub rule: String,
    /// What was measured: durations in nanoseconds, shares as fractions of 1. `None`: no data.
    pub statistic: Option<f64>,
    /// What it was compared with, in the same unit. `None`: no data.
    pub threshold: Option<f64>,
    /// How they must compare for all to be well.
    pub comparison: Comparison,
    /// It held. `None`: no data.
    pub held: Option<bool>,
    /// Rows in the window that count.
    pub rows: u64,
    /// Rows of the reference; 0 without one.
    pub reference_rows: u64,
    /// More to say, such as why there is no data; may be empty.
    pub words: String,
}

/// How a window came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything held.
    Well,
    /// Something did not.
    Breached,
    /// Nothing is known to be wrong, but not everything was measured: neither breach nor recovery.
    Silent,
}

impl WatchVerdict {
    /// Whether it held, once the author's choice stands in for missing data.
    pub(super) fn counts(&self, on_no_data: OnNoData) -> Option<bool> {
        self.held.or(match on_no_data {
            OnNoData::Wait => None,
            OnNoData::Pass => Some(true),
            OnNoData::Fail => Some(false),
        })
    }

    /// `drift(temp) 0.62 > 0.5 (Wasserstein distance / standard deviation, 672 rows against 1,650)`
    pub fn told(&self, watch: &Watch) -> String {
        let name = self.name(watch);
        let numbers = match (self.statistic, self.threshold, self.held) {
            (Some(statistic), Some(threshold), Some(held)) => {
                let comparison = if held { self.comparison } else { words::opposite(self.comparison) };
                let (statistic, threshold) = (amount(watch, statistic), amount(watch, threshold));
                format!("{name} {statistic} {comparison} {threshold}")
            }
            _ => format!("{name}: no data"),
        };
        let rows = match (self.rows, self.reference_rows) {
            (0, 0) => String::new(),
            (rows, 0) => format!("{} rows", words::count(rows)),
            (rows, reference) => format!("{} rows against {}", words::count(rows), words::count(reference)),
        };
        let details = [self.rule.as_str(), rows.as_str(), self.words.as_str()];
        let details: Vec<&str> = details.into_iter().filter(|it| !it.is_empty()).collect();
        if details.is_empty() { numbers } else { format!("{numbers} ({})", details.join(", ")) }
    }

    fn name(&self, watch: &Watch) -> String {
        match (&watch.what, &self.column) {
            (Watched::Drift { .. }, Some(column)) => format!("drift({column})"),
            (Watched::Drift { columns, .. }, None) => format!("drift({})", columns.join(", ")),
            (Watched::Drifted { columns }, _) => format!("drifted({})", columns.join(", ")),
            (Watched::Service(metric), _) => metric.to_string(),
            (Watched::Label { metric, .. }, _) => metric.word().to_owned(),
        }
    }
}

/// A statistic in the unit of its watch.
fn amount(watch: &Watch, number: f64) -> String {
    match &watch.what {
        Watched::Service(LiveMetric::Latency(_) | LiveMetric::MeanLatency) => words::lasting(number),
        Watched::Service(LiveMetric::ErrorRate) | Watched::Drifted { .. } => words::share(number),
        Watched::Label { metric: LabelMetric::Accuracy, .. } => words::share(number),
        Watched::Service(_) | Watched::Drift { .. } | Watched::Label { .. } => words::number(number),
    }
}
