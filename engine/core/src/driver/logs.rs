//! What a step says while it runs: a file that is made when it first says something, and the observer.

use crate::clock::{Clock, rfc3339};
use crate::disk::{At, DiskError};
use crate::executor::{StepLog, Usage};
use crate::observer::Observer;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest log of an attempt: a step that never stops talking must not fill the disk.
const LONGEST: u64 = 64 << 20;

/// The log of one attempt: lines of time, level and text.
pub(super) struct NodeLog {
    node: String,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    file: Mutex<LogFile>,
    usage: Mutex<Option<Usage>>,
}

enum LogFile {
    Silent(PathBuf),
    Open {
        file: File,
        path: PathBuf,
        written: u64,
    },
    /// Full, or not to be written.
    Closed,
}

impl NodeLog {
    pub fn new(node: &str, path: PathBuf, observer: Arc<dyn Observer>, clock: Arc<dyn Clock>) -> NodeLog {
        NodeLog {
            node: node.to_owned(),
            observer,
            clock,
            file: Mutex::new(LogFile::Silent(path)),
            usage: Mutex::default(),
        }
    }

    /// What the attempt used, if it said so.
    pub fn used(&self) -> Option<Usage> {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StepLog for NodeLog {
    fn line(&self, level: &str, message: &str) {
        let time = rfc3339(self.clock.now());
        let mut text = String::with_capacity(message.len() + 40);
        for line in message.lines() {
            text.push_str(&format!("{time} {level:<6} {line}\n"));
            self.observer.log(&self.node, level, line);
        }
        let written = self.file.lock().unwrap_or_else(PoisonError::into_inner).write(&text);
        if let Err(error) = written {
            // Whoever looks for the rest should know that there was more, and why.
            self.observer.log(&self.node, "warn", &format!("its log ends here: {error}"));
        }
    }

    fn progress(&self, fraction: f64) {
        if fraction.is_finite() {
            self.observer.progress(&self.node, fraction.clamp(0.0, 1.0));
        }
    }

    fn metric(&self, name: &str, value: f64, at: Option<u64>) {
        self.observer.metric(&self.node, name, value, at);
    }

    fn usage(&self, usage: Usage) {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = Some(usage);
    }
}

impl LogFile {
    /// A log that cannot be written costs its lines, not the step. Only the first failure is one.
    fn write(&mut self, text: &str) -> Result<(), DiskError> {
        if let LogFile::Silent(path) = self {
            let path = std::mem::take(path);
            *self = LogFile::Closed;
            let file = create(&path).at("write", &path)?;
            *self = LogFile::Open { file, path, written: 0 };
        }
        let LogFile::Open { file, path, written } = self else { return Ok(()) };
        *written += text.len() as u64;
        let full = *written > LONGEST;
        let text = if full { "the log is cut here: it is longer than 64 MiB\n" } else { text };
        let result = file.write_all(text.as_bytes()).at("write", path);
        if result.is_err() || full {
            *self = LogFile::Closed;
        }
        result
    }
}

fn create(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    File::create(path)
}
