//! The resident engine: lets deployments live. The one writer of the live journal.
//!
//! ```text
//! loop:  what is due (machine) -> carry it out -> entries -> machine, journal (synced) -> effects follow the state
//!        wait for: time, a person, a run that ended, a job of its own
//! ```
//!
//! Owns: the loop, jobs under way (loading, retraining, alerts), and bringing the router in line with the state. Must never
//! know: what a rollout or a monitor decides.
//!
//! Invariants
//! - An entry is durable before its effect. Effects are derived from the state, so a kill between the two is made good by
//!   the next engine when it brings itself in line.
//! - A retraining's and an alert's intent carry a key; the run's journal and the receiver know them by it.
//! - Virtual time stands still while anything is under way, so that a replay's order of events does not depend on how fast
//!   the machine is.

mod alerts;
mod control;
mod duties;
mod jobs;
mod judging;
mod start;

pub use start::{Declared, Parts, start};

use crate::clock::LiveClock;
use crate::control::{Answer, Request};
use crate::evidence::Evidence;
use crate::front::Front;
use crate::home::Home;
use crate::machine::rollout::Deployment;
use crate::machine::{Duty, Entry, Live, Told, What};
use crate::routes::Routes;
use indexmap::IndexMap;
use jobs::{Done, Job};
use mlp_core::aliases::Aliases;
use mlp_core::clock::Clock;
use mlp_core::executor::Cancel;
use mlp_core::history::History;
use mlp_core::journal::ledger::Ledger;
use mlp_core::lock::Lock;
use mlp_core::record::{Millis, Outcome, Trigger};
use mlp_lang::live::DeployNode;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// How long requests under way may take to end when the engine is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// How often the files of `on change` triggers are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// Runs a pipeline again when a monitor or a trigger wants it.
#[async_trait::async_trait]
pub trait Runner: Send + Sync {
    /// Runs it to its end. What happened to it is told by [`Witness`] or not at all.
    async fn run(&self, wanted: Wanted, cancel: Cancel) -> Ran;
}

/// A run that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The pipeline's name.
    pub pipeline: String,
    /// Parameters that differ from the file's, as on a command line.
    pub params: Vec<(String, String)>,
    /// Why, and the key under which its journal knows it.
    pub trigger: Trigger,
    /// What `registry("model@deployment")` stands for.
    pub aliases: Aliases,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its number, if it came so far.
    pub run: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// In words: "run 4 registered demand@3", "the gate `challenger` said no".
    pub words: String,
}

/// Is told what happens, for people who look on.
pub trait Witness: Send + Sync {
    /// Something happened.
    fn told(&self, told: &Told);
    /// Something went wrong that changes no state.
    fn warning(&self, words: &str);
}

/// Why a resident engine could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ResidentError {
    /// Another one is at work.
    #[error("{} already lets the deployments of this project live", .0.as_ref().map_or("another process".to_owned(), ToString::to_string))]
    Busy(Option<mlp_core::lock::Holder>),
    /// A file of the state folder.
    #[error(transparent)]
    Disk(#[from] mlp_core::disk::DiskError),
    /// Its journal, which cannot be read.
    #[error(transparent)]
    Journal(#[from] mlp_core::journal::JournalError),
    /// Its journal, which cannot be written.
    #[error(transparent)]
    NotDurable(#[from] mlp_core::journal::ledger::LedgerError),
    /// The history of runs.
    #[error(transparent)]
    History(#[from] mlp_core::error::EngineError),
    /// The prediction log of a deployment.
    #[error("the prediction log of `{deployment}`: {why}")]
    Evidence {
        /// Which deployment.
        deployment: String,
        /// What is wrong.
        why: String,
    },
    /// An address.
    #[error("{0}")]
    Listen(String),
    /// What is in the journal cannot have happened.
    #[error("the live journal contradicts itself: {0}")]
    Illegal(String),
    /// Two files declare the same name.
    #[error("{0}")]
    Declared(String),
}

/// Somebody's request and where the answer goes.
struct Asking {
    request: Request,
    who: String,
    answer: oneshot::Sender<Answer>,
}

/// A resident engine.
pub struct Resident {
    home: Home,
    history: History,
    clock: LiveClock,
    ledger: Ledger<Entry>,
    live: Live,
    /// The run that last offered something to a deployment.
    offered: HashMap<String, u64>,
    front: Arc<Front>,
    evidence: HashMap<String, Arc<Evidence>>,
    pipelines: IndexMap<String, Declared>,
    listening: Vec<(String, String)>,
    parts: Parts,
    /// What the router was last told, by deployment.
    told: HashMap<String, (Routes, BTreeSet<u64>)>,
    jobs: JoinSet<Done>,
    under_way: HashSet<Job>,
    judging: judging::Judging,
    inbox: mpsc::Receiver<Asking>,
    cancel: Cancel,
    _socket: control::Socket,
    // Last: everything else must be closed before another engine may come in.
    _lock: Lock,
}

impl Resident {
    /// Addresses that requests are answered on, by deployment.
    pub fn listening(&self) -> &[(String, String)] {
        &self.listening
    }

    /// What is live.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// Lets everything live until `stop` is ready, then ends in good order.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), ResidentError> {
        tokio::pin!(stop);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            self.settle().await?;
            let next = self.live.next_due();
            let clock = self.clock.clone();
            let time = async move {
                match next {
                    Some(at) => clock.until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = &mut stop => break,
                () = time => {}
                Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => self.finish(done).await?,
                Some(asking) = self.inbox.recv() => self.answer(asking).await?,
                _ = look.tick() => self.look_at_data().await?,
            }
        }
        self.close().await
    }

    async fn close(mut self) -> Result<(), ResidentError> {
        self.cancel.set();
        self.front.drain(DRAIN).await;
        for (name, evidence) in &self.evidence {
            if let Err(error) = evidence.flush() {
                self.parts.witness.warning(&format!("the prediction log of `{name}`: {error}"));
            }
        }
        self.jobs.abort_all();
        self.write(What::Closed).await
    }

    /// Does everything that is due. In virtual time also waits for everything under way, and does what that brings about.
    async fn settle(&mut self) -> Result<(), ResidentError> {
        loop {
            let due = self.due();
            for duty in &due {
                self.carry_out(duty).await?;
                // In virtual time one after the other, so that no order depends on the machine.
                if self.clock.is_virtual() && !self.jobs.is_empty() {
                    break;
                }
            }
            let under_way = self.clock.is_virtual() && !self.jobs.is_empty();
            if due.is_empty() && !under_way {
                return Ok(());
            }
            if under_way && let Some(done) = self.jobs.join_next().await {
                self.finish(done).await?;
            }
        }
    }

    /// What is due and not yet under way. Data files are looked at by a timer of their own.
    fn due(&self) -> Vec<Duty> {
        let waits = |duty: &Duty| !matches!(duty, Duty::Watch { .. }) && !self.under_way.contains(&Job::of(duty));
        self.live.due(self.clock.now()).into_iter().filter(waits).collect()
    }

    /// Moves virtual time on to `to`, stopping wherever something is due.
    async fn advance(&mut self, to: Millis) -> Result<(), ResidentError> {
        loop {
            self.settle().await?;
            match self.live.next_due() {
                Some(at) if at <= to && at > self.clock.now() => self.clock.advance(at),
                _ => break,
            }
        }
        self.clock.advance(to);
        self.settle().await
    }

    /// Writes down what happened, now, and brings everything in line with it.
    async fn write(&mut self, what: What) -> Result<(), ResidentError> {
        let entry = Entry { at: self.clock.now(), what };
        let known = self.live.story().len();
        if let Err(illegal) = self.live.apply(&entry) {
            // An answer that came too late, for example of a version that was replaced meanwhile: nothing happened.
            tracing::debug!(%illegal, ?entry, "not written");
            return Ok(());
        }
        // Effects follow only when the entry is durable; if it cannot be made so, the engine stops with what was.
        tokio::task::block_in_place(|| self.ledger.append(std::slice::from_ref(&entry)))?;
        if let What::Offered { deployment, offer } = &entry.what {
            self.offered.insert(deployment.clone(), offer.run);
        }
        for told in self.live.story().iter().skip(known) {
            self.parts.witness.told(told);
        }
        self.bring_in_line();
        Ok(())
    }

    /// Deployments that a file declares.
    fn names(&self) -> Vec<String> {
        let declared = self.live.deployments().filter(|(_, deployment)| deployment.is_declared());
        declared.map(|(name, _)| name.to_owned()).collect()
    }

    /// What a file says about a deployment.
    fn declared(&self, name: &str) -> Option<&DeployNode> {
        self.live.deployment(name).filter(|deployment| deployment.is_declared()).map(Deployment::node)
    }

    /// The router follows the state.
    fn bring_in_line(&mut self) {
        for name in self.names() {
            let (routes, loaded) = (self.live.routes(&name), self.live.loaded(&name));
            let within = self.declared(&name).map_or(0, |node| node.rollback_within);
            let (told_routes, told_loaded) = self.told.entry(name.clone()).or_default();
            if *told_routes != routes {
                self.front.route(&name, routes.clone());
                *told_routes = routes;
            }
            for version in told_loaded.difference(&loaded) {
                self.front.retire(&name, *version, Duration::from_nanos(within.unsigned_abs()));
            }
            *told_loaded = loaded;
        }
    }
}
