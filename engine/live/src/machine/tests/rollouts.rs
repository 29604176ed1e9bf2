//! Rollouts from their first request to their end.

use super::*;
use crate::machine::rollout::State;

fn declared(strategy: Strategy) -> What {
    declare(strategy, vec![], vec![])
}

/// Version 2 is loaded and at its first step.
fn begun(strategy: Strategy) -> World {
    let mut world = World::serving(declared(strategy));
    world.does(offered(2, 2));
    world.does(answer(rollout::Event::Loaded { version: 2 }));
    world
}

#[test]
fn a_canary_takes_each_step_and_becomes_stable() {
    let mut world = World::new(declared(canary(Some(check(OnNoData::Wait)))));
    world.does(offered(1, 1));
    world.runs_for(MINUTE);
    world.does(offered(2, 2));
    world.runs_for(HOUR);
    assert_eq!(world.state(), State::AwaitingPromotion);
    world.does(asked(Asked::Promote));
    world.runs_for(HOUR);
    assert_eq!(world.live.serving("production"), Some(("demand".into(), 2)));
    insta::assert_snapshot!(world.story());
}

#[test]
fn the_first_version_takes_over_as_soon_as_it_is_loaded() {
    let mut world = World::new(declared(shadow(Some(check(OnNoData::Fail)))));
    world.does(offered(1, 1));
    assert_eq!((world.state(), world.live.routes("production").stable), (State::Starting, None));
    assert_eq!(world.live.loaded("production"), [1].into());
    world.does(answer(rollout::Event::Loaded { version: 1 }));
    assert_eq!((world.state(), world.live.routes("production").stable), (State::Serving, Some(1)));
}

#[test]
fn blue_green_sees_a_copy_then_takes_all_and_keeps_the_old_one() {
    let mut world = begun(blue_green(Some(check(OnNoData::Wait))));
    let routes = world.live.routes("production");
    assert_eq!((routes.candidate, routes.mirror), (None, Some((2, 1.0))));
    while world.state() == State::Previewing {
        world.turn(world.now + HOUR);
    }
    assert_eq!(world.now, START + MINUTE);
    let routes = world.live.routes("production");
    assert_eq!((world.state(), routes.candidate, routes.mirror), (State::Keeping, Some((2, 1.0)), None));
    assert_eq!(world.live.loaded("production"), [1, 2].into());
    assert_eq!(world.live.serving("production"), Some(("demand".into(), 1)), "stable until the keep is over");
    while world.state() == State::Keeping {
        world.turn(world.now + HOUR);
    }
    assert_eq!(world.now, START + 3 * MINUTE);
    assert_eq!(world.live.serving("production"), Some(("demand".into(), 2)));
    assert_eq!(world.live.loaded("production"), [2].into());
}

#[test]
fn a_failure_after_the_switch_gives_the_traffic_back() {
    for strategy in [blue_green as fn(Option<Check>) -> Strategy, replace] {
        let mut world = begun(strategy(Some(Check { failures: 0, ..check(OnNoData::Wait) })));
        while world.weight() < 1.0 {
            world.turn(world.now + HOUR);
        }
        world.found.push_back(Found::Errors(0.5));
        world.runs_for(HOUR);
        let routes = world.live.routes("production");
        assert_eq!((routes.stable, routes.candidate, routes.mirror), (Some(1), None, None));
        assert_eq!(world.live.loaded("production"), [1].into());
    }
}

#[test]
fn a_shadow_never_answers_and_waits_for_a_person() {
    let mut world = begun(shadow(Some(check(OnNoData::Wait))));
    assert_eq!(world.live.routes("production").mirror, Some((2, 0.3)));
    world.runs_for(DAY);
    assert_eq!((world.state(), world.live.routes("production").mirror), (State::ShadowDone, None));
    assert_eq!(world.live.loaded("production"), [1, 2].into());
    world.does(asked(Asked::Promote));
    assert_eq!(world.live.routes("production").stable, Some(2));
}

#[test]
fn stages_without_length_are_passed_over() {
    let none = None::<Check>;
    for (strategy, after) in [
        (Strategy::Replace { watch: 0, check: none.clone() }, State::Serving),
        (Strategy::BlueGreen { preview: 0, keep: 0, check: none.clone() }, State::Serving),
        (Strategy::BlueGreen { preview: 0, keep: 1, check: none.clone() }, State::Keeping),
        (Strategy::BlueGreen { preview: 1, keep: 0, check: none.clone() }, State::Previewing),
        (Strategy::Shadow { share: 1.0, hold: 0, check: none.clone() }, State::ShadowDone),
        (Strategy::Canary { steps: vec![], check: none }, State::Serving),
    ] {
        assert_eq!(begun(strategy.clone()).state(), after, "{strategy:?}");
    }
}

/// What so many measurements of one kind in a row lead to: two failures, one inconclusive and one error are tolerated.
#[test]
fn limits_are_compared_with_greater() {
    for (found, count, after) in [
        (Found::Errors(0.2), 2, State::Holding),
        (Found::Errors(0.2), 3, State::Serving),
        (Found::Errors(0.03), 1, State::Holding),
        (Found::Errors(0.03), 2, State::Paused),
        (Found::Broken, 1, State::Holding),
        (Found::Broken, 2, State::Serving),
        (Found::Nothing, 500, State::Holding),
    ] {
        let mut world = begun(canary(Some(check(OnNoData::Wait))));
        world.found.extend(std::iter::repeat_n(found, count));
        while !world.found.is_empty() && world.turn(world.now + DAY) {}
        assert_eq!(world.state(), after, "{count} times {found:?}");
        let stable_alone = world.weight() == 0.0;
        assert_eq!(stable_alone, after == State::Serving);
    }
}

#[test]
fn errors_count_in_a_row_and_failures_over_the_whole_rollout() {
    let mut world = begun(canary(Some(check(OnNoData::Wait))));
    let bad = Found::Errors(0.2);
    world.found.extend([Found::Broken, Found::Errors(0.0), Found::Broken, Found::Nothing, Found::Broken, bad]);
    world.found.extend([Found::Errors(0.0), bad, Found::Errors(0.0), bad]);
    world.runs_for(HOUR);
    assert_eq!(world.state(), State::Serving);
    insta::assert_snapshot!(world.story());
}

#[test]
fn no_data_is_what_the_author_wrote() {
    for (on_no_data, after, weight) in [
        (OnNoData::Wait, State::Holding, 0.05),
        (OnNoData::Pass, State::AwaitingPromotion, 0.25),
        (OnNoData::Fail, State::Serving, 0.0),
    ] {
        let mut world = begun(canary(Some(check(on_no_data))));
        world.found.extend([Found::Nothing; 1_000]);
        world.runs_for(3 * HOUR);
        assert_eq!((world.state(), world.weight()), (after, weight), "{on_no_data:?}");
    }
}

#[test]
fn time_without_data_does_not_pass() {
    let mut world = begun(canary(Some(check(OnNoData::Wait))));
    world.found.extend([Found::Errors(0.0), Found::Nothing, Found::Nothing, Found::Errors(0.0), Found::Broken]);
    while world.state() == State::Holding {
        world.turn(world.now + HOUR);
    }
    // Two minutes of the step, and one and a half that brought nothing.
    assert_eq!(world.now, START + 3 * MINUTE + 30 * SECOND);
}

#[test]
fn a_step_ends_with_a_measurement_also_if_it_is_shorter_than_the_interval() {
    let step = |weight, hold| CanaryStep { weight, hold };
    let hold = |seconds| Hold::For(nanos(seconds * SECOND));
    let slow = Check { every: nanos(MINUTE), ..check(OnNoData::Wait) };
    let steps = vec![step(0.1, hold(20)), step(0.2, hold(90)), step(1.0, Hold::Done)];
    let mut world = begun(Strategy::Canary { steps: steps.clone(), check: Some(slow.clone()) });
    world.runs_for(HOUR);
    let measured = world.entries.iter().filter_map(|entry| match &entry.what {
        What::Rollout { event: rollout::Event::Measured { .. }, .. } => Some((entry.at - START) / SECOND),
        _ => None,
    });
    assert_eq!(measured.collect::<Vec<_>>(), [20, 20 + 60, 20 + 90]);

    // Nothing at the end of the short step nor a minute after it began: from then on the rhythm decides.
    let mut world = begun(Strategy::Canary { steps, check: Some(slow) });
    world.found.extend([Found::Nothing, Found::Nothing]);
    while world.weight() < 0.2 {
        world.turn(world.now + HOUR);
    }
    assert_eq!(world.now, START + 120 * SECOND);
}

#[test]
fn a_hold_without_one_success_goes_on() {
    let lenient = Check { failures: 100, ..check(OnNoData::Wait) };
    let mut world = begun(canary(Some(lenient)));
    world.found.extend([Found::Errors(0.2); 50]);
    while !world.found.is_empty() {
        world.turn(world.now + HOUR);
        assert_eq!(world.weight(), 0.05);
    }
    world.runs_for(MINUTE);
    assert_eq!(world.state(), State::AwaitingPromotion);
}

/// Both given and both true, a number missing in one of them, and the worst of several lines.
#[test]
fn lines_are_judged_one_by_one_and_the_worst_counts() {
    use rollout::Verdict;
    let fraction = Value::Fraction;
    let error_rate = |comparison, limit| compare(LiveMetric::ErrorRate, comparison, fraction(limit));
    let latency = |comparison, limit| compare(LiveMetric::Latency(0.95), comparison, Value::Duration(nanos(limit)));
    let only = condition(error_rate(Comparison::LessOrEqual, 0.01), None);
    let greedy = condition(error_rate(Comparison::LessOrEqual, 0.5), Some(error_rate(Comparison::Greater, 0.1)));
    let slow = condition(latency(Comparison::LessOrEqual, 250), Some(latency(Comparison::Greater, 500)));
    for (conditions, rate, p95, verdict, words) in [
        (vec![only.clone()], Some(0.0), None, Verdict::Success, "error_rate 0% <= 1%"),
        (vec![only.clone()], Some(0.052), None, Verdict::Failed, "error_rate 5.2% > 1%"),
        (vec![only.clone()], None, None, Verdict::NoData, "error_rate: no data"),
        (vec![greedy.clone()], Some(0.2), None, Verdict::Failed, "error_rate 20% > 10%"),
        (vec![slow.clone()], None, Some(300), Verdict::Inconclusive, "p95(latency) 300ms > 250ms"),
        (vec![slow.clone()], None, Some(612), Verdict::Failed, "p95(latency) 612ms > 500ms"),
        (vec![only.clone(), slow.clone()], Some(0.0), Some(300), Verdict::Inconclusive, "p95(latency) 300ms > 250ms"),
        (vec![only.clone(), slow.clone()], Some(0.2), Some(300), Verdict::Failed, "error_rate 20% > 1%"),
        (vec![only.clone(), slow.clone()], Some(0.2), None, Verdict::Failed, "error_rate 20% > 1%"),
        (vec![only.clone(), slow.clone()], Some(0.0), None, Verdict::NoData, "p95(latency): no data"),
        (vec![], None, None, Verdict::Success, ""),
    ] {
        let mut world = begun(canary(Some(Check { conditions, failures: 9, ..check(OnNoData::Wait) })));
        world.now += 30 * SECOND;
        let numbers = vec![
            (LiveMetric::ErrorRate, rate.map(fraction)),
            (LiveMetric::Latency(0.95), p95.map(|p95| Value::Duration(nanos(p95)))),
        ];
        world.does(answer(rollout::Event::Measured { version: 2, requests: 100, numbers }));
        let last = world.live.deployment("production").and_then(|it| it.rollout()?.last().cloned()).expect("measured");
        assert_eq!((last.verdict, last.words().as_str()), (verdict, words));
    }
}

#[test]
fn a_person_pauses_resumes_and_skips() {
    let mut world = begun(canary(Some(check(OnNoData::Wait))));
    world.runs_for(MINUTE);
    world.does(asked(Asked::Pause));
    world.runs_for(DAY);
    assert_eq!((world.state(), world.weight()), (State::Paused, 0.05));
    world.does(asked(Asked::Resume));
    let resumed = world.now;
    while world.state() == State::Holding {
        world.turn(world.now + HOUR);
    }
    assert_eq!(world.now, resumed + MINUTE, "the second of two minutes");
    world.does(asked(Asked::Promote));
    assert_eq!((world.state(), world.weight()), (State::Holding, 0.5));
    world.does(asked(Asked::Promote));
    assert_eq!(world.live.routes("production").stable, Some(2));
}

#[test]
fn a_paused_candidate_that_fails_is_aborted() {
    let mut world = begun(canary(Some(check(OnNoData::Wait))));
    world.does(asked(Asked::Pause));
    world.found.extend([Found::Errors(0.2); 3]);
    world.runs_for(HOUR);
    assert_eq!((world.state(), world.weight()), (State::Serving, 0.0));
}

#[test]
fn an_inconclusive_pause_is_forgiven_by_whoever_goes_on() {
    for (what, weight) in [(Asked::Resume, 0.05), (Asked::Promote, 0.25), (Asked::Abort, 0.0)] {
        let mut world = begun(canary(Some(check(OnNoData::Wait))));
        world.found.extend([Found::Errors(0.03), Found::Errors(0.03), Found::Errors(0.03)]);
        world.runs_for(MINUTE + 30 * SECOND);
        assert_eq!(world.state(), State::Paused);
        world.does(asked(what));
        assert_eq!(world.weight(), weight);
        let counted = world.live.deployment("production").and_then(|it| it.rollout()).map(|it| it.inconclusive());
        assert_eq!(counted.unwrap_or(0), 0);
    }
}

#[test]
fn a_newer_candidate_supersedes_and_an_older_one_does_not() {
    let mut world = begun(canary(None));
    world.does(offered(2, 7));
    assert_eq!(world.weight(), 0.05, "the candidate itself changes nothing");
    world.does(offered(3, 1));
    assert_eq!(world.weight(), 0.05, "an older run changes nothing");
    world.does(offered(3, 3));
    assert_eq!((world.state(), world.weight()), (State::Loading, 0.0));
    assert_eq!(world.live.loaded("production"), [1, 3].into());
    assert_eq!(world.live.ask("production", &Asked::Retry), Err("demand@3 is on its way".into()));
    world.does(asked(Asked::Abort));
    world.does(asked(Asked::Retry));
    assert_eq!(world.live.loaded("production"), [1, 3].into(), "what was superseded had nothing wrong with it");
}

#[test]
fn what_was_rejected_comes_again_only_from_another_run_or_by_retry() {
    let mut world = begun(canary(None));
    world.does(asked(Asked::Abort));
    world.does(offered(2, 2));
    assert_eq!(world.state(), State::Serving);
    world.does(asked(Asked::Retry));
    assert_eq!(world.state(), State::Loading);
    world.does(asked(Asked::Abort));
    world.does(offered(2, 3));
    assert_eq!(world.state(), State::Loading);
    world.does(answer(rollout::Event::LoadFailed { version: 2, why: "its bytes are damaged".into() }));
    assert_eq!(world.state(), State::Serving);
    insta::assert_snapshot!(world.story());
}

#[test]
fn rollback_leads_to_what_was_stable_before() {
    let mut world = World::serving(declared(replace(None)));
    for version in 2..=4 {
        world.does(offered(version, version));
        world.runs_for(HOUR);
    }
    assert_eq!(world.live.routes("production").stable, Some(4));
    for (to, stable) in [(None, 3), (Some(1), 1), (Some(4), 4)] {
        world.does(asked(Asked::Rollback { to }));
        assert_eq!(world.state(), State::Returning);
        world.runs_for(MINUTE);
        assert_eq!((world.state(), world.live.routes("production").stable), (State::Serving, Some(stable)));
    }
    let refused = |to| world.live.ask("production", &Asked::Rollback { to }).unwrap_err();
    assert_eq!(refused(Some(4)), "demand@4 is stable already");
    assert_eq!(refused(Some(9)), "demand@9 was never stable in `production`");
}

#[test]
fn a_candidate_offered_during_a_return_waits() {
    let mut world = World::serving(declared(replace(None)));
    world.does(offered(2, 2));
    world.runs_for(HOUR);
    world.does(asked(Asked::Rollback { to: None }));
    world.does(offered(3, 3));
    assert_eq!((world.state(), world.live.loaded("production")), (State::Returning, [1, 2].into()));
    world.does(answer(rollout::Event::Loaded { version: 1 }));
    assert_eq!((world.state(), world.live.loaded("production")), (State::Loading, [1, 3].into()));
}

#[test]
fn rollback_during_a_rollout_aborts_it() {
    for strategy in [canary(None), blue_green(None), replace(None), shadow(None)] {
        let mut world = begun(strategy);
        world.does(asked(Asked::Rollback { to: None }));
        let routes = world.live.routes("production");
        assert_eq!((world.state(), routes.stable, routes.candidate), (State::Serving, Some(1), None));
    }
}

#[test]
fn a_rollout_keeps_the_strategy_it_began_with() {
    let mut world = begun(canary(None));
    world.does(declared(replace(None)));
    world.runs_for(3 * MINUTE);
    assert_eq!((world.state(), world.weight()), (State::AwaitingPromotion, 0.25));
}

#[test]
fn what_is_withdrawn_answers_nobody_and_comes_back_as_it_was() {
    let mut world = begun(canary(None));
    let (pipeline, file) = ("bikes".to_owned(), "bikes.mlp".to_owned());
    world.does(What::Declared { pipeline, file, deployments: vec![], monitors: vec![], triggers: vec![] });
    assert_eq!(world.live.routes("production").stable, None);
    assert!(world.live.loaded("production").is_empty() && world.live.serving("production").is_none());
    world.does(declared(canary(None)));
    assert_eq!((world.state(), world.live.routes("production").stable), (State::Serving, Some(1)));
}

#[test]
fn names_are_unique_in_a_project_but_a_renamed_pipeline_keeps_its_own() {
    let mut world = begun(canary(None));
    let other = |pipeline: &str, file: &str| What::Declared {
        pipeline: pipeline.into(),
        file: file.into(),
        deployments: vec![("production".into(), deploy(canary(None)))],
        monitors: vec![],
        triggers: vec![],
    };
    let refused = world.tries(other("cars", "cars.mlp")).unwrap_err();
    assert_eq!(refused.why, "`bikes` has a deployment `production` already; names are unique in a project");
    world.does(other("bicycles", "bikes.mlp"));
    assert_eq!((world.state(), world.weight()), (State::Holding, 0.05));
    assert_eq!(world.live.pipelines().collect::<Vec<_>>(), [("bicycles", "bikes.mlp")]);
}

#[test]
fn time_without_an_engine_does_not_pass() {
    for check in [None, Some(check(OnNoData::Wait))] {
        let mut world = begun(canary(check));
        world.runs_for(MINUTE);
        world.does(What::Closed);
        world.now += DAY;
        world.does(opened());
        let back = world.now;
        while world.state() == State::Holding {
            world.turn(world.now + HOUR);
        }
        assert_eq!(world.now, back + MINUTE);
    }
}

#[test]
fn a_command_that_cannot_be_carried_out_is_refused_in_words() {
    let mut world = World::serving(declared(canary(None)));
    let what = [Asked::Promote, Asked::Pause, Asked::Resume, Asked::Abort, Asked::Retry, Asked::Rollback { to: None }];
    let refusals = what.iter().map(|what| {
        let why = world.live.ask("production", what).expect_err("nothing is under way");
        format!("{}: {why}\n", what.word())
    });
    insta::assert_snapshot!(refusals.collect::<String>(), @r"
    promote: nothing is being rolled out
    pause: nothing is being rolled out
    resume: nothing is being rolled out
    abort: nothing is being rolled out
    retry: nothing was rejected
    rollback: no version was stable before demand@1
    ");
    assert_eq!(
        world.live.ask("staging", &Asked::Abort).unwrap_err(),
        "there is no deployment `staging`, only `production`"
    );
    let refused = Some("nothing is being rolled out".to_owned());
    let (who, what) = ("anna".to_owned(), Asked::Abort);
    world.does(What::Asked { who, what, deployment: "production".into(), refused });
    let last = world.live.story().last().expect("told").to_string();
    assert_eq!(last, "production: anna asked for abort, refused: nothing is being rolled out");
}
