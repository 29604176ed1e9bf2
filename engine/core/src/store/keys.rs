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

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database.
    #[error("the store in {} failed: {source}", path.display())]
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
