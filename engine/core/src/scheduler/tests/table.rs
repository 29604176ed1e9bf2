//! The table of what may follow, printed, with whether some run took it: none is there only on paper.

use super::play::{Kinds, case, play};
use super::*;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::collections::HashSet;
use std::mem::discriminant;

fn lives() -> Vec<Life> {
    let because = Because::Cancelled;
    vec![
        Life::Waiting { needs: 0 },
        Life::Waiting { needs: 1 },
        Life::Waiting { needs: 2 },
        Life::Checking,
        Life::Queued { attempt: 1 },
        Life::Adopting { attempt: 1 },
        Life::Running { attempt: 1 },
        Life::Stopping { attempt: 1, because },
        Life::Killing { attempt: 1, because },
        Life::Delayed { attempt: 1, due: 0 },
        Life::Awaiting { attempt: 1, on: On::Person },
        Life::Expanded { left: 1 },
        Life::Expanded { left: 0 },
        Life::Collecting,
        Life::Held,
        Life::Intending,
        Life::Acting,
        Life::Done,
        Life::Reused,
        Life::Failed,
        Life::Blocked,
        Life::Skipped,
    ]
}

fn happenings() -> Vec<Happening> {
    vec![
        Happening::NeedEnded,
        Happening::Check,
        Happening::Hold,
        Happening::Found,
        Happening::NotFound,
        Happening::Orphan { attempt: 1 },
        Happening::Adopted,
        Happening::Lost,
        Happening::Expand { members: 2 },
        Happening::MemberEnded,
        Happening::Collect,
        Happening::Start,
        Happening::Stop { because: Because::Cancelled },
        Happening::Kill,
        Happening::Await { on: On::Person },
        Happening::Resume,
        Happening::Succeed,
        Happening::Fail,
        Happening::Retry { due: 0 },
        Happening::Due,
        Happening::Block,
        Happening::Skip,
        Happening::Release,
        Happening::Intended,
    ]
}

fn name(it: &impl std::fmt::Debug) -> String {
    format!("{it:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
}

#[test]
fn every_transition_is_taken_by_some_run() {
    let kinds = Kinds { effects_have_dependents: true, cancels: true, in_all: true };
    let mut runner = TestRunner::deterministic();
    let mut taken = HashSet::new();
    for _ in 0..10_000 {
        let case = case(kinds).new_tree(&mut runner).expect("a case").current();
        taken.extend(play(&case).expect("the laws hold").taken);
    }
    let (mut legal, mut never) = (HashSet::new(), Vec::new());
    for life in lives() {
        for happening in happenings() {
            let Ok(next) = life.next(happening) else { continue };
            assert!(!life.is_end(), "an end is the end");
            let pair = (discriminant(&life), discriminant(&happening));
            if !legal.insert(pair) {
                continue;
            }
            let seen = taken.contains(&pair);
            let line = format!("{:<11} {:<12} {}", name(&life), name(&happening), name(&next));
            println!("{line:<38} {}", if seen { "taken" } else { "NEVER" });
            if !seen {
                never.push(line);
            }
        }
    }
    let pairs = lives().len() * happenings().len();
    println!("{} of {} legal transitions taken; {pairs} pairs looked at", legal.len() - never.len(), legal.len());
    assert!(never.is_empty(), "never taken: {never:#?}");
    assert!(taken.is_subset(&legal), "the lists above leave something out");
}
