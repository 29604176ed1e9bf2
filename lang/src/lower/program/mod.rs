//! `docker("image") { run = [...] with {...} in {...} out {...} }` and `process([...])`: steps that run programs.

mod image;
mod parts;

use super::conduct::{self, Sort};
use super::{live, secret};
use crate::codes;
use crate::context::{Context, KnownParam, NodeFacts, SeenIn};
use crate::finding::{Finding, Safety};
use crate::span::Span;
use crate::syntax::ast::{Argument, Expr, ExprKind, Setting, Task};
use crate::types::Type;
use crate::typing::fit::type_of;
use crate::typing::{Scope, Typing, with_article};
use crate::value::Value;
use crate::work::{Network, ProgramNode, Runner};
use crate::written::quoted;
use indexmap::IndexMap;
use std::collections::HashMap;

/// The calls that stand for a program.
pub(super) fn sort(callee: &Expr) -> Option<Sort> {
    match &callee.kind {
        ExprKind::Name(name) if name == "docker" => Some(Sort::Docker),
        ExprKind::Name(name) if name == "process" => Some(Sort::Process),
        _ => None,
    }
}

pub(super) fn lower(
    cx: &mut Context<'_>,
    sort: Sort,
    callee: Span,
    arguments: &[Argument],
    task: &Task,
    block: &[Setting],
) -> (NodeFacts, Option<ProgramNode>) {
    let found = conduct::settings(cx, sort, block, task);
    let around = conduct::lower(cx, &found);
    let params = parts::params(cx, task);
    let inputs = parts::inputs(cx, task);
    let outputs = parts::outputs(cx, task);
    let locals = params.as_ref().map(|params| params.iter().map(local).collect::<Vec<_>>());
    // What stands in `with` is known in the texts of the command and of the environment.
    let hidden: Vec<_> =
        locals.into_iter().flatten().map(|(name, known)| (name.clone(), cx.locals.insert(name, known))).collect();
    let was_blind = cx.blind;
    cx.blind |= params.is_none();
    let ran = match sort {
        Sort::Process => process(cx, callee, arguments),
        _ => docker(cx, callee, arguments, found.get("run").copied()),
    };
    let env = environment(cx, &found);
    cx.blind = was_blind;
    for (name, before) in hidden.into_iter().rev() {
        match before {
            Some(before) => cx.locals.insert(name, before),
            None => cx.locals.remove(&name),
        };
    }
    let secrets = secrets(cx, &found, env.as_ref());
    let network = conduct::network(cx, &found);
    let platform = platform(cx, &found);
    let facts = NodeFacts { outputs: Some(outputs.types.clone()), ..NodeFacts::default() };
    if let (Some((_, conduct)), Some(network)) = (&around, &network) {
        cached_network(cx, &found, conduct.cache, network);
    }
    let build = || {
        let (runner, run) = ran?;
        let (limits, conduct) = around?;
        Some(ProgramNode {
            runner,
            run,
            params: params?,
            inputs: inputs?,
            outputs: outputs.sound.then_some(outputs.types)?,
            env: env?,
            secrets: secrets?,
            network: network?,
            platform: platform?,
            limits,
            conduct,
        })
    };
    (facts, build())
}

fn local((name, value): (&String, &Value)) -> (String, KnownParam) {
    (name.clone(), KnownParam { ty: type_of(value), value: Some(value.clone()) })
}

/// `docker("acme/train:1.4")` or `docker(build: "./train")`, with its command.
fn docker(
    cx: &mut Context<'_>,
    callee: Span,
    arguments: &[Argument],
    run: Option<&Setting>,
) -> Option<(Runner, Vec<String>)> {
    let command = match run {
        Some(setting) => words(cx, &setting.value, "`run`"),
        None => Some(Vec::new()),
    };
    let (named, bare) = live::arguments(cx, "`docker`", arguments, &["build"])?;
    let runner = match (bare.as_slice(), named.get("build")) {
        ([image], None) => Runner::Docker(named_image(cx, image)?),
        ([], Some(folder)) => Runner::Build({
            let path = text(cx, folder, "`build`")?;
            cx.rebased(folder, path)
        }),
        ([], None) => {
            let finding = Finding::error(codes::NOTHING_TO_RUN, cx.place(callee), "`docker` needs an image");
            cx.report(finding.help("write `docker(\"acme/train:1.4\")`, or `docker(build: \"./folder\")`"));
            return None;
        }
        ([_], Some(folder)) => {
            let message = "`docker` takes an image or a folder to build, and not both";
            let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(folder.span), message);
            cx.report(finding.help("remove one"));
            return None;
        }
        ([_, second, ..], _) => {
            let finding = Finding::error(codes::TOO_MANY_ARGUMENTS, cx.place(second.span), "`docker` takes one image");
            cx.report(finding.help("the command stands in its block: `run = [\"python\", \"train.py\"]`"));
            return None;
        }
    };
    Some((runner, command?))
}

fn named_image(cx: &mut Context<'_>, written: &Expr) -> Option<crate::work::Image> {
    let text = text(cx, written, "an image")?;
    match image::parse(&text) {
        Ok(image) => {
            if image.digest.is_none() && image.tag.as_deref().is_none_or(|tag| tag == "latest") {
                let what = match &image.tag {
                    Some(_) => "`latest` is another image tomorrow",
                    None => "without a tag this is `latest`, which is another image tomorrow",
                };
                let finding = Finding::warning(codes::FLOATING_IMAGE, cx.place(written.span), what);
                cx.report(
                    finding
                        .label("not the same bytes each time")
                        .help("name a version, `image:1.4`, or the very bytes, `image@sha256:...`"),
                );
            }
            Some(image)
        }
        Err((why, part)) => {
            let message = format!("{} is no name of an image: {why}", quoted(&text));
            let finding = Finding::error(codes::BAD_IMAGE, cx.place(written.span), message);
            let finding = match part {
                Some(part) => finding.label(format!("look at {}", quoted(&part))),
                None => finding,
            };
            let lower = text.to_lowercase();
            cx.report(match image::parse(&lower) {
                Ok(_) if lower != text => {
                    finding.fix(format!("write {}", quoted(&lower)), written.span, quoted(&lower), Safety::Unsafe)
                }
                _ => finding.help("write `registry/name:tag`, as in `ghcr.io/acme/train:1.4`"),
            });
            None
        }
    }
}

/// `process(["python", "train.py"])`, which the pipeline must allow.
fn process(cx: &mut Context<'_>, callee: Span, arguments: &[Argument]) -> Option<(Runner, Vec<String>)> {
    let allowed = is_allowed(cx, callee);
    let words = match arguments {
        [Argument { name: None, value }] => words(cx, value, "`process`"),
        [] => {
            let finding = Finding::error(codes::NOTHING_TO_RUN, cx.place(callee), "`process` needs a command");
            cx.report(finding.help("write `process([\"python\", \"train.py\"])`"));
            None
        }
        [first, rest @ ..] => {
            let wrong = rest.first().unwrap_or(first);
            let span = wrong.name.as_ref().map_or(wrong.value.span, |name| name.span);
            let message = "`process` takes the words of one command, as a list";
            let finding = Finding::error(codes::BAD_ARGUMENTS, cx.place(span), message);
            cx.report(finding.help("write `process([\"python\", \"train.py\"])`"));
            None
        }
    }?;
    if words.is_empty() {
        let finding = Finding::error(codes::NOTHING_TO_RUN, cx.place(callee), "`process` needs a command");
        cx.report(finding.help("write `process([\"python\", \"train.py\"])`"));
        return None;
    }
    allowed.then_some((Runner::Process, words))
}

/// What runs without a sandbox can do whatever its user can: whoever reads the head of the file must see it.
fn is_allowed(cx: &mut Context<'_>, callee: Span) -> bool {
    if cx.house.allows_processes || cx.house.damaged {
        return cx.house.allows_processes;
    }
    let finding = Finding::error(
        codes::NOT_ALLOWED,
        cx.place(callee),
        "a process runs outside of any sandbox, and this pipeline does not allow it",
    )
    .label("can do all that its user can");
    let finding = match (cx.house.allow, cx.house.block) {
        (Some(list), _) => finding.also(cx.place(list), "what is allowed").help("add `\"process\"` to the list"),
        (None, Some(block)) => finding.help("add `allow = [\"process\"]` to the pipeline").fix(
            "allow it in the pipeline",
            block,
            in_block(cx, block),
            Safety::Unsafe,
        ),
        (None, None) => finding.help("declare it: `pipeline name { allow = [\"process\"] }`, or use `docker(...)`"),
    };
    cx.report_once("process is not allowed".to_owned(), "and here", finding);
    false
}

/// The line that allows processes, as it is added right behind the `{` of the pipeline's block.
fn in_block(cx: &Context<'_>, at: Span) -> &'static str {
    let rest = cx.source.text.get(at.end as usize..).unwrap_or_default();
    match rest.trim_start_matches([' ', '\t', '\r']).chars().next() {
        Some('\n') => "\n  allow = [\"process\"]",
        Some('}') => " allow = [\"process\"] ",
        _ => " allow = [\"process\"],",
    }
}

/// The words of a command, its holes filled. Numbers and the like are written out.
fn words(cx: &mut Context<'_>, written: &Expr, what: &str) -> Option<Vec<String>> {
    let read = |cx: &mut Context<'_>, written: &Expr| {
        cx.seen_in(SeenIn::Command, |cx| Typing::new(cx, Scope::Constant).constant(written)).map(|(_, value)| value)
    };
    let (values, parts): (Vec<Option<Value>>, Vec<Span>) = match &written.kind {
        ExprKind::List(items) => items.iter().map(|item| (read(cx, item), item.span)).unzip(),
        _ => match read(cx, written)? {
            Value::List(items) => items.into_iter().map(|item| (Some(item), written.span)).unzip(),
            Value::String(line) => {
                one_line(cx, written, &line, what);
                return None;
            }
            other => {
                let found = with_article(&type_of(&other));
                let message = format!("{what} is a list of words, not {found}");
                let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(written.span), message);
                cx.report(finding.help("write `[\"python\", \"train.py\"]`"));
                return None;
            }
        },
    };
    let mut words = Vec::with_capacity(values.len());
    let mut sound = true;
    for (value, span) in values.into_iter().zip(parts) {
        match value {
            None => sound = false,
            Some(Value::Null | Value::List(_) | Value::Map(_) | Value::Range { .. }) => {
                sound = false;
                let message = format!("each word of {what} is one text");
                cx.report(Finding::error(codes::TYPE_MISMATCH, cx.place(span), message).label("no single text"));
            }
            Some(value) => words.push(crate::typing::plain(&value)),
        }
    }
    sound.then_some(words)
}

/// A command as one text: what a shell would have taken apart.
fn one_line(cx: &mut Context<'_>, written: &Expr, line: &str, what: &str) {
    let message = format!("{what} is a list of words; no shell takes a line apart");
    let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(written.span), message).label("one text");
    let plain = line.chars().all(|c| c.is_ascii_alphanumeric() || " ./_-=:,+".contains(c)) && !line.is_empty();
    let literal = !cx.slice(written.span).contains('$');
    let list: Vec<String> = line.split_whitespace().map(quoted).collect();
    let list = format!("[{}]", list.join(", "));
    cx.report(match plain && literal {
        true => {
            finding.help(format!("write `{list}`")).fix(format!("write `{list}`"), written.span, list, Safety::Unsafe)
        }
        false => finding.help("write each word by itself, or call a shell: `[\"sh\", \"-c\", \"...\"]`"),
    });
}

/// A text that is not empty.
fn text(cx: &mut Context<'_>, written: &Expr, what: &str) -> Option<String> {
    let not_empty = |value: &Value| matches!(value, Value::String(text) if !text.is_empty());
    match live::constant(cx, written, &Type::String, what, "a text that is not empty", not_empty)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

type Found<'e> = HashMap<&'e str, &'e Setting>;

/// `env = { LANG: "C.UTF-8" }`
fn environment(cx: &mut Context<'_>, found: &Found<'_>) -> Option<IndexMap<String, String>> {
    let Some(setting) = found.get("env") else { return Some(IndexMap::new()) };
    let env = cx.seen_in(SeenIn::Environment, |cx| conduct::texts(cx, setting, "`env`"));
    let ExprKind::Map(entries) = &setting.value.kind else { return env };
    let sound: Vec<bool> = entries.iter().map(|(key, _)| variable(cx, &key.name, key.span)).collect();
    env.filter(|_| sound.into_iter().all(|sound| sound))
}

/// Whether a program can be given a variable of this name: the engine's own begin with `MLP_`.
fn variable(cx: &mut Context<'_>, name: &str, span: Span) -> bool {
    if name.starts_with("MLP_") {
        let message = format!("`{name}`: variables that begin with `MLP_` are the engine's own");
        let finding = Finding::error(codes::RESERVED_NAME, cx.place(span), message);
        cx.report(finding.label("this name is taken").help("choose another name"));
        return false;
    }
    secret::is_variable(cx, name, span)
}

/// `secrets = { TOKEN: db_token }`
fn secrets(
    cx: &mut Context<'_>,
    found: &Found<'_>,
    env: Option<&IndexMap<String, String>>,
) -> Option<IndexMap<String, crate::work::SecretSource>> {
    let mut granted = IndexMap::new();
    let Some(setting) = found.get("secrets") else { return Some(granted) };
    let ExprKind::Map(entries) = &setting.value.kind else {
        if !matches!(setting.value.kind, ExprKind::Error) {
            let message = "`secrets` says under which name the program sees which secret";
            let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(setting.value.span), message);
            cx.report(finding.help("write `secrets = { TOKEN: db_token }`"));
        }
        return None;
    };
    let mut sound = true;
    for (key, value) in entries {
        let source = secret::given(cx, value, &format!("`{}` of `secrets`", key.name));
        if !variable(cx, &key.name, key.span) {
            sound = false;
            continue;
        }
        let twice = granted.contains_key(&key.name) || env.is_some_and(|env| env.contains_key(&key.name));
        if twice {
            let message = format!("the program is given two variables `{}`", key.name);
            let finding = Finding::error(codes::DUPLICATE_SETTING, cx.place(key.span), message);
            cx.report(finding.help("remove one, here or in `env`"));
        }
        match source {
            Some(source) if !twice => {
                granted.insert(key.name.clone(), source);
            }
            _ => sound = false,
        }
    }
    sound.then_some(granted)
}

/// `platform = "linux/amd64"`
fn platform(cx: &mut Context<'_>, found: &Found<'_>) -> Option<Option<String>> {
    let Some(setting) = found.get("platform") else { return Some(None) };
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let sound = |value: &Value| match value {
        Value::String(text) => (2..=3).contains(&text.split('/').count()) && text.split('/').all(part),
        _ => false,
    };
    match live::constant(
        cx,
        &setting.value,
        &Type::String,
        "`platform`",
        "a system and a machine, as in `\"linux/amd64\"`",
        sound,
    )? {
        Value::String(platform) => Some(Some(platform)),
        _ => None,
    }
}

/// What a network gives can be other tomorrow; a cached outcome hides that.
fn cached_network(cx: &mut Context<'_>, found: &Found<'_>, cache: bool, network: &Network) {
    let (true, Some(setting)) = (cache && *network != Network::None, found.get("network")) else { return };
    if found.contains_key("cache") {
        return;
    }
    let finding = Finding::warning(
        codes::CACHED_NETWORK,
        cx.place(setting.name.span),
        "what comes from a network may be other tomorrow, and the cache keeps what came today",
    );
    cx.report(
        finding
            .label("not a part of the fingerprint")
            .help("add `cache = false` to run it each time, or `cache = true` if what it fetches never changes"),
    );
}
