//! Decides what happens next in a run: a pure state machine.
//!
//! Owns: each node's [`Life`], the room for jobs, retries, what a failure, a gate's no or a cancellation mean for the
//! rest, and when effects may begin. Must never know: clocks (time comes in with events), files, threads, what nodes do.
//!
//! ```text
//! Event -> Scheduler::step -> Command ...     the driver carries commands out and answers with events
//! ```
//!
//! Invariants, all tested on random graphs: nothing starts before everything it needs ended well; never more than `jobs`
//! attempts at once; every node comes to an end; an effect begins only when everything outside its reach has ended, and
//! nothing failed and nobody cancelled. Each step costs time in proportion to what it changes, so a run costs nodes plus
//! edges.

mod life;
#[cfg(test)]
mod tests;

pub use life::{Happening, IllegalTransition, Life};

use crate::record::{Millis, Outcome};
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// The first pause before another attempt; each further one doubles it.
const FIRST_BACKOFF: Millis = 1_000;
/// The longest pause.
const LONGEST_BACKOFF: Millis = 60_000;

/// What is scheduled. Nodes are numbered; each needs only nodes before it.
#[derive(Clone, Debug)]
pub struct Work {
    /// The nodes.
    pub nodes: Vec<Unit>,
    /// Attempts under way at once, at least 1.
    pub jobs: usize,
    /// After a failure, go on with everything that does not need what failed.
    pub keep_going: bool,
}

/// A node, as the scheduler sees it.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Everything that must end well before.
    pub needs: Vec<usize>,
    /// What it does is visible outside: it waits until all else ended well.
    pub effect: bool,
    /// How often an attempt that failed for now is followed by another.
    pub retries: u32,
    /// It decides all the same if something it needs did not run because of what does not exist yet.
    pub tolerant: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The run begins. Once, first.
    Begin,
    /// Its result is known. Answers [`Command::Check`].
    Found(usize),
    /// Its result is not known. Answers [`Command::Check`].
    NotFound(usize),
    /// Its condition is false. Answers [`Command::Check`].
    Unwanted(usize),
    /// What it stands for does not exist yet, which is no fault. Answers [`Command::Check`].
    Absent(usize),
    /// It, or what it does, is done. Answers [`Command::Start`] or [`Command::Act`].
    Succeeded(usize),
    /// It decided no. Answers [`Command::Start`].
    Refused(usize),
    /// It failed; another attempt may help if `transient`. Answers anything.
    Failed {
        /// Which.
        node: usize,
        /// Whether another attempt may help.
        transient: bool,
        /// When.
        now: Millis,
    },
    /// Its intent is durable. Answers [`Command::Intend`].
    Intended(usize),
    /// It is this late. Answers [`Command::Retry`], at `due` or later.
    Tick(Millis),
    /// Somebody wants the run to stop.
    Cancel,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Find out whether its result is known.
    Check(usize),
    /// Start an attempt.
    Start {
        /// Which.
        node: usize,
        /// One-based.
        attempt: u32,
    },
    /// The attempt failed for now: say so, and send a tick when the next is due.
    Retry {
        /// Which.
        node: usize,
        /// The one that failed.
        attempt: u32,
        /// When the next may start.
        due: Millis,
    },
    /// It failed for good: say so.
    GiveUp(usize),
    /// It does not run: say so.
    Skip {
        /// Which.
        node: usize,
        /// Why.
        why: Why,
    },
    /// These said no, so it does not happen: say so.
    Block {
        /// Which.
        node: usize,
        /// Who said no.
        by: Vec<usize>,
    },
    /// Ask its attempt to stop.
    Stop(usize),
    /// Write down what it is about to do, durably.
    Intend(usize),
    /// Do it.
    Act(usize),
    /// The run is over.
    End(Outcome),
}

/// Why a node does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Its condition is false.
    Unwanted,
    /// A node it needs failed.
    NeedFailed(usize),
    /// A node it needs did not run.
    NeedSkipped(usize),
    /// What it stands for does not exist yet.
    Absent,
    /// A node it needs did not run because something does not exist yet; nothing else is wrong with what it needs.
    NeedAbsent(usize),
    /// A gate it needs said no.
    NeedBlocked(usize),
    /// Something failed, and the run does not go on after a failure.
    Halted(usize),
    /// Something failed, and a run that failed has no effects.
    NoEffect(usize),
    /// Somebody wanted the run to stop.
    Cancelled,
}

/// The state of a run.
pub struct Scheduler {
    graph: DiGraph<(), ()>,
    nodes: Vec<Node>,
    jobs: usize,
    keep_going: bool,
    running: usize,
    /// What could start, the longest way to the end first.
    ready: BinaryHeap<(u32, Reverse<usize>)>,
    delayed: BinaryHeap<Reverse<(Millis, usize)>>,
    held: Vec<usize>,
    /// Nodes that have not ended: all, and those that effects wait for.
    left: usize,
    left_before_effects: usize,
    first_failure: Option<usize>,
    blocked: bool,
    cancelled: bool,
    /// The cancellation kept something from ending well.
    cut_short: bool,
    over: bool,
    /// Nodes that ended in this step, whose dependents are to be told.
    ended: VecDeque<usize>,
    commands: Vec<Command>,
    #[cfg(test)]
    pub(crate) taken: std::collections::BTreeSet<(String, String)>,
}

struct Node {
    life: Life,
    effect: bool,
    retries: u32,
    tolerant: bool,
    /// It was skipped because something does not exist yet.
    absent: bool,
    /// Steps to the farthest node that needs it.
    height: u32,
    /// Effects wait for it.
    before_effects: bool,
    /// The first of its needs, by number, that failed or did not run for any other reason than the next.
    bad: Option<usize>,
    /// The first of its needs, by number, that did not run because something does not exist yet.
    missing: Option<usize>,
    /// Of its needs, those that said no.
    refused: Vec<usize>,
}

impl Scheduler {
    /// Nothing happened yet.
    pub fn new(work: Work) -> Scheduler {
        let mut graph = DiGraph::with_capacity(work.nodes.len(), 0);
        let mut nodes: Vec<Node> = Vec::with_capacity(work.nodes.len());
        for (index, unit) in work.nodes.iter().enumerate() {
            let here = graph.add_node(());
            let mut before_effects = !unit.effect;
            for &need in &unit.needs {
                graph.add_edge(NodeIndex::new(need), here, ());
                before_effects &= nodes.get(need).is_some_and(|need| need.before_effects);
            }
            debug_assert!(unit.needs.iter().all(|need| *need < index), "each needs only nodes before it");
            nodes.push(Node {
                life: Life::Waiting { needs: unit.needs.len() as u32 },
                effect: unit.effect,
                retries: unit.retries,
                tolerant: unit.tolerant,
                absent: false,
                height: 0,
                before_effects,
                bad: None,
                missing: None,
                refused: Vec::new(),
            });
        }
        for index in (0..nodes.len()).rev() {
            let above = graph.neighbors(NodeIndex::new(index)).map(|after| nodes[after.index()].height + 1);
            nodes[index].height = above.max().unwrap_or(0);
        }
        Scheduler {
            left: nodes.len(),
            left_before_effects: nodes.iter().filter(|node| node.before_effects).count(),
            graph,
            nodes,
            jobs: work.jobs.max(1),
            keep_going: work.keep_going,
            running: 0,
            ready: BinaryHeap::new(),
            delayed: BinaryHeap::new(),
            held: Vec::new(),
            first_failure: None,
            blocked: false,
            cancelled: false,
            cut_short: false,
            over: false,
            ended: VecDeque::new(),
            commands: Vec::new(),
            #[cfg(test)]
            taken: Default::default(),
        }
    }

    /// Where a node stands.
    pub fn life(&self, node: usize) -> Life {
        self.nodes[node].life
    }

    /// When the next tick is due.
    pub fn next_tick(&self) -> Option<Millis> {
        self.delayed.peek().map(|Reverse((due, _))| *due)
    }

    /// Takes in what happened and says what to do, in order. An illegal event is a defect of the caller.
    pub fn step(&mut self, event: Event) -> Result<Vec<Command>, IllegalTransition> {
        match event {
            Event::Begin => {
                for node in 0..self.nodes.len() {
                    if self.nodes[node].life == (Life::Waiting { needs: 0 }) {
                        self.proceed(node)?;
                    }
                }
            }
            Event::Found(node) => self.go(node, Happening::Found)?,
            Event::NotFound(node) => {
                self.go(node, Happening::NotFound)?;
                match self.stopping() {
                    Some(why) => self.skip(node, why)?,
                    None => self.ready.push((self.nodes[node].height, Reverse(node))),
                }
            }
            Event::Unwanted(node) => self.skip(node, Why::Unwanted)?,
            Event::Absent(node) => self.skip(node, Why::Absent)?,
            Event::Succeeded(node) => self.go(node, Happening::Succeed)?,
            Event::Refused(node) => self.go(node, Happening::Block)?,
            Event::Failed { node, transient, now } => self.failed(node, transient, now)?,
            Event::Intended(node) => {
                self.go(node, Happening::Intended)?;
                self.commands.push(Command::Act(node));
            }
            Event::Tick(now) => self.tick(now)?,
            Event::Cancel => self.cancel()?,
        }
        self.settle()?;
        Ok(std::mem::take(&mut self.commands))
    }

    /// Follows every consequence of what just changed.
    fn settle(&mut self) -> Result<(), IllegalTransition> {
        loop {
            while let Some(node) = self.ended.pop_front() {
                self.tell_dependents(node)?;
            }
            self.fill()?;
            self.release()?;
            if self.ended.is_empty() {
                break;
            }
        }
        if self.left == 0 && !self.over {
            self.over = true;
            self.commands.push(Command::End(self.outcome()));
        }
        Ok(())
    }

    fn tell_dependents(&mut self, node: usize) -> Result<(), IllegalTransition> {
        let mut dependents = self.graph.neighbors(NodeIndex::new(node)).detach();
        while let Some(dependent) = dependents.next_node(&self.graph) {
            let dependent = dependent.index();
            // A run that stops skips nodes before all they need has ended.
            if self.nodes[dependent].life.is_end() {
                continue;
            }
            match self.nodes[node].life {
                Life::Failed | Life::Skipped => {
                    let absent = self.nodes[node].absent;
                    let Node { missing, bad, .. } = &mut self.nodes[dependent];
                    let first = if absent { missing } else { bad };
                    *first = Some(first.map_or(node, |other| other.min(node)));
                }
                Life::Blocked => self.nodes[dependent].refused.push(node),
                _ => {}
            }
            self.go(dependent, Happening::NeedEnded)?;
            if self.nodes[dependent].life == (Life::Waiting { needs: 0 }) {
                self.proceed(dependent)?;
            }
        }
        Ok(())
    }

    /// All it needs has ended, well or not.
    fn proceed(&mut self, node: usize) -> Result<(), IllegalTransition> {
        if let Some(bad) = self.nodes[node].bad {
            let failed = self.nodes[bad].life == Life::Failed;
            let why = if failed { Why::NeedFailed(bad) } else { Why::NeedSkipped(bad) };
            return self.skip(node, why);
        }
        if let Some(missing) = self.nodes[node].missing
            && !self.nodes[node].tolerant
        {
            return self.skip(node, Why::NeedAbsent(missing));
        }
        let mut refused = std::mem::take(&mut self.nodes[node].refused);
        refused.sort_unstable();
        if let Some(first) = refused.first().copied() {
            if !self.nodes[node].effect {
                return self.skip(node, Why::NeedBlocked(first));
            }
            self.go(node, Happening::Block)?;
            self.commands.push(Command::Block { node, by: refused });
            return Ok(());
        }
        if let Some(why) = self.stopping() {
            return self.skip(node, why);
        }
        if self.nodes[node].effect {
            self.go(node, Happening::Hold)?;
            self.held.push(node);
        } else {
            self.go(node, Happening::Check)?;
            self.commands.push(Command::Check(node));
        }
        Ok(())
    }

    /// Starts what there is room for.
    fn fill(&mut self) -> Result<(), IllegalTransition> {
        while self.running < self.jobs {
            let Some((_, Reverse(node))) = self.ready.pop() else { break };
            // What was skipped since it was queued is still in the heap.
            if let Life::Queued { attempt } = self.nodes[node].life {
                self.go(node, Happening::Start)?;
                self.commands.push(Command::Start { node, attempt });
            }
        }
        Ok(())
    }

    /// Lets effects begin, or drops them, once everything that they wait for has ended.
    fn release(&mut self) -> Result<(), IllegalTransition> {
        if self.left_before_effects > 0 {
            return Ok(());
        }
        for node in std::mem::take(&mut self.held) {
            if self.nodes[node].life != Life::Held {
                continue;
            }
            if self.cancelled {
                self.skip(node, Why::Cancelled)?;
            } else if let Some(failed) = self.first_failure {
                self.skip(node, Why::NoEffect(failed))?;
            } else {
                self.go(node, Happening::Release)?;
                self.commands.push(Command::Intend(node));
            }
        }
        Ok(())
    }

    fn failed(&mut self, node: usize, transient: bool, now: Millis) -> Result<(), IllegalTransition> {
        if let Life::Running { attempt } = self.nodes[node].life
            && transient
            && attempt <= self.nodes[node].retries
            && self.stopping().is_none()
        {
            let due = now.saturating_add(backoff(attempt));
            self.go(node, Happening::Retry { due })?;
            self.delayed.push(Reverse((due, node)));
            self.commands.push(Command::Retry { node, attempt, due });
            return Ok(());
        }
        self.go(node, Happening::Fail)?;
        self.commands.push(Command::GiveUp(node));
        self.cut_short |= self.cancelled;
        self.first_failure.get_or_insert(node);
        if !self.keep_going {
            self.skip_the_rest(Why::Halted(node))?;
        }
        Ok(())
    }

    fn tick(&mut self, now: Millis) -> Result<(), IllegalTransition> {
        while let Some(&Reverse((due, node))) = self.delayed.peek() {
            if due > now {
                break;
            }
            self.delayed.pop();
            if matches!(self.nodes[node].life, Life::Delayed { .. }) {
                self.go(node, Happening::Due)?;
                self.ready.push((self.nodes[node].height, Reverse(node)));
            }
        }
        Ok(())
    }

    fn cancel(&mut self) -> Result<(), IllegalTransition> {
        if self.cancelled {
            return Ok(());
        }
        self.cancelled = true;
        for node in 0..self.nodes.len() {
            if matches!(self.nodes[node].life, Life::Running { .. }) {
                self.commands.push(Command::Stop(node));
            }
        }
        self.skip_the_rest(Why::Cancelled)
    }

    /// Skips everything of which nothing is under way. What is being checked is skipped when its answer comes.
    fn skip_the_rest(&mut self, why: Why) -> Result<(), IllegalTransition> {
        for node in 0..self.nodes.len() {
            let idle = matches!(
                self.nodes[node].life,
                Life::Waiting { .. } | Life::Queued { .. } | Life::Delayed { .. } | Life::Held
            );
            if idle {
                self.skip(node, why)?;
            }
        }
        Ok(())
    }

    fn skip(&mut self, node: usize, why: Why) -> Result<(), IllegalTransition> {
        self.go(node, Happening::Skip)?;
        self.cut_short |= why == Why::Cancelled;
        self.nodes[node].absent = matches!(why, Why::Absent | Why::NeedAbsent(_));
        self.commands.push(Command::Skip { node, why });
        Ok(())
    }

    /// Why nothing new starts, if so.
    fn stopping(&self) -> Option<Why> {
        match self.first_failure {
            _ if self.cancelled => Some(Why::Cancelled),
            Some(failed) if !self.keep_going => Some(Why::Halted(failed)),
            _ => None,
        }
    }

    fn outcome(&self) -> Outcome {
        match () {
            () if self.cut_short => Outcome::Cancelled,
            () if self.first_failure.is_some() => Outcome::Failed,
            () if self.blocked => Outcome::Blocked,
            () => Outcome::Succeeded,
        }
    }

    /// The only place where a node's state changes.
    fn go(&mut self, node: usize, happening: Happening) -> Result<(), IllegalTransition> {
        let before = self.nodes[node].life;
        let after = before.next(happening)?;
        #[cfg(test)]
        self.taken.insert((life::name(&before), life::name(&happening)));
        self.nodes[node].life = after;
        let running = |life| usize::from(matches!(life, Life::Running { .. }));
        self.running = self.running + running(after) - running(before);
        if after.is_end() {
            self.left -= 1;
            self.left_before_effects -= usize::from(self.nodes[node].before_effects);
            self.blocked |= after == Life::Blocked;
            self.ended.push_back(node);
        }
        Ok(())
    }
}

/// The pause after this attempt. Without jitter: a retry here contends with nobody but this run.
fn backoff(attempt: u32) -> Millis {
    FIRST_BACKOFF.saturating_mul(1 << (attempt - 1).min(30)).min(LONGEST_BACKOFF)
}
