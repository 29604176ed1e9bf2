//! `mlp state`: is it whole, what can go, what can be folded.

use crate::space::Space;

/// A pipeline whose step gives something else for each seed, and takes no time.
const SMALL: &str = r#"mlp 1
use std/regress
schema Point { x: float
  y: float label
}
param depth: int = 1
data points: Point { source = csv("points.csv") }
step fit = regress.gradient_boosting(points, iterations: 5, max_depth: depth)
"#;

fn lived_in(runs: u32) -> Space {
    let space = Space::new();
    space.write("small.mlp", SMALL);
    let rows: String = (0..400).map(|i| format!("{},{}\n", f64::from(i % 17), f64::from(i % 31))).collect();
    space.write("points.csv", format!("x,y\n{rows}"));
    for depth in 1..=runs {
        space.mlp(&["run", "small.mlp", "-p", &format!("depth={depth}")]).exits(0);
    }
    space
}

#[test]
fn a_sound_state_is_said_to_be_and_damage_is_named_with_what_to_do() {
    let space = lived_in(1);
    space.mlp(&["state", "verify"]).exits(0).says("sound:").says("1 run");
    space.mlp(&["state", "verify", "--fast"]).exits(0).says("not read");
    let journal = ".mlp/runs/000001/journal";
    let whole = std::fs::read(space.path(journal)).expect("a journal");
    space.write(journal, b"nothing that a journal begins with");
    space.mlp(&["state", "verify"]).exits(1).says("the journal of run 1").says("means:").says("next:");
    let json = space.mlp(&["--output", "json", "state", "verify"]).exits(1).json();
    assert_eq!((&json["schema"], &json["sound"]), (&"mlp.state.verify/1".into(), &false.into()));
    assert_eq!(json["problems"][0]["kind"], "journal");
    space.write(journal, whole);
    space.mlp(&["state", "verify"]).exits(0);
    std::fs::remove_dir_all(space.path(".mlp")).expect("the state folder");
    space.mlp(&["state", "verify"]).exits(2).says("there is no state folder");
}

#[test]
fn collecting_and_folding_keep_what_can_be_seen_and_reused() {
    let space = lived_in(4);
    let runs = space.mlp(&["runs"]).exits(0).stdout();
    let story = space.mlp(&["show", "1"]).exits(0).stdout();
    let before = space.files(".mlp/artifacts").len();
    let old = ["--keep-runs", "1", "--keep-for", "0s"];

    let gc = |more: &[&str]| space.mlp(&[&["state", "gc", "--grace", "0s"][..], &old[..], more].concat()).exits(0);
    gc(&["--dry-run"]).says("would remove");
    assert_eq!(space.files(".mlp/artifacts").len(), before);
    gc(&[]).says("removed");
    assert!(space.files(".mlp/artifacts").len() < before);
    space.mlp(&["state", "verify"]).exits(0);
    space.mlp(&["run", "small.mlp", "-p", "depth=4"]).exits(0).says("nothing to do");

    space.mlp(&[&["state", "compact"][..], &old[..]].concat()).exits(0).says("folded 4 runs");
    assert_eq!(space.files(".mlp/runs").iter().filter(|file| file.ends_with("/journal")).count(), 1);
    let now = space.mlp(&["runs"]).exits(0).stdout();
    assert!(runs.lines().skip(1).all(|line| now.contains(line.split_whitespace().next().unwrap_or("?"))), "{now}");
    assert_eq!(space.mlp(&["show", "1"]).exits(0).stdout().lines().count(), story.lines().count());
    space.mlp(&["state", "rebuild"]).exits(0);
    space.mlp(&["state", "verify"]).exits(0);
    space.mlp(&["run", "small.mlp", "-p", "depth=4"]).exits(0).says("nothing to do");
}

#[test]
fn an_empty_project_takes_history_in_and_says_what_the_first_one_said() {
    let first = Space::with_example("breast_cancer");
    first.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    first.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=420"]);
    first.mlp(&["state", "export", "history.tar"]).exits(0).says("wrote 2 runs");
    first.mlp(&["state", "export", "history.tar"]).exits(1).says("is there already").says("next:");
    let file = first.path("history.tar");
    let file = file.to_str().expect("a path");
    let listed = std::process::Command::new("tar").args(["-tf", file]).output().expect("tar");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.starts_with("manifest.json\nruns/000001/journal\nruns/000002/journal\nartifacts/"), "{listed}");

    let second = Space::new();
    second.mlp(&["state", "import", file]).exits(0).says("took in 2 runs").never_says("there is");
    let seen: [&[&str]; 6] = [
        &["runs"],
        &["show", "1"],
        &["show", "2"],
        &["show", "1", "train"],
        &["show", "cancer"],
        &["show", "cancer@1"],
    ];
    for command in seen {
        let there = first.mlp(command).exits(0).stdout().replace(&first.path("").display().to_string(), "");
        let here = second.mlp(command).exits(0).stdout().replace(&second.path("").display().to_string(), "");
        assert_eq!(here, there, "mlp {}", command.join(" "));
    }
    second.mlp(&["state", "verify"]).exits(0).says("sound:").says("2 runs");
    let before = second.files(".mlp/runs").len();
    second.mlp(&["state", "import", file]).exits(0).says("here already");
    assert_eq!(second.files(".mlp/runs").len(), before);
    assert_eq!(second.mlp(&["runs"]).stdout(), first.mlp(&["runs"]).stdout());

    // What the same project gave elsewhere needs no run here.
    let third = Space::with_example("breast_cancer");
    third.mlp(&["state", "import", file]).exits(0);
    third.mlp(&["run", "breast_cancer.mlp"]).exits(0).says("reused     biopsies, split, train, eval");
}

#[test]
fn a_damaged_file_is_refused_with_words_and_beside_other_runs_numbers_are_told() {
    let first = Space::with_example("breast_cancer");
    first.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    first.mlp(&["state", "export", "history.tar", "--run", "1"]).exits(0).says("wrote 1 run");
    first.mlp(&["state", "export", "other.tar", "--run", "7"]).exits(1).says("no run `7`").says("mlp runs");
    let whole = std::fs::read(first.path("history.tar")).expect("a file");

    let second = Space::with_example("breast_cancer");
    second.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=420"]);
    let runs = second.mlp(&["runs"]).stdout();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (what, bytes) in [("cut", &whole[..whole.len() / 2]), ("flipped", &flipped), ("something else", b"mlp 1\n")] {
        second.write("bad.tar", bytes);
        let refused = second.mlp(&["state", "import", "bad.tar"]).exits(1);
        refused.says("cannot be taken in").says("safe:  nothing of it was taken in").says("next:");
        assert_eq!(second.mlp(&["runs"]).stdout(), runs, "{what}");
    }
    second.mlp(&["state", "import", "nowhere.tar"]).exits(1).says("nowhere.tar");
    second.write("history.tar", whole);
    let json = second.mlp(&["--output", "json", "state", "import", "history.tar"]).exits(0).json();
    assert_eq!((&json["schema"], &json["runs"][0]["here"]), (&"mlp.state.import/1".into(), &2.into()));
    second.mlp(&["show", "2"]).exits(0);
    second.mlp(&["state", "verify"]).exits(0);
}
