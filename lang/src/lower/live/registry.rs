//! `registry("demand@production")`: which version of which model, and what of it a first run can find.
//!
//! A registry holds what the runs of this file registered, so both the model and the alias are declared in this file. The
//! first run finds nothing in it: what it reads then is read `when exists`.

use crate::codes;
use crate::context::{Context, Reference, Use};
use crate::finding::{Finding, Safety};
use crate::live::{Pick, RegistryNode};
use crate::lower::{Part, graph, references};
use crate::names::{Kind, suggest};
use crate::pipeline::{Expr, Node, NodeId, NodeKind, OutputRef};
use crate::span::Span;
use crate::syntax::ast::{self, Argument, Clause, DeclarationKind, ExprKind, StringPart};
use crate::types::Type;
use std::collections::BTreeSet;

/// Whether this is what `registry(...)` calls.
pub(crate) fn is_registry(callee: &ast::Expr) -> bool {
    matches!(&callee.kind, ExprKind::Name(name) if name == "registry")
}

/// Whether a condition is `exists` alone.
pub(crate) fn is_exists(condition: &ast::Expr) -> bool {
    matches!(&condition.kind, ExprKind::Name(name) if name == "exists")
}

/// Model and version that a reference names, with the place of its text.
fn named(value: &ast::Expr) -> Option<(&str, Pick, Span)> {
    let ExprKind::Call(callee, arguments) = &value.kind else { return None };
    if !is_registry(callee) {
        return None;
    }
    let [Argument { name: None, value }] = arguments.as_slice() else { return None };
    let ExprKind::String(parts) = &value.kind else { return None };
    let [StringPart::Text(text)] = parts.as_slice() else { return None };
    let (model, pick) = match text.split_once('@') {
        None => (text.as_str(), Pick::Latest),
        Some((_, "")) => return None,
        Some((model, alias)) => match alias.parse() {
            Ok(version) if alias.bytes().all(|byte| byte.is_ascii_digit()) => (model, Pick::Version(version)),
            _ => (model, Pick::Serving(alias.to_owned())),
        },
    };
    Some((model, pick, value.span))
}

/// Gathers the references that stand as inputs of steps, each once.
pub(crate) fn collect(cx: &mut Context<'_>) {
    let file = cx.file;
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Step { body, .. } = &declaration.kind else { continue };
        if cx.kept.node(index).is_some() {
            continue;
        }
        let mut found: Vec<&ast::Expr> = Vec::new();
        graph::inputs(cx, body, &mut |value| found.push(value));
        for value in found {
            let Some((model, pick, span)) = named(value) else { continue };
            if position(cx, value).is_none() {
                let model = model.to_owned();
                cx.registry.push(Reference { model, pick, span, first: index, uses: Vec::new() });
            }
        }
    }
}

/// Where a reference stands among the declarations: behind all of them.
pub(crate) fn position(cx: &Context<'_>, value: &ast::Expr) -> Option<usize> {
    let (model, pick, _) = named(value)?;
    let same = |reference: &Reference| reference.model == model && reference.pick == pick;
    cx.registry.iter().position(same).map(|at| cx.file.declarations.len() + at)
}

/// An input that is read from the registry.
pub(crate) fn input(
    cx: &mut Context<'_>,
    value: &ast::Expr,
    arguments: &[Argument],
    flavor: &str,
) -> Option<(OutputRef, Type)> {
    let Some(position) = position(cx, value) else {
        if !arguments.iter().any(|argument| matches!(argument.value.kind, ExprKind::Error)) {
            cx.report(
                Finding::error(codes::BAD_ARGUMENTS, cx.place(value.span), "`registry` takes one fixed text")
                    .help("write `registry(\"model@deployment\")`, `registry(\"model@3\")` or `registry(\"model\")`"),
            );
        }
        return None;
    };
    let node = *cx.ids.get(&position)?;
    let taken = Use { flavor: flavor.to_owned(), span: value.span, exists: false };
    cx.registry.get_mut(position - cx.file.declarations.len())?.uses.push(taken);
    Some((OutputRef { node, output: "model".to_owned() }, Type::Model(flavor.to_owned())))
}

/// What a step says of the references in its inputs: `when exists`, or nothing.
pub(crate) fn told(cx: &mut Context<'_>, body: &ast::Expr, when: Option<&ast::Expr>) {
    let exists = when.is_some_and(is_exists);
    let mut found: Vec<&ast::Expr> = Vec::new();
    graph::inputs(cx, body, &mut |value| found.push(value));
    let calls = |value: &&ast::Expr| matches!(&value.kind, ExprKind::Call(callee, _) if is_registry(callee));
    let positions: Vec<usize> = found.iter().filter_map(|value| position(cx, value)).collect();
    if let Some(condition) = when.filter(|_| exists && !found.iter().any(calls))
        && !matches!(body.kind, ExprKind::Error)
    {
        cx.report(
            Finding::error(
                codes::MISPLACED_EXISTS,
                cx.place(condition.span),
                "`when exists` is about what a step reads from the registry, and this one reads nothing from it",
            )
            .help("remove it, or give the step `registry(\"model@deployment\")`"),
        );
    }
    let mut mentions_exists = false;
    when.into_iter().for_each(|when| references::names(when, &mut |name, _| mentions_exists |= name == "exists"));
    let first = cx.file.declarations.len();
    for position in positions {
        let Some(reference) = cx.registry.get_mut(position - first) else { continue };
        let mut span = None;
        for taken in reference.uses.iter_mut().filter(|taken| within(body.span, taken.span)) {
            taken.exists = exists;
            span = Some(taken.span);
        }
        let Some(span) = span else { continue };
        // `when exists and ...` is told where it is typed.
        if mentions_exists || matches!(reference.pick, Pick::Version(_)) {
            continue;
        }
        let message = match &reference.pick {
            Pick::Serving(deployment) => {
                format!("on the first run `{deployment}` serves nothing yet, and this step would fail")
            }
            _ => format!("on the first run no `{}` is registered yet, and this step would fail", reference.model),
        };
        let finding = Finding::error(codes::MISSING_EXISTS, cx.place(span), message)
            .label("registered by this file, later than it is read");
        let at = Span { start: body.span.end, end: body.span.end };
        cx.report(match when {
            None => finding.help("run the step `when exists`; what reads it is then skipped as well").fix(
                "add `when exists`",
                at,
                " when exists",
                Safety::Unsafe,
            ),
            Some(_) => finding.help("write `when exists`, and let a step that reads this one have the other condition"),
        });
    }
}

fn within(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// The node of a reference. What its readers want is filled in when all of them are known.
pub(crate) fn lower(cx: &mut Context<'_>, at: usize) -> Option<Part> {
    let reference = cx.registry.get(at)?;
    let (model, pick, span) = (reference.model.clone(), reference.pick.clone(), reference.span);
    let kinds = |wanted: Kind| move |kind: Kind| kind == wanted;
    match cx.names.get(&model) {
        Some(declared) if declared.kind == Kind::Model => {}
        None if cx.names.is_broken(&model) => return None,
        _ => {
            let near = cx.names.nearest(&model, cx.names.of_kind(kinds(Kind::Model)));
            let place =
                part(cx, span, &model, Span { start: span.start + 1, end: span.start + 1 + model.len() as u32 });
            let finding = Finding::error(
                codes::UNKNOWN_REGISTRATION,
                cx.place(place),
                format!("this file registers no model `{model}`"),
            )
            .label("not a model of this file");
            let all = crate::written::listed(cx.names.of_kind(kinds(Kind::Model)));
            cx.report(suggest(finding, place, near, || format!("models of this file: {all}")));
            return None;
        }
    }
    if let Pick::Serving(alias) = &pick {
        deployment(cx, &model, alias, span)?;
    }
    let name = match &pick {
        Pick::Latest => format!("{model}@latest"),
        Pick::Version(version) => format!("{model}@{version}"),
        Pick::Serving(alias) => format!("{model}@{alias}"),
    };
    let node = RegistryNode { model, pick, flavor: String::new(), required: false };
    Some(Part { name, doc: None, span, needs: BTreeSet::new(), when: None, kind: NodeKind::Registry(node) })
}

/// The place of a part of a text in quotes; all of it if the part is not written plainly.
fn part(cx: &Context<'_>, whole: Span, text: &str, place: Span) -> Span {
    if cx.text(place) == text { place } else { whole }
}

/// Whether an alias is a deployment of the model; else reports it.
fn deployment(cx: &mut Context<'_>, model: &str, alias: &str, span: Span) -> Option<()> {
    let (start, end) = (span.end.saturating_sub(1 + alias.len() as u32), span.end.saturating_sub(1));
    let place = part(cx, span, alias, Span { start, end });
    let file = cx.file;
    let of = |name: &str| {
        let declared = cx.names.get(name).filter(|declared| declared.kind == Kind::Deploy)?;
        match &file.declarations.get(declared.index)?.kind {
            DeclarationKind::Deploy { model, .. } => Some((&*model.name, declared.span)),
            _ => None,
        }
    };
    match of(alias) {
        Some((deployed, _)) if deployed == model => return Some(()),
        Some((deployed, declared)) => {
            let finding = Finding::error(
                codes::UNKNOWN_ALIAS,
                cx.place(place),
                format!("`{alias}` serves `{deployed}`, so no version of `{model}` can be `{model}@{alias}`"),
            )
            .also(cx.place(declared), "declared here");
            cx.report(finding.help("name a deployment of this model, a version, or nothing for the newest"));
        }
        None if cx.names.is_broken(alias) => {}
        None => {
            let serving = || {
                let all = cx.names.of_kind(|kind| kind == Kind::Deploy);
                all.filter(|name| of(name).is_some_and(|(deployed, _)| deployed == model))
            };
            let finding = Finding::error(
                codes::UNKNOWN_ALIAS,
                cx.place(place),
                format!("no version of `{model}` can be `{model}@{alias}`: nothing in this file deploys it so"),
            )
            .label("not a deployment");
            let newest = alias == "latest";
            let near = cx.names.nearest(alias, serving()).filter(|_| !newest);
            let finding = suggest(finding, place, near, || match serving().next() {
                _ if newest => format!("the newest version is `registry(\"{model}\")`"),
                Some(_) => format!("deployments of `{model}`: {}", crate::written::listed(serving())),
                None => format!("declare `deploy {alias} of {model} {{ ... }}`"),
            });
            cx.report(if newest {
                let at = Span { start: start.saturating_sub(1), end };
                finding.fix("leave it out", at, "", Safety::Safe)
            } else {
                finding
            });
        }
    }
    None
}

/// Fills in what the readers of each reference want, and checks it against the model.
pub(crate) fn settle(cx: &mut Context<'_>, nodes: &mut [Node]) {
    let mut findings = Vec::new();
    for reference in &cx.registry {
        let declared = cx.names.get(&reference.model).filter(|declared| declared.kind == Kind::Model);
        let facts = declared.and_then(|declared| cx.nodes.get(&declared.index));
        let Some(flavor) = facts.and_then(|facts| facts.flavor.as_ref()) else { continue };
        for taken in reference.uses.iter().filter(|taken| taken.flavor != *flavor) {
            let model = &reference.model;
            let message = format!("`{model}` is a model<{flavor}>, and this step takes a model<{}>", taken.flavor);
            findings.push(
                Finding::error(codes::TYPE_MISMATCH, cx.place(taken.span), message)
                    .label(format!("a model<{flavor}>"))
                    .help("give it to a step that takes such a model"),
            );
        }
    }
    cx.findings.append(&mut findings);
    for node in nodes {
        let NodeKind::Registry(registered) = &mut node.kind else { continue };
        let same = |it: &&Reference| it.model == registered.model && it.pick == registered.pick;
        let Some(reference) = cx.registry.iter().find(same) else { continue };
        if let Some(first) = reference.uses.first() {
            registered.flavor = first.flavor.clone();
        }
        registered.required = reference.uses.iter().any(|taken| !taken.exists);
    }
}

/// Whether a requirement is waived on the first run. `read`: the steps whose metrics it reads.
pub(crate) fn unless_first(
    cx: &mut Context<'_>,
    clause: &Clause,
    condition: &Expr,
    read: &BTreeSet<NodeId>,
) -> Option<bool> {
    let skipped = read.iter().any(|node| cx.skipped_first.contains(node));
    let Some(word) = &clause.unless else {
        let mut stands_in = false;
        condition.visit(&mut |part| stands_in |= matches!(part, Expr::Coalesce(..) | Expr::Or(..)));
        if skipped && !stands_in {
            cx.report(
                Finding::warning(
                    codes::FIRST_RUN_FAILS,
                    cx.place(clause.condition.span),
                    "the first run cannot measure this, so the gate never opens and nothing is ever registered",
                )
                .label("reads a step that is skipped when there is nothing in the registry")
                .help("waive it on the first run: `unless first`")
                .fix(
                    "add `unless first`",
                    Span { start: clause.condition.span.end, end: clause.condition.span.end },
                    " unless first",
                    Safety::Unsafe,
                ),
            );
        }
        return Some(false);
    };
    if word.name != "first" {
        let finding = Finding::error(
            codes::UNEXPECTED_SYNTAX,
            cx.place(word.span),
            format!("a requirement is waived `unless first`, not `unless {}`", word.name),
        );
        cx.report(finding.label("expected `first`").fix("write `first`", word.span, "first", Safety::Unsafe));
        return None;
    }
    if !skipped {
        cx.report(
            Finding::error(
                codes::MISPLACED_FIRST,
                cx.place(word.span),
                "every run can measure this, so there is nothing to waive on the first",
            )
            .label("reads no step that runs `when exists`")
            .help("remove `unless first`"),
        );
        return None;
    }
    Some(true)
}
