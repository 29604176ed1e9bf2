//! Labels: what really happened, told late and by prediction id.

use mlp_core::record::Millis;
use serde::{Deserialize, Serialize};

/// What really happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LabelValue {
    /// Of a label that is a bool (0 or 1), an int, a float or a fraction.
    Number(f64),
    /// Of a label that is a text or one of several texts.
    Text(String),
}

/// How a file of labels is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelImport {
    /// The path as the user wrote it, for findings.
    pub shown: String,
    /// Between the fields of a CSV file; `,` unless told.
    pub delimiter: u8,
    /// Cells of a CSV file that are missing; only the empty cell unless told.
    pub missing: Vec<String>,
    /// When it is imported.
    pub at: Millis,
}

/// What became of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelReport {
    /// Labels given, `duplicates` included.
    pub rows: u64,
    /// Different ids whose prediction is in the log.
    pub joined_now: u64,
    /// Different ids whose prediction is not in the log. Kept: the prediction may come later.
    pub unknown: u64,
    /// Labels that a later one of the same call overruled.
    pub duplicates: u64,
    /// Different ids that had another label before.
    pub replaced: u64,
    /// Different ids that had the same label before: nothing was written for them.
    pub unchanged: u64,
    /// Rows of a file whose label cell is missing, which a nullable label column allows: left out.
    pub without: u64,
}
