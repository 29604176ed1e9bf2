//! `mlp plan`: what would run, and why. Changes nothing, and works beside a live run.

use super::load::{Purpose, forced, load};
use super::project;
use super::resident::aliases;
use crate::args::Plan;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{json, plan as render};
use crate::screen::Screen;
use mlp_core::history::History;

/// Tells what `mlp run` with the same arguments would do now.
pub fn plan(screen: &Screen, args: &Plan) -> Result<Exit, Fault> {
    let loaded = match load(screen, &args.file, &args.params.params, Purpose::Run) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let parts = loaded.world.parts(None);
    let project = project(&screen.options, &args.file);
    let history = History::open(&project);
    let force = forced(&loaded.pipeline, &args.force);
    let plan = history.plan(&parts, &loaded.pipeline, loaded.world.base(), &force, &aliases(&project)?)?;
    if screen.is_json() {
        let mut document = json::plan(&plan, &loaded.pipeline.name, &loaded.source.path);
        let findings = loaded.findings.iter().map(|finding| json::finding(finding, &loaded.sources));
        document["findings"] = findings.collect();
        screen.print_json(&document, false)?;
    } else {
        let text = render::text(&plan, &loaded.pipeline.name, screen.options.verbose, screen.width());
        screen.print(&text)?;
    }
    Ok(Exit::Done)
}
