//! Steps that are no modules: programs in containers and processes, queries, and steps for each value of a list.
//!
//! These are plain data that an engine carries out. One that cannot says so before anything runs
//! ([`crate::capability`]).

use crate::pipeline::{Conduct, Limits, NodeId, OutputRef, StepNode};
use crate::types::Type;
use crate::value::Value;
use crate::written::quoted;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// `docker("acme/train:1.4") { run = [...] }`, `process(["python", "train.py"])`: a program that reads files and writes
/// files, by the contract of `spec/08-steps.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgramNode {
    /// Where it runs.
    pub runner: Runner,
    /// The words of the command, holes filled. Empty: what the image starts by itself.
    pub run: Vec<String>,
    /// `with { lr: 0.1 }`: what stands in `/mlp/params.json`.
    pub params: IndexMap<String, Value>,
    /// `in { rows: split.train }`
    pub inputs: IndexMap<String, ProgramInput>,
    /// `out { clf: model<onnx> }`: what must be there, and fit, when it ends.
    pub outputs: IndexMap<String, Type>,
    /// `env = { LANG: "C.UTF-8" }`, holes filled.
    pub env: IndexMap<String, String>,
    /// `secrets = { TOKEN: db_token }`: by the name that the program sees. Never part of a fingerprint, a log or a record.
    pub secrets: IndexMap<String, SecretSource>,
    /// What it may connect to.
    pub network: Network,
    /// `platform = "linux/amd64"`; none: that of the machine.
    pub platform: Option<String>,
    /// Limits; not part of the fingerprint.
    pub limits: Limits,
    /// Caching and labels.
    pub conduct: Conduct,
}

/// Where a program runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runner {
    /// `docker("acme/train:1.4")`
    Docker(Image),
    /// `docker(build: "./train")`: the folder of a Dockerfile, as written.
    Build(String),
    /// `process([...])`: on the machine itself, without a sandbox; the file allows it.
    Process,
}

/// A container image as it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// `ghcr.io`, `localhost:5000`; none: Docker Hub.
    pub registry: Option<String>,
    /// `acme/train`
    pub repository: String,
    /// `1.4`
    pub tag: Option<String>,
    /// `sha256:...`: names the very bytes.
    pub digest: Option<String>,
}

impl Display for Image {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Where an input of a program comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgramInput {
    /// What another node gives.
    Output {
        /// Which one.
        from: OutputRef,
        /// What it is.
        ty: Type,
    },
    /// `file("train.py")`: a file of the project, as written; relative paths start at the `.mlp` file's folder.
    File(String),
    /// `folder("src")`: likewise, with all that is in it.
    Folder(String),
}

impl ProgramInput {
    /// The node that it comes from, if it comes from one.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            ProgramInput::Output { from, .. } => Some(from.node),
            ProgramInput::File(_) | ProgramInput::Folder(_) => None,
        }
    }
}

/// What a program may connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// Nothing.
    #[default]
    None,
    /// `network = ["pypi.org:443"]`: hosts with their ports.
    Hosts(Vec<String>),
    /// `network = true`
    All,
}

/// Where a secret is found when it is needed. The value itself is never in a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// `env("TOKEN")`: a variable in the engine's environment.
    Env(String),
    /// `file("/run/secrets/token")`: a file's text without the newline at its end.
    File(String),
    /// `command(["pass", "show", "token"])`: what a program prints, likewise.
    Command(Vec<String>),
}

impl Display for SecretSource {
    /// Where it is found, for messages: `env("TOKEN")`. Of a command only the program's name, since its words may say more.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            SecretSource::Env(name) => write!(f, "env({})", quoted(name)),
            SecretSource::File(path) => write!(f, "file({})", quoted(path)),
            SecretSource::Command(words) => {
                write!(f, "command([{}, ...])", quoted(words.first().map_or("", String::as_str)))
            }
        }
    }
}

/// `sql """select ..."""`: one query over tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryNode {
    /// The query, holes filled.
    pub text: String,
    /// The tables by the name that the query gives them: `customers`, `split.train`.
    pub tables: IndexMap<String, OutputRef>,
    /// One table, `rows`.
    pub outputs: IndexMap<String, Type>,
    /// Limits; not part of the fingerprint.
    pub limits: Limits,
    /// Caching and labels.
    pub conduct: Conduct,
}

/// `step part = trainer.fit(rows, lr: lr) for lr in [0.1, 0.2]`: the same work for each value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FanNode {
    /// What each value is called.
    pub variable: String,
    /// The values, in the order written, without doubles.
    pub values: Vec<Value>,
    /// What is done for each, in the same order.
    pub members: Vec<Work>,
    /// What is collected: tables are all rows, models and metrics are lists, in the order of the values.
    pub outputs: IndexMap<String, Type>,
}

/// What a step does, whichever kind it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A module's step.
    Step(StepNode),
    /// A program.
    Program(Box<ProgramNode>),
    /// A query.
    Query(QueryNode),
}

impl Work {
    /// The nodes whose outputs it reads, each as often as it is read.
    pub fn reads(&self) -> Vec<NodeId> {
        match self {
            Work::Step(step) => step.inputs.values().map(|from| from.node).collect(),
            Work::Program(program) => program.inputs.values().filter_map(ProgramInput::node).collect(),
            Work::Query(query) => query.tables.values().map(|from| from.node).collect(),
        }
    }

    /// How it is treated.
    pub fn conduct(&self) -> &Conduct {
        match self {
            Work::Step(step) => &step.conduct,
            Work::Program(program) => &program.conduct,
            Work::Query(query) => &query.conduct,
        }
    }

    /// What it may use.
    pub fn limits(&self) -> &Limits {
        match self {
            Work::Step(step) => &step.limits,
            Work::Program(program) => &program.limits,
            Work::Query(query) => &query.limits,
        }
    }

    /// What it gives, by name.
    pub fn outputs(&self) -> &IndexMap<String, Type> {
        match self {
            Work::Step(step) => &step.outputs,
            Work::Program(program) => &program.outputs,
            Work::Query(query) => &query.outputs,
        }
    }
}

/// A place where rows lie that is not a path of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// `https`, `s3`, `gs` or `az`.
    pub scheme: String,
    /// `endpoint: "https://minio:9000"`
    pub endpoint: Option<String>,
    /// `region: "eu-west-1"`
    pub region: Option<String>,
    /// `token: secret`
    pub token: Option<SecretSource>,
}

/// What is done with columns that look like personal data: `pii quarantine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pii {
    /// A table with such a cell is refused.
    Deny,
    /// Such cells are replaced.
    Mask,
    /// Rows with such a cell are set aside.
    Quarantine,
    /// Nothing: the author knows of them.
    Allow,
}
