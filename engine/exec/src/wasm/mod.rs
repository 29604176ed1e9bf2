//! The executor of WebAssembly steps.
//!
//! ```text
//! Job -> code (compiled once, cached on disk) -> files (a private view of inputs) -> sandbox (store, limits, WASI)
//!     -> values (settings and inputs as records) -> run -> values (outputs) -> files (confined) -> Produced
//! ```
//!
//! Calls are blocking and run on blocking threads; one ticker thread advances the epoch while any step runs, which is
//! what stops an endless loop, a step past its time limit and a cancelled one.

mod call;
mod clock;
pub(crate) mod code;
pub(crate) mod engine;
pub(crate) mod failure;
mod files;
mod host;
pub(crate) mod lines;
pub(crate) mod sandbox;
mod values;

use crate::library::Library;
use code::Codes;
use engine::Ticker;
use mlp_core::executor::{Executor, Job, Produced, StepError, Task};
use mlp_lang::pipeline::StepNode;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tokio::sync::Semaphore;

/// What a step may use if its declaration does not say.
pub const DEFAULT_MEMORY: u64 = 2 << 30;

/// Told the name of a module that is about to be compiled, which takes a second or so and happens once per machine.
pub type OnCompile = Arc<dyn Fn(&str) + Send + Sync>;

/// How the executor works. The default keeps compiled code in memory alone and says nothing.
#[derive(Clone, Default)]
pub struct WasmOptions {
    /// Where compiled code is kept between processes; see [`default_cache`].
    pub cache: Option<PathBuf>,
    /// Told before a module is compiled.
    pub on_compile: Option<OnCompile>,
}

/// `$XDG_CACHE_HOME/mlp/wasm`, or `$HOME/.cache/mlp/wasm`.
pub fn default_cache() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("mlp/wasm"))
}

/// Runs steps that are WebAssembly components. The engine and its pool, which take a thousand system calls to set up,
/// are made when the first step runs: a run that reuses everything never pays for them.
pub struct WasmExecutor {
    library: Arc<Library>,
    options: WasmOptions,
    shared: Arc<OnceLock<Result<Shared, StepError>>>,
    /// As many steps at once as the pool has room for; more wait.
    room: Semaphore,
}

/// What every call needs.
struct Shared {
    codes: Codes,
    ticker: Ticker,
}

/// A job whose task is a module's step.
struct Attempt {
    step: Arc<StepNode>,
    job: Job,
}

impl std::ops::Deref for Attempt {
    type Target = Job;

    fn deref(&self) -> &Job {
        &self.job
    }
}

impl WasmExecutor {
    /// Steps of the components that `library` has read.
    pub fn new(library: Arc<Library>, options: WasmOptions) -> WasmExecutor {
        WasmExecutor { library, options, shared: Arc::default(), room: Semaphore::new(engine::AT_ONCE) }
    }
}

impl Shared {
    fn new(options: WasmOptions) -> Result<Shared, StepError> {
        let engine = engine::new().map_err(|error| {
            StepError::Operational(format!("the WebAssembly engine cannot start on this machine: {error:#}"))
        })?;
        let ticker = Ticker::new(&engine).map_err(|error| {
            StepError::Operational(format!("cannot start the timer thread of the sandbox: {error}"))
        })?;
        Ok(Shared { codes: Codes::new(engine, options.cache, options.on_compile)?, ticker })
    }
}

#[async_trait::async_trait]
impl Executor for WasmExecutor {
    fn name(&self) -> &'static str {
        "wasm"
    }

    fn identity(&self, task: &Task) -> BTreeMap<String, String> {
        let Task::Step(step) = task else { return BTreeMap::new() };
        let world = self
            .library
            .component(&step.digest)
            .map_or_else(|| crate::WORLD.to_owned(), |component| component.signature.world.clone());
        BTreeMap::from([
            ("component".to_owned(), format!("blake3:{}", step.digest)),
            ("module".to_owned(), format!("{} {}", step.module, step.version)),
            ("world".to_owned(), world),
        ])
    }

    async fn run(&self, job: Job) -> Result<BTreeMap<String, Produced>, StepError> {
        let Task::Step(step) = &job.task else {
            return Err(StepError::Operational(format!("{} is no step of a module", job.task.describe())));
        };
        let job = Attempt { step: step.clone(), job };
        let component = self.library.component(&job.step.digest).ok_or_else(|| {
            StepError::Operational(format!(
                "the component of {} ({}) was not loaded; check the pipeline again",
                job.step.module, job.step.digest
            ))
        })?;
        let _room = self.room.acquire().await.map_err(|_| StepError::Cancelled)?;
        let (shared, options) = (self.shared.clone(), self.options.clone());
        let attempt = move || match shared.get_or_init(|| Shared::new(options)) {
            Ok(shared) => call::run(shared, &component, &job),
            Err(error) => Err(error.clone()),
        };
        tokio::task::spawn_blocking(attempt)
            .await
            .map_err(|error| StepError::Operational(format!("the thread of a step ended badly: {error}")))?
    }
}
