//! Plays driver and executor for the scheduler: answers in random order, loses engines, and checks the laws at each step.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::mem::Discriminant;

/// A small deterministic source of choices, so that a failing case can be shrunk and repeated.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides.max(1) as u64) as usize
    }
}

/// What a node will do when it gets to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Script {
    Known,
    KnownButWrong,
    Unwanted,
    Absent,
    Succeeds,
    Fails,
    /// This many attempts come to nothing, and the next succeeds.
    Tries {
        times: u32,
        how: How,
    },
    Refuses,
    /// Its attempt takes until it is ended, and then comes out with what it has: yes or no.
    Late(bool),
    /// Its attempt asks a person, who says this.
    Asks(Decision),
    /// It is not tried before a time.
    Sleeps,
    /// It is not tried before another run ended.
    Follows,
}

/// How attempts come to nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    Transient,
    Lost,
    /// It takes until it is asked to stop.
    Hangs,
    /// It takes until it is ended.
    Stubborn,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub work: Work,
    /// Of each unit, and then of each of its members.
    pub scripts: Vec<Vec<Script>>,
    pub cancel_after: Option<usize>,
    pub crash_after: Vec<usize>,
    pub seed: u64,
}

const SCRIPTS: [Script; 22] = [
    Script::Late(true),
    Script::Late(false),
    Script::Known,
    Script::KnownButWrong,
    Script::Unwanted,
    Script::Absent,
    Script::Absent,
    Script::Succeeds,
    Script::Succeeds,
    Script::Fails,
    Script::Tries { times: 1, how: How::Transient },
    Script::Tries { times: 2, how: How::Transient },
    Script::Tries { times: 1, how: How::Lost },
    Script::Tries { times: 1, how: How::Hangs },
    Script::Tries { times: 2, how: How::Hangs },
    Script::Tries { times: 1, how: How::Stubborn },
    Script::Refuses,
    Script::Asks(Decision::Go),
    Script::Asks(Decision::Yes),
    Script::Asks(Decision::No),
    Script::Sleeps,
    Script::Follows,
];

/// How much of what can go wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kinds {
    pub effects_have_dependents: bool,
    pub cancels: bool,
    /// All attempts together have a time: what becomes of a node then depends on who was first.
    pub in_all: bool,
}

/// A random graph. How much goes wrong is random too, and shrinks to nothing.
pub(super) fn case(kinds: Kinds) -> impl Strategy<Value = Case> {
    let cancel = proptest::option::of(0usize..60);
    let crashes = proptest::collection::vec(1usize..120, 0..3);
    (1usize..25, any::<u64>(), 1usize..5, any::<bool>(), cancel, crashes, any::<u8>()).prop_map(
        move |(count, seed, jobs, keep_going, cancel_after, crash_after, trouble)| {
            let mut dice = Dice(seed | 1);
            let mut nodes: Vec<Unit> = Vec::new();
            let mut scripts = Vec::new();
            for index in 0..count {
                let wanted = |need: &usize| kinds.effects_have_dependents || !nodes[*need].effect;
                let needs: BTreeSet<usize> =
                    (0..dice.roll(4)).filter(|_| index > 0).map(|_| dice.roll(index)).filter(wanted).collect();
                let unit = random_unit(&mut dice, needs.into_iter().collect(), kinds, index);
                let members = if unit.fan.is_some() { dice.roll(6) } else { 0 };
                let mut script = || {
                    let picky = dice.roll(256) < trouble as usize;
                    if picky { SCRIPTS[dice.roll(SCRIPTS.len())] } else { Script::Succeeds }
                };
                scripts.push((0..=members).map(|_| script()).collect());
                nodes.push(unit);
            }
            let room = Room {
                jobs,
                cpu: 4_000,
                memory: 1_000,
                gpus: 2,
                pools: vec![("disk".to_owned(), 2), ("net".to_owned(), 3)],
            };
            let work = Work { nodes, room, keep_going, seed, epoch: 1 };
            let cancel_after = cancel_after.filter(|_| kinds.cancels);
            Case { work, scripts, cancel_after, crash_after, seed }
        },
    )
}

fn random_unit(dice: &mut Dice, needs: Vec<usize>, kinds: Kinds, index: usize) -> Unit {
    let effect = dice.roll(5) == 0;
    let mut ask = Ask::default();
    if dice.roll(2) == 0 {
        ask.cpu = dice.roll(9) as u64 * 500;
        ask.memory = dice.roll(3) as u64 * 500;
        ask.gpus = dice.roll(3) as u64;
        if dice.roll(2) == 0 {
            ask.pools.push(("disk".to_owned(), dice.roll(3) as u64));
            ask.pools.push(("net".to_owned(), 1));
        }
    }
    let fan = (!effect && dice.roll(5) == 0).then(|| Fan {
        at_most: (dice.roll(2) == 0).then(|| 1 + dice.roll(3) as u32),
        keep_going: dice.roll(2) == 0,
        may_fail: dice.roll(3) as u32,
    });
    let rules = Rules {
        retries: dice.roll(4) as u32,
        retry_timeouts: dice.roll(2) == 0,
        backoff: dice.roll(3) as Millis * 100,
        longest_backoff: (dice.roll(2) == 0).then_some(300),
        jitter: [Jitter::None, Jitter::Added][dice.roll(2)],
        timeout: Some(1_000),
        in_all: (kinds.in_all && dice.roll(2) == 0).then(|| 1 + dice.roll(3_000) as Millis),
        grace: Some(dice.roll(2) as Millis * 500),
    };
    let (tolerant, priority) = (dice.roll(3) == 0, dice.roll(3) as i32 - 1);
    Unit { name: format!("unit {index}"), needs, effect, tolerant, priority, ask, rules, fan, under_way: Vec::new() }
}

/// A unit, or one of its members: which numbers do not change from engine to engine.
pub(super) type Who = (usize, Option<usize>);

/// What became of a simulated run.
pub(super) struct Trace {
    pub lives: BTreeMap<Who, Life>,
    pub outcome: Outcome,
    pub taken: HashSet<(Discriminant<Life>, Discriminant<Happening>)>,
    pub intended: bool,
    pub engines: u32,
}

/// Everything outside the scheduler.
struct World<'c> {
    case: &'c Case,
    scheduler: Scheduler,
    dice: Dice,
    epoch: u32,
    now: Millis,
    pending: Vec<Event>,
    /// Attempts under way, what they are called, and since when. They outlive their engine.
    running: BTreeMap<Who, (Token, Millis)>,
    /// How many attempts failed for now, and when the first began.
    tries: HashMap<Who, u32>,
    began: HashMap<Who, Millis>,
    /// What was done is kept over the loss of an engine.
    done: BTreeSet<Who>,
    asked: HashSet<Who>,
    outcome: Option<Outcome>,
    intended: bool,
    taken: HashSet<(Discriminant<Life>, Discriminant<Happening>)>,
}

type Checked = Result<(), TestCaseError>;

/// Plays a case to its end.
pub(super) fn play(case: &Case) -> Result<Trace, TestCaseError> {
    let scheduler = Scheduler::new(case.work.clone()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let mut world = World {
        case,
        scheduler,
        dice: Dice(case.seed | 1),
        epoch: 1,
        now: 0,
        pending: vec![Event::Begin],
        running: BTreeMap::new(),
        tries: HashMap::new(),
        began: HashMap::new(),
        done: BTreeSet::new(),
        asked: HashSet::new(),
        outcome: None,
        intended: false,
        taken: HashSet::new(),
    };
    let mut steps = 0;
    while world.outcome.is_none() {
        if case.cancel_after == Some(steps) {
            world.pending.push(Event::Cancel);
        }
        if case.crash_after.contains(&steps) {
            world.crash()?;
        }
        steps += 1;
        prop_assert!(steps < 20_000, "the run does not end");
        world.step()?;
    }
    world.taken.extend(world.scheduler.taken.iter().copied());
    let lives = world.lives();
    prop_assert!(lives.values().all(|life| life.is_end()), "not everything came to an end: {:?}", lives);
    prop_assert!(world.scheduler.rooms.account().iter().all(|(taken, _)| *taken == 0), "room is kept for nobody");
    let World { outcome, taken, intended, epoch, .. } = world;
    Ok(Trace { lives, outcome: outcome.unwrap_or(Outcome::Interrupted), taken, intended, engines: epoch })
}

impl World<'_> {
    fn who(&self, node: usize) -> Who {
        self.scheduler.member_of(node).map_or((node, None), |(fan, member)| (fan, Some(member)))
    }

    fn script(&self, (unit, member): Who) -> Script {
        self.case.scripts[unit][member.map_or(0, |member| member + 1)]
    }

    fn lives(&self) -> BTreeMap<Who, Life> {
        (0..self.scheduler.nodes.len()).map(|node| (self.who(node), self.scheduler.life(node))).collect()
    }

    fn step(&mut self) -> Checked {
        let event = match self.pending.is_empty() {
            false => self.pending.swap_remove(self.dice.roll(self.pending.len())),
            true => {
                let due = self.scheduler.next_tick();
                prop_assert!(due.is_some(), "nothing goes on and the run is not over: {:?}", self.lives());
                self.now = self.now.max(due.unwrap_or(self.now));
                Event::Tick
            }
        };
        let answer = answer_of(&event);
        if let Some((node, token)) = answer {
            if token.epoch < self.epoch {
                let before = self.lives();
                let commands = self.tell(event)?;
                prop_assert!(commands.is_empty(), "an answer to an engine that is gone leads to {commands:?}");
                prop_assert_eq!(before, self.lives());
                return Ok(());
            }
            let who = self.who(node);
            let goes_on = matches!(event, Event::Adopted { .. } | Event::Began { .. });
            if self.running.get(&who).is_some_and(|(now, _)| *now == token) && !goes_on {
                self.running.remove(&who);
            }
        }
        let adopted = matches!(event, Event::Adopted { .. });
        let commands = self.tell(event)?;
        if let Some((node, token)) = answer.filter(|_| adopted) {
            self.attempt(node, token);
        }
        for command in commands {
            self.carry_out(command)?;
        }
        let account = self.scheduler.rooms.account();
        prop_assert!(account.iter().all(|(taken, has)| taken <= has), "more is taken than there is: {account:?}");
        Ok(())
    }

    fn tell(&mut self, event: Event) -> Result<Vec<Command>, TestCaseError> {
        self.scheduler.step(self.now, event).map_err(|error| TestCaseError::fail(error.to_string()))
    }

    /// All it needs ended well, as far as it cares.
    fn may_go_on(&self, node: usize) -> bool {
        let unit = &self.case.work.nodes[self.who(node).0];
        unit.needs.iter().all(|need| {
            let absent = unit.tolerant && self.scheduler.nodes[*need].absent;
            absent || self.scheduler.life(*need).is_good()
        })
    }

    fn carry_out(&mut self, command: Command) -> Checked {
        match command {
            Command::Check(node) => {
                prop_assert!(self.may_go_on(node), "{node} is checked before what it needs ended well");
                self.check(node);
            }
            Command::Start { node, token } => {
                prop_assert!(self.may_go_on(node), "{node} starts before what it needs ended well");
                let who = self.who(node);
                prop_assert!(self.running.insert(who, (token, self.now)).is_none(), "{node} runs twice at once");
                prop_assert!(self.running.len() <= self.case.work.room.jobs, "too many at once");
                self.fits()?;
                self.began.entry(who).or_insert(self.now);
                self.attempt(node, token);
            }
            Command::Adopt { node, token } => {
                let Some(attempt) = self.running.get_mut(&self.who(node)) else {
                    return Err(TestCaseError::fail(format!("nobody started what {node} is to adopt")));
                };
                attempt.0 = token;
                let gone = self.dice.roll(2) == 0;
                self.pending.push(if gone { Event::Lost { node, token } } else { Event::Adopted { node, token } });
            }
            Command::Retry { node, .. } => *self.tries.entry(self.who(node)).or_default() += 1,
            Command::Stop { node, token, .. } => {
                // What hangs stops, unless it is stubborn; anything else answers anyway.
                let how = self.hangs(node);
                if how == Some(How::Hangs) {
                    self.pending.push(Event::Failed { node, token, transient: false });
                }
            }
            Command::Kill { node, token } => match self.script(self.who(node)) {
                Script::Late(true) => self.pending.push(Event::Succeeded { node, token }),
                Script::Late(false) => self.pending.push(Event::Refused { node, token }),
                _ if self.hangs(node) == Some(How::Stubborn) => {
                    self.pending.push(Event::Failed { node, token, transient: false });
                }
                _ => {}
            },
            Command::Ask { node, wait } => self.ask(node, wait),
            Command::Collect(node) => self.pending.push(match self.script(self.who(node)) {
                Script::Fails => Event::Wrong(node),
                _ => Event::Collected(node),
            }),
            Command::Intend(node) => {
                prop_assert!(self.may_go_on(node));
                for other in 0..self.case.work.nodes.len() {
                    let life = self.scheduler.life(other);
                    let well = !self.scheduler.nodes[other].before_effects || life.is_end() && life != Life::Failed;
                    prop_assert!(well, "an effect begins while {other} is {life:?}");
                }
                self.intended = true;
                self.pending.push(Event::Intended(node));
            }
            Command::Act(node) => self.pending.push(Event::Acted(node)),
            Command::Disown { node, under_way } => {
                let (unit, member) = self.who(node);
                let is_fan = self.case.work.nodes[unit].fan.is_some();
                let member = member.or(is_fan.then_some(under_way.member as usize));
                prop_assert!(self.running.remove(&(unit, member)).is_some(), "nothing of {node} is under way");
            }
            Command::Rest => {
                let decides = self.pending.iter().any(|event| matches!(event, Event::Decided { .. }));
                prop_assert!(decides, "it rests, and nobody has to decide anything");
            }
            Command::End(how) => prop_assert!(self.outcome.replace(how).is_none(), "it ends twice"),
            Command::GiveUp { .. } | Command::Skip { .. } | Command::Block { .. } => {}
        }
        Ok(())
    }

    /// What attempts take up, added up from what their units ask for.
    fn fits(&self) -> Checked {
        let room = &self.case.work.room;
        let (mut cpu, mut memory, mut gpus) = (0, 0, 0);
        let mut pools: HashMap<&str, u64> = HashMap::new();
        for (unit, _) in self.running.keys() {
            let ask = &self.case.work.nodes[*unit].ask;
            (cpu, memory, gpus) = (cpu + ask.cpu, memory + ask.memory, gpus + ask.gpus);
            ask.pools.iter().for_each(|(pool, places)| *pools.entry(pool).or_default() += places);
        }
        prop_assert!(cpu <= room.cpu && memory <= room.memory && gpus <= room.gpus);
        prop_assert!(
            room.pools.iter().all(|(pool, depth)| pools.get(pool.as_str()).is_none_or(|taken| taken <= depth))
        );
        Ok(())
    }

    fn check(&mut self, node: usize) {
        let who = self.who(node);
        let script = self.script(who);
        let is_fan = self.case.work.nodes[who.0].fan.is_some() && who.1.is_none();
        let orphan = self.scheduler.orphans.contains_key(&(node as u32));
        self.pending.push(match script {
            _ if self.done.contains(&who) => Event::Found(node),
            Script::Known => Event::Found(node),
            Script::KnownButWrong => Event::Wrong(node),
            Script::Unwanted => Event::Unwanted(node),
            Script::Absent => Event::Absent(node),
            _ if is_fan => Event::Expanded { node, members: self.case.scripts[who.0].len() as u32 - 1 },
            Script::Sleeps if !orphan => Event::Wait { node, wait: Wait::Until(self.now + 5_000) },
            Script::Follows if !orphan => Event::Wait { node, wait: Wait::Run(1) },
            _ => Event::NotFound(node),
        });
    }

    /// What an attempt, new or adopted, will come to.
    fn attempt(&mut self, node: usize, token: Token) {
        let who = self.who(node);
        self.pending.push(Event::Began { node, token });
        let tried = self.tries.get(&who).copied().unwrap_or(0);
        let answer = match self.script(who) {
            Script::Fails => Event::Failed { node, token, transient: false },
            Script::Tries { times, how } if tried < times => match how {
                How::Transient => Event::Failed { node, token, transient: true },
                How::Lost => Event::Lost { node, token },
                How::Hangs | How::Stubborn => return,
            },
            Script::Refuses => Event::Refused { node, token },
            Script::Late(_) => return,
            Script::Asks(_) if self.asked.insert(who) => Event::Awaits { node, token, wait: Wait::Person },
            _ => Event::Succeeded { node, token },
        };
        self.pending.push(answer);
    }

    fn hangs(&self, node: usize) -> Option<How> {
        let who = self.who(node);
        match self.script(who) {
            Script::Tries { times, how } if self.tries.get(&who).copied().unwrap_or(0) < times => Some(how),
            _ => None,
        }
    }

    fn ask(&mut self, node: usize, wait: Wait) {
        let decision = match (wait, self.script(self.who(node))) {
            (Wait::Person, Script::Asks(decision)) => decision,
            (Wait::Until(_), _) => return,
            _ => Decision::Go,
        };
        // Somebody presses the button twice.
        self.pending.extend([Event::Decided { node, decision }, Event::Decided { node, decision }]);
    }

    /// The engine is gone, and another takes over. What was answered to the first one comes late.
    fn crash(&mut self) -> Checked {
        self.taken.extend(self.scheduler.taken.iter().copied());
        let mut work = self.case.work.clone();
        self.epoch += 1;
        work.epoch = self.epoch;
        let mut tries = HashMap::new();
        for (who, (token, since)) in &self.running {
            let failed = self.tries.get(who).copied().unwrap_or(0);
            let began = self.began.get(who).copied().unwrap_or(*since);
            tries.insert(*who, failed);
            let (member, attempt) = (who.1.unwrap_or(0) as u32, token.attempt);
            work.nodes[who.0].under_way.push(UnderWay { member, attempt, failed, since: *since, began });
        }
        self.tries = tries;
        self.done.extend(self.lives().into_iter().filter(|(_, life)| *life == Life::Done).map(|(who, _)| who));
        self.pending.retain(|event| answer_of(event).is_some());
        self.pending.push(Event::Begin);
        self.asked.clear();
        self.scheduler = Scheduler::new(work).map_err(|error| TestCaseError::fail(error.to_string()))?;
        Ok(())
    }
}

fn answer_of(event: &Event) -> Option<(usize, Token)> {
    match event {
        Event::Began { node, token }
        | Event::Succeeded { node, token }
        | Event::Refused { node, token }
        | Event::Failed { node, token, .. }
        | Event::Awaits { node, token, .. }
        | Event::Adopted { node, token }
        | Event::Lost { node, token } => Some((*node, *token)),
        _ => None,
    }
}
