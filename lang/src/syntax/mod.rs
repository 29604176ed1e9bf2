//! Syntax: from text to a tree with findings.
//!
//! Owns: the lexer, the splitter, the grammar (pest, which nobody outside sees), the tree in [`ast`], and the findings
//! about how a file is written. Must not know: what names stand for, or the types of anything.
//!
//! ```text
//! text -> lexer: tokens -> splitter: chunks -> layout: header and members -> grammar: nodes -> tree: ast
//! ```
//!
//! Invariants, each of them tested:
//! - parsing never fails and never panics, takes linear time, and needs a bounded stack;
//! - the tokens of a text, put end to end, are the text;
//! - what comes out of a chunk depends on the chunk's text alone, so that a broken declaration leaves all others equal;
//! - every span lies in the file, on the boundaries of characters;
//! - one mistake is one finding.

pub mod ast;
mod chunk;
pub mod codes;
mod failure;
mod grammar;
mod headers;
mod incremental;
pub mod keywords;
mod layout;
pub mod lexer;
pub(crate) mod literals;
mod live;
mod members;
mod reuse;
mod shift;
pub mod splitter;
mod tree;

#[cfg(test)]
mod tests;

pub(crate) use incremental::Edit;
pub use incremental::Incremental;

use crate::finding::{Finding, Place, Safety};
use crate::span::{Source, Span};
pub(crate) use shift::Shift;
pub(crate) use tree::error as tree_error;

/// The largest file that is parsed, in bytes. A thousand declarations are a tenth of a megabyte.
pub const LARGEST_FILE: usize = 8 << 20;

/// How many findings are gathered before the rest of a declaration, and then of the file, is left unread. Nobody reads
/// more, and a hostile file must not fill the memory with them.
pub const MOST_FINDINGS: usize = 1_000;

/// A file as parsed: everything that could be understood, and a finding for everything that could not.
#[derive(Clone, Debug, Default)]
pub struct Syntax {
    /// The tree.
    pub file: ast::File,
    /// Names whose declarations are not in the tree, because they could not be understood or because this version does not
    /// know them. That was reported; that the name is unknown must not be.
    pub broken: Vec<ast::Ident>,
    /// In order of their place.
    pub findings: Vec<Finding>,
}

/// Parses one file. Never fails, never panics.
pub fn parse(source: &Source) -> Syntax {
    let mut parser = Incremental::default();
    parser.parse(source);
    parser.into_syntax()
}

fn place(source: &Source, span: Span) -> Place {
    Place::Source { path: source.path.clone(), span }
}

fn too_large(source: &Source) -> Finding {
    let megabytes = LARGEST_FILE >> 20;
    let message = format!("this file has more than {megabytes} MiB, and is not read");
    Finding::error(codes::FILE_TOO_LARGE, place(source, Span::default()), message)
        .help("split it into several pipelines, or keep data out of it")
}

fn too_many(source: &Source, span: Span) -> Finding {
    let message = format!("more than {MOST_FINDINGS} things are wrong, and the rest of the file was not read");
    Finding::error(codes::TOO_MANY_FINDINGS, place(source, span), message)
        .label("not read from here on")
        .help("mend the first findings and check again; is this an mlp file?")
}

fn missing_edition(source: &Source) -> Finding {
    let start = if source.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let at = Span::new(start, start);
    Finding::warning(
        codes::MISSING_EDITION,
        place(source, at),
        "this file does not say which edition of the language it is in",
    )
    .label("expected `mlp 1`")
    .note("with its edition a file keeps its meaning in later versions")
    .fix("begin with `mlp 1`", at, "mlp 1\n\n", Safety::Safe)
}

fn misplaced_edition(source: &Source, span: Span, first: Option<Span>) -> Finding {
    let finding =
        Finding::error(codes::MISPLACED_EDITION, place(source, span), "the edition stands once, in the first line");
    match first {
        Some(first) => finding.label("said again here").also(place(source, first), "said here").fix(
            "remove this line",
            span,
            "",
            Safety::Safe,
        ),
        None => finding.label("not in the first line").help("move `mlp 1` to the top of the file"),
    }
}

/// Nanoseconds of a duration as written in a file: `1h30m`. `None`: it is none.
pub fn duration(text: &str) -> Option<i64> {
    match literals::number(text) {
        Ok(ast::ExprKind::Duration(nanos)) => Some(nanos),
        _ => None,
    }
}
