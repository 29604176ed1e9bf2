//! The order of nodes, from what each refers to; cycles are findings.
//!
//! Which names are references is known from the signatures alone: a setting may name a column that is called like a
//! node, so settings are never looked at here.

use super::live::registry;
use super::{program, query, references};
use crate::by_index::ByIndex;
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::names::{Kind, declared_name};
use crate::pipeline::NodeId;
use crate::signature::StepSignature;
use crate::span::Span;
use crate::syntax::ast::{DeclarationKind, Event, Expr, ExprKind};
use crate::typing::access;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

/// What each node refers to, in the order written: the other declaration, and where it is named.
pub(super) type Edges = BTreeMap<usize, Vec<(usize, Span)>>;

/// Where a node stands among those that could be next: what only the resident engine lives through last, then as written;
/// what a step reads from the registry directly before the first that reads it.
type Rank = (bool, usize, bool, usize);

fn rank(cx: &Context<'_>, node: usize) -> Rank {
    match cx.file.declarations.get(node) {
        Some(declaration) => {
            let resident =
                matches!(declaration.kind, DeclarationKind::Monitor { .. } | DeclarationKind::Trigger { .. });
            (resident, node, true, node)
        }
        None => {
            let reference = cx.registry.get(node - cx.file.declarations.len());
            (false, reference.map_or(0, |reference| reference.first), false, node)
        }
    }
}

/// Puts the nodes in a topological order, ties as written, and gives them their ids. Members of a cycle come as written,
/// as soon as nothing else can. Gives what each refers to.
pub(super) fn arrange(cx: &mut Context<'_>) -> Edges {
    registry::collect(cx);
    if !cx.registry.is_empty() {
        // What is registered gathers who reads it.
        cx.kept.distrust();
    }
    let edges = edges(cx);
    let mut dependents: ByIndex<Vec<usize>> = ByIndex::default();
    let mut waiting: ByIndex<usize> = ByIndex::default();
    let mut ready = BinaryHeap::new();
    for (&node, targets) in &edges {
        waiting.insert(node, targets.len());
        if targets.is_empty() {
            ready.push(Reverse(rank(cx, node)));
        }
        for (target, _) in targets {
            dependents.entry(*target).or_default().push(node);
        }
    }
    let mut order = Vec::with_capacity(edges.len());
    loop {
        while let Some(Reverse((.., node))) = ready.pop() {
            if waiting.remove(&node).is_none() {
                continue;
            }
            order.push(node);
            for dependent in dependents.get(&node).into_iter().flatten() {
                if let Some(left) = waiting.get_mut(dependent) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        ready.push(Reverse(rank(cx, *dependent)));
                    }
                }
            }
        }
        if waiting.is_empty() {
            break;
        }
        if cx.kept.is_trusted() {
            // A circle says something of all its members, and where they refer to each other.
            cx.kept.distrust();
            return arrange(cx);
        }
        for member in knot(&edges, &waiting, &dependents) {
            ready.push(Reverse(rank(cx, member)));
        }
        report_cycles(cx, &edges, ready.iter().map(|Reverse((.., node))| *node).collect());
    }
    cx.ids = order.iter().enumerate().map(|(id, index)| (*index, NodeId(id as u32))).collect();
    cx.order = order;
    edges
}

/// Of the nodes that wait: those on cycles or between them, without what merely comes after.
fn knot(edges: &Edges, waiting: &ByIndex<usize>, dependents: &ByIndex<Vec<usize>>) -> Vec<usize> {
    let mut needed: HashMap<usize, usize> = waiting
        .keys()
        .map(|node| {
            let by = dependents.get(node).into_iter().flatten().filter(|d| waiting.contains_key(d)).count();
            (*node, by)
        })
        .collect();
    let mut loose: Vec<usize> = needed.iter().filter(|(_, by)| **by == 0).map(|(node, _)| *node).collect();
    while let Some(node) = loose.pop() {
        needed.remove(&node);
        for (target, _) in edges.get(&node).into_iter().flatten() {
            if let Some(by) = needed.get_mut(target) {
                *by -= 1;
                if *by == 0 {
                    loose.push(*target);
                }
            }
        }
    }
    needed.into_keys().collect()
}

/// One finding for each cycle met when references are followed from each member.
fn report_cycles(cx: &mut Context<'_>, edges: &Edges, mut members: Vec<usize>) {
    members.sort_unstable();
    let in_knot: std::collections::HashSet<usize> = members.iter().copied().collect();
    let mut walked: HashMap<usize, usize> = HashMap::new();
    for (walk, start) in members.into_iter().enumerate() {
        let mut path: Vec<(usize, Span)> = Vec::new();
        let mut at = start;
        while !walked.contains_key(&at) {
            walked.insert(at, walk);
            let next = edges.get(&at).into_iter().flatten().find(|(target, _)| in_knot.contains(target));
            let Some(&(target, span)) = next else { break };
            path.push((at, span));
            at = target;
        }
        let closes = walked.get(&at) == Some(&walk);
        if let Some(first) = path.iter().position(|(node, _)| *node == at).filter(|_| closes) {
            report_cycle(cx, &path[first..]);
        }
    }
}

fn report_cycle(cx: &mut Context<'_>, cycle: &[(usize, Span)]) {
    const SHOWN: usize = 12;
    let file = cx.file;
    let name = |index: usize| file.declarations.get(index).and_then(declared_name).map_or("", |(name, ..)| name);
    let Some(&(first, span)) = cycle.first() else { return };
    let mut shown: Vec<String> = cycle.iter().take(SHOWN).map(|(node, _)| format!("`{}`", name(*node))).collect();
    if cycle.len() > SHOWN {
        shown.push(format!("{} more", cycle.len() - SHOWN));
    }
    shown.push(format!("`{}`", name(first)));
    let message = if cycle.len() == 1 {
        format!("`{}` needs itself", name(first))
    } else {
        format!("these wait for each other: {}", shown.join(" -> "))
    };
    let target = |position: usize| name(cycle[(position + 1) % cycle.len()].0);
    let mut finding = Finding::error(codes::CYCLE, cx.place(span), message)
        .label(format!("`{}` needs `{}`", name(first), target(0)))
        .help("remove one of these references");
    for (position, (node, span)) in cycle.iter().enumerate().skip(1).take(SHOWN) {
        finding = finding.also(cx.place(*span), format!("`{}` needs `{}`", name(*node), target(position)));
    }
    cx.report(finding);
}

fn edges(cx: &Context<'_>) -> Edges {
    let mut edges = Edges::new();
    for (index, declaration) in cx.file.declarations.iter().enumerate() {
        if let Some(known) = cx.kept.node(index) {
            // Where it refers to them is asked only when there is a circle.
            edges.insert(index, known.behind.iter().map(|target| (*target, Span::default())).collect());
            continue;
        }
        let mut targets: Vec<(usize, Span)> = Vec::new();
        // A name of a kind that cannot stand there is no edge: it is reported for what it is, and not as a cycle too.
        let mut visit = |name: &str, span: Span, wanted: &[Kind]| {
            if let Some(declared) = cx.names.get(name)
                && wanted.contains(&declared.kind)
            {
                targets.push((declared.index, span));
            }
        };
        let rows: &[Kind] = &[Kind::Data, Kind::Step, Kind::Tune];
        let gates_and_steps: &[Kind] = &[Kind::Gate, Kind::Step];
        match &declaration.kind {
            DeclarationKind::Data { settings, .. } => {
                for setting in settings.iter().filter(|setting| setting.name.name == "source") {
                    if access::path(&setting.value).is_some() {
                        references::names(&setting.value, &mut |name, span| visit(name, span, rows));
                    }
                }
            }
            DeclarationKind::Step { body, when, after, task, .. } => {
                for (_, value) in task.inputs.iter().flat_map(|inputs| &inputs.entries) {
                    if access::path(value).is_some() {
                        references::names(value, &mut |name, span| visit(name, span, rows));
                    }
                }
                if let ExprKind::Call(callee, arguments) = &body.kind
                    && query::is_query(callee)
                {
                    query::reads(cx, arguments).iter().for_each(|(name, span)| visit(name, *span, rows));
                }
                inputs(cx, body, &mut |value| references::names(value, &mut |name, span| visit(name, span, rows)));
                when.iter()
                    .for_each(|condition| references::names(condition, &mut |name, span| visit(name, span, rows)));
                after.iter().for_each(|ident| visit(&ident.name, ident.span, gates_and_steps));
            }
            DeclarationKind::Tune { over, goals, .. } => {
                visit(&over.name, over.span, &[Kind::Step]);
                for goal in goals {
                    references::names(&goal.metric, &mut |name, span| visit(name, span, rows));
                }
            }
            DeclarationKind::Gate { requirements, after, .. } => {
                for clause in requirements {
                    references::names(&clause.condition, &mut |name, span| visit(name, span, rows));
                }
                after.iter().for_each(|ident| visit(&ident.name, ident.span, gates_and_steps));
            }
            DeclarationKind::Model { value, after, .. } => {
                references::names(value, &mut |name, span| visit(name, span, rows));
                after.iter().for_each(|ident| visit(&ident.name, ident.span, &[Kind::Gate]));
            }
            DeclarationKind::Deploy { model, settings, .. } => {
                visit(&model.name, model.span, &[Kind::Model]);
                for setting in settings.iter().filter(|setting| setting.name.name == "serve") {
                    // The table of `batch(customers, to: ...)`; whatever else stands there names no node.
                    if let ExprKind::Call(_, arguments) = &setting.value.kind {
                        for argument in arguments.iter().filter(|argument| argument.name.is_none()) {
                            references::names(&argument.value, &mut |name, span| visit(name, span, rows));
                        }
                    }
                }
            }
            DeclarationKind::Monitor { deployment, settings, .. } => {
                visit(&deployment.name, deployment.span, &[Kind::Deploy]);
                for setting in settings.iter().filter(|setting| setting.name.name == "reference") {
                    references::names(&setting.value, &mut |name, span| visit(name, span, rows));
                }
            }
            DeclarationKind::Trigger { event, .. } => {
                if let Event::Change(data) = event {
                    visit(&data.name, data.span, &[Kind::Data]);
                }
            }
            _ => continue,
        }
        if let DeclarationKind::Step { body, .. } = &declaration.kind {
            inputs(cx, body, &mut |value| targets.extend(registry::position(cx, value).map(|at| (at, value.span))));
        }
        targets.sort_unstable_by_key(|(target, span)| (*target, span.start));
        targets.dedup_by_key(|(target, _)| *target);
        targets.sort_unstable_by_key(|(_, span)| span.start);
        edges.insert(index, targets);
    }
    edges.extend((0..cx.registry.len()).map(|at| (cx.file.declarations.len() + at, Vec::new())));
    edges
}

/// The inputs of a call; of anything else, all of it.
pub(super) fn inputs<'e>(cx: &Context<'_>, body: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    let ExprKind::Call(callee, arguments) = &body.kind else { return visit(body) };
    if program::sort(callee).is_some() || query::is_query(callee) {
        return;
    }
    let signature = signature(cx, callee);
    for argument in arguments {
        let is_input = match (&argument.name, signature) {
            (None, _) => true,
            (Some(name), Some(signature)) => signature.inputs.iter().any(|input| input.name == name.name),
            // Without a signature a setting cannot be told from an input. A false edge would be a false cycle.
            (Some(_), None) => false,
        };
        if is_input {
            visit(&argument.value);
        }
    }
}

fn signature<'c>(cx: &'c Context<'_>, callee: &Expr) -> Option<&'c StepSignature> {
    let ExprKind::Member(base, step) = &callee.kind else { return None };
    let ExprKind::Name(module) = &base.kind else { return None };
    let module = cx.modules.get(&cx.names.get(module)?.index)?.as_ref()?;
    module.signature.step(&step.name)
}
