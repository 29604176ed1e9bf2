//! For people at a terminal: a line for each running node, a status line below them, what happened above.

use super::{CALM, Folding, Progress};
use crate::fault::Fault;
use crate::render::events;
use crate::render::table::cut;
use crate::render::text::{clean, one_line};
use crate::screen::Screen;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mlp_core::observer::Observer;
use mlp_core::record::Record;
use mlp_core::view::{NodeState, RunView};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many running steps have a line.
const SHOWN: usize = 8;

/// Draws on standard error.
pub struct Live {
    screen: Screen,
    bars: MultiProgress,
    state: Mutex<State>,
}

struct State {
    run: Folding,
    running: HashMap<String, ProgressBar>,
    status: ProgressBar,
}

impl Live {
    /// On this screen.
    pub fn new(screen: &Screen) -> Live {
        let bars = MultiProgress::new();
        let status = bars.add(ProgressBar::new_spinner().with_style(style("{msg}")));
        let state = State { run: Folding::default(), running: HashMap::new(), status };
        Live { screen: screen.clone(), bars, state: Mutex::new(state) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that stays, above everything that moves.
    fn leave(&self, line: &str) {
        let line = match self.screen.is_coloured() {
            true => line.to_owned(),
            false => anstream::adapter::strip_str(line).to_string(),
        };
        // A terminal that went away is no reason to stop the run.
        let _ = self.bars.println(line);
    }
}

impl Observer for Live {
    fn record(&self, record: &Record) {
        let mut state = self.lock();
        let State { run, running, status } = &mut *state;
        let Some(view) = run.take(record) else { return };
        match record {
            Record::NodeStarted { node, .. } if running.len() < SHOWN => {
                let bar = self
                    .bars
                    .insert_before(status, ProgressBar::new(100).with_style(style("  {spinner} {msg} {elapsed}")));
                let of = node.split_once('[').map_or(node.as_str(), |(fan, _)| fan);
                let what = view.node(of).map_or(String::new(), |node| one_line(&node.what));
                bar.set_message(cut(&format!("{}  {what}", clean(node)), 60));
                bar.enable_steady_tick(Duration::from_millis(120));
                if let Some(before) = running.insert(node.clone(), bar) {
                    before.finish_and_clear();
                }
            }
            Record::NodeDone { node, .. } | Record::NodeFailed { node, .. } | Record::NodeSkipped { node, .. } => {
                if let Some(bar) = running.remove(node) {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
        let verbose = self.screen.options.verbose;
        if stays(view, record, verbose)
            && let Some(line) = events::line(view, record, verbose)
        {
            self.leave(&line);
        }
        status.set_message(status_line(view));
    }

    fn log(&self, node: &str, level: &str, line: &str) {
        if self.screen.options.verbose || matches!(level, "warn" | "error") {
            self.leave(&format!("  {} {level}: {}", clean(node), one_line(line)));
        }
    }

    fn progress(&self, node: &str, fraction: f64) {
        if let Some(bar) = self.lock().running.get(node) {
            bar.set_style(style("  {spinner} {msg} [{bar:20}] {percent}% {elapsed}"));
            bar.set_position((fraction.clamp(0.0, 1.0) * 100.0) as u64);
        }
    }
}

impl Progress for Live {
    fn notice(&self, text: &str) {
        self.leave(text);
    }

    fn finish(&self) -> Result<(), Fault> {
        let mut state = self.lock();
        for (_, bar) in state.running.drain() {
            bar.finish_and_clear();
        }
        state.status.finish_and_clear();
        let _ = self.bars.clear();
        Ok(())
    }
}

/// Whether what happened leaves a line behind. The summary tells the rest.
fn stays(view: &RunView, record: &Record, verbose: bool) -> bool {
    match record {
        Record::NodeStarted { attempt, .. } => *attempt > 1,
        Record::NodeReused { .. } => verbose,
        Record::NodeDone { .. } => verbose || view.tally().total() <= CALM,
        Record::NodeFailed { .. } | Record::CancelRequested { .. } => true,
        Record::NodeSkipped { .. } => verbose,
        _ => false,
    }
}

fn status_line(view: &RunView) -> String {
    let tally = view.tally();
    let waiting = tally.of(NodeState::Waiting);
    let running = tally.of(NodeState::Running) + tally.of(NodeState::Retrying);
    let failed = tally.of(NodeState::Failed);
    let ended = tally.total() - waiting - running;
    let mut line = format!("run {}: {ended} of {} done", view.started.run, tally.total());
    for (count, word) in [(tally.of(NodeState::Reused), "reused"), (running, "running"), (failed, "failed")] {
        if count > 0 {
            line.push_str(&format!(", {count} {word}"));
        }
    }
    if view.cancelled.is_some() {
        line.push_str(", stopping");
    }
    line
}

/// The templates are constants, so the fallback is never seen.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
