//! What happens after a run: deployments, monitors, triggers, and references to what is registered.
//!
//! Owns: what each of them must hold. Must never know: how a rollout goes or how drift is computed; the engine does.

mod ab;
pub(super) mod alone;
mod check;
pub(super) mod deploy;
pub(super) mod monitor;
pub(super) mod registry;
mod serve;
mod strategy;
mod tables;
pub(super) mod trigger;
mod watch;

use super::block;
use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::live::OnNoData;
use crate::names::suggest;
use crate::span::Span;
use crate::syntax::ast::{self, Argument, ExprKind, Setting};
use crate::types::Type;
use crate::typing::{Scope, Typing};
use crate::value::Value;
use crate::written::listed;
use std::collections::HashMap;

/// A constant of this type that is allowed. `what` names it for messages, `range` says what is allowed.
pub(in crate::lower) fn constant(
    cx: &mut Context<'_>,
    written: &ast::Expr,
    ty: &Type,
    what: &str,
    range: &str,
    allowed: impl Fn(&Value) -> bool,
) -> Option<Value> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    let value = cx.fit(written, &value, ty, what)?;
    if allowed(&value) {
        return Some(value);
    }
    let message = format!("{what} must be {range}, not {value}");
    cx.report(Finding::error(codes::OUT_OF_RANGE, cx.place(written.span), message).label("not allowed"));
    None
}

/// A length of time above 0.
pub(in crate::lower) fn duration(cx: &mut Context<'_>, written: &ast::Expr, what: &str) -> Option<i64> {
    match constant(cx, written, &Type::Duration, what, "longer than 0s", |v| matches!(v, Value::Duration(1..)))? {
        Value::Duration(length) => Some(length),
        _ => None,
    }
}

/// A whole number between two others.
pub(in crate::lower) fn count(
    cx: &mut Context<'_>,
    written: &ast::Expr,
    what: &str,
    least: u32,
    most: u32,
) -> Option<u32> {
    let range = if most == u32::MAX { format!("{least} or more") } else { format!("between {least} and {most}") };
    let allowed = |value: &Value| matches!(value, Value::Int(number) if (least.into()..=most.into()).contains(number));
    match constant(cx, written, &Type::Int, what, &range, allowed)? {
        Value::Int(number) => u32::try_from(number).ok(),
        _ => None,
    }
}

/// A bare word that is one of these.
pub(in crate::lower) fn word<T: Copy>(
    cx: &mut Context<'_>,
    written: &ast::Expr,
    what: &str,
    words: &[(&str, T)],
) -> Option<T> {
    let found = match &written.kind {
        ExprKind::Error => return None,
        ExprKind::Name(name) => name.as_str(),
        _ => "",
    };
    if let Some((_, meant)) = words.iter().find(|(word, _)| *word == found) {
        return Some(*meant);
    }
    let known = || words.iter().map(|(word, _)| *word);
    let near = cx.names.nearest(found, known());
    let text = cx.text(written.span);
    let finding = Finding::error(
        codes::NOT_ONE_OF,
        cx.place(written.span),
        format!("{what} is one of {}, not `{text}`", listed(known())),
    );
    cx.report(suggest(finding, written.span, near, || "write one of them, without quotes".to_owned()));
    None
}

/// The arguments of a call by their names, and those without one. `None`: some are wrong, which was reported.
pub(in crate::lower) fn arguments<'e>(
    cx: &mut Context<'_>,
    what: &str,
    arguments: &'e [Argument],
    known: &[&str],
) -> Option<(HashMap<&'e str, &'e ast::Expr>, Vec<&'e ast::Expr>)> {
    let mut named: HashMap<&str, &ast::Expr> = HashMap::new();
    let mut bare = Vec::new();
    let mut sound = true;
    for argument in arguments {
        let Some(name) = &argument.name else {
            bare.push(&argument.value);
            continue;
        };
        if !known.contains(&name.name.as_str()) {
            let near = cx.names.nearest(&name.name, known.iter().copied());
            let message = format!("{what} takes no `{}`", name.name);
            let finding = Finding::error(codes::UNKNOWN_ARGUMENT, cx.place(name.span), message);
            cx.report(suggest(finding, name.span, near, || format!("it takes {}", listed(known))));
            sound = false;
        } else if named.insert(&name.name, &argument.value).is_some() {
            let message = format!("`{}` is given twice", name.name);
            cx.report(Finding::error(codes::DUPLICATE_SETTING, cx.place(name.span), message).help("remove one"));
            sound = false;
        }
    }
    sound.then_some((named, bare))
}

/// `on_no_data = wait`, which must be said. `owner`: "a check". `block`: where it would be added.
fn on_no_data(
    cx: &mut Context<'_>,
    found: &HashMap<&str, &Setting>,
    owner: &str,
    place: Span,
    block: Span,
    damaged: bool,
) -> Option<OnNoData> {
    let Some(setting) = found.get("on_no_data") else {
        if !damaged {
            let (wait, fix) = ("on_no_data = wait", added_line(cx, block, "on_no_data = wait"));
            cx.report(
                Finding::error(
                    codes::MISSING_NO_DATA,
                    cx.place(place),
                    format!("{owner} says what it means when there is nothing to measure, and this one does not"),
                )
                .label("no `on_no_data`")
                .help(format!("write `{wait}`; `pass` takes no data for good, `fail` for bad"))
                .fix(
                    format!("add `{wait}`"),
                    Span { start: block.end, end: block.end },
                    fix,
                    Safety::Unsafe,
                ),
            );
        }
        return None;
    };
    if block::is_broken(setting) {
        return None;
    }
    let words = [OnNoData::Wait, OnNoData::Pass, OnNoData::Fail].map(|it| (it.word(), it));
    word(cx, &setting.value, "`on_no_data`", &words)
}

/// A line as it is added at the end of a block, laid out as the block is.
fn added_line(cx: &Context<'_>, block: Span, line: &str) -> String {
    let text = cx.source.text.get(block.range()).unwrap_or_default();
    let Some(newline) = text.rfind('\n') else {
        return if text == "{" { format!(" {line} ") } else { format!(", {line}") };
    };
    let last = &text[newline + 1..];
    let indentation = &last[..last.len() - last.trim_start().len()];
    format!("\n{indentation}{line}")
}
