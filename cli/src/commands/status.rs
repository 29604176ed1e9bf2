//! `mlp status`: what is running, or how the last run ended, and the registered models.

use super::{now, project_here};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{json, models, runs};
use crate::screen::Screen;
use mlp_core::history::History;

/// Looks only; the live run is not disturbed.
pub fn status(screen: &Screen) -> Result<Exit, Fault> {
    let history = History::open(&project_here(&screen.options)?);
    let live = history.live()?;
    let wanted = match &live {
        Some(holder) => holder.run.map(|run| run.to_string()),
        None => Some("last".to_owned()),
    };
    // A run that has only just begun has no journal yet; a project without runs has no last one.
    let run = wanted.and_then(|run| match history.run(&run) {
        Err(mlp_core::error::EngineError::UnknownRun { .. }) => None,
        found => Some(found),
    });
    let run = run.transpose()?;
    let registered = history.models()?;
    if screen.is_json() {
        let latest = models::latest(&registered);
        screen.print_json(&json::status(live.as_ref(), run.as_ref(), &latest), false)?;
    } else {
        screen.print(&runs::status(live.as_ref(), run.as_ref(), &registered, now(), screen.width()))?;
    }
    Ok(Exit::Done)
}
