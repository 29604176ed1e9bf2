//! Triggers, and the runs they ask for.

use super::*;

fn schedule(cron: &str) -> (String, TriggerNode) {
    let when = TriggerWhen::Schedule { cron: cron.into(), zone: "UTC".into() };
    (format!("schedule {cron}"), TriggerNode { when, params: vec![("until".into(), Given::Now)] })
}

fn change() -> (String, TriggerNode) {
    ("change days".to_owned(), TriggerNode { when: TriggerWhen::Change { data: NodeId(0) }, params: vec![] })
}

fn with(triggers: Vec<(String, TriggerNode)>) -> World {
    World::new(declare(replace(None), vec![], triggers))
}

#[test]
fn a_schedule_runs_the_pipeline_at_its_times() {
    let mut world = with(vec![schedule("0 3 * * *")]);
    world.runs_for(3 * DAY);
    let at = |day: i64| format!("trigger/bikes/schedule 0 3 * * */{}", START + day * DAY + 3 * HOUR);
    assert_eq!(world.started, [at(0), at(1), at(2)]);
}

#[test]
fn times_missed_without_an_engine_fire_once_for_the_newest() {
    for (cron, away, newest) in [
        ("0 3 * * *", 10 * DAY, 9 * DAY + 3 * HOUR),
        ("* * * * *", 400 * DAY, 400 * DAY),
        ("0 0 1 1 *", 400 * DAY, 275 * DAY),
    ] {
        let mut world = with(vec![schedule(cron)]);
        world.does(What::Closed);
        world.now += away;
        world.does(opened());
        world.runs_for(0);
        assert_eq!(world.started, [format!("trigger/bikes/schedule {cron}/{}", START + newest)]);
    }
}

#[test]
fn data_runs_the_pipeline_when_it_has_another_content() {
    let mut world = with(vec![change()]);
    let trigger = "bikes/change days".to_owned();
    let seen = |digest: &str| What::Trigger {
        trigger: trigger.clone(),
        event: trigger::Event::Seen { digest: digest.into() },
    };
    let known = |world: &World| match world.live.due(world.now).first() {
        Some(Duty::Watch { known, .. }) => known.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(known(&world), None);
    world.does(seen("a"));
    assert_eq!(known(&world), Some("a".into()));
    world.does(seen("a"));
    world.runs_for(MINUTE);
    assert!(world.started.is_empty(), "the first content is what others are compared with");
    world.now += MINUTE;
    world.does(seen("b"));
    world.runs_for(0);
    assert_eq!(world.started, [format!("trigger/bikes/change days/{}", world.now)]);
    // Redeclared with every new engine; what was seen stays.
    world.does(declare(replace(None), vec![], vec![change()]));
    assert_eq!(known(&world), Some("b".into()));
}

#[test]
fn one_run_at_a_time_and_none_is_started_twice() {
    let mut world = with(vec![schedule("0 3 * * *"), change()]);
    let fire = |at| What::Trigger { trigger: "bikes/schedule 0 3 * * *".into(), event: trigger::Event::Fired { at } };
    world.now = START + 3 * HOUR;
    world.does(fire(START + 3 * HOUR));
    let key = format!("trigger/bikes/schedule 0 3 * * */{}", START + 3 * HOUR);
    let started = |run| What::Retrain { key: key.clone(), event: retrain::Event::Started { run } };
    let runs = |world: &World| -> Vec<(String, bool, Option<u64>)> {
        let run = |duty| match duty {
            Duty::Retrain { key, started, run, .. } => Some((key, started, run)),
            _ => None,
        };
        world.live.due(world.now).into_iter().filter_map(run).collect()
    };
    assert_eq!(runs(&world), [(key.clone(), false, None)]);
    world.does(started(None));
    assert_eq!(runs(&world), [(key.clone(), true, None)], "a new engine finds out how it went on");
    world.does(started(Some(4)));
    assert!(world.tries(started(Some(5))).is_err());

    // The next firing waits; one more makes no third run.
    world.now += DAY;
    world.does(fire(START + DAY + 3 * HOUR));
    world.now += DAY;
    world.does(fire(START + 2 * DAY + 3 * HOUR));
    assert_eq!(runs(&world), [(key.clone(), true, Some(4))]);
    assert_eq!(world.live.retrainings().count(), 2);
    let second = format!("trigger/bikes/schedule 0 3 * * */{}", START + DAY + 3 * HOUR);
    let refused = world.tries(What::Retrain { key: second.clone(), event: retrain::Event::Started { run: None } });
    assert_eq!(refused.unwrap_err().why, "another run of its pipeline comes first");

    let (outcome, words) = (retrain::RetrainOutcome::Offered(2), "rmse 61.2 beats 70.1".to_owned());
    world.does(What::Retrain { key, event: retrain::Event::Ended { run: Some(4), outcome, words } });
    assert_eq!(runs(&world), [(second, false, None)]);
    let told = world.live.story().last().expect("told").to_string();
    assert_eq!(told, "bikes/schedule 0 3 * * *: run 4 offered version 2: rmse 61.2 beats 70.1");
}

#[test]
fn what_is_no_longer_declared_fires_no_more() {
    let mut world = with(vec![schedule("0 3 * * *"), change()]);
    world.does(declare(replace(None), vec![], vec![schedule("0 4 * * *")]));
    world.runs_for(DAY);
    assert_eq!(world.started, [format!("trigger/bikes/schedule 0 4 * * */{}", START + 4 * HOUR)]);
    assert_eq!(world.live.triggers().count(), 1);
}
