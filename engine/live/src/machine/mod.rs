//! Everything a resident engine decides, as pure state machines over journal entries.
//!
//! Owns: the life of a deployment ([`rollout`]), of a monitor ([`monitor`]), of a trigger ([`trigger`]), of a run that one
//! of them asked for ([`retrain`]) and of an alert ([`alert`]); [`Live`], the fold that holds them all; [`Duty`], what
//! must be done because of what is so. Must never know: clocks, files, threads, HTTP, how a duty is carried out.
//!
//! ```text
//! Entry ──> Live::apply ──> Live ──> due(now), routes, loaded, serving, story
//!   ^                                   │
//!   └── the answer to a duty ── resident carries it out
//! ```
//!
//! Level-triggered: a duty is due as long as the state says so, and an entry that answers it changes the state. Nothing
//! is kept anywhere else, so that after a kill the next engine folds the journal and is given the same duties. Whoever
//! carries them out remembers which are under way and asks again when that process is gone.
//!
//! Each machine has one transition function, `step`. A pair of state and event that cannot be is [`Illegal`] and changes
//! nothing; an answer that comes too late (the rollout it is about is over) is one. The writer asks [`Live::admits`]
//! before it writes.

pub mod alert;
mod duty;
mod entry;
mod live;
pub mod monitor;
pub mod retrain;
pub mod rollout;
pub mod trigger;
mod words;

pub use duty::{AlertBody, Duty};
pub use entry::{Asked, Entry, Offer, What};
pub use live::{Live, Told};

#[cfg(test)]
mod tests;

/// This cannot happen to that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{machine} ({state}): {event} cannot happen: {why}")]
pub struct Illegal {
    /// Whose life: `deployment production`, `monitor health`.
    pub machine: String,
    /// The state it is in.
    pub state: String,
    /// What was to happen.
    pub event: String,
    /// For people.
    pub why: String,
}

/// Nanoseconds as milliseconds, at least one: a time span that is not zero must pass.
fn millis(nanoseconds: i64) -> i64 {
    match nanoseconds {
        ..=0 => 0,
        some => (some / 1_000_000).max(1),
    }
}
