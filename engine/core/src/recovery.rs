//! Putting a project in order when it is opened.
//!
//! Most of the time there is nothing to do, and then nothing is read but the list of runs and the store's own list of
//! what it took in. After a kill: the killed run's journal loses its torn end and gains an end, the store takes in what
//! it had not yet, small artifacts that a power cut took are written again, and what no synced record names is removed.
//!
//! The journals are the truth, even when they lost something: a journal that is shorter than what was taken in from it
//! is told, and the store is made anew, so that looking back (which reads journals alone) and running agree.
//!
//! Every step can be killed and repeated: the journal's end is written last, and a store is replaced only by a whole one.

use crate::artifacts;
use crate::clock::Clock;
use crate::disk::{self, At};
use crate::error::EngineError;
use crate::journal::{self, Entry, Journal, Past};
use crate::project::Project;
use crate::record::{Artifact, Outcome, Record};
use crate::store::{Applied, SledKeys, Store};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::ErrorKind;

/// What became of a journal that the store once took in.
struct Shrunk {
    run: u64,
    /// `None`: it is gone.
    left: Option<u64>,
    was: u64,
}

/// What was put in order.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// In words, for people.
    pub notes: Vec<String>,
}

/// Opens the store and brings it up to date with the journals.
pub(crate) fn recover(project: &Project, clock: &dyn Clock) -> Result<(Store, Recovered), EngineError> {
    let mut recovered = Recovered::default();
    let mut store = open_store(project, &mut recovered)?;
    let mut applied = store.applied()?;
    let shrunk = shrunk(project, &applied)?;
    if !shrunk.is_empty() {
        store = heal(project, store, &shrunk, &mut recovered)?;
        applied = store.applied()?;
    }
    let leftovers = disk::names(&project.work())?;
    let mut unclean = !leftovers.is_empty();
    let past = Past::of(project);
    for run in past.runs()? {
        let taken_in = applied.get(&run).copied().unwrap_or_default();
        if taken_in.outcome.is_none() {
            if past.is_folded(run)? {
                // It ended long ago; only this store does not know it.
                let read = past.read(run)?;
                store.apply(run, 0, read.sound, &read.records)?;
                continue;
            }
            // Of one that was cut short it is not known that it was killed, and what happened to it has been told.
            let mut untold = Recovered::default();
            let tell = if shrunk.iter().any(|it| it.run == run) { &mut untold } else { &mut recovered };
            unclean |= finish(project, &store, run, taken_in.records, clock, tell)?;
        }
    }
    for leftover in leftovers {
        disk::remove_tree(&project.work().join(leftover))?;
    }
    if unclean {
        let removed = artifacts::sweep(project, &store)?;
        if removed > 0 {
            recovered.notes.push(format!("removed {removed} unfinished output(s) that nothing refers to"));
        }
    }
    Ok((store, recovered))
}

/// The journals that lost something the store took in, told by their lengths alone.
fn shrunk(project: &Project, applied: &BTreeMap<u64, Applied>) -> Result<Vec<Shrunk>, EngineError> {
    let mut shrunk = Vec::new();
    let past = Past::of(project);
    for (&run, taken_in) in applied {
        let path = project.journal(run);
        let left = match std::fs::metadata(&path) {
            Ok(meta) => Some(meta.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error).at("look at", &path)?,
        };
        if left.is_none_or(|left| left < taken_in.bytes) {
            if left.is_none() && past.is_folded(run)? {
                continue;
            }
            shrunk.push(Shrunk { run, left, was: taken_in.bytes });
        }
    }
    Ok(shrunk)
}

/// The journals are the truth: what they no longer say is forgotten here too, so that looking back and running agree.
fn heal(project: &Project, store: Store, shrunk: &[Shrunk], recovered: &mut Recovered) -> Result<Store, EngineError> {
    let last = store.last_run()?;
    drop(store);
    rebuild(project)?;
    let store = Store::new(SledKeys::open(&project.store())?);
    store.keep_numbers(last)?;
    const TOLD: usize = 3;
    for Shrunk { run, left, was } in shrunk.iter().take(TOLD) {
        let what = match left {
            None => "is gone".to_owned(),
            Some(left) => format!("was cut short, from {was} to {left} bytes"),
        };
        let path = project.journal(*run);
        recovered.notes.push(format!("the journal of run {run}, {}, {what}", path.display()));
    }
    if shrunk.len() > TOLD {
        recovered.notes.push(format!("so it is with the journals of {} more runs", shrunk.len() - TOLD));
    }
    let end = "the store was rebuilt from what the journals still say; what only the lost part told of is made again";
    recovered.notes.push(end.to_owned());
    Ok(store)
}

/// Makes the store anew from the journals alone. The one that is there is touched only when the new one is whole.
pub(crate) fn rebuild(project: &Project) -> Result<(), EngineError> {
    let new = project.state.join("store.new");
    disk::remove_tree(&new)?;
    let made = SledKeys::open(&new).map(Store::new).map_err(EngineError::from).and_then(|store| {
        store.is_current()?;
        take_in_all(project, &store)
    });
    if let Err(why) = made {
        // What stays of it is removed by the next attempt at the latest; why this one failed matters more.
        let _ = disk::remove_tree(&new);
        return Err(EngineError::NotRebuilt { why: Box::new(why) });
    }
    // From here on the new store is the good one. Killed between the renames, the next engine finds none and makes one.
    let (path, aside) = (project.store(), project.state.join("store.old"));
    disk::remove_tree(&aside)?;
    if std::fs::symlink_metadata(&path).is_ok() {
        std::fs::rename(&path, &aside).at("move aside", &path)?;
    }
    std::fs::rename(&new, &path).at("put in place", &new)?;
    Ok(disk::remove_tree(&aside)?)
}

/// Takes in every journal from its beginning, changing none.
fn take_in_all(project: &Project, store: &Store) -> Result<(), EngineError> {
    let past = Past::of(project);
    if let Some(error) = past.damaged()?.into_iter().next() {
        return Err(error.into());
    }
    for run in past.runs()? {
        match past.read(run) {
            // Killed before anything of it was durable: there was no such run, and none that is gone once its folder is.
            Ok(read) if read.records.is_empty() => {}
            Ok(read) => store.apply(run, 0, read.sound, &read.records)?,
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Opens the store; one that is missing, broken or of another version is rebuilt.
fn open_store(project: &Project, recovered: &mut Recovered) -> Result<Store, EngineError> {
    let path = project.store();
    let is_new = !path.exists();
    let why = match SledKeys::open(&path).map(Store::new).and_then(|store| Ok((store.is_current()?, store))) {
        Ok((true, store)) if is_new => {
            // Nothing to tell if there is nothing to take in, either.
            let had_runs = !Past::of(project).runs()?.is_empty();
            if had_runs {
                take_in_all(project, &store)?;
                recovered.notes.push("the store was missing and was rebuilt from the journals".to_owned());
            }
            return Ok(store);
        }
        Ok((true, store)) => return Ok(store),
        Ok((false, _)) => "is of another version".to_owned(),
        // Nothing is wrong with a store that the system will not let us open just now.
        Err(error) if !error.is_damage() => return Err(error.into()),
        Err(error) => format!("cannot be opened ({error})"),
    };
    // What another version wrote is left to it, its store too.
    for run in project.run_numbers()? {
        if let Err(error @ journal::JournalError::Version { .. }) = journal::read(&project.journal(run)) {
            return Err(error.into());
        }
    }
    // The journals say all that it said, so it is not kept: on a full disk its room is what the new one is made in. Moved
    // first, so that a removal that is cut off leaves no half of a store under its name.
    let aside = project.state.join("store.broken");
    disk::remove_tree(&aside)?;
    std::fs::rename(&path, &aside).at("move aside", &path)?;
    disk::remove_tree(&aside)?;
    let store = Store::new(SledKeys::open(&path)?);
    store.is_current()?;
    take_in_all(project, &store)?;
    recovered.notes.push(format!("the store {why}; it was rebuilt from the journals"));
    Ok(store)
}

/// Brings one run to its end: whether it was killed, or merely not taken in to its end.
fn finish(
    project: &Project,
    store: &Store,
    run: u64,
    taken_in: u64,
    clock: &dyn Clock,
    recovered: &mut Recovered,
) -> Result<bool, EngineError> {
    let path = project.journal(run);
    let read = match journal::read(&path) {
        Ok(read) => read,
        Err(error) if error.is_missing() => {
            // Killed before anything of it was durable: there was no such run.
            return remove_run(project, run);
        }
        Err(error) => return Err(error.into()),
    };
    let Some(Record::RunStarted(started)) = read.records.first() else {
        if read.records.is_empty() {
            return remove_run(project, run);
        }
        let remedy = <Record as journal::Logged>::REMEDY;
        return Err(EngineError::Journal(journal::JournalError::NotAJournal { path, remedy }));
    };
    journal::cut(&path, &read)?;
    let new = usize::try_from(taken_in).unwrap_or(usize::MAX).min(read.records.len());
    store.apply(run, new as u64, read.sound, &read.records[new..])?;
    if let Some(Record::RunEnded { .. }) = read.records.last() {
        return Ok(read.torn);
    }
    restore_small(project, &read.records)?;
    let end = Record::RunEnded { outcome: Outcome::Interrupted, at: clock.now() };
    let frames = read.records.len() as u64;
    let journal = Journal::open(&path, frames, read.sound, Box::new(|_, _, _| Ok(())))?;
    journal.append(vec![Entry { record: end.clone(), files: Vec::new(), stamps: Vec::new() }]);
    let why = journal.blocking_barrier();
    drop(journal);
    why.map_err(|stopped| EngineError::NotDurable { run, why: stopped.0 })?;
    let length = std::fs::metadata(&path).at("look at", &path)?.len();
    store.apply(run, frames, length, &[end])?;
    let done = read.records.iter().filter(|record| matches!(record, Record::NodeDone { .. })).count();
    let kept = match done {
        0 => String::new(),
        1 => "; the 1 node it finished is kept and reused".to_owned(),
        many => format!("; the {many} nodes it finished are kept and reused"),
    };
    recovered.notes.push(format!("run {run} of `{}` was killed{kept}", started.pipeline));
    Ok(true)
}

/// Removes the folder of a run of which nothing is known, unless somebody put something else into it.
fn remove_run(project: &Project, run: u64) -> Result<bool, EngineError> {
    let folder = project.run(run);
    for entry in std::fs::read_dir(&folder).at("list", &folder)? {
        let name = entry.at("list", &folder)?.file_name();
        if !["journal", "logs", "cancel"].map(OsStr::new).contains(&name.as_os_str()) {
            return Ok(false);
        }
    }
    disk::remove_tree(&folder)?;
    Ok(true)
}

/// Writes again what small artifacts a power cut took: their bytes are in the journal.
fn restore_small(project: &Project, records: &[Record]) -> Result<(), EngineError> {
    let outputs = records.iter().filter_map(|record| match record {
        Record::NodeDone { outputs, .. } => Some(outputs),
        _ => None,
    });
    for artifact in outputs.flatten() {
        let Some(bytes) = &artifact.inline else { continue };
        if !has_bytes(project, artifact, bytes) {
            artifacts::materialise(project, &artifact.digest, bytes)?;
        }
    }
    Ok(())
}

fn has_bytes(project: &Project, artifact: &Artifact, bytes: &[u8]) -> bool {
    std::fs::read(project.artifact(&artifact.digest)).is_ok_and(|found| found == bytes)
}
