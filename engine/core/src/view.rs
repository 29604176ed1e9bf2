//! A run as people look at it: the fold of its records.
//!
//! Pure: records in, a [`RunView`] out. The live display, history and the report of a run all use this one fold, so that
//! they cannot disagree.

use crate::approval::Answer;
use crate::digest::Digest;
use crate::executor::Usage;
use crate::manifest::{Fact, Manifest};
use crate::plan::Decision;
use crate::record::{Artifact, Failure, Millis, ModelVersion, Outcome, Question, Record, RunStarted, Verdict};
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
    /// How many stand where.
    #[serde(skip)]
    tally: Tally,
    /// Index into `nodes` by name.
    #[serde(skip)]
    by_name: HashMap<String, usize>,
    /// Index into `nodes`, and there into `members`, by name.
    #[serde(skip)]
    members_by_name: HashMap<String, (usize, usize)>,
}

/// How many pieces of work stand where: nodes, and in place of a step for each of several values its members.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    total: usize,
    by_state: [usize; STATES],
}

impl Tally {
    /// All of them.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Those that stand like this.
    pub fn of(&self, state: NodeState) -> usize {
        self.by_state[state as usize]
    }

    fn add(&mut self, state: NodeState, count: usize) {
        self.total += count;
        self.by_state[state as usize] += count;
    }

    fn remove(&mut self, state: NodeState, count: usize) {
        // What a damaged journal tells twice is no reason to panic.
        self.total = self.total.saturating_sub(count);
        self.by_state[state as usize] = self.by_state[state as usize].saturating_sub(count);
    }

    fn moved(&mut self, from: NodeState, to: NodeState) {
        self.remove(from, 1);
        self.add(to, 1);
    }
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
    /// What it asks people, if it does.
    pub question: Option<Question>,
    /// What they said, as far as this run heard it.
    pub answers: Vec<Answer>,
    /// What is done for each of several values, in the order in which something happened to them: not all of them while the
    /// run lasts, none if the whole result was known.
    pub members: Vec<MemberView>,
    /// How many values there are.
    pub of_members: u32,
    /// When its first attempt started.
    pub started: Option<Millis>,
    /// When it came to its end.
    pub ended: Option<Millis>,
}

/// What is done for one of several values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberView {
    /// `part[0.1]`
    pub name: String,
    /// Where it stands.
    pub state: NodeState,
    /// Each attempt at it, in order.
    pub attempts: Vec<Attempt>,
    /// What it gave.
    pub outputs: Vec<Artifact>,
    /// Identity of the work.
    pub fingerprint: Option<Digest>,
    /// The run that made the result, if it was reused.
    pub from: Option<u64>,
    /// In words, why it was skipped.
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
    /// A gate that waits for people.
    Asking,
    /// A gate that said no, or a model or a deployment behind one.
    Blocked,
    /// It failed.
    Failed,
    /// It did not run.
    Skipped,
}

/// How many of them there are.
const STATES: usize = NodeState::Skipped as usize + 1;

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
    /// What it used, if somebody counted.
    pub usage: Option<Usage>,
}

impl Attempt {
    fn begun(number: u32, started: Millis) -> Attempt {
        Attempt { number, started, ended: None, failure: None, retry_at: None, usage: None }
    }
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
        let mut tally = Tally::default();
        tally.add(NodeState::Waiting, nodes.len());
        RunView {
            started,
            nodes,
            models: Vec::new(),
            deployments: Vec::new(),
            cancelled: None,
            outcome: None,
            ended: None,
            tally,
            by_name,
            members_by_name: HashMap::new(),
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

    /// What is done for one of several values, by its name.
    pub fn member(&self, name: &str) -> Option<&MemberView> {
        self.members_by_name.get(name).map(|&(node, member)| &self.nodes[node].members[member])
    }

    /// How many pieces of work stand where.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many nodes stand like this.
    pub fn count(&self, state: NodeState) -> usize {
        self.nodes.iter().filter(|node| node.state == state).count()
    }

    /// Takes in what happened next. What the plan does not name is ignored: a journal tells it before anything else.
    pub fn apply(&mut self, record: &Record) {
        if let Some(name) = record.about()
            && let Some((node, member)) = self.member_at(name)
        {
            let member = &mut self.nodes[node].members[member];
            let before = member.state;
            member.apply(record);
            return self.tally.moved(before, member.state);
        }
        match record {
            Record::RunStarted(_) => {}
            Record::FannedOut { node, members, at } if self.node(node).is_some_and(|view| view.of_members == 0) => {
                self.at_node(node, |view| {
                    view.state = NodeState::Running;
                    view.of_members = *members;
                    view.started.get_or_insert(*at);
                });
                // From here on its members are counted in its place.
                self.tally.add(NodeState::Waiting, *members as usize);
            }
            Record::FannedOut { .. } => {}
            Record::NodeStarted { node, attempt, fingerprint, at } => self.at_node(node, |view| {
                view.state = NodeState::Running;
                view.fingerprint = Some(*fingerprint);
                view.started.get_or_insert(*at);
                view.attempts.push(Attempt::begun(*attempt, *at));
            }),
            Record::NodeReused { node, fingerprint, outputs, from, at } => self.at_node(node, |view| {
                view.state = NodeState::Reused;
                view.fingerprint = Some(*fingerprint);
                view.outputs.clone_from(outputs);
                view.from = Some(*from);
                view.ended = Some(*at);
            }),
            Record::NodeDone { node, fingerprint, manifest, outputs, usage, at, .. } => self.at_node(node, |view| {
                view.state = NodeState::Done;
                view.fingerprint = Some(*fingerprint);
                view.facts = Manifest::facts_of(manifest).unwrap_or_default();
                view.outputs.clone_from(outputs);
                view.end(*at, None, *usage, None);
            }),
            Record::NodeFailed { node, failure, usage, retry_at, at, .. } => self.at_node(node, |view| {
                view.state = if retry_at.is_some() { NodeState::Retrying } else { NodeState::Failed };
                if view.attempts.is_empty() {
                    view.reason = Some(failure.message.clone());
                }
                view.end(*at, Some(failure), *usage, *retry_at);
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
            Record::Asked { node, question, verdicts, at } => self.at_node(node, |view| {
                view.state = NodeState::Asking;
                view.question = Some(question.clone());
                view.verdicts.clone_from(verdicts);
                view.started.get_or_insert(*at);
            }),
            Record::Answered { node, answer, .. } => self.at_node(node, |view| view.answers.push(answer.clone())),
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

    /// The member of this name, which is there from when something first happens to it.
    fn member_at(&mut self, name: &str) -> Option<(usize, usize)> {
        if let Some(place) = self.members_by_name.get(name) {
            return Some(*place);
        }
        let node = *self.by_name.get(crate::fan::of_member(name)?)?;
        let NodeView { members, of_members, .. } = &mut self.nodes[node];
        // A member that nobody announced is none: a damaged journal must not make the counting wrong.
        if members.len() >= *of_members as usize {
            return None;
        }
        let place = (node, members.len());
        members.push(MemberView::new(name));
        self.members_by_name.insert(name.to_owned(), place);
        Some(place)
    }

    fn at_node(&mut self, name: &str, change: impl FnOnce(&mut NodeView)) {
        if let Some(&index) = self.by_name.get(name) {
            let node = &mut self.nodes[index];
            let (before, had) = (node.state, node.of_members);
            change(node);
            match (had, node.of_members) {
                (0, 0) => self.tally.moved(before, node.state),
                (0, _) => self.tally.remove(before, 1),
                _ => {}
            }
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
            question: None,
            answers: Vec::new(),
            members: Vec::new(),
            of_members: 0,
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

    fn end(&mut self, at: Millis, failure: Option<&Failure>, usage: Option<Usage>, retry_at: Option<Millis>) {
        self.ended = Some(at);
        // A reused table whose expectations no longer hold fails without an attempt.
        if self.attempts.is_empty() && failure.is_some() {
            self.attempts.push(Attempt::begun(1, at));
        }
        end_last(&mut self.attempts, at, failure, usage, retry_at);
    }
}

fn end_last(
    attempts: &mut [Attempt],
    at: Millis,
    failure: Option<&Failure>,
    usage: Option<Usage>,
    retry_at: Option<Millis>,
) {
    if let Some(last) = attempts.last_mut() {
        (last.ended, last.failure, last.usage, last.retry_at) = (Some(at), failure.cloned(), usage, retry_at);
    }
}

impl MemberView {
    fn new(name: &str) -> MemberView {
        MemberView {
            name: name.to_owned(),
            state: NodeState::Waiting,
            attempts: Vec::new(),
            outputs: Vec::new(),
            fingerprint: None,
            from: None,
            reason: None,
            started: None,
            ended: None,
        }
    }

    /// The last attempt's failure.
    pub fn failure(&self) -> Option<&Failure> {
        self.attempts.last().and_then(|attempt| attempt.failure.as_ref())
    }

    fn apply(&mut self, record: &Record) {
        match record {
            Record::NodeStarted { attempt, fingerprint, at, .. } => {
                self.state = NodeState::Running;
                self.fingerprint = Some(*fingerprint);
                self.started.get_or_insert(*at);
                self.attempts.push(Attempt::begun(*attempt, *at));
            }
            Record::NodeReused { fingerprint, outputs, from, at, .. } => {
                self.state = NodeState::Reused;
                self.fingerprint = Some(*fingerprint);
                self.outputs.clone_from(outputs);
                (self.from, self.ended) = (Some(*from), Some(*at));
            }
            Record::NodeDone { outputs, usage, at, .. } => {
                self.state = NodeState::Done;
                self.outputs.clone_from(outputs);
                self.ended = Some(*at);
                end_last(&mut self.attempts, *at, None, *usage, None);
            }
            Record::NodeFailed { failure, usage, retry_at, at, .. } => {
                self.state = if retry_at.is_some() { NodeState::Retrying } else { NodeState::Failed };
                self.ended = Some(*at);
                end_last(&mut self.attempts, *at, Some(failure), *usage, *retry_at);
            }
            Record::NodeSkipped { reason, at, .. } => {
                self.state = NodeState::Skipped;
                (self.reason, self.ended) = (Some(reason.clone()), Some(*at));
            }
            _ => {}
        }
    }
}
