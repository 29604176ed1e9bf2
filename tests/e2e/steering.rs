//! Runs that are steered: parts of a pipeline, profiles, the background, cancelling and trying again.

use crate::space::Space;
use std::time::{Duration, Instant};

/// A pipeline that runs for as long as anybody needs it to.
const SLOW: &str = r#"mlp 1
use std/regress
param rounds: int = 10000
schema Point { x: float
  y: float label
}
data points: Point { source = csv("points.csv") }
step slow = regress.gradient_boosting(points, iterations: rounds, max_depth: 8)
"#;

fn slow_project() -> Space {
    let space = Space::new();
    space.write("slow.mlp", SLOW);
    let mut rows = String::from("x,y\n");
    for i in 0..20_000 {
        rows.push_str(&format!("{},{}\n", i as f64 / 7.0 % 13.0, (i * i) as f64 % 31.0));
    }
    space.write("points.csv", rows);
    space
}

/// Waits until this much is true.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !done() {
        assert!(Instant::now() < deadline, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is_at_work(space: &Space) -> bool {
    space.mlp(&["status"]).exits(0).text().contains("running now: slow")
}

/// The nodes of the last run that were attempted.
fn ran(space: &Space) -> Vec<String> {
    let view = space.history().run("last").expect("a run");
    view.nodes.iter().filter(|node| !node.attempts.is_empty()).map(|node| node.name.clone()).collect()
}

#[test]
fn only_a_part_is_run_and_nothing_is_registered() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["plan", "breast_cancer.mlp", "--only", "train"]).exits(0).says("it was not asked for");
    space.mlp(&["run", "breast_cancer.mlp", "--only", "train"]).exits(0);
    assert_eq!(ran(&space), ["biopsies", "split", "train"]);
    assert_eq!(space.history().models().expect("a registry").len(), 0);
    space.mlp(&["run", "breast_cancer.mlp", "--only", "trian"]).exits(2).says("trian").says("did you mean `train`?");
    space.mlp(&["run", "breast_cancer.mlp", "--only", ""]).exits(2);
    // The rest is done later, and nothing twice.
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    assert_eq!(ran(&space), ["eval"]);
    assert_eq!(space.history().models().expect("a registry").len(), 1);
}

#[test]
fn from_a_step_on_everything_runs_again() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space.mlp(&["plan", "breast_cancer.mlp", "--from", "train"]).exits(0).says("forced").says("2 to run");
    space.mlp(&["run", "breast_cancer.mlp", "--from", "train"]).exits(0);
    assert_eq!(ran(&space), ["train", "eval"]);
    space.mlp(&["run", "breast_cancer.mlp", "--from", "trian"]).exits(2).says("trian");
    space.mlp(&["run", "breast_cancer.mlp", "--from", "train", "--force-all"]).exits(2);
}

#[test]
fn a_dry_run_runs_nothing_and_ends_as_the_run_would_begin() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp", "--dry-run"]).exits(0).says("to run");
    assert_eq!(space.files(".mlp/runs"), [""; 0], "nothing ran");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    space.mlp(&["run", "breast_cancer.mlp", "--dry-run"]).exits(0).says("nothing to run");
    // The table is known already, and it is known not to be as it must be.
    space.replace("breast_cancer.mlp", "rows >= 500", "rows >= 50000");
    space.mlp(&["run", "breast_cancer.mlp", "--dry-run"]).exits(1).says("it will fail");
    space.replace("breast_cancer.mlp", "step eval", "stop eval");
    space.mlp(&["run", "breast_cancer.mlp", "--dry-run"]).exits(2);
}

#[test]
fn a_profile_sets_parameters_and_the_command_line_goes_before_it() {
    let space = Space::with_example("breast_cancer");
    let asked = ["plan", "breast_cancer.mlp", "--profile", "ci"];
    space.mlp(&asked).exits(2).says("there are no profiles here").says("mlp-profiles.json");
    space.write("mlp-profiles.json", r#"{"profiles": {"ci": {"about": "small", "params": {"train_rows": 300}}}}"#);
    space.mlp(&["plan", "breast_cancer.mlp", "--profile", "cii"]).exits(2).says("it has ci");
    let rows = |arguments: &[&str]| {
        space.mlp(&[&["run", "breast_cancer.mlp", "--only", "split", "--output", "json"], arguments].concat()).exits(0);
        let view = space.history().run("last").expect("a run");
        let (_, value) = view.started.params.iter().find(|(name, _)| name == "train_rows").expect("it").clone();
        value
    };
    assert_eq!(rows(&["--profile", "ci"]), mlp_lang::value::Value::Int(300));
    assert_eq!(rows(&["--profile", "ci", "-p", "train_rows=310"]), mlp_lang::value::Value::Int(310));
    space.write("mlp-profiles.json", r#"{"profiles": {"ci": {"params": {"trian_rows": 300}}}}"#);
    space
        .mlp(&asked)
        .exits(2)
        .says("did you mean `--param train_rows=...`?")
        .says("profile `ci` in mlp-profiles.json sets it");
    space.write("mlp-profiles.json", r#"{"profiles": {"ci": {"params": {"train_rows": "many"}}}}"#);
    space.mlp(&asked).exits(2).says("`many` is not an int").says("profile `ci` in mlp-profiles.json sets it");
    space.mlp(&["check", "breast_cancer.mlp", "--profile", "ci"]).exits(2).says("profile `ci`");
    let both = [&asked[..], &["-p", "train_rows=some"]].concat();
    space.mlp(&both).exits(2).says("`some` is not an int").never_says("profile `ci`");
}

#[test]
fn a_run_of_another_process_is_cancelled() {
    let space = slow_project();
    space.mlp(&["cancel"]).exits(1).says("nothing is running in this project");
    let holder = space.start(&["run", "slow.mlp"]);
    until("a step runs", || is_at_work(&space));
    space.mlp(&["cancel", "7"]).exits(1).says("mlp cancel 1");
    space.mlp(&["cancel"]).exits(0).says("run 1 is cancelled");
    assert_eq!(holder.wait_with_output().expect("an end").status.code(), Some(130));
    space.mlp(&["cancel", "1"]).exits(1).says("run 1 is not running: it was cancelled");
    space.mlp(&["cancel", "last"]).exits(1).says("run 1 is not running: it was cancelled");
    space.mlp(&["cancel", "first"]).exits(1).says("there is no run `first`").says("mlp runs");
    assert_eq!(space.files(".mlp/work"), [""; 0]);
    // The next run is not the one that was told to stop.
    space.mlp(&["run", "slow.mlp", "-p", "rounds=2"]).exits(0);
}

#[test]
fn a_run_in_the_background_has_a_number_and_can_be_followed_and_stopped() {
    let space = slow_project();
    let told = space.mlp(&["run", "slow.mlp", "--detach", "--output", "json"]).exits(0).json();
    assert_eq!((&told["schema"], &told["run"]), (&"mlp.detached/1".into(), &1.into()));
    until("a step runs", || is_at_work(&space));
    let follower = space.start(&["logs", "1", "-f"]);
    for busy in [&["run", "slow.mlp", "--detach"][..], &["run", "slow.mlp"]] {
        let refused = space.mlp(busy).exits(1).says("in use by another mlp").says("run slow.mlp --detach");
        refused.says("`mlp cancel 1`").says("`mlp run --wait`").never_says("--announce");
    }
    space.mlp(&["cancel", "1"]).exits(0);
    let followed = follower.wait_with_output().expect("an end");
    assert_eq!(followed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&followed.stderr).contains("run 1 was cancelled"), "{followed:?}");
    assert!(space.files(".mlp/detached").iter().any(|name| name == "000001.log"), "{:?}", space.files(".mlp/detached"));
    assert_eq!(space.files(".mlp/detached").len(), 1, "{:?}", space.files(".mlp/detached"));
    // One that is over before anybody looks has its number all the same.
    space.mlp(&["run", "slow.mlp", "-p", "rounds=2", "--detach"]).exits(0).says("run 2");
    until("the second run ends", || space.mlp(&["status"]).exits(0).text().contains("nothing is running; run 2"));
    // What is wrong with the file is told here, not in a log that nobody reads.
    space.mlp(&["run", "slow.mlp", "-p", "rounds=two", "--detach"]).exits(2).says("rounds");
}

#[test]
fn a_run_is_tried_again_with_the_text_and_the_parameters_it_had() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=380", "--only", "train"]).exits(0);
    space.replace("breast_cancer.mlp", "shuffle: false", "shuffle: true");
    space.mlp(&["retry", "last"]).exits(0).says("changed since run 1").says("nothing to do");
    let (first, second) = (space.history().run("1").expect("a run"), space.history().run("2").expect("a run"));
    assert_eq!(first.started.params, second.started.params);
    assert_eq!(first.started.source, second.started.source);
    assert!(second.models.is_empty(), "it was asked for a part, and so is this");
    space.mlp(&["retry", "9"]).exits(1).says("there is no run `9`");
}

#[test]
fn a_run_is_tried_again_where_it_was_from_wherever_it_is_asked_for() {
    let space = Space::new();
    let pipeline = SLOW.replace("10000", "2");
    for (folder, y) in [("a", 1), ("b", 2)] {
        space.write(&format!("{folder}/slow.mlp"), &pipeline);
        space.write(&format!("{folder}/points.csv"), format!("x,y\n1,{y}\n2,{y}\n3,5\n4,6\n"));
    }
    let within = |folder: &str, arguments: &[&str]| {
        let out = space.command(arguments).current_dir(space.path(folder)).output().expect("mlp starts");
        assert_eq!(out.status.code(), Some(0), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    within("a", &["run", "slow.mlp"]);
    for folder in ["b", ".", "a"] {
        let told = within(folder, &["retry", "1"]);
        assert!(told.contains("nothing to do"), "{folder}: {told}");
    }
}

#[test]
fn what_a_killed_run_did_is_not_done_again() {
    let space = slow_project();
    let mut holder = space.start(&["run", "slow.mlp", "-p", "rounds=9000"]);
    until("a step runs", || is_at_work(&space));
    space.mlp(&["retry", "last"]).exits(1).says("still running");
    holder.kill().expect("SIGKILL");
    holder.wait().expect("a dead child");
    let again = space.start(&["retry", "1"]);
    until("a step runs", || is_at_work(&space));
    space.mlp(&["cancel"]).exits(0);
    again.wait_with_output().expect("an end");
    let view = space.history().run("2").expect("a run");
    assert_eq!(view.started.resumes, Some(1));
    assert!(view.node("points").is_some_and(|points| points.attempts.is_empty()), "the table was read before");
    assert_eq!(view.started.params[0].1, mlp_lang::value::Value::Int(9000));
}

#[test]
fn what_a_step_says_is_followed_until_the_run_ends_or_its_engine_dies() {
    let space = slow_project();
    let mut holder = space.start(&["run", "slow.mlp"]);
    until("a step runs", || is_at_work(&space));
    let log = ".mlp/runs/000001/logs/slow.1.log";
    space.write(log, "2026-11-21T02:40:00.000Z info   one\n2026-11-21T02:40:01.000Z info   tw");
    let follower = space.start(&["logs", "1", "-f"]);
    let for_programs = space.start(&["logs", "1", "slow", "-f", "--output", "json"]);
    let words = space.read(log);
    space.write(log, format!("{words}o\n2026-11-21T02:40:02.000Z warn   thr"));
    holder.kill().expect("SIGKILL");
    holder.wait().expect("a dead child");
    let followed = follower.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&followed.stdout).into_owned();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines.iter().all(|line| line.starts_with("slow | ")) && lines[1].ends_with("two"), "{said}");
    assert_eq!(followed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&followed.stderr).contains("run 1 was killed"), "{followed:?}");
    let events = String::from_utf8(for_programs.wait_with_output().expect("an end").stdout).expect("text");
    let last: serde_json::Value = events.lines().last().and_then(|it| serde_json::from_str(it).ok()).expect("events");
    assert_eq!((&last["event"], &last["level"], &last["line"]), (&"log".into(), &"warn".into(), &"thr".into()));
    // And again, now that nobody is there.
    assert_eq!(space.mlp(&["logs", "last", "-f"]).exits(0).stdout(), said);
    space.mlp(&["logs", "9", "-f"]).exits(1).says("there is no run `9`");
    space.mlp(&["logs", "1", "slwo", "-f"]).exits(2).says("did you mean `slow`?");
}

#[test]
fn what_was_under_way_in_a_killed_run_is_told_as_cut_off() {
    let space = slow_project();
    let told = space.mlp(&["run", "slow.mlp", "--detach", "--output", "json"]).exits(0).json();
    until("a step runs", || is_at_work(&space));
    let pid = told["pid"].as_u64().expect("a process").to_string();
    let killed = std::process::Command::new("kill").args(["-KILL", &pid]).status().expect("kill");
    assert!(killed.success());
    until("the kernel let go of its lock", || space.mlp(&["status"]).exits(0).text().contains("nothing is running"));
    space.mlp(&["show", "1"]).exits(0).says("was cut off").never_says("running");
    space.mlp(&["show", "1", "slow"]).exits(0).says("cut off");
    space.mlp(&["explain-run", "slow"]).exits(0).says("the run's process was killed");
    space.mlp(&["diff", "1", "1"]).exits(0).says("cut off");
    // Nobody knows when it was killed: the trace ends with what is known, however late it is asked for.
    let trace = space.mlp(&["trace", "1"]).exits(0).json();
    assert_eq!(trace["otherData"]["outcome"], "interrupted");
    assert_eq!(trace, space.mlp(&["trace", "1"]).exits(0).json());
    // It is tried again in the background, too.
    space.mlp(&["retry", "1", "--detach"]).exits(0).says("run 2");
    until("a step runs", || is_at_work(&space));
    space.mlp(&["retry", "last"]).exits(1).says("run 2 is still running").says("mlp cancel 2");
    space.mlp(&["cancel", "2"]).exits(0).says("1 reused, 1 stopped");
    assert_eq!(space.history().run("2").expect("a run").started.resumes, Some(1));
}
