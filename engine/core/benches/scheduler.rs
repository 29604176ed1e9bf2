//! What the scheduler costs by itself: a random graph, every answer at once, no disk and no step.
//!
//! Prints transitions a second (each change of the state of a node counts) and the most bytes a node: all that the process
//! took up since it began, with the description of the work.
//! `cargo bench -p mlp-core --bench scheduler [-- nodes]`

use mlp_core::scheduler::{Ask, Command, Event, Fan, Jitter, Room, Rules, Scheduler, Unit, Work};
use std::collections::VecDeque;
use std::error::Error;
use std::time::Instant;

/// Bytes of this process that are in memory, as the kernel counts them: 0 where it does not say.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4_096
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let nodes: usize = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(100_000);
    let base = resident();
    println!("{nodes} nodes");
    println!("{:<34} {:>12} {:>14} {:>12}", "graph", "transitions", "a second", "bytes a node");
    report("random, one kind of ask", random(nodes, false), nodes, base)?;
    report("random, 60 kinds, retries, limits", random(nodes, true), nodes, base)?;
    report("one fan, 8 at once", fan(Some(8)), nodes, base)?;
    report("one fan, all at once", fan(None), nodes, base)?;
    Ok(())
}

/// Each node needs up to three of those shortly before it, or of all.
fn random(nodes: usize, rich: bool) -> Work {
    let mut dice = Dice(0x5eed);
    let units = (0..nodes).map(|node| {
        let mut needs: Vec<usize> = (0..dice.roll(4).min(node)).map(|_| dice.roll(node)).collect();
        needs.sort_unstable();
        needs.dedup();
        let mut unit = Unit { needs, ..Unit::default() };
        if rich {
            unit.priority = dice.roll(3) as i32;
            unit.ask = Ask { cpu: dice.roll(5) as u64 * 1_000, memory: dice.roll(12) as u64, ..Ask::default() };
            let jitter = Jitter::Added;
            let (timeout, in_all) = (Some(600_000), Some(3_600_000));
            unit.rules = Rules { retries: 2, backoff: 10, jitter, timeout, in_all, ..Rules::default() };
        }
        unit
    });
    let room = Room { cpu: 16_000, memory: 64, ..Room::jobs(16) };
    Work { nodes: units.collect(), room, keep_going: true, seed: 1, epoch: 1 }
}

fn fan(at_most: Option<u32>) -> Work {
    let fan = Fan { at_most, ..Fan::default() };
    let nodes = vec![Unit { fan: Some(fan), ..Unit::default() }];
    Work { nodes, room: Room::jobs(16), keep_going: true, seed: 1, epoch: 1 }
}

fn report(name: &str, work: Work, members: usize, base: usize) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let needs: usize = work.nodes.iter().map(|unit| unit.needs.len()).sum();
    let mut scheduler = Scheduler::new(work)?;
    let made = started.elapsed();
    let mut events = VecDeque::from([Event::Begin]);
    let (mut now, mut most, mut dice) = (0, 0, Dice(7));
    // Each need that ends is a transition of who needs it; the others are counted as they are told.
    let mut transitions = needs;
    let started = Instant::now();
    'run: loop {
        let event = match events.pop_front() {
            Some(event) => event,
            None => {
                now = scheduler.next_tick().ok_or("it waits for nothing")?;
                Event::Tick
            }
        };
        transitions += usize::from(!matches!(event, Event::Begin | Event::Tick));
        for command in scheduler.step(now, event)? {
            transitions += 1;
            match command {
                Command::Check(0) if members > 0 && scheduler.members(0).is_empty() && needs == 0 => {
                    events.push_back(Event::Expanded { node: 0, members: members as u32 });
                }
                Command::Check(node) => events.push_back(Event::NotFound(node)),
                Command::Start { node, token } => {
                    let fails = needs > 0 && token.attempt == 1 && dice.roll(20) == 0;
                    events.push_back(match fails {
                        true => Event::Failed { node, token, transient: true },
                        false => Event::Succeeded { node, token },
                    });
                }
                Command::Collect(node) => events.push_back(Event::Collected(node)),
                Command::End(_) => break 'run,
                _ => {}
            }
        }
        most = most.max(events.len());
    }
    let ran = started.elapsed();
    let bytes = resident().saturating_sub(base) / members;
    let speed = transitions as f64 / ran.as_secs_f64();
    println!("{name:<34} {transitions:>12} {speed:>14.0} {bytes:>12}   made in {made:.0?}, ran in {ran:.0?}");
    Ok(())
}
