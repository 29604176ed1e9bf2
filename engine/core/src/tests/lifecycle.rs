//! Runs of pipelines that read the registry and deploy: what is looked up, what is waived, what is requested.

use super::*;
use crate::history::{History, Offer};
use crate::plan::Decision;
use crate::record::{Outcome, Trigger};

/// A candidate, its score, the score of what is in production, a gate that compares, a registration, a deployment.
fn loops(c: i64, auc: i64, champion: i64) -> Build {
    let build = Build::new()
        .data("x", Vec::new())
        .registry("churn@production", "churn", Pick::Serving("production".to_owned()), false)
        .step("train", "train", &["x.rows"], &[("c", c)])
        .step("eval", "score", &["train.model"], &[("auc", auc)])
        .step("rival", "score", &["churn@production.model"], &[("auc", champion)]);
    let good = at_least(build.metric("eval", "auc"), Value::Fraction(0.8));
    let better = compare(build.metric("eval", "auc"), build.metric("rival", "auc"));
    build
        .gate_unless_first("quality", "eval.auc >= rival.auc", good, better)
        .model("churn", "train", &["quality"])
        .deploy("production", "churn")
}

fn compare(left: Expr, right: Expr) -> Expr {
    Expr::Compare(Comparison::GreaterOrEqual, Box::new(left), Box::new(right))
}

fn is_serving(scratch: &Scratch, version: u64) {
    scratch.aliases.lock().unwrap().set("production", "churn", version);
}

fn offers(scratch: &Scratch) -> Vec<(String, u64, u64)> {
    let offers = History::open(&scratch.project()).offers().unwrap();
    offers.into_iter().map(|Offer { deployment, version, run, .. }| (deployment, version, run)).collect()
}

fn reason<'a>(report: &'a RunReport, node: &str) -> Option<&'a str> {
    report.view.node(node).unwrap().reason.as_deref()
}

const NOT_YET: &str = "no version of `churn` is `production` yet";

#[test]
fn the_first_run_has_nothing_to_compare_with_and_says_so() {
    let scratch = Scratch::new();
    let pipeline = loops(1, 90, 85).0;
    let skips = ["churn@production", "rival"].map(|name| format!("{name}: skip: {NOT_YET}"));
    let why = scratch.why(&pipeline);
    assert!(skips.iter().all(|line| why.contains(line)), "{why:?}");
    let report = scratch.run(&pipeline);
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran(), ["train", "eval"]);
    assert_eq!((reason(&report, "churn@production"), reason(&report, "rival")), (Some(NOT_YET), Some(NOT_YET)));
    let verdicts = &report.view.node("quality").unwrap().verdicts;
    let told: Vec<_> = verdicts.iter().map(|it| (it.held, it.passes(), it.waived.clone())).collect();
    assert_eq!(told, [(true, true, None), (false, true, Some(format!("first: {NOT_YET}")))]);
    assert_eq!(report.view.node("production").unwrap().state, NodeState::Requested);
    assert_eq!(offers(&scratch), [("production".to_owned(), 1, 1)]);
}

#[test]
fn a_requirement_that_is_waived_stands_in_the_way_of_no_other() {
    let scratch = Scratch::new();
    let report = scratch.run(&loops(1, 70, 85).0);
    assert_eq!(report.outcome, Outcome::Blocked);
    let states = ["quality", "churn", "production"].map(|name| report.view.node(name).unwrap().state);
    assert_eq!(states, [NodeState::Blocked; 3]);
    assert_eq!(reason(&report, "production"), Some("gate `quality` said no"), "not: `churn` said no");
    assert!(report.view.deployments.is_empty() && offers(&scratch).is_empty());
}

#[test]
fn without_unless_first_what_is_missing_never_passes() {
    let scratch = Scratch::new();
    let mut pipeline = loops(1, 90, 85).0;
    for node in &mut pipeline.nodes {
        if let NodeKind::Gate(gate) = &mut node.kind {
            gate.requirements.iter_mut().for_each(|it| it.unless_first = false);
        }
    }
    let report = scratch.run(&pipeline);
    assert_eq!(report.outcome, Outcome::Blocked);
    let verdict = &report.view.node("quality").unwrap().verdicts[1];
    assert_eq!((verdict.passes(), verdict.waived.as_deref(), &verdict.measured[0].threshold), (false, None, &None));
}

#[test]
fn once_there_is_a_champion_nothing_is_waived() {
    let scratch = Scratch::new();
    scratch.run(&loops(1, 90, 85).0);
    is_serving(&scratch, 1);
    for (c, auc, outcome) in [(2, 84, Outcome::Blocked), (3, 86, Outcome::Succeeded)] {
        let report = scratch.run(&loops(c, auc, 85).0);
        assert_eq!(report.outcome, outcome, "{auc} against 85");
        assert!(report.view.node("quality").unwrap().verdicts.iter().all(|it| it.waived.is_none()));
        let found = report.view.node("churn@production").unwrap();
        assert_eq!((found.state, found.from, found.what.as_str()), (NodeState::Reused, Some(1), "churn version 1"));
        assert_eq!(found.outputs[0].meta.flavor.as_deref(), Some("classifier"));
    }
    assert_eq!(offers(&scratch), [("production".to_owned(), 1, 1), ("production".to_owned(), 2, 3)]);
}

#[test]
fn another_version_in_production_re_runs_what_reads_it_and_nothing_else() {
    let scratch = Scratch::new();
    scratch.run(&loops(1, 90, 85).0);
    is_serving(&scratch, 1);
    let second = loops(2, 91, 85).0;
    scratch.run(&second);
    scratch.ran();
    assert!(scratch.why(&second).is_empty());
    is_serving(&scratch, 2);
    assert_eq!(scratch.why(&second), ["rival: churn@production is now version 2, was version 1"]);
    let report = scratch.run(&second);
    assert_eq!(scratch.ran(), ["rival"]);
    assert_eq!(report.outcome, Outcome::Succeeded);
    is_serving(&scratch, 1);
    assert!(scratch.why(&second).is_empty(), "what was compared before is known");
}

#[test]
fn a_version_that_must_be_there_and_is_not_fails_the_run_with_a_way_out() {
    let of = |pick| Build::new().registry("r", "churn", pick, true).step("s", "score", &["r.model"], &[]).0;
    let scratch = Scratch::new();
    for (pick, told) in [
        (Pick::Latest, "no version of `churn` is registered yet, and `r` is read without `when exists`. Register"),
        (Pick::Version(7), "version 7 of `churn` is not registered yet, and `r` is read without"),
        (Pick::Serving("production".to_owned()), "no version of `churn` is `production` yet, and `r` is read"),
    ] {
        let pipeline = of(pick);
        let why = scratch.why(&pipeline);
        assert!(why[0].contains("r: it will fail: ") && why[0].contains(told), "{why:?}");
        assert_eq!(why[1], "s: skip: it needs `r`, which will fail");
        let report = scratch.run(&pipeline);
        assert_eq!(report.outcome, Outcome::Failed);
        let failure = report.view.node("r").unwrap().failure().unwrap();
        assert!(failure.message.contains(told), "{}", failure.message);
        assert_eq!((failure.kind.as_str(), reason(&report, "s")), ("registry", Some("registry `r` failed")));
    }
    assert!(scratch.ran().is_empty());
}

#[test]
fn each_way_to_name_a_version_finds_that_version() {
    let scratch = Scratch::new();
    for c in 1..=3 {
        scratch.run(&loops(c, 90, 85).0);
    }
    is_serving(&scratch, 2);
    for (pick, version) in [(Pick::Latest, 3), (Pick::Version(1), 1), (Pick::Serving("production".to_owned()), 2)] {
        let pipeline = Build::new().registry("r", "churn", pick, true).step("s", "score", &["r.model"], &[]).0;
        let report = scratch.run(&pipeline);
        let expected = History::open(&scratch.project()).model("churn", Some(version)).unwrap();
        assert_eq!(report.view.node("r").unwrap().outputs[0].digest, expected.digest);
        assert_eq!(report.view.node("r").unwrap().from, Some(version));
    }
}

#[test]
fn a_version_that_does_not_fit_or_is_lost_fails_even_if_it_need_not_exist() {
    let scratch = Scratch::new();
    scratch.run(&loops(1, 90, 85).0);
    is_serving(&scratch, 1);
    let mut other = loops(1, 90, 85).0;
    let NodeKind::Registry(node) = &mut other.nodes[1].kind else { panic!() };
    node.flavor = "regressor".to_owned();
    let failure = |pipeline: &Pipeline| {
        let report = scratch.run(pipeline);
        assert_eq!(report.outcome, Outcome::Failed);
        assert_eq!(reason(&report, "production"), Some("model `churn` was skipped"));
        report.view.node("churn@production").unwrap().failure().unwrap().message.clone()
    };
    assert!(failure(&other).starts_with("version 1 of `churn` is a `classifier`, and what reads"));
    let lost = scratch.project().artifact(&History::open(&scratch.project()).model("churn", None).unwrap().digest);
    std::fs::remove_file(&lost).unwrap();
    let told = failure(&loops(2, 90, 85).0);
    assert!(told.starts_with("the bytes of version 1 of `churn` are gone or damaged"), "{told}");
    is_serving(&scratch, 9);
    let told = failure(&loops(1, 90, 85).0);
    assert!(told.starts_with("`production` serves version 9 of `churn`, which no run of this project"), "{told}");
}

#[test]
fn a_deployment_that_serves_another_model_is_none_of_this_one() {
    let scratch = Scratch::new();
    scratch.aliases.lock().unwrap().set("production", "demand", 1);
    let report = scratch.run(&loops(1, 90, 85).0);
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(reason(&report, "rival"), Some("no version of `churn` is `production` yet: it serves `demand`"));
}

#[test]
fn a_run_says_who_made_a_version() {
    let scratch = Scratch::new();
    let report = scratch.run(&loops(1, 90, 85).0);
    let entry = &report.view.models[0].entry;
    assert_eq!(
        (entry.source.as_str(), entry.module.as_str(), entry.component.as_str()),
        ("train.model", "std/test", "d")
    );
}

#[test]
fn an_unchanged_model_is_requested_again_in_each_run() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("t", "train", &[], &[]).model("m", "t", &[]).deploy("d", "m").0;
    for run in 1..=2 {
        let report = scratch.run(&pipeline);
        assert_eq!((report.outcome, report.view.models[0].kept), (Outcome::Succeeded, run == 2));
        assert_eq!(report.view.deployments[0].version, 1);
    }
    assert_eq!(offers(&scratch), [("d".to_owned(), 1, 1), ("d".to_owned(), 1, 2)]);
}

#[test]
fn a_run_that_failed_deploys_nothing() {
    let scratch = Scratch::new();
    let build = Build::new().step("t", "train", &[], &[]).step("bad", "fail", &[], &[]);
    let report = scratch.run(&build.model("m", "t", &[]).deploy("d", "m").0);
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(reason(&report, "d"), Some("model `m` was skipped"));
    assert!(offers(&scratch).is_empty());
}

/// Cut the journal at every record: whenever the kill came, the deployment is requested once, and never before its model
/// is registered.
#[test]
fn however_a_run_is_killed_its_deployment_is_requested_once() {
    let scratch = Scratch::new();
    let pipeline = loops(1, 90, 85).0;
    scratch.run(&pipeline);
    let journal = std::fs::read(scratch.project().journal(1)).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for length in 0..journal.len() {
        let path = scratch.folder.path().join("cut");
        std::fs::write(&path, &journal[..length]).unwrap();
        let records = crate::journal::read(&path).unwrap().records;
        if records.is_empty() || !seen.insert(records.len()) {
            continue;
        }
        let requested = records.iter().any(|it| matches!(it, Record::DeployRequested { .. }));
        let registered = records.iter().filter(|it| matches!(it, Record::ModelRegistered { .. })).count();
        assert!(!requested || registered == 2, "the fact of the registration comes first");
        let after = Scratch::new();
        std::fs::create_dir_all(after.project().run(1)).unwrap();
        std::fs::copy(&path, after.project().journal(1)).unwrap();
        let before = offers(&after);
        assert_eq!(before.len(), usize::from(requested));
        for resumed in [Some(1), None] {
            let report = after.run(&pipeline);
            assert_eq!((report.outcome, report.resumes), (Outcome::Succeeded, resumed));
            assert_eq!(report.view.node("production").unwrap().state, NodeState::Requested);
            let all = offers(&after);
            let first = if requested { 1 } else { 2 };
            let expected = [("production".to_owned(), 1, first), ("production".to_owned(), 1, 3)];
            assert_eq!(all, expected[..all.len()], "after {} records", records.len());
            assert_eq!(all.len(), if resumed.is_some() { 1 } else { 2 });
        }
        assert_eq!(History::open(&after.project()).models().unwrap().len(), 1);
    }
    assert!(seen.len() > 10);
}

#[test]
fn monitors_and_triggers_are_planned_but_not_run() {
    let scratch = Scratch::new();
    let build = loops(1, 90, 85);
    let deployment = build.id("production");
    let monitor = mlp_lang::live::MonitorNode {
        deployment,
        deployment_name: "production".to_owned(),
        every: 1,
        over: 1,
        reference: None,
        watches: Vec::new(),
        on_no_data: mlp_lang::live::OnNoData::Wait,
        cooldown: 1,
        breaches: Vec::new(),
    };
    let mut pipeline = build.node("health", &[deployment], NodeKind::Monitor(Arc::new(monitor))).0;
    let report = scratch.run(&pipeline);
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert!(report.view.node("health").is_none());
    let resident = &report.view.started.plan.resident;
    assert_eq!(resident.iter().map(|it| (&*it.name, &*it.kind)).collect::<Vec<_>>(), [("health", "monitor")]);
    let after = pipeline.nodes[2].clone();
    pipeline.nodes.push(Node { id: NodeId(9), name: "late".to_owned(), needs: Vec::new(), ..after });
    let error = scratch.engine().unwrap().plan(&pipeline, scratch.folder.path(), &[], &Aliases::none()).unwrap_err();
    assert!(error.to_string().contains("`late` stands after what only lives on"), "{error}");
}

#[test]
fn the_newest_run_of_a_trigger_is_found_and_one_that_takes_it_up_is_the_same() {
    let scratch = Scratch::new();
    let pipeline = loops(1, 90, 85).0;
    let trigger =
        |key: &str| Some(Trigger { key: key.to_owned(), words: "monitor health: drift(temp) 0.34".to_owned() });
    let run = |key: Option<&str>| {
        let request = RunRequest { trigger: key.and_then(trigger), ..scratch.request(&pipeline) };
        scratch.run_with(request, Arc::new(Unobserved), Cancel::default()).unwrap()
    };
    let history = History::open(&scratch.project());
    let found = |key: &str| history.triggered(key).unwrap().map(|run| (run.run, run.outcome));
    assert_eq!(found("a"), None);
    assert_eq!(run(Some("a")).view.started.trigger, trigger("a"));
    run(None);
    run(Some("b"));
    assert_eq!((found("a"), found("b")), (Some((1, Some(Outcome::Succeeded))), Some((3, Some(Outcome::Succeeded)))));
    // Killed right after it began.
    let path = scratch.project().journal(3);
    let whole = std::fs::read(&path).unwrap();
    let cut = (0..whole.len()).find(|length| {
        std::fs::write(&path, &whole[..*length]).unwrap();
        crate::journal::read(&path).unwrap().records.len() == 2
    });
    assert!(cut.is_some());
    assert_eq!(found("b"), Some((3, Some(Outcome::Interrupted))), "before any engine put it in order");
    std::fs::remove_dir_all(scratch.project().store()).unwrap();
    assert_eq!(run(None).resumes, Some(3));
    assert_eq!(found("b"), Some((4, Some(Outcome::Succeeded))), "whoever takes it up");
    assert_eq!(run(None).resumes, None);
    assert_eq!(found("b"), Some((4, Some(Outcome::Succeeded))), "but not what merely follows");
}

#[test]
fn what_a_node_gave_is_found_in_the_run_that_reused_it_too() {
    let scratch = Scratch::new();
    let pipeline = loops(1, 90, 85).0;
    scratch.run(&pipeline);
    scratch.run(&pipeline);
    let history = History::open(&scratch.project());
    let [first, second] = [1, 2].map(|run| history.output(run, "x", "rows").unwrap().unwrap());
    assert_eq!(first, second);
    assert_eq!(history.artifact_bytes(&second).unwrap(), b"a\n1\n2\n3\n");
    std::fs::remove_file(scratch.project().artifact(&second.digest)).unwrap();
    assert_eq!(history.artifact_bytes(&second).unwrap(), b"a\n1\n2\n3\n", "a small one is in its record");
    for (run, node, output) in [(1, "x", "none"), (1, "nobody", "rows"), (9, "x", "rows"), (1, "rival", "metrics")] {
        assert_eq!(history.output(run, node, output).unwrap(), None);
    }
}

#[test]
fn a_plan_with_a_known_version_reuses_it() {
    let scratch = Scratch::new();
    scratch.run(&loops(1, 90, 85).0);
    is_serving(&scratch, 1);
    let pipeline = loops(2, 90, 85).0;
    let plan = scratch.engine().unwrap().plan(&pipeline, scratch.folder.path(), &[], &scratch.aliases()).unwrap();
    let report = scratch.run(&pipeline);
    let of = |name: &str| plan.nodes.iter().find(|node| node.name == name).unwrap();
    assert!(matches!(of("churn@production").decision, Decision::Reuse { run: 1, .. }));
    assert_eq!(of("production").what, "churn by replace");
    assert_eq!(report.view.started.plan, plan, "plan and run agree");
}

#[test]
fn a_state_folder_of_another_version_is_told_and_left_alone() {
    let scratch = Scratch::new();
    scratch.run(&loops(1, 90, 85).0);
    let path = scratch.project().journal(1);
    let mut old = std::fs::read(&path).unwrap();
    old[7] = 1;
    std::fs::write(&path, &old).unwrap();
    // The store as that version would have left it: not ours.
    let store = crate::store::SledKeys::open(&scratch.project().store()).unwrap();
    let mut batch = crate::store::Batch::default();
    batch.put(vec![crate::store::Kind::Schema as u8], vec![2]);
    crate::store::Keys::apply(&store, batch).unwrap();
    drop(store);
    let told = format!("was written in format 1, this mlp reads format {}", crate::record::VERSION);
    for _ in 0..2 {
        let error = scratch.engine().err().unwrap().to_string();
        assert!(error.contains(&told), "{error}");
        assert!(error.contains("move the whole state folder out of the way"), "{error}");
    }
    let runs = History::open(&scratch.project()).runs().unwrap();
    assert!(runs[0].damaged.as_ref().unwrap().contains("format 1"));
    assert_eq!(std::fs::read(&path).unwrap(), old);
    let left = crate::disk::names(&scratch.project().state).unwrap();
    assert!(!left.iter().any(|name| name.starts_with("store.")), "{left:?}");
}
