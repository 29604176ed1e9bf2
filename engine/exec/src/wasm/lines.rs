//! What a step says, bounded: log lines, standard output and standard error become lines of the step's log.

use bytes::Bytes;
use mlp_core::executor::StepLog;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Lines that one attempt may say; the rest is counted.
const MAX_LINES: u64 = 10_000;

/// Live numbers that one attempt may emit; the rest is counted.
const MAX_METRICS: u64 = 100_000;

/// Bytes of one line; the rest of it is cut.
pub const MAX_LINE: usize = 8 << 10;

/// Last lines of standard error kept to explain a crash.
const LAST: usize = 20;

/// Bytes that a stream takes in one go.
const CHUNK: usize = 64 << 10;

/// Everything one attempt says, wherever it says it. Clones share it.
#[derive(Clone)]
pub struct Lines(Arc<Shared>);

struct Shared {
    log: Arc<dyn StepLog>,
    most: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lines: u64,
    metrics: u64,
    last_stderr: VecDeque<String>,
}

impl Lines {
    /// Into this log.
    pub fn new(log: Arc<dyn StepLog>) -> Lines {
        Lines::bounded(log, MAX_LINES)
    }

    /// Into this log, at most so many lines.
    pub fn bounded(log: Arc<dyn StepLog>, most: u64) -> Lines {
        Lines(Arc::new(Shared { log, most, state: Mutex::default() }))
    }

    /// One line, or several if `message` has line ends.
    pub fn say(&self, level: &str, message: &str) {
        for line in message.lines() {
            self.line(level, line);
        }
    }

    /// A live number.
    pub fn metric(&self, name: &str, value: f64, at: Option<u64>) {
        let mut state = self.lock();
        state.metrics += 1;
        if state.metrics <= MAX_METRICS {
            drop(state);
            self.0.log.metric(cut(name), value, at);
        }
    }

    /// How far it is.
    pub fn progress(&self, fraction: f64) {
        if fraction.is_finite() {
            self.0.log.progress(fraction.clamp(0.0, 1.0));
        }
    }

    /// Says how much was left out, if anything.
    pub fn finish(&self) {
        let (lines, metrics) = {
            let state = self.lock();
            (state.lines.saturating_sub(self.0.most), state.metrics.saturating_sub(MAX_METRICS))
        };
        if lines > 0 {
            self.0.log.line("warn", &format!("{lines} more lines were left out: a step may say {}", self.0.most));
        }
        if metrics > 0 {
            self.0
                .log
                .line("warn", &format!("{metrics} more live metrics were left out: a step may emit {MAX_METRICS}"));
        }
    }

    /// The last lines of standard error, oldest first.
    pub fn last_stderr(&self) -> Vec<String> {
        self.lock().last_stderr.iter().cloned().collect()
    }

    fn line(&self, level: &str, line: &str) {
        let line = cut(line);
        let mut state = self.lock();
        if level == "stderr" {
            if state.last_stderr.len() == LAST {
                state.last_stderr.pop_front();
            }
            state.last_stderr.push_back(line.to_owned());
        }
        state.lines += 1;
        if state.lines <= self.0.most {
            drop(state);
            self.0.log.line(level, line);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cut(line: &str) -> &str {
    &line[..line.floor_char_boundary(MAX_LINE)]
}

/// Standard output or standard error of a guest. Clones share what is not yet a whole line.
#[derive(Clone)]
pub struct Output {
    level: &'static str,
    lines: Lines,
    partial: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    /// `stdout` or `stderr`.
    pub fn new(level: &'static str, lines: Lines) -> Output {
        Output { level, lines, partial: Arc::default() }
    }

    /// What was written last without a line end.
    pub fn finish(&self) {
        let rest = std::mem::take(&mut *self.partial());
        if !rest.is_empty() {
            self.lines.say(self.level, &String::from_utf8_lossy(&rest));
        }
    }

    fn take(&self, bytes: &[u8]) {
        let mut partial = self.partial();
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            // What a line has too much is dropped here, not stored: it would be cut anyway.
            let room = (MAX_LINE + 1).saturating_sub(partial.len());
            partial.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                let line = std::mem::take(&mut *partial);
                self.lines.say(self.level, &String::from_utf8_lossy(&line));
            }
        }
    }

    fn partial(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.partial.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this; it is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}
