//! What a user reads, as snapshots: a whole run's story in each of its endings.

mod looking_back;

use super::nodes::Evidence;
use super::{events, findings, json, metrics, models, nodes, plan, runs, story, summary};
use crate::fault::Fault;
use mlp_core::digest::Digest;
use mlp_core::executor::ArtifactMeta;
use mlp_core::history::RunSummary;
use mlp_core::lock::Holder;
use mlp_core::metrics::Metrics;
use mlp_core::plan::{Decision, Plan, PlannedNode, Reason, ResidentNode};
use mlp_core::record::{Artifact, Failure, Measured, ModelVersion, Outcome, Record, RunStarted, Trigger, Verdict};
use mlp_core::view::RunView;
use mlp_lang::finding::{Code, Finding, Place, Safety};
use mlp_lang::pipeline::NodeId;
use mlp_lang::span::{Source, Span};
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;
use std::fmt::Write;

/// 2026-11-21 02:40:00 UTC.
const START: i64 = 1_795_228_800_000;
const NOW: i64 = START + 300_000;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn output(name: &str, format: &str, rows: Option<u64>) -> Artifact {
    let meta = ArtifactMeta { format: format.into(), rows, flavor: None, features: Vec::new() };
    Artifact { output: name.into(), digest: digest(name), size: 12_345, meta, inline: None }
}

fn planned(name: &str, kind: &str, what: &str, decision: Decision) -> PlannedNode {
    PlannedNode { id: NodeId(0), name: name.into(), kind: kind.into(), what: what.into(), decision }
}

fn fresh_plan() -> Plan {
    let run = |reasons: Vec<Reason>| Decision::Run { fingerprint: None, reasons };
    Plan {
        nodes: vec![
            planned("patients", "data", "csv data/patients.csv", run(vec![Reason::New])),
            planned(
                "split",
                "step",
                "std/tabular.split",
                run(vec![
                    Reason::Changed { what: "setting seed".into(), from: Some("7".into()), to: Some("8".into()) },
                    Reason::Upstream { node: "patients".into(), input: "rows".into() },
                ]),
            ),
            planned("train", "step", "std/classify.logistic", run(vec![Reason::Forced])),
            planned("old", "step", "std/classify.logistic", Decision::Reuse { fingerprint: digest("old"), run: 2 }),
            planned("quality", "gate", "2 requirements", Decision::Decide),
            planned("cancer", "model", "train.model", Decision::Decide),
        ],
        resident: Vec::new(),
    }
}

fn begun() -> Vec<Record> {
    vec![Record::RunStarted(RunStarted {
        version: mlp_core::record::VERSION,
        engine: "0.1.0".into(),
        run: 3,
        pipeline: "breast_cancer".into(),
        file: "cancer.mlp".into(),
        folder: String::new(),
        source: String::new(),
        params: vec![("seed".into(), Value::Int(8)), ("holdout".into(), Value::Fraction(0.2))],
        plan: fresh_plan(),
        resumes: None,
        trigger: None,
        host: "turing".into(),
        at: START,
    })]
}

fn done(node: &str, at: i64, outputs: Vec<Artifact>) -> [Record; 2] {
    [
        Record::NodeStarted { node: node.into(), attempt: 1, fingerprint: digest(node), at: START + at },
        Record::NodeDone {
            node: node.into(),
            attempt: 1,
            fingerprint: digest(node),
            manifest: Vec::new(),
            outputs,
            usage: None,
            started: START + at,
            at: START + at + 1_200,
        },
    ]
}

fn ended(outcome: Outcome) -> Record {
    Record::RunEnded { outcome, at: START + 4_000 }
}

fn verdicts(threshold: f64) -> Vec<Verdict> {
    let value = 0.984_999_9;
    vec![
        Verdict {
            text: format!("eval.auc >= {threshold}"),
            because: Some("the published models reach it".into()),
            held: value >= threshold,
            waived: None,
            measured: vec![Measured {
                text: "eval.auc".into(),
                value: Some(Value::Float(value)),
                comparison: Comparison::GreaterOrEqual,
                threshold: Some(Value::Float(threshold)),
                margin: Some(value - threshold),
                held: value >= threshold,
            }],
        },
        Verdict {
            text: "eval.recall >= 95%".into(),
            because: None,
            held: true,
            waived: None,
            measured: vec![Measured {
                text: "eval.recall".into(),
                value: Some(Value::Fraction(0.974)),
                comparison: Comparison::GreaterOrEqual,
                threshold: Some(Value::Fraction(0.95)),
                margin: Some(0.024),
                held: true,
            }],
        },
    ]
}

fn model(version: u64) -> ModelVersion {
    ModelVersion {
        name: "cancer".into(),
        version,
        digest: digest("model"),
        flavor: "classifier".into(),
        features: vec!["mean_radius".into(), "mean_texture".into()],
        pipeline: "breast_cancer".into(),
        run: 3,
        source: "train.model".into(),
        module: "std/classify".into(),
        component: digest("component").to_string(),
        gates: vec![("quality".into(), verdicts(0.9))],
        card: vec![("use".into(), "A second opinion.".into())],
        at: START + 3_900,
    }
}

fn worked() -> Vec<Record> {
    let mut records = begun();
    records.extend(done("patients", 0, vec![output("rows", "parquet", Some(569))]));
    records.extend(done(
        "split",
        1_200,
        vec![output("train", "parquet", Some(400)), output("test", "parquet", Some(169))],
    ));
    records
}

fn succeeded() -> Vec<Record> {
    let mut records = worked();
    records.extend(done("train", 2_400, vec![output("model", "model", None)]));
    let at = START + 3_900;
    records.push(Record::NodeReused {
        node: "old".into(),
        fingerprint: digest("old"),
        outputs: vec![output("model", "model", None)],
        from: 2,
        at,
    });
    records.push(Record::GateJudged { node: "quality".into(), passed: true, verdicts: verdicts(0.9), at });
    for _ in 0..2 {
        records.push(Record::ModelRegistered { node: "cancer".into(), entry: model(1), kept: false, at });
    }
    records.push(ended(Outcome::Succeeded));
    records
}

fn blocked() -> Vec<Record> {
    let mut records = worked();
    records.extend(done("train", 2_400, vec![output("model", "model", None)]));
    let at = START + 3_900;
    records.push(Record::GateJudged { node: "quality".into(), passed: false, verdicts: verdicts(0.985), at });
    records.push(Record::ModelBlocked { node: "cancer".into(), gates: vec!["quality".into()], at });
    records.push(ended(Outcome::Blocked));
    records
}

fn bad_cell() -> Finding {
    let place =
        Place::Data { path: "data/patients.csv".into(), row: Some(16), line: Some(17), column: Some("age".into()) };
    Finding::error(Code::new("D0101", "bad-cell"), place, "`old\u{1b}[31m` is not an int").label("expected an int")
}

fn failed() -> Vec<Record> {
    let mut records = begun();
    let at = START + 100;
    records.push(Record::NodeStarted { node: "patients".into(), attempt: 1, fingerprint: digest("patients"), at });
    records.push(Record::NodeFailed {
        node: "patients".into(),
        attempt: 1,
        failure: Failure {
            message: "data/patients.csv does not follow its schema".into(),
            findings: vec![bad_cell()],
            kind: "data".into(),
        },
        usage: None,
        retry_at: None,
        at: at + 400,
    });
    for node in ["split", "train", "quality", "cancer"] {
        records.push(Record::NodeSkipped { node: node.into(), reason: "data `patients` failed".into(), at: at + 400 });
    }
    records.push(ended(Outcome::Failed));
    records
}

fn cancelled() -> Vec<Record> {
    let mut records = worked();
    records.push(Record::NodeStarted {
        node: "train".into(),
        attempt: 1,
        fingerprint: digest("train"),
        at: START + 2_400,
    });
    records.push(Record::CancelRequested { at: START + 3_000 });
    records.push(Record::NodeSkipped {
        node: "quality".into(),
        reason: "the run was cancelled".into(),
        at: START + 3_000,
    });
    records.push(ended(Outcome::Cancelled));
    records
}

fn no_op() -> Vec<Record> {
    let mut records = begun();
    for node in ["patients", "split", "train", "old"] {
        records.push(Record::NodeReused {
            node: node.into(),
            fingerprint: digest(node),
            outputs: Vec::new(),
            from: 2,
            at: START + 20,
        });
    }
    let at = START + 30;
    records.push(Record::GateJudged { node: "quality".into(), passed: true, verdicts: verdicts(0.9), at });
    records.push(Record::ModelRegistered { node: "cancer".into(), entry: model(1), kept: true, at });
    records.push(ended(Outcome::Succeeded));
    records
}

/// The lines of a pipe, then the summary: the whole output of `mlp run`.
fn told(records: &[Record]) -> String {
    told_with(records, None)
}

fn told_with(records: &[Record], resident: Option<u32>) -> String {
    let Some(Record::RunStarted(started)) = records.first() else { panic!("a run begins with its beginning") };
    let mut view = RunView::new(started.clone());
    let mut text = String::new();
    for record in records {
        view.apply(record);
        if let Some(line) = events::line(&view, record, false) {
            let _ = writeln!(text, "{line}");
        }
    }
    text.push_str(&summary::text(&view, resident, None));
    plain(&text)
}

fn view(records: Vec<Record>) -> RunView {
    RunView::of(records).expect("a run begins with its beginning")
}

#[test]
fn a_run_that_succeeds() {
    insta::assert_snapshot!(told(&succeeded()));
}

#[test]
fn a_run_that_finds_everything_done() {
    insta::assert_snapshot!(told(&no_op()));
}

#[test]
fn a_run_that_is_blocked_by_a_gate() {
    insta::assert_snapshot!(told(&blocked()));
}

#[test]
fn a_run_that_fails_on_data() {
    insta::assert_snapshot!(told(&failed()));
}

#[test]
fn a_run_that_is_cancelled() {
    insta::assert_snapshot!(told(&cancelled()));
}

/// A pipeline that compares with what is in production, deploys, and is watched.
fn deploying() -> Vec<Record> {
    let mut records = succeeded();
    let Some(Record::RunStarted(started)) = records.first_mut() else { panic!("a run begins with its beginning") };
    let not_yet = || "no version of `cancer` is `production` yet".to_owned();
    let skip = || Decision::Skip { reason: not_yet() };
    let nodes = &mut started.plan.nodes;
    nodes.insert(4, planned("cancer@production", "registry", "cancer", skip()));
    nodes.insert(5, planned("rival", "step", "std/classify.evaluate", skip()));
    nodes.push(planned("production", "deploy", "cancer by canary", Decision::Decide));
    started.plan.resident = [("health", "monitor"), ("nightly", "trigger")]
        .map(|(name, kind)| ResidentNode { name: name.into(), kind: kind.into() })
        .to_vec();
    let words = "monitor health: drift(mean_radius) 0.34 > 0.1 for 2 windows".into();
    started.trigger = Some(Trigger { key: "health/7".into(), words });
    let at = START + 3_900;
    let end = records.pop();
    for record in &mut records {
        if let Record::GateJudged { verdicts, .. } = record {
            verdicts.push(Verdict {
                text: "eval.auc >= rival.auc - 0.5%".into(),
                because: Some("a step back helps nobody".into()),
                held: false,
                waived: Some(format!("first: {}", not_yet())),
                measured: Vec::new(),
            });
        }
    }
    let first = records.iter().position(|it| matches!(it, Record::GateJudged { .. })).expect("it is judged");
    let skipped =
        ["cancer@production", "rival"].map(|node| Record::NodeSkipped { node: node.into(), reason: not_yet(), at });
    records.splice(first..first, skipped);
    records.push(Record::DeployRequested { node: "production".into(), model: "cancer".into(), version: 1, at });
    records.extend(end);
    records
}

#[test]
fn a_run_whose_deployment_waits_for_the_resident_engine() {
    insta::assert_snapshot!(told(&deploying()));
}

#[test]
fn a_run_whose_deployment_is_handed_over() {
    let told = told_with(&deploying(), Some(4711));
    let summary = told.rsplit_once("\nmodel cancer").expect("the registry comes first").1;
    insta::assert_snapshot!(summary);
}

#[test]
fn the_story_of_a_run_that_a_monitor_set_off() {
    insta::assert_snapshot!(plain(&story::text(&view(deploying()), &[], false, NOW, None)));
}

#[test]
fn a_plan_of_what_a_run_does_and_of_what_lives_on() {
    let Some(Record::RunStarted(started)) = deploying().into_iter().next() else { panic!("it begins") };
    let mut plan = started.plan;
    let reasons = vec![Reason::Version { of: "cancer@production".into(), from: 1, to: 2 }];
    plan.nodes[4] = planned(
        "cancer@production",
        "registry",
        "cancer version 2",
        Decision::Reuse { fingerprint: digest("cancer"), run: 2 },
    );
    plan.nodes[5] = planned("rival", "step", "std/classify.evaluate", Decision::Run { fingerprint: None, reasons });
    insta::assert_snapshot!(plain(&plan::text(&plan, "breast_cancer", false, None)));
}

#[test]
fn the_story_of_a_run() {
    let evidence = Evidence { metrics: vec![("metrics".into(), numbers())], ..Evidence::default() };
    let text = story::text(&view(succeeded()), &[("train".into(), evidence)], false, NOW, None);
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn the_story_of_a_killed_run() {
    insta::assert_snapshot!(plain(&story::text(&view(worked()), &[], false, NOW, None)));
}

#[test]
fn the_story_of_a_step() {
    let run = view(succeeded());
    let node = run.node("split").expect("it is there");
    insta::assert_snapshot!(plain(&nodes::text(&run, node, &Evidence::default(), true, None)));
}

#[test]
fn a_model() {
    let (first, second) = (model(1), model(2));
    insta::assert_snapshot!(plain(&models::text(&second, &[&first, &second], None, NOW, None)));
}

#[test]
fn a_plan_in_words() {
    insta::assert_snapshot!(plain(&plan::text(&fresh_plan(), "breast_cancer", false, None)));
}

#[test]
fn runs_and_status() {
    let line = |run, outcome: Option<Outcome>| RunSummary {
        run,
        pipeline: "breast_cancer".into(),
        file: "cancer.mlp".into(),
        started: START,
        ended: outcome.map(|_| START + 4_000),
        outcome,
        ran: 3,
        reused: 1,
        failed: 0,
        skipped: 0,
        models: vec![("cancer".into(), run)],
        trigger: None,
        resumes: None,
        damaged: None,
    };
    let words = "monitor health: drift(mean_radius) 0.34 > 0.1".into();
    let triggered = RunSummary { trigger: Some(Trigger { key: "k".into(), words }), ..line(4, Some(Outcome::Failed)) };
    let runs = [triggered, line(3, None), line(2, None), line(1, Some(Outcome::Succeeded))];
    let mut text = super::runs::text(&runs, Some(3), NOW, None);
    let holder = Holder {
        pid: 4711,
        command: "mlp run cancer.mlp".into(),
        run: Some(3),
        pipeline: Some("breast_cancer".into()),
        since: START,
    };
    let mut live = worked();
    live.push(Record::NodeStarted {
        node: "train".into(),
        attempt: 1,
        fingerprint: digest("train"),
        at: START + 2_400,
    });
    let _ = writeln!(text, "\n{}", runs::status(Some(&holder), Some(&view(live)), &[model(1)], NOW, None));
    let _ = writeln!(text, "{}", runs::status(None, Some(&view(succeeded())), &[model(1), model(2)], NOW, None));
    let _ = writeln!(text, "{}", runs::status(None, Some(&view(worked())), &[], NOW, None));
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn numbers_by_group() {
    insta::assert_snapshot!(plain(&metrics::tables(&numbers(), "", None)));
}

#[test]
fn findings_in_source_and_data() {
    let text = "mlp 1\n\nstep a = tabular.split(rows, test: 10)\nstep b = trian.x(a)\n";
    let source = Source::new("a.mlp", text);
    let at = |start: usize, end: usize| Place::Source { path: "a.mlp".into(), span: Span::new(start, end) };
    let ten = text.find("10").expect("it is there");
    let trian = text.find("trian").expect("it is there");
    let found = [
        Finding::error(Code::new("E0301", "unit-missing"), at(ten, ten + 2), "a fraction is wanted, this is an int")
            .label("expected a fraction")
            .help("fractions are written with `%`")
            .fix("write `10%`", Span::new(ten, ten + 2), "10%", Safety::Safe),
        Finding::warning(Code::new("W0001", "unused"), at(trian, trian + 5), "nothing uses `trian`")
            .also(at(ten, ten + 2), "declared near here")
            .note("a note")
            .fix("write `train`", Span::new(trian, trian + 5), "train", Safety::Unsafe),
        bad_cell(),
    ];
    let sources = [source];
    let text = format!(
        "{}{}\n\n{}",
        plain(&findings::full(&found, &sources, Some(100))),
        findings::counts(&found, 2),
        findings::concise(&found, &sources)
    );
    insta::assert_snapshot!(text);
}

#[test]
fn no_span_is_too_wrong_to_be_shown() {
    for text in ["", "é", "a\nb", "\r\n\t", "\u{feff}x"] {
        let sources = [Source::new("a.mlp", text)];
        for (start, end) in [(0, 0), (1, 1), (0, 99), (99, 99), (2, 1)] {
            let span = Span { start, end };
            let place = Place::Source { path: "a.mlp".into(), span };
            let finding = Finding::error(Code::new("E0101", "x"), place, "wrong").fix("mend", span, "y", Safety::Safe);
            let text = findings::full(&[finding], &sources, None);
            assert!(text.contains("wrong"));
        }
    }
}

#[test]
fn everything_for_programs() {
    let documents = [
        json::run(&view(blocked()), false, &[]),
        json::plan(&fresh_plan(), "breast_cancer", "cancer.mlp"),
        json::model(&model(2), &[], None),
        json::check(1, &[bad_cell()], &[], &[Fault::usage("cannot read x").cause("no permission").json()]),
    ];
    let mut text: String = documents.iter().map(|document| format!("{document:#}\n")).collect();
    text.extend(failed().iter().map(|record| format!("{}\n", json::event(record))));
    let requests = deploying().into_iter().filter(|it| matches!(it, Record::DeployRequested { .. }));
    text.extend(requests.map(|record| format!("{}\n", json::event(&record))));
    insta::assert_snapshot!(text);
}

#[test]
fn a_fault() {
    let fault = Fault::new("cannot write the journal").cause("disk full").safe("all else").next("make room");
    insta::assert_snapshot!(fault.text());
}

fn numbers() -> Metrics {
    let text = r#"{"metrics": {"auc": 0.984999, "rmse": 12.5, "brier": null},
        "groups": [{"by": "plan", "value": "free", "rows": 1200, "metrics": {"auc": 0.97}},
                   {"by": "plan", "value": "pro", "rows": 80, "metrics": {"auc": 0.99}}]}"#;
    Metrics::parse(text.as_bytes()).expect("it is well formed")
}
