//! `mlp doc`: a page about a project.

use super::load::{Purpose, Stopped, load};
use crate::args::{Doc, Params};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::render::{doc, export};
use crate::screen::Screen;
use mlp_lang::signature::ModuleSignature;

/// Checks every file of the project and writes a page about all of them, or tells what is wrong and writes nothing.
pub fn doc(screen: &Screen, args: &Doc) -> Result<Exit, Fault> {
    let mut chapters = Vec::new();
    let mut wrong = None;
    for path in files::pipelines_at(&args.path)? {
        match load(screen, &path, &Params::default(), Purpose::Look) {
            Ok(loaded) => {
                let document = export::document(&loaded.pipeline, &loaded.source);
                let modules = modules(&document, &loaded.world);
                chapters.push(doc::Chapter { document, modules, source: loaded.source });
            }
            // What is wrong with it has been told; the others may have mistakes, too.
            Err(Stopped::Told(exit)) => wrong = Some(exit),
            Err(Stopped::Fault(fault)) => return Err(fault),
        }
    }
    if let Some(exit) = wrong {
        return Ok(exit);
    }
    let title = match chapters.as_slice() {
        [one] => one.document.pipeline.name.clone(),
        _ => name(&args.path),
    };
    let page = args.out.join("index.html");
    std::fs::create_dir_all(&args.out)
        .and_then(|()| std::fs::write(&page, doc::page(&title, &chapters)))
        .map_err(|error| Fault::new(format!("cannot write {}", page.display())).cause(error))?;
    screen.print(&format!("{}\n", page.display()))?;
    Ok(Exit::Done)
}

/// What the modules say of themselves whose steps the document calls.
fn modules(document: &export::Document, world: &crate::world::World) -> Vec<ModuleSignature> {
    let mut found: Vec<ModuleSignature> = Vec::new();
    let called = document.nodes.iter().filter_map(|node| match &node.kind {
        export::Kind::Step(step) => Some(match &step.does {
            export::Work::Fan { each, .. } => each,
            does => does,
        }),
        _ => None,
    });
    for does in called {
        if let export::Work::Module { module, .. } = does
            && let Ok(module) = world.modules().module(module)
            && !found.iter().any(|known| known.digest == module.digest)
        {
            found.push((*module).clone());
        }
    }
    found
}

fn name(path: &std::path::Path) -> String {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    whole.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
}
