//! What the scheduler is told, and what it says.

use super::life::Because;
use super::work::{UnderWay, Wait};
use crate::record::{Millis, Outcome};

/// Which attempt an answer is about. One that does not carry the token of what is under way comes from an attempt that was
/// given up, or was meant for an engine that no longer owns the run, and is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    /// Of the engine that started or adopted it: [`super::Work::epoch`].
    pub epoch: u32,
    /// One-based.
    pub attempt: u32,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What was found is of no use, and trying would not help; or what its members gave cannot be put together. Answers
    /// [`Command::Check`] and [`Command::Collect`].
    Wrong(usize),
    /// It stands for this many members, none of which is known as a whole. Answers [`Command::Check`] of a fan.
    Expanded {
        /// Which.
        node: usize,
        /// How many. They get numbers: [`super::Scheduler::members`].
        members: u32,
    },
    /// What its members gave is put together. Answers [`Command::Collect`].
    Collected(usize),
    /// It must not be tried before somebody decided or a time came. Answers [`Command::Check`].
    Wait {
        /// Which.
        node: usize,
        /// What for.
        wait: Wait,
    },
    /// Its attempt came to where somebody has to decide or a time has to come. Answers [`Command::Start`].
    Awaits {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
        /// What for.
        wait: Wait,
    },
    /// What it waited for came. At any time, also more than once: the first counts.
    Decided {
        /// Which.
        node: usize,
        /// What follows.
        decision: Decision,
    },
    /// The work of its attempt begins: getting ready for it (compiling, fetching) took none of its time. At most once for an
    /// attempt that was started; one of which this is never said has no time limit of its own.
    Began {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// Its attempt gave what it declares. Answers [`Command::Start`], and [`Command::Adopt`] after [`Event::Adopted`].
    Succeeded {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// It decided no. Answers [`Command::Start`].
    Refused {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// Its attempt gave nothing, or stopped because it was asked to. Answers [`Command::Start`].
    Failed {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
        /// Whether another attempt may help.
        transient: bool,
    },
    /// The attempt of an earlier engine is under way, or ended and its answer will come. Answers [`Command::Adopt`].
    Adopted {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// Nobody knows of the attempt any more, and it is certain that it is not under way. Answers [`Command::Adopt`] and
    /// [`Command::Start`].
    Lost {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// Its intent is durable. Answers [`Command::Intend`].
    Intended(usize),
    /// What it does is done. Answers [`Command::Act`].
    Acted(usize),
    /// It is [`super::Scheduler::next_tick`] or later.
    Tick,
    /// Somebody wants the run to stop.
    Cancel,
}

/// What follows from a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// An attempt is made now.
    Go,
    /// There is nothing more to do: yes.
    Yes,
    /// There is nothing more to do: no.
    No,
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
        /// Which attempt: to be given back with its answer.
        token: Token,
    },
    /// Find out what became of an attempt of an earlier engine. From now on its answers carry this token.
    Adopt {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// End what is left of an attempt of an earlier engine: nobody wants its answer, and what is said after this may start
    /// in its place. No answer.
    Disown {
        /// Which.
        node: usize,
        /// The attempt.
        under_way: UnderWay,
    },
    /// The attempt failed for now: say so, and send a tick when the next is due.
    Retry {
        /// Which.
        node: usize,
        /// The one that failed.
        attempt: u32,
        /// When the next may start.
        due: Millis,
        /// Why it failed.
        cause: Cause,
    },
    /// It failed for good: say so.
    GiveUp {
        /// Which.
        node: usize,
        /// Why.
        cause: Cause,
    },
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
    Stop {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
        /// Why.
        because: Because,
    },
    /// Its attempt was asked to stop and did not: end it.
    Kill {
        /// Which.
        node: usize,
        /// Which attempt.
        token: Token,
    },
    /// It waits: say so, durably, and ask whoever has to decide.
    Ask {
        /// Which.
        node: usize,
        /// What for.
        wait: Wait,
    },
    /// Put together what its members gave.
    Collect(usize),
    /// Write down what it is about to do, durably.
    Intend(usize),
    /// Do it.
    Act(usize),
    /// Nothing goes on before somebody decides or another run ends: the engine may go, and the run ends as waiting; or it
    /// stays, and is told what is decided.
    Rest,
    /// The run is over.
    End(Outcome),
}

/// Why an attempt, or a node, failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// It said so.
    Itself,
    /// It took too long.
    TimedOut,
    /// All its attempts together took too long.
    OutOfTime,
    /// Nobody knows of it any more.
    Lost,
    /// It was asked to stop because the run was to stop.
    Cancelled,
    /// More of its members failed than may.
    Members,
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
    /// Something failed, and the run, or the fan that it is a member of, does not go on after a failure.
    Halted(usize),
    /// Something failed, and a run that failed has no effects.
    NoEffect(usize),
    /// Somebody wanted the run to stop.
    Cancelled,
}
