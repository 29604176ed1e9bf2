//! Runs that are explained, compared and drawn, and plans that say how long they take.

use crate::space::Space;

fn after_two_runs() -> Space {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=380"]).exits(0);
    space
}

#[test]
fn a_plan_tells_how_long_it_takes_by_how_long_it_took() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["plan", "breast_cancer.mlp"]).exits(0).says("time: unknown").says("train");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space.mlp(&["plan", "breast_cancer.mlp"]).exits(0).never_says("time:");
    space.mlp(&["plan", "breast_cancer.mlp", "--force-all", "--jobs", "3"]).exits(0).says("with 3 jobs");
    let plan = space.mlp(&["plan", "breast_cancer.mlp", "--from", "train", "--output", "json"]).exits(0).json();
    let estimate = &plan["estimate"];
    assert_eq!(estimate["unknown"], serde_json::json!([]));
    let seconds = |name: &str| estimate[name].as_f64().unwrap_or(-1.0);
    assert!(seconds("longest_chain_seconds") <= seconds("seconds") && seconds("seconds") <= seconds("work_seconds"));
    let train = plan["nodes"].as_array().and_then(|nodes| nodes.iter().find(|node| node["name"] == "train"));
    assert_eq!(train.map(|node| &node["seconds_of_runs"]), Some(&1.into()), "{plan:#}");
}

#[test]
fn why_a_step_ran_is_told_even_after_the_file_changed() {
    let space = after_two_runs();
    space.replace("breast_cancer.mlp", "step train", "step fit");
    space.replace("breast_cancer.mlp", "train.model, split.test", "fit.model, split.test");
    space.mlp(&["explain-run", "split"]).exits(0).says("since run 1").says("`train_rows` changed from 400 to 380");
    space.mlp(&["explain-run", "biopsies"]).exits(0).says("as in run 1");
    space.mlp(&["explain-run", "train", "--run", "1"]).exits(0).says("it never ran").says("it ran: 1 attempt");
    let document = space.mlp(&["explain-run", "train", "--output", "json"]).exits(0).json();
    assert_eq!((&document["schema"], &document["compared_with"]), (&"mlp.why/1".into(), &1.into()));
    let what = document["changed"][0]["what"].as_str().unwrap_or_default();
    assert!(what.starts_with("input "), "{document:#}");
    space.mlp(&["explain-run", "trian"]).exits(2).says("it has");
    space.mlp(&["explain-run", "train", "--run", "9"]).exits(1).says("no run `9`");
}

#[test]
fn two_runs_are_compared() {
    let space = after_two_runs();
    let told = space.mlp(&["diff", "1", "last"]).exits(0);
    let told = told.says("parameters").says("400").says("380").says("`train_rows` changed").says("artifacts");
    told.says("auc").never_says("source");
    space.mlp(&["diff", "1", "1"]).exits(0).says("the same parameters, the same source, the same results");
    let document = space.mlp(&["diff", "1", "2", "--output", "json"]).exits(0).json();
    assert_eq!(document["params"], serde_json::json!([{"name": "train_rows", "before": 400, "after": 380}]));
    let names: Vec<&str> =
        document["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["name"].as_str()).collect();
    assert!(names.starts_with(&["split", "train", "eval"]), "{names:?}");
    space.replace("breast_cancer.mlp", "shuffle: false", "shuffle: true");
    space.mlp(&["run", "breast_cancer.mlp"]);
    space.mlp(&["diff", "1", "last"]).exits(0).says("source").says("+step split").says("shuffle");
}

#[test]
fn runs_of_different_pipelines_are_compared_by_what_they_have_in_common() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let text = space
        .read("breast_cancer.mlp")
        .replace("pipeline breast_cancer", "pipeline other")
        .replace("step eval", "step judge");
    space.write("other.mlp", text.replace("eval.", "judge."));
    space.mlp(&["run", "other.mlp", "--only", "judge"]).exits(0);
    let told = space.mlp(&["diff", "1", "2"]).exits(0).says("runs of different pipelines");
    told.says("only in the first").says("only in the second").never_says("step judge").never_says("not there");
    let document = space.mlp(&["diff", "1", "2", "--output", "json"]).exits(0).json();
    assert_eq!(
        (&document["before"]["pipeline"], &document["after"]["pipeline"]),
        (&"breast_cancer".into(), &"other".into())
    );
    assert!(document["source"].as_str().is_some_and(|it| it.contains("+step judge")), "{document:#}");
    space.mlp(&["diff", "1", "9"]).exits(1).says("there is no run `9`");
}

#[test]
fn what_was_not_asked_for_is_no_other_result() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp", "--only", "train"]).exits(0);
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let told = space.mlp(&["diff", "1", "2"]).exits(0).says("skipped -> done").says("it was not asked for");
    told.never_says("other results from the same inputs");
}

#[test]
fn a_step_tells_when_and_where_it_ran() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let run = space.mlp(&["show", "1", "--output", "json"]).exits(0).json();
    let host = run["host"].as_str().expect("a name").to_owned();
    assert_eq!(run["nodes"].as_array().map(Vec::len), Some(6));
    for node in run["nodes"].as_array().into_iter().flatten() {
        let worked = node["kind"] == "data" || node["kind"] == "step";
        assert_eq!(node["started"].is_string() && node["ended"].is_string(), worked, "{node:#}");
        assert_eq!(node["attempts"].as_array().map(Vec::len), Some(usize::from(worked)), "{node:#}");
        assert_eq!(node["host"].as_str(), worked.then_some(host.as_str()), "{node:#}");
    }
    space.mlp(&["show", "1", "train"]).exits(0).says("started").says("ended").says(&host);
    // What was reused ran elsewhere, at another time.
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let train = space.mlp(&["show", "2", "train", "--output", "json"]).exits(0).json();
    assert_eq!((&train["host"], &train["attempts"]), (&serde_json::Value::Null, &serde_json::json!([])));
}

#[test]
fn a_trace_has_a_slice_for_each_attempt() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space.mlp(&["trace", "last", "-o", "run.json"]).exits(0).says("run.json");
    let document: serde_json::Value = serde_json::from_str(&space.read("run.json")).expect("JSON");
    assert_eq!(document, space.mlp(&["trace", "1"]).exits(0).json());
    let events = document["traceEvents"].as_array().expect("events");
    let slices: Vec<&str> =
        events.iter().filter(|event| event["ph"] == "X").filter_map(|event| event["name"].as_str()).collect();
    assert_eq!(slices, ["biopsies", "split", "train", "eval"]);
}
