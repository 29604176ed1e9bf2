//! `pipeline churn { ... }`: who the file is.

use super::{block, live};
use crate::codes;
use crate::context::{Context, Resources, SeenIn};
use crate::finding::Finding;
use crate::names::suggest;
use crate::span::Span;
use crate::syntax::ast::{Declaration, DeclarationKind, ExprKind, Setting};
use crate::types::Type;
use crate::typing::{Scope, Typing};
use crate::value::Value;
use indexmap::IndexMap;

/// What is said about the whole file.
pub(super) struct Header {
    pub(super) name: String,
    pub(super) about: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) tags: IndexMap<String, String>,
}

pub(super) fn lower(cx: &mut Context<'_>) -> Header {
    let file = cx.file;
    let mut header = Header { name: stem(&cx.source.path), about: None, owner: None, tags: IndexMap::new() };
    let mut first = None;
    for declaration in &file.declarations {
        let DeclarationKind::Pipeline { name, settings } = &declaration.kind else { continue };
        if let Some(first) = first {
            let finding = Finding::error(
                codes::TWO_PIPELINES,
                cx.place(name.span),
                "a file is one pipeline, and this is the second",
            )
            .also(cx.place(first), "the first")
            .help("move it to a file of its own");
            cx.report(finding);
            continue;
        }
        first = Some(name.span);
        header.name = name.name.clone();
        describe(cx, declaration, settings, &mut header);
    }
    header
}

const SETTINGS: &[&str] = &["about", "owner", "tags", "allow", "resources"];

fn describe(cx: &mut Context<'_>, declaration: &Declaration, settings: &[Setting], header: &mut Header) {
    let found = block::settings(cx, "a pipeline", settings, SETTINGS, &[]);
    cx.house.damaged = declaration.damaged || settings.iter().any(block::is_broken);
    let text = cx.source.text.get(declaration.span.range()).unwrap_or_default();
    cx.house.block = text.find('{').map(|at| {
        let at = declaration.span.start as usize + at + 1;
        Span::new(at, at)
    });
    if let Some(setting) = found.get("allow") {
        allow(cx, setting);
    }
    if let Some(setting) = found.get("resources") {
        resources(cx, setting);
    }
    let mut text = |name: &str| {
        let setting = found.get(name)?;
        let (_, value) = Typing::new(cx, Scope::Constant).constant(&setting.value)?;
        match cx.fit(&setting.value, &value, &Type::String, &format!("`{name}`"))? {
            Value::String(text) => Some(text),
            _ => None,
        }
    };
    header.about = text("about");
    header.owner = text("owner");
    let Some(setting) = found.get("tags") else { return };
    let value = cx.seen_in(SeenIn::Tag, |cx| Typing::new(cx, Scope::Constant).constant(&setting.value));
    let Some((_, value)) = value else { return };
    let wanted = Type::Map(Box::new(Type::String));
    if let Some(Value::Map(entries)) = cx.fit(&setting.value, &value, &wanted, "`tags`") {
        header.tags = entries.into_iter().map(|(key, value)| (key, crate::typing::plain(&value))).collect();
    }
}

/// `allow = ["process"]`: what steps may do beyond what any step may.
fn allow(cx: &mut Context<'_>, setting: &Setting) {
    cx.house.allow = Some(setting.value.span);
    let list = Type::List(Box::new(Type::Enum(vec!["process".to_owned()])));
    let Some((_, value)) = Typing::new(cx, Scope::Constant).constant(&setting.value) else {
        cx.house.damaged = true;
        return;
    };
    match cx.fit(&setting.value, &value, &list, "`allow`") {
        Some(Value::List(allowed)) => cx.house.allows_processes = !allowed.is_empty(),
        _ => cx.house.damaged = true,
    }
}

/// `resources = { cpu: 8, memory: 32GiB, gpu: 1 }`: the most that one step can be given.
fn resources(cx: &mut Context<'_>, setting: &Setting) {
    let ExprKind::Map(entries) = &setting.value.kind else {
        if !matches!(setting.value.kind, ExprKind::Error) {
            let message = "`resources` says what there is of each";
            let finding = Finding::error(codes::TYPE_MISMATCH, cx.place(setting.value.span), message);
            cx.report(finding.help("write `resources = { cpu: 8, memory: 32GiB, gpu: 1 }`"));
        }
        return;
    };
    let mut found = Resources::default();
    let mut sound = true;
    let mut seen: Vec<&str> = Vec::new();
    for (key, written) in entries {
        if seen.contains(&key.name.as_str()) {
            let message = format!("`{}` is given twice in this map", key.name);
            cx.report(Finding::error(codes::DUPLICATE_SETTING, cx.place(key.span), message).help("remove one"));
            continue;
        }
        seen.push(&key.name);
        sound &= match key.name.as_str() {
            "cpu" => {
                let more = |value: &Value| matches!(value, Value::Float(number) if *number > 0.0);
                let value = live::constant(cx, written, &Type::Float, "`cpu` of `resources`", "more than 0", more);
                found.cpu = match value {
                    Some(Value::Float(cpu)) => Some(cpu),
                    _ => None,
                };
                found.cpu.is_some()
            }
            "memory" => {
                let more = |value: &Value| matches!(value, Value::Size(1..));
                let value = live::constant(cx, written, &Type::Size, "`memory` of `resources`", "more than 0B", more);
                found.memory = match value {
                    Some(Value::Size(bytes)) => Some(bytes),
                    _ => None,
                };
                found.memory.is_some()
            }
            "gpu" => {
                found.gpu = live::count(cx, written, "`gpu` of `resources`", 0, 1024);
                found.gpu.is_some()
            }
            other => {
                let near = cx.names.nearest(other, ["cpu", "memory", "gpu"]);
                let message = format!("`resources` has no `{other}`");
                let finding = Finding::error(codes::UNKNOWN_SETTING, cx.place(key.span), message);
                cx.report(suggest(finding, key.span, near, || "it has `cpu`, `memory` and `gpu`".to_owned()));
                false
            }
        };
    }
    if sound {
        cx.house.resources = Some((found, setting.value.span));
    }
}

/// The name of a file without its folder and ending, as an identifier.
fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.strip_suffix(".mlp").unwrap_or(file);
    let mut name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.is_empty() {
        return "pipeline".to_owned();
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}
