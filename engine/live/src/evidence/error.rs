//! Why the log cannot be kept or read.

use mlp_lang::finding::Finding;
use std::path::{Path, PathBuf};

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
    /// A file of the log that cannot be read.
    #[error("{} is damaged: {why}. Restore it from a backup, or move it away: what is in it is then no evidence", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Since an earlier error nothing is logged.
    #[error("nothing is logged since an error: {0}. What was logged before is safe; mend it, then restart the engine")]
    Stopped(String),
    /// A file of labels is wrong; nothing of it was imported.
    #[error("the labels are wrong, nothing was imported; the first of {} findings: {}", .0.len(), .0.first().map_or("", |finding| finding.message.as_str()))]
    Findings(Vec<Finding>),
    /// The deployment's model has no label that anybody could give.
    #[error("the pipeline does not say which column this deployment predicts, so its labels have no name and no type")]
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

/// Adds the words to an IO error.
pub(super) trait At<T> {
    /// `File::open(p).at("open", p)`
    fn at(self, doing: &'static str, path: &Path) -> Result<T, EvidenceError>;
}

impl<T> At<T> for std::io::Result<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, EvidenceError> {
        self.map_err(|source| EvidenceError::Disk { doing, path: path.to_owned(), source })
    }
}
