//! Decides for each node, in order, whether its result is known, and if not says why.
//!
//! The same code answers `mlp plan`, prepares a run, and (through [`Planner::manifest`]) decides during a run about nodes
//! whose inputs were only then made. It reads the store; it never reads a clock.

use crate::aliases::Aliases;
use crate::artifacts;
use crate::canonical;
use crate::digest::Digest;
use crate::driver::{PROFILE, not_as_expected};
use crate::error::EngineError;
use crate::executor::Task;
use crate::fan;
use crate::lookup::{self, Lookup};
use crate::manifest::{Manifest, Section};
use crate::outside::{GivenFile, Outside, OutsideFile};
use crate::plan::{Decision, NOT_ASKED_FOR, Plan, PlannedNode, Reason, ResidentNode, Wanted};
use crate::project::Project;
use crate::record::Artifact;
use crate::request::Parts;
use crate::store::{Action, Store};
use crate::verdict::{self, Given, Profile};
use mlp_lang::live::RegistryNode;
use mlp_lang::pipeline::{DataNode, DataSource, Node, NodeId, NodeKind, OutputRef, Pipeline, StepNode};
use mlp_lang::value::Value;
use mlp_lang::work::{FanNode, ProgramInput, Runner, Work};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// Decides what runs.
pub(crate) struct Planner<'a> {
    pub project: &'a Project,
    pub store: &'a Store,
    pub parts: &'a Parts,
    /// Another engine may be live: change nothing, not even what is remembered.
    pub read_only: bool,
}

/// What to decide about.
pub(crate) struct Request<'a> {
    pub pipeline: &'a Pipeline,
    /// The folder that relative paths start from.
    pub base: &'a Path,
    pub wanted: Wanted<'a>,
    /// What the deployments serve now.
    pub aliases: &'a Aliases,
}

/// The plan, with what a run needs beside it.
pub(crate) struct Prepared {
    pub plan: Plan,
    /// One per node that a run carries out.
    pub nodes: Vec<PreparedNode>,
}

/// What is known of a node before the run.
#[derive(Default)]
pub(crate) struct PreparedNode {
    /// Its remembered result, if that is to be used.
    pub action: Option<Action>,
    /// What is in the registry, of a node that reads it.
    pub lookup: Option<Lookup>,
    /// The file from outside.
    pub file: Option<OutsideFile>,
    /// What a program is given of the project, by the name of its fact.
    pub given: BTreeMap<String, GivenFile>,
    /// The same of each member of a fan of programs.
    pub each: Vec<BTreeMap<String, GivenFile>>,
    /// Run it even if its result is known.
    pub forced: bool,
    /// Its table, or its version in the registry, is known and is not as it must be.
    fails: bool,
    /// It is skipped because of what is not in the registry yet: in words.
    absent: Option<String>,
    /// The action is what the node is expected to give, since something lost is made again: not a fact before it is.
    is_expected: bool,
    /// `when` is false whatever the run gives.
    pub skipped: bool,
    /// The run was asked for other nodes only, and none of them needs it.
    pub left_out: bool,
}

impl Planner<'_> {
    /// Decides about every node.
    pub fn prepare(&self, request: &Request) -> Result<Prepared, EngineError> {
        let pipeline = request.pipeline;
        well_formed(pipeline)?;
        let names: HashSet<&str> = pipeline.nodes.iter().map(|node| node.name.as_str()).collect();
        let Wanted { force, only } = request.wanted;
        if let Some(name) = force.iter().chain(only).find(|name| !names.contains(name.as_str())) {
            let known = pipeline.nodes.iter().map(|node| node.name.as_str());
            let near = mlp_lang::import::nearest(name, known).map(str::to_owned);
            return Err(EngineError::UnknownNode { pipeline: pipeline.name.clone(), name: name.clone(), near });
        }
        let forced: HashSet<&str> = force.iter().map(String::as_str).collect();
        let asked_for = asked_for(pipeline, only);
        let mut known = Known { project: self.project, actions: Vec::new(), expected: Vec::new() };
        let batch = pipeline.batch();
        let resident = pipeline.nodes[batch.len()..].iter();
        let resident =
            resident.map(|node| ResidentNode { name: node.name.clone(), kind: kind(node).to_owned() }).collect();
        let mut prepared = Prepared { plan: Plan { nodes: Vec::new(), resident }, nodes: Vec::new() };
        for node in batch {
            let mut details = PreparedNode {
                forced: forced.contains(node.name.as_str()),
                left_out: !asked_for[node.id.index()],
                ..Default::default()
            };
            let decision = self.decide(request, node, &known, &prepared, &mut details)?;
            prepared.plan.nodes.push(PlannedNode {
                id: node.id,
                name: node.name.clone(),
                kind: kind(node).to_owned(),
                what: what(node, &details),
                decision,
            });
            if details.is_expected {
                known.actions.push(None);
                known.expected.push(details.action.take());
            } else {
                known.actions.push(details.action.clone());
                known.expected.push(None);
            }
            prepared.nodes.push(details);
        }
        Ok(prepared)
    }

    fn decide(
        &self,
        request: &Request,
        node: &Node,
        known: &Known,
        before: &Prepared,
        details: &mut PreparedNode,
    ) -> Result<Decision, EngineError> {
        let pipeline = request.pipeline;
        if details.left_out {
            details.skipped = true;
            return Ok(Decision::Skip { reason: NOT_ASKED_FOR.to_owned() });
        }
        let need = |wanted: fn(&PreparedNode) -> bool| node.needs.iter().find(|id| wanted(&before.nodes[id.index()]));
        if let Some(skipped) = need(|it| it.skipped && it.absent.is_none()) {
            details.skipped = true;
            let name = &pipeline.nodes[skipped.index()].name;
            return Ok(Decision::Skip { reason: format!("it needs `{name}`, which is skipped") });
        }
        if let Some(failing) = need(|it| it.fails) {
            details.skipped = true;
            let name = &pipeline.nodes[failing.index()].name;
            return Ok(Decision::Skip { reason: format!("it needs `{name}`, which will fail") });
        }
        // A gate is judged all the same: what it makes of a missing number is written in it.
        if !matches!(node.kind, NodeKind::Gate(_))
            && let Some(why) = node.needs.iter().find_map(|id| before.nodes[id.index()].absent.clone())
        {
            details.skipped = true;
            details.absent = Some(why.clone());
            return Ok(Decision::Skip { reason: why });
        }
        if let Some(when) = &node.when {
            let asked = verdict::metrics_asked(when);
            let all_known = asked.iter().all(|it| known.artifact(it.node.index(), &it.output).is_some());
            if all_known && verdict::condition(when, known, pipeline) != Some(true) {
                details.skipped = true;
                return Ok(Decision::Skip { reason: "its condition is false".to_owned() });
            }
        }
        let output = |from: &OutputRef| known.likely(from.node.index(), &from.output).map(|it| it.digest);
        let rests_on_expected = node.needs.iter().any(|need| known.expected[need.index()].is_some());
        let mut known_members = 0;
        let manifest = match &node.kind {
            NodeKind::Gate(_)
            | NodeKind::Tune(_)
            | NodeKind::Model(_)
            | NodeKind::Deploy(_)
            | NodeKind::Monitor(_)
            | NodeKind::Trigger(_)
            | NodeKind::Query(_) => return Ok(Decision::Decide),
            NodeKind::Registry(registry) => return self.registered(request, node, registry, details),
            NodeKind::Data(data) => {
                details.file = Some(self.outside().file(request.base, data.source.path())?);
                let content = details.file.as_ref().and_then(|file| file.content.map(|(digest, _)| digest));
                self.data_manifest(data, content)
            }
            NodeKind::Step(step) => self.step_manifest(step, &output),
            NodeKind::Program(program) => {
                details.given = self.outside().given(request.base, program)?;
                crate::program::manifest(self.parts, program, &details.given, &output)
            }
            NodeKind::Fan(fan) => {
                details.each = self.each(request.base, fan)?;
                let (members, shared) = self.members(fan, &details.each, &output);
                known_members = self.known(&members)?;
                fan::manifest(fan, &members, shared)
            }
        };
        // Nothing is looked up for it; that it ran before explains nothing either.
        let uncached = is_uncached(&node.kind);
        details.forced |= uncached;
        let fingerprint = manifest.is_complete().then(|| Digest::of(&manifest.bytes()));
        let mut reasons = Vec::new();
        if details.forced {
            reasons.push(if uncached { Reason::Uncached } else { Reason::Forced });
        } else if let Some(fingerprint) = fingerprint
            && let Some(action) = self.store.action(&fingerprint)?
        {
            match self.lost(&action)? {
                None => {
                    let run = action.run;
                    if let NodeKind::Data(data) = &node.kind
                        && let Some(why) = self.unexpected(data, &action)
                    {
                        details.action = Some(action);
                        details.fails = true;
                        let reasons = vec![Reason::Unexpected { why }];
                        return Ok(Decision::Run { fingerprint: Some(fingerprint), reasons });
                    }
                    details.action = Some(action);
                    details.is_expected = rests_on_expected;
                    return Ok(Decision::Reuse { fingerprint, run });
                }
                Some(output) => {
                    // Made again from the same things it should come out the same.
                    details.action = Some(action);
                    details.is_expected = true;
                    reasons.push(Reason::Lost { output });
                }
            }
        }
        if reasons.is_empty() {
            reasons = self.differences(&pipeline.name, &node.name, &manifest)?;
            if let NodeKind::Step(step) = &node.kind {
                self.name_versions(step, pipeline, before, &mut reasons)?;
            }
        }
        // That its inputs are yet to be made explains nothing about a node that never ran.
        if reasons != [Reason::New] {
            for (input, from) in inputs(&node.kind).into_iter().filter(|(_, from)| output(from).is_none()) {
                let node = pipeline.nodes[from.node.index()].name.clone();
                reasons.push(Reason::Upstream { node, input: input.clone() });
            }
        }
        // Members differ whenever anything does that they have in common.
        let each = format!("input {}", fan::EACH);
        if matches!(node.kind, NodeKind::Fan(_)) && reasons.len() > 1 {
            reasons.retain(|reason| !matches!(reason, Reason::Changed { what, .. } if *what == each));
        }
        if let NodeKind::Fan(fan) = &node.kind
            && !details.forced
            && known_members > 0
        {
            let of = fan.values.len() as u64;
            // As a whole it never came to its end; some of it did.
            reasons.retain(|reason| *reason != Reason::New);
            reasons.push(Reason::Each { run: of - known_members, of });
        }
        if reasons.is_empty() {
            // The manifest is what it last was, yet its result is not there.
            reasons.push(Reason::Lost { output: String::new() });
        }
        Ok(Decision::Run { fingerprint, reasons })
    }

    /// Decides about a node that reads the registry.
    fn registered(
        &self,
        request: &Request,
        node: &Node,
        registry: &RegistryNode,
        details: &mut PreparedNode,
    ) -> Result<Decision, EngineError> {
        let mut found = lookup::look_up(self.store, request.aliases, registry, &node.name)?;
        if let Lookup::Found(entry) = &found {
            let action = lookup::as_action(self.project, entry);
            match self.lost(&action)? {
                None => details.action = Some(action),
                Some(_) => found = Lookup::Wrong(lookup::lost_bytes(self.project, entry)),
            }
        }
        let decision = match &found {
            Lookup::Found(entry) => {
                let manifest = details.action.as_ref().map_or(&[][..], |action| &action.manifest);
                Decision::Reuse { fingerprint: Digest::of(manifest), run: entry.run }
            }
            Lookup::Absent(why) => {
                details.skipped = true;
                details.absent = Some(why.clone());
                Decision::Skip { reason: why.clone() }
            }
            Lookup::Wrong(why) => {
                details.fails = true;
                Decision::Run { fingerprint: None, reasons: vec![Reason::Unexpected { why: why.clone() }] }
            }
        };
        details.lookup = Some(found);
        Ok(decision)
    }

    /// That an input has other bytes says little; that another version is in production says it all.
    fn name_versions(
        &self,
        step: &StepNode,
        pipeline: &Pipeline,
        before: &Prepared,
        reasons: &mut [Reason],
    ) -> Result<(), EngineError> {
        for reason in reasons {
            let Reason::Changed { what, from: Some(then), to: Some(_) } = &*reason else { continue };
            let Some(from) = what.strip_prefix("input ").and_then(|input| step.inputs.get(input)) else { continue };
            let Some(Lookup::Found(now)) = &before.nodes[from.node.index()].lookup else { continue };
            let versions = self.store.versions(&now.name)?;
            let was = versions.iter().rev().find(|it| it.version != now.version && it.digest.to_string() == *then);
            if let Some(was) = was {
                let of = pipeline.nodes[from.node.index()].name.clone();
                *reason = Reason::Version { of, from: was.version, to: now.version };
            }
        }
        Ok(())
    }

    /// The remembered result of this work, if its artifacts are all there and right.
    pub fn reusable(&self, fingerprint: &Digest) -> Result<Option<Action>, EngineError> {
        match self.store.action(fingerprint)? {
            Some(action) if self.lost(&action)?.is_none() => Ok(Some(action)),
            _ => Ok(None),
        }
    }

    /// Everything that a node's result depends on, as far as it is known.
    pub fn manifest(
        &self,
        node: &Node,
        details: &PreparedNode,
        output: &dyn Fn(&OutputRef) -> Option<Digest>,
    ) -> Option<Manifest> {
        match &node.kind {
            NodeKind::Data(data) => {
                let content = details.file.as_ref().and_then(|file| file.content);
                Some(self.data_manifest(data, content.map(|(digest, _)| digest)))
            }
            NodeKind::Step(step) => Some(self.step_manifest(step, output)),
            NodeKind::Program(program) => Some(crate::program::manifest(self.parts, program, &details.given, output)),
            NodeKind::Fan(fan) => {
                let (members, shared) = self.members(fan, &details.each, output);
                Some(fan::manifest(fan, &members, shared))
            }
            _ => None,
        }
    }

    /// Everything that the result of work depends on.
    pub fn task_manifest(
        &self,
        task: &Task,
        given: &BTreeMap<String, GivenFile>,
        output: &dyn Fn(&OutputRef) -> Option<Digest>,
    ) -> Manifest {
        match task {
            Task::Step(step) => self.step_manifest(step, output),
            Task::Program(program) => crate::program::manifest(self.parts, program, given, output),
        }
    }

    /// What each member is given of the project; nothing at all of steps that are given nothing.
    fn each(&self, base: &Path, fan: &FanNode) -> Result<Vec<BTreeMap<String, GivenFile>>, EngineError> {
        let programs = fan.members.iter().filter_map(|member| match member {
            Work::Program(program) => Some(self.outside().given(base, program)),
            _ => None,
        });
        programs.collect()
    }

    /// The fingerprint of each member, as far as it is known, and what the first and the last depend on alike.
    fn members(
        &self,
        fan: &FanNode,
        each: &[BTreeMap<String, GivenFile>],
        output: &dyn Fn(&OutputRef) -> Option<Digest>,
    ) -> (Vec<Option<Digest>>, Manifest) {
        let nothing = BTreeMap::new();
        let manifest = |member| {
            let given = each.get(member).unwrap_or(&nothing);
            Some(self.task_manifest(&fan::task(fan, member)?, given, output))
        };
        let fingerprint = |manifest: &Manifest| manifest.is_complete().then(|| Digest::of(&manifest.bytes()));
        let count = fan.members.len();
        let fingerprints = (0..count).map(|member| fingerprint(&manifest(member)?)).collect();
        let last = count.checked_sub(1).and_then(manifest).unwrap_or_default();
        let shared = manifest(0).map(|first| first.shared_with(&last)).unwrap_or_default();
        (fingerprints, shared)
    }

    /// How many of these have a result that is remembered.
    fn known(&self, members: &[Option<Digest>]) -> Result<u64, EngineError> {
        let mut known = 0;
        for fingerprint in members.iter().flatten() {
            known += u64::from(self.store.action(fingerprint)?.is_some());
        }
        Ok(known)
    }

    /// Which output of a remembered result is gone or damaged.
    fn lost(&self, action: &Action) -> Result<Option<String>, EngineError> {
        for output in &action.outputs {
            let sound = match self.read_only {
                true => artifacts::looks_sound(self.project, output, action.at),
                false => artifacts::is_sound(self.project, self.store, output)?,
            };
            if !sound {
                return Ok(Some(output.output.clone()));
            }
        }
        Ok(None)
    }

    /// What a remembered table breaks of what is expected of it now; what depends on the time is left to the run.
    fn unexpected(&self, data: &DataNode, action: &Action) -> Option<String> {
        let profile = action.outputs.iter().find(|artifact| artifact.output == PROFILE)?;
        let profile: Profile = serde_json::from_slice(&bytes_of(self.project, profile)?).ok()?;
        let (passed, verdicts) = verdict::judge_lasting(data, &profile);
        (!passed).then(|| not_as_expected(data, &verdicts).message)
    }

    /// What changed since a node of this name was last run or reused; `New` if it never was.
    fn differences(&self, pipeline: &str, node: &str, now: &Manifest) -> Result<Vec<Reason>, EngineError> {
        let Some(last) = self.store.last(pipeline, node)? else { return Ok(vec![Reason::New]) };
        let earlier = self.store.action(&last)?;
        Ok(earlier.and_then(|action| now.differences(&action.manifest)).unwrap_or_else(|| vec![Reason::New]))
    }

    fn data_manifest(&self, data: &DataNode, content: Option<Digest>) -> Manifest {
        let mut manifest = Manifest::default();
        for (name, value) in self.parts.tables.identity(data) {
            manifest.set(Section::Runs, name, value);
        }
        match &data.source {
            DataSource::Csv { delimiter, missing, .. } => {
                let missing = missing.iter().map(|text| Value::String(text.clone())).collect();
                manifest.set(Section::Setting, "format", "csv");
                manifest.set(Section::Setting, "delimiter", format!("{:?}", *delimiter as char));
                manifest.set(Section::Setting, "missing", canonical::value(&Value::List(missing)));
            }
            DataSource::Parquet { .. } => manifest.set(Section::Setting, "format", "parquet"),
            // Refused by `check` before anything is planned.
            DataSource::JsonLines { .. }
            | DataSource::Remote { .. }
            | DataSource::Database { .. }
            | DataSource::Output(_) => {}
        }
        let names = data.schema.columns.iter().map(|column| Value::String(column.name.clone())).collect();
        manifest.set(Section::Output, "columns", canonical::value(&Value::List(names)));
        for column in &data.schema.columns {
            manifest.set(Section::Output, format!("column {}", column.name), canonical::column(column));
        }
        let stats: Vec<String> = data.stats().iter().map(canonical::stat).collect();
        manifest.set(Section::Output, "statistics", stats.join(", "));
        manifest.content("file", data.source.path(), content);
        manifest
    }

    fn step_manifest(&self, step: &Arc<StepNode>, output: &dyn Fn(&OutputRef) -> Option<Digest>) -> Manifest {
        let mut manifest = Manifest::default();
        manifest.set(Section::Runs, "executor", self.parts.executor.name());
        manifest.set(Section::Runs, "module", format!("{} {}", step.module, step.version));
        manifest.set(Section::Runs, "component", step.digest.clone());
        manifest.set(Section::Runs, "step", step.step.clone());
        for (name, value) in self.parts.executor.identity(&Task::Step(step.clone())) {
            manifest.set(Section::Runs, name, value);
        }
        for (name, value) in &step.params {
            manifest.set(Section::Setting, name, canonical::value(value));
        }
        for (name, ty) in &step.outputs {
            manifest.set(Section::Output, name, canonical::ty(ty));
        }
        for (name, from) in &step.inputs {
            manifest.input(name, output(from));
        }
        manifest
    }

    fn outside(&self) -> Outside<'_> {
        Outside { store: self.store, read_only: self.read_only }
    }
}

/// For each node whether it is one of these or needed by one of them; all are if none is named.
fn asked_for(pipeline: &Pipeline, only: &[String]) -> Vec<bool> {
    if only.is_empty() {
        return vec![true; pipeline.nodes.len()];
    }
    let named: HashSet<&str> = only.iter().map(String::as_str).collect();
    let mut asked_for: Vec<bool> = pipeline.nodes.iter().map(|node| named.contains(node.name.as_str())).collect();
    // What a node needs stands before it.
    for node in pipeline.nodes.iter().rev().filter(|node| !node.needs.is_empty()) {
        if asked_for[node.id.index()] {
            node.needs.iter().for_each(|need| asked_for[need.index()] = true);
        }
    }
    asked_for
}

/// Results known before the run.
struct Known<'a> {
    project: &'a Project,
    actions: Vec<Option<Action>>,
    /// What lost results, and what rests on them, will be if they come out as before.
    expected: Vec<Option<Action>>,
}

impl Known<'_> {
    fn likely(&self, node: usize, output: &str) -> Option<&Artifact> {
        let expected = || self.expected.get(node)?.as_ref()?.outputs.iter().find(|it| it.output == output);
        self.artifact(node, output).or_else(expected)
    }
}

impl Given for Known<'_> {
    fn artifact(&self, node: usize, output: &str) -> Option<&Artifact> {
        self.actions.get(node)?.as_ref()?.outputs.iter().find(|artifact| artifact.output == output)
    }

    fn bytes(&self, artifact: &Artifact) -> Option<Vec<u8>> {
        bytes_of(self.project, artifact)
    }
}

/// The bytes of an artifact, from the record or the file.
pub(crate) fn bytes_of(project: &Project, artifact: &Artifact) -> Option<Vec<u8>> {
    match artifacts::inline_of(artifact) {
        Some(bytes) => Some(bytes.to_vec()),
        None => std::fs::read(project.artifact(&artifact.digest)).ok(),
    }
}

/// The promises of the checker that indexing relies on.
fn well_formed(pipeline: &Pipeline) -> Result<(), EngineError> {
    let malformed = |why: String| Err(EngineError::Malformed { pipeline: pipeline.name.clone(), why });
    let mut names = HashSet::new();
    for (index, node) in pipeline.nodes.iter().enumerate() {
        let earlier = |id: NodeId| id.index() < index;
        if index >= pipeline.batch().len() && !node.kind.is_resident() {
            return malformed(format!("`{}` stands after what only lives on", node.name));
        }
        if node.id.index() != index {
            return malformed(format!("`{}` has number {} at place {index}", node.name, node.id.0));
        }
        if !names.insert(&node.name) {
            return malformed(format!("`{}` is there twice", node.name));
        }
        let unable = match &node.kind {
            NodeKind::Program(program) if program.runner != Runner::Process => Some("a program in a container"),
            NodeKind::Query(_) => Some("a query"),
            NodeKind::Fan(fan) => fan.members.iter().find_map(|member| match member {
                Work::Step(_) => None,
                Work::Program(program) => {
                    (program.runner != Runner::Process).then_some("a program in a container for each of several values")
                }
                Work::Query(_) => Some("a query for each of several values"),
            }),
            NodeKind::Data(data) => match &data.source {
                DataSource::Csv { .. } | DataSource::Parquet { .. } => None,
                _ => Some("data from a source that is not read here"),
            },
            _ => None,
        };
        if let Some(what) = unable {
            return malformed(format!("`{}` is {what}, which this engine does not run", node.name));
        }
        let refers: Vec<NodeId> = match &node.kind {
            NodeKind::Fan(fan) => fan.members.iter().flat_map(Work::reads).collect(),
            NodeKind::Step(_) | NodeKind::Program(_) => {
                inputs(&node.kind).into_iter().map(|(_, from)| from.node).collect()
            }
            NodeKind::Model(model) => model.gates.iter().copied().chain([model.source.node]).collect(),
            NodeKind::Deploy(deploy) => vec![deploy.model],
            NodeKind::Monitor(monitor) => vec![monitor.deployment],
            _ => Vec::new(),
        };
        if !node.needs.iter().copied().all(earlier) {
            return malformed(format!("`{}` needs what comes after it", node.name));
        }
        if let Some(missing) = refers.iter().find(|id| node.needs.binary_search(id).is_err()) {
            return malformed(format!("`{}` reads node {} without needing it", node.name, missing.0));
        }
    }
    Ok(())
}

/// The outputs of other nodes that it reads, by the names it gives them.
fn inputs(kind: &NodeKind) -> Vec<(&String, &OutputRef)> {
    fn output<'a>((name, input): (&'a String, &'a ProgramInput)) -> Option<(&'a String, &'a OutputRef)> {
        match input {
            ProgramInput::Output { from, .. } => Some((name, from)),
            ProgramInput::File(_) | ProgramInput::Folder(_) => None,
        }
    }
    match kind {
        NodeKind::Step(step) => step.inputs.iter().collect(),
        NodeKind::Program(program) => program.inputs.iter().filter_map(output).collect(),
        // The values are other settings of the same inputs, as a rule.
        NodeKind::Fan(fan) => match fan.members.first() {
            Some(Work::Step(step)) => step.inputs.iter().collect(),
            Some(Work::Program(program)) => program.inputs.iter().filter_map(output).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Whether it is to run each time.
fn is_uncached(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Fan(fan) => fan.members.iter().any(|member| !member.conduct().cache),
        kind => Task::of(kind).is_some_and(|task| !task.conduct().cache),
    }
}

pub(crate) fn kind(node: &Node) -> &'static str {
    match node.kind {
        NodeKind::Data(_) => "data",
        NodeKind::Step(_) | NodeKind::Program(_) | NodeKind::Query(_) | NodeKind::Fan(_) => "step",
        NodeKind::Tune(_) => "tune",
        NodeKind::Gate(_) => "gate",
        NodeKind::Model(_) => "model",
        NodeKind::Registry(_) => "registry",
        NodeKind::Deploy(_) => "deploy",
        NodeKind::Monitor(_) => "monitor",
        NodeKind::Trigger(_) => "trigger",
    }
}

/// What runs, for people.
fn what(node: &Node, details: &PreparedNode) -> String {
    match &node.kind {
        NodeKind::Data(data) => match &data.source {
            DataSource::Csv { path, .. } => format!("csv {path}"),
            DataSource::Parquet { path } => format!("parquet {path}"),
            DataSource::JsonLines { path } => format!("json_lines {path}"),
            DataSource::Remote { .. } | DataSource::Database { .. } => data.source.path().to_owned(),
            DataSource::Output(_) => "a step's table".to_owned(),
        },
        NodeKind::Step(step) => format!("{}.{}", step.module, step.step),
        NodeKind::Program(program) => {
            let words = Task::Program(program.clone()).describe();
            match program.runner {
                Runner::Process => format!("{words} (not sandboxed)"),
                _ => words,
            }
        }
        NodeKind::Tune(tune) => format!("{} trials", tune.trials),
        NodeKind::Gate(gate) => match gate.requirements.len() {
            1 => "1 requirement".to_owned(),
            many => format!("{many} requirements"),
        },
        NodeKind::Model(model) => format!("a {}", model.flavor),
        NodeKind::Registry(registry) => match &details.lookup {
            Some(Lookup::Found(entry)) => format!("{} version {}", entry.name, entry.version),
            _ => registry.model.clone(),
        },
        NodeKind::Deploy(deploy) => format!("{} by {}", deploy.model_name, deploy.strategy.word()),
        NodeKind::Query(_) => "a query".to_owned(),
        NodeKind::Fan(fan) => {
            let work = match fan.members.first() {
                Some(Work::Step(step)) => format!("{}.{}", step.module, step.step),
                Some(Work::Program(program)) => match program.runner {
                    Runner::Process => "a process (not sandboxed)".to_owned(),
                    _ => "a container".to_owned(),
                },
                _ => "a query".to_owned(),
            };
            match fan.values.len() {
                1 => format!("{work} for 1 value"),
                many => format!("{work} for {many} values"),
            }
        }
        NodeKind::Monitor(_) | NodeKind::Trigger(_) => String::new(),
    }
}
