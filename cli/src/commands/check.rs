//! `mlp check`: findings, without running anything.

use super::load::overrides;
use crate::args::{Check, Output};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::render::text::{BAD, GOOD, WARN, styled};
use crate::render::{findings, json};
use crate::screen::Screen;
use crate::world::World;
use mlp_lang::finding::Finding;
use mlp_lang::span::Source;
use std::path::{Path, PathBuf};

/// Checks every file, then tells all that was found: one broken file does not hide the next.
pub fn check(screen: &Screen, args: &Check) -> Result<Exit, Fault> {
    let overrides = overrides(&args.params.params)?;
    let mut sources: Vec<Source> = Vec::new();
    let mut found: Vec<Finding> = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    for path in paths(args, &mut faults) {
        let (source, world) = match path {
            Some(path) => (files::read(&path), World::around(&path)),
            None => (files::read_stdin(&args.stdin_name), World::around(Path::new(&args.stdin_name))),
        };
        match source {
            Ok(source) => {
                found.extend(mlp_lang::check::inspect(&source, world.modules(), &overrides).findings);
                sources.push(source);
            }
            Err(fault) => faults.push(fault),
        }
    }
    tell(screen, &sources, &found, &faults)?;
    let wrong = !faults.is_empty() || found.iter().any(Finding::is_error);
    Ok(if wrong { Exit::Usage } else { Exit::Done })
}

/// Every file meant, each once, in the order given; `None` is standard input.
fn paths(args: &Check, faults: &mut Vec<Fault>) -> Vec<Option<PathBuf>> {
    let mut paths: Vec<Option<PathBuf>> = Vec::new();
    for file in &args.files {
        let found = match file.as_os_str() == "-" {
            true => Ok(vec![None]),
            false => files::pipelines_at(file).map(|found| found.into_iter().map(Some).collect()),
        };
        match found {
            Ok(found) => {
                let new: Vec<_> = found.into_iter().filter(|path| !paths.contains(path)).collect();
                paths.extend(new);
            }
            Err(fault) => faults.push(fault),
        }
    }
    paths
}

fn tell(screen: &Screen, sources: &[Source], found: &[Finding], faults: &[Fault]) -> Result<(), Fault> {
    match screen.options.output {
        Output::Json => {
            let unreadable: Vec<_> = faults.iter().map(Fault::json).collect();
            return screen.print_json(&json::check(sources.len(), found, sources, &unreadable), false);
        }
        Output::Concise => screen.print(&findings::concise(found, sources))?,
        Output::Text | Output::Junit => screen.print(&findings::full(found, sources, screen.width()))?,
    }
    for fault in faults {
        screen.fault(fault);
    }
    if sources.is_empty() || screen.options.output == Output::Concise || screen.options.quiet {
        return Ok(());
    }
    let style = match () {
        () if found.iter().any(Finding::is_error) => BAD,
        () if !found.is_empty() => WARN,
        () => GOOD,
    };
    screen.print(&format!("{}\n", styled(style, findings::counts(found, sources.len()))))
}
