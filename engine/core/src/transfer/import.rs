//! Taking the file in.

use super::export::outputs;
use super::{Contents, FORMAT, TransferError, artifact_path, tar};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::{self, At, make_folders, seam, sync_folder};
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
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// How many artifacts were not here yet.
    pub artifacts: usize,
}

/// Takes in what [`export`](super::export) wrote: all of it, or nothing. Needs the project's lock. Killed in the middle it
/// has taken in some of the runs, whole ones, and taking the file in again takes in the others.
pub fn import(project: &Project, from: &Path, wait: Duration) -> Result<Imported, TransferError> {
    project.create()?;
    let command = std::env::args().collect::<Vec<_>>().join(" ");
    let holder = Holder { pid: std::process::id(), command, run: None, pipeline: None, since: SystemClock.now() };
    let _lock = take_lock(project, &holder, wait)?;
    drop(recovery::recover(project, &SystemClock)?);
    let aside = project.work().join("import");
    disk::remove_tree(&aside)?;
    make_folders(&aside)?;
    let result = unpack(from, &aside).and_then(|unpacked| take_in(project, unpacked, &aside));
    // What stays is swept when the project is next opened.
    let _ = disk::remove_tree(&aside);
    // The store takes the new runs in like any that it does not know yet.
    drop(recovery::recover(project, &SystemClock)?);
    result
}

/// The sound content of a file.
struct Unpacked {
    runs: BTreeMap<u64, Vec<Record>>,
    artifacts: Vec<(Digest, PathBuf)>,
}

/// Writes everything aside and checks it.
fn unpack(from: &Path, aside: &Path) -> Result<Unpacked, TransferError> {
    let unsound = |why: String| TransferError::Unsound { path: from.to_owned(), why };
    let bad = |error: std::io::Error| {
        unsound(match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "it is cut off".to_owned(),
            _ => error.to_string(),
        })
    };
    let mut input = BufReader::new(File::open(from).at("open", from)?);
    let Some((name, size)) = tar::next(&mut input).map_err(bad)? else { return Err(unsound("it is empty".to_owned())) };
    if name != "manifest.json" || size > LONGEST_MANIFEST {
        return Err(unsound("it does not begin with a manifest".to_owned()));
    }
    let mut bytes = Vec::new();
    (&mut input).take(size).read_to_end(&mut bytes).map_err(bad)?;
    tar::skip(&mut input, size).map_err(bad)?;
    let contents: Contents =
        serde_json::from_slice(&bytes).map_err(|error| unsound(format!("its manifest makes no sense: {error}")))?;
    if contents.format != FORMAT || contents.records != VERSION {
        return Err(unsound(format!(
            "it is of the format {} with records of format {}, this mlp takes in {FORMAT} with {VERSION}: use the mlp that \
             wrote it (mlp {})",
            contents.format, contents.records, contents.engine
        )));
    }
    let mut unpacked = Unpacked { runs: BTreeMap::new(), artifacts: Vec::new() };
    let parts =
        contents.runs.iter().map(|part| (part, true)).chain(contents.artifacts.iter().map(|part| (part, false)));
    for (at, (part, is_run)) in parts.enumerate() {
        let found = tar::next(&mut input).map_err(bad)?;
        if found.as_ref().is_none_or(|(name, size)| *name != part.path || *size != part.size) {
            return Err(unsound(format!("{} is not where the manifest says", part.path)));
        }
        // Named here, never as the file says: no path of it is ever followed.
        let path = aside.join(format!("{at}"));
        let mut file = File::create(&path).at("write", &path)?;
        let copied = std::io::copy(&mut (&mut input).take(part.size), &mut file).at("write", &path)?;
        if copied != part.size {
            return Err(unsound("it is cut off".to_owned()));
        }
        tar::skip(&mut input, part.size).map_err(bad)?;
        drop(file);
        let digest = disk::hash_file(&path)?.0;
        if digest.to_string() != part.digest {
            return Err(unsound(format!("{} is not what it was: its digest is another one", part.path)));
        }
        if is_run {
            let (run, records) = run(&path).map_err(|why| unsound(format!("{}: {why}", part.path)))?;
            unpacked.runs.insert(run, records);
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
/// same text.
type Identity = (String, Millis, Millis, Digest);

fn identity(records: &[Record]) -> Option<Identity> {
    match (records.first(), records.last()) {
        (Some(Record::RunStarted(started)), Some(Record::RunEnded { at, .. })) => {
            Some((started.pipeline.clone(), started.at, *at, Digest::of(started.source.as_bytes())))
        }
        _ => None,
    }
}

fn registrations(records: &[Record]) -> impl Iterator<Item = &ModelVersion> {
    records.iter().filter_map(|record| match record {
        Record::ModelRegistered { entry, kept: false, .. } => Some(entry),
        _ => None,
    })
}

/// What becomes of numbers.
#[derive(Default)]
struct Numbers {
    runs: BTreeMap<u64, u64>,
    versions: BTreeMap<(String, u64), u64>,
}

fn take_in(project: &Project, unpacked: Unpacked, aside: &Path) -> Result<Imported, TransferError> {
    let past = Past::of(project);
    let mut here: BTreeMap<Identity, u64> = BTreeMap::new();
    let mut latest: BTreeMap<String, u64> = BTreeMap::new();
    let mut versions: BTreeMap<(String, Digest, Millis), u64> = BTreeMap::new();
    let mut next = 1;
    for run in past.runs()? {
        next = next.max(run + 1);
        let records = past.read(run)?.records;
        here.extend(identity(&records).map(|identity| (identity, run)));
        for entry in registrations(&records) {
            let last = latest.entry(entry.name.clone()).or_default();
            *last = entry.version.max(*last);
            versions.insert((entry.name.clone(), entry.digest, entry.at), entry.version);
        }
    }
    let mut imported = Imported::default();
    let mut numbers = Numbers::default();
    for (run, records) in &unpacked.runs {
        let known = identity(records).and_then(|identity| here.get(&identity).copied());
        let now = known.unwrap_or(next);
        next += u64::from(known.is_none());
        numbers.runs.insert(*run, now);
        if known.is_some() { &mut imported.known } else { &mut imported.runs }.push((*run, now));
        for entry in registrations(records) {
            let known = versions.get(&(entry.name.clone(), entry.digest, entry.at)).copied();
            let now = known.unwrap_or_else(|| match latest.get(&entry.name) {
                Some(last) => last + 1,
                None => entry.version,
            });
            if known.is_none() {
                latest.insert(entry.name.clone(), now);
            }
            if now != entry.version {
                imported.renumbered.push((entry.name.clone(), entry.version, now));
            }
            numbers.versions.insert((entry.name.clone(), entry.version), now);
        }
    }
    if next > LAST_RUN {
        return Err(EngineError::NoNumberLeft { folder: project.run(LAST_RUN) }.into());
    }
    // Bytes first: no journal is there before everything that it names.
    for (digest, path) in &unpacked.artifacts {
        if std::fs::symlink_metadata(project.artifact(digest)).is_err() {
            crate::artifacts::adopt(project, digest, path)?;
            imported.artifacts += 1;
        }
    }
    for (run, now) in &imported.runs {
        let Some(records) = unpacked.runs.get(run) else { continue };
        let records: Vec<Record> = records.iter().map(|record| numbers.renumber(record.clone(), *now)).collect();
        let folder = aside.join(format!("run-{now}"));
        make_folders(&folder)?;
        let path = folder.join("journal");
        seam::write_file(&path, &journal::encode(&records)?)?;
        seam::sync_file(&path)?;
        sync_folder(&folder)?;
        let target = project.run(*now);
        seam::rename(&folder, &target).at("put in place", &target)?;
    }
    sync_folder(&project.runs())?;
    Ok(imported)
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
