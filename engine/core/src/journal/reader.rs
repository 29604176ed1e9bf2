//! Reading a journal: every record that is whole, and how the file ends.

use super::Logged;
use super::frame::{self, HEADER, Header};
use crate::disk::{At, DiskError};
use crate::record::Record;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A journal as far as it can be read.
#[derive(Debug)]
pub struct Read<R = Record> {
    /// In order.
    pub records: Vec<R>,
    /// Length of the sound part of the file.
    pub(crate) sound: u64,
    /// Something follows the sound part: a write that was cut short.
    pub(crate) torn: bool,
}

/// Why a journal cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file itself.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// It does not begin like one.
    #[error("{} is not a journal of this engine: {remedy}", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
    },
    /// Written by another version.
    #[error(
        "{} was written in format {found}, this mlp reads format {known}: use the mlp that wrote it, or {remedy}",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u8,
        /// What is read here.
        known: u8,
        /// What to do.
        remedy: &'static str,
    },
    /// A frame that was once whole is not any more.
    #[error(
        "{} is damaged: frame {frame}, at byte {offset}, cannot be read because {why}, and sound frames follow it. \
         Restore the file from a backup, or {remedy}",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which frame, from 0.
        frame: u64,
        /// Where it starts.
        offset: u64,
        /// What is wrong with it.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
}

impl JournalError {
    /// The file is not there.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, JournalError::Disk(error) if error.source.kind() == std::io::ErrorKind::NotFound)
    }
}

/// Reads a run's journal, changing nothing. A torn end is left out.
pub fn read(path: &Path) -> Result<Read, JournalError> {
    read_as(path)
}

/// Reads a file of such records, changing nothing. A torn end is left out.
pub(super) fn read_as<R: Logged>(path: &Path) -> Result<Read<R>, JournalError> {
    let magic_here = R::MAGIC;
    let not_one = || JournalError::NotAJournal { path: path.to_owned(), remedy: R::REMEDY };
    let bytes = std::fs::read(path).at("read", path)?;
    let Some((magic, _)) = bytes.split_first_chunk::<8>() else {
        // Killed while the file was made: the magic itself is torn.
        return match magic_here.starts_with(&bytes) {
            true => Ok(Read { records: Vec::new(), sound: 0, torn: !bytes.is_empty() }),
            false => Err(not_one()),
        };
    };
    let ([kind @ .., found], [kind_here @ .., known]) = (magic, &magic_here);
    if kind != kind_here {
        // A file system may give a file its length before its content; such a beginning was never synced.
        return match bytes.iter().all(|byte| *byte == 0) {
            true => Ok(Read { records: Vec::new(), sound: 0, torn: true }),
            false => Err(not_one()),
        };
    }
    if found != known {
        let (path, found, known) = (path.to_owned(), *found, *known);
        return Err(JournalError::Version { path, found, known, remedy: R::AFRESH });
    }
    let mut records = Vec::new();
    let mut at = magic_here.len();
    while at < bytes.len() {
        let expected = records.len() as u64;
        match decode(&bytes[at..], expected) {
            Ok((record, length)) => {
                records.push(record);
                at += length;
            }
            Err(why) if a_batch_follows(&bytes[at..], expected) => {
                let (path, offset) = (path.to_owned(), at as u64);
                return Err(JournalError::Damaged { path, frame: expected, offset, why, remedy: R::REMEDY });
            }
            Err(_) => break,
        }
    }
    Ok(Read { records, sound: at as u64, torn: at < bytes.len() })
}

/// The record in the frame at the start of `bytes`, and the frame's length.
fn decode<R: Logged>(bytes: &[u8], expected: u64) -> Result<(R, usize), String> {
    let (header, payload) = frame::sound(bytes)?;
    if header.sequence != expected {
        return Err(format!("it has number {}", header.sequence));
    }
    let record = postcard::from_bytes(payload).map_err(|error| format!("its record makes no sense ({error})"))?;
    Ok((record, HEADER + header.length))
}

/// Whether a sound frame that begins a batch stands anywhere behind the bad one. It was written after everything
/// before it had been synced.
fn a_batch_follows(bytes: &[u8], expected: u64) -> bool {
    let farthest = expected + (bytes.len() / HEADER) as u64;
    (1..bytes.len().saturating_sub(HEADER)).any(|at| {
        let Some((head, _)) = bytes[at..].split_first_chunk::<HEADER>() else { return false };
        let header = Header::parse(head);
        // The number is checked first: it rules out nearly every place without summing anything.
        header.first && header.sequence > expected && header.sequence <= farthest && frame::sound(&bytes[at..]).is_ok()
    })
}

/// Takes a torn end off, durably.
pub(crate) fn cut<R>(path: &Path, read: &Read<R>) -> Result<(), JournalError> {
    if !read.torn {
        return Ok(());
    }
    let file = File::options().write(true).open(path).at("open", path)?;
    file.set_len(read.sound).and_then(|()| file.sync_all()).at("cut the torn end of", path)?;
    Ok(())
}
