//! `test "stale data never reaches training" { with customers = csv("stale.csv")  expect customers fails }`

use super::{certainty, named, source};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::names::Kind;
use crate::pipeline::{DataSource, Expr, NodeId};
use crate::span::Span;
use crate::syntax::ast::{self, DeclarationKind, Ident, TestKind, TestLine, With};
use crate::testing::{Ending, Expected, ExpectedKind, TestCase};
use crate::types::Type;
use crate::typing::{Scope, Typing};
use crate::value::Value;
use crate::written::quoted;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};

/// Every test of the file, in the order written. `None`: one of them is wrong.
pub(super) fn lower_all(cx: &mut Context<'_>) -> Option<Vec<TestCase>> {
    let file = cx.file;
    let mut tests = Vec::new();
    let mut names: HashMap<&str, Span> = HashMap::new();
    let mut sound = true;
    for declaration in &file.declarations {
        let DeclarationKind::Test { name, withs, expectations } = &declaration.kind else { continue };
        if let Some(first) = names.insert(&name.name, name.span) {
            let message = format!("the test {} is declared twice", quoted(&name.name));
            let finding = Finding::error(codes::DUPLICATE_DECLARATION, cx.place(name.span), message);
            cx.report(finding.also(cx.place(first), "first declared here").help("say what each of them shows"));
            sound = false;
        }
        match lower(cx, name, withs, expectations, declaration.damaged) {
            Some(test) => tests.push(TestCase { doc: declaration.doc.clone(), ..test }),
            None => sound = false,
        }
    }
    sound.then_some(tests)
}

fn lower(cx: &mut Context<'_>, name: &Ident, withs: &[With], lines: &[TestLine], damaged: bool) -> Option<TestCase> {
    let replaced = replaced(cx, withs);
    if lines.is_empty() && !damaged {
        let finding = Finding::error(codes::EMPTY_TEST, cx.place(name.span), "this test expects nothing");
        cx.report(finding.help("add a line such as `expect customers fails` or `expect eval.auc >= 70%`"));
    }
    let expectations = expectations(cx, lines);
    if lines.is_empty() || damaged {
        return None;
    }
    let (replaced, expectations) = (replaced?, expectations?);
    if withs.is_empty() {
        let message = "this test replaces nothing, so it says no more than the next run";
        let finding = Finding::warning(codes::IDLE_TEST, cx.place(name.span), message);
        cx.report(
            finding.help("give it data or a parameter of its own, `with customers = csv(\"...\")`, or make it a gate"),
        );
    }
    idle_replacements(cx, withs, &replaced.data, &expectations);
    Some(TestCase {
        name: name.name.clone(),
        doc: None,
        span: name.span,
        params: replaced.params,
        data: replaced.data,
        expectations,
    })
}

/// What stands in place of what.
struct Replaced {
    params: IndexMap<String, Value>,
    data: Vec<(NodeId, DataSource)>,
}

fn replaced(cx: &mut Context<'_>, withs: &[With]) -> Option<Replaced> {
    let mut replaced = Replaced { params: IndexMap::new(), data: Vec::new() };
    let mut seen: HashMap<&str, Span> = HashMap::new();
    let mut sound = true;
    for with in withs {
        let name = with.name.name.as_str();
        if let Some(first) = seen.insert(name, with.name.span) {
            let message = format!("`{name}` is replaced twice");
            let finding = Finding::error(codes::DUPLICATE_SETTING, cx.place(with.name.span), message);
            cx.report(finding.also(cx.place(first), "first here").help("remove one"));
            sound = false;
            continue;
        }
        let wanted = [Kind::Data, Kind::Param];
        let found = named(cx, &with.name, &wanted, "a test replaces data and parameters");
        let Some((kind, index)) = found else {
            sound = false;
            continue;
        };
        let done = match kind {
            Kind::Param => param(cx, name, with).map(|value| {
                replaced.params.insert(name.to_owned(), value);
            }),
            _ => source::replaced(cx, &with.value).and_then(|source| {
                replaced.data.push((*cx.ids.get(&index)?, source));
                Some(())
            }),
        };
        sound &= done.is_some();
    }
    sound.then_some(replaced)
}

fn param(cx: &mut Context<'_>, name: &str, with: &With) -> Option<Value> {
    let known = cx.params.get(name)?.clone();
    if known.ty == Type::Unknown {
        return None;
    }
    let (_, value) = Typing::new(cx, Scope::Constant).constant(&with.value)?;
    let value = cx.fit(&with.value, &value, &known.ty, &format!("the parameter `{name}`"))?;
    if known.value.as_ref() == Some(&value) && !cx.overridden.contains(name) {
        let message = format!("`{name}` is {value} without this test too");
        let finding = Finding::warning(codes::SAME_VALUE, cx.place(with.value.span), message);
        cx.report(finding.label("replaces nothing").help("give it another value, or remove the line"));
    }
    Some(value)
}

fn expectations(cx: &mut Context<'_>, lines: &[TestLine]) -> Option<Vec<Expected>> {
    let mut expected = Vec::with_capacity(lines.len());
    let mut ends: HashMap<&str, (&Ident, Span)> = HashMap::new();
    let mut conditions: Vec<(&ast::Expr, Expr)> = Vec::new();
    let mut sound = true;
    for line in lines {
        let what = match &line.kind {
            TestKind::Ends(name, word) => match ends.insert(&name.name, (word, line.span)) {
                Some((before, first)) => {
                    twice(cx, name, word, before, line.span, first);
                    None
                }
                None => ending(cx, name, word),
            },
            TestKind::Holds(written) => {
                let typed = Typing::new(cx, Scope::Run).condition(written);
                if typed.is_unknown() {
                    None
                } else {
                    certainty::report(cx, written, &typed.expr);
                    conditions.push((written, typed.expr.clone()));
                    Some(ExpectedKind::Holds(typed.expr))
                }
            }
        };
        let Some(what) = what else {
            sound = false;
            continue;
        };
        let text = match &line.kind {
            TestKind::Ends(name, word) => format!("{} {}", name.name, word.name),
            TestKind::Holds(written) => cx.text(written.span),
        };
        expected.push(Expected { what, text, because: line.because.clone(), span: line.span });
    }
    let joint: Vec<_> = conditions.iter().map(|(written, condition)| (*written, condition)).collect();
    certainty::contradictions(cx, &joint);
    sound.then_some(expected)
}

/// Two lines about the end of one node.
fn twice(cx: &mut Context<'_>, name: &Ident, word: &Ident, before: &Ident, span: Span, first: Span) {
    let finding = if word.name == before.name {
        let message = format!("that `{}` {} is expected twice", name.name, word.name);
        Finding::error(codes::DUPLICATE_SETTING, cx.place(span), message).help("remove one")
    } else {
        let message = format!("`{}` cannot end both ways: {} and {}", name.name, before.name, word.name);
        Finding::error(codes::TWO_ENDS, cx.place(span), message).help("keep one, or write two tests")
    };
    cx.report(finding.also(cx.place(first), "first here"));
}

/// `customers fails`
fn ending(cx: &mut Context<'_>, name: &Ident, word: &Ident) -> Option<ExpectedKind> {
    let wanted = [Kind::Data, Kind::Step, Kind::Gate];
    let (kind, index) = named(cx, name, &wanted, "a test expects something of data, steps and gates")?;
    let endings = [Ending::Fails, Ending::Passes, Ending::Skipped];
    let how = endings.into_iter().find(|ending| ending.word() == word.name)?;
    let id = *cx.ids.get(&index)?;
    let rests_on_nothing = cx.needs.get(&id).is_some_and(Vec::is_empty);
    if kind == Kind::Data && how == Ending::Skipped && rests_on_nothing {
        let message = format!("`{}` is data, which every run reads", name.name);
        let finding = Finding::error(codes::NEVER_SKIPPED, cx.place(word.span), message).label("never skipped");
        cx.report(finding.help("write `fails` or `passes`"));
        return None;
    }
    Some(ExpectedKind::Ends { node: id, how })
}

/// Data that are replaced and that nothing expected rests on.
fn idle_replacements(cx: &mut Context<'_>, withs: &[With], data: &[(NodeId, DataSource)], expected: &[Expected]) {
    let mut rests: BTreeSet<NodeId> = BTreeSet::new();
    for expected in expected {
        match &expected.what {
            ExpectedKind::Ends { node, .. } => {
                rests.insert(*node);
            }
            ExpectedKind::Holds(condition) => super::gate::measured(condition, &mut rests),
        }
    }
    let last = rests.last().map_or(0, |node| node.0);
    for id in (0..=last).rev().map(NodeId).filter(|id| cx.needs.contains_key(id)).collect::<Vec<_>>() {
        if rests.contains(&id) {
            rests.extend(cx.needs.get(&id).into_iter().flatten().copied());
        }
    }
    for (node, _) in data.iter().filter(|(node, _)| !rests.contains(node)) {
        let name_of = |with: &&With| {
            let index = cx.names.get(&with.name.name).map(|declared| declared.index);
            index.and_then(|index| cx.ids.get(&index)) == Some(node)
        };
        let Some(with) = withs.iter().find(name_of) else { continue };
        let message = format!("nothing that this test expects rests on `{}`", with.name.name);
        let finding = Finding::warning(codes::IDLE_REPLACEMENT, cx.place(with.span), message);
        cx.report(
            finding.label("without effect").help("remove the line, or expect something of what reads these data"),
        );
    }
}
