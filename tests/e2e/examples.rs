//! Each example runs as it stands, and its numbers are those of the reference.

use crate::space::{Space, repository};

/// The reference figures: scikit-learn, solved to convergence, by the script that stands beside them.
fn reference() -> serde_json::Value {
    let path = repository().join("stdlib/guests/classify/reference/reference.json");
    let all: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("golden numbers")).expect("JSON");
    all["breast_cancer"]["logistic_c_1"]["metrics"].clone()
}

/// The same figures with scikit-learn's default stopping rule, which ends a little before convergence.
const STOPPED_EARLY: [(&str, f64); 4] =
    [("accuracy", 0.970414), ("auc", 0.999211), ("log_loss", 0.081491), ("brier", 0.021576)];

#[test]
fn breast_cancer_reaches_the_numbers_of_scikit_learn_and_is_registered() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0).says("cancer").says("quality");

    let metrics = space.metrics("eval");
    let golden = reference();
    for name in ["accuracy", "auc", "log_loss", "brier", "precision", "recall", "f1"] {
        let (ours, theirs) = (metrics["metrics"][name].as_f64(), golden[name].as_f64());
        let (ours, theirs) = (ours.expect(name), theirs.expect(name));
        assert!((ours - theirs).abs() <= 1e-6, "{name}: {ours} instead of {theirs}");
    }
    for (name, theirs) in STOPPED_EARLY {
        let ours = metrics["metrics"][name].as_f64().expect(name);
        assert!((ours - theirs).abs() <= 1e-3, "{name}: {ours} instead of {theirs}");
    }

    space.mlp(&["show", "cancer"]).exits(0).says("cancer").says("quality").says("second opinion");
    space.mlp(&["show", "last", "train"]).exits(0).says("std/classify").says("mean_radius");
}

#[test]
fn bikeshare_registers_its_first_model_and_waits_to_be_served() {
    let space = Space::with_example("bikeshare");
    let ran = space.mlp(&["run", "bikeshare.mlp"]).exits(4);
    ran.says("no version of `demand` is `production` yet").says("mlp serve bikeshare.mlp");
    let rmse = |step: &str| space.metrics(step)["metrics"]["rmse"].as_f64().expect("rmse");
    assert!(rmse("trees_eval") < 0.75 * rmse("line_eval"));
    assert_eq!(space.metrics("trees_eval")["metrics"]["rows"], 409, "a fifth of 89 days of hours");
    space.mlp(&["run", "bikeshare.mlp"]).exits(4).says("nothing to do");
}

#[test]
fn programs_in_python_and_shell_train_a_model_that_is_registered() {
    let space = Space::with_example("programs");
    space.mlp(&["run", "programs.mlp"]).exits(0).says("centres").says("useful");
    let model = space.history().model("centres", None).expect("registered");
    assert_eq!(model.flavor, "centres");
    space.mlp(&["logs", "last", "train"]).exits(0).says("427 rows to learn from");
    space.mlp(&["run", "programs.mlp"]).exits(0).says("nothing to do");
    // A change of the scripts is a change of the step.
    space.replace("src/centres.py", "pstdev(column) or 1.0", "1.0");
    space.mlp(&["plan", "programs.mlp"]).exits(0).says("src changed");
}

#[test]
fn the_registered_model_is_a_file_that_can_be_found() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let model = space.history().model("cancer", None).expect("registered");
    let path = space.history().artifact_path(&model.digest).expect("its file");
    assert_eq!(blake3::hash(&std::fs::read(path).expect("bytes")).to_string(), model.digest.to_string());
    assert_eq!(model.features.len(), 30);
}

/// Nothing is said about any file of the repository that users copy from, those that the engine cannot run whole included.
#[test]
fn every_example_is_free_of_findings_and_in_the_style() {
    let examples = repository().join("examples");
    let ported = std::fs::read_dir(examples.join("ported")).expect("ported pipelines").count();
    assert!(ported >= 5, "{ported} ported pipelines");
    let space = Space::new();
    let folder = examples.to_str().expect("a path of text");
    space.mlp(&["check", "--deny", "warnings", folder]).exits(0).never_says("warning");
    space.mlp(&["fmt", "--check", folder]).exits(0);
}
