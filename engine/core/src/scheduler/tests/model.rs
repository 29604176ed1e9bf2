//! Attempt, lease, adopt, cancel: every order of everything that can happen to two units in a room for one, over the loss
//! of two engines. Each state that can be reached is looked at once; the states are those of the scheduler itself.
//!
//! The world outside is as bad as it may be: answers arrive in any order and after their engine is gone, an attempt may
//! end at any moment or never before it is killed, and nobody knows of the end of an attempt whose engine was lost.

use super::*;
use std::collections::{BTreeMap, HashSet};

/// Everything there is, with what may still go wrong.
#[derive(Clone)]
struct World {
    scheduler: Scheduler,
    epoch: u32,
    now: Millis,
    /// Answers on their way.
    answers: Vec<Event>,
    /// Attempts that are really under way, and what they were last told to be called.
    alive: BTreeMap<usize, Token>,
    /// What was written down as done.
    done: Vec<usize>,
    cancels: u32,
    crashes: u32,
    over: bool,
}

fn units() -> Vec<Unit> {
    let rules = Rules { retries: 1, timeout: Some(10), retry_timeouts: true, grace: Some(5), ..Rules::default() };
    vec![Unit { rules, ..unit(&[]) }, unit(&[])]
}

impl World {
    fn new() -> World {
        let scheduler = Scheduler::new(work(units(), 1)).expect("work");
        let answers = vec![Event::Begin];
        let (alive, done) = (BTreeMap::new(), Vec::new());
        World { scheduler, epoch: 1, now: 0, answers, alive, done, cancels: 1, crashes: 2, over: false }
    }

    /// All that tells one state from another.
    fn key(&self) -> String {
        let nodes: Vec<_> = self.scheduler.nodes.iter().map(|node| (node.life, node.failed)).collect();
        let mut answers: Vec<String> = self.answers.iter().map(|answer| format!("{answer:?}")).collect();
        answers.sort();
        let due = self.scheduler.next_tick().map(|due| due - self.now);
        let Scheduler { cancelled, orphans, .. } = &self.scheduler;
        let mut orphans: Vec<_> = orphans.iter().map(|(node, it)| (node, it[0].attempt, it[0].failed)).collect();
        orphans.sort();
        let World { epoch, alive, done, cancels, crashes, over, .. } = self;
        format!(
            "{nodes:?} {answers:?} {due:?} {cancelled} {orphans:?} {epoch} {alive:?} {done:?} {cancels} {crashes} {over}"
        )
    }

    /// Every world that may be next.
    fn nexts(&self) -> Vec<World> {
        let mut nexts = Vec::new();
        let mut next = |change: &dyn Fn(&mut World)| {
            let mut world = self.clone();
            change(&mut world);
            nexts.push(world);
        };
        for at in 0..self.answers.len() {
            next(&|world| {
                let answer = world.answers.remove(at);
                world.tell(answer);
            });
        }
        for (&node, &token) in &self.alive {
            let ends = [
                Event::Succeeded { node, token },
                Event::Failed { node, token, transient: true },
                Event::Failed { node, token, transient: false },
            ];
            for end in ends {
                next(&|world| {
                    world.alive.remove(&node);
                    world.answers.push(end.clone());
                });
            }
        }
        if self.over {
            return nexts;
        }
        if let Some(due) = self.scheduler.next_tick() {
            next(&|world| {
                world.now = world.now.max(due);
                world.tell(Event::Tick);
            });
        }
        if self.cancels > 0 {
            next(&|world| {
                world.cancels -= 1;
                world.tell(Event::Cancel);
            });
        }
        if self.crashes > 0 {
            next(&World::crash);
        }
        nexts
    }

    fn tell(&mut self, event: Event) {
        let fresh = |token: &Token| token.epoch == self.epoch;
        let stale = match &event {
            Event::Succeeded { token, .. }
            | Event::Failed { token, .. }
            | Event::Adopted { token, .. }
            | Event::Lost { token, .. } => !fresh(token),
            _ => false,
        };
        let before: Vec<Life> = self.scheduler.nodes.iter().map(|node| node.life).collect();
        let commands = self.scheduler.step(self.now, event.clone()).expect("legal");
        for (node, life) in before.into_iter().enumerate() {
            let now = self.scheduler.life(node);
            assert!(now == life || !life.is_end() && !stale, "{event:?} made {now:?} of {life:?}");
        }
        assert!(!stale || commands.is_empty(), "{event:?} led to {commands:?}");
        for command in commands {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Check(node) if self.done.contains(&node) => self.answers.push(Event::Found(node)),
            Command::Check(node) => self.answers.push(Event::NotFound(node)),
            Command::Start { node, token } => {
                assert!(self.alive.is_empty(), "{node} starts while {:?} are under way", self.alive);
                self.alive.insert(node, token);
                self.tell(Event::Began { node, token });
            }
            Command::Adopt { node, token } => {
                let here = self.alive.get_mut(&node).filter(|it| it.attempt == token.attempt);
                let answer = match here {
                    Some(here) => {
                        *here = token;
                        Event::Adopted { node, token }
                    }
                    None => Event::Lost { node, token },
                };
                // It comes before anything that the attempt may answer to its new name.
                self.tell(answer);
            }
            Command::Kill { node, token } if self.alive.remove(&node).is_some() => {
                self.answers.push(Event::Failed { node, token, transient: false });
            }
            Command::Disown { node, .. } => {
                self.alive.remove(&node);
            }
            Command::End(_) => {
                assert!(self.alive.is_empty(), "it is over, and {:?} are under way", self.alive);
                self.over = true;
            }
            _ => {}
        }
    }

    /// The engine is gone. What is known of it is what it wrote down: what was done, and what was started.
    fn crash(&mut self) {
        self.crashes -= 1;
        self.epoch += 1;
        let mut nodes = units();
        for (node, here) in self.scheduler.nodes.iter().enumerate() {
            if here.life == Life::Done {
                self.done.push(node);
            }
            if let Some(attempt) = here.life.attempt_under_way() {
                let (failed, since, began) = (here.failed, self.now, self.now);
                nodes[node].under_way.push(UnderWay { member: 0, attempt, failed, since, began });
            }
        }
        // What the engine before it had not got round to asking about is as it was.
        for (node, orphans) in &self.scheduler.orphans {
            nodes[*node as usize].under_way.extend(orphans);
        }
        let of_attempts = |event: &Event| matches!(event, Event::Succeeded { .. } | Event::Failed { .. });
        self.answers.retain(of_attempts);
        self.answers.push(Event::Begin);
        self.scheduler = Scheduler::new(Work { epoch: self.epoch, ..work(nodes, 1) }).expect("work");
    }
}

#[test]
fn whatever_happens_in_whatever_order_one_attempt_is_under_way_and_the_run_can_end() {
    let mut seen = HashSet::new();
    let mut open = vec![World::new()];
    let (mut ends, mut steps) = (0, 0);
    while let Some(world) = open.pop() {
        let nexts = world.nexts();
        assert!(world.over || !nexts.is_empty(), "nothing can happen, and it is not over: {}", world.key());
        ends += usize::from(world.over);
        for next in nexts {
            steps += 1;
            if seen.insert(next.key()) {
                open.push(next);
            }
        }
    }
    println!("{} states, {steps} steps, {ends} of them ends", seen.len());
    assert!(ends > 0);
}
