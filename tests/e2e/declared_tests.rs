//! `mlp test` runs what a file says of itself, and nothing that is not asked about.

use crate::space::Space;

const TESTS: &str = r#"
test "too few biopsies stop the run" {
  with biopsies = csv("few.csv")
  expect biopsies fails because "500 are needed to say anything"
  expect train skipped
  expect quality skipped
}

test "half of the biopsies are enough" {
  with train_rows = 250
  expect train passes
  expect eval.auc >= 0.97
  expect eval.rows == 319
}
"#;

/// The example with tests in it, and with a table that is too short.
fn space(tests: &str) -> Space {
    let space = Space::with_example("breast_cancer");
    let whole = space.read("data/breast_cancer.csv");
    let few: Vec<&str> = whole.lines().take(40).collect();
    space.write("few.csv", few.join("\n"));
    let file = space.read("breast_cancer.mlp");
    space.write("breast_cancer.mlp", format!("{file}{tests}"));
    space
}

#[test]
fn tests_pass_and_leave_nothing_behind() {
    let space = space(TESTS);
    let before = space.files(".");
    space
        .mlp(&["test", "breast_cancer.mlp"])
        .exits(0)
        .says("pass  too few biopsies stop the run")
        .says("pass  half of the biopsies are enough")
        .says("2 tests passed");
    assert_eq!(space.files("."), before, "a test is seen by nobody");
    assert!(space.history().runs().expect("no journals").is_empty());
}

#[test]
fn a_test_sees_nothing_of_the_project_and_the_project_nothing_of_the_test() {
    let space = space(TESTS);
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space.mlp(&["test", "breast_cancer.mlp"]).exits(0).never_says("reused");
    assert_eq!(space.history().runs().expect("journals").len(), 1);
    assert_eq!(space.history().models().expect("a registry").len(), 1);
}

#[test]
fn what_did_not_come_true_is_told_with_its_numbers() {
    let tests = r#"
test "nothing is good enough" {
  with train_rows = 250
  expect eval.auc >= 0.9999 because "doctors would like that"
  expect eval passes
}

test "few are enough" {
  with biopsies = csv("few.csv")
  expect biopsies passes
  expect eval.auc >= 0.5
}
"#;
    let space = space(tests);
    space
        .mlp(&["test", "breast_cancer.mlp"])
        .exits(1)
        .says("FAIL  nothing is good enough")
        .says("expect eval.auc >= 0.9999: eval.auc is 0.9")
        .says("because doctors would like that")
        .says("expect biopsies passes: it failed")
        .says("rows >= 500")
        .says("expect eval.auc >= 0.5: it was skipped")
        .says("breast_cancer.mlp:")
        .never_says("expect eval passes")
        .says("2 of 2 tests failed");
    space.mlp(&["test", "breast_cancer.mlp", "--filter", "nothing"]).exits(1).says("1 of 1 test failed");
    space.mlp(&["test", "breast_cancer.mlp", "--filter", "gone"]).exits(2).says("no test has `gone` in its name");

    let document = space.mlp(&["test", "breast_cancer.mlp", "--output", "json"]).exits(1).json();
    assert_eq!(document["schema"], "mlp.test/1");
    assert_eq!((&document["passed"], &document["failed"]), (&0.into(), &2.into()));
    let first = &document["tests"][0]["expectations"];
    assert_eq!((&first[0]["passed"], &first[1]["passed"]), (&false.into(), &true.into()));

    let report = space.mlp(&["test", "breast_cancer.mlp", "--output", "junit"]).exits(1).stdout();
    assert!(report.starts_with("<?xml"), "{report}");
    assert_eq!(report.matches("<testcase ").count(), 2, "{report}");
    assert_eq!(report.matches("<failure ").count(), 3, "{report}");
}

#[test]
fn nothing_runs_when_anything_is_wrong() {
    // The parameter of a test is a parameter: what it makes of the file is checked.
    let space = space("\ntest \"none\" {\n  with train_rows = 0\n  expect train passes\n}\n");
    space.mlp(&["test", "breast_cancer.mlp"]).exits(2).says("E0306").says("nothing was run");

    let space = self::space("\ntest \"a\" {\n  with biopsies = csv(\"few.csv\")\n}\n");
    space.mlp(&["test", "breast_cancer.mlp"]).exits(2).says("empty-test");

    let space = self::space("");
    space.mlp(&["test", "breast_cancer.mlp"]).exits(2).says("there are no tests");
}

#[test]
fn what_cannot_be_carried_out_is_refused_where_it_is_asked_about() {
    let search = "\ntune search over train {\n  c in [0.1, 1.0]\n  maximize eval.auc\n}\n\n\
        step best = classify.evaluate(search.best.model, split.test)\n";
    let tests = format!(
        "{search}\ntest \"without the search\" {{\n  with train_rows = 250\n  expect train passes\n}}\n\n\
         test \"with it\" {{\n  with train_rows = 250\n  expect best.auc >= 0.9\n}}\n"
    );
    let space = space(&tests);
    space.mlp(&["check", "breast_cancer.mlp"]).exits(0);
    for command in ["plan", "run"] {
        let refused = space.mlp(&[command, "breast_cancer.mlp"]).exits(2);
        refused.says("missing-capability").says("`search` needs searches").says("nothing was run");
    }
    assert!(space.history().runs().expect("no journals").is_empty());
    space.mlp(&["test", "breast_cancer.mlp"]).exits(2).says("missing-capability");
    space.mlp(&["test", "breast_cancer.mlp", "--filter", "without"]).exits(0).says("1 test passed");
}
