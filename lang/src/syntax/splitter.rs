//! Tokens to chunks: where each declaration starts and ends.
//!
//! A declaration starts at a known keyword in the first column, whatever was left open before it: that is what keeps one
//! missing brace from damaging its neighbours. An unknown word in the first column starts a chunk too, unless a bracket
//! is open, so that a misspelled keyword is one finding. So does a known keyword at the start of an indented line when
//! nothing is open.
//!
//! Every token belongs to exactly one chunk, except what stands before the first one, which is trivia.

use super::keywords;
use super::lexer::{Bracket, LexError, Token, TokenKind};
use std::ops::Range;

/// The tokens of one declaration, with the `##` lines directly above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its tokens, from the first `##` line, or its keyword, to the last one that is not trivia.
    pub tokens: Range<usize>,
    /// Index of its first token that is not trivia.
    pub first: usize,
    /// What it starts with.
    pub start: Start,
}

/// What a chunk starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A declaration's keyword in the first column.
    Keyword,
    /// A declaration's keyword, but indented.
    Indented,
    /// Another word in the first column.
    Word,
    /// Anything else.
    Stray,
}

/// The chunks of a text's tokens, in order.
pub fn split(text: &str, tokens: &[Token]) -> Vec<Chunk> {
    let starts = starts(text, tokens);
    let mut chunks = Vec::with_capacity(starts.len());
    for (n, (first, start)) in starts.iter().enumerate() {
        let limit = starts.get(n + 1).map_or(tokens.len(), |(next, _)| *next);
        let last = (*first..limit).rev().find(|i| !tokens[*i].kind.is_trivia()).unwrap_or(*first);
        chunks.push(Chunk { tokens: doc_start(tokens, *first)..last + 1, first: *first, start: *start });
    }
    chunks
}

/// The first token of each chunk.
fn starts(text: &str, tokens: &[Token]) -> Vec<(usize, Start)> {
    let mut starts = Vec::new();
    let mut open: Vec<Bracket> = Vec::new();
    let mut line = Line::Start { indented: false };
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => line = Line::Start { indented: false },
            TokenKind::Whitespace if line == (Line::Start { indented: false }) => {
                let bom = i == 0 && text.starts_with('\u{feff}');
                line = Line::Start { indented: !bom };
            }
            kind if kind.is_trivia() => {}
            kind => {
                if let Line::Start { indented } = line
                    && let Some(start) = start_of(text, &tokens[i..], indented, open.is_empty(), starts.is_empty())
                {
                    open.clear();
                    starts.push((i, start));
                }
                line = Line::Inside;
                track(&mut open, kind);
            }
        }
    }
    starts
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Start { indented: bool },
    Inside,
}

/// Whether a chunk starts with these tokens, the first of which is the first of its line.
fn start_of(text: &str, tokens: &[Token], indented: bool, nothing_open: bool, nothing_before: bool) -> Option<Start> {
    let token = &tokens[0];
    let is_word = matches!(token.kind, TokenKind::Word | TokenKind::Error(LexError::Name));
    // An indented keyword starts a declaration if what it declares follows; `data: string` is a column without its braces.
    let declares = || {
        let next = tokens[1..].iter().map(|t| t.kind).find(|k| *k != TokenKind::Whitespace);
        matches!(next, Some(TokenKind::Word | TokenKind::StringStart | TokenKind::Number))
    };
    let known = token.kind == TokenKind::Word && keywords::is_declaration(&text[token.span.range()]);
    match () {
        _ if known && !indented => Some(Start::Keyword),
        _ if known && nothing_open && declares() => Some(Start::Indented),
        _ if is_word && nothing_open && !indented => Some(Start::Word),
        _ if nothing_before => Some(Start::Stray),
        _ => None,
    }
}

/// How many open brackets are looked at for a partner, so that a text of brackets takes linear time.
const REACH: usize = 256;

/// Keeps the open brackets. A closing one closes its nearest partner, and whatever was left open inside of it.
fn track(open: &mut Vec<Bracket>, kind: TokenKind) {
    match kind {
        TokenKind::Open(bracket) if bracket != Bracket::Hole => open.push(bracket),
        TokenKind::Close(bracket) => {
            if let Some(back) = open.iter().rev().take(REACH).position(|b| *b == bracket) {
                open.truncate(open.len() - 1 - back);
            }
        }
        _ => {}
    }
}

/// The first of the `##` lines directly above the token `first`, or `first` itself.
pub(super) fn doc_start(tokens: &[Token], first: usize) -> usize {
    let mut start = first;
    let mut newlines = 0;
    for i in (0..first).rev() {
        match tokens[i].kind {
            TokenKind::Whitespace => {}
            TokenKind::Newline if newlines == 0 => newlines = 1,
            TokenKind::Doc if newlines == 1 => (start, newlines) = (i, 0),
            _ => break,
        }
    }
    // A `##` after other code on its line is that line's comment, not the next declaration's.
    let before = (0..start).rev().find(|i| tokens[*i].kind != TokenKind::Whitespace);
    match before {
        Some(i) if start != first && tokens[i].kind != TokenKind::Newline => {
            (start..first).skip(1).find(|i| tokens[*i].kind == TokenKind::Doc).unwrap_or(first)
        }
        _ => start,
    }
}
