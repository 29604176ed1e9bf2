//! A run as people look at it: the fold of its records.
//!
//! Pure: records in, a [`RunView`] out. The live display, history and the report of a run all use this one fold, so that
//! they cannot disagree.

use crate::digest::Digest;
use crate::manifest::{Fact, Manifest};
use crate::plan::Decision;
use crate::record::{Artifact, Failure, Millis, ModelVersion, Outcome, Record, RunStarted, Verdict};
use serde::Serialize;
use std::collections::HashMap;

/// A run, from its beginning to as far as is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunView {
    /// How it began.
    pub started: RunStarted,
    /// Its nodes, in the plan's order.
    pub nodes: Vec<NodeView>,
    /// What it did to the registry.
    pub models: Vec<Registration>,
    /// The deployments it requested.
    pub deployments: Vec<DeployRequest>,
    /// When somebody asked it to stop.
    pub cancelled: Option<Millis>,
    /// How it ended. `None`: it is live, or was killed and nobody looked since.
    pub outcome: Option<Outcome>,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Index into `nodes` by name.
    #[serde(skip)]
    by_name: HashMap<String, usize>,
}

/// A node of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeView {
    /// Its name.
    pub name: String,
    /// `data`, `step`, `gate`, `model`, `registry`, `deploy`.
    pub kind: String,
    /// What runs, for people.
    pub what: String,
    /// What was planned.
    pub decision: Decision,
    /// Where it stands.
    pub state: NodeState,
    /// Each attempt at it, in order.
    pub attempts: Vec<Attempt>,
    /// What it gave.
    pub outputs: Vec<Artifact>,
    /// Identity of the work.
    pub fingerprint: Option<Digest>,
    /// Everything that the fingerprint covers. Only known in the run that made the result.
    pub facts: Vec<Fact>,
    /// The run that made the result, if it was reused.
    pub from: Option<u64>,
    /// How its requirements or expectations came out.
    pub verdicts: Vec<Verdict>,
    /// In words, why it was skipped or blocked.
    pub reason: Option<String>,
    /// When its first attempt started.
    pub started: Option<Millis>,
    /// When it came to its end.
    pub ended: Option<Millis>,
}

/// Where a node of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Nothing happened yet.
    Waiting,
    /// An attempt is under way (or was, when the engine was killed).
    Running,
    /// An attempt failed, another will follow.
    Retrying,
    /// It ran and gave what it declares.
    Done,
    /// Its result was in the cache, or in the registry.
    Reused,
    /// A gate whose requirements all held, or a model that is in the registry.
    Passed,
    /// A deployment that was requested: the resident engine takes it up.
    Requested,
    /// A gate that said no, or a model or a deployment behind one.
    Blocked,
    /// It failed.
    Failed,
    /// It did not run.
    Skipped,
}

/// One attempt at a node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attempt {
    /// One-based.
    pub number: u32,
    /// When it started.
    pub started: Millis,
    /// When it ended.
    pub ended: Option<Millis>,
    /// Why it gave nothing.
    pub failure: Option<Failure>,
    /// When the next one is due.
    pub retry_at: Option<Millis>,
}

/// What a run did to the registry.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Registration {
    /// The model node.
    pub node: String,
    /// The entry.
    pub entry: ModelVersion,
    /// It already was the latest version.
    pub kept: bool,
    /// The intent and the fact were both written. Otherwise the run was killed in between.
    pub complete: bool,
}

/// A deployment that a run requested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeployRequest {
    /// The deploy node: the deployment's name.
    pub node: String,
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: u64,
    /// When.
    pub at: Millis,
}

impl RunView {
    /// A run of which nothing is known but its beginning.
    pub fn new(started: RunStarted) -> RunView {
        let nodes: Vec<NodeView> = started.plan.nodes.iter().map(NodeView::planned).collect();
        let by_name = nodes.iter().enumerate().map(|(index, node)| (node.name.clone(), index)).collect();
        RunView {
            started,
            nodes,
            models: Vec::new(),
            deployments: Vec::new(),
            cancelled: None,
            outcome: None,
            ended: None,
            by_name,
        }
    }

    /// The run that these records tell of; `None` if they do not begin with a beginning.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Option<RunView> {
        let mut records = records.into_iter();
        let Some(Record::RunStarted(started)) = records.next() else { return None };
        let mut view = RunView::new(started);
        records.for_each(|record| view.apply(&record));
        Some(view)
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<&NodeView> {
        self.by_name.get(name).map(|&index| &self.nodes[index])
    }

    /// How many nodes stand like this.
    pub fn count(&self, state: NodeState) -> usize {
        self.nodes.iter().filter(|node| node.state == state).count()
    }

    /// Takes in what happened next. What the plan does not name is ignored: a journal tells it before anything else.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::RunStarted(_) => {}
            Record::NodeStarted { node, attempt, fingerprint, at } => self.at_node(node, |view| {
                view.state = NodeState::Running;
                view.fingerprint = Some(*fingerprint);
                view.started.get_or_insert(*at);
                view.attempts.push(Attempt {
                    number: *attempt,
                    started: *at,
                    ended: None,
                    failure: None,
                    retry_at: None,
                });
            }),
            Record::NodeReused { node, fingerprint, outputs, from, at } => self.at_node(node, |view| {
                view.state = NodeState::Reused;
                view.fingerprint = Some(*fingerprint);
                view.outputs.clone_from(outputs);
                view.from = Some(*from);
                view.ended = Some(*at);
            }),
            Record::NodeDone { node, fingerprint, manifest, outputs, at, .. } => self.at_node(node, |view| {
                view.state = NodeState::Done;
                view.fingerprint = Some(*fingerprint);
                view.facts = Manifest::facts_of(manifest).unwrap_or_default();
                view.outputs.clone_from(outputs);
                view.end(*at, None, None);
            }),
            Record::NodeFailed { node, failure, retry_at, at, .. } => self.at_node(node, |view| {
                view.state = if retry_at.is_some() { NodeState::Retrying } else { NodeState::Failed };
                if view.attempts.is_empty() {
                    view.reason = Some(failure.message.clone());
                }
                view.end(*at, Some(failure), *retry_at);
            }),
            Record::NodeSkipped { node, reason, at } => self.at_node(node, |view| {
                view.state = NodeState::Skipped;
                view.reason = Some(reason.clone());
                view.ended = Some(*at);
            }),
            Record::GateJudged { node, passed, verdicts, at } => self.at_node(node, |view| {
                view.state = if *passed { NodeState::Passed } else { NodeState::Blocked };
                view.verdicts.clone_from(verdicts);
                view.ended = Some(*at);
            }),
            Record::DataJudged { node, verdicts, .. } => self.at_node(node, |view| {
                view.verdicts.clone_from(verdicts);
            }),
            Record::ModelRegistered { node, entry, kept, at } => {
                let (node, entry, kept, at) = (node.clone(), entry.clone(), *kept, *at);
                match self.models.iter_mut().find(|known| known.node == node) {
                    Some(known) => known.complete = true,
                    None => self.models.push(Registration { node: node.clone(), entry, kept, complete: kept }),
                }
                if self.models.iter().any(|known| known.node == node && known.complete) {
                    self.at_node(&node, |view| {
                        view.state = NodeState::Passed;
                        view.ended = Some(at);
                    });
                }
            }
            Record::DeployRequested { node, model, version, at } => {
                let (version, at) = (*version, *at);
                self.deployments.push(DeployRequest { node: node.clone(), model: model.clone(), version, at });
                self.at_node(node, |view| {
                    view.state = NodeState::Requested;
                    view.ended = Some(at);
                });
            }
            Record::ModelBlocked { node, gates, at } | Record::DeployBlocked { node, gates, at } => {
                self.at_node(node, |view| {
                    view.state = NodeState::Blocked;
                    view.reason = Some(crate::words::gates_said_no(gates));
                    view.ended = Some(*at);
                })
            }
            Record::CancelRequested { at } => self.cancelled = Some(*at),
            Record::RunEnded { outcome, at } => {
                self.outcome = Some(*outcome);
                self.ended = Some(*at);
            }
        }
    }

    fn at_node(&mut self, name: &str, change: impl FnOnce(&mut NodeView)) {
        if let Some(&index) = self.by_name.get(name) {
            change(&mut self.nodes[index]);
        }
    }
}

impl NodeView {
    fn planned(node: &crate::plan::PlannedNode) -> NodeView {
        NodeView {
            name: node.name.clone(),
            kind: node.kind.clone(),
            what: node.what.clone(),
            decision: node.decision.clone(),
            state: NodeState::Waiting,
            attempts: Vec::new(),
            outputs: Vec::new(),
            fingerprint: None,
            facts: Vec::new(),
            from: None,
            verdicts: Vec::new(),
            reason: None,
            started: None,
            ended: None,
        }
    }

    /// The last attempt's failure.
    pub fn failure(&self) -> Option<&Failure> {
        self.attempts.last().and_then(|attempt| attempt.failure.as_ref())
    }

    /// How long it took, from its first attempt to its end, in milliseconds.
    pub fn took(&self) -> Option<Millis> {
        Some(self.ended? - self.started?)
    }

    fn end(&mut self, at: Millis, failure: Option<&Failure>, retry_at: Option<Millis>) {
        self.ended = Some(at);
        match self.attempts.last_mut() {
            Some(last) => {
                last.ended = Some(at);
                last.failure = failure.cloned();
                last.retry_at = retry_at;
            }
            // A reused table whose expectations no longer hold fails without an attempt.
            None => {
                if let Some(failure) = failure {
                    let failure = Some(failure.clone());
                    self.attempts.push(Attempt { number: 1, started: at, ended: Some(at), failure, retry_at });
                }
            }
        }
    }
}
