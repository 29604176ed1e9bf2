//! What a run does that the outside can see: registering models. And what attempts are given.

use super::{Driver, Task};
use crate::error::EngineError;
use crate::executor::Given as Input;
use crate::record::{ModelVersion, Record};
use crate::scheduler::Event;
use crate::verdict::Given;
use mlp_lang::pipeline::{ModelNode, NodeKind};
use mlp_lang::types::Type;
use std::collections::BTreeMap;

impl Driver {
    /// Writes down which version is to be made, and goes on when that, and with it everything it rests on, is durable.
    /// The store takes the version in with the very same record, so being killed in between registers once.
    pub(super) fn intend(&mut self, node: usize) -> Result<(), EngineError> {
        let pipeline = self.pipeline.clone();
        let NodeKind::Model(model) = &pipeline.nodes[node].kind else {
            return Err(EngineError::Defect(format!("`{}` is no model", self.name(node))));
        };
        let name = self.name(node);
        let at = self.context.clock.now();
        let latest = self.context.store.latest_model(&name)?;
        let Some(entry) = self.entry(node, model, latest.as_ref()) else {
            return Err(EngineError::Defect(format!("`{name}` has no model to register")));
        };
        if let Some(latest) = latest
            && latest.digest == entry.digest
        {
            // Nothing changes outside, so there is nothing to wait for.
            self.intents.insert(node, Record::ModelRegistered { node: name, entry: latest, kept: true, at });
            self.events.push_back(Event::Intended(node));
            return Ok(());
        }
        let record = Record::ModelRegistered { node: name, entry, kept: false, at };
        self.intents.insert(node, record.clone());
        self.record(record);
        self.hand_over();
        let durable = self.journal.barrier();
        self.tasks.spawn(async move { Task::Durable { node, result: durable.await } });
        Ok(())
    }

    /// The version is in the store since its intent was synced; this says so.
    pub(super) fn act(&mut self, node: usize) {
        if let Some(record) = self.intents.remove(&node) {
            self.record(record);
        }
        self.events.push_back(Event::Succeeded(node));
    }

    fn entry(&self, node: usize, model: &ModelNode, latest: Option<&ModelVersion>) -> Option<ModelVersion> {
        let artifact = self.artifact(model.source.node.index(), &model.source.output)?;
        let (module, component) = match &self.pipeline.nodes[model.source.node.index()].kind {
            NodeKind::Step(step) => (step.module.clone(), step.digest.clone()),
            _ => (String::new(), String::new()),
        };
        let gate = |gate: &mlp_lang::pipeline::NodeId| {
            let verdicts = self.verdicts.get(&gate.index()).cloned().unwrap_or_default();
            (self.name(gate.index()), verdicts)
        };
        Some(ModelVersion {
            name: self.name(node),
            version: latest.map_or(0, |latest| latest.version) + 1,
            digest: artifact.digest,
            flavor: artifact.meta.flavor.clone().unwrap_or_else(|| model.flavor.clone()),
            features: artifact.meta.features.clone(),
            pipeline: self.pipeline.name.clone(),
            run: self.context.run,
            source: format!("{}.{}", self.name(model.source.node.index()), model.source.output),
            module,
            component,
            gates: model.gates.iter().map(gate).collect(),
            card: model.card.iter().map(|(key, text)| (key.clone(), text.clone())).collect(),
            at: self.context.clock.now(),
        })
    }

    /// The files a step reads.
    pub(super) fn inputs(&self, node: usize) -> Result<BTreeMap<String, Input>, EngineError> {
        let NodeKind::Step(step) = &self.pipeline.nodes[node].kind else { return Ok(BTreeMap::new()) };
        let given = step.inputs.iter().map(|(name, from)| {
            let artifact = self
                .artifact(from.node.index(), &from.output)
                .ok_or_else(|| EngineError::Defect(format!("input `{name}` of `{}` was not made", self.name(node))))?;
            let ty = match &self.pipeline.nodes[from.node.index()].kind {
                NodeKind::Step(maker) => maker.outputs.get(&from.output).cloned().unwrap_or(Type::Unknown),
                NodeKind::Data(data) => Type::Dataset(data.schema.clone()),
                _ => Type::Unknown,
            };
            let path = self.context.project.artifact(&artifact.digest);
            Ok((name.clone(), Input { path, ty, meta: artifact.meta.clone() }))
        });
        given.collect()
    }
}
