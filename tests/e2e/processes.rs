//! Two processes in one project.

use crate::space::Space;
use std::time::{Duration, Instant};

/// A pipeline that runs for as long as anybody needs it to.
const SLOW: &str = r#"mlp 1
use std/regress
schema Point { x: float
  y: float label
}
data points: Point { source = csv("points.csv") }
step slow = regress.gradient_boosting(points, iterations: 10000, max_depth: 8)
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

/// Waits until another process can see the run.
fn until_live(space: &Space) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let status = space.mlp(&["status"]).exits(0);
        if status.text().contains("slow") && status.text().contains("running") {
            return;
        }
        assert!(Instant::now() < deadline, "no run to be seen:\n{}", status.text());
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_live_run_is_seen_and_keeps_others_out() {
    let space = slow_project();
    let mut holder = space.start(&["run", "slow.mlp"]);
    until_live(&space);

    let refused = space.mlp(&["run", "slow.mlp"]).exits(1);
    assert!(refused.text().contains(&holder.id().to_string()), "names the holder:\n{}", refused.text());
    // Looking does not need the lock.
    space.mlp(&["plan", "slow.mlp"]).exits(0).says("slow");
    space.mlp(&["runs"]).exits(0).says("slow");
    space.mlp(&["show", "last"]).exits(0).says("slow");

    holder.kill().expect("SIGKILL");
    holder.wait().expect("a dead child");

    // Nothing is stuck: the dead run is told as such, and the next one takes over.
    space.mlp(&["status"]).exits(0).says("nothing is running");
    space.replace("slow.mlp", "iterations: 10000", "iterations: 2");
    space.mlp(&["run", "slow.mlp"]).exits(0);
    space.mlp(&["runs"]).exits(0).says("cut off");
}

#[test]
fn ctrl_c_ends_a_run_in_good_order() {
    let space = slow_project();
    let mut holder = space.start(&["run", "slow.mlp"]);
    until_live(&space);
    let pid = rustix::process::Pid::from_child(&holder);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("SIGINT");
    assert_eq!(holder.wait().expect("an end").code(), Some(130));
    space.mlp(&["show", "last"]).exits(0).says("cancelled");
    assert_eq!(space.files(".mlp/work"), [""; 0]);
}

#[test]
fn a_second_run_can_wait() {
    let space = slow_project();
    space.replace("slow.mlp", "iterations: 10000", "iterations: 60");
    let first = space.start(&["run", "slow.mlp"]);
    until_live(&space);
    space.mlp(&["run", "slow.mlp", "--wait"]).exits(0).says("nothing to do");
    assert_eq!(first.wait_with_output().expect("an end").status.code(), Some(0));
}
