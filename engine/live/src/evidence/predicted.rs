//! What a version answered: the unit that the front hands to the log.

use mlp_core::predictor::{Cells, Predictions};
use mlp_core::record::Millis;

/// One answered request.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicted {
    /// When it was answered.
    pub at: Millis,
    /// The request's id. A row's prediction id is this, or `id/i` for row `i` (from 0) of a request with several rows.
    pub request: String,
    /// The version that answered.
    pub version: u64,
    /// The row columns by name, all of one length. A date counts days and a time milliseconds since 1970.
    pub columns: Vec<(String, Cells)>,
    /// One for each row.
    pub predictions: Predictions,
}
