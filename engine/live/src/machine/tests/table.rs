//! Every state against every event: what it leads to, or why it cannot be.

use super::*;
use crate::machine::alert::Alert;
use crate::machine::retrain::Retraining;
use crate::machine::rollout::{Deployment, Input, State};
use crate::machine::trigger::Trigger;
use crate::machine::{AlertBody, monitor::Window};
use std::collections::BTreeSet;
use std::fmt::Write;

const ALL: [State; 14] = [
    State::Idle,
    State::Starting,
    State::Serving,
    State::Loading,
    State::Holding,
    State::AwaitingPromotion,
    State::Previewing,
    State::Keeping,
    State::Watching,
    State::Shadowing,
    State::ShadowDone,
    State::Returning,
    State::Paused,
    State::Withdrawn,
];

/// A world that has come to this state; version 1 is stable, 2 the candidate. Limits are 0, so that one measurement decides.
fn at(state: State) -> World {
    let strict = Check { failures: 0, inconclusive: 0, errors: 0, ..check(OnNoData::Wait) };
    let strategy = match state {
        State::Previewing | State::Keeping => blue_green(Some(strict)),
        State::Watching => replace(Some(strict)),
        State::Shadowing | State::ShadowDone => shadow(Some(strict)),
        _ => canary(Some(strict)),
    };
    let declared = || declare(strategy.clone(), vec![], vec![]);
    let mut world = match state {
        State::Idle | State::Starting => World::new(declared()),
        _ => World::serving(declared()),
    };
    if !matches!(state, State::Idle | State::Serving) {
        world.does(offered(2, 2));
    }
    if !matches!(state, State::Idle | State::Serving | State::Starting | State::Loading) {
        world.does(answer(rollout::Event::Loaded { version: 2 }));
    }
    match state {
        State::AwaitingPromotion => world.does(asked(Asked::Promote)),
        State::Keeping | State::ShadowDone => world.does(asked(Asked::Promote)),
        State::Paused => world.does(asked(Asked::Pause)),
        State::Returning => {
            for _ in 0..3 {
                world.does(asked(Asked::Promote));
            }
            world.does(asked(Asked::Rollback { to: None }));
        }
        State::Withdrawn => {
            let (pipeline, file) = ("bikes".to_owned(), "bikes.mlp".to_owned());
            world.does(What::Declared { pipeline, file, deployments: vec![], monitors: vec![], triggers: vec![] });
        }
        _ => {}
    }
    assert_eq!(world.state(), state);
    world
}

/// A name for each event, and whether the time of the step is over when it comes.
fn inputs() -> Vec<(&'static str, bool, Owned)> {
    let world = |event| Owned::World(event);
    let measured = |found: Found| Owned::Measured(found);
    vec![
        ("declared again", false, Owned::Declared("demand")),
        ("declared for another model", false, Owned::Declared("supply")),
        ("withdrawn", false, Owned::Withdrawn),
        ("opened", false, Owned::Opened),
        ("offered the stable version", false, Owned::Offered(offer(1, 1))),
        ("offered the candidate", false, Owned::Offered(offer(2, 2))),
        ("offered a newer one", false, Owned::Offered(offer(3, 3))),
        ("offered an older one", false, Owned::Offered(offer(4, 0))),
        ("offered another model", false, Owned::Offered(Offer { model: "supply".into(), version: 3, run: 3 })),
        ("loaded", false, Owned::Loaded),
        ("loaded something else", false, world(rollout::Event::Loaded { version: 99 })),
        ("load failed", false, Owned::LoadFailed),
        ("measured early", false, measured(Found::Errors(0.0))),
        ("measured: success", true, measured(Found::Errors(0.0))),
        ("measured: failure", true, measured(Found::Errors(0.2))),
        ("measured: inconclusive", true, measured(Found::Errors(0.03))),
        ("measured: no data", true, measured(Found::Nothing)),
        ("not measured", true, measured(Found::Broken)),
        ("ticked early", false, world(rollout::Event::Ticked)),
        ("ticked", true, Owned::Ticked),
        ("promote", false, Owned::Asked(Asked::Promote)),
        ("pause", false, Owned::Asked(Asked::Pause)),
        ("resume", false, Owned::Asked(Asked::Resume)),
        ("abort", false, Owned::Asked(Asked::Abort)),
        ("rollback", false, Owned::Asked(Asked::Rollback { to: None })),
        ("rollback to what never was", false, Owned::Asked(Asked::Rollback { to: Some(77) })),
        ("retry", false, Owned::Asked(Asked::Retry)),
        ("breached", false, Owned::Breached),
    ]
}

enum Owned {
    Declared(&'static str),
    Withdrawn,
    Opened,
    Offered(Offer),
    Loaded,
    LoadFailed,
    Measured(Found),
    Ticked,
    World(rollout::Event),
    Asked(Asked),
    Breached,
}

fn give(deployment: &Deployment, now: Millis, input: &Owned) -> Result<(Deployment, Vec<String>), Illegal> {
    let version = deployment.rollout().map_or(2, |rollout| rollout.candidate().version);
    let node = |model: &str| DeployNode { model_name: model.into(), ..deploy(canary(None)) };
    let step = |at, event: &rollout::Event| deployment.step(at, &Input::World(event));
    match input {
        Owned::Declared(model) => deployment.step(now, &Input::Declared { pipeline: "bikes", node: &node(model) }),
        Owned::Withdrawn => deployment.step(now, &Input::Withdrawn),
        Owned::Opened => deployment.step(now, &Input::Opened { last: now }),
        Owned::Offered(offer) => deployment.step(now, &Input::Offered(offer)),
        Owned::Loaded => step(now, &rollout::Event::Loaded { version }),
        Owned::LoadFailed => step(now, &rollout::Event::LoadFailed { version, why: "it is damaged".into() }),
        Owned::Measured(found) => step(now, &found.event(version)),
        Owned::Ticked => {
            // The last measurement of the step comes first.
            let measured = deployment.step(now, &Input::World(&Found::Errors(0.0).event(version)));
            let measured = measured.map_or_else(|_| deployment.clone(), |(measured, _)| measured);
            measured.step(now, &Input::World(&rollout::Event::Ticked))
        }
        Owned::World(event) => step(now, event),
        Owned::Asked(what) => deployment.step(now, &Input::Asked { who: "anna", what }),
        Owned::Breached => deployment.step(now, &Input::Breached { monitor: "health" }),
    }
}

#[test]
fn every_state_of_a_deployment_meets_every_event() {
    let mut table = String::new();
    let mut reached = BTreeSet::from([State::Idle]);
    for state in ALL {
        let world = at(state);
        let deployment = world.live.deployment("production").expect("declared");
        let _ = writeln!(table, "{state:?}");
        for (name, over, input) in inputs() {
            let now = if over { world.now + 10 * MINUTE } else { world.now };
            let outcome = match give(deployment, now, &input) {
                Ok((after, _)) => {
                    reached.insert(after.state());
                    let same = if after == *deployment { ", nothing changes" } else { "" };
                    format!("-> {:?}{same}", after.state())
                }
                Err(illegal) => {
                    assert_eq!(illegal.state, format!("{state:?}"));
                    format!("illegal: {}", illegal.why)
                }
            };
            let _ = writeln!(table, "    {name:<27} {outcome}");
        }
    }
    assert_eq!(reached, BTreeSet::from(ALL), "a state that no transition leads to");
    insta::assert_snapshot!(table);
}

#[test]
fn every_state_of_an_alert_a_run_and_a_trigger_meets_every_event() {
    let mut table = String::new();
    let mut row = |who: &str, state: String, event: String, outcome: Result<String, Illegal>| {
        let outcome = outcome.map_or_else(|it| format!("illegal: {}", it.why), |state| format!("-> {state}"));
        let _ = writeln!(table, "{who:<8} {state:<10} {event:<60} {outcome}");
    };

    let body = AlertBody {
        key: "health/1/0".into(),
        monitor: "health".into(),
        deployment: "production".into(),
        model: "demand".into(),
        version: 1,
        window: Window { from: 0, to: 1 },
        breaches: 1,
        breached: vec![],
    };
    let pending = Alert::new(Channel::Webhook, Address::Plain("http://127.0.0.1:9".into()), body, START);
    let sent = pending.step(START, &alert::Event::Sent { attempt: 1 }).expect("legal");
    let gone = pending.step(START, &alert::Event::GaveUp { why: "no such host".into() }).expect("legal");
    for alert in [&pending, &sent, &gone] {
        for event in [
            alert::Event::Tried { attempt: 1, why: "refused".into() },
            alert::Event::Tried { attempt: 2, why: "refused".into() },
            alert::Event::Sent { attempt: 1 },
            alert::Event::GaveUp { why: "no such host".into() },
        ] {
            let after = alert.step(START, &event).map(|after| format!("{:?}", after.state()));
            row("alert", format!("{:?}", alert.state()), format!("{event:?}"), after);
        }
    }

    let wanted = Retraining::new("retrain/health/1".into(), "health", "bikes", &[], START, "drift".into());
    let started = wanted.step(&retrain::Event::Started { run: None }).expect("legal");
    let numbered = started.step(&retrain::Event::Started { run: Some(9) }).expect("legal");
    let over = |run| retrain::Event::Ended { run, outcome: retrain::RetrainOutcome::Blocked, words: String::new() };
    let ended = numbered.step(&over(None)).expect("legal");
    for run in [&wanted, &started, &numbered, &ended] {
        for event in [retrain::Event::Started { run: None }, retrain::Event::Started { run: Some(9) }, over(None)] {
            let after = run.step(&event).map(|after| format!("{:?} {:?}", after.state(), after.run()));
            row("run", format!("{:?}", run.state()), format!("{event:?}"), after);
        }
    }

    let node = |when| TriggerNode { when, params: vec![] };
    let weekly = node(TriggerWhen::Schedule { cron: "0 3 * * 1".into(), zone: "UTC".into() });
    let scheduled = Trigger::new("schedule 0 3 * * 1", "bikes", &weekly, START);
    let unseen = Trigger::new("change days", "bikes", &node(TriggerWhen::Change { data: NodeId(0) }), START);
    let seen = unseen.step(START, &trigger::Event::Seen { digest: "a".into() }).expect("legal").0;
    // The first of April was a Friday.
    let monday = START + 3 * DAY + 3 * HOUR;
    for trigger in [&scheduled, &unseen, &seen] {
        for (name, event) in [
            ("fired on Monday at 3", trigger::Event::Fired { at: monday }),
            ("fired at another time", trigger::Event::Fired { at: monday + MINUTE }),
            ("fired before its time", trigger::Event::Fired { at: monday + 7 * DAY }),
            ("seen: a", trigger::Event::Seen { digest: "a".into() }),
            ("seen: b", trigger::Event::Seen { digest: "b".into() }),
        ] {
            let after = trigger.step(monday + HOUR, &event).map(|(after, fired)| {
                format!(
                    "{:?}{}",
                    after.state(),
                    fired.map(|fired| format!(", runs as {}", fired.key)).unwrap_or_default()
                )
            });
            row("trigger", format!("{:?}", trigger.state()), name.to_owned(), after);
        }
    }
    insta::assert_snapshot!(table);
}
