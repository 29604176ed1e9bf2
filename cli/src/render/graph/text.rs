//! Graphviz and Mermaid.

use super::{detail, is_conditional, is_dashed, word};
use crate::render::export::{Document, Kind, Node};
use std::fmt::Write;

/// For `dot -Tsvg`.
pub fn dot(document: &Document) -> String {
    let mut text = format!(
        "digraph {} {{\n  rankdir = TB;\n  node [fontname = \"sans-serif\", fontsize = 11];\n",
        dot_text(&document.pipeline.name)
    );
    for node in &document.nodes {
        let shape = match node.kind {
            Kind::Data(_) => "cylinder",
            Kind::Step(_) => "box",
            Kind::Tune(_) => "box3d",
            Kind::Gate(_) => "hexagon",
            Kind::Model(_) | Kind::Registry(_) => "octagon",
            Kind::Deploy(_) => "house",
            Kind::Monitor(_) => "ellipse",
            Kind::Trigger(_) => "cds",
        };
        let dashed = is_conditional(node) || matches!(node.kind, Kind::Registry(_));
        let style = match (dashed, matches!(node.kind, Kind::Step(_))) {
            (true, true) => ", style = \"rounded,dashed\"",
            (true, false) => ", style = \"dashed\"",
            (false, true) => ", style = \"rounded\"",
            (false, false) => "",
        };
        // `\n` is dot's own line break, so the two lines are escaped one by one.
        let label = format!("{}\\n{}", dot_inside(&node.name), dot_inside(&caption(node)));
        let _ = writeln!(text, "  {} [label = \"{label}\", shape = {shape}{style}];", dot_text(&node.name));
    }
    for edge in &document.edges {
        let style = if is_dashed(edge) { " [style = dashed]" } else { "" };
        let _ = writeln!(text, "  {} -> {}{style};", dot_text(&edge.from), dot_text(&edge.to));
    }
    text.push_str("}\n");
    text
}

/// For Markdown that knows Mermaid.
pub fn mermaid(document: &Document) -> String {
    let mut text = "flowchart TB\n".to_owned();
    let id = |name: &str| document.nodes.iter().position(|node| node.name == name).unwrap_or_default();
    for (index, node) in document.nodes.iter().enumerate() {
        let (open, close) = match node.kind {
            Kind::Data(_) => ("[(", ")]"),
            Kind::Step(_) => ("(", ")"),
            Kind::Tune(_) => ("[/", "/]"),
            Kind::Gate(_) => ("{{", "}}"),
            Kind::Model(_) | Kind::Registry(_) => ("[[", "]]"),
            Kind::Deploy(_) => ("[/", "\\]"),
            Kind::Monitor(_) => ("([", "])"),
            Kind::Trigger(_) => (">", "]"),
        };
        let label = format!("<b>{}</b><br>{}", mermaid_text(&node.name), mermaid_text(&caption(node)));
        let _ = writeln!(text, "  n{index}{open}\"{label}\"{close}");
        if is_conditional(node) || matches!(node.kind, Kind::Registry(_)) {
            let _ = writeln!(text, "  style n{index} stroke-dasharray: 4 3");
        }
    }
    for edge in &document.edges {
        let arrow = if is_dashed(edge) { "-.->" } else { "-->" };
        let _ = writeln!(text, "  n{} {arrow} n{}", id(&edge.from), id(&edge.to));
    }
    text
}

fn caption(node: &Node) -> String {
    format!("{} · {}", word(node), detail(node))
}

fn dot_text(text: &str) -> String {
    format!("\"{}\"", dot_inside(text))
}

fn dot_inside(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Mermaid reads HTML in its labels, and `#` as the start of a character's name.
fn mermaid_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_alphanumeric() || " _-.,:/@·".contains(c) => escaped.push(c),
            c if c.is_control() => escaped.push(' '),
            c => {
                let _ = write!(escaped, "#{};", u32::from(c));
            }
        }
    }
    escaped
}
