//! Laws that hold whatever happens.

use super::*;
use crate::machine::rollout::State;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What may happen next in a random life.
#[derive(Clone, Debug)]
enum Move {
    /// The next duty is answered, or time moves on.
    Turn,
    Wait(Millis),
    Offer(u64),
    Ask(Asked),
    Find(Found),
    LoadFails,
    Drift(bool),
    Kill,
    Declare(u8),
    /// Something the world never said.
    Nonsense(u8),
}

fn moves() -> impl Strategy_<Value = Vec<Move>> {
    let asked = prop_oneof![
        Just(Asked::Promote),
        Just(Asked::Pause),
        Just(Asked::Resume),
        Just(Asked::Abort),
        (0_u64..5).prop_map(|to| Asked::Rollback { to: (to > 0).then_some(to) }),
        Just(Asked::Retry),
    ];
    let found = prop_oneof![
        4 => Just(Found::Errors(0.0)),
        1 => Just(Found::Errors(0.03)),
        2 => Just(Found::Errors(0.2)),
        1 => Just(Found::Nothing),
        1 => Just(Found::Broken),
    ];
    let one = prop_oneof![
        20 => Just(Move::Turn),
        3 => (0..2 * HOUR).prop_map(Move::Wait),
        2 => (1_u64..6).prop_map(Move::Offer),
        3 => asked.prop_map(Move::Ask),
        5 => found.prop_map(Move::Find),
        1 => Just(Move::LoadFails),
        2 => any::<bool>().prop_map(Move::Drift),
        2 => Just(Move::Kill),
        1 => (0_u8..4).prop_map(Move::Declare),
        2 => (0_u8..4).prop_map(Move::Nonsense),
    ];
    prop::collection::vec(one, 1..150)
}

use proptest::strategy::Strategy as Strategy_;

fn declared(which: u8) -> What {
    let check = Some(check(OnNoData::Wait));
    let strategy = match which {
        0 => canary(check),
        1 => blue_green(check),
        2 => replace(check),
        _ => shadow(check),
    };
    let actions = vec![on(1, vec![hook()]), on(2, vec![again(), hook()]), on(3, vec![Action::Rollback])];
    let when = TriggerWhen::Schedule { cron: "0 3 * * *".into(), zone: "UTC".into() };
    let trigger = ("schedule 0 3 * * *".to_owned(), TriggerNode { when, params: vec![] });
    declare(strategy, vec![("health".to_owned(), health(actions))], vec![trigger])
}

/// Lives through the moves; what is illegal is left out, as the resident engine does.
fn lived(moves: &[Move], mut each: impl FnMut(&World)) -> World {
    let mut world = World::new(declared(0));
    let mut run = 0;
    for it in moves {
        let version = world.live.deployment("production").and_then(|it| Some(it.rollout()?.candidate().version));
        match it.clone() {
            Move::Turn => drop(world.turn(world.now + DAY)),
            Move::Wait(time) => world.now += time,
            Move::Offer(version) => {
                run += 1;
                drop(world.tries(offered(version, run)));
            }
            Move::Ask(what) => {
                let said = world.live.ask("production", &what);
                let done = world.tries(asked(what));
                assert_eq!(said, done.map_err(|illegal| illegal.why), "ask says what apply does");
            }
            Move::Find(found) => world.found.push_back(found),
            Move::LoadFails => {
                let (version, why) = (version.unwrap_or(1), "damaged".to_owned());
                drop(world.tries(answer(rollout::Event::LoadFailed { version, why })));
            }
            Move::Drift(bad) => world.drifts.push_back(Some(if bad { 0.9 } else { 0.1 })),
            Move::Kill => {
                world.live = Live::fold(&world.entries).expect("legal");
                world.does(opened());
            }
            Move::Declare(which) => world.does(declared(which)),
            Move::Nonsense(which) => {
                let before = world.live.clone();
                let event = match which {
                    0 => rollout::Event::Ticked,
                    1 => Found::Errors(0.0).event(version.unwrap_or(2)),
                    2 => rollout::Event::Loaded { version: version.unwrap_or(2) },
                    _ => rollout::Event::Loaded { version: 1_000 },
                };
                if world.tries(answer(event)).is_err() {
                    assert_eq!(world.live, before, "what is illegal changes nothing");
                }
            }
        }
        each(&world);
    }
    world
}

/// The share of all places that each version answers, by asking at many places.
fn shares(routes: &crate::routes::Routes) -> f64 {
    let answered = (0..1_000).filter(|place| routes.answers(f64::from(*place) / 1_000.0).is_some()).count();
    answered as f64 / 1_000.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_fold_from_the_journal_is_the_life_that_was_lived(moves in moves()) {
        let world = lived(&moves, |_| {});
        let written: Vec<Vec<u8>> = world.entries.iter().map(|it| postcard::to_stdvec(it).expect("encodes")).collect();
        let read: Vec<Entry> = written.iter().map(|it| postcard::from_bytes(it).expect("decodes")).collect();
        prop_assert_eq!(&read, &world.entries);
        let folded = Live::fold(&read).expect("legal");
        prop_assert_eq!(folded.due(world.now), world.live.due(world.now));
        prop_assert_eq!(folded, world.live);
    }

    #[test]
    fn whoever_is_asked_is_answered_and_no_route_leads_to_what_is_not_loaded(moves in moves()) {
        let mut steps = Vec::new();
        lived(&moves, |world| {
            let deployment = world.live.deployment("production").expect("declared");
            let (routes, loaded) = (deployment.routes(), deployment.loaded());
            assert_eq!(shares(&routes), if deployment.stable().is_some() { 1.0 } else { 0.0 });
            let reached = routes.stable.into_iter().chain(routes.candidate.map(|it| it.0)).chain(routes.mirror.map(|it| it.0));
            assert!(reached.collect::<BTreeSet<_>>().is_subset(&loaded));
            if matches!(deployment.state(), State::Idle | State::Starting | State::Serving | State::Loading | State::Returning) {
                assert_eq!((routes.candidate, routes.mirror), (None, None), "no candidate is let in");
            }
            if matches!(deployment.state(), State::Previewing | State::Shadowing | State::ShadowDone) {
                assert_eq!(routes.candidate, None, "a copy is not answered");
            }
            // A canary's weight is that of the step it has reached, and steps come one after the other.
            let step = deployment.rollout().and_then(|it| Some((it.candidate().version, it.began(), it.step()?.0)));
            if let Some((version, began, step)) = step {
                assert_eq!(routes.candidate.map(|it| it.1), Some([0.05, 0.25, 0.5][step]));
                match steps.last() {
                    Some((v, b, s)) if (*v, *b) == (version, began) => assert!(step == *s || step == s + 1),
                    _ => assert_eq!(step, 0),
                }
                steps.push((version, began, step));
            }
        });
    }

    #[test]
    fn duties_come_when_they_are_said_to(moves in moves()) {
        let timed = |live: &Live, now| live.due(now).into_iter().filter(|duty| {
            !matches!(duty, Duty::Load { .. } | Duty::Watch { .. } | Duty::Retrain { .. })
        }).count();
        lived(&moves, |world| match world.live.next_due() {
            Some(next) => {
                assert!(timed(&world.live, next) > 0, "something is due at {next}");
                assert_eq!(timed(&world.live, next - 1), 0, "nothing is due before {next}");
            }
            None => assert_eq!(timed(&world.live, world.now + 1_000 * DAY), 0),
        });
    }

    #[test]
    fn alerts_go_out_once_and_retrainings_keep_their_distance(moves in moves()) {
        let world = lived(&moves, |_| {});
        let mut alerts = BTreeSet::new();
        prop_assert!(world.arrived.iter().all(|key| alerts.insert(key)));
        let mut runs = BTreeSet::new();
        prop_assert!(world.started.iter().all(|key| runs.insert(key)));
        // An episode begins with its first breach; in it each of the two alerts goes out at most once.
        let mut sent = 0;
        for told in world.live.story().iter().filter(|told| told.about == "health") {
            if told.words.starts_with("breach 1 ") {
                sent = 0;
            }
            sent += u32::from(told.words == "an alert goes out");
            prop_assert!(sent <= 2, "{}", world.story());
        }
        let retrained = world.entries.iter().filter_map(|entry| match &entry.what {
            What::Retrain { key, event: retrain::Event::Started { .. } } if key.starts_with("retrain/") => Some(key),
            _ => None,
        });
        let ends: Vec<Millis> = retrained.filter_map(|key| key.rsplit('/').next()?.parse().ok()).collect();
        prop_assert!(ends.windows(2).all(|pair| pair[1] - pair[0] >= 10 * HOUR), "{ends:?}");
    }
}

/// One life with everything in it, killed after each entry: the story that follows is the same.
#[test]
fn a_kill_after_any_entry_skips_nothing_and_repeats_nothing() {
    let plain = |strategy: u8, killed: Option<usize>| {
        let mut world = World::serving(declared(strategy));
        world.does(offered(2, 2));
        world.drifts.push_back(Some(0.1));
        world.drifts.extend([Some(0.9); 18]);
        world.found.extend([Found::Errors(0.0), Found::Errors(0.2), Found::Nothing]);
        world.refusals = 2;
        let end = START + 30 * HOUR;
        let mut promoted = 0;
        loop {
            if killed == Some(world.entries.len()) {
                world.live = Live::fold(&world.entries).expect("legal");
                world.does(opened());
            }
            let waits = matches!(world.state(), State::AwaitingPromotion | State::ShadowDone);
            if waits && promoted < 1 {
                promoted += 1;
                world.does(asked(Asked::Promote));
            } else if !world.turn(end) {
                break;
            }
        }
        world
    };
    // A new engine measures in a rhythm of its own; what is told of deployments, alerts and runs is the same.
    let told = |world: &World| -> Vec<String> {
        let words = world.live.story().iter().filter(|it| it.about != "mlp serve").map(|it| it.to_string());
        let measured = |words: &String| words.contains("no data") || words.contains("has data again");
        words.filter(|words| !measured(words)).collect()
    };
    let mut states = BTreeSet::new();
    for strategy in 0..4 {
        let whole = plain(strategy, None);
        assert_eq!(whole.live.routes("production").stable, Some(1), "the monitor went back in the end");
        for cut in 4..whole.entries.len() {
            let killed = plain(strategy, Some(cut));
            assert_eq!(told(&killed), told(&whole), "killed after {cut} entries");
            assert_eq!(killed.arrived, whole.arrived);
            assert_eq!(killed.started, whole.started);
            states.insert(
                Live::fold(&whole.entries[..cut]).expect("legal").deployment("production").expect("declared").state(),
            );
        }
    }
    let loop_states =
        "Serving Loading Holding AwaitingPromotion Previewing Keeping Watching Shadowing ShadowDone Returning";
    assert_eq!(states.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(" "), loop_states);
}
