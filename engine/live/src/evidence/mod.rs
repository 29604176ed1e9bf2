//! What a deployment has seen: every prediction with its inputs, and the labels that come late.

mod judge;
mod labels;
mod predicted;
mod rows;

pub use judge::{Judgement, Reference, judge};
pub use labels::{LabelImport, LabelReport, LabelValue};
pub use predicted::Predicted;
pub use rows::Rows;

use mlp_core::predictor::PredictionKind;
use mlp_core::record::Millis;
use mlp_lang::finding::Finding;
use mlp_lang::types::{Column, Schema};
use std::path::{Path, PathBuf};

/// The log of one deployment. One process opens it at a time. Shared by reference between threads.
#[derive(Debug)]
pub struct Evidence;

/// Why the log cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file operation.
    #[error("cannot {doing} {}: {source}", path.display())]
    Disk {
        /// Fits after "cannot".
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A segment that cannot be read.
    #[error("{} is damaged: {why}. Restore it from a backup, or move it away: the rows in it are then no evidence", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Since an earlier error nothing is logged.
    #[error(
        "nothing is logged since an error: {0}. What was logged before is safe; restart the engine when it is mended"
    )]
    Stopped(String),
    /// A file of labels is wrong; nothing of it was imported.
    #[error("{} of the labels are wrong; nothing was imported", .0.len())]
    Findings(Vec<Finding>),
    /// The deployment's model has no label that a file could give.
    #[error("the pipeline does not say which column this deployment predicts, so labels have no name and no type")]
    NoLabel,
    /// A label that does not fit the declared column; nothing of the call was kept.
    #[error("the label of `{id}` is {found}, and column `{column}` wants {wanted}; none of these labels was kept")]
    WrongLabel {
        /// Of the prediction.
        id: String,
        /// What came.
        found: String,
        /// The label's column.
        column: String,
        /// What it may be.
        wanted: String,
    },
}

impl Evidence {
    /// Opens the log in `folder`, making it if it is not there. A torn end, which a kill leaves, is cut.
    ///
    /// `row` and `label` give the stored types of columns; what an earlier pipeline logged with other columns stays
    /// readable.
    pub fn open(folder: &Path, row: &Schema, label: Option<&Column>) -> Result<Evidence, EvidenceError> {
        let _ = (folder, row, label);
        unimplemented!()
    }

    /// Says what a version's predictions are. To be called before its first prediction is appended, on each open:
    /// probabilities without names of classes are dropped, and counted.
    pub fn introduce(&self, version: u64, kind: &PredictionKind) {
        let _ = (version, kind);
    }

    /// Logs an answered request. Never blocks; if the writer cannot keep up it is dropped and counted.
    pub fn append(&self, batch: Predicted) {
        let _ = batch;
    }

    /// Rows that were dropped since the log was opened.
    pub fn dropped(&self) -> u64 {
        0
    }

    /// When it returns, everything appended before is seen by [`Evidence::window`] and survives a kill of the process;
    /// what is more than a second old survives a power cut.
    pub fn flush(&self) -> Result<(), EvidenceError> {
        unimplemented!()
    }

    /// Makes Parquet segments of everything appended before, synced. Closing (dropping) the log does it too.
    pub fn seal(&self) -> Result<(), EvidenceError> {
        unimplemented!()
    }

    /// Imports a file of labels: a column `id` (or `request_id`) and the label's column by its declared name; other
    /// columns are left alone. Parquet if it ends in `.parquet`, else CSV. If anything is wrong nothing is imported.
    /// Importing again changes nothing. Durable when it returns.
    pub fn import_labels(&self, file: &Path, options: &LabelImport) -> Result<LabelReport, EvidenceError> {
        let _ = (file, options);
        unimplemented!()
    }

    /// Takes labels by prediction id. The last one of an id counts. When it returns, windows see them and they survive a
    /// kill of the process.
    pub fn put_labels(&self, labels: Vec<(String, LabelValue)>, at: Millis) -> Result<LabelReport, EvidenceError> {
        let _ = (labels, at);
        unimplemented!()
    }

    /// The rows answered from `from` on and before `to`, of one version or of all, with the labels known by now.
    pub fn window(&self, from: Millis, to: Millis, version: Option<u64>) -> Result<Rows, EvidenceError> {
        let _ = (from, to, version);
        unimplemented!()
    }
}
