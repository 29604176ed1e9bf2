//! Laws: what must hold for every text.

use super::{PRELUDE, checked};
use crate::codes;
use crate::finding::{Code, Finding, Safety};
use crate::fix;
use crate::pipeline::{NodeKind, Pipeline};
use crate::silence::{Level, LevelError, Levels, silencer};
use crate::span::Source;
use proptest::prelude::*;

const TEN: &str = include_str!("ten.mlp");
const CASES: &[&str] = &[
    include_str!("names.txt"),
    include_str!("expressions.txt"),
    include_str!("calls.txt"),
    include_str!("data.txt"),
    include_str!("gates.txt"),
    include_str!("live.mlp"),
    include_str!("registry.txt"),
    include_str!("deploy.txt"),
    include_str!("monitor.txt"),
    include_str!("trigger.txt"),
    include_str!("programs.txt"),
    include_str!("secrets.txt"),
    include_str!("sources.txt"),
    include_str!("queries.txt"),
    include_str!("silence.txt"),
];

/// What decides a step's result.
fn content(pipeline: &Pipeline) -> Vec<String> {
    let mut steps: Vec<String> = pipeline
        .nodes
        .iter()
        .filter_map(|node| match &node.kind {
            NodeKind::Step(step) => Some(format!("{} {:?} {:?}", step.step, step.params, step.inputs)),
            _ => None,
        })
        .collect();
    steps.sort();
    steps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A pipeline comes out exactly when nothing is wrong; broken text never panics, and every place is in the text.
    #[test]
    fn any_text_is_checked(
        which in 0..CASES.len() + 1,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[ -~\n]{0,6}"), 0..6),
    ) {
        let mut text = match CASES.get(which) {
            Some(cases) => format!("{PRELUDE}{}", cases.replace("\n----\n", "\n")),
            None => TEN.to_owned(),
        };
        for (at, length, with) in cuts {
            let at = at.index(text.len() + 1);
            text.replace_range(at..(at + length).min(text.len()), &with);
        }
        let checked = checked(&text);
        prop_assert_eq!(checked.pipeline.is_some(), !checked.findings.iter().any(|finding| finding.is_error()));
        for finding in &checked.findings {
            let crate::finding::Place::Source { span, .. } = &finding.primary.place else { continue };
            prop_assert!(text.get(span.range()).is_some(), "{:?}", finding);
        }
    }

    /// Names and layout are not content: nothing may run again because of them.
    #[test]
    fn names_and_layout_are_not_content(name in "[a-z]{3,9}x", blank in "( |\n|# note\n){0,3}") {
        let before = checked(PRELUDE).pipeline.unwrap();
        let renamed = PRELUDE.replace("split", &name).replace(&format!("tabular.{name}"), "tabular.split");
        let changed = renamed.replace("\nstep", &format!("\n\n{}\nstep", blank.replace(' ', "")))
            .replace(", ", ",  ").replace("test: 20%", "\n  test:  20.0%,\n");
        let after = checked(&changed);
        let after = after.pipeline.ok_or_else(|| TestCaseError::fail(format!("{changed}\n{:?}", after.findings)))?;
        prop_assert_eq!(content(&before), content(&after));
    }
}

/// Every snippet of the cases, whole.
fn snippets() -> impl Iterator<Item = String> {
    let snippets = CASES.iter().flat_map(|cases| cases.split("\n----\n"));
    let whole = |case: &str| if case.starts_with("mlp 1") { case.to_owned() } else { format!("{PRELUDE}{case}\n") };
    let mistakes = include_str!("../../syntax/tests/mistakes.txt").split("\n----\n");
    let mistakes = mistakes.map(|case| format!("mlp 1\n{case}\n"));
    snippets.map(whole).chain(mistakes).chain([TEN.to_owned(), TEN.replacen("mlp 1\n", "", 1)])
}

/// How often this is told.
fn count(findings: &[Finding], one: &Finding) -> usize {
    findings.iter().filter(|other| (&other.code, &other.message) == (&one.code, &one.message)).count()
}

#[test]
fn a_safe_fix_removes_its_finding() {
    let mut tried = 0;
    for text in snippets() {
        let source = Source::new("test.mlp", &text);
        let before = checked(&text).findings;
        for finding in
            before.iter().filter(|finding| finding.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe))
        {
            let (mended, applied) = fix::apply(&source, [finding], Safety::Safe);
            assert_eq!(applied, [finding], "{text}");
            let after = checked(&mended).findings;
            assert!(count(&after, finding) < count(&before, finding), "{finding:?} is still found in\n{mended}");
            tried += 1;
        }
    }
    assert!(tried >= 18, "only {tried} safe fixes were tried");
}

#[test]
fn mending_comes_to_an_end_without_a_safe_fix_and_without_new_errors() {
    let errors = |findings: &[Finding]| findings.iter().filter(|finding| finding.is_error()).count();
    let safe = |finding: &&Finding| finding.fix.as_ref().is_some_and(|fix| fix.safety == Safety::Safe);
    for text in snippets() {
        let source = Source::new("test.mlp", &text);
        let before = checked(&text).findings;
        let once = fix::fix(&source, Safety::Safe, |source| checked(&source.text).findings);
        assert!(errors(&once.findings) <= errors(&before), "{}", once.text);
        assert_eq!(once.findings.iter().filter(safe).count(), 0, "{}", once.text);
        let again =
            fix::fix(&Source::new("test.mlp", &once.text), Safety::Safe, |source| checked(&source.text).findings);
        assert_eq!((&again.text, again.mended.len()), (&once.text, 0));
        let bold = fix::fix(&source, Safety::Unsafe, |source| checked(&source.text).findings);
        assert!(errors(&bold.findings) <= errors(&before), "{}", bold.text);
    }
}

#[test]
fn a_silencer_can_be_written_for_every_lint_and_silences_it() {
    let mut tried = 0;
    for text in snippets() {
        let source = Source::new("test.mlp", &text);
        let before = checked(&text).findings;
        let broken = before.iter().any(Finding::is_error);
        for finding in &before {
            let Some(edit) = silencer(&source, finding) else {
                assert!(broken || finding.code.id.starts_with("W09"), "{finding:?} in\n{text}");
                continue;
            };
            let mut silenced = text.clone();
            silenced.replace_range(edit.span.range(), &edit.text);
            let after = checked(&silenced).findings;
            assert!(count(&after, finding) < count(&before, finding), "{finding:?} is still found in\n{silenced}");
            let known: Vec<&Finding> = before.iter().collect();
            let new = after.iter().find(|one| known.iter().all(|known| known.message != one.message));
            assert_eq!(new, None, "{silenced}");
            tried += 1;
        }
    }
    assert!(tried > 30, "only {tried} lints were silenced");
}

#[test]
fn levels_are_what_is_heard_and_never_touch_an_error() {
    for text in snippets() {
        let found = checked(&text).findings;
        let all = |level| {
            let mut levels = Levels::default();
            levels.set(Levels::ALL, level).unwrap();
            levels.apply(found.clone())
        };
        let errors: Vec<_> = found.iter().filter(|finding| finding.is_error()).cloned().collect();
        assert_eq!(Levels::default().apply(found.clone()), found);
        assert_eq!(all(Level::Warn), found);
        assert_eq!(all(Level::Allow), errors);
        assert!(all(Level::Deny).iter().all(Finding::is_error) && all(Level::Deny).len() == found.len());
    }
}

#[test]
fn a_level_is_set_once_and_only_for_lints() {
    let mut levels = Levels::default();
    assert_eq!(levels.set("unused-param", Level::Allow), Ok(()));
    assert_eq!(levels.set("W0201", Level::Allow), Ok(()));
    assert_eq!(levels.set("warnings", Level::Deny), Ok(()));
    let of = |code: &Code| levels.of(code);
    assert_eq!((of(&codes::UNUSED_PARAM), of(&codes::UNUSED_SCHEMA)), (Level::Allow, Level::Deny));
    let mut message = |name| levels.set(name, Level::Warn).unwrap_err().to_string();
    assert_eq!(message("W0201"), "`W0201` is given two levels");
    assert_eq!(message("unknown-step"), "`unknown-step` is an error, and errors have no level");
    assert_eq!(message("unused-pram"), "no lint has the name `unused-pram`");
    let near = Levels::default().set("unused-pram", Level::Warn).unwrap_err();
    assert!(matches!(near, LevelError::Unknown { near: Some("unused-param"), .. }));
}

/// Ten thousand declarations, a million elements, a long cycle: no stack runs out. Time is in the benchmarks.
#[test]
fn large_files_are_checked() {
    let mut text = String::from("mlp 1\nuse std/tabular\n");
    for index in 0..5_000 {
        text.push_str(&format!(
            "step s{index} = tabular.split(s{}.train)\nparam _p{index}: int = nowhere{index}\n",
            (index + 1) % 5_000
        ));
    }
    let findings = checked(&text).findings;
    assert_eq!(findings.len(), crate::syntax::MOST_FINDINGS + 1, "an unknown name in each default, cut off");

    let list = vec!["1"; 300_000].join(", ");
    let checked = checked(&format!("mlp 1\nparam _p: list<int> = [{list}]\nparam _q: bool = 2 in _p\n"));
    assert_eq!(checked.findings, []);
}
