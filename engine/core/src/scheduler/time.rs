//! What is due when, and how long to pause.

use super::work::{Jitter, Rules};
use crate::record::Millis;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What a time means to a node when it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Alarm {
    /// The next attempt may start.
    Due,
    /// What it waited for has come.
    Resume,
    /// The attempt took too long.
    Timeout,
    /// All attempts took too long.
    OutOfTime,
    /// The attempt was asked to stop long enough ago.
    Kill,
}

/// One time that matters to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    pub at: Millis,
    pub node: u32,
    pub alarm: Alarm,
    /// The attempt that it was set in: in another it means nothing.
    pub attempt: u32,
}

/// Times to come, the first first. What lost its meaning stays until it is first or too many are kept.
#[derive(Clone, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
    sweep_at: usize,
}

impl Timers {
    /// Keeps it. `means` says which still mean something; what it costs to ask of all is spread over what was pushed since.
    pub fn push(&mut self, timer: Timer, means: impl Fn(Timer) -> bool) {
        if self.heap.len() >= self.sweep_at.max(1_024) {
            self.heap.retain(|Reverse(timer)| means(*timer));
            self.sweep_at = self.heap.len() * 2;
        }
        self.heap.push(Reverse(timer));
    }

    /// The first that is due at `now`.
    pub fn pop(&mut self, now: Millis) -> Option<Timer> {
        let Reverse(first) = *self.heap.peek()?;
        if first.at > now {
            return None;
        }
        self.heap.pop();
        Some(first)
    }

    /// Drops what comes first as long as it means nothing.
    pub fn trim(&mut self, means: impl Fn(Timer) -> bool) {
        while self.heap.peek().is_some_and(|Reverse(first)| !means(*first)) {
            self.heap.pop();
        }
    }

    /// When the first is due.
    pub fn next(&self) -> Option<Millis> {
        self.heap.peek().map(|Reverse(first)| first.at)
    }
}

/// The pause after an attempt, of which `failed` failed before it: doubled each time, from `backoff` to `longest_backoff`;
/// with jitter up to half as much again. (What "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, calls full
/// jitter may pause for no time at all, which is not what somebody who wrote `backoff = 10s` expects.) The same for the same
/// seed, node and attempt.
pub(super) fn pause(rules: &Rules, failed: u32, seed: u64, node: u32, attempt: u32) -> Millis {
    let first = rules.backoff.max(0);
    let doubled = first.saturating_mul(1 << failed.min(62));
    let pause = doubled.min(rules.longest_backoff.unwrap_or(Millis::MAX).max(first));
    match rules.jitter {
        Jitter::None => pause,
        Jitter::Added => {
            let dice = mix(mix(seed) ^ (u64::from(node) << 32 | u64::from(attempt)));
            // The high half of a 128-bit product: as good as even for pauses of this size.
            let more = ((u128::from(dice) * ((pause / 2) as u128 + 1)) >> 64) as Millis;
            pause.saturating_add(more)
        }
    }
}

/// The finalizer of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
