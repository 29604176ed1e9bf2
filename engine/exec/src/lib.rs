//! Where steps run: WebAssembly components in a sandbox that grants them their inputs and outputs and nothing else, and
//! programs as processes, which no sandbox holds.
//!
//! Owns: reading what a component offers ([`signature`], [`interface`]), finding components ([`Library`]), running their
//! steps ([`wasm::WasmExecutor`]), running programs ([`process::ProcessExecutor`]) and serving the models that steps make
//! ([`predictor::WasmPredictors`]). Must never know: pipelines, plans, journals, caches of results, terminals.
//!
//! ```text
//! component bytes -> signature (custom section) + interface (WIT) -> ModuleSignature -> the checker
//! Job -> compiled code (cached) -> sandbox -> run -> files in Job::out -> Produced
//! ModelVersion -> the component that made it -> replicas, each with the model loaded -> predictions
//! ```
//!
//! Invariants: reading a signature runs nothing. A step that the signature offers can be called. Nothing that a guest
//! does, or fails to do, brings down the engine, outlives its attempt or is seen outside of its folder. The same step
//! with the same inputs sees the same world: clocks, random numbers and names do not depend on where or when it runs.

pub mod interface;
pub mod library;
mod local;
mod params;
pub mod predictor;
pub mod process;
pub mod signature;
pub mod wasm;

pub use library::Library;
pub use local::LocalExecutor;
pub use predictor::{PredictorOptions, WasmPredictors};
pub use process::{ProcessExecutor, ProcessOptions};
pub use wasm::{WasmExecutor, WasmOptions};

/// The world of step plugins that this engine speaks.
pub const WORLD: &str = "mlp:step@1.0.0";

/// The world of what serves models.
pub const PREDICTOR_WORLD: &str = "mlp:predictor@1.0.0";

/// `max_depth` is `max-depth` in WIT.
pub(crate) fn kebab(name: &str) -> String {
    name.replace('_', "-")
}
