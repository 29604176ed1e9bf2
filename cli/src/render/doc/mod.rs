//! A project as one HTML page: what each file declares, with its documentation, its graph and links between names.
//!
//! The page needs nothing but itself: no script, no font, no network. Everything that comes from files is escaped.

mod live;
mod nodes;
mod parts;

use super::export::{Document, Kind, Node, Work};
use super::graph;
use super::page::escape;
use mlp_lang::signature::ModuleSignature;
use mlp_lang::span::Source;
use mlp_lang::syntax;
use parts::{link, section};
use std::fmt::Write;

/// One file.
pub struct Chapter {
    pub document: Document,
    /// Of the steps it calls.
    pub modules: Vec<ModuleSignature>,
    pub source: Source,
}

/// The page of a project.
pub fn page(title: &str, chapters: &[Chapter]) -> String {
    let mut body = format!("<nav>\n<p class=\"title\"><a href=\"#top\">{}</a></p>\n", escape(title));
    for (index, chapter) in chapters.iter().enumerate() {
        body.push_str(&contents(index, chapter, chapters.len() == 1));
    }
    let _ = write!(body, "</nav>\n<main id=\"top\">\n<h1>{}</h1>\n", escape(title));
    if chapters.len() > 1 {
        let _ = writeln!(body, "<p class=\"lead\">{} pipelines.</p>", chapters.len());
    }
    for (index, one) in chapters.iter().enumerate() {
        body.push_str(&chapter(index, one, chapters.len() == 1));
    }
    body.push_str(&modules(chapters));
    body.push_str("</main>\n");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n<style>\n{}{}{}</style>\n</head>\n\
         <body class=\"doc\">\n{body}</body>\n</html>\n",
        escape(title),
        super::page::STYLE,
        graph::STYLE,
        include_str!("doc.css"),
    )
}

/// The kinds of nodes, in the order in which they are told.
const ORDER: [(&str, &str); 9] = [
    ("data", "Data"),
    ("step", "Steps"),
    ("tune", "Searches"),
    ("gate", "Gates"),
    ("model", "Models"),
    ("registry", "From the registry"),
    ("deploy", "Deployments"),
    ("monitor", "Monitors"),
    ("on", "Triggers"),
];

fn of_kind<'d>(document: &'d Document, word: &str) -> Vec<&'d Node> {
    document.nodes.iter().filter(|node| graph::word(node) == word).collect()
}

/// The address of something on the page. Names are unique in a file; files have numbers.
fn anchor(chapter: usize, word: &str, name: &str) -> String {
    let mut anchor = format!("f{chapter}-{word}-");
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => anchor.push(c),
            c => {
                let _ = write!(anchor, ".{:x}", u32::from(c));
            }
        }
    }
    anchor
}

/// The address of a node by its name.
fn node_anchor(chapter: usize, document: &Document, name: &str) -> Option<String> {
    let node = document.nodes.iter().find(|node| node.name == name)?;
    Some(anchor(chapter, graph::word(node), name))
}

fn contents(index: usize, chapter: &Chapter, alone: bool) -> String {
    let document = &chapter.document;
    let mut list = String::new();
    for (word, title) in ORDER {
        let nodes = of_kind(document, word);
        if nodes.is_empty() {
            continue;
        }
        let _ = write!(list, "<li><span>{title}</span><ul>");
        for node in nodes {
            let _ =
                write!(list, "<li><a href=\"#{}\">{}</a></li>", anchor(index, word, &node.name), escape(&node.name));
        }
        list.push_str("</ul></li>\n");
    }
    let open = if alone { " open" } else { "" };
    format!(
        "<details{open}><summary><a href=\"#f{index}\">{}</a></summary>\n<ul>\n{list}</ul></details>\n",
        escape(&document.pipeline.name)
    )
}

fn chapter(index: usize, chapter: &Chapter, alone: bool) -> String {
    let document = &chapter.document;
    let head = &document.pipeline;
    let mut html = format!("<article id=\"f{index}\">\n");
    if !alone {
        let _ = writeln!(html, "<h1 class=\"file\">{}</h1>", escape(&head.name));
    }
    if let Some(about) = &head.about {
        let _ = writeln!(html, "<p class=\"lead\">{}</p>", escape(about));
    }
    let mut facts = vec![format!("<code>{}</code>", escape(&document.file))];
    facts.extend(head.owner.iter().map(|owner| format!("owner {}", escape(owner))));
    facts.extend(head.tags.iter().map(|(key, value)| format!("{} {}", escape(key), escape(value))));
    let _ = writeln!(html, "<p class=\"facts\">{}</p>", facts.join(" · "));
    if !document.nodes.is_empty() {
        let picture =
            graph::embedded(document, |node| Some(format!("#{}", anchor(index, graph::word(node), &node.name))));
        let _ = writeln!(html, "<div class=\"graph\">{picture}</div>");
    }
    let syntax = syntax::parse(&chapter.source);
    html.push_str(&parts::parameters(index, document, &syntax.file));
    html.push_str(&parts::schemas(index, &syntax.file, &chapter.source));
    for (word, title) in ORDER {
        let nodes = of_kind(document, word);
        let inside: String = nodes.iter().map(|node| nodes::card(index, chapter, node)).collect();
        html.push_str(&section(title, &inside));
    }
    html.push_str(&parts::others(index, &syntax.file, &chapter.source));
    html.push_str("</article>\n");
    html
}

/// What the modules say that are used anywhere.
fn modules(chapters: &[Chapter]) -> String {
    let mut told: Vec<&ModuleSignature> = Vec::new();
    for module in chapters.iter().flat_map(|chapter| &chapter.modules) {
        if !told.iter().any(|known| known.digest == module.digest) {
            told.push(module);
        }
    }
    let mut html = String::new();
    for module in told {
        let _ = write!(
            html,
            "<section class=\"card\" id=\"module-{}\"><h3>{} <small>{}</small></h3>\n{}",
            escape(&module.digest),
            escape(&module.name),
            escape(&module.version),
            parts::doc(Some(&module.doc))
        );
        let called = |name: &str| {
            let mut nodes = chapters.iter().flat_map(|chapter| &chapter.document.nodes);
            nodes.any(|node| module_step(node).is_some_and(|(digest, step)| digest == module.digest && step == name))
        };
        for step in module.steps.iter().filter(|step| called(&step.name)) {
            let _ = write!(
                html,
                "<h4 id=\"module-{}-{}\"><code>{}</code></h4>\n{}",
                escape(&module.digest),
                escape(&step.name),
                escape(&step.name),
                parts::doc(Some(&step.doc))
            );
            let mut rows: Vec<[String; 3]> = Vec::new();
            rows.extend(step.inputs.iter().map(|input| ["input".into(), input.name.clone(), input.doc.clone()]));
            rows.extend(step.params.iter().map(|param| ["setting".into(), param.name.clone(), param.doc.clone()]));
            rows.extend(step.outputs.iter().map(|output| ["output".into(), output.name.clone(), output.doc.clone()]));
            let rows = rows
                .into_iter()
                .map(|[what, name, doc]| vec![escape(&what), format!("<code>{}</code>", escape(&name)), escape(&doc)]);
            html.push_str(&parts::table(&["", "name", ""], rows));
        }
        html.push_str("</section>\n");
    }
    section("Modules", &html)
}

/// The digest of the module and the step of it that a node calls, if it calls one.
pub fn module_step(node: &Node) -> Option<(&str, &str)> {
    let Kind::Step(step) = &node.kind else { return None };
    let does = match &step.does {
        Work::Fan { each, .. } => each,
        does => does,
    };
    match does {
        Work::Module { digest, step, .. } => Some((digest, step)),
        _ => None,
    }
}

/// A name that leads to its node.
fn to_node(chapter: usize, document: &Document, name: &str) -> String {
    match node_anchor(chapter, document, name) {
        Some(anchor) => link(&anchor, name),
        None => format!("<code>{}</code>", escape(name)),
    }
}
