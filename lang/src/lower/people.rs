//! What a gate asks of others: `approve by 2 of ["ml-lead", "risk"] within 3d`, `require policy("release.rego")`.

use super::live::{constant, count, duration};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::pipeline::{Approval, Policy};
use crate::span::Span;
use crate::syntax::ast::{self, Argument, Clause, ExprKind};
use crate::types::Type;
use crate::typing::{Scope, Typing, plain};
use crate::value::Value;
use crate::written::quoted;
use std::collections::HashMap;

/// The arguments, if the whole condition is `policy(...)`.
pub(super) fn policy_of(condition: &ast::Expr) -> Option<&[Argument]> {
    match &condition.kind {
        ExprKind::Call(callee, arguments) if matches!(&callee.kind, ExprKind::Name(name) if name == "policy") => {
            Some(arguments)
        }
        _ => None,
    }
}

pub(super) fn policy(cx: &mut Context<'_>, clause: &Clause, arguments: &[Argument]) -> Option<Policy> {
    let mut sound = true;
    if let Some(support) = &clause.min_support {
        let message = "`min_support` is about groups, and a policy has none";
        let finding = Finding::error(codes::MISPLACED_SUPPORT, cx.place(support.span), message);
        cx.report(finding.help("remove it"));
        sound = false;
    }
    if let Some(word) = &clause.unless {
        let message = "`unless first` is about numbers that a first run cannot measure, and a policy measures nothing";
        let finding = Finding::error(codes::MISPLACED_FIRST, cx.place(word.span), message);
        cx.report(finding.help("remove it"));
        sound = false;
    }
    let [Argument { name: None, value }] = arguments else {
        let message = "`policy` takes the path of one file";
        let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(clause.condition.span), message);
        cx.report(finding.help("write `policy(\"policies/release.rego\")`"));
        return None;
    };
    let (_, constant) = Typing::new(cx, Scope::Constant).constant(value)?;
    let path = plain(&cx.fit(value, &constant, &Type::String, "the path of a policy")?);
    if !path.strip_suffix(".rego").is_some_and(|stem| !stem.is_empty() && !stem.ends_with('/')) {
        let message = format!("a policy is a file in Rego, and {} does not end in `.rego`", quoted(&path));
        let finding = Finding::error(codes::NOT_A_POLICY, cx.place(value.span), message);
        cx.report(finding.help("name the file: `policy(\"policies/release.rego\")`"));
        return None;
    }
    let path = cx.rebased(value, path);
    sound.then(|| Policy { path, because: clause.because.clone(), span: clause.span })
}

pub(super) fn approval(cx: &mut Context<'_>, written: &ast::Approval) -> Option<Approval> {
    let people = people(cx, &written.people);
    let within = match &written.within {
        Some(within) => Some(duration(cx, within, "`within`")?),
        None => None,
    };
    let wanted = match &written.count {
        None => None,
        Some(wanted) => Some((wanted.span, count(cx, wanted, "the number of approvals", 0, u32::MAX)?)),
    };
    let people = people?;
    let count = enough(cx, written, wanted, people.len())?;
    Some(Approval { count, people, within, span: written.span })
}

/// How many must say yes. `approve by "ml-lead"` is one of one; of a longer list the number must be said.
fn enough(cx: &mut Context<'_>, written: &ast::Approval, wanted: Option<(Span, u32)>, people: usize) -> Option<u32> {
    let all = u32::try_from(people).unwrap_or(u32::MAX);
    let (span, message, help) = match wanted {
        None if all == 1 => return Some(1),
        None => {
            let message = "this does not say how many of them must approve".to_owned();
            (written.people.span, message, format!("write `approve by 1 of ...`, or `approve by {all} of ...` for all"))
        }
        Some((_, count)) if (1..=all).contains(&count) => return Some(count),
        Some((span, 0)) => (
            span,
            "an approval by nobody is none".to_owned(),
            "write `approve by 1 of ...`, or remove the line".to_owned(),
        ),
        Some((span, count)) => {
            let (who, help) = match all {
                1 => ("one is named".to_owned(), "name more people, or write `approve by 1 of ...`".to_owned()),
                all => (format!("{all} are named"), format!("name more people, or write `approve by {all} of ...`")),
            };
            (span, format!("{count} people must approve, and only {who}"), help)
        }
    };
    let finding = Finding::error(codes::BAD_APPROVAL, cx.place(span), message).label("cannot be given");
    cx.report(finding.help(help));
    None
}

/// `"ml-lead"`, `["ml-lead", "risk"]`: names, none empty, none twice.
fn people(cx: &mut Context<'_>, written: &ast::Expr) -> Option<Vec<String>> {
    let (ty, _) = Typing::new(cx, Scope::Constant).constant(written)?;
    if ty == Type::String {
        let named = |value: &Value| !plain(value).trim().is_empty();
        let who = constant(cx, written, &Type::String, "who approves", "a name", named)?;
        return Some(vec![plain(&who)]);
    }
    let list = Type::List(Box::new(Type::String));
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    let Value::List(items) = cx.fit(written, &value, &list, "who approves")? else { return None };
    if items.is_empty() {
        let finding = Finding::error(codes::BAD_APPROVAL, cx.place(written.span), "nobody is named who could approve");
        cx.report(finding.label("an empty list").help("name them: `approve by 1 of [\"ml-lead\"]`"));
        return None;
    }
    let parts: Vec<&ast::Expr> = match &written.kind {
        ExprKind::List(parts) if parts.len() == items.len() => parts.iter().collect(),
        _ => vec![written; items.len()],
    };
    let mut seen: HashMap<String, Span> = HashMap::new();
    let mut people = Vec::with_capacity(items.len());
    for (part, item) in parts.into_iter().zip(&items) {
        let who = plain(item);
        if who.trim().is_empty() {
            let finding =
                Finding::error(codes::OUT_OF_RANGE, cx.place(part.span), "who approves must be a name, not \"\"");
            cx.report(finding.label("not allowed"));
            return None;
        }
        if let Some(first) = seen.insert(who.clone(), part.span) {
            let message = format!("{} is named twice, and has one voice", quoted(&who));
            let finding = Finding::error(codes::REPEATED_PERSON, cx.place(part.span), message);
            cx.report(finding.also(cx.place(first), "first here").help("remove one"));
            return None;
        }
        people.push(who);
    }
    Some(people)
}
