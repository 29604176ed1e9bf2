//! `mlp state`: looking after the state folder.

use super::{now, project_here};
use crate::args::Old;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::upkeep;
use crate::screen::Screen;
use mlp_core::engine::Engine;
use mlp_core::project::Project;
use mlp_core::record::Millis;
use mlp_core::transfer;
use mlp_core::upkeep::{Age, Depth, Policy, Served, compact as fold, gc as collect, verify as look};
use mlp_live::home::Home;
use mlp_live::machine::Live;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// Long enough for any run.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Makes the store anew from the journals.
pub fn rebuild(screen: &Screen) -> Result<Exit, Fault> {
    let project = existing(screen)?;
    Engine::rebuild_state(&project)?;
    if screen.is_json() {
        let document = json!({"schema": "mlp.state/1", "rebuilt": project.state.display().to_string()});
        screen.print_json(&document, false)?;
    } else if !screen.options.quiet {
        screen.print(&format!("the store in {} was made anew from the journals\n", project.state.display()))?;
    }
    Ok(Exit::Done)
}

/// Looks whether everything is there and is what it was.
pub fn verify(screen: &Screen, fast: bool) -> Result<Exit, Fault> {
    let project = existing(screen)?;
    let depth = if fast { Depth::Fast } else { Depth::Full };
    let verified = look(&project, depth, &served(&project)?)?;
    if screen.is_json() {
        screen.print_json(&upkeep::verified_json(&verified, fast), false)?;
    } else if !screen.options.quiet || !verified.problems.is_empty() {
        screen.print(&upkeep::verified(&verified, fast))?;
    }
    Ok(if verified.problems.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Removes the artifacts that nothing rests on.
pub fn gc(screen: &Screen, old: &Old, grace: Millis) -> Result<Exit, Fault> {
    let project = existing(screen)?;
    let policy = Policy {
        keep_runs: old.keep_runs as usize,
        since: now().saturating_sub(old.keep_for),
        keep: old.keep.iter().copied().collect(),
        served: served(&project)?,
        untouched_since: now().saturating_sub(grace),
        dry_run: old.dry_run,
        wait: patience(old.wait),
    };
    let swept = collect(&project, &policy)?;
    if screen.is_json() {
        screen.print_json(&upkeep::swept_json(&swept, old.dry_run), false)?;
    } else if !screen.options.quiet {
        screen.print(&upkeep::swept(&swept, old.dry_run))?;
    }
    Ok(Exit::Done)
}

/// Folds old runs into one file.
pub fn compact(screen: &Screen, old: &Old) -> Result<Exit, Fault> {
    let project = existing(screen)?;
    let age = Age {
        keep_runs: old.keep_runs as usize,
        since: now().saturating_sub(old.keep_for),
        keep: old.keep.iter().copied().collect(),
        dry_run: old.dry_run,
        wait: patience(old.wait),
    };
    let compacted = fold(&project, &age)?;
    if screen.is_json() {
        screen.print_json(&upkeep::compacted_json(&compacted, old.dry_run), false)?;
    } else if !screen.options.quiet {
        screen.print(&upkeep::compacted(&compacted, old.dry_run))?;
    }
    Ok(Exit::Done)
}

/// Writes runs to a file.
pub fn export(screen: &Screen, file: &Path, runs: &[u64]) -> Result<Exit, Fault> {
    let exported = transfer::export(&existing(screen)?, runs, file)?;
    if screen.is_json() {
        screen.print_json(&upkeep::exported_json(&exported, file), false)?;
    } else if !screen.options.quiet {
        screen.print(&upkeep::exported(&exported, file))?;
    }
    Ok(Exit::Done)
}

/// Takes runs in from a file. A project that has no state folder yet gets one.
pub fn import(screen: &Screen, file: &Path, wait: bool) -> Result<Exit, Fault> {
    let project = project_here(&screen.options)?;
    let imported = transfer::import(&project, file, patience(wait))?;
    if screen.is_json() {
        screen.print_json(&upkeep::imported_json(&imported, file), false)?;
    } else if !screen.options.quiet {
        screen.print(&upkeep::imported(&imported, file))?;
    }
    Ok(Exit::Done)
}

fn patience(wait: bool) -> Duration {
    if wait { FOREVER } else { Duration::ZERO }
}

/// The project of the current folder, which must have a state folder.
fn existing(screen: &Screen) -> Result<Project, Fault> {
    let project = project_here(&screen.options)?;
    match project.state.is_dir() {
        true => Ok(project),
        false => Err(Fault::usage(format!("there is no state folder at {}", project.state.display()))
            .next("run this inside a project, or name its state folder with `--state DIR`")),
    }
}

/// What deployments rest on: the version that each serves to everybody. Those on trial or behind it are registered, too,
/// and registered versions are never removed.
fn served(project: &Project) -> Result<Vec<Served>, Fault> {
    let unknown = |why: String| {
        Fault::new("what is deployed cannot be told")
            .cause(why)
            .safe("nothing was changed")
            .next("bring back live/journal in the state folder from a copy, or move it away")
    };
    let entries = Home::of(project).entries().map_err(|error| unknown(error.to_string()))?;
    let live = Live::fold(&entries).map_err(|error| unknown(error.to_string()))?;
    let serving = live.deployments().filter_map(|(name, _)| {
        let (model, version) = live.serving(name)?;
        Some(Served { by: name.to_owned(), model, version })
    });
    Ok(serving.collect())
}
