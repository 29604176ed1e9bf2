//! Laws of the scheduler, on random graphs with random outcomes, and an oracle for what each node must come to.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A small deterministic source of choices, so that a failing case can be shrunk and repeated.
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// What a node will do when it gets to it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Script {
    Known,
    KnownButWrong,
    Unwanted,
    Absent,
    Succeeds,
    Fails,
    FailsThenSucceeds { times: u32 },
    Refuses,
}

#[derive(Clone, Debug)]
struct Case {
    work: Work,
    scripts: Vec<Script>,
    cancel_after: Option<usize>,
    seed: u64,
}

const SCRIPTS: [Script; 11] = [
    Script::Known,
    Script::Known,
    Script::KnownButWrong,
    Script::Unwanted,
    Script::Absent,
    Script::Absent,
    Script::Succeeds,
    Script::Succeeds,
    Script::Fails,
    Script::FailsThenSucceeds { times: 2 },
    Script::Refuses,
];

/// `trouble` of 255 makes every script equally likely, 0 lets everything succeed.
fn case(effects_have_dependents: bool) -> impl Strategy<Value = Case> {
    (1usize..25, any::<u64>(), 1usize..5, any::<bool>(), proptest::option::of(0usize..40), any::<u8>()).prop_map(
        move |(count, seed, jobs, keep_going, cancel_after, trouble)| {
            let mut dice = Dice(seed | 1);
            let mut nodes: Vec<Unit> = Vec::new();
            let mut scripts = Vec::new();
            for index in 0..count {
                let wanted = |need: &usize| effects_have_dependents || !nodes[*need].effect;
                let needs: BTreeSet<usize> =
                    (0..dice.roll(4)).filter(|_| index > 0).map(|_| dice.roll(index)).filter(wanted).collect();
                let effect = dice.roll(5) == 0;
                let (retries, tolerant) = (dice.roll(4) as u32, dice.roll(3) == 0);
                nodes.push(Unit { needs: needs.into_iter().collect(), effect, retries, tolerant });
                let picky = dice.roll(256) < trouble as usize;
                scripts.push(if picky { SCRIPTS[dice.roll(SCRIPTS.len())] } else { Script::Succeeds });
            }
            Case { work: Work { nodes, jobs, keep_going }, scripts, cancel_after, seed }
        },
    )
}

/// What became of a simulated run.
struct Trace {
    lives: Vec<Life>,
    outcome: Outcome,
    taken: BTreeSet<(String, String)>,
    intended: Vec<usize>,
}

/// Plays the driver, answering in random order, and checks the laws at each command.
fn play(case: &Case) -> Result<Trace, TestCaseError> {
    let units = case.work.nodes.clone();
    let mut scheduler = Scheduler::new(case.work.clone());
    let mut dice = Dice(case.seed | 1);
    let mut pending: Vec<Event> = vec![Event::Begin];
    let mut now: Millis = 0;
    let mut outcome = None;
    let mut intended = Vec::new();
    let mut running = BTreeSet::new();
    let mut steps = 0;
    while outcome.is_none() {
        if case.cancel_after == Some(steps) {
            pending.push(Event::Cancel);
        }
        steps += 1;
        prop_assert!(steps < 5_000, "the run does not end");
        let event = match pending.is_empty() {
            false => pending.swap_remove(dice.roll(pending.len())),
            true => {
                let due = scheduler.next_tick();
                prop_assert!(due.is_some(), "nothing is under way, nothing is due, and the run is not over");
                now = now.max(due.unwrap_or(now));
                Event::Tick(now)
            }
        };
        if let Event::Succeeded(node) | Event::Refused(node) | Event::Failed { node, .. } = event {
            running.remove(&node);
        }
        for command in scheduler.step(event).map_err(|error| TestCaseError::fail(error.to_string()))? {
            let may_go_on = |node: usize, need: usize| {
                let absent = units[node].tolerant && scheduler.nodes[need].absent;
                absent || scheduler.life(need).is_good()
            };
            let good = |node: usize| units[node].needs.iter().all(|need| may_go_on(node, *need));
            match command {
                Command::Check(node) => {
                    prop_assert!(good(node), "{node} is checked before what it needs ended well");
                    pending.push(match case.scripts[node] {
                        Script::Known => Event::Found(node),
                        Script::KnownButWrong => Event::Failed { node, transient: false, now },
                        Script::Unwanted => Event::Unwanted(node),
                        Script::Absent => Event::Absent(node),
                        _ => Event::NotFound(node),
                    });
                }
                Command::Start { node, attempt } => {
                    prop_assert!(good(node), "{node} starts before what it needs ended well");
                    prop_assert!(running.insert(node), "{node} runs twice at once");
                    prop_assert!(running.len() <= case.work.jobs, "more than {} at once", case.work.jobs);
                    pending.push(match case.scripts[node] {
                        Script::Fails => Event::Failed { node, transient: false, now },
                        Script::FailsThenSucceeds { times } if attempt <= times => {
                            Event::Failed { node, transient: true, now }
                        }
                        Script::Refuses => Event::Refused(node),
                        _ => Event::Succeeded(node),
                    });
                }
                Command::Retry { attempt, due, .. } => prop_assert_eq!(due, now + backoff(attempt)),
                Command::Intend(node) => {
                    prop_assert!(good(node));
                    let before = |node: &usize| scheduler.nodes[*node].before_effects;
                    for other in (0..units.len()).filter(before) {
                        let life = scheduler.life(other);
                        prop_assert!(
                            life.is_end() && life != Life::Failed,
                            "an effect begins while {other} is {life:?}"
                        );
                    }
                    intended.push(node);
                    pending.push(Event::Intended(node));
                }
                Command::Act(node) => {
                    prop_assert!(intended.contains(&node), "{node} acts without having said so");
                    pending.push(Event::Succeeded(node));
                }
                Command::End(how) => prop_assert!(outcome.replace(how).is_none(), "it ends twice"),
                Command::GiveUp(_) | Command::Skip { .. } | Command::Block { .. } | Command::Stop(_) => {}
            }
        }
    }
    let lives: Vec<Life> = (0..units.len()).map(|node| scheduler.life(node)).collect();
    prop_assert!(lives.iter().all(|life| life.is_end()), "not everything came to an end: {:?}", lives);
    let outcome = outcome.unwrap_or(Outcome::Interrupted);
    Ok(Trace { lives, outcome, taken: scheduler.taken, intended })
}

/// What each node must come to, if failures stop nothing else and nobody cancels, said without any order of events.
fn oracle(case: &Case) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    // Skipped because something does not exist yet, and for no other reason.
    let mut absent: BTreeSet<usize> = BTreeSet::new();
    for (node, unit) in case.work.nodes.iter().enumerate() {
        let any = |wanted: &dyn Fn(Life) -> bool| unit.needs.iter().any(|need| wanted(lives[*need]));
        let bad = |need: &usize| matches!(lives[*need], Life::Failed | Life::Skipped) && !absent.contains(need);
        let missing = unit.needs.iter().any(|need| absent.contains(need));
        let life = if unit.needs.iter().any(bad) {
            Life::Skipped
        } else if missing && !unit.tolerant {
            absent.insert(node);
            Life::Skipped
        } else if any(&|life| life == Life::Blocked) {
            if unit.effect { Life::Blocked } else { Life::Skipped }
        } else if unit.effect {
            Life::Held
        } else {
            match case.scripts[node] {
                Script::Known => Life::Reused,
                Script::KnownButWrong | Script::Fails => Life::Failed,
                Script::Unwanted => Life::Skipped,
                Script::Absent => {
                    absent.insert(node);
                    Life::Skipped
                }
                Script::Succeeds => Life::Done,
                Script::FailsThenSucceeds { times } if times <= unit.retries => Life::Done,
                Script::FailsThenSucceeds { .. } => Life::Failed,
                Script::Refuses => Life::Blocked,
            }
        };
        lives.push(life);
    }
    let failed = lives.contains(&Life::Failed);
    for life in &mut lives {
        if *life == Life::Held {
            *life = if failed { Life::Skipped } else { Life::Done };
        }
    }
    lives
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_keeps_the_laws_and_ends(case in case(true)) {
        let trace = play(&case)?;
        let failed = trace.lives.contains(&Life::Failed);
        prop_assert_eq!(trace.outcome == Outcome::Succeeded,
            trace.lives.iter().all(|life| !matches!(life, Life::Failed | Life::Blocked)) && trace.outcome != Outcome::Cancelled);
        prop_assert!(!failed || matches!(trace.outcome, Outcome::Failed | Outcome::Cancelled));
    }

    #[test]
    fn a_run_that_failed_or_was_cut_short_has_no_effect(case in case(false)) {
        let trace = play(&case)?;
        if trace.outcome == Outcome::Failed || trace.lives.contains(&Life::Failed) {
            prop_assert!(trace.intended.is_empty());
        }
    }

    #[test]
    fn outcomes_do_not_depend_on_the_order_of_events(mut case in case(false)) {
        case.work.keep_going = true;
        case.cancel_after = None;
        let trace = play(&case)?;
        prop_assert_eq!(trace.lives, oracle(&case));
    }
}

/// Each legal transition is taken by some run: none is there only on paper.
#[test]
fn every_transition_is_taken() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut taken = BTreeSet::new();
    for _ in 0..4_000 {
        let case = case(true).new_tree(&mut runner).expect("a case").current();
        taken.extend(play(&case).expect("the laws hold").taken);
    }
    let lives = [
        Life::Waiting { needs: 0 },
        Life::Waiting { needs: 1 },
        Life::Waiting { needs: 2 },
        Life::Checking,
        Life::Queued { attempt: 1 },
        Life::Running { attempt: 1 },
        Life::Delayed { attempt: 1, due: 0 },
        Life::Held,
        Life::Intending,
        Life::Acting,
        Life::Done,
        Life::Reused,
        Life::Failed,
        Life::Blocked,
        Life::Skipped,
    ];
    let happenings = [
        Happening::NeedEnded,
        Happening::Check,
        Happening::Hold,
        Happening::Found,
        Happening::NotFound,
        Happening::Start,
        Happening::Succeed,
        Happening::Fail,
        Happening::Retry { due: 0 },
        Happening::Due,
        Happening::Block,
        Happening::Skip,
        Happening::Release,
        Happening::Intended,
    ];
    let mut legal = BTreeSet::new();
    for life in lives {
        for happening in happenings {
            if life.next(happening).is_ok() {
                assert!(!life.is_end(), "an end is the end");
                legal.insert((life::name(&life), life::name(&happening)));
            }
        }
    }
    let never: Vec<_> = legal.difference(&taken).collect();
    assert!(never.is_empty(), "never taken: {never:?}");
}

#[test]
fn an_answer_nobody_asked_for_is_an_error() {
    let unit = Unit { needs: Vec::new(), effect: false, retries: 0, tolerant: false };
    let mut scheduler = Scheduler::new(Work { nodes: vec![unit], jobs: 1, keep_going: false });
    assert!(scheduler.step(Event::Succeeded(0)).is_err());
}

#[test]
fn the_longest_way_to_the_end_starts_first() {
    let unit = |needs: &[usize]| Unit { needs: needs.to_vec(), effect: false, retries: 0, tolerant: false };
    let nodes = vec![unit(&[]), unit(&[]), unit(&[]), unit(&[2]), unit(&[3])];
    let mut scheduler = Scheduler::new(Work { nodes, jobs: 1, keep_going: false });
    scheduler.step(Event::Begin).expect("legal");
    for node in [0, 1, 2] {
        scheduler.step(Event::NotFound(node)).expect("legal");
    }
    let commands = scheduler.step(Event::Succeeded(0)).expect("legal");
    assert_eq!(commands, [Command::Start { node: 2, attempt: 1 }]);
}

/// A deployment needs its model: an effect that needs an effect.
#[test]
fn an_effect_that_needs_an_effect_follows_it_or_falls_with_it() {
    let unit = |needs: &[usize], effect| Unit { needs: needs.to_vec(), effect, retries: 0, tolerant: false };
    // A step, a gate on it, a model behind both, its deployment; and another step.
    let nodes = vec![unit(&[], false), unit(&[0], false), unit(&[0, 1], true), unit(&[2], true), unit(&[], false)];
    let begun = || {
        let mut scheduler = Scheduler::new(Work { nodes: nodes.clone(), jobs: 4, keep_going: true });
        let first = [Event::Begin, Event::Found(0), Event::NotFound(4), Event::NotFound(1)];
        for event in first {
            scheduler.step(event).expect("legal");
        }
        scheduler
    };
    let mut good = begun();
    assert_eq!(good.step(Event::Succeeded(1)).expect("legal"), [], "the other step is not done");
    assert_eq!(good.step(Event::Succeeded(4)).expect("legal"), [Command::Intend(2)]);
    assert_eq!(good.step(Event::Intended(2)).expect("legal"), [Command::Act(2)]);
    assert_eq!(good.step(Event::Succeeded(2)).expect("legal"), [Command::Intend(3)], "only now");
    good.step(Event::Intended(3)).expect("legal");
    assert_eq!(good.step(Event::Succeeded(3)).expect("legal"), [Command::End(Outcome::Succeeded)]);

    let mut refused = begun();
    let blocked = [Command::Block { node: 2, by: vec![1] }, Command::Block { node: 3, by: vec![2] }];
    assert_eq!(refused.step(Event::Refused(1)).expect("legal"), blocked);
    assert_eq!(refused.step(Event::Succeeded(4)).expect("legal"), [Command::End(Outcome::Blocked)]);

    let mut failed = begun();
    failed.step(Event::Succeeded(1)).expect("legal");
    let commands = failed.step(Event::Failed { node: 4, transient: false, now: 0 }).expect("legal");
    let skipped = [
        Command::GiveUp(4),
        Command::Skip { node: 2, why: Why::NoEffect(4) },
        Command::Skip { node: 3, why: Why::NeedSkipped(2) },
        Command::End(Outcome::Failed),
    ];
    assert_eq!(commands, skipped);
}

#[test]
fn what_does_not_exist_yet_skips_what_reads_it_but_not_who_decides_about_it() {
    let unit = |needs: &[usize], tolerant| Unit { needs: needs.to_vec(), effect: false, retries: 0, tolerant };
    let nodes = vec![unit(&[], false), unit(&[0], false), unit(&[1], true), unit(&[1, 3], true)];
    // The last also needs a step that is skipped for another reason.
    let mut nodes_and_other = nodes;
    nodes_and_other.insert(3, unit(&[], false));
    let mut scheduler = Scheduler::new(Work { nodes: nodes_and_other, jobs: 4, keep_going: true });
    scheduler.step(Event::Begin).expect("legal");
    let commands = scheduler.step(Event::Absent(0)).expect("legal");
    let expected = [
        Command::Skip { node: 0, why: Why::Absent },
        Command::Skip { node: 1, why: Why::NeedAbsent(0) },
        Command::Check(2),
    ];
    assert_eq!(commands, expected);
    let commands = scheduler.step(Event::Unwanted(3)).expect("legal");
    let unwanted = [Command::Skip { node: 3, why: Why::Unwanted }, Command::Skip { node: 4, why: Why::NeedSkipped(3) }];
    assert_eq!(commands, unwanted);
}
