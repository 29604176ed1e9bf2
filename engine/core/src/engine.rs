//! The engine of one project: plans and runs pipelines, one at a time, one process at a time.

use crate::artifacts::{self, ArtifactError};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::DiskError;
use crate::driver::{self, Context};
use crate::executor::{Cancel, Executor, Tables};
use crate::journal::JournalError;
use crate::lock::{Holder, Lock, NotLocked};
use crate::observer::Observer;
use crate::plan::Plan;
use crate::planner::{Planner, Request};
use crate::project::Project;
use crate::record::Outcome;
use crate::recovery;
use crate::store::{Store, StoreError};
use crate::view::RunView;
use mlp_lang::pipeline::Pipeline;
use mlp_lang::span::Source;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What the engine is given to work with.
#[derive(Clone)]
pub struct Parts {
    /// Runs steps.
    pub executor: Arc<dyn Executor>,
    /// Reads tables.
    pub tables: Arc<dyn Tables>,
}

/// How an engine is opened.
#[derive(Clone)]
pub struct Options {
    /// How long to wait for another engine in this project to end. `ZERO`: not at all.
    pub wait: Duration,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The command line, for whoever finds the project busy.
    pub command: String,
}

impl Default for Options {
    fn default() -> Options {
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        Options { wait: Duration::ZERO, clock: Arc::new(SystemClock), command }
    }
}

/// The engine of one project. While it lives no other one can open the project.
pub struct Engine {
    project: Project,
    parts: Parts,
    clock: Arc<dyn Clock>,
    store: Arc<Store>,
    holder: Holder,
    recovered: recovery::Recovered,
    // Last: everything else must be closed before another process may come in.
    lock: Lock,
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
    /// After a failure, go on with everything that does not need what failed.
    pub keep_going: bool,
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
    /// Everything that happened, as history tells it.
    pub view: RunView,
}

/// Why the engine cannot do what it was asked. What goes wrong inside a step is not an error but part of the report.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Another engine is live in this project.
    #[error(
        "the project is in use by {}: wait for it, or stop it with `kill {}`",
        holder.as_ref().map_or("another process".to_owned(), Holder::to_string),
        holder.as_ref().map_or("<pid>".to_owned(), |holder| holder.pid.to_string())
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
    /// What happened could not be made durable. The run was stopped; what was acknowledged before is kept.
    #[error("run {run} was stopped because its journal cannot be written: {why}")]
    NotDurable {
        /// Which run.
        run: u64,
        /// Why.
        why: String,
    },
    /// `--force` of something that is not in the pipeline.
    #[error("nothing in pipeline `{pipeline}` is named `{name}`")]
    UnknownNode {
        /// The pipeline.
        pipeline: String,
        /// The name.
        name: String,
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

impl Engine {
    /// Opens a project, at once or not at all. Whatever a killed engine left behind is put in order first.
    pub fn open(project: Project, parts: Parts) -> Result<Engine, EngineError> {
        Engine::open_with(project, parts, Options::default())
    }

    /// Opens a project, waiting for another engine to end if the options say so. Blocks the thread.
    pub fn open_with(project: Project, parts: Parts, options: Options) -> Result<Engine, EngineError> {
        project.create()?;
        let clock = options.clock;
        let holder =
            Holder { pid: std::process::id(), command: options.command, run: None, pipeline: None, since: clock.now() };
        let lock = take_lock(&project, &holder, options.wait)?;
        let (store, recovered) = recovery::recover(&project, clock.as_ref())?;
        Ok(Engine { project, parts, clock, store: Arc::new(store), holder, recovered, lock })
    }

    /// Rebuilds the store from the journals alone, and puts the old one out of the way.
    pub fn rebuild_state(project: &Project) -> Result<(), EngineError> {
        project.create()?;
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        let since = SystemClock.now();
        let holder = Holder { pid: std::process::id(), command, run: None, pipeline: None, since };
        let _lock = take_lock(project, &holder, Duration::ZERO)?;
        recovery::rebuild(project)?;
        recovery::recover(project, &SystemClock)?;
        Ok(())
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// What was put in order when the engine was opened, in words, one line each; usually nothing.
    pub fn recovered(&self) -> &[String] {
        &self.recovered.notes
    }

    /// Reads every artifact that history refers to, whatever its time stamps say; those that are gone or damaged.
    pub fn verify(&self) -> Result<Vec<Digest>, EngineError> {
        Ok(artifacts::verify(&self.project, &self.store)?)
    }

    /// What would run, and why.
    pub fn plan(&self, pipeline: &Pipeline, base: &Path, force: &[String]) -> Result<Plan, EngineError> {
        let planner = Planner { project: &self.project, store: &self.store, parts: &self.parts, read_only: false };
        Ok(planner.prepare(&Request { pipeline, base, force })?.plan)
    }

    /// Runs a pipeline to its end. Setting `cancel` stops it in good order.
    pub async fn run(
        &mut self,
        request: RunRequest,
        observer: Arc<dyn Observer>,
        cancel: Cancel,
    ) -> Result<RunReport, EngineError> {
        let run = self.project.run_numbers()?.last().copied().unwrap_or(0) + 1;
        let holder = Holder {
            run: Some(run),
            pipeline: Some(request.pipeline.name.clone()),
            since: self.clock.now(),
            ..self.holder.clone()
        };
        self.lock.tell(&holder)?;
        let context = Context {
            project: self.project.clone(),
            parts: self.parts.clone(),
            clock: self.clock.clone(),
            store: self.store.clone(),
            observer,
            cancel,
            run,
            resumes: self.store.interrupted(&request.pipeline.name)?,
        };
        let report = driver::run(context, request).await;
        self.lock.tell(&self.holder)?;
        report
    }
}

fn take_lock(project: &Project, holder: &Holder, wait: Duration) -> Result<Lock, EngineError> {
    // A reader asking who is live holds the lock for an instant; that must not look like another engine.
    let wait = wait.max(Duration::from_millis(20));
    Lock::take(&project.lock(), holder, wait).map_err(|error| match error {
        NotLocked::Busy(holder) => EngineError::Busy { holder },
        NotLocked::Disk(error) => error.into(),
    })
}
