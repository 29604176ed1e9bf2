//! Garbage collection of artifacts. The protocol and why it is safe: see the [room](super).

use super::Served;
use super::census::{Census, census};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::{self, At, DiskError, Stamp};
use crate::engine::take_lock;
use crate::error::EngineError;
use crate::lock::Holder;
use crate::project::Project;
use crate::record::Millis;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is kept. Registered versions always are.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What the last so many runs of each pipeline gave; at least one.
    pub keep_runs: usize,
    /// What runs gave that were still at work at this time or later.
    pub since: Millis,
    /// What these runs gave.
    pub keep: BTreeSet<u64>,
    /// What is served.
    pub served: Vec<Served>,
    /// Files changed at this time or later are left alone, whatever refers to them.
    pub untouched_since: Millis,
    /// Removes nothing, only says what would be removed.
    pub dry_run: bool,
    /// How long to wait for a live run to end.
    pub wait: Duration,
}

/// How many files, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Files.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl Tally {
    fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What a collection did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Something rests on them.
    pub kept: Tally,
    /// Nothing rests on them, but they are too young.
    pub spared: Tally,
    /// Results of runs that are not kept; they are made again when they are needed.
    pub removed: Tally,
    /// Files that no record ever named.
    pub strays: Tally,
    /// What detached runs that are not kept would have printed.
    pub logs: Tally,
    /// How many runs keep what they gave.
    pub runs_kept: usize,
    /// How many runs there are.
    pub runs: usize,
}

/// Removes the artifacts that nothing rests on. Refused while a run is live ([`EngineError::Busy`]) unless it ends in
/// time, and if a journal cannot be read. A trial looks only, and needs no lock.
pub fn gc(project: &Project, policy: &Policy) -> Result<Swept, EngineError> {
    if policy.dry_run {
        return sweep(project, policy);
    }
    project.create()?;
    let holder = Holder {
        pid: std::process::id(),
        command: std::env::args().collect::<Vec<_>>().join(" "),
        run: None,
        pipeline: None,
        since: SystemClock.now(),
    };
    let _lock = take_lock(project, &holder, policy.wait)?;
    sweep(project, policy)
}

fn sweep(project: &Project, policy: &Policy) -> Result<Swept, EngineError> {
    let mut census = census(project)?;
    if !census.unreadable.is_empty() {
        // It may name any of them.
        return Err(census.unreadable.swap_remove(0).1.into());
    }
    let kept = kept(&census, policy);
    let roots = roots(&census, policy, &kept);
    let mut swept = Swept { runs: census.runs.len(), runs_kept: kept.len(), ..Swept::default() };
    for file in files(&project.artifacts())? {
        let digest = file.digest;
        if digest.is_some_and(|digest| roots.contains(&digest)) {
            swept.kept.add(file.bytes);
        } else if file.changed >= policy.untouched_since {
            swept.spared.add(file.bytes);
        } else {
            if !policy.dry_run {
                disk::remove_tree(&file.path)?;
            }
            match digest.is_some_and(|digest| census.named.contains_key(&digest)) {
                true => swept.removed.add(file.bytes),
                false => swept.strays.add(file.bytes),
            }
        }
    }
    let folder = project.detached();
    for name in disk::names(&folder)? {
        let Some(file) = look(folder.join(&name), None)? else { continue };
        // `000012.log`; what has no run's number belonged to one that never began.
        let run = name.split('.').next().and_then(|run| run.parse::<u64>().ok());
        if file.changed < policy.untouched_since && !run.is_some_and(|run| kept.contains(&run)) {
            if !policy.dry_run {
                disk::remove_tree(&file.path)?;
            }
            swept.logs.add(file.bytes);
        }
    }
    Ok(swept)
}

/// The runs that keep what they gave.
fn kept(census: &Census, policy: &Policy) -> BTreeSet<u64> {
    let last = census.last_of_each(policy.keep_runs.max(1));
    let is_kept = |run: u64, at: Millis| last.contains(&run) || policy.keep.contains(&run) || at >= policy.since;
    census.runs.iter().filter(|facts| is_kept(facts.run, facts.last)).map(|facts| facts.run).collect()
}

/// Everything that something rests on.
fn roots(census: &Census, policy: &Policy, kept: &BTreeSet<u64>) -> BTreeSet<Digest> {
    let kept = census.runs.iter().filter(|facts| kept.contains(&facts.run));
    let mut roots: BTreeSet<Digest> = kept.flat_map(|facts| facts.reaches.iter().copied()).collect();
    roots.extend(census.models.values().map(|entry| entry.digest));
    // Each is a registered version; said again, so that a rule for those can never take what is served.
    let served = policy.served.iter().filter_map(|it| census.models.get(&(it.model.clone(), it.version)));
    roots.extend(served.map(|entry| entry.digest));
    roots
}

/// Something in the folder of artifacts.
pub(super) struct Found {
    pub path: PathBuf,
    /// If its name is one.
    pub digest: Option<Digest>,
    pub bytes: u64,
    /// The later of its two times.
    pub changed: Millis,
}

/// Everything in the folder of artifacts, in the order of the names.
pub(super) fn files(artifacts: &Path) -> Result<Vec<Found>, DiskError> {
    let mut found = Vec::new();
    let mut shards = disk::names(artifacts)?;
    shards.sort_unstable();
    for shard in shards {
        let folder = artifacts.join(&shard);
        if !folder.is_dir() {
            found.extend(look(folder, None)?);
            continue;
        }
        let mut names = disk::names(&folder)?;
        names.sort_unstable();
        for name in names {
            let digest = Digest::parse(&name).filter(|_| name.starts_with(&shard));
            found.extend(look(folder.join(&name), digest)?);
        }
    }
    Ok(found)
}

/// What is there to be seen of a file; `None`: it is gone since its folder was listed.
fn look(path: PathBuf, digest: Option<Digest>) -> Result<Option<Found>, DiskError> {
    let meta = match std::fs::symlink_metadata(&path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).at("look at", &path),
    };
    let stamp = Stamp::of(&meta);
    let changed = i64::try_from(stamp.modified.max(stamp.changed) / 1_000_000).unwrap_or(Millis::MAX);
    let digest = digest.filter(|_| meta.is_file());
    Ok(Some(Found { path, digest, bytes: meta.len(), changed }))
}
