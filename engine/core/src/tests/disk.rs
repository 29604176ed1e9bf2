//! A disk that fails: whatever fault comes at whatever operation of a real run, nothing that was acknowledged is lost, no
//! record names bytes that are not there, and the next run makes up for the rest.

use super::*;
use crate::disk::seam::faults::{EIO, ENOSPC, Fault, Watched};
use crate::history::History;
use crate::record::Outcome;
use crate::store::{SledKeys, Store};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A few small results, large ones, two of the same bytes, a registration.
fn pipeline() -> Pipeline {
    churn(2, 1, 90)
        .step("big", "train", &[], &[("size", 9_000)])
        .step("same", "train", &[], &[("size", 9_000)])
        .step("after", "train", &["big.model"], &[("size", 5_000)])
        .model("large", "after", &[])
        .0
}

fn outputs(report: &RunReport) -> BTreeMap<String, Vec<crate::digest::Digest>> {
    let of = |node: &crate::view::NodeView| node.outputs.iter().map(|it| it.digest).collect();
    report.view.nodes.iter().map(|node| (node.name.clone(), of(node))).collect()
}

/// The nodes whose results the store of a stopped engine had taken in: only synced records get there.
fn acknowledged(scratch: &Scratch) -> (u64, BTreeSet<String>) {
    let Ok(keys) = SledKeys::open(&scratch.project().store()) else { return (0, BTreeSet::new()) };
    let known = Store::new(keys).applied().unwrap().get(&1).map_or(0, |applied| applied.records);
    let records = crate::history::records(&scratch.project(), 1).unwrap_or_default();
    assert!(records.len() as u64 >= known, "the store knows what the journal does not say");
    let done = records.iter().take(known as usize).filter_map(|record| match record {
        Record::NodeDone { node, .. } => Some(node.clone()),
        _ => None,
    });
    (known, done.collect())
}

/// Runs with a fault, then puts things right and checks everything. Gives whether the fault came.
fn survives(
    at: usize,
    fault: Fault,
    bits: &mut dyn FnMut() -> bool,
    expected: &BTreeMap<String, Vec<crate::digest::Digest>>,
) -> bool {
    let scratch = Scratch::new();
    let project = scratch.project();
    let watched = Watched::folder(&project.state, Some((at, fault)));
    let first = scratch.run_with(scratch.request(&pipeline()), Arc::new(Unobserved), Cancel::default());
    let struck = watched.struck();
    let what = format!("{fault:?} at {at}, {:?}", watched.done().get(at));
    match &first {
        Ok(report) if !struck => assert_eq!(report.outcome, Outcome::Succeeded, "{what}"),
        Ok(report) => assert_ne!(
            (report.outcome, fault),
            (Outcome::Succeeded, Fault::PowerCut),
            "{what}: nobody is told of success without power"
        ),
        Err(EngineError::NotDurable { why, .. }) if fault == Fault::Full => {
            assert!(why.contains("No space left"), "{what}: {why}");
        }
        Err(_) => assert!(struck, "{what}: an error without a fault"),
    }
    let (records, done) = acknowledged(&scratch);
    if fault == Fault::PowerCut {
        watched.forget(&mut *bits);
        if bits() {
            // What sled had not written is lost, too.
            std::fs::remove_dir_all(project.store()).ok();
        }
    }
    drop(watched);
    scratch.ran();

    drop(scratch.engine().unwrap_or_else(|error| panic!("{what}: {error}")));
    // A small result whose file a power cut took is carried by its record, and is no problem.
    let verified = crate::upkeep::verify(&project, crate::upkeep::Depth::Full, &[]).unwrap();
    assert_eq!(verified.problems, [], "{what}: no digest dangles");
    let kept = crate::history::records(&project, 1).map_or(0, |records| records.len() as u64);
    assert!(kept >= records, "{what}: {records} records were acknowledged, {kept} are left");
    let report = scratch.run(&pipeline());
    assert_eq!(report.outcome, Outcome::Succeeded, "{what}");
    assert_eq!(outputs(&report), *expected, "{what}");
    let again: BTreeSet<String> = scratch.ran().into_iter().collect();
    assert!(again.is_disjoint(&done), "{what}: {done:?} were acknowledged and {again:?} ran again");
    let models: Vec<(String, u64)> =
        History::open(&project).models().unwrap().into_iter().map(|it| (it.name, it.version)).collect();
    assert_eq!(models, [("churn".to_owned(), 1), ("large".to_owned(), 1)], "{what}: each registered once");
    assert_eq!(scratch.litter(), Vec::<String>::new(), "{what}");
    let verified = crate::upkeep::verify(&project, crate::upkeep::Depth::Full, &[]).unwrap();
    assert_eq!(verified.problems, [], "{what}");
    struck
}

/// How many operations an undisturbed run makes, and what it gives.
fn undisturbed() -> (usize, BTreeMap<String, Vec<crate::digest::Digest>>) {
    let scratch = Scratch::new();
    let watched = Watched::folder(&scratch.project().state, None);
    let report = scratch.run(&pipeline());
    (watched.done().len(), outputs(&report))
}

#[test]
fn a_fault_at_any_operation_of_a_run_loses_nothing_that_was_acknowledged() {
    let (operations, expected) = undisturbed();
    assert!(operations > 20, "{operations}");
    let mut struck = 0;
    for at in 0..operations {
        for fault in [Fault::Error(EIO), Fault::Error(ENOSPC), Fault::Full, Fault::Short(11), Fault::PowerCut] {
            struck += usize::from(survives(at, fault, &mut || false, &expected));
        }
    }
    // How a run falls into batches is up to the machine, so that the last operations may not be reached each time.
    assert!(struck > operations * 2, "{struck} faults of {}", operations * 5);
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("a run: {struck} faults at {operations} operations, each recovered\n"),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_power_cut_keeps_of_what_was_not_synced_a_run_recovers(at in 0usize..60, bits in any::<u64>()) {
        let (_, expected) = undisturbed();
        let mut left = bits;
        let mut keeps = || { left = left.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15); left >> 63 == 1 };
        survives(at, Fault::PowerCut, &mut keeps, &expected);
    }

    #[test]
    fn whatever_a_torn_write_leaves_a_run_recovers(at in 0usize..60, bytes in 0usize..4096) {
        let (_, expected) = undisturbed();
        survives(at, Fault::Short(bytes), &mut || true, &expected);
    }
}

#[test]
fn a_full_disk_says_so_and_the_run_goes_on_where_it_was_once_there_is_room() {
    let scratch = Scratch::new();
    let watched = Watched::folder(&scratch.project().state, None);
    scratch.run(&Build::new().step("first", "train", &[], &[("size", 9_000)]).0);
    let until = watched.done().len();
    drop(watched);
    let pipeline =
        Build::new().step("first", "train", &[], &[("size", 9_000)]).step("second", "train", &["first.model"], &[]).0;
    let watched = Watched::folder(&scratch.project().state, Some((0, Fault::Full)));
    let error = scratch.run_with(scratch.request(&pipeline), Arc::new(Unobserved), Cancel::default()).unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    drop(watched);
    scratch.ran();
    assert!(until > 0);
    assert_eq!(scratch.run(&pipeline).outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran(), ["second"], "what was done before is not done again");
}
