//! Write a step for mlp as one annotated Rust module.
//!
//! Owns: the types a step is written in ([`Dataset`], [`Table`], [`Model`], [`Metrics`], settings, [`Error`]), how they
//! lie in files, what the host offers while a step runs ([`host`]), and the trait of what serves models
//! ([`predictor`]). Must never know: any particular step, or
//! anything of the engine beyond the contracts in `spec/wit`.
//!
//! ```text
//! /mlp/in/rows (Parquet) -> Dataset -> Table -> run(params, inputs) -> Outputs -> /mlp/out/train (Parquet)
//! ```
//!
//! Invariants: the same table is always written as the same bytes. Off `wasm` a step is a plain function: make its
//! inputs from tables in memory, call `run`, look at what it gives; nothing touches `/mlp`.

pub mod dataset;
pub mod error;
pub mod host;
pub mod metrics;
pub mod model;
pub mod predictor;
pub mod settings;
pub mod table;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
pub mod time;
pub mod wit;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use arrow_array;
pub use arrow_schema;
pub use dataset::Dataset;
pub use error::Error;
pub use metrics::{Group, Metrics};
pub use mlp_sdk_macros::{plugin, step};
pub use model::Model;
pub use predictor::Predictor;
pub use settings::{Column, Duration, Fraction, Size, ValueOf};
pub use table::{Cells, Table};

/// Everything a step usually names.
pub mod prelude {
    pub use crate::{Column, Dataset, Duration, Error, Fraction, Group, Metrics, Model, Size, Table, ValueOf, host};
}
