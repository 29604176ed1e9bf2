//! History as a file: what comes out of one project is the same in another, once, and wholly or not at all.

use super::*;
use crate::disk::seam::faults::{EIO, ENOSPC, Fault, Watched};
use crate::history::{History, RunSummary};
use crate::record::Outcome;
use crate::transfer::{TransferError, export, import};
use crate::upkeep::{Depth, verify};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

fn pipeline(c: i64) -> Pipeline {
    churn(2, c, 90).step("big", "train", &[], &[("size", 9_000), ("c", c)]).model("large", "big", &[]).0
}

/// A project with two runs and two versions of each of two models.
fn lived_in() -> Scratch {
    let scratch = Scratch::new();
    scratch.run(&pipeline(1));
    scratch.run(&pipeline(2));
    scratch
}

fn exported(scratch: &Scratch, runs: &[u64]) -> PathBuf {
    let path = scratch.project().root.join("history.tar");
    export(&scratch.project(), runs, &path).unwrap();
    path
}

fn taken_in(scratch: &Scratch, from: &Path) -> Result<crate::transfer::Imported, TransferError> {
    import(&scratch.project(), from, Duration::ZERO)
}

fn runs(scratch: &Scratch) -> Vec<RunSummary> {
    History::open(&scratch.project()).runs().unwrap()
}

fn models(scratch: &Scratch) -> Vec<(String, u64, u64)> {
    let models = History::open(&scratch.project()).models().unwrap();
    models.into_iter().map(|it| (it.name, it.version, it.run)).collect()
}

fn is_sound(scratch: &Scratch) {
    let verified = verify(&scratch.project(), Depth::Full, &[]).unwrap();
    assert_eq!(verified.problems, []);
}

/// Every journal and artifact, with its bytes.
fn content(scratch: &Scratch) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![scratch.project().runs(), scratch.project().artifacts()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => open.push(entry.path()),
                false => drop(found.insert(entry.path(), std::fs::read(entry.path()).unwrap())),
            }
        }
    }
    found
}

#[test]
fn an_empty_project_says_what_the_first_one_said_and_runs_nothing_again() {
    let first = lived_in();
    let file = exported(&first, &[]);
    let second = Scratch::new();
    let imported = taken_in(&second, &file).unwrap();
    assert_eq!((imported.runs, imported.known, imported.renumbered), (vec![(1, 1), (2, 2)], vec![], vec![]));
    assert_eq!(runs(&second), runs(&first));
    assert_eq!(models(&second), models(&first));
    is_sound(&second);
    assert_eq!(second.run(&pipeline(1)).outcome, Outcome::Succeeded);
    assert_eq!(second.ran(), Vec::<String>::new());
}

#[test]
fn a_second_import_changes_nothing_but_what_was_lost_here() {
    let first = lived_in();
    let file = exported(&first, &[]);
    let second = Scratch::new();
    taken_in(&second, &file).unwrap();
    let before = content(&second);
    let again = taken_in(&second, &file).unwrap();
    assert_eq!((again.known, again.artifacts), (vec![(1, 1), (2, 2)], 0));
    assert_eq!(content(&second), before);
    // A backup mends what rotted and brings back what is gone.
    let large: Vec<_> =
        before.iter().filter(|(path, bytes)| bytes.len() > 5_000 && !path.ends_with("journal")).collect();
    assert_eq!(large.len(), 2);
    std::fs::remove_file(large[0].0).unwrap();
    std::fs::remove_file(large[1].0).unwrap();
    std::fs::write(large[1].0, vec![0; large[1].1.len()]).unwrap();
    assert_eq!(taken_in(&second, &file).unwrap().artifacts, 2);
    assert_eq!(content(&second), before);
    is_sound(&second);
}

#[test]
fn beside_other_runs_everything_gets_the_next_number() {
    let first = lived_in();
    let file = exported(&first, &[]);
    let second = Scratch::new();
    second.run(&pipeline(7));
    let imported = taken_in(&second, &file).unwrap();
    assert_eq!(imported.runs, [(1, 2), (2, 3)]);
    let of = |name: &str, then, now| (name.to_owned(), then, now);
    let mut renumbered = imported.renumbered;
    renumbered.sort();
    assert_eq!(renumbered, [of("churn", 1, 2), of("churn", 2, 3), of("large", 1, 2), of("large", 2, 3)]);
    let expected = [("churn", 1), ("churn", 2), ("churn", 3), ("large", 1), ("large", 2), ("large", 3)];
    let mut found = models(&second);
    found.sort();
    assert_eq!(found, expected.map(|(name, version)| of(name, version, version)), "each with the run that made it");
    is_sound(&second);
    // The other way round nothing of its own comes back as something new.
    let back = second.project().root.join("back.tar");
    export(&second.project(), &[], &back).unwrap();
    let imported = taken_in(&first, &back).unwrap();
    assert_eq!((imported.runs, imported.known), (vec![(1, 3)], vec![(2, 1), (3, 2)]));
    is_sound(&first);
}

#[test]
fn a_run_takes_those_along_whose_results_it_reused() {
    let scratch = lived_in();
    let reusing = churn(2, 1, 90).step("more", "train", &[], &[("c", 5)]).0;
    scratch.run(&reusing);
    let to = |name: &str| scratch.project().root.join(name);
    assert_eq!(export(&scratch.project(), &[2], &to("2")).unwrap().runs, [1, 2], "its table was read by the first");
    assert_eq!(export(&scratch.project(), &[3], &to("3")).unwrap().runs, [1, 3]);
    assert_eq!(export(&scratch.project(), &[1], &to("1")).unwrap().runs, [1]);
    assert!(matches!(export(&scratch.project(), &[1], &to("1")), Err(TransferError::Exists { .. })));
    let unknown = export(&scratch.project(), &[9], &to("9")).unwrap_err();
    assert!(unknown.to_string().contains("no run `9`"), "{unknown}");
    assert!(!to("9").exists());
    assert!(matches!(export(&Scratch::new().project(), &[], &to("0")), Err(TransferError::Nothing)));
}

#[test]
fn a_file_that_is_not_whole_is_refused_with_words_and_nothing_of_it_is_taken_in() {
    let first = lived_in();
    let whole = std::fs::read(exported(&first, &[])).unwrap();
    let second = Scratch::new();
    second.run(&pipeline(7));
    let before = content(&second);
    let file = second.project().root.join("damaged.tar");
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&file, bytes).unwrap();
        let error = taken_in(&second, &file).map(drop).expect_err(what);
        assert!(matches!(error, TransferError::Unsound { .. }), "{what}: {error}");
        assert_eq!(content(&second), before, "{what}");
        assert_eq!(second.litter(), Vec::<String>::new(), "{what}");
    };
    refused(b"", "empty");
    refused(&[b'x'; 4096], "something else");
    refused(&[0; 4096], "an archive without a file");
    for length in (1..whole.len() - 1024).step_by(whole.len() / 40) {
        refused(&whole[..length], &format!("cut to {length} bytes"));
    }
    let mut flipped = whole.clone();
    let content = String::from_utf8_lossy(&whole[..20_000]).into_owned();
    let name = content.find("runs/000001/journal\0").unwrap();
    for (at, what) in
        [(600, "the manifest"), (name + 3, "a name"), (name + 520, "a journal"), (whole.len() - 4_000, "an artifact")]
    {
        flipped[at] ^= 0x10;
        refused(&flipped, what);
        flipped[at] ^= 0x10;
    }
    assert_eq!(flipped, whole);
}

#[test]
fn whatever_the_disk_does_in_an_import_the_state_is_sound_and_the_next_import_takes_in_the_rest() {
    let first = lived_in();
    let file = exported(&first, &[]);
    let operations = {
        let second = Scratch::new();
        let watched = Watched::folder(&second.project().state, None);
        taken_in(&second, &file).unwrap();
        watched.done().len()
    };
    let mut struck = 0;
    for at in 0..operations {
        for fault in [Fault::Error(EIO), Fault::Error(ENOSPC), Fault::Full, Fault::Short(100), Fault::PowerCut] {
            let second = Scratch::new();
            let watched = Watched::folder(&second.project().state, Some((at, fault)));
            let result = taken_in(&second, &file);
            assert!(result.is_ok() || watched.struck(), "{fault:?} at {at}: {result:?}");
            if matches!(fault, Fault::Error(_) | Fault::PowerCut) {
                assert_eq!(result.is_err(), watched.struck(), "{fault:?} at {at}: nobody is told of success");
            }
            struck += usize::from(watched.struck());
            if fault == Fault::PowerCut {
                watched.forget(|| false);
            }
            drop(watched);
            is_sound(&second);
            for run in runs(&second) {
                assert_eq!(run, runs(&first).into_iter().find(|it| it.run == run.run).unwrap(), "whole or not at all");
            }
            taken_in(&second, &file).unwrap();
            assert_eq!(runs(&second), runs(&first), "{fault:?} at {at}");
            assert_eq!(models(&second), models(&first), "{fault:?} at {at}");
            is_sound(&second);
        }
    }
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("import: {struck} faults at {operations} operations, each recovered\n"),
    );
    assert!(struck > operations * 2, "{struck} of {operations}");
}

#[test]
fn a_disk_that_is_full_leaves_no_half_of_an_export() {
    let scratch = lived_in();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("history.tar");
    for (at, fault) in [(0, Fault::Full), (0, Fault::Short(700)), (1, Fault::Error(EIO)), (2, Fault::Error(ENOSPC))] {
        let watched = Watched::folder(folder.path(), Some((at, fault)));
        let error = export(&scratch.project(), &[], &to).unwrap_err();
        assert!(watched.struck(), "{error}");
        drop(watched);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{fault:?} at {at}: {error}");
    }
    export(&scratch.project(), &[], &to).unwrap();
}
