//! For pipes and logs: a line an event, nothing that moves.

use super::{Folding, Progress};
use crate::fault::Fault;
use crate::render::events;
use crate::render::text::{clean, one_line};
use crate::screen::Screen;
use mlp_core::observer::Observer;
use mlp_core::record::Record;
use mlp_core::view::{NodeState, RunView};
use std::sync::{Mutex, PoisonError};

/// A run with more pieces of work than this does not leave a line for each that started and ended well.
const CROWD: usize = 500;

/// Writes lines to standard output.
pub struct Plain {
    screen: Screen,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: Folding,
    /// The tenth of the run that was told last.
    told: usize,
    /// The first fault of the output; nothing is written after it.
    fault: Option<Fault>,
}

/// How far a run is that is too long for a line each: at each tenth of it.
fn far(view: &RunView, told: &mut usize) -> Option<String> {
    let tally = view.tally();
    let open = [NodeState::Waiting, NodeState::Running, NodeState::Retrying].map(|state| tally.of(state));
    let ended = tally.total() - open.iter().sum::<usize>();
    let tenth = ended * 10 / tally.total().max(1);
    if tenth <= *told || tenth == 10 {
        return None;
    }
    *told = tenth;
    let failed = match tally.of(NodeState::Failed) {
        0 => String::new(),
        failed => format!(", {failed} failed"),
    };
    Some(format!("{ended} of {} done, {} reused{failed}", tally.total(), tally.of(NodeState::Reused)))
}

impl Plain {
    /// On this screen.
    pub fn new(screen: &Screen) -> Plain {
        Plain { screen: screen.clone(), state: Mutex::default() }
    }

    fn write(&self, state: &mut State, line: &str) {
        if state.fault.is_none() {
            state.fault = self.screen.print(&format!("{line}\n")).err();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Plain {
    fn record(&self, record: &Record) {
        let mut state = self.lock();
        let verbose = self.screen.options.verbose;
        let State { run, told, .. } = &mut *state;
        let line = run.take(record).and_then(|view| {
            let many = view.tally().total();
            let routine = matches!(record, Record::NodeReused { .. })
                || many > CROWD && matches!(record, Record::NodeStarted { attempt: 1, .. } | Record::NodeDone { .. });
            match many > super::CALM && !verbose && routine {
                true => far(view, told),
                false => events::line(view, record, verbose),
            }
        });
        if let Some(line) = line {
            self.write(&mut state, &line);
        }
    }

    fn log(&self, node: &str, level: &str, line: &str) {
        if self.screen.options.verbose || matches!(level, "warn" | "error") {
            let mut state = self.lock();
            self.write(&mut state, &format!("  {} {level}: {}", clean(node), one_line(line)));
        }
    }
}

impl Progress for Plain {
    fn notice(&self, text: &str) {
        self.screen.say(&format!("{text}\n"));
    }

    fn finish(&self) -> Result<(), Fault> {
        self.lock().fault.take().map_or(Ok(()), Err)
    }
}
