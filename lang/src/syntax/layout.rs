//! The layout of one declaration: its header, its block, the members of the block, and a text for the grammar.
//!
//! Works on tokens alone, in time linear in their number, whatever is missing. (A grammar that looks for balanced brackets
//! by itself tries every opening one twice, and so takes exponential time when many are left open.)
//!
//! The text for the grammar has the same length as the declaration's. Comments are spaces in it, and so are the newlines
//! that mean nothing: inside `( )` and `[ ]`, beside a binary operator, after a comma, and before a clause that belongs to
//! the line above it.

use super::keywords;
use super::lexer::{Bracket, LexError, Token, TokenKind};
use std::ops::Range;

/// The layout of one declaration.
#[derive(Debug)]
pub struct Layout {
    /// For each bracket that opens or closes, the index of its partner.
    pub partner: Vec<Option<usize>>,
    /// The declaration's text with comments and meaningless newlines blanked out.
    pub text: String,
    /// Tokens of the header: up to the block, or to the end of the line.
    pub header: Range<usize>,
    /// The block, if there is one.
    pub block: Option<Block>,
    /// The first token after all of it that does not belong there.
    pub trailing: Option<usize>,
}

/// `{ ... }` with its members.
#[derive(Debug)]
pub struct Block {
    /// Index of `{`.
    pub open: usize,
    /// Index of `}`, if it is there.
    pub close: Option<usize>,
    /// Tokens of each member, from its first to its last that is not trivia.
    pub members: Vec<Range<usize>>,
}

/// Lays out the declaration whose keyword is `tokens[0]`. Spans are relative to `text`. With `blocks`, the first `{` that
/// follows a name or a value opens its block.
pub fn lay_out(text: &str, tokens: &[Token], blocks: bool) -> Layout {
    let partner = match_brackets(tokens);
    let following = following(tokens);
    Walk { text, tokens, partner, following, blocks, frames: Vec::new(), blank: Vec::new() }.lay_out()
}

/// For each token, the first one at or after it that is not trivia.
fn following(tokens: &[Token]) -> Vec<usize> {
    let mut following = vec![tokens.len(); tokens.len() + 1];
    for i in (0..tokens.len()).rev() {
        following[i] = if tokens[i].kind.is_trivia() { following[i + 1] } else { i };
    }
    following
}

/// How far back a bracket's partner is looked for, in open brackets. Anything deeper was reported as too deep; without a
/// limit a text of opening brackets would take quadratic time.
const REACH: usize = 256;

/// Pairs brackets. A brace closes everything left open inside of it. When braces do not balance, the indentation tells which
/// of them is missing or one too many, as everybody indents them: a `}` at the start of a line closes the brace whose line is
/// indented like it, and one in the middle of a line a brace of that line.
fn match_brackets(tokens: &[Token]) -> Vec<Option<usize>> {
    let partner = pair(tokens, false);
    let alone = |i: usize| {
        let curly = matches!(tokens[i].kind, TokenKind::Open(Bracket::Curly) | TokenKind::Close(Bracket::Curly));
        curly && partner[i].is_none()
    };
    if !(0..tokens.len()).any(alone) {
        return partner;
    }
    let indented = pair(tokens, true);
    // Where nobody indents like that, it tells nothing.
    let alone = |partner: &[Option<usize>]| {
        let curly =
            |i: &usize| matches!(tokens[*i].kind, TokenKind::Open(Bracket::Curly) | TokenKind::Close(Bracket::Curly));
        (0..tokens.len()).filter(|i| curly(i) && partner[*i].is_none()).count()
    };
    if alone(&indented) <= alone(&partner) { indented } else { partner }
}

/// An open bracket.
#[derive(Clone, Copy)]
struct Open {
    at: usize,
    bracket: Bracket,
    /// Its line, and how far that is indented.
    line: usize,
    indentation: usize,
}

fn pair(tokens: &[Token], by_indentation: bool) -> Vec<Option<usize>> {
    let mut partner = vec![None; tokens.len()];
    let mut open: Vec<Open> = Vec::new();
    let (mut line, mut indentation, mut starts) = (0, 0, true);
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => (line, indentation, starts) = (line + 1, 0, true),
            TokenKind::Whitespace if starts => indentation = token.span.range().len(),
            TokenKind::Open(bracket) => open.push(Open { at: i, bracket, line, indentation }),
            TokenKind::Close(bracket) => {
                let reach = open.iter().rev().take(REACH);
                let back = match bracket {
                    Bracket::Curly if by_indentation && starts => {
                        let fits = |o: &Open| o.bracket == bracket && o.indentation == indentation;
                        let mut reach = reach;
                        // Behind very many that were left open, the outermost is still found.
                        let from_outside = || open.iter().take(REACH).rposition(fits).map(|at| open.len() - 1 - at);
                        reach.position(fits).or_else(from_outside)
                    }
                    Bracket::Curly if by_indentation => {
                        let mut reach = reach.take_while(|o| o.line == line);
                        reach.position(|o| o.bracket == bracket)
                    }
                    Bracket::Curly | Bracket::Hole => {
                        let mut reach = reach;
                        reach.position(|o| o.bracket == bracket)
                    }
                    // A parenthesis never closes one outside of its own braces.
                    _ => {
                        let mut reach = reach.take_while(|o| !matches!(o.bracket, Bracket::Curly | Bracket::Hole));
                        reach.position(|o| o.bracket == bracket)
                    }
                };
                if let Some(back) = back {
                    let at = open.len() - 1 - back;
                    let opener = open[at].at;
                    open.truncate(at);
                    partner[opener] = Some(i);
                    partner[i] = Some(opener);
                }
            }
            TokenKind::Error(LexError::UnclosedHole) => {
                let hole = open.iter().position(|o| o.bracket == Bracket::Hole).unwrap_or(open.len());
                open.truncate(hole);
            }
            _ => {}
        }
        starts &= token.kind.is_trivia();
    }
    partner
}

struct Walk<'t> {
    text: &'t str,
    tokens: &'t [Token],
    partner: Vec<Option<usize>>,
    following: Vec<usize>,
    blocks: bool,
    /// The open brackets that have a partner.
    frames: Vec<usize>,
    /// Tokens that the grammar sees as spaces.
    blank: Vec<usize>,
}

impl Walk<'_> {
    fn lay_out(mut self) -> Layout {
        let mut block: Option<Block> = None;
        let mut header_end = None;
        let mut trailing = None;
        let mut member_start = None;
        // The last token that was not trivia.
        let mut last = 0;
        for i in 0..self.tokens.len() {
            let kind = self.tokens[i].kind;
            let in_block = block.as_ref().is_some_and(|b| b.close.is_none() && self.inside(b.open));
            match kind {
                TokenKind::Comment | TokenKind::Doc => self.blank.push(i),
                TokenKind::Newline if self.is_free(i, last, in_block, block.is_none() && header_end.is_none()) => {
                    self.blank.push(i);
                }
                TokenKind::Newline if in_block => end_member(&mut block, &mut member_start, last),
                TokenKind::Newline if self.frames.is_empty() && header_end.is_none() => header_end = Some(last + 1),
                kind if kind.is_trivia() => {}
                _ => {
                    if self.is_comma(i) && in_block {
                        end_member(&mut block, &mut member_start, last);
                        last = i;
                        continue;
                    }
                    if block.as_ref().is_some_and(|b| self.partner[b.open] == Some(i)) {
                        end_member(&mut block, &mut member_start, last);
                        if let Some(block) = &mut block {
                            block.close = Some(i);
                        }
                    } else if in_block {
                        member_start.get_or_insert(i);
                    } else if block.is_none() && header_end.is_none() && self.opens_block(i, last) {
                        header_end = Some(last + 1);
                        block = Some(Block { open: i, close: None, members: Vec::new() });
                    } else if self.frames.is_empty() && header_end.is_some() {
                        trailing.get_or_insert(i);
                    }
                    self.track(i, block.as_ref().map(|b| b.open));
                    last = i;
                }
            }
        }
        end_member(&mut block, &mut member_start, last);
        if let Some(block) = &mut block {
            self.absorb_broken_members(block);
        }
        let header = 0..header_end.unwrap_or(last + 1);
        Layout { text: self.blanked(), partner: self.partner, header, block, trailing }
    }

    /// Whether the innermost open bracket is `open`; a block that is never closed is always open.
    fn inside(&self, open: usize) -> bool {
        match self.frames.last() {
            Some(frame) => *frame == open,
            None => self.partner[open].is_none(),
        }
    }

    fn track(&mut self, i: usize, block: Option<usize>) {
        match self.tokens[i].kind {
            TokenKind::Open(_) if self.partner[i].is_some() || block == Some(i) => self.frames.push(i),
            TokenKind::Close(_) if self.partner[i].is_some() => {
                if let Some(at) = self.frames.iter().rposition(|f| Some(*f) == self.partner[i]) {
                    self.frames.truncate(at);
                }
            }
            _ => {}
        }
    }

    /// `{` after a name or a value opens a block; after an operator it would be a map.
    fn opens_block(&self, i: usize, last: usize) -> bool {
        self.blocks
            && self.tokens[i].kind == TokenKind::Open(Bracket::Curly)
            && self.frames.is_empty()
            && match self.tokens[last].kind {
                TokenKind::Word => !matches!(self.word(last), "and" | "or" | "not" | "in" | "when" | "else"),
                TokenKind::Number | TokenKind::StringEnd | TokenKind::Error(_) => true,
                TokenKind::Close(_) => true,
                _ => false,
            }
    }

    /// Whether the newline `i` means nothing.
    fn is_free(&self, i: usize, last: usize, in_block: bool, in_header: bool) -> bool {
        if let Some(frame) = self.frames.last()
            && self.tokens[*frame].kind != TokenKind::Open(Bracket::Curly)
        {
            return true;
        }
        let next = self.following[i];
        if next == self.tokens.len() {
            return false;
        }
        if in_header && self.opens_block(next, last) {
            return true;
        }
        if self.starts_member(next) {
            return false;
        }
        let in_map = !in_block && !self.frames.is_empty();
        let goes_on = self.tokens[next].kind == TokenKind::Operator || matches!(self.word(next), "and" | "or");
        goes_on || self.continues(last) || (!in_map && self.is_suffix(next, in_block))
    }

    /// Whether a line that starts with the token `next` is a member or an entry of its own, whatever stands above it.
    fn starts_member(&self, next: usize) -> bool {
        let end = match self.tokens[next].kind {
            TokenKind::Word if keywords::CLAUSES.contains(&self.word(next)) => return true,
            TokenKind::Word => next,
            TokenKind::StringStart => {
                let end = (next..self.tokens.len())
                    .find(|i| matches!(self.tokens[*i].kind, TokenKind::StringEnd | TokenKind::Error(_)));
                end.unwrap_or(next)
            }
            _ => return false,
        };
        let then = self.following[end + 1];
        then < self.tokens.len() && matches!(self.word(then), "=" | ":")
    }

    /// Whether a line that ends with the token `last` goes on in the next one.
    fn continues(&self, last: usize) -> bool {
        match self.tokens[last].kind {
            TokenKind::Operator => self.word(last) != ">" || !self.closes_generic(last),
            TokenKind::Word => last > 0 && matches!(self.word(last), "and" | "or" | "not" | "in" | "when" | "else"),
            _ => self.is_comma(last) || (last > 0 && self.word(last) == "|"),
        }
    }

    /// Whether the `>` at `last` is the end of a type like `list<int>`.
    fn closes_generic(&self, last: usize) -> bool {
        let line = (0..last).rev().take_while(|i| self.tokens[*i].kind != TokenKind::Newline);
        let mut closing = 1;
        for i in line {
            match self.word(i) {
                ">" => closing += 1,
                "<" => closing -= 1,
                _ => {}
            }
            if closing == 0 {
                return i > 0 && keywords::GENERICS.contains(&self.word(i - 1));
            }
        }
        false
    }

    /// Whether a line that starts with the token `next` belongs to the one above it.
    fn is_suffix(&self, next: usize, in_block: bool) -> bool {
        match self.word(next) {
            "because" | "min_support" | "unless" | "fails" => in_block,
            "after" | "for" => true,
            "when" | "else" => true,
            _ => false,
        }
    }

    fn is_comma(&self, i: usize) -> bool {
        self.tokens[i].kind == TokenKind::Punctuation && self.word(i) == ","
    }

    fn word(&self, i: usize) -> &str {
        &self.text[self.tokens[i].span.range()]
    }

    /// A member with a bracket that is never closed takes the deeper lines below it along: they are its own.
    fn absorb_broken_members(&self, block: &mut Block) {
        let mut kept: Vec<Range<usize>> = Vec::with_capacity(block.members.len());
        let mut broken_at: Option<usize> = None;
        for member in block.members.drain(..) {
            let column = self.indentation(member.start);
            match broken_at {
                Some(indentation) if column.is_some_and(|c| c <= indentation) => broken_at = None,
                Some(_) => continue,
                None => {}
            }
            let open = |i: usize| matches!(self.tokens[i].kind, TokenKind::Open(_)) && self.partner[i].is_none();
            if member.clone().any(open) {
                broken_at = Some(column.unwrap_or(0));
            }
            kept.push(member);
        }
        block.members = kept;
    }

    /// How far the line is indented, if the token is the first on it.
    fn indentation(&self, token: usize) -> Option<usize> {
        match self.tokens[..token] {
            [] => Some(0),
            [.., Token { kind: TokenKind::Newline, .. }] => Some(0),
            [.., Token { kind: TokenKind::Newline, .. }, Token { kind: TokenKind::Whitespace, span }] => {
                Some(span.range().len())
            }
            _ => None,
        }
    }

    fn blanked(&self) -> String {
        let mut text = String::with_capacity(self.text.len());
        let mut at = 0;
        for i in &self.blank {
            let span = self.tokens[*i].span;
            text.push_str(&self.text[at..span.start as usize]);
            text.extend(std::iter::repeat_n(' ', span.range().len()));
            at = span.end as usize;
        }
        text.push_str(&self.text[at..]);
        text
    }
}

fn end_member(block: &mut Option<Block>, start: &mut Option<usize>, last: usize) {
    if let (Some(block), Some(start)) = (block, start.take()) {
        block.members.push(start..last + 1);
    }
}
