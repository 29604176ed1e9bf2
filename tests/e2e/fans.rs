//! A step for each of several values.

use crate::space::Space;

const SPLIT: &str = "step split = tabular.split(biopsies, train_rows: train_rows, shuffle: false)\n";

fn with_parts(values: &str) -> Space {
    let space = Space::with_example("breast_cancer");
    let parts =
        format!("{SPLIT}\nstep parts = tabular.split(biopsies, train_rows: n, shuffle: false) for n in {values}\n");
    space.replace("breast_cancer.mlp", SPLIT, &parts);
    space.replace("breast_cancer.mlp", "classify.logistic(split.train)", "classify.logistic(parts.train)");
    space
}

#[test]
fn tables_of_all_values_become_one_and_another_value_runs_that_one_alone() {
    let space = with_parts("[100, 200]");
    space.mlp(&["plan", "breast_cancer.mlp"]).exits(0).says("for 2 values");
    space.mlp(&["run", "breast_cancer.mlp"]).says("parts[100]: done").says("parts[200]: done");
    let view = space.history().run("last").expect("a run");
    let parts = view.node("parts").expect("a step");
    let rows = parts.outputs.iter().find(|output| output.output == "train").and_then(|output| output.meta.rows);
    assert_eq!((rows, parts.members.len()), (Some(300), 2));
    space.mlp(&["run", "breast_cancer.mlp"]).says("reused");
    space.replace("breast_cancer.mlp", "[100, 200]", "[100, 200, 150]");
    space.mlp(&["plan", "breast_cancer.mlp"]).exits(0).says("1 of 3 values run, the others are known");
    space.mlp(&["run", "breast_cancer.mlp"]).says("parts[150]: done").never_says("parts[100]: done");
    space.mlp(&["state", "verify"]).exits(0);
    space.mlp(&["state", "rebuild"]).exits(0);
    space.mlp(&["plan", "breast_cancer.mlp"]).exits(0).never_says("values run");
}

fn programs(line: &str, values: &str) -> String {
    format!(
        "mlp 1\npipeline p {{ allow = [\"process\"] }}\n\
         step s = process([\"sh\", \"-c\", {line:?}]) for n in {values} {{\n  out {{ m: metrics {{ score: int }} }}\n}}\n\
         gate good {{ require lowest(s.m.score) >= 2 }}\n"
    )
}

#[test]
fn one_number_of_all_values_decides_a_gate() {
    let space = Space::new();
    let line = "echo '{\"score\": '${n}'}' > out/m.json";
    space.write("p.mlp", programs(line, "[2, 3, 4]"));
    space.mlp(&["run", "p.mlp"]).exits(0).says("3 values to go through");
    space.write("p.mlp", programs(line, "[2, 1]"));
    space.mlp(&["run", "p.mlp"]).exits(3).says("s[2]: reused").says("s[1]: done");
}

#[test]
fn a_value_that_fails_is_named_its_log_is_there_and_the_others_are_kept() {
    let space = Space::new();
    let line = "echo working on ${n}; test ${n} != 3 || exit 7; echo '{\"score\": 5}' > out/m.json";
    space.write("p.mlp", programs(line, "[2, 3, 4]"));
    let ran = space.mlp(&["run", "p.mlp", "--keep-going"]).exits(1);
    ran.says("1 of 3 values failed: `s[3]`").says("exit code 7");
    space.mlp(&["logs", "last", "s[3]"]).exits(0).says("working on 3").never_says("working on 2");
    let shown = space.mlp(&["show", "last", "s", "--output", "json"]).exits(0).json();
    assert!(shown.to_string().contains("\"of_members\":3"), "{shown}");
    space.mlp(&["run", "p.mlp", "--keep-going"]).exits(1).says("s[2]: reused").says("s[4]: reused");
}
