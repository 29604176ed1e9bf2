//! Putting a project in order when it is opened.
//!
//! Most of the time there is nothing to do, and then nothing is read but the list of runs and the store's own list of
//! what it took in. After a kill: the killed run's journal loses its torn end and gains an end, the store takes in what
//! it had not yet, small artifacts that a power cut took are written again, and what no synced record names is removed.
//!
//! Every step can be killed and repeated: the journal's end is written last.

use crate::artifacts;
use crate::clock::Clock;
use crate::disk::{self, At};
use crate::error::EngineError;
use crate::journal::{self, Entry, Journal};
use crate::project::Project;
use crate::record::{Artifact, Outcome, Record};
use crate::store::{SledKeys, Store};

/// What was put in order.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// In words, for people.
    pub notes: Vec<String>,
}

/// Opens the store and brings it up to date with the journals.
pub(crate) fn recover(project: &Project, clock: &dyn Clock) -> Result<(Store, Recovered), EngineError> {
    let mut recovered = Recovered::default();
    let store = open_store(project, &mut recovered)?;
    let applied = store.applied()?;
    let leftovers = disk::names(&project.work())?;
    let mut unclean = !leftovers.is_empty();
    for run in project.run_numbers()? {
        let taken_in = applied.get(&run).copied().unwrap_or_default();
        if taken_in.outcome.is_none() {
            unclean |= finish(project, &store, run, taken_in.records, clock, &mut recovered)?;
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
    for run in project.run_numbers()? {
        match journal::read(&project.journal(run)) {
            Ok(read) => store.apply(run, 0, &read.records)?,
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
            let had_runs = !project.run_numbers()?.is_empty();
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
    let aside = project.state.join("store.broken");
    disk::remove_tree(&aside)?;
    std::fs::rename(&path, &aside).at("move aside", &path)?;
    let store = Store::new(SledKeys::open(&path)?);
    store.is_current()?;
    take_in_all(project, &store)?;
    let note = format!("the store {why}; it was moved to {} and rebuilt from the journals", aside.display());
    recovered.notes.push(note);
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
            disk::remove_tree(&project.run(run))?;
            return Ok(true);
        }
        Err(error) => return Err(error.into()),
    };
    let Some(Record::RunStarted(started)) = read.records.first() else {
        if read.records.is_empty() {
            disk::remove_tree(&project.run(run))?;
            return Ok(true);
        }
        return Err(EngineError::Journal(journal::JournalError::NotAJournal { path }));
    };
    journal::cut(&path, &read)?;
    let new = usize::try_from(taken_in).unwrap_or(usize::MAX).min(read.records.len());
    store.apply(run, new as u64, &read.records[new..])?;
    if let Some(Record::RunEnded { .. }) = read.records.last() {
        return Ok(read.torn);
    }
    restore_small(project, &read.records)?;
    let end = Record::RunEnded { outcome: Outcome::Interrupted, at: clock.now() };
    let frames = read.records.len() as u64;
    let journal = Journal::open(&path, frames, read.sound, Box::new(|_, _| Ok(())))?;
    journal.append(vec![Entry { record: end.clone(), files: Vec::new(), stamps: Vec::new() }]);
    let why = journal.blocking_barrier();
    drop(journal);
    why.map_err(|stopped| EngineError::NotDurable { run, why: stopped.0 })?;
    store.apply(run, frames, &[end])?;
    let done = read.records.iter().filter(|record| matches!(record, Record::NodeDone { .. })).count();
    let kept = match done {
        0 => String::new(),
        1 => "; the 1 node it finished is kept and reused".to_owned(),
        many => format!("; the {many} nodes it finished are kept and reused"),
    };
    recovered.notes.push(format!("run {run} of `{}` was killed{kept}", started.pipeline));
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
