//! A small world for the machines: nodes as a file would give them, and a loop that answers duties in virtual time.

mod laws;
mod monitors;
mod rollouts;
mod table;
mod triggers;

use super::monitor::{self, WatchVerdict};
use super::{Asked, Duty, Entry, Illegal, Live, Offer, What, alert, retrain, rollout, trigger};
use mlp_core::record::Millis;
use mlp_lang::live::*;
use mlp_lang::pipeline::{Expr, NodeId};
use mlp_lang::span::Span;
use mlp_lang::types::{Comparison, Schema};
use mlp_lang::value::Value;
use std::collections::VecDeque;

pub(super) const SECOND: Millis = 1_000;
pub(super) const MINUTE: Millis = 60 * SECOND;
pub(super) const HOUR: Millis = 60 * MINUTE;
pub(super) const DAY: Millis = 24 * HOUR;
/// 2011-04-01T00:00:00Z
pub(super) const START: Millis = 1_301_616_000_000;

pub(super) fn nanos(millis: Millis) -> i64 {
    millis * 1_000_000
}

pub(super) fn live(metric: LiveMetric) -> Box<Expr> {
    Box::new(Expr::Live(metric))
}

pub(super) fn compare(metric: LiveMetric, comparison: Comparison, limit: Value) -> Expr {
    Expr::Compare(comparison, live(metric), Box::new(Expr::Const(limit)))
}

pub(super) fn condition(success: Expr, failure: Option<Expr>) -> Condition {
    let text = success.to_string();
    Condition { success, failure, text, span: Span::default() }
}

/// `check every 30s { error_rate <= 1% fails when error_rate > 5%  tolerate = 2 failures, 1 inconclusive, 1 errors }`
pub(super) fn check(on_no_data: OnNoData) -> Check {
    let success = compare(LiveMetric::ErrorRate, Comparison::LessOrEqual, Value::Fraction(0.01));
    let failure = compare(LiveMetric::ErrorRate, Comparison::Greater, Value::Fraction(0.05));
    let conditions = vec![condition(success, Some(failure))];
    Check { every: nanos(30 * SECOND), conditions, on_no_data, failures: 2, inconclusive: 1, errors: 1 }
}

pub(super) fn deploy(strategy: Strategy) -> DeployNode {
    DeployNode {
        model: NodeId(7),
        model_name: "demand".into(),
        flavor: "regressor".into(),
        row: Schema::default(),
        label: None,
        serve: Serve {
            host: "127.0.0.1".into(),
            port: 8080,
            replicas: 1,
            timeout: nanos(5 * SECOND),
            batch: 256,
            sticky: None,
            log: true,
        },
        form: Default::default(),
        strategy,
        rollback_within: nanos(30 * SECOND),
    }
}

/// `canary { 5% for 2m  25% until promoted  50% for 1m  100%  check ... }`
pub(super) fn canary(check: Option<Check>) -> Strategy {
    let step = |weight, hold| CanaryStep { weight, hold };
    let steps = vec![
        step(0.05, Hold::For(nanos(2 * MINUTE))),
        step(0.25, Hold::UntilPromoted),
        step(0.5, Hold::For(nanos(MINUTE))),
        step(1.0, Hold::Done),
    ];
    Strategy::Canary { steps, check }
}

pub(super) fn blue_green(check: Option<Check>) -> Strategy {
    Strategy::BlueGreen { preview: nanos(MINUTE), keep: nanos(2 * MINUTE), check }
}

pub(super) fn replace(check: Option<Check>) -> Strategy {
    Strategy::Replace { watch: nanos(MINUTE), check }
}

pub(super) fn shadow(check: Option<Check>) -> Strategy {
    Strategy::Shadow { share: 0.3, hold: nanos(MINUTE), check }
}

/// `monitor health of production { every 1h over 24h  watch drift(temp, hum) <= 0.5  on breach for N windows { ... } }`
pub(super) fn health(breaches: Vec<OnBreach>) -> MonitorNode {
    let columns = vec!["temp".to_owned(), "hum".to_owned()];
    let drift = Watch {
        what: Watched::Drift { columns, method: DriftMethod::Auto, alpha: 0.05 },
        comparison: Comparison::LessOrEqual,
        limit: Expr::Const(Value::Float(0.5)),
        text: "drift(temp, hum) <= 0.5".into(),
        span: Span::default(),
    };
    MonitorNode {
        deployment: NodeId(8),
        deployment_name: "production".into(),
        every: nanos(HOUR),
        over: nanos(DAY),
        reference: None,
        watches: vec![drift],
        on_no_data: OnNoData::Wait,
        cooldown: nanos(12 * HOUR),
        breaches,
    }
}

pub(super) fn on(windows: u32, actions: Vec<Action>) -> OnBreach {
    OnBreach { windows, actions }
}

pub(super) fn hook() -> Action {
    Action::Alert { channel: Channel::Webhook, to: Address::Plain("http://127.0.0.1:9/alert".into()) }
}

pub(super) fn again() -> Action {
    Action::Retrain { params: vec![("until".into(), Given::Now)] }
}

pub(super) fn offer(version: u64, run: u64) -> Offer {
    Offer { model: "demand".into(), version, run }
}

pub(super) fn declare(
    strategy: Strategy,
    monitors: Vec<(String, MonitorNode)>,
    triggers: Vec<(String, TriggerNode)>,
) -> What {
    let deployments = vec![("production".to_owned(), deploy(strategy))];
    What::Declared { pipeline: "bikes".into(), file: "bikes.mlp".into(), deployments, monitors, triggers }
}

pub(super) fn opened() -> What {
    What::Opened { engine: "0.1.0".into(), pid: 12, virtual_time: true }
}

pub(super) fn offered(version: u64, run: u64) -> What {
    What::Offered { deployment: "production".into(), offer: offer(version, run) }
}

pub(super) fn asked(what: Asked) -> What {
    What::Asked { who: "anna".into(), what, deployment: "production".into(), refused: None }
}

pub(super) fn answer(event: rollout::Event) -> What {
    What::Rollout { deployment: "production".into(), event }
}

/// What a measurement finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found {
    Errors(f64),
    Nothing,
    Broken,
}

impl Found {
    pub fn event(self, version: u64) -> rollout::Event {
        let number = |value| vec![(LiveMetric::ErrorRate, value)];
        match self {
            Found::Errors(rate) => {
                rollout::Event::Measured { version, requests: 200, numbers: number(Some(Value::Fraction(rate))) }
            }
            Found::Nothing => rollout::Event::Measured { version, requests: 0, numbers: number(None) },
            Found::Broken => rollout::Event::NotMeasured { version, why: "the totals are gone".into() },
        }
    }
}

pub(super) fn drift(column: &str, statistic: Option<f64>) -> WatchVerdict {
    WatchVerdict {
        watch: 0,
        text: "drift(temp, hum) <= 0.5".into(),
        column: Some(column.into()),
        rule: "Wasserstein distance / standard deviation".into(),
        statistic,
        threshold: Some(0.5),
        comparison: Comparison::LessOrEqual,
        held: statistic.map(|statistic| statistic <= 0.5),
        rows: 672,
        reference_rows: 1_650,
        words: String::new(),
    }
}

/// Plays the resident engine: answers duties as told, moves time to where the next is due.
pub(super) struct World {
    pub live: Live,
    pub entries: Vec<Entry>,
    pub now: Millis,
    /// What the next measurements find; then no errors.
    pub found: VecDeque<Found>,
    /// Drift of `temp` in the next windows; then none.
    pub drifts: VecDeque<Option<f64>>,
    /// What the next attempts at an alert come to; then they arrive.
    pub refusals: u32,
    /// How the next runs end; then they have nothing to offer.
    pub outcomes: VecDeque<retrain::RetrainOutcome>,
    /// The alerts that arrived, and the runs that were started.
    pub arrived: Vec<String>,
    pub started: Vec<String>,
}

impl World {
    pub fn new(declared: What) -> World {
        let mut world = World {
            live: Live::default(),
            entries: Vec::new(),
            now: START,
            found: VecDeque::new(),
            drifts: VecDeque::new(),
            refusals: 0,
            outcomes: VecDeque::new(),
            arrived: Vec::new(),
            started: Vec::new(),
        };
        world.does(opened());
        world.does(declared);
        world
    }

    /// Version 1 is stable already.
    pub fn serving(declared: What) -> World {
        let mut world = World::new(declared);
        world.does(offered(1, 1));
        world.does(answer(rollout::Event::Loaded { version: 1 }));
        world
    }

    pub fn tries(&mut self, what: What) -> Result<(), Illegal> {
        let entry = Entry { at: self.now, what };
        self.live.apply(&entry)?;
        self.entries.push(entry);
        Ok(())
    }

    #[track_caller]
    pub fn does(&mut self, what: What) {
        if let Err(illegal) = self.tries(what) {
            panic!("{illegal}");
        }
    }

    fn answer(&mut self, duty: Duty) {
        match duty {
            Duty::Load { version, .. } => self.does(answer(rollout::Event::Loaded { version })),
            Duty::Measure { version, .. } => {
                let found = self.found.pop_front().unwrap_or(Found::Errors(0.0));
                self.does(answer(found.event(version)));
            }
            Duty::Step { .. } => self.does(answer(rollout::Event::Ticked)),
            Duty::Judge { monitor, window, version, .. } => {
                let temp = self.drifts.pop_front().unwrap_or(Some(0.1));
                let watches = vec![drift("temp", temp), drift("hum", Some(0.2))];
                self.does(What::Monitor { monitor, event: monitor::Event::Judged { window, version, watches } });
            }
            Duty::Fire { trigger, at } => self.does(What::Trigger { trigger, event: trigger::Event::Fired { at } }),
            Duty::Watch { .. } => {}
            Duty::Retrain { key, started, .. } => {
                if !started {
                    self.started.push(key.clone());
                    self.does(What::Retrain { key, event: retrain::Event::Started { run: Some(9) } });
                } else {
                    let outcome = self.outcomes.pop_front().unwrap_or(retrain::RetrainOutcome::Nothing);
                    let event = retrain::Event::Ended { run: Some(9), outcome, words: String::new() };
                    self.does(What::Retrain { key, event });
                }
            }
            Duty::Alert { key, attempt, .. } => {
                let event = if self.refusals > 0 {
                    self.refusals -= 1;
                    alert::Event::Tried { attempt, why: "connection refused".into() }
                } else {
                    self.arrived.push(key.clone());
                    alert::Event::Sent { attempt }
                };
                self.does(What::Alert { key, event });
            }
        }
    }

    /// One duty, or time moves to the next, at most to `end`. False: nothing more happens until then.
    pub fn turn(&mut self, end: Millis) -> bool {
        let duty = self.live.due(self.now).into_iter().find(|duty| !matches!(duty, Duty::Watch { .. }));
        match (duty, self.live.next_due()) {
            (Some(duty), _) => self.answer(duty),
            (None, Some(next)) if next <= end => {
                assert!(next > self.now, "time alone brings nothing at {next}, though it is said to");
                self.now = next;
            }
            (None, _) => {
                self.now = self.now.max(end);
                return false;
            }
        }
        true
    }

    pub fn runs_until(&mut self, end: Millis) {
        while self.turn(end) {}
    }

    pub fn runs_for(&mut self, time: Millis) {
        self.runs_until(self.now + time);
    }

    pub fn state(&self) -> rollout::State {
        self.live.deployment("production").expect("declared").state()
    }

    pub fn weight(&self) -> f64 {
        self.live.routes("production").candidate.map_or(0.0, |(_, share)| share)
    }

    /// The story with times from the start, one line each.
    pub fn story(&self) -> String {
        let told = self.live.story().iter().map(|told| {
            let after = Value::Duration(nanos(told.at - START));
            format!("{:>8}  {told}\n", after.to_string())
        });
        told.collect()
    }
}
