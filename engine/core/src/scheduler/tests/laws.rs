//! What holds of every run, and what each node must come to: said once more without any order of events.

use super::play::{Case, How, Kinds, Script, Who, case, play};
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// How many random graphs each law is tried on. `MLP_SCHEDULER_CASES=100000` for the long way.
fn cases() -> u32 {
    std::env::var("MLP_SCHEDULER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000)
}

/// What a node came to, without how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Good,
    Failed,
    Blocked,
    Skipped,
    /// Skipped because something does not exist yet, and for no other reason.
    Absent,
}

/// What a node with room and time for everything comes to by itself.
fn alone(script: Script, rules: &Rules) -> Fate {
    match script {
        Script::Known | Script::Succeeds | Script::Sleeps | Script::Follows => Fate::Good,
        Script::Asks(Decision::Go | Decision::Yes) | Script::Late(true) => Fate::Good,
        Script::Asks(Decision::No) | Script::Refuses | Script::Late(false) => Fate::Blocked,
        Script::KnownButWrong | Script::Fails => Fate::Failed,
        Script::Unwanted => Fate::Skipped,
        Script::Absent => Fate::Absent,
        Script::Tries { times, how } => {
            let again = matches!(how, How::Transient | How::Lost) || rules.retry_timeouts;
            if times <= rules.retries && again { Fate::Good } else { Fate::Failed }
        }
    }
}

/// What each unit must come to if failures stop nothing else, nobody cancels and there is time for all attempts.
fn oracle(case: &Case) -> Vec<Fate> {
    let mut fates: Vec<Fate> = Vec::new();
    let mut effects = BTreeSet::new();
    for (node, unit) in case.work.nodes.iter().enumerate() {
        let any = |wanted: &[Fate]| unit.needs.iter().any(|need| wanted.contains(&fates[*need]));
        let script = case.scripts[node][0];
        let decided_at_check =
            matches!(script, Script::Known | Script::KnownButWrong | Script::Unwanted | Script::Absent);
        let fate = if any(&[Fate::Failed, Fate::Skipped]) {
            Fate::Skipped
        } else if any(&[Fate::Absent]) && !unit.tolerant {
            Fate::Absent
        } else if any(&[Fate::Blocked]) {
            if unit.effect { Fate::Blocked } else { Fate::Skipped }
        } else if unit.effect {
            effects.insert(node);
            Fate::Good
        } else if let (Some(fan), false) = (unit.fan, decided_at_check) {
            let members: Vec<Fate> = case.scripts[node][1..].iter().map(|script| alone(*script, &unit.rules)).collect();
            let count = |wanted| members.iter().filter(|fate| **fate == wanted).count();
            match () {
                () if count(Fate::Failed) > fan.may_fail as usize => Fate::Failed,
                () if count(Fate::Blocked) > 0 => Fate::Blocked,
                // What its members gave cannot be put together.
                () if script == Script::Fails => Fate::Failed,
                () => Fate::Good,
            }
        } else {
            alone(script, &unit.rules)
        };
        fates.push(fate);
    }
    if fates.contains(&Fate::Failed) {
        effects.into_iter().for_each(|node| fates[node] = Fate::Skipped);
    }
    fates
}

fn fate(life: Life) -> Fate {
    match life {
        Life::Done | Life::Reused => Fate::Good,
        Life::Failed => Fate::Failed,
        Life::Blocked => Fate::Blocked,
        _ => Fate::Skipped,
    }
}

fn units(lives: &BTreeMap<Who, Life>) -> Vec<Fate> {
    lives.iter().filter(|(who, _)| who.1.is_none()).map(|(_, life)| fate(*life)).collect()
}

const ALL: Kinds = Kinds { effects_have_dependents: true, cancels: true, in_all: true };

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_keeps_the_laws_and_ends(case in case(ALL)) {
        let trace = play(&case)?;
        let fates = units(&trace.lives);
        let failed = fates.contains(&Fate::Failed);
        prop_assert!(!failed || matches!(trace.outcome, Outcome::Failed | Outcome::Cancelled));
        if trace.outcome == Outcome::Succeeded {
            prop_assert!(!failed && !fates.contains(&Fate::Blocked));
        }
        prop_assert!(trace.outcome != Outcome::Cancelled || case.cancel_after.is_some());
    }

    #[test]
    fn a_run_that_failed_or_was_cut_short_has_no_effect(
        case in case(Kinds { effects_have_dependents: false, ..ALL })
    ) {
        let trace = play(&case)?;
        if trace.engines == 1 && (trace.outcome == Outcome::Failed || units(&trace.lives).contains(&Fate::Failed)) {
            prop_assert!(!trace.intended);
        }
    }

    #[test]
    fn what_nodes_come_to_is_what_the_oracle_says_whatever_the_order_and_however_many_engines(
        mut case in case(Kinds { effects_have_dependents: false, cancels: false, in_all: false })
    ) {
        case.work.keep_going = true;
        let trace = play(&case)?;
        let expected: Vec<Fate> = oracle(&case)
            .into_iter()
            .map(|fate| if fate == Fate::Absent { Fate::Skipped } else { fate })
            .collect();
        prop_assert_eq!(units(&trace.lives), expected);
        for ((unit, member), life) in &trace.lives {
            let (Some(member), Some(fan)) = (member, case.work.nodes[*unit].fan) else { continue };
            let expected = alone(case.scripts[*unit][member + 1], &case.work.nodes[*unit].rules);
            let expected = if expected == Fate::Absent { Fate::Skipped } else { expected };
            // A fan that does not go on after failures leaves members out, and tries none again.
            let left_out = !fan.keep_going
                && trace.lives[&(*unit, None)] == Life::Failed
                && matches!(fate(*life), Fate::Skipped | Fate::Failed);
            prop_assert!(fate(*life) == expected || left_out);
        }
    }

    #[test]
    fn the_same_case_plays_out_the_same_twice(case in case(ALL)) {
        let (one, other) = (play(&case)?, play(&case)?);
        prop_assert_eq!((one.lives, one.outcome), (other.lives, other.outcome));
    }
}
