//! What a run does that the outside can see: registering models, requesting deployments. And what attempts are given.

use super::{Driver, Task};
use crate::error::EngineError;
use crate::executor::{Given as Input, Task as Work};
use crate::lookup::Lookup;
use crate::record::{Millis, ModelVersion, Record};
use crate::scheduler::Event;
use crate::verdict::Given;
use mlp_lang::live::DeployNode;
use mlp_lang::pipeline::{ModelNode, NodeKind, OutputRef};
use mlp_lang::types::Type;
use mlp_lang::work::ProgramInput;
use std::collections::BTreeMap;

impl Driver {
    /// Writes down which version is to be made, and goes on when that, and with it everything it rests on, is durable.
    /// The store takes the version in with the very same record, so being killed in between registers once.
    pub(super) fn intend(&mut self, node: usize) -> Result<(), EngineError> {
        let pipeline = self.pipeline.clone();
        let model = match &pipeline.nodes[node].kind {
            NodeKind::Model(model) => model,
            NodeKind::Deploy(deploy) => return self.request(node, deploy),
            _ => return Err(EngineError::Defect(format!("`{}` has no effect", self.name(node)))),
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
        let entry_digest = entry.digest;
        let record = Record::ModelRegistered { node: name, entry, kept: false, at };
        // From now on others read the version by its name alone, so even a small one does not rest on its record.
        let file = self.context.project.artifact(&entry_digest);
        self.intents.insert(node, record.clone());
        self.record_with(record, vec![file], Vec::new());
        self.wait_until_durable(node);
        Ok(())
    }

    /// Writes down that the version is to be deployed. The record is the request: whoever serves reads it here.
    fn request(&mut self, node: usize, deploy: &DeployNode) -> Result<(), EngineError> {
        let (name, model) = (self.name(node), self.name(deploy.model.index()));
        let registered = self.view.models.iter().find(|known| known.node == model && known.complete);
        let Some(entry) = registered.map(|known| known.entry.clone()) else {
            return Err(EngineError::Defect(format!("`{model}` is to be deployed as `{name}` and is not registered")));
        };
        let at = self.context.clock.now();
        self.record(Record::DeployRequested { node: name, model: entry.name, version: entry.version, at });
        self.wait_until_durable(node);
        Ok(())
    }

    fn wait_until_durable(&mut self, node: usize) {
        self.hand_over();
        let durable = self.journal.barrier();
        self.tasks.spawn(async move { Task::Durable { node, result: durable.await } });
    }

    /// These said no: gates to a model, or what it deploys to a deployment, which is told the gates behind that.
    pub(super) fn block(&mut self, node: usize, by: &[usize], at: Millis) {
        let name = self.name(node);
        let mut gates: Vec<String> = Vec::new();
        for no in by {
            let behind = self.blocked_by.get(no).cloned().unwrap_or_else(|| vec![self.name(*no)]);
            gates.extend(behind.into_iter().filter(|gate| !gates.contains(gate)).collect::<Vec<_>>());
        }
        self.blocked_by.insert(node, gates.clone());
        self.record(match self.pipeline.nodes[node].kind {
            NodeKind::Deploy(_) => Record::DeployBlocked { node: name, gates, at },
            _ => Record::ModelBlocked { node: name, gates, at },
        });
    }

    /// The version is in the store since its intent was synced; this says so. A request needs no more words.
    pub(super) fn act(&mut self, node: usize) {
        if let Some(record) = self.intents.remove(&node) {
            self.record(record);
        }
        self.events.push_back(Event::Succeeded(node));
    }

    fn entry(&self, node: usize, model: &ModelNode, latest: Option<&ModelVersion>) -> Option<ModelVersion> {
        let artifact = self.artifact(model.source.node.index(), &model.source.output)?;
        let (module, component) = self.maker(model.source.node.index());
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

    /// The module and the component that made what a node gives.
    fn maker(&self, node: usize) -> (String, String) {
        match (&self.pipeline.nodes[node].kind, &self.prepared[node].lookup) {
            (NodeKind::Step(step), _) => (step.module.clone(), step.digest.clone()),
            (_, Some(Lookup::Found(entry))) => (entry.module.clone(), entry.component.clone()),
            _ => (String::new(), String::new()),
        }
    }

    /// The files a step reads.
    pub(super) fn inputs(&self, node: usize) -> Result<BTreeMap<String, Input>, EngineError> {
        if let NodeKind::Program(program) = &self.pipeline.nodes[node].kind {
            let mut given = self.given(
                node,
                program.inputs.iter().filter_map(|(name, input)| match input {
                    ProgramInput::Output { from, .. } => Some((name, from)),
                    ProgramInput::File(_) | ProgramInput::Folder(_) => None,
                }),
            )?;
            for (name, input) in &program.inputs {
                match (input, self.prepared[node].given.get(name)) {
                    (ProgramInput::Output { ty, .. }, _) => {
                        if let Some(given) = given.get_mut(name) {
                            given.ty = ty.clone();
                        }
                    }
                    (ProgramInput::File(_) | ProgramInput::Folder(_), Some(file)) => {
                        let ty = if file.is_folder { Type::Folder } else { Type::File };
                        given.insert(name.clone(), Input { path: file.path.clone(), ty, meta: Default::default() });
                    }
                    // Whoever planned it looked at them all.
                    (ProgramInput::File(_) | ProgramInput::Folder(_), None) => {}
                }
            }
            return Ok(given);
        }
        let NodeKind::Step(step) = &self.pipeline.nodes[node].kind else { return Ok(BTreeMap::new()) };
        self.given(node, step.inputs.iter())
    }

    fn given<'a>(
        &self,
        node: usize,
        inputs: impl Iterator<Item = (&'a String, &'a OutputRef)>,
    ) -> Result<BTreeMap<String, Input>, EngineError> {
        let given = inputs.map(|(name, from)| {
            let artifact = self
                .artifact(from.node.index(), &from.output)
                .ok_or_else(|| EngineError::Defect(format!("input `{name}` of `{}` was not made", self.name(node))))?;
            let ty = match &self.pipeline.nodes[from.node.index()].kind {
                NodeKind::Data(data) => Type::Dataset(data.schema.clone()),
                NodeKind::Registry(registry) => Type::Model(registry.flavor.clone()),
                maker => {
                    let task = Work::of(maker);
                    task.and_then(|task| task.outputs().get(&from.output).cloned()).unwrap_or(Type::Unknown)
                }
            };
            let path = self.context.project.artifact(&artifact.digest);
            Ok((name.clone(), Input { path, ty, meta: artifact.meta.clone() }))
        });
        given.collect()
    }
}
