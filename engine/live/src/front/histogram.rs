//! A log-linear histogram of durations: the whole range from nanoseconds to hours in a few thousand counters.
//!
//! Durations below 64 ns have a bucket each. Above, each doubling is cut into 64 buckets of equal width, so that a
//! bucket is at most 1/64 of its lower end wide. A quantile is told as the middle of its bucket: it is off by at most
//! 0.8 %. (The layout is that of HdrHistogram by Gil Tene, with six bits of precision.)

use std::time::Duration;

/// Buckets that each doubling is cut into, as a power of two.
const BITS: u32 = 6;
const PARTS: u64 = 1 << BITS;

/// How often durations of about which length were seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Grows to the longest duration seen; at most 3,776 buckets.
    buckets: Vec<u64>,
    count: u64,
    /// Nanoseconds; exact.
    sum: u128,
}

impl Histogram {
    /// One more duration.
    pub fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let index = bucket_of(nanos);
        if self.buckets.len() <= index {
            self.buckets.resize(index + 1, 0);
        }
        if let Some(bucket) = self.buckets.get_mut(index) {
            *bucket += 1;
        }
        self.count += 1;
        self.sum += u128::from(nanos);
    }

    /// All of `other` too.
    pub fn add(&mut self, other: &Histogram) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum += other.sum;
    }

    /// What came after `earlier`, which must be an older state of this histogram.
    pub fn since(&self, earlier: &Histogram) -> Histogram {
        let mut rest = self.clone();
        for (mine, theirs) in rest.buckets.iter_mut().zip(&earlier.buckets) {
            *mine = mine.saturating_sub(*theirs);
        }
        rest.count = rest.count.saturating_sub(earlier.count);
        rest.sum = rest.sum.saturating_sub(earlier.sum);
        rest
    }

    /// How many durations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum in nanoseconds.
    pub fn sum(&self) -> u128 {
        self.sum
    }

    /// The smallest duration, in nanoseconds, that at least the share `q` (0 to 1) of all do not exceed: the nearest-rank
    /// quantile, within 0.8 %. `None` when there are none.
    pub fn quantile(&self, q: f64) -> Option<i64> {
        if self.count == 0 {
            return None;
        }
        // A rank beyond 2^53 is not exact, and no process answers that many requests.
        let rank = ((q.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        let index = self.buckets.iter().position(|bucket| {
            seen += bucket;
            seen >= rank
        })?;
        Some(middle_of(index))
    }

    /// Nanoseconds, exact but for the rounding. `None` when there are none.
    pub fn mean(&self) -> Option<i64> {
        let mean = self.sum.checked_div(u128::from(self.count))?;
        Some(i64::try_from(mean).unwrap_or(i64::MAX))
    }
}

fn bucket_of(nanos: u64) -> usize {
    let doubling = (nanos | 1).ilog2();
    if doubling < BITS {
        return nanos as usize;
    }
    let shift = doubling - BITS;
    // The bits below the highest one choose the part of the doubling.
    let part = (nanos >> shift) - PARTS;
    ((u64::from(shift) + 1) * PARTS + part) as usize
}

fn middle_of(index: usize) -> i64 {
    let index = index as u64;
    if index < 2 * PARTS {
        return index.cast_signed();
    }
    let shift = index / PARTS - 1;
    let low = u128::from(PARTS + index % PARTS) << shift;
    i64::try_from(low + (1u128 << shift) / 2).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantile_is_off_by_less_than_one_percent(mut nanos in prop::collection::vec(0u64..1 << 50, 1..200), q in 0.0..=1.0f64) {
            let mut histogram = Histogram::default();
            nanos.iter().for_each(|n| histogram.record(Duration::from_nanos(*n)));
            nanos.sort_unstable();
            let rank = ((q * nanos.len() as f64).ceil() as usize).max(1);
            let (exact, told) = (nanos[rank - 1] as f64, histogram.quantile(q).unwrap() as f64);
            prop_assert!((told - exact).abs() <= exact * 0.008, "{} told as {}", exact, told);
        }

        #[test]
        fn what_came_after_is_what_was_added(a in prop::collection::vec(any::<u64>(), 0..50), b in prop::collection::vec(any::<u64>(), 0..50)) {
            let of = |nanos: &[u64]| {
                let mut histogram = Histogram::default();
                nanos.iter().for_each(|n| histogram.record(Duration::from_nanos(*n)));
                histogram
            };
            let (first, second) = (of(&a), of(&b));
            let mut both = first.clone();
            both.add(&second);
            let rest = both.since(&first);
            prop_assert_eq!((rest.count(), rest.sum()), (second.count(), second.sum()));
            prop_assert_eq!(rest.quantile(0.5), second.quantile(0.5));
        }
    }

    #[test]
    fn nothing_seen_has_no_quantile_and_no_mean() {
        let empty = Histogram::default();
        assert_eq!((empty.quantile(0.5), empty.mean()), (None, None));
    }

    #[test]
    fn the_longest_duration_has_a_bucket() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.count(), 1);
        assert!(histogram.quantile(1.0).is_some());
        assert!(histogram.buckets.len() <= 3_776);
    }
}
