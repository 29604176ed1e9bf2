//! Tokens to items: what is printed, and where the author broke the line.
//!
//! A text in quotes is one item, holes and all: nothing inside of it is ever touched.

use crate::syntax::lexer::{Bracket, Token, TokenKind};
use std::borrow::Cow;

/// A piece of text that stands as it is.
#[derive(Clone, Debug)]
pub(super) struct Item<'t> {
    pub kind: Kind,
    pub text: Cow<'t, str>,
    /// Newlines before it: none, one, or two for an empty line.
    pub breaks: u8,
    /// Whether the author put space before it, on its line.
    pub spaced: bool,
    /// Whether it stands in the first column.
    pub first_column: bool,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    /// A text with its quotes.
    Text,
    Open(Bracket),
    Close(Bracket),
    Operator,
    /// `. , : = | ?`
    Mark,
    Comment,
}

impl Item<'_> {
    pub fn is(&self, text: &str) -> bool {
        !matches!(self.kind, Kind::Comment | Kind::Text) && self.text == text
    }

    pub fn is_comment(&self) -> bool {
        self.kind == Kind::Comment
    }

    pub fn is_comma(&self) -> bool {
        self.is(",")
    }

    /// Whether it goes over several lines.
    pub fn is_tall(&self) -> bool {
        self.text.contains('\n')
    }

    pub fn comma() -> Item<'static> {
        Item { kind: Kind::Mark, text: Cow::Borrowed(","), breaks: 0, spaced: false, first_column: false }
    }
}

/// The items of a text. `None` when there are tokens that are not of the language.
pub(super) fn read<'t>(text: &'t str, tokens: &[Token]) -> Option<Vec<Item<'t>>> {
    let mut items: Vec<Item<'t>> = Vec::with_capacity(tokens.len() / 2);
    let (mut breaks, mut spaced, mut fresh) = (0_u8, false, true);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let start = token.span.start as usize;
        let mut end = token.span.end as usize;
        at += 1;
        let kind = match token.kind {
            TokenKind::Whitespace => {
                // A byte-order mark is no indentation.
                let indents = !text[start..end].starts_with('\u{feff}');
                spaced |= indents;
                fresh &= !indents;
                continue;
            }
            TokenKind::Newline => {
                (breaks, spaced, fresh) = ((breaks + 1).min(2), false, true);
                continue;
            }
            TokenKind::Comment | TokenKind::Doc => Kind::Comment,
            TokenKind::Word => Kind::Word,
            TokenKind::Number => Kind::Number,
            TokenKind::Open(bracket) => Kind::Open(bracket),
            TokenKind::Close(bracket) => Kind::Close(bracket),
            TokenKind::Operator => Kind::Operator,
            TokenKind::Punctuation => Kind::Mark,
            TokenKind::StringStart => {
                let last = end_of_text(tokens, at)?;
                end = tokens.get(last)?.span.end as usize;
                at = last + 1;
                Kind::Text
            }
            TokenKind::StringText | TokenKind::StringEnd | TokenKind::Error(_) => return None,
        };
        let written = match kind {
            Kind::Comment => Cow::Borrowed(text[start..end].trim_end()),
            Kind::Text => unix_lines(&text[start..end]),
            _ => Cow::Borrowed(&text[start..end]),
        };
        items.push(Item { kind, text: written, breaks, spaced, first_column: fresh });
        (breaks, spaced, fresh) = (0, false, false);
    }
    if let Some(first) = items.first_mut() {
        first.breaks = 0;
    }
    Some(items)
}

/// The index of the token that ends the text whose inside starts at `at`.
fn end_of_text(tokens: &[Token], at: usize) -> Option<usize> {
    let mut open = 1;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            TokenKind::StringStart => open += 1,
            TokenKind::StringEnd => open -= 1,
            TokenKind::Error(_) => return None,
            _ => {}
        }
        if open == 0 {
            return Some(i);
        }
    }
    None
}

/// `\r\n` as `\n`, which is how texts are read. A `\r` that stands before it is part of the text.
pub(super) fn unix_lines(text: &str) -> Cow<'_, str> {
    if !text.contains("\r\n") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.strip_suffix("\r\n") {
            Some(line) if !line.ends_with('\r') => {
                out.push_str(line);
                out.push('\n');
            }
            _ => out.push_str(line),
        }
    }
    Cow::Owned(out)
}

/// For each bracket the index of its partner, and for everything else its own. `None` when a bracket has none.
pub(super) fn partners(items: &[Item<'_>]) -> Option<Vec<usize>> {
    let mut partners: Vec<usize> = (0..items.len()).collect();
    let mut open = Vec::new();
    for (i, item) in items.iter().enumerate() {
        match item.kind {
            Kind::Open(bracket) => open.push((i, bracket)),
            Kind::Close(bracket) => {
                let (opener, _) = open.pop().filter(|(_, opened)| *opened == bracket)?;
                partners[opener] = i;
                partners[i] = opener;
            }
            _ => {}
        }
    }
    open.is_empty().then_some(partners)
}

/// For each item the index of the nearest one before it that is no comment.
pub(super) fn previous(items: &[Item<'_>]) -> Vec<Option<usize>> {
    let mut last = None;
    let step = |(i, item): (usize, &Item<'_>)| {
        let before = last;
        if !item.is_comment() {
            last = Some(i);
        }
        before
    };
    items.iter().enumerate().map(step).collect()
}
