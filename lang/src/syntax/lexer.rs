//! Text to tokens: lossless, in one pass, never failing.
//!
//! The tokens of a text, put end to end, are the text. A string is a run of tokens, so that what stands in a hole
//! `${...}` is tokens like any other:
//!
//! ```text
//! "a ${x} b"   ->  StringStart `"`  StringText `a `  Open(Hole) `${`  Word `x`  Close(Hole) `}`  StringText ` b`  StringEnd `"`
//! ```
//!
//! Three rules keep a forgotten mark from swallowing the file. A string in quotes ends at the end of its line. A hole ends
//! at the end of its line. A `"""` string ends at the very next `"""`; when there is none, it ends before the next line that
//! starts with a declaration's keyword.

use super::keywords;
use crate::span::Span;

/// A piece of text and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Spaces, tabs, carriage returns, a byte-order mark at the start.
    Whitespace,
    /// One `\n`.
    Newline,
    /// `# ...` to the end of the line.
    Comment,
    /// `## ...` to the end of the line.
    Doc,
    /// A keyword or a name.
    Word,
    /// A number with its unit, a date or a time.
    Number,
    /// `"` or `"""`.
    StringStart,
    /// Text in a string, escapes as written.
    StringText,
    /// `"` or `"""`.
    StringEnd,
    /// `(`, `[`, `{`, `${`
    Open(Bracket),
    /// `)`, `]`, `}`
    Close(Bracket),
    /// `+ - * / == != < <= > >= .. ..= ??`
    Operator,
    /// `. , : = | ?`
    Punctuation,
    /// Not part of the language. It was reported where it stands; what holds it is not looked at further.
    Error(LexError),
}

/// The four things that open and close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bracket {
    /// `(` `)`
    Round,
    /// `[` `]`
    Square,
    /// `{` `}`
    Curly,
    /// `${` `}` in a string.
    Hole,
}

/// What is wrong with an [`TokenKind::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexError {
    /// Characters that the language does not use.
    Character,
    /// A name with letters outside ASCII.
    Name,
    /// The end of a `"` string that was not closed on its line. Empty.
    UnclosedString,
    /// The end of a `"""` string that was never closed. Empty.
    UnclosedTriple,
    /// The end of a hole that was not closed on its line. Empty.
    UnclosedHole,
}

impl TokenKind {
    /// Whether it means nothing to the grammar: whitespace, newlines and comments.
    pub fn is_trivia(self) -> bool {
        matches!(self, TokenKind::Whitespace | TokenKind::Newline | TokenKind::Comment | TokenKind::Doc)
    }
}

/// All tokens of `text`.
pub fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::with_capacity(text.len() / 4), modes: Vec::new() };
    while lexer.at < text.len() {
        match lexer.modes.last() {
            Some(&Mode::String) => lexer.string(),
            Some(&Mode::Triple { end }) => lexer.triple(end),
            Some(&Mode::Hole { curly }) => lexer.hole(curly),
            None => lexer.code(),
        }
    }
    lexer.close_line();
    lexer.tokens
}

/// What the lexer is inside of, innermost last.
#[derive(Clone, Copy)]
enum Mode {
    /// Between quotes.
    String,
    /// Between triple quotes; the body ends at this byte.
    Triple { end: usize },
    /// In a hole, with this many braces open in it.
    Hole { curly: u32 },
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    modes: Vec<Mode>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, kind: TokenKind, len: usize) {
        self.tokens.push(Token { kind, span: Span::new(self.at, self.at + len) });
        self.at += len;
    }

    /// A hole ends at the end of its line, and so does a string in quotes: unwinds both, reporting the outermost that was
    /// left open, since that is the mistake and the others follow from it.
    fn close_line(&mut self) {
        let kept = self.modes.iter().position(|m| !matches!(m, Mode::Triple { .. })).unwrap_or(self.modes.len());
        if let Some(outermost) = self.modes.get(kept) {
            let error = match outermost {
                Mode::Hole { .. } => LexError::UnclosedHole,
                _ if self.modes.get(kept + 1).is_some() => LexError::UnclosedHole,
                _ => LexError::UnclosedString,
            };
            self.modes.truncate(kept);
            self.push(TokenKind::Error(error), 0);
        }
        if let Some(&Mode::Triple { end }) = self.modes.last()
            && self.at >= self.text.len()
            && end >= self.text.len()
        {
            // The body ran to the end of the file and `triple` had no byte left to close it at.
            self.modes.clear();
            self.push(TokenKind::Error(LexError::UnclosedTriple), 0);
        }
    }

    fn string(&mut self) {
        match self.byte(0) {
            b'"' => {
                self.modes.pop();
                self.push(TokenKind::StringEnd, 1);
            }
            b'\n' => self.close_line(),
            b'$' if self.byte(1) == b'{' => self.open_hole(),
            _ => {
                let len = string_text(self.rest(), true);
                self.push(TokenKind::StringText, len);
            }
        }
    }

    fn triple(&mut self, end: usize) {
        if self.at >= end {
            self.modes.pop();
            if self.rest().starts_with(TRIPLE) {
                self.push(TokenKind::StringEnd, TRIPLE.len());
            } else {
                self.push(TokenKind::Error(LexError::UnclosedTriple), 0);
            }
        } else if self.rest().starts_with("${") && self.at + 2 <= end {
            self.open_hole();
        } else {
            let len = string_text(&self.text[self.at..end], false);
            self.push(TokenKind::StringText, len);
        }
    }

    fn open_hole(&mut self) {
        self.modes.push(Mode::Hole { curly: 0 });
        self.push(TokenKind::Open(Bracket::Hole), 2);
    }

    fn hole(&mut self, curly: u32) {
        // A `"""` string around the hole ends where it ends, closed hole or not. It is always the outermost.
        let limit = match self.modes.first() {
            Some(Mode::Triple { end }) => Some(*end),
            _ => None,
        };
        if self.byte(0) == b'\n' || limit.is_some_and(|end| self.at >= end) {
            return self.close_line();
        }
        match self.byte(0) {
            b'}' if curly == 0 => {
                self.modes.pop();
                self.push(TokenKind::Close(Bracket::Hole), 1);
            }
            b'}' => {
                self.set_curly(curly - 1);
                self.push(TokenKind::Close(Bracket::Curly), 1);
            }
            b'{' => {
                self.set_curly(curly + 1);
                self.push(TokenKind::Open(Bracket::Curly), 1);
            }
            _ => self.code(),
        }
    }

    fn set_curly(&mut self, open: u32) {
        if let Some(Mode::Hole { curly }) = self.modes.last_mut() {
            *curly = open;
        }
    }

    /// One token outside of string text.
    fn code(&mut self) {
        use TokenKind::*;
        let rest = self.rest();
        let bytes = rest.as_bytes();
        match bytes[0] {
            b'\n' => self.push(Newline, 1),
            b' ' | b'\t' | b'\r' => {
                let len = run(bytes, |b| matches!(b, b' ' | b'\t' | b'\r'));
                self.push(Whitespace, len);
            }
            b'#' => {
                let kind = if rest.starts_with("##") { Doc } else { Comment };
                let line = rest.find('\n').unwrap_or(rest.len());
                let len = rest[..line].trim_end_matches('\r').len();
                self.push(kind, len);
            }
            b'"' => self.open_string(),
            b'0'..=b'9' => self.push(Number, number_len(bytes)),
            b'(' => self.push(Open(Bracket::Round), 1),
            b')' => self.push(Close(Bracket::Round), 1),
            b'[' => self.push(Open(Bracket::Square), 1),
            b']' => self.push(Close(Bracket::Square), 1),
            b'{' => self.push(Open(Bracket::Curly), 1),
            b'}' => self.push(Close(Bracket::Curly), 1),
            _ if rest.starts_with('\u{feff}') && self.at == 0 => self.push(Whitespace, '\u{feff}'.len_utf8()),
            _ => {
                if let Some(first) = rest.chars().next().filter(|c| c.is_alphabetic() || *c == '_') {
                    let len = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                    let ascii = first.is_ascii() && rest[..len].is_ascii();
                    self.push(if ascii { Word } else { Error(LexError::Name) }, len);
                } else if let Some((kind, len)) = symbol(rest) {
                    self.push(kind, len);
                } else {
                    let len = rest.find(|c: char| !is_foreign(c)).unwrap_or(rest.len());
                    let one = rest.chars().next().map_or(1, char::len_utf8);
                    self.push(Error(LexError::Character), len.max(one));
                }
            }
        }
    }

    fn open_string(&mut self) {
        // Inside a hole `"""` cannot open: the very next `"""` ends the string around it.
        if !self.rest().starts_with(TRIPLE) || !self.modes.is_empty() {
            self.modes.push(Mode::String);
            return self.push(TokenKind::StringStart, 1);
        }
        let body = self.at + TRIPLE.len();
        let close = self.text[body..].find(TRIPLE).map(|len| body + len);
        let text_behind = self.text[body..].split('\n').next().is_some_and(|line| !line.trim().is_empty());
        let first_column = self.at == 0 || self.text.as_bytes()[self.at - 1] == b'\n';
        let end = match close {
            // Probably the end of a text whose beginning was lost: what looks like a declaration below it is one.
            Some(close) if text_behind || first_column => close.min(next_declaration(&self.text[..close], body)),
            Some(close) => close,
            None => next_declaration(self.text, body),
        };
        self.modes.push(Mode::Triple { end });
        self.push(TokenKind::StringStart, TRIPLE.len());
    }
}

const TRIPLE: &str = "\"\"\"";

/// The first byte after `from` that starts a line with a declaration's keyword, or the end.
fn next_declaration(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(newline) = text[at..].find('\n') {
        at += newline + 1;
        let word = run(&text.as_bytes()[at..], |b| b.is_ascii_alphanumeric() || b == b'_');
        if keywords::is_declaration(&text[at..at + word]) {
            return at;
        }
    }
    text.len()
}

/// How many bytes of plain text or escapes stand at the start of a string's inside. At least one character.
fn string_text(text: &str, one_line: bool) -> usize {
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' | '\n' if one_line => return at,
            '$' if chars.peek().is_some_and(|(_, c)| *c == '{') => return at,
            // An escape takes the next character with it, except the end of the line.
            '\\' if chars.peek().is_some_and(|(_, c)| *c != '\n') => {
                chars.next();
            }
            _ => {}
        }
    }
    text.len()
}

/// How many bytes a number, date or time takes. The grammar's `number` takes the same.
fn number_len(bytes: &[u8]) -> usize {
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let is = |i: usize, b: u8| bytes.get(i) == Some(&b);
    let date = (0..4).all(digit) && is(4, b'-') && digit(5) && digit(6) && is(7, b'-') && digit(8) && digit(9);
    let mut at = if date { 10 } else { 1 };
    if date && is(at, b'T') && digit(at + 1) {
        at += 1 + run(&bytes[at + 1..], |b| b.is_ascii_digit() || b == b':' || b == b'.');
        if (is(at, b'+') || is(at, b'-')) && digit(at + 1) {
            at += 1 + run(&bytes[at + 1..], |b| b.is_ascii_digit() || b == b':');
        }
    }
    loop {
        match bytes.get(at) {
            Some(b'e' | b'E') if (is(at + 1, b'+') || is(at + 1, b'-')) && digit(at + 2) && !date => at += 2,
            Some(b) if b.is_ascii_alphanumeric() || *b == b'_' => at += 1,
            Some(b'.') if digit(at + 1) && !date => at += 1,
            Some(b'%') => return at + 1,
            _ => return at,
        }
    }
}

/// Operators and punctuation, longest first.
fn symbol(rest: &str) -> Option<(TokenKind, usize)> {
    use TokenKind::*;
    const WRONG: [&str; 4] = ["&&", "||", "//", "**"];
    const OPERATORS: [&str; 13] = ["..=", "..", "==", "!=", "<=", ">=", "??", "<", ">", "+", "-", "*", "/"];
    const PUNCTUATION: [&str; 6] = [".", ",", ":", "=", "|", "?"];
    let among = |list: &[&str]| list.iter().find(|s| rest.starts_with(**s)).map(|s| s.len());
    (among(&WRONG).map(|len| (Error(LexError::Character), len)))
        .or_else(|| among(&OPERATORS).map(|len| (Operator, len)))
        .or_else(|| among(&PUNCTUATION).map(|len| (Punctuation, len)))
}

/// Characters that no token starts with; a run of them is one mistake.
fn is_foreign(c: char) -> bool {
    !(c.is_alphanumeric() || c.is_ascii_whitespace() || "_#\"()[]{}+-*/=!<>.,:|?".contains(c))
}

fn run(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !belongs(*b)).unwrap_or(bytes.len())
}
