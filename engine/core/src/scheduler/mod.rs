//! Decides what happens next in a run: a pure state machine.
//!
//! Owns: each node's [`Life`], who takes up what room, retries, timeouts, waits, fans, what a failure, a gate's no or a
//! cancellation mean for the rest, and when effects may begin. Must never know: clocks (the time comes in with each event),
//! chance (jitter comes from a given seed), files, threads, what nodes do.
//!
//! ```text
//! (time, Event) -> Scheduler::step -> Command ...     the driver carries commands out and answers with events
//! ```
//!
//! Invariants, all tested on random graphs: nothing starts before everything it needs ended well; attempts never take up
//! more than there is; every node comes to an end, or waits for somebody; an effect begins only when everything outside
//! its reach has ended, and nothing failed and nobody cancelled; an answer of an attempt that was given up, or meant for an
//! earlier engine, changes nothing. Each step costs time in proportion to what it changes, and a logarithm where something
//! queues, so a run costs nodes plus edges.
//!
//! Where what is written down:
//! - `life`: the states, and the table of what may follow;
//! - `work`, `event`: what goes in and out;
//! - `attempt`: starting, failing, stopping, adopting; `time`: timers and pauses; `waiting`: what waits for somebody else;
//! - `room`: who is next, and why nobody starves; `fan`: units that stand for many.
//!
//! What a driver has to do for the parts that are optional:
//! - room: give [`Work::room`] what is present and each [`Unit::ask`] what its limits declare;
//! - time limits: answer [`Command::Start`] with [`Event::Began`] once the work itself begins;
//! - stop and kill: set [`Rules::grace`]; [`Command::Stop`] asks, [`Command::Kill`] does not. Every attempt answers in the
//!   end, also one that was killed: until then its room is taken;
//! - adopt: count engines of a run ([`Work::epoch`]), put attempts without an end into [`Unit::under_way`], answer
//!   [`Command::Adopt`] with [`Event::Adopted`] or [`Event::Lost`], and end what [`Command::Disown`] names;
//! - waits: write [`Command::Ask`] down; after a restart answer [`Command::Check`] with [`Event::Wait`] again, or with what
//!   was decided; on [`Command::Rest`] stay, or end the run as waiting;
//! - fans: answer [`Command::Check`] of a fan with [`Event::Found`] if its whole result is known, else with
//!   [`Event::Expanded`]; then members are checked and started like any node ([`Scheduler::member_of`] says whose they
//!   are), and [`Command::Collect`] is answered with [`Event::Collected`].

mod attempt;
mod event;
mod fan;
mod life;
mod room;
#[cfg(test)]
mod tests;
mod time;
mod waiting;
mod work;

pub use event::{Cause, Command, Decision, Event, Token, Why};
pub use life::{Because, Happening, IllegalTransition, Life, On};
pub use work::{Ask, Fan, Jitter, Room, Rules, UnderWay, Unit, Wait, Work, WorkError};

use crate::record::{Millis, Outcome};
use fan::{Fanned, NO_FAN};
use petgraph::Directed;
use petgraph::csr::Csr;
use room::{Kinds, Rooms};
use std::collections::{HashMap, VecDeque};
use time::Timers;
use waiting::means;

/// Compressed sparse rows: units are known before the run, and a hundred thousand of them are looked at in order.
type Graph = Csr<(), (), Directed, u32>;

/// The state of a run.
#[derive(Clone)]
pub struct Scheduler {
    nodes: Vec<Node>,
    /// From each unit to those that need it. Members of fans are not in it.
    graph: Graph,
    rooms: Rooms,
    /// Each different rules once.
    rules: Vec<Rules>,
    fans: Vec<Fanned>,
    timers: Timers,
    /// The latest time that was told.
    now: Millis,
    keep_going: bool,
    seed: u64,
    epoch: u32,
    /// Attempts of earlier engines of which nothing has been decided. They take up room.
    orphans: HashMap<u32, Vec<UnderWay>>,
    /// When attempts that are being adopted started.
    adopting: HashMap<u32, Millis>,
    held: Vec<usize>,
    /// Nodes that have not ended, without members: all, and those that effects wait for.
    left: usize,
    left_before_effects: usize,
    /// Nodes that come to something without anybody outside the run.
    active: usize,
    /// Of those, nodes that wait for room.
    queued: usize,
    begun: bool,
    resting: bool,
    first_failure: Option<usize>,
    blocked: bool,
    cancelled: bool,
    /// The cancellation kept something from ending well.
    cut_short: bool,
    over: bool,
    /// Nodes that ended in this step, whose dependents are to be told.
    ended: VecDeque<usize>,
    /// Of nodes that have not gone on, those they need that said no.
    refused: HashMap<u32, Vec<usize>>,
    commands: Vec<Command>,
    #[cfg(test)]
    taken: std::collections::HashSet<(std::mem::Discriminant<Life>, std::mem::Discriminant<Happening>)>,
}

#[derive(Clone)]
struct Node {
    life: Life,
    /// When the first attempt started.
    began: Option<Millis>,
    /// Attempts that failed for now.
    failed: u32,
    /// Steps to the farthest node that needs it.
    height: u32,
    priority: i32,
    kind: u32,
    rules: u32,
    /// The fan that it stands for, or is a member of.
    fan: u32,
    /// It is a member of that fan.
    member: bool,
    /// It is a member that was told to go.
    admitted: bool,
    effect: bool,
    tolerant: bool,
    /// It was skipped because something does not exist yet.
    absent: bool,
    /// Effects wait for it.
    before_effects: bool,
    /// The first of its needs, by number, that failed or did not run for any other reason than the next.
    bad: Option<u32>,
    /// The first of its needs, by number, that did not run because something does not exist yet.
    missing: Option<u32>,
}

impl Scheduler {
    /// Nothing happened yet. Work that could never come to its end is an error.
    pub fn new(work: Work) -> Result<Scheduler, WorkError> {
        let count = u32::try_from(work.nodes.len()).map_err(|_| WorkError::TooMany(work.nodes.len()))?;
        let mut kinds = Kinds::new(&work.room);
        let mut rules = Vec::new();
        let mut known_rules: HashMap<Rules, u32> = HashMap::new();
        let mut fans = Vec::new();
        let mut orphans: HashMap<u32, Vec<UnderWay>> = HashMap::new();
        let mut nodes: Vec<Node> = Vec::with_capacity(work.nodes.len());
        let mut edges: Vec<(u32, u32)> = Vec::with_capacity(work.nodes.iter().map(|unit| unit.needs.len()).sum());
        for (index, unit) in (0..count).zip(&work.nodes) {
            let mut before_effects = !unit.effect;
            for &need in &unit.needs {
                let Some(before) = nodes.get(need) else {
                    return Err(WorkError::Order { unit: unit.name.clone(), need });
                };
                before_effects &= before.before_effects;
                edges.push((need as u32, index));
            }
            let fan = match unit.fan {
                Some(_) if unit.effect => return Err(WorkError::FanOfEffects { unit: unit.name.clone() }),
                Some(about) => {
                    fans.push(Fanned::new(index, about));
                    fans.len() as u32 - 1
                }
                None => NO_FAN,
            };
            if !unit.under_way.is_empty() {
                orphans.insert(index, unit.under_way.clone());
            }
            nodes.push(Node {
                life: Life::Waiting { needs: 0 },
                began: None,
                failed: 0,
                height: 0,
                priority: unit.priority,
                kind: kinds.number(unit)?,
                rules: *known_rules.entry(unit.rules).or_insert_with(|| {
                    rules.push(unit.rules);
                    rules.len() as u32 - 1
                }),
                fan,
                member: false,
                admitted: false,
                effect: unit.effect,
                tolerant: unit.tolerant,
                absent: false,
                before_effects,
                bad: None,
                missing: None,
            });
        }
        edges.sort_unstable();
        edges.dedup();
        for (_, dependent) in &edges {
            if let Life::Waiting { needs } = &mut nodes[*dependent as usize].life {
                *needs += 1;
            }
        }
        let mut graph = Graph::from_sorted_edges(&edges).map_err(|_| WorkError::TooMany(work.nodes.len()))?;
        while graph.node_count() < nodes.len() {
            graph.add_node(());
        }
        for index in (0..nodes.len()).rev() {
            let after = graph.neighbors_slice(index as u32).iter();
            nodes[index].height = after.map(|after| nodes[*after as usize].height + 1).max().unwrap_or(0);
        }
        let mut rooms = kinds.finish();
        // They may be under way, wherever the run is: nothing else starts in their place.
        for (node, orphans) in &orphans {
            orphans.iter().for_each(|_| rooms.take(nodes[*node as usize].kind));
        }
        Ok(Scheduler {
            left: nodes.len(),
            left_before_effects: nodes.iter().filter(|node| node.before_effects).count(),
            nodes,
            graph,
            rooms,
            rules,
            fans,
            timers: Timers::default(),
            now: Millis::MIN,
            keep_going: work.keep_going,
            seed: work.seed,
            epoch: work.epoch,
            orphans,
            adopting: HashMap::new(),
            held: Vec::new(),
            active: 0,
            queued: 0,
            begun: false,
            resting: false,
            first_failure: None,
            blocked: false,
            cancelled: false,
            cut_short: false,
            over: false,
            ended: VecDeque::new(),
            refused: HashMap::new(),
            commands: Vec::new(),
            #[cfg(test)]
            taken: Default::default(),
        })
    }

    /// Where a node stands.
    pub fn life(&self, node: usize) -> Life {
        self.nodes[node].life
    }

    /// Nothing goes on before somebody decides: the last that was said was [`Command::Rest`].
    pub fn is_resting(&self) -> bool {
        self.resting && !self.over
    }

    /// When the next tick is due.
    pub fn next_tick(&self) -> Option<Millis> {
        self.timers.next()
    }

    /// Takes in what happened, and when, and says what to do, in order. A time before one that was told counts as that one.
    /// An illegal event is a defect of the caller.
    pub fn step(&mut self, now: Millis, event: Event) -> Result<Vec<Command>, IllegalTransition> {
        self.now = self.now.max(now);
        match event {
            Event::Begin => {
                self.begun = true;
                for node in 0..self.nodes.len() {
                    if self.nodes[node].life == (Life::Waiting { needs: 0 }) {
                        self.proceed(node)?;
                    }
                }
            }
            Event::Found(node) => self.go(node, Happening::Found)?,
            Event::NotFound(node) => self.not_found(node)?,
            Event::Unwanted(node) => self.skip(node, Why::Unwanted)?,
            Event::Absent(node) => self.skip(node, Why::Absent)?,
            Event::Wrong(node) => {
                self.only_from(node, &[Life::Checking, Life::Collecting], Happening::Fail)?;
                self.give_up(node, Cause::Itself)?;
            }
            Event::Wait { node, wait } => {
                self.only_from(node, &[Life::Checking], Happening::Await { on: wait.on() })?;
                self.wait(node, wait)?;
            }
            Event::Decided { node, decision } => self.decided(node, decision)?,
            Event::Expanded { node, members } => self.expand(node, members)?,
            Event::Collected(node) => {
                self.only_from(node, &[Life::Collecting], Happening::Succeed)?;
                self.go(node, Happening::Succeed)?;
            }
            Event::Began { .. }
            | Event::Succeeded { .. }
            | Event::Refused { .. }
            | Event::Failed { .. }
            | Event::Awaits { .. }
            | Event::Adopted { .. }
            | Event::Lost { .. } => self.answered(event)?,
            Event::Intended(node) => {
                self.go(node, Happening::Intended)?;
                self.commands.push(Command::Act(node));
            }
            Event::Acted(node) => {
                self.only_from(node, &[Life::Acting], Happening::Succeed)?;
                self.go(node, Happening::Succeed)?;
            }
            Event::Tick => self.tick()?,
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
        let Scheduler { timers, nodes, rules, .. } = self;
        timers.trim(|timer| means(nodes, rules, timer));
        if self.left == 0 && !self.over {
            self.over = true;
            self.commands.push(Command::End(self.outcome()));
        }
        let rests = self.begun && self.active == 0 && self.left > 0;
        if rests && !self.resting {
            self.commands.push(Command::Rest);
        }
        self.resting = rests;
        Ok(())
    }

    fn tell_dependents(&mut self, node: usize) -> Result<(), IllegalTransition> {
        if self.nodes[node].member {
            return self.member_ended(node);
        }
        for at in (0..self.graph.neighbors_slice(node as u32).len()).rev() {
            let number = self.graph.neighbors_slice(node as u32)[at];
            let dependent = number as usize;
            // A run that stops skips nodes before all they need has ended.
            if self.nodes[dependent].life.is_end() {
                continue;
            }
            match self.nodes[node].life {
                Life::Failed | Life::Skipped => {
                    let absent = self.nodes[node].absent;
                    let Node { missing, bad, .. } = &mut self.nodes[dependent];
                    let first = if absent { missing } else { bad };
                    *first = Some(first.map_or(node as u32, |other| other.min(node as u32)));
                }
                Life::Blocked => self.refused.entry(number).or_default().push(node),
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
        let number = node as u32;
        let mut refused = self.refused.remove(&number).unwrap_or_default();
        if let Some(bad) = self.nodes[node].bad {
            let bad = bad as usize;
            let failed = self.nodes[bad].life == Life::Failed;
            let why = if failed { Why::NeedFailed(bad) } else { Why::NeedSkipped(bad) };
            return self.skip(node, why);
        }
        if let Some(missing) = self.nodes[node].missing
            && !self.nodes[node].tolerant
        {
            return self.skip(node, Why::NeedAbsent(missing as usize));
        }
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

    fn cancel(&mut self) -> Result<(), IllegalTransition> {
        if self.cancelled {
            return Ok(());
        }
        self.cancelled = true;
        for node in 0..self.nodes.len() {
            if matches!(self.nodes[node].life, Life::Running { .. }) {
                self.stop(node, Because::Cancelled)?;
            }
        }
        self.skip_the_rest(Why::Cancelled)
    }

    /// Skips everything of which nothing is under way. What is being checked is skipped when its answer comes.
    fn skip_the_rest(&mut self, why: Why) -> Result<(), IllegalTransition> {
        for node in 0..self.nodes.len() {
            if self.is_idle(node) {
                self.skip(node, why)?;
            }
        }
        Ok(())
    }

    /// It has not ended, and nothing of it is under way.
    fn is_idle(&self, node: usize) -> bool {
        matches!(
            self.nodes[node].life,
            Life::Waiting { .. } | Life::Queued { .. } | Life::Delayed { .. } | Life::Awaiting { .. } | Life::Held
        )
    }

    fn skip(&mut self, node: usize, why: Why) -> Result<(), IllegalTransition> {
        self.go(node, Happening::Skip)?;
        self.cut_short |= why == Why::Cancelled;
        let here = &mut self.nodes[node];
        here.absent = matches!(why, Why::Absent | Why::NeedAbsent(_));
        if here.member && matches!(why, Why::Cancelled | Why::Halted(_)) {
            self.fans[here.fan as usize].cut(why);
        }
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
        let here = &mut self.nodes[node];
        let before = here.life;
        let after = before.next(happening)?;
        here.life = after;
        #[cfg(test)]
        self.taken.insert((std::mem::discriminant(&before), std::mem::discriminant(&happening)));
        match (before.takes_room(), after.takes_room()) {
            (false, true) => self.rooms.take(here.kind),
            (true, false) => self.rooms.give(here.kind),
            _ => {}
        }
        self.active = self.active + usize::from(after.is_active()) - usize::from(before.is_active());
        let queued = |life| usize::from(matches!(life, Life::Queued { .. }));
        self.queued = self.queued + queued(after) - queued(before);
        if after.is_end() {
            if !here.member {
                self.left -= 1;
                self.left_before_effects -= usize::from(here.before_effects);
                self.blocked |= after == Life::Blocked;
            }
            self.ended.push_back(node);
        }
        // Whatever comes of it from here, it does not come of what an earlier engine started.
        if !self.orphans.is_empty() && (after.is_end() || matches!(after, Life::Awaiting { .. })) {
            let orphans = self.orphans.remove(&(node as u32)).unwrap_or_default();
            orphans.into_iter().for_each(|orphan| self.disown(node, orphan));
        }
        Ok(())
    }
}
