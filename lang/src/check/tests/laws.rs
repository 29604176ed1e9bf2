//! Laws: what must hold for every text.

use super::{PRELUDE, checked};
use crate::pipeline::{NodeKind, Pipeline};
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

#[test]
fn a_safe_fix_removes_its_finding() {
    let text =
        format!("{PRELUDE}step b = regress.linear(customers, label: age)\nparam a: fraction = 0.1\nuse std/regress\n")
            .replace("use std/regress\n", "");
    let before = checked(&text).findings;
    let mut edits: Vec<_> = before
        .iter()
        .filter_map(|finding| finding.fix.as_ref())
        .filter(|fix| fix.safety == crate::finding::Safety::Safe)
        .flat_map(|fix| fix.edits.clone())
        .collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    assert_eq!(edits.len(), 2);
    let mut mended = text;
    edits.into_iter().for_each(|edit| mended.replace_range(edit.span.range(), &edit.text));
    let after: Vec<_> = checked(&mended).findings.into_iter().filter(|finding| finding.is_error()).collect();
    assert_eq!(after, [], "{mended}");
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
