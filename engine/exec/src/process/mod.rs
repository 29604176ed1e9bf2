//! The executor of `process(...)` steps: programs on the machine itself, outside of any sandbox.
//!
//! ```text
//! Job -> layout (private folder) -> command (program, environment) -> child (group, limits, end)
//!                                       output (lines, masked) <---------|
//!     <- Produced <- collect (outputs) <---------------------------------|
//! ```
//!
//! Owns: what a program sees (its folder, its environment), what it may use, that nothing of it is left afterwards. Must
//! never know: whether its result is cached, and where it goes.
//!
//! Invariants: a secret that a program prints is in no line that leaves this module. When a run of a program ends, however
//! it ends, no process of its group is alive. Programs are started by `posix_spawn`, which takes the same time whatever
//! the engine holds (docs/decisions).

mod child;
mod collect;
mod command;
mod layout;
mod mask;
mod memory;
mod output;
#[cfg(test)]
mod tests;
pub mod watch;

use crate::wasm::lines::Lines;
use command::Programs;
use mask::Patterns;
use mlp_core::executor::{Executor, Job, Produced, StepError, Task};
use mlp_core::secret::{self, Secret};
use mlp_lang::work::{ProgramNode, Runner};
use output::Stream;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Lines that one program may say; the rest is counted.
const MAX_LINES: u64 = 100_000;

/// Last lines of standard error that a failure tells.
const LAST: usize = 5;

/// How processes are run.
#[derive(Clone, Debug, Default)]
pub struct ProcessOptions {
    /// The folder that relative paths of the pipeline start from.
    pub base: PathBuf,
    /// The binary that answers to [`watch::ARGUMENT`] by calling [`watch::watch`]. Without it programs outlive an engine that is
    /// killed.
    pub watcher: Option<PathBuf>,
}

/// Runs programs as processes of this machine.
pub struct ProcessExecutor {
    options: ProcessOptions,
    programs: Programs,
}

impl ProcessExecutor {
    /// Starts nothing yet.
    pub fn new(options: ProcessOptions) -> ProcessExecutor {
        ProcessExecutor { programs: Programs::new(options.base.clone()), options }
    }

    async fn secrets(&self, node: &ProgramNode) -> Result<Vec<(String, Secret)>, StepError> {
        if node.secrets.is_empty() {
            return Ok(Vec::new());
        }
        let (sources, base) = (node.secrets.clone(), self.options.base.clone());
        let read = move || {
            let one = |(name, source)| match secret::read(source, &base) {
                Ok(secret) => Ok((String::clone(name), secret)),
                Err(why) => Err(StepError::Failed(format!("secret `{name}` cannot be read from {source}: {why}"))),
            };
            sources.iter().map(one).collect()
        };
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StepError::Cancelled))
    }

    async fn attempt(&self, node: &ProgramNode, job: &Job) -> Result<BTreeMap<String, Produced>, StepError> {
        let word = node.run.first().ok_or_else(|| StepError::Failed("the command has no words".to_owned()))?;
        let secrets = self.secrets(node).await?;
        let patterns = Patterns::of(secrets.iter().map(|(_, secret)| secret.reveal()));
        let (layout, takes_long) = layout::plan(job);
        let layout = Arc::new(layout);
        if takes_long {
            let (job, layout) = (job.clone(), layout.clone());
            let made = tokio::task::spawn_blocking(move || layout.make(&job)).await;
            made.unwrap_or(Err(StepError::Cancelled))?;
        } else {
            layout.make(job)?;
        }
        let program = self.programs.find(word, job)?;
        if job.cancel.is_set() {
            return Err(StepError::Cancelled);
        }
        watch::start(self.options.watcher.as_ref());
        let lines = Lines::bounded(job.log.clone(), MAX_LINES);
        let said = ["stdout", "stderr"].map(|level| Stream::new(level, lines.clone(), patterns.clone()));
        let mut command = self.programs.command(&program, node, job, &layout, &secrets);
        let started =
            command::start(&mut command).await.map_err(|error| command::not_started(word, &program, &error))?;
        drop(command);
        let followed = child::follow(started, job, said).await;
        lines.finish();
        let ended = followed.map_err(|error| {
            StepError::Operational(format!("cannot follow `{}` to its end: {error}", job.task.command()))
        })?;
        job.log.usage(ended.usage);
        if let Some(stopped) = ended.stopped {
            return Err(stopped);
        }
        if !ended.status.success() {
            let why = self.failure(node, job, &child::describe(ended.status), &lines.last_stderr());
            // Whoever writes `retry` means this: a program has no other way to ask.
            return Err(if node.limits.retry > 0 { StepError::Transient(why) } else { StepError::Failed(why) });
        }
        let produced = collect::outputs(job, &layout);
        layout.remove(job);
        produced
    }

    fn failure(&self, node: &ProgramNode, job: &Job, end: &str, said: &[String]) -> String {
        let mut text = format!("`{}` ended with {end}", job.task.command());
        let last: Vec<&str> = said.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
        if let Some(from) = last.len().checked_sub(1) {
            let lines = &last[(from + 1).saturating_sub(LAST)..];
            text.push_str(&format!("; its last words: {}", lines.join(" | ")));
        }
        if let Some(word) = self.programs.unseen(node, job) {
            text.push_str(&format!(
                ". `{word}` lies in the project, and the program runs in a folder of its own: declare it, \
                 `in {{ code: file(\"{word}\") }}`, and write `in/code`"
            ));
        }
        text
    }
}

#[async_trait::async_trait]
impl Executor for ProcessExecutor {
    fn name(&self) -> &'static str {
        "process"
    }

    fn identity(&self, task: &Task) -> BTreeMap<String, String> {
        let platform = match task {
            Task::Program(node) => node.platform.clone(),
            Task::Step(_) => None,
        };
        let here = || format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
        BTreeMap::from([
            ("executor".to_owned(), self.name().to_owned()),
            ("platform".to_owned(), platform.unwrap_or_else(here)),
        ])
    }

    async fn run(&self, job: Job) -> Result<BTreeMap<String, Produced>, StepError> {
        match &job.task {
            Task::Program(node) if node.runner == Runner::Process => self.attempt(&node.clone(), &job).await,
            other => Err(StepError::Operational(format!("{} is no process", other.describe()))),
        }
    }
}
