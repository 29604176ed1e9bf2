//! Why the engine cannot do what it was asked. What goes wrong inside a step is no such error: it is part of the report.

use crate::artifacts::ArtifactError;
use crate::disk::DiskError;
use crate::journal::JournalError;
use crate::lock::Holder;
use crate::store::StoreError;

/// Why the engine cannot do what it was asked. What goes wrong inside a step is not an error but part of the report.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another engine is live in this project.
    #[error(
        "the project is in use by {}",
        holder.as_ref().map_or("another process".to_owned(), Holder::to_string)
    )]
    Busy {
        /// Who, if it said so.
        holder: Option<Holder>,
    },
    /// A file.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A new store could not be made from the journals.
    #[error("the store was not rebuilt and is as it was: {why}")]
    NotRebuilt {
        /// Why not.
        #[source]
        why: Box<EngineError>,
    },
    /// What happened could not be made durable. The run was stopped; what was acknowledged before is kept.
    #[error("run {run} was stopped because what happens in it cannot be kept: {why}")]
    NotDurable {
        /// Which run.
        run: u64,
        /// Why.
        why: String,
    },
    /// `--force`, `--from` or `--only` of something that is not in the pipeline.
    #[error("nothing in pipeline `{pipeline}` is named `{name}`")]
    UnknownNode {
        /// The pipeline.
        pipeline: String,
        /// The name.
        name: String,
        /// The name that was probably meant.
        near: Option<String>,
    },
    /// The highest number that a run can have is taken.
    #[error(
        "no number is left for a new run because {} is there: if it is not a run, move it out of the way",
        folder.display()
    )]
    NoNumberLeft {
        /// Of the run with that number.
        folder: std::path::PathBuf,
    },
    /// No such run.
    #[error("there is no run `{wanted}` in this project")]
    UnknownRun {
        /// As asked for.
        wanted: String,
    },
    /// No such model.
    #[error("no {} is registered in this project", match version {
        Some(version) => format!("version {version} of model `{name}`"),
        None => format!("model `{name}`"),
    })]
    UnknownModel {
        /// As asked for.
        name: String,
        /// As asked for.
        version: Option<u64>,
    },
    /// The pipeline breaks a promise of the checker: a defect of this program.
    #[error("pipeline `{pipeline}` is not well formed: {why}. This is a defect of mlp; please report it")]
    Malformed {
        /// The pipeline.
        pipeline: String,
        /// What is wrong.
        why: String,
    },
    /// The engine contradicted itself: a defect of this program.
    #[error("{0}. This is a defect of mlp; please report it")]
    Defect(String),
}

impl From<ArtifactError> for EngineError {
    fn from(error: ArtifactError) -> EngineError {
        match error {
            ArtifactError::Disk(error) => error.into(),
            ArtifactError::Store(error) => error.into(),
        }
    }
}
