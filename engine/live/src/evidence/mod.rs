//! What a deployment has seen: every prediction with its inputs, and the labels that come late. And what that says: the
//! judge of a monitor's windows.
//!
//! Owns: the files in a deployment's folder; how labels find their predictions; the statistics of windows.
//! Must never know: requests, rollouts, what follows from a judgement.
//!
//! ```text
//! append ─> channel ─> writer ─┬─> write-ahead file ─> segments (Parquet) ─┐
//!                              └─> memory (newest rows, all labels) ───────┴─> window ─> judge ─> judgements
//! ```
//!
//! The folder (`spec/14-evidence.md`):
//!
//! ```text
//! log                                    frames: what is in no segment yet
//! rows_<first>_<last>_<from>_<to>.parquet
//! labels_<first>_<last>_<from>_<to>.parquet
//! ```
//!
//! Invariants
//! - A row is shown to a window only after it was written; nothing that a window has shown is lost to a kill.
//! - No row is counted twice and none is lost by a kill between any two instructions: rows have numbers, and the numbers
//!   say which file is the truth.
//! - What could not be logged is counted.

mod error;
mod judge;
mod labels;
mod memory;
mod metrics;
mod predicted;
mod row;
mod rows;
mod segment;
mod stored_labels;
mod stored_rows;
#[cfg(test)]
mod tests;
mod wal;
mod writer;

pub use error::EvidenceError;
pub use judge::{Judgement, Reference, judge};
pub use labels::{LabelImport, LabelReport, LabelValue};
pub use predicted::Predicted;
pub use rows::Rows;

use error::At;
use memory::Memory;
use mlp_core::predictor::{PredictionKind, Predictions};
use mlp_core::record::Millis;
use mlp_lang::types::{Column, Schema};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use wal::Wal;
use writer::{Message, Shared, Writer};

/// Rows on their way to the writer, at most: what a burst may hold in memory.
const MOST_QUEUED: u64 = 65_536;

/// Sizes and times; tests have smaller ones.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Rows in memory (and up to a segment more).
    memory: usize,
    /// Rows, or labels, in a segment, after which the next one is begun.
    segment: usize,
    /// How long an entry waits for its segment.
    age: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { memory: 200_000, segment: 65_536, age: Duration::from_secs(3_600) }
    }
}

/// The log of one deployment. One process opens it at a time; its threads share it by reference.
#[derive(Debug)]
pub struct Evidence {
    shared: Arc<Shared>,
    label: Option<Column>,
    sender: Option<Sender<Message>>,
    thread: Option<JoinHandle<()>>,
}

/// How much of [`MOST_QUEUED`] a request takes.
fn weight(predicted: &Predicted) -> u64 {
    let cells = predicted.columns.first().map_or(0, |(_, cells)| cells.len());
    let predictions = match &predicted.predictions {
        Predictions::Numbers(numbers) => numbers.len(),
        Predictions::Probabilities(_) => 0,
    };
    cells.max(predictions).max(1) as u64
}

impl Evidence {
    /// Opens the log in `folder`, making it if it is not there. A torn end, which a power cut leaves, is cut.
    ///
    /// `row` gives the stored types of columns (others are stored as floats or texts), `label` what labels must look like.
    /// What an earlier pipeline logged with other columns stays readable.
    ///
    /// # Errors
    /// A file of the log cannot be read or written, or is damaged.
    pub fn open(folder: &Path, row: &Schema, label: Option<&Column>) -> Result<Evidence, EvidenceError> {
        Evidence::open_with(folder, row, label, Limits::default())
    }

    fn open_with(
        folder: &Path,
        row: &Schema,
        label: Option<&Column>,
        limits: Limits,
    ) -> Result<Evidence, EvidenceError> {
        std::fs::create_dir_all(folder).at("make the folder", folder)?;
        let segments = segment::list(folder)?;
        let memory = Memory::load(folder, segments, limits.memory)?;
        let (wal, entries) = Wal::open(&folder.join("log"))?;
        let shared = Arc::new(Shared::new(folder.to_owned(), memory));
        let writer = Writer::new(shared.clone(), wal, entries, row.clone(), limits);
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new().name("evidence".to_owned()).spawn(move || writer.run(&receiver));
        let thread = thread.at("start the writer of", folder)?;
        Ok(Evidence { shared, label: label.cloned(), sender: Some(sender), thread: Some(thread) })
    }

    /// Says what a version's predictions are. To be called before its first prediction is appended, each time the log is
    /// opened: probabilities of classes without names are dropped, and counted.
    pub fn introduce(&self, version: u64, kind: &PredictionKind) {
        let mut kinds = self.shared.kinds.write().unwrap_or_else(PoisonError::into_inner);
        kinds.insert(version, kind.clone());
    }

    /// Logs an answered request. Never blocks; if the writer cannot keep up the request is dropped and counted, and so is
    /// one whose columns and predictions differ in length.
    pub fn append(&self, batch: Predicted) {
        let weight = weight(&batch);
        let queued = self.shared.queued.fetch_add(weight, Ordering::Relaxed);
        // A single request may be larger than the limit; alone it is let through.
        if (queued > 0 && queued + weight > MOST_QUEUED) || self.send(Message::Append(batch)).is_none() {
            self.shared.queued.fetch_sub(weight, Ordering::Relaxed);
            self.shared.dropped.fetch_add(weight, Ordering::Relaxed);
        }
    }

    /// Rows that could not be logged since the log was opened.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Rows that are held in memory.
    pub fn held(&self) -> usize {
        self.shared.memory().len()
    }

    /// When it returns, everything appended before is seen by [`Evidence::window`] and survives a kill of the process.
    /// What is more than a second old survives a power cut too.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn flush(&self) -> Result<(), EvidenceError> {
        self.ask(Message::Flush)
    }

    /// Makes synced Parquet segments of everything appended before. Happens by itself every 65,536 rows, after an hour, and
    /// when the log is closed (dropped).
    ///
    /// # Errors
    /// The segments cannot be written; what was appended is still in the write-ahead file.
    pub fn seal(&self) -> Result<(), EvidenceError> {
        self.ask(Message::Seal)
    }

    /// Imports a file of labels: a column `id` (or `request_id`) and the label's column by its declared name; other
    /// columns may be there. Parquet if its name ends in `.parquet`, else CSV. Of several labels of one id the last
    /// counts. If anything is wrong nothing is imported; importing again changes nothing. When it returns windows see the
    /// labels and they survive a power cut.
    ///
    /// # Errors
    /// [`EvidenceError::Findings`] with file, row and column; or the log cannot be read or written.
    pub fn import_labels(&self, file: &Path, options: &LabelImport) -> Result<LabelReport, EvidenceError> {
        static IMPORTS: AtomicU64 = AtomicU64::new(0);
        let label = self.label.as_ref().ok_or(EvidenceError::NoLabel)?;
        let name = format!("import-{}{}", IMPORTS.fetch_add(1, Ordering::Relaxed), segment::ASIDE);
        let (labels, without) = labels::read(file, options, label, &self.shared.folder.join(name))?;
        let report = self.label(labels, options.at, true)?;
        Ok(LabelReport { without, ..report })
    }

    /// Takes labels by prediction id. Of several labels of one id the last counts. When it returns windows see them and
    /// they survive a kill of the process.
    ///
    /// # Errors
    /// A label does not fit the declared column, and none was kept; or the log cannot be read or written.
    pub fn put_labels(&self, labels: Vec<(String, LabelValue)>, at: Millis) -> Result<LabelReport, EvidenceError> {
        let column = self.label.as_ref().ok_or(EvidenceError::NoLabel)?;
        labels.iter().try_for_each(|(id, value)| labels::check(id, value, column))?;
        self.label(labels, at, false)
    }

    fn label(
        &self,
        labels: Vec<(String, LabelValue)>,
        at: Millis,
        durable: bool,
    ) -> Result<LabelReport, EvidenceError> {
        let (mut report, strange) = self.ask(|answer| Message::Labels { labels, at, durable, answer })?;
        if !strange.is_empty() {
            let older = self.shared.memory().open_older(&self.shared.folder)?;
            let found = memory::keys_in(older, &strange)?.len() as u64;
            report.unknown -= found;
            report.joined_now += found;
        }
        Ok(report)
    }

    /// The rows answered from `from` on and before `to`, of one version or of all, by time, with the labels that are known
    /// now.
    ///
    /// # Errors
    /// A segment cannot be read.
    pub fn window(&self, from: Millis, to: Millis, version: Option<u64>) -> Result<Rows, EvidenceError> {
        let found = self.shared.memory().find(&self.shared.folder, from, to)?;
        let mut rows = found.all(from, to)?;
        if let Some(version) = version {
            rows.retain(|row| row.version == version);
        }
        let memory = self.shared.memory();
        Ok(row::window(&rows, |key| memory.label_of(key)))
    }

    fn send(&self, message: Message) -> Option<()> {
        self.sender.as_ref()?.send(message).ok()
    }

    fn ask<T>(
        &self,
        message: impl FnOnce(SyncSender<Result<T, EvidenceError>>) -> Message,
    ) -> Result<T, EvidenceError> {
        let (answer, answered) = sync_channel(1);
        let gone = || EvidenceError::Stopped("its writer is gone".to_owned());
        self.send(message(answer)).ok_or_else(gone)?;
        answered.recv().unwrap_or_else(|_| Err(gone()))
    }
}

impl Drop for Evidence {
    fn drop(&mut self) {
        self.sender.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was reported where it happened.
            let _ = thread.join();
        }
    }
}
