//! `step part = trainer.fit(rows, lr: lr) for lr in [0.1, 0.2]`: the same step for each value of a list.

use super::{references, step};
use crate::codes;
use crate::context::{Context, KnownParam, NodeFacts};
use crate::finding::{Finding, Place};
use crate::syntax::ast::{self, ExprKind, FanOut, Setting, Task};
use crate::types::Type;
use crate::typing::fit::type_of;
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::work::{FanNode, Work};
use indexmap::IndexMap;

/// The most values: each is a step of its own.
const MOST: usize = 1_000;

pub(super) fn lower(
    cx: &mut Context<'_>,
    fan: &FanOut,
    body: &ast::Expr,
    task: &Task,
    settings: &[Setting],
) -> (NodeFacts, Option<FanNode>) {
    let variable = fan.variable.name.as_str();
    let is_new = is_new(cx, fan);
    let start = cx.findings.len();
    let Some(values) = values(cx, fan) else {
        // The step is looked at all the same; what the variable is, is not known.
        let unknown = KnownParam { ty: Type::Unknown, value: None };
        let (facts, _) = within(cx, variable, unknown, |cx| step::lower(cx, body, task, settings));
        return (collected_facts(facts), None);
    };
    let mut members: Vec<Option<Work>> = Vec::with_capacity(values.len());
    let mut first_facts: Option<NodeFacts> = None;
    for value in &values {
        let known = KnownParam { ty: type_of(value), value: Some(value.clone()) };
        let before = cx.findings.len();
        let (facts, member) = within(cx, variable, known, |cx| step::lower(cx, body, task, settings));
        if first_facts.is_some() {
            forget_repeated(cx, before);
        }
        first_facts.get_or_insert(facts);
        members.push(member);
    }
    // With a mistake in the step the variable may stand where it was not understood.
    if !cx.findings.iter().skip(start).any(Finding::is_error) {
        unused(cx, fan, body, task, settings);
    }
    let facts = collected_facts(first_facts.unwrap_or_default());
    let members: Option<Vec<Work>> = members.into_iter().collect();
    let node = members.filter(|members| is_new && same_outputs(cx, fan, &values, members)).map(|members| FanNode {
        variable: variable.to_owned(),
        values,
        members,
        outputs: facts.outputs.clone().unwrap_or_default(),
    });
    (facts, node)
}

/// Looks at the step while the variable stands for something.
fn within<T>(cx: &mut Context<'_>, variable: &str, known: KnownParam, look: impl FnOnce(&mut Context<'_>) -> T) -> T {
    let before = cx.locals.insert(variable.to_owned(), known);
    let seen = look(cx);
    match before {
        Some(before) => cx.locals.insert(variable.to_owned(), before),
        None => cx.locals.remove(variable),
    };
    seen
}

/// The same mistake for the next value is the same mistake.
fn forget_repeated(cx: &mut Context<'_>, from: usize) {
    let later = cx.findings.split_off(from.min(cx.findings.len()));
    let same = |a: &Finding, b: &Finding| a.code == b.code && a.primary.place == b.primary.place;
    let mut moved: Vec<Option<usize>> = Vec::with_capacity(later.len());
    for finding in later {
        let is_known = cx.findings.iter().any(|known| same(known, &finding));
        moved.push((!is_known).then_some(cx.findings.len()));
        if !is_known {
            cx.findings.push(finding);
        }
    }
    // Whoever adds a place to a finding finds it where it is now.
    cx.once.retain(|_, (first, _)| match first.checked_sub(from) {
        None => true,
        Some(at) => match moved.get(at).copied().flatten() {
            Some(now) => {
                *first = now;
                true
            }
            None => false,
        },
    });
}

/// Whether the variable has a name that nothing else has.
fn is_new(cx: &mut Context<'_>, fan: &FanOut) -> bool {
    let name = &fan.variable.name;
    let Some(declared) = cx.names.get(name) else { return true };
    let message = format!("`{name}` is {} already", declared.kind.with_article());
    let finding = Finding::error(codes::DUPLICATE_DECLARATION, cx.place(fan.variable.span), message);
    cx.report(finding.also(cx.place(declared.span), "declared here").help("give the variable another name"));
    false
}

/// A variable that nothing in the step reads: each value would do the very same.
fn unused(cx: &mut Context<'_>, fan: &FanOut, body: &ast::Expr, task: &Task, settings: &[Setting]) {
    let variable = fan.variable.name.as_str();
    let mut used = variable.starts_with('_');
    let entries = task.with.iter().chain(&task.inputs).flat_map(|clause| &clause.entries).map(|(_, value)| value);
    for expr in std::iter::once(body).chain(entries).chain(settings.iter().map(|setting| &setting.value)) {
        references::names(expr, &mut |name, _| used |= name == variable);
        used |= matches!(expr.kind, ExprKind::Error);
    }
    if !used {
        let message = format!("the step does the same for each value: nothing in it reads `{variable}`");
        let finding = Finding::warning(codes::IDLE_VARIABLE, cx.place(fan.variable.span), message);
        cx.report(finding.label("unused").help("give it to a setting, or remove `for`"));
    }
}

/// The values, each once; `None` when they are none, which was reported.
fn values(cx: &mut Context<'_>, fan: &FanOut) -> Option<Vec<Value>> {
    let (ty, value) = Typing::new(cx, Scope::Constant).constant(&fan.values)?;
    let place = cx.place(fan.values.span);
    let Value::List(values) = value else {
        let finding =
            Finding::error(codes::BAD_FAN_OUT, place, format!("`for` goes through a list, not {}", with_article(&ty)));
        cx.report(match ty {
            Type::Range(_) => finding.help("write the values: `[1, 2, 3]`; a search over a range is a `tune`"),
            _ => finding.help("write `[...]`, or name a parameter that is a list"),
        });
        return None;
    };
    let is_plain = |value: &Value| !matches!(value, Value::Null | Value::List(_) | Value::Range { .. });
    if values.is_empty() {
        let finding = Finding::error(codes::EMPTY_RANGE, place, "the list is empty: there would be no step");
        cx.report(finding.help("name at least one value"));
        return None;
    }
    if values.len() > MOST {
        let message = format!("{} values would be {} steps, and there may be {MOST}", values.len(), values.len());
        cx.report(Finding::error(codes::BAD_FAN_OUT, place, message).help("let one step go through them"));
        return None;
    }
    if let Some(other) = values.iter().find(|value| !is_plain(value)) {
        let found = with_article(&type_of(other));
        let message = format!("each value is a plain one or a map, and this list has {found}");
        cx.report(Finding::error(codes::BAD_FAN_OUT, place, message).help("write a map: `{ lr: 0.1, depth: 3 }`"));
        return None;
    }
    for (at, value) in values.iter().enumerate() {
        let Some(first) = values.iter().take(at).position(|other| other == value) else { continue };
        let span = |at: usize| match &fan.values.kind {
            ExprKind::List(items) => items.get(at).map_or(fan.values.span, |item| item.span),
            _ => fan.values.span,
        };
        let message = format!("{value} stands twice in this list");
        let finding = Finding::error(codes::REPEATED_MEMBER, cx.place(span(at)), message);
        let first: Place = cx.place(span(first));
        cx.report(finding.also(first, "first here").help("remove one"));
        return None;
    }
    Some(values)
}

/// Whether each value gives tables of the same columns: their rows come together.
fn same_outputs(cx: &mut Context<'_>, fan: &FanOut, values: &[Value], members: &[Work]) -> bool {
    let Some(first) = members.first() else { return false };
    for (member, value) in members.iter().zip(values).skip(1) {
        for (name, ty) in member.outputs() {
            if first.outputs().get(name) == Some(ty) {
                continue;
            }
            let others = values.first().map(Value::to_string).unwrap_or_default();
            let message = format!("`{name}` has other columns for {value} than for {others}");
            let finding = Finding::error(codes::BAD_FAN_OUT, cx.place(fan.span), message);
            cx.report(finding.help("give the same columns for each value: their rows come together in one table"));
            return false;
        }
    }
    true
}

/// What all values together give.
fn collected_facts(facts: NodeFacts) -> NodeFacts {
    let outputs = facts.outputs.map(|outputs| -> IndexMap<String, Type> {
        outputs.into_iter().map(|(name, ty)| (name, collected(ty))).collect()
    });
    NodeFacts { outputs, derived: facts.derived, ..NodeFacts::default() }
}

fn collected(ty: Type) -> Type {
    match ty {
        Type::Unknown => Type::Unknown,
        Type::Dataset(mut schema) => {
            // The same row may come for each value.
            schema.columns.iter_mut().for_each(|column| column.unique = false);
            Type::Dataset(schema)
        }
        one => Type::List(Box::new(one)),
    }
}
