//! A gate says no: nothing goes live, and the numbers are told, now and later.

use crate::space::Space;

#[test]
fn a_closed_gate_is_exit_3_with_the_numbers() {
    let space = Space::with_example("breast_cancer");
    space.replace("breast_cancer.mlp", "eval.auc >= 0.99 ", "eval.auc >= 0.9999");
    space
        .mlp(&["run", "breast_cancer.mlp"])
        .exits(3)
        .says("eval.auc >= 0.9999")
        .says("0.999014")
        .says("-0.000886")
        .says("the published models on this data reach it");
    assert!(space.history().models().expect("a registry").is_empty());

    // The story can be told later, by another process.
    space.mlp(&["show", "last"]).exits(0).says("eval.auc >= 0.9999").says("blocked");
    space.mlp(&["show", "cancer"]).exits(1);
}

#[test]
fn the_gate_opens_without_work_when_the_threshold_is_reached() {
    let space = Space::with_example("breast_cancer");
    space.replace("breast_cancer.mlp", "eval.auc >= 0.99 ", "eval.auc >= 0.9999");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(3);
    space.replace("breast_cancer.mlp", "eval.auc >= 0.9999", "eval.auc >= 0.99");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let view = space.history().run("last").expect("a run");
    assert!(view.nodes.iter().all(|node| node.attempts.is_empty()), "only decided, nothing executed");
    assert_eq!(space.history().models().expect("a registry").len(), 1);
}

#[test]
fn a_table_that_breaks_an_expectation_stops_the_run() {
    let space = Space::with_example("breast_cancer");
    space.replace("breast_cancer.mlp", "expect rows >= 500", "expect rows >= 600");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(1).says("rows >= 600").says("569");
    assert!(space.history().models().expect("a registry").is_empty());
}
