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

pub use incremental::Incremental;

use crate::finding::{Finding, Place, Safety};
use crate::span::{Source, Span};
use lexer::Token;
pub(crate) use shift::Shift;
use shift::place_finding;
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
    parse_with(source, |_, _, parse| parse())
}

/// Parses a file chunk by chunk. `chunk` is given the text of one, what it starts with, and what parses it, and says what it
/// comes to.
fn parse_with(
    source: &Source,
    mut chunk: impl FnMut(&str, splitter::Start, &dyn Fn() -> chunk::Parsed) -> chunk::Parsed,
) -> Syntax {
    let text = &*source.text;
    let mut syntax = Syntax::default();
    if text.len() > LARGEST_FILE {
        syntax.findings.push(too_large(source));
        return syntax;
    }
    let tokens = lexer::lex(text);
    let mut nothing_before = true;
    for piece in splitter::split(text, &tokens) {
        if syntax.findings.len() >= MOST_FINDINGS {
            syntax.findings.push(too_many(source, tokens[piece.first].span));
            break;
        }
        let piece_tokens = &tokens[piece.tokens.clone()];
        let (base, end) = match piece_tokens {
            [first, .., last] => (first.span.start as usize, last.span.end as usize),
            [only] => (only.span.start as usize, only.span.end as usize),
            [] => continue,
        };
        // The indentation before an indented declaration is part of what its fix removes.
        let line = text[..base].rfind('\n').map_or(0, |n| n + 1);
        let base = if text[line..base].bytes().all(|b| b == b' ' || b == b'\t') { line } else { base };
        let parse = || {
            let relative =
                |t: &Token| Token { span: Span::new(t.span.start as usize - base, t.span.end as usize - base), ..*t };
            let tokens: Vec<Token> = piece_tokens.iter().map(relative).collect();
            chunk::parse(&text[base..end], &tokens, piece.first - piece.tokens.start, piece.start)
        };
        let mut parsed = chunk(&text[base..end], piece.start, &parse);
        for finding in &mut parsed.findings {
            place_finding(finding, &source.path, base);
        }
        parsed.declaration.shift(base);
        parsed.edition.shift(base);
        if let Some(broken) = &mut parsed.broken {
            broken.span.shift(base);
        }
        syntax.findings.append(&mut parsed.findings);
        if let Some(edition) = parsed.edition {
            if nothing_before {
                syntax.file.edition = Some(edition);
            } else {
                let first = syntax.file.edition.as_ref().map(|e| e.span);
                syntax.findings.push(misplaced_edition(source, edition.span, first));
            }
        }
        syntax.file.declarations.extend(parsed.declaration);
        syntax.broken.extend(parsed.broken);
        nothing_before = false;
        // A declaration stops at one finding too many: that is how it is known that there are more.
        if syntax.findings.len() > MOST_FINDINGS {
            syntax.findings.sort_by_key(failure::position);
            let position = failure::position(&syntax.findings[MOST_FINDINGS]);
            syntax.findings.truncate(MOST_FINDINGS);
            syntax.findings.push(too_many(source, Span { start: position, end: position }));
            break;
        }
    }
    let tried = text.lines().any(|line| {
        line.trim_start_matches('\u{feff}')
            .split_whitespace()
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("mlp"))
    });
    if syntax.file.edition.is_none() && !tried {
        syntax.findings.insert(0, missing_edition(source));
    }
    syntax.findings.sort_by_key(failure::position);
    syntax
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
