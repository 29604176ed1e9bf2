//! What can be done about findings.

use crate::text_edit::TextEdit;
use crate::workspace::Workspace;
use mlp_lang::finding::{Finding, Fix, Place, Safety};
use mlp_lang::span::{Source, Span};
use std::sync::Arc;

/// A change that mends something.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// What it does.
    pub title: String,
    /// Changes to the document, in order, not overlapping.
    pub edits: Vec<TextEdit>,
    /// Means what the author wrote: the one to take without asking.
    pub preferred: bool,
    /// What it mends; of [`Workspace::fix_all`], none.
    pub finding: Option<Finding>,
}

/// How often fixes are applied until nothing changes any more: one may make room for another.
const ROUNDS: usize = 10;

impl Workspace {
    /// The fixes of findings that touch a range.
    pub fn actions(&self, path: &str, range: Span) -> Vec<Action> {
        let touches = |finding: &&Finding| match &finding.primary.place {
            Place::Source { path: place, span } => {
                **place == *path && span.start <= range.end && range.start <= span.end
            }
            Place::Data { .. } => false,
        };
        let findings = self.findings(path);
        let mut actions: Vec<Action> = findings
            .iter()
            .filter(touches)
            .filter_map(|finding| {
                let fix = finding.fix.as_ref()?;
                Some(Action {
                    title: capitalized(&fix.title),
                    edits: edits(fix),
                    preferred: fix.safety == Safety::Safe,
                    finding: Some(finding.clone()),
                })
            })
            .collect();
        actions.sort_by_key(|action| !action.preferred);
        actions
    }

    /// All safe fixes at once, until none is left. `None`: there is none.
    pub fn fix_all(&self, path: &str) -> Option<Action> {
        let document = self.document(path)?;
        let mut text = document.text().to_string();
        let mut findings = self.findings(path);
        for _ in 0..ROUNDS {
            let edits = safe(&findings);
            if edits.is_empty() {
                break;
            }
            for edit in edits.iter().rev() {
                text = crate::text::replaced(&text, edit.span, &edit.text);
            }
            let source = Source::new(path, &text);
            self.environment().modules(path, &mut |modules| {
                findings = Arc::new(mlp_lang::check::inspect(&source, modules, &Default::default()).findings);
            });
        }
        let edit = difference(document.text(), &text)?;
        Some(Action { title: "Apply all safe fixes".to_owned(), edits: vec![edit], preferred: false, finding: None })
    }
}

fn edits(fix: &Fix) -> Vec<TextEdit> {
    fix.edits.iter().map(|edit| TextEdit { span: edit.span, text: edit.text.clone() }).collect()
}

/// The edits of safe fixes, in order, without those that overlap an earlier one.
fn safe(findings: &[Finding]) -> Vec<TextEdit> {
    let mut fixes: Vec<Vec<TextEdit>> = findings
        .iter()
        .filter_map(|finding| finding.fix.as_ref())
        .filter(|fix| fix.safety == Safety::Safe)
        .map(edits)
        .collect();
    fixes.sort_by_key(|edits| edits.first().map(|edit| edit.span));
    let mut kept: Vec<TextEdit> = Vec::new();
    for edits in fixes {
        let free = |edit: &TextEdit| {
            kept.iter().all(|other| {
                let apart = other.span.end <= edit.span.start || edit.span.end <= other.span.start;
                apart && other.span != edit.span
            })
        };
        if edits.iter().all(free) {
            kept.extend(edits);
        }
    }
    kept.sort_by_key(|edit| edit.span);
    kept
}

/// One edit that turns a text into another: what is between their common start and their common end.
pub(crate) fn difference(before: &str, after: &str) -> Option<TextEdit> {
    if before == after {
        return None;
    }
    let start = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let start = crate::text::floor(before, start).min(crate::text::floor(after, start));
    let (rest_before, rest_after) = (&before[start..], &after[start..]);
    let same = rest_before.bytes().rev().zip(rest_after.bytes().rev()).take_while(|(a, b)| a == b).count();
    let mut end = same;
    while !before.is_char_boundary(before.len() - end) || !after.is_char_boundary(after.len() - end) {
        end -= 1;
    }
    let text = after[start..after.len() - end].to_owned();
    Some(TextEdit { span: Span::new(start, before.len() - end), text })
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
