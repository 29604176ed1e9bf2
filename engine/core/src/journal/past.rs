//! The journals of all runs, wherever they are kept: each in the folder of its run, or, once it is old, folded with others
//! into one file.
//!
//! ```text
//! archive/000001-000950      frames like a journal's: texts that runs share, then each run's records
//! ```
//!
//! Owns: which file holds a run, and the form of a folded one. Must never know: when a run is old.
//!
//! Invariants: a folded run says exactly what its journal said, record for record; only the text of its file is stored once
//! for all that share it. A folded file is synced before it has its name, so that one with a torn end is damaged. While a run
//! is in both places, its journal counts: they say the same.

use super::ledger::Ledger;
use super::reader::{JournalError, Read, read, read_as};
use super::{Logged, VERSION};
use crate::disk::{At, DiskError, make_folders, names, remove_tree, seam, sync_folder};
use crate::project::Project;
use crate::record::Record;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Runs that are written with one sync.
const AT_ONCE: usize = 64;

/// A frame of a folded file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Folded {
    /// A pipeline's file, for the runs behind it that name it by its place among the texts.
    Text(String),
    /// A run, its text left out.
    Run { run: u64, text: u64, length: u64, records: Vec<Record> },
    /// The last frame: how many runs there are.
    End { runs: u64 },
}

impl Logged for Folded {
    const MAGIC: [u8; 8] = [b'm', b'l', b'p', b'a', b'r', b'c', 0, VERSION as u8];
    const REMEDY: &'static str = "move it out of the way and run `mlp state rebuild`: what only the runs in it made is then \
                                  made again, and versions that they registered are not known any more";
}

/// A run as it was folded.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    records: Vec<Record>,
    /// Of its journal, in bytes.
    length: u64,
}

type Contents = Arc<BTreeMap<u64, Kept>>;

/// The journals of a project.
#[derive(Debug)]
pub(crate) struct Past {
    project: Project,
    /// Folded files that were read: they never change.
    read: Mutex<HashMap<PathBuf, Contents>>,
}

impl Past {
    /// Of a project.
    pub fn of(project: &Project) -> Past {
        Past { project: project.clone(), read: Mutex::default() }
    }

    /// Every run, ascending: those with a folder, and those that were folded.
    pub fn runs(&self) -> Result<Vec<u64>, JournalError> {
        let mut runs: BTreeSet<u64> = self.project.run_numbers()?.into_iter().collect();
        for path in self.files()? {
            // What cannot be read is told by whoever wants a run of it.
            if let Ok(contents) = self.contents(&path) {
                runs.extend(contents.keys());
            }
        }
        Ok(runs.into_iter().collect())
    }

    /// What a run's journal says.
    pub fn read(&self, run: u64) -> Result<Read, JournalError> {
        match read(&self.project.journal(run)) {
            Err(error) if error.is_missing() => match self.folded(run)? {
                Some(kept) => Ok(Read { records: kept.records, sound: kept.length, torn: false }),
                None => Err(error),
            },
            result => result,
        }
    }

    /// Whether a run was folded.
    pub fn is_folded(&self, run: u64) -> Result<bool, JournalError> {
        Ok(self.folded(run)?.is_some())
    }

    /// What is wrong with the folded files that cannot be read. The runs in them are not among [`Past::runs`].
    pub fn damaged(&self) -> Result<Vec<JournalError>, DiskError> {
        Ok(self.files()?.iter().filter_map(|path| self.contents(path).err()).collect())
    }

    /// The files that hold folded runs.
    pub fn files(&self) -> Result<Vec<PathBuf>, DiskError> {
        let folder = self.project.archive();
        let mut files = names(&folder)?;
        files.retain(|name| range(name).is_some());
        files.sort_unstable();
        Ok(files.into_iter().map(|name| folder.join(name)).collect())
    }

    /// Folds these runs, in this order, into a file, and removes their folders. Their journals must have ended. Killed at
    /// any point each run is in its folder, in the file, or in both.
    pub fn fold(&self, runs: &[u64]) -> Result<(), JournalError> {
        let (Some(first), Some(last)) = (runs.iter().min(), runs.iter().max()) else { return Ok(()) };
        let folder = self.project.archive();
        make_folders(&folder)?;
        let mut target = folder.join(format!("{first:06}-{last:06}"));
        for more in 2.. {
            if !target.exists() {
                break;
            }
            target = folder.join(format!("{first:06}-{last:06}.{more}"));
        }
        let aside = folder.join("new");
        remove_tree(&aside)?;
        let written = self.write(&aside, runs)?;
        // What cannot be read back must not replace what can be.
        if *contents(&aside)? != written {
            let why = "it does not say what was written to it".to_owned();
            let remedy = "look at the disk; the journals it was made from are untouched";
            return Err(JournalError::Damaged { path: aside, frame: 0, offset: 0, why, remedy });
        }
        seam::rename(&aside, &target).at("put in place", &aside)?;
        sync_folder(&folder)?;
        sync_folder(&self.project.state)?;
        self.clear_folded()?;
        Ok(())
    }

    /// Removes the folders of runs that were folded; a kill may have left some.
    pub fn clear_folded(&self) -> Result<(), JournalError> {
        for run in self.project.run_numbers()? {
            let Some(kept) = self.folded(run)? else { continue };
            let path = self.project.journal(run);
            match read(&path) {
                // One that says something else is not the run that was folded: somebody put it there.
                Ok(found) if found.records != kept.records => continue,
                Err(error) if !error.is_missing() => continue,
                _ => {
                    remove_tree(&self.project.detached().join(format!("{run:06}.log")))?;
                    remove_tree(&self.project.run(run))?;
                }
            }
        }
        Ok(())
    }

    fn write(&self, aside: &Path, runs: &[u64]) -> Result<BTreeMap<u64, Kept>, JournalError> {
        let (mut ledger, _) = Ledger::<Folded>::open(aside)?;
        let mut texts: HashMap<String, u64> = HashMap::new();
        let mut written = BTreeMap::new();
        for some in runs.chunks(AT_ONCE) {
            let mut frames = Vec::new();
            for &run in some {
                let found = self.read(run)?;
                let mut records = found.records.clone();
                let text = match records.first_mut() {
                    Some(Record::RunStarted(started)) => std::mem::take(&mut started.source),
                    _ => String::new(),
                };
                let next = texts.len() as u64;
                let text = *texts.entry(text).or_insert_with_key(|text| {
                    frames.push(Folded::Text(text.clone()));
                    next
                });
                frames.push(Folded::Run { run, text, length: found.sound, records });
                written.insert(run, Kept { records: found.records, length: found.sound });
            }
            ledger.append(&frames).map_err(|error| not_written(aside, error))?;
        }
        ledger.append(&[Folded::End { runs: runs.len() as u64 }]).map_err(|error| not_written(aside, error))?;
        Ok(written)
    }

    fn folded(&self, run: u64) -> Result<Option<Kept>, JournalError> {
        for path in self.files()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if range(name).is_some_and(|(first, last)| (first..=last).contains(&run))
                && let Some(kept) = self.contents(&path)?.get(&run)
            {
                return Ok(Some(kept.clone()));
            }
        }
        Ok(None)
    }

    fn contents(&self, path: &Path) -> Result<Contents, JournalError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.get(path) {
            return Ok(known.clone());
        }
        let found = contents(path)?;
        read.insert(path.to_owned(), found.clone());
        Ok(found)
    }
}

/// What a folded file holds.
fn contents(path: &Path) -> Result<Contents, JournalError> {
    let read = read_as::<Folded>(path)?;
    let frames = read.records.len() as u64;
    let damaged = |why: &str| {
        let (path, why, remedy) = (path.to_owned(), why.to_owned(), Folded::REMEDY);
        JournalError::Damaged { path, frame: frames, offset: read.sound, why, remedy }
    };
    let mut texts: Vec<String> = Vec::new();
    let mut runs = BTreeMap::new();
    let mut ended = None;
    for frame in read.records {
        match frame {
            Folded::Text(text) => texts.push(text),
            Folded::Run { run, text, length, mut records } => {
                let text = usize::try_from(text).ok().and_then(|at| texts.get(at));
                if let (Some(Record::RunStarted(started)), Some(text)) = (records.first_mut(), text) {
                    started.source.clone_from(text);
                }
                runs.insert(run, Kept { records, length });
            }
            Folded::End { runs } => ended = Some(runs),
        }
    }
    match ended {
        Some(count) if count == runs.len() as u64 => Ok(Arc::new(runs)),
        _ => Err(damaged("its end is missing")),
    }
}

/// The first and the last run in a folded file, from its name: `000001-000950`, `000001-000950.2`.
fn range(name: &str) -> Option<(u64, u64)> {
    let name = name.split_once('.').map_or(name, |(name, _)| name);
    let (first, last) = name.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

fn not_written(path: &Path, error: super::ledger::LedgerError) -> JournalError {
    match error {
        super::ledger::LedgerError::Disk(error) => error.into(),
        other => DiskError { doing: "write", path: path.to_owned(), source: std::io::Error::other(other) }.into(),
    }
}
