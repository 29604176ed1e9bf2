//! Gates that ask people.

use crate::space::Space;

fn asking(approve: &str) -> Space {
    let space = Space::with_example("breast_cancer");
    space.replace("breast_cancer.mlp", "gate quality {\n", &format!("gate quality {{\n  {approve}\n"));
    space
}

const RUN: &[&str] = &["run", "breast_cancer.mlp"];

#[test]
fn nothing_is_registered_before_everybody_who_is_needed_said_yes() {
    let space = asking("approve by 2 of [\"ml-lead\", \"domain-risk\"] within 3d");
    space
        .mlp(RUN)
        .exits(4)
        .says("waits: gate quality for 2 answers of ml-lead, domain-risk")
        .says("mlp approve quality");
    assert!(space.history().models().expect("a registry").is_empty());
    space.mlp(&["runs"]).exits(0).says("waiting");
    space.mlp(&["approve", "quality", "--as", "ml-laed"]).exits(2).says("did you mean `ml-lead`?");
    space.mlp(&["approve", "qualty", "--as", "ml-lead"]).exits(2).says("did you mean `quality`?");
    space.mlp(&["approve", "--as", "ml-lead", "--note", "looks right"]).exits(4).says("waits for domain-risk");
    // The first answer stands, and saying it again changes nothing.
    space.mlp(&["approve", "--as", "ml-lead"]).exits(4);
    space.mlp(&["approve", "--as", "ml-lead", "--reject"]).exits(1).says("said yes already");

    // Another run that comes to the same finds the answer, whatever became of the process that asked.
    space.mlp(RUN).exits(4).says("ml-lead said yes").says("waits: gate quality for domain-risk");
    space.mlp(&["approve", "--as", "domain-risk"]).exits(0).says("has all it asks for").says("mlp retry 2");
    space.mlp(&["retry", "last"]).exits(0).says("approved by ml-lead, domain-risk");
    let versions: Vec<u64> = space.history().models().expect("a registry").iter().map(|it| it.version).collect();
    assert_eq!(versions, [1]);
    space.mlp(RUN).exits(0);
    space.mlp(&["state", "rebuild"]).exits(0);
    space.mlp(RUN).exits(0);
    space.mlp(&["state", "verify"]).exits(0);

    // Other evidence is another question.
    space.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=380"]).exits(4).says("2 answers of ml-lead, domain-risk");
}

#[test]
fn a_no_without_which_there_are_not_enough_closes_the_gate() {
    let space = asking("approve by \"ml-lead\"");
    space.mlp(RUN).exits(4);
    space.mlp(&["approve", "--as", "ml-lead", "--reject", "--note", "not on this data"]).exits(0).says("says no");
    space.mlp(RUN).exits(3).says("ml-lead said no");
    assert!(space.history().models().expect("a registry").is_empty());
    space.mlp(&["approve", "--as", "ml-lead"]).exits(1).says("waits for anybody");
}

#[test]
fn people_are_not_asked_about_what_a_gate_can_tell_by_itself() {
    let space = asking("require eval.auc >= 100%\n  approve by \"ml-lead\"");
    space.mlp(RUN).exits(3).never_says("asks");
}
