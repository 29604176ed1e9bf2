//! What the engine is given: its parts, a pipeline to run; and what it gives back.

use crate::aliases::Aliases;
use crate::executor::{Executor, Tables};
use crate::record::{Outcome, Trigger};
use crate::view::RunView;
use mlp_lang::pipeline::Pipeline;
use mlp_lang::span::Source;
use std::path::PathBuf;
use std::sync::Arc;

/// What the engine is given to work with.
#[derive(Clone)]
pub struct Parts {
    /// Runs steps.
    pub executor: Arc<dyn Executor>,
    /// Reads tables.
    pub tables: Arc<dyn Tables>,
}

/// A pipeline to run.
#[derive(Clone)]
pub struct RunRequest {
    /// What.
    pub pipeline: Arc<Pipeline>,
    /// The file it comes from, kept with the run.
    pub source: Source,
    /// The folder that relative paths in it start from.
    pub base: PathBuf,
    /// How many nodes may run at once, at least 1.
    pub jobs: usize,
    /// Nodes to run even if their result is known.
    pub force: Vec<String>,
    /// Only these nodes and what they need; the others are skipped, and what they would do outside is not done. Empty:
    /// everything.
    pub only: Vec<String>,
    /// After a failure, go on with everything that does not need what failed.
    pub keep_going: bool,
    /// What the project's deployments serve now: which versions `registry("demand@production")` means in this run.
    pub aliases: Aliases,
    /// What sets it off, if it is not a person.
    pub trigger: Option<Trigger>,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// Its number.
    pub run: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The killed run whose work it took up.
    pub resumes: Option<u64>,
    /// Everything that happened, as history tells it; also which deployments it requested.
    pub view: RunView,
}
