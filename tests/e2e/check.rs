//! `mlp check`: mistakes are found before anything runs, all of them, each at its place.

use crate::space::Space;

#[test]
fn ten_planted_mistakes_are_ten_findings() {
    let space = Space::new();
    space.write("churn.mlp", include_str!("cases/ten_mistakes.mlp"));
    let ran = space.mlp(&["check", "churn.mlp"]).exits(2);
    insta::assert_snapshot!("ten_mistakes", ran.text());
    let document = space.mlp(&["check", "churn.mlp", "--output", "json"]).exits(2).json();
    assert_eq!(document["findings"].as_array().map(Vec::len), Some(10), "{document:#}");
}

#[test]
fn the_examples_have_no_findings() {
    for example in ["breast_cancer", "bikeshare"] {
        let space = Space::with_example(example);
        space.mlp(&["check", "."]).exits(0).never_says("warning").never_says("error");
    }
}

#[test]
fn what_this_version_cannot_carry_out_is_right_and_is_refused_before_anything_runs() {
    let space = Space::with_example("breast_cancer");
    let mut text = space.read("breast_cancer.mlp");
    text.push_str("\ntune search over train {\n  c in log(0.01..10.0)\n  maximize eval.auc\n  trials = 4\n}\n");
    text.push_str("\ngate people { approve by \"ml-lead\" within 3d }\n");
    space.write("breast_cancer.mlp", text);
    space.mlp(&["check", "breast_cancer.mlp"]).exits(0);
    let before = space.files(".");
    for command in ["plan", "run"] {
        space.mlp(&[command, "breast_cancer.mlp"]).exits(2).says("E0902").says("`search`");
    }
    assert_eq!(space.files("."), before);
}

#[test]
fn check_touches_nothing() {
    let space = Space::with_example("bikeshare");
    let before = space.files(".");
    space.mlp(&["check", "bikeshare.mlp"]).exits(0);
    space.mlp(&["plan", "bikeshare.mlp"]).exits(0);
    assert_eq!(space.files("."), before);
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let space = Space::new();
    space.mlp(&["check", "nothing.mlp"]).exits(2).says("nothing.mlp");
    space.write("latin.mlp", b"mlp 1\n# caf\xe9\n");
    space.mlp(&["check", "latin.mlp"]).exits(2).says("UTF-8");
    std::fs::create_dir(space.path("empty")).expect("a folder");
    space.mlp(&["check", "empty"]).exits(2).says("empty");
}
