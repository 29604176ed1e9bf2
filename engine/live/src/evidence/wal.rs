//! What is not in a segment yet: an append-only file of checksummed frames.
//!
//! ```text
//! magic and version (8 bytes)
//! frame:  length u32 | first 8 bytes of blake3 of the entry | entry (postcard)
//! ```
//! Numbers are little-endian. Written without a sync, so it survives a kill of the process at once and a power cut as far
//! as it was synced. A frame that is not whole ends the file: it, and what follows, is cut when the file is opened.

use super::error::{At, EvidenceError};
use super::labels::LabelValue;
use super::predicted::Predicted;
use mlp_core::predictor::{Cells, Predictions};
use mlp_core::record::Millis;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"mlpevd\0\x01";
const HEADER: usize = 12;
/// No entry is longer; a larger length is a torn frame.
const LONGEST: usize = 1 << 30;

/// What a frame says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Entry {
    /// A request was answered.
    Request {
        /// The number of its first row.
        first: u64,
        at: Millis,
        request: String,
        version: u64,
        columns: Vec<(String, Stored)>,
        /// Of a classifier; else empty.
        classes: Vec<String>,
        predictions: Vec<f64>,
    },
    /// Labels came.
    Labels {
        /// The number of the first.
        first: u64,
        at: Millis,
        labels: Vec<(String, LabelValue)>,
    },
}

/// [`Cells`], as they are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Stored {
    Numbers(Vec<f64>),
    Texts(Vec<Option<String>>),
}

impl Entry {
    /// Of an answered request.
    pub fn of(predicted: Predicted, classes: &[String], first: u64) -> Entry {
        let Predicted { at, request, version, columns, predictions } = predicted;
        let stored = |cells| match cells {
            Cells::Numbers(cells) => Stored::Numbers(cells),
            Cells::Texts(cells) => Stored::Texts(cells),
        };
        let columns = columns.into_iter().map(|(name, cells)| (name, stored(cells))).collect();
        let (predictions, classes) = match predictions {
            Predictions::Numbers(numbers) => (numbers, Vec::new()),
            Predictions::Probabilities(numbers) => (numbers, classes.to_vec()),
        };
        Entry::Request { first, at, request, version, columns, classes, predictions }
    }

    /// The answered request and its classes back again; of labels there is none.
    pub fn into_predicted(self) -> Option<(u64, Predicted, Vec<String>)> {
        let Entry::Request { first, at, request, version, columns, classes, predictions } = self else { return None };
        let cells = |stored| match stored {
            Stored::Numbers(cells) => Cells::Numbers(cells),
            Stored::Texts(cells) => Cells::Texts(cells),
        };
        let columns = columns.into_iter().map(|(name, stored)| (name, cells(stored))).collect();
        let predictions = match classes.is_empty() {
            true => Predictions::Numbers(predictions),
            false => Predictions::Probabilities(predictions),
        };
        Some((first, Predicted { at, request, version, columns, predictions }, classes))
    }
}

/// The open file.
#[derive(Debug)]
pub(super) struct Wal {
    file: File,
    path: PathBuf,
    length: u64,
    /// Something was written since the last sync.
    dirty: bool,
}

impl Wal {
    /// Opens or makes the file at `path`, cuts a torn end off, and gives the entries in it.
    pub fn open(path: &Path) -> Result<(Wal, Vec<Entry>), EvidenceError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.at("read", path)?,
        };
        let (entries, sound) = decode(path, &bytes)?;
        if sound < bytes.len() {
            let cut = bytes.len() - sound;
            tracing::warn!(path = %path.display(), cut, "the torn end of the prediction log is cut");
        }
        let file = File::options().write(true).create(true).truncate(false).open(path).at("open", path)?;
        let mut wal = Wal { file, path: path.to_owned(), length: sound as u64, dirty: false };
        wal.cut_to(sound as u64)?;
        Ok((wal, entries))
    }

    /// Adds frames: what [`push`] made.
    pub fn write(&mut self, frames: &[u8]) -> Result<(), EvidenceError> {
        if frames.is_empty() {
            return Ok(());
        }
        self.file.write_all_at(frames, self.length).at("write", &self.path)?;
        self.length += frames.len() as u64;
        self.dirty = true;
        Ok(())
    }

    /// Makes what was written survive a power cut.
    pub fn sync(&mut self) -> Result<(), EvidenceError> {
        if self.dirty {
            self.file.sync_data().at("make durable", &self.path)?;
            self.dirty = false;
        }
        Ok(())
    }

    /// Whether a sync would do anything.
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// Leaves nothing in it: all of it stands in segments.
    pub fn clear(&mut self) -> Result<(), EvidenceError> {
        self.cut_to(0)
    }

    fn cut_to(&mut self, sound: u64) -> Result<(), EvidenceError> {
        self.file.set_len(sound).at("cut", &self.path)?;
        self.length = sound;
        if sound < MAGIC.len() as u64 {
            self.file.set_len(0).and_then(|()| self.file.write_all_at(&MAGIC, 0)).at("write", &self.path)?;
            self.length = MAGIC.len() as u64;
        }
        self.file.sync_data().at("make durable", &self.path)?;
        self.dirty = false;
        Ok(())
    }
}

/// Adds the frame of `entry` to the end of `frames`.
pub(super) fn push(frames: &mut Vec<u8>, entry: &Entry) -> Result<(), String> {
    let start = frames.len();
    frames.extend_from_slice(&[0; HEADER]);
    let encoded = postcard::to_io(entry, &mut *frames).map(|_| ()).map_err(|error| error.to_string());
    let length = frames.len() - start - HEADER;
    let too_long = if length > LONGEST { Err(format!("an entry of {length} bytes")) } else { Ok(()) };
    if let Err(why) = encoded.and(too_long) {
        frames.truncate(start);
        return Err(why);
    }
    let sum = checksum(&frames[start + HEADER..]);
    frames[start..start + 4].copy_from_slice(&(length as u32).to_le_bytes());
    frames[start + 4..start + HEADER].copy_from_slice(&sum);
    Ok(())
}

fn checksum(entry: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(entry).as_bytes()[..8]);
    sum
}

/// The sound entries, and the length of the sound part of the file.
fn decode(path: &Path, bytes: &[u8]) -> Result<(Vec<Entry>, usize), EvidenceError> {
    let damaged = |why: &str| EvidenceError::Damaged { path: path.to_owned(), why: why.to_owned() };
    let Some((magic, mut rest)) = bytes.split_first_chunk::<8>() else {
        // Killed while the file was made: the magic itself is torn.
        return Ok((Vec::new(), 0));
    };
    if *magic != MAGIC {
        // A file system may give a file its length before its content; such a beginning was never synced.
        let torn = bytes.iter().all(|byte| *byte == 0);
        return if torn { Ok((Vec::new(), 0)) } else { Err(damaged("it does not begin like a prediction log")) };
    }
    let mut entries = Vec::new();
    while let Some((head, body)) = rest.split_first_chunk::<HEADER>() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(entry) = body.get(..length).filter(|entry| checksum(entry) == head[4..]) else { break };
        entries
            .push(postcard::from_bytes(entry).map_err(|error| damaged(&format!("an entry makes no sense ({error})")))?);
        rest = &body[length..];
    }
    Ok((entries, bytes.len() - rest.len()))
}
