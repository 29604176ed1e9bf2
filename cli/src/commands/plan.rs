//! `mlp plan`, and `mlp run --dry-run`: what would run, why, and for how long. Changes nothing, and works beside a live run.

use super::load::{Loaded, Purpose, forced, load};
use super::project;
use super::resident::aliases;
use super::run::{How, jobs};
use crate::args::Plan;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{json, plan as render};
use crate::screen::Screen;
use mlp_core::estimate;
use mlp_core::history::History;
use mlp_core::plan::{Decision, Reason, Wanted};
use std::path::Path;

/// Tells what `mlp run` with the same arguments would do now.
pub fn plan(screen: &Screen, args: &Plan) -> Result<Exit, Fault> {
    let loaded = match load(screen, &args.file, &args.params, Purpose::Run) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let how = How {
        force: forced(&loaded.pipeline, &args.force),
        only: args.only.only.clone(),
        jobs: jobs(args.jobs),
        keep_going: false,
        wait: false,
        announce: None,
    };
    tell(screen, &loaded, &args.file, &how)?;
    Ok(Exit::Done)
}

/// Tells what a run like this would do; [`Exit::Failed`] if it is known to fail.
pub(super) fn tell(screen: &Screen, loaded: &Loaded, file: &Path, how: &How) -> Result<Exit, Fault> {
    let parts = loaded.world.parts(None);
    let project = project(&screen.options, file);
    let history = History::open(&project);
    let pipeline = &loaded.pipeline;
    let wanted = Wanted { force: &how.force, only: &how.only };
    let plan = history.plan_of(&parts, pipeline, loaded.world.base(), wanted, &aliases(&project)?)?;
    let forecast = estimate::forecast(&plan, pipeline, &history.durations(&pipeline.name)?, how.jobs);
    if screen.is_json() {
        let mut document = json::plan(&plan, &pipeline.name, &loaded.source.path);
        json::add_forecast(&mut document, &forecast);
        let findings = loaded.findings.iter().map(|finding| json::finding(finding, &loaded.sources));
        document["findings"] = findings.collect();
        screen.print_json(&document, false)?;
    } else {
        let mut text = render::text(&plan, &pipeline.name, screen.options.verbose, screen.width());
        text.push_str(&render::forecast(&plan, &forecast));
        screen.print(&text)?;
    }
    let will_fail = plan.nodes.iter().any(|node| match &node.decision {
        Decision::Run { reasons, .. } => reasons.iter().any(|reason| matches!(reason, Reason::Unexpected { .. })),
        _ => false,
    });
    Ok(if will_fail { Exit::Failed } else { Exit::Done })
}
