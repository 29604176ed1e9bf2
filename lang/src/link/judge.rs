//! What is found in a whole, told where it belongs: components are looked at once by themselves, what their instances
//! are given is judged by types, and a mistake is told once.

use super::load::{FileId, World};
use super::{Fit, Linked, MOST_NODES, define};
use crate::check::Purpose;
use crate::codes;
use crate::context::{Context, MOST_PLACES};
use crate::finding::{Finding, Label, Place};
use crate::lower;
use crate::names::{Names, declared_name};
use crate::pipeline::{NodeKind, Pipeline};
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind, Expr, ExprKind, StringPart, TypeExpr, TypeKind};
use crate::types::{Schema, Type};
use crate::typing::access::{self, Accessed};
use crate::typing::with_article;
use crate::written::listed;
use indexmap::IndexMap;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// A component, what it calls and where, and how much of that was looked at.
type Called = (usize, Vec<(usize, Span)>, usize);

/// Looks at every component of a file by itself, as its parameters are declared. What is wrong in one is found here, and
/// no instance of it is written out.
pub(crate) fn definitions(world: &mut World<'_>, own: FileId) -> Vec<Finding> {
    let mut found = recursions(world, own);
    let mut left = 10 * MOST_NODES;
    for index in components(world, own) {
        let Some(declaration) = world.declaration(own, index) else { continue };
        let whole = declaration.span;
        let syntax = &world.files[own].syntax;
        let broken = syntax.findings.iter().any(|finding| finding.is_error() && lies_in(finding, whole));
        if broken || world.files[own].unsound.contains(&index) {
            // What is missing in it would be missed everywhere.
            world.files[own].unsound.insert(index);
            continue;
        }
        let Some(linked) = define(world, own, index) else { continue };
        left = left.saturating_sub(linked.file.declarations.len());
        let mut findings = lowered(world, own, &linked, whole);
        if left == 0 {
            let place = Place::Source { path: world.files[own].source.path.clone(), span: whole };
            let message = "the components of this file hold too many instances, and this one is not looked at";
            findings = vec![Finding::error(codes::TOO_MANY_NODES, place, message).help("make smaller components")];
        }
        if let Some(sampled) = sampled(&linked) {
            let places: HashSet<Span> = findings.iter().filter_map(span_of).collect();
            let types = [codes::TYPE_MISMATCH, codes::MISSING_UNIT, codes::BAD_OPERANDS];
            let more = lowered(world, own, &sampled, whole).into_iter();
            let more =
                more.filter(|it| types.contains(&it.code) && span_of(it).is_some_and(|it| !places.contains(&it)));
            findings.extend(more);
        }
        if findings.iter().any(Finding::is_error) {
            world.files[own].unsound.insert(index);
        }
        found.append(&mut findings);
    }
    found
}

fn components(world: &World<'_>, own: FileId) -> Vec<usize> {
    let declarations = world.files[own].syntax.file.declarations.iter().enumerate();
    let is = |(_, declaration): &(usize, &Declaration)| matches!(declaration.kind, DeclarationKind::Component { .. });
    declarations.filter(is).map(|(index, _)| index).collect()
}

/// What is found in a component by itself. What lies elsewhere is found there.
fn lowered(world: &World<'_>, own: FileId, linked: &Linked, whole: Span) -> Vec<Finding> {
    let source = &world.files[own].source;
    let mut findings = Vec::new();
    let names = Names::collect(source, &linked.file, &linked.broken, &mut findings);
    // The number of rows is asked for where no table can stand: `rows: dataset<Customer>` is clear.
    findings.retain(|finding| {
        finding.code != codes::RESERVED_NAME || span_of(finding).is_none_or(|span| linked.map.text(span) != "rows")
    });
    findings.extend(linked.findings.iter().cloned());
    let mut cx = Context::new(source, &world.files[own].syntax.file, names, findings, Some(linked));
    lower::lower(&mut cx, world.modules, &IndexMap::new(), Purpose::Inspection);
    fits(&mut cx);
    cx.count_repetitions();
    let mut found: Vec<Finding> = cx.findings.into_iter().filter(|finding| lies_in(finding, whole)).collect();
    distinct(&mut found);
    found.into_iter().map(|finding| linked.map.localize(finding)).collect()
}

fn lies_in(finding: &Finding, whole: Span) -> bool {
    span_of(finding).is_some_and(|span| whole.start <= span.start && span.end <= whole.end)
}

fn span_of(finding: &Finding) -> Option<Span> {
    match &finding.primary.place {
        Place::Source { span, .. } => Some(*span),
        Place::Data { .. } => None,
    }
}

/// The same with a value for each parameter that has none, for mistakes in types alone.
fn sampled(linked: &Linked) -> Option<Linked> {
    let mut file = linked.file.clone();
    let mut any = false;
    for declaration in &mut file.declarations {
        if let DeclarationKind::Param { ty, default: default @ None, .. } = &mut declaration.kind
            && let Some(kind) = sample(ty)
        {
            *default = Some(Expr { kind, span: declaration.span });
            any = true;
        }
    }
    any.then(|| Linked {
        file,
        broken: linked.broken.clone(),
        map: linked.map.clone(),
        origin: linked.origin.clone(),
        instances: linked.instances.clone(),
        bindings: linked.bindings.clone(),
        fits: linked.fits.clone(),
        given: linked.given.clone(),
        findings: Vec::new(),
        missing: linked.missing.clone(),
        alone: linked.alone,
    })
}

/// Some value of a type.
fn sample(ty: &TypeExpr) -> Option<ExprKind> {
    let text = |text: &str| ExprKind::String(vec![StringPart::Text(text.to_owned())]);
    Some(match &ty.kind {
        TypeKind::Named(name) => match name.as_str() {
            "bool" => ExprKind::Bool(true),
            "int" => ExprKind::Int(1),
            "float" => ExprKind::Float(0.5),
            "fraction" => ExprKind::Fraction(0.5),
            "duration" => ExprKind::Duration(3_600_000_000_000),
            "size" => ExprKind::Size(1 << 30),
            "date" => ExprKind::Date("2024-01-01".to_owned()),
            "time" => ExprKind::Time("2024-01-01T00:00:00Z".to_owned()),
            "string" => text("x"),
            _ => return None,
        },
        TypeKind::Enum(variants) => text(variants.first()?),
        TypeKind::Optional(inner) => sample(inner)?,
        TypeKind::Generic(name, inner) if name.name == "list" => {
            ExprKind::List(vec![Expr { kind: sample(inner)?, span: ty.span }])
        }
        TypeKind::Generic(..) | TypeKind::Metrics(_) => return None,
    })
}

/// Components that hold each other: one finding for each circle.
fn recursions(world: &mut World<'_>, own: FileId) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut unsound: Vec<usize> = Vec::new();
    {
        let loaded = &world.files[own];
        let called = |index: usize| -> Vec<(usize, Span)> {
            let Some(Declaration { kind: DeclarationKind::Component { declarations, params, .. }, .. }) =
                world.declaration(own, index)
            else {
                return Vec::new();
            };
            let inner = |word: &str| {
                params.iter().any(|param| param.name.name == word)
                    || declarations.iter().filter_map(declared_name).any(|(name, ..)| name == word)
            };
            let calls = declarations.iter().filter_map(|declaration| match &declaration.kind {
                DeclarationKind::Step { body, .. } => match &body.kind {
                    ExprKind::Call(callee, _) => match &callee.kind {
                        ExprKind::Name(word) if !inner(word) => match loaded.names.get(word) {
                            Some((crate::names::Kind::Component, index)) => Some((*index, callee.span)),
                            _ => None,
                        },
                        _ => None,
                    },
                    _ => None,
                },
                _ => None,
            });
            calls.collect()
        };
        let name = |index: usize| world.declaration(own, index).and_then(declared_name).map_or("", |(name, ..)| name);
        let place = |span: Span| Place::Source { path: loaded.source.path.clone(), span };
        let mut done: HashSet<usize> = HashSet::new();
        for start in components(world, own) {
            // The way down.
            let mut trail: Vec<Called> = vec![(start, called(start), 0)];
            while let Some((at, calls, next)) = trail.last_mut() {
                let Some((target, span)) = calls.get(*next).copied() else {
                    done.insert(*at);
                    trail.pop();
                    continue;
                };
                *next += 1;
                if let Some(position) = trail.iter().position(|(index, ..)| *index == target) {
                    let circle: Vec<usize> = trail[position..].iter().map(|(index, ..)| *index).collect();
                    let mut shown: Vec<String> = circle.iter().map(|index| format!("`{}`", name(*index))).collect();
                    shown.push(format!("`{}`", name(target)));
                    let message = match circle.len() {
                        1 => format!("the component `{}` holds itself", name(target)),
                        _ => format!("these components hold each other: {}", shown.join(" -> ")),
                    };
                    let finding = Finding::error(codes::RECURSIVE_COMPONENT, place(span), message)
                        .label("closes the circle")
                        .note("an instance would have to be written out without an end")
                        .help("remove one of these instances; repeat a step with `for x in [...]`");
                    found.push(finding);
                    unsound.extend(circle);
                } else if !done.contains(&target) {
                    let calls = called(target);
                    trail.push((target, calls, 0));
                }
            }
        }
    }
    world.files[own].unsound.extend(unsound);
    found
}

/// Judges the tables and models that instances are given, and the outputs of a component that is looked at by itself.
pub(crate) fn fits(cx: &mut Context<'_>) {
    let Some(linked) = cx.linked else { return };
    for fit in &linked.fits {
        let before = cx.findings.len();
        judge(cx, fit);
        if let Some(instance) = fit.instance {
            // What follows from it in the body of the instance is not told.
            cx.unfit.extend((cx.findings.len() > before).then_some(instance));
            cx.blame_around(before, instance);
        }
    }
}

fn judge(cx: &mut Context<'_>, fit: &Fit) {
    let Some(path) = access::path(&fit.value) else { return };
    let found = match cx.access(&path) {
        Accessed::Poison => return,
        Accessed::Output { ty, .. } => ty,
        Accessed::Metric { field, .. } => field.ty,
    };
    let Some(wanted) = &fit.ty else { return };
    if found == Type::Unknown {
        return;
    }
    let code = if fit.instance.is_some() { codes::TYPE_MISMATCH } else { codes::UNFIT_OUTPUT };
    let sort = |words: String| format!("{} is {words}, not {}", fit.what, with_article(&found));
    let finding = match &wanted.kind {
        TypeKind::Generic(name, inner) if name.name == "dataset" => {
            let TypeKind::Named(schema) = &inner.kind else { return };
            let Some(schema) = cx.schemas.get(schema.as_str()).cloned() else {
                // Of an instance it was found at the definition; of an output nobody else looks.
                if fit.instance.is_none() && !cx.names.is_broken(schema) {
                    unknown_schema(cx, schema, inner.span);
                }
                return;
            };
            let name = schema.name.clone().unwrap_or_default();
            let Type::Dataset(table) = &found else {
                return report(
                    cx,
                    fit,
                    Finding::error(code, cx.place(fit.value.span), sort(format!("a table ({name})"))),
                );
            };
            let wrong = misfits(table, &schema);
            let Some((first, more)) = wrong.split_first() else { return };
            let code = if fit.instance.is_some() { codes::UNFIT_TABLE } else { codes::UNFIT_OUTPUT };
            let text = cx.text(fit.value.span);
            let message = format!("`{text}` is no table for {}: {first}", fit.what);
            let finding = Finding::error(code, cx.place(fit.value.span), message).label(match &table.name {
                Some(own) => format!("a table with the columns of `{own}`"),
                None => format!("a table with {}", crate::typing::listed_columns(&table.columns)),
            });
            let finding = more.iter().take(MOST_PLACES).fold(finding, |finding, words| finding.note(words.clone()));
            finding.help(format!(
                "`{name}` says which columns are needed: give a table that has them, or leave them out there"
            ))
        }
        TypeKind::Generic(name, inner) if name.name == "model" => {
            let TypeKind::Named(flavor) = &inner.kind else { return };
            if matches!(&found, Type::Model(given) if given == flavor) {
                return;
            }
            Finding::error(code, cx.place(fit.value.span), sort(format!("a model<{flavor}>")))
                .label(format!("this is {}", with_article(&found)))
        }
        TypeKind::Metrics(fields) => {
            let Type::Metrics(given) = &found else {
                return report(
                    cx,
                    fit,
                    Finding::error(code, cx.place(fit.value.span), sort("a set of metrics".to_owned())),
                );
            };
            let lacking: Vec<&str> = fields.iter().map(|(field, _)| field.name.as_str()).collect();
            let lacking: Vec<&str> =
                lacking.into_iter().filter(|name| !given.iter().any(|it| it.name == *name)).collect();
            if lacking.is_empty() {
                return;
            }
            let given = listed(given.iter().map(|field| field.name.as_str()));
            let message = format!("{} lacks {}", fit.what, listed(&lacking));
            Finding::error(code, cx.place(fit.value.span), message).note(format!("it has {given}"))
        }
        _ => {
            let ty = cx.param_type(wanted);
            let fits =
                ty == Type::Unknown || ty == found || crate::typing::operators::unify(&ty, &found) == Some(ty.clone());
            if fits {
                return;
            }
            Finding::error(code, cx.place(fit.value.span), sort(with_article(&ty)))
                .label(format!("this is {}", with_article(&found)))
        }
    };
    report(cx, fit, finding);
}

fn report(cx: &mut Context<'_>, fit: &Fit, finding: Finding) {
    let finding = match &fit.note {
        Some(note) => finding.note(note.clone()),
        None => finding,
    };
    cx.report(finding);
}

fn unknown_schema(cx: &mut Context<'_>, schema: &str, span: Span) {
    let near = cx.names.nearest(schema, cx.names.of_kind(|kind| kind == crate::names::Kind::Schema));
    let finding = Finding::error(codes::UNKNOWN_TYPE, cx.place(span), format!("no schema is named `{schema}`"));
    let finding = crate::names::suggest(finding, span, near, || format!("declare it: `schema {schema} {{ ... }}`"));
    cx.report(finding);
}

/// In which columns a table is not what a schema says.
fn misfits(table: &Schema, wanted: &Schema) -> Vec<String> {
    let mut wrong = Vec::new();
    let lacking: Vec<&str> =
        wanted.columns.iter().map(|column| column.name.as_str()).filter(|name| table.column(name).is_none()).collect();
    match lacking.as_slice() {
        [] => {}
        [one] => wrong.push(format!("it has no column `{one}`")),
        several => wrong.push(format!("it has no columns {}", listed(several))),
    }
    for column in &wanted.columns {
        let Some(given) = table.column(&column.name) else { continue };
        let name = &column.name;
        let types = match (&given.ty, &column.ty) {
            (Type::Unknown, _) | (_, Type::Unknown) => true,
            (Type::Int | Type::Fraction, Type::Float) | (Type::Enum(_), Type::String) => true,
            (Type::Enum(given), Type::Enum(wanted)) => given.iter().all(|text| wanted.contains(text)),
            (given, wanted) => given == wanted,
        };
        if !types {
            wrong.push(format!("its column `{name}` is {}, not {}", with_article(&given.ty), with_article(&column.ty)));
        } else if given.nullable && !column.nullable {
            wrong.push(format!("its column `{name}` may be missing"));
        } else if column.label && !given.label {
            wrong.push(format!("its column `{name}` is not its label"));
        }
    }
    wrong
}

/// Every finding where it belongs, once. `whole`: which of them are about the whole; those before are about the file's
/// text, those behind are lints.
pub(crate) fn settle(cx: &mut Context<'_>, whole: Range<usize>, about_parts: Vec<Finding>) -> Vec<Finding> {
    let findings = std::mem::take(&mut cx.findings);
    let Some(linked) = cx.linked else { return findings };
    let blamed: HashMap<usize, usize> = cx.blamed.iter().copied().collect();
    let unfit: HashSet<usize> = cx.unfit.iter().copied().collect();
    let told: HashSet<(String, Place)> = about_parts.iter().map(identity).collect();
    let mut settled: Vec<Finding> = Vec::new();
    let mut instances: HashMap<(String, Place), (usize, usize)> = HashMap::new();
    let bodies = bodies(cx);
    for (at, finding) in findings.into_iter().enumerate() {
        if at < whole.start {
            settled.push(finding);
            continue;
        }
        let blamed = blamed.get(&at).copied();
        if blamed.is_some_and(|at| linked.around(at).any(|at| unfit.contains(&at))) {
            continue;
        }
        let span = span_of(&finding).unwrap_or_default();
        let (file, _, _) = linked.map.find(span);
        let own = file == linked.map.own();
        let finding = linked.map.localize(finding);
        if at >= whole.end || own && !bodies.iter().any(|body| body.start <= span.start && span.end <= body.end) {
            settled.push(finding);
            continue;
        }
        // What is wrong in another file by itself is told by the check of that file.
        let Some(at) = blamed else { continue };
        let instance = &linked.instances[at];
        let key = identity(&finding);
        if told.contains(&key) {
            continue;
        }
        let label =
            Label { place: cx.place(instance.span), text: format!("in this instance of `{}`", instance.component) };
        match instances.get_mut(&key) {
            None => {
                instances.insert(key, (settled.len(), 1));
                let finding = finding.note(format!(
                    "the component is sound by itself; this is about `{}`, with what it is given",
                    instance.name
                ));
                let secondary = [finding.secondary, vec![label]].concat();
                // What mends it for one instance may break another.
                settled.push(Finding { secondary, fix: None, ..finding });
            }
            Some((first, count)) => {
                *count += 1;
                if *count <= MOST_PLACES {
                    settled[*first].secondary.push(label);
                }
            }
        }
    }
    settled.extend(linked.findings.iter().cloned().map(|finding| linked.map.localize(finding)));
    settled.extend(about_parts);
    distinct(&mut settled);
    settled
}

/// The components of the checked file.
fn bodies(cx: &Context<'_>) -> Vec<Span> {
    let declarations = cx.own.file.declarations.iter();
    let components = declarations.filter(|it| matches!(it.kind, DeclarationKind::Component { .. }));
    components.map(|declaration| declaration.span).collect()
}

fn identity(finding: &Finding) -> (String, Place) {
    (finding.code.id.to_string(), finding.primary.place.clone())
}

/// Without findings that say the same of the same place.
fn distinct(findings: &mut Vec<Finding>) {
    let mut seen: HashSet<(String, Option<Span>, String)> = HashSet::new();
    let path = |finding: &Finding| match &finding.primary.place {
        Place::Source { path, .. } | Place::Data { path, .. } => path.to_string(),
    };
    findings.retain(|finding| {
        seen.insert((format!("{} {}", finding.code.id, path(finding)), span_of(finding), finding.message.clone()))
    });
}

/// Places of nodes that come from other files: where the checked file asks for them.
pub(crate) fn place_nodes(pipeline: &mut Pipeline, linked: &Linked) {
    let own = |span: Span| linked.map.find(span).0 == linked.map.own();
    let instances: HashMap<&str, Span> =
        linked.instances.iter().map(|instance| (instance.name.as_str(), instance.span)).collect();
    for node in &mut pipeline.nodes {
        let outer = node.name.rsplit_once('.').and_then(|(outer, _)| instances.get(outer)).copied();
        if !own(node.span) {
            node.span = outer.unwrap_or_default();
        }
        let here = node.span;
        let spans: Vec<&mut Span> = match &mut node.kind {
            NodeKind::Gate(gate) => gate.requirements.iter_mut().map(|requirement| &mut requirement.span).collect(),
            NodeKind::Data(data) => data.expectations.iter_mut().map(|expectation| &mut expectation.span).collect(),
            _ => Vec::new(),
        };
        spans.into_iter().filter(|span| !own(**span)).for_each(|span| *span = here);
    }
}
