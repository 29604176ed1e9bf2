//! Attempts: how they start, fail, are asked to stop, and what becomes of those of an earlier engine.

use super::event::{Cause, Command, Event, Token, Why};
use super::fan::NO_FAN;
use super::life::{Because, Happening, IllegalTransition, Life};
use super::time::{Alarm, Timer, pause};
use super::work::{Rules, UnderWay};
use super::{Node, Scheduler, means};
use crate::record::Millis;
use std::cmp::Reverse;
use std::collections::BTreeMap;

impl Scheduler {
    /// What follows from an answer of an attempt, if anybody still waits for it.
    pub(super) fn answered(&mut self, event: Event) -> Result<(), IllegalTransition> {
        match event {
            Event::Succeeded { node, token } if self.is_current(node, token, Happening::Succeed)? => {
                self.go(node, Happening::Succeed)
            }
            Event::Refused { node, token } if self.is_current(node, token, Happening::Block)? => {
                self.go(node, Happening::Block)
            }
            Event::Failed { node, token, transient } if self.is_current(node, token, Happening::Fail)? => {
                self.failed(node, Cause::Itself, transient)
            }
            Event::Awaits { node, token, wait }
                if self.is_current(node, token, Happening::Await { on: wait.on() })? =>
            {
                match self.nodes[node].life {
                    // It was asked to stop: nobody will wait with it.
                    Life::Stopping { .. } | Life::Killing { .. } => self.failed(node, Cause::Itself, false),
                    _ => self.wait(node, wait),
                }
            }
            Event::Began { node, token } if self.is_current(node, token, Happening::Start)? => {
                self.watch(node, token.attempt, self.now);
                Ok(())
            }
            Event::Adopted { node, token } if self.is_current(node, token, Happening::Adopted)? => self.adopted(node),
            Event::Lost { node, token } if self.is_current(node, token, Happening::Lost)? => self.lost(node),
            // Stale: what it answers was given up, or belongs to an engine before this one.
            _ => Ok(()),
        }
    }

    /// Whether an answer is about what is under way now. About what never was, it is an error.
    fn is_current(&self, node: usize, token: Token, happening: Happening) -> Result<bool, IllegalTransition> {
        // Members have numbers of their own in each engine.
        let state = match self.nodes.get(node) {
            Some(here) => here.life,
            None if token.epoch < self.epoch => return Ok(false),
            None => return Err(IllegalTransition { state: Life::Waiting { needs: 0 }, happening }),
        };
        let last = match state {
            Life::Queued { attempt } => attempt - 1,
            Life::Adopting { attempt }
            | Life::Running { attempt }
            | Life::Stopping { attempt, .. }
            | Life::Killing { attempt, .. }
            | Life::Delayed { attempt, .. }
            | Life::Awaiting { attempt, .. } => attempt,
            // Which one was the last is not kept.
            state if state.is_end() => u32::MAX,
            _ => 0,
        };
        if token.epoch > self.epoch || token.epoch == self.epoch && token.attempt > last {
            return Err(IllegalTransition { state, happening });
        }
        Ok(token.epoch == self.epoch && state.attempt_under_way() == Some(token.attempt))
    }

    /// Answers to what has no token: only who was asked may give them.
    pub(super) fn only_from(&self, node: usize, lives: &[Life], happening: Happening) -> Result<(), IllegalTransition> {
        let state = self.nodes[node].life;
        if lives.contains(&state) { Ok(()) } else { Err(IllegalTransition { state, happening }) }
    }

    /// Its result is not known: it is tried, or what an earlier engine tried is taken over.
    pub(super) fn not_found(&mut self, node: usize) -> Result<(), IllegalTransition> {
        if self.nodes[node].fan != NO_FAN && !self.nodes[node].member {
            // A fan makes no attempt itself: it is expanded.
            return Err(IllegalTransition { state: self.nodes[node].life, happening: Happening::NotFound });
        }
        let why = self.stopping().or_else(|| self.halted_by_fan(node));
        if why.is_none()
            && let Some(orphans) = self.orphans.remove(&(node as u32))
        {
            let mut orphans = orphans.into_iter();
            if let Some(orphan) = orphans.next() {
                self.adopt(node, orphan)?;
            }
            orphans.for_each(|orphan| self.disown(node, orphan));
            return Ok(());
        }
        self.go(node, Happening::NotFound)?;
        match why {
            Some(why) => self.skip(node, why),
            None => {
                self.enqueue(node);
                Ok(())
            }
        }
    }

    pub(super) fn enqueue(&mut self, node: usize) {
        let here = &self.nodes[node];
        self.rooms.push(here.kind, (here.priority, here.height, Reverse(node as u32)));
    }

    /// Starts what there is room for.
    pub(super) fn fill(&mut self) -> Result<(), IllegalTransition> {
        loop {
            let Scheduler { rooms, nodes, .. } = self;
            let next = rooms.pop(|node| matches!(nodes[node as usize].life, Life::Queued { .. }));
            let Some(node) = next.map(|node| node as usize) else {
                // Everybody waits for room, and what has it waits for them: what an earlier engine began gives way.
                if self.queued == 0 || self.active > self.queued || self.orphans.is_empty() {
                    return Ok(());
                }
                let orphans: BTreeMap<u32, Vec<UnderWay>> = std::mem::take(&mut self.orphans).into_iter().collect();
                for (node, orphans) in orphans {
                    orphans.into_iter().for_each(|orphan| self.disown(node as usize, orphan));
                }
                continue;
            };
            self.go(node, Happening::Start)?;
            if self.nodes[node].began.is_none() {
                self.nodes[node].began = Some(self.now);
                self.watch_all(node);
            }
            self.commands.push(Command::Start { node, token: self.token(node) });
        }
    }

    fn token(&self, node: usize) -> Token {
        Token { epoch: self.epoch, attempt: self.nodes[node].life.attempt_under_way().unwrap_or(0) }
    }

    /// Keeps in mind when an attempt that started at `since` takes too long.
    fn watch(&mut self, node: usize, attempt: u32, since: Millis) {
        if let Some(timeout) = self.rules(node).timeout {
            self.set(node, Alarm::Timeout, attempt, since.saturating_add(timeout));
        }
    }

    /// Keeps in mind when all attempts take too long.
    fn watch_all(&mut self, node: usize) {
        if let Some(deadline) = deadline(&self.nodes[node], &self.rules) {
            self.set(node, Alarm::OutOfTime, 0, deadline);
        }
    }

    pub(super) fn set(&mut self, node: usize, alarm: Alarm, attempt: u32, at: Millis) {
        let Scheduler { timers, nodes, rules, .. } = self;
        timers.push(Timer { at, node: node as u32, alarm, attempt }, |timer| means(nodes, rules, timer));
    }

    pub(super) fn rules(&self, node: usize) -> &Rules {
        &self.rules[self.nodes[node].rules as usize]
    }

    /// Its attempt gave nothing.
    fn failed(&mut self, node: usize, cause: Cause, transient: bool) -> Result<(), IllegalTransition> {
        let life = self.nodes[node].life;
        let cause = match life {
            Life::Stopping { because, .. } | Life::Killing { because, .. } => match because {
                Because::Cancelled => Cause::Cancelled,
                Because::TimedOut => Cause::TimedOut,
                Because::OutOfTime => Cause::OutOfTime,
            },
            _ => cause,
        };
        let rules = *self.rules(node);
        let may_pass = match cause {
            Cause::Itself | Cause::Lost => transient,
            Cause::TimedOut => rules.retry_timeouts,
            Cause::OutOfTime | Cause::Cancelled | Cause::Members => false,
        };
        let Node { failed, .. } = self.nodes[node];
        let goes_on = self.stopping().is_none() && self.halted_by_fan(node).is_none();
        if let Some(attempt) = life.attempt_under_way()
            && may_pass
            && goes_on
            && failed < rules.retries
        {
            let due = self.now.saturating_add(pause(&rules, failed, self.seed, node as u32, attempt));
            // A pause that ends when all attempts took too long is not worth waiting for.
            if deadline(&self.nodes[node], &self.rules).is_none_or(|deadline| due < deadline) {
                self.go(node, Happening::Retry { due })?;
                self.nodes[node].failed += 1;
                self.set(node, Alarm::Due, attempt, due);
                self.commands.push(Command::Retry { node, attempt, due, cause });
                return Ok(());
            }
        }
        self.give_up(node, cause)
    }

    /// It failed for good. What a member's failure means is for its fan to say.
    pub(super) fn give_up(&mut self, node: usize, cause: Cause) -> Result<(), IllegalTransition> {
        self.go(node, Happening::Fail)?;
        self.commands.push(Command::GiveUp { node, cause });
        if self.nodes[node].member {
            if cause == Cause::Cancelled {
                self.cut_short = true;
                self.fans[self.nodes[node].fan as usize].cut(Why::Cancelled);
            }
            return Ok(());
        }
        self.cut_short |= self.cancelled;
        if self.first_failure.is_none() {
            self.first_failure = Some(node);
            if !self.keep_going {
                self.skip_the_rest(Why::Halted(node))?;
            }
        }
        Ok(())
    }

    /// Asks what is under way to stop.
    pub(super) fn stop(&mut self, node: usize, because: Because) -> Result<(), IllegalTransition> {
        self.go(node, Happening::Stop { because })?;
        let token = self.token(node);
        if let Some(grace) = self.rules(node).grace {
            self.set(node, Alarm::Kill, token.attempt, self.now.saturating_add(grace));
        }
        self.commands.push(Command::Stop { node, token, because });
        Ok(())
    }

    /// Takes over an attempt of an earlier engine. It kept its room all the while.
    fn adopt(&mut self, node: usize, orphan: UnderWay) -> Result<(), IllegalTransition> {
        self.rooms.give(self.nodes[node].kind);
        self.go(node, Happening::Orphan { attempt: orphan.attempt })?;
        let here = &mut self.nodes[node];
        (here.failed, here.began) = (orphan.failed, Some(orphan.began));
        self.adopting.insert(node as u32, orphan.since);
        self.commands.push(Command::Adopt { node, token: self.token(node) });
        Ok(())
    }

    fn adopted(&mut self, node: usize) -> Result<(), IllegalTransition> {
        self.go(node, Happening::Adopted)?;
        let since = self.adopting.remove(&(node as u32)).unwrap_or(self.now);
        if self.cancelled {
            return self.stop(node, Because::Cancelled);
        }
        let token = self.token(node);
        self.watch(node, token.attempt, since);
        self.watch_all(node);
        Ok(())
    }

    /// To lose an engine is no failure of the attempt; to lose a running attempt is one.
    fn lost(&mut self, node: usize) -> Result<(), IllegalTransition> {
        if !matches!(self.nodes[node].life, Life::Adopting { .. }) {
            return self.failed(node, Cause::Lost, true);
        }
        self.go(node, Happening::Lost)?;
        self.adopting.remove(&(node as u32));
        if let Some(why) = self.stopping().or_else(|| self.halted_by_fan(node)) {
            return self.skip(node, why);
        }
        self.watch_all(node);
        self.enqueue(node);
        Ok(())
    }

    /// Nobody wants what an earlier engine started.
    pub(super) fn disown(&mut self, node: usize, under_way: UnderWay) {
        self.rooms.give(self.nodes[node].kind);
        self.commands.push(Command::Disown { node, under_way });
    }
}

/// When all attempts of a node took too long.
pub(super) fn deadline(node: &Node, rules: &[Rules]) -> Option<Millis> {
    Some(node.began?.saturating_add(rules[node.rules as usize].in_all?))
}
