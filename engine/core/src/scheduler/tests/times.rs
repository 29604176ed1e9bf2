//! Cases about retries, pauses, deadlines, waits, and engines that take over.

use super::super::time::pause;
use super::*;

fn rules(rules: Rules) -> Told {
    let mut told = Told::new(work(vec![Unit { rules, ..unit(&[]) }], 1));
    assert_eq!(told.begin(), [start(0, 1)]);
    told
}

fn gave_up(cause: Cause) -> [Command; 2] {
    [Command::GiveUp { node: 0, cause }, Command::End(Outcome::Failed)]
}

#[test]
fn pauses_double_up_to_the_longest() {
    let rules = Rules { backoff: 1_000, longest_backoff: Some(60_000), ..Rules::default() };
    let pauses: Vec<Millis> = (0..9).map(|failed| pause(&rules, failed, 0, 0, failed + 1)).collect();
    assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    let for_ever = Rules { backoff: 1_000, ..Rules::default() };
    assert_eq!(pause(&for_ever, u32::MAX, 0, 0, 1), Millis::MAX);
}

#[test]
fn jitter_is_the_same_for_the_same_run_and_spreads_nodes_evenly() {
    let rules = Rules { backoff: 1_000, jitter: Jitter::Added, ..Rules::default() };
    let of = |seed, node| pause(&rules, 0, seed, node, 1);
    assert_eq!(of(3, 8), of(3, 8));
    let pauses: Vec<Millis> = (0..10_000).map(|node| of(3, node)).collect();
    assert!(pauses.iter().all(|pause| (1_000..=1_500).contains(pause)));
    // The mean of so many even draws is within five standard errors (144 / 100) of the middle.
    let mean = pauses.iter().sum::<Millis>() as f64 / 10_000.0;
    assert!((mean - 1_250.0).abs() < 7.5, "{mean}");
}

#[test]
fn an_attempt_that_takes_too_long_is_asked_to_stop_and_may_be_tried_again() {
    let mut told = rules(Rules { retries: 1, retry_timeouts: true, timeout: Some(100), ..Rules::default() });
    assert_eq!(told.0.next_tick(), Some(100));
    let stop = |attempt| Command::Stop { node: 0, token: token(attempt), because: Because::TimedOut };
    assert_eq!(told.at(100, Event::Tick), [stop(1)]);
    let retry = Command::Retry { node: 0, attempt: 1, due: 120, cause: Cause::TimedOut };
    assert_eq!(told.at(120, failed(0, 1, false)), [retry]);
    assert_eq!(told.at(120, Event::Tick), [start(0, 2)]);
    assert_eq!(told.at(130, failed(0, 1, false)), [], "the first one says it again");
    assert_eq!(told.at(220, Event::Tick), [stop(2)]);
    assert_eq!(told.at(221, failed(0, 2, true)), gave_up(Cause::TimedOut));
}

#[test]
fn what_succeeds_while_it_is_asked_to_stop_has_succeeded() {
    let mut told = rules(Rules { timeout: Some(100), ..Rules::default() });
    told.at(100, Event::Tick);
    assert_eq!(told.at(101, succeeded(0, 1)), [Command::End(Outcome::Succeeded)]);
}

#[test]
fn all_attempts_together_have_a_time_wherever_it_finds_them() {
    let many = Rules { retries: 9, backoff: 60, in_all: Some(100), ..Rules::default() };
    let mut running = rules(many);
    let stop = Command::Stop { node: 0, token: token(1), because: Because::OutOfTime };
    assert_eq!(running.at(100, Event::Tick), [stop]);
    assert_eq!(running.at(101, failed(0, 1, true)), gave_up(Cause::OutOfTime));

    let mut pausing = rules(many);
    pausing.at(10, failed(0, 1, true));
    pausing.at(70, Event::Tick);
    // The next pause would last longer than the time that is left.
    assert_eq!(pausing.at(80, failed(0, 2, true)), gave_up(Cause::Itself));

    let mut late = rules(many);
    late.at(10, failed(0, 1, true));
    // The tick comes late.
    let stop = Command::Stop { node: 0, token: token(2), because: Because::OutOfTime };
    assert_eq!(late.at(70, Event::Tick), [start(0, 2)]);
    assert_eq!(late.at(200, Event::Tick), [stop]);
}

#[test]
fn a_lost_attempt_takes_a_retry() {
    let mut told = rules(Rules { retries: 1, ..Rules::default() });
    let lost = |attempt| Event::Lost { node: 0, token: token(attempt) };
    assert_eq!(told.tell(lost(1)), [Command::Retry { node: 0, attempt: 1, due: 0, cause: Cause::Lost }]);
    assert_eq!(told.tell(Event::Tick), [start(0, 2)]);
    assert_eq!(told.tell(lost(2)), gave_up(Cause::Lost));
}

#[test]
fn who_waits_for_a_person_takes_no_room_and_the_engine_may_go() {
    let mut told = Told::new(work(vec![unit(&[]), unit(&[]), unit(&[0])], 1));
    told.begin();
    let ask = Command::Ask { node: 0, wait: Wait::Person };
    assert_eq!(told.tell(Event::Awaits { node: 0, token: token(1), wait: Wait::Person }), [ask, start(1, 1)]);
    assert_eq!(told.tell(succeeded(1, 1)), [Command::Rest]);
    assert_eq!(told.tell(Event::Tick), [], "it said so");
    let yes = Event::Decided { node: 0, decision: Decision::Yes };
    assert_eq!(told.tell(yes.clone()), [Command::Check(2)]);
    assert_eq!(told.tell(yes), [], "decided is decided");
    assert_eq!(told.tell(Event::Found(2)), [Command::End(Outcome::Succeeded)]);
}

#[test]
fn what_follows_a_wait_is_what_was_decided() {
    let cases = [
        (Decision::Go, vec![start(0, 2)]),
        (Decision::Yes, vec![Command::End(Outcome::Succeeded)]),
        (Decision::No, vec![Command::End(Outcome::Blocked)]),
    ];
    for (decision, commands) in cases {
        let mut told = rules(Rules::default());
        let asked = [Command::Ask { node: 0, wait: Wait::Run(7) }, Command::Rest];
        assert_eq!(told.tell(Event::Awaits { node: 0, token: token(1), wait: Wait::Run(7) }), asked);
        assert_eq!(told.tell(Event::Decided { node: 0, decision }), commands);
    }
}

#[test]
fn a_time_that_comes_is_a_decision_too_and_the_engine_stays_for_it() {
    let mut told = Told::new(work(vec![unit(&[])], 1));
    told.tell(Event::Begin);
    let wait = Wait::Until(5_000);
    assert_eq!(told.tell(Event::Wait { node: 0, wait }), [Command::Ask { node: 0, wait }]);
    assert_eq!(told.0.next_tick(), Some(5_000));
    assert_eq!(told.at(5_000, Event::Tick), [start(0, 1)]);
}

#[test]
fn cancelling_asks_what_runs_to_stop_and_drops_the_rest() {
    let grace = Rules { grace: Some(10), retries: 5, ..Rules::default() };
    let mut told = Told::new(work(vec![Unit { rules: grace, ..unit(&[]) }, unit(&[0]), unit(&[])], 1));
    told.begin();
    let commands = [
        Command::Stop { node: 0, token: token(1), because: Because::Cancelled },
        Command::Skip { node: 1, why: Why::Cancelled },
        Command::Skip { node: 2, why: Why::Cancelled },
    ];
    assert_eq!(told.tell(Event::Cancel), commands);
    assert_eq!(told.tell(Event::Cancel), [], "once");
    assert_eq!(told.at(10, Event::Tick), [Command::Kill { node: 0, token: token(1) }]);
    let ended = [Command::GiveUp { node: 0, cause: Cause::Cancelled }, Command::End(Outcome::Cancelled)];
    assert_eq!(told.at(11, failed(0, 1, true)), ended);
}

fn second_engine(jobs: usize) -> Told {
    let under_way = vec![UnderWay { member: 0, attempt: 3, failed: 2, since: 50, began: 0 }];
    let rules = Rules { retries: 2, timeout: Some(100), ..Rules::default() };
    let nodes = vec![Unit { under_way, rules, ..unit(&[]) }, unit(&[])];
    Told::new(Work { epoch: 2, ..work(nodes, jobs) })
}

#[test]
fn an_attempt_of_an_earlier_engine_keeps_its_room_and_goes_on_where_it_was() {
    let mut told = second_engine(1);
    let token = |attempt| Token { epoch: 2, attempt };
    assert_eq!(told.begin(), [Command::Adopt { node: 0, token: token(3) }], "no room for the other");
    assert_eq!(told.at(60, Event::Adopted { node: 0, token: token(3) }), []);
    let old = Event::Succeeded { node: 0, token: Token { epoch: 1, attempt: 3 } };
    assert_eq!(told.at(61, old), [], "meant for the engine before");
    assert_eq!(told.0.next_tick(), Some(150), "it started at 50");
    let commands = told.at(70, Event::Failed { node: 0, token: token(3), transient: true });
    assert_eq!(commands[0], Command::GiveUp { node: 0, cause: Cause::Itself }, "two retries were taken before");
}

#[test]
fn a_lost_attempt_of_an_earlier_engine_is_started_anew_under_the_next_number() {
    let mut told = second_engine(2);
    let token = |attempt| Token { epoch: 2, attempt };
    told.begin();
    let commands = told.at(60, Event::Lost { node: 0, token: token(3) });
    assert_eq!(commands, [Command::Start { node: 0, token: token(4) }]);
    assert_eq!(told.at(61, Event::Succeeded { node: 0, token: token(3) }), [], "the lost one after all");
    assert_eq!(told.0.life(0), Life::Running { attempt: 4 });
}

#[test]
fn an_attempt_of_an_earlier_engine_that_nobody_wants_is_ended() {
    let mut told = second_engine(1);
    told.tell(Event::Begin);
    let under_way = UnderWay { member: 0, attempt: 3, failed: 2, since: 50, began: 0 };
    assert_eq!(told.tell(Event::Found(0)), [Command::Disown { node: 0, under_way }]);
    assert_eq!(told.tell(Event::NotFound(1)), [Command::Start { node: 1, token: Token { epoch: 2, attempt: 1 } }]);
}
