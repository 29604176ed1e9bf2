//! A deployment: which versions are loaded, which of them answers, which sees a copy.

use super::meter::Meter;
use super::place::place;
use super::refused::Refused;
use super::rows::{MOST_CELLS, Problems, Rows};
use super::server::{Pending, Refusal, Server};
use super::shape::Shape;
use super::ticket::Outcome;
use super::totals::Totals;
use crate::routes::Routes;
use arc_swap::ArcSwap;
use mlp_core::predictor::{PredictError, PredictionKind};
use mlp_lang::live::{DeployNode, Sticky};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A deployment that requests can name.
pub(super) struct Deployment {
    pub name: String,
    pub declared: ArcSwap<Declared>,
    pub routes: ArcSwap<Routes>,
    versions: ArcSwap<BTreeMap<u64, Arc<Server>>>,
    changes: Mutex<()>,
    meters: Mutex<BTreeMap<u64, Arc<Meter>>>,
    answers: Mutex<BTreeMap<Answered, u64>>,
    /// Cells that copies for the mirror hold in memory.
    mirrored: AtomicUsize,
}

/// What is declared of it.
pub(super) struct Declared {
    pub node: Arc<DeployNode>,
    pub shape: Arc<Shape>,
}

/// Why a version saw a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Stable,
    Candidate,
    Mirror,
    /// The client named the version.
    Direct,
    /// No version saw it.
    Nobody,
}

impl Role {
    pub fn word(self) -> &'static str {
        match self {
            Role::Stable => "stable",
            Role::Candidate => "candidate",
            Role::Mirror => "mirror",
            Role::Direct => "direct",
            Role::Nobody => "none",
        }
    }
}

/// Which requests are counted together.
pub(super) type Answered = (Option<u64>, Role, u16);

/// A request, apart from its rows.
pub(super) struct Asked {
    pub id: String,
    /// The value of the header that decides, if one does and the request has it.
    pub header: Option<String>,
    pub arrived: Instant,
    /// The version that the client names.
    pub version: Option<u64>,
}

/// Predictions, and whose.
#[derive(Debug)]
pub(super) struct Answer {
    pub model: String,
    pub version: u64,
    pub kind: PredictionKind,
    pub rows: usize,
    pub values: Vec<f64>,
}

impl Declared {
    pub fn new(node: Arc<DeployNode>) -> Declared {
        let shape = Arc::new(Shape::new(&node.row));
        Declared { node, shape }
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_nanos(u64::try_from(self.node.serve.timeout).unwrap_or(0))
    }
}

impl Deployment {
    pub fn new(name: &str, node: Arc<DeployNode>) -> Deployment {
        Deployment {
            name: name.to_owned(),
            declared: ArcSwap::from_pointee(Declared::new(node)),
            routes: ArcSwap::from_pointee(Routes::default()),
            versions: ArcSwap::from_pointee(BTreeMap::new()),
            changes: Mutex::default(),
            meters: Mutex::default(),
            answers: Mutex::default(),
            mirrored: AtomicUsize::new(0),
        }
    }

    /// Host and port that it is declared at.
    pub fn address(&self) -> (String, u16) {
        let declared = self.declared.load();
        (declared.node.serve.host.clone(), declared.node.serve.port)
    }

    /// What the version did; of one that was never loaded, nothing.
    pub fn totals(&self, version: u64) -> Totals {
        let meter = lock(&self.meters).get(&version).cloned();
        meter.map(|meter| meter.totals()).unwrap_or_default()
    }

    /// Takes a new declaration over; what is loaded stays.
    pub fn declare(&self, node: Arc<DeployNode>) {
        self.versions.load().values().for_each(|server| server.set_batch(node.serve.batch));
        self.declared.store(Arc::new(Declared::new(node)));
    }

    /// The version's counters, which are made the first time.
    pub fn meter(&self, version: u64) -> Arc<Meter> {
        Arc::clone(lock(&self.meters).entry(version).or_default())
    }

    /// All counters.
    pub fn meters(&self) -> Vec<(u64, Arc<Meter>)> {
        lock(&self.meters).iter().map(|(version, meter)| (*version, Arc::clone(meter))).collect()
    }

    /// Requests by what became of them.
    pub fn answers(&self) -> Vec<(Answered, u64)> {
        lock(&self.answers).iter().map(|(answered, count)| (*answered, *count)).collect()
    }

    /// One more request ended so.
    pub fn count(&self, version: Option<u64>, role: Role, status: u16) {
        *lock(&self.answers).entry((version, role, status)).or_default() += 1;
    }

    /// A version is ready to answer. One of the same number that was there before is given back.
    pub fn insert(&self, server: Arc<Server>) -> Option<Arc<Server>> {
        let _one_at_a_time = lock(&self.changes);
        let mut versions = BTreeMap::clone(&self.versions.load());
        let before = versions.insert(server.version, server);
        self.versions.store(Arc::new(versions));
        before
    }

    /// A version answers no new requests.
    pub fn remove(&self, version: u64) -> Option<Arc<Server>> {
        let _one_at_a_time = lock(&self.changes);
        let mut versions = BTreeMap::clone(&self.versions.load());
        let server = versions.remove(&version)?;
        self.versions.store(Arc::new(versions));
        server.close();
        Some(server)
    }

    /// A loaded version.
    pub fn server(&self, version: u64) -> Option<Arc<Server>> {
        self.versions.load().get(&version).cloned()
    }

    /// The numbers of the loaded versions.
    pub fn loaded(&self) -> Vec<u64> {
        self.versions.load().keys().copied().collect()
    }

    /// The features of the version that is named, else of the stable one; none if it is not loaded.
    pub fn features(&self, version: Option<u64>) -> Vec<String> {
        let server = version.or(self.routes.load().stable).and_then(|version| self.server(version));
        server.map(|server| server.features.clone()).unwrap_or_default()
    }

    /// Some version can answer what everybody asks.
    pub fn is_ready(&self) -> bool {
        let routes = self.routes.load();
        routes.stable.is_some_and(|version| self.versions.load().contains_key(&version))
    }

    /// Asks a version, and shows the mirror a copy.
    pub async fn ask(self: &Arc<Self>, asked: &Asked, rows: Arc<Rows>) -> Result<Answer, Refused> {
        let deadline = asked.arrived + self.declared.load().timeout();
        let place = self.place(asked, &rows);
        let (pending, server, role) = match self.submit(asked, place, &rows, deadline) {
            Ok(accepted) => accepted,
            Err(refused) => {
                let role = self.role(asked, refused.version);
                self.count(refused.version, role, refused.status.as_u16());
                return Err(refused);
            }
        };
        if asked.version.is_none() {
            self.mirror(place, server.version, &rows, asked.arrived, deadline);
        }
        let outcome = pending.outcome().await;
        self.count(Some(server.version), role, outcome.status());
        match outcome {
            Outcome::Answered(values) => Ok(Answer {
                model: server.model.clone(),
                version: server.version,
                kind: server.kind.clone(),
                rows: rows.count,
                values,
            }),
            Outcome::Failed(error) => Err(self.failed(&server, &asked.id, error)),
        }
    }

    fn failed(&self, server: &Server, id: &str, error: PredictError) -> Refused {
        let who = format!("version {} of `{}`", server.version, self.name);
        let refused = match error {
            PredictError::BadInput(why) => Refused::new(422, format!("{who} cannot take these rows: {why}")),
            PredictError::TimedOut => {
                let limit = self.declared.load().timeout();
                Refused::new(504, format!("{who} did not answer within {limit:?} (request {id})"))
            }
            PredictError::Failed(why) => Refused::new(500, format!("{who} failed: {why} (request {id})")),
        };
        if refused.status.is_server_error() {
            tracing::warn!(deployment = self.name, version = server.version, request = id, "{}", refused.error);
        }
        refused.by(server.version)
    }

    fn place(&self, asked: &Asked, rows: &Rows) -> f64 {
        let declared = self.declared.load();
        let key = match &declared.node.serve.sticky {
            Some(Sticky::Header(_)) => asked.header.clone(),
            Some(Sticky::Column(name)) => rows.key(name),
            None => None,
        };
        place(&self.name, key.as_deref().unwrap_or(&asked.id))
    }

    /// Puts the request into the queue of the version whose turn it is.
    fn submit(
        &self,
        asked: &Asked,
        place: f64,
        rows: &Arc<Rows>,
        deadline: Instant,
    ) -> Result<(Pending, Arc<Server>, Role), Refused> {
        // A version can lose its traffic between the choice and the queue. Then nothing has happened yet, and the choice
        // is made again by the new routes.
        for _ in 0..8 {
            let (server, role) = self.choose(asked.version, place)?;
            let mut problems = Problems::default();
            let features = rows.features(&server.features, &mut problems).map_err(|feature| {
                let why = format!(
                    "version {} of `{}` needs the column `{feature}`, which the deployment no longer declares",
                    server.version, self.name
                );
                Refused::new(503, why).by(server.version)
            })?;
            if rows.problems.count + problems.count > 0 {
                return Err(Refused::problems(&rows.problems, &problems).by(server.version));
            }
            match server.submit(rows, features, asked.arrived, deadline) {
                Ok(pending) => return Ok((pending, server, role)),
                Err(Refusal::Closed) => {}
                Err(Refusal::Full) => {
                    server.meter.refused();
                    let why = format!(
                        "too many requests wait for version {} of `{}`: ask again in a second",
                        server.version, self.name
                    );
                    return Err(Refused::new(503, why).again_in(1).by(server.version));
                }
            }
        }
        Err(Refused::new(503, format!("`{}` is taking its version out of service: ask again", self.name)).again_in(1))
    }

    fn choose(&self, named: Option<u64>, place: f64) -> Result<(Arc<Server>, Role), Refused> {
        let loaded = || {
            let loaded: Vec<String> = self.loaded().iter().map(u64::to_string).collect();
            if loaded.is_empty() { "none is loaded".to_owned() } else { format!("loaded: {}", loaded.join(", ")) }
        };
        if let Some(version) = named {
            let server = self.server(version).ok_or_else(|| {
                Refused::new(404, format!("version {version} of `{}` is not loaded; {}", self.name, loaded()))
            })?;
            return Ok((server, Role::Direct));
        }
        let mut routes = self.routes.load_full();
        loop {
            let Some(version) = routes.answers(place) else {
                let why = format!("no version of `{}` is ready to answer yet; {}", self.name, loaded());
                return Err(Refused::new(503, why).again_in(1));
            };
            let role = if routes.stable == Some(version) { Role::Stable } else { Role::Candidate };
            if let Some(server) = self.server(version) {
                return Ok((server, role));
            }
            // It may have been replaced and retired since the routes were read: then the new ones decide.
            let newer = self.routes.load_full();
            if Arc::ptr_eq(&routes, &newer) {
                let why = format!("version {version} of `{}` should answer and is not ready; {}", self.name, loaded());
                return Err(Refused::new(503, why).again_in(1).by(version));
            }
            routes = newer;
        }
    }

    fn role(&self, asked: &Asked, version: Option<u64>) -> Role {
        match version {
            None => Role::Nobody,
            Some(_) if asked.version.is_some() => Role::Direct,
            Some(_) if self.routes.load().stable == version => Role::Stable,
            Some(_) => Role::Candidate,
        }
    }

    /// Shows the mirror a copy. Whatever becomes of it, the client does not notice.
    fn mirror(self: &Arc<Self>, place: f64, answering: u64, rows: &Arc<Rows>, arrived: Instant, deadline: Instant) {
        let Some(version) = self.routes.load().copies(place).filter(|version| *version != answering) else { return };
        let Some(server) = self.server(version) else { return };
        let mut problems = Problems::default();
        let features = rows.features(&server.features, &mut problems);
        let cells = rows.cells();
        let (Ok(features), 0) = (features, problems.count) else {
            return server.meter.dropped();
        };
        // Copies must not fill the memory while the mirror hangs.
        if self.mirrored.fetch_add(cells, Ordering::Relaxed) + cells > MOST_CELLS {
            self.mirrored.fetch_sub(cells, Ordering::Relaxed);
            return server.meter.dropped();
        }
        let Ok(pending) = server.submit(rows, features, arrived, deadline) else {
            self.mirrored.fetch_sub(cells, Ordering::Relaxed);
            return server.meter.dropped();
        };
        let deployment = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = pending.outcome().await;
            deployment.mirrored.fetch_sub(cells, Ordering::Relaxed);
            deployment.count(Some(version), Role::Mirror, outcome.status());
        });
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // The threads of a server end when it is closed.
        self.versions.load().values().for_each(|server| server.close());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
