//! The journal of a real run, cut at every byte: nothing that was whole is lost, no record names what is not there, and the
//! runs that follow do nothing twice.

use crate::crash::{no_litter, nothing_done_twice};
use crate::space::Space;
use mlp_core::history::{History, records};
use mlp_core::journal;
use mlp_core::project::Project;
use mlp_core::record::{Outcome, Record};
use mlp_core::upkeep::{Age, Depth, compact, verify};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

const JOURNAL: &str = ".mlp/runs/000001/journal";
/// A recovery opens a database, so that not every byte between two frames gets one; each is read.
const STRIDE: usize = 23;
/// Cuts after which the real binary runs the pipeline again.
const RUNS: usize = 24;

/// A state folder as it was after a run, to be put back again and again.
struct Recorded {
    space: Space,
    /// Every file of it.
    files: BTreeMap<PathBuf, Vec<u8>>,
    journal: Vec<u8>,
    records: Vec<Record>,
    /// Where each frame ends.
    ends: Vec<usize>,
}

impl Recorded {
    fn new() -> Recorded {
        let space = Space::with_example("breast_cancer");
        space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
        let files = space.files(".mlp").into_iter().map(|file| {
            let path = PathBuf::from(file);
            let bytes = std::fs::read(space.path(".mlp").join(&path)).expect("a file of the state");
            (path, bytes)
        });
        let files: BTreeMap<PathBuf, Vec<u8>> = files.collect();
        let journal = std::fs::read(space.path(JOURNAL)).expect("a journal");
        let records = journal::read(&space.path(JOURNAL)).expect("a sound journal").records;
        let ends = frame_ends(&journal);
        assert_eq!(
            (ends.len(), ends.last()),
            (records.len(), Some(&journal.len())),
            "frames as docs of the journal say"
        );
        Recorded { space, files, journal, records, ends }
    }

    /// How many records are whole in so many bytes.
    fn whole(&self, length: usize) -> usize {
        self.ends.iter().filter(|end| **end <= length).count()
    }

    /// The state folder as it was, with the journal cut, and the store thrown away or not.
    fn put_back(&self, length: usize, with_store: bool) {
        let state = self.space.path(".mlp");
        std::fs::remove_dir_all(&state).expect("the last try removed");
        for (path, bytes) in &self.files {
            if with_store || !path.starts_with("store") {
                let path = state.join(path);
                std::fs::create_dir_all(path.parent().expect("below the state")).expect("folders");
                std::fs::write(path, bytes).expect("a file of the state");
            }
        }
        self.space.write(JOURNAL, &self.journal[..length]);
    }
}

/// After the eight bytes of the file's kind, each frame has a length of four bytes (its top bit marks a batch), twelve more
/// of header, and its record.
fn frame_ends(journal: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 8;
    while let Some(head) = journal.get(at..at + 4) {
        let length = u32::from_le_bytes(head.try_into().expect("four bytes")) & !(1 << 31);
        at += 16 + length as usize;
        ends.push(at);
    }
    ends
}

#[test]
fn the_journal_of_a_real_run_cut_at_every_byte_gives_every_record_that_is_whole() {
    let recorded = Recorded::new();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal");
    for length in 0..=recorded.journal.len() {
        std::fs::write(&path, &recorded.journal[..length]).expect("a journal");
        let found = journal::read(&path).unwrap_or_else(|error| panic!("cut to {length} bytes: {error}")).records;
        assert_eq!(found, recorded.records[..recorded.whole(length)], "cut to {length} bytes");
    }
    tell(&format!(
        "journal of a real run: read after {} cuts, one at every byte; {} records",
        recorded.journal.len() + 1,
        recorded.records.len()
    ));
}

#[test]
fn recovering_from_a_cut_loses_no_whole_record_and_leaves_nothing_that_dangles() {
    let recorded = Recorded::new();
    let near = recorded.ends.iter().flat_map(|end| [end - 1, *end, end + 1]);
    let some = (0..recorded.journal.len()).step_by(STRIDE);
    let cuts: BTreeSet<usize> = near.chain(some).filter(|cut| *cut <= recorded.journal.len()).collect();
    let project = Project::at(recorded.space.path(".mlp"));
    for (at, cut) in cuts.iter().enumerate() {
        // A store that knows more than the journal, and none at all, in turns.
        recorded.put_back(*cut, at % 2 == 0);
        recover(&project, &format!("cut to {cut} bytes"));
        let whole = &recorded.records[..recorded.whole(*cut)];
        let found = records(&project, 1).unwrap_or_default();
        assert!(
            found.starts_with(whole),
            "cut to {cut} bytes: {} records were whole, {} are left",
            whole.len(),
            found.len()
        );
        match found.get(whole.len()..) {
            Some([]) => {
                assert!(whole.is_empty() || whole.len() == recorded.records.len(), "cut to {cut} bytes: no end")
            }
            Some([Record::RunEnded { outcome: Outcome::Interrupted, .. }]) => {}
            other => panic!("cut to {cut} bytes: {other:?}"),
        }
        let verified = verify(&project, Depth::Full, &[]).expect("a look");
        assert_eq!(verified.problems, [], "cut to {cut} bytes");
        let registered = whole.iter().any(|record| matches!(record, Record::ModelRegistered { .. }));
        let models = History::open(&project).models().expect("a registry").len();
        assert_eq!(models, usize::from(registered), "cut to {cut} bytes");
    }
    tell(&format!("journal of a real run: recovered after {} cuts of {} bytes", cuts.len(), recorded.journal.len()));
}

#[test]
fn after_a_cut_the_next_run_does_nothing_twice_and_gives_the_same() {
    let recorded = Recorded::new();
    let given = outputs(&recorded.space.history(), 1);
    for at in 0..RUNS {
        let cut = recorded.journal.len() * at / RUNS + at;
        recorded.put_back(cut, at % 2 == 0);
        let what = format!("cut to {cut} bytes");
        recorded.space.mlp(&["status"]).exits(0);
        recorded.space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
        nothing_done_twice(&recorded.space, &what);
        no_litter(&recorded.space, &what);
        let history = recorded.space.history();
        let last = history.run("last").expect("a run").started.run;
        assert_eq!(outputs(&history, last), given, "{what}");
        let versions: Vec<u64> = history.models().expect("a registry").iter().map(|it| it.version).collect();
        assert_eq!(versions, [1], "{what}: registered once");
        recorded.space.mlp(&["state", "verify"]).exits(0);
    }
    tell(&format!("journal of a real run: {RUNS} cuts, each followed by a run of the binary"));
}

/// Opens the project as every command does that may write, and folds nothing.
fn recover(project: &Project, what: &str) {
    let age = Age { keep_runs: 9, since: 0, keep: BTreeSet::new(), dry_run: false, wait: Duration::ZERO };
    let folded = compact(project, &age).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(folded.runs, [0u64; 0], "{what}");
}

fn outputs(history: &History, run: u64) -> BTreeMap<String, Vec<String>> {
    let view = history.run(&run.to_string()).expect("a run");
    let digests = |node: &mlp_core::view::NodeView| node.outputs.iter().map(|it| it.digest.to_string()).collect();
    view.nodes.iter().map(|node| (node.name.clone(), digests(node))).collect()
}

/// Counts are part of what CI shows; what a test prints is kept from it, so it is said past the harness.
fn tell(counts: &str) {
    let _ = writeln!(std::io::stderr(), "{counts}");
}
