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
mod conduct;
mod data;
mod fan;
mod gate;
mod graph;
mod header;
mod live;
mod model;
mod params;
mod people;
mod program;
pub(crate) mod query;
pub(crate) mod references;
mod rows;
mod rules;
mod schema;
pub(crate) mod secret;
mod seen;
mod settings;
mod source;
mod space;
mod step;
mod testing;
mod tune;
mod uses;

pub(crate) use step::written_type;

use crate::check::Purpose;
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::kept::{KnownNode, Outcome};
use crate::live::TriggerWhen;
use crate::names::{Kind, declared_name, suggest};
use crate::pipeline::{DataSource, Expr, Node, NodeId, NodeKind, Param, Pipeline};
use crate::signature::Modules;
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind, Ident};
use crate::types::Type;
use crate::work::{FanNode, Work};
use crate::written::listed;
use header::Header;
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a file came to.
pub(crate) struct Lowered {
    /// `None`: some declaration could not be lowered, and its findings are in the context; or some were kept from the last
    /// check, which keeps no nodes.
    pub(crate) pipeline: Option<Pipeline>,
    /// Whether every declaration could be lowered.
    pub(crate) whole: bool,
}

/// Lowers a whole file, but for what is kept of it.
pub(crate) fn lower(
    cx: &mut Context<'_>,
    modules: &dyn Modules,
    overrides: &IndexMap<String, String>,
    purpose: Purpose,
) -> Lowered {
    let file = cx.file;
    let header = header::lower(cx);
    cx.pipeline.clone_from(&header.name);
    // A component by itself stands in no pipeline: what that must allow is looked at for each instance.
    let alone = cx.linked.is_some_and(|linked| linked.alone);
    cx.house.allows_processes |= alone;
    uses::load(cx, modules);
    cx.kept.meet(cx.modules.iter().filter_map(|(index, module)| match &file.declarations.get(*index)?.kind {
        DeclarationKind::Use { path, .. } => Some((path.as_str(), module)),
        _ => None,
    }));
    let params = params::lower(cx, overrides, purpose);
    secret::lower_all(cx);
    schema::lower_all(cx);
    if cx.modules.values().any(Option::is_none) {
        // Names that nobody declared may be of a module that could not be loaded.
        cx.kept.distrust();
    }
    let edges = graph::arrange(cx);

    let order = std::mem::take(&mut cx.order);
    cx.order.clone_from(&order);
    let mut nodes = Vec::with_capacity(order.len());
    let (mut whole, mut recalled) = (true, Vec::new());
    cx.kept.renumber(&order);
    for (position, index) in order.into_iter().enumerate() {
        let id = NodeId(position as u32);
        if let Some(node) = recall(cx, index, id) {
            whole &= node.is_some();
            recalled.extend(node);
            continue;
        }
        let (before, told) = (cx.findings.len(), cx.told);
        let part = lower_node(cx, index);
        cx.blame(before, index);
        match part {
            Some(part) => {
                let node = part.into_node(id);
                cx.needs.insert(id, node.needs.clone());
                nodes.push(node);
            }
            None => whole = false,
        }
        if cx.told == told && cx.kept.is_trusted() {
            let node = nodes.last().filter(|node| node.id == id);
            keep(cx, &edges, index, node);
        }
    }
    live::registry::settle(cx, &mut nodes);
    let tests = testing::lower_all(cx);
    if !alone {
        tune::lint(cx);
        live::alone::lint(cx, &nodes);
    }
    if whole && !alone {
        seen::lint(cx, &together(&nodes, &recalled));
    }
    let params: Option<IndexMap<String, Param>> = params.filter(|_| whole);
    let (Some(params), Some(tests)) = (params, tests) else { return Lowered { pipeline: None, whole: false } };
    let Header { name, about, owner, tags } = header;
    let pipeline = recalled.is_empty().then_some(Pipeline { name, about, owner, tags, params, nodes, tests });
    Lowered { pipeline, whole: true }
}

/// All nodes by their numbers: those that were lowered and those that were kept.
fn together<'n>(lowered: &'n [Node], kept: &'n [Arc<Node>]) -> Vec<&'n Node> {
    let mut all: Vec<&Node> = lowered.iter().chain(kept.iter().map(Arc::as_ref)).collect();
    all.sort_by_key(|node| node.id);
    all
}

/// Keeps what a declaration came to; without a node it rests on a mistake that was told elsewhere.
fn keep(cx: &mut Context<'_>, edges: &graph::Edges, index: usize, node: Option<&Node>) {
    let facts = cx.nodes.get(&index);
    cx.kept.keep(index, cx.file, || {
        let behind = edges.get(&index).into_iter().flatten().map(|(target, _)| *target).collect();
        Outcome::Node(KnownNode { facts: facts.cloned(), node: node.cloned().map(Arc::new), behind })
    });
}

/// Makes known what a node came to in the last check, and gives it, if it could be lowered. `None`: it is not known.
fn recall(cx: &mut Context<'_>, index: usize, id: NodeId) -> Option<Option<Arc<Node>>> {
    let known = cx.kept.node(index)?;
    if let Some(facts) = &known.facts {
        cx.nodes.insert(index, facts.clone());
    }
    let Some(node) = known.node.clone() else { return Some(None) };
    cx.needs.insert(id, node.needs.clone());
    Some(Some(node))
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

/// What a step does, once or for each value of a list.
enum Done {
    One(Box<Work>),
    Fan(FanNode),
}

impl Done {
    /// The nodes whose outputs it reads.
    fn reads(&self) -> Vec<NodeId> {
        match self {
            Done::One(work) => work.reads(),
            Done::Fan(fan) => fan.members.iter().flat_map(Work::reads).collect(),
        }
    }

    fn into_kind(self) -> NodeKind {
        match self {
            Done::One(work) => match *work {
                Work::Step(step) => NodeKind::Step(step.into()),
                Work::Program(program) => NodeKind::Program(Arc::from(program)),
                Work::Query(query) => NodeKind::Query(query.into()),
            },
            Done::Fan(fan) => NodeKind::Fan(fan.into()),
        }
    }
}

fn lower_node(cx: &mut Context<'_>, index: usize) -> Option<Part> {
    let file = cx.file;
    let Some(declaration): Option<&Declaration> = file.declarations.get(index) else {
        return live::registry::lower(cx, index - file.declarations.len());
    };
    if let (Some(flavor), Some((name, ..))) =
        (cx.linked.and_then(|linked| linked.given.get(&index)), declared_name(declaration))
    {
        let outputs = IndexMap::from([("model".to_owned(), Type::Model(flavor.clone()))]);
        publish(cx, index, name, NodeFacts { outputs: Some(outputs), ..NodeFacts::default() });
        return None;
    }
    let mut needs = BTreeSet::new();
    let (name, when, kind) = match &declaration.kind {
        DeclarationKind::Data { name, schema, settings, expectations, pii } => {
            let damaged = declaration.damaged;
            let (facts, node) = data::lower(cx, name, schema.as_ref(), settings, expectations, pii.as_ref(), damaged);
            publish(cx, index, &name.name, facts);
            let node = node?;
            if let DataSource::Output(from) = &node.source {
                needs.insert(from.node);
            }
            (name, None, NodeKind::Data(node))
        }
        DeclarationKind::Step { name, body, when, after, settings, task, fan } => {
            let (facts, node) = match fan {
                Some(fan) => {
                    let (facts, node) = fan::lower(cx, fan, body, task, settings);
                    (facts, node.map(Done::Fan))
                }
                None => {
                    let (facts, node) = step::lower(cx, body, task, settings);
                    (facts, node.map(|work| Done::One(work.into())))
                }
            };
            let exists = when.as_ref().is_some_and(live::registry::is_exists);
            live::registry::told(cx, body, when.as_ref());
            let when = when.as_ref().filter(|_| !exists);
            // A step's own condition may not look at its own outputs: they are published afterwards. The graph has
            // reported it already if it does.
            let when = when.map(|condition| step::condition(cx, condition, &mut needs));
            let reads_skipped = needs.iter().any(|node| cx.skipped_first.contains(node));
            let after = waits_for(cx, after, &mut needs, &[Kind::Gate, Kind::Step]);
            publish(cx, index, &name.name, facts);
            let node = node?;
            let inputs = node.reads();
            if (exists || reads_skipped || inputs.iter().any(|node| cx.skipped_first.contains(node)))
                && let Some(id) = cx.ids.get(&index)
            {
                cx.skipped_first.insert(*id);
            }
            needs.extend(inputs);
            after?;
            let when = match when {
                None => None,
                Some(condition) => Some(condition?),
            };
            (name, when, node.into_kind())
        }
        DeclarationKind::Tune { name, over, space, goals, settings } => {
            let written = tune::Written { name, over, space, goals, settings, damaged: declaration.damaged };
            let (facts, node) = tune::lower(cx, &written, &mut needs);
            publish(cx, index, &name.name, facts);
            (name, None, NodeKind::Tune(node?.into()))
        }
        DeclarationKind::Gate { name, requirements, approvals, after } => {
            let written = gate::Written { name, clauses: requirements, approvals, damaged: declaration.damaged };
            let node = gate::lower(cx, &written, &mut needs);
            waits_for(cx, after, &mut needs, &[Kind::Gate, Kind::Step])?;
            (name, None, NodeKind::Gate(node?))
        }
        DeclarationKind::Model { name, value, after, card, settings } => {
            let mut gates = BTreeSet::new();
            let waits = waits_for(cx, after, &mut gates, &[Kind::Gate]);
            let node = model::lower(cx, value, gates.iter().copied().collect(), card, settings);
            waits?;
            let node = node?;
            publish(cx, index, &name.name, model::facts(cx, &node));
            needs.extend(gates);
            needs.insert(node.source.node);
            (name, None, NodeKind::Model(node))
        }
        DeclarationKind::Deploy { name, model, settings, strategies, rollback } => {
            let written =
                live::deploy::Written { model, settings, strategies, rollback, damaged: declaration.damaged, name };
            let (facts, node) = live::deploy::lower(cx, &written);
            publish(cx, index, &name.name, facts);
            let node = node?;
            needs.insert(node.model);
            if let crate::live::Form::Batch { rows, .. } = &node.form {
                needs.insert(rows.node);
            }
            (name, None, NodeKind::Deploy(node.into()))
        }
        DeclarationKind::Monitor { name, deployment, rhythm, settings, watches, breaches, block } => {
            let written = live::monitor::Written {
                name,
                deployment,
                rhythm: rhythm.as_ref(),
                settings,
                watches,
                breaches,
                block: *block,
                damaged: declaration.damaged,
            };
            let node = live::monitor::lower(cx, &written)?;
            needs.insert(node.deployment);
            needs.extend(node.reference.iter().map(|reference| reference.node));
            (name, None, NodeKind::Monitor(node.into()))
        }
        DeclarationKind::Trigger { event, actions, settings } => {
            let (name, span, node) = live::trigger::lower(cx, event, actions, settings, declaration.keyword)?;
            if let TriggerWhen::Change { data } = &node.when {
                needs.insert(*data);
            }
            let doc = declaration.doc.clone();
            return Some(Part { name, doc, span, needs, when: None, kind: NodeKind::Trigger(node) });
        }
        DeclarationKind::Pipeline { .. }
        | DeclarationKind::Use { .. }
        | DeclarationKind::Param { .. }
        | DeclarationKind::Secret { .. }
        | DeclarationKind::Component { .. }
        | DeclarationKind::Test { .. }
        | DeclarationKind::Schema { .. } => return None,
    };
    Some(Part { name: name.name.clone(), doc: declaration.doc.clone(), span: name.span, needs, when, kind })
}

/// Makes a node's outputs known, unless its name belongs to an earlier declaration.
fn publish(cx: &mut Context<'_>, index: usize, name: &str, facts: NodeFacts) {
    if cx.names.owns(name, index) {
        cx.nodes.insert(index, Arc::new(facts));
    }
}

/// The declaration of one of these kinds that a name refers to, which must be there. `rule` says who asks for it: "a search
/// is `over` a step". A mistake is reported; `None` then.
fn named(cx: &mut Context<'_>, ident: &Ident, wanted: &[Kind], rule: &str) -> Option<(Kind, usize)> {
    match cx.names.get(&ident.name) {
        Some(declared) if wanted.contains(&declared.kind) => return Some((declared.kind, declared.index)),
        Some(declared) => {
            let message = format!("`{}` is {}, and {rule}", ident.name, declared.kind.with_article());
            let finding = Finding::error(codes::WRONG_KIND, cx.place(ident.span), message);
            cx.report(finding.also(cx.place(declared.span), "declared here"));
        }
        None if cx.names.is_broken(&ident.name) => {}
        None => {
            let all = || cx.names.of_kind(|kind| wanted.contains(&kind));
            let instances = cx.linked.map_or(&[][..], |linked| &linked.instances);
            if let Some(instance) = instances.iter().find(|it| it.name == ident.name) {
                let message =
                    format!("`{}` is an instance of the component `{}`, and {rule}", ident.name, instance.component);
                let finding = Finding::error(codes::WRONG_KIND, cx.place(ident.span), message).label("an instance");
                cx.report(finding.help("say it of what stands in the component, or of what the instance gives"));
                return None;
            }
            let near = cx.names.nearest(&ident.name, all());
            let message = format!("`{}` is not declared, and {rule}", ident.name);
            let finding = Finding::error(codes::UNKNOWN_NAME, cx.place(ident.span), message).label("not declared");
            let finding = suggest(finding, ident.span, near, || format!("declared are {}", listed(all())));
            cx.report_once(format!("name {}", ident.name), "also here", finding);
        }
    }
    None
}

/// The declaration of this kind that a name refers to, as of [`named`].
fn referred(cx: &mut Context<'_>, ident: &Ident, wanted: Kind, rule: &str) -> Option<usize> {
    named(cx, ident, &[wanted], rule).map(|(_, index)| index)
}

/// `after a, b`: each must be of one of the kinds wanted.
fn waits_for(cx: &mut Context<'_>, after: &[Ident], needs: &mut BTreeSet<NodeId>, wanted: &[Kind]) -> Option<()> {
    let words = if wanted.contains(&Kind::Step) { "a gate or a step" } else { "a gate" };
    let rule = format!("`after` waits for {words}");
    let mut sound = true;
    for ident in after {
        match named(cx, ident, wanted, &rule).and_then(|(_, index)| cx.ids.get(&index)) {
            Some(id) => drop(needs.insert(*id)),
            None => sound = false,
        }
    }
    sound.then_some(())
}
