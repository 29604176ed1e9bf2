//! What is known and not written, shown between the words.

use crate::hover::plain_type;
use crate::outline::GroupKind;
use crate::view::{Callee, Declared, View};
use crate::workspace::Workspace;
use mlp_lang::span::Span;
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use std::fmt::Write;

/// A few words between the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Before which byte.
    pub at: u32,
    /// What is shown.
    pub label: String,
    /// Markdown, for whoever wants to know more.
    pub tooltip: String,
    /// Whether it is a type; else it is an argument.
    pub is_type: bool,
}

/// How many settings a hint shows; the others are in its tooltip.
const SHOWN: usize = 3;

impl Workspace {
    /// The hints in a range: what steps give, and the settings that their calls leave out.
    pub fn hints(&self, path: &str, range: Span) -> Vec<Hint> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let mut hints = Vec::new();
        for (_, declared) in view.declared_in(0) {
            if view.word(declared.keyword) == "step" {
                hints.extend(view.gives(declared));
                hints.extend(view.left_out(declared));
            }
        }
        hints.retain(|hint| range.start <= hint.at && hint.at <= range.end);
        hints.sort_by_key(|hint| hint.at);
        hints
    }
}

impl View<'_> {
    /// What a step gives, behind its name.
    fn gives(&self, declared: Declared) -> Option<Hint> {
        let outputs = self.node(self.word(declared.name))?.outputs.as_ref()?;
        if outputs.is_empty() || outputs.values().any(|ty| *ty == Type::Unknown) {
            return None;
        }
        let mut groups: Vec<(Vec<&str>, String)> = Vec::new();
        for (name, ty) in outputs {
            let ty = match ty {
                Type::Metrics(fields) => format!("{} metrics", fields.len()),
                ty => plain_type(ty),
            };
            match groups.last_mut().filter(|(_, last)| *last == ty) {
                Some((names, _)) => names.push(name),
                None => groups.push((vec![name], ty)),
            }
        }
        let parts: Vec<String> = groups.iter().map(|(names, ty)| format!("{}: {ty}", names.join(", "))).collect();
        let mut tooltip = String::new();
        for (name, ty) in outputs {
            let _ = match ty {
                Type::Metrics(fields) => {
                    let names: Vec<_> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
                    writeln!(tooltip, "- `{name}`: {}", names.join(", "))
                }
                ty => writeln!(tooltip, "- `{name}`: `{}`", plain_type(ty)),
            };
        }
        let at = self.outline().toks.get(declared.name)?.span.end;
        Some(Hint { at, label: format!(": {{ {} }}", parts.join("; ")), tooltip, is_type: true })
    }

    /// The settings that a call leaves out, before its closing bracket.
    fn left_out(&self, declared: Declared) -> Option<Hint> {
        let node = self.node(self.word(declared.name))?;
        let groups = &self.outline().groups;
        let from = groups.partition_point(|group| group.open < declared.part.first).max(1);
        let (at, call) = groups.iter().enumerate().skip(from).find(|(_, group)| group.kind == GroupKind::Call)?;
        let close = call.close.filter(|close| *close < declared.part.end)?;
        let Callee::Step(_, signature) = self.callee(at) else { return None };
        let given: Vec<&str> = call.parts.iter().filter_map(|part| part.name.map(|name| self.word(name))).collect();
        let values: Vec<(&str, &Value, &str)> = signature
            .params
            .iter()
            .filter(|param| !given.contains(&param.name.as_str()))
            .filter_map(|param| {
                let value = node.settings.get(&param.name)?.as_ref()?;
                let empty = *value == Value::Null || matches!(value, Value::List(items) if items.is_empty());
                (!empty).then_some((param.name.as_str(), value, param.doc.as_str()))
            })
            .collect();
        if values.is_empty() {
            return None;
        }
        let shown: Vec<String> =
            values.iter().take(SHOWN).map(|(name, value, _)| format!("{name}: {}", short(value))).collect();
        let more = if values.len() > SHOWN { ", ..." } else { "" };
        let first = if call.parts.is_empty() { "" } else { ", " };
        let mut tooltip = String::new();
        for (name, value, doc) in &values {
            let _ = writeln!(tooltip, "- `{name}: {value}` {doc}");
        }
        let span = self.outline().toks.get(close)?.span;
        Some(Hint { at: span.start, label: format!("{first}{}{more}", shown.join(", ")), tooltip, is_type: false })
    }
}

/// A value in a few letters.
fn short(value: &Value) -> String {
    match value {
        Value::List(items) if items.len() > 3 => format!("[{} values]", items.len()),
        value => value.to_string(),
    }
}
