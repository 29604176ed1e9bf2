//! Monitors: windows, breaches, and what they bring about.

use super::*;
use crate::machine::monitor::{State, Window, window_of};

fn watched(node: MonitorNode) -> World {
    World::serving(declare(replace(None), vec![("health".to_owned(), node)], vec![]))
}

fn state(world: &World) -> State {
    world.live.monitors().next().expect("declared").1.state()
}

fn windows(world: &World) -> Vec<(i64, i64)> {
    let hours = |window: &Window| ((window.from - START) / HOUR, (window.to - START) / HOUR);
    let judged = world.entries.iter().filter_map(|entry| match &entry.what {
        What::Monitor { event: monitor::Event::Judged { window, .. }, .. } => Some(hours(window)),
        _ => None,
    });
    judged.collect()
}

const BAD: Option<f64> = Some(0.62);

#[test]
fn windows_are_aligned_to_the_first_version_and_hold_nothing_from_before() {
    let node = MonitorNode { over: nanos(3 * HOUR), ..health(vec![]) };
    let mut world = watched(node);
    world.runs_for(5 * HOUR);
    assert_eq!(windows(&world), [(0, 1), (0, 2), (0, 3), (1, 4), (2, 5)]);
}

#[test]
fn a_new_stable_version_is_judged_by_its_own_rows_after_one_whole_interval() {
    let mut world = watched(health(vec![]));
    world.runs_for(2 * HOUR + 30 * MINUTE);
    world.does(offered(2, 2));
    world.runs_for(5 * HOUR);
    let seen = windows(&world);
    // Stable since 2:31: the hour until 3:31 is its first, and 4:00 the first end after that.
    assert_eq!(seen[..2], [(0, 1), (0, 2)]);
    let first = world.entries.iter().find_map(|entry| match &entry.what {
        What::Monitor { event: monitor::Event::Judged { window, version: 2, .. }, .. } => Some(*window),
        _ => None,
    });
    let since = START + 2 * HOUR + 31 * MINUTE;
    assert_eq!(first, Some(Window { from: since, to: START + 4 * HOUR }));
}

#[test]
fn no_window_is_judged_while_the_candidate_answers_everybody() {
    let slow = Strategy::Replace { watch: nanos(5 * HOUR), check: None };
    let mut world = World::serving(declare(slow, vec![("health".to_owned(), health(vec![]))], vec![]));
    world.runs_for(HOUR);
    world.does(offered(2, 2));
    world.runs_for(4 * HOUR);
    assert_eq!(windows(&world), [(0, 1)]);
}

#[test]
fn of_missed_windows_only_the_newest_is_judged() {
    let mut world = watched(health(vec![]));
    world.runs_for(HOUR);
    world.does(What::Closed);
    world.now += 30 * HOUR + MINUTE;
    world.does(opened());
    world.runs_for(HOUR);
    assert_eq!(windows(&world), [(0, 1), (7, 31), (8, 32)]);
    assert!(world.story().contains("health: 29 windows missed and not judged"), "{}", world.story());
}

#[test]
fn a_breach_brings_its_actions_about_once() {
    let mut world = watched(health(vec![on(2, vec![hook(), again()])]));
    world.drifts.extend([Some(0.1), BAD, Some(0.1), BAD, BAD, BAD, BAD, Some(0.1), BAD, BAD]);
    world.runs_for(11 * HOUR);
    assert_eq!(state(&world), State::Well);
    assert_eq!(world.arrived.len(), 2, "one for each episode");
    assert_eq!(world.started.len(), 1, "the second comes within the cooldown of twelve hours");
    insta::assert_snapshot!(world.story());
}

#[test]
fn an_episode_that_goes_on_retrains_again_after_the_cooldown_and_alerts_no_more() {
    let mut world = watched(health(vec![on(1, vec![hook(), again()])]));
    world.outcomes.push_back(retrain::RetrainOutcome::Failed);
    world.drifts.extend([BAD; 40]);
    world.runs_for(30 * HOUR);
    let to = |hour: i64| format!("retrain/health/{}", START + hour * HOUR);
    assert_eq!(world.started, [to(1), to(13), to(25)]);
    assert_eq!(world.arrived, [format!("health/{}/0", START + HOUR)]);
}

#[test]
fn a_retraining_waits_for_a_rollout_and_for_a_run() {
    let mut world =
        World::serving(declare(canary(None), vec![("health".to_owned(), health(vec![on(1, vec![again()])]))], vec![]));
    world.does(offered(2, 2));
    world.drifts.extend([BAD; 40]);
    world.runs_for(3 * HOUR);
    assert!(world.started.is_empty(), "the canary waits for a person");
    world.does(asked(Asked::Abort));
    world.runs_for(HOUR);
    assert_eq!(world.started, [format!("retrain/health/{}", START + 4 * HOUR)]);
    let waits = world.live.story().iter().filter(|told| told.words.starts_with("retrain waits")).count();
    assert_eq!(waits, 1, "told once");
}

#[test]
fn a_monitor_rolls_back_to_the_version_before() {
    let mut world = watched(health(vec![on(2, vec![Action::Rollback])]));
    world.runs_for(HOUR);
    world.does(offered(2, 2));
    world.drifts.extend([BAD; 4]);
    world.runs_for(6 * HOUR);
    assert_eq!(world.live.routes("production").stable, Some(1));
    insta::assert_snapshot!(world.story());
}

#[test]
fn a_first_version_has_nothing_to_go_back_to() {
    let mut world = watched(health(vec![on(1, vec![Action::Rollback])]));
    world.drifts.extend([BAD; 3]);
    world.runs_for(3 * HOUR);
    assert_eq!(world.live.routes("production").stable, Some(1));
    assert!(world.story().contains("health: rollback waits: no version was stable before"), "{}", world.story());
}

/// Breach, no data, breach: with `wait` the silent window neither breaks the row nor counts.
#[test]
fn no_data_is_what_the_author_wrote() {
    for (on_no_data, alerts) in [(OnNoData::Wait, 1), (OnNoData::Pass, 0), (OnNoData::Fail, 1)] {
        let mut world = watched(MonitorNode { on_no_data, ..health(vec![on(2, vec![hook()])]) });
        world.drifts.extend([BAD, None, BAD]);
        world.runs_for(3 * HOUR);
        assert_eq!(world.arrived.len(), alerts, "{on_no_data:?}");
    }
    let mut world = watched(MonitorNode { on_no_data: OnNoData::Wait, ..health(vec![on(1, vec![hook()])]) });
    world.drifts.extend([None; 50]);
    world.runs_for(50 * HOUR);
    assert_eq!((state(&world), world.arrived.len()), (State::Unjudged, 0));
}

#[test]
fn a_new_stable_version_ends_the_episode() {
    let mut world = watched(health(vec![on(3, vec![hook()])]));
    world.drifts.extend([BAD, BAD]);
    world.runs_for(2 * HOUR);
    world.does(offered(2, 2));
    world.drifts.extend([BAD, BAD]);
    world.runs_for(3 * HOUR);
    assert_eq!((state(&world), world.arrived.len()), (State::Breached, 0));
}

#[test]
fn an_edit_elsewhere_in_the_file_changes_nothing_and_one_of_the_monitor_begins_anew() {
    let node = health(vec![on(2, vec![hook()])]);
    let mut world = watched(node.clone());
    world.drifts.extend([BAD, BAD, BAD]);
    world.runs_for(HOUR);
    let mut moved = node.clone();
    moved.deployment = NodeId(3);
    moved.watches[0].span = Span { start: 7, ..Span::default() };
    world.does(declare(replace(None), vec![("health".to_owned(), moved)], vec![]));
    assert_eq!(state(&world), State::Breached);
    let stricter = MonitorNode { over: nanos(2 * HOUR), ..node };
    world.does(declare(replace(None), vec![("health".to_owned(), stricter)], vec![]));
    assert_eq!(state(&world), State::Unjudged);
    world.runs_for(2 * HOUR);
    assert_eq!(windows(&world), [(0, 1), (0, 2), (1, 3)]);
}

#[test]
fn a_verdict_that_comes_too_late_is_illegal() {
    let mut world = watched(health(vec![]));
    world.now += HOUR;
    let Some(Duty::Judge { window, .. }) = world.live.due(world.now).into_iter().next() else { panic!("due") };
    let judged = |version, window| What::Monitor {
        monitor: "health".into(),
        event: monitor::Event::Judged { window, version, watches: vec![] },
    };
    let refused = |world: &mut World, what| world.tries(what).unwrap_err().why;
    assert_eq!(refused(&mut world, judged(2, window)), "another version is stable");
    let early = Window { to: window.to + HOUR, ..window };
    assert_eq!(refused(&mut world, judged(1, early)), "that window is not to be judged");
    world.does(judged(1, window));
    assert_eq!(refused(&mut world, judged(1, window)), "that window is not to be judged");
    let beyond = WatchVerdict { watch: 5, ..drift("temp", None) };
    world.now += HOUR;
    let window = Window { to: window.to + HOUR, ..window };
    let what = monitor::Event::Judged { window, version: 1, watches: vec![beyond] };
    assert_eq!(refused(&mut world, What::Monitor { monitor: "health".into(), event: what }), "it has no such watch");
}

#[test]
fn past_values_are_kept_as_long_as_a_limit_looks_back() {
    let mut node = health(vec![]);
    node.watches[0].limit = *live(LiveMetric::Baseline(nanos(3 * HOUR)));
    let mut world = watched(node);
    world.drifts.extend([Some(0.1), Some(0.2), None, Some(0.4), Some(0.5)]);
    world.runs_for(5 * HOUR);
    let past = |over: i64| world.live.past("health", 0, nanos(over), world.now);
    assert_eq!(past(3 * HOUR), [0.4, 0.5]);
    assert_eq!(past(HOUR), [0.5]);
    assert_eq!(past(9 * HOUR), [0.4, 0.5], "what is older is gone");
}

#[test]
fn labels_are_judged_as_much_later_as_they_take() {
    let node = MonitorNode { over: nanos(3 * HOUR), ..health(vec![]) };
    let watch = |delay: Millis| {
        let what = Watched::Label { metric: LabelMetric::Rmse, label: "bikers".into(), delay: nanos(delay) };
        Watch { what, ..node.watches[0].clone() }
    };
    let window = |to: i64| Window { from: START, to: START + to * HOUR };
    let hours = |delay, to| {
        let window = window_of(&node, &watch(delay), window(to), START)?;
        Some(((window.from - START) / HOUR, (window.to - START) / HOUR))
    };
    assert_eq!(hours(2 * HOUR, 6), Some((1, 4)));
    assert_eq!(hours(2 * HOUR, 4), Some((0, 2)), "nothing from before the version was stable");
    assert_eq!(hours(2 * HOUR, 2), None);
}

#[test]
fn an_alert_is_tried_with_growing_pauses_and_given_up_after_ten_attempts() {
    let mut world = watched(health(vec![on(1, vec![hook()])]));
    world.drifts.push_back(BAD);
    world.refusals = 100;
    world.runs_for(HOUR + 30 * MINUTE);
    let tried = world.entries.iter().filter_map(|entry| match &entry.what {
        What::Alert { event: alert::Event::Tried { .. }, .. } => Some((entry.at - START - HOUR) / SECOND),
        _ => None,
    });
    assert_eq!(tried.collect::<Vec<_>>(), [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    assert!(world.live.alerts().next().is_none());
    assert!(world.story().contains("given up after 10 attempts"), "{}", world.story());
}
