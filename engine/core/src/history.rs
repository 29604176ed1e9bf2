//! Looking back, and looking on: everything another process may know of a project without being its engine.
//!
//! Reads journals alone, never the store, takes no lock and changes nothing, so it works beside a live engine, after a
//! kill, and on a read-only disk. A torn last frame is simply not there yet.

use crate::aliases::Aliases;
use crate::artifacts::inline_of;
use crate::digest::Digest;
use crate::error::EngineError;
use crate::journal::Past;
use crate::lock::{self, Holder};
use crate::plan::{Plan, Wanted};
use crate::planner::{Planner, Request};
use crate::project::Project;
use crate::record::{Artifact, Millis, ModelVersion, Outcome, Record, Trigger};
use crate::request::Parts;
use crate::store::{MemoryKeys, Store};
use crate::view::{NodeState, RunView};
use mlp_lang::pipeline::Pipeline;
use serde::Serialize;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A project's past.
#[derive(Clone, Debug)]
pub struct History {
    project: Project,
    past: Arc<Past>,
}

/// A line of `mlp runs`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Its number.
    pub run: u64,
    /// The pipeline's name.
    pub pipeline: String,
    /// The file as the user wrote its path.
    pub file: String,
    /// When it began.
    pub started: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// How it ended. `None`: live if [`History::live`] names this run, else killed.
    pub outcome: Option<Outcome>,
    /// Nodes that ran.
    pub ran: usize,
    /// Nodes whose result was in the cache.
    pub reused: usize,
    /// Nodes that failed.
    pub failed: usize,
    /// Nodes that did not run.
    pub skipped: usize,
    /// What it registered: name and version.
    pub models: Vec<(String, u64)>,
    /// What set it off, if it was not a person.
    pub trigger: Option<Trigger>,
    /// The killed run whose work it took up.
    pub resumes: Option<u64>,
    /// Why its journal cannot be read. Then nothing but its number is known.
    pub damaged: Option<String>,
}

/// A version that a run asked to be deployed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offer {
    /// The deployment's name.
    pub deployment: String,
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: u64,
    /// The run that asked.
    pub run: u64,
    /// Its pipeline's name.
    pub pipeline: String,
    /// The file as the user wrote its path.
    pub file: String,
    /// When.
    pub at: Millis,
}

/// A log of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Log {
    /// Which attempt, one-based.
    pub attempt: u32,
    /// Where it is.
    pub path: PathBuf,
    /// Lines of time, level and text.
    pub text: String,
}

impl History {
    /// The history of a project; one without a state folder has none, which is no error.
    pub fn open(project: &Project) -> History {
        History { project: project.clone(), past: Arc::new(Past::of(project)) }
    }

    /// Who runs something right now, if anybody.
    pub fn live(&self) -> Result<Option<Holder>, EngineError> {
        Ok(lock::holder(&self.project.lock())?)
    }

    /// All runs, oldest first. One whose journal cannot be read hides no other.
    pub fn runs(&self) -> Result<Vec<RunSummary>, EngineError> {
        let mut runs = Vec::new();
        for run in self.past.runs()? {
            match self.view(run) {
                Ok(Some(view)) => runs.push(summary(&view)),
                Ok(None) => {}
                Err(error) => runs.push(damaged(run, &error)),
            }
        }
        Ok(runs)
    }

    /// One run: by its number, or `last`.
    pub fn run(&self, wanted: &str) -> Result<RunView, EngineError> {
        let unknown = || EngineError::UnknownRun { wanted: wanted.to_owned() };
        if wanted != "last" {
            let run = wanted.parse().map_err(|_| unknown())?;
            return self.view(run)?.ok_or_else(unknown);
        }
        for run in self.past.runs()?.into_iter().rev() {
            if let Some(view) = self.view(run)? {
                return Ok(view);
            }
        }
        Err(unknown())
    }

    /// Every version of every model, by name, then version; what a journal that cannot be read says is left out.
    pub fn models(&self) -> Result<Vec<ModelVersion>, EngineError> {
        let mut models: Vec<ModelVersion> = Vec::new();
        for run in self.past.runs()? {
            let Ok(Some(view)) = self.view(run) else { continue };
            models.extend(view.models.into_iter().filter(|known| !known.kept).map(|known| known.entry));
        }
        models.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        models.dedup_by(|a, b| a.name == b.name && a.version == b.version);
        Ok(models)
    }

    /// One version of a model; the latest if none is named.
    pub fn model(&self, name: &str, version: Option<u64>) -> Result<ModelVersion, EngineError> {
        let fits = |model: &ModelVersion| model.name == name && version.is_none_or(|wanted| wanted == model.version);
        let models = self.models()?;
        let found = models.iter().rev().find(|model| fits(model));
        found.cloned().ok_or_else(|| EngineError::UnknownModel { name: name.to_owned(), version })
    }

    /// Every version that was to be deployed, newest last. A run that takes up a killed one asks for the same again; that
    /// is one offer, the first. What a journal that cannot be read says is left out.
    pub fn offers(&self) -> Result<Vec<Offer>, EngineError> {
        let mut offers = Vec::new();
        let mut asked: HashSet<(u64, String, String, u64)> = HashSet::new();
        for run in self.past.runs()? {
            let Ok(Some(view)) = self.view(run) else { continue };
            let started = &view.started;
            for request in &view.deployments {
                let of = |run| (run, request.node.clone(), request.model.clone(), request.version);
                let again = started.resumes.is_some_and(|resumed| asked.contains(&of(resumed)));
                asked.insert(of(run));
                if again {
                    continue;
                }
                offers.push(Offer {
                    deployment: request.node.clone(),
                    model: request.model.clone(),
                    version: request.version,
                    run,
                    pipeline: started.pipeline.clone(),
                    file: started.file.clone(),
                    at: request.at,
                });
            }
        }
        Ok(offers)
    }

    /// The newest run that was set off under this key, or that took up a killed one that was: the same work goes on there,
    /// whoever started it. Its outcome is `None` only while it is live; killed is [`Outcome::Interrupted`], whether an engine
    /// noticed already or not.
    pub fn triggered(&self, key: &str) -> Result<Option<RunSummary>, EngineError> {
        let mut same = HashSet::new();
        let mut newest: Option<RunSummary> = None;
        for run in self.runs()? {
            let takes_up = run.trigger.is_none() && run.resumes.is_some_and(|resumed| same.contains(&resumed));
            if takes_up || run.trigger.as_ref().is_some_and(|trigger| trigger.key == key) {
                same.insert(run.run);
                newest = Some(run);
            }
        }
        if let Some(run) = newest.as_mut().filter(|run| run.outcome.is_none())
            && self.live()?.and_then(|holder| holder.run) != Some(run.run)
        {
            // It may have ended since it was read; then its end is there now.
            let now = self.view(run.run)?;
            run.outcome = now.as_ref().and_then(|view| view.outcome).or(Some(Outcome::Interrupted));
            run.ended = now.and_then(|view| view.ended);
        }
        Ok(newest)
    }

    /// What a node gave in a run, whether it was made there or reused; `None` if it gave no such thing.
    pub fn output(&self, run: u64, node: &str, output: &str) -> Result<Option<Artifact>, EngineError> {
        let find = |view: &RunView| -> Option<(Artifact, Option<u64>)> {
            let node = view.node(node)?;
            Some((node.outputs.iter().find(|it| it.output == output)?.clone(), node.from))
        };
        let Some((artifact, from)) = self.view(run)?.as_ref().and_then(find) else { return Ok(None) };
        // Small ones carry their bytes only in the record of the run that made them.
        let made = from.and_then(|from| self.view(from).ok().flatten()).as_ref().and_then(find);
        Ok(Some(made.map(|(made, _)| made).filter(|made| made.digest == artifact.digest).unwrap_or(artifact)))
    }

    /// What a node said in a run, attempt by attempt. Attempts that said nothing have no log.
    pub fn logs(&self, run: &RunView, node: &str) -> Vec<Log> {
        let mut logs = Vec::new();
        let of_node = run.node(node).map(|node| node.attempts.len());
        let attempts = of_node.or_else(|| run.member(node).map(|member| member.attempts.len()));
        for attempt in 1..=u32::try_from(attempts.unwrap_or(0)).unwrap_or(u32::MAX) {
            let path = self.project.log(run.started.run, node, attempt);
            if let Ok(bytes) = std::fs::read(&path) {
                logs.push(Log { attempt, path, text: String::from_utf8_lossy(&bytes).into_owned() });
            }
        }
        logs
    }

    /// Where the log of an attempt is, or will be once it says something.
    pub fn log_path(&self, run: u64, node: &str, attempt: u32) -> PathBuf {
        self.project.log(run, node, attempt)
    }

    /// The numbers of all runs, ascending. Cheap: no journal is read.
    pub fn run_numbers(&self) -> Result<Vec<u64>, EngineError> {
        Ok(self.project.run_numbers()?)
    }

    /// Where the bytes of an artifact are, if they are.
    pub fn artifact_path(&self, digest: &Digest) -> Option<PathBuf> {
        let path = self.project.artifact(digest);
        path.is_file().then_some(path)
    }

    /// The bytes of an artifact, from its file or from the record that carries them.
    pub fn artifact_bytes(&self, artifact: &Artifact) -> Option<Vec<u8>> {
        match inline_of(artifact) {
            Some(bytes) => Some(bytes.to_vec()),
            None => std::fs::read(self.artifact_path(&artifact.digest)?).ok(),
        }
    }

    /// What the engine would do now, without being it: the same planner on a state read from the journals. `aliases`: what
    /// the project's deployments serve now.
    pub fn plan(
        &self,
        parts: &Parts,
        pipeline: &Pipeline,
        base: &Path,
        force: &[String],
        aliases: &Aliases,
    ) -> Result<Plan, EngineError> {
        self.plan_of(parts, pipeline, base, Wanted { force, only: &[] }, aliases)
    }

    /// The same of a part of the pipeline.
    pub fn plan_of(
        &self,
        parts: &Parts,
        pipeline: &Pipeline,
        base: &Path,
        wanted: Wanted,
        aliases: &Aliases,
    ) -> Result<Plan, EngineError> {
        let store = Store::new(MemoryKeys::default());
        for run in self.past.runs()? {
            // A journal that cannot be read vouches for nothing; the engine says so, and `runs` shows it.
            if let Ok(read) = self.past.read(run) {
                store.apply(run, 0, read.sound, &read.records)?;
            }
        }
        let planner = Planner { project: &self.project, store: &store, parts, read_only: true };
        Ok(planner.prepare(&Request { pipeline, base, wanted, aliases })?.plan)
    }

    pub(crate) fn view(&self, run: u64) -> Result<Option<RunView>, EngineError> {
        match self.past.read(run) {
            Ok(read) => Ok(RunView::of(read.records)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn summary(view: &RunView) -> RunSummary {
    RunSummary {
        run: view.started.run,
        pipeline: view.started.pipeline.clone(),
        file: view.started.file.clone(),
        started: view.started.at,
        ended: view.ended,
        outcome: view.outcome,
        ran: view.count(NodeState::Done),
        reused: view.count(NodeState::Reused),
        failed: view.count(NodeState::Failed),
        skipped: view.count(NodeState::Skipped),
        models: view.models.iter().map(|known| (known.entry.name.clone(), known.entry.version)).collect(),
        trigger: view.started.trigger.clone(),
        resumes: view.started.resumes,
        damaged: None,
    }
}

fn damaged(run: u64, why: &EngineError) -> RunSummary {
    RunSummary {
        run,
        pipeline: String::new(),
        file: String::new(),
        started: 0,
        ended: None,
        outcome: None,
        ran: 0,
        reused: 0,
        failed: 0,
        skipped: 0,
        models: Vec::new(),
        trigger: None,
        resumes: None,
        damaged: Some(why.to_string()),
    }
}

/// The records of one run, as far as they can be read.
pub fn records(project: &Project, run: u64) -> Result<Vec<Record>, EngineError> {
    Ok(Past::of(project).read(run)?.records)
}
