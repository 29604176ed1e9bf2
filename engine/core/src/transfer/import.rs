//! Taking the file in.

use super::export::{AT_ONCE, outputs};
use super::{Contents, FORMAT, TransferError, artifact_path};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::{self, At, DiskError, make_folders, seam, sync_folder};
use crate::engine::take_lock;
use crate::error::EngineError;
use crate::journal::{self, Past};
use crate::lock::Holder;
use crate::plan::Decision;
use crate::project::{LAST_RUN, Project};
use crate::record::{Millis, ModelVersion, Record, VERSION};
use crate::recovery;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tar::{Archive, Entry};

/// No manifest is longer.
const LONGEST_MANIFEST: u64 = 256 << 20;

/// What was taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Imported {
    /// Runs: their number there and here.
    pub runs: Vec<(u64, u64)>,
    /// Runs that are here already: their number there and here.
    pub known: Vec<(u64, u64)>,
    /// Versions that got another number: the model, then, now.
    pub renumbered: Vec<(String, u64, u64)>,
    /// How many artifacts were not here, or not sound.
    pub artifacts: usize,
}

/// Takes in what [`export`](super::export) wrote: all of it, or nothing. Needs the project's lock. Killed in the middle, or
/// when the disk fails at the very end, it has taken in some of the runs, whole ones, and taking the file in again takes in
/// the others.
pub fn import(project: &Project, from: &Path, wait: Duration) -> Result<Imported, TransferError> {
    // First, so that a wrong name makes no state folder.
    let file = File::open(from).at("open", from)?;
    project.create()?;
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let holder = Holder { pid: std::process::id(), command, run: None, pipeline: None, since: SystemClock.now() };
    let _lock = take_lock(project, &holder, wait)?;
    let last = recovery::recover(project, &SystemClock)?.0.last_run().map_err(EngineError::from)?;
    let aside = project.work().join("import");
    disk::remove_tree(&aside)?;
    make_folders(&aside)?;
    let result = unpack(from, file, &aside).and_then(|unpacked| take_in(project, unpacked, &aside, last));
    // What stays is swept when the project is next opened.
    let _ = disk::remove_tree(&aside);
    let imported = result?;
    // The store takes the new runs in like any that it does not know yet.
    recovery::recover(project, &SystemClock)?;
    Ok(imported)
}

/// The sound content of a file.
struct Unpacked {
    runs: BTreeMap<u64, Vec<Record>>,
    artifacts: Vec<(Digest, PathBuf)>,
}

/// Writes everything aside and checks it.
fn unpack(from: &Path, file: File, aside: &Path) -> Result<Unpacked, TransferError> {
    let unsound = |why: String| TransferError::Unsound { path: from.to_owned(), why };
    let bad = |error: io::Error| unsound(format!("it is cut off, damaged, or not a tar archive ({error})"));
    let mut archive = Archive::new(BufReader::with_capacity(AT_ONCE, file));
    let mut entries = archive.entries().map_err(bad)?;
    let contents = contents(entries.next().transpose().map_err(bad)?).map_err(unsound)?;
    let mut unpacked = Unpacked { runs: BTreeMap::new(), artifacts: Vec::new() };
    let parts =
        contents.runs.iter().map(|part| (part, true)).chain(contents.artifacts.iter().map(|part| (part, false)));
    for (at, (part, is_run)) in parts.enumerate() {
        let entry = entries.next().transpose().map_err(bad)?;
        let Some(mut entry) = entry.filter(|entry| is_file(entry, &part.path) && entry.size() == part.size) else {
            return Err(unsound(format!("{} is not where its manifest says", part.path)));
        };
        // Named here, never as the file says: no path of it is ever followed.
        let path = aside.join(format!("{at}"));
        let digest = copy(&mut entry, &path)?;
        if digest.to_string() != part.digest {
            return Err(unsound(format!("{} is cut off or damaged: its digest is another one", part.path)));
        }
        if is_run {
            let (run, records) = run(&path).map_err(|why| unsound(format!("{}: {why}", part.path)))?;
            if unpacked.runs.insert(run, records).is_some() {
                return Err(unsound(format!("run {run} is in it twice")));
            }
        } else if part.path == artifact_path(&digest) {
            unpacked.artifacts.push((digest, path));
        } else {
            return Err(unsound(format!("{} is not named by its digest", part.path)));
        }
    }
    let reached: BTreeSet<Digest> =
        unpacked.runs.values().flatten().flat_map(outputs).map(|artifact| artifact.digest).collect();
    match unpacked.artifacts.iter().find(|(digest, _)| !reached.contains(digest)) {
        Some((digest, _)) => Err(unsound(format!("no run in it gave {digest}"))),
        None => Ok(unpacked),
    }
}

fn is_file(entry: &Entry<impl Read>, name: &str) -> bool {
    entry.header().entry_type().is_file() && *entry.path_bytes() == *name.as_bytes()
}

/// The manifest, which must be of a form that this mlp knows.
fn contents(first: Option<Entry<impl Read>>) -> Result<Contents, String> {
    let Some(first) = first.filter(|entry| is_file(entry, "manifest.json") && entry.size() <= LONGEST_MANIFEST) else {
        return Err("it is no history of a project: it does not begin with a manifest".to_owned());
    };
    let contents: Contents = serde_json::from_reader(BufReader::new(first))
        .map_err(|error| format!("its manifest is cut off or damaged ({error})"))?;
    match contents.format == FORMAT && contents.records == VERSION {
        true => Ok(contents),
        false => Err(format!(
            "it is of the format {} with records of format {}, this mlp takes in {FORMAT} with {VERSION}: use the mlp that \
             wrote it (mlp {})",
            contents.format, contents.records, contents.engine
        )),
    }
}

/// Writes a new file; the digest of what was there to write.
fn copy(from: &mut impl Read, path: &Path) -> Result<Digest, DiskError> {
    let mut file = BufWriter::with_capacity(AT_ONCE, seam::NewFile::create(path)?);
    io::copy(from, &mut file).and_then(|_| file.flush()).at("write", path)?;
    Ok(disk::hash_file(path)?.0)
}

/// A journal that has ended, and its run.
fn run(path: &Path) -> Result<(u64, Vec<Record>), String> {
    let read = journal::read(path).map_err(|error| error.to_string())?;
    match (read.records.first(), read.records.last()) {
        (Some(Record::RunStarted(started)), Some(Record::RunEnded { .. })) if !read.torn => {
            Ok((started.run, read.records))
        }
        _ => Err("it is not the journal of a run that has ended".to_owned()),
    }
}

/// Tells one run from any other, wherever it is: two of one pipeline do not begin and end in the same milliseconds with the
/// same text and the same work.
type Identity = (String, Millis, Millis, Digest);

fn identity(records: &[Record]) -> Option<Identity> {
    let (Some(Record::RunStarted(started)), Some(Record::RunEnded { at, .. })) = (records.first(), records.last())
    else {
        return None;
    };
    let mut work = started.source.clone().into_bytes();
    for record in records {
        match record {
            Record::NodeStarted { fingerprint, .. } | Record::NodeReused { fingerprint, .. } => {
                work.extend(fingerprint.0)
            }
            _ => {}
        }
    }
    Some((started.pipeline.clone(), started.at, *at, Digest::of(&work)))
}

fn registrations(records: &[Record]) -> impl Iterator<Item = &ModelVersion> {
    records.iter().filter_map(|record| match record {
        Record::ModelRegistered { entry, kept: false, .. } => Some(entry),
        _ => None,
    })
}

/// What the project has already.
#[derive(Default)]
struct Here {
    /// The next run's number.
    next: u64,
    runs: BTreeMap<Identity, u64>,
    /// The latest version of each model.
    latest: BTreeMap<String, u64>,
    versions: BTreeMap<(String, Digest, Millis), u64>,
}

fn here(project: &Project, last: u64) -> Result<Here, TransferError> {
    let past = Past::of(project);
    let mut here = Here { next: last + 1, ..Here::default() };
    for run in past.runs()? {
        here.next = here.next.max(run + 1);
        let records = past.read(run)?.records;
        here.runs.extend(identity(&records).map(|identity| (identity, run)));
        for entry in registrations(&records) {
            let last = here.latest.entry(entry.name.clone()).or_default();
            *last = entry.version.max(*last);
            here.versions.insert((entry.name.clone(), entry.digest, entry.at), entry.version);
        }
    }
    Ok(here)
}

/// Which number everything gets. A project without runs, or without versions of a model, keeps the numbers that these had.
fn number(mut here: Here, unpacked: &Unpacked) -> (Imported, Numbers) {
    let (mut imported, mut numbers) = (Imported::default(), Numbers::default());
    let (is_empty, latest) = (here.next == 1, here.latest.clone());
    for (run, records) in &unpacked.runs {
        let known = identity(records).and_then(|identity| here.runs.get(&identity).copied());
        let now = known.unwrap_or(if is_empty { *run } else { here.next });
        here.next = here.next.max(now.saturating_add(1));
        numbers.runs.insert(*run, now);
        if known.is_some() { &mut imported.known } else { &mut imported.runs }.push((*run, now));
        for entry in registrations(records) {
            let key = (entry.name.clone(), entry.digest, entry.at);
            let known = here.versions.get(&key).copied();
            let last = here.latest.get(&entry.name).copied().unwrap_or(0);
            let now = known.unwrap_or(match latest.contains_key(&entry.name) {
                true => last.saturating_add(1),
                false => entry.version,
            });
            here.latest.insert(entry.name.clone(), last.max(now));
            // Each is told twice: that it is going to be registered, and that it was.
            here.versions.insert(key, now);
            if known.is_none() && now != entry.version {
                imported.renumbered.push((entry.name.clone(), entry.version, now));
            }
            numbers.versions.insert((entry.name.clone(), entry.version), now);
        }
    }
    (imported, numbers)
}

/// Puts what was unpacked into the project, everything that needs room first.
fn take_in(project: &Project, unpacked: Unpacked, aside: &Path, last: u64) -> Result<Imported, TransferError> {
    let (mut imported, numbers) = number(here(project, last)?, &unpacked);
    if let Some((_, run)) = imported.runs.iter().find(|(_, now)| *now > LAST_RUN) {
        return Err(EngineError::NoNumberLeft { folder: project.run(*run) }.into());
    }
    let mut folders = Vec::new();
    for (run, now) in &imported.runs {
        let Some(records) = unpacked.runs.get(run) else { continue };
        let records: Vec<Record> = records.iter().map(|record| numbers.renumber(record.clone(), *now)).collect();
        let folder = aside.join(format!("run-{now}"));
        make_folders(&folder)?;
        let path = folder.join("journal");
        seam::write_file(&path, &journal::encode(&records)?)?;
        seam::sync_file(&path)?;
        sync_folder(&folder)?;
        folders.push((folder, project.run(*now)));
    }
    // Bytes first: no journal is there before everything that it names.
    for (digest, path) in &unpacked.artifacts {
        if !disk::hash_file(&project.artifact(digest)).is_ok_and(|(found, _)| found == *digest) {
            crate::artifacts::adopt(project, digest, path)?;
            imported.artifacts += 1;
        }
    }
    for (folder, target) in folders {
        seam::rename(&folder, &target).at("put in place", &target)?;
    }
    sync_folder(&project.runs())?;
    Ok(imported)
}

/// The numbers that runs and versions got here.
#[derive(Default)]
struct Numbers {
    runs: BTreeMap<u64, u64>,
    versions: BTreeMap<(String, u64), u64>,
}

impl Numbers {
    fn run(&self, run: u64, own: u64) -> u64 {
        // One that was not taken along has no number here; whoever asks is led to the run that told of it.
        self.runs.get(&run).copied().unwrap_or(own)
    }

    fn version(&self, model: &str, version: u64) -> u64 {
        self.versions.get(&(model.to_owned(), version)).copied().unwrap_or(version)
    }

    /// A record of the run that is `own` here.
    fn renumber(&self, record: Record, own: u64) -> Record {
        match record {
            Record::RunStarted(mut started) => {
                started.run = own;
                started.resumes = started.resumes.and_then(|run| self.runs.get(&run).copied());
                if let Some(trigger) = &mut started.trigger {
                    // A retraining that this project asks for is not done because another one did it.
                    trigger.key = format!("imported:{}", trigger.key);
                }
                for node in &mut started.plan.nodes {
                    if let Decision::Reuse { run, .. } = &mut node.decision {
                        *run = self.run(*run, own);
                    }
                }
                Record::RunStarted(started)
            }
            Record::NodeReused { node, fingerprint, outputs, from, at } => {
                Record::NodeReused { node, fingerprint, outputs, from: self.run(from, own), at }
            }
            Record::ModelRegistered { node, mut entry, kept, at } => {
                entry.version = self.version(&entry.name, entry.version);
                entry.run = self.run(entry.run, own);
                Record::ModelRegistered { node, entry, kept, at }
            }
            Record::DeployRequested { node, model, version, at } => Record::NodeSkipped {
                reason: format!(
                    "version {version} of `{model}` was to be deployed as `{node}` where this run was made"
                ),
                node,
                at,
            },
            other => other,
        }
    }
}
