//! Kills and damage: what survives, and that the next run makes up for the rest.

use super::*;
use crate::history::History;
use crate::journal;
use crate::record::Outcome;
use std::collections::BTreeSet;

/// The state folder as a kill would leave it: copied, so that each fault starts from the same.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => std::fs::copy(entry.path(), &target).map(drop).unwrap(),
        }
    }
}

fn done(records: &[Record]) -> Vec<String> {
    let names = records.iter().filter_map(|record| match record {
        Record::NodeDone { node, .. } => Some(node.clone()),
        _ => None,
    });
    names.collect()
}

/// Cut the journal of a real run at every byte: what is read is a prefix of what happened; recovery keeps every whole
/// result and nothing else; a run to the end executes only what was lost, and gives the same artifacts.
#[test]
fn a_journal_cut_at_any_byte_recovers_to_a_prefix() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).step("big", "train", &[], &[("size", 9_000)]).0;
    let whole = scratch.run(&pipeline);
    let journal = std::fs::read(scratch.project().journal(1)).unwrap();
    let records = crate::history::records(&scratch.project(), 1).unwrap();
    let digests = |report: &RunReport| -> Vec<_> {
        report.view.nodes.iter().flat_map(|node| &node.outputs).map(|it| (it.output.clone(), it.digest)).collect()
    };
    let mut whole_prefixes = BTreeSet::new();
    for length in 0..journal.len() {
        let path = scratch.folder.path().join("cut");
        std::fs::write(&path, &journal[..length]).unwrap();
        let read = journal::read(&path).unwrap();
        assert_eq!(read.records, records[..read.records.len()], "cut at {length}");
        if !whole_prefixes.insert(read.records.len()) && length % 97 != 0 {
            continue;
        }
        // Once for each number of whole records, and now and then within one: a project with just that left.
        let after = Scratch { folder: tempfile::tempdir().unwrap(), clock: scratch.clock.clone(), ..Scratch::new() };
        copy(scratch.folder.path(), after.folder.path());
        std::fs::write(after.project().journal(1), &journal[..length]).unwrap();
        std::fs::remove_dir_all(after.project().store()).unwrap();
        std::fs::create_dir_all(after.project().work().join("000001-train-1/out")).unwrap();
        // Whoever opens the project first puts it in order; that must not make the next run forget whose work it takes up.
        drop(after.engine().unwrap());
        let report = after.run(&pipeline);
        let kept = done(&read.records);
        assert_eq!(report.outcome, Outcome::Succeeded);
        assert_eq!(digests(&report), digests(&whole), "cut at {length}");
        let lost: BTreeSet<_> = ["split", "train", "eval", "big"]
            .into_iter()
            .filter(|name| !kept.iter().any(|kept| kept == name))
            .map(str::to_owned)
            .collect();
        assert_eq!(after.ran().into_iter().collect::<BTreeSet<_>>(), lost, "cut at {length}");
        assert_eq!(after.litter(), Vec::<String>::new(), "cut at {length}");
        let models = History::open(&after.project()).models().unwrap();
        assert_eq!(models.len(), 1, "registered once, whenever the kill came");
        if !read.records.is_empty() {
            assert_eq!(report.resumes, Some(1), "cut at {length}");
            let ended = History::open(&after.project()).run("1").unwrap().outcome;
            assert_eq!(ended, Some(Outcome::Interrupted));
        }
    }
}

const KILLED: &str = "MLP_CORE_TEST_KILLED_IN";

/// A chain of pairs, a large and a small one in turns.
fn long() -> Pipeline {
    let mut build = Build::new();
    for pair in 0..60 {
        let size = if pair % 3 == 0 { 9_000 } else { 0 };
        let above = format!("a{}.model", pair - 1);
        let reads: Vec<&str> = if pair == 0 { Vec::new() } else { vec![&above] };
        build = build.step(&format!("a{pair}"), "train", &reads, &[("c", pair), ("size", size)]);
        build = build.step(&format!("b{pair}"), "train", &reads, &[("c", -1 - pair)]);
    }
    build.model("m", "a59", &[]).0
}

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "the victim of the next test"]
fn victim() {
    let Some(folder) = std::env::var_os(KILLED) else { return };
    let steps = Arc::new(Steps::default());
    let parts = Parts { executor: steps, tables: Arc::new(TextTables) };
    let mut engine = Engine::open(Project::at(Path::new(&folder).join(".mlp")), parts).unwrap();
    let request = RunRequest {
        pipeline: Arc::new(long()),
        source: Source::new("x.mlp", ""),
        base: folder.into(),
        jobs: 2,
        force: Vec::new(),
        only: Vec::new(),
        keep_going: true,
        aliases: Aliases::none(),
        trigger: None,
    };
    runtime().block_on(engine.run(request, Arc::new(Unobserved), Cancel::default())).unwrap();
}

/// Kill a process that runs a pipeline, again and again, then run to the end: everything that was acknowledged is kept,
/// nothing finished is done twice, one registration, the same artifacts, no litter.
#[test]
fn kills_cost_only_what_was_not_durable() {
    let undisturbed = Scratch::new();
    let expected = undisturbed.run(&long());
    let scratch = Scratch::new();
    for round in 0..8 {
        let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::faults::victim", "--ignored", "--quiet"])
            .env(KILLED, scratch.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(15 + 23 * round));
        // It may be done already; then this run had nothing to lose.
        let _ = victim.kill();
        victim.wait().unwrap();
    }
    let report = scratch.run(&long());
    assert_eq!(report.outcome, Outcome::Succeeded);
    for (node, undisturbed) in report.view.nodes.iter().zip(&expected.view.nodes) {
        let digests = |node: &crate::view::NodeView| node.outputs.iter().map(|it| it.digest).collect::<Vec<_>>();
        assert_eq!(digests(node), digests(undisturbed), "{}", node.name);
    }
    let mut all = Vec::new();
    for run in scratch.project().run_numbers().unwrap() {
        all.extend(done(&crate::history::records(&scratch.project(), run).unwrap()));
    }
    assert_eq!(all.len(), 120, "each step has one durable result, whatever the number of kills");
    assert_eq!(History::open(&scratch.project()).models().unwrap().len(), 1);
    assert_eq!(scratch.litter(), Vec::<String>::new());
    assert!(scratch.engine().unwrap().verify().unwrap().is_empty());
}

/// A journal of several batches: after each a barrier.
fn batches(path: &Path) {
    let journal = journal::Journal::open(path, 0, 0, Box::new(|_, _, _| Ok(()))).unwrap();
    for at in 0..5 {
        let entry =
            |at| journal::Entry { record: Record::CancelRequested { at }, files: Vec::new(), stamps: Vec::new() };
        journal.append(vec![entry(at * 2), entry(at * 2 + 1)]);
        journal.blocking_barrier().unwrap();
    }
}

/// Flip every bit of every frame but the last batch's: reading fails, names the frame, and changes nothing.
#[test]
fn damage_before_the_last_batch_names_its_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    batches(&path);
    let sound = std::fs::read(&path).unwrap();
    let records = journal::read(&path).unwrap().records;
    assert_eq!(records.len(), 10);
    // Every frame has the same length here: small numbers are one byte each.
    let frame = (sound.len() - 8) / 10;
    for byte in 8..sound.len() {
        for bit in 0..8 {
            let mut damaged = sound.clone();
            damaged[byte] ^= 1 << bit;
            std::fs::write(&path, &damaged).unwrap();
            let hit = (byte - 8) / frame;
            match journal::read(&path) {
                Err(journal::JournalError::Damaged { frame, .. }) => {
                    assert!(hit < 8, "byte {byte} is in the last batch");
                    assert_eq!(frame, hit as u64);
                }
                Ok(read) => {
                    assert!(hit >= 8, "byte {byte}, bit {bit} went unnoticed");
                    assert_eq!(read.records, records[..hit]);
                }
                Err(other) => panic!("{other}"),
            }
            assert_eq!(std::fs::read(&path).unwrap(), damaged, "reading changes nothing");
        }
    }
}

#[test]
fn an_engine_does_not_open_over_damage() {
    let scratch = Scratch::new();
    scratch.engine().unwrap();
    std::fs::create_dir_all(scratch.project().run(1)).unwrap();
    let path = scratch.project().journal(1);
    batches(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = scratch.engine().err().unwrap().to_string();
    assert!(error.contains("000001/journal is damaged: frame 0, at byte 8"), "{error}");
}

/// After an error nothing more is written, and everyone who waits is told.
#[test]
fn a_journal_that_cannot_be_written_stays_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = journal::Journal::open(&path, 0, 0, Box::new(|_, _, _| Ok(()))).unwrap();
    let entry = |files| journal::Entry { record: Record::CancelRequested { at: 1 }, files, stamps: Vec::new() };
    journal.append(vec![entry(vec![folder.path().join("gone/missing")])]);
    let first = journal.blocking_barrier().unwrap_err().to_string();
    assert!(first.contains("cannot make durable"), "{first}");
    journal.append(vec![entry(Vec::new())]);
    assert_eq!(journal.blocking_barrier().unwrap_err().to_string(), first);
    assert!(journal.is_broken());
    drop(journal);
    assert!(journal::read(&path).unwrap().records.is_empty());
}

/// A run whose journal breaks is stopped and says so; the next engine goes on.
#[test]
fn a_run_whose_results_cannot_be_kept_is_stopped() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("big", "train", &[], &[("size", 9_000)]).step("long", "wait", &[], &[]).0;
    // The published file disappears before it can be synced.
    struct Thief(Project);
    impl Observer for Thief {
        fn record(&self, record: &Record) {
            if let Record::NodeDone { outputs, .. } = record {
                // The run's beginning goes with another batch than this.
                while std::fs::metadata(self.0.journal(1)).map_or(0, |meta| meta.len()) == 0 {
                    std::thread::yield_now();
                }
                std::fs::remove_file(self.0.artifact(&outputs[0].digest)).unwrap();
            }
        }
    }
    let thief = Arc::new(Thief(scratch.project()));
    let error = scratch.run_with(scratch.request(&pipeline), thief, Cancel::default()).unwrap_err();
    assert!(matches!(error, EngineError::NotDurable { run: 1, .. }), "{error}");
    let report = scratch.run(&Build::new().step("big", "train", &[], &[("size", 9_000)]).0);
    assert_eq!((report.outcome, report.resumes), (Outcome::Succeeded, Some(1)));
}

/// A project with a copy of this one's files.
pub(super) fn copied(scratch: &Scratch) -> Scratch {
    let other = Scratch { clock: scratch.clock.clone(), ..Scratch::new() };
    copy(scratch.folder.path(), other.folder.path());
    other
}
