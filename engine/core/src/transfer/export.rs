//! Writing the file.

use super::{Contents, Part, TransferError, artifact_path, tar};
use crate::clock::{Clock, SystemClock};
use crate::digest::Digest;
use crate::disk::{At, hash_file, seam, sync_folder};
use crate::journal::{self, Past};
use crate::project::Project;
use crate::record::{Artifact, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// What is to be taken along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything.
    All,
    /// A run, and those whose results it reused.
    Run(u64),
    /// A model's lineage: the run that registered this version (the latest if none is named), and those whose results that
    /// run reused.
    Model(String, Option<u64>),
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    /// The runs, by their numbers here.
    pub runs: Vec<u64>,
    /// How many artifacts.
    pub artifacts: usize,
    /// How many artifacts were not there any more.
    pub left_out: usize,
    /// Length of the file in bytes.
    pub bytes: u64,
}

/// Writes history to a new file. Takes no lock and works beside a live run, which is left out like any that has not ended.
pub fn export(project: &Project, wanted: &Wanted, to: &Path) -> Result<Exported, TransferError> {
    if to.symlink_metadata().is_ok() {
        return Err(TransferError::Exists { path: to.to_owned() });
    }
    let past = Past::of(project);
    if let Some(error) = past.damaged()?.into_iter().next() {
        return Err(error.into());
    }
    let runs = choose(&past, wanted)?;
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
    let aside = to.with_extension("mlp-part");
    let bytes = match write(project, &contents, &journals, &aside) {
        Ok(bytes) => bytes,
        Err(error) => {
            // Half a file helps nobody; why it is half matters more than that it stays.
            let _ = std::fs::remove_file(&aside);
            return Err(error);
        }
    };
    // Unlike a rename this never replaces what somebody put there meanwhile.
    std::fs::hard_link(&aside, to).at("put in place", to)?;
    std::fs::remove_file(&aside).at("remove", &aside)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        sync_folder(folder)?;
    }
    Ok(Exported {
        runs: runs.into_keys().collect(),
        artifacts: contents.artifacts.len(),
        left_out: contents.left_out.len(),
        bytes,
    })
}

fn write(project: &Project, contents: &Contents, journals: &[Vec<u8>], aside: &Path) -> Result<u64, TransferError> {
    let mut out = BufWriter::new(File::create(aside).at("write", aside)?);
    let mut put = |name: &str, bytes: &[u8]| tar::write(&mut out, name, bytes.len() as u64, &mut &*bytes);
    let manifest = serde_json::to_vec_pretty(contents).map_err(std::io::Error::from).at("write", aside)?;
    put("manifest.json", &manifest).at("write", aside)?;
    for (part, bytes) in contents.runs.iter().zip(journals) {
        put(&part.path, bytes).at("write", aside)?;
    }
    for part in &contents.artifacts {
        let path = project.state.join(&part.path);
        let mut file = File::open(&path).at("open", &path)?;
        tar::write(&mut out, &part.path, part.size, &mut file).at("write", aside)?;
    }
    tar::finish(&mut out).and_then(|()| out.flush()).at("write", aside)?;
    seam::sync_file(aside)?;
    Ok(std::fs::metadata(aside).at("look at", aside)?.len())
}

/// The records of the runs that are wanted, with those that they rest on; of runs that have ended.
fn choose(past: &Past, wanted: &Wanted) -> Result<BTreeMap<u64, Vec<Record>>, TransferError> {
    let mut all: BTreeMap<u64, Vec<Record>> = BTreeMap::new();
    for run in past.runs()? {
        match past.read(run) {
            Ok(read) if matches!(read.records.last(), Some(Record::RunEnded { .. })) => {
                all.insert(run, read.records);
            }
            Ok(_) => {}
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let registered = |name: &str, version: Option<u64>| {
        let entries = all.values().flatten().filter_map(|record| match record {
            Record::ModelRegistered { entry, kept: false, .. } => Some(entry),
            _ => None,
        });
        let fits = entries.filter(|entry| entry.name == name && version.is_none_or(|wanted| wanted == entry.version));
        fits.max_by_key(|entry| entry.version).map(|entry| entry.run)
    };
    let first = match wanted {
        Wanted::All => return Ok(all),
        Wanted::Run(run) => *run,
        Wanted::Model(name, version) => registered(name, *version)
            .ok_or_else(|| crate::error::EngineError::UnknownModel { name: name.clone(), version: *version })?,
    };
    let mut taken = BTreeSet::new();
    let mut open = vec![first];
    while let Some(run) = open.pop() {
        if !all.contains_key(&run) || !taken.insert(run) {
            continue;
        }
        open.extend(all[&run].iter().filter_map(|record| match record {
            Record::NodeReused { from, .. } => Some(*from),
            Record::ModelRegistered { entry, .. } => Some(entry.run),
            _ => None,
        }));
    }
    if taken.is_empty() {
        return Err(crate::error::EngineError::UnknownRun { wanted: first.to_string() }.into());
    }
    all.retain(|run, _| taken.contains(run));
    Ok(all)
}

/// What a record says that a node gave.
pub(super) fn outputs(record: &Record) -> &[Artifact] {
    match record {
        Record::NodeDone { outputs, .. } | Record::NodeReused { outputs, .. } => outputs,
        _ => &[],
    }
}
