//! Is everything there that something refers to, and is it what it was?

use super::Served;
use super::census::{Census, Named, census};
use super::collect::{Tally, files};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::hash_file;
use crate::engine::take_lock;
use crate::error::EngineError;
use crate::journal::Past;
use crate::lock::{self, Holder};
use crate::project::Project;
use crate::store::{Kind, MemoryKeys, SledKeys, Store};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Journals by their check sums, artifacts by presence and size.
    Fast,
    /// Every artifact is read and hashed, several at a time.
    Full,
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A journal cannot be read.
    Journal,
    /// The bytes of a registered version are gone or damaged.
    Model,
    /// A deployment serves what no run registered.
    Served,
    /// An artifact is not what its name says.
    Damaged,
    /// What the last run of a pipeline gave is gone.
    Missing,
    /// The store is not what the journals come to.
    Store,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// What is wrong, with its place.
    pub what: String,
    /// What follows from it.
    pub means: String,
    /// What to do.
    pub todo: String,
}

/// What a look at everything came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
    /// What is no problem but good to know.
    pub notes: Vec<String>,
    /// Runs whose journal was read.
    pub runs: usize,
    /// Registered versions.
    pub models: usize,
    /// Artifacts that were looked at.
    pub artifacts: Tally,
    /// Whether the store was compared with the journals.
    pub store_compared: bool,
}

/// Looks at every journal, every artifact, every reference and the store. Changes nothing. Beside a live run the store is
/// not looked at, because only its owner can open it.
pub fn verify(project: &Project, depth: Depth, served: &[Served]) -> Result<Verified, EngineError> {
    let census = census(project)?;
    let mut verified = Verified { runs: census.runs.len(), models: census.models.len(), ..Verified::default() };
    for (run, error) in &census.unreadable {
        let of_one = run.map(|run| {
            let folder = project.run(run);
            let what = format!("the journal of run {run}: {error}");
            let todo = format!(
                "bring it back from a copy, or move {} away and run `mlp state rebuild`: what only that run made \
                                is made again",
                folder.display()
            );
            (what, todo)
        });
        let (what, todo) = of_one.unwrap_or_else(|| {
            let todo = "bring the file back from a copy, or move it away and run `mlp state rebuild`: what only the runs in it \
                        made is made again";
            (error.to_string(), todo.to_owned())
        });
        verified.problems.push(Problem {
            kind: ProblemKind::Journal,
            what,
            means: "what happened there is not known, and nothing new runs here until it is; other runs are untouched"
                .to_owned(),
            todo,
        });
    }
    let live = lock::holder(&project.lock())?.and_then(|holder| holder.run);
    for run in census.torn.iter().filter(|run| Some(**run) != live) {
        verified
            .notes
            .push(format!("run {run} was killed in the middle of a write; its torn end is cut by the next run"));
    }
    let bad = look_at_artifacts(project, depth, &census, &mut verified)?;
    tell_artifacts(project, &census, served, &bad, &mut verified);
    compare_store(project, &census, &mut verified)?;
    verified.problems.sort_by_key(|problem| problem.kind);
    Ok(verified)
}

/// What is wrong with an artifact's file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bad {
    Gone,
    Damaged,
}

/// Which of those that should be there are not right.
fn look_at_artifacts(
    project: &Project,
    depth: Depth,
    census: &Census,
    verified: &mut Verified,
) -> Result<BTreeMap<Digest, Bad>, EngineError> {
    let mut wanted: BTreeMap<Digest, Option<&Named>> =
        census.named.iter().map(|(digest, named)| (*digest, Some(named))).collect();
    for entry in census.models.values() {
        wanted.entry(entry.digest).or_insert(None);
    }
    let mut bad: BTreeMap<Digest, Bad> = wanted.keys().map(|digest| (*digest, Bad::Gone)).collect();
    let mut to_read = Vec::new();
    let mut strays = Tally::default();
    for file in files(&project.artifacts())? {
        let Some((digest, named)) = file.digest.and_then(|digest| Some((digest, *wanted.get(&digest)?))) else {
            strays.files += 1;
            strays.bytes += file.bytes;
            continue;
        };
        verified.artifacts.files += 1;
        verified.artifacts.bytes += file.bytes;
        if named.is_some_and(|named| named.size != file.bytes) {
            bad.insert(digest, Bad::Damaged);
        } else {
            bad.remove(&digest);
            to_read.push((digest, file.path));
        }
    }
    // While a journal cannot be read it may name any of them, and nothing removes them.
    if strays.files > 0 && census.unreadable.is_empty() {
        verified.notes.push(format!(
            "{} file(s) among the artifacts, {} bytes, are named by no record: the next run or `mlp state gc` removes them",
            strays.files, strays.bytes
        ));
    }
    if depth == Depth::Full {
        let next = AtomicUsize::new(0);
        let damaged = Mutex::new(Vec::new());
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some((digest, path)) = to_read.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if hash_file(path).map_or(true, |(found, _)| found != *digest) {
                            damaged.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(*digest);
                        }
                    }
                });
            }
        });
        let damaged = damaged.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        bad.extend(damaged.into_iter().map(|digest| (digest, Bad::Damaged)));
    }
    Ok(bad)
}

fn tell_artifacts(
    project: &Project,
    census: &Census,
    served: &[Served],
    bad: &BTreeMap<Digest, Bad>,
    verified: &mut Verified,
) {
    let word = |bad: Bad| if bad == Bad::Gone { "gone" } else { "damaged" };
    let mut told = std::collections::BTreeSet::new();
    for entry in census.models.values() {
        let Some(how) = bad.get(&entry.digest) else { continue };
        if census.named.get(&entry.digest).is_some_and(|named| named.inline) {
            continue;
        }
        told.insert(entry.digest);
        let by = served.iter().filter(|it| it.model == entry.name && it.version == entry.version);
        let by: Vec<String> = by.map(|it| format!("`{}`", it.by)).collect();
        let path = project.artifact(&entry.digest);
        verified.problems.push(Problem {
            kind: ProblemKind::Model,
            what: format!("version {} of `{}` is {}: {}", entry.version, entry.name, word(*how), path.display()),
            means: match by.is_empty() {
                true => "it cannot be read from the registry, deployed or rolled back to".to_owned(),
                false => format!("{} serves it, and cannot start with it again", by.join(", ")),
            },
            todo: format!(
                "bring the file back from a copy, or run `{}` again as it was in run {}",
                entry.pipeline, entry.run
            ),
        });
    }
    for it in served.iter().filter(|it| !census.models.contains_key(&(it.model.clone(), it.version))) {
        verified.problems.push(Problem {
            kind: ProblemKind::Served,
            what: format!("`{}` serves version {} of `{}`, which no run here registered", it.by, it.version, it.model),
            means: "the deployment cannot start with it again".to_owned(),
            todo: "bring back the journal of the run that registered it, or deploy another version".to_owned(),
        });
    }
    let current = census.last_of_each(1);
    let of_current: std::collections::BTreeSet<Digest> = census
        .runs
        .iter()
        .filter(|facts| current.contains(&facts.run))
        .flat_map(|facts| facts.reaches.iter().copied())
        .collect();
    let (mut not_kept, mut come_back) = (0, 0);
    for (digest, how) in bad {
        let Some(named) = census.named.get(digest).filter(|_| !told.contains(digest)) else { continue };
        if named.inline {
            come_back += 1;
            continue;
        }
        if *how == Bad::Gone && !of_current.contains(digest) {
            not_kept += 1;
            continue;
        }
        let (run, node, output) = &named.by;
        let path = project.artifact(digest);
        verified.problems.push(Problem {
            kind: if *how == Bad::Gone { ProblemKind::Missing } else { ProblemKind::Damaged },
            what: format!("what `{node}.{output}` gave in run {run} is {}: {}", word(*how), path.display()),
            means: "it is not reused: the step runs again when it is needed".to_owned(),
            todo: match how {
                Bad::Gone => "run the pipeline again, or bring the file back from a copy".to_owned(),
                Bad::Damaged => {
                    "run the pipeline again, which replaces it; and look at the disk: files do not change by \
                                 themselves"
                        .to_owned()
                }
            },
        });
    }
    if not_kept > 0 {
        verified.notes.push(format!(
            "{not_kept} result(s) of earlier runs are not kept any more; they are made again when needed"
        ));
    }
    if come_back > 0 {
        verified.notes.push(format!(
            "{come_back} small result(s) have no sound file; their records carry them, and write them again when needed"
        ));
    }
}

/// The store must be what the journals come to, but for what it has not taken in yet and for what it observed.
fn compare_store(project: &Project, census: &Census, verified: &mut Verified) -> Result<(), EngineError> {
    if !project.store().exists() {
        if census.runs.is_empty() {
            verified.store_compared = true;
        } else {
            verified.notes.push("there is no store; the next run makes it from the journals".to_owned());
        }
        return Ok(());
    }
    if !census.unreadable.is_empty() {
        verified.notes.push("the store was not compared: not every journal can be read".to_owned());
        return Ok(());
    }
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let since = SystemClock.now();
    let holder = Holder { pid: std::process::id(), command, run: None, pipeline: None, since };
    let lock = match take_lock(project, &holder, Duration::ZERO) {
        Ok(lock) => lock,
        Err(EngineError::Busy { .. }) => {
            verified.notes.push("the store was not compared: a run has it open".to_owned());
            return Ok(());
        }
        Err(error) => {
            verified.notes.push(format!("the store was not compared: {error}"));
            return Ok(());
        }
    };
    let differs = match fold_and_compare(project) {
        Ok(differs) => differs,
        // Nothing is wrong with a store that cannot be opened just now: the database needs room to open at all.
        Err(EngineError::Store(error)) if !error.is_damage() => {
            verified.notes.push(format!("the store was not compared: {error}"));
            return Ok(());
        }
        Err(error @ EngineError::Store(_)) => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    drop(lock);
    verified.store_compared = true;
    if let Some(how) = differs {
        verified.problems.push(Problem {
            kind: ProblemKind::Store,
            what: format!("the store {} is not what the journals come to: {how}", project.store().display()),
            means:
                "plans may reuse what they should not, or run what they need not; the journals are the truth and are \
                    sound"
                    .to_owned(),
            todo: "run `mlp state rebuild`, which makes it anew".to_owned(),
        });
    }
    Ok(())
}

/// How they differ, if they do.
fn fold_and_compare(project: &Project) -> Result<Option<String>, EngineError> {
    let store = Store::new(SledKeys::open(&project.store())?);
    if store.facts()?.is_empty() {
        // Killed, or out of room, when it was new: it takes everything in when it is next opened.
        return Ok(None);
    }
    let applied = store.applied()?;
    // As far as the store says it went, and no further: what it lacks it takes in when it is next opened.
    let expected = Store::new(MemoryKeys::default());
    expected.is_current()?;
    let past = Past::of(project);
    for run in past.runs()? {
        let Some(until) = applied.get(&run) else { continue };
        let read = match past.read(run) {
            Ok(read) => read,
            Err(error) if error.is_missing() => continue,
            Err(error) => return Err(error.into()),
        };
        let known = usize::try_from(until.records).unwrap_or(usize::MAX).min(read.records.len());
        expected.apply(run, 0, until.bytes, &read.records[..known])?;
    }
    let facts = |store: &Store| -> Result<BTreeMap<Vec<u8>, Vec<u8>>, EngineError> {
        Ok(store.facts()?.into_iter().filter(|(key, _)| key.first() != Some(&(Kind::Gone as u8))).collect())
    };
    let (found, expected) = (facts(&store)?, facts(&expected)?);
    let missing = expected.keys().filter(|key| !found.contains_key(*key)).count();
    let foreign = found.keys().filter(|key| !expected.contains_key(*key)).count();
    let other = found.iter().filter(|(key, value)| expected.get(*key).is_some_and(|it| it != *value)).count();
    Ok((missing + foreign + other > 0)
        .then(|| format!("{missing} fact(s) are missing, {foreign} are not in any journal, {other} differ")))
}
