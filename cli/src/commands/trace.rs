//! `mlp trace`: when each step of a run ran, for Chrome's trace viewer and Perfetto.

use super::{now, project_here};
use crate::args::Trace;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::trace;
use crate::screen::Screen;
use mlp_core::history::History;

/// Writes the trace, also of a run that is live.
pub fn trace(screen: &Screen, args: &Trace) -> Result<Exit, Fault> {
    let history = History::open(&project_here(&screen.options)?);
    let run = history.run(&args.run)?;
    let live = history.live()?.is_some_and(|holder| holder.run == Some(run.started.run));
    let text = format!("{}\n", trace::document(&run, live, now()));
    match &args.out {
        None => screen.print(&text)?,
        Some(path) => {
            std::fs::write(path, text).map_err(|error| {
                Fault::new(format!("cannot write {}", path.display()))
                    .cause(error)
                    .next("name another file with `-o`, or leave it out: the trace is then printed")
            })?;
            screen.print(&format!("{}\n", path.display()))?;
        }
    }
    Ok(Exit::Done)
}
