//! How a candidate takes over, and how it is taken back: as clients and the journal see it.

use super::probe_project;
use super::served::{Seen, Served, agent, eventually, predict_as};
use crate::space::Space;
use mlp_core::project::Project;
use mlp_lang::live::LiveMetric;
use mlp_live::home::Home;
use mlp_live::machine::rollout::{Event, Rollout};
use mlp_live::machine::{Live, What};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Clients that ask at once.
const CLIENTS: usize = 8;

/// A project whose requests have all the time that a busy machine may take.
pub fn patient_project(strategy: &str, more: &str) -> Space {
    let space = probe_project(strategy, more);
    space.replace("bikes.mlp", "timeout: 400ms", "timeout: 30s");
    space
}

/// `mlp serve` with a first version that is stable.
pub fn serving_the_first(space: &Space, arguments: &[&str]) -> Served {
    let served = Served::start(space, &[&["bikes.mlp"], arguments].concat());
    space.mlp(&["run", "bikes.mlp"]).exits(0);
    reaches(space, "serving");
    served
}

/// What `mlp deploy status` says about a deployment.
pub fn status(space: &Space, deployment: &str) -> Value {
    let said = space.mlp(&["deploy", "status", deployment, "--output", "json"]).exits(0).json();
    said["deployments"][0].clone()
}

/// Waits until `production` is in this state.
#[track_caller]
pub fn reaches(space: &Space, state: &str) -> Value {
    eventually(state, space, || Some(status(space, "production")).filter(|it| it["state"] == state))
}

/// Asks once for each key; gives the keys that version 2 answered.
fn answered_by_the_candidate(served: &Served, header: &str, keys: &[String]) -> BTreeSet<String> {
    let ask = |keys: &[String]| {
        let agent = agent();
        let mut found = BTreeSet::new();
        for key in keys {
            let seen = predict_as(&agent, served.url(), (header, key), 1.0);
            assert_eq!(seen.status, 200, "{seen:?}");
            match seen.version {
                Some(1) => {}
                Some(2) => drop(found.insert(key.clone())),
                _ => panic!("answered by neither version: {seen:?}"),
            }
        }
        found
    };
    std::thread::scope(|scope| {
        let pieces = keys.chunks(keys.len().div_ceil(CLIENTS));
        let threads: Vec<_> = pieces.map(|piece| scope.spawn(move || ask(piece))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    })
}

#[test]
fn ten_thousand_requests_are_split_as_each_weight_says() {
    let space = patient_project(
        "  canary {\n    5% until promoted\n    25% until promoted\n    50% until promoted\n    100%\n  }",
        "",
    );
    let served = serving_the_first(&space, &[]);
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0"]).exits(0);
    for (number, weight) in [0.05, 0.25, 0.5, 1.0].into_iter().enumerate() {
        if number > 0 {
            space.mlp(&["deploy", "promote", "production"]).exits(0);
        }
        let state = if weight < 1.0 { "awaiting_promotion" } else { "serving" };
        let status = reaches(&space, state);
        if weight < 1.0 {
            assert_eq!(status["routes"]["candidate"]["share"], weight, "{status}");
        }
        // Ids of our own, others for each weight: where an id falls is fixed for ever, so that no run is unlucky.
        let ids: Vec<String> = (0..10_000).map(|id| format!("weight-{number}-{id}")).collect();
        let requests = ids.len() as f64;
        let share = answered_by_the_candidate(&served, "x-request-id", &ids).len() as f64;
        // 99.9 % of all binomial samples lie within 3.29 standard deviations.
        let bound = 3.29 * (requests * weight * (1.0 - weight)).sqrt();
        assert!((share - requests * weight).abs() <= bound, "{share} of {requests} at {weight}, bound {bound}");
    }
}

#[test]
fn a_user_who_has_met_the_candidate_is_never_sent_back_while_its_weight_rises() {
    let space = patient_project(
        "  canary {\n    10% until promoted\n    40% until promoted\n    80% until promoted\n    100%\n  }",
        "",
    );
    space.replace("bikes.mlp", "replicas: 2", "replicas: 2, sticky: header(\"x-user\")");
    let served = serving_the_first(&space, &[]);
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0"]).exits(0);
    let users: Vec<String> = (0..500).map(|user| format!("user-{user}")).collect();
    let mut before = BTreeSet::new();
    for weight in [0.1, 0.4, 0.8] {
        reaches(&space, "awaiting_promotion");
        let now = answered_by_the_candidate(&served, "x-user", &users);
        assert_eq!(now, answered_by_the_candidate(&served, "x-user", &users), "the same users at the same weight");
        assert!(now.len() > before.len() && before.is_subset(&now), "{before:?} then {now:?} at {weight}");
        before = now;
        space.mlp(&["deploy", "promote", "production"]).exits(0);
    }
    assert_eq!(reaches(&space, "serving")["stable"], 2);
}

/// A measurement, as the journal has it.
#[derive(Debug)]
struct Measured {
    /// Clients had given it enough to tell a bad candidate: 100 requests, or one of any age if latency is asked for.
    enough: bool,
    failed: bool,
    /// It ended the rollout.
    last: bool,
}

/// Every measurement of `production`, judged as the engine judges it.
fn measurements(space: &Space) -> Vec<Measured> {
    let entries = Home::of(&Project::at(space.path(".mlp"))).entries().expect("a readable journal");
    let mut live = Live::default();
    let mut found = Vec::new();
    for entry in entries {
        let failures = |live: &Live| live.deployment("production").and_then(|it| it.rollout().map(Rollout::failures));
        let before = failures(&live);
        live.apply(&entry).expect("a journal that does not contradict itself");
        if let What::Rollout { event: Event::Measured { requests, numbers, .. }, .. } = entry.what {
            let after = failures(&live);
            let latency =
                numbers.iter().any(|(metric, value)| matches!(metric, LiveMetric::Latency(_)) && value.is_some());
            let failed = after.is_none() || after > before;
            found.push(Measured { enough: requests >= 100 || latency, failed, last: after.is_none() });
        }
    }
    found
}

/// Puts a candidate that misbehaves before clients, with a check that bears one failure, and waits until it is gone.
fn is_rolled_back(misbehaves: &str, line: &str) {
    let check =
        format!("check every 300ms {{\n      {line}\n      on_no_data = wait\n      tolerate = 1 failures\n    }}");
    let space = patient_project(&format!("  canary {{\n    50% for 1h\n    100%\n    {check}\n  }}"), "");
    // One request a call: the probe fails calls, and requests of a call that failed are asked again one by one.
    space.replace("bikes.mlp", "replicas: 2", "replicas: 2, batch: 1");
    let served = serving_the_first(&space, &[]);
    let load = served.load(CLIENTS);
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0", "-p", misbehaves]).exits(0);
    let over = eventually("the end of the candidate", &space, || {
        Some(status(&space, "production")).filter(|it| it["rejected"][0]["version"] == 2)
    });
    // From now on, and the second that `rollback within` gives, nobody may be answered by it.
    let gone = Instant::now() + Duration::from_secs(1);
    std::thread::sleep(Duration::from_secs(2));
    let asked_last: Vec<Seen> = (0..50).map(|row| served.predict(f64::from(row))).collect();
    let seen = load.stop();

    assert_eq!((&over["state"], &over["stable"]), (&"serving".into(), &1.into()), "{misbehaves}: {over}");
    assert!(over["routes"]["candidate"].is_null(), "{misbehaves}: {over}");
    let measured = measurements(&space);
    let failed = measured.iter().filter(|it| it.failed).count();
    assert_eq!(failed, 2, "{misbehaves}: one failure is borne, the second is the end: {measured:?}");
    assert!(measured.last().is_some_and(|it| it.failed && it.last), "{misbehaves}: {measured:?}");
    // A request that was young at one check is old at the next: none with enough to see misses it twice in a row.
    let missed = measured.windows(2).any(|two| two.iter().all(|it| it.enough && !it.failed));
    assert!(!missed, "{misbehaves}: {measured:?}");

    let by_candidate = |seen: &&Seen| seen.version == Some(2);
    assert!(seen.iter().any(|seen| by_candidate(&seen)), "{misbehaves}: clients met the candidate");
    let late = seen.iter().chain(&asked_last).find(|seen| seen.asked > gone && by_candidate(seen));
    assert!(late.is_none(), "{misbehaves}: {late:?}");
    let lost = seen.iter().find(|seen| seen.version != Some(2) && seen.status != 200);
    assert!(lost.is_none(), "{misbehaves}: the stable version answers all that it is asked: {lost:?}");
    // What was stuck at the candidate when it lost its traffic was told so, long before the 30 s of `timeout`.
    assert!(!seen.iter().any(|seen| seen.status == 504 || seen.status == 0), "{misbehaves}");
}

#[test]
fn a_candidate_that_answers_errors_is_rolled_back_by_its_second_failed_check() {
    is_rolled_back("errors=5%", "error_rate <= 1%");
}

#[test]
fn a_slow_candidate_is_rolled_back_by_its_second_failed_check() {
    is_rolled_back("delay=600", "p95(latency) <= 150ms");
}

#[test]
fn a_candidate_that_never_answers_is_rolled_back_by_its_second_failed_check() {
    is_rolled_back("hang=true", "p95(latency) <= 150ms");
}

#[test]
fn a_check_without_traffic_does_what_its_file_declares() {
    let canary = |on_no_data: &str| {
        let check = format!("check every 1m {{\n      error_rate <= 1%\n      on_no_data = {on_no_data}\n    }}");
        format!("  canary {{\n    50% for 10m\n    100%\n    {check}\n  }}")
    };
    let other = |name: &str, on_no_data: &str| {
        format!("deploy {name} of demand {{\n  serve = online(port: PORT)\n{}\n}}\n\n", canary(on_no_data))
    };
    let more = other("trusting", "pass") + &other("wary", "fail");
    let space = patient_project(&canary("wait"), &more);
    let start = 1_767_225_600_000;
    let served = serving_the_first(&space, &["--virtual-from", "2026-01-01"]);
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0"]).exits(0);
    assert_eq!(status(&space, "trusting")["state"], "holding", "no time has passed yet");
    served.advance(start + 5 * 60 * 60 * 1_000);

    let waits = status(&space, "production");
    assert_eq!((&waits["state"], &waits["stable"]), (&"holding".into(), &1.into()), "{waits}");
    assert_eq!((&waits["rollout"]["candidate"], &waits["rollout"]["failures"]), (&2.into(), &0.into()), "{waits}");
    space.mlp(&["deploy", "status", "production"]).exits(0).says("0ns of 10m");
    let passes = status(&space, "trusting");
    assert_eq!((&passes["state"], &passes["stable"]), (&"serving".into(), &2.into()), "{passes}");
    let fails = status(&space, "wary");
    assert_eq!((&fails["state"], &fails["stable"]), (&"serving".into(), &1.into()), "{fails}");
    assert_eq!(fails["rejected"][0]["version"], 2, "{fails}");
}

#[test]
fn blue_green_switches_there_and_back_and_no_request_fails() {
    let space = patient_project("  blue_green {\n    preview for 500ms\n    keep for 1h\n  }", "");
    let served = serving_the_first(&space, &[]);
    let load = served.load(4);
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0"]).exits(0);
    let kept = reaches(&space, "keeping");
    assert_eq!((&kept["stable"], &kept["routes"]["candidate"]["share"]), (&1.into(), &1.0.into()), "{kept}");
    let switched = Instant::now();
    let kept: Vec<Seen> = (0..50).map(|row| served.predict(f64::from(row))).collect();
    let url = format!("{}/deployments/production/versions/1/predict", served.url());
    let old = agent().post(url).send("{\"x\": 1}").expect("an answer").status();
    assert_eq!(old, 200, "the old version is kept and can be asked");
    let asked_back = Instant::now();
    space.mlp(&["deploy", "rollback", "production"]).exits(0);
    let back = reaches(&space, "serving");
    let returned = Instant::now();
    let after: Vec<Seen> = (0..50).map(|row| served.predict(f64::from(row))).collect();
    let seen = [load.stop(), kept, after].concat();

    assert_eq!(back["stable"], 1, "{back}");
    let failed = seen.iter().find(|seen| seen.status != 200);
    assert!(failed.is_none(), "{failed:?}");
    let versions = |from: Instant, to: Instant| -> BTreeSet<u64> {
        let within = seen.iter().filter(|seen| seen.asked > from && seen.asked + seen.took < to);
        within.filter_map(|seen| seen.version).collect()
    };
    assert_eq!(versions(switched, asked_back), [2].into(), "after the switch");
    assert_eq!(versions(returned, Instant::now()), [1].into(), "after the return");
}

#[test]
fn a_check_that_fails_while_the_old_version_is_kept_brings_it_back() {
    let check = "check every 300ms {\n      error_rate <= 1%\n      on_no_data = wait\n    }";
    let space =
        patient_project(&format!("  blue_green {{\n    preview for 1s\n    keep for 1h\n    {check}\n  }}"), "");
    let served = serving_the_first(&space, &[]);
    let load = served.load(4);
    // It fails only on rows that nobody sends while it is looked at.
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0", "-p", "errors=100%", "-p", "below=-1.0"]).exits(0);
    reaches(&space, "keeping");
    let seen = load.stop();
    assert!(seen.iter().all(|seen| seen.status == 200), "{:?}", seen.iter().find(|seen| seen.status != 200));
    assert_eq!(served.predict(1.0).version, Some(2));

    let back = eventually("the way back", &space, || {
        let failed = served.predict(-5.0);
        assert!(failed.status == 500 || failed.version == Some(1), "{failed:?}");
        Some(status(&space, "production")).filter(|it| it["state"] == "serving")
    });
    assert_eq!((&back["stable"], &back["rejected"][0]["version"]), (&1.into(), &2.into()), "{back}");
    let answer = served.predict(-5.0);
    assert_eq!((answer.status, answer.version), (200, Some(1)), "{answer:?}");
}

#[test]
fn a_shadow_that_hangs_changes_no_byte_of_any_answer() {
    let space = patient_project("  shadow {\n    100% for 2s\n  }", "");
    let served = serving_the_first(&space, &[]);
    // An answer names its request: with the same ids it is the same to the byte.
    let answers = || -> Vec<(u16, String)> {
        let agent = agent();
        let ask = |id: u32| predict_as(&agent, served.url(), ("x-request-id", &format!("id-{id}")), f64::from(id));
        (0..50).map(ask).map(|seen| (seen.status, seen.body)).collect()
    };
    let before = answers();
    assert!(before.iter().all(|(status, _)| *status == 200), "{before:?}");
    space.mlp(&["run", "bikes.mlp", "-p", "value=2.0", "-p", "hang=true"]).exits(0);
    let done = eventually("the end of the shadow", &space, || {
        assert_eq!(answers(), before);
        Some(status(&space, "production")).filter(|it| it["state"] == "shadow_done")
    });
    assert_eq!((&done["stable"], &done["rollout"]["candidate"]), (&1.into(), &2.into()), "{done}");
    assert!(done["routes"]["candidate"].is_null() && done["routes"]["mirror"].is_null(), "{done}");
    assert_eq!(answers(), before);
    space.mlp(&["deploy", "status"]).exits(0).says("demand@2 has been seen long enough and waits for promote or abort");
    space.mlp(&["deploy", "abort", "production"]).exits(0);
    assert_eq!(answers(), before);
    // It did see copies: they end with it.
    let metrics = || agent().get(format!("{}/metrics", served.url())).call().ok()?.into_body().read_to_string().ok();
    eventually("a copy that the hanging version was shown", &space, || {
        metrics()?.lines().find(|line| line.contains("version=\"2\",role=\"mirror\"")).map(str::to_owned)
    });
}
