//! The checked pipeline: what `lang` hands to the engine.
//!
//! Every name is resolved, every type checked, every setting explicit, and the nodes stand in topological order. Nothing
//! in here refers back to the syntax except spans for messages.

use crate::live::{DeployNode, LiveMetric, MonitorNode, RegistryNode, TriggerNode};
use crate::span::Span;
use crate::testing::TestCase;
use crate::tune::TuneNode;
use crate::types::{Comparison, Schema, Type};
use crate::value::Value;
use crate::work::{FanNode, Pii, ProgramNode, QueryNode, Remote, SecretSource};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Index into [`Pipeline::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub u32);

impl NodeId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A whole checked file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// `pipeline churn { ... }`; without one, the file's stem.
    pub name: String,
    /// `about`, `owner`; free text.
    pub about: Option<String>,
    /// Who to ask.
    pub owner: Option<String>,
    /// `tags = { team: "growth" }`.
    pub tags: IndexMap<String, String>,
    /// Parameters with the value they have in this run, in the order written.
    pub params: IndexMap<String, Param>,
    /// The graph in a topological order (ties in the order written). `nodes[i].id.0 == i`. What only the resident engine
    /// lives through stands last.
    pub nodes: Vec<Node>,
    /// `test "..." { ... }`, in the order written. A run has nothing to do with them.
    #[serde(default)]
    pub tests: Vec<TestCase>,
}

/// A parameter with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Declared type.
    pub ty: Type,
    /// The default, or what the command line said.
    pub value: Value,
    /// Whether the command line said it.
    pub overridden: bool,
}

/// One vertex of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its place in [`Pipeline::nodes`].
    pub id: NodeId,
    /// As declared; unique among all nodes.
    pub name: String,
    /// The `##` comment above it.
    pub doc: Option<String>,
    /// Where its name stands in the file.
    pub span: Span,
    /// Everything that must end well before this may start, sorted, without doubles: data flow, `after`, `when`.
    pub needs: Vec<NodeId>,
    /// `when COND`: run only if true at run time. A condition on parameters alone is folded to a constant.
    pub when: Option<Expr>,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// `data`: a table read from outside, checked. Its one output is named `rows`.
    Data(DataNode),
    /// `step`: work of a module.
    Step(Arc<StepNode>),
    /// `step`: a program in a container or a process.
    Program(Arc<ProgramNode>),
    /// `step`: a query over tables.
    Query(Arc<QueryNode>),
    /// `step ... for x in list`: the same work for each value.
    Fan(Arc<FanNode>),
    /// `tune`: work done again and again with other settings. Its outputs are those of the best trial.
    Tune(Arc<TuneNode>),
    /// `gate`: a decision.
    Gate(GateNode),
    /// `model`: an entry in the registry.
    Model(ModelNode),
    /// `registry("demand@production")`: a model that an earlier run registered.
    Registry(RegistryNode),
    /// `deploy`: takes the model live. A run hands it over; the resident engine does the rest.
    Deploy(Arc<DeployNode>),
    /// `monitor`: watches a deployment. Only the resident engine lives through it.
    Monitor(Arc<MonitorNode>),
    /// `on schedule`, `on webhook` and the like: runs the pipeline again. Only the resident engine lives through it.
    Trigger(TriggerNode),
}

impl NodeKind {
    /// Lived through by the resident engine alone: a run has nothing to do with it.
    pub fn is_resident(&self) -> bool {
        matches!(self, NodeKind::Monitor(_) | NodeKind::Trigger(_))
    }
}

impl Pipeline {
    /// The nodes that a run carries out: all before the first that only the resident engine lives through.
    pub fn batch(&self) -> &[Node] {
        let end = self.nodes.iter().position(|node| node.kind.is_resident()).unwrap_or(self.nodes.len());
        &self.nodes[..end]
    }
}

/// `data customers: Customer { source = csv("...") expect ... }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataNode {
    /// What the rows must look like.
    pub schema: Schema,
    /// Where they come from.
    pub source: DataSource,
    /// What the whole table must satisfy.
    pub expectations: Vec<Expectation>,
    /// `pii quarantine`; nobody looks unless it is said.
    #[serde(default)]
    pub pii: Option<Pii>,
}

/// Where rows come from. Paths are as written; relative ones start at the `.mlp` file's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSource {
    /// `csv("path", delimiter: ",", missing: ["", "?"])`
    Csv {
        /// As written.
        path: String,
        /// One ASCII byte; `,` unless told.
        delimiter: u8,
        /// Cells with one of these texts are missing; only the empty cell unless told.
        missing: Vec<String>,
    },
    /// `parquet("path")`
    Parquet {
        /// As written.
        path: String,
    },
    /// `json_lines("path")`: an object a line.
    JsonLines {
        /// As written.
        path: String,
    },
    /// `csv("s3://bucket/rows.csv", region: "eu-west-1")`: one of the above, whose path is an address.
    Remote {
        /// How it is reached.
        remote: Remote,
        /// How it is read.
        format: Box<DataSource>,
    },
    /// `sql("postgres://host/db", query: "...", password: secret)`
    Database {
        /// The address, without a password.
        address: String,
        /// What is asked.
        query: String,
        /// The password, if one is needed.
        password: Option<SecretSource>,
    },
    /// `source = prepare.rows`: the table that a step gives.
    Output(OutputRef),
}

impl DataSource {
    /// The path or address as written; empty of a step's output.
    pub fn path(&self) -> &str {
        match self {
            DataSource::Csv { path, .. } | DataSource::Parquet { path } | DataSource::JsonLines { path } => path,
            DataSource::Remote { format, .. } => format.path(),
            DataSource::Database { address, .. } => address,
            DataSource::Output(_) => "",
        }
    }
}

/// `expect rows >= 1_000`: `condition` is boolean over [`Expr::Stat`], judged on the whole table; or
/// `expect age in 18..=120`: a bound for each present cell, which the checker has already folded into the column's
/// `bounds` in [`DataNode::schema`] and which therefore never appears here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    /// The condition.
    pub condition: Expr,
    /// As the author wrote it, for messages.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A step ready to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepNode {
    /// The module: `std/classify`, or a plugin's path as written.
    pub module: String,
    /// Its semantic version, for messages; the digest is what counts.
    pub version: String,
    /// blake3 of the component, lower-case hex.
    pub digest: String,
    /// The step in it: `evaluate`.
    pub step: String,
    /// Every setting of the signature, defaults resolved, by name.
    pub params: IndexMap<String, Value>,
    /// Where each input comes from, by name.
    pub inputs: IndexMap<String, OutputRef>,
    /// What it gives, by name, with schemas computed.
    pub outputs: IndexMap<String, Type>,
    /// Limits; not part of the fingerprint.
    pub limits: Limits,
    /// Caching and labels.
    #[serde(default)]
    pub conduct: Conduct,
}

/// How a step is treated, whatever it does; not part of the fingerprint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conduct {
    /// `cache = false`: it runs each time.
    pub cache: bool,
    /// `tags = { team: "growth" }`: shown, and carried to where the step runs.
    pub tags: IndexMap<String, String>,
}

impl Default for Conduct {
    fn default() -> Conduct {
        Conduct { cache: true, tags: IndexMap::new() }
    }
}

/// What a step may use at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// `timeout = 30m`, in nanoseconds: how long one attempt may take. None: no limit.
    pub timeout: Option<i64>,
    /// `memory = 4GiB`, in bytes. None: the executor's default.
    pub memory: Option<u64>,
    /// `deadline = 2h`, in nanoseconds: how long all attempts may take together, with the waits between them. None: no limit.
    #[serde(default)]
    pub deadline: Option<i64>,
    /// `retry = 3`: how often a step that failed for now is started again.
    pub retry: u32,
    /// `backoff = 10s`, in nanoseconds: how long to wait before it is started again, doubled each time. None: the engine's.
    #[serde(default)]
    pub backoff: Option<i64>,
    /// `cpu = 2`: processors, more than 0. None: what is free.
    #[serde(default)]
    pub cpu: Option<f64>,
    /// `gpu = 1`: whole devices.
    #[serde(default)]
    pub gpu: u32,
}

/// One output of one node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OutputRef {
    /// Who gives it.
    pub node: NodeId,
    /// Under which name.
    pub output: String,
}

/// `gate quality { require eval.auc >= 0.85 because "..."  approve by "ml-lead" }`: everything in it must say yes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GateNode {
    /// All must hold.
    pub requirements: Vec<Requirement>,
    /// All must allow it.
    #[serde(default)]
    pub policies: Vec<Policy>,
    /// All must be given. People are asked once everything else holds.
    #[serde(default)]
    pub approvals: Vec<Approval>,
}

/// `require policy("policies/release.rego") because "..."`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// As written; a relative one starts at the `.mlp` file's folder.
    pub path: String,
    /// `because "..."`.
    pub because: Option<String>,
    /// Where.
    pub span: Span,
}

/// `approve by 2 of ["ml-lead", "domain-risk"] within 3d`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// How many must say yes: between 1 and the number of people.
    pub count: u32,
    /// Of whom; no name twice.
    pub people: Vec<String>,
    /// Without an answer after so long the gate says no, in nanoseconds. `None`: it waits.
    pub within: Option<i64>,
    /// Where.
    pub span: Span,
}

/// One line of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Boolean over [`Expr::Metric`] and constants.
    pub condition: Expr,
    /// As the author wrote it.
    pub text: String,
    /// `because "..."`.
    pub because: Option<String>,
    /// `unless first`: waived when a step it reads was skipped because what it reads from the registry does not exist yet.
    pub unless_first: bool,
    /// Where.
    pub span: Span,
}

/// `model churn = train.model after quality { card { ... } }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelNode {
    /// The model.
    pub source: OutputRef,
    /// Its flavor, for the registry.
    pub flavor: String,
    /// The gates that must have passed.
    pub gates: Vec<NodeId>,
    /// The model card, free text by key.
    pub card: IndexMap<String, String>,
}

/// A checked expression whose value is known only at run time. Anything constant is already folded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A value.
    Const(Value),
    /// A number a step gave.
    Metric(MetricRef),
    /// A number about a table; only inside an expectation.
    Stat(Stat),
    /// A number about a deployment; only inside checks and watches.
    Live(LiveMetric),
    /// `not a`
    Not(Box<Expr>),
    /// `-a`
    Negate(Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `a >= b`
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `a in b`: b is a list or a range.
    In(Box<Expr>, Box<Expr>),
    /// `a + b` and the like.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `a ?? b`: b when a is missing.
    Coalesce(Box<Expr>, Box<Expr>),
    /// `a when c else b`
    When {
        /// If `condition` is true.
        then: Box<Expr>,
        /// Decides.
        condition: Box<Expr>,
        /// If it is false.
        otherwise: Box<Expr>,
    },
    /// `min(a, b)` and the like.
    Call(Function, Vec<Expr>),
}

impl Expr {
    /// Visits the expression and everything in it, outside first, from left to right.
    pub fn visit<'a>(&'a self, visitor: &mut impl FnMut(&'a Expr)) {
        visitor(self);
        match self {
            Expr::Const(_) | Expr::Metric(_) | Expr::Stat(_) | Expr::Live(_) => {}
            Expr::Not(inner) | Expr::Negate(inner) => inner.visit(visitor),
            Expr::And(a, b)
            | Expr::Or(a, b)
            | Expr::Compare(_, a, b)
            | Expr::In(a, b)
            | Expr::Arithmetic(_, a, b)
            | Expr::Coalesce(a, b) => {
                a.visit(visitor);
                b.visit(visitor);
            }
            Expr::When { then, condition, otherwise } => {
                for part in [then, condition, otherwise] {
                    part.visit(visitor);
                }
            }
            Expr::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit(visitor)),
        }
    }
}

impl DataNode {
    /// The statistics that its expectations ask for, each once, in the order written.
    pub fn stats(&self) -> Vec<Stat> {
        let mut stats: Vec<Stat> = Vec::new();
        for expectation in &self.expectations {
            expectation.condition.visit(&mut |expr| {
                if let Expr::Stat(stat) = expr
                    && !stats.contains(stat)
                {
                    stats.push(stat.clone());
                }
            });
        }
        stats
    }
}

/// An arithmetic operator. Types were checked: the result of each pair is in `spec/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%` of two ints does not exist in the language (a `%` is a unit); `mod(a, b)` is this.
    Remainder,
}

/// A function over values. Total: a domain error (`sqrt(-1)`, division by zero) is a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// Smallest of one or more.
    Min,
    /// Largest of one or more.
    Max,
    /// Absolute value.
    Abs,
    /// Nearest whole number, half away from zero.
    Round,
    /// Square root.
    Sqrt,
    /// Natural logarithm.
    Log,
    /// e to the power.
    Exp,
}

/// A number a step gave: `eval.auc`, or over groups: `disparity(eval.auc, by: plan)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRef {
    /// Which step.
    pub node: NodeId,
    /// Which of its outputs.
    pub output: String,
    /// Which number.
    pub metric: String,
    /// Reduced over groups, if so.
    pub over: Option<OverGroups>,
    /// Reduced over the values of a fanned-out step, if it is one: `lowest(part.auc)`.
    #[serde(default)]
    pub across: Option<Reduce>,
    /// As the author wrote it.
    pub text: String,
}

/// A reduction of one metric over the groups of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverGroups {
    /// How.
    pub reduce: Reduce,
    /// The column whose values are the groups.
    pub by: String,
    /// Groups with fewer rows are left out (and named in the verdict). If none is left the value is missing.
    pub min_support: u64,
}

/// How a metric is reduced over groups, or over the values of a fanned-out step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduce {
    /// `disparity`: largest minus smallest (Fairlearn's difference).
    Disparity,
    /// `lowest`
    Lowest,
    /// `highest`
    Highest,
    /// `mean`: of a fanned-out step alone.
    Mean,
}

/// A number about a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stat {
    /// `rows`: int.
    Rows,
    /// `missing(c)`: fraction of cells that are missing; of an empty table: missing.
    Missing(String),
    /// `unique(c)`: bool, no two present cells are equal.
    Unique(String),
    /// `distinct(c)`: int, different present values.
    Distinct(String),
    /// `min(c)`: of the column's type.
    Min(String),
    /// `max(c)`
    Max(String),
    /// `mean(c)`: float.
    Mean(String),
    /// `fresh(c)`: duration from the newest date or time in the column to the start of the run. The one statistic that
    /// is not a function of the table alone: the engine keeps the newest value and subtracts at each run.
    Fresh(String),
}
