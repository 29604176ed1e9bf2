//! The WebAssembly engine and the clock that interrupts it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

/// Steps that may run at once. Each takes address space, not memory, from the pool.
pub const AT_ONCE: usize = 64;

/// How often a running guest looks up. A deadline is overrun by about this much.
const TICK: Duration = Duration::from_millis(10);

/// Native stack of a guest. Less than half of what a blocking thread has, so that host functions always have room.
const STACK: usize = 1 << 20;

/// With a pool where there is address space for one, without where there is not (`ulimit -v`, small machines).
pub fn new() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    let count = AT_ONCE as u32;
    pool.total_component_instances(count)
        // A component is several core modules: the program, shims for its imports, sometimes an interpreter's libraries.
        .total_core_instances(count * 32)
        .total_memories(count * 2)
        .total_tables(count * 16)
        .max_tables_per_module(16)
        .max_memories_per_module(2)
        .table_elements(100_000)
        .max_component_instance_size(4 << 20)
        .max_core_instance_size(4 << 20)
        .max_memory_size(4 << 30)
        // Pages kept for the next instance: cheaper to clear than to give back and fault in again.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).or_else(|error| {
        tracing::debug!("no pool for WebAssembly instances, going on without: {error:#}");
        lasting()
    })
}

/// For instances that live long, each with memory of its own. A pool would be no faster, and instances that stay would
/// take the places of steps.
pub fn lasting() -> Result<Engine> {
    Engine::new(&config())
}

fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config.max_wasm_stack(STACK);
    config.memory_init_cow(true);
    // Results of relaxed SIMD differ between machines otherwise, and with them the artifacts.
    config.relaxed_simd_deterministic(true);
    config
}

/// Advances the epoch of an engine while anyone holds a [`Running`].
pub struct Ticker(Arc<State>);

struct State {
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Default)]
struct Counts {
    running: usize,
    is_over: bool,
}

/// While this lives, the epoch advances.
pub struct Running<'a>(&'a State);

impl Ticker {
    /// Starts its thread, which sleeps until something runs.
    pub fn new(engine: &Engine) -> std::io::Result<Ticker> {
        let state = Arc::new(State { counts: Mutex::default(), changed: Condvar::new() });
        let (engine, ticking) = (engine.clone(), state.clone());
        std::thread::Builder::new().name("mlp-epoch".into()).spawn(move || ticking.tick(&engine))?;
        Ok(Ticker(state))
    }

    /// Something runs, until the result is dropped.
    pub fn running(&self) -> Running<'_> {
        self.0.lock().running += 1;
        self.0.changed.notify_one();
        Running(&self.0)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.lock().is_over = true;
        self.0.changed.notify_one();
    }
}

impl State {
    fn tick(&self, engine: &Engine) {
        loop {
            let counts = self.changed.wait_while(self.lock(), |c| c.running == 0 && !c.is_over);
            if counts.unwrap_or_else(PoisonError::into_inner).is_over {
                return;
            }
            std::thread::sleep(TICK);
            engine.increment_epoch();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
