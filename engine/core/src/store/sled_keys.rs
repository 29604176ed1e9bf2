//! Keys in sled 0.34.
//!
//! Its `flush` is not an fsync on Linux and its background errors are only logged, so nothing here counts on it for
//! durability: the journals are the truth, and a store that lost its end is brought up to date from them when it is
//! opened.

use super::keys::{Batch, Keys, Pair, StoreError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Enough for the hot part of a large project's action cache.
const CACHE_BYTES: u64 = 32 << 20;
/// A process that just ended may still hold sled's lock for a moment.
const PATIENCE: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// A sled database.
pub struct SledKeys {
    db: sled::Db,
    path: PathBuf,
}

impl SledKeys {
    /// Opens the database in this folder, waiting a moment if it is still locked by a process that is ending.
    pub fn open(path: &Path) -> Result<SledKeys, StoreError> {
        for pause in PATIENCE {
            match SledKeys::config(path).open() {
                Ok(db) => return Ok(SledKeys { db, path: path.to_owned() }),
                Err(error) if is_locked(&error) => std::thread::sleep(Duration::from_millis(pause)),
                Err(source) => return Err(StoreError::Database { path: path.to_owned(), source }),
            }
        }
        Err(StoreError::InUse { path: path.to_owned() })
    }

    fn config(path: &Path) -> sled::Config {
        sled::Config::new().path(path).cache_capacity(CACHE_BYTES).mode(sled::Mode::HighThroughput).flush_every_ms(None)
    }

    fn failed(&self) -> impl Fn(sled::Error) -> StoreError + '_ {
        |source| StoreError::Database { path: self.path.clone(), source }
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(io) if io.to_string().contains("could not acquire lock"))
}

impl Keys for SledKeys {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get(key).map_err(self.failed())?.map(|value| value.to_vec()))
    }

    fn scan(&self, prefix: &[u8]) -> Result<Vec<Pair>, StoreError> {
        let pairs = self.db.scan_prefix(prefix);
        pairs.map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())).map_err(self.failed())).collect()
    }

    fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        let mut puts = sled::Batch::default();
        for (key, value) in batch.puts {
            puts.insert(key, value);
        }
        crate::disk::seam::store(&self.path).map_err(sled::Error::Io).map_err(self.failed())?;
        self.db.apply_batch(puts).map_err(self.failed())
    }

    fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.db.is_empty())
    }
}
