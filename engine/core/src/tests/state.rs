//! The store, the lock, and a state folder full of surprises.

use super::*;
use crate::aliases::Aliases;
use crate::digest::Digest;
use crate::history::History;
use crate::record::Outcome;
use crate::store::{SledKeys, Store};

fn facts(scratch: &Scratch) -> Vec<(Vec<u8>, Vec<u8>)> {
    Store::new(SledKeys::open(&scratch.project().store()).unwrap()).facts().unwrap()
}

/// A few runs: one whole, one blocked, one with something new.
fn lived_in() -> Scratch {
    let scratch = Scratch::new();
    for pipeline in [churn(2, 1, 90), churn(2, 1, 70), churn(1, 2, 95)] {
        scratch.run(&pipeline.0);
    }
    scratch.ran();
    scratch
}

#[test]
fn a_rebuilt_store_equals_the_original() {
    let scratch = lived_in();
    let original = facts(&scratch);
    assert!(!original.is_empty());
    Engine::rebuild_state(&scratch.project()).unwrap();
    assert_eq!(facts(&scratch), original);
    assert!(scratch.why(&churn(1, 2, 95).0).is_empty());
}

#[test]
fn a_rebuild_over_a_damaged_journal_leaves_the_store_as_it_was() {
    let scratch = lived_in();
    let original = facts(&scratch);
    let project = scratch.project();
    let sound = std::fs::read(project.journal(2)).unwrap();
    let mut damaged = sound.clone();
    damaged[0] ^= 1;
    std::fs::write(project.journal(2), damaged).unwrap();
    for _ in 0..2 {
        let error = Engine::rebuild_state(&project).unwrap_err().to_string();
        assert!(error.starts_with("the store was not rebuilt and is as it was: "), "{error}");
        assert!(error.contains("000002/journal is not a journal"), "{error}");
        assert_eq!(facts(&scratch), original);
    }
    assert_eq!(scratch.run(&churn(1, 2, 95).0).outcome, Outcome::Succeeded, "runs go on");
    assert!(scratch.ran().is_empty());
    std::fs::write(project.journal(2), sound).unwrap();
    Engine::rebuild_state(&project).unwrap();
    let left = crate::disk::names(&project.state).unwrap();
    assert!(!left.iter().any(|name| name.starts_with("store.")), "{left:?}");
}

#[test]
fn only_what_is_lost_is_planned_to_be_made_again() {
    let scratch = Scratch::new();
    let pipeline = Build::new()
        .step("big", "train", &[], &[("size", 10_000)])
        .step("eval", "score", &["big.model"], &[("auc", 90)])
        .step("later", "train", &["eval.metrics"], &[])
        .0;
    let report = scratch.run(&pipeline);
    scratch.ran();
    let big = scratch.project().artifact(&report.view.node("big").unwrap().outputs[0].digest);
    std::fs::remove_file(&big).unwrap();
    assert_eq!(scratch.why(&pipeline), ["big: output `model` is gone or damaged"]);
    scratch.run(&pipeline);
    assert_eq!(scratch.ran(), ["big"], "as planned");
    assert!(big.is_file());
}

/// What running and looking back say of a project must be the same once an engine opened it.
fn agree(scratch: &Scratch, pipeline: &Pipeline) {
    let _ = scratch.why(pipeline);
    let of_runs: Vec<u64> = History::open(&scratch.project()).runs().unwrap().iter().map(|run| run.run).collect();
    let engine = scratch.engine().unwrap();
    assert!(engine.recovered().is_empty(), "healed for good: {:?}", engine.recovered());
    drop(engine);
    let store = Store::new(SledKeys::open(&scratch.project().store()).unwrap());
    assert_eq!(store.applied().unwrap().into_keys().collect::<Vec<u64>>(), of_runs);
}

#[test]
fn a_journal_cut_short_after_its_run_ended_is_noticed_told_and_healed() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).0;
    scratch.run(&pipeline);
    scratch.ran();
    let path = scratch.project().journal(1);
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    let notes = scratch.engine().unwrap().recovered().join("\n");
    let words = format!("run 1, {}, was cut short, from {length} to {} bytes", path.display(), length / 2);
    assert!(notes.contains(&words) && notes.contains("the store was rebuilt") && !notes.contains("killed"), "{notes}");
    agree(&scratch, &pipeline);
    assert_eq!(scratch.run(&pipeline).outcome, Outcome::Succeeded);
    assert!(!scratch.ran().is_empty(), "what the lost half told of is made again");
    assert!(scratch.why(&pipeline).is_empty());
}

#[test]
fn a_run_whose_folder_was_deleted_is_forgotten_but_its_number_is_not_given_again() {
    let scratch = lived_in();
    let pipeline = churn(1, 2, 95).0;
    std::fs::remove_dir_all(scratch.project().run(3)).unwrap();
    let notes = scratch.engine().unwrap().recovered().join("\n");
    assert!(notes.contains("the journal of run 3, ") && notes.contains("000003/journal, is gone"), "{notes}");
    agree(&scratch, &pipeline);
    assert_eq!(scratch.run(&pipeline).run, 4);
    std::fs::remove_dir_all(scratch.project().runs()).unwrap();
    let notes = scratch.engine().unwrap().recovered().join("\n");
    assert!(notes.contains("is gone"), "{notes}");
    assert_eq!(scratch.run(&pipeline).run, 5);
}

#[test]
fn names_in_the_folder_of_runs_that_no_engine_made_are_left_alone() {
    let scratch = lived_in();
    let runs = scratch.project().runs();
    let foreign = ["+00005", "0000010", "18446744073709551615", "000000", "notes"];
    for name in foreign {
        std::fs::create_dir(runs.join(name)).unwrap();
    }
    std::fs::create_dir(runs.join("000007")).unwrap();
    std::fs::write(runs.join("000007/thesis.tex"), "years of work").unwrap();
    std::fs::create_dir(runs.join("000008")).unwrap();
    assert_eq!(scratch.engine().unwrap().recovered(), Vec::<String>::new());
    assert!(foreign.iter().all(|name| runs.join(name).is_dir()));
    assert!(runs.join("000007/thesis.tex").is_file());
    assert!(!runs.join("000008").exists(), "a run killed before it was durable");
    assert_eq!(scratch.run(&churn(1, 2, 95).0).run, 8);
    assert_eq!(History::open(&scratch.project()).runs().unwrap().len(), 4);
}

#[test]
fn a_run_is_reported_even_if_the_lock_cannot_be_rewritten_at_its_end() {
    struct Vandal(std::path::PathBuf);
    impl Observer for Vandal {
        fn record(&self, record: &Record) {
            if let Record::RunEnded { .. } = record {
                std::fs::remove_file(&self.0).unwrap();
                std::fs::create_dir(&self.0).unwrap();
            }
        }
    }
    let scratch = Scratch::new();
    let vandal = Arc::new(Vandal(scratch.project().lock()));
    let request = scratch.request(&churn(2, 1, 90).0);
    let report = scratch.run_with(request, vandal, Cancel::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Succeeded);
}

#[test]
fn a_store_that_is_gone_or_garbage_is_rebuilt_and_said_so() {
    let scratch = lived_in();
    let original = facts(&scratch);
    let store = scratch.project().store();
    std::fs::remove_dir_all(&store).unwrap();
    assert_eq!(scratch.engine().unwrap().recovered(), ["the store was missing and was rebuilt from the journals"]);
    assert_eq!(facts(&scratch), original);
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::write(&store, "garbage").unwrap();
    let notes = scratch.engine().unwrap().recovered().to_vec();
    assert!(notes[0].ends_with("it was rebuilt from the journals"), "{notes:?}");
    assert_eq!(facts(&scratch), original);
}

#[test]
fn one_engine_at_a_time_and_the_other_is_told_who() {
    let scratch = Scratch::new();
    let engine = scratch.engine().unwrap();
    let Err(EngineError::Busy { holder: Some(holder) }) = scratch.engine() else {
        panic!("two engines in one project")
    };
    assert_eq!((holder.pid, holder.command.as_str()), (std::process::id(), "mlp test"));
    assert_eq!(History::open(&scratch.project()).live().unwrap(), Some(holder));
    drop(engine);
    assert_eq!(History::open(&scratch.project()).live().unwrap(), None);
    // What a dead process left in the file is not believed.
    std::fs::write(scratch.project().lock(), r#"{"pid":1,"command":"mlp","run":1,"pipeline":"p","since":0}"#).unwrap();
    assert_eq!(History::open(&scratch.project()).live().unwrap(), None);
    assert!(scratch.engine().is_ok());
}

#[test]
fn waiting_for_the_other_engine_ends_when_it_does() {
    let scratch = Scratch::new();
    let engine = scratch.engine().unwrap();
    let (project, parts) = (scratch.project(), scratch.parts());
    let waiting = std::thread::spawn(move || {
        let options = Options { wait: std::time::Duration::from_secs(60), ..Options::default() };
        Engine::open_with(project, parts, options).map(|_| ())
    });
    drop(engine);
    assert!(waiting.join().unwrap().is_ok());
}

#[test]
fn history_is_there_while_the_engine_is() {
    let scratch = lived_in();
    let _engine = scratch.engine().unwrap();
    let history = History::open(&scratch.project());
    let runs = history.runs().unwrap();
    let outcomes: Vec<_> = runs.iter().map(|run| run.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Outcome::Succeeded, Outcome::Blocked, Outcome::Succeeded]);
    let models: Vec<u64> = history.models().unwrap().iter().map(|model| model.version).collect();
    assert_eq!(models, [1, 2]);
    let model = history.model("churn", None).unwrap();
    assert_eq!((model.version, model.source.as_str(), model.gates.len()), (2, "train.model", 1));
    assert!(history.artifact_path(&model.digest).is_some());
    assert_eq!(
        history.model("churn", Some(9)).unwrap_err().to_string(),
        "no version 9 of model `churn` is registered in this project"
    );
    assert_eq!(history.run("9").unwrap_err().to_string(), "there is no run `9` in this project");
    assert_eq!(history.run("2").unwrap().started.run, 2);
}

#[test]
fn a_project_without_state_has_an_empty_history() {
    let scratch = Scratch::new();
    let history = History::open(&scratch.project());
    assert!(history.runs().unwrap().is_empty() && history.models().unwrap().is_empty());
    assert!(history.live().unwrap().is_none() && history.run("last").is_err());
    assert_eq!(
        history
            .plan(&scratch.parts(), &churn(1, 1, 90).0, scratch.folder.path(), &[], &Aliases::none())
            .unwrap()
            .nodes
            .len(),
        6
    );
    assert!(!scratch.project().state.exists(), "looking makes nothing");
}

#[test]
fn an_artifact_that_is_gone_or_changed_is_made_again() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("big", "train", &[], &[("size", 10_000)]).step("small", "train", &[], &[]).0;
    let report = scratch.run(&pipeline);
    scratch.ran();
    let history = History::open(&scratch.project());
    let path = |name: &str| history.artifact_path(&report.view.node(name).unwrap().outputs[0].digest);
    let big = path("big").unwrap();
    let rot = |bytes: Vec<u8>| {
        std::fs::remove_file(&big).unwrap();
        std::fs::write(&big, bytes).unwrap();
    };
    let whole = std::fs::read(&big).unwrap();
    let mut flipped = whole.clone();
    flipped[5_000] ^= 1;
    for bytes in [flipped, whole[..9_000].to_vec()] {
        rot(bytes);
        assert_eq!(scratch.looks(&pipeline), ["big: output `model` is gone or damaged"], "a look sees it, too");
        assert_eq!(scratch.engine().unwrap().verify().unwrap(), [Digest::of(&whole)]);
        scratch.run(&pipeline);
        assert_eq!(scratch.ran(), ["big"]);
        assert_eq!(std::fs::read(&big).unwrap(), whole);
    }
    std::fs::remove_file(&big).unwrap();
    assert_eq!(scratch.why(&pipeline), ["big: output `model` is gone or damaged"]);
    // A small one is written again from its record instead.
    std::fs::remove_file(path("small").unwrap()).unwrap();
    scratch.run(&pipeline);
    assert_eq!(scratch.ran(), ["big"]);
    assert!(path("small").is_some());
}

#[test]
fn published_files_are_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let report = scratch.run(&Build::new().step("s", "train", &[], &[]).0);
    let path = History::open(&scratch.project()).artifact_path(&report.view.nodes[0].outputs[0].digest).unwrap();
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o444);
}

#[test]
fn surprises_in_the_state_folder_are_said_or_left_alone_but_never_a_panic() {
    let scratch = lived_in();
    let project = scratch.project();
    std::fs::create_dir_all(project.runs().join("notes")).unwrap();
    std::fs::write(project.runs().join("000009"), "a file where a folder should be").unwrap();
    std::fs::write(project.artifacts().join("stray"), "x").unwrap();
    assert!(scratch.engine().is_ok());
    std::fs::remove_file(project.runs().join("000009")).unwrap();
    for (content, words) in [
        (&b"not a journal at all"[..], "is not a journal of this engine"),
        (b"mlpjrn\0\x09", "was written in format 9"),
    ] {
        std::fs::create_dir_all(project.run(9)).unwrap();
        std::fs::write(project.journal(9), content).unwrap();
        let error = scratch.engine().err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
        let history = History::open(&project);
        let runs = history.runs().unwrap();
        assert_eq!(runs.len(), 4, "the damaged one hides no other");
        assert!(runs[3].damaged.as_ref().is_some_and(|why| why.contains(words)) && runs[3].outcome.is_none());
        assert!(runs[..3].iter().all(|run| run.damaged.is_none()));
        assert_eq!(history.models().unwrap().len(), 2);
        let plan =
            history.plan(&scratch.parts(), &churn(1, 2, 95).0, scratch.folder.path(), &[], &Aliases::none()).unwrap();
        assert!(!plan.nodes.iter().any(|node| matches!(node.decision, crate::plan::Decision::Run { .. })));
    }
    std::fs::write(project.journal(9), b"mlp").unwrap();
    assert!(scratch.engine().is_ok(), "a journal that was only begun");
    assert!(!project.run(9).exists());
}
