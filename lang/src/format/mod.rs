//! The formatter: one style, no options, and nothing written unless it means the same.
//!
//! Works on tokens and their layout alone, so that a declaration it has never heard of is formatted like any other.
//!
//! ```text
//! tokens -> items (read) -> spaces between them (spacing) -> commas and breaks (breaks) -> lines with columns (lines, align)
//! ```
//!
//! Invariants, each checked on every call and not only by tests: the tree of the outcome equals the tree of the text
//! (places aside), no token but a comma comes or goes, no comment is lost or reordered, and formatting the outcome again
//! changes nothing. When one of them does not hold, the text is left as it is.

mod align;
mod breaks;
mod items;
mod lines;
mod rows;
mod spacing;

#[cfg(test)]
mod tests;

use crate::finding::Finding;
use crate::span::Source;
use crate::syntax::lexer::{self, Token, TokenKind};
use crate::syntax::{self, Syntax};

/// Columns that a line of code should not exceed. Comments and texts may: they are never broken.
pub const WIDTH: usize = 120;

/// Why a text was left as it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// It has mistakes of syntax, and a line that is not understood is nothing to guess about.
    Broken(Vec<Finding>),
    /// What came out would not have been the same file. That is a mistake of the formatter.
    Unsafe(Change),
}

/// What would have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The meaning of the file.
    Meaning,
    /// A comment, or the order of comments.
    Comments,
    /// The outcome, when it is formatted again.
    Again,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Change::Meaning => "formatting would change what this file means",
            Change::Comments => "formatting would lose or move a comment",
            Change::Again => "formatting would not come to an end",
        })
    }
}

/// The text in the style of `spec/15-formatting.md`. Lines end with `\n`, there is no byte-order mark, and a text that is not
/// empty ends with a newline.
///
/// # Errors
/// [`Refusal::Broken`] with the findings when the text has mistakes of syntax; [`Refusal::Unsafe`] when one of the
/// invariants of this module would not hold.
pub fn format(source: &Source) -> Result<String, Refusal> {
    let before = syntax::parse(source);
    // What the language knows and this version cannot run is well understood.
    if before.findings.iter().any(|finding| finding.is_error() && !finding.code.id.starts_with("E09")) {
        return Err(Refusal::Broken(before.findings));
    }
    let text = &*source.text;
    let tokens = lexer::lex(text);
    let Some(formatted) = lay_out(text, &tokens) else { return Err(Refusal::Broken(before.findings)) };
    if formatted == text {
        return Ok(formatted);
    }
    let again = lexer::lex(&formatted);
    if comments(text, &tokens) != comments(&formatted, &again) {
        return Err(Refusal::Unsafe(Change::Comments));
    }
    let after = syntax::parse(&Source::new(&source.path, &formatted));
    if words(text, &tokens) != words(&formatted, &again) || meaning(&before) != meaning(&after) {
        return Err(Refusal::Unsafe(Change::Meaning));
    }
    if lay_out(&formatted, &again).as_ref() != Some(&formatted) {
        return Err(Refusal::Unsafe(Change::Again));
    }
    Ok(formatted)
}

/// The style, unchecked. `None`: the text has tokens that are not of the language, or brackets without partners.
fn lay_out(text: &str, tokens: &[Token]) -> Option<String> {
    let items = spacing::part_types(items::read(text, tokens)?);
    let items = breaks::arrange(items)?;
    lines::print(&items)
}

/// The comments in their order. Spaces at their ends are not theirs.
fn comments<'t>(text: &'t str, tokens: &[Token]) -> Vec<&'t str> {
    let comments = tokens.iter().filter(|t| matches!(t.kind, TokenKind::Comment | TokenKind::Doc));
    comments.map(|t| text[t.span.range()].trim_end()).collect()
}

/// Everything that means something, without what is between. Commas come and go with line breaks.
fn words(text: &str, tokens: &[Token]) -> String {
    let words = tokens.iter().filter(|t| !t.kind.is_trivia()).map(|t| &text[t.span.range()]);
    words.filter(|word| *word != ",").map(items::unix_lines).collect()
}

/// The tree without its places, as text.
fn meaning(syntax: &Syntax) -> String {
    let codes: Vec<_> = syntax.findings.iter().map(|finding| &finding.code.id).collect();
    let broken: Vec<_> = syntax.broken.iter().map(|ident| &ident.name).collect();
    without_spans(&format!("{:?} {codes:?} {broken:?}", syntax.file))
}

/// A printed tree with its spans blanked out: whatever the tree is made of, its places are written like this.
fn without_spans(printed: &str) -> String {
    const SPAN: &str = "Span { start: ";
    let mut out = String::with_capacity(printed.len() / 2);
    let mut rest = printed;
    while let Some(at) = rest.find(SPAN) {
        out.push_str(&rest[..at]);
        let inside = &rest[at + SPAN.len()..];
        rest = match inside.find('}') {
            Some(end) if inside[..end].bytes().all(|b| b.is_ascii_digit() || b" ,:end".contains(&b)) => {
                &inside[end + 1..]
            }
            _ => {
                out.push_str(SPAN);
                inside
            }
        };
    }
    out.push_str(rest);
    out
}
