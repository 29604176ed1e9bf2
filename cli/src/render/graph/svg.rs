//! The graph as SVG: shapes that can be told apart without colour, on light and on dark.

use super::layout::{self, Box, Placed};
use super::{detail, is_conditional, is_dashed, word};
use crate::render::export::{Document, Kind, Node};
use crate::render::page::escape;
use std::collections::HashMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

const HEIGHT: f64 = 44.0;
const STEP: f64 = 86.0;
const MARGIN: f64 = 14.0;
/// Names longer than this are cut; the whole name is in the tooltip.
const LONGEST: usize = 34;

/// Colours and lines, for the picture alone and inside of a page.
pub const STYLE: &str = include_str!("graph.css");

/// A file of its own.
pub fn standalone(document: &Document) -> String {
    draw(document, |_| None, &format!("<style>\n{STYLE}</style>\n"))
}

/// A part of a page that has [`STYLE`] in its own; `link` gives the address that a node leads to.
pub fn embedded(document: &Document, link: impl Fn(&Node) -> Option<String>) -> String {
    draw(document, link, "")
}

fn draw(document: &Document, link: impl Fn(&Node) -> Option<String>, style: &str) -> String {
    let nodes = &document.nodes;
    let index: HashMap<&str, usize> = nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    // Several outputs between two nodes are one line, drawn whole if anything flows.
    let mut edges: Vec<((usize, usize), bool)> = Vec::new();
    for edge in &document.edges {
        let (Some(from), Some(to)) = (index.get(edge.from.as_str()), index.get(edge.to.as_str())) else { continue };
        match edges.iter_mut().find(|(ends, _)| *ends == (*from, *to)) {
            Some((_, dashed)) => *dashed &= is_dashed(edge),
            None => edges.push(((*from, *to), is_dashed(edge))),
        }
    }
    let boxes: Vec<Box> = nodes.iter().map(|node| Box { width: width(node) }).collect();
    let ends: Vec<(usize, usize)> = edges.iter().map(|(ends, _)| *ends).collect();
    let placed = layout::place(&boxes, &ends);
    let (wide, high) = (placed.width + 2.0 * MARGIN, placed.layers as f64 * STEP - (STEP - HEIGHT) + 2.0 * MARGIN);
    let high = high.max(2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mlp-graph\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         viewBox=\"0 0 {wide:.0} {high:.0}\" role=\"img\" aria-label=\"{}\">\n{style}",
        escape(&format!("The graph of {}", document.pipeline.name))
    );
    for (edge, (_, dashed)) in edges.iter().enumerate() {
        svg.push_str(&line(&placed, edges[edge].0, &placed.bends[edge], *dashed));
    }
    for (node, (x, layer)) in nodes.iter().zip(&placed.nodes) {
        svg.push_str(&shape(node, x + MARGIN, *layer as f64 * STEP + MARGIN, link(node)));
    }
    svg.push_str("</svg>\n");
    svg
}

fn line(placed: &Placed, (from, to): (usize, usize), bends: &[(f64, usize)], dashed: bool) -> String {
    let top = |layer: usize| layer as f64 * STEP + MARGIN;
    let (start_x, start_layer) = placed.nodes[from];
    let (end_x, end_layer) = placed.nodes[to];
    let (mut x, mut y) = (start_x + MARGIN, top(start_layer) + HEIGHT);
    let mut path = format!("M{x:.1} {y:.1}");
    let mut curve = |to_x: f64, to_y: f64| {
        let middle = (y + to_y) / 2.0;
        let _ = write!(path, " C{x:.1} {middle:.1} {to_x:.1} {middle:.1} {to_x:.1} {to_y:.1}");
        (x, y) = (to_x, to_y);
    };
    for (bend, layer) in bends {
        // Straight through the row, so that no box beside it is touched.
        curve(bend + MARGIN, top(*layer));
        curve(bend + MARGIN, top(*layer) + HEIGHT);
    }
    let (tip_x, tip_y) = (end_x + MARGIN, top(end_layer) - 1.0);
    curve(tip_x, tip_y - 6.0);
    let class = if dashed { "edge dashed" } else { "edge" };
    format!(
        "<path class=\"{class}\" d=\"{path}\"/>\n<path class=\"tip\" d=\"M{tip_x:.1} {tip_y:.1} l-4 -7.5 l8 0 Z\"/>\n"
    )
}

fn shape(node: &Node, x: f64, y: f64, link: Option<String>) -> String {
    let (w, h) = (width(node), HEIGHT);
    let (l, r, t, b, m) = (x - w / 2.0, x + w / 2.0, y, y + h, y + h / 2.0);
    let outline = match node.kind {
        Kind::Step(_) => format!("<rect x=\"{l:.1}\" y=\"{t:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"8\"/>"),
        Kind::Tune(_) => {
            let bars = format!("M{0:.1} {t:.1} V{b:.1} M{1:.1} {t:.1} V{b:.1}", l + 7.0, r - 7.0);
            format!(
                "<rect x=\"{l:.1}\" y=\"{t:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"2\"/><path class=\"rim\" d=\"{bars}\"/>"
            )
        }
        Kind::Monitor(_) => {
            format!("<rect x=\"{l:.1}\" y=\"{t:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"{:.1}\"/>", h / 2.0)
        }
        Kind::Data(_) => {
            let (rx, ry) = (w / 2.0, 5.0);
            let (t, b) = (t + ry, b - ry);
            format!(
                "<path d=\"M{l:.1} {t:.1} A{rx:.1} {ry} 0 0 1 {r:.1} {t:.1} V{b:.1} A{rx:.1} {ry} 0 0 1 {l:.1} {b:.1} Z\"/>\
                 <path class=\"rim\" d=\"M{l:.1} {t:.1} A{rx:.1} {ry} 0 0 0 {r:.1} {t:.1}\"/>"
            )
        }
        Kind::Gate(_) => polygon(&[(l + 14.0, t), (r - 14.0, t), (r, m), (r - 14.0, b), (l + 14.0, b), (l, m)]),
        Kind::Model(_) | Kind::Registry(_) => polygon(&[
            (l + 10.0, t),
            (r - 10.0, t),
            (r, t + 10.0),
            (r, b - 10.0),
            (r - 10.0, b),
            (l + 10.0, b),
            (l, b - 10.0),
            (l, t + 10.0),
        ]),
        Kind::Deploy(_) => polygon(&[(l + 12.0, t), (r - 12.0, t), (r, b), (l, b)]),
        Kind::Trigger(_) => polygon(&[(l, t), (r - 14.0, t), (r, m), (r - 14.0, b), (l, b), (l + 10.0, m)]),
    };
    let dashed = if is_conditional(node) || matches!(node.kind, Kind::Registry(_)) { " maybe" } else { "" };
    let doc = node.doc.as_deref().map(|doc| format!("\n{doc}")).unwrap_or_default();
    let when = node.when.as_deref().map(|when| format!("\nwhen {when}")).unwrap_or_default();
    let drop = if matches!(node.kind, Kind::Data(_)) { 3.0 } else { 0.0 };
    let inside = format!(
        "<g class=\"node {}{dashed}\"><title>{}</title>{outline}<text class=\"name\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>\
         <text class=\"what\" x=\"{x:.1}\" y=\"{:.1}\">{}</text></g>",
        word(node),
        escape(&format!("{} {}{doc}{when}", word(node), node.name)).replace('\u{fffd}', "\n"),
        m - 3.0 + drop,
        escape(&cut(&node.name)),
        m + 12.0 + drop,
        escape(&cut(&caption(node))),
    );
    match link {
        Some(address) => format!("<a href=\"{}\">{inside}</a>\n", escape(&address)),
        None => format!("{inside}\n"),
    }
}

fn polygon(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    format!("<polygon points=\"{}\"/>", points.join(" "))
}

fn caption(node: &Node) -> String {
    format!("{} · {}", word(node), detail(node))
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST - 1).collect();
    format!("{kept}…")
}

/// Wide enough for both lines in the fonts that are likely.
fn width(node: &Node) -> f64 {
    let (name, what) = (cut(&node.name), cut(&caption(node)));
    let text = (name.width() as f64 * 8.6).max(what.width() as f64 * 6.3);
    let sides = match node.kind {
        Kind::Tune(_) | Kind::Gate(_) | Kind::Deploy(_) | Kind::Trigger(_) | Kind::Monitor(_) => 44.0,
        _ => 28.0,
    };
    (text + sides).max(96.0)
}
