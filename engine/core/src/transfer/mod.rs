//! A project's history as one file, for a backup, a colleague or another machine.
//!
//! ```text
//! history.tar
//!   manifest.json              what follows, with digests; the first entry
//!   runs/000012/journal        as in the state folder
//!   artifacts/ab/<hex>         the name is the digest
//! ```
//!
//! Owns: the form of that file; what is taken along; how runs of one project become runs of another. Must never know: what
//! is served.
//!
//! Invariants: nothing of the file is believed before its digest is checked, and nothing of it is in the project before all
//! of it was. What is in the project is never replaced: runs get the next numbers, versions of a model that is registered
//! there already get the next numbers, too, a run that is there already is not taken in again, and bytes that are there stay.
//! A request to deploy is told and not made again.

mod export;
mod import;

pub use export::{Exported, export};
pub use import::{Imported, import};

use crate::digest::Digest;
use crate::record::{Millis, VERSION};
use serde::{Deserialize, Serialize};

const FORMAT: &str = "mlp.history/1";

/// What is in the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Contents {
    /// [`FORMAT`].
    format: String,
    /// Of the records in the journals.
    records: u32,
    /// Of `mlp`.
    engine: String,
    /// When.
    at: Millis,
    runs: Vec<Part>,
    artifacts: Vec<Part>,
    /// What the runs gave and what was not there any more.
    left_out: Vec<String>,
}

/// A file in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    path: String,
    /// blake3, lower-case hex.
    digest: String,
    size: u64,
}

impl Contents {
    fn of(at: Millis) -> Contents {
        Contents {
            format: FORMAT.to_owned(),
            records: VERSION,
            engine: env!("CARGO_PKG_VERSION").to_owned(),
            at,
            runs: Vec::new(),
            artifacts: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

fn artifact_path(digest: &Digest) -> String {
    let hex = digest.to_string();
    format!("artifacts/{}/{hex}", &hex[..2])
}

/// Why a file of history could not be written or taken in.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The project.
    #[error(transparent)]
    Engine(#[from] crate::error::EngineError),
    /// The file is not what it should be. Nothing of it was taken in.
    #[error("{} cannot be taken in: {why}", path.display())]
    Unsound {
        /// Which file.
        path: std::path::PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The target is there already.
    #[error("{} is there already and is not overwritten", path.display())]
    Exists {
        /// Which file.
        path: std::path::PathBuf,
    },
    /// An artifact is not what its name says.
    #[error("{} is damaged, and a copy of it would be, too: `mlp state verify` says what to do", path.display())]
    Damaged {
        /// Which file.
        path: std::path::PathBuf,
    },
    /// There is nothing to write.
    #[error("there is nothing to export: no run here has ended")]
    Nothing,
    /// What is not over cannot be taken along.
    #[error("run {run} has not ended")]
    NotEnded {
        /// Which run.
        run: u64,
    },
}

impl From<crate::disk::DiskError> for TransferError {
    fn from(error: crate::disk::DiskError) -> TransferError {
        TransferError::Engine(error.into())
    }
}

impl From<crate::journal::JournalError> for TransferError {
    fn from(error: crate::journal::JournalError) -> TransferError {
        TransferError::Engine(error.into())
    }
}
