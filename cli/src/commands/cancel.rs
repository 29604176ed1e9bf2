//! `mlp cancel`: asks the live run of the project, in whatever process it lives, to stop.

use super::{now, project_here};
use crate::args::Cancel;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::events::came_to_its_end;
use crate::render::{json, runs};
use crate::screen::Screen;
use mlp_core::cancel;
use mlp_core::error::EngineError;
use mlp_core::history::History;
use mlp_core::record::Outcome;
use mlp_core::view::RunView;
use std::time::Duration;

/// How often is looked whether the run has ended.
const GLANCE: Duration = Duration::from_millis(50);

/// How long a process may take from its run's end to its own.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Asks, and waits for the run's end unless told not to.
pub fn cancel(screen: &Screen, args: &Cancel) -> Result<Exit, Fault> {
    let project = project_here(&screen.options)?;
    let history = History::open(&project);
    let live = history.live()?.and_then(|holder| holder.run);
    let run = match (args.run.as_deref(), live) {
        (None | Some("last"), Some(live)) => live,
        (Some(wanted), Some(live)) if wanted.parse() == Ok(live) => live,
        (wanted, live) => return Err(not_live(&history, wanted, live)),
    };
    cancel::request(&project, run, now()).map_err(EngineError::from)?;
    if args.no_wait {
        if screen.is_json() {
            screen.print_json(&json::cancel(run, None), false)?;
        } else {
            screen.print(&format!("run {run} is asked to stop\n"))?;
        }
        return Ok(Exit::Done);
    }
    if !screen.options.quiet && !screen.is_json() {
        screen.say(&format!("run {run} is asked to stop; waiting for its end\n"));
    }
    wait_for_its_end(&history, run)?;
    let view = match history.run(&run.to_string()) {
        Ok(view) => Some(view),
        // It was killed before it wrote down anything.
        Err(EngineError::UnknownRun { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let ended = view.as_ref().and_then(|view| view.outcome);
    if screen.is_json() {
        screen.print_json(&json::cancel(run, view.as_ref()), false)?;
    } else {
        screen.print(&told(run, view.as_ref()))?;
    }
    // Whatever ended first: a run that was already over when it heard was not stopped.
    Ok(match ended {
        Some(Outcome::Cancelled | Outcome::Interrupted) | None => Exit::Done,
        Some(_) => Exit::Failed,
    })
}

/// Until the run is over and its process has let go of the project, so that the next command finds it free. A process that
/// stays without a run, as tests of the engine do, is not waited for long.
fn wait_for_its_end(history: &History, run: u64) -> Result<(), Fault> {
    let mut patience = LETTING_GO;
    while let Some(holder) = history.live()? {
        match holder.run {
            Some(other) if other != run => break,
            None if patience.is_zero() => break,
            None => patience = patience.saturating_sub(GLANCE),
            Some(_) => {}
        }
        std::thread::sleep(GLANCE);
    }
    Ok(())
}

fn told(run: u64, view: Option<&RunView>) -> String {
    match view {
        Some(view) if view.outcome == Some(Outcome::Cancelled) => {
            format!("run {run} is cancelled: {}\n", runs::tally(view))
        }
        Some(view) if view.outcome.is_some() => {
            format!("run {run} had ended before it heard: it {}\n", came_to_its_end(view.outcome))
        }
        _ => format!("run {run} was killed; the next run takes up what it finished\n"),
    }
}

/// Nothing to stop: what there is instead.
fn not_live(history: &History, wanted: Option<&str>, live: Option<u64>) -> Fault {
    let next = match live {
        Some(live) => format!("run {live} is live: mlp cancel {live}"),
        None => "`mlp runs` lists all runs".to_owned(),
    };
    let Some(wanted) = wanted else {
        return Fault::new("nothing is running in this project").safe("nothing was changed").next(next);
    };
    match history.run(wanted) {
        Ok(view) => {
            let (run, how) = (view.started.run, came_to_its_end(view.outcome));
            Fault::new(format!("run {run} is not running: it {how}")).safe("nothing was changed").next(next)
        }
        Err(error @ EngineError::UnknownRun { .. }) => Fault::from(error).safe("nothing was changed").next(next),
        Err(error) => Fault::from(error),
    }
}
