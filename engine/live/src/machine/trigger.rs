//! The life of a trigger: a schedule fires at its times, data fires when its file has another content.
//!
//! A schedule whose time came while no engine lived fires once, for the newest of the times missed.

use super::{Duty, Illegal};
use mlp_core::record::Millis;
use mlp_lang::live::{Given, TriggerNode, TriggerWhen};
use mlp_lang::schedule;
use serde::{Deserialize, Serialize};

/// What names a trigger in a project: two pipelines may have the same schedule.
pub fn key(pipeline: &str, trigger: &str) -> String {
    format!("{pipeline}/{trigger}")
}

/// What happens to a trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A schedule's time came.
    Fired {
        /// The time it was scheduled for, as the duty gave it.
        at: Millis,
    },
    /// The data has this content now. The first that is seen is what others are compared with.
    Seen {
        /// Of the file.
        digest: String,
    },
}

/// The states of a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// A schedule that waits for its next time.
    Scheduled,
    /// Data that was not seen yet.
    Unseen,
    /// Data that was seen and is compared with that.
    Watching,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    key: String,
    name: String,
    pipeline: String,
    node: TriggerNode,
    /// A schedule's next time.
    next: Option<Millis>,
    /// The content of the data last seen.
    digest: Option<String>,
}

/// A run that a trigger asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fired {
    /// Names it for ever.
    pub key: String,
    /// Why, for people.
    pub words: String,
}

impl Trigger {
    pub(super) fn new(name: &str, pipeline: &str, node: &TriggerNode, at: Millis) -> Trigger {
        let (key, name, pipeline) = (key(pipeline, name), name.to_owned(), pipeline.to_owned());
        Trigger { key, name, pipeline, next: next(node, at), node: node.clone(), digest: None }
    }

    /// What the trigger is once its file says this. Its name says when it fires, so that only the zone and the parameters
    /// can differ; a time missed under the old zone is forgotten with it.
    pub(super) fn declared(&self, node: &TriggerNode, at: Millis) -> Trigger {
        let kept = match (&self.node.when, &node.when) {
            (TriggerWhen::Change { .. }, TriggerWhen::Change { .. }) => true,
            (before, now) => before == now,
        };
        if kept {
            return Trigger { node: node.clone(), ..self.clone() };
        }
        Trigger::new(&self.name, &self.pipeline, node, at)
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        match (&self.node.when, &self.digest) {
            (TriggerWhen::Schedule { .. }, _) => State::Scheduled,
            (TriggerWhen::Change { .. }, None) => State::Unseen,
            // Nothing tells of these yet: `mlp serve` refuses a file that has them.
            (TriggerWhen::Webhook { .. } | TriggerWhen::Commit { .. } | TriggerWhen::End { .. }, _) => State::Unseen,
            (TriggerWhen::Change { .. }, Some(_)) => State::Watching,
        }
    }

    /// As declared: `schedule 0 3 * * 1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The pipeline it runs.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// As its file declares it now.
    pub fn node(&self) -> &TriggerNode {
        &self.node
    }

    /// Parameters of its runs.
    pub fn params(&self) -> &[(String, Given)] {
        &self.node.params
    }

    /// A schedule's next time.
    pub fn next(&self) -> Option<Millis> {
        self.next
    }

    pub(super) fn duty(&self, now: Millis) -> Option<Duty> {
        let trigger = self.key.clone();
        match &self.node.when {
            TriggerWhen::Schedule { .. } => {
                let at = newest(&self.node, self.next.filter(|next| *next <= now)?, now);
                Some(Duty::Fire { trigger, at })
            }
            TriggerWhen::Change { .. } => Some(Duty::Watch { trigger, known: self.digest.clone() }),
            TriggerWhen::Webhook { .. } | TriggerWhen::Commit { .. } | TriggerWhen::End { .. } => None,
        }
    }

    /// The one transition function of a trigger: what it is after this, and the run it asks for.
    pub(super) fn step(&self, at: Millis, event: &Event) -> Result<(Trigger, Option<Fired>), Illegal> {
        let illegal = |event: &str, why: &str| Illegal {
            machine: format!("trigger {}", self.key),
            state: format!("{:?}", self.state()),
            event: event.to_owned(),
            why: why.to_owned(),
        };
        let fired = |when: Millis, words: String| Some(Fired { key: format!("trigger/{}/{when}", self.key), words });
        match (self.state(), event) {
            (State::Scheduled, Event::Fired { at: when }) => {
                let due = self.next.is_some_and(|next| next <= *when) && *when <= at;
                if !due || next(&self.node, when.saturating_sub(1)) != Some(*when) {
                    return Err(illegal("fired", "its time has not come"));
                }
                let after = Trigger { next: next(&self.node, *when), ..self.clone() };
                Ok((after, fired(*when, format!("`{}`", self.name))))
            }
            (State::Scheduled, Event::Seen { .. }) => Err(illegal("seen", "it does not watch data")),
            (State::Unseen | State::Watching, Event::Fired { .. }) => Err(illegal("fired", "it has no schedule")),
            (State::Unseen, Event::Seen { digest }) => {
                Ok((Trigger { digest: Some(digest.clone()), ..self.clone() }, None))
            }
            (State::Watching, Event::Seen { digest }) if self.digest.as_ref() == Some(digest) => {
                Ok((self.clone(), None))
            }
            (State::Watching, Event::Seen { digest }) => {
                let after = Trigger { digest: Some(digest.clone()), ..self.clone() };
                Ok((after, fired(at, format!("`{}`: the file has another content", self.name))))
            }
        }
    }
}

/// The first time of a schedule after `after`.
fn next(node: &TriggerNode, after: Millis) -> Option<Millis> {
    match &node.when {
        TriggerWhen::Schedule { cron, zone } => schedule::next(cron, zone, after),
        _ => None,
    }
}

/// The newest time of a schedule that is not after `now`; `first` is one. Looks back from `now`, further each time, since
/// after a long rest there may be very many.
fn newest(node: &TriggerNode, first: Millis, now: Millis) -> Millis {
    let mut span = 60_000_i64;
    let mut found = first;
    while now.saturating_sub(span) > first {
        if let Some(time) = next(node, now.saturating_sub(span)).filter(|time| *time <= now) {
            found = time;
            break;
        }
        span = span.saturating_mul(2);
    }
    while let Some(time) = next(node, found).filter(|time| *time <= now && *time > found) {
        found = time;
    }
    found
}
