//! `mlp retry`: what a run of the past was to do, done again from what it kept, with results reused.

use super::load::{Purpose, load_text};
use super::run::{How, carry, jobs};
use super::{detach, project_here};
use crate::args::Retry;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::text::clean;
use crate::screen::Screen;
use crate::world::World;
use indexmap::IndexMap;
use mlp_core::history::History;
use mlp_core::plan::{Decision, NOT_ASKED_FOR};
use mlp_core::project::Project;
use mlp_core::record::RunStarted;
use mlp_lang::check::inspect;
use mlp_lang::span::Source;
use mlp_lang::value::Value;
use std::path::{Path, PathBuf};

/// Runs the text and the parameters that a run kept.
pub fn retry(screen: &Screen, args: &Retry) -> Result<Exit, Fault> {
    let project = project_here(&screen.options)?;
    let history = History::open(&project);
    let run = history.run(&args.run)?;
    let started = &run.started;
    if history.live()?.is_some_and(|holder| holder.run == Some(started.run)) {
        return Err(Fault::new(format!("run {} is still running", started.run))
            .safe("nothing was started")
            .next(format!("follow it with `mlp logs {0} -f`, or stop it with `mlp cancel {0}`", started.run)));
    }
    let path = place(started, &project);
    let source = Source::new(&started.file, &started.source);
    if !screen.options.quiet && !screen.is_json() {
        let now = std::fs::read_to_string(&path);
        let words = match now {
            Ok(text) if text == started.source => String::new(),
            Ok(_) => {
                format!("note: {} changed since run {}; this runs what it said then\n", path.display(), started.run)
            }
            Err(_) => {
                format!("note: {} cannot be read; this runs what it said in run {}\n", path.display(), started.run)
            }
        };
        screen.say(&clean(&words));
    }
    let overrides = overrides(started, &source, &path);
    let loaded = match load_text(screen, &path, source, &overrides, None, Purpose::Run) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let how = How {
        force: Vec::new(),
        only: only(started),
        jobs: jobs(args.jobs),
        keep_going: args.keep_going,
        wait: args.wait,
        announce: args.background.announce.as_deref(),
    };
    if args.background.detach {
        return detach::detach(screen, &project, args.wait);
    }
    carry(screen, loaded, &path, how)
}

/// Where the file is, or was: from the folder that it was in then, wherever the command stands now.
fn place(started: &RunStarted, project: &Project) -> PathBuf {
    let file = Path::new(&started.file);
    let folder = project.root.join(&started.folder);
    let path = file.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
    // As people call it, if that is the same file.
    match (file.canonicalize(), path.canonicalize()) {
        (Ok(named), Ok(there)) if named == there => file.to_owned(),
        _ => path,
    }
}

/// The parameters as `--param` takes them: those that differ from the text's own values.
fn overrides(started: &RunStarted, source: &Source, path: &Path) -> IndexMap<String, String> {
    let world = World::around(path);
    let plain = inspect(source, world.modules(), &IndexMap::new()).pipeline;
    let same = |name: &str, value: &Value| {
        plain.as_ref().and_then(|pipeline| pipeline.params.get(name)).is_some_and(|param| param.value == *value)
    };
    let differing = started.params.iter().filter(|(name, value)| !same(name, value));
    differing.map(|(name, value)| (name.clone(), mlp_core::canonical_value(value))).collect()
}

/// The nodes that the run was asked for; none if it was for all.
fn only(started: &RunStarted) -> Vec<String> {
    let left_out = |decision: &Decision| matches!(decision, Decision::Skip { reason } if reason == NOT_ASKED_FOR);
    let nodes = &started.plan.nodes;
    if !nodes.iter().any(|node| left_out(&node.decision)) {
        return Vec::new();
    }
    nodes.iter().filter(|node| !left_out(&node.decision)).map(|node| node.name.clone()).collect()
}
