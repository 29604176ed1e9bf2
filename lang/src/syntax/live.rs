//! Declarations of what is live: `deploy`, `monitor`, `on`.
//!
//! Their blocks hold blocks. A nested block is parsed as a chunk of its own, by the same layout, and shifted to its place:
//! so a line that is wrong in it is one finding and leaves the others whole, as in the block around it.

use super::ast::*;
use super::chunk::Parser;
use super::failure;
use super::grammar::Rule;
use super::headers::is_part;
use super::keywords::STRATEGIES;
use super::lexer::TokenKind;
use crate::span::Span;
use std::ops::Range;

impl Parser<'_> {
    pub(super) fn deploy(&mut self) -> Option<DeclarationKind> {
        let header = self.two_names(Rule::deploy);
        self.needs_block("how it is served and how a candidate takes over, such as `replace`");
        let mut settings = Vec::new();
        let mut strategies = Vec::new();
        let mut rollback: Option<Expr> = None;
        for member in self.members() {
            if let Some(word) = self.clause_of(member, &STRATEGIES) {
                strategies.extend(self.nested(member, |inner| inner.strategy(word)));
            } else if self.is_clause(member, "rollback") {
                let limit = self.only_expr(Rule::rollback, member);
                if rollback.is_some() {
                    self.findings.push(failure::repeated(self.tokens[member.start].span, "rollback"));
                }
                rollback = rollback.or(limit);
            } else if !self.unknown_clause(member, &["replace", "canary", "blue_green", "shadow", "ab", "rollback"]) {
                settings.extend(self.setting(member));
            }
        }
        let (name, model) = header?;
        Some(DeclarationKind::Deploy { name, model, settings, strategies, rollback })
    }

    pub(super) fn monitor(&mut self) -> Option<DeclarationKind> {
        let header = self.two_names(Rule::monitor);
        self.needs_block("lines such as `every 1h over 24h` and `watch error_rate <= 1%`");
        let mut settings = Vec::new();
        let (mut watches, mut breaches) = (Vec::new(), Vec::new());
        let mut rhythm: Option<Rhythm> = None;
        for member in self.members() {
            if self.is_clause(member, "every") {
                let found = self.exprs(Rule::rhythm, member).and_then(|exprs| {
                    let mut exprs = exprs.into_iter();
                    Some(Rhythm { every: exprs.next()?, over: exprs.next() })
                });
                if rhythm.is_some() {
                    self.findings.push(failure::repeated(self.tokens[member.start].span, "every"));
                }
                rhythm = rhythm.or(found);
            } else if self.is_clause(member, "watch") {
                let span = self.span(member);
                watches.extend(self.only_expr(Rule::watch, member).map(|condition| WatchLine { condition, span }));
            } else if self.is_clause(member, "on") {
                breaches.extend(self.nested(member, |inner| inner.breach()));
            } else if !self.unknown_clause(member, &["every", "watch", "on"]) {
                settings.extend(self.setting(member));
            }
        }
        let block = self.block_span();
        let (name, deployment) = header?;
        Some(DeclarationKind::Monitor { name, deployment, rhythm, settings, watches, breaches, block })
    }

    pub(super) fn trigger(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::trigger).and_then(|(parts, mut builder)| {
            let event = parts.into_iter().next()?;
            let rule = event.as_rule();
            let mut parts = event.into_inner().filter(|n| is_part(n.as_rule()));
            let first = parts.next()?;
            if rule == Rule::change {
                return Some(Event::Change(builder.ident(&first)));
            }
            let mut text = |node, what| {
                let (span, before) = (builder.span(&node), builder.findings.len());
                let name = builder.fixed_text(node, what);
                (builder.findings.len() == before).then_some(Ident { name, span })
            };
            match rule {
                Rule::webhook => return text(first, "the name of a webhook").map(Event::Webhook),
                Rule::commit => return text(first, "a branch").map(Event::Commit),
                Rule::finish => return text(first, "the name of a pipeline").map(Event::End),
                _ => {}
            }
            let cron = text(first, "a schedule");
            let zone = parts.next().map(|node| text(node, "a zone"));
            let zone = match zone {
                None => None,
                Some(zone) => Some(zone?),
            };
            Some(Event::Schedule { cron: cron?, zone })
        });
        if header.is_none() && self.declared_name().is_some_and(|word| word.name == "breach") {
            let finding = self.findings.pop();
            self.findings.extend(finding.map(|it| it.help("`on breach` belongs into a `monitor`, indented")));
        }
        let (mut actions, mut settings) = (Vec::new(), Vec::new());
        for member in self.members() {
            if self.is_setting(member) {
                settings.extend(self.setting(member));
            } else {
                self.action(member, &mut actions);
            }
        }
        Some(DeclarationKind::Trigger { event: header?, actions, settings })
    }

    /// `canary { ... }`, from its word on.
    fn strategy(&mut self, word: &'static str) -> Strategy {
        self.header(Rule::strategy);
        if word != "replace" {
            self.needs_block(match word {
                "blue_green" => "`preview for 10m`",
                "ab" => "`50% for 14d` and what decides, such as `maximize accuracy(label: churned)`",
                _ => "lines such as `5% for 10m`",
            });
        }
        let mut strategy = Strategy {
            word: Ident { name: word.into(), span: self.tokens[0].span },
            weights: Vec::new(),
            phases: Vec::new(),
            check: None,
            goals: Vec::new(),
            settings: Vec::new(),
        };
        let weighted = matches!(word, "canary" | "shadow" | "ab");
        for member in self.members() {
            if self.is_clause(member, "check") {
                let check = self.nested(member, |inner| inner.check());
                if strategy.check.is_some() {
                    self.findings.push(failure::repeated(self.tokens[member.start].span, "check"));
                }
                strategy.check = strategy.check.or(check);
            } else if self.is_setting(member) {
                strategy.settings.extend(self.setting(member));
            } else if word == "ab" && self.clause_of(member, &["maximize", "minimize"]).is_some() {
                strategy.goals.extend(self.goal(member));
            } else if self.clause_of(member, &["watch", "preview", "keep"]).is_some()
                || !weighted && self.tokens[member.start].kind == TokenKind::Word
            {
                strategy.phases.extend(self.phase(member));
            } else {
                strategy.weights.extend(self.weight(member));
            }
        }
        strategy
    }

    fn weight(&mut self, member: &Range<usize>) -> Option<Weight> {
        let node = self.line(Rule::weight, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let share = builder.expr(parts.next()?);
        let hold = match parts.next() {
            None => Hold::Unsaid,
            Some(node) if node.as_rule() == Rule::promotion => Hold::UntilPromoted(builder.span(&node)),
            Some(node) => Hold::For(builder.expr(node)),
        };
        Some(Weight { share, hold, span })
    }

    fn phase(&mut self, member: &Range<usize>) -> Option<Phase> {
        let node = self.line(Rule::phase, member)?;
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let name = builder.ident(&parts.next()?);
        let length = builder.expr(parts.next()?);
        Some(Phase { name, length })
    }

    /// `check every 30s { ... }`
    fn check(&mut self) -> Check {
        let header = self.layout.header.clone();
        let mut check = Check {
            every: self.only_expr(Rule::check, &header),
            verdicts: Vec::new(),
            settings: Vec::new(),
            tolerate: Vec::new(),
            span: self.span(&header),
            block: self.block_span(),
        };
        self.needs_block("conditions such as `error_rate <= 1%`");
        let mut tolerated = false;
        for member in self.whole_counts() {
            if !self.is_setting(&member) {
                check.verdicts.extend(self.verdict(&member));
            } else if self.word(member.start) == "tolerate" {
                if tolerated {
                    self.findings.push(failure::repeated(self.tokens[member.start].span, "tolerate"));
                }
                tolerated = true;
                check.tolerate.extend(self.counts(&member));
            } else {
                check.settings.extend(self.setting(&member));
            }
        }
        check
    }

    /// The members, with `tolerate = 2 failures, 1 inconclusive` in one piece: a comma ends any other member.
    fn whole_counts(&self) -> Vec<Range<usize>> {
        let mut whole: Vec<Range<usize>> = Vec::with_capacity(self.members().len());
        for member in self.members() {
            let counts = |tolerate: &&mut Range<usize>| {
                let between = tolerate.end..member.start;
                self.word(tolerate.start) == "tolerate"
                    && self.tokens[member.start].kind != TokenKind::Word
                    && between.clone().any(|i| self.word(i) == ",")
            };
            match whole.last_mut().filter(counts) {
                Some(tolerate) => tolerate.end = member.end,
                None => whole.push(member.clone()),
            }
        }
        whole
    }

    fn verdict(&mut self, member: &Range<usize>) -> Option<Verdict> {
        let span = self.span(member);
        let mut exprs = self.exprs(Rule::verdict, member)?.into_iter();
        Some(Verdict { success: exprs.next()?, failure: exprs.next(), span })
    }

    fn counts(&mut self, member: &Range<usize>) -> Vec<(Expr, Ident)> {
        let Some(node) = self.line(Rule::tolerate, member) else { return Vec::new() };
        let mut builder = self.builder(member);
        let counts = node.into_inner().filter(|n| n.as_rule() == Rule::count);
        counts
            .filter_map(|count| {
                let mut parts = count.into_inner();
                let number = builder.single(parts.next()?);
                Some((number, builder.ident(&parts.next()?)))
            })
            .collect()
    }

    /// `on breach for 2 windows { ... }`
    fn breach(&mut self) -> Breach {
        let header = self.layout.header.clone();
        let windows = self.only_expr(Rule::breach, &header);
        self.needs_block("what is done, such as `alert webhook(\"http://...\")`");
        let actions = self.actions();
        Breach { windows, actions, span: self.span(&header) }
    }

    fn actions(&mut self) -> Vec<ActionLine> {
        let mut actions = Vec::new();
        for member in self.members() {
            self.action(member, &mut actions);
        }
        actions
    }

    fn action(&mut self, member: &Range<usize>, actions: &mut Vec<ActionLine>) {
        let Some(node) = self.line(Rule::action, member) else { return };
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut alert = false;
        for part in node.into_inner() {
            match part.as_rule() {
                Rule::kw_alert => alert = true,
                Rule::expr => actions.push(ActionLine { alert, what: builder.expr(part), span }),
                _ => {}
            }
        }
    }

    /// From the `{` to the end of the last member.
    fn block_span(&self) -> Span {
        let Some(block) = &self.layout.block else { return self.span(&self.layout.header) };
        let last = block.members.last().map_or(block.open, |member| member.end - 1);
        self.tokens[block.open].span.to(self.tokens[last].span)
    }
}
