//! Time and chance, as a step sees them: the same in every run of the same work.

use mlp_core::digest::Digest;
use rand_core::TryRng;
use std::convert::Infallible;
use std::time::Duration;
use wasmtime::Result;
use wasmtime::component::{HasData, Resource};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostWallClock, ResourceTable};

/// The instant that every step lives in: 2020-01-01T00:00:00Z.
pub const NOW: Duration = Duration::from_secs(1_577_836_800);

/// How much later it is each time a guest looks: a loop that waits for a moment ends.
const STEP: u64 = 1_000;

/// The wall clock: stopped at [`NOW`].
pub struct Stopped;

impl HostWallClock for Stopped {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        NOW
    }
}

/// The monotonic clock: starts at zero, advances with each look and each wait, and never really waits.
#[derive(Default)]
pub struct Virtual {
    now: u64,
}

/// [`Virtual`] beside the table that pollables live in.
pub struct Clock<'a> {
    pub clock: &'a mut Virtual,
    pub table: &'a mut ResourceTable,
}

/// For the linker: how a [`Clock`] is had.
pub struct HasClock;

impl HasData for HasClock {
    type Data<'a> = Clock<'a>;
}

impl monotonic_clock::Host for Clock<'_> {
    fn now(&mut self) -> Result<u64> {
        self.clock.now = self.clock.now.saturating_add(STEP);
        Ok(self.clock.now)
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(STEP)
    }

    fn subscribe_instant(&mut self, when: u64) -> Result<Resource<DynPollable>> {
        self.clock.now = self.clock.now.max(when);
        let moment = self.table.push(Past)?;
        subscribe(self.table, moment)
    }

    fn subscribe_duration(&mut self, wait: u64) -> Result<Resource<DynPollable>> {
        self.subscribe_instant(self.clock.now.saturating_add(wait))
    }
}

/// A moment that has come.
struct Past;

#[async_trait::async_trait]
impl Pollable for Past {
    async fn ready(&mut self) {}
}

/// An endless stream of bytes that depends on the fingerprint and the stream's name alone.
pub struct Stream(blake3::OutputReader);

impl Stream {
    /// The stream of this name.
    pub fn new(fingerprint: &Digest, name: &str) -> Stream {
        Stream(blake3::Hasher::new_keyed(&fingerprint.0).update(name.as_bytes()).finalize_xof())
    }

    /// Its next eight bytes.
    pub fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.number() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.number())
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(to);
        Ok(())
    }
}
