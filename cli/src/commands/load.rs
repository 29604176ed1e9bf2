//! From a file's path to a checked pipeline, or to findings on the screen.

use super::profile;
use crate::args::{Force, Params};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::render::{findings, json};
use crate::screen::Screen;
use crate::world::World;
use indexmap::IndexMap;
use mlp_lang::capability::{self, Capability};
use mlp_lang::check::check;
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::{NodeKind, Pipeline};
use mlp_lang::span::Source;
use std::path::Path;

/// A pipeline that is ready to be planned.
pub struct Loaded {
    pub source: Source,
    /// The file and all that it uses.
    pub sources: Vec<Source>,
    pub world: World,
    pub pipeline: Pipeline,
    /// Warnings; errors end the command.
    pub findings: Vec<Finding>,
}

/// What a pipeline is about to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `plan`, `run`, `test`: to its end, once. What only the resident engine lives through is left to it.
    Run,
    /// `serve`, `replay`: whatever it declares.
    Serve,
    /// `graph`, `doc`, `export`: to be looked at, so that nothing is missing.
    Look,
}

/// What this engine, on this machine, cannot carry out of a pipeline.
pub fn missing(source: &Source, pipeline: &Pipeline, purpose: Purpose) -> Vec<Finding> {
    let left_out = |capability: Capability| match purpose {
        Purpose::Run => capability.is_resident(),
        Purpose::Serve => false,
        Purpose::Look => true,
    };
    let mut findings = capability::missing(source, pipeline, left_out);
    if purpose != Purpose::Look {
        findings.extend(capability::beyond(source, pipeline, &mlp_core::machine::present()));
    }
    findings
}

/// Loads a pipeline. What is wrong with it has been told when this gives `Err(Ok(exit))`.
///
/// What this version cannot carry out of it is wrong too, for what it is about to be used for.
pub fn load(screen: &Screen, path: &Path, params: &Params, purpose: Purpose) -> Result<Loaded, Stopped> {
    let source = files::read(path)?;
    load_text(screen, path, source, &overrides(params, path)?, Some(params), purpose)
}

/// Loads a pipeline from a text that stands for the file at `path`. `given`: what the command line says of its parameters.
pub fn load_text(
    screen: &Screen,
    path: &Path,
    source: Source,
    overrides: &IndexMap<String, String>,
    given: Option<&Params>,
    purpose: Purpose,
) -> Result<Loaded, Stopped> {
    let world = World::around(path);
    let mut checked = check(&source, world.modules(), overrides);
    if let Some(given) = given {
        profile::attribute(&mut checked.findings, given);
    }
    if let Some(pipeline) = &checked.pipeline {
        let unable = missing(&source, pipeline, purpose);
        if !unable.is_empty() {
            checked.findings.extend(unable);
            checked.pipeline = None;
        }
    }
    let sources = checked.sources;
    let Some(pipeline) = checked.pipeline else {
        return Err(refused(screen, &checked.findings, &sources)?);
    };
    if !checked.findings.is_empty() && !screen.options.quiet && !screen.is_json() {
        screen.say(&findings::full(&checked.findings, &sources, screen.width()));
    }
    Ok(Loaded { source, sources, world, pipeline, findings: checked.findings })
}

/// Tells what is wrong with files, for a command that therefore does nothing.
pub fn refused(screen: &Screen, found: &[Finding], sources: &[Source]) -> Result<Stopped, Fault> {
    if screen.is_json() {
        screen.print_json(&json::check(sources.len(), found, sources, &[]), true)?;
    }
    screen.say(&findings::full(found, sources, screen.width()));
    screen.say(&format!("{}; nothing was run\n", findings::counts(found, sources.len())));
    Ok(Stopped::Told(Exit::Usage))
}

/// Why a pipeline was not loaded.
pub enum Stopped {
    /// It has been told.
    Told(Exit),
    /// It is to be told.
    Fault(Fault),
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        Stopped::Fault(fault)
    }
}

impl Stopped {
    /// As the end of a command.
    pub fn end(self) -> Result<Exit, Fault> {
        match self {
            Stopped::Told(exit) => Ok(exit),
            Stopped::Fault(fault) => Err(fault),
        }
    }
}

/// The parameters of the command line: those of the profile, then what `--param` sets. `file`: where the profile is looked for.
pub fn overrides(params: &Params, file: &Path) -> Result<IndexMap<String, String>, Fault> {
    let mut overrides = IndexMap::new();
    for (name, value) in &params.params {
        if let Some(before) = overrides.insert(name.clone(), value.clone()) {
            return Err(Fault::usage(format!("parameter `{name}` is set twice: to {before} and to {value}"))
                .next("keep one of them"));
        }
    }
    if let Some(profile) = &params.profile {
        for (name, value) in profile::params(profile, file)? {
            overrides.entry(name).or_insert(value);
        }
    }
    Ok(overrides)
}

/// The names of nodes to run even if their result is known.
///
/// A name that `--from` gives and the pipeline does not have is handed on for the engine to refuse.
pub fn forced(pipeline: &Pipeline, force: &Force) -> Vec<String> {
    let work = |kind: &NodeKind| {
        matches!(kind, NodeKind::Data(_) | NodeKind::Step(_) | NodeKind::Program(_) | NodeKind::Fan(_))
    };
    if !force.force_all {
        let mut forced = force.force.clone();
        if !force.from.is_empty() {
            let mut after = vec![false; pipeline.nodes.len()];
            // What a node needs stands before it.
            for (index, node) in pipeline.nodes.iter().enumerate() {
                after[index] = force.from.contains(&node.name)
                    || node.needs.iter().any(|need| after.get(need.index()).copied().unwrap_or(false));
            }
            let chosen = pipeline.nodes.iter().zip(after).filter(|(node, after)| *after && work(&node.kind));
            forced.extend(chosen.map(|(node, _)| node.name.clone()));
            forced.extend(
                force.from.iter().filter(|name| pipeline.nodes.iter().all(|node| node.name != **name)).cloned(),
            );
        }
        return forced;
    }
    pipeline.nodes.iter().filter(|node| work(&node.kind)).map(|node| node.name.clone()).collect()
}
