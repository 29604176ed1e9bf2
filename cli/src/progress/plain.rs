//! For pipes and logs: a line an event, nothing that moves.

use super::{Folding, Progress};
use crate::fault::Fault;
use crate::render::events;
use crate::render::text::{clean, one_line};
use crate::screen::Screen;
use mlp_core::observer::Observer;
use mlp_core::record::Record;
use std::sync::{Mutex, PoisonError};

/// Writes lines to standard output.
pub struct Plain {
    screen: Screen,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: Folding,
    /// The first fault of the output; nothing is written after it.
    fault: Option<Fault>,
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
        let line = state.run.take(record).and_then(|view| {
            let calm = view.nodes.len() > super::CALM && !verbose && matches!(record, Record::NodeReused { .. });
            if calm { None } else { events::line(view, record, verbose) }
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
