//! `pipeline churn { ... }`: who the file is.

use super::block;
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::syntax::ast::{DeclarationKind, Setting};
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
        describe(cx, settings, &mut header);
    }
    header
}

fn describe(cx: &mut Context<'_>, settings: &[Setting], header: &mut Header) {
    let found = block::settings(cx, "a pipeline", settings, &["about", "owner", "tags"], &[]);
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
    let Some((_, value)) = Typing::new(cx, Scope::Constant).constant(&setting.value) else { return };
    let wanted = Type::Map(Box::new(Type::String));
    if let Some(Value::Map(entries)) = cx.fit(&setting.value, &value, &wanted, "`tags`") {
        header.tags = entries.into_iter().map(|(key, value)| (key, crate::typing::plain(&value))).collect();
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
