//! Cases about units that stand for many.

use super::*;

fn fanned(fan: Fan, members: u32, jobs: usize) -> (Told, Vec<Command>) {
    let mut told = Told::new(work(vec![Unit { fan: Some(fan), ..unit(&[]) }, unit(&[0])], jobs));
    assert_eq!(told.tell(Event::Begin), [Command::Check(0)]);
    let commands = told.tell(Event::Expanded { node: 0, members });
    (told, commands)
}

#[test]
fn members_live_like_any_node_and_what_they_gave_is_put_together() {
    let (mut told, commands) = fanned(Fan::default(), 2, 4);
    assert_eq!(told.0.members(0), 2..4);
    assert_eq!(told.0.member_of(3), Some((0, 1)));
    assert_eq!(commands, [Command::Check(2), Command::Check(3)]);
    assert_eq!(told.tell(Event::NotFound(3)), [start(3, 1)]);
    assert_eq!(told.tell(Event::Found(2)), []);
    assert_eq!(told.tell(succeeded(3, 1)), [Command::Collect(0)]);
    assert_eq!(told.tell(Event::Collected(0)), [Command::Check(1)]);
}

#[test]
fn a_fan_of_none_is_put_together_at_once() {
    let (_, commands) = fanned(Fan::default(), 0, 4);
    assert_eq!(commands, [Command::Collect(0)]);
}

#[test]
fn a_fan_makes_no_attempt_itself_and_only_a_fan_is_expanded() {
    let mut told = Told::new(work(vec![Unit { fan: Some(Fan::default()), ..unit(&[]) }, unit(&[])], 1));
    told.tell(Event::Begin);
    assert!(told.0.step(0, Event::NotFound(0)).is_err());
    assert!(told.0.step(0, Event::Expanded { node: 1, members: 3 }).is_err());
}

#[test]
fn no_more_members_are_on_their_way_than_may_be() {
    let (mut told, commands) = fanned(Fan { at_most: Some(2), ..Fan::default() }, 5, 8);
    assert_eq!(commands, [Command::Check(2), Command::Check(3)]);
    assert_eq!(told.tell(Event::Found(2)), [Command::Check(4)]);
    told.tell(Event::NotFound(3));
    assert_eq!(told.tell(succeeded(3, 1)), [Command::Check(5)]);
}

#[test]
fn a_member_that_fails_stops_its_fan_or_is_put_up_with() {
    let gave_up = |node, cause| Command::GiveUp { node, cause };
    let one_at_a_time = Fan { at_most: Some(1), ..Fan::default() };
    // It halts: the others do not run, and the fan fails.
    let (mut told, _) = fanned(one_at_a_time, 3, 1);
    told.tell(Event::NotFound(2));
    let commands = told.tell(failed(2, 1, false));
    let halted = |node| Command::Skip { node, why: Why::Halted(2) };
    let expected = [
        gave_up(2, Cause::Itself),
        halted(3),
        halted(4),
        gave_up(0, Cause::Members),
        Command::Skip { node: 1, why: Why::NeedFailed(0) },
        Command::End(Outcome::Failed),
    ];
    assert_eq!(commands, expected);

    // It goes on: the others run, and the fan fails in the end.
    let (mut told, _) = fanned(Fan { keep_going: true, ..one_at_a_time }, 2, 1);
    told.tell(Event::NotFound(2));
    assert_eq!(told.tell(failed(2, 1, false)), [gave_up(2, Cause::Itself), Command::Check(3)]);
    assert_eq!(told.tell(Event::Found(3))[0], gave_up(0, Cause::Members));

    // As many may fail: the fan succeeds, and so does the run.
    let (mut told, _) = fanned(Fan { may_fail: 1, ..one_at_a_time }, 2, 1);
    told.tell(Event::NotFound(2));
    told.tell(failed(2, 1, false));
    assert_eq!(told.tell(Event::Found(3)), [Command::Collect(0)]);
    told.tell(Event::Collected(0));
    assert_eq!(told.tell(Event::Found(1)), [Command::End(Outcome::Succeeded)]);
}

#[test]
fn a_fan_is_cancelled_with_its_members() {
    let (mut told, _) = fanned(Fan { at_most: Some(1), may_fail: 9, ..Fan::default() }, 2, 1);
    told.tell(Event::NotFound(2));
    let cancelled = |node| Command::Skip { node, why: Why::Cancelled };
    let stop = Command::Stop { node: 2, token: token(1), because: Because::Cancelled };
    assert_eq!(told.tell(Event::Cancel), [stop, cancelled(1), cancelled(3)]);
    let gone = [Command::GiveUp { node: 2, cause: Cause::Cancelled }, cancelled(0), Command::End(Outcome::Cancelled)];
    assert_eq!(told.tell(failed(2, 1, false)), gone);
}

/// What a member keeps is a node, and nothing else: no edge, no list.
#[test]
fn a_hundred_thousand_members_take_little() {
    assert!(size_of::<Node>() <= 128, "{}", size_of::<Node>());
    let (mut told, _) = fanned(Fan { at_most: Some(8), ..Fan::default() }, 100_000, 4);
    let mut next = (2..10).collect::<std::collections::VecDeque<usize>>();
    let mut most = 0;
    while let Some(member) = next.pop_front() {
        for event in [Event::NotFound(member), succeeded(member, 1)] {
            for command in told.tell(event) {
                match command {
                    Command::Check(node) => next.push_back(node),
                    Command::Collect(node) => assert_eq!(node, 0),
                    _ => {}
                }
            }
        }
        most = most.max(next.len());
    }
    assert!(most <= 8, "{most} at once");
    assert_eq!(told.0.life(0), Life::Collecting);
}
