//! The one writer of a journal: a thread that drains a channel, batch by batch.
//!
//! A batch is what lies in the channel, up to a limit, and what follows within [`LINGER`] while nobody waits for it. Its
//! artifacts are made durable first, then its frames are written and synced at once, then the store takes them in, then
//! everyone who waits is told. So a record on disk never names bytes that a power cut can take away.

use super::{Logged, frame};
use crate::digest::Digest;
use crate::disk::{At, DiskError, Stamp, seam, sync_folder};
use crate::record::Record;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Results (records that name new artifacts) in one batch: what a power cut can cost at most. Other records lose no work
/// and only count by their bytes, so that a run of ten thousand reused nodes is one batch or a few.
const MOST_RESULTS: usize = 256;
/// Bytes in one batch.
const MOST_BYTES: usize = 1 << 20;
/// How long a batch that nobody waits for stays open. Without it a disk that syncs in 0.3 ms gets one sync a step, and
/// those cost more than the steps: 1,000 near-empty steps made 921 batches, with it 60. A kill costs this much work more.
const LINGER: Duration = Duration::from_millis(10);
/// Threads that sync a batch's artifacts: enough for a disk to merge their flushes, few enough for a laptop.
const SYNC_THREADS: usize = 4;

/// Nothing more is written, for this reason. Everything not yet acknowledged may be lost.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the journal is closed since an error: {0}")]
pub(crate) struct Stopped(pub String);

/// A record to write.
pub(crate) struct Entry {
    /// What happened.
    pub record: Record,
    /// Files that must be durable before it is.
    pub files: Vec<PathBuf>,
    /// The stamps of the artifacts it names, for the store.
    pub stamps: Vec<(Digest, Stamp)>,
}

/// Takes in a synced batch: the sequence number of its first record, the journal's length behind it, the records.
pub(crate) type OnBatch = Box<dyn FnMut(u64, u64, &[Entry]) -> Result<(), String> + Send>;

enum Message {
    Entries(Vec<Entry>),
    Barrier(oneshot::Sender<Result<(), Stopped>>),
}

/// The handle to a run's writer. Dropping it waits for what was given.
pub(crate) struct Journal {
    sender: Option<mpsc::Sender<Message>>,
    thread: Option<JoinHandle<()>>,
    broken: Arc<AtomicBool>,
}

impl Journal {
    /// Continues the journal at `path`, which has this many frames and bytes; makes it if it is not there.
    pub fn open(path: &Path, frames: u64, length: u64, on_batch: OnBatch) -> Result<Journal, DiskError> {
        let file = File::options().write(true).create(true).truncate(false).open(path).at("open", path)?;
        let (sender, receiver) = mpsc::channel();
        let broken = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            file,
            path: path.to_owned(),
            length,
            sequence: frames,
            fresh: length == 0,
            on_batch,
            stopped: None,
            broken: broken.clone(),
        };
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || writer.run(&receiver));
        let thread = thread.at("start the writer of", path)?;
        Ok(Journal { sender: Some(sender), thread: Some(thread), broken })
    }

    /// Gives records to write, in this order, without waiting.
    pub fn append(&self, entries: Vec<Entry>) {
        self.send(Message::Entries(entries));
    }

    /// Resolves when everything given before this call is durable and in the store.
    pub fn barrier(&self) -> impl Future<Output = Result<(), Stopped>> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Barrier(sender));
        async { receiver.await.unwrap_or_else(|_| Err(Stopped("its writer is gone".to_owned()))) }
    }

    /// The same, for threads that may block.
    pub fn blocking_barrier(&self) -> Result<(), Stopped> {
        let (sender, receiver) = oneshot::channel();
        self.send(Message::Barrier(sender));
        receiver.blocking_recv().unwrap_or_else(|_| Err(Stopped("its writer is gone".to_owned())))
    }

    /// Whether an error has stopped it.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    fn send(&self, message: Message) {
        // A writer that is gone answers no barrier, which is how its loss is noticed.
        if let Some(sender) = &self.sender {
            let _ = sender.send(message);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.sender.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer {
    file: File,
    path: PathBuf,
    length: u64,
    sequence: u64,
    /// The file is new: the folders that lead to it are not durable yet.
    fresh: bool,
    on_batch: OnBatch,
    stopped: Option<Stopped>,
    broken: Arc<AtomicBool>,
}

impl Writer {
    fn run(mut self, receiver: &mpsc::Receiver<Message>) {
        let mut left: std::collections::VecDeque<Entry> = Default::default();
        while let Ok(message) = receiver.recv() {
            let mut waiting = Vec::new();
            let mut next = Some(message);
            let closes = Instant::now() + LINGER;
            while let Some(message) = next {
                match message {
                    Message::Entries(entries) => left.extend(entries),
                    Message::Barrier(sender) => waiting.push(sender),
                }
                next = match (left.len() < MOST_RESULTS, waiting.is_empty()) {
                    // Beyond a full batch nothing is gained by taking more.
                    (false, _) => None,
                    (true, false) => receiver.try_recv().ok(),
                    (true, true) => receiver.recv_timeout(closes.saturating_duration_since(Instant::now())).ok(),
                };
            }
            while !left.is_empty() {
                self.batch(&mut left);
            }
            for sender in waiting {
                // Nobody may be waiting any more.
                let _ = sender.send(self.stopped.clone().map_or(Ok(()), Err));
            }
        }
    }

    /// Writes as many entries as fit into one batch.
    fn batch(&mut self, left: &mut std::collections::VecDeque<Entry>) {
        if self.stopped.is_some() {
            left.clear();
            return;
        }
        let mut batch = Vec::new();
        let mut buffer = Vec::with_capacity(64 << 10);
        let mut results = 0;
        if self.length == 0 {
            buffer.extend_from_slice(&Record::MAGIC);
        }
        while results < MOST_RESULTS && buffer.len() < MOST_BYTES {
            let Some(entry) = left.pop_front() else { break };
            let sequence = self.sequence + batch.len() as u64;
            if let Err(error) = frame::push(&mut buffer, sequence, batch.is_empty(), &entry.record) {
                return self.stop(format!("a record cannot be encoded: {error}"));
            }
            results += usize::from(matches!(entry.record, Record::NodeDone { .. }));
            batch.push(entry);
        }
        if let Err(error) = self.make_durable(&batch, &buffer) {
            return self.stop(error.to_string());
        }
        if let Err(error) = (self.on_batch)(self.sequence, self.length + buffer.len() as u64, &batch) {
            return self.stop(error);
        }
        self.sequence += batch.len() as u64;
        self.length += buffer.len() as u64;
    }

    fn make_durable(&mut self, batch: &[Entry], buffer: &[u8]) -> Result<(), DiskError> {
        sync_files(batch.iter().flat_map(|entry| &entry.files))?;
        seam::write_all_at(&self.file, &self.path, buffer, self.length)?;
        seam::sync_data(&self.file, &self.path)?;
        if self.fresh {
            // runs/000001 and runs: the file's own sync usually took them along, so this is nearly free.
            for folder in self.path.ancestors().skip(1).take(2) {
                sync_folder(folder)?;
            }
            self.fresh = false;
        }
        Ok(())
    }

    fn stop(&mut self, why: String) {
        tracing::error!(journal = %self.path.display(), why, "nothing more is written");
        self.broken.store(true, Ordering::SeqCst);
        self.stopped = Some(Stopped(why));
    }
}

/// Syncs files, several at a time, then the folders that list them, then the folder of those folders.
fn sync_files<'a>(files: impl Iterator<Item = &'a PathBuf>) -> Result<(), DiskError> {
    let files: Vec<&PathBuf> = files.collect();
    if files.is_empty() {
        return Ok(());
    }
    let shards: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let parents: BTreeSet<&Path> = shards.iter().filter_map(|shard| shard.parent()).collect();
    in_parallel(&files, |file| seam::sync_file(file))?;
    let shards: Vec<&Path> = shards.into_iter().collect();
    in_parallel(&shards, |shard| sync_folder(shard))?;
    parents.into_iter().try_for_each(sync_folder)
}

fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), DiskError> + Sync) -> Result<(), DiskError> {
    if items.len() < 2 {
        return items.iter().try_for_each(work);
    }
    std::thread::scope(|scope| {
        let part = items.len().div_ceil(SYNC_THREADS);
        let work = &work;
        let threads: Vec<_> =
            items.chunks(part).map(|part| scope.spawn(move || part.iter().try_for_each(work))).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
