//! File operations with the words of their failure, and the durability calls in one place.
//!
//! Owns: what failed, on which path; stamps (the cheap identity of a file's content); syncing files and folders.
//! Must never know: what the files mean.

use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub(crate) mod seam;

pub(crate) use seam::sync_folder;

/// A file operation that failed: what, on what, why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}: {source}", path.display())]
pub struct DiskError {
    /// `read`, `write`, `make the folder`: fits after "cannot".
    pub doing: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl DiskError {
    /// The disk is full, or the user's share of it is used up.
    pub fn is_full(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Adds the words to an IO error.
pub trait At<T> {
    /// `File::open(p).at("open", p)`
    fn at(self, doing: &'static str, path: &Path) -> Result<T, DiskError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, doing: &'static str, path: &Path) -> Result<T, DiskError> {
        self.map_err(|source| DiskError { doing, path: path.to_owned(), source })
    }
}

/// What changes whenever a file's content is changed by ordinary means. The change time is in it because tools that
/// restore the modification time (`cp -p`, `rsync -t`, `touch -d`) cannot restore that one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Modification time in nanoseconds.
    pub modified: i128,
    /// Change time in nanoseconds.
    pub changed: i128,
    /// Length in bytes.
    pub size: u64,
    /// Which file.
    pub inode: u64,
}

impl Stamp {
    /// Of this metadata.
    pub fn of(meta: &Metadata) -> Stamp {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Stamp {
            modified: nanos(meta.mtime(), meta.mtime_nsec()),
            changed: nanos(meta.ctime(), meta.ctime_nsec()),
            size: meta.len(),
            inode: meta.ino(),
        }
    }
}

/// The digest of a whole file, read in pieces, and its length.
pub(crate) fn hash_file(path: &Path) -> Result<(Digest, u64), DiskError> {
    let mut file = File::open(path).at("open", path)?;
    let mut hasher = blake3::Hasher::new();
    let mut size = 0u64;
    // Large enough for blake3 to use its widest vectors, small enough for any machine.
    let mut buffer = vec![0u8; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((Digest(*hasher.finalize().as_bytes()), size)),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).at("read", path),
        }
    }
}

/// Makes a folder and those above it.
pub fn make_folders(path: &Path) -> Result<(), DiskError> {
    std::fs::create_dir_all(path).at("make the folder", path)
}

/// Removes a file or a whole folder, whatever its permissions; that it is gone already is fine.
pub(crate) fn remove_tree(path: &Path) -> Result<(), DiskError> {
    let gone = |result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).at("look at", path),
    };
    if !meta.is_dir() {
        return gone(std::fs::remove_file(path)).at("remove", path);
    }
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            // A step may have left folders without permissions; they are ours, so they can be opened up.
            open_up(path);
            gone(std::fs::remove_dir_all(path)).at("remove the folder", path)
        }
        result => gone(result).at("remove the folder", path),
    }
}

/// Gives the owner access to every folder below; failures show up in the removal that follows.
fn open_up(folder: &Path) {
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

/// The names in a folder; a folder that is not there has none.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>, DiskError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).at("list", folder),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry.at("list", folder)?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}
