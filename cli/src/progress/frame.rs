//! What a terminal shows of a run that is live: a few running steps and a line about the whole. Pure: a state and a time in,
//! text out.

use crate::render::table::cut;
use crate::render::text::{clean, one_line};
use crate::render::time;
use mlp_core::view::{NodeState, Tally};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How many running steps have a line of their own.
const LINES: usize = 8;
/// What the rate is taken over.
const WINDOW: Duration = Duration::from_secs(10);
/// Fewer ends than this say nothing about how long the rest takes.
const ENOUGH: usize = 3;
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// A step that runs.
pub struct Running {
    since: Instant,
    what: String,
    /// The last thing that it said.
    said: Option<String>,
    /// How far it says it is, 0 to 1.
    fraction: Option<f64>,
}

/// Everything that moves.
#[derive(Default)]
pub struct Frame {
    /// By when they began, and by name.
    running: BTreeMap<String, Running>,
    /// When how many had ended: the oldest first, none older than the window but one.
    ended: VecDeque<(Instant, usize)>,
    ticks: usize,
}

impl Frame {
    /// A step began.
    pub fn began(&mut self, name: &str, what: &str, now: Instant) {
        let running = Running { since: now, what: one_line(what), said: None, fraction: None };
        self.running.insert(name.to_owned(), running);
    }

    /// It ended, or is not tried now.
    pub fn ended(&mut self, name: &str) {
        self.running.remove(name);
    }

    /// It said something.
    pub fn said(&mut self, name: &str, line: &str) {
        if let Some(running) = self.running.get_mut(name) {
            running.said = Some(one_line(line)).filter(|line| !line.trim().is_empty());
        }
    }

    /// It is this far.
    pub fn is_at(&mut self, name: &str, fraction: f64) {
        if let Some(running) = self.running.get_mut(name) {
            running.fraction = Some(fraction.clamp(0.0, 1.0));
        }
    }

    /// What is shown, fitted to a terminal of this size.
    pub fn text(&mut self, run: u64, tally: &Tally, is_stopping: bool, now: Instant, size: (usize, usize)) -> String {
        let (width, height) = size;
        self.ticks = self.ticks.wrapping_add(1);
        let done = ended(tally);
        self.ended.push_back((now, done));
        while self.ended.get(1).is_some_and(|(at, _)| now.duration_since(*at) > WINDOW) {
            self.ended.pop_front();
        }
        let mut oldest: Vec<(&String, &Running)> = self.running.iter().collect();
        oldest.sort_by_key(|(name, running)| (running.since, name.as_str()));
        let room = LINES.min(height.saturating_sub(3)).max(1);
        let mut lines: Vec<String> =
            oldest.iter().take(room).map(|(name, running)| self.line(name, running, now, width)).collect();
        if oldest.len() > room {
            lines.push(cut(&format!("    and {} more running", oldest.len() - room), width));
        }
        lines.push(cut(&self.status(run, tally, is_stopping, now), width));
        lines.join("\n")
    }

    /// `  ⠋ train  std/classify.logistic  [######    ] 62%  12.3s`
    fn line(&self, name: &str, running: &Running, now: Instant, width: usize) -> String {
        let spinner = SPINNER[self.ticks % SPINNER.len()];
        let took = time::took(millis(now.duration_since(running.since)));
        let end = match running.fraction {
            Some(fraction) => format!("  {:>3.0}%  {took}", fraction * 100.0),
            None => format!("  {took}"),
        };
        let said = running.said.as_deref().unwrap_or(&running.what);
        let start = format!("  {spinner} {}  {said}", clean(name));
        let room = width.saturating_sub(end.chars().count());
        format!("{}{end}", cut(&start, room))
    }

    /// `run 3: 1200 of 10000 done (12%), 40 running, 3 failed, 81/s, about 1m 48s left`
    fn status(&self, run: u64, tally: &Tally, is_stopping: bool, now: Instant) -> String {
        let (done, total) = (ended(tally), tally.total());
        let mut line = format!("run {run}: {done} of {total} done");
        if total > 20 {
            line.push_str(&format!(" ({}%)", done * 100 / total.max(1)));
        }
        let running = tally.of(NodeState::Running) + tally.of(NodeState::Retrying);
        let counts =
            [(tally.of(NodeState::Reused), "reused"), (running, "running"), (tally.of(NodeState::Failed), "failed")];
        for (count, word) in counts {
            if count > 0 {
                line.push_str(&format!(", {count} {word}"));
            }
        }
        if is_stopping {
            line.push_str(", stopping");
            return line;
        }
        let Some((rate, left)) = self.pace(done, total, now) else { return line };
        if rate >= 1.0 {
            line.push_str(&format!(", {rate:.0}/s"));
        }
        line.push_str(&format!(", about {} left", time::took(millis(left))));
        line
    }

    /// How many end in a second, and how long the rest takes at that.
    fn pace(&self, done: usize, total: usize, now: Instant) -> Option<(f64, Duration)> {
        let (at, before) = self.ended.front()?;
        let (time, ends) = (now.duration_since(*at).as_secs_f64(), done.saturating_sub(*before));
        if ends < ENOUGH || time < 1.0 || done >= total {
            return None;
        }
        let rate = ends as f64 / time;
        Some((rate, Duration::try_from_secs_f64((total - done) as f64 / rate).ok()?))
    }
}

fn ended(tally: &Tally) -> usize {
    let open = [NodeState::Waiting, NodeState::Running, NodeState::Retrying].map(|state| tally.of(state));
    tally.total() - open.iter().sum::<usize>()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
