//! What can be done about findings.

use crate::text_edit::TextEdit;
use crate::workspace::Workspace;
use mlp_lang::finding::{Finding, Fix, Place, Safety};
use mlp_lang::format::Refusal;
use mlp_lang::span::{Source, Span};

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

    /// All safe fixes at once, as `mlp check --fix` applies them. `None`: there is none.
    pub fn fix_all(&self, path: &str) -> Option<Action> {
        let document = self.document(path)?;
        if !self.findings(path).iter().any(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe))
        {
            return None;
        }
        let source = Source::new(path, document.text());
        let mut text = document.text().to_string();
        self.environment().modules(path, &mut |modules| {
            let check = |source: &Source| mlp_lang::check::inspect(source, modules, &Default::default()).findings;
            text = mlp_lang::fix::fix(&source, Safety::Safe, check).text;
        });
        let edit = difference(document.text(), &text)?;
        Some(Action { title: "Apply all safe fixes".to_owned(), edits: vec![edit], preferred: false, finding: None })
    }

    /// The document in the one style, as `mlp fmt` writes it: no edit, or one. Why not, in a sentence, when it has mistakes
    /// of syntax.
    pub fn format(&self, path: &str) -> Result<Vec<TextEdit>, String> {
        let Some(document) = self.document(path) else { return Err("this file is not open".to_owned()) };
        match mlp_lang::format::format(&Source::new(path, document.text())) {
            Ok(text) => Ok(difference(document.text(), &text).into_iter().collect()),
            Err(Refusal::Broken(_)) => {
                Err("a file with mistakes of syntax is not formatted: mend them first".to_owned())
            }
            Err(Refusal::Unsafe(change)) => Err(change.to_string()),
        }
    }
}

fn edits(fix: &Fix) -> Vec<TextEdit> {
    fix.edits.iter().map(|edit| TextEdit { span: edit.span, text: edit.text.clone() }).collect()
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
