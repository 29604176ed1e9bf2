//! The compiled pipeline as a document that other programs may read: `mlp.pipeline/1`.
//!
//! Its shape is a promise of its own, published as `spec/pipeline.schema.json`: nothing inside of the checker or the engine
//! is written out as it is. What is added later is optional; what changes its meaning gets another number. The pictures and
//! the pages of a project are made from the same document, so that they cannot say something else.

mod edges;
mod live;
mod nodes;
mod steps;
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
    pub tests: Vec<Test>,
}

/// What is expected of the pipeline with other data.
#[derive(Clone, Debug, Serialize)]
pub struct Test {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// One-based.
    pub line: usize,
    /// As written, without `expect`.
    pub expectations: Vec<String>,
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
    Step(Box<Step>),
    Tune(Box<Tune>),
    Gate(Gate),
    Model(Model),
    Registry(Registry),
    Deploy(Box<Deploy>),
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
    /// `deny`, `mask`, `quarantine`, `allow`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pii: Option<&'static str>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Address {
    /// `csv`, `parquet`, `json_lines`, `sql`, `output`
    pub form: &'static str,
    /// A path or an address, as written; absent for the output of a step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Of `sql`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Of `output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Reference>,
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
    pub does: Work,
    pub inputs: IndexMap<String, Input>,
    pub outputs: IndexMap<String, Output>,
    pub limits: Limits,
    /// Whether a known result is used again.
    pub cache: bool,
    pub tags: IndexMap<String, String>,
}

/// What a step does, under the key `form`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Work {
    /// A step of a module.
    Module {
        module: String,
        version: String,
        /// blake3 of the component, lower-case hex.
        digest: String,
        /// The step in the module.
        step: String,
        /// Every setting, defaults resolved.
        settings: IndexMap<String, Written>,
    },
    /// A program in a container or a process.
    Program {
        /// `docker`, `build`, `process`
        runner: &'static str,
        /// The image, or the folder that it is built from.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// The words of its command.
        run: Vec<String>,
        settings: IndexMap<String, Written>,
        /// The names of what is in its environment; no values, since some are secrets.
        environment: Vec<String>,
        /// `none`, `all`, or the hosts.
        network: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        platform: Option<String>,
    },
    /// A query over its inputs.
    Query { sql: String },
    /// The same for each value.
    Fan { variable: String, values: Vec<Written>, each: Box<Work> },
}

/// At most.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    pub gpu: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_seconds: Option<f64>,
    pub retry: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_seconds: Option<f64>,
}

/// Where an input comes from.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Input {
    Output(Reference),
    File { file: String },
    Folder { folder: String },
}

/// A search for the best settings of a step.
#[derive(Clone, Debug, Serialize)]
pub struct Tune {
    pub over: String,
    /// What runs anew in each trial.
    pub again: Vec<String>,
    /// What is tried, by setting, as written.
    pub space: IndexMap<String, String>,
    pub maximize: bool,
    /// As written.
    pub goal: String,
    pub trials: u32,
    pub parallel: u32,
    pub seed: i64,
    /// `none`, `asha`, `median`
    pub prune: &'static str,
    /// Of the best trial.
    pub outputs: IndexMap<String, Output>,
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
    pub policies: Vec<Policy>,
    pub approvals: Vec<Approval>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Policy {
    /// As written.
    pub path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Approval {
    /// How many of the people.
    pub count: u32,
    pub people: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_seconds: Option<f64>,
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
    pub serve: Serve,
    pub strategy: Strategy,
    pub rollback_within_seconds: f64,
}

/// What a deployment predicts for, under the key `form`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum Serve {
    Online {
        host: String,
        port: u16,
        replicas: u32,
        timeout_seconds: f64,
    },
    Batch {
        rows: Reference,
        /// Where its predictions go, as written.
        to: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        every_seconds: Option<f64>,
    },
    Stream {
        from: String,
        to: String,
    },
}

#[derive(Clone, Debug, Serialize)]
pub struct Strategy {
    /// `replace`, `canary`, `blue_green`, `shadow`, `ab`
    pub kind: &'static str,
    pub stages: Vec<Stage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Check>,
    /// Of `ab`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Experiment>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Experiment {
    pub maximize: bool,
    /// As written.
    pub goal: String,
    /// Of 1.
    pub significance: f64,
    /// Of 1.
    pub power: f64,
    /// The smallest difference worth acting on, as written.
    pub smallest: String,
    /// `wait`, `pass`, `fail`
    pub on_no_data: &'static str,
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
    Schedule {
        cron: String,
        zone: String,
    },
    Change {
        data: String,
    },
    /// `signed`: a request must prove that it knows the secret.
    Webhook {
        name: String,
        signed: bool,
    },
    Commit {
        branch: String,
    },
    End {
        pipeline: String,
    },
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
        tests: pipeline
            .tests
            .iter()
            .map(|test| Test {
                name: test.name.clone(),
                doc: test.doc.clone(),
                line: source.line_column(test.span.start).0,
                expectations: test.expectations.iter().map(|expected| expected.text.clone()).collect(),
            })
            .collect(),
    }
}
