//! Units that stand for many: members are known only when what the unit needs has ended.
//!
//! A member is a node like any other, without needs of its own: what the fan needs has ended before there are members.
//! The fan is the only one that needs them, so no edge is kept for any. No more than `at_most` are on their way at once;
//! each that ends lets the next go, so a fan of any width costs a constant time for each of its members.
//!
//! A member that failed does not fail the run: the fan does, once all its members have ended and more failed than may.
//! A fan of one step is one unit; an instance of several steps is one fan for each step, of the same width, and what its
//! members take from each other is known to who carries commands out.

use super::event::{Cause, Command, Why};
use super::life::{Happening, IllegalTransition, Life};
use super::work::Fan;
use super::{Node, Scheduler};
use std::ops::Range;

/// Stands for no fan.
pub(super) const NO_FAN: u32 = u32::MAX;

/// A fan while its members live, and what is remembered of them.
#[derive(Clone)]
pub(super) struct Fanned {
    about: Fan,
    /// The number of the unit that stands for them.
    pub node: u32,
    first: u32,
    count: u32,
    /// Members before this one have been told to go.
    next: u32,
    /// Members on their way.
    open: u32,
    failed: u32,
    refused: Vec<usize>,
    /// Why some member did not run although it was wanted.
    cut: Option<Why>,
    /// The member because of which no more are told to go.
    halted: Option<usize>,
}

impl Fanned {
    pub fn new(node: u32, about: Fan) -> Fanned {
        Fanned {
            about,
            node,
            first: 0,
            count: 0,
            next: 0,
            open: 0,
            failed: 0,
            refused: Vec::new(),
            cut: None,
            halted: None,
        }
    }

    pub fn members(&self) -> Range<usize> {
        self.first as usize..(self.first + self.count) as usize
    }

    /// The member with this number was wanted and did not run.
    pub fn cut(&mut self, why: Why) {
        self.cut.get_or_insert(why);
    }
}

impl Scheduler {
    /// The numbers of the members of a fan: none before it is expanded.
    pub fn members(&self, node: usize) -> Range<usize> {
        self.fan_of(node).map_or(0..0, Fanned::members)
    }

    /// The fan that a node is a member of, and which of its members it is.
    pub fn member_of(&self, node: usize) -> Option<(usize, usize)> {
        let here = self.nodes.get(node)?;
        if !here.member {
            return None;
        }
        let fan = self.fans.get(here.fan as usize)?;
        Some((fan.node as usize, node - fan.first as usize))
    }

    fn fan_of(&self, node: usize) -> Option<&Fanned> {
        self.fans.get(self.nodes.get(node)?.fan as usize)
    }

    /// It stands for this many.
    pub(super) fn expand(&mut self, node: usize, members: u32) -> Result<(), IllegalTransition> {
        if let Some(why) = self.stopping() {
            return self.skip(node, why);
        }
        let first = self.nodes.len();
        let here = &self.nodes[node];
        let fan = here.fan;
        // Whoever is not a fan, and more members than have numbers, are defects of the caller.
        if fan == NO_FAN || u32::try_from(first + members as usize).is_err() {
            let (state, happening) = (here.life, Happening::Expand { members });
            return Err(IllegalTransition { state, happening });
        }
        let member = Node { life: Life::Waiting { needs: 0 }, member: true, before_effects: false, ..here.clone() };
        self.go(node, Happening::Expand { members })?;
        self.nodes.extend(std::iter::repeat_n(member, members as usize));
        let about = &mut self.fans[fan as usize];
        (about.first, about.count) = (first as u32, members);
        let orphans = self.orphans.remove(&(node as u32)).unwrap_or_default();
        for orphan in &orphans {
            if orphan.member < members {
                self.orphans.entry(first as u32 + orphan.member).or_default().push(*orphan);
            } else {
                self.disown(node, *orphan);
            }
        }
        // What may be under way is on its way, however many that are: others would wait for its room.
        for orphan in orphans.iter().filter(|orphan| orphan.member < members) {
            self.let_go(first + orphan.member as usize)?;
        }
        self.admit(fan)?;
        self.gather(fan)
    }

    /// Tells members to go until there are as many on their way as may be.
    fn admit(&mut self, fan: u32) -> Result<(), IllegalTransition> {
        loop {
            let about = &mut self.fans[fan as usize];
            let full = about.about.at_most.is_some_and(|most| about.open >= most.max(1));
            if about.halted.is_some() || full || about.next == about.count {
                return Ok(());
            }
            let member = (about.first + about.next) as usize;
            about.next += 1;
            self.let_go(member)?;
        }
    }

    /// Tells a member to go. A run that stops skips members before it is their turn.
    fn let_go(&mut self, member: usize) -> Result<(), IllegalTransition> {
        let here = &mut self.nodes[member];
        if here.life != (Life::Waiting { needs: 0 }) {
            return Ok(());
        }
        here.admitted = true;
        self.fans[here.fan as usize].open += 1;
        self.proceed(member)
    }

    /// A member ended.
    pub(super) fn member_ended(&mut self, member: usize) -> Result<(), IllegalTransition> {
        let Node { fan, life, admitted, .. } = self.nodes[member];
        let about = &mut self.fans[fan as usize];
        about.open -= u32::from(admitted);
        match life {
            Life::Failed => about.failed += 1,
            Life::Blocked => about.refused.push(member),
            _ => {}
        }
        let halts = about.failed > about.about.may_fail && !about.about.keep_going && about.halted.is_none();
        let node = about.node as usize;
        self.go(node, Happening::MemberEnded)?;
        if halts {
            self.halt_members(fan, member)?;
        }
        self.admit(fan)?;
        self.gather(fan)
    }

    /// Skips the members of which nothing is under way.
    fn halt_members(&mut self, fan: u32, failed: usize) -> Result<(), IllegalTransition> {
        let about = &mut self.fans[fan as usize];
        about.halted = Some(failed);
        for member in about.members() {
            if self.is_idle(member) {
                self.skip(member, Why::Halted(failed))?;
            }
        }
        Ok(())
    }

    /// Why a member does not start, if so: its fan goes on with nobody.
    pub(super) fn halted_by_fan(&self, node: usize) -> Option<Why> {
        let here = &self.nodes[node];
        let fan = self.fans.get(here.fan as usize).filter(|_| here.member)?;
        fan.halted.map(Why::Halted)
    }

    /// Decides what a fan came to, if all its members have ended.
    fn gather(&mut self, fan: u32) -> Result<(), IllegalTransition> {
        let about = &mut self.fans[fan as usize];
        let node = about.node as usize;
        if self.nodes[node].life != (Life::Expanded { left: 0 }) {
            return Ok(());
        }
        if about.failed > about.about.may_fail {
            return self.give_up(node, Cause::Members);
        }
        if !about.refused.is_empty() {
            let mut by = std::mem::take(&mut about.refused);
            by.sort_unstable();
            self.go(node, Happening::Block)?;
            self.commands.push(Command::Block { node, by });
            return Ok(());
        }
        if let Some(why) = about.cut {
            return self.skip(node, why);
        }
        self.go(node, Happening::Collect)?;
        self.commands.push(Command::Collect(node));
        Ok(())
    }
}
