//! `on schedule "0 3 * * 1" in "Europe/Paris" { run(until: now) }`, `on change customers`

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::{Given, TriggerNode, TriggerWhen};
use crate::lower::{block, referred, secret};
use crate::names::{Kind, suggest};
use crate::schedule::{self, Unfit};
use crate::span::Span;
use crate::syntax::ast::{self, ActionLine, Argument, DeclarationKind, Event, ExprKind, Ident, Setting};
use crate::types::Type;
use crate::typing::operators::present;
use crate::typing::{Scope, Typing, with_article};
use crate::work::SecretSource;
use crate::written::listed;
use std::collections::HashSet;

/// The name of the node, its place, and the node.
pub(crate) fn lower(
    cx: &mut Context<'_>,
    event: &Event,
    actions: &[ActionLine],
    settings: &[Setting],
    keyword: Span,
) -> Option<(String, Span, TriggerNode)> {
    let params = run(cx, actions);
    let known: &[&str] = if matches!(event, Event::Webhook(_)) { &["secret"] } else { &[] };
    let owner = match event {
        Event::Schedule { .. } => "`on schedule`",
        Event::Change(_) => "`on change`",
        Event::Webhook(_) => "`on webhook`",
        Event::Commit(_) => "`on commit`",
        Event::End(_) => "`on end of`",
    };
    let found = block::settings(cx, owner, settings, known, &[]);
    let (name, span, when) = match event {
        Event::Schedule { cron, zone } => {
            let fits = fires(cx, cron);
            let zone = zone.as_ref().map(|zone| known_zone(cx, zone));
            fits?;
            let fields = cron.name.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            let (name, zone) = match zone {
                None => (format!("schedule {fields}"), "UTC".to_owned()),
                Some(zone) => {
                    let zone = zone?;
                    (format!("schedule {fields} in {zone}"), zone)
                }
            };
            (name, cron.span, TriggerWhen::Schedule { cron: fields, zone })
        }
        Event::Change(data) => {
            let index = referred(cx, data, Kind::Data, "`on change` watches the file of data")?;
            (format!("change {}", data.name), data.span, TriggerWhen::Change { data: *cx.ids.get(&index)? })
        }
        Event::Webhook(name) => {
            let secret = webhook_secret(cx, name, found.get("secret").copied(), keyword);
            let part = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
            let fits = !name.name.is_empty() && part(&name.name) && !name.name.starts_with('.');
            addressed(cx, name, fits, "the last part of an address", "letters, digits, `-`, `_` and `.`: \"retrain\"")?;
            (
                format!("webhook {}", name.name),
                name.span,
                TriggerWhen::Webhook { name: name.name.clone(), secret: secret? },
            )
        }
        Event::Commit(branch) => {
            let fits = is_branch(&branch.name);
            addressed(
                cx,
                branch,
                fits,
                "a branch",
                "the name of a branch, as git takes it: \"main\", \"release/1.2\"",
            )?;
            (format!("commit {}", branch.name), branch.span, TriggerWhen::Commit { branch: branch.name.clone() })
        }
        Event::End(other) => {
            let fits = crate::written::is_identifier(&other.name);
            addressed(cx, other, fits, "a pipeline", "the name that stands behind `pipeline` in the other file")?;
            if other.name == cx.pipeline {
                let message = "this pipeline would start itself whenever it ends";
                let finding = Finding::error(codes::RUNS_ITSELF, cx.place(other.span), message).label("this pipeline");
                cx.report(finding.help("name another pipeline; to run again and again, write `on schedule`"));
                return None;
            }
            (format!("end {}", other.name), other.span, TriggerWhen::End { pipeline: other.name.clone() })
        }
    };
    is_the_first(cx, event, span)?;
    Some((name, span, TriggerNode { when, params: params? }))
}

/// Reports a text that cannot be what it is used as.
fn addressed(cx: &mut Context<'_>, text: &Ident, fits: bool, what: &str, wanted: &str) -> Option<()> {
    if fits {
        return Some(());
    }
    let message = format!("{} cannot be {what}", crate::written::quoted(&text.name));
    let finding = Finding::error(codes::NOT_AN_ADDRESS, cx.place(text.span), message);
    cx.report(finding.help(format!("write {wanted}")));
    None
}

/// Whether git takes it as the name of a branch (`git check-ref-format --branch`).
fn is_branch(name: &str) -> bool {
    let plain = |c: char| !c.is_ascii_control() && !" ~^:?*[\\".contains(c);
    let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
    name.chars().all(plain)
        && name.split('/').all(part)
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && name != "@"
}

/// `secret = token`. Without one anybody may start runs.
fn webhook_secret(
    cx: &mut Context<'_>,
    name: &Ident,
    setting: Option<&Setting>,
    keyword: Span,
) -> Option<Option<SecretSource>> {
    let Some(setting) = setting else {
        let message = format!("whoever can reach the webhook `{}` can start runs", name.name);
        let finding =
            Finding::warning(codes::OPEN_WEBHOOK, cx.place(keyword.to(name.span)), message).label("no `secret`");
        cx.report(finding.help("declare `secret hook_token = env(\"HOOK_TOKEN\")`, and write `secret = hook_token`"));
        return Some(None);
    };
    secret::given(cx, &setting.value, "`secret`").map(Some)
}

/// A trigger that stands in the file twice would start every run twice.
fn is_the_first(cx: &mut Context<'_>, event: &Event, span: Span) -> Option<()> {
    let key = |event: &Event| match event {
        Event::Schedule { cron, zone } => {
            let fields = cron.name.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            (fields, zone.as_ref().map_or("utc".to_owned(), |zone| zone.name.to_ascii_lowercase()))
        }
        Event::Change(name) | Event::Webhook(name) | Event::Commit(name) | Event::End(name) => {
            (name.name.clone(), format!("{:?}", std::mem::discriminant(event)))
        }
    };
    let events = cx.file.declarations.iter().filter_map(|declaration| match &declaration.kind {
        DeclarationKind::Trigger { event, .. } => Some(event),
        _ => None,
    });
    let place = |event: &Event| match event {
        Event::Schedule { cron, .. } => cron.span,
        Event::Change(name) | Event::Webhook(name) | Event::Commit(name) | Event::End(name) => name.span,
    };
    let first = events.into_iter().find(|other| key(other) == key(event)).map_or(span, place);
    if first == span {
        return Some(());
    }
    let finding = Finding::error(codes::DUPLICATE_DECLARATION, cx.place(span), "this starts every run twice")
        .label("the same trigger again")
        .also(cx.place(first), "first declared here");
    cx.report(finding.help("remove one"));
    None
}

fn fires(cx: &mut Context<'_>, cron: &Ident) -> Option<()> {
    const FIELDS: [&str; 5] =
        ["minute (0 to 59)", "hour (0 to 23)", "day of month (1 to 31)", "month (1 to 12)", "day of week (0 to 7)"];
    let Err(unfit) = schedule::examine(&cron.name) else { return Some(()) };
    let text = crate::written::quoted(&cron.name);
    let finding = match unfit {
        Unfit::Fields(number) => Finding::error(
            codes::BAD_SCHEDULE,
            cx.place(cron.span),
            format!("a schedule has five fields, and {text} has {number}"),
        )
        .help("write minute, hour, day of month, month and day of week: `0 3 * * 1` is every Monday at 3:00"),
        Unfit::Unreadable(at) => {
            let field = cron.name.split_ascii_whitespace().nth(at).unwrap_or_default();
            Finding::error(codes::BAD_SCHEDULE, cx.place(cron.span), format!("`{field}` is no {}", FIELDS[at.min(4)]))
                .help("a field is `*`, a number, a range `1-5`, a list `1,15` or a step `*/10`")
        }
        Unfit::NeverFires => {
            Finding::error(codes::NEVER_FIRES, cx.place(cron.span), format!("no day fits {text}: it never fires"))
                .help("the day of month does not exist in these months")
        }
    };
    cx.report(finding);
    None
}

fn known_zone(cx: &mut Context<'_>, zone: &Ident) -> Option<String> {
    if let Some(found) = schedule::find_zone(&zone.name) {
        return Some(found.iana_name().unwrap_or("UTC").to_owned());
    }
    let zones = schedule::zones();
    let city = |name: &&String| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&zone.name));
    let by_city = zones.iter().find(city).map(String::as_str);
    let near = by_city.or_else(|| cx.names.nearest(&zone.name, zones.iter().map(String::as_str)));
    let near = near.map(crate::written::quoted);
    let message = format!("there is no time zone {}", crate::written::quoted(&zone.name));
    let finding = Finding::error(codes::UNKNOWN_ZONE, cx.place(zone.span), message);
    cx.report(suggest(finding, zone.span, near.as_deref(), || {
        "name one of the IANA database: \"Europe/Paris\", \"UTC\"".to_owned()
    }));
    None
}

/// `{ run(until: now) }`: parameters of the run.
fn run(cx: &mut Context<'_>, actions: &[ActionLine]) -> Option<Vec<(String, Given)>> {
    let mut found = None;
    let mut sound = true;
    for action in actions {
        let arguments = match &action.what.kind {
            ExprKind::Error => {
                sound = false;
                continue;
            }
            ExprKind::Name(name) if name == "run" && !action.alert => Some(&[][..]),
            ExprKind::Call(callee, arguments) if matches!(&callee.kind, ExprKind::Name(name) if name == "run") => {
                Some(arguments.as_slice()).filter(|_| !action.alert)
            }
            _ => None,
        };
        let Some(arguments) = arguments else {
            let finding = Finding::error(
                codes::UNKNOWN_FUNCTION,
                cx.place(action.span),
                "a trigger runs this pipeline, and does nothing else",
            );
            cx.report(finding.label("expected `run(...)`").help("write `run(until: now)`, or no block at all"));
            sound = false;
            continue;
        };
        if found.is_some() {
            let finding = Finding::error(codes::DUPLICATE_SETTING, cx.place(action.span), "`run` stands here twice");
            cx.report(finding.help("a trigger starts one run: remove one"));
            sound = false;
            continue;
        }
        let params = given(cx, "run", arguments);
        sound &= params.is_some();
        found = Some(params.unwrap_or_default());
    }
    sound.then(|| found.unwrap_or_default())
}

/// `(until: now, seed: 7)`: what a run is given for its parameters.
pub(super) fn given(cx: &mut Context<'_>, action: &str, arguments: &[Argument]) -> Option<Vec<(String, Given)>> {
    let mut params = Vec::new();
    let mut seen = HashSet::new();
    let mut sound = true;
    for argument in arguments {
        let Some(name) = &argument.name else {
            let message = format!("`{action}` takes parameters of this file, by name");
            let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(argument.value.span), message);
            cx.report(finding.help(format!("write `{action}(name: value)`")));
            sound = false;
            continue;
        };
        if !seen.insert(&name.name) {
            let message = format!("`{}` is given twice", name.name);
            cx.report(Finding::error(codes::DUPLICATE_SETTING, cx.place(name.span), message).help("remove one"));
            sound = false;
            continue;
        }
        match value(cx, name, &argument.value) {
            Some(value) => params.push((name.name.clone(), value)),
            None => sound = false,
        }
    }
    sound.then_some(params)
}

fn value(cx: &mut Context<'_>, name: &Ident, written: &ast::Expr) -> Option<Given> {
    let Some(declared) = cx.names.get(&name.name).filter(|declared| declared.kind == Kind::Param) else {
        if !cx.names.is_broken(&name.name) {
            let all = || cx.names.of_kind(|kind| kind == Kind::Param);
            let near = cx.names.nearest(&name.name, all());
            let message = format!("this file has no parameter `{}`", name.name);
            let finding = Finding::error(codes::UNKNOWN_ARGUMENT, cx.place(name.span), message);
            let finding = suggest(finding, name.span, near, || format!("parameters of this file: {}", listed(all())));
            cx.report(finding);
        }
        return None;
    };
    let ty = cx.params.get(&*name.name).map(|param| param.ty.clone())?;
    if ty == Type::Unknown {
        return None;
    }
    if matches!(&written.kind, ExprKind::Name(now) if now == "now") {
        if matches!(present(&ty), Type::Time | Type::Date) {
            return Some(Given::Now);
        }
        let message = format!("`now` is a time or a date, and the parameter `{}` is {}", name.name, with_article(&ty));
        let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(written.span), message);
        cx.report(finding.also(cx.place(declared.span), "declared here").help("give it a constant"));
        return None;
    }
    let (_, constant) = Typing::new(cx, Scope::Constant).constant(written)?;
    cx.fit(written, &constant, &ty, &format!("the parameter `{}`", name.name)).map(Given::Value)
}
