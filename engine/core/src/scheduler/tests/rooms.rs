//! Cases about who takes up what, and who is next.

use super::*;

fn asks(name: &str, cpu: u64, memory: u64) -> Unit {
    Unit { name: name.to_owned(), ask: Ask { cpu, memory, ..Ask::default() }, ..Unit::default() }
}

fn room(jobs: usize, cpu: u64, memory: u64) -> Room {
    Room { jobs, cpu, memory, gpus: 0, pools: vec![("disk".to_owned(), 1)] }
}

fn told(nodes: Vec<Unit>, room: Room) -> Told {
    Told::new(Work { room, ..work(nodes, 1) })
}

#[test]
fn who_asks_for_more_than_there_is_is_told_so_by_name_before_anything_starts() {
    let pool = |name: &str, places| Ask { pools: vec![(name.to_owned(), places)], ..Ask::default() };
    let gpu = Ask { gpus: 1, ..Ask::default() };
    let cases = [
        (Ask { cpu: 2_001, ..Ask::default() }, "`fit` asks for 2001 of thousandths of a processor, and there is 2000"),
        (Ask { memory: 9, ..Ask::default() }, "`fit` asks for 9 of bytes of memory, and there is 8"),
        (gpu, "`fit` asks for 1 of gpus, and there is 0"),
        (pool("disk", 2), "`fit` asks for 2 of the pool `disk`, and there is 1"),
        (pool("tape", 1), "`fit` asks for a place in the pool `tape`, which does not exist"),
    ];
    for (ask, message) in cases {
        let unit = Unit { name: "fit".to_owned(), ask, ..Unit::default() };
        let error = Scheduler::new(Work { room: room(4, 2_000, 8), ..work(vec![unit], 1) }).err();
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(message));
    }
}

#[test]
fn attempts_start_as_far_as_what_they_ask_for_is_there() {
    let nodes = vec![asks("a", 1_500, 0), asks("b", 1_000, 0), asks("c", 500, 0)];
    let mut told = told(nodes, room(4, 2_000, 0));
    assert_eq!(told.begin(), [start(0, 1), start(2, 1)], "b does not fit beside a, c does");
    assert_eq!(told.tell(succeeded(2, 1)), []);
    assert_eq!(told.tell(succeeded(0, 1)), [start(1, 1)]);
}

#[test]
fn priority_comes_before_the_way_to_the_end_and_that_before_the_number() {
    let urgent = Unit { priority: 1, ..unit(&[]) };
    let mut told = Told::new(work(vec![unit(&[]), unit(&[]), urgent, unit(&[1])], 1));
    // The first that is known to be wanted has started before anybody knew of the others.
    assert_eq!(told.begin(), [start(0, 1)]);
    assert_eq!(told.tell(succeeded(0, 1)), [start(2, 1)]);
    assert_eq!(told.tell(succeeded(2, 1)), [start(1, 1)]);
}

/// Small units keep coming and each leaves too little for the large one, which is first in order.
#[test]
fn a_large_unit_is_overtaken_for_a_while_and_then_room_is_kept_for_it() {
    let mut nodes: Vec<Unit> = (0..200).map(|_| asks("small", 1_000, 0)).collect();
    nodes.push(Unit { priority: 1, ..asks("large", 2_000, 0) });
    let mut told = told(nodes, room(4, 2_000, 0));
    let mut running: Vec<usize> = Vec::new();
    let mut overtaken = 0;
    let mut commands = told.begin();
    loop {
        for command in commands {
            let Command::Start { node, .. } = command else { continue };
            running.push(node);
            overtaken += 1;
        }
        if running.contains(&200) {
            break;
        }
        // The oldest ends: at each moment one place is free, and one taken.
        commands = told.tell(succeeded(running.remove(0), 1));
    }
    assert!(overtaken < 30, "overtaken {overtaken} times");
}

#[test]
fn room_that_is_kept_for_one_does_not_keep_what_it_does_not_need_from_others() {
    let mut nodes: Vec<Unit> = (0..100).map(|_| asks("small", 1_000, 0)).collect();
    nodes.push(Unit { priority: 1, ..asks("large", 2_000, 0) });
    nodes.push(asks("memory", 0, 8));
    let mut told = told(nodes, room(4, 2_000, 8));
    let commands = told.begin();
    assert!(commands.contains(&start(101, 1)), "it takes no processor");
}

#[test]
fn what_stops_keeps_its_room_until_it_says_that_it_did() {
    let rules = Rules { timeout: Some(10), grace: Some(5), ..Rules::default() };
    let mut told = Told::new(work(vec![Unit { rules, ..unit(&[]) }, unit(&[])], 1));
    told.begin();
    let stop = Command::Stop { node: 0, token: token(1), because: Because::TimedOut };
    assert_eq!(told.at(10, Event::Tick), [stop]);
    assert_eq!(told.at(15, Event::Tick), [Command::Kill { node: 0, token: token(1) }]);
    let gone = [Command::GiveUp { node: 0, cause: Cause::TimedOut }, start(1, 1)];
    assert_eq!(told.at(16, failed(0, 1, false)), gone);
}
