//! Every word with what it is, for colours.

use crate::meaning::{Meaning, Role};
use crate::outline::TokKind;
use crate::view::View;
use crate::workspace::Workspace;
use mlp_lang::span::Span;
use mlp_lang::syntax::lexer::{self, TokenKind as Lexed};

/// A piece of one line with what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// Where; never over the end of a line, never empty.
    pub span: Span,
    /// What.
    pub kind: TokenKind,
    /// Whether it is declared here.
    pub declares: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A word of the grammar.
    Keyword,
    /// `#`, and `##`.
    Comment,
    /// Text in quotes.
    Text,
    /// A number with its unit, a date, a time.
    Number,
    /// `>=` and the like.
    Operator,
    /// A function, a step of a module, a component.
    Function,
    /// A type of values.
    Type,
    /// A schema.
    Schema,
    /// A module.
    Module,
    /// A parameter of the pipeline, a secret, a local value.
    Param,
    /// Data, a step, a gate, a model, a deployment, a monitor.
    Node,
    /// A column.
    Column,
    /// An output or a metric.
    Output,
    /// The name of an argument.
    Argument,
    /// The name of a setting.
    Setting,
    /// One of a few words.
    Choice,
}

impl Workspace {
    /// Every piece of a document that is coloured, in order, those in `range` if there is one.
    pub fn tokens(&self, path: &str, range: Option<Span>) -> Vec<Token> {
        let Some(view) = self.view(path) else { return Vec::new() };
        let inside = |span: Span| range.is_none_or(|range| span.start < range.end && range.start < span.end);
        let mut found: Vec<Token> = Vec::new();
        for comment in lexer::lex(view.text()) {
            if matches!(comment.kind, Lexed::Comment | Lexed::Doc) && inside(comment.span) {
                found.push(Token { span: comment.span, kind: TokenKind::Comment, declares: false });
            }
        }
        let meanings = view.meanings();
        for (tok, meaning) in view.outline().toks.iter().zip(meanings).filter(|(tok, _)| inside(tok.span)) {
            let kind = match (meaning, tok.kind) {
                (Some(meaning), _) => kind(meaning),
                (None, TokKind::Text | TokKind::Piece) => Some(TokenKind::Text),
                (None, TokKind::Open | TokKind::Close) => view.quote(tok.span).then_some(TokenKind::Text),
                (None, TokKind::Number) => Some(TokenKind::Number),
                (None, TokKind::Operator) => Some(TokenKind::Operator),
                _ => None,
            };
            let declares = meaning.as_ref().is_some_and(|meaning| meaning.declares);
            found.extend(kind.map(|kind| Token { span: tok.span, kind, declares }));
        }
        found.sort_by_key(|token| token.span);
        found.into_iter().flat_map(|token| view.by_line(token)).collect()
    }
}

impl View<'_> {
    fn quote(&self, span: Span) -> bool {
        self.text().get(span.range()).is_some_and(|text| text.starts_with('"'))
    }

    /// A piece over several lines as one for each line.
    fn by_line(&self, token: Token) -> Vec<Token> {
        let text = self.text().get(token.span.range()).unwrap_or_default();
        if !text.contains(['\n', '\r']) {
            return if text.is_empty() { Vec::new() } else { vec![token] };
        }
        let mut at = token.span.start as usize;
        let mut pieces = Vec::new();
        for line in text.split_inclusive(['\n', '\r']) {
            let solid = line.trim_end_matches(['\n', '\r']);
            if !solid.is_empty() {
                pieces.push(Token { span: Span::new(at, at + solid.len()), ..token });
            }
            at += line.len();
        }
        pieces
    }
}

fn kind(meaning: &Meaning) -> Option<TokenKind> {
    Some(match meaning.role {
        Role::Keyword => TokenKind::Keyword,
        Role::Function => TokenKind::Function,
        Role::Type => TokenKind::Type,
        Role::Schema => TokenKind::Schema,
        Role::Module => TokenKind::Module,
        Role::Param => TokenKind::Param,
        Role::Node => TokenKind::Node,
        Role::Column => TokenKind::Column,
        Role::Output => TokenKind::Output,
        Role::Argument => TokenKind::Argument,
        Role::Setting => TokenKind::Setting,
        Role::Choice => TokenKind::Choice,
        Role::Unknown => return None,
    })
}
