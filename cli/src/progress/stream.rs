//! For programs: a JSON document a line, one for each event.

use super::Progress;
use crate::fault::Fault;
use crate::render::json;
use crate::screen::Screen;
use mlp_core::observer::Observer;
use mlp_core::record::Record;
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// Writes JSON lines to standard output.
pub struct Stream {
    screen: Screen,
    /// The first fault of the output; nothing is written after it.
    fault: Mutex<Option<Fault>>,
}

impl Stream {
    /// On this screen.
    pub fn new(screen: &Screen) -> Stream {
        Stream { screen: screen.clone(), fault: Mutex::default() }
    }

    fn write(&self, document: &Value) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.is_none() {
            *fault = self.screen.print_json(document, true).err();
        }
    }
}

impl Observer for Stream {
    fn record(&self, record: &Record) {
        self.write(&json::event(record));
    }

    fn log(&self, node: &str, level: &str, line: &str) {
        self.write(&json!({"schema": "mlp.event/1", "event": "log", "node": node, "level": level, "line": line}));
    }

    fn progress(&self, node: &str, fraction: f64) {
        self.write(&json!({"schema": "mlp.event/1", "event": "progress", "node": node, "fraction": fraction}));
    }

    fn metric(&self, node: &str, name: &str, value: f64, at: Option<u64>) {
        let iteration = at;
        self.write(&json!({
            "schema": "mlp.event/1",
            "event": "metric",
            "node": node,
            "name": name,
            "value": value,
            "iteration": iteration,
        }));
    }
}

impl Progress for Stream {
    fn notice(&self, text: &str) {
        self.write(&json!({"schema": "mlp.event/1", "event": "notice", "text": text}));
    }

    fn finish(&self) -> Result<(), Fault> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }
}
