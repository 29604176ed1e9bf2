//! `mlp serve`: lets deployments live until it is told to stop.

use super::load::{Purpose, Stopped, load};
use super::{project, project_here};
use crate::args::{Params, Serve};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::living::{self, Served};
use crate::render::text::clean;
use crate::screen::Screen;
use mlp_core::project::Project;
use mlp_live::clock::LiveClock;
use mlp_live::home::Home;
use mlp_live::machine::What;
use std::path::{Path, PathBuf};

/// Lets deployments live.
pub fn serve(screen: &Screen, args: &Serve) -> Result<Exit, Fault> {
    let (project, files) = match args.files.first() {
        Some(first) => (project(&screen.options, first), args.files.clone()),
        None => served_before(screen)?,
    };
    let served = match load_all(screen, &project, &files) {
        Ok(served) => served,
        Err(stopped) => return stopped.end(),
    };
    let clock = match args.virtual_from {
        Some(at) => LiveClock::standing_at(at),
        None => LiveClock::System,
    };
    let runtime = living::runtime()?;
    let ended = runtime.block_on(async {
        let stop = living::told_to_stop()?;
        let resident = living::start(screen, &project, served, clock).await?;
        screen.print(&living::greeting(&resident))?;
        Ok::<_, Fault>(resident.run(stop).await?)
    });
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    ended?;
    screen.print("ended in good order; `mlp serve` goes on where this stopped\n")?;
    Ok(Exit::Done)
}

/// The files that the live journal names.
fn served_before(screen: &Screen) -> Result<(Project, Vec<PathBuf>), Fault> {
    let project = project_here(&screen.options)?;
    let entries = Home::of(&project).entries().map_err(living::journal_fault)?;
    let mut files: indexmap::IndexMap<String, PathBuf> = indexmap::IndexMap::new();
    for entry in entries {
        if let What::Declared { pipeline, file, .. } = entry.what {
            files.insert(pipeline, PathBuf::from(file));
        }
    }
    if files.is_empty() {
        return Err(Fault::usage("nothing was served before in this project")
            .next("name the file whose deployments are to live: `mlp serve FILE`"));
    }
    Ok((project, files.into_values().collect()))
}

fn load_all(screen: &Screen, project: &Project, files: &[PathBuf]) -> Result<Vec<Served>, Stopped> {
    let mut served: Vec<Served> = Vec::new();
    for file in files {
        let loaded = load(screen, file, &Params::default(), Purpose::Serve)?;
        if super::project(&screen.options, file) != *project {
            let fault = Fault::usage(format!("{} belongs to another project", file.display()));
            return Err(fault.next("serve each project by itself, or name one state folder with `--state DIR`").into());
        }
        if let Some(twin) = served.iter().find(|other| other.loaded.pipeline.name == loaded.pipeline.name) {
            let name = clean(&loaded.pipeline.name);
            let fault = Fault::usage(format!("two files declare the pipeline `{name}`"));
            return Err(fault.cause(format!("{} and {}", twin.file.display(), file.display())).into());
        }
        if !has_deployment(&loaded.pipeline) {
            let fault = Fault::usage(format!("{} deploys nothing", file.display()));
            return Err(fault.next("add a `deploy` declaration to it").into());
        }
        served.push(Served { file: absolute(file), loaded, params: Vec::new() });
    }
    Ok(served)
}

/// So that `mlp serve` without a file finds it from anywhere.
fn absolute(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

fn has_deployment(pipeline: &mlp_lang::pipeline::Pipeline) -> bool {
    pipeline.nodes.iter().any(|node| matches!(node.kind, mlp_lang::pipeline::NodeKind::Deploy(_)))
}
