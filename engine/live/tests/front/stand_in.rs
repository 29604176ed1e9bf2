//! A deployment to test with: a native model whose bytes say how it behaves, a log, and a client that speaks plain HTTP.

use mlp_core::digest::Digest;
use mlp_core::predictor::{Cells, PredictError, PredictionKind, Predictions, Predictor, Predictors};
use mlp_core::record::ModelVersion;
use mlp_lang::live::{DeployNode, Serve, Strategy};
use mlp_lang::pipeline::NodeId;
use mlp_lang::types::{Bound, Column, Schema, Type};
use mlp_lang::value::Value;
use mlp_live::clock::LiveClock;
use mlp_live::front::{Front, Predicted, Sink};
use mlp_live::routes::Routes;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The features of every version, in order.
pub const FEATURES: [&str; 5] = ["hr", "temp", "humid", "weather", "working"];
/// A row that every version can answer.
pub const ROW: &str = r#"{"hr":5,"temp":0.5,"humid":0.25,"weather":"mist","working":true}"#;

/// Loads [`Model`]s.
#[derive(Default)]
pub struct Models {
    /// Rows of the largest call so far.
    pub largest: Arc<AtomicUsize>,
}

/// How it behaves is what its bytes say: `ok`, `class`, `fails 5%`, `slow 20`, `hangs`, `stuck`, `panics`, `nan`, `short`,
/// `picky` (one bad row spoils a call).
struct Model {
    version: u64,
    behaviour: String,
    kind: PredictionKind,
    calls: AtomicU64,
    largest: Arc<AtomicUsize>,
}

impl Predictors for Models {
    fn load(&self, model: &ModelVersion, bytes: &[u8], _: u32) -> Result<Arc<dyn Predictor>, String> {
        let behaviour = String::from_utf8(bytes.to_vec()).map_err(|e| e.to_string())?;
        if behaviour == "damaged" {
            return Err("the bytes are no model".to_owned());
        }
        let classes = || PredictionKind::Class(vec!["no".to_owned(), "yes".to_owned()]);
        let kind = if behaviour == "class" { classes() } else { PredictionKind::Number };
        let largest = Arc::clone(&self.largest);
        Ok(Arc::new(Model { version: model.version, behaviour, kind, calls: AtomicU64::new(0), largest }))
    }
}

/// What a version predicts for a row: `hr` + 10 `temp` + `humid` + letters of `weather` + 100 if `working`, + 1000 version.
fn predicted(columns: &[Cells], row: usize, version: u64) -> f64 {
    let number = |column: usize| match &columns[column] {
        Cells::Numbers(cells) => Some(cells[row]).filter(|cell| !cell.is_nan()).unwrap_or(0.0),
        Cells::Texts(cells) => cells[row].as_ref().map_or(0, String::len) as f64,
    };
    number(0) + 10.0 * number(1) + number(2) + number(3) + 100.0 * number(4) + 1000.0 * version as f64
}

impl Predictor for Model {
    fn output(&self) -> &PredictionKind {
        &self.kind
    }

    fn predict(&self, columns: &[Cells], deadline: Instant) -> Result<Predictions, PredictError> {
        let rows = columns[0].len();
        self.largest.fetch_max(rows, Ordering::Relaxed);
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let values: Vec<f64> = (0..rows).map(|row| predicted(columns, row, self.version)).collect();
        match self.behaviour.split_once(' ').unwrap_or((&self.behaviour, "")) {
            ("class", _) => {
                let yes = |value: &f64| (value % 1000.0) / 1000.0;
                return Ok(Predictions::Probabilities(values.iter().flat_map(|v| [1.0 - yes(v), yes(v)]).collect()));
            }
            ("fails", "5%") if call % 20 == 7 => return Err(PredictError::Failed("it is the seventh".to_owned())),
            ("fails", "100%") => return Err(PredictError::Failed("it always does".to_owned())),
            ("slow", millis) => std::thread::sleep(Duration::from_millis(millis.parse().unwrap())),
            ("hangs", _) => {
                std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
                return Err(PredictError::TimedOut);
            }
            // Does not even look at its deadline.
            ("stuck", _) => std::thread::sleep(Duration::from_secs(3_600)),
            ("panics", _) => panic!("a model that panics"),
            ("nan", _) => return Ok(Predictions::Numbers(vec![f64::NAN; rows])),
            ("short", _) => return Ok(Predictions::Numbers(vec![])),
            ("picky", _) if values.iter().any(|value| value % 1000.0 >= 900.0) => {
                return Err(PredictError::BadInput("`temp` is hotter than anything it has seen".to_owned()));
            }
            ("picky", _) => std::thread::sleep(Duration::from_millis(2)),
            _ => {}
        }
        Ok(Predictions::Numbers(values))
    }
}

/// Keeps what was logged.
#[derive(Default)]
pub struct Log(pub Mutex<Vec<(String, Predicted)>>);

impl Sink for Log {
    fn predicted(&self, deployment: &str, batch: Predicted) {
        self.0.lock().unwrap().push((deployment.to_owned(), batch));
    }
}

fn column(name: &str, ty: Type, nullable: bool, bounds: Vec<Bound>) -> Column {
    Column { name: name.to_owned(), ty, nullable, unique: false, label: false, bounds }
}

/// `deploy production of demand`, on a port that the system chooses.
pub fn production() -> DeployNode {
    let hours = Value::Range { low: Value::Int(0).into(), high: Value::Int(23).into(), inclusive: true };
    let weather = ["clear", "mist", "rain"].map(str::to_owned).to_vec();
    let columns = vec![
        column("hr", Type::Int, false, vec![Bound::Within(hours)]),
        column("temp", Type::Float, false, vec![]),
        column("humid", Type::Float, true, vec![]),
        column("weather", Type::Enum(weather), false, vec![]),
        column("working", Type::Bool, false, vec![]),
        column("day", Type::Date, true, vec![]),
        column("user", Type::String, false, vec![]),
    ];
    DeployNode {
        model: NodeId(0),
        model_name: "demand".to_owned(),
        flavor: "regressor".to_owned(),
        row: Schema { name: None, columns },
        label: None,
        serve: Serve {
            host: "127.0.0.1".to_owned(),
            port: 0,
            replicas: 1,
            timeout: 10_000_000_000,
            batch: 256,
            sticky: None,
            log: true,
        },
        form: Default::default(),
        strategy: Strategy::Replace { watch: 0, check: None },
        rollback_within: 30_000_000_000,
    }
}

/// Version of the model `demand`.
pub fn version(version: u64) -> ModelVersion {
    ModelVersion {
        name: "demand".to_owned(),
        version,
        digest: Digest::of(b"stand-in"),
        flavor: "regressor".to_owned(),
        features: FEATURES.map(str::to_owned).to_vec(),
        pipeline: "bikes".to_owned(),
        run: version,
        source: "train.model".to_owned(),
        module: "std/regress".to_owned(),
        component: String::new(),
        gates: vec![],
        card: vec![],
        at: 0,
    }
}

/// A front with the deployment `production`.
pub struct World {
    pub front: Arc<Front>,
    pub address: SocketAddr,
    pub log: Arc<Log>,
    pub largest: Arc<AtomicUsize>,
}

impl World {
    /// Declared, listening, with these versions loaded; the first is stable.
    pub async fn new(node: DeployNode, versions: &[(u64, &str)]) -> World {
        let (models, log) = (Models::default(), Arc::<Log>::default());
        let largest = Arc::clone(&models.largest);
        let front = Front::new(Arc::new(models), LiveClock::standing_at(1_300_000_000_000), Arc::clone(&log) as _);
        front.declare("production", Arc::new(node));
        let address = front.listen().await.unwrap()[0];
        for (number, behaviour) in versions {
            front.load("production", version(*number), behaviour.as_bytes().to_vec()).await.unwrap();
        }
        let world = World { front, address, log, largest };
        world.route(versions.first().map(|(version, _)| *version), None, None);
        world
    }

    pub fn route(&self, stable: Option<u64>, candidate: Option<(u64, f64)>, mirror: Option<(u64, f64)>) {
        self.front.route("production", Routes { stable, candidate, mirror });
    }

    pub async fn client(&self) -> Client {
        Client::new(self.address).await
    }
}

/// A connection that is kept alive.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn version(&self) -> Option<u64> {
        self.header("x-mlp-version")?.parse().ok()
    }
}

impl Client {
    pub async fn new(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, buffer: Vec::new() }
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// The next answer; `None` when the connection ends first.
    pub async fn reply(&mut self) -> Option<Reply> {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                let mut reply = Reply { status, head, body: Vec::new() };
                let length: usize = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
                if self.buffer.len() >= end + 4 + length {
                    reply.body = self.buffer[end + 4..end + 4 + length].to_vec();
                    self.buffer.drain(..end + 4 + length);
                    return Some(reply);
                }
            }
            let mut piece = [0; 16 << 10];
            match self.stream.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.buffer.extend_from_slice(&piece[..n]),
            }
        }
    }

    pub async fn request(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> Reply {
        let mut bytes =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {}\r\n\r\n", body.len())
                .into_bytes();
        bytes.extend_from_slice(body);
        self.send(&bytes).await.unwrap();
        self.reply().await.expect("the connection ended without an answer")
    }

    pub async fn get(&mut self, path: &str) -> Reply {
        self.request("GET", path, "", b"").await
    }

    /// Plain rows, with more headers.
    pub async fn predict(&mut self, headers: &str, body: &str) -> Reply {
        self.request("POST", "/deployments/production/predict", headers, body.as_bytes()).await
    }

    /// An inference request.
    pub async fn infer(&mut self, body: &str) -> Reply {
        self.request("POST", "/v2/models/production/infer", "", body.as_bytes()).await
    }
}
