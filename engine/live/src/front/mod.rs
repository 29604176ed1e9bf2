//! The front of a resident engine: HTTP listeners, the router, and the model servers behind it.
//!
//! ```text
//! connection ─> body ─> decode | tensor ─> rows ─> deployment ─┬─> server of the answering version ─> answer
//!   listen      (limits)   (JSON to columns)      (routes)     └─> server of the mirror (thrown away)
//! ```
//!
//! Owns: what clients see (`spec/13-serving.md`), the choice of the version by [`Routes`], batching, timeouts, limits,
//! the counters of each version. Must never know: rollouts, monitors, the journal. It is told what to do, and does it at
//! once and as a whole.
//!
//! Invariants
//! - A request is asked of one version, once. A failure is told, never hidden by asking another version.
//! - It counts once, when it ends: also when its client has gone.
//! - What clients get does not depend on the mirror.
//! - No request can make the engine panic, grow without limit, or keep others waiting for long.

mod answer;
mod body;
mod decode;
mod deployment;
mod exchange;
mod exposition;
mod histogram;
mod http;
mod listen;
mod meter;
mod place;
mod refused;
mod rows;
mod server;
mod shape;
mod tensor;
mod ticket;
mod totals;

pub use histogram::Histogram;
pub use listen::ListenError;
pub use totals::Totals;

use crate::clock::LiveClock;
use crate::routes::Routes;
use body::Budget;
use deployment::Deployment;
use indexmap::IndexMap;
use listen::{Connections, Listener};
use mlp_core::predictor::{PredictionKind, Predictors};
use mlp_core::record::ModelVersion;
use mlp_lang::live::DeployNode;
use server::Server;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};

/// Takes every answered row: the prediction log.
pub trait Sink: Send + Sync {
    /// A request was answered. Called before the client gets the answer, on the thread that serves it: must not block.
    fn predicted(&self, deployment: &str, batch: Predicted);

    /// A version is loaded: what its predictions will be. Called before the first of them.
    fn loaded(&self, _deployment: &str, _version: u64, _kind: &PredictionKind) {}
}

pub use crate::evidence::Predicted;

/// The HTTP side of `mlp serve`. All methods may be called from anywhere at any time; those that listen, load, retire or
/// drain need a tokio runtime.
pub struct Front {
    shared: Arc<Shared>,
    listeners: Mutex<Vec<Listener>>,
}

/// What handlers of requests see.
struct Shared {
    predictors: Arc<dyn Predictors>,
    clock: LiveClock,
    sink: Arc<dyn Sink>,
    deployments: RwLock<IndexMap<String, Arc<Deployment>>>,
    budget: Arc<Budget>,
    /// Large bodies are decoded a few at a time, beside the threads that serve small ones.
    large: Semaphore,
    connections: Arc<Connections>,
    draining: AtomicBool,
}

/// Host and port as declared.
type Address = (String, u16);

impl Shared {
    fn deployment(&self, name: &str) -> Option<Arc<Deployment>> {
        self.deployments.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The deployments reached at an address, in the order declared.
    fn at(&self, address: &Address) -> Vec<Arc<Deployment>> {
        let deployments = self.deployments.read().unwrap_or_else(PoisonError::into_inner);
        deployments.values().filter(|deployment| deployment.address() == *address).cloned().collect()
    }
}

impl Front {
    /// A front without deployments. It listens nowhere yet.
    pub fn new(predictors: Arc<dyn Predictors>, clock: LiveClock, sink: Arc<dyn Sink>) -> Arc<Front> {
        let shared = Shared {
            predictors,
            clock,
            sink,
            deployments: RwLock::default(),
            budget: Arc::default(),
            large: Semaphore::new(2),
            connections: Arc::default(),
            draining: AtomicBool::new(false),
        };
        Arc::new(Front { shared: Arc::new(shared), listeners: Mutex::default() })
    }

    /// A deployment is known from now on, or is declared anew: what is loaded and where requests go stays. The number of
    /// replicas holds for versions loaded later; host and port for the next [`Front::listen`].
    pub fn declare(&self, name: &str, deployment: Arc<DeployNode>) {
        let mut deployments = self.shared.deployments.write().unwrap_or_else(PoisonError::into_inner);
        match deployments.get(name) {
            Some(known) => known.declare(deployment),
            None => {
                deployments.insert(name.to_owned(), Arc::new(Deployment::new(name, deployment)));
            }
        }
    }

    /// Listens on every declared host and port, and no longer where nothing is declared. Gives the address of each
    /// listener, in the order declared; port 0 is one the system chooses. Deployments with the same host and port share a
    /// listener. If one address fails, those before it are listened on.
    pub async fn listen(&self) -> Result<Vec<SocketAddr>, ListenError> {
        let mut wanted: IndexMap<Address, String> = IndexMap::new();
        for (name, deployment) in self.shared.deployments.read().unwrap_or_else(PoisonError::into_inner).iter() {
            wanted.entry(deployment.address()).or_insert_with(|| name.clone());
        }
        let mut listeners = self.listeners.lock().await;
        for gone in listeners.extract_if(.., |listener| !wanted.contains_key(&listener.at)) {
            gone.stop().await;
        }
        let mut bound = Vec::with_capacity(wanted.len());
        for (at, deployment) in wanted {
            if let Some(listener) = listeners.iter().find(|listener| listener.at == at) {
                bound.push(listener.bound);
                continue;
            }
            let listener = Listener::open(&self.shared, at, &deployment).await?;
            bound.push(listener.bound);
            listeners.push(listener);
        }
        Ok(bound)
    }

    /// Loads a version, on a thread that may block. It gets no request before [`Front::route`] says so, except from
    /// clients that name it. A version that is loaded stays as it is. The error is for people.
    pub async fn load(&self, deployment: &str, version: ModelVersion, bytes: Vec<u8>) -> Result<(), String> {
        let Some(deployment) = self.shared.deployment(deployment) else {
            return Err(format!("there is no deployment `{deployment}`"));
        };
        if deployment.server(version.version).is_some() {
            return Ok(());
        }
        let predictors = Arc::clone(&self.shared.predictors);
        let sink = Arc::clone(&self.shared.sink);
        let loading = move || {
            let who = format!("{}@{}", version.name, version.version);
            let declared = deployment.declared.load_full();
            if let Some(feature) = version.features.iter().find(|name| declared.shape.index(name, 0).is_none()) {
                return Err(format!(
                    "{who} cannot be served by `{}`: it needs the column `{feature}`, which rows of requests do not have",
                    deployment.name
                ));
            }
            let serve = &declared.node.serve;
            let replicas = serve.replicas.max(1);
            let predictor = catch_unwind(AssertUnwindSafe(|| predictors.load(&version, &bytes, replicas)))
                .unwrap_or_else(|_| Err("loading it broke off with a panic".to_owned()))
                .map_err(|why| format!("{who} cannot be loaded: {why}"))?;
            sink.loaded(&deployment.name, version.version, predictor.output());
            let meter = deployment.meter(version.version);
            let server = Server::start(&version, predictor, replicas, serve.batch, meter)?;
            if let Some(before) = deployment.insert(server) {
                before.close();
            }
            Ok(())
        };
        tokio::task::spawn_blocking(loading).await.unwrap_or_else(|error| Err(format!("loading broke off: {error}")))
    }

    /// From now on requests go there. Requests under way end where they are.
    pub fn route(&self, deployment: &str, routes: Routes) {
        if let Some(deployment) = self.shared.deployment(deployment) {
            deployment.routes.store(Arc::new(routes));
        }
    }

    /// The version gets no new requests. Those under way have `within` to end, then they fail and it is unloaded.
    /// Returns at once. Requests that are just being placed are placed anew, so route them elsewhere first.
    pub fn retire(&self, deployment: &str, version: u64, within: Duration) {
        let Some(server) = self.shared.deployment(deployment).and_then(|deployment| deployment.remove(version)) else {
            return;
        };
        let name = format!("retire {}@{version}", server.model);
        let ending = Arc::clone(&server);
        if std::thread::Builder::new().name(name).spawn(move || ending.finish(within)).is_err() {
            // Without a thread to wait on, nobody waits.
            server.finish(Duration::ZERO);
        }
    }

    /// What a version did since it was first loaded by this front. Of a version nobody loaded: nothing.
    pub fn totals(&self, deployment: &str, version: u64) -> Totals {
        self.shared.deployment(deployment).map(|deployment| deployment.totals(version)).unwrap_or_default()
    }

    /// The end: accepts no more connections and lets what is under way end within that time. What does not is answered
    /// that its version is gone; whoever does not take that answer is cut off. Everything is unloaded.
    pub async fn drain(&self, within: Duration) {
        /// How long the last answers may take to be sent.
        const LAST_ANSWERS: Duration = Duration::from_secs(1);
        self.shared.draining.store(true, Ordering::Relaxed);
        for listener in self.listeners.lock().await.drain(..) {
            listener.stop().await;
        }
        let ended = self.shared.connections.ended(within).await;
        let deployments = self.shared.deployments.read().unwrap_or_else(PoisonError::into_inner).clone();
        for deployment in deployments.values() {
            for version in deployment.loaded() {
                self.retire(&deployment.name, version, Duration::ZERO);
            }
        }
        if !ended && !self.shared.connections.ended(LAST_ANSWERS).await {
            self.shared.connections.cut();
        }
    }
}
