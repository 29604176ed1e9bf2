//! Declarations that group, grant, search and test: `component`, `secret`, `tune`, `test`; and the clauses of steps that run
//! programs.

use super::ast::*;
use super::chunk::{Parser, doc_text};
use super::codes;
use super::failure;
use super::grammar::Rule;
use super::headers::is_part;
use super::keywords::{self, IN_COMPONENTS};
use super::splitter;
use super::tree::{self, place};
use crate::finding::Finding;
use std::ops::Range;

impl Parser<'_> {
    /// `secret token = env("TOKEN")`
    pub(super) fn secret(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::secret).and_then(|(parts, mut builder)| {
            let mut parts = parts.into_iter();
            Some((builder.ident(&parts.next()?), builder.expr(parts.next()?)))
        });
        let (name, source) = match header {
            Some(header) => header,
            None => (self.declared_name()?, tree::error(self.whole())),
        };
        Some(DeclarationKind::Secret { name, source })
    }

    /// `component trained(rows: dataset<Customer>, seed: int = 7) { ... }`
    pub(super) fn component(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::component).and_then(|(parts, mut builder)| {
            let mut parts = parts.into_iter();
            let name = builder.ident(&parts.next()?);
            let mut params = Vec::new();
            for given in parts.filter(|n| n.as_rule() == Rule::given) {
                let span = builder.span(&given);
                let mut parts = given.into_inner().filter(|n| is_part(n.as_rule()));
                let name = builder.ident(&parts.next()?);
                let ty = builder.ty(parts.next()?);
                let default = parts.next().map(|n| builder.expr(n));
                params.push(ComponentParam { name, ty, default, span });
            }
            Some((name, params))
        });
        self.needs_block("steps, and `output name = step.output` for what it gives");
        let (mut declarations, mut outputs) = (Vec::new(), Vec::new());
        let begins = |parser: &Self, member: &Range<usize>| {
            let word = parser.word(member.start);
            keywords::is_declaration(word) || word == "output"
        };
        for member in self.whole_members(begins) {
            let doc = doc_text(self.text, &self.tokens[splitter::doc_start(self.tokens, member.start)..member.start]);
            if self.clause_of(&member, &IN_COMPONENTS).is_some() {
                let declaration = self.nested(&member, |inner| {
                    inner.doc = doc;
                    inner.inner_declaration()
                });
                declarations.extend(declaration.flatten());
            } else if self.is_clause(&member, "output") {
                outputs.extend(self.output(&member, doc));
            } else if keywords::is_declaration(self.word(member.start)) {
                self.misplaced(&member);
            } else if !self.unknown_clause(&member, &["data", "step", "tune", "gate", "output"]) {
                // Every other line of a component is one that cannot stand there.
                self.line(Rule::output, &member);
            }
        }
        let (name, params) = header?;
        Some(DeclarationKind::Component { name, params, declarations, outputs })
    }

    /// A declaration that cannot stand in a component.
    fn misplaced(&mut self, member: &Range<usize>) {
        let (word, span) = (self.word(member.start), self.tokens[member.start].span);
        self.findings.push(
            Finding::error(codes::UNEXPECTED_SYNTAX, place(span), format!("a component holds no `{word}`"))
                .label("not known here")
                .help("data, steps, searches and gates stand in a component; write the rest outside of it"),
        );
    }

    /// `output clf: model<classifier> = fit.model`
    fn output(&mut self, member: &Range<usize>, doc: Option<String>) -> Option<OutputLine> {
        let node = self.line(Rule::output, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule())).peekable();
        let name = builder.ident(&parts.next()?);
        let ty = parts.next_if(|n| n.as_rule() == Rule::ty).map(|n| builder.ty(n));
        Some(OutputLine { doc, name, ty, value: builder.expr(parts.next()?), span })
    }

    /// `tune search over train { ... }`
    pub(super) fn tune(&mut self) -> Option<DeclarationKind> {
        let header = self.two_names(Rule::tune);
        self.needs_block("what is searched, such as `lr in log(1e-4..1e-1)`, and `maximize train.fit.auc`");
        let (mut space, mut goals, mut settings) = (Vec::new(), Vec::new(), Vec::new());
        for member in self.members() {
            if self.clause_of(member, &["maximize", "minimize"]).is_some() {
                goals.extend(self.goal(member));
            } else if self.second_is(member, "in") {
                space.extend(self.space(member));
            } else if !self.unknown_clause(member, &["maximize", "minimize"]) {
                settings.extend(self.setting(member));
            }
        }
        let (name, over) = header?;
        Some(DeclarationKind::Tune { name, over, space, goals, settings })
    }

    fn second_is(&self, member: &Range<usize>, word: &str) -> bool {
        let mut significant = member.clone().filter(|i| !self.tokens[*i].kind.is_trivia()).skip(1);
        significant.next().is_some_and(|i| self.word(i) == word)
    }

    /// `lr in log(1e-4..1e-1)`
    fn space(&mut self, member: &Range<usize>) -> Option<SpaceLine> {
        let node = self.line(Rule::space, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        Some(SpaceLine { name: builder.ident(&parts.next()?), values: builder.expr(parts.next()?), span })
    }

    /// `test "stale data is refused" { ... }`
    pub(super) fn test(&mut self) -> Option<DeclarationKind> {
        let header = self.header(Rule::test).and_then(|(parts, mut builder)| {
            let node = parts.into_iter().next()?;
            let span = builder.span(&node);
            Some(Ident { name: builder.fixed_text(node, "the text of a test"), span })
        });
        self.needs_block(r#"what is replaced, such as `with rows = csv("stale.csv")`, and `expect rows fails`"#);
        let (mut withs, mut expectations) = (Vec::new(), Vec::new());
        for member in self.members() {
            if self.is_clause(member, "with") {
                withs.extend(self.with(member));
            } else if self.is_clause(member, "expect") {
                expectations.extend(self.test_line(member));
            } else if !self.unknown_clause(member, &["with", "expect"]) {
                let span = self.span(member);
                self.findings.push(
                    Finding::error(codes::UNEXPECTED_SYNTAX, place(span), "this line of the test says nothing")
                        .label("expected `with` or `expect`")
                        .help(r#"begin it with `with`, as in `with rows = csv("stale.csv")`, or with `expect`"#),
                );
            }
        }
        Some(DeclarationKind::Test { name: header?, withs, expectations })
    }

    fn with(&mut self, member: &Range<usize>) -> Option<With> {
        let node = self.line(Rule::replaced, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        Some(With { name: builder.ident(&parts.next()?), value: builder.expr(parts.next()?), span })
    }

    fn test_line(&mut self, member: &Range<usize>) -> Option<TestLine> {
        let span = self.span(member);
        if !["fails", "passes", "skipped"].iter().any(|word| self.third_is(member, word)) {
            let clause = self.clause(Rule::expectation, member)?;
            return Some(TestLine { kind: TestKind::Holds(clause.condition), because: clause.because, span });
        }
        let node = self.line(Rule::ends, member)?;
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let name = builder.ident(&parts.next()?);
        let word = builder.ident(&parts.next()?);
        let because = parts.next().and_then(|n| n.into_inner().nth(1));
        let because = because.map(|text| builder.fixed_text(text, "a reason"));
        Some(TestLine { kind: TestKind::Ends(name, word), because, span })
    }

    fn third_is(&self, member: &Range<usize>, word: &str) -> bool {
        let mut significant = member.clone().filter(|i| !self.tokens[*i].kind.is_trivia()).skip(2);
        significant.next().is_some_and(|i| self.word(i) == word)
    }

    /// `approve by 2 of ["ml-lead", "risk"] within 3d`
    pub(super) fn approval(&mut self, member: &Range<usize>) -> Option<Approval> {
        let node = self.line(Rule::approval, member)?;
        let span = self.span(member);
        let mut builder = self.builder(member);
        let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
        let first = builder.expr(parts.next()?);
        let (mut people, mut within) = (None, None);
        for part in parts {
            let (rule, at) = (part.as_rule(), builder.span(&part));
            let Some(value) = part.into_inner().find(|n| n.as_rule() == Rule::expr) else { continue };
            let (slot, word) = if rule == Rule::limit { (&mut within, "within") } else { (&mut people, "of") };
            if slot.is_some() {
                builder.findings.push(failure::repeated(at, word));
            } else {
                *slot = Some(builder.expr(value));
            }
        }
        let (count, people) = match people {
            Some(people) => (Some(first), people),
            None => (None, first),
        };
        Some(Approval { count, people, within, span })
    }

    /// `with { ... }`, `in { ... }`, `out { ... }` of a step. `false`: the member is none of them.
    pub(super) fn task_clause(&mut self, member: &Range<usize>, task: &mut Task) -> bool {
        let Some(word) = self.clause_of(member, &["with", "in", "out"]) else { return false };
        let span = self.span(member);
        let given = match word {
            "with" => task.with.is_some(),
            "in" => task.inputs.is_some(),
            _ => task.outputs.is_some(),
        };
        if given {
            self.findings.push(failure::repeated(self.tokens[member.start].span, word));
            return true;
        }
        let rule = match word {
            "with" => Rule::with,
            "in" => Rule::inputs,
            _ => Rule::outputs,
        };
        let Some(node) = self.line(rule, member) else { return true };
        let mut builder = self.builder(member);
        if word == "out" {
            task.outputs = Some(Outputs { entries: builder.typed(node), span });
            return true;
        }
        let entries = node.into_inner().find(|n| n.as_rule() == Rule::map).map(|n| builder.map(n));
        let entries = Some(Entries { entries: entries.unwrap_or_default(), span });
        if word == "with" {
            task.with = entries;
        } else {
            task.inputs = entries;
        }
        true
    }
}
