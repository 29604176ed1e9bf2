//! Findings as text: the line, a caret, and all that is said.

use crate::finding::{Finding, Label, Place, Severity};
use crate::span::Source;
use std::fmt::Write;

pub(super) fn findings(source: &Source, findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "no findings\n".to_owned();
    }
    let mut out = String::new();
    for finding in findings {
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        let _ = writeln!(out, "{severity}[{} {}]: {}", finding.code.id, finding.code.name, finding.message);
        label(source, &finding.primary, '^', &mut out);
        finding.secondary.iter().for_each(|secondary| label(source, secondary, '-', &mut out));
        for note in &finding.notes {
            let _ = writeln!(out, "  note: {note}");
        }
        if let Some(help) = &finding.help {
            let _ = writeln!(out, "  help: {help}");
        }
        if let Some(fix) = &finding.fix {
            let edits = fix
                .edits
                .iter()
                .map(|edit| format!("{:?} -> {:?}", source.text.get(edit.span.range()).unwrap_or("!"), edit.text));
            let _ = writeln!(out, "  fix ({:?}): {}", fix.safety, edits.collect::<Vec<_>>().join(", "));
        }
        out.push('\n');
    }
    out
}

fn label(source: &Source, label: &Label, mark: char, out: &mut String) {
    let Place::Source { span, .. } = &label.place else { return };
    let (line, column) = source.line_column(span.start);
    let text = source.text.lines().nth(line - 1).unwrap_or_default();
    let width = (span.end.saturating_sub(span.start) as usize)
        .clamp(1, (text.chars().count() + 1).saturating_sub(column).max(1));
    let number = line.to_string();
    let _ = writeln!(out, "  {number} | {text}");
    let marks = mark.to_string().repeat(width);
    let _ = writeln!(out, "  {} | {}{marks} {}", " ".repeat(number.len()), " ".repeat(column - 1), label.text);
}

/// Findings in several files: the first is the checked one, others are named.
pub(super) fn findings_in(sources: &[Source], found: &[Finding]) -> String {
    let mut out = String::new();
    for finding in found {
        let path = |label: &Label| match &label.place {
            Place::Source { path, .. } | Place::Data { path, .. } => path.clone(),
        };
        let home = path(&finding.primary);
        let source = sources.iter().find(|source| source.path == home).unwrap_or(&sources[0]);
        if home != sources[0].path {
            let _ = writeln!(out, "in {home}:");
        }
        let (near, far): (Vec<Label>, Vec<Label>) =
            finding.secondary.iter().cloned().partition(|label| path(label) == home);
        out.push_str(findings(source, &[Finding { secondary: near, ..finding.clone() }]).trim_end());
        out.push('\n');
        for label in far {
            let _ = writeln!(out, "  and in {}:", path(&label));
            let source = sources.iter().find(|source| source.path == path(&label)).unwrap_or(&sources[0]);
            self::label(source, &label, '-', &mut out);
        }
        out.push('\n');
    }
    if out.is_empty() { "no findings\n".to_owned() } else { out }
}
