//! The engine's centre: from a checked pipeline to a plan, from a plan to a run, from a run to what is true now.
//!
//! Owns: plan, scheduler (a pure state machine), driver, journal, store, artifacts, registry, gates' verdicts, history;
//! and the traits that other crates fill ([`executor::Executor`], [`executor::Tables`]).
//! Must never know: WASM, Docker, HTTP, Arrow, terminals.
//!
//! ```text
//! Pipeline -> plan -> scheduler <-> driver -> record -> journal -> store -> history
//! ```

pub mod digest;
pub mod executor;
pub mod plan;
pub mod record;
