//! `mlp runs`: all runs, the newest first.

use super::{now, project_here};
use crate::args::Runs;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::text::{DIM, plural, styled};
use crate::render::{json, runs as render};
use crate::screen::Screen;
use mlp_core::history::History;

/// Lists runs.
pub fn runs(screen: &Screen, args: &Runs) -> Result<Exit, Fault> {
    let project = project_here(&screen.options)?;
    let history = History::open(&project);
    let live = history.live()?.and_then(|holder| holder.run);
    let mut runs = history.runs()?;
    runs.reverse();
    let all = runs.len();
    if args.limit > 0 {
        runs.truncate(args.limit);
    }
    if screen.is_json() {
        screen.print_json(&json::runs(&runs, live), false)?;
    } else if all == 0 {
        screen.print(&format!("no runs in {} yet: `mlp run FILE` makes one\n", project.state.display()))?;
    } else {
        let mut text = render::text(&runs, live, now(), screen.width());
        if runs.len() < all {
            let older = plural(all - runs.len(), "older run");
            text.push_str(&format!("{}\n", styled(DIM, format!("and {older}: mlp runs -n 0"))));
        }
        screen.print(&text)?;
    }
    Ok(Exit::Done)
}
