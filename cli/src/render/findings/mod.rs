//! Findings for people: the source with what is wrong marked in it, or one line each. Formats for machines have files of
//! their own.

mod github;
mod gitlab;
mod junit;
mod report;
mod sarif;

pub use github::github;
pub use gitlab::gitlab;
pub use junit::junit;
pub use report::{Report, line_text, relative};
pub use sarif::sarif;

use super::text::{clean, one_line, plural};
use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};
use mlp_lang::finding::{Finding, Fix, Label, Place, Safety, Severity};
use mlp_lang::span::{Source, Span};
use std::ops::Range;

/// More than this many in one go are counted, not shown: what is wrong with the first hundred explains the rest.
const SHOWN: usize = 100;

/// Annotations further apart than this many lines are shown in snippets of their own.
const WINDOW: usize = 80;

/// Findings with their sources, each followed by an empty line. Sources that a finding names but nobody has are
/// named without their text.
pub fn full(findings: &[Finding], sources: &[Source], width: Option<usize>) -> String {
    let renderer = Renderer::styled().term_width(width.unwrap_or(DEFAULT_TERM_WIDTH));
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN) {
        text.push_str(&renderer.render(&report(finding, sources)));
        text.push_str("\n\n");
    }
    text.push_str(&more(findings));
    text
}

/// `path:line:column: error[E0203 unknown-step]: message`, one line each.
pub fn concise(findings: &[Finding], sources: &[Source]) -> String {
    findings
        .iter()
        .map(|finding| {
            let place = match &finding.primary.place {
                Place::Source { path, span } => match source(sources, path) {
                    Some(source) => {
                        let (line, column) = source.line_column(span.start);
                        format!("{path}:{line}:{column}")
                    }
                    None => path.to_string(),
                },
                Place::Data { path, line, .. } => match line {
                    Some(line) => format!("{path}:{line}"),
                    None => path.to_string(),
                },
            };
            let (word, code) = (severity(finding), &finding.code);
            format!("{}: {word}[{} {}]: {}\n", one_line(&place), code.id, code.name, one_line(&finding.message))
        })
        .collect()
}

/// `2 errors, 1 warning in 1 file`; or that all is well.
pub fn counts(findings: &[Finding], files: usize) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let warnings = findings.len() - errors;
    let be = if files == 1 { "is" } else { "are" };
    let files = plural(files, "file");
    match (errors, warnings) {
        (0, 0) => format!("{files} {be} sound"),
        (0, warnings) => format!("{} in {files}", plural(warnings, "warning")),
        (errors, 0) => format!("{} in {files}", plural(errors, "error")),
        (errors, warnings) => format!("{}, {} in {files}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

/// `data/customers.csv:17 (row 16, column age)`
pub fn data_place(path: &str, row: Option<u64>, line: Option<u64>, column: Option<&str>) -> String {
    let line = line.map_or(String::new(), |line| format!(":{line}"));
    let inside = match (row, column) {
        (Some(row), Some(column)) => format!(" (row {row}, column {column})"),
        (Some(row), None) => format!(" (row {row})"),
        (None, Some(column)) => format!(" (column {column})"),
        (None, None) => String::new(),
    };
    one_line(&format!("{path}{line}{inside}"))
}

/// A JSON document with its fields in the order of their declaration.
fn pretty(document: &impl serde::Serialize) -> String {
    // Nothing in these documents can fail to be written: no map has keys that are not text.
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    text + "\n"
}

fn more(findings: &[Finding]) -> String {
    match findings.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("... and {} that are not shown; `--output concise` lists all\n\n", plural(more, "finding")),
    }
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn source<'a>(sources: &'a [Source], path: &str) -> Option<&'a Source> {
    sources.iter().find(|source| &*source.path == path)
}

fn report<'a>(finding: &'a Finding, sources: &'a [Source]) -> Vec<Group<'a>> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(clean(&finding.message)).id(format!("{} {}", finding.code.id, finding.code.name));
    let mut group = Group::with_title(title);
    let mut shown = vec![&finding.primary];
    let mut apart = Vec::new();
    let (path, near) = match &finding.primary.place {
        Place::Source { path, .. } => (Some(path), source(sources, path)),
        Place::Data { .. } => (None, None),
    };
    for label in &finding.secondary {
        let same = matches!((&label.place, path), (Place::Source { path, .. }, Some(primary)) if path == primary);
        if same && near.is_some() { shown.push(label) } else { apart.push(label) }
    }
    group = match near {
        Some(source) => snippets(group, source, &shown),
        None => place_alone(group, &finding.primary),
    };
    for label in apart {
        group = group.element(Level::NOTE.message(format!("{}: {}", place_words(&label.place), clean(&label.text))));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(clean(note)));
    }
    if let Some(help) = finding.help.as_ref().filter(|help| !says_the_fix(help, finding.fix.as_ref())) {
        group = group.element(Level::HELP.message(clean(help)));
    }
    let mut groups = vec![group];
    if let (Some(fix), Some(source)) = (&finding.fix, near) {
        groups.push(suggestion(fix, source));
    }
    groups
}

/// The primary label and those near it in one snippet; those far away in others.
fn snippets<'a>(mut group: Group<'a>, source: &'a Source, labels: &[&'a Label]) -> Group<'a> {
    let mut rest: Vec<(bool, Range<usize>, &'a str)> = labels
        .iter()
        .enumerate()
        .filter_map(|(index, label)| match &label.place {
            Place::Source { span, .. } => Some((index == 0, within(&source.text, *span), label.text.as_str())),
            Place::Data { .. } => None,
        })
        .collect();
    while !rest.is_empty() {
        let first = line_of(source, rest[0].1.start);
        let (near, far): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|(_, range, _)| line_of(source, range.start).abs_diff(first) <= WINDOW);
        let low = near.iter().map(|(_, range, _)| range.start).min().unwrap_or(0);
        let high = near.iter().map(|(_, range, _)| range.end).max().unwrap_or(0);
        let (window, line) = lines_around(&source.text, low..high);
        let mut snippet = Snippet::source(&source.text[window.clone()]).line_start(line).path(clean(&source.path));
        for (primary, range, text) in near {
            let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(range.start - window.start..range.end - window.start);
            snippet = snippet.annotation(match text.is_empty() {
                true => annotation,
                false => annotation.label(clean(text)),
            });
        }
        group = group.element(snippet);
        rest = far;
    }
    group
}

fn place_alone<'a>(group: Group<'a>, label: &'a Label) -> Group<'a> {
    let group = group.element(Origin::path(place_words(&label.place)));
    match label.text.is_empty() {
        true => group,
        false => group.element(Level::INFO.no_name().message(clean(&label.text))),
    }
}

fn place_words(place: &Place) -> String {
    match place {
        Place::Source { path, .. } => one_line(path),
        Place::Data { path, row, line, column } => data_place(path, *row, *line, column.as_deref()),
    }
}

fn suggestion<'a>(fix: &'a Fix, source: &'a Source) -> Group<'a> {
    let title = match fix.safety {
        Safety::Safe => clean(&fix.title).into_owned(),
        Safety::Unsafe => format!("{}, if that is what is meant", clean(&fix.title)),
    };
    let edits: Vec<_> = fix.edits.iter().map(|edit| (within(&source.text, edit.span), edit.text.as_str())).collect();
    let low = edits.iter().map(|(range, _)| range.start).min().unwrap_or(0);
    let high = edits.iter().map(|(range, _)| range.end).max().unwrap_or(0);
    let (window, line) = lines_around(&source.text, low..high);
    let patches = edits
        .into_iter()
        .map(|(range, text)| Patch::new(range.start - window.start..range.end - window.start, clean(text)));
    Group::with_title(Level::HELP.secondary_title(title))
        .element(Snippet::source(&source.text[window.clone()]).line_start(line).patches(patches))
}

/// Whether the help says no more than the suggestion that stands below it.
fn says_the_fix(help: &str, fix: Option<&Fix>) -> bool {
    let Some(Fix { title, edits, .. }) = fix else { return false };
    let asks = help.starts_with("did you mean") && edits.iter().all(|edit| help.contains(&edit.text));
    asks || help == title
}

/// The span as a range that lies in the text, on the borders of characters, whatever the span says.
fn within(text: &str, span: Span) -> Range<usize> {
    let border = |at: u32| {
        let mut at = (at as usize).min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = border(span.start);
    start..border(span.end).max(start)
}

/// The whole lines that hold the range and one around them, and the number of the first. The rest of a large file need
/// not be looked at for each finding.
fn lines_around(text: &str, range: Range<usize>) -> (Range<usize>, usize) {
    let begin = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end = |at: usize| text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
    let start = begin(range.start);
    let start = if start > 0 { begin(start - 1) } else { 0 };
    let stop = end(range.end);
    let stop = if stop < text.len() { end(stop) } else { stop };
    (start..stop, line_at(text, start))
}

fn line_of(source: &Source, at: usize) -> usize {
    line_at(&source.text, at)
}

fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}
