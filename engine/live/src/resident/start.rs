//! Starting: the journal is folded, what the files say is declared, what must be loaded is loaded, then requests are
//! answered.

use super::control::Socket;
use super::{Resident, ResidentError, Runner, Witness, jobs};
use crate::clock::LiveClock;
use crate::evidence::Evidence;
use crate::front::{Front, Predicted, Sink};
use crate::home::Home;
use crate::machine::{Entry, Live, What};
use mlp_core::clock::Clock;
use mlp_core::executor::Cancel;
use mlp_core::history::History;
use mlp_core::journal::ledger::Ledger;
use mlp_core::lock::NotLocked;
use mlp_core::predictor::{PredictionKind, Predictors};
use mlp_core::project::Project;
use mlp_lang::live::DeployNode;
use mlp_lang::pipeline::{NodeKind, Pipeline};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tokio::task::JoinSet;

/// What a resident engine is given to work with.
#[derive(Clone)]
pub struct Parts {
    /// Loads models.
    pub predictors: Arc<dyn Predictors>,
    /// Runs pipelines again.
    pub runner: Arc<dyn Runner>,
    /// Is told what happens.
    pub witness: Arc<dyn Witness>,
}

/// A checked file whose deployments are to live.
#[derive(Clone)]
pub struct Declared {
    /// The file as the user wrote its path.
    pub file: String,
    /// What it says.
    pub pipeline: Arc<Pipeline>,
    /// The folder that relative paths in it start from.
    pub base: PathBuf,
}

/// The way from the router to the prediction logs, which are opened after it.
#[derive(Default)]
struct Logs(OnceLock<HashMap<String, Arc<Evidence>>>);

impl Sink for Logs {
    fn predicted(&self, deployment: &str, batch: Predicted) {
        if let Some(evidence) = self.0.get().and_then(|logs| logs.get(deployment)) {
            evidence.append(batch);
        }
    }

    fn loaded(&self, deployment: &str, version: u64, kind: &PredictionKind) {
        if let Some(evidence) = self.0.get().and_then(|logs| logs.get(deployment)) {
            evidence.introduce(version, kind);
        }
    }
}

/// Starts a resident engine: when this returns, it answers requests, if anything can be served.
pub async fn start(
    project: &Project,
    pipelines: Vec<Declared>,
    clock: LiveClock,
    parts: Parts,
) -> Result<Resident, ResidentError> {
    let home = Home::of(project);
    home.create()?;
    let lock = home.take_lock()?;
    let (ledger, entries) = Ledger::<Entry>::open(&home.journal())?;
    let illegal = |error: crate::machine::Illegal| ResidentError::Illegal(error.to_string());
    let live = Live::fold(&entries).map_err(illegal)?;
    // Virtual time never goes back behind what was written down.
    if let Some(last) = entries.last() {
        clock.advance(last.at);
    }
    let logs = Arc::new(Logs::default());
    let front = Front::new(parts.predictors.clone(), clock.clone(), logs.clone());
    let (socket, inbox) = Socket::open(&home)?;
    let mut resident = Resident {
        history: History::open(project),
        clock,
        ledger,
        live,
        offered: HashMap::new(),
        front,
        evidence: HashMap::new(),
        pipelines: pipelines.into_iter().map(|declared| (declared.pipeline.name.clone(), declared)).collect(),
        listening: Vec::new(),
        parts,
        told: HashMap::new(),
        jobs: JoinSet::new(),
        under_way: HashSet::new(),
        judging: Default::default(),
        inbox,
        cancel: Cancel::default(),
        _socket: socket,
        home,
        _lock: lock,
    };
    let offers = entries.iter().filter_map(|entry| match &entry.what {
        What::Offered { deployment, offer } => Some((deployment.clone(), offer.run)),
        _ => None,
    });
    resident.offered = offers.collect();
    let last = |name: &str| {
        let declares = |entry: &&Entry| matches!(&entry.what, What::Declared { pipeline, .. } if pipeline == name);
        entries.iter().rev().find(declares).map(|entry| entry.what.clone())
    };
    let known = resident.pipelines.keys().filter_map(|name| last(name)).collect();
    resident.begin(&logs, known).await?;
    Ok(resident)
}

impl Resident {
    async fn begin(&mut self, logs: &Logs, known: Vec<What>) -> Result<(), ResidentError> {
        let virtual_time = self.clock.is_virtual();
        let engine = format!("mlp {}", env!("CARGO_PKG_VERSION"));
        self.write(What::Opened { engine, pid: std::process::id(), virtual_time }).await?;
        for declared in self.pipelines.values().cloned().collect::<Vec<_>>() {
            let what = declaration(&declared);
            if known.contains(&what) {
                continue;
            }
            // Legal or not is decided by what else is declared; a file that cannot be served is no reason to go on.
            let entry = Entry { at: self.clock.now(), what: what.clone() };
            self.live.admits(&entry).map_err(|illegal| ResidentError::Declared(illegal.why))?;
            self.write(what).await?;
        }
        let names = self.names();
        for name in &names {
            let Some(node) = self.declared(name).cloned() else { continue };
            let folder = self.home.deployment(name);
            if node.serve.log {
                let evidence = Evidence::open(&folder, &node.row, node.label.as_ref())
                    .map_err(|error| ResidentError::Evidence { deployment: name.clone(), why: error.to_string() })?;
                self.evidence.insert(name.clone(), Arc::new(evidence));
            }
            self.front.declare(name, Arc::new(node));
        }
        let _ = logs.0.set(self.evidence.clone());
        for name in &names {
            self.load_again(name).await?;
        }
        // What was written before the router knew the deployments was told to nobody.
        self.told.clear();
        self.bring_in_line();
        let addresses = self.front.listen().await.map_err(|error| ResidentError::Listen(error.to_string()))?;
        self.listening = self.addresses(&names, &addresses);
        self.take_offers().await
    }

    /// Loads what the state says is loaded. A version that cannot be loaded any more is told; if it is a candidate its
    /// rollout ends.
    async fn load_again(&mut self, name: &str) -> Result<(), ResidentError> {
        let model = self.declared(name).map(|node| node.model_name.clone()).unwrap_or_default();
        for version in self.live.loaded(name) {
            let loaded = jobs::load(&self.front, &self.history, name, &model, version).await;
            if let Err(why) = loaded {
                self.parts.witness.warning(&format!("{name}: {model}@{version} cannot be loaded: {why}"));
                let event = crate::machine::rollout::Event::LoadFailed { version, why };
                self.write(What::Rollout { deployment: name.to_owned(), event }).await?;
            }
        }
        Ok(())
    }

    fn addresses(&self, names: &[String], bound: &[std::net::SocketAddr]) -> Vec<(String, String)> {
        let address = |name: &String| {
            let serve = &self.declared(name)?.serve;
            let fits = |at: &&std::net::SocketAddr| at.port() == serve.port || serve.port == 0;
            let at = bound.iter().find(fits)?;
            Some((name.clone(), format!("http://{at}")))
        };
        names.iter().filter_map(address).collect()
    }
}

/// What a file says about the time after its run.
fn declaration(declared: &Declared) -> What {
    let (mut deployments, mut monitors, mut triggers) = (Vec::new(), Vec::new(), Vec::new());
    for node in &declared.pipeline.nodes {
        let name = node.name.clone();
        match &node.kind {
            NodeKind::Deploy(node) => deployments.push((name, DeployNode::clone(node))),
            NodeKind::Monitor(node) => monitors.push((name, mlp_lang::live::MonitorNode::clone(node))),
            NodeKind::Trigger(node) => triggers.push((name, node.clone())),
            _ => {}
        }
    }
    let (pipeline, file) = (declared.pipeline.name.clone(), declared.file.clone());
    What::Declared { pipeline, file, deployments, monitors, triggers }
}

impl From<NotLocked> for ResidentError {
    fn from(error: NotLocked) -> ResidentError {
        match error {
            NotLocked::Busy(holder) => ResidentError::Busy(holder),
            NotLocked::Disk(error) => error.into(),
        }
    }
}
