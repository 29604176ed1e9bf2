//! Tokens to chunks: where each declaration starts and ends.
//!
//! A declaration starts at a known keyword in the first column, whatever was left open before it: that is what keeps one
//! missing brace from damaging its neighbours. An unknown word in the first column starts a chunk too, unless a bracket
//! is open, so that a misspelled keyword is one finding. So does a known keyword at the start of an indented line when
//! nothing is open, and whatever else stands in the first column or behind an empty line and cannot go on with what is above.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    let mut cut = Cut {
        text,
        tokens,
        open: Vec::new(),
        opened: 0,
        early: false,
        indented: false,
        component: false,
        starts: Vec::new(),
    };
    let mut line = Line { number: 0, at_start: true, indented: false, apart: false, blank: true };
    // A declaration that starts in the middle of its line.
    let mut waiting: Option<(usize, Start)> = None;
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => {
                let apart = line.apart || line.blank;
                line = Line { number: line.number + 1, at_start: true, indented: false, apart, blank: true };
            }
            TokenKind::Whitespace if line.at_start => line.indented = !(i == 0 && text.starts_with('\u{feff}')),
            TokenKind::Comment | TokenKind::Doc => line.blank = false,
            kind if kind.is_trivia() => {}
            kind => {
                if let Some((_, start)) = waiting.take_if(|(at, _)| *at == i) {
                    cut.start(i, start);
                } else if line.at_start {
                    waiting = cut.begin_line(i, &line);
                    cut.indented = line.indented;
                }
                line.at_start = ends_line(kind);
                (line.blank, line.apart) = (false, false);
                cut.track(kind, token, line.number);
            }
        }
    }
    cut.starts
}

/// The line that is being read.
struct Line {
    number: usize,
    /// Whether nothing but trivia was read of it.
    at_start: bool,
    indented: bool,
    /// Whether an empty line stands between it and the last one with code.
    apart: bool,
    blank: bool,
}

struct Cut<'t> {
    text: &'t str,
    tokens: &'t [Token],
    open: Vec<Bracket>,
    /// The line on which the outermost open bracket was opened.
    opened: usize,
    /// Whether the block of this chunk was closed in the middle of a line, or on an indented one: probably by a brace too
    /// many, so that what follows still belongs to it.
    early: bool,
    /// Whether the last line with code is indented.
    indented: bool,
    /// Whether this chunk is a component, in whose block declarations stand.
    component: bool,
    starts: Vec<(usize, Start)>,
}

impl Cut<'_> {
    fn start(&mut self, i: usize, start: Start) {
        self.open.clear();
        self.early = false;
        self.component = self.word(i) == "component";
        self.starts.push((i, start));
    }

    fn word(&self, i: usize) -> &str {
        &self.text[self.tokens[i].span.range()]
    }

    /// Whether the token is a declaration's keyword.
    fn is_keyword(&self, i: usize) -> bool {
        self.tokens[i].kind == TokenKind::Word && keywords::is_declaration(self.word(i))
    }

    /// The next token on the line that is not white space.
    fn next_on_line(&self, i: usize) -> Option<usize> {
        (i + 1..self.tokens.len()).find(|i| self.tokens[*i].kind != TokenKind::Whitespace)
    }

    /// Whether a keyword that is not in the first column starts a declaration: what it declares follows. `data: string` is a
    /// column without its braces.
    fn declares(&self, i: usize) -> bool {
        let next = self.next_on_line(i).map(|next| self.tokens[next].kind);
        self.is_keyword(i) && matches!(next, Some(TokenKind::Word | TokenKind::StringStart | TokenKind::Number))
    }

    /// Starts a chunk with the first token of a line, if one starts there; and says if another one starts on the same line.
    fn begin_line(&mut self, i: usize, line: &Line) -> Option<(usize, Start)> {
        let kind = self.tokens[i].kind;
        let is_word = matches!(kind, TokenKind::Word | TokenKind::Error(LexError::Name));
        let closed = self.open.is_empty();
        let over = closed && !self.early;
        let closes = matches!(kind, TokenKind::Close(_)) && !over;
        let start = match () {
            _ if self.is_keyword(i) && !line.indented => Some(Start::Keyword),
            _ if over && self.declares(i) => Some(Start::Indented),
            _ if is_word && closed && !line.indented => Some(Start::Word),
            _ if self.starts.is_empty() => Some(Start::Stray),
            _ if is_word || line.indented => (over && line.apart && !self.goes_on(i)).then_some(Start::Stray),
            _ => None,
        };
        if let Some(start) = start {
            self.start(i, start);
        }
        if is_word || line.indented || start.is_some_and(|start| start != Start::Stray) {
            return None;
        }
        // Something in the first column that starts nothing: before a declaration, or behind one.
        let next = self.next_on_line(i).filter(|next| self.declares(*next));
        let opens = kind == TokenKind::Open(Bracket::Curly);
        if closes || (opens && self.component) {
            return next.filter(|_| closes).map(|next| (next, Start::Indented));
        }
        if start.is_none() && (next.is_some() || (closed && !self.goes_on(i))) {
            self.start(i, Start::Stray);
        }
        next.map(|next| (next, Start::Keyword))
    }

    /// Whether a line that starts with this token can go on with a declaration that is complete above it.
    fn goes_on(&self, i: usize) -> bool {
        match self.tokens[i].kind {
            TokenKind::Operator | TokenKind::Open(Bracket::Curly) => true,
            // Of a block whose `{` is missing, or which was closed early.
            TokenKind::Close(_) => self.indented,
            TokenKind::Word => ["when", "after", "for", "and", "or", "else"].contains(&self.word(i)),
            _ => false,
        }
    }

    /// Keeps the open brackets. A closing one closes its nearest partner, and whatever was left open inside of it.
    fn track(&mut self, kind: TokenKind, token: &Token, line: usize) {
        match kind {
            TokenKind::Open(bracket) if bracket != Bracket::Hole => {
                if self.open.is_empty() {
                    self.opened = line;
                }
                self.open.push(bracket);
            }
            TokenKind::Close(bracket) => {
                if let Some(back) = self.open.iter().rev().take(REACH).position(|b| *b == bracket) {
                    self.open.truncate(self.open.len() - 1 - back);
                    let start = token.span.start as usize;
                    let first_column = start == 0 || self.text.as_bytes()[start - 1] == b'\n';
                    self.early |=
                        self.open.is_empty() && bracket == Bracket::Curly && !first_column && line > self.opened;
                }
            }
            _ => {}
        }
    }
}

/// How many open brackets are looked at for a partner, so that a text of brackets takes linear time.
const REACH: usize = 256;

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
        Some(i) if start != first && !ends_line(tokens[i].kind) => {
            (start..first).skip(1).find(|i| tokens[*i].kind == TokenKind::Doc).unwrap_or(first)
        }
        _ => start,
    }
}

/// Whether the token is the last of its line. An unclosed text ends where the next declaration's line starts.
fn ends_line(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Newline | TokenKind::Error(LexError::UnclosedTriple))
}
