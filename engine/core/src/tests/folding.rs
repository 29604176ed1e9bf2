//! Old runs in one file: they say what they said, and no kill or fault loses one.

use super::*;
use crate::disk::seam::faults::{EIO, ENOSPC, Fault, Watched};
use crate::history::History;
use crate::store::{SledKeys, Store};
use crate::upkeep::{Age, Compacted, Depth, compact, verify};
use std::collections::BTreeSet;
use std::time::Duration;

fn all_but_the_last() -> Age {
    Age { keep_runs: 1, since: Millis::MAX, keep: BTreeSet::new(), dry_run: false, wait: Duration::ZERO }
}

fn fold(scratch: &Scratch) -> Compacted {
    compact(&scratch.project(), &all_but_the_last()).unwrap()
}

/// Everything that can be seen of the past.
fn seen(scratch: &Scratch) -> Vec<String> {
    let history = History::open(&scratch.project());
    let mut seen: Vec<String> = history.runs().unwrap().iter().map(|run| format!("{run:?}")).collect();
    for run in history.runs().unwrap() {
        let view = history.run(&run.run.to_string()).unwrap();
        seen.push(serde_json::to_string(&view).unwrap());
    }
    seen.extend(history.models().unwrap().iter().map(|model| format!("{model:?}")));
    seen
}

fn lived_in() -> Scratch {
    let scratch = Scratch::new();
    for (rows, c, auc) in [(2, 1, 90), (2, 1, 70), (1, 2, 95), (1, 3, 95), (1, 3, 95)] {
        scratch.run(&churn(rows, c, auc).0);
    }
    scratch.ran();
    scratch
}

#[test]
fn folded_runs_say_what_they_said() {
    let scratch = lived_in();
    let before = seen(&scratch);
    let facts = |scratch: &Scratch| Store::new(SledKeys::open(&scratch.project().store()).unwrap()).facts().unwrap();
    let store = facts(&scratch);
    let trial = compact(&scratch.project(), &Age { dry_run: true, ..all_but_the_last() }).unwrap();
    assert_eq!((trial.runs.as_slice(), trial.after), ([1, 2, 3, 4].as_slice(), 0));
    let done = fold(&scratch);
    assert_eq!((&done.runs, done.files), (&trial.runs, trial.files));
    assert!(done.after > 0 && done.after < done.before, "{done:?}");
    assert_eq!(scratch.project().run_numbers().unwrap(), [5]);
    assert_eq!(seen(&scratch), before);
    assert_eq!(fold(&scratch).runs, Vec::<u64>::new());
    assert_eq!(scratch.engine().unwrap().recovered(), Vec::<String>::new(), "nothing is missed");
    assert_eq!(facts(&scratch), store);
    Engine::rebuild_state(&scratch.project()).unwrap();
    assert_eq!(facts(&scratch), store, "a store made anew knows them");
    std::fs::remove_dir_all(scratch.project().store()).unwrap();
    drop(scratch.engine().unwrap());
    assert_eq!(facts(&scratch), store);
    // The cache reaches back into them, and numbers go on.
    let report = scratch.run(&churn(2, 1, 90).0);
    assert_eq!((report.run, scratch.ran()), (6, Vec::new()));
    assert_eq!(verify(&scratch.project(), Depth::Full, &[]).unwrap().problems, []);
    // More runs become old, and go to a file of their own.
    assert_eq!(fold(&scratch).runs, [5]);
    assert_eq!(crate::disk::names(&scratch.project().archive()).unwrap().len(), 2);
    assert_eq!(seen(&scratch)[..4], before[..4]);
}

#[test]
fn a_fault_at_any_operation_of_folding_loses_no_run() {
    let scratch = lived_in();
    let before = seen(&scratch);
    let watched = Watched::folder(&scratch.project().state, None);
    let copied = super::faults::copied(&scratch);
    fold(&scratch);
    let operations = watched.done().len();
    drop(watched);
    assert!(operations >= 6, "{operations}");
    let mut struck = 0;
    for at in 0..operations {
        for fault in [Fault::Error(EIO), Fault::Error(ENOSPC), Fault::Full, Fault::Short(100), Fault::PowerCut] {
            let scratch = super::faults::copied(&copied);
            let watched = Watched::folder(&scratch.project().state, Some((at, fault)));
            let _ = compact(&scratch.project(), &all_but_the_last());
            struck += usize::from(watched.struck());
            if fault == Fault::PowerCut {
                watched.forget(|| false);
            }
            drop(watched);
            assert_eq!(seen(&scratch), before, "{fault:?} at {at}");
            drop(scratch.engine().unwrap());
            fold(&scratch);
            assert_eq!(seen(&scratch), before, "{fault:?} at {at}, folded again");
            assert_eq!(scratch.project().run_numbers().unwrap(), [5], "{fault:?} at {at}");
            assert_eq!(verify(&scratch.project(), Depth::Full, &[]).unwrap().problems, [], "{fault:?} at {at}");
        }
    }
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("folding: {struck} faults at {operations} operations, each recovered\n"),
    );
    assert!(struck >= operations * 4);
}

#[test]
fn a_folded_file_that_is_damaged_is_told_and_nothing_goes_on_over_it() {
    let scratch = lived_in();
    fold(&scratch);
    let path = scratch.project().archive().join("000001-000004");
    let whole = std::fs::read(&path).unwrap();
    for bytes in [whole[..whole.len() - 3].to_vec(), [&whole[..200], &[whole[200] ^ 1], &whole[201..]].concat()] {
        std::fs::write(&path, &bytes).unwrap();
        let problems = verify(&scratch.project(), Depth::Fast, &[]).unwrap().problems;
        assert!(problems.iter().any(|it| it.what.contains("000001-000004 is damaged")), "{problems:?}");
        assert!(scratch.engine().is_err() && Engine::rebuild_state(&scratch.project()).is_err());
        assert!(crate::upkeep::compact(&scratch.project(), &all_but_the_last()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it is");
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(scratch.engine().is_ok());
}
