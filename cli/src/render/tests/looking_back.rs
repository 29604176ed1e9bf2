//! Runs explained, compared and drawn; plans with their times.

use super::*;
use crate::render::compare::{Side, compare};
use crate::render::{compare as comparison, trace, why};
use mlp_core::estimate::{Forecast, Took};
use mlp_core::manifest::{Fact, Section};
use mlp_core::why::Account;

fn fact(section: Section, name: &str, value: &str) -> Fact {
    Fact { section, name: name.into(), value: value.into() }
}

#[test]
fn a_plan_with_times_says_what_nobody_knows() {
    let plan = fresh_plan();
    let took = |median, runs| Some(Took { median, runs });
    let mut forecast = Forecast {
        nodes: vec![took(1_200, 1), took(65_000, 5), None, None, None, None],
        work: 66_200,
        critical: 66_200,
        packed: 66_200,
        jobs: 4,
        unknown: vec!["train".into()],
    };
    let some = plan::forecast(&plan, &forecast);
    forecast.unknown.clear();
    (forecast.work, forecast.critical) = (140_000, 61_000);
    let all = plan::forecast(&plan, &forecast);
    forecast.nodes.fill(None);
    let nothing = plan::forecast(&plan, &forecast);
    forecast.unknown.push("train".into());
    let none = plan::forecast(&plan, &forecast);
    assert_eq!(nothing, "");
    insta::assert_snapshot!(plain(&[some, all, none].join("\n")));
}

#[test]
fn a_step_that_ran_is_explained() {
    let run = view(succeeded());
    let node = run.node("split").expect("it is there");
    let changed = vec![Reason::Changed { what: "setting seed".into(), from: Some("7".into()), to: Some("8".into()) }];
    let account = Account { before: Some(2), changed, facts: 9 };
    let known = why::text(&run, node, &account, false, None);
    let same = why::text(&run, node, &Account { changed: Vec::new(), ..account.clone() }, false, None);
    let first = why::text(&run, node, &Account { before: None, changed: Vec::new(), facts: 9 }, false, None);
    insta::assert_snapshot!(plain(&[known, same, first].join("\n")));
}

#[test]
fn a_step_that_did_not_run_is_explained() {
    let reused = view(no_op());
    let account = Account { before: Some(2), changed: Vec::new(), facts: 9 };
    let reused = why::text(&reused, reused.node("train").expect("it is there"), &account, false, None);
    let failed = view(failed());
    let told = |name| why::text(&failed, failed.node(name).expect("it is there"), &Account::default(), false, None);
    insta::assert_snapshot!(plain(&[reused, told("patients"), told("split")].join("\n")));
}

#[test]
fn what_was_decided_is_explained() {
    let told =
        |run: &RunView, name| why::text(run, run.node(name).expect("it is there"), &Account::default(), false, None);
    let (good, bad, deployed) = (view(succeeded()), view(blocked()), view(deploying()));
    let said = [
        told(&good, "quality"),
        told(&good, "cancer"),
        told(&bad, "quality"),
        told(&bad, "cancer"),
        told(&deployed, "production"),
    ];
    insta::assert_snapshot!(plain(&said.join("\n")));
}

#[test]
fn a_step_that_was_under_way_when_the_run_was_killed_is_explained() {
    let mut records = begun();
    records.push(Record::NodeStarted {
        node: "split".into(),
        attempt: 1,
        fingerprint: digest("split"),
        at: START + 100,
    });
    let run = view(records);
    let told = |live| why::text(&run, run.node("split").expect("it is there"), &Account::default(), live, None);
    insta::assert_snapshot!(plain(&[told(true), told(false)].join("\n")));
}

fn side<'a>(run: &'a RunView, seed: &str, auc: f64) -> Side<'a> {
    let mut numbers = numbers();
    numbers.metrics.insert("auc".into(), Some(auc));
    Side {
        run,
        live: false,
        facts: vec![("split".into(), vec![fact(Section::Setting, "seed", seed)])],
        evidence: vec![(
            "train".into(),
            Evidence { metrics: vec![("metrics".into(), numbers)], ..Evidence::default() },
        )],
    }
}

#[test]
fn two_runs_that_differ() {
    let (mut then, mut now) = (succeeded(), blocked());
    let texts = ["mlp 1\nparam seed: int = 7\n", "mlp 1\nparam seed: int = 8\n"];
    for (index, (records, text)) in [&mut then, &mut now].into_iter().zip(texts).enumerate() {
        let Some(Record::RunStarted(started)) = records.first_mut() else { panic!("a run begins with its beginning") };
        started.run += index as u64;
        started.source = text.into();
        started.params[0].1 = Value::Int(7 + index as i64);
        for record in records {
            if let Record::NodeDone { node, outputs, .. } = record
                && node == "split"
                && index == 1
            {
                outputs.iter_mut().for_each(|output| output.digest = digest("other"));
            }
        }
    }
    let (then, now) = (view(then), view(now));
    let different = compare(&side(&then, "7", 0.985), &side(&now, "8", 0.75));
    insta::assert_snapshot!(plain(&comparison::text(&different, None)));
    insta::assert_snapshot!(format!("{:#}", comparison::json(&different)));
}

#[test]
fn two_runs_that_are_alike() {
    let run = view(succeeded());
    let alike = compare(&side(&run, "7", 0.985), &side(&run, "7", 0.985));
    insta::assert_snapshot!(plain(&comparison::text(&alike, None)));
}

#[test]
fn a_trace_puts_what_overlaps_on_lanes_of_its_own() {
    let mut records = begun();
    let started = |node: &str, attempt, at| Record::NodeStarted {
        node: node.into(),
        attempt,
        fingerprint: digest(node),
        at: START + at,
    };
    records.push(started("patients", 1, 100));
    records.push(started("split", 1, 200));
    records.push(Record::NodeFailed {
        node: "split".into(),
        attempt: 1,
        failure: Failure { message: "not yet".into(), findings: Vec::new(), kind: "transient".into() },
        usage: None,
        retry_at: Some(START + 900),
        at: START + 400,
    });
    records.push(started("split", 2, 1_000));
    records.push(Record::NodeSkipped { node: "cancer".into(), reason: "it was not asked for".into(), at: START + 50 });
    let document = trace::document(&view(records), true, START + 1_500);
    let events = document["traceEvents"].as_array().expect("events");
    let slices: Vec<(&str, i64, i64, i64, i64)> = events
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let number = |name: &str| event[name].as_i64().unwrap_or(-1);
            (event["name"].as_str().unwrap_or(""), number("pid"), number("tid"), number("ts"), number("dur"))
        })
        .collect();
    assert_eq!(
        slices,
        [
            ("patients", 1, 1, 100_000, 1_400_000),
            ("split", 1, 2, 200_000, 200_000),
            ("split", 1, 2, 1_000_000, 500_000),
            ("split waits to try again", 2, 1, 400_000, 600_000),
        ]
    );
    let busy: Vec<i64> =
        events.iter().filter(|event| event["ph"] == "C").filter_map(|event| event["args"]["jobs"].as_i64()).collect();
    assert_eq!(busy, [1, 2, 1, 2, 1, 0]);
    assert!(events.iter().any(|event| event["ph"] == "i" && event["name"] == "cancer skipped"));
}
