//! Writing the file.

use super::{Contents, Part, TransferError, artifact_path};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::{self, At, hash_file, seam, sync_folder};
use crate::journal::{self, Past};
use crate::project::Project;
use crate::record::{Artifact, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

/// Bytes that are written at once.
pub(super) const AT_ONCE: usize = 256 << 10;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// The runs, by their numbers here.
    pub runs: Vec<u64>,
    /// Runs that have not ended, and were left out.
    pub unended: Vec<u64>,
    /// How many artifacts.
    pub artifacts: usize,
    /// How many artifacts were not there any more.
    pub left_out: usize,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// Writes history to a new file: these runs (none named: all) and those whose results they reused. Takes no lock and works
/// beside a live run, which is left out like any that has not ended.
pub fn export(project: &Project, wanted: &[u64], to: &Path) -> Result<Exported, TransferError> {
    if to.symlink_metadata().is_ok() {
        return Err(TransferError::Exists { path: to.to_owned() });
    }
    let past = Past::of(project);
    if let Some(error) = past.damaged()?.into_iter().next() {
        return Err(error.into());
    }
    let Chosen { runs, unended } = choose(&past, wanted)?;
    if runs.is_empty() {
        return Err(TransferError::Nothing);
    }
    let mut contents = Contents::of(SystemClock.now());
    let mut journals = Vec::new();
    let mut reached: BTreeMap<Digest, bool> = BTreeMap::new();
    for (run, records) in &runs {
        let bytes = journal::encode(records)?;
        contents.runs.push(Part {
            path: format!("runs/{run:06}/journal"),
            digest: Digest::of(&bytes).to_string(),
            size: bytes.len() as u64,
        });
        journals.push(bytes);
        for artifact in records.iter().flat_map(outputs) {
            *reached.entry(artifact.digest).or_default() |= artifact.inline.is_some();
        }
    }
    for (digest, inline) in reached {
        let path = project.artifact(&digest);
        let Ok(meta) = std::fs::metadata(&path) else {
            // A small one travels in its record.
            contents.left_out.extend((!inline).then(|| digest.to_string()));
            continue;
        };
        if hash_file(&path)?.0 != digest {
            return Err(TransferError::Damaged { path });
        }
        contents.artifacts.push(Part { path: artifact_path(&digest), digest: digest.to_string(), size: meta.len() });
    }
    let aside = to.with_added_extension("mlp-part");
    // A leftover of one that was killed.
    disk::remove_tree(&aside)?;
    let written = write(project, &contents, &journals, &aside).and_then(|bytes| {
        seam::rename(&aside, to).at("put in place", to)?;
        Ok(bytes)
    });
    if written.is_err() {
        // Half a file helps nobody; why it is half matters more than that it stays.
        let _ = std::fs::remove_file(&aside);
    }
    let bytes = written?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        sync_folder(folder)?;
    }
    Ok(Exported {
        runs: runs.into_keys().collect(),
        unended,
        artifacts: contents.artifacts.len(),
        left_out: contents.left_out.len(),
        bytes,
    })
}

fn write(project: &Project, contents: &Contents, journals: &[Vec<u8>], aside: &Path) -> Result<u64, TransferError> {
    let mut out = tar::Builder::new(BufWriter::with_capacity(AT_ONCE, seam::NewFile::create(aside)?));
    let manifest = serde_json::to_vec_pretty(contents).map_err(io::Error::from).at("write", aside)?;
    put(&mut out, "manifest.json", manifest.len() as u64, &*manifest).at("write", aside)?;
    for (part, bytes) in contents.runs.iter().zip(journals) {
        put(&mut out, &part.path, part.size, &**bytes).at("write", aside)?;
    }
    for part in &contents.artifacts {
        let path = project.state.join(&part.path);
        let file = File::open(&path).at("open", &path)?;
        put(&mut out, &part.path, part.size, file).at("write", aside)?;
    }
    out.into_inner().and_then(|mut file| file.flush()).at("write", aside)?;
    seam::sync_file(aside)?;
    Ok(std::fs::metadata(aside).at("look at", aside)?.len())
}

/// Adds a file, which has this many bytes.
fn put(out: &mut tar::Builder<impl Write>, name: &str, size: u64, content: impl Read) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o444);
    header.set_size(size);
    let mut content = content.take(size);
    out.append_data(&mut header, name, &mut content)?;
    match content.limit() {
        0 => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{name} is shorter than it was"))),
    }
}

/// What is taken along.
struct Chosen {
    runs: BTreeMap<u64, Vec<Record>>,
    unended: Vec<u64>,
}

/// The records of the runs that are wanted, with those that they rest on; of runs that have ended.
fn choose(past: &Past, wanted: &[u64]) -> Result<Chosen, TransferError> {
    let mut all: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
    let mut unended = Vec::new();
    for run in past.runs()? {
        match past.read(run) {
            Ok(read) if matches!(read.records.last(), Some(Record::RunEnded { .. })) => {
                all.insert(run, read.records);
            }
            Ok(_) => unended.push(run),
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
    }
    if wanted.is_empty() {
        return Ok(Chosen { runs: all, unended });
    }
    for run in wanted {
        if unended.contains(run) {
            return Err(TransferError::NotEnded { run: *run });
        }
        if !all.contains_key(run) {
            return Err(crate::error::EngineError::UnknownRun { wanted: run.to_string() }.into());
        }
    }
    let mut taken = BTreeSet::new();
    let mut open = wanted.to_vec();
    while let Some(run) = open.pop() {
        let Some(records) = all.get(&run).filter(|_| taken.insert(run)) else { continue };
        open.extend(records.iter().filter_map(|record| match record {
            Record::NodeReused { from, .. } => Some(*from),
            Record::ModelRegistered { entry, .. } => Some(entry.run),
            _ => None,
        }));
    }
    all.retain(|run, _| taken.contains(run));
    Ok(Chosen { runs: all, unended: Vec::new() })
}

/// What a record says that a node gave.
pub(super) fn outputs(record: &Record) -> &[Artifact] {
    match record {
        Record::NodeDone { outputs, .. } | Record::NodeReused { outputs, .. } => outputs,
        _ => &[],
    }
}
