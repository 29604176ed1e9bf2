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

mod asking;
mod attempt;
mod attempts;
mod effects;
mod known;
mod logs;
mod outputs;
mod work;

use crate::artifacts::Published;
use crate::clock::Clock;
use crate::digest::Digest;
use crate::disk::Stamp;
use crate::error::EngineError;
use crate::executor::{Cancel, Usage};
use crate::fan;
use crate::journal::{Entry, Journal, OnBatch, Stopped};
use crate::observer::Observer;
use crate::plan::{NOT_ASKED_FOR, Wanted};
use crate::planner::{Planner, PreparedNode, Request};
use crate::project::Project;
use crate::record::{Artifact, Failure, Millis, Outcome, Record, RunStarted, VERSION, Verdict};
use crate::request::{Parts, RunReport, RunRequest};
use crate::scheduler::{Command, Event, IllegalTransition, Scheduler, Token, Why};
use crate::store::Store;
use crate::view::RunView;
use crate::words;
use asking::Asking;
use attempt::Finished;
pub(crate) use attempt::{PROFILE, not_as_expected};
use mlp_lang::pipeline::{NodeKind, Pipeline};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use work::work;

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
        scheduler: Scheduler::new(work(&request, &prepared.nodes, context.run))
            .map_err(|error| EngineError::Defect(error.to_string()))?,
        view: RunView::new(started.clone()),
        prepared: prepared.nodes,
        pipeline: request.pipeline,
        journal,
        records: Vec::new(),
        events: VecDeque::from([Event::Begin]),
        tasks: JoinSet::new(),
        begun: unbounded_channel(),
        outputs: vec![None; nodes],
        verdicts: HashMap::new(),
        running: Running::default(),
        in_flight: HashMap::new(),
        failures: HashMap::new(),
        usages: HashMap::new(),
        absent: HashMap::new(),
        blocked_by: HashMap::new(),
        asking: Asking::default(),
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
    /// Where attempts with a time limit say that their work began.
    begun: (UnboundedSender<Begun>, UnboundedReceiver<Begun>),
    /// What each node gave, once it gave it.
    outputs: Vec<Option<Arc<Vec<Artifact>>>>,
    verdicts: HashMap<usize, Vec<Verdict>>,
    /// Attempts under way: how to stop them.
    running: Running,
    /// Work that is queued or under way, and the nodes that ask for the same: they wait for its result.
    in_flight: HashMap<Digest, InFlight>,
    /// Why a node's last attempt failed, until the scheduler says what that means.
    failures: HashMap<usize, (u32, Failure)>,
    /// What their last attempts used, until that is written down.
    usages: HashMap<usize, Usage>,
    /// Nodes that did not run because of what is not in the registry yet: why, in words.
    absent: HashMap<usize, String>,
    /// Models that are not registered, and the gates that said no to them.
    blocked_by: HashMap<usize, Vec<String>>,
    /// Gates that wait for people.
    asking: Asking,
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

/// The work of this attempt at this node began.
type Begun = (usize, Token);

/// Identical work is done once.
struct InFlight {
    by: usize,
    waiting: Vec<usize>,
}

/// What a task came to.
enum Task {
    Attempt(Box<Finished>),
    Durable { node: usize, result: Result<(), Stopped> },
    Collected(Box<Collected>),
}

/// What putting together what members gave came to.
struct Collected {
    node: usize,
    started: Millis,
    published: Result<Vec<Published>, Failure>,
}

impl Driver {
    async fn until_over(&mut self) -> Result<Outcome, EngineError> {
        loop {
            while let Some(event) = self.events.pop_front() {
                for command in self.scheduler.step(self.context.clock.now(), event).map_err(defect)? {
                    if let Command::End(outcome) = command {
                        return self.end(outcome).await;
                    }
                    self.carry_out(command)?;
                }
            }
            if self.scheduler.is_resting() {
                // An answer may have come since it was last looked.
                self.asking.looked_long_ago();
                self.listen()?;
                match self.events.is_empty() {
                    true => return self.end(Outcome::Waiting).await,
                    false => continue,
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
            Some((node, token)) = self.begun.1.recv() => self.events.push_back(Event::Began { node, token }),
            () = tokio::time::sleep(pause) => {}
        }
        let now = self.context.clock.now();
        if self.scheduler.next_tick().is_some_and(|due| due <= now) {
            self.events.push_back(Event::Tick);
        }
        if self.context.cancel.is_set() && !self.cancelled {
            self.cancelled = true;
            self.record(Record::CancelRequested { at: now });
            // First: an attempt that stopped because it was told to did not fail.
            self.events.push_front(Event::Cancel);
        }
        self.listen()?;
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
            Command::Start { node, token } => return self.start(node, token),
            Command::Retry { node, due, cause, .. } => self.record_failure(node, Some(due), cause, at),
            Command::GiveUp { node, cause } => {
                self.record_failure(node, None, cause, at);
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
            Command::Stop { node, .. } => {
                if let Some(cancel) = self.running.0.get(&node) {
                    cancel.set();
                }
            }
            Command::Intend(node) => return self.intend(node),
            Command::Act(node) => self.act(node),
            // Handled by who called.
            Command::End(_) => {}
            Command::Kill { node, .. } => {
                if let Some(cancel) = self.running.0.get(&node) {
                    cancel.kill();
                }
            }
            Command::Collect(node) => return self.collect(node),
            // The question was written down when it was asked; that nothing is left is for who called.
            Command::Ask { .. } | Command::Rest => {}
            // Nothing that leads to these is asked for: nobody to take over from.
            Command::Adopt { .. } | Command::Disown { .. } => {
                return Err(EngineError::Defect(format!("nobody carries out {command:?}")));
            }
        }
        Ok(())
    }

    fn joined(&mut self, joined: Result<Task, tokio::task::JoinError>) -> Result<(), EngineError> {
        match joined {
            Ok(Task::Attempt(finished)) => self.finished(*finished),
            Ok(Task::Collected(collected)) => self.collected(*collected),
            Ok(Task::Durable { node, result: Ok(()) }) => self.events.push_back(Event::Intended(node)),
            // The journal is broken; what that means is seen right after.
            Ok(Task::Durable { result: Err(_), .. }) => {}
            // Panics of executors are caught in the attempt; this is our own.
            Err(error) => return Err(EngineError::Defect(format!("a task of the driver failed: {error}"))),
        }
        Ok(())
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
        let effect = match self.pipeline.nodes[self.part(node).0].kind {
            NodeKind::Deploy(_) => "deploys",
            _ => "registers",
        };
        let kind = |number| crate::planner::kind(&self.pipeline.nodes[self.part(number).0]);
        let of = |number: usize| format!("{} `{}`", kind(number), self.name(number));
        match why {
            Why::Unwanted | Why::NeedSkipped(_) if self.prepared[self.part(node).0].left_out => {
                NOT_ASKED_FOR.to_owned()
            }
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

    /// Which node a number of the scheduler stands for, and which of its values if it is one of many.
    fn part(&self, number: usize) -> (usize, Option<usize>) {
        if number < self.prepared.len() {
            return (number, None);
        }
        self.scheduler.member_of(number).map_or((number, None), |(node, member)| (node, Some(member)))
    }

    fn name(&self, number: usize) -> String {
        let (node, member) = self.part(number);
        let about = &self.pipeline.nodes[node];
        match (&about.kind, member) {
            (NodeKind::Fan(fan), Some(member)) => fan::name(&about.name, &fan.values, member),
            _ => about.name.clone(),
        }
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
