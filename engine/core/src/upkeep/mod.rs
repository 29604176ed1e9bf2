//! Looking after a state folder: is it whole ([`verify`]), what in it can go ([`gc`]), what in it can be folded
//! ([`compact`]).
//!
//! Owns: which artifacts something still rests on, and what it means that one is not there. Must never know: what serves
//! models; whoever asks says what is served ([`Served`]).
//!
//! # Why a collection beside a run is safe
//!
//! A run publishes (writes aside, renames to the name its bytes have) and records later; and it may reuse any result that
//! any journal names, at any moment, because what a step needs is known only when the steps before it are done. So no
//! reading of the state from outside can tell what a live run is about to use. Therefore:
//!
//! 1. A collection removes only while it holds the project's lock, the one that a run holds from its first look at the
//!    store to its last record. Beside a live run it removes nothing: it is refused, or waits. A trial (`dry_run`) needs no
//!    lock.
//! 2. Under the lock every journal ends where it will end until the lock is given back, so the set of what is reachable
//!    cannot grow while it is used. A journal that cannot be read may name anything: then nothing is removed.
//! 3. Those that read without the lock (`show`, `status`, the resident engine) reach artifacts through registered versions,
//!    which are never removed, or through runs that are kept, or hold the file open, which keeps its bytes. What became
//!    unreachable a moment ago is spared for a grace period, counted from the later of a file's two times.
//! 4. Each file is removed by one system call, and nothing is written: a kill in the middle has removed some of what was to
//!    be removed, and a full disk keeps no collection from making room.
//! 5. A result whose bytes are gone is not reused but made again (`artifacts::is_sound` looks before each reuse), so that
//!    even a wrong answer here would cost time and nothing else; except for registered versions, and those stay.

mod census;
mod collect;
mod fold;
mod soundness;

pub use collect::{Policy, Swept, Tally, gc};
pub use fold::{Age, Compacted, compact};
pub use soundness::{Depth, Problem, ProblemKind, Verified, verify};

/// A version that something outside of the runs rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// Which deployment.
    pub by: String,
    /// The model's name.
    pub model: String,
    /// Its version.
    pub version: u64,
}

/// How long files that nothing refers to are spared: long enough for whoever just looked one up to open it.
pub const GRACE: crate::record::Millis = 60 * 60 * 1000;
