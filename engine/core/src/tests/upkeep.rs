//! What is sound, what is not and how it is told; what a collection takes and what it never takes.

use super::*;
use crate::digest::Digest;
use crate::history::History;
use crate::record::Outcome;
use crate::upkeep::{Depth, Policy, ProblemKind, Served, Swept, gc, verify};
use std::collections::BTreeSet;
use std::time::Duration;

fn problems(scratch: &Scratch, depth: Depth, served: &[Served]) -> Vec<(ProblemKind, String)> {
    let verified = verify(&scratch.project(), depth, served).unwrap();
    verified.problems.into_iter().map(|problem| (problem.kind, problem.what)).collect()
}

fn only(kind: ProblemKind, words: &str, found: &[(ProblemKind, String)]) {
    assert!(matches!(found, [(found, what)] if *found == kind && what.contains(words)), "{kind:?} {words}: {found:?}");
}

fn big(c: i64) -> Pipeline {
    Build::new().step("big", "train", &[], &[("size", 9_000), ("c", c)]).0
}

fn path_of(scratch: &Scratch, report: &RunReport, node: &str) -> std::path::PathBuf {
    scratch.project().artifact(&report.view.node(node).unwrap().outputs[0].digest)
}

/// Everything that nothing rests on, however young.
fn everything() -> Policy {
    Policy {
        keep_runs: 1,
        since: Millis::MAX,
        keep: BTreeSet::new(),
        served: Vec::new(),
        untouched_since: Millis::MAX,
        dry_run: false,
        wait: Duration::ZERO,
    }
}

fn swept(scratch: &Scratch, policy: &Policy) -> Swept {
    gc(&scratch.project(), policy).unwrap()
}

#[test]
fn a_project_that_was_only_used_has_no_problems() {
    let scratch = Scratch::new();
    assert_eq!(problems(&scratch, Depth::Full, &[]), [], "nothing is sound");
    for pipeline in [churn(2, 1, 90), churn(2, 1, 70), churn(1, 2, 95)] {
        scratch.run(&pipeline.0);
        assert_eq!(problems(&scratch, Depth::Full, &[]), []);
    }
    let verified = verify(&scratch.project(), Depth::Full, &[]).unwrap();
    assert_eq!((verified.runs, verified.models, verified.store_compared), (3, 2, true));
    assert!(verified.notes.is_empty() && verified.artifacts.files > 5, "{verified:?}");
}

#[test]
fn beside_a_live_engine_everything_but_the_store_is_looked_at() {
    let scratch = Scratch::new();
    scratch.run(&big(1));
    let _engine = scratch.engine().unwrap();
    let verified = verify(&scratch.project(), Depth::Full, &[]).unwrap();
    assert!(!verified.store_compared && verified.problems.is_empty());
    assert_eq!(verified.notes, ["the store was not compared: a run has it open"]);
}

#[test]
fn what_is_gone_or_damaged_is_told_with_what_it_means() {
    let scratch = Scratch::new();
    let report = scratch.run(&big(1));
    let path = path_of(&scratch, &report, "big");
    let whole = std::fs::read(&path).unwrap();
    let replace = |bytes: &[u8]| {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, bytes).unwrap();
    };
    let mut rotten = whole.clone();
    rotten[4_000] ^= 1;
    replace(&rotten);
    only(ProblemKind::Damaged, "`big.model` gave in run 1 is damaged", &problems(&scratch, Depth::Full, &[]));
    assert_eq!(problems(&scratch, Depth::Fast, &[]), [], "a fast look reads no artifact");
    replace(&whole[..100]);
    only(ProblemKind::Damaged, "is damaged", &problems(&scratch, Depth::Fast, &[]));
    std::fs::remove_file(&path).unwrap();
    only(ProblemKind::Missing, "`big.model` gave in run 1 is gone", &problems(&scratch, Depth::Fast, &[]));
    scratch.run(&big(1));
    assert_eq!(problems(&scratch, Depth::Full, &[]), [], "what it says to do helps");
}

#[test]
fn a_registered_version_without_its_bytes_names_who_serves_it() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("big", "train", &[], &[("size", 9_000)]).model("m", "big", &[]).0;
    let report = scratch.run(&pipeline);
    std::fs::remove_file(path_of(&scratch, &report, "big")).unwrap();
    let served = |version| [Served { by: "production".to_owned(), model: "m".to_owned(), version }];
    only(ProblemKind::Model, "version 1 of `m` is gone", &problems(&scratch, Depth::Fast, &[]));
    let verified = verify(&scratch.project(), Depth::Fast, &served(1)).unwrap();
    assert!(verified.problems[0].means.starts_with("`production` serves it"), "{verified:?}");
    let found = problems(&scratch, Depth::Fast, &served(7));
    assert_eq!(found.iter().map(|it| it.0).collect::<Vec<_>>(), [ProblemKind::Model, ProblemKind::Served]);
}

#[test]
fn a_journal_that_cannot_be_read_and_a_store_that_says_more_than_the_journals_are_told() {
    let scratch = Scratch::new();
    scratch.run(&big(1));
    scratch.run(&big(2));
    let journal = scratch.project().journal(2);
    let sound = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, b"no journal at all").unwrap();
    only(ProblemKind::Journal, "the journal of run 2", &problems(&scratch, Depth::Fast, &[]));
    assert!(gc(&scratch.project(), &everything()).is_err(), "it may name anything");
    std::fs::write(&journal, &sound).unwrap();
    assert_eq!(problems(&scratch, Depth::Fast, &[]), []);
    // A journal of another run of the same pipeline: what the store took in is not what is there now.
    std::fs::copy(scratch.project().journal(1), &journal).unwrap();
    only(ProblemKind::Store, "is not what the journals come to", &problems(&scratch, Depth::Fast, &[]));
}

#[test]
fn a_collection_takes_what_old_runs_gave_and_what_is_kept_is_still_reused() {
    let scratch = Scratch::new();
    let paths: Vec<_> = (1..=4).map(|c| path_of(&scratch, &scratch.run(&big(c)), "big")).collect();
    scratch.ran();
    let trial = swept(&scratch, &Policy { dry_run: true, ..everything() });
    assert!(paths.iter().all(|path| path.is_file()), "a trial removes nothing");
    let done = swept(&scratch, &everything());
    assert_eq!((trial, done.removed.files, done.kept.files, done.runs_kept), (done.clone(), 3, 1, 1));
    assert_eq!(paths.iter().map(|path| path.is_file()).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(swept(&scratch, &everything()).removed.files, 0, "once is enough");
    let verified = verify(&scratch.project(), Depth::Full, &[]).unwrap();
    assert_eq!(verified.problems, [], "what was collected is no problem");
    assert_eq!(verified.notes, ["3 result(s) of earlier runs are not kept any more; they are made again when needed"]);
    scratch.run(&big(4));
    assert_eq!(scratch.ran(), Vec::<String>::new());
    assert_eq!(scratch.run(&big(1)).outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran(), ["big"], "made again");
    assert!(paths[0].is_file());
}

#[test]
fn each_reason_to_keep_something_keeps_it() {
    let cases: [(&str, Policy, [bool; 3]); 5] = [
        ("the last run of the pipeline", everything(), [false, false, true]),
        ("the last two", Policy { keep_runs: 2, ..everything() }, [false, true, true]),
        ("a run that is kept", Policy { keep: BTreeSet::from([1]), ..everything() }, [true, false, true]),
        ("a time", Policy { since: 0, ..everything() }, [true, true, true]),
        ("young files", Policy { untouched_since: 0, ..everything() }, [true, true, true]),
    ];
    for (why, policy, expected) in cases {
        let scratch = Scratch::new();
        let paths: Vec<_> = (1..=3).map(|c| path_of(&scratch, &scratch.run(&big(c)), "big")).collect();
        swept(&scratch, &policy);
        assert_eq!(paths.iter().map(|path| path.is_file()).collect::<Vec<_>>(), expected, "{why}");
    }
}

#[test]
fn registered_versions_are_never_taken_and_strays_are() {
    let scratch = Scratch::new();
    let with = |c| Build::new().step("big", "train", &[], &[("size", 9_000), ("c", c)]).model("m", "big", &[]).0;
    let old = path_of(&scratch, &scratch.run(&with(1)), "big");
    scratch.run(&with(2));
    let stray = scratch.project().artifact(&Digest::of(b"never recorded"));
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(&stray, "never recorded").unwrap();
    let done = swept(&scratch, &everything());
    assert_eq!((done.strays.files, done.removed.files), (1, 0));
    assert!(old.is_file() && !stray.exists());
    assert_eq!(History::open(&scratch.project()).models().unwrap().len(), 2);
}

#[test]
fn what_detached_runs_said_goes_with_them() {
    let scratch = Scratch::new();
    scratch.run(&big(1));
    scratch.run(&big(2));
    let folder = scratch.project().detached();
    std::fs::create_dir_all(&folder).unwrap();
    let logs = ["000001.log", "000002.log", "1700000000000-77.log"];
    for log in logs {
        std::fs::write(folder.join(log), "said").unwrap();
    }
    let there = || logs.map(|log| folder.join(log).is_file());
    std::fs::write(scratch.project().run(1).join("cancel"), "").unwrap();
    assert_eq!(swept(&scratch, &Policy { untouched_since: 0, ..everything() }).logs.files, 0);
    assert_eq!(swept(&scratch, &everything()).logs.files, 2);
    assert_eq!(there(), [false, true, false], "the last run is kept");
}

#[test]
fn beside_a_live_engine_nothing_is_taken() {
    let scratch = Scratch::new();
    let path = path_of(&scratch, &scratch.run(&big(1)), "big");
    scratch.run(&big(2));
    let engine = scratch.engine().unwrap();
    let Err(EngineError::Busy { holder: Some(_) }) = gc(&scratch.project(), &everything()) else {
        panic!("a collection beside an engine")
    };
    assert_eq!(swept(&scratch, &Policy { dry_run: true, ..everything() }).removed.files, 1, "looking is allowed");
    assert!(path.is_file());
    // One that waits begins when the engine ended.
    let project = scratch.project();
    let waiting = std::thread::spawn(move || gc(&project, &Policy { wait: Duration::from_secs(60), ..everything() }));
    drop(engine);
    assert_eq!(waiting.join().unwrap().unwrap().removed.files, 1);
    assert!(!path.exists());
}
