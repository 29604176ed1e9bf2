//! Lints: what runs and is probably not what was meant.
//!
//! A name counts as used when anything mentions it. In a file with broken syntax some mentions are lost with their
//! lines; there a name counts as used when its word stands anywhere else in the text, so that one mistake does not make
//! a second finding.

mod credentials;

use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::lower::references;
use crate::names::{Kind, declared_name, is_built_in};
use crate::span::Span;
use crate::syntax::ast::{
    Attribute, DeclarationKind, Event, Expr, Hold, Ident, Strategy, TestKind, TypeExpr, TypeKind,
};
use std::collections::{HashMap, HashSet};

/// Adds the lints of a file. `broken`: the parser reported something.
pub(crate) fn lint(cx: &mut Context<'_>, broken: bool) {
    unused(cx, broken);
    gates(cx);
    credentials::lint(cx);
}

fn unused(cx: &mut Context<'_>, broken: bool) {
    let file = cx.file;
    let mentioned = mentioned(cx);
    let words = if broken { words(&cx.source.text) } else { HashMap::new() };
    for (index, declaration) in file.declarations.iter().enumerate() {
        let Some((name, kind, span)) = declared_name(declaration) else { continue };
        let elsewhere = words.get(name).is_some_and(|count| *count > 1);
        let reported = is_built_in(name, kind) || kind == Kind::Module && matches!(cx.modules.get(&index), Some(None));
        if reported || name.starts_with('_') || mentioned.contains(name) || elsewhere || !cx.names.owns(name, index) {
            continue;
        }
        let (code, message) = match kind {
            Kind::Param => (codes::UNUSED_PARAM, format!("nothing reads the parameter `{name}`")),
            Kind::Schema => (codes::UNUSED_SCHEMA, format!("no data has the schema `{name}`")),
            Kind::Secret => (codes::UNUSED_SECRET, format!("nothing is given the secret `{name}`")),
            Kind::Module => (codes::UNUSED_MODULE, format!("no step calls the module `{name}`")),
            _ => continue,
        };
        let finding = Finding::warning(code, cx.place(span), message).label("unused");
        let finding = match kind {
            // A `use` does nothing by itself; the other two may be about to be used.
            Kind::Module => {
                finding.help("remove it").fix("remove it", whole_line(cx, declaration.span), "", Safety::Safe)
            }
            _ => finding.help(format!("remove it, or call it `_{name}` to keep it")),
        };
        cx.report(finding);
    }
}

/// The lines of a declaration, with their end.
fn whole_line(cx: &Context<'_>, span: Span) -> Span {
    let text = &cx.source.text;
    let end = text
        .get(span.end as usize..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |at| span.end as usize + at + 1);
    Span::new(span.start as usize, end)
}

/// Every name that an expression or a list of names mentions, anywhere.
fn mentioned<'a>(cx: &Context<'a>) -> HashSet<&'a str> {
    let mut found: HashSet<&'a str> = HashSet::new();
    let mut expression = |expr: &'a Expr| references::names(expr, &mut |name, _| found.extend([name]));
    let mut idents: Vec<&'a Ident> = Vec::new();
    let mut types: Vec<&'a str> = Vec::new();
    for declaration in &cx.file.declarations {
        match &declaration.kind {
            DeclarationKind::Use { .. } => {}
            DeclarationKind::Pipeline { settings, .. } => settings.iter().for_each(|s| expression(&s.value)),
            DeclarationKind::Param { default, .. } => default.iter().for_each(&mut expression),
            DeclarationKind::Schema { fields, .. } => {
                for attribute in fields.iter().flat_map(|field| &field.attributes) {
                    match attribute {
                        Attribute::In(value) | Attribute::Compare(_, value) => expression(value),
                        Attribute::Unique(_) | Attribute::Label(_) => {}
                    }
                }
            }
            DeclarationKind::Data { schema, settings, expectations, .. } => {
                idents.extend(schema);
                settings.iter().for_each(|setting| expression(&setting.value));
                expectations.iter().for_each(|clause| expression(&clause.condition));
            }
            DeclarationKind::Secret { source, .. } => expression(source),
            DeclarationKind::Component { .. } => {}
            DeclarationKind::Tune { over, space, goals, settings, .. } => {
                idents.push(over);
                space.iter().for_each(|line| expression(&line.values));
                goals.iter().for_each(|goal| expression(&goal.metric));
                settings.iter().for_each(|setting| expression(&setting.value));
            }
            // What a test replaces is not used by it.
            DeclarationKind::Test { withs, expectations, .. } => {
                withs.iter().for_each(|with| expression(&with.value));
                for line in expectations {
                    match &line.kind {
                        TestKind::Ends(name, _) => idents.push(name),
                        TestKind::Holds(condition) => expression(condition),
                    }
                }
            }
            DeclarationKind::Step { body, fan, when, after, task, settings, .. } => {
                expression(body);
                fan.iter().for_each(|fan| expression(&fan.values));
                let entries = task.with.iter().chain(&task.inputs).flat_map(|clause| &clause.entries);
                entries.for_each(|(_, value)| expression(value));
                let outputs = task.outputs.iter().flat_map(|outputs| &outputs.entries);
                outputs.for_each(|(_, ty)| of_type(ty, &mut types));
                when.iter().for_each(&mut expression);
                idents.extend(after);
                settings.iter().for_each(|setting| expression(&setting.value));
            }
            DeclarationKind::Gate { requirements, approvals, after, .. } => {
                for clause in requirements {
                    expression(&clause.condition);
                    clause.min_support.iter().for_each(&mut expression);
                }
                for approval in approvals {
                    approval.count.iter().for_each(&mut expression);
                    expression(&approval.people);
                    approval.within.iter().for_each(&mut expression);
                }
                idents.extend(after);
            }
            DeclarationKind::Model { value, after, card, settings, .. } => {
                expression(value);
                idents.extend(after);
                card.iter().for_each(|(_, value)| expression(value));
                settings.iter().for_each(|setting| expression(&setting.value));
            }
            DeclarationKind::Deploy { model, settings, strategies, rollback, .. } => {
                idents.push(model);
                settings.iter().for_each(|setting| expression(&setting.value));
                rollback.iter().for_each(&mut expression);
                for strategy in strategies {
                    of_strategy(strategy, &mut expression);
                }
            }
            DeclarationKind::Monitor { deployment, rhythm, settings, watches, breaches, .. } => {
                idents.push(deployment);
                rhythm.iter().for_each(|rhythm| {
                    expression(&rhythm.every);
                    rhythm.over.iter().for_each(&mut expression);
                });
                settings.iter().for_each(|setting| expression(&setting.value));
                watches.iter().for_each(|watch| expression(&watch.condition));
                for breach in breaches {
                    breach.windows.iter().for_each(&mut expression);
                    breach.actions.iter().for_each(|action| expression(&action.what));
                }
            }
            DeclarationKind::Trigger { event, actions, settings } => {
                settings.iter().for_each(|setting| expression(&setting.value));
                if let Event::Change(data) = event {
                    idents.push(data);
                }
                actions.iter().for_each(|action| expression(&action.what));
            }
        }
    }
    found.extend(types);
    found.extend(idents.into_iter().map(|ident| ident.name.as_str()));
    found
}

/// The names in a type: `dataset<Customer>`.
fn of_type<'a>(ty: &'a TypeExpr, found: &mut Vec<&'a str>) {
    match &ty.kind {
        TypeKind::Named(name) => found.push(name),
        TypeKind::Optional(inner) | TypeKind::Generic(_, inner) => of_type(inner, found),
        TypeKind::Enum(_) | TypeKind::Metrics(_) => {}
    }
}

fn of_strategy<'a>(strategy: &'a Strategy, expression: &mut impl FnMut(&'a Expr)) {
    for weight in &strategy.weights {
        expression(&weight.share);
        if let Hold::For(length) = &weight.hold {
            expression(length);
        }
    }
    strategy.phases.iter().for_each(|phase| expression(&phase.length));
    strategy.settings.iter().for_each(|setting| expression(&setting.value));
    strategy.goals.iter().for_each(|goal| expression(&goal.metric));
    let Some(check) = &strategy.check else { return };
    check.every.iter().for_each(&mut *expression);
    for verdict in &check.verdicts {
        expression(&verdict.success);
        verdict.failure.iter().for_each(&mut *expression);
    }
    check.tolerate.iter().for_each(|(count, _)| expression(count));
}

/// How often each word stands in the text.
fn words(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()) {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

/// Models without a gate, and gates that nothing waits for.
fn gates(cx: &mut Context<'_>) {
    let file = cx.file;
    let mut gates: Vec<&Ident> = Vec::new();
    let mut awaited: HashSet<&str> = HashSet::new();
    let mut ungated: Vec<&Ident> = Vec::new();
    let mut models = 0;
    for declaration in &file.declarations {
        match &declaration.kind {
            DeclarationKind::Gate { name, after, .. } => {
                gates.push(name);
                awaited.extend(after.iter().map(|ident| ident.name.as_str()));
            }
            DeclarationKind::Step { after, .. } => awaited.extend(after.iter().map(|ident| ident.name.as_str())),
            DeclarationKind::Model { name, after, .. } => {
                models += 1;
                if after.is_empty() {
                    ungated.push(name);
                }
                awaited.extend(after.iter().map(|ident| ident.name.as_str()));
            }
            _ => {}
        }
    }
    for name in &ungated {
        let served = file.declarations.iter().find_map(|declaration| match &declaration.kind {
            DeclarationKind::Deploy { model, .. } if model.name == name.name => Some(model.span),
            _ => None,
        });
        let finding = match served {
            Some(span) => {
                let message = format!("the model `{}` goes live whatever it measures", name.name);
                let finding = Finding::warning(codes::UNGATED_DEPLOYMENT, cx.place(name.span), message);
                finding.label("no gate").also(cx.place(span), "served here")
            }
            None => {
                let message = format!("the model `{}` is registered whatever it measures", name.name);
                Finding::warning(codes::UNGATED_MODEL, cx.place(name.span), message)
            }
        };
        cx.report(match gates.first() {
            Some(gate) => finding.help(format!("let it wait for a gate: `after {}`", gate.name)),
            None => finding.help("declare a `gate` and let it wait: `after quality`"),
        });
    }
    // A gate without a model still decides how a run ends; one beside models that all wait for others is forgotten.
    if models > 0 && ungated.is_empty() {
        for name in gates.into_iter().filter(|name| !awaited.contains(name.name.as_str())) {
            let finding = Finding::warning(
                codes::IDLE_GATE,
                cx.place(name.span),
                format!("no model and no step waits for the gate `{}`", name.name),
            );
            cx.report(finding.help(format!("let the model wait for it too: `after {}`", name.name)));
        }
    }
}
