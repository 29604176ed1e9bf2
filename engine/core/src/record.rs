//! Records: what happened, in order. The journal's content, the live view's input, history's source.
//!
//! Encoded with postcard, so: no internally tagged enums, no `serde_json::Value`, no skipped fields; new variants and
//! new fields only with a new [`VERSION`].

use crate::approval::Answer;
use crate::digest::Digest;
use crate::executor::{ArtifactMeta, Usage};
use crate::plan::Plan;
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::Approval;
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;
use serde::{Deserialize, Serialize};

/// Version of the record format, in the first bytes and the first frame of each journal.
pub const VERSION: u32 = 4;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// Something that happened in a run. Nodes are named, not numbered, so that a journal can be read without its pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// First record of each journal.
    RunStarted(RunStarted),
    /// Synced before the attempt begins to have effects.
    NodeStarted {
        /// Which node.
        node: String,
        /// One-based.
        attempt: u32,
        /// Identity of the work.
        fingerprint: Digest,
        /// When.
        at: Millis,
    },
    /// Its result was in the cache.
    NodeReused {
        /// Which node.
        node: String,
        /// Identity of the work.
        fingerprint: Digest,
        /// What it once gave.
        outputs: Vec<Artifact>,
        /// The run that made it.
        from: u64,
        /// When.
        at: Millis,
    },
    /// It ran and its outputs are published.
    NodeDone {
        /// Which node.
        node: String,
        /// One-based.
        attempt: u32,
        /// Identity of the work.
        fingerprint: Digest,
        /// The manifest behind the fingerprint, as it is hashed.
        manifest: Vec<u8>,
        /// What it gave.
        outputs: Vec<Artifact>,
        /// What the attempt used, if somebody counted.
        usage: Option<Usage>,
        /// When it started.
        started: Millis,
        /// When.
        at: Millis,
    },
    /// What is done for each of several values begins: what follows is told of members, `node[value]`.
    FannedOut {
        /// Which node.
        node: String,
        /// How many members.
        members: u32,
        /// When.
        at: Millis,
    },
    /// An attempt gave nothing.
    NodeFailed {
        /// Which node.
        node: String,
        /// One-based.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// What the attempt used, if somebody counted.
        usage: Option<Usage>,
        /// When the next attempt is due, if there is one.
        retry_at: Option<Millis>,
        /// When.
        at: Millis,
    },
    /// It will not run.
    NodeSkipped {
        /// Which node.
        node: String,
        /// In words: "its condition is false", "step `train` failed".
        reason: String,
        /// When.
        at: Millis,
    },
    /// A gate was decided.
    GateJudged {
        /// Which gate.
        node: String,
        /// All requirements held.
        passed: bool,
        /// Each requirement with its numbers.
        verdicts: Vec<Verdict>,
        /// When.
        at: Millis,
    },
    /// All that a gate can measure holds, and people are asked.
    Asked {
        /// Which gate.
        node: String,
        /// What, since when, and where the answers lie.
        question: Question,
        /// Each requirement with its numbers.
        verdicts: Vec<Verdict>,
        /// When.
        at: Millis,
    },
    /// Somebody answered, and this run heard it.
    Answered {
        /// Which gate.
        node: String,
        /// What they said.
        answer: Answer,
        /// When it was heard.
        at: Millis,
    },
    /// Expectations of a data node were judged.
    DataJudged {
        /// Which data node.
        node: String,
        /// All held.
        passed: bool,
        /// Each with its numbers.
        verdicts: Vec<Verdict>,
        /// When.
        at: Millis,
    },
    /// A model is in the registry. Written before and after: the intent, then the fact, under one idempotency key
    /// (run, node), so that a crash in between registers once.
    ModelRegistered {
        /// Which model node.
        node: String,
        /// The entry.
        entry: ModelVersion,
        /// The latest version already was this artifact, so no new one was made.
        kept: bool,
        /// When.
        at: Millis,
    },
    /// A gate said no, so the model was not registered.
    ModelBlocked {
        /// Which model node.
        node: String,
        /// The gates that said no.
        gates: Vec<String>,
        /// When.
        at: Millis,
    },
    /// A version is to be deployed. Durable before anybody is told of it; this record is the request, there is no other.
    DeployRequested {
        /// Which deploy node: the deployment's name.
        node: String,
        /// The model's name.
        model: String,
        /// Its version.
        version: u64,
        /// When.
        at: Millis,
    },
    /// A gate said no, so nothing is to be deployed.
    DeployBlocked {
        /// Which deploy node.
        node: String,
        /// The gates that said no.
        gates: Vec<String>,
        /// When.
        at: Millis,
    },
    /// Somebody asked the run to stop.
    CancelRequested {
        /// When.
        at: Millis,
    },
    /// Last record of a journal. A journal without it belongs to a run that is live or was killed.
    RunEnded {
        /// How.
        outcome: Outcome,
        /// When.
        at: Millis,
    },
}

impl Record {
    /// The node, or the member of one, whose work this tells of.
    pub fn about(&self) -> Option<&str> {
        match self {
            Record::NodeStarted { node, .. }
            | Record::NodeReused { node, .. }
            | Record::NodeDone { node, .. }
            | Record::NodeFailed { node, .. }
            | Record::NodeSkipped { node, .. } => Some(node),
            _ => None,
        }
    }
}

/// What a gate asks people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The run that asked first: answers lie in its folder.
    pub run: u64,
    /// When it did.
    pub since: Millis,
    /// What the answers are about: other evidence is another question.
    pub evidence: Digest,
    /// Who is asked, and how many of them are needed.
    pub approvals: Vec<Approval>,
}

/// How a run began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStarted {
    /// [`VERSION`].
    pub version: u32,
    /// Of `mlp`.
    pub engine: String,
    /// Number of the run in its project, from 1.
    pub run: u64,
    /// The pipeline's name.
    pub pipeline: String,
    /// The file as the user wrote its path.
    pub file: String,
    /// The folder that relative paths in it start from: below the project's root if it is there, else from the machine's.
    pub folder: String,
    /// The file's text.
    pub source: String,
    /// Parameters: name and value.
    pub params: Vec<(String, Value)>,
    /// What was decided before anything ran.
    pub plan: Plan,
    /// The killed run whose work this one takes up.
    pub resumes: Option<u64>,
    /// What set it off, if it was not a person.
    pub trigger: Option<Trigger>,
    /// The machine that it and its attempts run on; empty if that does not say what it is called.
    pub host: String,
    /// When.
    pub at: Millis,
}

/// What set a run off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Idempotency key: one retraining, however often it is tried, has one.
    pub key: String,
    /// Why, in words: `monitor health: drift(temp) 0.34 > 0.1 for 2 windows`.
    pub words: String,
}

/// A published output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// Output name.
    pub output: String,
    /// Of its bytes.
    pub digest: Digest,
    /// Length in bytes.
    pub size: u64,
    /// What is known of it.
    pub meta: ArtifactMeta,
    /// The bytes themselves when they are few: durable with the record, no sync of their own.
    pub inline: Option<Vec<u8>>,
}

/// How a requirement or expectation came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// As the author wrote it.
    pub text: String,
    /// `because "..."`
    pub because: Option<String>,
    /// It held. A missing value never holds.
    pub held: bool,
    /// `unless first`, and what it compares with does not exist yet: why it is not asked, in words.
    pub waived: Option<String>,
    /// The comparisons inside it, with what was measured.
    pub measured: Vec<Measured>,
}

impl Verdict {
    /// It is in nobody's way: it held, or it is not asked.
    pub fn passes(&self) -> bool {
        self.held || self.waived.is_some()
    }
}

/// One comparison with its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The left side as written: `eval.auc`.
    pub text: String,
    /// What it was. None: missing.
    pub value: Option<Value>,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what. None: missing.
    pub threshold: Option<Value>,
    /// How far inside (positive) or outside (negative) the threshold, in the value's unit; for orderings of numbers.
    pub margin: Option<f64>,
    /// It held.
    pub held: bool,
}

/// Why an attempt gave nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What failed, on what, why: for people.
    pub message: String,
    /// Mistakes in the input, each at its place.
    pub findings: Vec<Finding>,
    /// Its kind: `bad_input`, `failed`, `transient`, `timed_out`, `out_of_memory`, `cancelled`, `operational`, `data`,
    /// `output`, `registry`.
    pub kind: String,
}

/// An entry of the registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The model's name.
    pub name: String,
    /// From 1.
    pub version: u64,
    /// Of the artifact.
    pub digest: Digest,
    /// `classifier`.
    pub flavor: String,
    /// Columns it needs, in order.
    pub features: Vec<String>,
    /// The pipeline that made it.
    pub pipeline: String,
    /// The run that made it.
    pub run: u64,
    /// The step output that gave it: `train.model`.
    pub source: String,
    /// The module whose step made it: `std/regress`.
    pub module: String,
    /// blake3 of its component, lower-case hex.
    pub component: String,
    /// The gates it passed, with their verdicts.
    pub gates: Vec<(String, Vec<Verdict>)>,
    /// The model card.
    pub card: Vec<(String, String)>,
    /// When.
    pub at: Millis,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything that had to run did, every gate passed.
    Succeeded,
    /// Something failed.
    Failed,
    /// A gate said no.
    Blocked,
    /// It was told to stop.
    Cancelled,
    /// The engine was killed; written by the next one.
    Interrupted,
    /// All that could be done is done, and a gate waits for people.
    Waiting,
}
