//! `step features = sql """select ..."""`: the tables that a query reads, and what it gives.

use super::conduct::{self, Sort};
use super::settings::article;
use crate::codes;
use crate::context::{Context, NodeFacts, SeenIn};
use crate::finding::{Finding, Safety};
use crate::names::Kind;
use crate::pipeline::OutputRef;
use crate::span::Span;
use crate::sql::{self, Mistake, Parsed, Table, text::Text};
use crate::syntax::ast::{Argument, Expr, ExprKind, Ident, Setting, StringPart, Task};
use crate::types::Type;
use crate::typing::access;
use crate::typing::fit::type_of;
use crate::typing::{Scope, Typing};
use crate::work::QueryNode;
use crate::written::listed;
use indexmap::IndexMap;
use std::collections::HashMap;

/// Whether a call stands for a query.
pub(super) fn is_query(callee: &Expr) -> bool {
    matches!(&callee.kind, ExprKind::Name(name) if name == "sql")
}

/// The text of a query as written: its parts, and where it stands.
fn written(arguments: &[Argument]) -> Option<(&[StringPart], Span)> {
    let (first, rest) = arguments.split_first()?;
    let ExprKind::String(parts) = &first.value.kind else { return None };
    let span = first.value.span;
    let is_meaning = |argument: &Argument| argument.value.span == span && argument.name.is_some();
    (first.name.is_none() && rest.iter().all(is_meaning)).then_some((parts.as_slice(), span))
}

/// For each table that a query names, an argument with that name: what it means. Where a query is moved to another place,
/// these are rewritten as any input is; its text stays.
pub(crate) fn meanings(arguments: &[Argument]) -> Vec<Argument> {
    let Some((parts, span)) = written(arguments) else { return Vec::new() };
    let meaning = |path: Vec<String>| {
        let name = Some(Ident { name: path.join("."), span });
        Some(Argument { name, value: expression(&path, span)? })
    };
    sql::tables_of(parts).into_iter().filter_map(meaning).collect()
}

/// `split.train`, as an expression.
fn expression(path: &[String], span: Span) -> Option<Expr> {
    let (root, members) = path.split_first()?;
    let root = Expr { kind: ExprKind::Name(root.clone()), span };
    Some(members.iter().fold(root, |inner, member| {
        let member = Ident { name: member.clone(), span };
        Expr { kind: ExprKind::Member(Box::new(inner), member), span }
    }))
}

/// What a table's name in a query means.
fn meaning(arguments: &[Argument], path: &[String], span: Span) -> Option<Expr> {
    let name = path.join(".");
    let given = arguments.iter().find(|argument| argument.name.as_ref().is_some_and(|it| it.name == name));
    given.map_or_else(|| expression(path, span), |argument| Some(argument.value.clone()))
}

/// The names of the nodes whose tables a query reads, with their places.
pub(super) fn reads(cx: &Context<'_>, arguments: &[Argument]) -> Vec<(String, Span)> {
    let Some((parts, span)) = written(arguments) else { return Vec::new() };
    // What a hole holds is a value, never a table.
    let text = Text::new(cx.slice(span), span, parts, &mut |_| "NULL".to_owned());
    let Ok(parsed) = sql::parse(&text.text) else { return Vec::new() };
    let tables = parsed.tables().into_iter();
    let read = tables.filter_map(|(path, range)| {
        let meaning = meaning(arguments, &path, span)?;
        Some((access::path(&meaning)?.root.to_owned(), text.place(range)))
    });
    read.collect()
}

pub(super) fn lower(
    cx: &mut Context<'_>,
    callee: Span,
    arguments: &[Argument],
    task: &Task,
    block: &[Setting],
) -> (NodeFacts, Option<QueryNode>) {
    let found = conduct::settings(cx, Sort::Query, block, task);
    let around = conduct::lower(cx, &found);
    let Some((parts, span)) = written(arguments) else {
        if !arguments.iter().any(|argument| matches!(argument.value.kind, ExprKind::Error)) {
            let message = "`sql` takes the text of one query";
            let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(callee), message);
            cx.report(finding.help("write `sql \"\"\"select ... from ...\"\"\"`"));
        }
        return (NodeFacts::default(), None);
    };
    let mut whole = true;
    let text = cx.seen_in(SeenIn::Query, |cx| {
        let written = cx.slice(span).to_owned();
        Text::new(&written, span, parts, &mut |hole| match filled(cx, hole) {
            Some(text) => text,
            None => {
                whole = false;
                "NULL".to_owned()
            }
        })
    });
    let parsed = match sql::parse(&text.text) {
        Ok(parsed) => parsed,
        Err(mistake) => {
            // A hole that holds something else than a value may be what cannot be read; it was reported.
            if whole {
                tell(cx, &text, *mistake);
            }
            return (NodeFacts::default(), None);
        }
    };
    let (refs, tables) = tables(cx, arguments, &text, &parsed);
    let answer = sql::check(&parsed, &tables);
    let sound = whole && !answer.mistakes.iter().any(|mistake| !mistake.is_lint);
    for mistake in answer.mistakes {
        tell(cx, &text, mistake);
    }
    // Of a query with a mistake nothing is certain, not even which columns it has.
    let schema = answer.table.schema().filter(|_| sound);
    let rows = schema.clone().map_or(Type::Unknown, Type::Dataset);
    let outputs: IndexMap<String, Type> = [("rows".to_owned(), rows)].into_iter().collect();
    let mut facts = NodeFacts { outputs: Some(outputs.clone()), ..NodeFacts::default() };
    facts.derived.insert("rows".to_owned(), answer.table.derived);
    let node = match (refs, around) {
        (Some(refs), Some((limits, conduct))) if sound => {
            // Columns that only the engine can know are for the engine to find.
            let unknown = || ("rows".to_owned(), Type::Dataset(crate::types::Schema::default()));
            let outputs = if schema.is_some() { outputs } else { [unknown()].into_iter().collect() };
            Some(QueryNode { text: text.text, tables: refs, outputs, limits, conduct })
        }
        _ => None,
    };
    (facts, node)
}

/// What stands in a hole, as it is written in a query.
fn filled(cx: &mut Context<'_>, hole: &Expr) -> Option<String> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(hole)?;
    let literal = sql::text::literal(&value);
    if literal.is_none() {
        let found = article(&type_of(&value).to_string());
        let message = format!("a query has no value such as {found}");
        let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(hole.span), message);
        cx.report(finding.help("use a number, a text, a date or a list of them"));
    }
    literal
}

type Tables = HashMap<String, Table>;

/// The tables that a query reads: where they come from, and their columns. `None`: one was not found.
fn tables(
    cx: &mut Context<'_>,
    arguments: &[Argument],
    text: &Text,
    parsed: &Parsed,
) -> (Option<IndexMap<String, OutputRef>>, Tables) {
    let mut refs = Some(IndexMap::new());
    let mut tables = Tables::new();
    for (path, range) in parsed.tables() {
        let name = path.join(".");
        let span = text.place(range);
        let Some(meaning) = meaning(arguments, &path, span) else { continue };
        let (table, from) = match table(cx, &path, &meaning, span) {
            Some((table, from)) => (table, Some(from)),
            None => (Table::default(), None),
        };
        match (&mut refs, from) {
            (Some(refs), Some(from)) => {
                refs.insert(name.clone(), from);
            }
            _ => refs = None,
        }
        tables.insert(name, table);
    }
    (refs, tables)
}

/// One table by its name: `customers`, `split.train`.
fn table(cx: &mut Context<'_>, path: &[String], meaning: &Expr, span: Span) -> Option<(Table, OutputRef)> {
    // What could not be moved was reported where it was.
    let meant = access::path(meaning)?;
    let (name, members) = (meant.root, meant.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>());
    let tables = |cx: &Context<'_>| -> Vec<String> {
        let mut all = Vec::new();
        for name in cx.names.of_kind(|kind| matches!(kind, Kind::Data | Kind::Step)) {
            let facts = cx.names.get(name).and_then(|declared| cx.nodes.get(&declared.index));
            let outputs = facts.and_then(|facts| facts.outputs.as_ref());
            let tables = outputs.into_iter().flatten().filter(|(_, ty)| matches!(ty, Type::Dataset(_)));
            let tables: Vec<&String> = tables.map(|(output, _)| output).collect();
            match tables.as_slice() {
                [_] if outputs.is_some_and(|outputs| outputs.len() == 1) => all.push(name.to_owned()),
                tables => all.extend(tables.iter().map(|output| format!("{name}.{output}"))),
            }
        }
        all
    };
    let declared = match cx.names.get(name) {
        Some(declared) if matches!(declared.kind, Kind::Data | Kind::Step) => declared,
        None if cx.names.is_broken(name) => return None,
        declared => {
            let all = tables(cx);
            let whole = path.join(".");
            let message = match declared {
                Some(declared) => format!("`{name}` is {}, and a query reads tables", declared.kind.with_article()),
                None => format!("there is no table `{whole}`"),
            };
            let mut mistake = Finding::error(codes::UNKNOWN_TABLE, cx.place(span), message);
            if let Some(declared) = declared {
                mistake = mistake.also(cx.place(declared.span), "declared here");
            }
            let near = cx.names.nearest(&whole, all.iter().map(String::as_str)).map(str::to_owned);
            cx.report(crate::names::suggest(mistake, span, near.as_deref(), || {
                format!("a query reads data and the tables of steps: {}", listed(&all))
            }));
            return None;
        }
    };
    let node = cx.ids.get(&declared.index).copied()?;
    let facts = cx.nodes.get(&declared.index)?;
    let outputs = facts.outputs.as_ref()?;
    let (output, ty) = match members.as_slice() {
        [] if outputs.len() == 1 => outputs.first()?,
        [member] if outputs.contains_key(*member) => outputs.get_key_value(*member)?,
        _ => {
            let of = outputs.iter().filter(|(_, ty)| matches!(ty, Type::Dataset(_)));
            let of: Vec<String> = of.map(|(output, _)| format!("{name}.{output}")).collect();
            let whole = path.join(".");
            let message = match members.as_slice() {
                [] => format!("`{name}` gives several things: say which table"),
                _ => format!("there is no table `{whole}`"),
            };
            let finding = Finding::error(codes::UNKNOWN_TABLE, cx.place(span), message);
            let near = cx.names.nearest(&whole, of.iter().map(String::as_str)).map(str::to_owned);
            cx.report(match (&near, of.is_empty()) {
                (_, true) => finding.help(format!("`{name}` gives no table")),
                (None, false) => finding.help(format!("it gives {}", listed(&of))),
                (Some(near), _) => crate::names::suggest(finding, span, Some(near), String::new),
            });
            return None;
        }
    };
    let columns = match ty {
        Type::Dataset(schema) => schema.columns.clone(),
        Type::Unknown => return None,
        other => {
            let found = crate::typing::with_article(other);
            let message = format!("`{}` is {found}, and a query reads tables", path.join("."));
            cx.report(Finding::error(codes::UNKNOWN_TABLE, cx.place(span), message));
            return None;
        }
    };
    let derived = facts.derived.get(output).cloned().unwrap_or_default();
    Some((Table { columns: Some(columns), derived }, OutputRef { node, output: output.clone() }))
}

/// A mistake in the text as a finding at its place in the file.
fn tell(cx: &mut Context<'_>, text: &Text, mistake: Mistake) {
    let span = text.place(mistake.range);
    let place = cx.place(span);
    let finding = match mistake.is_lint {
        true => Finding::warning(mistake.code, place, mistake.message),
        false => Finding::error(mistake.code, place, mistake.message),
    };
    let mut finding = finding.label(mistake.label);
    if let Some(help) = mistake.help {
        finding = finding.help(help);
    }
    if let Some((name, candidates)) = mistake.candidates {
        let near = cx.names.nearest(&name, candidates.iter().map(String::as_str)).map(str::to_owned);
        // In quotes it is looked for in quotes; then the quotes stay.
        finding = crate::names::suggest(finding, span, near.as_deref(), || match candidates.is_empty() {
            true => "there is nothing of the kind here".to_owned(),
            false => format!("known are {}", listed(&candidates)),
        });
    }
    if let Some(addition) = mistake.addition {
        let end = Span { start: span.end, end: span.end };
        finding = finding.fix(format!("add `{}`", addition.trim()), end, addition, Safety::Unsafe);
    }
    cx.report(finding);
}
