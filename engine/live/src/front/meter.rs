//! What a version did, counted as it happens.

use super::histogram::Histogram;
use super::ticket::{Outcome, Ticket};
use super::totals::Totals;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Upper ends of the latency buckets that are exposed, in seconds.
pub(super) const LE: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counters of one version of one deployment. They outlive the version's servers: totals never fall.
#[derive(Default)]
pub(super) struct Meter {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: u64,
    errors: u64,
    rows: u64,
    dropped: u64,
    latency: Histogram,
    le: [u64; LE.len()],
    under_way: HashMap<u64, Arc<Ticket>>,
}

/// What `/metrics` says of a version.
#[derive(Debug, PartialEq)]
pub(super) struct Exposed {
    pub rows: u64,
    pub dropped: u64,
    pub under_way: usize,
    /// Requests in each bucket of [`LE`], not cumulative.
    pub le: [u64; LE.len()],
    pub count: u64,
    /// Seconds.
    pub sum: f64,
}

impl Meter {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request is accepted.
    pub fn began(&self, ticket: &Arc<Ticket>) {
        self.counts().under_way.insert(ticket.id, Arc::clone(ticket));
    }

    /// A request ended.
    pub fn ended(&self, ticket: &Ticket, outcome: &Outcome) {
        let took = ticket.arrived.elapsed();
        let mut counts = self.counts();
        counts.under_way.remove(&ticket.id);
        if !outcome.counts() {
            return;
        }
        counts.requests += 1;
        counts.errors += u64::from(outcome.is_error());
        if let Outcome::Answered(_) = outcome {
            counts.rows += ticket.rows.count as u64;
        }
        counts.latency.record(took);
        let seconds = took.as_secs_f64();
        if let Some(place) = LE.iter().position(|le| seconds <= *le)
            && let Some(bucket) = counts.le.get_mut(place)
        {
            *bucket += 1;
        }
    }

    /// A request was refused because too many wait.
    pub fn refused(&self) {
        let mut counts = self.counts();
        counts.requests += 1;
        counts.errors += 1;
    }

    /// A copy for a mirror was dropped.
    pub fn dropped(&self) {
        self.counts().dropped += 1;
    }

    /// Requests under way.
    pub fn under_way(&self) -> Vec<Arc<Ticket>> {
        self.counts().under_way.values().cloned().collect()
    }

    pub fn totals(&self) -> Totals {
        let now = Instant::now();
        let counts = self.counts();
        let mut under_way = Histogram::default();
        for ticket in counts.under_way.values() {
            under_way.record(now.saturating_duration_since(ticket.arrived));
        }
        Totals { requests: counts.requests, errors: counts.errors, latency: counts.latency.clone(), under_way }
    }

    pub fn exposed(&self) -> Exposed {
        let counts = self.counts();
        let sum = Duration::from_nanos(u64::try_from(counts.latency.sum()).unwrap_or(u64::MAX));
        Exposed {
            rows: counts.rows,
            dropped: counts.dropped,
            under_way: counts.under_way.len(),
            le: counts.le,
            count: counts.latency.count(),
            sum: sum.as_secs_f64(),
        }
    }
}
