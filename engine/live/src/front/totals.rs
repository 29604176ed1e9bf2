//! What a version did: the numbers that rollouts and monitors judge.

use super::histogram::Histogram;
use mlp_lang::live::LiveMetric;
use mlp_lang::value::Value;

/// What became of the requests of a version. A request counts once, when it ends; what is under way is told apart.
/// A client's mistake counts nowhere.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// Requests that ended: answered, failed, timed out, or refused because too many waited.
    pub requests: u64,
    /// Of these, the ones the version did not answer.
    pub errors: u64,
    /// From the arrival of a request to its answer, its failure or its timeout. Refused requests are not in it: they
    /// never waited.
    pub latency: Histogram,
    /// The ages of the requests that were under way when asked.
    pub under_way: Histogram,
}

impl Totals {
    /// What ended after `earlier`, an older state of these totals. What is under way now stays under way.
    pub fn since(&self, earlier: &Totals) -> Totals {
        Totals {
            requests: self.requests.saturating_sub(earlier.requests),
            errors: self.errors.saturating_sub(earlier.errors),
            latency: self.latency.since(&earlier.latency),
            under_way: self.under_way.clone(),
        }
    }

    /// The value of a metric; `None` when there is nothing to measure it on, and for the metrics that compare windows.
    pub fn metric(&self, metric: &LiveMetric) -> Option<Value> {
        match metric {
            LiveMetric::Requests => Some(Value::Int(i64::try_from(self.requests).unwrap_or(i64::MAX))),
            LiveMetric::ErrorRate => {
                (self.requests > 0).then(|| Value::Fraction(self.errors as f64 / self.requests as f64))
            }
            LiveMetric::Latency(q) => self.latencies().quantile(*q).map(Value::Duration),
            LiveMetric::MeanLatency => self.latencies().mean().map(Value::Duration),
            LiveMetric::Baseline(_) | LiveMetric::Sigma(_) => None,
        }
    }

    /// A version that never answers would look fast if only answers counted.
    fn latencies(&self) -> Histogram {
        let mut all = self.latency.clone();
        all.add(&self.under_way);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn seconds(of: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        of.iter().for_each(|s| histogram.record(Duration::from_secs(*s)));
        histogram
    }

    #[test]
    fn without_requests_there_is_no_rate_and_no_latency() {
        let none = Totals::default();
        assert_eq!(none.metric(&LiveMetric::Requests), Some(Value::Int(0)));
        for metric in [LiveMetric::ErrorRate, LiveMetric::Latency(0.5), LiveMetric::MeanLatency] {
            assert_eq!(none.metric(&metric), None, "{metric:?}");
        }
    }

    #[test]
    fn a_version_that_answers_nobody_is_slow_and_has_no_error_rate_yet() {
        let hung = Totals { under_way: seconds(&[30]), ..Totals::default() };
        assert_eq!(hung.metric(&LiveMetric::ErrorRate), None);
        let Some(Value::Duration(p95)) = hung.metric(&LiveMetric::Latency(0.95)) else { panic!("no latency") };
        assert!((p95 - 30_000_000_000).abs() <= 240_000_000, "{p95}");
    }

    #[test]
    fn a_window_holds_what_ended_in_it() {
        let earlier = Totals { requests: 4, errors: 1, latency: seconds(&[1, 1, 1, 1]), under_way: seconds(&[9]) };
        let now = Totals { requests: 6, errors: 2, latency: seconds(&[1, 1, 1, 1, 10, 10]), under_way: seconds(&[]) };
        let window = now.since(&earlier);
        assert_eq!(window.metric(&LiveMetric::Requests), Some(Value::Int(2)));
        assert_eq!(window.metric(&LiveMetric::ErrorRate), Some(Value::Fraction(0.5)));
        assert_eq!(window.metric(&LiveMetric::MeanLatency), Some(Value::Duration(10_000_000_000)));
    }
}
