//! What can be written at a place.
//!
//! A word is put where the cursor is, and the text with it is outlined anew: so a place is looked at as it will be once
//! something stands there. What the names mean comes from the text as it is.

mod items;
mod names;
mod values;

use crate::builtin;
use crate::outline::{GroupKind, TokKind};
use crate::text;
use crate::view::{Callee, View};
use crate::wanted::{Site, Wanted};
use crate::workspace::{Document, Looked, Workspace};
use mlp_lang::span::Span;
use mlp_lang::syntax::lexer::{self, TokenKind};
use std::sync::Arc;

/// Something that can be written at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is shown and filtered by.
    pub label: String,
    /// What it is.
    pub kind: ItemKind,
    /// A few words beside it: its type.
    pub detail: String,
    /// Markdown.
    pub doc: String,
    /// What is written; `$1`, `${1:text}`, `${1|a,b|}` and `$0` mark where the cursor goes.
    pub insert: String,
    /// The bytes it replaces.
    pub span: Span,
    /// Better items come first.
    pub rank: u8,
}

/// What an [`Item`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A word of the grammar.
    Keyword,
    /// A setting of a block.
    Setting,
    /// A function of the language, or a step of a module.
    Function,
    /// A parameter or a secret.
    Param,
    /// A declared node: data, a step, a gate, a model, a deployment.
    Node,
    /// An output or a metric.
    Output,
    /// A column.
    Column,
    /// An input or a setting in a call.
    Argument,
    /// One of a few values.
    Value,
    /// A type.
    Type,
    /// A schema.
    Schema,
    /// A module.
    Module,
    /// A unit behind a number.
    Unit,
    /// A file.
    File,
}

/// The word that stands for what is about to be written.
const HERE: &str = "mlp_here";

impl Workspace {
    /// What can be written at a byte.
    pub fn complete(&self, path: &str, offset: u32) -> Vec<Item> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let at = text::floor(view.text(), offset as usize);
        match place(view.text(), at) {
            Place::Comment => Vec::new(),
            Place::Number(span) => view.units(span, at as u32),
            Place::Text(span) => view.texts(span, at as u32),
            Place::Word(span) => {
                let tok = view.outline().toks.partition_point(|tok| tok.span.start < span.start);
                view.words(tok, span)
            }
            Place::Nothing => {
                let span = Span::new(at, at);
                let changed = text::replaced(view.text(), span, HERE);
                let (view, tok) = view.with_text(&changed, at as u32);
                view.words(tok, span)
            }
        }
    }
}

/// What the cursor touches.
enum Place {
    Comment,
    Number(Span),
    /// The inside of a string.
    Text(Span),
    Word(Span),
    Nothing,
}

fn place(text: &str, at: usize) -> Place {
    let tokens = lexer::lex(text);
    let at = at as u32;
    let first = tokens.partition_point(|token| token.span.end < at);
    let touching = tokens[first..].iter().take_while(|token| token.span.start <= at);
    let mut found = Place::Nothing;
    for token in touching {
        let inside = token.span.start < at;
        match token.kind {
            TokenKind::Comment | TokenKind::Doc if inside => return Place::Comment,
            TokenKind::StringText if inside || token.span.start == at => return Place::Text(token.span),
            TokenKind::StringStart if token.span.end == at => found = Place::Text(Span { start: at, end: at }),
            TokenKind::Word if inside => return Place::Word(token.span),
            TokenKind::Number if inside => return Place::Number(token.span),
            TokenKind::StringEnd if inside => found = Place::Nothing,
            _ => {}
        }
    }
    found
}

impl<'w> View<'w> {
    /// The same document with another text, as far as tokens go, and the token that starts at a byte.
    fn with_text(&self, text: &str, at: u32) -> (View<'w>, usize) {
        let document = Arc::new(Document::new(self.document.path().clone(), text.into(), None));
        let looked = Arc::new(Looked::new(self.looked.analysis.clone(), text.into()));
        let view = View { workspace: self.workspace, document, looked };
        let tok = view.outline().toks.partition_point(|tok| tok.span.start < at);
        (view, tok)
    }
}

/// Words that begin a member, or a declaration, and that a value follows.
const HEADS: [&str; 15] = [
    "require", "expect", "watch", "every", "pii", "maximize", "minimize", "with", "approve", "rollback", "alert",
    "use", "on", "tolerate", "check",
];

impl View<'_> {
    /// Whether something complete stands before a token, so that a clause may follow.
    fn follows_operand(&self, tok: usize, site: Site) -> bool {
        let Some(before) = tok.checked_sub(1) else { return false };
        let Some(previous) = self.outline().toks.get(before) else { return false };
        let same = previous.group == site.group && previous.part == site.part;
        let first = self.outline().part(tok).is_some_and(|part| part.first == before);
        let marker = site.clause == Some(before) && (!first || HEADS.contains(&self.word(before)));
        same && !marker
            && match previous.kind {
                TokKind::Word => !builtin::RESERVED[3..].contains(&self.word(before)),
                TokKind::Number | TokKind::Text | TokKind::Close => true,
                _ => false,
            }
    }

    /// What can stand where this word stands.
    fn words(&self, tok: usize, span: Span) -> Vec<Item> {
        let (Some(site), Some(part)) = (self.site(tok), self.outline().part(tok)) else {
            let mut list = items::List::new(self, span, 0);
            list.keywords(builtin::DECLARATIONS, ItemKind::Keyword);
            return list.done();
        };
        let mut list = items::List::new(self, span, site.group);
        if tok > 0 && self.word(tok - 1) == "." {
            list.members(tok);
            return list.done();
        }
        let Some(group) = self.outline().groups.get(site.group) else { return Vec::new() };
        let first = tok == part.first;
        match group.kind {
            GroupKind::File if first => list.keywords(builtin::DECLARATIONS, ItemKind::Keyword),
            GroupKind::Block if first => list.block(site.group, part),
            GroupKind::Map if first => {
                if self.block(site.group) == "card" {
                    list.keywords(builtin::members("card"), ItemKind::Setting);
                }
            }
            GroupKind::Call if first => {
                list.arguments(site.group, part);
                list.wanted(&self.wanted(site), site);
            }
            _ if self.follows_operand(tok, site) => {
                let head = self.head(part);
                // The type of a column is an operand too; what follows it are its attributes.
                match (self.declares(site.group), self.wanted(site)) {
                    (true, _) => {
                        list.after_name(head, part, tok);
                        list.keywords(builtin::after_header(head), ItemKind::Keyword);
                    }
                    (false, wanted) => {
                        list.keywords(builtin::after_clause(self.block(site.group), head), ItemKind::Keyword);
                        if matches!(wanted, Wanted::Metric | Wanted::Expectation(_)) {
                            list.operators();
                        }
                    }
                }
            }
            _ => list.wanted(&self.wanted(site), site),
        }
        list.done()
    }

    /// Units that may follow a number.
    fn units(&self, span: Span, at: u32) -> Vec<Item> {
        let tok = self.outline().toks.partition_point(|tok| tok.span.start < span.start);
        let Some(site) = self.site(tok) else { return Vec::new() };
        let word = self.word(tok);
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
        if at < span.start + digits.len() as u32 {
            return Vec::new();
        }
        let mut list = items::List::new(self, span, site.group);
        list.units(digits, &self.wanted(site));
        list.done()
    }

    /// What can stand in this string.
    fn texts(&self, inside: Span, at: u32) -> Vec<Item> {
        let Some(tok) = self.outline().before(inside.start.max(1)) else { return Vec::new() };
        let tok = if self.kind(tok) == Some(TokKind::Open) { tok + 1 } else { tok };
        let (Some(site), Some(part)) = (self.site(tok), self.outline().part(tok)) else { return Vec::new() };
        if self.is_query(tok) {
            // Of a query the word at the cursor is replaced.
            let before = self.text().get(inside.start as usize..at as usize).unwrap_or_default();
            let word = before.len()
                - before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.').len();
            let mut list = items::List::new(self, Span { start: at - word as u32, end: at }, site.group);
            list.query(tok);
            return list.done();
        }
        let mut list = items::List::new(self, inside, site.group);
        match self.wanted(site) {
            Wanted::Module => list.files(),
            Wanted::Columns(schema) => list.quoted_columns(schema.as_deref()),
            Wanted::Setting(ty) => list.quoted_values(&ty, site),
            Wanted::Value(ty) => list.enum_values(&ty, false),
            Wanted::Metric if self.head(part) == "step" => {}
            _ => {
                let in_zone = self.head(part) == "on" && tok > 0 && self.word(tok - 1) == "in";
                if in_zone {
                    list.zones();
                } else if let Some(ty) = self.compared(tok) {
                    list.enum_values(&ty, false);
                } else if matches!(self.callee(site.group), Callee::Word("registry")) {
                    list.models();
                }
            }
        }
        list.done()
    }
}
