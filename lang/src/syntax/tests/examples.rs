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
