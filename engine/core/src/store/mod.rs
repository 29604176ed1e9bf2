//! What is true now, derived from the journals.
//!
//! Owns: the action cache, the last work of each node, the registry, how far each journal was taken in, and two caches of
//! observations (stamps of files). Must never know: how records came about.
//!
//! ```text
//! journal -- synced batch --> Store::apply -> keys -> planner, registry
//! ```
//!
//! Invariants: nothing durable is here that the journals do not say, so the store can be thrown away and rebuilt from
//! them ([`Store::apply`] is the only way in for facts). Applying a record twice changes nothing. Observations (kinds
//! [`Kind::File`], and the stamp in [`Kind::Artifact`]) may be lost at any time and cost one reading of the file; so may
//! [`Kind::Gone`], at the cost of a number that people have seen before.

mod keys;
mod sled_keys;

pub use keys::{Batch, Keys, MemoryKeys, Pair, StoreError};
pub use sled_keys::SledKeys;

use crate::digest::Digest;
use crate::disk::Stamp;
use crate::record::{Artifact, Millis, ModelVersion, Outcome, Question, Record};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Version of the keys and values. A store of another version is rebuilt.
const SCHEMA: u32 = 3;

/// First byte of each key. Never reuse one for something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// -> [`SCHEMA`]
    Schema = 1,
    /// fingerprint -> [`Action`]
    Action = 2,
    /// pipeline, 0, node -> fingerprint of what it last ran or was reused as
    Last = 3,
    /// model, 0, version -> [`ModelVersion`]
    Model = 4,
    /// run -> [`Applied`]
    Applied = 5,
    /// path -> (stamp, digest) of a file from outside
    File = 6,
    /// digest -> stamp of the published file when it was last known to be right, if ever
    Artifact = 7,
    /// run -> its pipeline's name
    Pipeline = 8,
    /// -> the highest number of a run whose journal is gone: it is not given out again
    Gone = 9,
    /// pipeline, 0, gate -> [`Question`] that it asked last
    Question = 10,
}

/// A remembered result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The run that made it.
    pub run: u64,
    /// When.
    pub at: Millis,
    /// What it gave.
    pub outputs: Vec<Artifact>,
    /// What it depended on: the bytes whose digest is the key.
    pub manifest: Vec<u8>,
}

/// How far a journal was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The number of records.
    pub records: u64,
    /// The length of the journal behind them. A file that is shorter lost something that was taken in.
    pub bytes: u64,
    /// How the run ended, if it did.
    pub outcome: Option<Outcome>,
}

/// The state of a project.
pub struct Store {
    keys: Box<dyn Keys>,
}

impl Store {
    /// Over these keys.
    pub fn new(keys: impl Keys + 'static) -> Store {
        Store { keys: Box::new(keys) }
    }

    /// Whether the keys are of this version; an empty store is made so.
    pub fn is_current(&self) -> Result<bool, StoreError> {
        match self.get::<u32>(&key(Kind::Schema, &[]))? {
            Some(version) => Ok(version == SCHEMA),
            None if self.keys.is_empty()? => {
                let mut batch = Batch::default();
                put(&mut batch, key(Kind::Schema, &[]), &SCHEMA)?;
                self.keys.apply(batch)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Takes in records of a run, of which the first has this number, at once; behind the last of them its journal is
    /// this long. Stamps are left unknown.
    pub fn apply(&self, run: u64, first: u64, bytes: u64, records: &[Record]) -> Result<(), StoreError> {
        self.apply_each(run, first, bytes, records.iter().map(|record| (record, &[] as &[_])))
    }

    /// The same, with the stamps of the artifacts that each record published.
    pub(crate) fn apply_each<'a>(
        &self,
        run: u64,
        first: u64,
        bytes: u64,
        records: impl Iterator<Item = (&'a Record, &'a [(Digest, Stamp)])>,
    ) -> Result<(), StoreError> {
        let applied_key = key(Kind::Applied, &run.to_be_bytes());
        let mut applied: Applied = self.get(&applied_key)?.unwrap_or_default();
        let pipeline_key = key(Kind::Pipeline, &run.to_be_bytes());
        let mut pipeline: Option<String> = None;
        let mut batch = Batch::default();
        let mut count = first;
        for (record, stamps) in records {
            count += 1;
            match record {
                Record::RunStarted(started) => {
                    put(&mut batch, pipeline_key.clone(), &started.pipeline)?;
                    pipeline = Some(started.pipeline.clone());
                }
                Record::NodeReused { node, fingerprint, .. } => {
                    let pipeline = self.pipeline_of(&mut pipeline, &pipeline_key)?;
                    self.put_last(&mut batch, &pipeline, node, fingerprint)?;
                }
                Record::NodeDone { node, fingerprint, manifest, outputs, at, .. } => {
                    let pipeline = self.pipeline_of(&mut pipeline, &pipeline_key)?;
                    self.put_last(&mut batch, &pipeline, node, fingerprint)?;
                    for output in outputs {
                        let stamp = stamps.iter().find(|(digest, _)| *digest == output.digest).map(|(_, stamp)| *stamp);
                        let artifact = key(Kind::Artifact, &output.digest.0);
                        if stamp.is_some() || self.keys.get(&artifact)?.is_none() {
                            put(&mut batch, artifact, &stamp)?;
                        }
                    }
                    let action = Action { run, at: *at, outputs: outputs.clone(), manifest: manifest.clone() };
                    put(&mut batch, key(Kind::Action, &fingerprint.0), &action)?;
                }
                Record::Asked { node, question, .. } => {
                    let pipeline = self.pipeline_of(&mut pipeline, &pipeline_key)?;
                    put(&mut batch, question_key(&pipeline, node), question)?;
                }
                Record::ModelRegistered { entry, kept: false, .. } => {
                    put(&mut batch, model_key(&entry.name, entry.version), entry)?;
                }
                Record::RunEnded { outcome, .. } => applied.outcome = Some(*outcome),
                Record::ModelRegistered { .. }
                | Record::Answered { .. }
                | Record::NodeStarted { .. }
                | Record::FannedOut { .. }
                | Record::NodeFailed { .. }
                | Record::NodeSkipped { .. }
                | Record::GateJudged { .. }
                | Record::DataJudged { .. }
                | Record::ModelBlocked { .. }
                | Record::DeployRequested { .. }
                | Record::DeployBlocked { .. }
                | Record::CancelRequested { .. } => {}
            }
        }
        applied.records = applied.records.max(count);
        applied.bytes = applied.bytes.max(bytes);
        put(&mut batch, applied_key, &applied)?;
        self.keys.apply(batch)
    }

    /// The remembered result of this work.
    pub fn action(&self, fingerprint: &Digest) -> Result<Option<Action>, StoreError> {
        self.get(&key(Kind::Action, &fingerprint.0))
    }

    /// What a node of this name last was, in a pipeline of this name.
    pub fn last(&self, pipeline: &str, node: &str) -> Result<Option<Digest>, StoreError> {
        self.get(&last_key(pipeline, node))
    }

    /// What a gate asked people last.
    pub fn question(&self, pipeline: &str, gate: &str) -> Result<Option<Question>, StoreError> {
        self.get(&question_key(pipeline, gate))
    }

    /// The latest version of a model.
    pub fn latest_model(&self, name: &str) -> Result<Option<ModelVersion>, StoreError> {
        let prefix = key(Kind::Model, &[name.as_bytes(), &[0]].concat());
        match self.keys.scan(&prefix)?.pop() {
            Some((key, value)) => decode(&key, &value).map(Some),
            None => Ok(None),
        }
    }

    /// One version of a model.
    pub(crate) fn model(&self, name: &str, version: u64) -> Result<Option<ModelVersion>, StoreError> {
        self.get(&model_key(name, version))
    }

    /// Every version of a model, in order.
    pub(crate) fn versions(&self, name: &str) -> Result<Vec<ModelVersion>, StoreError> {
        let prefix = key(Kind::Model, &[name.as_bytes(), &[0]].concat());
        self.keys.scan(&prefix)?.iter().map(|(key, value)| decode(key, value)).collect()
    }

    /// How far the journal of each run was taken in.
    pub fn applied(&self) -> Result<std::collections::BTreeMap<u64, Applied>, StoreError> {
        let mut applied = std::collections::BTreeMap::new();
        for (key, value) in self.keys.scan(&[Kind::Applied as u8])? {
            let run = key.get(1..).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
            let run = run.ok_or_else(|| StoreError::Corrupt { key: hex(&key), why: "is not a run".to_owned() })?;
            applied.insert(run, decode(&key, &value)?);
        }
        Ok(applied)
    }

    /// The highest number that was ever given to a run, as far as is known; 0 if none was.
    pub(crate) fn last_run(&self) -> Result<u64, StoreError> {
        let gone: Option<u64> = self.get(&key(Kind::Gone, &[]))?;
        Ok(self.applied()?.last_key_value().map_or(0, |(run, _)| *run).max(gone.unwrap_or(0)))
    }

    /// Remembers that numbers up to this one were given out, whatever is left of those runs.
    pub(crate) fn keep_numbers(&self, up_to: u64) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        put(&mut batch, key(Kind::Gone, &[]), &up_to)?;
        self.keys.apply(batch)
    }

    /// The last run of this pipeline, if it was killed.
    pub fn interrupted(&self, pipeline: &str) -> Result<Option<u64>, StoreError> {
        for (run, applied) in self.applied()?.into_iter().rev() {
            let of: Option<String> = self.get(&key(Kind::Pipeline, &run.to_be_bytes()))?;
            if of.as_deref() == Some(pipeline) {
                return Ok((applied.outcome == Some(Outcome::Interrupted)).then_some(run));
            }
        }
        Ok(None)
    }

    /// The digest of a file from outside, if it was read before and has not changed since.
    pub(crate) fn file(&self, path: &Path, stamp: &Stamp) -> Result<Option<Digest>, StoreError> {
        let known: Option<(Stamp, Digest)> = self.get(&file_key(path))?;
        Ok(known.filter(|(then, _)| then == stamp).map(|(_, digest)| digest))
    }

    pub(crate) fn remember_file(&self, path: &Path, stamp: &Stamp, digest: &Digest) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        put(&mut batch, file_key(path), &(*stamp, *digest))?;
        self.keys.apply(batch)
    }

    /// The stamp a published file had when its bytes were last known to be right. `Some(None)`: it is referenced, but
    /// was not looked at. `None`: no synced record names it.
    pub(crate) fn artifact(&self, digest: &Digest) -> Result<Option<Option<Stamp>>, StoreError> {
        self.get(&key(Kind::Artifact, &digest.0))
    }

    /// Every artifact that a synced record names.
    pub(crate) fn artifacts(&self) -> Result<Vec<Digest>, StoreError> {
        let keys = self.keys.scan(&[Kind::Artifact as u8])?;
        Ok(keys.iter().filter_map(|(key, _)| key.get(1..)?.try_into().ok().map(Digest)).collect())
    }

    pub(crate) fn remember_artifact(&self, digest: &Digest, stamp: &Stamp) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        put(&mut batch, key(Kind::Artifact, &digest.0), &Some(*stamp))?;
        self.keys.apply(batch)
    }

    /// Every fact in it, in the order of the keys, observations left out: equal for equal journals.
    pub fn facts(&self) -> Result<Vec<Pair>, StoreError> {
        let mut facts = self.keys.scan(&[])?;
        facts.retain(|(key, _)| key.first() != Some(&(Kind::File as u8)));
        for (key, value) in &mut facts {
            if key.first() == Some(&(Kind::Artifact as u8)) {
                value.clear();
            }
        }
        Ok(facts)
    }

    fn pipeline_of(&self, known: &mut Option<String>, key: &[u8]) -> Result<String, StoreError> {
        if known.is_none() {
            *known = Some(self.get(key)?.unwrap_or_default());
        }
        Ok(known.clone().unwrap_or_default())
    }

    /// Most runs change nothing here, and reading is cheaper than writing.
    fn put_last(&self, batch: &mut Batch, pipeline: &str, node: &str, now: &Digest) -> Result<(), StoreError> {
        let key = last_key(pipeline, node);
        match self.get::<Digest>(&key)? {
            Some(last) if last == *now => Ok(()),
            _ => put(batch, key, now),
        }
    }

    fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.keys.get(key)?.map(|value| decode(key, &value)).transpose()
    }
}

fn put<T: Serialize>(batch: &mut Batch, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
    let value = postcard::to_stdvec(value)
        .map_err(|error| StoreError::Corrupt { key: hex(&key), why: format!("cannot be encoded: {error}") })?;
    batch.put(key, value);
    Ok(())
}

fn decode<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(value)
        .map_err(|error| StoreError::Corrupt { key: hex(key), why: format!("makes no sense: {error}") })
}

fn key(kind: Kind, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + rest.len());
    key.push(kind as u8);
    key.extend_from_slice(rest);
    key
}

fn question_key(pipeline: &str, gate: &str) -> Vec<u8> {
    key(Kind::Question, &[pipeline.as_bytes(), &[0], gate.as_bytes()].concat())
}

fn last_key(pipeline: &str, node: &str) -> Vec<u8> {
    key(Kind::Last, &[pipeline.as_bytes(), &[0], node.as_bytes()].concat())
}

fn model_key(name: &str, version: u64) -> Vec<u8> {
    key(Kind::Model, &[name.as_bytes(), &[0], &version.to_be_bytes()].concat())
}

fn file_key(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    key(Kind::File, path.as_os_str().as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
