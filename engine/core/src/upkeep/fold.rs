//! Folding old runs into one file.
//!
//! Everything their journals say is kept, record for record: `runs`, `show`, the registry, a version's lineage, the cache of
//! results and a rebuilt store are what they were. What goes is the folder of each run, with what its steps said (their
//! logs), and the text of the pipeline's file, which is stored once for all runs that share it.

use crate::approval;
use crate::clock::{Clock, SystemClock};
use crate::disk;
use crate::engine::take_lock;
use crate::error::EngineError;
use crate::journal::Past;
use crate::lock::Holder;
use crate::project::Project;
use crate::record::{Millis, Outcome};
use crate::recovery;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Which runs are old.
#[derive(Clone, Debug)]
pub struct Age {
    /// Not the last so many of each pipeline; at least one.
    pub keep_runs: usize,
    /// Not those that were at work at this time or later.
    pub since: Millis,
    /// Not these.
    pub keep: BTreeSet<u64>,
    /// Folds nothing, only says what would be folded.
    pub dry_run: bool,
    /// How long to wait for a live run to end.
    pub wait: Duration,
}

/// What was folded, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// The runs.
    pub runs: Vec<u64>,
    /// Bytes that their folders took, logs included.
    pub before: u64,
    /// Bytes of the new file; 0 in a trial.
    pub after: u64,
    /// Files that their folders held.
    pub files: u64,
}

/// Folds the runs that are old and over. Refused while a run is live ([`EngineError::Busy`]) unless it ends in time, and if
/// a journal cannot be read. A trial looks only, and needs no lock.
pub fn compact(project: &Project, age: &Age) -> Result<Compacted, EngineError> {
    if age.dry_run {
        return choose(project, age);
    }
    project.create()?;
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let holder = Holder { pid: std::process::id(), command, run: None, pipeline: None, since: SystemClock.now() };
    let _lock = take_lock(project, &holder, age.wait)?;
    // Journals that a kill left open get their end first, and the store takes in what it has not yet.
    drop(recovery::recover(project, &SystemClock)?);
    let past = Past::of(project);
    past.clear_folded()?;
    let mut compacted = choose(project, age)?;
    let bytes = |past: &Past| -> Result<u64, EngineError> {
        Ok(past.files()?.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|meta| meta.len()).sum())
    };
    let there = bytes(&past)?;
    past.fold(&compacted.runs)?;
    compacted.after = bytes(&past)?.saturating_sub(there);
    Ok(compacted)
}

fn choose(project: &Project, age: &Age) -> Result<Compacted, EngineError> {
    let mut census = super::census::census(project)?;
    if !census.unreadable.is_empty() {
        return Err(census.unreadable.swap_remove(0).1.into());
    }
    let folders: BTreeSet<u64> = project.run_numbers()?.into_iter().collect();
    let last = census.last_of_each(age.keep_runs.max(1));
    let is_old = |run: u64, at: Millis| {
        folders.contains(&run) && !last.contains(&run) && !age.keep.contains(&run) && at < age.since
    };
    // What people said to a run lies beside its journal.
    let over = |outcome: Option<Outcome>| outcome.is_some_and(|outcome| outcome != Outcome::Waiting);
    let old = census.runs.iter().filter(|facts| {
        over(facts.outcome) && is_old(facts.run, facts.last) && !approval::was_asked(project, facts.run)
    });
    let mut compacted = Compacted { runs: old.map(|facts| facts.run).collect(), ..Compacted::default() };
    for run in &compacted.runs {
        let (files, bytes) = size(&project.run(*run))?;
        compacted.files += files;
        compacted.before += bytes;
    }
    Ok(compacted)
}

/// How many files are in a folder and those below it, and their bytes.
fn size(folder: &Path) -> Result<(u64, u64), EngineError> {
    let (mut files, mut bytes) = (0, 0);
    for name in disk::names(folder)? {
        let path = folder.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                let below = size(&path)?;
                (files, bytes) = (files + below.0, bytes + below.1);
            }
            Ok(meta) => (files, bytes) = (files + 1, bytes + meta.len()),
            Err(_) => {}
        }
    }
    Ok((files, bytes))
}
