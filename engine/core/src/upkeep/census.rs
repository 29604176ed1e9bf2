//! What the journals say of artifacts: which there should be, and who rests on them.

use crate::digest::Digest;
use crate::error::EngineError;
use crate::journal::{JournalError, Past};
use crate::project::Project;
use crate::record::{Artifact, Millis, ModelVersion, Outcome, Record};
use std::collections::{BTreeMap, BTreeSet};

/// An artifact that a durable record names.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// In bytes.
    pub size: u64,
    /// Its bytes are in a record, too.
    pub inline: bool,
    /// The first that gave it: run, node, output.
    pub by: (u64, String, String),
}

/// One run, as far as its artifacts go.
#[derive(Clone, Debug)]
pub(super) struct RunFacts {
    pub run: u64,
    pub pipeline: String,
    /// When the last thing in it happened.
    pub last: Millis,
    pub outcome: Option<Outcome>,
    /// Everything it gave, made or reused.
    pub reaches: BTreeSet<Digest>,
}

/// What all journals say.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub named: BTreeMap<Digest, Named>,
    pub runs: Vec<RunFacts>,
    /// By name and version.
    pub models: BTreeMap<(String, u64), ModelVersion>,
    /// Those that cannot be read.
    pub unreadable: Vec<(Option<u64>, JournalError)>,
    /// Those with a torn end.
    pub torn: Vec<u64>,
}

/// Reads every journal.
pub(super) fn census(project: &Project) -> Result<Census, EngineError> {
    let mut census = Census::default();
    let past = Past::of(project);
    census.unreadable.extend(past.damaged()?.into_iter().map(|error| (None, error)));
    for run in past.runs()? {
        match past.read(run) {
            Ok(read) => {
                if read.torn {
                    census.torn.push(run);
                }
                census.take(run, &read.records);
            }
            Err(error) if error.is_missing() => {}
            Err(error) => census.unreadable.push((Some(run), error)),
        }
    }
    Ok(census)
}

impl Census {
    fn take(&mut self, run: u64, records: &[Record]) {
        let mut facts = RunFacts { run, pipeline: String::new(), last: 0, outcome: None, reaches: BTreeSet::new() };
        for record in records {
            match record {
                Record::RunStarted(started) => {
                    facts.pipeline.clone_from(&started.pipeline);
                    facts.last = started.at;
                }
                Record::NodeReused { node, outputs, at, .. } | Record::NodeDone { node, outputs, at, .. } => {
                    facts.last = *at;
                    facts.reaches.extend(outputs.iter().map(|artifact| artifact.digest));
                    outputs.iter().for_each(|artifact| self.name(run, node, artifact));
                }
                Record::ModelRegistered { entry, kept: false, at, .. } => {
                    facts.last = *at;
                    self.models.entry((entry.name.clone(), entry.version)).or_insert_with(|| entry.clone());
                }
                Record::RunEnded { outcome, at } => {
                    facts.last = *at;
                    facts.outcome = Some(*outcome);
                }
                Record::NodeStarted { .. }
                | Record::NodeFailed { .. }
                | Record::FannedOut { .. }
                | Record::Asked { .. }
                | Record::Answered { .. }
                | Record::NodeSkipped { .. }
                | Record::GateJudged { .. }
                | Record::DataJudged { .. }
                | Record::ModelRegistered { .. }
                | Record::ModelBlocked { .. }
                | Record::DeployRequested { .. }
                | Record::DeployBlocked { .. }
                | Record::CancelRequested { .. } => {}
            }
        }
        if !records.is_empty() {
            self.runs.push(facts);
        }
    }

    fn name(&mut self, run: u64, node: &str, artifact: &Artifact) {
        let inline = artifact.inline.is_some();
        let by = || (run, node.to_owned(), artifact.output.clone());
        let named =
            self.named.entry(artifact.digest).or_insert_with(|| Named { size: artifact.size, inline, by: by() });
        named.inline |= inline;
    }

    /// The last `count` runs of each pipeline.
    pub fn last_of_each(&self, count: usize) -> BTreeSet<u64> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let mut last = BTreeSet::new();
        for facts in self.runs.iter().rev() {
            let seen = seen.entry(&facts.pipeline).or_default();
            *seen += 1;
            if *seen <= count {
                last.insert(facts.run);
            }
        }
        last
    }
}
