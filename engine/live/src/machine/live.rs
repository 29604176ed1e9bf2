//! What is live: the fold over all entries.

mod change;

use super::alert::Alert;
use super::monitor::{Monitor, Scene};
use super::retrain::Retraining;
use super::rollout::{Deployment, Input};
use super::trigger::Trigger;
use super::{Asked, Duty, Entry, Illegal};
use crate::routes::Routes;
use indexmap::IndexMap;
use mlp_core::record::Millis;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// One line of the story, for people: `production: demand@2 takes 10% of the requests for 10m`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Millis,
    /// The deployment, monitor or trigger it is about.
    pub about: String,
    /// What there is to say.
    pub words: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.words)
    }
}

/// What is live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// An engine began and did not end in good order.
    open: bool,
    /// When an engine was last heard of.
    heard: Millis,
    /// The file of each pipeline.
    files: IndexMap<String, String>,
    deployments: IndexMap<String, Deployment>,
    monitors: IndexMap<String, Monitor>,
    triggers: IndexMap<String, Trigger>,
    /// Those that are not over.
    retrainings: IndexMap<String, Retraining>,
    /// Those that are not over.
    alerts: IndexMap<String, Alert>,
    story: Vec<Arc<Told>>,
}

impl Live {
    /// What is live after these entries.
    pub fn fold<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<Live, Illegal> {
        let mut live = Live::default();
        for entry in entries {
            live.apply(entry)?;
        }
        Ok(live)
    }

    /// Takes an entry in. An illegal one changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Illegal> {
        let change = self.change(entry)?;
        self.commit(change);
        Ok(())
    }

    /// Whether [`Live::apply`] would take it. Asked before an entry is written: what is in the journal must be legal.
    pub fn admits(&self, entry: &Entry) -> Result<(), Illegal> {
        self.change(entry).map(|_| ())
    }

    /// What [`Live::apply`] would add to the story.
    pub fn tells(&self, entry: &Entry) -> Vec<Told> {
        self.change(entry).map(|change| change.told).unwrap_or_default()
    }

    /// Whether it would be carried out now; else why not, in words.
    pub fn ask(&self, deployment: &str, what: &Asked) -> Result<(), String> {
        let asked = self.deployments.get(deployment).ok_or_else(|| self.no_deployment(deployment))?;
        asked.step(self.heard, &Input::Asked { who: "", what }).map(|_| ()).map_err(|illegal| illegal.why)
    }

    fn no_deployment(&self, name: &str) -> String {
        let known: Vec<String> = self.deployments.keys().map(|name| format!("`{name}`")).collect();
        match known.as_slice() {
            [] => format!("there is no deployment `{name}`: none is declared"),
            known => format!("there is no deployment `{name}`, only {}", known.join(", ")),
        }
    }

    /// When [`Live::due`] will have more to say because time passed. May be in the past: then it is due already.
    pub fn next_due(&self) -> Option<Millis> {
        let deployments = self.deployments.values().filter_map(Deployment::next_due);
        let monitors = self.monitors.values().filter_map(|monitor| monitor.next_due(&self.scene(monitor)?));
        let triggers = self.triggers.values().filter_map(Trigger::next);
        let alerts = self.alerts.values().filter_map(Alert::due_at);
        deployments.chain(monitors).chain(triggers).chain(alerts).min()
    }

    /// All that must be done at `now`.
    pub fn due(&self, now: Millis) -> Vec<Duty> {
        let mut due: Vec<Duty> = self.deployments.values().flat_map(|it| it.duties(now)).collect();
        due.extend(self.monitors.values().filter_map(|monitor| monitor.duty(&self.scene(monitor)?, now)));
        due.extend(self.triggers.values().filter_map(|trigger| trigger.duty(now)));
        let mut busy = BTreeSet::new();
        let first = self.retrainings.values().filter(|it| busy.insert(it.pipeline()));
        due.extend(first.map(Retraining::duty));
        due.extend(self.alerts.values().filter_map(|alert| alert.duty(now)));
        due
    }

    /// Where requests to a deployment go.
    pub fn routes(&self, deployment: &str) -> Routes {
        self.deployments.get(deployment).map(Deployment::routes).unwrap_or_default()
    }

    /// The versions that must be loaded: stable, candidate (from its first [`Duty::Load`] on), kept old one. A new engine
    /// loads them before it takes requests; what is not in here may be dropped.
    pub fn loaded(&self, deployment: &str) -> BTreeSet<u64> {
        self.deployments.get(deployment).map(Deployment::loaded).unwrap_or_default()
    }

    /// Model and version that are stable: what `registry("demand@production")` means.
    pub fn serving(&self, deployment: &str) -> Option<(String, u64)> {
        let deployment = self.deployments.get(deployment)?;
        deployment.stable().filter(|_| deployment.is_declared()).map(|stable| (stable.model.clone(), stable.version))
    }

    /// Past statistics of a watch in the windows that ended in the last `over` nanoseconds, up to `now`, oldest first: for
    /// `baseline` and `sigma`. Only what some limit of the monitor looks back at is kept.
    pub fn past(&self, monitor: &str, watch: u32, over: i64, now: Millis) -> Vec<f64> {
        self.monitors.get(monitor).map(|monitor| monitor.past(watch, over, now)).unwrap_or_default()
    }

    /// All there is to tell, in order.
    pub fn story(&self) -> &[Arc<Told>] {
        &self.story
    }

    /// An engine began and did not end in good order: it lives, or it was killed.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The file that declares a pipeline.
    pub fn file(&self, pipeline: &str) -> Option<&str> {
        self.files.get(pipeline).map(String::as_str)
    }

    /// Pipelines with their files, in the order first declared.
    pub fn pipelines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, file)| (name.as_str(), file.as_str()))
    }

    /// A deployment, also one that was withdrawn.
    pub fn deployment(&self, name: &str) -> Option<&Deployment> {
        self.deployments.get(name)
    }

    /// All deployments by name, in the order first declared; also those that were withdrawn.
    pub fn deployments(&self) -> impl Iterator<Item = (&str, &Deployment)> {
        self.deployments.iter().map(|(name, it)| (name.as_str(), it))
    }

    /// All monitors by name.
    pub fn monitors(&self) -> impl Iterator<Item = (&str, &Monitor)> {
        self.monitors.iter().map(|(name, it)| (name.as_str(), it))
    }

    /// All triggers by key.
    pub fn triggers(&self) -> impl Iterator<Item = (&str, &Trigger)> {
        self.triggers.iter().map(|(key, it)| (key.as_str(), it))
    }

    /// Runs that were asked for and are not over, by key, the oldest first.
    pub fn retrainings(&self) -> impl Iterator<Item = (&str, &Retraining)> {
        self.retrainings.iter().map(|(key, it)| (key.as_str(), it))
    }

    /// Alerts that are not over, by key, the oldest first.
    pub fn alerts(&self) -> impl Iterator<Item = (&str, &Alert)> {
        self.alerts.iter().map(|(key, it)| (key.as_str(), it))
    }

    /// What a monitor must know of its deployment; `None`: there is no stable version to watch.
    fn scene(&self, monitor: &Monitor) -> Option<Scene> {
        let deployment = self.deployments.get(&monitor.node().deployment_name)?;
        let stable = deployment.stable().filter(|_| deployment.is_declared())?;
        Some(Scene {
            model: stable.model.clone(),
            version: stable.version,
            since: deployment.since()?,
            first: deployment.first_served()?,
            answers: deployment.stable_answers(),
            rolling: deployment.is_rolling(),
            can_return: deployment.previous().is_some(),
            running: self.retrainings.values().any(|it| it.pipeline() == monitor.pipeline()),
        })
    }
}
