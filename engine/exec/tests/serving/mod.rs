//! Models for the tests and the benchmark of serving, and how to load them.

use mlp_core::digest::Digest;
use mlp_core::predictor::{Cells, Predictor, Predictors};
use mlp_core::record::ModelVersion;
use mlp_exec::{Library, PredictorOptions, WasmPredictors};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// The probe's name in pipelines that lie beside it.
pub const PROBE: &str = "probe.wasm";

/// The registry's entry of a model of this module.
pub fn entry(module: &str, flavor: &str, features: &[&str]) -> ModelVersion {
    ModelVersion {
        name: "demand".into(),
        version: 3,
        digest: Digest::of(b"model"),
        flavor: flavor.into(),
        features: features.iter().map(ToString::to_string).collect(),
        pipeline: "bikes".into(),
        run: 1,
        source: "train.model".into(),
        module: module.into(),
        component: if module == PROBE { probe_digest() } else { Digest::of(b"an older one").to_string() },
        gates: vec![],
        card: vec![],
        at: 0,
    }
}

/// The standard components, and plugins of the folder that the probe was built into.
pub fn library() -> Arc<Library> {
    let folder = Path::new(mlp_stdlib::PROBE).parent().expect("a folder");
    Arc::new(Library::new(mlp_stdlib::components(), folder))
}

fn probe_digest() -> String {
    Digest::of(&std::fs::read(mlp_stdlib::PROBE).expect("the probe")).to_string()
}

/// All tests share an engine and what it has compiled.
pub fn predictors() -> &'static WasmPredictors {
    static PREDICTORS: OnceLock<WasmPredictors> = OnceLock::new();
    PREDICTORS.get_or_init(|| {
        let cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasm"));
        WasmPredictors::new(library(), PredictorOptions { cache, memory: 256 << 20, ..PredictorOptions::default() })
    })
}

/// A model of this file, with replicas.
pub fn load(entry: &ModelVersion, file: &Json, replicas: u32) -> Result<Arc<dyn Predictor>, String> {
    predictors().load(entry, file.to_string().as_bytes(), replicas)
}

/// The file of a regressor whose trees all have this depth: each inner node asks one column, each leaf adds a number.
pub fn trees(count: usize, depth: u32, features: &[&str]) -> Json {
    let mut draw = Draw(count as u64);
    let inner = (1_usize << depth) - 1;
    let node = |at: usize, draw: &mut Draw| match at < inner {
        true => json!({
            "column": draw.below(features.len() as u64), "below": draw.unit(),
            "left": 2 * at + 1, "right": 2 * at + 2, "missing": 2 * at + 1 + draw.below(2) as usize,
        }),
        false => json!({ "value": draw.unit() - 0.5 }),
    };
    let trees: Vec<Json> = (0..count).map(|_| (0..2 * inner + 1).map(|at| node(at, &mut draw)).collect()).collect();
    let columns: Vec<Json> = features.iter().map(|name| json!({ "name": name, "kind": "number" })).collect();
    json!({
        "format": 1, "flavor": "regressor", "algorithm": "gradient_boosting", "label": "y", "classes": [],
        "encoding": { "missing": "kept", "features": columns },
        "learned": { "kind": "trees", "base": 0.25, "trees": trees },
    })
}

/// What a file of [`trees`] predicts for a row, by the book.
pub fn by_the_book(file: &Json, row: &[f64]) -> f64 {
    let number = |json: &Json| json.as_f64().expect("a number");
    let leaf = |tree: &Json| {
        let mut at = 0;
        loop {
            let node = &tree[at];
            if let Some(value) = node["value"].as_f64() {
                return value;
            }
            let x = row[node["column"].as_u64().expect("a column") as usize];
            let way = if x.is_nan() {
                "missing"
            } else if x < number(&node["below"]) {
                "left"
            } else {
                "right"
            };
            at = node[way].as_u64().expect("a node") as usize;
        }
    };
    let trees = file["learned"]["trees"].as_array().expect("trees");
    trees.iter().fold(number(&file["learned"]["base"]), |sum, tree| sum + leaf(tree))
}

/// Columns of numbers from 0 to 1; one of ten is missing if `holes`.
pub fn numbers(columns: usize, rows: usize, holes: bool) -> Vec<Cells> {
    let mut draw = Draw(rows as u64);
    let mut cell = || match holes && draw.below(10) == 0 {
        true => f64::NAN,
        false => draw.unit(),
    };
    (0..columns).map(|_| Cells::Numbers((0..rows).map(|_| cell()).collect())).collect()
}

/// One row of [`numbers`].
pub fn row(columns: &[Cells], row: usize) -> Vec<f64> {
    let cell = |column: &Cells| match column {
        Cells::Numbers(cells) => cells[row],
        Cells::Texts(_) => f64::NAN,
    };
    columns.iter().map(cell).collect()
}

/// Numbers that look random and are always the same.
pub struct Draw(pub u64);

impl Draw {
    /// From 0 to one less than this.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// From 0 to 1.
    pub fn unit(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }
}
