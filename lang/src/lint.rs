//! Lints: what runs and is probably not what was meant.
//!
//! A name counts as used when anything mentions it. In a file with broken syntax some mentions are lost with their
//! lines; there a name counts as used when its word stands anywhere else in the text, so that one mistake does not make
//! a second finding.

mod credentials;

use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::link::load::{is_import, is_importable};
use crate::lower::references;
use crate::names::{Kind, declared_name, is_built_in};
use crate::span::Span;
use crate::syntax::ast::{
    Attribute, Declaration, DeclarationKind, Event, Expr, ExprKind, Hold, Ident, Strategy, TestKind, TypeExpr, TypeKind,
};
use crate::types::Type;
use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};

/// Adds the lints of a file. `broken`: the parser reported something. `library`: the file declares what others use.
pub(crate) fn lint(cx: &mut Context<'_>, broken: bool, library: bool) {
    let mentioned = Mentioned::new(cx);
    unused(cx, &mentioned, broken, library);
    gates(cx);
    idle_steps(cx, &mentioned, broken);
    components(cx, broken);
    credentials::lint(cx);
}

/// The names that a file mentions.
enum Mentioned<'a> {
    Names(HashSet<&'a str>),
    /// By declaration, whether its name is one of them.
    Declarations(Vec<bool>),
}

impl<'a> Mentioned<'a> {
    fn new(cx: &Context<'a>) -> Mentioned<'a> {
        let file = cx.own.file;
        cx.kept.mentioned().map_or_else(|| Mentioned::Names(mentioned(&file.declarations)), Mentioned::Declarations)
    }

    fn contains(&self, index: usize, name: &str) -> bool {
        match self {
            Mentioned::Names(names) => names.contains(name),
            Mentioned::Declarations(mentioned) => mentioned.get(index).is_some_and(|mentioned| *mentioned),
        }
    }
}

fn unused(cx: &mut Context<'_>, mentioned: &Mentioned<'_>, broken: bool, library: bool) {
    let file = cx.own.file;
    let text = &cx.source.text;
    let words = LazyCell::new(|| words(text));
    for (index, declaration) in file.declarations.iter().enumerate() {
        let Some((name, kind, span)) = declared_name(declaration) else { continue };
        if mentioned.contains(index, name) || name.starts_with('_') || library && kind != Kind::Module {
            continue;
        }
        let elsewhere = broken && words.get(name).is_some_and(|count| *count > 1);
        let reported = is_built_in(name, kind) || kind == Kind::Module && is_missing(cx, name);
        if reported || elsewhere || !cx.own_names().owns(name, index) {
            continue;
        }
        let files = matches!(&declaration.kind, DeclarationKind::Use { path, quoted, .. } if is_import(path, *quoted));
        let (code, message) = match kind {
            Kind::Param => (codes::UNUSED_PARAM, format!("nothing reads the parameter `{name}`")),
            Kind::Schema => (codes::UNUSED_SCHEMA, format!("no data has the schema `{name}`")),
            Kind::Secret => (codes::UNUSED_SECRET, format!("nothing is given the secret `{name}`")),
            Kind::Module if files => (codes::UNUSED_IMPORT, format!("nothing needs what `{name}` brings")),
            Kind::Module => (codes::UNUSED_MODULE, format!("no step calls the module `{name}`")),
            Kind::Component => (codes::UNUSED_COMPONENT, format!("the component `{name}` has no instance")),
            _ => continue,
        };
        let finding = Finding::warning(code, cx.place(span), message).label("unused");
        let finding = match kind {
            // A `use` does nothing by itself; the others may be about to be used.
            Kind::Module => {
                finding.help("remove it").fix("remove it", whole_line(cx, declaration.span), "", Safety::Safe)
            }
            Kind::Component => finding.help(format!("make one, `step name = {name}(...)`, or remove it")),
            _ => finding.help(format!("remove it, or call it `_{name}` to keep it")),
        };
        cx.report(finding);
    }
}

/// Whether a module or a file could not be loaded, which was reported.
fn is_missing(cx: &Context<'_>, name: &str) -> bool {
    let module = cx.names.get(name).and_then(|declared| cx.modules.get(&declared.index));
    matches!(module, Some(None)) || cx.linked.is_some_and(|linked| linked.missing.contains(name))
}

/// Steps that end in nothing: no step, gate or model reads what they give, and they measure nothing that a run would
/// show. Where a file has neither gate nor model its last steps are what it is for.
fn idle_steps(cx: &mut Context<'_>, mentioned: &Mentioned<'_>, broken: bool) {
    let file = cx.own.file;
    let ends = |declaration: &Declaration| {
        matches!(declaration.kind, DeclarationKind::Gate { .. } | DeclarationKind::Model { .. })
    };
    // What is wrong with a step may be why nothing reads it.
    if broken || cx.findings.iter().any(Finding::is_error) || !file.declarations.iter().any(ends) {
        return;
    }
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Step { name, body, .. } = &declaration.kind else { continue };
        let word = name.name.as_str();
        // A program may be run for what it does.
        let called = matches!(&body.kind, ExprKind::Call(callee, _) if matches!(callee.kind, ExprKind::Member(..)));
        if mentioned.contains(index, word) || word.starts_with('_') || !called || !cx.own_names().owns(word, index) {
            continue;
        }
        let outputs = cx.names.get(word).and_then(|declared| cx.nodes.get(&declared.index)?.outputs.as_ref());
        let Some(outputs) = outputs else { continue };
        if outputs.values().any(|ty| matches!(ty, Type::Metrics(_) | Type::Unknown)) {
            continue;
        }
        let given = crate::written::listed(outputs.keys());
        let finding = Finding::warning(
            codes::IDLE_STEP,
            cx.place(name.span),
            format!("nothing reads what the step `{word}` gives"),
        )
        .label(format!("gives {given}"))
        .help(format!(
            "read it, as in `{word}.{}`, remove the step, or call it `_{word}` to keep it",
            outputs.keys().next().map_or("output", String::as_str)
        ));
        cx.report(finding);
    }
}

/// Parameters of components that nothing reads, and names in components that hide others of the file.
fn components(cx: &mut Context<'_>, broken: bool) {
    let file = cx.own.file;
    for declaration in &file.declarations {
        let DeclarationKind::Component { name: component, params, declarations, outputs } = &declaration.kind else {
            continue;
        };
        let mut inside = mentioned(declarations);
        outputs.iter().for_each(|output| references::names(&output.value, &mut |name, _| inside.extend([name])));
        for param in params {
            let name = &param.name;
            if broken || inside.contains(name.name.as_str()) || name.name.starts_with('_') {
                continue;
            }
            let finding = Finding::warning(
                codes::UNUSED_COMPONENT_PARAM,
                cx.place(name.span),
                format!("nothing in the component `{}` reads its parameter `{}`", component.name, name.name),
            );
            cx.report(finding.label("unused").help(format!("remove it, or call it `_{}` to keep it", name.name)));
        }
        let given = params.iter().map(|param| (param.name.name.as_str(), param.name.span, "the parameter"));
        let inner = declarations.iter().filter_map(declared_name).map(|(name, kind, span)| {
            let (_, words) = kind.with_article().split_once(' ').unwrap_or(("", "data"));
            (
                name,
                span,
                match words {
                    "step" => "the step",
                    "gate" => "the gate",
                    "search" => "the search",
                    _ => "the data",
                },
            )
        });
        for (name, span, what) in given.chain(inner) {
            // What a component does not see is not hidden by it.
            let Some(hidden) =
                cx.own_names().get(name).filter(|hidden| is_importable(hidden.kind) || hidden.kind == Kind::Module)
            else {
                continue;
            };
            let finding = Finding::warning(
                codes::SHADOWED_NAME,
                cx.place(span),
                format!("{what} `{name}` of `{}` hides {} of the file", component.name, hidden.kind.with_article()),
            )
            .label("in the component this one is meant")
            .also(cx.place(hidden.span), "hidden there");
            cx.report(finding.help("rename one of them, so that a reader need not know which is meant"));
        }
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
pub(crate) fn mentioned(declarations: &[Declaration]) -> HashSet<&str> {
    let mut found: HashSet<&str> = HashSet::new();
    let mut waiting: Vec<&Declaration> = declarations.iter().collect();
    while let Some(declaration) = waiting.pop() {
        let mut types: Vec<&TypeExpr> = Vec::new();
        let mut idents: Vec<&Ident> = Vec::new();
        let mut expression = |expr| references::names(expr, &mut |name, _| found.extend([name]));
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
            DeclarationKind::Component { params, declarations, outputs, .. } => {
                types.extend(params.iter().map(|param| &param.ty));
                params.iter().flat_map(|param| &param.default).for_each(&mut expression);
                outputs.iter().for_each(|output| expression(&output.value));
                types.extend(outputs.iter().flat_map(|output| &output.ty));
                waiting.extend(declarations);
            }
            DeclarationKind::Tune { over, space, goals, settings, .. } => {
                idents.push(over);
                space.iter().for_each(|line| expression(&line.values));
                goals.iter().for_each(|goal| expression(&goal.metric));
                settings.iter().for_each(|setting| expression(&setting.value));
            }
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
                let given = [&task.with, &task.inputs].into_iter().flatten().flat_map(|clause| &clause.entries);
                given.for_each(|(_, value)| expression(value));
                types.extend(task.outputs.iter().flat_map(|outputs| &outputs.entries).map(|(_, ty)| ty));
                when.iter().for_each(&mut expression);
                idents.extend(after);
                settings.iter().for_each(|setting| expression(&setting.value));
            }
            DeclarationKind::Gate { requirements, approvals, after, .. } => {
                for approval in approvals {
                    approval.count.iter().chain([&approval.people]).chain(&approval.within).for_each(&mut expression);
                }
                for clause in requirements {
                    expression(&clause.condition);
                    clause.min_support.iter().for_each(&mut expression);
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
        let named = types.into_iter().flat_map(schemas_in);
        // `common.Customer` is of the module `common`.
        let words = named.chain(idents.into_iter().map(|ident| ident.name.as_str()));
        found.extend(words.map(|name| name.split_once('.').map_or(name, |(module, _)| module)));
    }
    found
}

/// The names in a type.
fn schemas_in(ty: &TypeExpr) -> Vec<&str> {
    match &ty.kind {
        TypeKind::Named(name) => vec![name],
        TypeKind::Enum(_) => Vec::new(),
        TypeKind::Optional(inner) | TypeKind::Generic(_, inner) => schemas_in(inner),
        TypeKind::Metrics(fields) => fields.iter().flat_map(|(_, ty)| schemas_in(ty)).collect(),
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
    let file = cx.own.file;
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
