//! Deployments that live on after the run: who answers requests, how a candidate takes over, what is watched, and what
//! happens when the watch says no.
//!
//! Owns: the router and the model servers (`front`), the prediction log and the labels that come late (`evidence`),
//! rollouts, monitors and triggers as pure state machines (`machine`), and the resident engine that lets them live
//! (`resident`). Must never know: how a model predicts (it is given a [`mlp_core::predictor::Predictors`]), how a
//! pipeline runs (it is given a `resident::Runner`), WebAssembly, terminals.
//!
//! ```text
//! requests ─> front ─> model servers ─> answers            people, `mlp run`
//!               │  └─> evidence (prediction log, labels)        │ control
//!               v                     v                         v
//!          totals per version    judgements of windows       resident: the one writer
//!               └──────────────┬──────┴─────────────────────────┤
//!                              v                                v
//!                           machine (pure) <── entries ──── journal
//! ```
//!
//! Invariants
//! - What is live is a fold over the journal; every effect (weights, loaded versions, alerts, retrainings) is derived from
//!   that state, so that after a kill at any instruction the next engine goes on where the journal ends.
//! - An entry is durable before anything that rests on it can be seen outside.
//! - No data is never read as success: what it means is what the author wrote.
//! - A client's mistake is never counted against a version; a version's failure is never told as the client's mistake.

pub mod clock;
pub mod front;
pub mod routes;
