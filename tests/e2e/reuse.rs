//! Nothing is done twice, and the plan says in words what would be done and why.

use crate::space::Space;

/// The plan's lines of nodes that would run, with their reasons.
fn planned(space: &Space, extra: &[&str]) -> Vec<(String, String)> {
    let mut arguments = vec!["plan", "breast_cancer.mlp", "--output", "json"];
    arguments.extend(extra);
    let document = space.mlp(&arguments).exits(0).json();
    let nodes = document["nodes"].as_array().unwrap_or_else(|| panic!("{document:#}")).clone();
    nodes
        .iter()
        .filter(|node| node["decision"] == "run")
        .map(|node| {
            let reasons = node["reasons"].as_array().unwrap_or_else(|| panic!("{node:#}"));
            let words: Vec<&str> = reasons.iter().filter_map(|reason| reason["text"].as_str()).collect();
            (node["name"].as_str().unwrap_or_default().to_owned(), words.join("; "))
        })
        .collect()
}

fn after_a_run() -> Space {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space
}

fn names(planned: &[(String, String)]) -> Vec<&str> {
    planned.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn the_same_command_again_executes_nothing_and_says_so() {
    let space = after_a_run();
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0).says("nothing to do");
    let view = space.history().run("last").expect("a run");
    assert!(view.nodes.iter().all(|node| node.attempts.is_empty()));
    assert_eq!(space.history().models().expect("a registry").len(), 1, "no second version");
    assert_eq!(planned(&space, &[]), []);
}

#[test]
fn a_parameter_re_runs_what_depends_on_it() {
    let space = after_a_run();
    let plan = planned(&space, &["-p", "train_rows=380"]);
    assert_eq!(names(&plan), ["split", "train", "eval"]);
    assert!(plan[0].1.contains("`train_rows` changed from 400 to 380"), "{plan:?}");
    assert!(plan[1].1.contains("`split`"), "{plan:?}");
    // The run does what the plan said.
    space.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=380"]).exits(0);
    let view = space.history().run("last").expect("a run");
    let ran: Vec<&str> = view.nodes.iter().filter(|n| !n.attempts.is_empty()).map(|n| n.name.as_str()).collect();
    assert_eq!(ran, ["split", "train", "eval"]);
}

#[test]
fn one_data_cell_re_runs_what_depends_on_it() {
    let space = after_a_run();
    space.replace("data/breast_cancer.csv", "17.99,10.38", "17.98,10.38");
    let plan = planned(&space, &[]);
    assert_eq!(names(&plan), ["biopsies", "split", "train", "eval"]);
    assert!(plan[0].1.contains("data/breast_cancer.csv"), "{plan:?}");
}

#[test]
fn a_setting_re_runs_that_step_and_what_follows() {
    let space = after_a_run();
    space.replace("breast_cancer.mlp", "logistic(split.train)", "logistic(split.train, c: 0.5)");
    let plan = planned(&space, &[]);
    assert_eq!(names(&plan), ["train", "eval"]);
    assert!(plan[0].1.contains("`c` changed from 1.0 to 0.5"), "{plan:?}");
}

#[test]
fn another_version_of_the_standard_library_re_runs_its_steps() {
    let space = after_a_run();
    for (name, bytes) in mlp_stdlib::components() {
        let mut bytes = bytes.to_vec();
        if *name == "std/classify" {
            // The version stands in the signature and in the names of what is exported; the same length keeps every
            // section's size right.
            let old = env!("CARGO_PKG_VERSION").as_bytes();
            for at in 0..bytes.len() - old.len() {
                if bytes[at..].starts_with(old) {
                    bytes[at + old.len() - 1] = b'9';
                }
            }
        }
        space.write(&format!("library/{}.wasm", name.trim_start_matches("std/")), bytes);
    }
    let run = |arguments: &[&str]| {
        let output = space.command(arguments).env("MLP_STDLIB", space.path("library")).output().expect("mlp starts");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = run(&["plan", "breast_cancer.mlp"]);
    assert!(text.contains("std/classify changed from 0.1.0 to 0.1.9"), "{text}");
    let document: serde_json::Value =
        serde_json::from_str(&run(&["plan", "breast_cancer.mlp", "--output", "json"])).expect("JSON");
    let running: Vec<&str> = document["nodes"]
        .as_array()
        .expect("nodes")
        .iter()
        .filter(|node| node["decision"] == "run")
        .filter_map(|node| node["name"].as_str())
        .collect();
    assert_eq!(running, ["train", "eval"]);
}

#[test]
fn names_formatting_and_comments_re_run_nothing() {
    let space = after_a_run();
    let text = space.read("breast_cancer.mlp");
    let text = text
        .replace("split", "parts")
        .replace("tabular.parts", "tabular.split")
        .replace("step train = classify.logistic(parts.train)", "step  fit  =  classify.logistic(\n  parts.train,\n)")
        .replace("train.model", "fit.model")
        .replace("# ", "# other words: ")
        .replace("\nstep", "\n# a new comment\nstep");
    space.write("breast_cancer.mlp", text);
    assert_eq!(planned(&space, &[]), []);
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0).says("nothing to do");
}

#[test]
fn a_changed_input_that_gives_the_same_rows_stops_there() {
    let space = after_a_run();
    // The same table in another spelling: other bytes, same values.
    space.replace("data/breast_cancer.csv", "17.99,10.38,", "17.990,10.38,");
    assert_eq!(names(&planned(&space, &[])), ["biopsies", "split", "train", "eval"]);
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let view = space.history().run("last").expect("a run");
    let ran: Vec<&str> = view.nodes.iter().filter(|n| !n.attempts.is_empty()).map(|n| n.name.as_str()).collect();
    assert_eq!(ran, ["biopsies"], "the rest is reused after all");
}

#[test]
fn force_runs_a_step_again() {
    let space = after_a_run();
    space.mlp(&["run", "breast_cancer.mlp", "--force", "train"]).exits(0);
    let view = space.history().run("last").expect("a run");
    let ran: Vec<&str> = view.nodes.iter().filter(|n| !n.attempts.is_empty()).map(|n| n.name.as_str()).collect();
    assert_eq!(ran, ["train"], "it gave the same bytes, so nothing follows");
}
