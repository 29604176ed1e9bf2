//! A file of records beside the journals of runs, kept the same way, by one writer that waits for its disk.
//!
//! For what happens rarely and must not be lost: each [`Ledger::append`] is one batch and one sync. A kill in the middle
//! of it leaves all, some of the first, or none of its records; what was acknowledged is never among the lost.

use super::reader::{JournalError, cut, read_as};
use super::{Logged, frame};
use crate::disk::{At, DiskError, make_folders, seam, sync_folder};
use std::fs::File;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// A file of records, open for more. That nobody else writes to it is up to the caller.
#[derive(Debug)]
pub struct Ledger<R> {
    file: File,
    path: PathBuf,
    length: u64,
    sequence: u64,
    /// Nothing was written yet: the folders that lead to it may not be durable.
    fresh: bool,
    stopped: Option<String>,
    records: PhantomData<fn(&R)>,
}

/// Why records were not written, or not known to be durable.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The disk failed. What it kept of this batch is seen when the file is next opened; until then nothing more is
    /// written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An earlier error closed it.
    #[error(
        "nothing more is written to {} since an error: {why}. What was acknowledged before is kept; start again when \
         the disk is in order",
        path.display()
    )]
    Stopped {
        /// The file.
        path: PathBuf,
        /// The error.
        why: String,
    },
    /// A record has no such form. Nothing was written.
    #[error("a record for {} cannot be encoded: {why}. This is a defect of mlp; please report it", path.display())]
    Unencodable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl<R: Logged> Ledger<R> {
    /// Opens the file at `path` and gives what it holds, in order; a file that is not there is made, and so are the
    /// folders above it. A torn end is cut off; damage before it is an error that names the frame.
    pub fn open(path: &Path) -> Result<(Ledger<R>, Vec<R>), JournalError> {
        if let Some(folder) = path.parent() {
            make_folders(folder)?;
        }
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).at("open", path)?;
        let read = read_as::<R>(path)?;
        cut(path, &read)?;
        let ledger = Ledger {
            file,
            path: path.to_owned(),
            length: read.sound,
            sequence: read.records.len() as u64,
            fresh: read.records.is_empty(),
            stopped: None,
            records: PhantomData,
        };
        Ok((ledger, read.records))
    }

    /// How many records it holds.
    pub fn len(&self) -> u64 {
        self.sequence
    }

    /// It holds none.
    pub fn is_empty(&self) -> bool {
        self.sequence == 0
    }

    /// Writes records, in this order, as one batch. When it returns, they are durable. Blocks for as long as the disk
    /// takes. After an error of the disk nothing more is written.
    pub fn append(&mut self, records: &[R]) -> Result<(), LedgerError> {
        if let Some(why) = &self.stopped {
            return Err(LedgerError::Stopped { path: self.path.clone(), why: why.clone() });
        }
        if records.is_empty() {
            return Ok(());
        }
        let mut buffer = Vec::new();
        if self.length == 0 {
            buffer.extend_from_slice(&R::MAGIC);
        }
        for (sequence, record) in (self.sequence..).zip(records) {
            frame::push(&mut buffer, sequence, sequence == self.sequence, record)
                .map_err(|error| LedgerError::Unencodable { path: self.path.clone(), why: error.to_string() })?;
        }
        if let Err(error) = self.make_durable(&buffer) {
            self.stopped = Some(error.to_string());
            return Err(error.into());
        }
        self.length += buffer.len() as u64;
        self.sequence += records.len() as u64;
        Ok(())
    }

    fn make_durable(&mut self, buffer: &[u8]) -> Result<(), DiskError> {
        seam::write_all_at(&self.file, &self.path, buffer, self.length)?;
        seam::sync_data(&self.file, &self.path)?;
        if self.fresh {
            for folder in self.path.ancestors().skip(1).take(2).filter(|folder| !folder.as_os_str().is_empty()) {
                sync_folder(folder)?;
            }
            self.fresh = false;
        }
        Ok(())
    }
}

/// What a ledger holds, as far as it is whole; one that is not there holds nothing. For other processes than its
/// writer: changes nothing, and may be called while it is written to.
pub fn read_ledger<R: Logged>(path: &Path) -> Result<Vec<R>, JournalError> {
    match read_as(path) {
        Ok(read) => Ok(read.records),
        Err(error) if error.is_missing() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Entry {
        Said(String),
        Counted { to: u64 },
    }

    impl Logged for Entry {
        const MAGIC: [u8; 8] = *b"mlptst\0\x01";
        const REMEDY: &'static str = "move it away";
    }

    fn said(text: &str) -> Entry {
        Entry::Said(text.to_owned())
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live/log");
        (folder, path)
    }

    fn open(path: &Path) -> (Ledger<Entry>, Vec<Entry>) {
        Ledger::open(path).unwrap()
    }

    #[test]
    fn what_was_appended_is_there_again_in_order() {
        let (_folder, path) = place();
        assert_eq!(read_ledger::<Entry>(&path).unwrap(), []);
        let (mut ledger, before) = open(&path);
        assert_eq!((before, ledger.is_empty()), (vec![], true));
        ledger.append(&[said("a"), Entry::Counted { to: 3 }]).unwrap();
        ledger.append(&[]).unwrap();
        ledger.append(&[said("b")]).unwrap();
        let all = [said("a"), Entry::Counted { to: 3 }, said("b")];
        assert_eq!(read_ledger::<Entry>(&path).unwrap(), all, "another process sees it at once");
        drop(ledger);
        let (mut ledger, found) = open(&path);
        assert_eq!((found.as_slice(), ledger.len()), (all.as_slice(), 3));
        ledger.append(&[said("c")]).unwrap();
        assert_eq!(open(&path).1.last(), Some(&said("c")));
    }

    #[test]
    fn a_torn_end_is_cut_wherever_it_tears_and_what_came_before_it_stays() {
        let (_folder, path) = place();
        let (mut ledger, _) = open(&path);
        ledger.append(&[said("kept")]).unwrap();
        let kept = std::fs::metadata(&path).unwrap().len() as usize;
        ledger.append(&[said("a torn one"), said("and another")]).unwrap();
        drop(ledger);
        let whole = std::fs::read(&path).unwrap();
        let all = [said("kept"), said("a torn one"), said("and another")];
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let seen = read_ledger::<Entry>(&path).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len() as usize, length, "reading changes nothing");
            let (mut ledger, found) = open(&path);
            assert_eq!(found, seen);
            assert_eq!(found, all[..found.len()], "cut to {length} bytes");
            assert!(!found.is_empty() || length < kept, "what was acknowledged is kept, cut to {length} bytes");
            ledger.append(&[said("after")]).unwrap();
            drop(ledger);
            let after = open(&path).1;
            assert_eq!((after.len(), after.last()), (found.len() + 1, Some(&said("after"))));
        }
    }

    #[test]
    fn damage_with_a_later_batch_behind_it_is_told_with_its_frame() {
        let (_folder, path) = place();
        let (mut ledger, _) = open(&path);
        ledger.append(&[said("first")]).unwrap();
        let start = std::fs::metadata(&path).unwrap().len() as usize;
        ledger.append(&[said("second")]).unwrap();
        let end = std::fs::metadata(&path).unwrap().len() as usize;
        ledger.append(&[said("third")]).unwrap();
        drop(ledger);
        let whole = std::fs::read(&path).unwrap();
        for at in start..end {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            match Ledger::<Entry>::open(&path) {
                Err(JournalError::Damaged { frame: 1, offset, .. }) => assert_eq!(offset, start as u64),
                other => panic!("byte {at}: {other:?}"),
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing was cut");
        }
    }

    #[test]
    fn a_file_of_another_kind_or_version_is_told_apart_and_left_alone() {
        let (folder, _) = place();
        let path = folder.path().join("log");
        for (content, told) in [
            (b"mlpjrn\0\x02rest".to_vec(), "is not a journal of this engine: move it away"),
            (b"mlptst\0\x07rest".to_vec(), "was written in format 7, this mlp reads format 1"),
            (b"short".to_vec(), "is not a journal of this engine"),
        ] {
            std::fs::write(&path, &content).unwrap();
            let error = Ledger::<Entry>::open(&path).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
    }

    #[test]
    fn after_an_error_of_the_disk_nothing_more_is_written() {
        let (_folder, path) = place();
        let (mut ledger, _) = open(&path);
        ledger.append(&[said("kept")]).unwrap();
        ledger.file = File::open(&path).unwrap();
        assert!(matches!(ledger.append(&[said("lost")]), Err(LedgerError::Disk(_))));
        ledger.file = File::options().write(true).open(&path).unwrap();
        let error = ledger.append(&[said("later")]).unwrap_err();
        assert!(matches!(error, LedgerError::Stopped { .. }), "{error}");
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert_eq!(open(&path).1, [said("kept")]);
    }
}
