//! Lowering: from declarations to the nodes of a [`Pipeline`].
//!
//! ```text
//! uses -> parameters -> schemas -> graph (order, cycles) -> nodes in that order -> Pipeline
//! ```
//!
//! Owns: what each kind of declaration must hold, and how it becomes a node. Must never know: how expressions are typed
//! ([`crate::typing`]), which names are unused ([`crate::lint`]).
//!
//! Invariants: every declaration is looked at, whatever is wrong with the others; a node is looked at after everything it
//! refers to, so that one pass suffices.

mod arguments;
mod block;
mod bounds;
mod certainty;
mod data;
mod gate;
mod graph;
mod header;
mod model;
mod params;
pub(crate) mod references;
mod schema;
mod settings;
mod step;
mod uses;

use crate::check::Purpose;
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::names::{Kind, suggest};
use crate::pipeline::{Expr, Node, NodeId, NodeKind, Param, Pipeline};
use crate::signature::Modules;
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind, Ident};
use indexmap::IndexMap;
use std::collections::BTreeSet;

/// Lowers a whole file. `None` when some declaration could not be lowered; its findings are in the context.
pub(crate) fn lower(
    cx: &mut Context<'_>,
    modules: &dyn Modules,
    overrides: &IndexMap<String, String>,
    purpose: Purpose,
) -> Option<Pipeline> {
    let header = header::lower(cx);
    uses::load(cx, modules);
    let params = params::lower(cx, overrides, purpose);
    schema::lower_all(cx);
    graph::arrange(cx);

    let mut nodes = Vec::with_capacity(cx.order.len());
    let mut whole = true;
    for (position, index) in cx.order.clone().into_iter().enumerate() {
        match lower_node(cx, index) {
            Some(part) => nodes.push(part.into_node(NodeId(position as u32))),
            None => whole = false,
        }
    }
    let params: Option<IndexMap<String, Param>> = params;
    whole.then_some(())?;
    Some(Pipeline {
        name: header.name,
        about: header.about,
        owner: header.owner,
        tags: header.tags,
        params: params?,
        nodes,
    })
}

/// A node without its place in the graph.
struct Part {
    name: String,
    doc: Option<String>,
    span: Span,
    needs: BTreeSet<NodeId>,
    when: Option<Expr>,
    kind: NodeKind,
}

impl Part {
    fn into_node(self, id: NodeId) -> Node {
        Node {
            id,
            name: self.name,
            doc: self.doc,
            span: self.span,
            needs: self.needs.into_iter().collect(),
            when: self.when,
            kind: self.kind,
        }
    }
}

fn lower_node(cx: &mut Context<'_>, index: usize) -> Option<Part> {
    let file = cx.file;
    let declaration: &Declaration = &file.declarations[index];
    let mut needs = BTreeSet::new();
    let (name, when, kind) = match &declaration.kind {
        DeclarationKind::Data { name, schema, settings, expectations } => {
            let (facts, node) = data::lower(cx, name, schema.as_ref(), settings, expectations, declaration.damaged);
            publish(cx, index, &name.name, facts);
            (name, None, NodeKind::Data(node?))
        }
        DeclarationKind::Step { name, body, when, after, settings } => {
            let (facts, node) = step::lower(cx, body, settings);
            // A step's own condition may not look at its own outputs: they are published afterwards. The graph has
            // reported it already if it does.
            let when = when.as_ref().map(|condition| step::condition(cx, condition, &mut needs));
            let after = waits_for(cx, after, &mut needs, &[Kind::Gate, Kind::Step]);
            publish(cx, index, &name.name, facts);
            let node = node?;
            needs.extend(node.inputs.values().map(|input| input.node));
            after?;
            let when = match when {
                None => None,
                Some(condition) => Some(condition?),
            };
            (name, when, NodeKind::Step(node.into()))
        }
        DeclarationKind::Gate { name, requirements, after } => {
            let node = gate::lower(cx, name, requirements, declaration.damaged, &mut needs);
            waits_for(cx, after, &mut needs, &[Kind::Gate, Kind::Step])?;
            (name, None, NodeKind::Gate(node?))
        }
        DeclarationKind::Model { name, value, after, card, settings } => {
            let mut gates = BTreeSet::new();
            let waits = waits_for(cx, after, &mut gates, &[Kind::Gate]);
            let node = model::lower(cx, value, gates.iter().copied().collect(), card, settings);
            waits?;
            let node = node?;
            needs.extend(gates);
            needs.insert(node.source.node);
            (name, None, NodeKind::Model(node))
        }
        _ => return None,
    };
    Some(Part { name: name.name.clone(), doc: declaration.doc.clone(), span: name.span, needs, when, kind })
}

/// Makes a node's outputs known, unless its name belongs to an earlier declaration.
fn publish(cx: &mut Context<'_>, index: usize, name: &str, facts: NodeFacts) {
    if cx.names.owns(name, index) {
        cx.nodes.insert(index, facts);
    }
}

/// `after a, b`: each must be of one of the kinds wanted.
fn waits_for(cx: &mut Context<'_>, after: &[Ident], needs: &mut BTreeSet<NodeId>, wanted: &[Kind]) -> Option<()> {
    let words = if wanted.contains(&Kind::Step) { "a gate or a step" } else { "a gate" };
    let mut sound = true;
    for ident in after {
        match cx.names.get(&ident.name) {
            Some(declared) if wanted.contains(&declared.kind) => match cx.ids.get(&declared.index) {
                Some(id) => {
                    needs.insert(*id);
                }
                None => sound = false,
            },
            Some(declared) => {
                sound = false;
                let finding = Finding::error(
                    codes::WRONG_KIND,
                    cx.place(ident.span),
                    format!("`{}` is {}, and `after` waits for {words}", ident.name, declared.kind.with_article()),
                )
                .also(cx.place(declared.span), "declared here");
                cx.report(finding);
            }
            None if cx.names.is_broken(&ident.name) => sound = false,
            None => {
                sound = false;
                let near = cx.names.nearest(&ident.name, cx.names.of_kind(|kind| wanted.contains(&kind)));
                let finding = Finding::error(
                    codes::UNKNOWN_NAME,
                    cx.place(ident.span),
                    format!("`{}` is not declared, and `after` waits for {words}", ident.name),
                )
                .label("not declared");
                let finding = suggest(finding, ident.span, near, || format!("name {words}"));
                cx.report_once(format!("name {}", ident.name), "also here", finding);
            }
        }
    }
    sound.then_some(())
}
