//! What a model was told before it is asked: rows that it learnt from among those it is measured on, and columns
//! computed from the label among its features.

use super::rows::{Common, Rows, Tables, module_steps, signature};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::names::declared_name;
use crate::pipeline::{Node, NodeId, NodeKind, OutputRef, StepNode};
use crate::signature::{InputKind, OutputKind, ParamDefault, StepSignature};
use crate::span::Span;
use crate::syntax::ast::{Argument, DeclarationKind, Expr, ExprKind};
use crate::typing::access;
use crate::value::Value;
use crate::written::listed;
use std::collections::{HashMap, HashSet};

/// Adds the lints of a pipeline whose nodes are all sound.
pub(super) fn lint(cx: &mut Context<'_>, nodes: &[&Node]) {
    for &node in nodes {
        let before = cx.findings.len();
        told_labels(cx, node);
        if let Some(index) = cx.order.get(node.id.index()).copied() {
            cx.blame(before, index);
        }
    }
    let is_measured = |node: &&Node| module_steps(node).into_iter().any(|step| measured(cx, step).is_some());
    if nodes.iter().any(is_measured) {
        seen_rows(cx, nodes);
    }
}

/// The model and the table of a step that measures one on the other.
fn measured<'s>(cx: &Context<'_>, step: &'s StepNode) -> Option<(&'s OutputRef, &'s OutputRef, String)> {
    let signature = signature(cx, step)?;
    let gives = |wanted: fn(&OutputKind) -> bool| signature.outputs.iter().any(|output| wanted(&output.kind));
    let only = |wanted: fn(&InputKind) -> bool| {
        let mut found = signature.inputs.iter().filter(|input| wanted(&input.kind));
        found.next().filter(|_| found.next().is_none()).map(|input| input.name.as_str())
    };
    if !gives(|kind| matches!(kind, OutputKind::Metrics { .. })) || gives(|kind| matches!(kind, OutputKind::Model(_))) {
        return None;
    }
    let model = only(|kind| matches!(kind, InputKind::Model(_)))?;
    let table = only(|kind| matches!(kind, InputKind::Dataset))?;
    Some((step.inputs.get(model)?, step.inputs.get(table)?, table.to_owned()))
}

/// What a model learnt from, and the node that taught it.
#[derive(Clone)]
struct Taught {
    by: NodeId,
    rows: Rows,
}

/// The rows that the models of a step learn from.
fn taught(cx: &Context<'_>, tables: &Tables<'_>, known: &HashMap<NodeId, Taught>, node: &Node) -> Option<Taught> {
    let step = match &node.kind {
        NodeKind::Step(step) => step,
        NodeKind::Tune(tune) => return known.get(&tune.over).cloned(),
        _ => return None,
    };
    let signature = signature(cx, step)?;
    signature.outputs.iter().find(|output| matches!(output.kind, OutputKind::Model(_)))?;
    let earlier = signature.inputs.iter().filter(|input| matches!(input.kind, InputKind::Model(_)));
    let mut earlier = earlier.filter_map(|input| known.get(&step.inputs.get(&input.name)?.node)).cloned();
    let earlier = earlier.next();
    match (learns_from(signature).and_then(|table| step.inputs.get(table)), earlier) {
        (None, earlier) => earlier,
        (Some(table), None) => Some(Taught { by: node.id, rows: tables.of(table) }),
        (Some(table), Some(earlier)) => {
            let rows = [tables.of(table), earlier.rows].concat();
            Some(Taught { by: node.id, rows })
        }
    }
}

/// The table that a step learns from: the one that its label is a column of, else the first.
fn learns_from(signature: &StepSignature) -> Option<&str> {
    let label = signature.params.iter().find_map(|param| match &param.default {
        Some(ParamDefault::Label { of }) => Some(of.as_str()),
        _ => None,
    });
    let first = || signature.inputs.iter().find(|input| matches!(input.kind, InputKind::Dataset));
    label.or_else(|| first().map(|input| input.name.as_str()))
}

/// One measurement of a model.
struct Measured<'n> {
    node: &'n Node,
    table: String,
    common: Common,
}

/// Models that are measured on rows that they learnt from, and on no others. Beside a measurement on other rows it
/// tells how much a model has learnt by heart, which is a thing to ask.
fn seen_rows(cx: &mut Context<'_>, nodes: &[&Node]) {
    let mut tables = Tables::default();
    let mut known: HashMap<NodeId, Taught> = HashMap::new();
    let mut all: Vec<(NodeId, Measured<'_>)> = Vec::new();
    let mut fair: HashSet<NodeId> = HashSet::new();
    for &node in nodes {
        tables.learn(cx, node);
        if let Some(taught) = taught(cx, &tables, &known, node) {
            known.insert(node.id, taught);
        }
        for step in module_steps(node) {
            let Some((model, table, input)) = measured(cx, step) else { continue };
            let Some(taught) = known.get(&model.node) else { continue };
            let common = tables.common(&taught.rows, &tables.of(table));
            if common == Common::Unknown {
                fair.insert(taught.by);
            }
            all.push((taught.by, Measured { node, table: input, common }));
        }
    }
    let mut told: HashSet<NodeId> = HashSet::new();
    for (by, measured) in all {
        if fair.contains(&by) || !told.insert(measured.node.id) {
            continue;
        }
        let before = cx.findings.len();
        tell_seen(cx, nodes, by, &measured);
        if let Some(index) = cx.order.get(measured.node.id.index()).copied() {
            cx.blame(before, index);
        }
    }
}

fn tell_seen(cx: &mut Context<'_>, nodes: &[&Node], by: NodeId, measured: &Measured<'_>) {
    let Some(teacher) = nodes.get(by.index()).copied() else { return };
    let span =
        argument(cx, measured.node, &measured.table).map_or_else(|| place(cx, measured.node), |written| written.span);
    let from = module_steps(teacher).first().and_then(|step| Some(learns_from(signature(cx, step)?)?.to_owned()));
    let taught =
        from.and_then(|input| argument(cx, teacher, &input)).map_or_else(|| place(cx, teacher), |written| written.span);
    let finding = match measured.common {
        Common::All => {
            let message = format!("the model is measured on rows that `{}` learnt from", teacher.name);
            Finding::warning(codes::SEEN_ROWS, cx.place(span), message).label("each of these rows was learnt from")
        }
        _ => {
            let message = format!("the model is measured on rows of which `{}` learnt from some", teacher.name);
            Finding::warning(codes::SHARED_ROWS, cx.place(span), message).label("some of these rows were learnt from")
        }
    };
    let finding = finding.also(cx.place(taught), "learnt from these");
    cx.report(finding.help("learn from one part of a split and measure on the other: `split.train`, `split.test`"));
}

/// Columns computed from the label among the features.
fn told_labels(cx: &mut Context<'_>, node: &Node) {
    for step in module_steps(node) {
        let Some(told) = told_label(cx, step) else { continue };
        let given = argument(cx, node, &told.setting);
        let named = |name: &String| match given.map(|given| &given.kind) {
            Some(ExprKind::List(items)) => items.iter().find(|item| is_word(item, name)).map(|item| item.span),
            _ => None,
        };
        let table = argument(cx, node, &told.input).map_or_else(|| place(cx, node), |written| written.span);
        let span: Span = told.columns.first().and_then(named).unwrap_or(table);
        let message = match told.is_source {
            true => format!("{} is among the features, and the label is computed from it", listed(&told.columns)),
            false if told.columns.len() == 1 => {
                format!("{} is among the features, and is computed from the label", listed(&told.columns))
            }
            false => format!("{} are among the features, and are computed from the label", listed(&told.columns)),
        };
        let finding = Finding::warning(codes::TOLD_LABEL, cx.place(span), message);
        let help = match given {
            Some(_) => "leave it out of the features: a model that is told the answer learns nothing",
            None => "leave it out of the query, or name the `features`: a model that is told the answer learns nothing",
        };
        cx.report(finding.label("tells what is to be predicted").help(help));
        return;
    }
}

struct Told {
    /// The setting with the features.
    setting: String,
    /// The table that they are columns of.
    input: String,
    columns: Vec<String>,
    /// The label is computed from the columns, and not they from it.
    is_source: bool,
}

fn told_label(cx: &Context<'_>, step: &StepNode) -> Option<Told> {
    let signature = signature(cx, step)?;
    let (param, of) = signature.params.iter().find_map(|param| match &param.default {
        Some(ParamDefault::Features { of }) => Some((param, of)),
        _ => None,
    })?;
    let label = signature.params.iter().find_map(|other| match &other.default {
        Some(ParamDefault::Label { of: table }) if table == of => step.params.get(&other.name),
        _ => None,
    });
    let Some(Value::Column(label)) = label else { return None };
    let from = step.inputs.get(of)?;
    let derived = cx.derived(from)?;
    let Some(Value::List(features)) = step.params.get(&param.name) else { return None };
    let features = features.iter().map(crate::typing::plain);
    let marked = cx.label(from);
    let is_source = derived.contains(label);
    // Where the label is itself computed from another one, columns beside it may be so for good reason.
    let columns: Vec<String> = match is_source {
        true => features.filter(|feature| marked == Some(feature.as_str())).collect(),
        false if marked == Some(label.as_str()) => features.filter(|feature| derived.contains(feature)).collect(),
        false => Vec::new(),
    };
    let told = Told { setting: param.name.clone(), input: of.clone(), columns, is_source };
    (!told.columns.is_empty()).then_some(told)
}

/// Where a node is declared in the text as it is now: the node itself may be older.
fn place(cx: &Context<'_>, node: &Node) -> Span {
    let declaration = cx.order.get(node.id.index()).and_then(|index| cx.file.declarations.get(*index));
    declaration.and_then(declared_name).map_or(node.span, |(.., span)| span)
}

fn is_word(item: &Expr, name: &str) -> bool {
    match &item.kind {
        ExprKind::Name(word) => crate::typing::functions::word(word, item.span) == name,
        _ => false,
    }
}

/// What a step's call gives to an input or a setting, as it is written.
fn argument<'c>(cx: &'c Context<'_>, node: &Node, name: &str) -> Option<&'c Expr> {
    let declaration = cx.file.declarations.get(*cx.order.get(node.id.index())?)?;
    let DeclarationKind::Step { body, .. } = &declaration.kind else { return None };
    let ExprKind::Call(_, arguments) = &body.kind else { return None };
    let named = arguments.iter().find(|given| given.name.as_ref().is_some_and(|it| it.name == name));
    if let Some(named) = named {
        return Some(&named.value);
    }
    let step = module_steps(node).into_iter().next()?;
    let at = signature(cx, step)?.inputs.iter().position(|input| input.name == name)?;
    let positional: Vec<&Argument> = arguments.iter().filter(|given| given.name.is_none()).collect();
    positional.get(at).map(|given| &given.value).filter(|value| access::path(value).is_some())
}
