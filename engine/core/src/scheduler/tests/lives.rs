//! Cases about needs, order, effects and what does not exist yet.

use super::*;

fn effect(needs: &[usize]) -> Unit {
    Unit { effect: true, ..unit(needs) }
}

#[test]
fn an_answer_nobody_asked_for_is_an_error() {
    let mut told = Told::new(work(vec![unit(&[])], 1));
    assert!(told.0.step(0, succeeded(0, 1)).is_err());
    told.begin();
    assert!(told.0.step(0, succeeded(0, 2)).is_err(), "an attempt that was never made");
    assert!(told.0.step(0, Event::Acted(0)).is_err(), "only an effect acts");
    assert!(told.0.step(0, Event::Collected(0)).is_err(), "only a fan collects");
    assert!(told.0.step(0, Event::Wrong(0)).is_err(), "nobody is checking any more");
    assert!(told.0.step(0, Event::Succeeded { node: 0, token: Token { epoch: 2, attempt: 1 } }).is_err());
}

#[test]
fn units_in_an_order_that_cannot_be_are_an_error() {
    let error = Scheduler::new(work(vec![Unit { name: "fit".to_owned(), ..unit(&[0]) }], 1)).err();
    assert_eq!(error.map(|it| it.to_string()).as_deref(), Some("`fit` needs number 0, which is not before it"));
}

#[test]
fn the_longest_way_to_the_end_starts_first() {
    let nodes = vec![unit(&[]), unit(&[]), unit(&[]), unit(&[2]), unit(&[3])];
    let mut told = Told::new(work(nodes, 1));
    assert_eq!(told.begin(), [start(0, 1)], "the first that is known to be wanted");
    assert_eq!(told.tell(succeeded(0, 1)), [start(2, 1)]);
}

/// A deployment needs its model: an effect that needs an effect.
#[test]
fn an_effect_that_needs_an_effect_follows_it_or_falls_with_it() {
    // A step, a gate on it, a model behind both, its deployment; and another step.
    let nodes = vec![unit(&[]), unit(&[0]), effect(&[0, 1]), effect(&[2]), unit(&[])];
    let begun = || {
        let mut told = Told::new(work(nodes.clone(), 4));
        for event in [Event::Begin, Event::Found(0), Event::NotFound(4), Event::NotFound(1)] {
            told.tell(event);
        }
        told
    };
    let mut good = begun();
    assert_eq!(good.tell(succeeded(1, 1)), [], "the other step is not done");
    assert_eq!(good.tell(succeeded(4, 1)), [Command::Intend(2)]);
    assert_eq!(good.tell(Event::Intended(2)), [Command::Act(2)]);
    assert_eq!(good.tell(Event::Acted(2)), [Command::Intend(3)], "only now");
    good.tell(Event::Intended(3));
    assert_eq!(good.tell(Event::Acted(3)), [Command::End(Outcome::Succeeded)]);

    let mut refused = begun();
    let blocked = [Command::Block { node: 2, by: vec![1] }, Command::Block { node: 3, by: vec![2] }];
    assert_eq!(refused.tell(Event::Refused { node: 1, token: token(1) }), blocked);
    assert_eq!(refused.tell(succeeded(4, 1)), [Command::End(Outcome::Blocked)]);

    let mut broken = begun();
    broken.tell(succeeded(1, 1));
    let skipped = [
        Command::GiveUp { node: 4, cause: Cause::Itself },
        Command::Skip { node: 2, why: Why::NoEffect(4) },
        Command::Skip { node: 3, why: Why::NeedSkipped(2) },
        Command::End(Outcome::Failed),
    ];
    assert_eq!(broken.tell(failed(4, 1, false)), skipped);
}

#[test]
fn what_does_not_exist_yet_skips_what_reads_it_but_not_who_decides_about_it() {
    let tolerant = |needs: &[usize]| Unit { tolerant: true, ..unit(needs) };
    // The last also needs a step that is skipped for another reason.
    let nodes = vec![unit(&[]), unit(&[0]), tolerant(&[1]), unit(&[]), tolerant(&[1, 3])];
    let mut told = Told::new(work(nodes, 4));
    told.tell(Event::Begin);
    let expected = [
        Command::Skip { node: 0, why: Why::Absent },
        Command::Skip { node: 1, why: Why::NeedAbsent(0) },
        Command::Check(2),
    ];
    assert_eq!(told.tell(Event::Absent(0)), expected);
    let unwanted = [Command::Skip { node: 3, why: Why::Unwanted }, Command::Skip { node: 4, why: Why::NeedSkipped(3) }];
    assert_eq!(told.tell(Event::Unwanted(3)), unwanted);
}
