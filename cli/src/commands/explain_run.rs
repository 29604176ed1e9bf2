//! `mlp explain-run`: why a step ran or was reused in a run, from what the run wrote down.

use super::{logs, project_here};
use crate::args::ExplainRun;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{json, why};
use crate::screen::Screen;
use mlp_core::history::History;

/// Tells what was planned, what came of it, and what differs from the result before.
pub fn explain_run(screen: &Screen, args: &ExplainRun) -> Result<Exit, Fault> {
    let history = History::open(&project_here(&screen.options)?);
    let run = history.run(&args.run)?;
    let node = logs::node(&run, &args.step)?;
    let live = history.live()?.is_some_and(|holder| holder.run == Some(run.started.run));
    let account = history.account(&run, node)?;
    match screen.is_json() {
        true => screen.print_json(&json::why(&run, node, &account, live), false)?,
        false => screen.print(&why::text(&run, node, &account, live, screen.width()))?,
    }
    Ok(Exit::Done)
}
