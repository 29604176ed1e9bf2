//! Is a node wanted, and is its result known? Identical work is done once, and shared.

use super::{Driver, InFlight, attempt};
use crate::digest::Digest;
use crate::error::EngineError;
use crate::executor::Task;
use crate::fan;
use crate::lookup::Lookup;
use crate::manifest::Manifest;
use crate::outside::GivenFile;
use crate::planner::{Planner, bytes_of};
use crate::record::{Artifact, Failure, Record};
use crate::scheduler::Event;
use crate::verdict::{self, Given, Profile};
use mlp_lang::pipeline::{NodeKind, OutputRef};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Driver {
    /// Everything a node needs ended well: is it wanted, is its result known?
    pub(super) fn check(&mut self, number: usize) -> Result<(), EngineError> {
        let (node, member) = self.part(number);
        if member.is_none() {
            if self.prepared[node].left_out {
                self.events.push_back(Event::Unwanted(node));
                return Ok(());
            }
            let pipeline = self.pipeline.clone();
            if let Some(when) = &pipeline.nodes[node].when
                && verdict::condition(when, self, &pipeline) != Some(true)
            {
                self.events.push_back(Event::Unwanted(node));
                return Ok(());
            }
            if let Some(lookup) = self.prepared[node].lookup.clone() {
                self.read_registry(node, lookup);
                return Ok(());
            }
        }
        let Some(fingerprint) = self.fingerprint(number) else {
            self.is_unknown(number);
            return Ok(());
        };
        if let Some(other) = self.in_flight.get_mut(&fingerprint) {
            other.waiting.push(number);
            return Ok(());
        }
        let planned = member.is_none().then(|| self.prepared[node].action.take()).flatten();
        let action = match planned {
            Some(action) => Some(action),
            None if self.prepared[node].forced => None,
            None => self.planner().reusable(&fingerprint)?,
        };
        match action {
            Some(action) => self.reuse(number, fingerprint, action.run, action.outputs),
            None => {
                self.in_flight.insert(fingerprint, InFlight { by: number, waiting: Vec::new() });
                self.is_unknown(number);
            }
        }
        Ok(())
    }

    /// Which version is meant was decided when the run was planned.
    fn read_registry(&mut self, node: usize, lookup: Lookup) {
        match (lookup, self.prepared[node].action.take()) {
            (Lookup::Found(_), Some(action)) => {
                self.reuse(node, Digest::of(&action.manifest), action.run, action.outputs);
            }
            (Lookup::Absent(why), _) => {
                self.absent.insert(node, why);
                self.events.push_back(Event::Absent(node));
            }
            (Lookup::Wrong(message), _) => {
                let failure = Failure { message, findings: Vec::new(), kind: "registry".to_owned() };
                self.failures.insert(node, (0, failure));
                self.events.push_back(Event::Wrong(node));
            }
            // Whoever found it also made its action.
            (Lookup::Found(_), None) => self.events.push_back(Event::Wrong(node)),
        }
    }

    /// Takes a known result, unless it is a table that no longer satisfies what is expected of it.
    fn reuse(&mut self, number: usize, fingerprint: Digest, from: u64, mut outputs: Vec<Artifact>) {
        let at = self.context.clock.now();
        let (node, _) = self.part(number);
        if let NodeKind::Data(data) = &self.pipeline.clone().nodes[node].kind {
            let profile = outputs.iter().find(|artifact| artifact.output == attempt::PROFILE);
            let profile = profile.and_then(|artifact| self.bytes(artifact));
            let profile = profile.and_then(|bytes| serde_json::from_slice::<Profile>(&bytes).ok());
            let judged = profile.map(|profile| verdict::judge_data(data, &profile, at));
            let Some((passed, verdicts)) = judged else {
                // Its profile cannot be read: make it again.
                self.in_flight.insert(fingerprint, InFlight { by: number, waiting: Vec::new() });
                return self.events.push_back(Event::NotFound(number));
            };
            if !verdicts.is_empty() {
                let verdicts = verdicts.clone();
                self.record(Record::DataJudged { node: self.name(number), passed, verdicts, at });
            }
            if !passed {
                self.failures.insert(number, (0, attempt::not_as_expected(data, &verdicts)));
                return self.events.push_back(Event::Wrong(number));
            }
        }
        self.keep(number, Arc::new(outputs.clone()));
        // The bytes are in the record of the run that made them.
        outputs.iter_mut().for_each(|artifact| artifact.inline = None);
        self.record(Record::NodeReused { node: self.name(number), fingerprint, outputs, from, at });
        self.events.push_back(Event::Found(number));
    }

    /// Its result is not known: it is to be made, and if it stands for many, by them.
    fn is_unknown(&mut self, number: usize) {
        let (node, member) = self.part(number);
        match (&self.pipeline.nodes[node].kind, member) {
            (NodeKind::Fan(fan), None) => {
                let members = fan.values.len() as u32;
                let at = self.context.clock.now();
                self.record(Record::FannedOut { node: self.name(node), members, at });
                self.events.push_back(Event::Expanded { node, members });
            }
            _ => self.events.push_back(Event::NotFound(number)),
        }
    }

    /// Gives a result to the nodes that asked for the same work meanwhile.
    pub(super) fn share(&mut self, number: usize, fingerprint: Digest) {
        let Some(InFlight { waiting, .. }) = self.in_flight.remove(&fingerprint) else { return };
        let outputs = self.outputs.get(number).cloned().flatten().unwrap_or_default();
        for other in waiting {
            self.reuse(other, fingerprint, self.context.run, outputs.to_vec());
        }
    }

    /// A node will not give its result: whoever waits for it has to make it.
    pub(super) fn let_others_try(&mut self, number: usize) {
        let Some(fingerprint) = self.fingerprint(number) else { return };
        if self.in_flight.get(&fingerprint).is_none_or(|it| it.by != number) {
            return;
        }
        let Some(InFlight { mut waiting, .. }) = self.in_flight.remove(&fingerprint) else { return };
        if !waiting.is_empty() {
            let by = waiting.remove(0);
            self.in_flight.insert(fingerprint, InFlight { by, waiting });
            self.is_unknown(by);
        }
    }

    /// What it gave is kept for whoever needs it.
    pub(super) fn keep(&mut self, number: usize, outputs: Arc<Vec<Artifact>>) {
        if self.outputs.len() <= number {
            self.outputs.resize(number + 1, None);
        }
        self.outputs[number] = Some(outputs);
    }

    /// What an executor is given for it, if it is given to one.
    pub(super) fn task(&self, number: usize) -> Option<Task> {
        let (node, member) = self.part(number);
        match (&self.pipeline.nodes[node].kind, member) {
            (NodeKind::Fan(fan), Some(member)) => fan::task(fan, member),
            (kind, _) => Task::of(kind),
        }
    }

    /// What it is given of the project.
    pub(super) fn given_files(&self, number: usize) -> BTreeMap<String, GivenFile> {
        let (node, member) = self.part(number);
        match member {
            Some(member) => self.prepared[node].each.get(member).cloned().unwrap_or_default(),
            None => self.prepared[node].given.clone(),
        }
    }

    pub(super) fn planner(&self) -> Planner<'_> {
        let super::Context { project, store, parts, .. } = self.context.as_ref();
        Planner { project, store, parts, read_only: false }
    }

    pub(super) fn manifest_bytes(&self, number: usize) -> Vec<u8> {
        self.manifest(number).map(|manifest| manifest.bytes()).unwrap_or_default()
    }

    /// `None` for what is decided anew each time, and for a file that cannot be read.
    fn fingerprint(&self, number: usize) -> Option<Digest> {
        self.manifest(number).filter(Manifest::is_complete).map(|manifest| Digest::of(&manifest.bytes()))
    }

    fn manifest(&self, number: usize) -> Option<Manifest> {
        let output = |from: &OutputRef| self.artifact(from.node.index(), &from.output).map(|artifact| artifact.digest);
        match self.part(number) {
            (_, Some(_)) => Some(self.planner().task_manifest(&self.task(number)?, &self.given_files(number), &output)),
            (node, None) => self.planner().manifest(&self.pipeline.nodes[node], &self.prepared[node], &output),
        }
    }
}

impl Given for Driver {
    fn artifact(&self, node: usize, output: &str) -> Option<&Artifact> {
        self.outputs.get(node)?.as_ref()?.iter().find(|artifact| artifact.output == output)
    }

    fn bytes(&self, artifact: &Artifact) -> Option<Vec<u8>> {
        bytes_of(&self.context.project, artifact)
    }

    fn absent(&self, node: usize) -> Option<&str> {
        self.absent.get(&node).map(String::as_str)
    }
}
