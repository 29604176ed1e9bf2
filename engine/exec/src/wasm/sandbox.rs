//! The world that a guest lives in: a store with its limits, and WASI with nothing granted but an attempt's own files.

use super::Attempt;
use super::clock::{Clock, HasClock, Stopped, Stream, Virtual};
use super::lines::{Lines, Output};
use mlp_core::digest::Digest;
use mlp_core::executor::{Cancel, StepError, StepLog};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Result, Store, UpdateDeadline};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

/// Files, streams and the like that a guest may hold at once: each open file costs the engine a descriptor.
pub const MAX_HANDLES: usize = 256;

/// Elements of all tables of a guest together.
const MAX_TABLE: usize = 2_000_000;

/// Bytes of random numbers in one call.
const MAX_RANDOM: u64 = 1 << 20;

/// What the host keeps of one attempt.
pub struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    clock: Virtual,
    /// What it says.
    pub lines: Lines,
    /// `host.seed`.
    pub seed: u64,
    /// What it may use, and what it ran into.
    pub limits: Meter,
    /// Whose code it is, for messages: `step`, `model`.
    pub role: &'static str,
    stdout: Output,
    stderr: Output,
}

/// Limits of memory and time, and which of them ended the attempt.
pub struct Meter {
    memory_limit: u64,
    memory: u64,
    deadline: Option<(Instant, Duration)>,
    cancel: Cancel,
    /// What stopped it, if a limit did.
    pub stopped: Option<StepError>,
}

impl Guest {
    /// Says what was not yet said.
    pub fn finish(&self) {
        self.stdout.finish();
        self.stderr.finish();
        self.lines.finish();
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// What guests can import.
pub fn linker(engine: &Engine) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<Guest, HasClock>(&mut linker, |guest| Clock {
        clock: &mut guest.clock,
        table: &mut guest.table,
    })?;
    linker.allow_shadowing(false);
    super::host::add_to_linker(&mut linker)?;
    Ok(linker)
}

/// A store for one attempt whose files lie in `view`.
pub(super) fn store(engine: &Engine, job: &Attempt, view: &Path) -> Result<Store<Guest>> {
    let files = |wasi: &mut WasiCtxBuilder| {
        wasi.preopened_dir(view, "/mlp", FsPerms::ReadOnly)?;
        wasi.preopened_dir(&job.out, "/mlp/out", FsPerms::ReadWrite)?;
        Ok(())
    };
    guest(engine, "step", &job.fingerprint, job.log.clone(), Meter::new(job), files)
}

/// A store without files, for a guest that is called again and again; `identity` decides what chance it sees.
pub fn lasting_store(
    engine: &Engine,
    role: &'static str,
    identity: &Digest,
    log: Arc<dyn StepLog>,
    memory: u64,
) -> Result<Store<Guest>> {
    let limits = Meter { memory_limit: memory, memory: 0, deadline: None, cancel: Cancel::default(), stopped: None };
    guest(engine, role, identity, log, limits, |_| Ok(()))
}

fn guest(
    engine: &Engine,
    role: &'static str,
    identity: &Digest,
    log: Arc<dyn StepLog>,
    limits: Meter,
    files: impl FnOnce(&mut WasiCtxBuilder) -> Result<()>,
) -> Result<Store<Guest>> {
    let lines = Lines::new(log);
    let (stdout, stderr) = (Output::new("stdout", lines.clone()), Output::new("stderr", lines.clone()));
    let mut table = ResourceTable::new();
    table.set_max_capacity(MAX_HANDLES);
    let mut wasi = wasi(identity, &stdout, &stderr);
    files(&mut wasi)?;
    let wasi = wasi.build();
    let seed = Stream::new(identity, "seed").number();
    let guest = Guest { wasi, table, clock: Virtual::default(), lines, seed, limits, role, stdout, stderr };
    let mut store = Store::new(engine, guest);
    store.limiter(|guest| &mut guest.limits);
    store.epoch_deadline_callback(|mut store| Ok(store.data_mut().limits.look_up()));
    store.set_epoch_deadline(1);
    Ok(store)
}

fn wasi(identity: &Digest, stdout: &Output, stderr: &Output) -> WasiCtxBuilder {
    let mut random = Stream::new(identity, "insecure seed");
    let seed = u128::from(random.number()) << 64 | u128::from(random.number());
    let mut wasi = WasiCtx::builder();
    wasi.allow_blocking_current_thread(true)
        .stdout(stdout.clone())
        .stderr(stderr.clone())
        .wall_clock(Stopped)
        .secure_random(Stream::new(identity, "random"))
        .insecure_random(Stream::new(identity, "insecure random"))
        .insecure_random_seed(seed)
        .max_random_size(MAX_RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .socket_addr_check(|_, _| Box::pin(async { false }));
    wasi
}

impl Meter {
    fn new(job: &Attempt) -> Meter {
        Meter {
            memory_limit: job.step.limits.memory.unwrap_or(super::DEFAULT_MEMORY),
            memory: 0,
            deadline: None,
            cancel: job.cancel.clone(),
            stopped: None,
        }
    }

    /// Bytes of linear memory that it holds, which is the most it ever held: it never gives any back.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// The guest has until then.
    pub fn until(&mut self, deadline: Instant) {
        self.deadline = Some((deadline, deadline.saturating_duration_since(Instant::now())));
    }

    /// Whether a limit of time was reached; called at every tick while the guest runs.
    fn look_up(&mut self) -> UpdateDeadline {
        match self.check() {
            Ok(()) => UpdateDeadline::Continue(1),
            Err(error) => {
                self.stopped = Some(error);
                UpdateDeadline::Interrupt
            }
        }
    }

    /// Whether it was cancelled or is past its deadline.
    pub fn check(&self) -> Result<(), StepError> {
        if self.cancel.is_set() {
            return Err(StepError::Cancelled);
        }
        match self.deadline {
            Some((end, limit)) if Instant::now() >= end => Err(StepError::TimedOut { limit }),
            _ => Ok(()),
        }
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current) as u64);
        if total <= self.memory_limit {
            self.memory = total;
            return Ok(true);
        }
        // An error, not `false`: a guest told `false` aborts in its own words, which name neither limit nor need.
        let message = format!("it holds {} bytes and asked for {total}", self.memory);
        self.stopped = Some(StepError::OutOfMemory { limit: self.memory_limit, message: message.clone() });
        Err(wasmtime::Error::msg(message))
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        Ok(desired <= MAX_TABLE)
    }
}
