//! A window of the log, column by column.

use super::labels::LabelValue;
use mlp_core::predictor::{Cells, Predictions};
use mlp_core::record::Millis;

/// Logged rows, oldest first. All vectors have one length; [`Predictions::Probabilities`] has one number for each row and
/// class.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// When each was answered.
    pub at: Vec<Millis>,
    /// By which version.
    pub version: Vec<u64>,
    /// Prediction ids.
    pub ids: Vec<String>,
    /// The row columns by name. A column that some rows were logged without has NaN or `None` there.
    pub columns: Vec<(String, Cells)>,
    /// What was answered. Where versions of different kinds answered, the newest row decides and the others have NaN.
    pub predictions: Predictions,
    /// The classes whose probabilities stand in `predictions`, in order; none for a regressor.
    pub classes: Vec<String>,
    /// What really happened; `None`: not known yet.
    pub labels: Vec<Option<LabelValue>>,
}

impl Rows {
    /// How many.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// The cells of the column of this name.
    pub fn column(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|(column, _)| column == name).map(|(_, cells)| cells)
    }
}
