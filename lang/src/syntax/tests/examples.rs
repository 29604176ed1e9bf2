//! Whole files: what is right parses clean, what is wrong is told once.

use super::print;
use crate::span::Source;
use crate::syntax::parse;

const GOOD: &str = include_str!("good.mlp");

fn shown(text: &str) -> String {
    let source = Source::new("test.mlp", text);
    print::findings(&source, &parse(&source))
}

#[test]
fn the_example_parses_clean() {
    let syntax = parse(&Source::new("good.mlp", GOOD));
    assert!(syntax.findings.is_empty(), "{}", shown(GOOD));
    insta::assert_snapshot!(print::tree(&syntax.file));
}

#[test]
fn nine_mistakes_are_nine_findings() {
    insta::assert_snapshot!(shown(include_str!("nine.mlp")));
}

#[test]
fn what_is_not_in_this_version_is_one_finding_each() {
    insta::assert_snapshot!(shown(include_str!("later.mlp")));
}

/// Each mistake alone, as a user makes it.
#[test]
fn single_mistakes() {
    let cases = include_str!("mistakes.txt").split("\n----\n");
    let shown: Vec<String> = cases.map(|case| shown(&format!("mlp 1\n{case}\n"))).collect();
    insta::assert_snapshot!(shown.join("\n=====\n\n"));
}
