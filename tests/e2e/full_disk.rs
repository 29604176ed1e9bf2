//! A real file system without room: a run stops with words, and the same command goes on once there is room.

use crate::crash::{no_litter, nothing_done_twice};
use crate::space::Space;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// Mounts one of two MiB. `None`: this user may not.
    fn mount(at: &Path) -> Option<Small> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "mlp-test"]).arg(at);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Small(at.to_owned())),
            other => {
                assert!(std::env::var_os("CI").is_none(), "CI must be able to mount a tmpfs: {other:?}");
                eprintln!(
                    "\n!!! SKIPPED: no full disk was tried, because nothing can be mounted here. Run it as root\n"
                );
                None
            }
        }
    }

    /// Leaves this many KiB.
    fn fill(&self, left: usize) -> PathBuf {
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).expect("a file");
        while file.write_all(&[0; 1024]).is_ok() {}
        let length = file.metadata().expect("a length").len();
        file.set_len(length.saturating_sub(left as u64 * 1024)).expect("room");
        path
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_run_on_a_full_disk_says_so_and_the_same_command_goes_on_once_there_is_room() {
    let mut stopped = 0;
    let lefts = [0, 4, 8, 12, 16, 24, 32, 48, 64, 100, 150, 200, 230, 260, 290, 310, 330, 340, 350, 360, 380, 1_000];
    for left in lefts {
        let space = Space::with_example("breast_cancer");
        let Some(small) = Small::mount(&space.path(".mlp")) else { return };
        let filler = small.fill(left);
        let what = format!("{left} KiB left");
        let ran = space.mlp(&["run", "breast_cancer.mlp"]);
        if ran.code() != Some(0) {
            let ran = ran.exits(1);
            let text = ran.text().to_lowercase();
            assert!(text.contains("no space left") || text.contains("free space"), "{what}: {}", ran.text());
            ran.says("safe:").says("next:").says("run the same command again").never_says("rebuild");
            stopped += 1;
        }
        // What can be seen without room can be seen.
        space.mlp(&["runs"]).exits(0);
        space.mlp(&["state", "verify"]).exits(0);
        std::fs::remove_file(filler).expect("room again");
        space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
        nothing_done_twice(&space, &what);
        no_litter(&space, &what);
        let versions: Vec<u64> = space.history().models().expect("a registry").iter().map(|it| it.version).collect();
        assert_eq!(versions, [1], "{what}: registered once");
        space.mlp(&["state", "verify"]).exits(0);
    }
    let _ =
        writeln!(std::io::stderr(), "full disk: {stopped} of {} runs were stopped by it, each went on", lefts.len());
    assert!(stopped > 10, "{stopped}");
}

#[test]
fn a_collection_makes_room_on_a_disk_that_has_none() {
    let space = Space::with_example("breast_cancer");
    let Some(small) = Small::mount(&space.path(".mlp")) else { return };
    for rows in ["400", "390"] {
        space.mlp(&["run", "breast_cancer.mlp", "-p", &format!("train_rows={rows}")]);
    }
    small.fill(0);
    space
        .mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=380"])
        .exits(1)
        .says("No space left")
        .says("mlp state gc");
    space.mlp(&["state", "gc", "--keep-runs", "1", "--keep-for", "0s", "--grace", "0s"]).exits(0).says("removed");
    space.mlp(&["run", "breast_cancer.mlp", "-p", "train_rows=380"]).says("done");
    space.mlp(&["state", "verify"]).exits(0);
}

#[test]
fn an_import_into_a_disk_without_room_changes_nothing() {
    let first = Space::with_example("breast_cancer");
    first.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let file = first.path("history.tar");
    let file = file.to_str().expect("a path");
    first.mlp(&["state", "export", file]).exits(0);
    for left in [0, 8, 40, 150, 300] {
        let space = Space::new();
        let Some(small) = Small::mount(&space.path(".mlp")) else { return };
        let filler = small.fill(left);
        space.mlp(&["state", "import", file]).exits(1).says("No space left").says("make room");
        space.mlp(&["runs"]).exits(0).never_says("breast_cancer");
        std::fs::remove_file(filler).expect("room again");
        space.mlp(&["state", "import", file]).exits(0).says("took in 1 run");
        space.mlp(&["state", "verify"]).exits(0);
        assert_eq!(space.mlp(&["runs"]).stdout(), first.mlp(&["runs"]).stdout());
    }
    let out = Space::new();
    let Some(small) = Small::mount(&out.path(".mlp")) else { return };
    small.fill(100);
    first.mlp(&["state", "export", out.path(".mlp/half.tar").to_str().expect("a path")]).exits(1).says("No space left");
    assert_eq!(out.files(".mlp"), ["filler"], "half a file helps nobody");
}
