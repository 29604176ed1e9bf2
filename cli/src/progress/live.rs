//! For people at a terminal: a few running steps and a status line that move, what happened above.
//!
//! Records come as fast as the engine goes; what moves is drawn ten times a second, so that a run of ten thousand steps does
//! not wait for its terminal.

use super::frame::Frame;
use super::{CALM, Folding, Progress};
use crate::fault::Fault;
use crate::render::events;
use crate::render::text::{clean, one_line};
use crate::screen::Screen;
use indicatif::{ProgressBar, ProgressStyle};
use mlp_core::observer::Observer;
use mlp_core::record::Record;
use mlp_core::view::RunView;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Between two frames.
const PAUSE: Duration = Duration::from_millis(100);
/// What a terminal that does not say is taken for.
const USUAL: (usize, usize) = (80, 24);

/// Draws on standard error.
pub struct Live {
    screen: Screen,
    bar: ProgressBar,
    state: Arc<Mutex<State>>,
    is_over: Arc<AtomicBool>,
    drawer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    run: Folding,
    frame: Frame,
}

impl Live {
    /// On this screen.
    pub fn new(screen: &Screen) -> Live {
        let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{msg}").unwrap_or_else(
            // The template is a constant, so this is never seen.
            |_| ProgressStyle::default_spinner(),
        ));
        let state = Arc::new(Mutex::new(State::default()));
        let is_over = Arc::new(AtomicBool::new(false));
        let draw = {
            let (bar, state, is_over) = (bar.clone(), state.clone(), is_over.clone());
            move || {
                while !is_over.load(Ordering::SeqCst) {
                    if let Some(text) = lock(&state).frame(Instant::now()) {
                        bar.set_message(text);
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        };
        // Without the thread nothing moves; what happened is told all the same.
        let drawer = std::thread::Builder::new().name("progress".to_owned()).spawn(draw).ok();
        Live { screen: screen.clone(), bar, state, is_over, drawer: Mutex::new(drawer) }
    }

    /// A line that stays, above everything that moves.
    fn leave(&self, line: &str) {
        let line = match self.screen.is_coloured() {
            true => line.to_owned(),
            false => anstream::adapter::strip_str(line).to_string(),
        };
        self.bar.println(line);
    }
}

impl State {
    fn frame(&mut self, now: Instant) -> Option<String> {
        let State { run, frame } = self;
        let view = run.view.as_ref()?;
        let size = terminal_size::terminal_size_of(std::io::stderr());
        let size = size.map_or(USUAL, |(width, height)| (usize::from(width.0), usize::from(height.0)));
        Some(frame.text(view.started.run, view.tally(), view.cancelled.is_some(), now, size))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Live {
    fn record(&self, record: &Record) {
        let verbose = self.screen.options.verbose;
        let line = {
            let mut state = lock(&self.state);
            let State { run, frame } = &mut *state;
            let Some(view) = run.take(record) else { return };
            match record {
                Record::NodeStarted { node, .. } => {
                    let of = node.split_once('[').map_or(node.as_str(), |(fan, _)| fan);
                    let what = view.node(of).map_or("", |node| node.what.as_str());
                    frame.began(node, what, Instant::now());
                }
                Record::NodeDone { node, .. } | Record::NodeFailed { node, .. } | Record::NodeSkipped { node, .. } => {
                    frame.ended(node);
                }
                _ => {}
            }
            stays(view, record, verbose).then(|| events::line(view, record, verbose)).flatten()
        };
        if let Some(line) = line {
            self.leave(&line);
        }
    }

    fn log(&self, node: &str, level: &str, line: &str) {
        lock(&self.state).frame.said(node, line);
        if self.screen.options.verbose || matches!(level, "warn" | "error") {
            self.leave(&format!("  {} {level}: {}", clean(node), one_line(line)));
        }
    }

    fn progress(&self, node: &str, fraction: f64) {
        lock(&self.state).frame.is_at(node, fraction);
    }
}

impl Progress for Live {
    fn notice(&self, text: &str) {
        self.leave(text);
    }

    fn finish(&self) -> Result<(), Fault> {
        self.is_over.store(true, Ordering::SeqCst);
        let drawer = self.drawer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(drawer) = drawer {
            // It only draws: however it ended, the screen is cleared next.
            let _ = drawer.join();
        }
        self.bar.finish_and_clear();
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
