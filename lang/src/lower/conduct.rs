//! What every step may be told about how it runs: limits, retries, caching, tags. Which of it makes sense depends on
//! what the step is.

use super::block;
use super::live::{constant, count, duration};
use crate::codes;
use crate::context::{Context, SeenIn};
use crate::finding::{Finding, Safety};
use crate::pipeline::{Conduct, Limits};
use crate::span::Span;
use crate::syntax::ast::{Setting, Task};
use crate::types::Type;
use crate::typing::{Scope, Typing, plain};
use crate::value::Value;
use crate::work::Network;
use indexmap::IndexMap;
use std::collections::HashMap;

/// What a step is, as far as its block is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Module,
    Query,
    Docker,
    Process,
}

impl Sort {
    /// With its article, for messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Sort::Module => "a module's step",
            Sort::Query => "a query",
            Sort::Docker => "a container",
            Sort::Process => "a process",
        }
    }
}

/// Every setting that some step has.
const SETTINGS: &[&str] = &[
    "run", "cpu", "memory", "gpu", "timeout", "deadline", "retry", "backoff", "cache", "network", "env", "secrets",
    "tags", "platform",
];

/// Why a kind of step does not have a setting, and what to do instead; nothing when it has it.
fn misplaced(sort: Sort, name: &str) -> Option<(&'static str, &'static str)> {
    let program = "remove it, or run a program: `docker(\"image\")`";
    Some(match (sort, name) {
        (Sort::Module, "cpu") => ("it runs on one processor", "remove it"),
        (Sort::Module | Sort::Query, "gpu") => ("it sees no device", program),
        (Sort::Module, "env") => ("it sees no environment", "give it as a setting in the call"),
        (Sort::Module | Sort::Query, "network") => ("it has no network", program),
        (Sort::Module | Sort::Query, "secrets") => ("it reaches nothing that a secret opens", program),
        (Sort::Module | Sort::Query, "platform") => ("it gives the same on every platform", "remove it"),
        (Sort::Module | Sort::Query, "run") => ("it has no command", program),
        (Sort::Module | Sort::Query, "out") => ("what it gives is known", program),
        (Sort::Module, "with") => ("its settings stand in the call", "write `module.step(input, setting: value)`"),
        (Sort::Module, "in") => ("its inputs stand in the call", "write `module.step(input, setting: value)`"),
        (Sort::Query, "with") => ("parameters stand in its text", "write `${name}` in the query"),
        (Sort::Query, "in") => ("its tables stand in its text", "write `from name` in the query"),
        (Sort::Query, "env") => ("it sees no environment", "write `${name}` in the query"),
        (Sort::Query, "deadline") => ("it is tried once", "write `timeout`"),
        (Sort::Query, "retry" | "backoff") => ("it gives the same each time", "remove it"),
        (Sort::Process, "network") => ("it has the network of the machine", "remove it, or run it in a container"),
        (Sort::Process, "platform") => ("it runs on the machine as it is", "remove it"),
        (Sort::Process, "run") => ("its command stands in `process([...])`", "write the words there"),
        _ => return None,
    })
}

/// The settings of a step's block that its kind has, by name. What it does not have is reported.
pub(super) fn settings<'e>(
    cx: &mut Context<'_>,
    sort: Sort,
    block: &'e [Setting],
    task: &Task,
) -> HashMap<&'e str, &'e Setting> {
    let mut found = block::settings(cx, "a step", block, SETTINGS, &[]);
    let mut wrong: Vec<(&'static str, Span)> = Vec::new();
    found.retain(|name, setting| match SETTINGS.iter().find(|known| *known == name) {
        Some(known) if misplaced(sort, name).is_some() => {
            wrong.push((known, setting.name.span));
            false
        }
        _ => true,
    });
    let clauses = [
        ("with", task.with.as_ref().map(|it| it.span)),
        ("in", task.inputs.as_ref().map(|it| it.span)),
        ("out", task.outputs.as_ref().map(|it| it.span)),
    ];
    for (word, span) in clauses {
        if let Some(span) = span.filter(|_| misplaced(sort, word).is_some()) {
            wrong.push((word, Span::new(span.start as usize, span.start as usize + word.len())));
        }
    }
    wrong.sort_by_key(|(_, span)| span.start);
    for (name, span) in wrong {
        let Some((why, help)) = misplaced(sort, name) else { continue };
        let finding = Finding::error(
            codes::MISPLACED_SETTING,
            cx.place(span),
            format!("{} has no `{name}`: {why}", sort.words()),
        );
        cx.report(finding.help(help));
    }
    found
}

type Found<'e> = HashMap<&'e str, &'e Setting>;

/// Limits and conduct; `None` when a part was not understood, which was reported.
pub(super) fn lower(cx: &mut Context<'_>, found: &Found<'_>) -> Option<(Limits, Conduct)> {
    let limits = limits(cx, found);
    let cache = match found.get("cache") {
        Some(setting) => flag(cx, setting),
        None => Some(true),
    };
    let tags = match found.get("tags") {
        Some(setting) => cx.seen_in(SeenIn::Tag, |cx| texts(cx, setting, "`tags`")),
        None => Some(IndexMap::new()),
    };
    Some((limits?, Conduct { cache: cache?, tags: tags? }))
}

fn limits(cx: &mut Context<'_>, found: &Found<'_>) -> Option<Limits> {
    let mut sound = true;
    let mut keep = |read: bool| sound &= read;
    let mut limits = Limits::default();
    if let Some(setting) = found.get("timeout") {
        limits.timeout = duration(cx, &setting.value, "`timeout`");
        keep(limits.timeout.is_some());
    }
    if let Some(setting) = found.get("memory") {
        let more = |value: &Value| matches!(value, Value::Size(1..));
        match constant(cx, &setting.value, &Type::Size, "`memory`", "more than 0B", more) {
            Some(Value::Size(bytes)) => {
                limits.memory = Some(bytes);
                let most = cx.house.resources.and_then(|(house, _)| house.memory);
                if let Some(most) = most.filter(|most| bytes > *most) {
                    beyond(cx, setting, &Value::Size(bytes).to_string(), &Value::Size(most).to_string());
                }
            }
            _ => keep(false),
        }
    }
    if let Some(setting) = found.get("cpu") {
        let more = |value: &Value| matches!(value, Value::Float(number) if *number > 0.0);
        match constant(cx, &setting.value, &Type::Float, "`cpu`", "more than 0", more) {
            Some(Value::Float(cpu)) => {
                limits.cpu = Some(cpu);
                let most = cx.house.resources.and_then(|(house, _)| house.cpu);
                if let Some(most) = most.filter(|most| cpu > *most) {
                    beyond(cx, setting, &cpu.to_string(), &most.to_string());
                }
            }
            _ => keep(false),
        }
    }
    if let Some(setting) = found.get("gpu") {
        match count(cx, &setting.value, "`gpu`", 0, 64) {
            Some(gpu) => {
                limits.gpu = gpu;
                let house = cx.house.resources.map(|(house, _)| house.gpu.unwrap_or(0));
                if let Some(most) = house.filter(|most| gpu > *most) {
                    beyond(cx, setting, &gpu.to_string(), &most.to_string());
                }
            }
            None => keep(false),
        }
    }
    if let Some(setting) = found.get("retry") {
        match count(cx, &setting.value, "`retry`", 0, 10) {
            Some(times) => limits.retry = times,
            None => keep(false),
        }
    }
    let tried_once = limits.retry == 0 && !found.get("retry").is_some_and(|retry| block::is_broken(retry));
    if let Some(setting) = found.get("backoff") {
        limits.backoff = duration(cx, &setting.value, "`backoff`");
        keep(limits.backoff.is_some());
        if tried_once {
            let why = "`backoff` is the wait between attempts, and there is one attempt";
            idle(cx, setting, why, "add `retry = 3`, or remove it");
        }
    }
    if let Some(setting) = found.get("deadline") {
        limits.deadline = duration(cx, &setting.value, "`deadline`");
        keep(limits.deadline.is_some());
        if tried_once && limits.timeout.is_some() {
            let why = "`deadline` is the time of all attempts together, and there is one attempt";
            idle(cx, setting, why, "add `retry = 3`, or leave it at `timeout`");
        }
    }
    sound.then_some(limits)
}

/// A setting beside which another one is missing.
fn idle(cx: &mut Context<'_>, setting: &Setting, why: &str, help: &str) {
    let finding = Finding::warning(codes::IDLE_SETTING, cx.place(setting.name.span), why);
    cx.report(finding.label("changes nothing").help(help));
}

/// A step that asks for more than any machine of this pipeline has: it would wait forever.
fn beyond(cx: &mut Context<'_>, setting: &Setting, asked: &str, most: &str) {
    let mut finding = Finding::error(
        codes::BEYOND_RESOURCES,
        cx.place(setting.value.span),
        format!(
            "the step asks for `{} = {asked}`, and no machine of this pipeline has more than {most}",
            setting.name.name
        ),
    )
    .label("nothing could ever run it")
    .help("ask for less, or declare more in `resources` of the pipeline");
    if let Some((_, span)) = cx.house.resources {
        finding = finding.also(cx.place(span), "what there is");
    }
    cx.report(finding);
}

/// `true` or `false`.
fn flag(cx: &mut Context<'_>, setting: &Setting) -> Option<bool> {
    match constant(cx, &setting.value, &Type::Bool, &format!("`{}`", setting.name.name), "", |_| true)? {
        Value::Bool(flag) => Some(flag),
        _ => None,
    }
}

/// A map of texts. Numbers and the like are written out, so that `{ OMP_NUM_THREADS: 4 }` is what it looks like.
pub(super) fn texts(cx: &mut Context<'_>, setting: &Setting, what: &str) -> Option<IndexMap<String, String>> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(&setting.value)?;
    let Value::Map(entries) = cx.fit(&setting.value, &value, &Type::Map(Box::new(Type::Unknown)), what)? else {
        return None;
    };
    let scalar = |value: &Value| !matches!(value, Value::Null | Value::List(_) | Value::Map(_) | Value::Range { .. });
    if let Some((key, other)) = entries.iter().find(|(_, value)| !scalar(value)) {
        let found = crate::typing::with_article(&crate::typing::fit::type_of(other));
        let finding = Finding::error(
            codes::TYPE_MISMATCH,
            cx.place(setting.value.span),
            format!("`{key}` of {what} is a text, not {found}"),
        );
        cx.report(finding.label("holds something that is no text"));
        return None;
    }
    Some(entries.into_iter().map(|(key, value)| (key, plain(&value))).collect())
}

/// `network = true`, `network = ["pypi.org:443"]`
pub(super) fn network(cx: &mut Context<'_>, found: &Found<'_>) -> Option<Network> {
    let Some(setting) = found.get("network") else { return Some(Network::None) };
    let written = &setting.value;
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    let hosts = match value {
        Value::Bool(true) => return Some(Network::All),
        Value::Bool(false) => return Some(Network::None),
        Value::List(hosts) => hosts,
        other => {
            let found = crate::typing::with_article(&crate::typing::fit::type_of(&other));
            let finding = Finding::error(
                codes::TYPE_MISMATCH,
                cx.place(written.span),
                format!("`network` is true, false or a list of hosts, not {found}"),
            );
            cx.report(match &other {
                Value::String(_) => {
                    let text = format!("[{}]", cx.text(written.span));
                    finding.help("write a list").fix(format!("write `{text}`"), written.span, text, Safety::Safe)
                }
                _ => finding.help("write `network = [\"pypi.org:443\"]`"),
            });
            return None;
        }
    };
    let mut read = Vec::with_capacity(hosts.len());
    for host in hosts {
        let text = plain(&host);
        if !is_host_and_port(&text) {
            let message = format!("{} is not a host with its port", crate::written::quoted(&text));
            let finding = Finding::error(codes::BAD_ADDRESS, cx.place(written.span), message);
            cx.report(finding.help("write the host, a colon and the port: `\"pypi.org:443\"`"));
            return None;
        }
        read.push(text);
    }
    Some(if read.is_empty() { Network::None } else { Network::Hosts(read) })
}

/// `pypi.org:443`, `*.example.com:443`, `10.0.0.7:5432`, `[::1]:80`
fn is_host_and_port(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let host_is_sound = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let labels = host.strip_prefix("*.").unwrap_or(host);
            !labels.is_empty()
                && labels.split('.').all(|label| {
                    !label.is_empty()
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
                })
        }
    };
    host_is_sound && port.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::is_host_and_port;

    #[test]
    fn hosts_have_ports() {
        for host in ["pypi.org:443", "*.example.com:443", "10.0.0.7:5432", "[::1]:80", "db_1:1"] {
            assert!(is_host_and_port(host), "{host}");
        }
        for host in [
            "pypi.org",
            "pypi.org:",
            "pypi.org:0",
            "pypi.org:70000",
            "https://pypi.org:443",
            ":443",
            "::1:80",
            "a..b:1",
        ] {
            assert!(!is_host_and_port(host), "{host}");
        }
    }
}
