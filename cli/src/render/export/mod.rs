//! The compiled pipeline as a document that other programs may read: `mlp.pipeline/1`.
//!
//! Its shape is a promise of its own, published as `spec/pipeline.schema.json`: nothing inside of the checker or the engine
//! is written out as it is. What is added later is optional; what changes its meaning gets another number. The pictures and
//! the pages of a project are made from the same document, so that they cannot say something else.

mod edges;
mod nodes;
mod values;

use indexmap::IndexMap;
use mlp_lang::pipeline::Pipeline;
use mlp_lang::span::Source;
use serde::Serialize;

/// The document's version.
pub const SCHEMA: &str = "mlp.pipeline/1";

/// A whole checked file.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    pub schema: &'static str,
    /// The edition of the language.
    pub language: u32,
    /// As it was named on the command line.
    pub file: String,
    pub pipeline: Head,
    pub parameters: Vec<Parameter>,
    /// In topological order.
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Head {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    pub tags: IndexMap<String, String>,
}

/// A value twice: for programs, with durations in seconds, sizes in bytes, fractions of 1; and as it is written in a file.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    pub value: serde_json::Value,
    pub written: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    #[serde(flatten)]
    pub value: Written,
    /// Whether the command line gave it.
    pub overridden: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Node {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// One-based.
    pub line: usize,
    /// One-based, in characters.
    pub column: usize,
    /// Runs only if this holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Must end well before this may start.
    pub needs: Vec<String>,
    #[serde(flatten)]
    pub kind: Kind,
}

/// What a node is, under the key `kind`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Data(Data),
    Step(Step),
    Gate(Gate),
    Model(Model),
    Registry(Registry),
    Deploy(Deploy),
    Monitor(Monitor),
    Trigger(Trigger),
}

#[derive(Clone, Debug, Serialize)]
pub struct Data {
    pub source: Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_schema: Option<String>,
    pub columns: Vec<Column>,
    /// As written, without `expect`.
    pub expectations: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Address {
    /// `csv`, `parquet`
    pub form: &'static str,
    /// As written.
    pub path: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Column {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub nullable: bool,
    pub unique: bool,
    pub label: bool,
    /// As written: `in 1..=4`, `>= 0`.
    pub bounds: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Step {
    pub module: String,
    pub version: String,
    /// blake3 of the component, lower-case hex.
    pub digest: String,
    /// The step in the module.
    pub step: String,
    /// Every setting, defaults resolved.
    pub settings: IndexMap<String, Written>,
    pub inputs: IndexMap<String, Reference>,
    pub outputs: IndexMap<String, Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    pub retry: u32,
}

/// One output of one node.
#[derive(Clone, Debug, Serialize)]
pub struct Reference {
    pub node: String,
    pub output: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Output {
    #[serde(rename = "type")]
    pub ty: String,
    /// Of a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<Column>>,
    /// Of metrics: name and type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<IndexMap<String, String>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Gate {
    pub requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Requirement {
    /// As written, without `require`.
    pub condition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    pub unless_first: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Model {
    pub source: Reference,
    pub flavor: String,
    pub gates: Vec<String>,
    pub card: IndexMap<String, String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Registry {
    pub model: String,
    /// `latest`, a version's number, or the name of a deployment.
    pub pick: String,
    pub flavor: String,
    pub required: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Deploy {
    pub model: String,
    pub flavor: String,
    /// Of a row of a request.
    pub columns: Vec<Column>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    pub host: String,
    pub port: u16,
    pub replicas: u32,
    pub timeout_seconds: f64,
    pub strategy: Strategy,
    pub rollback_within_seconds: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Strategy {
    /// `replace`, `canary`, `blue_green`, `shadow`
    pub kind: &'static str,
    pub stages: Vec<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// `traffic`: answers this share of the requests; `watch`, `preview`, `keep`, `shadow`: as in the language.
    pub what: &'static str,
    /// Of 1.
    pub share: f64,
    /// How long; absent at the end of a canary, and where a person decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    pub until_promoted: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub every_seconds: f64,
    /// As written.
    pub conditions: Vec<String>,
    /// `wait`, `pass`, `fail`
    pub on_no_data: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct Monitor {
    pub deployment: String,
    pub every_seconds: f64,
    pub over_seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// As written, without `watch`.
    pub watches: Vec<String>,
    /// `wait`, `pass`, `fail`
    pub on_no_data: &'static str,
    pub cooldown_seconds: f64,
    pub breaches: Vec<Breach>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Breach {
    /// In a row.
    pub windows: u32,
    /// As written: `retrain(until: now)`.
    pub actions: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Trigger {
    pub on: Event,
    /// Of the run it starts, as written.
    pub parameters: IndexMap<String, String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Schedule { cron: String, zone: String },
    Change { data: String },
}

/// Why one node comes before another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    pub from: String,
    pub to: String,
    #[serde(rename = "kind")]
    pub what: Flow,
    /// The output that flows, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// An output is an input.
    Data,
    /// A metric decides: of a gate, or of a step's `when`.
    Metric,
    /// `after`: no more than the order.
    Order,
    /// A monitor watches a deployment.
    Watch,
    /// New data starts a run.
    Start,
}

/// The document of a checked file.
pub fn document(pipeline: &Pipeline, source: &Source) -> Document {
    let edition = mlp_lang::syntax::parse(source).file.edition.map_or(1, |edition| edition.number);
    Document {
        schema: SCHEMA,
        language: edition,
        file: source.path.to_string(),
        pipeline: Head {
            name: pipeline.name.clone(),
            about: pipeline.about.clone(),
            owner: pipeline.owner.clone(),
            tags: pipeline.tags.clone(),
        },
        parameters: pipeline
            .params
            .iter()
            .map(|(name, param)| Parameter {
                name: name.clone(),
                ty: param.ty.to_string(),
                value: values::written(&param.value),
                overridden: param.overridden,
            })
            .collect(),
        nodes: pipeline.nodes.iter().map(|node| nodes::node(pipeline, node, source)).collect(),
        edges: edges::edges(pipeline),
    }
}
