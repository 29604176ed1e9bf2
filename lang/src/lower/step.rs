//! `step split = tabular.split(rows, test: 20%) when c { timeout = 1m }`

use super::arguments::{self, Arguments, Given};
use super::conduct::{self, Sort};
use super::live::registry;
use super::{certainty, gate, program, query, settings};
use crate::codes;
use crate::context::{Context, Module, NodeFacts, SeenIn, Trained};
use crate::finding::{Finding, Safety};
use crate::names::{Kind, suggest};
use crate::pipeline::{Expr, NodeId, OutputRef, StepNode};
use crate::signature::{InputKind, OutputKind, OutputSignature, ParamDefault, ParamType, StepSignature};
use crate::span::Span;
use crate::syntax::ast::{self, ExprKind, Ident, Setting, Task};
use crate::types::{Column, Schema, Type};
use crate::typing::access::{self, Accessed};
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::work::Work;
use crate::written::listed;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// Kinds of steps that are no modules'.
const PROGRAMS: &[&str] = &["docker", "process", "sql"];

/// Kinds of steps known to the language; this version does not have them.
const LATER_BODIES: &[&str] = &["python", "http"];

/// What a step does: a module's step, a program or a query.
pub(super) fn lower(
    cx: &mut Context<'_>,
    body: &ast::Expr,
    task: &Task,
    block: &[Setting],
) -> (NodeFacts, Option<Work>) {
    if let ExprKind::Call(callee, arguments) = &body.kind {
        if let Some(sort) = program::sort(callee) {
            let (facts, node) = program::lower(cx, sort, callee.span, arguments, task, block);
            return (facts, node.map(|node| Work::Program(Box::new(node))));
        }
        if query::is_query(callee) {
            let (facts, node) = query::lower(cx, callee.span, arguments, task, block);
            return (facts, node.map(Work::Query));
        }
    }
    let (facts, node) = module_step(cx, body, task, block);
    (facts, node.map(Work::Step))
}

fn module_step(
    cx: &mut Context<'_>,
    body: &ast::Expr,
    task: &Task,
    block: &[Setting],
) -> (NodeFacts, Option<StepNode>) {
    let found = conduct::settings(cx, Sort::Module, block, task);
    let around = conduct::lower(cx, &found);
    let Some((module, position, callee, given)) = called(cx, body) else { return (NodeFacts::default(), None) };
    let signature = &module.signature.steps[position];
    let arguments = arguments::arrange(cx, signature, callee, given);
    let inputs = inputs(cx, signature, &arguments);
    let params =
        cx.seen_in(SeenIn::Settings, |cx| settings::resolve(cx, signature, callee.whole, &arguments, &inputs.types));
    let mut facts = facts(signature, &inputs.types, &params);
    facts.derived = derived(cx, signature, &inputs);
    facts.trained = trained(cx, signature, &inputs, &params);
    facts.settings = params.clone();
    let outputs = facts.outputs.clone().unwrap_or_default();
    let sound = arguments.sound && inputs.refs.len() == signature.inputs.len();
    let params: Option<IndexMap<String, Value>> =
        params.into_iter().map(|(name, value)| Some((name, value?))).collect();
    let node = match (around, params) {
        (Some((limits, conduct)), Some(params)) if sound && outputs.values().all(|ty| *ty != Type::Unknown) => {
            Some(StepNode {
                module: module.path.to_string(),
                version: module.signature.version.clone(),
                digest: module.signature.digest.clone(),
                step: signature.name.clone(),
                params,
                inputs: inputs.refs,
                outputs,
                limits,
                conduct,
            })
        }
        _ => None,
    };
    (facts, node)
}

/// `when COND`: what its metrics come from is needed.
pub(super) fn condition(cx: &mut Context<'_>, condition: &ast::Expr, needs: &mut BTreeSet<NodeId>) -> Option<Expr> {
    let typed = cx.seen_in(SeenIn::Verdict, |cx| Typing::new(cx, Scope::Run).condition(condition));
    if typed.is_unknown() {
        return None;
    }
    certainty::report(cx, condition, &typed.expr);
    gate::measured(&typed.expr, needs);
    Some(typed.expr)
}

/// The module and the step that a body calls, with the place of `module.step` and the arguments.
fn called<'e>(cx: &mut Context<'_>, body: &'e ast::Expr) -> Option<(Module, usize, Callee<'e>, Given<'e>)> {
    let ExprKind::Call(callee, arguments) = &body.kind else {
        not_a_call(cx, body, None);
        return None;
    };
    let ExprKind::Member(base, step) = &callee.kind else {
        not_a_call(cx, body, Some(callee));
        return None;
    };
    let ExprKind::Name(module_name) = &base.kind else {
        not_a_call(cx, body, Some(callee));
        return None;
    };
    let module = module(cx, module_name, base.span)?;
    let Some(position) = module.signature.steps.iter().position(|offered| offered.name == step.name) else {
        unknown_step(cx, module_name, &module, step);
        return None;
    };
    Some((module, position, Callee { text: (module_name, &step.name), whole: callee.span }, arguments))
}

/// What is called, for messages.
#[derive(Clone, Copy)]
pub(super) struct Callee<'e> {
    /// Module and step as written.
    pub(super) text: (&'e str, &'e str),
    /// Where.
    pub(super) whole: Span,
}

fn not_a_call(cx: &mut Context<'_>, body: &ast::Expr, callee: Option<&ast::Expr>) {
    let named = match callee.map_or(&body.kind, |callee| &callee.kind) {
        ExprKind::Error => return,
        ExprKind::Name(name) => Some(name.as_str()),
        _ => None,
    };
    let place = cx.place(callee.map_or(body.span, |callee| callee.span));
    cx.report(match named {
        Some("registry") => {
            Finding::error(codes::MISPLACED_REGISTRY, place, "`registry(...)` is a model, and no step by itself").help(
                "give it to a step that takes a model, as in `regress.evaluate(registry(\"demand\"), split.test)`",
            )
        }
        Some(name) if LATER_BODIES.contains(&name) => {
            Finding::error(codes::NOT_IN_THIS_VERSION, place, format!("`{name}` steps are not in this version of mlp"))
                .help("use a step of the standard library, or a plugin: `use \"./step.wasm\" as name`")
        }
        Some(name) if cx.names.nearest(name, PROGRAMS.iter().copied()).is_some() => {
            let near = cx.names.nearest(name, PROGRAMS.iter().copied());
            let span = callee.map_or(body.span, |callee| callee.span);
            let finding = Finding::error(codes::NOT_A_CALL, place, format!("there is no kind of step `{name}`"));
            suggest(finding, span, near, String::new)
        }
        _ => Finding::error(codes::NOT_A_CALL, place, "a step calls a step of a module")
            .help("write `step name = module.step(input, setting: value)`"),
    });
}

fn module(cx: &mut Context<'_>, name: &str, span: Span) -> Option<Module> {
    match cx.names.get(name) {
        Some(declared) if declared.kind == Kind::Module => cx.modules.get(&declared.index)?.clone(),
        Some(declared) => {
            let finding = Finding::error(
                codes::WRONG_KIND,
                cx.place(span),
                format!("`{name}` is {}, and a step calls a module's step", declared.kind.with_article()),
            )
            .also(cx.place(declared.span), "declared here");
            cx.report(finding);
            None
        }
        None if cx.names.is_broken(name) || is_missed(cx, name) => None,
        None => {
            unknown_module(cx, name, span);
            None
        }
    }
}

/// Whether a `use` that could not be loaded, which was reported, probably meant to bring this name.
fn is_missed(cx: &Context<'_>, name: &str) -> bool {
    cx.file.declarations.iter().enumerate().any(|(index, declaration)| {
        let ast::DeclarationKind::Use { path, .. } = &declaration.kind else { return false };
        let alias = crate::names::declared_name(declaration).map(|(alias, ..)| alias);
        let failed = matches!(cx.modules.get(&index), Some(None));
        // `use stdclassify` and `use standard.classify` both wanted `classify`.
        failed && (path.ends_with(name) || cx.names.nearest(name, alias).is_some())
    })
}

/// A module nobody imported: perhaps misspelt, perhaps just not `use`d.
fn unknown_module(cx: &mut Context<'_>, name: &str, span: Span) {
    let finding = Finding::error(codes::UNKNOWN_NAME, cx.place(span), format!("no module is named `{name}`"))
        .label("not declared");
    let ends_so = |path: &&String| path.rsplit('/').next() == Some(name);
    let finding = match cx.known_modules.iter().find(ends_so) {
        Some(path) => {
            let at = import_place(cx);
            finding.help(format!("add `use {path}`")).fix(
                format!("add `use {path}`"),
                at,
                format!("use {path}\n"),
                Safety::Safe,
            )
        }
        None => {
            let near = cx.names.nearest(name, cx.names.of_kind(|kind| kind == Kind::Module));
            suggest(finding, span, near, || {
                format!("import it: `use {}`", cx.known_modules.first().map_or("std/tabular", String::as_str))
            })
        }
    };
    cx.report_once(format!("name {name}"), "also here", finding);
}

/// Where a new `use` goes: before the first, or before the first declaration.
fn import_place(cx: &Context<'_>) -> Span {
    let declarations = &cx.own.file.declarations;
    let first_use = declarations.iter().find(|d| matches!(d.kind, ast::DeclarationKind::Use { .. }));
    let at = first_use.or(declarations.first()).map_or(0, |declaration| {
        // A doc comment belongs to its declaration: the new line goes above it.
        let lines = declaration.doc.as_ref().map_or(0, |doc| doc.lines().count());
        let mut at = declaration.span.start as usize;
        for _ in 0..lines {
            at = cx.source.text.get(..at.saturating_sub(1)).and_then(|text| text.rfind('\n')).map_or(0, |i| i + 1);
        }
        at
    });
    Span::new(at, at)
}

fn unknown_step(cx: &mut Context<'_>, alias: &str, module: &Module, step: &Ident) {
    let steps = || module.signature.steps.iter().map(|step| step.name.as_str());
    let near = cx.names.nearest(&step.name, steps());
    let finding = Finding::error(
        codes::UNKNOWN_STEP,
        cx.place(step.span),
        format!("the module `{alias}` has no step `{}`", step.name),
    );
    let finding = suggest(finding, step.span, near, || format!("it has {}", listed(steps())));
    cx.report(finding);
}

/// Inputs as resolved.
struct Inputs {
    refs: IndexMap<String, OutputRef>,
    /// By input. `Unknown` after a mistake.
    types: HashMap<String, Type>,
}

fn inputs(cx: &mut Context<'_>, signature: &StepSignature, arguments: &Arguments<'_>) -> Inputs {
    let mut inputs = Inputs { refs: IndexMap::new(), types: HashMap::new() };
    for (input, argument) in signature.inputs.iter().zip(&arguments.inputs) {
        let mut ty = Type::Unknown;
        if let Some(value) = argument
            && let Some((reference, found)) = given_input(cx, &input.name, &input.kind, value)
        {
            inputs.refs.insert(input.name.clone(), reference);
            ty = found;
        }
        inputs.types.insert(input.name.clone(), ty);
    }
    inputs
}

fn given_input(cx: &mut Context<'_>, name: &str, kind: &InputKind, value: &ast::Expr) -> Option<(OutputRef, Type)> {
    let wanted = match kind {
        InputKind::Dataset => "a table".to_owned(),
        InputKind::Model(flavor) => format!("a model<{flavor}>"),
    };
    let found = match access::path(value) {
        Some(path) => match cx.access(&path) {
            Accessed::Output { node, output, ty } => {
                let fits = match (kind, &ty) {
                    (InputKind::Dataset, Type::Dataset(_)) => true,
                    (InputKind::Model(wanted), Type::Model(flavor)) => wanted == flavor,
                    _ => false,
                };
                if fits {
                    return Some((OutputRef { node, output }, ty));
                }
                with_article(&ty)
            }
            Accessed::Metric { field, .. } => with_article(&field.ty),
            Accessed::Poison => return None,
        },
        None => match &value.kind {
            ExprKind::Error => return None,
            ExprKind::Call(callee, arguments) if registry::is_registry(callee) => match kind {
                InputKind::Model(flavor) => return registry::input(cx, value, arguments, flavor),
                InputKind::Dataset => "a registered model".to_owned(),
            },
            ExprKind::Coalesce(..) | ExprKind::When { .. } => {
                let finding = Finding::error(
                    codes::NOT_IN_THIS_VERSION,
                    cx.place(value.span),
                    "choosing between inputs is not in this version of mlp",
                );
                cx.report(finding.help("give one step's output"));
                return None;
            }
            _ => "a value".to_owned(),
        },
    };
    let finding = Finding::error(
        codes::TYPE_MISMATCH,
        cx.place(value.span),
        format!("the input `{name}` is {wanted}, not {found}"),
    )
    .label(format!("this is {found}"));
    cx.report(match kind {
        InputKind::Dataset => finding.help("give data by its name, or a step's output: `split.train`"),
        InputKind::Model(_) => finding.help("give the output of a training step: `train.model`"),
    });
    None
}

/// What the step gives, with the columns of its tables.
fn facts(
    signature: &StepSignature,
    inputs: &HashMap<String, Type>,
    params: &IndexMap<String, Option<Value>>,
) -> NodeFacts {
    let mut facts = NodeFacts::default();
    let mut outputs = IndexMap::new();
    for output in &signature.outputs {
        let ty = match &output.kind {
            OutputKind::SameAs(input) => inputs.get(input).cloned().unwrap_or(Type::Unknown),
            OutputKind::Table(schema) => Type::Dataset(schema.clone()),
            OutputKind::Model(flavor) => Type::Model(flavor.clone()),
            OutputKind::Metrics { fields, by } => {
                if let Some(by) = by {
                    let columns = match params.get(by) {
                        Some(Some(Value::List(columns))) => Some(columns.iter().map(crate::typing::plain).collect()),
                        Some(Some(Value::Column(column))) => Some(vec![column.clone()]),
                        Some(Some(Value::Null)) => Some(Vec::new()),
                        _ => None,
                    };
                    facts.groups.insert(output.name.clone(), columns);
                }
                Type::Metrics(fields.clone())
            }
        };
        outputs.insert(output.name.clone(), ty);
    }
    facts.outputs = Some(outputs);
    facts
}

/// Columns computed from the label, of the outputs with the columns of an input.
fn derived(cx: &Context<'_>, signature: &StepSignature, inputs: &Inputs) -> HashMap<String, Vec<String>> {
    let of_output = |output: &OutputSignature| {
        let OutputKind::SameAs(input) = &output.kind else { return None };
        Some((output.name.clone(), cx.derived(inputs.refs.get(input)?)?.to_vec()))
    };
    signature.outputs.iter().filter_map(of_output).collect()
}

/// The table that a model of this step learns from: the one that its label is a column of, else the first. A step that
/// works on a model passes on what that one learnt from.
fn trained(
    cx: &Context<'_>,
    signature: &StepSignature,
    inputs: &Inputs,
    params: &IndexMap<String, Option<Value>>,
) -> Option<Trained> {
    signature.outputs.iter().find(|output| matches!(output.kind, OutputKind::Model(_)))?;
    let labels = signature.params.iter().filter_map(|param| match (&param.default, &param.ty) {
        (Some(ParamDefault::Label { of }), _) => Some((param, of)),
        (_, ParamType::Column { of }) if param.name == "label" => Some((param, of)),
        _ => None,
    });
    let label = labels.into_iter().next();
    let first = || signature.inputs.iter().find(|input| matches!(input.kind, InputKind::Dataset)).map(|it| &it.name);
    let Some(table) = label.map(|(_, of)| of).or_else(first) else {
        let model = signature.inputs.iter().find_map(|input| inputs.refs.get(&input.name))?;
        return cx.nodes.get(cx.order.get(model.node.index())?)?.trained.clone();
    };
    let Some(Type::Dataset(schema)) = inputs.types.get(table) else { return None };
    let label = match label {
        Some((param, _)) => match params.get(&param.name)?.as_ref()? {
            Value::Column(label) => schema.column(label),
            _ => None,
        },
        None => schema.label(),
    };
    let is_label = |column: &Column| column.label || label.is_some_and(|label| label.name == column.name);
    let columns = schema.columns.iter().filter(|column| !is_label(column)).cloned().collect();
    let features = signature
        .params
        .iter()
        .find(|param| matches!(&param.default, Some(ParamDefault::Features { of }) if of == table));
    let features = features.and_then(|param| match params.get(&param.name)?.as_ref()? {
        Value::List(columns) => Some(columns.iter().map(crate::typing::plain).collect()),
        _ => None,
    });
    Some(Trained { row: Schema { name: schema.name.clone(), columns }, label: label.cloned(), features })
}

/// How a setting's type is written in a signature.
pub(crate) fn written_type(ty: &ParamType) -> String {
    match ty {
        ParamType::Plain(ty) => ty.to_string(),
        ParamType::Column { of } => format!("column of {of}"),
        ParamType::ValueOf { param } => format!("value of the column `{param}`"),
        ParamType::Optional(inner) => format!("{}?", written_type(inner)),
        ParamType::List(inner) => format!("list<{}>", written_type(inner)),
    }
}
