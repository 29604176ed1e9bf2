//! Pipelines of several files and of components, through the real binary.

use crate::space::{Space, repository};

/// The example of reuse beside the data of the example that it reads.
fn project() -> Space {
    let space = Space::with_example("breast_cancer");
    for file in ["cancer.mlp", "common.mlp"] {
        let text = std::fs::read_to_string(repository().join("examples/reuse").join(file)).expect("the example");
        space.write(&format!("reuse/{file}"), text.replace("../breast_cancer/", "../"));
    }
    space
}

#[test]
fn a_pipeline_of_parts_runs_and_runs_nothing_twice() {
    let space = project();
    space.mlp(&["check", "reuse"]).exits(0).says("2 files are sound");
    space.mlp(&["plan", "reuse/cancer.mlp"]).exits(0).says("all.split").says("small.fit").says("common.biopsies");
    space.mlp(&["run", "reuse/cancer.mlp"]).exits(0).says("all.sane").says("cancer");
    space.mlp(&["show", "last", "all.fit"]).exits(0).says("std/classify").says("mean_radius");
    space.mlp(&["show", "last", "all.sane"]).exits(0).says("all.sane");
    space.mlp(&["logs", "last", "all.fit"]).exits(0);
    space.mlp(&["show", "cancer"]).exits(0).says("all.fit");
    let view = space.history().run("last").expect("a run");
    let names: Vec<&str> = view.nodes.iter().map(|node| node.name.as_str()).collect();
    assert!(names.contains(&"all.split") && names.contains(&"small.sane"), "{names:?}");

    space.mlp(&["run", "reuse/cancer.mlp"]).exits(0).says("nothing to do");
    let view = space.history().run("last").expect("a run");
    assert!(view.nodes.iter().all(|node| node.attempts.is_empty()), "all of it is known");
    assert_eq!(space.history().models().expect("a registry").len(), 1, "no second version");
}

#[test]
fn an_instance_with_other_settings_runs_again_and_the_other_does_not() {
    let space = project();
    space.mlp(&["run", "reuse/cancer.mlp"]).exits(0);
    space.replace("reuse/cancer.mlp", "train_rows: 200", "train_rows: 210");
    let plan = space.mlp(&["plan", "reuse/cancer.mlp", "--output", "json"]).exits(0).json();
    let nodes = plan["nodes"].as_array().expect("nodes");
    let again = nodes.iter().filter(|node| node["decision"] == "run").filter_map(|node| node["name"].as_str());
    assert_eq!(again.collect::<Vec<_>>(), ["small.split", "small.fit", "small.eval"]);
}

#[test]
fn a_mistake_in_a_common_file_is_told_once_and_at_its_place() {
    let space = project();
    space.replace("reuse/common.mlp", "split.train)", "split.trian)");
    space.write("reuse/other.mlp", space.read("reuse/cancer.mlp").replace("cancer_by_parts", "other"));
    for arguments in [vec!["check", "reuse"], vec!["check", "reuse/cancer.mlp", "reuse/other.mlp"]] {
        let told = space.mlp(&[arguments, vec!["--output", "concise"]].concat()).exits(2).stdout();
        assert!(told.starts_with("reuse/common.mlp:") && told.contains("trian"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
    space.mlp(&["run", "reuse/cancer.mlp"]).exits(2).says("common.mlp").says("nothing was run");
}

#[test]
fn a_file_that_is_not_there_is_told_with_one_that_is() {
    let space = project();
    space.replace("reuse/cancer.mlp", "./common.mlp", "./comon.mlp");
    space.mlp(&["check", "reuse/cancer.mlp"]).exits(2).says("E0223").says("./common.mlp");
}
