//! How long a plan will take, by how long the same steps took before.
//!
//! A node's time is the median of its last runs: one slow machine or one retry does not move it. What never ran is unknown,
//! and is told as unknown instead of as nothing. What a plan says may run counts as if it did, so an estimate errs high
//! when an input comes out the same after all.

use crate::error::EngineError;
use crate::history::History;
use crate::plan::{Decision, Plan};
use crate::record::Millis;
use crate::view::NodeState;
use mlp_lang::pipeline::Pipeline;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// How many times of a node its median is taken of.
const SAMPLES: usize = 5;
/// How far back is looked: a journal must be read for each.
const RUNS: usize = 50;

/// How long a node took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// The median, in milliseconds.
    pub median: Millis,
    /// Of so many runs.
    pub runs: usize,
}

/// How long a plan will take.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// One for each node of the plan. `None`: it does not run, or nobody knows.
    pub nodes: Vec<Option<Took>>,
    /// All that runs, one after the other, in milliseconds.
    pub work: Millis,
    /// The longest chain: no number of jobs makes it shorter.
    pub critical: Millis,
    /// With this many jobs.
    pub packed: Millis,
    /// The jobs that `packed` is for.
    pub jobs: usize,
    /// What would run and never did: it counts as nothing above.
    pub unknown: Vec<String>,
}

impl History {
    /// How long each node of a pipeline took when it last ran, by name and what ran.
    pub fn durations(&self, pipeline: &str) -> Result<HashMap<(String, String), Took>, EngineError> {
        let mut samples: HashMap<(String, String), Vec<Millis>> = HashMap::new();
        for run in self.run_numbers()?.into_iter().rev().take(RUNS) {
            // What cannot be read tells nothing about time.
            let Ok(Some(view)) = self.view(run) else { continue };
            if view.started.pipeline != pipeline {
                continue;
            }
            for node in view.nodes.iter().filter(|node| node.state == NodeState::Done) {
                let Some(took) = node.took() else { continue };
                let taken = samples.entry((node.name.clone(), node.what.clone())).or_default();
                if taken.len() < SAMPLES {
                    taken.push(took.max(0));
                }
            }
        }
        let took = |mut samples: Vec<Millis>| Took { runs: samples.len(), median: median(&mut samples) };
        Ok(samples.into_iter().map(|(node, samples)| (node, took(samples))).collect())
    }
}

/// The middle one; of an even number the mean of the two in the middle. 0 of none.
fn median(samples: &mut [Millis]) -> Millis {
    samples.sort_unstable();
    match (samples.get(samples.len() / 2), samples.len() % 2) {
        (None, _) => 0,
        (Some(&upper), 1) => upper,
        (Some(&upper), _) => (samples[samples.len() / 2 - 1] + upper) / 2,
    }
}

/// How long the plan will take with so many jobs. `plan` is of this pipeline.
pub fn forecast(
    plan: &Plan,
    pipeline: &Pipeline,
    durations: &HashMap<(String, String), Took>,
    jobs: usize,
) -> Forecast {
    let mut forecast = Forecast { jobs: jobs.max(1), ..Forecast::default() };
    let mut lengths = Vec::with_capacity(plan.nodes.len());
    for node in &plan.nodes {
        let runs = matches!(node.decision, Decision::Run { .. });
        let took = durations.get(&(node.name.clone(), node.what.clone())).copied().filter(|_| runs);
        if runs && took.is_none() {
            forecast.unknown.push(node.name.clone());
        }
        forecast.nodes.push(took);
        lengths.push(took.map_or(0, |took| took.median));
    }
    let needs: Vec<Vec<usize>> = pipeline.nodes[..pipeline.nodes.len().min(lengths.len())]
        .iter()
        .map(|node| node.needs.iter().map(|need| need.index()).filter(|need| *need < lengths.len()).collect())
        .collect();
    forecast.work = lengths.iter().sum();
    forecast.critical = critical(&lengths, &needs);
    forecast.packed = packed(&lengths, &needs, forecast.jobs);
    forecast
}

/// The longest chain. What a node needs stands before it.
fn critical(lengths: &[Millis], needs: &[Vec<usize>]) -> Millis {
    let mut ends: Vec<Millis> = Vec::with_capacity(lengths.len());
    for (length, needs) in lengths.iter().zip(needs) {
        let start = needs.iter().filter_map(|need| ends.get(*need)).max().copied().unwrap_or(0);
        ends.push(start + length);
    }
    ends.into_iter().max().unwrap_or(0)
}

/// Plays the run: whenever a job is free, the first node that is ready starts. Nodes that take no time hold no job.
fn packed(lengths: &[Millis], needs: &[Vec<usize>], jobs: usize) -> Millis {
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); lengths.len()];
    for (node, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| feeds[*need].push(node));
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..open.len()).filter(|node| open[*node] == 0).map(Reverse).collect();
    let mut running: BinaryHeap<Reverse<(Millis, usize)>> = BinaryHeap::new();
    let mut now = 0;
    loop {
        let mut ended = Vec::new();
        while running.len() < jobs
            && let Some(Reverse(node)) = ready.pop()
        {
            match lengths[node] {
                0 => ended.push(node),
                length => running.push(Reverse((now + length, node))),
            }
            if !ended.is_empty() {
                break;
            }
        }
        if ended.is_empty() {
            let Some(Reverse((end, node))) = running.pop() else { return now };
            now = end;
            ended.push(node);
        }
        for node in ended {
            for &next in &feeds[node] {
                open[next] -= 1;
                if open[next] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_median_is_not_moved_by_one_slow_run() {
        for (samples, expected) in [(vec![], 0), (vec![7], 7), (vec![4, 2], 3), (vec![9_000, 5, 6], 6)] {
            let mut samples: Vec<Millis> = samples;
            assert_eq!(median(&mut samples), expected, "{samples:?}");
        }
    }

    #[test]
    fn jobs_shorten_what_is_wide_and_not_what_is_long() {
        let diamond = [vec![], vec![0], vec![0], vec![1, 2]];
        let chain = [vec![], vec![0], vec![1], vec![2]];
        let lengths = [10, 20, 30, 5];
        let both = |needs: &[Vec<usize>], jobs| (critical(&lengths, needs), packed(&lengths, needs, jobs));
        assert_eq!(both(&diamond, 1), (45, 65));
        assert_eq!(both(&diamond, 2), (45, 45));
        assert_eq!(both(&chain, 8), (65, 65));
        assert_eq!((critical(&[], &[]), packed(&[], &[], 1)), (0, 0));
    }

    /// Lengths, and for each node needs among those before it.
    fn graph() -> impl Strategy<Value = (Vec<Millis>, Vec<Vec<usize>>)> {
        proptest::collection::vec((0..50_i64, proptest::collection::btree_set(0..20_usize, 0..4)), 0..20).prop_map(
            |nodes| {
                let (lengths, needs): (Vec<_>, Vec<_>) = nodes.into_iter().unzip();
                let before = |(node, needs): (usize, std::collections::BTreeSet<usize>)| {
                    needs.into_iter().filter(|need| *need < node).collect()
                };
                (lengths, needs.into_iter().enumerate().map(before).collect())
            },
        )
    }

    proptest! {
        #[test]
        fn no_packing_beats_its_longest_chain_nor_its_share_of_the_work((lengths, needs) in graph(), jobs in 1..6_usize) {
            let (work, critical) = (lengths.iter().sum::<Millis>(), critical(&lengths, &needs));
            let packed = packed(&lengths, &needs, jobs);
            prop_assert!(critical <= packed && packed <= work);
            prop_assert!(work <= packed * jobs as Millis);
            // Graham's bound for a schedule that leaves no job idle while something is ready.
            prop_assert!(packed * jobs as Millis <= critical * (jobs as Millis - 1) + work);
        }
    }
}
