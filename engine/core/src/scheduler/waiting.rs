//! What waits without taking up room: for a person, a time, another run; and what the passing of time does.
//!
//! A wait lasts as long as it has to. The driver writes [`Command::Ask`] down, so that a later engine can answer
//! [`Command::Check`] with the same wait, or with what was decided meanwhile. Once nothing else is left to do the
//! scheduler says [`Command::Rest`].

use super::attempt::deadline;
use super::event::{Cause, Command, Decision};
use super::life::{Because, Happening, IllegalTransition, Life, On};
use super::time::{Alarm, Timer};
use super::work::{Rules, Wait};
use super::{Node, Scheduler};

impl Scheduler {
    /// It has to wait for what is not under way here.
    pub(super) fn wait(&mut self, node: usize, wait: Wait) -> Result<(), IllegalTransition> {
        self.go(node, Happening::Await { on: wait.on() })?;
        if let Some(why) = self.stopping().or_else(|| self.halted_by_fan(node)) {
            return self.skip(node, why);
        }
        // However long it waits, its attempts have their time.
        self.nodes[node].began = None;
        if let (Wait::Until(at), Life::Awaiting { attempt, .. }) = (wait, self.nodes[node].life) {
            self.set(node, Alarm::Resume, attempt, at);
        }
        self.commands.push(Command::Ask { node, wait });
        Ok(())
    }

    /// What it waited for came. Late, or twice, it means nothing.
    pub(super) fn decided(&mut self, node: usize, decision: Decision) -> Result<(), IllegalTransition> {
        if !matches!(self.nodes[node].life, Life::Awaiting { .. }) {
            return Ok(());
        }
        match decision {
            Decision::Go => {
                self.go(node, Happening::Resume)?;
                self.enqueue(node);
                Ok(())
            }
            Decision::Yes => self.go(node, Happening::Succeed),
            Decision::No => self.go(node, Happening::Block),
        }
    }

    /// Whatever is due at this time happens.
    pub(super) fn tick(&mut self) -> Result<(), IllegalTransition> {
        while let Some(timer) = self.timers.pop(self.now) {
            if means(&self.nodes, &self.rules, timer) {
                self.ring(timer)?;
            }
        }
        Ok(())
    }

    fn ring(&mut self, timer: Timer) -> Result<(), IllegalTransition> {
        let node = timer.node as usize;
        match (timer.alarm, self.nodes[node].life) {
            (Alarm::Due, _) => {
                self.go(node, Happening::Due)?;
                self.enqueue(node);
            }
            (Alarm::Resume, _) => self.decided(node, Decision::Go)?,
            (Alarm::Timeout, _) => self.stop(node, Because::TimedOut)?,
            (Alarm::Kill, _) => {
                self.go(node, Happening::Kill)?;
                if let Life::Killing { attempt, .. } = self.nodes[node].life {
                    let token = super::Token { epoch: self.epoch, attempt };
                    self.commands.push(Command::Kill { node, token });
                }
            }
            (Alarm::OutOfTime, Life::Running { .. }) => self.stop(node, Because::OutOfTime)?,
            (Alarm::OutOfTime, Life::Queued { .. }) => self.give_up(node, Cause::OutOfTime)?,
            // What is stopping is not tried again after this; what is being adopted is looked at when it is; a pause ends
            // before this time.
            (Alarm::OutOfTime, _) => {}
        }
        Ok(())
    }
}

/// Whether a time still means something to its node.
pub(super) fn means(nodes: &[Node], rules: &[Rules], timer: Timer) -> bool {
    let node = &nodes[timer.node as usize];
    match (timer.alarm, node.life) {
        (Alarm::Due, Life::Delayed { attempt, .. })
        | (Alarm::Resume, Life::Awaiting { attempt, on: On::Time })
        | (Alarm::Timeout, Life::Running { attempt })
        | (Alarm::Kill, Life::Stopping { attempt, .. }) => attempt == timer.attempt,
        (Alarm::OutOfTime, life) => {
            let counts = life.takes_room() || matches!(life, Life::Queued { .. } | Life::Delayed { .. });
            counts && deadline(node, rules) == Some(timer.at)
        }
        _ => false,
    }
}
