//! Carries out what the scheduler says, and tells it what came of it.
//!
//! Owns: a run while it is live: its tasks, its journal, what its nodes gave so far. Decides nothing that the scheduler,
//! the planner or the verdicts decide.
//!
//! ```text
//! Scheduler --Command--> driver --task--> attempt (executor or tables, checks, publishing)
//!     ^                    |                  |
//!     +------Event---------+<-----------------+
//!                          +--Record--> journal, observer, view
//! ```
//!
//! Invariants: a record is given to the journal before the event that it tells of reaches the scheduler, so nothing that
//! follows from it can be recorded first. Records are handed over in bursts, whenever there is nothing left to decide.

mod attempt;
mod effects;
mod logs;
mod outputs;

use crate::clock::Clock;
use crate::digest::Digest;
use crate::disk::Stamp;
use crate::error::EngineError;
use crate::executor::Cancel;
use crate::journal::{Entry, Journal, OnBatch, Stopped};
use crate::lookup::Lookup;
use crate::observer::Observer;
use crate::plan::{NOT_ASKED_FOR, Wanted};
use crate::planner::{OutsideFile, Planner, PreparedNode, Request, bytes_of};
use crate::project::Project;
use crate::record::{Artifact, Failure, Millis, Outcome, Record, RunStarted, VERSION, Verdict};
use crate::request::{Parts, RunReport, RunRequest};
use crate::scheduler::{Command, Event, IllegalTransition, Scheduler, Unit, Why, Work};
use crate::store::Store;
use crate::verdict::{self, Given, Profile};
use crate::view::RunView;
use crate::words;
use attempt::{Attempted, Finished};
pub(crate) use attempt::{PROFILE, not_as_expected};
use mlp_lang::pipeline::{NodeKind, Pipeline};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often a run that has nothing else to do looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(20);

/// What a run needs from its engine.
pub(crate) struct Context {
    pub project: Project,
    pub parts: Parts,
    pub clock: Arc<dyn Clock>,
    pub store: Arc<Store>,
    pub observer: Arc<dyn Observer>,
    pub cancel: Cancel,
    pub run: u64,
    pub resumes: Option<u64>,
}

/// Runs a pipeline to its end.
pub(crate) async fn run(context: Context, request: RunRequest) -> Result<RunReport, EngineError> {
    let context = Arc::new(context);
    let planner = Planner { project: &context.project, store: &context.store, parts: &context.parts, read_only: false };
    let prepared = planner.prepare(&Request {
        pipeline: &request.pipeline,
        base: &request.base,
        wanted: Wanted { force: &request.force, only: &request.only },
        aliases: &request.aliases,
    })?;
    let started = RunStarted {
        version: VERSION,
        engine: env!("CARGO_PKG_VERSION").to_owned(),
        run: context.run,
        pipeline: request.pipeline.name.clone(),
        file: request.source.path.to_string(),
        folder: context.project.shortened(&request.base),
        source: request.source.text.to_string(),
        params: request.pipeline.params.iter().map(|(name, it)| (name.clone(), it.value.clone())).collect(),
        plan: prepared.plan,
        resumes: context.resumes,
        trigger: request.trigger.clone(),
        host: crate::host::name(),
        at: context.clock.now(),
    };
    crate::disk::make_folders(&context.project.run(context.run))?;
    let journal =
        Journal::open(&context.project.journal(context.run), 0, 0, into_store(context.store.clone(), context.run))?;
    let nodes = request.pipeline.batch().len();
    let mut driver = Driver {
        scheduler: Scheduler::new(work(&request, &prepared.nodes)),
        view: RunView::new(started.clone()),
        prepared: prepared.nodes,
        pipeline: request.pipeline,
        journal,
        records: Vec::new(),
        events: VecDeque::from([Event::Begin]),
        tasks: JoinSet::new(),
        outputs: vec![None; nodes],
        verdicts: HashMap::new(),
        running: Running::default(),
        in_flight: HashMap::new(),
        failures: HashMap::new(),
        absent: HashMap::new(),
        blocked_by: HashMap::new(),
        intents: HashMap::new(),
        cancelled: false,
        context,
    };
    driver.record(Record::RunStarted(started));
    let outcome = driver.until_over().await?;
    let Driver { context, view, .. } = driver;
    Ok(RunReport { run: context.run, outcome, resumes: context.resumes, view })
}

/// A run while it is live.
struct Driver {
    context: Arc<Context>,
    pipeline: Arc<Pipeline>,
    scheduler: Scheduler,
    view: RunView,
    prepared: Vec<PreparedNode>,
    journal: Journal,
    /// Happened, but not handed to the journal yet.
    records: Vec<Entry>,
    events: VecDeque<Event>,
    tasks: JoinSet<Task>,
    /// What each node gave, once it gave it.
    outputs: Vec<Option<Arc<Vec<Artifact>>>>,
    verdicts: HashMap<usize, Vec<Verdict>>,
    /// Attempts under way: how to stop them.
    running: Running,
    /// Work that is queued or under way, and the nodes that ask for the same: they wait for its result.
    in_flight: HashMap<Digest, InFlight>,
    /// Why a node's last attempt failed, until the scheduler says what that means.
    failures: HashMap<usize, (u32, Failure)>,
    /// Nodes that did not run because of what is not in the registry yet: why, in words.
    absent: HashMap<usize, String>,
    /// Models that are not registered, and the gates that said no to them.
    blocked_by: HashMap<usize, Vec<String>>,
    /// Registrations that are written down but not done.
    intents: HashMap<usize, Record>,
    cancelled: bool,
}

/// Attempts under way. Whoever drops a run that is not over stops them.
#[derive(Default)]
struct Running(HashMap<usize, Cancel>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.values().for_each(Cancel::set);
    }
}

/// Identical work is done once.
struct InFlight {
    by: usize,
    waiting: Vec<usize>,
}

/// What a task came to.
enum Task {
    Attempt(Box<Finished>),
    Durable { node: usize, result: Result<(), Stopped> },
}

impl Driver {
    async fn until_over(&mut self) -> Result<Outcome, EngineError> {
        loop {
            while let Some(event) = self.events.pop_front() {
                for command in self.scheduler.step(event).map_err(defect)? {
                    if let Command::End(outcome) = command {
                        return self.end(outcome).await;
                    }
                    self.carry_out(command)?;
                }
            }
            self.hand_over();
            self.wait().await?;
        }
    }

    /// Waits for whatever comes first.
    async fn wait(&mut self) -> Result<(), EngineError> {
        let now = self.context.clock.now();
        let due = self.scheduler.next_tick().map(|due| Duration::from_millis(due.saturating_sub(now).max(0) as u64));
        let pause = due.map_or(GLANCE, |due| due.min(GLANCE));
        if self.tasks.is_empty() && due.is_none() && !self.context.cancel.is_set() {
            return Err(EngineError::Defect("the run waits for nothing".to_owned()));
        }
        tokio::select! {
            Some(joined) = self.tasks.join_next() => {
                self.joined(joined)?;
                while let Some(joined) = self.tasks.try_join_next() {
                    self.joined(joined)?;
                }
            }
            () = tokio::time::sleep(pause) => {}
        }
        let now = self.context.clock.now();
        if self.scheduler.next_tick().is_some_and(|due| due <= now) {
            self.events.push_back(Event::Tick(now));
        }
        if self.context.cancel.is_set() && !self.cancelled {
            self.cancelled = true;
            self.record(Record::CancelRequested { at: now });
            // First: an attempt that stopped because it was told to did not fail.
            self.events.push_front(Event::Cancel);
        }
        if self.journal.is_broken() {
            return self.stopped().await;
        }
        Ok(())
    }

    /// What happens cannot be kept any more: stop everything, keep what was acknowledged.
    async fn stopped(&mut self) -> Result<(), EngineError> {
        self.running.0.values().for_each(Cancel::set);
        while self.tasks.join_next().await.is_some() {}
        let why = self.journal.barrier().await.err().map_or_else(String::new, |stopped| stopped.0);
        Err(EngineError::NotDurable { run: self.context.run, why })
    }

    /// The last record, and with it everything, is durable before anybody is told how the run ended.
    async fn end(&mut self, outcome: Outcome) -> Result<Outcome, EngineError> {
        self.record(Record::RunEnded { outcome, at: self.context.clock.now() });
        self.hand_over();
        match self.journal.barrier().await {
            Ok(()) => Ok(outcome),
            Err(stopped) => Err(EngineError::NotDurable { run: self.context.run, why: stopped.0 }),
        }
    }

    fn carry_out(&mut self, command: Command) -> Result<(), EngineError> {
        let at = self.context.clock.now();
        match command {
            Command::Check(node) => return self.check(node),
            Command::Start { node, attempt } => return self.start(node, attempt),
            Command::Retry { node, due, .. } => self.record_failure(node, Some(due), at),
            Command::GiveUp(node) => {
                self.record_failure(node, None, at);
                self.let_others_try(node);
            }
            Command::Skip { node, why } => {
                let reason = self.reason(node, why);
                if matches!(why, Why::NeedAbsent(_)) {
                    self.absent.insert(node, reason.clone());
                }
                self.record(Record::NodeSkipped { node: self.name(node), reason, at });
                self.let_others_try(node);
            }
            Command::Block { node, by } => {
                self.block(node, &by, at);
            }
            Command::Stop(node) => {
                if let Some(cancel) = self.running.0.get(&node) {
                    cancel.set();
                }
            }
            Command::Intend(node) => return self.intend(node),
            Command::Act(node) => self.act(node),
            // Handled by who called.
            Command::End(_) => {}
        }
        Ok(())
    }

    /// Everything a node needs ended well: is it wanted, is its result known?
    fn check(&mut self, node: usize) -> Result<(), EngineError> {
        let pipeline = self.pipeline.clone();
        let about = &pipeline.nodes[node];
        if self.prepared[node].left_out {
            self.events.push_back(Event::Unwanted(node));
            return Ok(());
        }
        if let Some(when) = &about.when
            && verdict::condition(when, self, &pipeline) != Some(true)
        {
            self.events.push_back(Event::Unwanted(node));
            return Ok(());
        }
        if let Some(lookup) = self.prepared[node].lookup.clone() {
            self.read_registry(node, lookup);
            return Ok(());
        }
        let Some(fingerprint) = self.fingerprint(node) else {
            self.events.push_back(Event::NotFound(node));
            return Ok(());
        };
        if let Some(other) = self.in_flight.get_mut(&fingerprint) {
            other.waiting.push(node);
            return Ok(());
        }
        let action = match self.prepared[node].action.take() {
            Some(action) => Some(action),
            None if self.prepared[node].forced => None,
            None => self.planner().reusable(&fingerprint)?,
        };
        match action {
            Some(action) => self.reuse(node, fingerprint, action.run, action.outputs),
            None => {
                self.in_flight.insert(fingerprint, InFlight { by: node, waiting: Vec::new() });
                self.events.push_back(Event::NotFound(node));
            }
        }
        Ok(())
    }

    /// Which version is meant was decided when the run was planned.
    fn read_registry(&mut self, node: usize, lookup: Lookup) {
        let now = self.context.clock.now();
        match (lookup, self.prepared[node].action.take()) {
            (Lookup::Found(_), Some(action)) => {
                self.reuse(node, Digest::of(&action.manifest), action.run, action.outputs);
            }
            (Lookup::Absent(why), _) => {
                self.absent.insert(node, why);
                self.events.push_back(Event::Absent(node));
            }
            (Lookup::Wrong(message), _) => {
                let failure = Failure { message, findings: Vec::new(), kind: "registry".to_owned() };
                self.failures.insert(node, (0, failure));
                self.events.push_back(Event::Failed { node, transient: false, now });
            }
            // Whoever found it also made its action.
            (Lookup::Found(_), None) => self.events.push_back(Event::Failed { node, transient: false, now }),
        }
    }

    /// Takes a known result, unless it is a table that no longer satisfies what is expected of it.
    fn reuse(&mut self, node: usize, fingerprint: Digest, from: u64, mut outputs: Vec<Artifact>) {
        let at = self.context.clock.now();
        if let NodeKind::Data(data) = &self.pipeline.clone().nodes[node].kind {
            let profile = outputs.iter().find(|artifact| artifact.output == attempt::PROFILE);
            let profile = profile.and_then(|artifact| self.bytes(artifact));
            let profile = profile.and_then(|bytes| serde_json::from_slice::<Profile>(&bytes).ok());
            let judged = profile.map(|profile| verdict::judge_data(data, &profile, at));
            let Some((passed, verdicts)) = judged else {
                // Its profile cannot be read: make it again.
                self.in_flight.insert(fingerprint, InFlight { by: node, waiting: Vec::new() });
                return self.events.push_back(Event::NotFound(node));
            };
            if !verdicts.is_empty() {
                let verdicts = verdicts.clone();
                self.record(Record::DataJudged { node: self.name(node), passed, verdicts, at });
            }
            if !passed {
                self.failures.insert(node, (0, attempt::not_as_expected(data, &verdicts)));
                return self.events.push_back(Event::Failed { node, transient: false, now: at });
            }
        }
        self.outputs[node] = Some(Arc::new(outputs.clone()));
        // The bytes are in the record of the run that made them.
        outputs.iter_mut().for_each(|artifact| artifact.inline = None);
        self.record(Record::NodeReused { node: self.name(node), fingerprint, outputs, from, at });
        self.events.push_back(Event::Found(node));
    }

    fn start(&mut self, node: usize, attempt: u32) -> Result<(), EngineError> {
        let pipeline = self.pipeline.clone();
        let at = self.context.clock.now();
        if let NodeKind::Gate(gate) = &pipeline.nodes[node].kind {
            let (passed, verdicts) = verdict::judge_gate(gate, self, &pipeline);
            self.verdicts.insert(node, verdicts.clone());
            self.record(Record::GateJudged { node: self.name(node), passed, verdicts, at });
            self.outputs[node] = Some(Arc::default());
            self.events.push_back(if passed { Event::Succeeded(node) } else { Event::Refused(node) });
            return Ok(());
        }
        let manifest = self.manifest_bytes(node);
        let fingerprint = Digest::of(&manifest);
        self.record(Record::NodeStarted { node: self.name(node), attempt, fingerprint, at });
        let cancel = Cancel::default();
        if self.context.cancel.is_set() {
            cancel.set();
        }
        self.running.0.insert(node, cancel.clone());
        let work = attempt::Attempt {
            context: self.context.clone(),
            pipeline: pipeline.clone(),
            node,
            attempt,
            manifest,
            fingerprint,
            started: at,
            inputs: self.inputs(node)?,
            file: self.prepared[node].file.clone(),
            cancel,
        };
        self.tasks.spawn(async move { Task::Attempt(Box::new(work.make().await)) });
        Ok(())
    }

    fn joined(&mut self, joined: Result<Task, tokio::task::JoinError>) -> Result<(), EngineError> {
        match joined {
            Ok(Task::Attempt(finished)) => self.finished(*finished),
            Ok(Task::Durable { node, result: Ok(()) }) => self.events.push_back(Event::Intended(node)),
            // The journal is broken; what that means is seen right after.
            Ok(Task::Durable { result: Err(_), .. }) => {}
            // Panics of executors are caught in the attempt; this is our own.
            Err(error) => return Err(EngineError::Defect(format!("a task of the driver failed: {error}"))),
        }
        Ok(())
    }

    fn finished(&mut self, finished: Finished) {
        let Finished { node, attempt, fingerprint, manifest, started, judged, result } = finished;
        let at = self.context.clock.now();
        self.running.0.remove(&node);
        if let Some((passed, verdicts)) = judged
            && !verdicts.is_empty()
        {
            self.record(Record::DataJudged { node: self.name(node), passed, verdicts, at });
        }
        match result {
            Attempted::Gave(published) => {
                let outputs: Vec<Artifact> = published.iter().map(|it| it.artifact.clone()).collect();
                self.outputs[node] = Some(Arc::new(outputs.clone()));
                let stamps = published.iter().map(|it| (it.artifact.digest, it.stamp)).collect();
                let files = published.into_iter().filter_map(|it| it.sync).collect();
                let node_name = self.name(node);
                let record = Record::NodeDone { node: node_name, attempt, fingerprint, manifest, outputs, started, at };
                self.record_with(record, files, stamps);
                self.events.push_back(Event::Succeeded(node));
                self.share(node, fingerprint);
            }
            Attempted::Failed { failure, transient } => {
                self.failures.insert(node, (attempt, failure));
                self.events.push_back(Event::Failed { node, transient, now: at });
            }
        }
    }

    /// Gives a result to the nodes that asked for the same work meanwhile.
    fn share(&mut self, node: usize, fingerprint: Digest) {
        let Some(InFlight { waiting, .. }) = self.in_flight.remove(&fingerprint) else { return };
        let outputs = self.outputs[node].clone().unwrap_or_default();
        for other in waiting {
            self.reuse(other, fingerprint, self.context.run, outputs.to_vec());
        }
    }

    /// A node will not give its result: whoever waits for it has to make it.
    fn let_others_try(&mut self, node: usize) {
        let Some(fingerprint) = self.fingerprint(node) else { return };
        if self.in_flight.get(&fingerprint).is_none_or(|it| it.by != node) {
            return;
        }
        let Some(InFlight { mut waiting, .. }) = self.in_flight.remove(&fingerprint) else { return };
        if !waiting.is_empty() {
            let by = waiting.remove(0);
            self.events.push_back(Event::NotFound(by));
            self.in_flight.insert(fingerprint, InFlight { by, waiting });
        }
    }

    fn record_failure(&mut self, node: usize, retry_at: Option<Millis>, at: Millis) {
        if let Some((attempt, failure)) = self.failures.remove(&node) {
            self.record(Record::NodeFailed { node: self.name(node), attempt, failure, retry_at, at });
        }
    }

    fn record(&mut self, record: Record) {
        self.record_with(record, Vec::new(), Vec::new());
    }

    fn record_with(&mut self, record: Record, files: Vec<std::path::PathBuf>, stamps: Vec<(Digest, Stamp)>) {
        self.context.observer.record(&record);
        self.view.apply(&record);
        self.records.push(Entry { record, files, stamps });
    }

    fn hand_over(&mut self) {
        if !self.records.is_empty() {
            self.journal.append(std::mem::take(&mut self.records));
        }
    }

    fn reason(&self, node: usize, why: Why) -> String {
        let effect = match self.pipeline.nodes[node].kind {
            NodeKind::Deploy(_) => "deploys",
            _ => "registers",
        };
        let of = |node: usize| format!("{} `{}`", crate::planner::kind(&self.pipeline.nodes[node]), self.name(node));
        match why {
            Why::Unwanted | Why::NeedSkipped(_) if self.prepared[node].left_out => NOT_ASKED_FOR.to_owned(),
            Why::Unwanted => "its condition is false".to_owned(),
            Why::NeedFailed(node) => format!("{} failed", of(node)),
            Why::NeedSkipped(node) => format!("{} was skipped", of(node)),
            Why::Absent => self.absent.get(&node).cloned().unwrap_or_default(),
            Why::NeedAbsent(need) => self.absent.get(&need).cloned().unwrap_or_default(),
            Why::NeedBlocked(node) => words::gates_said_no(&[self.name(node)]),
            Why::Halted(node) => format!("{} failed, and the run stops at the first failure", of(node)),
            Why::NoEffect(node) => format!("{} failed, and a run that failed {effect} nothing", of(node)),
            Why::Cancelled => "the run was cancelled".to_owned(),
        }
    }

    fn name(&self, node: usize) -> String {
        self.pipeline.nodes[node].name.clone()
    }

    fn planner(&self) -> Planner<'_> {
        let Context { project, store, parts, .. } = self.context.as_ref();
        Planner { project, store, parts, read_only: false }
    }

    fn manifest_bytes(&self, node: usize) -> Vec<u8> {
        self.manifest(node).map(|manifest| manifest.bytes()).unwrap_or_default()
    }

    /// `None` for what is decided anew each time, and for a file that cannot be read.
    fn fingerprint(&self, node: usize) -> Option<Digest> {
        self.manifest(node).filter(|manifest| manifest.is_complete()).map(|manifest| Digest::of(&manifest.bytes()))
    }

    fn manifest(&self, node: usize) -> Option<crate::manifest::Manifest> {
        let file: Option<&OutsideFile> = self.prepared[node].file.as_ref();
        let output = |from: &mlp_lang::pipeline::OutputRef| {
            self.artifact(from.node.index(), &from.output).map(|artifact| artifact.digest)
        };
        self.planner().manifest(&self.pipeline.nodes[node], file, &output)
    }
}

impl Given for Driver {
    fn artifact(&self, node: usize, output: &str) -> Option<&Artifact> {
        self.outputs.get(node)?.as_ref()?.iter().find(|artifact| artifact.output == output)
    }

    fn bytes(&self, artifact: &Artifact) -> Option<Vec<u8>> {
        bytes_of(&self.context.project, artifact)
    }

    fn absent(&self, node: usize) -> Option<&str> {
        self.absent.get(&node).map(String::as_str)
    }
}

fn work(request: &RunRequest, prepared: &[PreparedNode]) -> Work {
    let unit = |node: &mlp_lang::pipeline::Node| Unit {
        needs: node.needs.iter().map(|need| need.index()).collect(),
        // One that is left out has no effect: like any other node it is looked at, and skipped.
        effect: matches!(node.kind, NodeKind::Model(_) | NodeKind::Deploy(_)) && !prepared[node.id.index()].left_out,
        tolerant: matches!(node.kind, NodeKind::Gate(_)),
        retries: match &node.kind {
            NodeKind::Step(step) => step.limits.retry,
            _ => 0,
        },
    };
    Work {
        nodes: request.pipeline.batch().iter().map(unit).collect(),
        jobs: request.jobs,
        keep_going: request.keep_going,
    }
}

fn into_store(store: Arc<Store>, run: u64) -> OnBatch {
    Box::new(move |first, bytes, entries| {
        let records = entries.iter().map(|entry| (&entry.record, entry.stamps.as_slice()));
        store.apply_each(run, first, bytes, records).map_err(|error| error.to_string())
    })
}

fn defect(error: IllegalTransition) -> EngineError {
    EngineError::Defect(error.to_string())
}
