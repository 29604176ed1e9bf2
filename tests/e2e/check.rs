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
fn what_is_not_there_yet_says_so_and_hurts_nothing_else() {
    let space = Space::with_example("breast_cancer");
    let mut text = space.read("breast_cancer.mlp");
    text.push_str(
        "\ntune search over train {\n  lr in log(1e-4 .. 1e-1)\n  maximize eval.auc\n  trials = 40, parallel 4\n}\n",
    );
    text.push_str("\ntest \"stale data\" {\n  with biopsies = csv(\"x.csv\")\n}\n\nsecret token\n");
    space.write("breast_cancer.mlp", text);
    let document = space.mlp(&["check", "breast_cancer.mlp", "--output", "json"]).exits(2).json();
    let codes: Vec<&str> =
        document["findings"].as_array().expect("findings").iter().filter_map(|f| f["code"].as_str()).collect();
    assert_eq!(codes.len(), 3, "{document:#}");
    assert!(codes.iter().all(|code| code.starts_with("E09")), "{codes:?}");
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
