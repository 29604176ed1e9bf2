//! One declaration: its chunk of text to a tree and findings.
//!
//! A pure function of the chunk's text; every span is relative to its start. The header and each member of the block are
//! parsed on their own, so that a mistake in one is one finding and leaves the others whole. Where a name can be read from
//! a broken header, the name is kept, so that its uses are not reported as unknown.

use super::ast::*;
use super::codes;
use super::failure::{self, Line};
use super::grammar::{self, Node, Rule};
use super::headers::{StepHeader, is_part, names_after, step_header};
use super::keywords;
use super::layout::{self, Block, Layout};
use super::lexer::{Token, TokenKind};
use super::splitter::{self, Start};
use super::tree::{self, Builder, place};
use crate::finding::{Finding, Safety};
use crate::span::Span;
use std::ops::Range;

/// What one chunk came to.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// The declaration, if it could be understood.
    pub declaration: Option<Declaration>,
    /// `mlp 1`
    pub edition: Option<Edition>,
    /// The name that a declaration that could not be understood would have declared.
    pub broken: Option<Ident>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Parses a chunk. The tokens' spans are relative to `text`; `first` is the first that is not trivia.
pub fn parse(text: &str, tokens: &[Token], first: usize, start: Start) -> Parsed {
    let doc = doc_text(text, &tokens[..first]);
    let tokens = &tokens[first..];
    let word = &text[tokens[0].span.range()];
    let known = matches!(start, Start::Keyword | Start::Indented);
    let blocks = !known || !matches!(word, "mlp" | "use" | "param" | "secret");
    let layout = layout::lay_out(text, tokens, blocks);
    let mut parser = Parser { text, tokens, layout: &layout, doc, findings: Vec::new() };
    let mut parsed = match start {
        Start::Keyword => parser.declaration(word),
        Start::Indented => {
            parser.report_indented(word);
            parser.declaration(word)
        }
        Start::Word => parser.unknown_declaration(word),
        Start::Stray => parser.stray(),
    };
    parser.findings.sort_by_key(failure::position);
    parsed.findings = parser.findings;
    parsed
}

/// The `##` lines, joined by newlines, without their marks.
pub(super) fn doc_text(text: &str, tokens: &[Token]) -> Option<String> {
    let lines: Vec<&str> = (tokens.iter().filter(|t| t.kind == TokenKind::Doc))
        .map(|t| text[t.span.range()].trim_start_matches('#'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    if lines.is_empty() { None } else { Some(lines.join("\n")) }
}

pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    /// From the keyword on.
    pub(super) tokens: &'t [Token],
    pub(super) layout: &'t Layout,
    pub(super) doc: Option<String>,
    pub(super) findings: Vec<Finding>,
}

impl<'t> Parser<'t> {
    pub(super) fn word(&self, i: usize) -> &'t str {
        &self.text[self.tokens[i].span.range()]
    }

    pub(super) fn span(&self, tokens: &Range<usize>) -> Span {
        match (self.tokens.get(tokens.start), tokens.end.checked_sub(1).and_then(|last| self.tokens.get(last))) {
            (Some(first), Some(last)) => first.span.to(last.span),
            _ => Span::default(),
        }
    }

    /// Of everything from the keyword on.
    pub(super) fn whole(&self) -> Span {
        self.span(&(0..self.tokens.len()))
    }

    /// The name in the header, even when the rest of it is wrong.
    pub(super) fn declared_name(&self) -> Option<Ident> {
        let mut significant = (1..self.tokens.len()).filter(|i| !self.tokens[*i].kind.is_trivia());
        let second = significant.next().filter(|i| self.tokens[*i].kind == TokenKind::Word)?;
        Some(Ident { name: self.word(second).into(), span: self.tokens[second].span })
    }

    /// The name that a broken `use` would have brought: its last word.
    fn imported_name(&self) -> Option<Ident> {
        let words = self.layout.header.clone().skip(1).filter(|i| self.tokens[*i].kind == TokenKind::Word);
        let last = words.rev().find(|i| self.word(*i) != "as")?;
        Some(Ident { name: self.word(last).into(), span: self.tokens[last].span })
    }

    fn declaration(&mut self, keyword: &str) -> Parsed {
        let before = self.findings.len();
        if keyword == "mlp" {
            let edition = self.edition();
            self.check_tail(before);
            return Parsed { edition, ..Parsed::default() };
        }
        let kind = self.declared(keyword);
        let mut damaged = self.findings.len() > before;
        self.check_tail(before);
        // A block whose lines were lost to a mistake around them.
        let takes_block = !matches!(keyword, "use" | "param" | "secret");
        damaged |= takes_block && self.findings.len() > before && self.members().is_empty();
        let mut broken = None;
        let is_use = keyword == "use";
        let is_test = keyword == "test";
        let keyword = self.tokens[0].span;
        let declaration = match kind {
            Some(kind) => Some(Declaration { doc: self.doc.take(), span: self.whole(), keyword, damaged, kind }),
            None => {
                broken = if is_use { self.imported_name() } else { self.declared_name().filter(|_| !is_test) };
                None
            }
        };
        Parsed { declaration, broken, ..Parsed::default() }
    }

    /// What the declaration declares.
    fn declared(&mut self, keyword: &str) -> Option<DeclarationKind> {
        match keyword {
            "pipeline" => self.pipeline(),
            "use" => self.import(),
            "param" => self.param(),
            "secret" => self.secret(),
            "schema" => self.schema(),
            "data" => self.data(),
            "component" => self.component(),
            "step" => self.step(),
            "tune" => self.tune(),
            "gate" => self.gate(),
            "deploy" => self.deploy(),
            "monitor" => self.monitor(),
            "on" => self.trigger(),
            "test" => self.test(),
            _ => self.model(),
        }
    }

    /// A declaration in the block of another one, as [`Parser::nested`] lays it out.
    pub(super) fn inner_declaration(&mut self) -> Option<Declaration> {
        let before = self.findings.len();
        let kind = self.declared(self.word(0));
        let damaged = self.findings.len() > before;
        let keyword = self.tokens[0].span;
        Some(Declaration { doc: self.doc.take(), span: self.whole(), keyword, damaged, kind: kind? })
    }

    /// What stands after the declaration, and a block that is never closed. Both follow from a mistake in the header, if
    /// there was one.
    pub(super) fn check_tail(&mut self, before: usize) {
        let header = self.span(&self.layout.header);
        let header_is_right = self.findings[before..].iter().all(|f| failure::position(f) > header.end);
        if let Some(Block { open, close: None, .. }) = self.layout.block {
            let end = self.tokens.iter().rposition(|t| !t.kind.is_trivia()).unwrap_or(open);
            self.findings.push(failure::unclosed(self.text, self.tokens, open, end));
        } else if let Some(trailing) = self.layout.trailing
            && header_is_right
        {
            let finding = failure::trailing(self.text, self.tokens, trailing, self.layout.block.is_some());
            self.findings.push(finding);
        }
    }

    /// Parses some tokens by a rule. What is wrong with them is one finding.
    pub(super) fn line(&mut self, rule: Rule, tokens: &Range<usize>) -> Option<Node<'t>> {
        if self.findings.len() > super::MOST_FINDINGS {
            return None;
        }
        let line = Line { text: self.text, tokens: self.tokens, partner: &self.layout.partner, range: tokens.clone() };
        if let Some(finding) = failure::before_parsing(&line) {
            self.findings.push(finding);
            return None;
        }
        let span = self.span(tokens);
        match grammar::parse(rule, &self.layout.text[span.range()]) {
            Ok(node) => Some(node),
            Err(failed) => {
                self.findings.push(failure::explain(&line, rule, span.start as usize, &failed));
                None
            }
        }
    }

    pub(super) fn builder(&mut self, tokens: &Range<usize>) -> Builder<'_> {
        let base = self.span(tokens).start as usize;
        Builder { base, findings: &mut self.findings }
    }

    /// The header by its rule: its parts without keywords and marks, and a builder for them.
    pub(super) fn header(&mut self, rule: Rule) -> Option<(Vec<Node<'t>>, Builder<'_>)> {
        let tokens = self.layout.header.clone();
        let node = self.line(rule, &tokens)?;
        let parts = node.into_inner().filter(|n| is_part(n.as_rule())).collect();
        Some((parts, self.builder(&tokens)))
    }

    pub(super) fn members(&self) -> &'t [Range<usize>] {
        self.layout.block.as_ref().map_or(&[], |b| &b.members)
    }

    /// A declaration that is nothing without its block.
    pub(super) fn needs_block(&mut self, holds: &str) {
        if self.layout.block.is_none() && self.findings.is_empty() {
            let header = self.span(&self.layout.header);
            let keyword = self.word(0);
            self.findings.push(
                Finding::error(codes::MISSING_BLOCK, place(header), format!("this `{keyword}` has no `{{ ... }}`"))
                    .label("expected `{` after this")
                    .help(format!("write {holds} between braces, one a line")),
            );
        }
    }

    fn edition(&mut self) -> Option<Edition> {
        let Some((parts, builder)) = self.header(Rule::edition) else {
            if let ([mlp], Some(finding)) = (self.header_words().as_slice(), self.findings.last_mut()) {
                let title = "write `mlp 1`";
                *finding = finding.clone().help(title).fix(title, *mlp, "mlp 1", Safety::Safe);
            }
            return None;
        };
        let number = parts.into_iter().next()?;
        let span = builder.span(&number);
        let number = number.as_str().parse().ok();
        if number != Some(1) {
            let finding = Finding::error(
                codes::UNSUPPORTED_EDITION,
                place(span),
                "this version of mlp does not know this edition of the language",
            );
            builder.findings.push(finding.label("the only edition is 1").help("write `mlp 1`, or install a newer mlp"));
        }
        Some(Edition { number: number.unwrap_or(0), span: self.span(&self.layout.header) })
    }

    /// The places of what stands in the header.
    fn header_words(&self) -> Vec<Span> {
        let header = self.tokens.get(self.layout.header.clone()).unwrap_or_default();
        header.iter().filter(|token| !token.kind.is_trivia()).map(|token| token.span).collect()
    }

    fn pipeline(&mut self) -> Option<DeclarationKind> {
        let name = self.header_name(Rule::pipeline);
        self.needs_block("settings such as `about = \"...\"`");
        let settings = self.settings();
        Some(DeclarationKind::Pipeline { name: name?, settings })
    }

    /// A header that is a keyword and a name.
    pub(super) fn header_name(&mut self, rule: Rule) -> Option<Ident> {
        let (parts, builder) = self.header(rule)?;
        parts.first().map(|n| builder.ident(n))
    }

    fn import(&mut self) -> Option<DeclarationKind> {
        let (parts, mut builder) = self.header(Rule::import)?;
        let mut parts = parts.into_iter();
        let path = parts.next()?;
        let path_span = builder.span(&path);
        let quoted = path.as_rule() == Rule::plain_string;
        let path = if quoted { builder.plain_string(path) } else { path.as_str().into() };
        let alias = parts.next().map(|n| builder.ident(&n));
        Some(DeclarationKind::Use { path, path_span, quoted, alias })
    }

    fn param(&mut self) -> Option<DeclarationKind> {
        let Some((parts, mut builder)) = self.header(Rule::param) else { return self.param_without_default() };
        let mut parts = parts.into_iter();
        let name = builder.ident(&parts.next()?);
        let ty = builder.ty(parts.next()?);
        let default = parts.next().map(|n| builder.expr(n));
        Some(DeclarationKind::Param { name, ty, default })
    }

    /// Name and type of a parameter whose default is wrong.
    fn param_without_default(&mut self) -> Option<DeclarationKind> {
        let equals = self.layout.header.clone().find(|i| self.word(*i) == "=")?;
        let span = self.span(&(0..equals));
        let node = grammar::parse(Rule::param, &self.layout.text[span.range()]).ok()?;
        let mut builder = Builder { base: span.start as usize, findings: &mut Vec::new() };
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let name = builder.ident(&parts.next()?);
        let ty = builder.ty(parts.next()?);
        let default = Some(tree::error(self.tokens[equals].span));
        Some(DeclarationKind::Param { name, ty, default })
    }

    fn schema(&mut self) -> Option<DeclarationKind> {
        let name = self.header_name(Rule::schema);
        self.needs_block("columns such as `age: int`");
        let fields = self.members().iter().filter_map(|m| self.field(m)).collect();
        Some(DeclarationKind::Schema { name: name?, fields })
    }

    fn field(&mut self, member: &Range<usize>) -> Option<Field> {
        let node = self.line(Rule::field, member)?;
        let doc = doc_text(self.text, &self.tokens[splitter::doc_start(self.tokens, member.start)..member.start]);
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let name = builder.key(parts.next()?);
        let ty = builder.ty(parts.next()?);
        let mut attributes = Vec::new();
        for part in parts {
            let mut inner = part.into_inner();
            let Some(first) = inner.next() else { continue };
            attributes.push(match first.as_rule() {
                Rule::kw_unique => Attribute::Unique(builder.span(&first)),
                Rule::kw_label => Attribute::Label(builder.span(&first)),
                Rule::comparison => Attribute::Compare(tree::comparison(first.as_str()), builder.chain(inner.next()?)),
                _ => Attribute::In(builder.chain(inner.next()?)),
            });
        }
        Some(Field { doc, name, ty, attributes, span })
    }

    fn data(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::data).map(|(parts, builder)| {
            let mut names = parts.iter().map(|n| builder.ident(n));
            (names.next(), names.next())
        });
        self.needs_block("`source = ...` and what is expected of the rows");
        let mut settings = Vec::new();
        let mut expectations = Vec::new();
        let mut pii: Option<Ident> = None;
        for member in self.members() {
            if self.is_clause(member, "pii") {
                let rule = self.only_name(Rule::pii, member);
                if pii.is_some() {
                    self.findings.push(failure::repeated(self.tokens[member.start].span, "pii"));
                }
                pii = pii.or(rule);
            } else if self.is_clause(member, "expect") {
                expectations.extend(self.clause(Rule::expectation, member));
            } else if !self.wrong_clause(member, "expect") {
                settings.extend(self.setting(member));
            }
        }
        let (name, schema) = header?;
        Some(DeclarationKind::Data { name: name?, schema, settings, expectations, pii })
    }

    fn gate(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::gate).map(|(parts, builder)| {
            let name = parts.first().map(|n| builder.ident(n));
            (name, parts.iter().skip(1).flat_map(|n| names_after(&builder, n)).collect())
        });
        self.needs_block("lines such as `require eval.auc >= 0.85`");
        let (mut requirements, mut approvals) = (Vec::new(), Vec::new());
        for member in self.members() {
            if self.is_clause(member, "approve") {
                approvals.extend(self.approval(member));
            } else if self.is_clause(member, "require") {
                requirements.extend(self.clause(Rule::requirement, member));
            } else if !self.wrong_clause(member, "require") {
                let span = self.span(member);
                self.findings.push(
                    Finding::error(codes::UNEXPECTED_SYNTAX, place(span), "this line of the gate requires nothing")
                        .label("expected `require`")
                        .help("begin it with `require`, as in `require eval.auc >= 0.85`"),
                );
            }
        }
        let (name, after) = header?;
        Some(DeclarationKind::Gate { name: name?, requirements, approvals, after })
    }

    fn step(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::step).map(|(parts, builder)| step_header(parts, builder));
        let mut task = Task::default();
        let mut settings = Vec::new();
        for member in self.members() {
            if !self.task_clause(member, &mut task) {
                settings.extend(self.setting(member));
            }
        }
        let StepHeader { name, body, fan, when, after } = match header.flatten() {
            Some(header) => header,
            None => StepHeader {
                name: self.declared_name()?,
                body: tree::error(self.whole()),
                fan: None,
                when: None,
                after: Vec::new(),
            },
        };
        Some(DeclarationKind::Step { name, body, fan, when, after, task, settings })
    }

    fn model(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::model).and_then(|(parts, mut builder)| {
            let mut parts = parts.into_iter();
            let name = builder.ident(&parts.next()?);
            let value = builder.expr(parts.next()?);
            let after = parts.flat_map(|n| names_after(&builder, &n)).collect();
            Some((name, value, after))
        });
        let mut card: Option<Vec<(Ident, Expr)>> = None;
        let mut settings = Vec::new();
        for member in self.members() {
            if self.is_clause(member, "card") {
                let span = self.tokens[member.start].span;
                let Some(node) = self.line(Rule::card, member) else { continue };
                let mut builder = self.builder(member);
                let entries = node.into_inner().find(|n| n.as_rule() == Rule::map).map(|n| builder.map(n));
                if card.is_some() {
                    self.findings.push(failure::repeated(span, "card"));
                }
                card = card.or(entries);
            } else {
                settings.extend(self.setting(member));
            }
        }
        let card = card.unwrap_or_default();
        let (name, value, after) = match header {
            Some(header) => header,
            None => (self.declared_name()?, tree::error(self.whole()), Vec::new()),
        };
        Some(DeclarationKind::Model { name, value, after, card, settings })
    }

    /// `expect` or `require`.
    pub(super) fn clause(&mut self, rule: Rule, member: &Range<usize>) -> Option<Clause> {
        let node = self.line(rule, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let condition = builder.expr(parts.next()?);
        let mut clause = Clause { condition, because: None, min_support: None, unless: None, span };
        for part in parts {
            let rule = part.as_rule();
            let mut inner = part.into_inner();
            let (Some(keyword), Some(value)) = (inner.next(), inner.next()) else { continue };
            let keyword_span = builder.span(&keyword);
            match rule {
                Rule::because if clause.because.is_none() => {
                    clause.because = Some(builder.fixed_text(value, "a reason"))
                }
                Rule::min_support if clause.min_support.is_none() => clause.min_support = Some(builder.expr(value)),
                Rule::unless if clause.unless.is_none() => clause.unless = Some(builder.ident(&value)),
                _ => builder.findings.push(failure::repeated(keyword_span, keyword.as_str())),
            }
        }
        Some(clause)
    }

    /// A clause under a wrong name: one of another block, or misspelled.
    fn wrong_clause(&mut self, member: &Range<usize>, right: &'static str) -> bool {
        let (word, span) = (self.word(member.start), self.tokens[member.start].span);
        let meant = keywords::nearest(word, [right]).is_some() || keywords::CLAUSES.contains(&word);
        if !meant || word == right || !self.is_clause(member, word) {
            return false;
        }
        self.findings.push(
            Finding::error(codes::UNEXPECTED_SYNTAX, place(span), format!("`{word}` is not known here"))
                .label(format!("did you mean `{right}`?"))
                .fix(format!("write `{right}`"), span, right, Safety::Unsafe),
        );
        true
    }

    fn report_indented(&mut self, keyword: &str) {
        let at = self.tokens[0].span;
        let line = self.text[..at.start as usize].rfind('\n').map_or(0, |n| n + 1);
        let (what, title, fix) = match line < at.start as usize {
            true => ("is indented", "remove the indentation", ""),
            // Its line is not part of its chunk: other code stands before it.
            false => ("does not start its line", "start a new line", "\n"),
        };
        self.findings.push(
            Finding::error(codes::INDENTED_DECLARATION, place(at), format!("this `{keyword}` {what}"))
                .label("a declaration starts in the first column")
                .help(format!("move `{keyword}` to the start of its line"))
                .fix(title, Span::new(line, at.start as usize), fix, Safety::Safe),
        );
    }

    fn unknown_declaration(&mut self, word: &str) -> Parsed {
        let span = self.tokens[0].span;
        let finding =
            Finding::error(codes::UNKNOWN_DECLARATION, place(span), format!("`{word}` starts no declaration"));
        self.findings.push(match (keywords::nearest_declaration(word), keywords::as_elsewhere(word)) {
            (Some(meant), _) => finding.label(format!("did you mean `{meant}`?")).fix(
                format!("write `{meant}`"),
                span,
                meant,
                Safety::Unsafe,
            ),
            (None, Some(ours)) => finding.label("expected a declaration").help(format!("write {ours}")),
            (None, None) => finding.label("expected a declaration").help(
                "a line in the first column starts with one of pipeline, use, param, secret, schema, data, component, \
                 step, tune, gate, model, deploy, monitor, on, test",
            ),
        });
        Parsed { broken: self.declared_name(), ..Parsed::default() }
    }

    fn stray(&mut self) -> Parsed {
        self.findings.push(failure::stray(self.text, self.tokens));
        // `trian = f(x)`, whose keyword is missing: its name is known all the same.
        let mut significant = (0..self.tokens.len()).filter(|i| !self.tokens[*i].kind.is_trivia());
        let (first, second) = (significant.next(), significant.next());
        let named = first.filter(|first| {
            let then = second.is_some_and(|second| matches!(self.word(second), "=" | ":" | "{"));
            then && self.tokens[*first].kind == TokenKind::Word
        });
        let broken = named.map(|i| Ident { name: self.word(i).into(), span: self.tokens[i].span });
        Parsed { broken, ..Parsed::default() }
    }
}
