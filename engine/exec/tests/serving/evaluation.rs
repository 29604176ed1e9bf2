//! Trains and evaluates with the standard steps, then serves what was trained and holds one against the other.

use crate::serving::{Draw, entry, library, predictors};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use mlp_core::digest::Digest;
use mlp_core::executor::{ArtifactMeta, Cancel, Executor, Given, Job, Produced, StepLog, Task};
use mlp_core::predictor::{Cells, PredictionKind, Predictions, Predictors};
use mlp_exec::{WasmExecutor, WasmOptions};
use mlp_lang::pipeline::{Conduct, Limits, StepNode};
use mlp_lang::signature::{InputKind, ModuleSignature, OutputKind, ParamDefault};
use mlp_lang::types::{Schema, Type};
use mlp_lang::value::Value;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows of the table.
pub const ROWS: usize = 1_000;

/// What the models learn from. `sky` is text.
const FEATURES: [&str; 4] = ["hour", "temp", "sky", "wind"];

/// A table, and the steps of one standard module.
pub struct World {
    folder: tempfile::TempDir,
    executor: WasmExecutor,
    signature: Arc<ModuleSignature>,
    columns: Vec<Cells>,
}

struct Quiet;

impl StepLog for Quiet {
    fn line(&self, _: &str, _: &str) {}
    fn progress(&self, _: f64) {}
    fn metric(&self, _: &str, _: f64, _: Option<u64>) {}
}

impl World {
    /// `holes`: some cells of `temp` and `sky` are missing.
    pub fn new(module: &str, holes: bool) -> World {
        let folder = tempfile::tempdir().unwrap();
        let library = library();
        let signature = library.load(module).unwrap().signature.clone();
        let cache = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasm"));
        let executor = WasmExecutor::new(library, WasmOptions { cache, on_compile: None });
        let columns = write_table(&folder.path().join("rows.parquet"), holes);
        World { folder, executor, signature, columns }
    }

    /// Trains with `step`, evaluates on the same rows, serves: the evaluation's predictions, the served
    /// ones in one batch, and row by row.
    pub fn compare(&self, step: &str, flavor: &str, label: &str) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let rows =
            given(&self.folder.path().join("rows.parquet"), Type::Dataset(Schema { name: None, columns: vec![] }));
        let settings = [("label", Value::Column(label.into())), ("features", list(&FEATURES))];
        let trained = self.run(step, &settings, &[("train", rows.clone())]);
        let file = trained["model"].path.clone();
        let mut model = given(&file, Type::Model(flavor.into()));
        model.meta = trained["model"].meta.clone();
        let settings = [("label", Value::Column(label.into()))];
        let evaluated = self.run("evaluate", &settings, &[("model", model), ("data", rows)]);
        let column = if flavor == "regressor" { "prediction" } else { "probability" };
        let expected = read(&evaluated["predictions"].path, column);

        let bytes = std::fs::read(&file).unwrap();
        let entry = entry(&self.signature.name, flavor, &FEATURES);
        let served = predictors().load(&entry, &bytes, 1).expect("loads");
        let ask = |columns: &[Cells]| match served.predict(columns, Instant::now() + Duration::from_secs(60)) {
            Ok(Predictions::Numbers(numbers)) => numbers,
            // Of two classes the second is the positive one.
            Ok(Predictions::Probabilities(both)) => both.into_iter().skip(1).step_by(2).collect(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(matches!(served.output(), PredictionKind::Class(_)), flavor == "classifier");
        let each = (0..ROWS).flat_map(|row| ask(&self.columns.iter().map(|c| cell(c, row)).collect::<Vec<_>>()));
        (expected, ask(&self.columns), each.collect())
    }

    /// One step, with defaults for what is not set.
    fn run(&self, step: &str, set: &[(&str, Value)], inputs: &[(&str, Given)]) -> BTreeMap<String, Produced> {
        let signature = self.signature.step(step).expect("a step");
        let params = signature.params.iter().map(|param| {
            let set = set.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value.clone());
            let value = set.unwrap_or_else(|| match &param.default {
                Some(ParamDefault::Value(json)) => plain(json),
                _ => Value::Null,
            });
            (param.name.clone(), value)
        });
        let outputs = signature.outputs.iter().map(|output| {
            let ty = match &output.kind {
                OutputKind::Table(schema) => Type::Dataset(schema.clone()),
                OutputKind::Model(flavor) => Type::Model(flavor.clone()),
                OutputKind::Metrics { .. } => Type::Metrics(vec![]),
                OutputKind::SameAs(_) => panic!("no such step is tested"),
            };
            (output.name.clone(), ty)
        });
        assert!(signature.inputs.iter().all(|i| matches!(i.kind, InputKind::Dataset | InputKind::Model(_))));
        let node = StepNode {
            module: self.signature.name.clone(),
            version: self.signature.version.clone(),
            digest: self.signature.digest.clone(),
            step: step.to_owned(),
            params: params.collect(),
            inputs: Default::default(),
            outputs: outputs.collect(),
            limits: Limits::default(),
            conduct: Conduct::default(),
        };
        let work = self.folder.path().join(format!("{}-{step}", set.len()));
        let out = work.join("out");
        std::fs::create_dir_all(&out).unwrap();
        let job = Job {
            task: Task::Step(Arc::new(node)),
            node: step.to_owned(),
            attempt: 1,
            inputs: inputs.iter().map(|(name, given)| ((*name).to_owned(), given.clone())).collect(),
            work,
            out,
            fingerprint: Digest::of(step.as_bytes()),
            log: Arc::new(Quiet),
            cancel: Cancel::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.executor.run(job)).unwrap()
    }
}

fn given(path: &Path, ty: Type) -> Given {
    let format = if matches!(ty, Type::Dataset(_)) { "parquet" } else { "model" };
    let meta = ArtifactMeta { format: format.into(), rows: Some(ROWS as u64), ..ArtifactMeta::default() };
    Given { path: PathBuf::from(path), ty, meta }
}

fn list(names: &[&str]) -> Value {
    Value::List(names.iter().map(|name| Value::Column((*name).to_owned())).collect())
}

fn plain(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(is) => Value::Bool(*is),
        serde_json::Value::Number(number) if number.is_i64() => Value::Int(number.as_i64().unwrap_or_default()),
        serde_json::Value::Number(number) => Value::Float(number.as_f64().unwrap_or_default()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(plain).collect()),
        _ => Value::Null,
    }
}

fn cell(column: &Cells, row: usize) -> Cells {
    match column {
        Cells::Numbers(cells) => Cells::Numbers(vec![cells[row]]),
        Cells::Texts(cells) => Cells::Texts(vec![cells[row].clone()]),
    }
}

/// Gives the columns of [`FEATURES`] as a client would send them.
fn write_table(path: &Path, holes: bool) -> Vec<Cells> {
    let mut draw = Draw(5);
    let skies = ["clear", "cloud", "rain", "snow"];
    let (mut hour, mut temp, mut sky, mut wind) = (vec![], vec![], vec![], vec![]);
    let (mut demand, mut busy) = (vec![], vec![]);
    for _ in 0..ROWS {
        let hole = |draw: &mut Draw| holes && draw.below(8) == 0;
        let (h, t, s, w) = (draw.below(24) as i64, draw.unit(), draw.below(4) as usize, draw.unit());
        let noise = draw.unit() * 30.0;
        let y = (h * 3) as f64 + 90.0 * t - 20.0 * s as f64 * t + noise;
        hour.push(h);
        temp.push((!hole(&mut draw)).then_some(t));
        sky.push((!hole(&mut draw)).then_some(skies[s]));
        wind.push(w);
        demand.push(y);
        busy.push(if y > 60.0 { "yes" } else { "no" });
    }
    let columns: [(&str, ArrayRef); 6] = [
        ("hour", Arc::new(Int64Array::from(hour.clone()))),
        ("temp", Arc::new(Float64Array::from(temp.clone()))),
        ("sky", Arc::new(StringArray::from(sky.clone()))),
        ("wind", Arc::new(Float64Array::from(wind.clone()))),
        ("demand", Arc::new(Float64Array::from(demand))),
        ("busy", Arc::new(StringArray::from(busy))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    vec![
        Cells::Numbers(hour.iter().map(|h| *h as f64).collect()),
        Cells::Numbers(temp.iter().map(|t| t.unwrap_or(f64::NAN)).collect()),
        Cells::Texts(sky.iter().map(|s| s.map(String::from)).collect()),
        Cells::Numbers(wind),
    ]
}

fn read(path: &Path, column: &str) -> Vec<f64> {
    let file = std::fs::File::open(path).unwrap();
    let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut all = vec![];
    for batch in batches {
        let batch = batch.unwrap();
        let rows = batch.column_by_name("row").unwrap().as_primitive::<arrow_array::types::Int64Type>();
        assert!(rows.values().iter().copied().eq(all.len() as i64..(all.len() + batch.num_rows()) as i64));
        all.extend_from_slice(batch.column_by_name(column).unwrap().as_primitive::<Float64Type>().values());
    }
    all
}
