//! The engine's centre: from a checked pipeline to a plan, from a plan to a run, from a run to what is true now.
//!
//! Owns: plan, scheduler (a pure state machine), driver, journal, store, artifacts, registry, gates' verdicts, history, the
//! reading of secrets;
//! and the traits that other crates fill ([`executor::Executor`], [`executor::Tables`]).
//! Must never know: WASM, Docker, HTTP, Arrow, terminals.
//!
//! ```text
//! Pipeline -> planner -> plan -> scheduler <-> driver -> record -> journal -> store
//!                                                          |          |
//!                                                       observer   history
//! ```
//!
//! Start at [`engine::Engine`] (runs things, one process at a time) or [`history::History`] (looks, any number).
//!
//! Invariants
//! - The journals are the truth; the store can be thrown away.
//! - An artifact is trusted only if a synced record names it.
//! - Nothing that the outside can see happens before everything it rests on is durable.
//! - A result is reused only if everything that can change it is the same: see [`manifest`].
//! - No content of the state folder makes the engine panic.

pub mod aliases;
pub mod approval;
mod artifacts;
pub mod cancel;
mod canonical;
pub mod clock;
pub mod digest;
pub mod disk;
mod driver;
pub mod engine;
pub mod error;
pub mod estimate;
pub mod executor;
mod fan;
pub mod folder;
pub mod history;
pub mod host;
pub mod journal;
pub mod lock;
mod lookup;
pub mod machine;
pub mod manifest;
pub mod metrics;
pub mod observer;
mod outside;
pub mod plan;
mod planner;
pub mod predictor;
mod program;
pub mod project;
pub mod record;
mod recovery;
pub mod request;
pub mod scheduler;
pub mod secret;
pub mod store;
#[cfg(test)]
mod tests;
pub mod transfer;
pub mod upkeep;
mod verdict;
pub mod view;
pub mod why;
mod words;

pub use canonical::value as canonical_value;
