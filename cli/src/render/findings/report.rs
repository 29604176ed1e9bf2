//! What a check found, with what all formats for machines need: paths as other tools know them, lines, and a print that
//! stays when lines move.

use crate::fault::Fault;
use crate::render::text::clean;
use mlp_core::digest::Digest;
use mlp_lang::finding::{Finding, Place};
use mlp_lang::silence::Silenced;
use mlp_lang::span::{Source, Span};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// Everything that `mlp check` has to tell.
pub struct Report<'a> {
    /// What was found, file by file.
    pub findings: &'a [Finding],
    /// What comments silence.
    pub silenced: &'a [Silenced],
    /// The files that were checked.
    pub sources: &'a [Source],
    /// The files that could not be read.
    pub unreadable: &'a [Fault],
    /// The folder that paths are told relative to.
    pub base: &'a Path,
}

/// A place as editors and code hosts count it: lines and columns from 1, columns in UTF-16 code units, the end not
/// included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First line.
    pub line: usize,
    /// Where it starts in the first line. Absent: the whole line is meant.
    pub column: Option<usize>,
    /// Last line.
    pub end_line: usize,
    /// One past where it ends in the last line.
    pub end_column: Option<usize>,
}

impl<'a> Report<'a> {
    /// The checked file that a path stands for.
    pub fn source(&self, path: &str) -> Option<&'a Source> {
        self.sources.iter().find(|source| &*source.path == path)
    }

    /// The path relative to the working directory, with `/`.
    pub fn path(&self, path: &str) -> String {
        relative(path, self.base)
    }

    /// The path of a place, and where in the file it is, if that is known.
    pub fn place(&self, place: &Place) -> (String, Option<Region>) {
        match place {
            Place::Source { path, span } => (self.path(path), self.source(path).map(|source| region(source, *span))),
            Place::Data { path, line, .. } => {
                let whole =
                    |line: u64| Region { line: line as usize, column: None, end_line: line as usize, end_column: None };
                (self.path(path), line.map(whole))
            }
        }
    }

    /// For each finding a print that is its own, and that stays when the lines above it change: of the code, the path, the
    /// line's text, and how many of the same stand before it.
    pub fn prints(&self, findings: impl IntoIterator<Item = &'a Finding>) -> Vec<String> {
        let mut before: HashMap<String, usize> = HashMap::new();
        let of = |finding: &Finding| {
            let (path, _) = self.place(&finding.primary.place);
            let text = match &finding.primary.place {
                Place::Source { path, span } => {
                    self.source(path).map_or_else(String::new, |source| line_text(source, *span))
                }
                Place::Data { row, column, .. } => format!("{row:?} {column:?}"),
            };
            let key = [&*finding.code.id, &path, &text].join("\n");
            let again = before.entry(key.clone()).or_insert(0);
            *again += 1;
            Digest::of(format!("{key}\n{again}").as_bytes()).to_string().chars().take(32).collect()
        };
        findings.into_iter().map(of).collect()
    }
}

/// A path relative to `base` if it lies below it, without `.` and with `/`.
pub fn relative(path: &str, base: &Path) -> String {
    let path = Path::new(path);
    let below = if path.is_absolute() { path.strip_prefix(base).unwrap_or(path) } else { path };
    let parts: PathBuf = below.components().filter(|part| *part != Component::CurDir).collect();
    parts.to_string_lossy().replace('\\', "/")
}

/// The line where a place begins, without what surrounds and separates its words.
pub fn line_text(source: &Source, span: Span) -> String {
    let text = &*source.text;
    let start = border(text, span.start);
    let begin = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    text[begin..end].split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The message with everything else that is said, a line each.
pub fn words(finding: &Finding) -> String {
    let mut lines = vec![clean(&finding.message).into_owned()];
    if !finding.primary.text.is_empty() {
        lines.push(format!("here: {}", clean(&finding.primary.text)));
    }
    lines.extend(finding.notes.iter().map(|note| format!("note: {}", clean(note))));
    lines.extend(finding.help.iter().map(|help| format!("help: {}", clean(help))));
    lines.join("\n")
}

/// Lines and columns of a range.
pub fn region(source: &Source, span: Span) -> Region {
    let (line, column) = utf16(source, span.start);
    let (end_line, end_column) = utf16(source, span.end.max(span.start));
    Region { line, column: Some(column), end_line, end_column: Some(end_column) }
}

fn utf16(source: &Source, offset: u32) -> (usize, usize) {
    let text = &*source.text;
    let at = border(text, offset);
    let (line, _) = source.line_column(at as u32);
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    // Editors take the mark at the start of a file for no character.
    let before = text[start..at].trim_start_matches(if start == 0 { '\u{feff}' } else { '\n' });
    (line, before.encode_utf16().count() + 1)
}

/// The offset, or the border of a character before it.
fn border(text: &str, offset: u32) -> usize {
    let mut at = (offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_utf16_code_units_and_a_byte_order_mark_is_none() {
        let source = Source::new("a.mlp", "\u{feff}é😀x\n😀y\n");
        let at = |text: &str| source.text.find(text).unwrap() as u32;
        assert_eq!(
            region(&source, Span { start: at("x"), end: at("x") + 1 }),
            Region { line: 1, column: Some(4), end_line: 1, end_column: Some(5) }
        );
        assert_eq!(utf16(&source, at("y")), (2, 3));
        assert_eq!(utf16(&source, 0), (1, 1));
        assert_eq!(utf16(&source, 9_999), (3, 1));
    }

    #[test]
    fn paths_are_told_as_a_repository_knows_them() {
        let base = Path::new("/work/project");
        for (path, told) in [
            ("a.mlp", "a.mlp"),
            ("./lib/./a.mlp", "lib/a.mlp"),
            ("/work/project/lib/a.mlp", "lib/a.mlp"),
            ("/work/other/a.mlp", "/work/other/a.mlp"),
            ("../a.mlp", "../a.mlp"),
            ("<stdin>", "<stdin>"),
        ] {
            assert_eq!(relative(path, base), told);
        }
    }
}
