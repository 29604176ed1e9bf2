//! Who takes up what, and who is next.
//!
//! Units that ask for the same share a queue, so whether something fits is asked once for all of them. The order is
//! priority, then the longest way to the end, then the number.
//!
//! A unit that does not fit may be overtaken by what fits beside it, but not for ever: whoever is first in order and was
//! overtaken [`PATIENCE`] times has the room that is free, and what becomes free, kept for it. From then on nothing starts
//! that would leave less than it asks for, or that takes anything of what is too little for it now. What is under way
//! ends, so it starts. Only what comes before it in order can move it from its place, and of that there is an end.
//!
//! One decision looks at no more than [`GLANCES`] kinds of asks, however many there are.

use super::work::{Ask, Room, Unit, WorkError};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// How often the first in order is overtaken before room is kept for it.
const PATIENCE: u32 = 16;
/// How many kinds of asks are looked at for one decision.
const GLANCES: usize = 32;

/// Priority, steps to the end, number: the greatest is next.
pub(super) type Rank = (i32, u32, Reverse<u32>);

/// What units ask for, as numbers; and what there is.
#[derive(Clone)]
pub(super) struct Rooms {
    has: Vec<u64>,
    taken: Vec<u64>,
    kinds: Vec<Kind>,
    /// The first of each kind of which somebody waits.
    firsts: BTreeSet<(Rank, u32)>,
    /// How often each unit that was first in order, and did not fit, was overtaken.
    overtaken: HashMap<u32, u32>,
}

/// Units that ask for the same.
#[derive(Clone)]
struct Kind {
    /// Which resource, how much; each resource once.
    asks: Box<[(u32, u64)]>,
    queue: BinaryHeap<Rank>,
}

/// Whom a look at the queues found.
enum Choice {
    /// The first of this kind starts.
    Next {
        kind: u32,
    },
    /// The first of this kind waits no longer.
    Gone {
        kind: u32,
    },
    Nobody,
}

/// Gives each different ask a number.
pub(super) struct Kinds<'w> {
    pools: HashMap<&'w str, u32>,
    names: Vec<String>,
    rooms: Rooms,
    numbers: HashMap<Ask, u32>,
}

impl<'w> Kinds<'w> {
    pub fn new(room: &'w Room) -> Kinds<'w> {
        let mut has = vec![room.jobs.max(1) as u64, room.cpu, room.memory, room.gpus];
        let mut names: Vec<String> =
            ["jobs", "thousandths of a processor", "bytes of memory", "gpus"].map(str::to_owned).into();
        let mut pools = HashMap::new();
        for (name, depth) in &room.pools {
            pools.insert(name.as_str(), has.len() as u32);
            names.push(format!("the pool `{name}`"));
            has.push(*depth);
        }
        let rooms = Rooms {
            taken: vec![0; has.len()],
            has,
            kinds: Vec::new(),
            firsts: BTreeSet::new(),
            overtaken: HashMap::new(),
        };
        Kinds { pools, names, rooms, numbers: HashMap::new() }
    }

    /// The number of what it asks for, if there is as much.
    pub fn number(&mut self, unit: &Unit) -> Result<u32, WorkError> {
        if let Some(number) = self.numbers.get(&unit.ask) {
            return Ok(*number);
        }
        let Ask { cpu, memory, gpus, pools } = &unit.ask;
        let mut asks = vec![(0, 1), (1, *cpu), (2, *memory), (3, *gpus)];
        for (pool, places) in pools {
            let Some(resource) = self.pools.get(pool.as_str()).copied() else {
                return Err(WorkError::NoPool { unit: unit.name.clone(), pool: pool.clone() });
            };
            match asks.iter_mut().find(|(of, _)| *of == resource) {
                Some((_, asks)) => *asks = asks.saturating_add(*places),
                None => asks.push((resource, *places)),
            }
        }
        // Nobody runs out of what was not measured.
        asks.retain(|(resource, amount)| *amount > 0 && self.rooms.has[*resource as usize] != u64::MAX);
        for &(resource, asks) in &asks {
            let has = self.rooms.has[resource as usize];
            if asks > has {
                let resource = self.names[resource as usize].clone();
                return Err(WorkError::TooMuch { unit: unit.name.clone(), resource, asks, has });
            }
        }
        let number = self.rooms.kinds.len() as u32;
        self.rooms.kinds.push(Kind { asks: asks.into(), queue: BinaryHeap::new() });
        self.numbers.insert(unit.ask.clone(), number);
        Ok(number)
    }

    pub fn finish(self) -> Rooms {
        self.rooms
    }
}

impl Rooms {
    pub fn take(&mut self, kind: u32) {
        for (resource, amount) in &self.kinds[kind as usize].asks {
            let taken = &mut self.taken[*resource as usize];
            *taken = taken.saturating_add(*amount);
        }
    }

    pub fn give(&mut self, kind: u32) {
        for (resource, amount) in &self.kinds[kind as usize].asks {
            let taken = &mut self.taken[*resource as usize];
            *taken = taken.saturating_sub(*amount);
        }
    }

    /// Somebody waits for room.
    pub fn push(&mut self, kind: u32, rank: Rank) {
        let queue = &mut self.kinds[kind as usize].queue;
        let first = queue.peek().copied();
        queue.push(rank);
        if first.is_none_or(|first| rank > first) {
            if let Some(first) = first {
                self.firsts.remove(&(first, kind));
            }
            self.firsts.insert((rank, kind));
        }
    }

    /// Who starts now. `waits` says who still waits: what does not is dropped here.
    pub fn pop(&mut self, waits: impl Fn(u32) -> bool) -> Option<u32> {
        if self.taken[0] >= self.has[0] {
            return None;
        }
        loop {
            match self.choose(&waits) {
                Choice::Nobody => return None,
                Choice::Gone { kind } => {
                    let node = self.pop_from(kind)?;
                    self.overtaken.remove(&node);
                }
                Choice::Next { kind } => {
                    let node = self.pop_from(kind)?;
                    self.overtaken.remove(&node);
                    return Some(node);
                }
            }
        }
    }

    fn choose(&mut self, waits: &impl Fn(u32) -> bool) -> Choice {
        // The first in order, if it does not fit.
        let mut first: Option<(u32, u32)> = None;
        for &((_, _, Reverse(node)), kind) in self.firsts.iter().rev().take(GLANCES) {
            if !waits(node) {
                return Choice::Gone { kind };
            }
            if !self.fits(kind) {
                first.get_or_insert((node, kind));
                continue;
            }
            let Some((waiting, its_kind)) = first else { return Choice::Next { kind } };
            let patient = self.overtaken.get(&waiting).is_none_or(|times| *times < PATIENCE);
            if patient || self.spares(kind, its_kind) {
                *self.overtaken.entry(waiting).or_default() += 1;
                return Choice::Next { kind };
            }
        }
        Choice::Nobody
    }

    fn pop_from(&mut self, kind: u32) -> Option<u32> {
        let queue = &mut self.kinds[kind as usize].queue;
        let first = queue.pop()?;
        self.firsts.remove(&(first, kind));
        if let Some(next) = queue.peek() {
            self.firsts.insert((*next, kind));
        }
        Some(first.2.0)
    }

    fn free(&self, resource: u32) -> u64 {
        self.has[resource as usize].saturating_sub(self.taken[resource as usize])
    }

    fn fits(&self, kind: u32) -> bool {
        self.kinds[kind as usize].asks.iter().all(|(resource, amount)| *amount <= self.free(*resource))
    }

    /// Whether starting one of `kind` takes nothing that `first`, which does not fit now, is short of or would be.
    fn spares(&self, kind: u32, first: u32) -> bool {
        self.kinds[first as usize].asks.iter().all(|(resource, wanted)| {
            let asks = self.kinds[kind as usize].asks.iter().find(|(of, _)| of == resource);
            asks.is_none_or(|(_, amount)| self.free(*resource).saturating_sub(*amount) >= *wanted)
        })
    }

    /// How much of a resource is taken up, and how much there is.
    #[cfg(test)]
    pub fn account(&self) -> Vec<(u64, u64)> {
        self.taken.iter().copied().zip(self.has.iter().copied()).collect()
    }
}
