//! `mlp diff`: what differs between two runs.

use super::{evidence, project_here};
use crate::args::Diff;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::compare::{self, Side};
use crate::screen::Screen;
use mlp_core::history::History;
use mlp_core::view::RunView;

/// Compares two runs. That they differ is no failure.
pub fn diff(screen: &Screen, args: &Diff) -> Result<Exit, Fault> {
    let history = History::open(&project_here(&screen.options)?);
    let (before, after) = (history.run(&args.before)?, history.run(&args.after)?);
    let live = history.live()?.and_then(|holder| holder.run);
    let side = |run| side(&history, run, live);
    let comparison = compare::compare(&side(&before), &side(&after));
    match screen.is_json() {
        true => screen.print_json(&compare::json(&comparison), false)?,
        false => screen.print(&compare::text(&comparison, screen.width()))?,
    }
    Ok(Exit::Done)
}

fn side<'a>(history: &History, run: &'a RunView, live: Option<u64>) -> Side<'a> {
    Side {
        run,
        live: live == Some(run.started.run),
        facts: run.nodes.iter().map(|node| (node.name.clone(), history.facts(node))).collect(),
        evidence: evidence::of_run(history, run),
    }
}
