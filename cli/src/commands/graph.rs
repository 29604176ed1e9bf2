//! `mlp graph` and `mlp export`: what a checked file says, as a picture or as a document, without running anything.

use super::load::{Loaded, Purpose, load};
use crate::args::{Export, Graph, GraphFormat};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::{export, graph};
use crate::screen::Screen;
use std::path::Path;

/// Draws the graph of a file.
pub fn graph(screen: &Screen, args: &Graph) -> Result<Exit, Fault> {
    let loaded = match load(screen, &args.file, &args.params, Purpose::Look) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let document = document(&loaded);
    let text = match format(screen, args) {
        GraphFormat::Svg => graph::standalone(&document),
        GraphFormat::Dot => graph::dot(&document),
        GraphFormat::Mermaid => graph::mermaid(&document),
        GraphFormat::Json => format!("{:#}\n", graph::json(&document)),
    };
    put(screen, args.out.as_deref(), &text)
}

/// Writes the document of a file.
pub fn export(screen: &Screen, args: &Export) -> Result<Exit, Fault> {
    let loaded = match load(screen, &args.file, &args.params, Purpose::Look) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let text = serde_json::to_string_pretty(&document(&loaded))
        .map_err(|error| Fault::new("cannot write the document").cause(error))?;
    put(screen, args.out.as_deref(), &format!("{text}\n"))
}

fn document(loaded: &Loaded) -> export::Document {
    export::document(&loaded.pipeline, &loaded.source)
}

/// What was asked for, else what the name of the file to write says, else text that reads well.
fn format(screen: &Screen, args: &Graph) -> GraphFormat {
    let extension = args.out.as_deref().and_then(Path::extension).and_then(|extension| extension.to_str());
    match (args.format, extension) {
        (Some(format), _) => format,
        _ if screen.is_json() => GraphFormat::Json,
        (None, Some("svg")) => GraphFormat::Svg,
        (None, Some("dot" | "gv")) => GraphFormat::Dot,
        (None, Some("json")) => GraphFormat::Json,
        _ => GraphFormat::Mermaid,
    }
}

/// To a file, which is then named, or to standard output.
fn put(screen: &Screen, out: Option<&Path>, text: &str) -> Result<Exit, Fault> {
    match out {
        None => screen.print(text)?,
        Some(path) => {
            std::fs::write(path, text)
                .map_err(|error| Fault::new(format!("cannot write {}", path.display())).cause(error))?;
            screen.print(&format!("{}\n", path.display()))?;
        }
    }
    Ok(Exit::Done)
}
