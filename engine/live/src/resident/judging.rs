//! Measuring for rollouts and monitors: where their numbers come from.

use super::Resident;
use crate::evidence::{self, Judgement, Reference};
use crate::front::Totals;
use crate::machine::monitor::Window;
use crate::machine::{monitor, rollout};
use mlp_core::clock::Clock;
use mlp_core::record::Millis;
use mlp_lang::live::{LiveMetric, MonitorNode, Watch, Watched};
use mlp_lang::value::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// No time at all.
const NOTHING: Window = Window { from: 0, to: 0 };

/// What is remembered between measurements. Lost with the process: the first measurement after a start is about what
/// happened since.
#[derive(Default)]
pub(super) struct Judging {
    /// A version's totals when a rollout measured it last.
    measured: HashMap<(String, u64), (Millis, Totals)>,
    /// A version's totals at the ends of a monitor's windows, oldest first.
    seen: HashMap<(String, u64), VecDeque<(Millis, Totals)>>,
    /// Tables that drift is measured against, by monitor and version.
    references: HashMap<(String, u64), Arc<Reference>>,
}

impl Resident {
    /// Measures a candidate since it was last measured.
    pub(super) fn measure(
        &mut self,
        deployment: &str,
        version: u64,
        metrics: &[LiveMetric],
        since: Millis,
    ) -> rollout::Event {
        let totals = self.front.totals(deployment, version);
        let key = (deployment.to_owned(), version);
        let fresh = match self.judging.measured.get(&key) {
            // An earlier rollout of the same version is no part of this one.
            Some((at, before)) if *at >= since => totals.since(before),
            _ => totals.clone(),
        };
        self.judging.measured.insert(key, (self.clock.now(), totals));
        let requests = match fresh.metric(&LiveMetric::Requests) {
            Some(Value::Int(requests)) => requests.unsigned_abs(),
            _ => 0,
        };
        let numbers = metrics.iter().map(|metric| (metric.clone(), fresh.metric(metric))).collect();
        rollout::Event::Measured { version, requests, numbers }
    }

    /// Judges a monitor's window.
    pub(super) fn judge(&mut self, name: &str, window: Window, version: u64, since: Millis) -> monitor::Event {
        match self.verdicts(name, window, version, since) {
            Ok(watches) => monitor::Event::Judged { window, version, watches },
            Err(why) => monitor::Event::NotJudged { window, version, why },
        }
    }

    fn verdicts(
        &mut self,
        name: &str,
        window: Window,
        version: u64,
        since: Millis,
    ) -> Result<Vec<monitor::WatchVerdict>, String> {
        let monitor = self.live.monitors().find(|(known, _)| *known == name);
        let node = monitor.map(|(_, monitor)| monitor.node().clone()).ok_or("it is not declared any more")?;
        let reference = match &node.reference {
            Some(_) => Some(self.reference(name, &node, version)?),
            None => None,
        };
        let totals = self.window_totals(name, &node.deployment_name, version, window);
        let evidence = self.evidence.get(&node.deployment_name).ok_or("its prediction log is not open")?;
        evidence.flush().map_err(|error| error.to_string())?;
        let served = evidence.window(window.from, window.to, Some(version)).map_err(|error| error.to_string())?;
        let late = |delay: i64| {
            let delayed = |watch: &&Watch| matches!(&watch.what, Watched::Label { delay: its, .. } if *its == delay);
            let watch = node.watches.iter().find(delayed);
            // An empty window before there can be any rows.
            let window = watch.and_then(|watch| monitor::window_of(&node, watch, window, since)).unwrap_or(NOTHING);
            evidence.window(window.from, window.to, Some(version))
        };
        let service = |metric: &LiveMetric| totals.metric(metric);
        let past = |watch: usize, over: i64| self.live.past(name, watch as u32, over, window.to);
        let judgements = evidence::judge(&node, &served, late, reference.as_deref(), &service, &past);
        Ok(judgements.into_iter().map(verdict).collect())
    }

    /// The requests of a version in a window: the difference of its totals at the window's ends, as far back as they are
    /// remembered.
    fn window_totals(&mut self, monitor: &str, deployment: &str, version: u64, window: Window) -> Totals {
        let now = self.front.totals(deployment, version);
        let seen = self.judging.seen.entry((monitor.to_owned(), version)).or_default();
        seen.push_back((self.clock.now(), now.clone()));
        // The last one at or before the window's start stays.
        while seen.len() > 1 && seen.get(1).is_some_and(|(at, _)| *at <= window.from) {
            seen.pop_front();
        }
        match seen.front() {
            Some((at, before)) if *at <= window.from => now.since(before),
            _ => now,
        }
    }

    /// The table that the run made which registered a version.
    fn reference(&mut self, name: &str, node: &MonitorNode, version: u64) -> Result<Arc<Reference>, String> {
        let key = (name.to_owned(), version);
        if let Some(known) = self.judging.references.get(&key) {
            return Ok(known.clone());
        }
        let output = node.reference.as_ref().ok_or("it has no reference")?;
        let (model, _) = self.live.serving(&node.deployment_name).ok_or("nothing is served")?;
        let maker = self
            .pipelines
            .values()
            .find(|declared| declared.pipeline.nodes.iter().any(|node| node.name == name))
            .and_then(|declared| declared.pipeline.nodes.get(output.node.index()))
            .map(|node| node.name.clone())
            .ok_or("its pipeline is not served any more")?;
        let run = self.history.model(&model, Some(version)).map_err(|error| error.to_string())?.run;
        let gone =
            || format!("`{maker}.{}` of run {run}, which made {model}@{version}, is not there any more", output.output);
        let artifact =
            self.history.output(run, &maker, &output.output).map_err(|error| error.to_string())?.ok_or_else(gone)?;
        let table = match self.history.artifact_path(&artifact.digest) {
            Some(path) => mlp_data::cells::read_table(&path)?,
            // A small table lies in the record of its run.
            None => {
                let bytes = self.history.artifact_bytes(&artifact).ok_or_else(gone)?;
                let aside = self.home.aside();
                std::fs::write(&aside, bytes).map_err(|error| format!("cannot write {}: {error}", aside.display()))?;
                let table = mlp_data::cells::read_table(&aside);
                let _ = std::fs::remove_file(&aside);
                table?
            }
        };
        let table = Arc::new(Reference::new(table));
        self.judging.references.retain(|(monitor, _), _| monitor != name);
        self.judging.references.insert(key, table.clone());
        Ok(table)
    }
}

fn verdict(judgement: Judgement) -> monitor::WatchVerdict {
    let Judgement {
        watch, text, column, rule, statistic, threshold, comparison, held, rows, reference_rows, note, ..
    } = judgement;
    let watch = u32::try_from(watch).unwrap_or(u32::MAX);
    monitor::WatchVerdict {
        watch,
        text,
        column,
        rule,
        statistic,
        threshold,
        comparison,
        held,
        rows,
        reference_rows,
        words: note,
    }
}
