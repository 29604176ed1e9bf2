//! `mlp show`: the story of a run, a step of a run, or a model.

use super::{evidence, logs, now, project_here};
use crate::args::Show;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{json, models, nodes, story};
use crate::screen::Screen;
use mlp_core::error::EngineError;
use mlp_core::history::History;
use mlp_core::record::ModelVersion;

/// A number or `last` is a run; everything else is a model.
pub fn show(screen: &Screen, args: &Show) -> Result<Exit, Fault> {
    let history = History::open(&project_here(&screen.options)?);
    let is_run = args.what == "last" || args.what.parse::<u64>().is_ok();
    match (is_run, &args.node) {
        (true, None) => run(screen, &history, &args.what)?,
        (true, Some(node)) => one_node(screen, &history, &args.what, node)?,
        (false, None) => model(screen, &history, &args.what)?,
        (false, Some(node)) => {
            return Err(Fault::usage(format!("`{}` is neither a run's number nor `last`", args.what))
                .next(format!("mlp show last {node}")));
        }
    }
    Ok(Exit::Done)
}

fn run(screen: &Screen, history: &History, wanted: &str) -> Result<(), Fault> {
    let view = history.run(wanted)?;
    let live = history.live()?.is_some_and(|holder| holder.run == Some(view.started.run));
    let evidence = evidence::of_run(history, &view);
    match screen.is_json() {
        true => screen.print_json(&json::run(&view, live, &evidence), false),
        false => screen.print(&story::text(&view, &evidence, live, now(), screen.width())),
    }
}

fn one_node(screen: &Screen, history: &History, wanted: &str, name: &str) -> Result<(), Fault> {
    let view = history.run(wanted)?;
    let node = logs::node(&view, name)?;
    let live = history.live()?.is_some_and(|holder| holder.run == Some(view.started.run));
    let evidence = evidence::of_node(history, &view, node);
    match screen.is_json() {
        true => screen.print_json(&json::one_node(&view, node, &evidence), false),
        false => screen.print(&nodes::text(&view, node, &evidence, live, screen.width())),
    }
}

fn model(screen: &Screen, history: &History, wanted: &str) -> Result<(), Fault> {
    let (name, version) = match wanted.split_once('@') {
        Some((name, version)) => {
            let version = version.parse().map_err(|_| {
                Fault::usage(format!("`{version}` is not a version of a model")).next(format!("write it as {name}@2"))
            })?;
            (name, Some(version))
        }
        None => (wanted, None),
    };
    let entry = match history.model(name, version) {
        Err(error @ EngineError::UnknownModel { .. }) => return Err(unknown(history, name, error)),
        found => found?,
    };
    let all = history.models()?;
    let versions: Vec<&ModelVersion> = all.iter().filter(|model| model.name == name).collect();
    let file = history.artifact_path(&entry.digest);
    match screen.is_json() {
        true => screen.print_json(&json::model(&entry, &versions, file.as_deref()), false),
        false => screen.print(&models::text(&entry, &versions, file.as_deref(), now(), screen.width())),
    }
}

/// Somebody who asks for a step by its name alone means the last run.
fn unknown(history: &History, name: &str, error: EngineError) -> Fault {
    let known = history.models().is_ok_and(|models| models.iter().any(|model| model.name == name));
    let fault = Fault::from(error);
    if known {
        return fault.next(format!("mlp show {name} lists its versions"));
    }
    let is_step = history.run("last").is_ok_and(|run| run.node(name).is_some());
    match is_step {
        true => fault.next(format!("a step of the last run has that name: mlp show last {name}")),
        false => fault,
    }
}
