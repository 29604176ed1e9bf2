//! Members of blocks: what kind each is, and those that many blocks have.

use super::ast::*;
use super::chunk::Parser;
use super::codes;
use super::grammar::Rule;
use super::headers::is_part;
use super::keywords;
use super::layout;
use super::lexer::{Token, TokenKind};
use super::shift::{Shift, place_finding};
use super::tree::place;
use crate::finding::{Finding, Safety};
use crate::span::Span;
use std::ops::Range;

impl Parser<'_> {
    pub(super) fn settings(&mut self) -> Vec<Setting> {
        self.members().iter().filter_map(|m| self.setting(m)).collect()
    }

    pub(super) fn setting(&mut self, member: &Range<usize>) -> Option<Setting> {
        let node = self.line(Rule::setting, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let name = builder.ident(&parts.next()?);
        let value = builder.expr(parts.next()?);
        Some(Setting { name, value, span })
    }

    /// Whether the member starts with this word, and is not a setting of that name.
    pub(super) fn is_clause(&self, member: &Range<usize>, word: &str) -> bool {
        let mut significant = member.clone().filter(|i| !self.tokens[*i].kind.is_trivia());
        let first = significant.next().is_some_and(|i| self.word(i) == word);
        first && !significant.next().is_some_and(|i| matches!(self.word(i), "=" | ":"))
    }

    /// A header that is a keyword, a name, `of` and a name.
    pub(super) fn two_names(&mut self, rule: Rule) -> Option<(Ident, Ident)> {
        let (parts, builder) = self.header(rule)?;
        let mut names = parts.iter().map(|n| builder.ident(n));
        Some((names.next()?, names.next()?))
    }

    /// The expressions on a line.
    pub(super) fn exprs(&mut self, rule: Rule, tokens: &Range<usize>) -> Option<Vec<Expr>> {
        let node = self.line(rule, tokens)?;
        let mut builder = self.builder(tokens);
        let exprs = node.into_inner().filter(|n| n.as_rule() == Rule::expr);
        Some(exprs.map(|n| builder.expr(n)).collect())
    }

    /// The one expression on a line.
    pub(super) fn only_expr(&mut self, rule: Rule, tokens: &Range<usize>) -> Option<Expr> {
        self.exprs(rule, tokens)?.into_iter().next()
    }

    /// Parses a member that is a block, as a chunk of its own.
    pub(super) fn nested<T: Shift>(
        &mut self,
        member: &Range<usize>,
        parse: impl FnOnce(&mut Parser<'_>) -> T,
    ) -> Option<T> {
        if self.findings.len() > super::MOST_FINDINGS {
            return None;
        }
        let span = self.span(member);
        let base = span.start as usize;
        let relative = |token: &Token| Token {
            span: Span::new(token.span.start as usize - base, token.span.end as usize - base),
            ..*token
        };
        let tokens: Vec<Token> = self.tokens[member.clone()].iter().map(relative).collect();
        let text = &self.text[span.range()];
        let layout = layout::lay_out(text, &tokens, true);
        let mut inner = Parser { text, tokens: &tokens, layout: &layout, doc: None, findings: Vec::new() };
        let mut parsed = parse(&mut inner);
        inner.check_tail(0);
        for finding in &mut inner.findings {
            place_finding(finding, &"".into(), base);
        }
        self.findings.append(&mut inner.findings);
        parsed.shift(base);
        Some(parsed)
    }

    /// Which of these words the member starts with, if it is no setting of that name.
    pub(super) fn clause_of(&self, member: &Range<usize>, words: &[&'static str]) -> Option<&'static str> {
        words.iter().find(|word| self.is_clause(member, word)).copied()
    }

    /// `name = ...`, also when it is written `name: ...`
    pub(super) fn is_setting(&self, member: &Range<usize>) -> bool {
        let mut significant = member.clone().filter(|i| !self.tokens[*i].kind.is_trivia());
        let first = significant.next().is_some_and(|i| self.tokens[i].kind == TokenKind::Word);
        first && significant.next().is_some_and(|i| matches!(self.word(i), "=" | ":"))
    }

    /// A member that starts with a word that starts none here.
    pub(super) fn unknown_clause(&mut self, member: &Range<usize>, known: &[&'static str]) -> bool {
        if self.is_setting(member) || self.tokens[member.start].kind != TokenKind::Word {
            return false;
        }
        let (word, span) = (self.word(member.start), self.tokens[member.start].span);
        let finding = Finding::error(codes::UNEXPECTED_SYNTAX, place(span), format!("`{word}` is not known here"));
        self.findings.push(match keywords::nearest(word, known.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")).fix(
                format!("write `{near}`"),
                span,
                near,
                Safety::Unsafe,
            ),
            None => finding
                .label("not known here")
                .help(format!("a line here starts with {}, or is `name = value`", crate::written::listed(known))),
        });
        true
    }

    /// The members, with those that only a comma split put together again: `gate g after a, b { ... }` is one member where
    /// each begins with one of a few words. `begins` says whether a member is one by itself.
    pub(super) fn whole_members(&self, begins: impl Fn(&Self, &Range<usize>) -> bool) -> Vec<Range<usize>> {
        let mut whole: Vec<Range<usize>> = Vec::with_capacity(self.members().len());
        for member in self.members() {
            let split = |before: &&mut Range<usize>| {
                (before.end..member.start).any(|i| self.word(i) == ",") && !begins(self, member)
            };
            match whole.last_mut().filter(split) {
                Some(before) => before.end = member.end,
                None => whole.push(member.clone()),
            }
        }
        whole
    }

    /// The name on a line that is a keyword and a name.
    pub(super) fn only_name(&mut self, rule: Rule, member: &Range<usize>) -> Option<Ident> {
        let node = self.line(rule, member)?;
        let builder = self.builder(member);
        let name = node.into_inner().find(|n| matches!(n.as_rule(), Rule::name | Rule::label))?;
        Some(builder.ident(&name))
    }

    /// `maximize train.fit.auc`
    pub(super) fn goal(&mut self, member: &Range<usize>) -> Option<Goal> {
        let maximize = self.is_clause(member, "maximize");
        let span = self.span(member);
        let metric = self.only_expr(Rule::goal, member)?;
        Some(Goal { maximize, metric, span })
    }
}
