//! Laws of the scheduler on random graphs with random troubles, an oracle for what each node must come to, a model of
//! attempts and engines, and tables of cases.

mod fans;
mod laws;
mod lives;
mod model;
mod play;
mod rooms;
mod table;
mod times;

use super::*;

/// Units that ask for one job each.
pub(super) fn work(nodes: Vec<Unit>, jobs: usize) -> Work {
    Work { nodes, room: Room::jobs(jobs), keep_going: true, seed: 7, epoch: 1 }
}

pub(super) fn unit(needs: &[usize]) -> Unit {
    Unit { needs: needs.to_vec(), ..Unit::default() }
}

pub(super) fn token(attempt: u32) -> Token {
    Token { epoch: 1, attempt }
}

/// A scheduler, told one thing after another.
pub(super) struct Told(pub Scheduler);

impl Told {
    pub fn new(work: Work) -> Told {
        Told(Scheduler::new(work).expect("work that can end"))
    }

    /// What starts also begins.
    pub fn at(&mut self, now: Millis, event: Event) -> Vec<Command> {
        let commands = self.0.step(now, event).expect("legal");
        for command in &commands {
            if let Command::Start { node, token } = *command {
                assert_eq!(self.0.step(now, Event::Began { node, token }), Ok(Vec::new()));
            }
        }
        commands
    }

    pub fn tell(&mut self, event: Event) -> Vec<Command> {
        self.at(0, event)
    }

    /// Begins, and what is checked is not known.
    pub fn begin(&mut self) -> Vec<Command> {
        let mut all = Vec::new();
        for command in self.tell(Event::Begin) {
            if let Command::Check(node) = command {
                all.extend(self.tell(Event::NotFound(node)));
            }
        }
        all
    }
}

pub(super) fn start(node: usize, attempt: u32) -> Command {
    Command::Start { node, token: token(attempt) }
}

pub(super) fn succeeded(node: usize, attempt: u32) -> Event {
    Event::Succeeded { node, token: token(attempt) }
}

pub(super) fn failed(node: usize, attempt: u32, transient: bool) -> Event {
    Event::Failed { node, token: token(attempt), transient }
}
