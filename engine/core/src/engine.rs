//! The engine of one project: plans and runs pipelines, one at a time, one process at a time.

use crate::aliases::Aliases;
use crate::artifacts;
use crate::cancel;
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::driver::{self, Context};
use crate::error::EngineError;
use crate::executor::Cancel;
use crate::journal::Past;
use crate::lock::{Holder, Lock, NotLocked};
use crate::observer::Observer;
use crate::plan::{Plan, Wanted};
use crate::planner::{Planner, Request};
use crate::project::{LAST_RUN, Project};
use crate::recovery;
use crate::request::{Parts, RunReport, RunRequest};
use crate::store::Store;
use mlp_lang::pipeline::Pipeline;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

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

    /// What would run, and why. `aliases`: what the project's deployments serve now.
    pub fn plan(
        &self,
        pipeline: &Pipeline,
        base: &Path,
        force: &[String],
        aliases: &Aliases,
    ) -> Result<Plan, EngineError> {
        let planner = Planner { project: &self.project, store: &self.store, parts: &self.parts, read_only: false };
        Ok(planner.prepare(&Request { pipeline, base, wanted: Wanted { force, only: &[] }, aliases })?.plan)
    }

    /// Runs a pipeline to its end. Setting `cancel` stops it in good order.
    pub async fn run(
        &mut self,
        request: RunRequest,
        observer: Arc<dyn Observer>,
        cancel: Cancel,
    ) -> Result<RunReport, EngineError> {
        let run = self.next_run()?;
        let holder = Holder {
            run: Some(run),
            pipeline: Some(request.pipeline.name.clone()),
            since: self.clock.now(),
            ..self.holder.clone()
        };
        self.lock.tell(&holder)?;
        let asked = cancel.clone();
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
        let watch = tokio::spawn(cancel::watch(self.project.clone(), run, asked));
        let report = driver::run(context, request).await;
        watch.abort();
        // What the lock says is for people only; how the run ended is not given up for it.
        if let Err(error) = self.lock.tell(&self.holder) {
            tracing::warn!(%error, "the lock still names the run that just ended");
        }
        report
    }

    /// One above every number that a folder has or had.
    fn next_run(&self) -> Result<u64, EngineError> {
        let last = Past::of(&self.project).runs()?.last().copied().unwrap_or(0).max(self.store.last_run()?);
        let next = last.checked_add(1).filter(|run| *run <= LAST_RUN);
        next.ok_or_else(|| EngineError::NoNumberLeft { folder: self.project.run(last) })
    }
}

pub(crate) fn take_lock(project: &Project, holder: &Holder, wait: Duration) -> Result<Lock, EngineError> {
    // A reader asking who is live holds the lock for an instant; that must not look like another engine.
    let wait = wait.max(Duration::from_millis(20));
    Lock::take(&project.lock(), holder, wait).map_err(|error| match error {
        NotLocked::Busy(holder) => EngineError::Busy { holder },
        NotLocked::Disk(error) => error.into(),
    })
}
