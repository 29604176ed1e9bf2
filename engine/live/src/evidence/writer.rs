//! The one writer of a log: a thread that drains a channel.

use super::error::{At, EvidenceError};
use super::labels::{LabelReport, LabelValue};
use super::memory::Memory;
use super::predicted::Predicted;
use super::row::{Layout, Row, key, rows_of};
use super::segment::{Kind, Segment};
use super::stored_labels::{self, Label};
use super::wal::{Entry, Wal, push};
use super::{Limits, stored_rows};
use mlp_core::predictor::{PredictionKind, Predictions};
use mlp_core::record::Millis;
use mlp_lang::types::Schema;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

/// Between two syncs: what a power cut can cost.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// Messages taken before the frames of them are written.
const MOST_AT_ONCE: usize = 1_024;
/// Labels in one frame.
const LABELS_IN_FRAME: usize = 65_536;

/// What the writer and everybody else share.
#[derive(Debug)]
pub(super) struct Shared {
    pub folder: PathBuf,
    memory: RwLock<Memory>,
    pub kinds: RwLock<HashMap<u64, PredictionKind>>,
    /// Rows on their way to the writer.
    pub queued: AtomicU64,
    pub dropped: AtomicU64,
}

impl Shared {
    pub fn new(folder: PathBuf, memory: Memory) -> Shared {
        let memory = RwLock::new(memory);
        Shared { folder, memory, kinds: RwLock::default(), queued: AtomicU64::new(0), dropped: AtomicU64::new(0) }
    }

    // Nothing panics while it holds the lock; if it did, what is here is still whole.
    pub fn memory(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn memory_mut(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What becomes of labels: the report as far as memory knows, and the ids that may be in older segments.
pub(super) type Labelled = (LabelReport, HashSet<u128>);

/// What is asked of the writer. Answers are given when the work is done.
pub(super) enum Message {
    Append(Predicted),
    Flush(SyncSender<Result<(), EvidenceError>>),
    Seal(SyncSender<Result<(), EvidenceError>>),
    Labels {
        labels: Vec<(String, LabelValue)>,
        at: Millis,
        /// Survives a power cut too.
        durable: bool,
        answer: SyncSender<Result<Labelled, EvidenceError>>,
    },
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    wal: Wal,
    types: Schema,
    limits: Limits,
    /// What is in the write-ahead file and in no segment.
    rows: Vec<Arc<Row>>,
    labels: Vec<Label>,
    next_row: u64,
    next_label: u64,
    /// When the oldest of them came.
    since: Option<Instant>,
    synced: Instant,
    layout: Arc<Layout>,
    /// Frames, rows and labels that are not written yet.
    frames: Vec<u8>,
    fresh: Vec<Arc<Row>>,
    stopped: Option<String>,
}

impl Writer {
    /// Goes on where the segments and the write-ahead file end; `entries` are what the file holds.
    pub fn new(shared: Arc<Shared>, wal: Wal, entries: Vec<Entry>, types: Schema, limits: Limits) -> Writer {
        let end = |kind| shared.memory().of(kind).next_back().map_or(0, |segment| segment.last + 1);
        let (next_row, next_label) = (end(Kind::Rows), end(Kind::Labels));
        let mut writer = Writer {
            shared,
            wal,
            types,
            limits,
            rows: Vec::new(),
            labels: Vec::new(),
            next_row,
            next_label,
            since: None,
            synced: Instant::now(),
            layout: Arc::default(),
            frames: Vec::new(),
            fresh: Vec::new(),
            stopped: None,
        };
        entries.into_iter().for_each(|entry| writer.recover(entry));
        writer.show();
        writer
    }

    /// What was written before a segment of it was made, or after; the numbers tell.
    fn recover(&mut self, entry: Entry) {
        match entry {
            Entry::Labels { first, at, labels } => {
                for (sequence, (id, value)) in (first..).zip(labels) {
                    if sequence >= self.next_label {
                        self.next_label = sequence + 1;
                        self.keep_label(Label { sequence, at, id, value });
                    }
                }
            }
            request => {
                let Some((first, predicted, classes)) = request.into_predicted() else { return };
                let rows = rows_of(&predicted, &classes, first, &mut self.layout).unwrap_or_default();
                let next = self.next_row;
                let new: Vec<_> = rows.into_iter().filter(|row| row.sequence >= next).collect();
                self.next_row = new.last().map_or(next, |row| row.sequence + 1);
                self.keep_rows(new);
            }
        }
    }

    pub fn run(mut self, messages: &Receiver<Message>) {
        loop {
            match messages.recv_timeout(self.pause()) {
                Ok(message) => {
                    self.take(message);
                    for _ in 1..MOST_AT_ONCE {
                        match messages.try_recv() {
                            Ok(message) => self.take(message),
                            Err(_) => break,
                        }
                    }
                    // An error has stopped the writer; whoever asks next is told.
                    let _ = self.write_or_stop();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.now_and_then();
        }
        if let Err(error) = self.seal() {
            tracing::error!(folder = %self.shared.folder.display(), %error, "the prediction log was not closed cleanly");
        }
    }

    fn pause(&self) -> Duration {
        let sync = self.wal.is_dirty().then(|| SYNC_EVERY.saturating_sub(self.synced.elapsed()));
        let seal = self.since.map(|since| self.limits.age.saturating_sub(since.elapsed()));
        let next = [sync, seal].into_iter().flatten().min().unwrap_or(self.limits.age);
        // A stopped writer has nothing to do in time; a busy loop would be the alternative.
        if self.stopped.is_some() { self.limits.age.max(SYNC_EVERY) } else { next }
    }

    fn now_and_then(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        let old = self.since.is_some_and(|since| since.elapsed() >= self.limits.age);
        let done = if self.rows.len().max(self.labels.len()) >= self.limits.segment || old {
            self.seal()
        } else if self.wal.is_dirty() && self.synced.elapsed() >= SYNC_EVERY {
            self.sync()
        } else {
            Ok(())
        };
        if let Err(error) = done {
            self.stop(&error);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Append(predicted) => self.append(predicted),
            Message::Flush(answer) => {
                let done = self.write_or_stop();
                // Whoever asked may have gone.
                let _ = answer.send(done);
            }
            Message::Seal(answer) => {
                let done = self.seal();
                let _ = answer.send(done);
            }
            Message::Labels { labels, at, durable, answer } => {
                let done = self.take_labels(labels, at, durable);
                let _ = answer.send(done);
            }
        }
    }

    fn append(&mut self, predicted: Predicted) {
        let weight = super::weight(&predicted);
        self.shared.queued.fetch_sub(weight, Ordering::Relaxed);
        let classes = match (&predicted.predictions, self.shared.kinds.read()) {
            (Predictions::Probabilities(_), Ok(kinds)) => match kinds.get(&predicted.version) {
                Some(PredictionKind::Class(classes)) => classes.clone(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let rows = rows_of(&predicted, &classes, self.next_row, &mut self.layout);
        let frame = |frames: &mut Vec<u8>| push(frames, &Entry::of(predicted, &classes, self.next_row));
        match rows {
            Some(rows) if self.stopped.is_none() && frame(&mut self.frames).is_ok() => {
                self.next_row += rows.len() as u64;
                self.fresh.extend(rows);
            }
            _ => _ = self.shared.dropped.fetch_add(weight, Ordering::Relaxed),
        }
    }

    fn take_labels(
        &mut self,
        labels: Vec<(String, LabelValue)>,
        at: Millis,
        durable: bool,
    ) -> Result<Labelled, EvidenceError> {
        // So that rows that were appended before are known.
        self.write_or_stop()?;
        let mut report = LabelReport { rows: labels.len() as u64, ..LabelReport::default() };
        let mut last: HashMap<u128, usize> = HashMap::with_capacity(labels.len());
        for (place, (id, _)) in labels.iter().enumerate() {
            last.insert(key(id), place);
        }
        report.duplicates = report.rows - last.len() as u64;
        let (mut new, mut strange) = (Vec::new(), HashSet::new());
        {
            let memory = self.shared.memory();
            for (place, (id, value)) in labels.into_iter().enumerate() {
                let key = key(&id);
                if last.get(&key) != Some(&place) {
                    continue;
                }
                if memory.has(key) {
                    report.joined_now += 1;
                } else {
                    report.unknown += 1;
                    strange.insert(key);
                }
                match memory.label_of(key) {
                    Some(known) if known == value => {
                        report.unchanged += 1;
                        continue;
                    }
                    Some(_) => report.replaced += 1,
                    None => {}
                }
                new.push((id, value));
            }
        }
        self.write_labels(new, at)?;
        if durable {
            self.sync().inspect_err(|error| self.stop(error))?;
        }
        Ok((report, strange))
    }

    fn write_labels(&mut self, labels: Vec<(String, LabelValue)>, at: Millis) -> Result<(), EvidenceError> {
        let first = self.next_label;
        let mut frames = Vec::new();
        for (chunk, part) in labels.chunks(LABELS_IN_FRAME).enumerate() {
            let first = first + (chunk * LABELS_IN_FRAME) as u64;
            push(&mut frames, &Entry::Labels { first, at, labels: part.to_vec() }).map_err(EvidenceError::Stopped)?;
        }
        self.wal.write(&frames).inspect_err(|error| self.stop(error))?;
        self.next_label += labels.len() as u64;
        for (sequence, (id, value)) in (first..).zip(labels) {
            self.keep_label(Label { sequence, at, id, value });
        }
        Ok(())
    }

    fn keep_label(&mut self, label: Label) {
        self.shared.memory_mut().label(&label);
        self.labels.push(label);
        self.since.get_or_insert_with(Instant::now);
    }

    fn keep_rows(&mut self, rows: Vec<Arc<Row>>) {
        if !rows.is_empty() {
            self.since.get_or_insert_with(Instant::now);
            self.rows.extend(rows.iter().cloned());
            self.shared.memory_mut().insert(rows);
        }
    }

    /// Writes the frames at hand, then shows their rows to windows.
    fn write_or_stop(&mut self) -> Result<(), EvidenceError> {
        if let Some(why) = &self.stopped {
            return Err(EvidenceError::Stopped(why.clone()));
        }
        if let Err(error) = self.wal.write(&self.frames) {
            self.shared.dropped.fetch_add(self.fresh.len() as u64, Ordering::Relaxed);
            self.stop(&error);
            return Err(error);
        }
        self.frames.clear();
        self.show();
        Ok(())
    }

    fn show(&mut self) {
        let fresh = std::mem::take(&mut self.fresh);
        self.keep_rows(fresh);
    }

    fn sync(&mut self) -> Result<(), EvidenceError> {
        self.wal.sync()?;
        self.synced = Instant::now();
        Ok(())
    }

    /// Makes segments of what is in no segment yet, then empties the write-ahead file.
    fn seal(&mut self) -> Result<(), EvidenceError> {
        self.write_or_stop()?;
        let folder = self.shared.folder.clone();
        let mut made = Vec::new();
        let mut rows = self.small_last(Kind::Rows, self.rows.len(), stored_rows::read)?;
        rows.extend(self.rows.iter().cloned());
        if !self.rows.is_empty()
            && let Some(segment) = stored_rows::segment_of(&rows)
        {
            stored_rows::write(&folder, &segment, &rows, &self.types)?;
            made.push(segment);
        }
        let mut labels = self.small_last(Kind::Labels, self.labels.len(), stored_labels::read)?;
        labels.extend(self.labels.iter().cloned());
        if !self.labels.is_empty()
            && let Some(segment) = stored_labels::segment_of(&labels)
        {
            stored_labels::write(&folder, &segment, &labels)?;
            made.push(segment);
        }
        if made.is_empty() {
            return Ok(());
        }
        let covered = self.shared.memory_mut().sealed(made, self.limits.memory);
        (self.rows, self.labels, self.since) = (Vec::new(), Vec::new(), None);
        self.wal.clear()?;
        self.synced = Instant::now();
        for segment in covered {
            let path = segment.path(&folder);
            std::fs::remove_file(&path).at("remove", &path)?;
        }
        Ok(())
    }

    /// What the last segment holds, if it and `more` entries fit into one: so that a quiet deployment does not leave a
    /// thousand small files.
    fn small_last<T>(
        &self,
        kind: Kind,
        more: usize,
        read: impl Fn(&Segment, File, &std::path::Path) -> Result<Vec<T>, EvidenceError>,
    ) -> Result<Vec<T>, EvidenceError> {
        let last = self.shared.memory().of(kind).next_back().cloned();
        match last {
            Some(last) if more > 0 && last.len() + more as u64 <= self.limits.segment as u64 => {
                let path = last.path(&self.shared.folder);
                read(&last, File::open(&path).at("open", &path)?, &path)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn stop(&mut self, error: &EvidenceError) {
        tracing::error!(folder = %self.shared.folder.display(), %error, "predictions are no longer logged");
        self.stopped.get_or_insert_with(|| error.to_string());
    }
}
