//! What takes time and goes on beside the loop: loading a model, a run, an alert.

use super::{Declared, Ran, Resident, ResidentError, Runner, Wanted, alerts};
use crate::front::Front;
use crate::machine::{AlertBody, Duty, What, alert, retrain, rollout};
use mlp_core::executor::Cancel;
use mlp_core::history::History;
use mlp_core::record::ModelVersion;
use mlp_lang::live::{Address, Channel};
use mlp_lang::pipeline::NodeKind;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinError;

/// What is under way: nothing of the same kind about the same thing is begun twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Job {
    /// Loading a version for a deployment.
    Load(String, u64),
    /// A run, by its key.
    Retrain(String),
    /// An alert, by its key.
    Alert(String),
    /// Done at once, never under way.
    AtOnce,
}

impl Job {
    /// The job that carries out a duty.
    pub fn of(duty: &Duty) -> Job {
        match duty {
            Duty::Load { deployment, version } => Job::Load(deployment.clone(), *version),
            Duty::Retrain { key, .. } => Job::Retrain(key.clone()),
            Duty::Alert { key, .. } => Job::Alert(key.clone()),
            _ => Job::AtOnce,
        }
    }
}

/// A job that ended.
pub(super) enum Done {
    Loaded { deployment: String, version: u64, result: Result<(), String> },
    Ran { key: String, ran: Ran },
    Alerted { key: String, attempt: u32, result: Result<(), String> },
}

impl Done {
    fn job(&self) -> Job {
        match self {
            Done::Loaded { deployment, version, .. } => Job::Load(deployment.clone(), *version),
            Done::Ran { key, .. } => Job::Retrain(key.clone()),
            Done::Alerted { key, .. } => Job::Alert(key.clone()),
        }
    }
}

impl Resident {
    pub(super) fn load(&mut self, deployment: &str, version: u64) {
        let (front, history, name) = (self.front.clone(), self.history.clone(), deployment.to_owned());
        let model = self.declared(deployment).map(|node| node.model_name.clone()).unwrap_or_default();
        self.under_way.insert(Job::Load(name.clone(), version));
        self.jobs.spawn(async move {
            let result = load(&front, &history, &name, &model, version).await;
            Done::Loaded { deployment: name, version, result }
        });
    }

    pub(super) fn run_again(&mut self, wanted: Wanted) {
        let key = wanted.trigger.key.clone();
        let (runner, cancel): (Arc<dyn Runner>, Cancel) = (self.parts.runner.clone(), self.cancel.clone());
        self.under_way.insert(Job::Retrain(key.clone()));
        self.jobs.spawn(async move { Done::Ran { key, ran: runner.run(wanted, cancel).await } });
    }

    pub(super) fn alert(&mut self, key: &str, channel: Channel, to: &Address, attempt: u32, body: &AlertBody) {
        let message = alerts::Message { channel, to: to.clone(), key: key.to_owned(), attempt, body: body.clone() };
        let declares = |declared: &&Declared| {
            declared
                .pipeline
                .nodes
                .iter()
                .any(|node| node.name == body.monitor && matches!(node.kind, NodeKind::Monitor(_)))
        };
        // What is served no longer may still have something to tell.
        let base = self.pipelines.values().find(declares).map_or_else(PathBuf::new, |declared| declared.base.clone());
        self.under_way.insert(Job::Alert(key.to_owned()));
        let sent = key.to_owned();
        self.jobs.spawn(async move {
            let told = message.to.to_string();
            let result = tokio::task::spawn_blocking(move || alerts::send(&message, &base)).await;
            let result = result.unwrap_or_else(|_| Err(format!("{told} could not be told: the sender ended badly")));
            Done::Alerted { key: sent, attempt, result }
        });
    }

    /// Writes down how a job ended.
    pub(super) async fn finish(&mut self, done: Result<Done, JoinError>) -> Result<(), ResidentError> {
        let done = match done {
            Ok(done) => done,
            Err(error) => {
                self.parts.witness.warning(&format!("a job ended badly: {error}"));
                return Ok(());
            }
        };
        self.under_way.remove(&done.job());
        match done {
            Done::Loaded { deployment, version, result } => {
                let event = match result {
                    Ok(()) => rollout::Event::Loaded { version },
                    Err(why) => rollout::Event::LoadFailed { version, why },
                };
                self.write(What::Rollout { deployment, event }).await
            }
            Done::Ran { key, ran } => {
                let outcome = match ran.run {
                    Some(run) => self.retrained(run, ran.outcome),
                    None => Some(retrain::RetrainOutcome::Failed),
                };
                // Stopped with this engine: the next one takes it up.
                let Some(outcome) = outcome else { return Ok(()) };
                let event = retrain::Event::Ended { run: ran.run, outcome, words: ran.words };
                self.write(What::Retrain { key, event }).await?;
                // After a kill in between the next engine looks for offers when it starts.
                self.take_offers().await
            }
            Done::Alerted { key, attempt, result } => {
                let event = match result {
                    Ok(()) => alert::Event::Sent { attempt },
                    Err(why) => alert::Event::Tried { attempt, why },
                };
                self.write(What::Alert { key, event }).await
            }
        }
    }
}

/// Loads a registered version into the router.
pub(super) async fn load(
    front: &Front,
    history: &History,
    deployment: &str,
    model: &str,
    version: u64,
) -> Result<(), String> {
    let (entry, bytes) = registered(history, model, version)?;
    front.load(deployment, entry, bytes).await
}

/// A registered version with its bytes.
fn registered(history: &History, model: &str, version: u64) -> Result<(ModelVersion, Vec<u8>), String> {
    let entry = history.model(model, Some(version)).map_err(|error| error.to_string())?;
    let gone = || format!("the artifact of {model}@{version} ({}) is gone from the state folder", entry.digest);
    let bytes = match history.artifact_path(&entry.digest) {
        Some(path) => std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?,
        // A small model lies in the record of its run.
        None => {
            let (node, output) = entry.source.split_once('.').ok_or_else(gone)?;
            let artifact =
                history.output(entry.run, node, output).map_err(|error| error.to_string())?.ok_or_else(gone)?;
            history.artifact_bytes(&artifact).ok_or_else(gone)?
        }
    };
    if mlp_core::digest::Digest::of(&bytes) != entry.digest {
        return Err(format!("the artifact of {model}@{version} ({}) is damaged", entry.digest));
    }
    Ok((entry, bytes))
}
