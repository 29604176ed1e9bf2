//! What a call takes, shown while it is being written.

use crate::builtin;
use crate::hover::{about_param, input_type, written_param};
use crate::outline::GroupKind;
use crate::view::{Callee, Target, View};
use crate::workspace::Workspace;

/// A call with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The call as it is declared.
    pub label: String,
    /// Markdown.
    pub doc: String,
    /// Each parameter: where it stands in the label, in bytes, and its documentation.
    pub parameters: Vec<((u32, u32), String)>,
    /// Which of them is being written.
    pub active: Option<u32>,
}

impl Workspace {
    /// The innermost call around a byte.
    pub fn signature(&self, path: &str, offset: u32) -> Option<Signature> {
        let view = self.view(path)?;
        let last = view.outline().before(offset)?;
        let tok = *view.outline().toks.get(last)?;
        let opened = view.outline().groups.iter().position(|group| group.open == last && group.parent != usize::MAX);
        let opens = matches!(tok.kind, crate::outline::TokKind::Open) && tok.span.end <= offset;
        let start = if opens { opened.filter(|at| *at > 0)? } else { tok.group };
        let call = view.outline().around(start).find(|group| {
            let Some(found) = view.outline().groups.get(*group) else { return false };
            let closed = found.close.and_then(|close| view.outline().toks.get(close));
            let inside = closed.is_none_or(|close| offset <= close.span.start);
            found.kind == GroupKind::Call && inside
        })?;
        view.signature_of(call, offset)
    }
}

impl View<'_> {
    fn signature_of(&self, call: usize, offset: u32) -> Option<Signature> {
        let parts = &self.outline().groups.get(call)?.parts;
        let toks = &self.outline().toks;
        let started = |part: &&crate::outline::Part| {
            part.first.checked_sub(1).and_then(|before| toks.get(before)).is_some_and(|tok| tok.span.end <= offset)
        };
        let written = parts.iter().take_while(started).count();
        let after_comma = self
            .outline()
            .before(offset)
            .is_some_and(|tok| self.word(tok) == "," && toks.get(tok).is_some_and(|tok| tok.group == call));
        let at = if after_comma { written } else { written.saturating_sub(1) };
        let name = parts.get(at).and_then(|part| part.name).map(|name| self.word(name));
        match self.callee(call) {
            Callee::Step(module, step) => {
                let inputs = step.inputs.iter().map(|input| {
                    (format!("{}: {}", input.name, input_type(&input.kind)), input.doc.clone(), input.name.as_str())
                });
                let params =
                    step.params.iter().map(|param| (written_param(param), about_param(param), param.name.as_str()));
                let all: Vec<_> = inputs.chain(params).collect();
                let target = match (name, self.target(call, at)) {
                    (Some(name), _) => Some(name),
                    (None, Some(Target::Input(input))) => Some(input.name.as_str()),
                    (None, _) => None,
                };
                let active = target.and_then(|name| all.iter().position(|(.., found)| *found == name));
                let head = format!("{}.{}", module.name.rsplit('/').next().unwrap_or_default(), step.name);
                Some(laid_out(&head, all.into_iter().map(|(text, doc, _)| (text, doc)), &step.doc, active))
            }
            Callee::Component(component) => {
                let parameters = self.outline().groups.get(self.parameters_of(component.part)?)?;
                let all: Vec<_> =
                    parameters.parts.iter().map(|part| (self.slice(part.first, part.end), String::new())).collect();
                let named = |name: &str| {
                    parameters.parts.iter().position(|part| part.name.is_some_and(|found| self.word(found) == name))
                };
                let active = name.map_or(Some(at), named);
                Some(laid_out(
                    self.word(component.name),
                    all.into_iter(),
                    self.doc(component).unwrap_or_default(),
                    active,
                ))
            }
            Callee::Word(word) => {
                let known = builtin::arguments(word);
                if known.is_empty() {
                    return None;
                }
                let active = name.and_then(|name| known.iter().position(|found| found.word == name));
                let all = known.iter().map(|found| (found.word.to_owned(), found.doc.to_owned()));
                Some(laid_out(word, all, "", active))
            }
            Callee::Unknown => None,
        }
    }
}

fn laid_out(
    head: &str,
    parameters: impl Iterator<Item = (String, String)>,
    doc: &str,
    active: Option<usize>,
) -> Signature {
    let mut label = format!("{head}(");
    let mut places = Vec::new();
    for (text, doc) in parameters {
        if !places.is_empty() {
            label.push_str(", ");
        }
        let start = label.len() as u32;
        label.push_str(&text);
        places.push(((start, label.len() as u32), doc));
    }
    label.push(')');
    let active = active.filter(|at| *at < places.len()).map(|at| at as u32);
    Signature { label, doc: doc.to_owned(), parameters: places, active }
}
