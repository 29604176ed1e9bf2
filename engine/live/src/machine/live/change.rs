//! What an entry changes: worked out first, taken over as a whole, so that an illegal entry changes nothing.

use super::super::alert::{self, Alert};
use super::super::monitor::{Effect, Monitor};
use super::super::retrain::{self, RetrainOutcome, Retraining};
use super::super::rollout::{Deployment, Input};
use super::super::trigger::{self, Trigger};
use super::super::{AlertBody, Entry, Illegal, What, monitor, words};
use super::{Live, Told};
use mlp_core::record::Millis;
use mlp_lang::live::{DeployNode, MonitorNode, TriggerNode};
use std::sync::Arc;

/// What an entry changes. `None`: gone.
#[derive(Default)]
pub(super) struct Change {
    at: Millis,
    open: Option<bool>,
    files: Vec<(String, Option<String>)>,
    deployments: Vec<(String, Deployment)>,
    monitors: Vec<(String, Option<Monitor>)>,
    triggers: Vec<(String, Option<Trigger>)>,
    retrainings: Vec<(String, Option<Retraining>)>,
    alerts: Vec<(String, Option<Alert>)>,
    pub told: Vec<Told>,
}

impl Change {
    fn tell(&mut self, about: &str, words: impl Into<String>) {
        self.told.push(Told { at: self.at, about: about.to_owned(), words: words.into() });
    }
}

/// What a file says.
struct Declared<'a> {
    pipeline: &'a str,
    file: &'a str,
    deployments: &'a [(String, DeployNode)],
    monitors: &'a [(String, MonitorNode)],
    triggers: &'a [(String, TriggerNode)],
}

fn unknown(kind: &str, name: &str, event: &str) -> Illegal {
    Illegal {
        machine: format!("{kind} {name}"),
        state: "unknown".to_owned(),
        event: event.to_owned(),
        why: format!("there is no such {kind}, or it is over"),
    }
}

impl Live {
    pub(super) fn change(&self, entry: &Entry) -> Result<Change, Illegal> {
        let at = entry.at;
        let mut change = Change { at, ..Change::default() };
        match &entry.what {
            What::Opened { pid, .. } => self.opened(*pid, &mut change)?,
            What::Closed => {
                change.open = Some(false);
                change.tell("mlp serve", "stopped");
            }
            What::Declared { pipeline, file, deployments, monitors, triggers } => {
                self.declared(&Declared { pipeline, file, deployments, monitors, triggers }, &mut change)?;
            }
            What::Offered { deployment, offer } => {
                self.deploy(deployment, "offered", &Input::Offered(offer), &mut change)?;
            }
            What::Rollout { deployment, event } => {
                self.deploy(deployment, "answered", &Input::World(event), &mut change)?;
            }
            What::Monitor { monitor, event } => self.monitored(monitor, event, &mut change)?,
            What::Trigger { trigger, event } => self.triggered(trigger, event, &mut change)?,
            What::Retrain { key, event } => self.retrained(key, event, &mut change)?,
            What::Alert { key, event } => self.alerted(key, event, &mut change)?,
            What::Asked { who, what, deployment, refused: None } => {
                self.deploy(deployment, what.word(), &Input::Asked { who, what }, &mut change)?;
            }
            What::Asked { who, what, deployment, refused: Some(why) } => {
                change.tell(deployment, format!("{who} asked for {}, refused: {why}", what.word()));
            }
        }
        Ok(change)
    }

    pub(super) fn commit(&mut self, change: Change) {
        self.heard = self.heard.max(change.at);
        self.open = change.open.unwrap_or(self.open);
        put(&mut self.files, change.files);
        self.deployments.extend(change.deployments);
        put(&mut self.monitors, change.monitors);
        put(&mut self.triggers, change.triggers);
        put(&mut self.retrainings, change.retrainings);
        put(&mut self.alerts, change.alerts);
        self.story.extend(change.told.into_iter().map(Arc::new));
    }

    fn deploy(&self, name: &str, word: &str, input: &Input, change: &mut Change) -> Result<(), Illegal> {
        let deployment = self.deployments.get(name).ok_or_else(|| unknown("deployment", name, word))?;
        let (after, news) = deployment.step(change.at, input)?;
        news.into_iter().for_each(|words| change.tell(name, words));
        change.deployments.push((name.to_owned(), after));
        Ok(())
    }

    fn opened(&self, pid: u32, change: &mut Change) -> Result<(), Illegal> {
        let killed = if self.open { "; the one before did not stop in good order" } else { "" };
        change.open = Some(true);
        change.tell("mlp serve", format!("started, process {pid}{killed}"));
        for name in self.deployments.keys() {
            self.deploy(name, "opened", &Input::Opened { last: self.heard }, change)?;
        }
        Ok(())
    }

    fn declared(&self, now: &Declared, change: &mut Change) -> Result<(), Illegal> {
        // One file declares one pipeline: under another name it is still the same.
        let ours = |owner: &str| owner == now.pipeline || self.files.get(owner).is_some_and(|file| file == now.file);
        let taken = |kind: &str, name: &str, owner: &str| Illegal {
            machine: format!("{kind} {name}"),
            state: format!("declared by `{owner}`"),
            event: format!("declared by `{}`", now.pipeline),
            why: format!("`{owner}` has a {kind} `{name}` already; names are unique in a project"),
        };
        let renamed = self.files.keys().filter(|owner| ours(owner) && *owner != now.pipeline);
        change.files.extend(renamed.map(|owner| (owner.clone(), None)));
        change.files.push((now.pipeline.to_owned(), Some(now.file.to_owned())));

        let declared = |name: &str| now.deployments.iter().any(|(it, _)| it == name);
        let gone = |(name, it): &(&String, &Deployment)| ours(it.pipeline()) && it.is_declared() && !declared(name);
        for (name, _) in self.deployments.iter().filter(gone) {
            self.deploy(name, "withdrawn", &Input::Withdrawn, change)?;
        }
        for (name, node) in now.deployments {
            match self.deployments.get(name) {
                Some(before) if before.is_declared() && !ours(before.pipeline()) => {
                    return Err(taken("deployment", name, before.pipeline()));
                }
                Some(_) => self.deploy(name, "declared", &Input::Declared { pipeline: now.pipeline, node }, change)?,
                None => change.deployments.push((name.clone(), Deployment::new(name, now.pipeline, node))),
            }
        }

        let declared = |name: &str| now.monitors.iter().any(|(it, _)| it == name);
        let gone = self.monitors.iter().filter(|(name, it)| ours(it.pipeline()) && !declared(name));
        change.monitors.extend(gone.map(|(name, _)| (name.clone(), None)));
        for (name, node) in now.monitors {
            let after = match self.monitors.get(name) {
                Some(before) if !ours(before.pipeline()) => return Err(taken("monitor", name, before.pipeline())),
                Some(before) => before.declared(now.pipeline, node),
                None => Monitor::new(name, now.pipeline, node),
            };
            change.monitors.push((name.clone(), Some(after)));
        }

        let keys: Vec<String> = now.triggers.iter().map(|(name, _)| trigger::key(now.pipeline, name)).collect();
        let gone = self.triggers.iter().filter(|(key, it)| ours(it.pipeline()) && !keys.contains(key));
        change.triggers.extend(gone.map(|(key, _)| (key.clone(), None)));
        for ((name, node), key) in now.triggers.iter().zip(keys) {
            let after = match self.triggers.get(&key) {
                Some(before) => before.declared(node, change.at),
                None => Trigger::new(name, now.pipeline, node, change.at),
            };
            change.triggers.push((key, Some(after)));
        }
        Ok(())
    }

    fn monitored(&self, name: &str, event: &monitor::Event, change: &mut Change) -> Result<(), Illegal> {
        let monitor = self.monitors.get(name).ok_or_else(|| unknown("monitor", name, "judged"))?;
        let (after, effects, news) = monitor.step(change.at, event, self.scene(monitor).as_ref())?;
        news.into_iter().for_each(|words| change.tell(name, words));
        for effect in effects {
            match effect {
                Effect::Alert { channel, to, body } => {
                    change.tell(name, "an alert goes out");
                    let alert = Alert::new(channel, to, body.clone(), change.at);
                    change.alerts.push((body.key, Some(alert)));
                }
                Effect::Retrain { key, params, words } => {
                    let given = words::given(&params, change.at);
                    change.tell(name, format!("`{}` is run again{given}", monitor.pipeline()));
                    let run = Retraining::new(key.clone(), name, monitor.pipeline(), &params, change.at, words);
                    change.retrainings.push((key, Some(run)));
                }
                Effect::Rollback => {
                    let input = Input::Breached { monitor: name };
                    self.deploy(&monitor.node().deployment_name, "breached", &input, change)?;
                }
            }
        }
        change.monitors.push((name.to_owned(), Some(after)));
        Ok(())
    }

    fn triggered(&self, key: &str, event: &trigger::Event, change: &mut Change) -> Result<(), Illegal> {
        let trigger = self.triggers.get(key).ok_or_else(|| unknown("trigger", key, "fired"))?;
        let (after, fired) = trigger.step(change.at, event)?;
        change.triggers.push((key.to_owned(), Some(after)));
        let Some(fired) = fired else { return Ok(()) };
        // A run that has not begun will see all that this one would.
        let waits = |it: &Retraining| it.asker() == key && it.state() == retrain::State::Wanted;
        if self.retrainings.values().any(waits) {
            change.tell(key, "its run before has not begun yet, so there is no other");
            return Ok(());
        }
        let (pipeline, params) = (trigger.pipeline(), trigger.params());
        change.tell(key, format!("`{pipeline}` is run{}", words::given(params, change.at)));
        let run = Retraining::new(fired.key.clone(), key, pipeline, params, change.at, fired.words);
        change.retrainings.push((fired.key, Some(run)));
        Ok(())
    }

    fn retrained(&self, key: &str, event: &retrain::Event, change: &mut Change) -> Result<(), Illegal> {
        let before = self.retrainings.get(key).ok_or_else(|| unknown("run", key, "retrained"))?;
        let first = self.retrainings.values().find(|it| it.pipeline() == before.pipeline());
        if matches!(event, retrain::Event::Started { .. }) && first != Some(before) {
            return Err(Illegal {
                machine: key.to_owned(),
                state: format!("{:?}", before.state()),
                event: "started".to_owned(),
                why: "another run of its pipeline comes first".to_owned(),
            });
        }
        let after = before.step(event)?;
        let number = after.run().map_or_else(|| "its run".to_owned(), |run| format!("run {run}"));
        match event {
            retrain::Event::Started { run: None } => {}
            retrain::Event::Started { run: Some(_) } => {
                change.tell(before.asker(), format!("{number} of `{}` started", before.pipeline()));
            }
            retrain::Event::Ended { outcome, words, .. } => {
                let how = match outcome {
                    RetrainOutcome::Offered(version) => format!("offered version {version}"),
                    RetrainOutcome::Nothing => "has nothing to offer".to_owned(),
                    RetrainOutcome::Blocked => "was blocked by a gate".to_owned(),
                    RetrainOutcome::Failed => "failed".to_owned(),
                };
                let words = if words.is_empty() { String::new() } else { format!(": {words}") };
                change.tell(before.asker(), format!("{number} {how}{words}"));
            }
        }
        let over = after.state() == retrain::State::Ended;
        change.retrainings.push((key.to_owned(), (!over).then_some(after)));
        Ok(())
    }

    fn alerted(&self, key: &str, event: &alert::Event, change: &mut Change) -> Result<(), Illegal> {
        let before = self.alerts.get(key).ok_or_else(|| unknown("alert", key, "tried"))?;
        let after = before.step(change.at, event)?;
        let AlertBody { monitor, .. } = before.body();
        match (event, after.state()) {
            (alert::Event::Sent { .. }, _) => change.tell(monitor, "the alert was received"),
            (alert::Event::Tried { attempt: 1, why }, alert::State::Pending) => {
                change.tell(monitor, format!("the alert could not be sent and is tried again: {why}"));
            }
            (alert::Event::Tried { attempt, why }, alert::State::GivenUp) => {
                change.tell(monitor, format!("the alert was given up after {attempt} attempts: {why}"));
            }
            (alert::Event::GaveUp { why }, _) => change.tell(monitor, format!("the alert was given up: {why}")),
            (alert::Event::Tried { .. }, _) => {}
        }
        let over = after.state() != alert::State::Pending;
        change.alerts.push((key.to_owned(), (!over).then_some(after)));
        Ok(())
    }
}

/// Replaces, adds and removes, keeping the order of what stays.
fn put<T>(map: &mut indexmap::IndexMap<String, T>, changes: Vec<(String, Option<T>)>) {
    for (key, value) in changes {
        match value {
            Some(value) => drop(map.insert(key, value)),
            None => drop(map.shift_remove(&key)),
        }
    }
}
