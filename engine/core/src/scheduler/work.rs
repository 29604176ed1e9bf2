//! What is scheduled: units, what they ask for, and what there is.

use super::life::On;
use crate::record::Millis;

/// What is scheduled. Units are numbered; each needs only units before it.
#[derive(Clone, Debug)]
pub struct Work {
    /// The units.
    pub nodes: Vec<Unit>,
    /// What there is for attempts.
    pub room: Room,
    /// After a failure, go on with everything that does not need what failed.
    pub keep_going: bool,
    /// Where jitter comes from, together with node and attempt: the number of the run, so that a replay is the same.
    pub seed: u64,
    /// Which engine this is, counted over all that ever owned the run: it fences off answers to the ones before.
    pub epoch: u32,
}

/// What there is. What was not measured is `u64::MAX`: nobody can run out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Attempts under way at once, at least 1.
    pub jobs: usize,
    /// Thousandths of a processor.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
    /// Devices.
    pub gpus: u64,
    /// Whatever else is shared, by name: how many at once.
    pub pools: Vec<(String, u64)>,
}

impl Room {
    /// Room for this many attempts; nothing else was measured.
    pub fn jobs(jobs: usize) -> Room {
        Room { jobs, cpu: u64::MAX, memory: u64::MAX, gpus: u64::MAX, pools: Vec::new() }
    }
}

/// What an attempt takes up, beside one job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ask {
    /// Thousandths of a processor.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
    /// Devices.
    pub gpus: u64,
    /// Places in pools. The same pool twice counts twice.
    pub pools: Vec<(String, u64)>,
}

/// A unit of work, as the scheduler sees it. The default needs nothing, asks for one job and is tried once.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// What people call it: for errors.
    pub name: String,
    /// Everything that must end well before.
    pub needs: Vec<usize>,
    /// What it does is visible outside: it waits until all else ended well.
    pub effect: bool,
    /// It decides all the same if something it needs did not run because of what does not exist yet.
    pub tolerant: bool,
    /// More is sooner.
    pub priority: i32,
    /// What each attempt takes up.
    pub ask: Ask,
    /// How long and how often it is tried.
    pub rules: Rules,
    /// It stands for members that are known once what it needs has ended. Everything else said here holds for each member;
    /// the unit itself makes no attempt.
    pub fan: Option<Fan>,
    /// Attempts that an earlier engine started and that may be under way still: for a fan, of its members.
    pub under_way: Vec<UnderWay>,
}

/// How long and how often a unit is tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// How often an attempt that failed for now is followed by another.
    pub retries: u32,
    /// An attempt that took too long failed for now.
    pub retry_timeouts: bool,
    /// The pause after the first attempt; each further one doubles it.
    pub backoff: Millis,
    /// The longest pause, at least `backoff`. None: no limit.
    pub longest_backoff: Option<Millis>,
    /// How pauses differ between units that failed together.
    pub jitter: Jitter,
    /// How long one attempt may take, from [`super::Event::Began`].
    pub timeout: Option<Millis>,
    /// How long all attempts may take, with the pauses between them, from the start of the first. Waiting for a person, a
    /// time or a run starts it anew.
    pub in_all: Option<Millis>,
    /// How long an attempt that was asked to stop may go on.
    pub grace: Option<Millis>,
}

/// How pauses differ between units that failed together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Jitter {
    /// Not at all.
    #[default]
    None,
    /// Any pause from the doubled one to half as much again is as likely: never less than what the author wrote.
    Added,
}

/// Members of a unit that stands for many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fan {
    /// How many members may be on their way at once, from being checked to their end. None: all.
    pub at_most: Option<u32>,
    /// After more members failed than may, go on with the others.
    pub keep_going: bool,
    /// How many members may fail without the whole failing.
    pub may_fail: u32,
}

/// An attempt that an earlier engine started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Which member of a fan; 0 else.
    pub member: u32,
    /// One-based.
    pub attempt: u32,
    /// How many attempts before it failed.
    pub failed: u32,
    /// When it started.
    pub since: Millis,
    /// When the first attempt started.
    pub began: Millis,
}

/// What a unit waits for, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A person decides.
    Person,
    /// Until then.
    Until(Millis),
    /// Another run ends.
    Run(u64),
}

impl Wait {
    pub(super) fn on(self) -> On {
        match self {
            Wait::Person => On::Person,
            Wait::Until(_) => On::Time,
            Wait::Run(_) => On::Run,
        }
    }
}

/// Work that can never come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// Its attempts could never start.
    #[error("`{unit}` asks for {asks} of {resource}, and there is {has}")]
    TooMuch {
        /// Its name.
        unit: String,
        /// What it asks for.
        resource: String,
        /// How much.
        asks: u64,
        /// How much there is.
        has: u64,
    },
    /// Nobody said how many places the pool has.
    #[error("`{unit}` asks for a place in the pool `{pool}`, which does not exist")]
    NoPool {
        /// Its name.
        unit: String,
        /// The pool.
        pool: String,
    },
    /// Units are in no order in which they could run.
    #[error("`{unit}` needs number {need}, which is not before it")]
    Order {
        /// Its name.
        unit: String,
        /// What it needs.
        need: usize,
    },
    /// It stands for members, and what it does is visible outside: which of the two comes first is not defined.
    #[error("`{unit}` stands for many, and cannot be an effect")]
    FanOfEffects {
        /// Its name.
        unit: String,
    },
    /// Numbers of units have 32 bits.
    #[error("there are {0} units: more than can be numbered")]
    TooMany(usize),
}
