//! `monitor health of production { every 1h over 24h  watch ...  on breach { ... } }`

use super::watch::{self, Watching};
use super::{count, duration, on_no_data, trigger};
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::{Finding, Safety};
use crate::live::{Action, Address, Channel, MonitorNode, OnBreach};
use crate::lower::{block, referred, secret};
use crate::names::{Kind, suggest};
use crate::pipeline::OutputRef;
use crate::span::Span;
use crate::syntax::ast::{self, ActionLine, Breach, ExprKind, Ident, Rhythm, Setting, WatchLine};
use crate::types::{Schema, Type};
use crate::typing::access::{self, Accessed};
use crate::typing::with_article;
use crate::value::Value;

const SETTINGS: &[&str] = &["reference", "on_no_data", "cooldown"];

/// Ways to tell people that this version does not have.
const LATER_CHANNELS: &[&str] = &["email", "pagerduty", "teams", "opsgenie", "sms"];

/// A monitor as written.
pub(crate) struct Written<'e> {
    pub(crate) name: &'e Ident,
    pub(crate) deployment: &'e Ident,
    pub(crate) rhythm: Option<&'e Rhythm>,
    pub(crate) settings: &'e [Setting],
    pub(crate) watches: &'e [WatchLine],
    pub(crate) breaches: &'e [Breach],
    pub(crate) block: Span,
    pub(crate) damaged: bool,
}

pub(crate) fn lower(cx: &mut Context<'_>, written: &Written<'_>) -> Option<MonitorNode> {
    let deployment = referred(cx, written.deployment, Kind::Deploy, "a monitor is `of` a deployment");
    let facts = deployment.and_then(|index| cx.nodes.get(&index)).cloned().unwrap_or_default();
    let rhythm = rhythm(cx, written);
    let found = block::settings(cx, "a monitor", written.settings, SETTINGS, &["sample", "segments", "by"]);
    let on_no_data = on_no_data(cx, &found, "a monitor", written.name.span, written.block, written.damaged);
    let cooldown = match found.get("cooldown") {
        Some(setting) if block::is_broken(setting) => None,
        Some(setting) => duration(cx, &setting.value, "`cooldown`"),
        None => rhythm.map(|(_, over)| over),
    };
    let reference = reference(cx, written, found.get("reference").copied());
    let logs = logs(cx, written, &facts);
    let watching = Watching {
        name: &written.deployment.name,
        trained: facts.trained.as_ref(),
        flavor: facts.flavor.as_deref(),
        reference: match &reference {
            Some(Some((_, schema))) => Some(schema),
            _ => None,
        },
        every: rhythm.map(|(every, _)| every),
        online: facts.online,
    };
    if written.watches.is_empty() && !written.damaged {
        let message = format!("the monitor `{}` watches nothing", written.name.name);
        let finding = Finding::error(codes::NOTHING_CHECKED, cx.place(written.name.span), message);
        cx.report(finding.help("add a line such as `watch error_rate <= 1%`"));
        return None;
    }
    let watches: Vec<_> = written.watches.iter().map(|line| watch::lower(cx, &watching, line)).collect();
    let breaches: Vec<_> = written.breaches.iter().map(|breach| breached(cx, breach, written.damaged)).collect();
    let (every, over) = rhythm?;
    logs?;
    Some(MonitorNode {
        deployment: *cx.ids.get(&deployment?)?,
        deployment_name: written.deployment.name.clone(),
        every,
        over,
        reference: reference?.map(|(output, _)| output),
        watches: watches.into_iter().collect::<Option<_>>()?,
        on_no_data: on_no_data?,
        cooldown: cooldown?,
        breaches: breaches.into_iter().collect::<Option<_>>()?,
    })
}

/// `every 1h over 24h`
fn rhythm(cx: &mut Context<'_>, written: &Written<'_>) -> Option<(i64, i64)> {
    let Some(rhythm) = written.rhythm else {
        if !written.damaged {
            let message = format!("the monitor `{}` does not say how often it looks", written.name.name);
            let finding = Finding::error(codes::MISSING_SETTING, cx.place(written.name.span), message);
            cx.report(finding.help("add `every 1h over 24h`"));
        }
        return None;
    };
    let every = duration(cx, &rhythm.every, "`every`");
    let over = match &rhythm.over {
        Some(over) => duration(cx, over, "`over`"),
        None => every,
    };
    let (every, over) = (every?, over?);
    if over < every {
        let place = rhythm.over.as_ref().unwrap_or(&rhythm.every).span;
        let (often, past) = (Value::Duration(every), Value::Duration(over));
        let message = format!("looking every {often} at the last {past} leaves most requests unseen");
        let finding = Finding::error(codes::OUT_OF_RANGE, cx.place(place), message);
        cx.report(finding.label(format!("shorter than {often}")).help(format!("write `over {often}` or longer")));
        return None;
    }
    Some((every, over))
}

/// The table that drift is measured against, if there is one. `None`: a mistake was reported.
fn reference(
    cx: &mut Context<'_>,
    written: &Written<'_>,
    setting: Option<&Setting>,
) -> Option<Option<(OutputRef, Schema)>> {
    let drifts = written.watches.iter().find(|line| watch::is_drift(&line.condition));
    let Some(setting) = setting else {
        let Some(drift) = drifts.filter(|_| !written.damaged) else { return Some(None) };
        let finding = Finding::error(
            codes::MISSING_SETTING,
            cx.place(drift.span),
            format!("the monitor `{}` does not say what drift is measured against", written.name.name),
        );
        cx.report(
            finding
                .label("needs a `reference`")
                .help("add the table that the model learnt from: `reference = split.train`"),
        );
        return None;
    };
    let found = match access::path(&setting.value).map(|path| cx.access(&path)) {
        Some(Accessed::Output { node, output, ty: Type::Dataset(schema) }) => {
            if drifts.is_none() && !written.damaged {
                let finding = Finding::warning(
                    codes::IDLE_REFERENCE,
                    cx.place(setting.span),
                    "no watch is measured against this reference",
                );
                cx.report(finding.label("unused").help("remove it, or add a line such as `watch drift(age) <= 0.1`"));
            }
            return Some(Some((OutputRef { node, output }, schema)));
        }
        Some(Accessed::Output { ty, .. }) => with_article(&ty),
        Some(Accessed::Metric { field, .. }) => with_article(&field.ty),
        Some(Accessed::Poison) => return None,
        None if matches!(setting.value.kind, ExprKind::Error) => return None,
        None => "a value".to_owned(),
    };
    let message = format!("`reference` is a table, not {found}");
    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(setting.value.span), message);
    cx.report(finding.label(format!("this is {found}")).help("name data or a step's output: `split.train`"));
    None
}

/// A monitor reads the log.
fn logs(cx: &mut Context<'_>, written: &Written<'_>, facts: &NodeFacts) -> Option<()> {
    if facts.logs? {
        return Some(());
    }
    let deployment = &written.deployment.name;
    let finding = Finding::error(
        codes::NOT_LOGGED,
        cx.place(written.deployment.span),
        format!("`{deployment}` does not log its predictions, so there is nothing to watch"),
    )
    .label("served with `log: false`");
    cx.report(finding.help(format!("remove `log: false` from `{deployment}`")));
    None
}

/// `on breach for 2 windows { ... }`
fn breached(cx: &mut Context<'_>, breach: &Breach, damaged: bool) -> Option<OnBreach> {
    let windows = match &breach.windows {
        Some(windows) => count(cx, windows, "the number of windows", 1, u32::MAX),
        None => Some(1),
    };
    if breach.actions.is_empty() && !damaged {
        let finding = Finding::error(codes::NOTHING_CHECKED, cx.place(breach.span), "nothing is done on this breach");
        cx.report(finding.help("write what is done: `alert webhook(\"http://...\")`, `retrain`, `rollback`"));
        return None;
    }
    let actions: Vec<_> = breach.actions.iter().map(|line| action(cx, line)).collect();
    Some(OnBreach { windows: windows?, actions: actions.into_iter().collect::<Option<_>>()? })
}

fn action(cx: &mut Context<'_>, line: &ActionLine) -> Option<Action> {
    let (name, arguments) = match &line.what.kind {
        ExprKind::Error => return None,
        ExprKind::Name(name) => (name.as_str(), &[][..]),
        ExprKind::Call(callee, arguments) => match &callee.kind {
            ExprKind::Name(name) => (name.as_str(), arguments.as_slice()),
            _ => ("", &[][..]),
        },
        _ => ("", &[][..]),
    };
    match (line.alert, name) {
        (true, "webhook") => alert(cx, Channel::Webhook, &line.what, arguments),
        (true, "slack") => alert(cx, Channel::Slack, &line.what, arguments),
        (true, channel) if LATER_CHANNELS.contains(&channel) => {
            let message = format!("`alert {channel}` is not in this version of mlp");
            let finding = Finding::error(codes::NOT_IN_THIS_VERSION, cx.place(line.what.span), message);
            cx.report(finding.label("not in this version").help("post to it: `alert webhook(\"https://...\")`"));
            None
        }
        (false, "retrain") => trigger::given(cx, "retrain", arguments).map(|params| Action::Retrain { params }),
        (false, "rollback") if arguments.is_empty() => Some(Action::Rollback),
        (false, "rollback") => {
            let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(line.span), "`rollback` takes no arguments");
            cx.report(finding.help("write `rollback`: back to the version that was stable before"));
            None
        }
        (alert, name) => {
            let known: &[&str] = if alert { &["webhook", "slack"] } else { &["retrain", "rollback"] };
            let near = cx.names.nearest(name, known.iter().copied());
            let finding = Finding::error(
                codes::UNKNOWN_FUNCTION,
                cx.place(line.what.span),
                if alert {
                    "an alert goes to a webhook or to Slack"
                } else {
                    "this is nothing that can be done on a breach"
                },
            );
            let place = match &line.what.kind {
                ExprKind::Call(callee, _) => callee.span,
                _ => line.what.span,
            };
            let finding = suggest(finding, place, near, || match (alert, name) {
                (true, _) => "write `alert webhook(\"http://...\")` or `alert slack(slack_url)`".to_owned(),
                (false, _) => "write `alert webhook(\"http://...\")`, `retrain` or `rollback`".to_owned(),
            });
            let start = Span { start: line.span.start, end: line.span.start };
            cx.report(match (alert, name) {
                (false, "webhook" | "slack") => {
                    finding.help("write `alert` before it").fix("write `alert`", start, "alert ", Safety::Safe)
                }
                _ => finding,
            });
            None
        }
    }
}

/// `webhook("http://...")`, `webhook(hook_url)`, `slack(slack_url)`: an address, or a secret that is one.
fn alert(cx: &mut Context<'_>, channel: Channel, whole: &ast::Expr, arguments: &[ast::Argument]) -> Option<Action> {
    let word = channel.word();
    let [ast::Argument { name: None, value }] = arguments else {
        let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(whole.span), format!("`{word}` takes one address"));
        cx.report(finding.help(match channel {
            Channel::Webhook => "write `alert webhook(\"http://...\")`",
            Channel::Slack => "declare `secret slack_url = env(\"SLACK_URL\")` and write `alert slack(slack_url)`",
        }));
        return None;
    };
    let is_secret = match &value.kind {
        ExprKind::Name(name) => cx.names.get(name).is_some_and(|declared| declared.kind == Kind::Secret),
        ExprKind::Call(callee, _) => matches!(&callee.kind, ExprKind::Name(name) if name == "secret"),
        _ => false,
    };
    // Whoever knows the address of Slack's webhook can write in the channel.
    if is_secret || channel == Channel::Slack {
        let what = format!("the address of `{word}`");
        return secret::given(cx, value, &what).map(|source| Action::Alert { channel, to: Address::Secret(source) });
    }
    match super::constant(cx, value, &Type::String, "a webhook", Address::WANTED, |value| match value {
        Value::String(text) => Address::is_one(text),
        _ => false,
    })? {
        Value::String(address) => Some(Action::Alert { channel, to: Address::Plain(address) }),
        _ => None,
    }
}
