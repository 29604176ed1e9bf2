//! One live engine per project.
//!
//! The lock is an exclusive `flock` on `state/lock`, so the kernel lets go of it whenever its holder dies: what the file
//! says is only for people, and believed only while the lock is held.

use crate::disk::{At, DiskError};
use crate::record::Millis;
use fd_lock::RwLock;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long somebody who looks is given to be done with it.
const LOOKED_AT: Duration = Duration::from_millis(1);

/// Who holds a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// The run in progress, once there is one.
    pub run: Option<u64>,
    /// Of which pipeline.
    pub pipeline: Option<String>,
    /// Since when it holds the project, and the run if there is one.
    pub since: Millis,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} (`{}`)", self.pid, self.command)?;
        if let (Some(run), Some(pipeline)) = (self.run, &self.pipeline) {
            write!(f, ", run {run} of `{pipeline}`")?;
        }
        write!(f, ", since {}", crate::clock::rfc3339(self.since))
    }
}

/// The lock, held until it is dropped.
pub struct Lock {
    /// Locked through its descriptor: closing it is what unlocks.
    _file: RwLock<File>,
    path: PathBuf,
}

/// Why the lock was not had.
pub enum NotLocked {
    /// Somebody else has it. `None`: it said nothing readable.
    Busy(Option<Holder>),
    /// The file itself.
    Disk(DiskError),
}

impl Lock {
    /// Takes the lock, waiting at most this long for its holder to let go.
    pub fn take(path: &Path, holder: &Holder, wait: Duration) -> Result<Lock, NotLocked> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = RwLock::new(file.at("open", path).map_err(NotLocked::Disk)?);
        let deadline = Instant::now() + wait;
        let mut pause = Duration::from_millis(2);
        loop {
            // The guard would borrow the lock; without it the kernel unlocks when the file is closed.
            match file.try_write().map(std::mem::forget) {
                Ok(()) => break,
                // Whoever only looks keeps engines out for an instant, but lets others look.
                Err(error) if error.kind() == ErrorKind::WouldBlock && file.try_read().is_ok() => {
                    std::thread::sleep(LOOKED_AT);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if Instant::now() >= deadline {
                        return Err(NotLocked::Busy(read_holder(path)));
                    }
                    std::thread::sleep(pause.min(deadline.saturating_duration_since(Instant::now())));
                    pause = (pause * 2).min(Duration::from_millis(100));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).at("lock", path).map_err(NotLocked::Disk),
            }
        }
        let mut lock = Lock { _file: file, path: path.to_owned() };
        match lock.tell(holder) {
            Ok(()) => Ok(lock),
            // A collection that is to make room needs none itself. Whoever asks is told that somebody holds it.
            Err(error) if error.is_full() => {
                let _ = File::options().write(true).open(path).and_then(|file| file.set_len(0));
                Ok(lock)
            }
            Err(error) => Err(NotLocked::Disk(error)),
        }
    }

    /// Says who holds it.
    pub fn tell(&mut self, holder: &Holder) -> Result<(), DiskError> {
        let mut file = File::options().write(true).open(&self.path).at("open", &self.path)?;
        let text = serde_json::to_vec(holder).map_err(std::io::Error::from).at("write", &self.path)?;
        file.rewind().and_then(|()| file.write_all(&text)).at("write", &self.path)?;
        file.set_len(text.len() as u64).at("write", &self.path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file says that nobody died holding it.
        let _ = File::options().write(true).open(&self.path).and_then(|file| file.set_len(0));
    }
}

/// Who holds the lock now; `None` when nobody does, whatever the file says. Changes nothing.
pub fn holder(path: &Path) -> Result<Option<Holder>, DiskError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("open", path),
    };
    // A shared lock for an instant: it is refused exactly when an engine is live.
    match RwLock::new(file).try_read() {
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Some(read_holder(path).unwrap_or(Holder {
            pid: 0,
            command: "unknown".to_owned(),
            run: None,
            pipeline: None,
            since: 0,
        }))),
        Err(error) => Err(error).at("lock", path),
    }
}

/// What the file says. The holder may be writing it right now, so one that cannot be read is read again.
fn read_holder(path: &Path) -> Option<Holder> {
    for _ in 0..5 {
        let mut text = String::new();
        if File::open(path).and_then(|mut file| file.read_to_string(&mut text)).is_ok()
            && let Ok(holder) = serde_json::from_str(&text)
        {
            return Some(holder);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_who_looks_is_nobody_who_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let holder = Holder { pid: 1, command: "mlp run".into(), run: None, pipeline: None, since: 0 };
        let looking = RwLock::new(File::create(&path).unwrap());
        let guard = looking.try_read().unwrap();
        std::thread::scope(|scope| {
            let taker = scope.spawn(|| Lock::take(&path, &holder, Duration::ZERO).is_ok());
            std::thread::sleep(Duration::from_millis(20));
            drop(guard);
            assert!(taker.join().unwrap(), "it was refused although no engine was there");
        });
    }

    #[test]
    fn a_second_engine_is_refused_and_told_who_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = Holder { pid: 1, command: "mlp run".into(), run: Some(7), pipeline: None, since: 0 };
        let _lock = Lock::take(&path, &first, Duration::ZERO).ok().unwrap();
        let second = Holder { pid: 2, ..first.clone() };
        let Err(NotLocked::Busy(told)) = Lock::take(&path, &second, Duration::ZERO) else { panic!("two engines") };
        assert_eq!(told, Some(first));
    }
}
