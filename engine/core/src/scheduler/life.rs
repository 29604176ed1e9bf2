//! The life of one node: its states, what can happen to it, and the one function that says what follows.

use crate::record::Millis;

/// Where a node stands. Each variant says what is true when it is entered. Attempts are numbered from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// This many of the nodes it needs have not ended. With none left it is being told what to do next.
    Waiting {
        /// How many.
        needs: u32,
    },
    /// All it needs ended well, and somebody is finding out whether its result is known.
    Checking,
    /// Its result is not known; it runs as soon as there is room. The number is that of the attempt to come.
    Queued {
        /// The next.
        attempt: u32,
    },
    /// An earlier engine started an attempt, and somebody is finding out whether it is still under way. It may be, so it
    /// takes up room.
    Adopting {
        /// The one in question.
        attempt: u32,
    },
    /// An attempt is under way and takes up room.
    Running {
        /// Which.
        attempt: u32,
    },
    /// The attempt was asked to stop, and takes up room until it says that it did.
    Stopping {
        /// Which.
        attempt: u32,
        /// Why it was asked.
        because: Because,
    },
    /// The attempt did not stop in time and was told to be ended; it takes up room until it is gone.
    Killing {
        /// Which.
        attempt: u32,
        /// Why it was asked to stop.
        because: Because,
    },
    /// The last attempt failed in a way that may pass; another is due later.
    Delayed {
        /// The one that failed.
        attempt: u32,
        /// When the next may start.
        due: Millis,
    },
    /// Somebody else has to decide, or a time has to come. It takes up no room.
    Awaiting {
        /// The last one, 0 if there was none.
        attempt: u32,
        /// What for.
        on: On,
    },
    /// It stands for this many members that have not ended.
    Expanded {
        /// How many.
        left: u32,
    },
    /// Its members ended well enough, and what they gave is being put together.
    Collecting,
    /// All it needs ended well, what it does is visible outside, and not everything else has ended well yet.
    Held,
    /// What it is about to do is being written down, and with it everything it rests on.
    Intending,
    /// What it is about to do is durable, and is being done.
    Acting,
    /// It ran and gave what it declares.
    Done,
    /// Its result was known.
    Reused,
    /// It came to its end with nothing to show.
    Failed,
    /// A decision went against it.
    Blocked,
    /// It did not run.
    Skipped,
}

/// Why an attempt was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// Somebody wanted the run to stop.
    Cancelled,
    /// The attempt took too long.
    TimedOut,
    /// All attempts together took too long.
    OutOfTime,
}

/// What a node waits for without taking up room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum On {
    /// A person decides.
    Person,
    /// A time comes.
    Time,
    /// Another run ends.
    Run,
}

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Happening {
    /// One of the nodes it needs ended.
    NeedEnded,
    /// Everything it needs ended well: find out whether its result is known.
    Check,
    /// Everything it needs ended well, but what it does is visible outside.
    Hold,
    /// Its result is known.
    Found,
    /// Its result is not known.
    NotFound,
    /// Its result is not known, and an earlier engine started this attempt.
    Orphan {
        /// Which.
        attempt: u32,
    },
    /// The attempt of an earlier engine is under way.
    Adopted,
    /// The attempt of an earlier engine is gone.
    Lost,
    /// It stands for this many members.
    Expand {
        /// How many.
        members: u32,
    },
    /// One of its members ended.
    MemberEnded,
    /// All its members ended well enough.
    Collect,
    /// There is room.
    Start,
    /// Its attempt is asked to stop.
    Stop {
        /// Why.
        because: Because,
    },
    /// Its attempt did not stop in time.
    Kill,
    /// It has to wait for what is not under way here.
    Await {
        /// What for.
        on: On,
    },
    /// What it waited for came, and it is to run now.
    Resume,
    /// The attempt gave what the node declares, or what it does is done.
    Succeed,
    /// It gave nothing, and never will in this run.
    Fail,
    /// It gave nothing, but may later.
    Retry {
        /// When.
        due: Millis,
    },
    /// The time of the next attempt has come.
    Due,
    /// A decision went against it.
    Block,
    /// It is not to run.
    Skip,
    /// Everything that must end before the outside sees anything has ended well.
    Release,
    /// What it is about to do is durable.
    Intended,
}

/// A happening that cannot be in a state: a defect of the scheduler or of who feeds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node that is {state:?} was told {happening:?}")]
pub struct IllegalTransition {
    /// Where the node stood.
    pub state: Life,
    /// What it was told.
    pub happening: Happening,
}

impl Life {
    /// What follows. Total: a pair that is not in the table is an error, never ignored.
    pub fn next(self, happening: Happening) -> Result<Life, IllegalTransition> {
        use Happening as H;
        use Life::*;
        let next = match (self, happening) {
            (Waiting { needs }, H::NeedEnded) if needs > 1 => Waiting { needs: needs - 1 },
            // The last of them ended: the same node is told in the same breath to check, hold, block or skip.
            (Waiting { needs: 1 }, H::NeedEnded) => Waiting { needs: 0 },
            (Waiting { needs: 0 }, H::Check) => Checking,
            (Waiting { needs: 0 }, H::Hold) => Held,
            (Waiting { needs: 0 }, H::Block) => Blocked,
            (Waiting { .. }, H::Skip) => Skipped,
            (Checking, H::Found) => Reused,
            (Checking, H::NotFound) => Queued { attempt: 1 },
            (Checking, H::Orphan { attempt }) => Adopting { attempt },
            (Checking, H::Expand { members }) => Expanded { left: members },
            (Checking, H::Await { on }) => Awaiting { attempt: 0, on },
            (Checking, H::Fail) => Failed,
            (Checking, H::Skip) => Skipped,
            (Adopting { attempt }, H::Adopted) => Running { attempt },
            (Adopting { attempt }, H::Lost) => Queued { attempt: attempt.saturating_add(1) },
            (Queued { attempt }, H::Start) => Running { attempt },
            // The time for all attempts ran out while it waited for room.
            (Queued { .. }, H::Fail) => Failed,
            (Queued { .. }, H::Skip) => Skipped,
            (Running { attempt }, H::Stop { because }) => Stopping { attempt, because },
            (Stopping { attempt, because }, H::Kill) => Killing { attempt, because },
            (Running { attempt }, H::Await { on }) => Awaiting { attempt, on },
            // What was asked to stop may have come to its end before it heard of it.
            (Running { .. } | Stopping { .. } | Killing { .. }, H::Succeed) => Done,
            (Running { .. } | Stopping { .. } | Killing { .. }, H::Fail) => Failed,
            (Running { .. } | Stopping { .. } | Killing { .. }, H::Block) => Blocked,
            (Running { attempt } | Stopping { attempt, .. } | Killing { attempt, .. }, H::Retry { due }) => {
                Delayed { attempt, due }
            }
            (Delayed { attempt, .. }, H::Due) => Queued { attempt: attempt.saturating_add(1) },
            (Delayed { .. }, H::Skip) => Skipped,
            (Awaiting { attempt, .. }, H::Resume) => Queued { attempt: attempt.saturating_add(1) },
            (Awaiting { .. }, H::Succeed) => Done,
            (Awaiting { .. }, H::Block) => Blocked,
            (Awaiting { .. }, H::Skip) => Skipped,
            (Expanded { left }, H::MemberEnded) if left > 0 => Expanded { left: left - 1 },
            (Expanded { left: 0 }, H::Collect) => Collecting,
            (Expanded { left: 0 }, H::Fail) => Failed,
            (Expanded { left: 0 }, H::Block) => Blocked,
            (Expanded { left: 0 }, H::Skip) => Skipped,
            (Collecting, H::Succeed) => Done,
            (Collecting, H::Fail) => Failed,
            (Held, H::Release) => Intending,
            (Held, H::Skip) => Skipped,
            (Intending, H::Intended) => Acting,
            (Acting, H::Succeed) => Done,
            (state, happening) => return Err(IllegalTransition { state, happening }),
        };
        Ok(next)
    }

    /// It is at its end.
    pub fn is_end(self) -> bool {
        matches!(self, Life::Done | Life::Reused | Life::Failed | Life::Blocked | Life::Skipped)
    }

    /// It is at its end and what needs it may go on.
    pub fn is_good(self) -> bool {
        matches!(self, Life::Done | Life::Reused)
    }

    /// It takes up the room it asks for.
    pub fn takes_room(self) -> bool {
        self.attempt_under_way().is_some()
    }

    /// The attempt that takes up room.
    pub fn attempt_under_way(self) -> Option<u32> {
        match self {
            Life::Adopting { attempt }
            | Life::Running { attempt }
            | Life::Stopping { attempt, .. }
            | Life::Killing { attempt, .. } => Some(attempt),
            _ => None,
        }
    }

    /// Something comes of it without anybody outside the run: an answer, room, or a time.
    pub(super) fn is_active(self) -> bool {
        let idle = matches!(self, Life::Waiting { .. } | Life::Expanded { .. } | Life::Held)
            || matches!(self, Life::Awaiting { on: On::Person | On::Run, .. });
        !idle && !self.is_end()
    }
}
