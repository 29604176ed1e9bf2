//! Serving registered models: the component whose step made a model predicts with it.
//!
//! ```text
//! ModelVersion -> its component (by digest; `std/*`: the one in this binary) -> compiled code -> replicas (pool)
//! predict(columns) -> a free replica (instance: a store of its own, the model loaded) -> numbers
//! ```
//!
//! A replica that crashed or ran out of time or memory is thrown away; another one is made beside the calls, which go to
//! the rest meanwhile. The engine is not that of the steps: see [`engine::lasting`]. Compiled code is shared with steps
//! through the cache on disk.

mod calls;
mod instance;
mod pool;

use crate::library::{Component, Library};
use crate::wasm::code::Codes;
use crate::wasm::engine::{self, Ticker};
use crate::wasm::{OnCompile, WasmOptions};
use instance::Maker;
use mlp_core::predictor::{Predictor, Predictors};
use mlp_core::record::ModelVersion;
use mlp_lang::signature::ModuleError;
use pool::Pool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How models are served.
#[derive(Clone)]
pub struct PredictorOptions {
    /// Where compiled code is kept between processes; steps may use the same folder.
    pub cache: Option<std::path::PathBuf>,
    /// Told before a module is compiled.
    pub on_compile: Option<OnCompile>,
    /// Bytes that one replica may use, the model included.
    pub memory: u64,
    /// How long one replica may take to load its model.
    pub loading: Duration,
}

impl Default for PredictorOptions {
    fn default() -> Self {
        PredictorOptions { cache: None, on_compile: None, memory: 1 << 30, loading: Duration::from_secs(60) }
    }
}

impl From<WasmOptions> for PredictorOptions {
    fn from(options: WasmOptions) -> Self {
        PredictorOptions { cache: options.cache, on_compile: options.on_compile, ..PredictorOptions::default() }
    }
}

/// Loads models into WebAssembly instances.
pub struct WasmPredictors {
    libraries: Mutex<Vec<Arc<Library>>>,
    options: PredictorOptions,
    /// Made when the first model is loaded.
    shared: OnceLock<Result<Arc<Shared>, String>>,
}

/// What all replicas of all models need.
struct Shared {
    codes: Codes,
    ticker: Ticker,
}

impl WasmPredictors {
    /// Of models made by components that `library` has read or can read.
    pub fn new(library: Arc<Library>, options: PredictorOptions) -> WasmPredictors {
        WasmPredictors { libraries: Mutex::new(vec![library]), options, shared: OnceLock::new() }
    }

    /// Of models made by components of this library too: that of another pipeline.
    pub fn add(&self, library: Arc<Library>) {
        self.libraries.lock().unwrap_or_else(PoisonError::into_inner).push(library);
    }

    fn shared(&self) -> Result<Arc<Shared>, String> {
        let make = || {
            let engine = engine::lasting()
                .map_err(|error| format!("the WebAssembly engine cannot start on this machine: {error:#}"))?;
            let ticker =
                Ticker::new(&engine).map_err(|error| format!("cannot start the timer thread of models: {error}"))?;
            let options = self.options.clone();
            let codes = Codes::new(engine, options.cache, options.on_compile).map_err(|error| error.to_string())?;
            Ok(Arc::new(Shared { codes, ticker }))
        };
        self.shared.get_or_init(make).clone()
    }

    /// The component that predicts. A standard module's is the one in this binary, whichever made the model: the model's
    /// file says its own format. A plugin's must be the very one, for nobody but its author knows what else reads its
    /// files.
    fn component(&self, model: &ModelVersion) -> Result<Arc<Component>, String> {
        let libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_standard = model.module.starts_with("std/");
        if !is_standard && let Some(component) = libraries.iter().find_map(|l| l.component(&model.component)) {
            return Ok(component);
        }
        let mut reasons = vec![];
        // The newest first: of pipelines that name the same path, the last one that was loaded is most likely meant.
        for library in libraries.iter().rev() {
            match library.load(&model.module) {
                Ok(component) if is_standard || component.signature.digest == model.component => return Ok(component),
                Ok(component) => reasons.push(format!(
                    "{} is another component now ({} was {}): train the model again with it, or put the old file back",
                    model.module,
                    short(&component.signature.digest),
                    short(&model.component)
                )),
                Err(ModuleError::NotFound(_)) => {}
                Err(error) => reasons.push(error.to_string()),
            }
        }
        Err(reasons
            .into_iter()
            .next()
            .unwrap_or_else(|| format!("its component {} ({}) is not here", model.module, short(&model.component))))
    }
}

impl Predictors for WasmPredictors {
    fn load(&self, model: &ModelVersion, bytes: &[u8], replicas: u32) -> Result<Arc<dyn Predictor>, String> {
        let fail = |why: String| format!("model {} version {} cannot be served: {why}", model.name, model.version);
        let component = self.component(model).map_err(fail)?;
        let shared = self.shared().map_err(fail)?;
        let maker = Maker::new(shared, &component, model, bytes, &self.options).map_err(fail)?;
        let pool = Pool::start(maker, replicas.max(1)).map_err(fail)?;
        Ok(Arc::new(pool))
    }
}

/// The first digits of a digest, as people are shown it.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
