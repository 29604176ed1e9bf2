//! `kill -9` at random moments loses nothing that was acknowledged, and doubles nothing.

use crate::space::Space;
use mlp_core::digest::Digest;
use mlp_core::record::Record;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often the engine is killed before it may end a run.
const KILLS: u32 = 20;

#[test]
fn twenty_kills_and_then_a_run_give_what_one_undisturbed_run_gives() {
    let calm = Space::with_example("bikeshare");
    calm.mlp(&["run", "bikeshare.mlp"]).exits(4);

    let space = Space::with_example("bikeshare");
    let mut random = Random::from_time();
    // How long a run may live at most: grows while runs are caught alive, shrinks when they get away, so that kills fall
    // all over a run on any machine.
    let mut longest = Duration::from_millis(100);
    let mut killed = 0;
    for attempt in 0.. {
        if killed == KILLS {
            break;
        }
        // Other seeds, so that there is work to interrupt; each twice, so that there is work to take up too.
        let seed = format!("seed={}", 100 + attempt / 2);
        let mut child = space.start(&["run", "bikeshare.mlp", "-p", &seed]);
        std::thread::sleep(longest.mul_f64(random.fraction()));
        let alive = matches!(child.try_wait(), Ok(None));
        child.kill().expect("SIGKILL");
        child.wait().expect("a dead child");
        killed += u32::from(alive);
        longest = longest.mul_f64(if alive { 1.2 } else { 0.5 });
    }
    space.mlp(&["run", "bikeshare.mlp"]).exits(4);

    assert_eq!(outputs(&space), outputs(&calm), "seed {}", random.seed);
    nothing_done_twice(&space, random.seed);
    no_litter(&space, random.seed);
    // Each registration once, however often the engine died around it; the last is that of the undisturbed run.
    let models = space.history().models().expect("a registry");
    let versions: Vec<u64> = models.iter().map(|model| model.version).collect();
    assert_eq!(versions, (1..=versions.len() as u64).collect::<Vec<_>>(), "seed {}", random.seed);
    let of_calm = calm.history().model("demand", None).expect("registered").digest;
    assert_eq!(models.last().map(|model| model.digest), Some(of_calm), "seed {}", random.seed);
}

#[test]
fn the_store_can_be_thrown_away() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let before = outputs(&space);
    std::fs::remove_dir_all(space.path(".mlp/store")).expect("the store");
    space.mlp(&["state", "rebuild"]).exits(0);
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0).says("nothing to do");
    assert_eq!(outputs(&space), before);
}

#[test]
fn a_torn_journal_is_cut_and_a_damaged_one_is_named() {
    let space = Space::with_example("breast_cancer");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    let journal = ".mlp/runs/000001/journal";
    let whole = std::fs::read(space.path(journal)).expect("a journal");

    space.write(journal, &whole[..whole.len() - 7]);
    space.mlp(&["runs"]).exits(0);
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);

    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x40;
    space.write(journal, &damaged);
    space.mlp(&["show", "1"]).exits(1).says("frame").says("journal");
}

/// The digest of every output of every node in the last run.
fn outputs(space: &Space) -> BTreeMap<String, Digest> {
    let view = space.history().run("last").expect("a run");
    let mut digests = BTreeMap::new();
    for node in &view.nodes {
        for artifact in &node.outputs {
            digests.insert(format!("{}.{}", node.name, artifact.output), artifact.digest);
        }
    }
    assert!(!digests.is_empty());
    digests
}

/// Once a durable record says that some work is done, no later run starts it again.
pub fn nothing_done_twice(space: &Space, seed: impl std::fmt::Display) {
    let mut done: BTreeSet<Digest> = BTreeSet::new();
    for record in space.records() {
        match record {
            Record::NodeStarted { node, fingerprint, .. } => {
                assert!(!done.contains(&fingerprint), "`{node}` ran again after it was done; seed {seed}");
            }
            Record::NodeDone { fingerprint, .. } => {
                done.insert(fingerprint);
            }
            _ => {}
        }
    }
}

/// No work folder, no half-written file, no artifact that nothing names.
pub fn no_litter(space: &Space, seed: impl std::fmt::Display) {
    assert_eq!(space.files(".mlp/work"), [""; 0], "seed {seed}");
    let mut named = BTreeSet::new();
    for record in space.records() {
        if let Record::NodeDone { outputs, .. } = record {
            named.extend(outputs.iter().map(|artifact| artifact.digest.to_string()));
        }
    }
    for file in space.files(".mlp/artifacts") {
        let name = file.rsplit('/').next().expect("a name");
        assert!(named.contains(name), "artifacts/{file} is named by no record; seed {seed}");
    }
}

/// Numbers from a seed that a failing test prints (splitmix64).
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn from_time() -> Random {
        let seed = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO)
            .subsec_nanos()
            .into();
        Random { seed, state: seed }
    }

    /// In 0..1.
    fn fraction(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
