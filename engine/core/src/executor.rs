//! The traits that other crates fill: who runs steps, who reads tables.
//!
//! The contract of a step is the same for every executor: inputs are read-only files, parameters a JSON document,
//! outputs files under a private folder that nobody used before. An executor neither caches nor publishes: it leaves
//! files in [`Job::out`] and says what they are; the driver validates, hashes and publishes them.

use crate::digest::Digest;
use indexmap::IndexMap;
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::{Conduct, DataNode, Limits, NodeKind, Stat, StepNode};
use mlp_lang::types::{Column, Type};
use mlp_lang::value::Value;
use mlp_lang::work::{ProgramNode, Runner};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest command that is shown as it is, in characters.
const LONGEST_COMMAND: usize = 60;

/// Work that an executor can be given.
#[derive(Clone, Debug)]
pub enum Task {
    /// A step of a module.
    Step(Arc<StepNode>),
    /// A program in a container or a process.
    Program(Arc<ProgramNode>),
}

impl Task {
    /// What this node gives to an executor, if it does.
    pub fn of(kind: &NodeKind) -> Option<Task> {
        match kind {
            NodeKind::Step(step) => Some(Task::Step(step.clone())),
            NodeKind::Program(program) => Some(Task::Program(program.clone())),
            _ => None,
        }
    }

    /// What it must give, by name.
    pub fn outputs(&self) -> &IndexMap<String, Type> {
        match self {
            Task::Step(step) => &step.outputs,
            Task::Program(program) => &program.outputs,
        }
    }

    /// Its settings, by name.
    pub fn params(&self) -> &IndexMap<String, Value> {
        match self {
            Task::Step(step) => &step.params,
            Task::Program(program) => &program.params,
        }
    }

    /// What it may use at most.
    pub fn limits(&self) -> &Limits {
        match self {
            Task::Step(step) => &step.limits,
            Task::Program(program) => &program.limits,
        }
    }

    /// How it is treated.
    pub fn conduct(&self) -> &Conduct {
        match self {
            Task::Step(step) => &step.conduct,
            Task::Program(program) => &program.conduct,
        }
    }

    /// For people, after the node's name: `std/classify.evaluate`, `process cp in/rows out/copy`. Long commands are cut.
    pub fn describe(&self) -> String {
        match self {
            Task::Step(step) => format!("{}.{}", step.module, step.step),
            Task::Program(program) => match &program.runner {
                Runner::Process => format!("process {}", self.command()),
                Runner::Docker(image) => format!("docker {image}"),
                Runner::Build(folder) => format!("docker build of {folder}"),
            },
        }
    }

    /// The words of a program's command as one line, cut if it is long; empty of a module's step.
    pub fn command(&self) -> String {
        let Task::Program(program) = self else { return String::new() };
        let plain = |word: &str| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c.is_control());
        let words = program.run.iter().map(|word| if plain(word) { word.clone() } else { format!("{word:?}") });
        let line = words.collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(LONGEST_COMMAND) {
            Some((end, _)) => format!("{}...", &line[..end]),
            None => line,
        }
    }
}

/// Runs steps of one kind.
#[async_trait::async_trait]
pub trait Executor: Send + Sync {
    /// `wasm`, `docker`, `process`.
    fn name(&self) -> &'static str;

    /// Everything about *what runs* that can change a result, by name, for the fingerprint and its explanation:
    /// `component -> blake3:...`, `module -> std/classify 0.1.0`, `world -> mlp:step@1.0.0`. Cheap: no compilation.
    fn identity(&self, task: &Task) -> BTreeMap<String, String>;

    /// Does the work. Must stop soon after `job.cancel` is set. Blocking work belongs on a blocking thread.
    async fn run(&self, job: Job) -> Result<BTreeMap<String, Produced>, StepError>;
}

/// One attempt at one step.
#[derive(Clone)]
pub struct Job {
    /// What to run.
    pub task: Task,
    /// The node's name, for messages.
    pub node: String,
    /// One-based.
    pub attempt: u32,
    /// What the step reads, by input name.
    pub inputs: BTreeMap<String, Given>,
    /// A private folder, empty, that exists for this attempt alone. The executor may use all of it.
    pub work: PathBuf,
    /// Where outputs go: a folder in `work`, empty.
    pub out: PathBuf,
    /// Identity of the work: the seed of everything that would be random.
    pub fingerprint: Digest,
    /// Where the step's log lines, progress and live metrics go.
    pub log: Arc<dyn StepLog>,
    /// Set when the attempt must stop.
    pub cancel: Cancel,
}

/// An input file.
#[derive(Clone, Debug)]
pub struct Given {
    /// A read-only file. Never to be changed, moved or deleted. A `folder` of the project is a folder; one that a step gave
    /// is a file of [`crate::folder`].
    pub path: PathBuf,
    /// What it holds.
    pub ty: Type,
    /// What its maker said about it. The format is empty of a file or folder of the project, which nobody made.
    pub meta: ArtifactMeta,
}

/// An output file.
#[derive(Clone, Debug)]
pub struct Produced {
    /// In [`Job::out`].
    pub path: PathBuf,
    /// What its maker says about it.
    pub meta: ArtifactMeta,
}

/// What is known of an artifact beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ArtifactMeta {
    /// `parquet`, `json`, `model`, `file`, `folder`.
    pub format: String,
    /// Rows of a table.
    pub rows: Option<u64>,
    /// Flavor of a model: `classifier`.
    pub flavor: Option<String>,
    /// Columns a model needs, in order.
    pub features: Vec<String>,
}

/// Why an attempt gave nothing. Each variant's text is for the user: what, on what, why, what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StepError {
    /// The step says that its input or setting is wrong: no retry helps.
    #[error("{message}")]
    BadInput {
        /// Setting or input at fault.
        param: Option<String>,
        /// Column at fault.
        column: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// The step failed by itself: no retry helps.
    #[error("{0}")]
    Failed(String),
    /// The step asks to be tried again.
    #[error("{0}")]
    Transient(String),
    /// It ran into its time limit.
    #[error("ran into its time limit of {limit:?}")]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// It ran into its memory limit.
    #[error("ran into its memory limit of {limit} bytes: {message}")]
    OutOfMemory {
        /// The limit in bytes.
        limit: u64,
        /// What it asked for.
        message: String,
    },
    /// It was told to stop.
    #[error("cancelled")]
    Cancelled,
    /// Not the step's fault: the machine's, the engine's. What failed, on what, why.
    #[error("{0}")]
    Operational(String),
}

/// Takes what a step says while it runs. Must be cheap and never block for long.
pub trait StepLog: Send + Sync {
    /// A line of its log. `level` is `debug`, `info`, `warn`, `error`, or `stdout`, `stderr`.
    fn line(&self, level: &str, message: &str);
    /// How far it is, 0 to 1.
    fn progress(&self, fraction: f64);
    /// A number it wants seen now, at an optional iteration.
    fn metric(&self, name: &str, value: f64, at: Option<u64>);
    /// What the attempt used, told once, at its end. Nobody has to be interested.
    fn usage(&self, _: Usage) {}
}

/// What an attempt used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Time on processors, of user and system together, with all that it started and waited for.
    pub cpu: Duration,
    /// The most memory that it held at once, in bytes; 0 if that is not known.
    pub memory: u64,
    /// The code that a program ended with; none if a signal ended it, and of what is no program.
    pub exit: Option<i32>,
}

/// A flag that stops work. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ask everything that holds a clone to stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Reads tables from outside, and knows their statistics.
pub trait Tables: Send + Sync {
    /// What about the reader can change a result: `reader -> csv 1`. For the fingerprint.
    fn identity(&self, data: &DataNode) -> BTreeMap<String, String>;

    /// Reads the file at `path` into Parquet at `out` by the declared schema, checking every cell. On any finding,
    /// nothing at `out` is used. `shown` is the path for messages. Findings carry file, row and column and are capped
    /// in number (the cap is told). IO faults are findings too: missing, a folder, no permission.
    fn import(&self, data: &DataNode, path: &Path, shown: &str, out: &Path) -> Result<Imported, Vec<Finding>>;

    /// The columns and the row count of a Parquet file that a step wrote, or why it cannot be read.
    fn inspect(&self, path: &Path) -> Result<TableInfo, String>;
}

/// What came in.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Rows of the table.
    pub rows: u64,
    /// A value for each statistic that the declared expectations ask for; for [`Stat::Fresh`] the newest value itself
    /// (a `Date` or `Time`), since age is a matter of when one asks. `None` is missing.
    pub stats: Vec<(Stat, Option<Value>)>,
}

/// What a table holds.
#[derive(Clone, Debug)]
pub struct TableInfo {
    /// In order. `ty` is the storage type; enums appear as strings.
    pub columns: Vec<Column>,
    /// How many.
    pub rows: u64,
}
