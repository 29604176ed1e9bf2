//! The calls by which the engine changes what must survive: journals, artifacts and the store go through here, so that
//! tests can make each of them fail, tear, or be forgotten by a power cut. Outside of tests nothing is asked and nothing is
//! remembered.

use super::{At, DiskError};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Bytes are written to a file.
    Write,
    /// A file's content is made durable.
    Sync,
    /// What a folder lists is made durable.
    SyncFolder,
    /// A file gets another name.
    Rename,
    /// The store takes in a batch.
    Store,
}

/// How a write goes.
enum Answer {
    Go,
    /// The first bytes arrive, then it fails.
    #[cfg(test)]
    Short(usize, io::Error),
}

#[cfg(not(test))]
fn ask(_: Change, _: &Path) -> io::Result<Answer> {
    Ok(Answer::Go)
}

#[cfg(test)]
fn ask(change: Change, path: &Path) -> io::Result<Answer> {
    match faults::ask(change, path)? {
        None => Ok(Answer::Go),
        Some((bytes, error)) => Ok(Answer::Short(bytes, error)),
    }
}

/// Writes all of it at this place of an open file.
pub(crate) fn write_all_at(file: &File, path: &Path, bytes: &[u8], at: u64) -> Result<(), DiskError> {
    let write = || match ask(Change::Write, path)? {
        Answer::Go => {
            #[cfg(test)]
            faults::will_write(path, file.metadata()?.len());
            file.write_all_at(bytes, at)
        }
        #[cfg(test)]
        Answer::Short(most, error) => {
            faults::will_write(path, file.metadata()?.len());
            file.write_all_at(&bytes[..most.min(bytes.len())], at)?;
            Err(error)
        }
    };
    write().at("write", path)
}

/// Writes a new file.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let file = NewFile::create(path)?;
    write_all_at(&file.file, path, bytes, 0)
}

/// A file that is made now and written from its beginning; one that is there already is an error.
pub(crate) struct NewFile {
    file: File,
    path: PathBuf,
    length: u64,
}

impl NewFile {
    /// Makes it.
    pub fn create(path: &Path) -> Result<NewFile, DiskError> {
        let file = File::options().write(true).create_new(true).open(path).at("write", path)?;
        Ok(NewFile { file, path: path.to_owned(), length: 0 })
    }
}

impl io::Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_all_at(&self.file, &self.path, bytes, self.length).map_err(|error| error.source)?;
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the content of an open file durable.
pub(crate) fn sync_data(file: &File, path: &Path) -> Result<(), DiskError> {
    let sync = || {
        ask(Change::Sync, path)?;
        file.sync_data()?;
        #[cfg(test)]
        faults::synced(path);
        Ok(())
    };
    sync().at("make durable", path)
}

/// Makes a file durable, content and length.
pub(crate) fn sync_file(path: &Path) -> Result<(), DiskError> {
    let sync = || {
        ask(Change::Sync, path)?;
        File::open(path)?.sync_all()?;
        #[cfg(test)]
        faults::synced(path);
        Ok(())
    };
    sync().at("make durable", path)
}

/// Makes what a folder lists survive a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<(), DiskError> {
    let sync = || {
        ask(Change::SyncFolder, path)?;
        File::open(path)?.sync_all()?;
        #[cfg(test)]
        faults::synced_folder(path);
        Ok(())
    };
    sync().at("make durable", path)
}

/// Gives a file another name, replacing what has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    ask(Change::Rename, to)?;
    #[cfg(test)]
    faults::will_rename(from, to);
    std::fs::rename(from, to)
}

/// The store is about to take in a batch.
pub(crate) fn store(path: &Path) -> io::Result<()> {
    ask(Change::Store, path).map(|_| ())
}

/// Faults that tests make. Each test watches a folder of its own, so that tests beside it notice nothing.
#[cfg(test)]
pub(crate) mod faults {
    use super::Change;
    use std::collections::{BTreeMap, BTreeSet};
    use std::io;
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex, MutexGuard};

    /// What goes wrong.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// This operation fails once with this code, and nothing of it happened.
        Error(i32),
        /// This operation and all that write after it fail: the disk is full. Syncing still works.
        Full,
        /// A write leaves this many bytes, then the disk is full.
        Short(usize),
        /// The power is cut before this operation: it and all after it fail, and unsynced writes are lost.
        PowerCut,
    }

    pub(crate) const EIO: i32 = 5;
    pub(crate) const ENOSPC: i32 = 28;

    #[derive(Default)]
    struct State {
        /// What was done, in order.
        done: Vec<(Change, PathBuf)>,
        /// At which operation what goes wrong.
        plan: Option<(usize, Fault)>,
        /// Files whose content is not durable: as long as they were when they last were.
        unsynced: BTreeMap<PathBuf, u64>,
        /// Files that were made durable under a name that is not their last.
        durable: BTreeSet<PathBuf>,
        /// Files whose name is not durable: what the name stood for before, if anything.
        unlisted: BTreeMap<PathBuf, Option<Vec<u8>>>,
    }

    /// A folder that is watched until this is dropped.
    pub(crate) struct Watched {
        folder: PathBuf,
        state: Arc<Mutex<State>>,
    }

    static ALL: Mutex<Vec<(PathBuf, Arc<Mutex<State>>)>> = Mutex::new(Vec::new());

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    impl Watched {
        /// Watches a folder; the fault comes at the operation of this number, from 0.
        pub(crate) fn folder(folder: &Path, plan: Option<(usize, Fault)>) -> Watched {
            let state = Arc::new(Mutex::new(State { plan, ..State::default() }));
            lock(&ALL).push((folder.to_owned(), state.clone()));
            Watched { folder: folder.to_owned(), state }
        }

        /// What was done so far.
        pub(crate) fn done(&self) -> Vec<(Change, PathBuf)> {
            lock(&self.state).done.clone()
        }

        /// Whether the fault came.
        pub(crate) fn struck(&self) -> bool {
            let state = lock(&self.state);
            state.plan.is_some_and(|(at, _)| state.done.len() > at)
        }

        /// What a power cut does to the folder: of each write that was not made durable, `keeps` says whether it is kept.
        pub(crate) fn forget(&self, mut keeps: impl FnMut() -> bool) {
            let state = lock(&self.state);
            for (path, length) in &state.unsynced {
                if keeps() {
                    continue;
                }
                // A file that is gone since has nothing to lose.
                let Ok(meta) = std::fs::metadata(path) else { continue };
                if meta.is_dir() {
                    continue;
                }
                let mut open = meta.permissions();
                std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o644);
                std::fs::set_permissions(path, open).unwrap();
                std::fs::File::options().write(true).open(path).unwrap().set_len(*length.min(&meta.len())).unwrap();
                std::fs::set_permissions(path, meta.permissions()).unwrap();
            }
            for (path, before) in &state.unlisted {
                if keeps() {
                    continue;
                }
                // A folder whose new name is forgotten is gone from there with all that is in it.
                let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
                if let Some(bytes) = before {
                    std::fs::write(path, bytes).unwrap();
                }
            }
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            lock(&ALL).retain(|(folder, _)| *folder != self.folder);
        }
    }

    fn with<T>(path: &Path, act: impl FnOnce(&mut State) -> T) -> Option<T> {
        let state = lock(&ALL).iter().find(|(folder, _)| path.starts_with(folder)).map(|(_, state)| state.clone())?;
        let mut state = lock(&state);
        Some(act(&mut state))
    }

    pub(super) fn ask(change: Change, path: &Path) -> io::Result<Option<(usize, io::Error)>> {
        let code = io::Error::from_raw_os_error;
        let answer = with(path, |state| {
            let now = state.done.len();
            state.done.push((change, path.to_owned()));
            let grows = matches!(change, Change::Write | Change::Rename | Change::Store);
            match state.plan {
                Some((at, Fault::Error(error))) if now == at => Err(code(error)),
                Some((at, Fault::Full)) if now >= at && grows => Err(code(ENOSPC)),
                Some((at, Fault::Short(bytes))) if now == at && change == Change::Write => {
                    Ok(Some((bytes, code(ENOSPC))))
                }
                Some((at, Fault::Short(_))) if now >= at && grows => Err(code(ENOSPC)),
                Some((at, Fault::PowerCut)) if now >= at => Err(code(EIO)),
                _ => Ok(None),
            }
        });
        answer.unwrap_or(Ok(None))
    }

    pub(super) fn will_write(path: &Path, length: u64) {
        with(path, |state| {
            state.durable.remove(path);
            state.unsynced.entry(path.to_owned()).or_insert(length);
        });
    }

    pub(super) fn synced(path: &Path) {
        with(path, |state| {
            state.unsynced.remove(path);
            state.durable.insert(path.to_owned());
        });
    }

    pub(super) fn synced_folder(folder: &Path) {
        with(folder, |state| state.unlisted.retain(|path, _| path.parent() != Some(folder)));
    }

    pub(super) fn will_rename(from: &Path, to: &Path) {
        with(to, |state| {
            let before = std::fs::read(to).ok();
            state.unsynced.remove(from);
            state.unsynced.remove(to);
            // It may yet fail and be tried again: the content stays durable whatever its name.
            if !state.durable.contains(from) {
                state.unsynced.insert(to.to_owned(), 0);
            }
            state.unlisted.entry(to.to_owned()).or_insert(before);
        });
    }
}
