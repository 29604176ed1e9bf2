//! The life of one node: its states, what can happen to it, and the one function that says what follows.

use crate::record::Millis;

/// Where a node stands. Each variant says what is true when it is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        /// One-based.
        attempt: u32,
    },
    /// An attempt is under way and takes up room.
    Running {
        /// One-based.
        attempt: u32,
    },
    /// The last attempt failed in a way that may pass; another is due later.
    Delayed {
        /// The one that failed, one-based.
        attempt: u32,
        /// When the next may start.
        due: Millis,
    },
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

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// There is room.
    Start,
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
            (Checking, H::Fail) => Failed,
            (Checking, H::Skip) => Skipped,
            (Queued { attempt }, H::Start) => Running { attempt },
            (Queued { .. }, H::Skip) => Skipped,
            (Running { .. }, H::Succeed) => Done,
            (Running { .. }, H::Fail) => Failed,
            (Running { .. }, H::Block) => Blocked,
            (Running { attempt }, H::Retry { due }) => Delayed { attempt, due },
            (Delayed { attempt, .. }, H::Due) => Queued { attempt: attempt + 1 },
            (Delayed { .. }, H::Skip) => Skipped,
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
}

/// The name of a variant, for the report of transitions that were never taken.
#[cfg(test)]
pub(super) fn name(it: &impl std::fmt::Debug) -> String {
    let text = format!("{it:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}
