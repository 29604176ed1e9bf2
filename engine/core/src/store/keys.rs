//! Ordered keys with atomic batches: all that the store asks of a database.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Ordered keys and values.
pub trait Keys: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// All keys that begin like this, in order.
    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError>;
    /// All of it or nothing.
    fn apply(&self, batch: Batch) -> Result<(), StoreError>;
    /// Whether there is no key at all.
    fn is_empty(&self) -> Result<bool, StoreError>;
}

/// Changes that belong together; a later one to the same key wins.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) puts: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.puts.insert(key, value);
    }
}

/// What a failure of the database says. It passes an error of the system on as text with its fields; only its message is
/// for people.
fn words(error: &sled::Error) -> String {
    let text = error.to_string();
    let message = text.split_once("message: \"").and_then(|(_, rest)| rest.split_once('"'));
    message.map_or(text.clone(), |(message, _)| message.to_owned())
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the store in {} failed: {}", path.display(), words(source))]
    Database {
        /// Its folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: sled::Error,
    },
    /// Another process has it open although nobody holds the project's lock.
    #[error(
        "the store in {} is in use by another process that does not hold the project's lock: wait for it to end and \
         try again",
        path.display()
    )]
    InUse {
        /// Its folder.
        path: PathBuf,
    },
    /// A value that is not what was written.
    #[error("the store's key {key} {why}")]
    Corrupt {
        /// In hexadecimal.
        key: String,
        /// What is wrong.
        why: String,
    },
}

impl StoreError {
    /// Whether what is on disk is wrong, rather than the system unable or unwilling to let it be read or written now:
    /// a full disk, missing rights, too many open files, a failing device.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            StoreError::InUse { .. } => false,
            StoreError::Corrupt { .. } => true,
            StoreError::Database { source: sled::Error::Io(error), .. } => is_damage(error),
            StoreError::Database { .. } => true,
        }
    }
}

/// sled passes some errors of the system on as they are, and some as text alone.
fn is_damage(error: &std::io::Error) -> bool {
    // ENOENT, EEXIST, ENOTDIR, EISDIR, EINVAL: the wrong kind of thing is there.
    const OF_CONTENT: [i32; 5] = [2, 17, 20, 21, 22];
    let text = error.to_string();
    let said = || text.split_once("(os error ").and_then(|(_, rest)| rest.split(')').next()?.parse().ok());
    match error.raw_os_error().or_else(said) {
        Some(code) => OF_CONTENT.contains(&code),
        None => {
            use std::io::ErrorKind::{OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
            let by_kind = [OutOfMemory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
            let text = text.to_lowercase();
            let by_text = ["no space left", "storage full", "storagefull", "permission denied", "too many open files"];
            !by_kind.contains(&error.kind()) && !by_text.iter().any(|words| text.contains(words))
        }
    }
}

/// Keys in memory: for looking at journals, and for tests.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    pairs: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl MemoryKeys {
    fn pairs(&self) -> std::sync::MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        // Nothing panics while it is held, and a map is whole between its own operations.
        self.pairs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Keys for MemoryKeys {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.pairs().get(key).cloned())
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let pairs = self.pairs();
        let from = pairs.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(from.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        self.pairs().extend(batch.puts);
        Ok(())
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.pairs().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_full_disk_is_no_damage_and_garbage_is() {
        let is_damage =
            |io: Error| StoreError::Database { path: PathBuf::new(), source: sled::Error::Io(io) }.is_damage();
        let of_the_system = [
            Error::from_raw_os_error(28),
            Error::from_raw_os_error(13),
            Error::from_raw_os_error(5),
            Error::from_raw_os_error(24),
            Error::from(ErrorKind::StorageFull),
            Error::other("No space left on device (os error 28)"),
            Error::other("failed to write: Os { code: 28, kind: StorageFull, message: \"No space left on device\" }"),
        ];
        for io in of_the_system {
            let words = io.to_string();
            assert!(!is_damage(io), "{words}");
        }
        for io in [Error::from_raw_os_error(20), Error::from(ErrorKind::InvalidData), Error::other("crc mismatch")] {
            let words = io.to_string();
            assert!(is_damage(io), "{words}");
        }
        assert!(!StoreError::InUse { path: PathBuf::new() }.is_damage());
    }
}
