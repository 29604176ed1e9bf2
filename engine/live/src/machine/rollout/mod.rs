//! The life of a deployment: which version is stable, and how a candidate takes over from it.
//!
//! ```text
//! Idle ─> Starting ─> Serving ─> Loading ─┬─> Holding ─> AwaitingPromotion ... ─┬─> Serving (the candidate is stable)
//!            ^           ^                ├─> Previewing ─> Keeping ────────────┤
//!            │           └── Returning    ├─> Watching ─────────────────────────┤
//!        (no stable version yet)          └─> Shadowing ─> ShadowDone ──────────┘
//! ```
//!
//! From every state of a rollout an abort leads back to `Serving` (or `Idle`) with all traffic at the stable version.

mod hold;
mod measure;
mod step;

pub use measure::{Line, Measurement, Verdict};

use super::{Duty, Offer, words};
use crate::routes::Routes;
use hold::Hold;
use mlp_core::record::Millis;
use mlp_lang::live::{CanaryStep, Check, DeployNode, Hold as HoldFor, LiveMetric, Strategy};
use mlp_lang::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
pub(super) use step::Input;

/// What the world answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The candidate is loaded and ready to answer.
    Loaded {
        /// Which.
        version: u64,
    },
    /// It cannot be loaded. At any time of a rollout, since a new engine loads the candidate again.
    LoadFailed {
        /// Which.
        version: u64,
        /// In words.
        why: String,
    },
    /// The candidate was measured; what that means is decided here.
    Measured {
        /// Which.
        version: u64,
        /// Requests since the measurement before.
        requests: u64,
        /// Each number that was asked for; `None`: there was nothing to measure.
        numbers: Vec<(LiveMetric, Option<Value>)>,
    },
    /// It could not be measured at all.
    NotMeasured {
        /// Which.
        version: u64,
        /// In words.
        why: String,
    },
    /// The time of the step is over.
    Ticked,
}

/// The states of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No version was ever stable and none is on its way.
    Idle,
    /// The first candidate is being loaded.
    Starting,
    /// The stable version answers everybody.
    Serving,
    /// A candidate is being loaded.
    Loading,
    /// Canary: the candidate answers a share for a while.
    Holding,
    /// Canary: the candidate answers a share until a person says otherwise.
    AwaitingPromotion,
    /// Blue-green: the candidate sees a copy of everything.
    Previewing,
    /// Blue-green: the candidate answers everybody, the old version is kept.
    Keeping,
    /// Replace: the candidate answers everybody, the old version is kept.
    Watching,
    /// Shadow: the candidate sees a copy of a share.
    Shadowing,
    /// Shadow: the time is over, a person decides.
    ShadowDone,
    /// An earlier version is being loaded to take over again.
    Returning,
    /// The rollout stays where it is until a person says otherwise; checks go on.
    Paused,
    /// No file declares it any more. Nobody is answered.
    Withdrawn,
}

/// How a candidate takes over.
#[derive(Clone, Debug, PartialEq)]
enum Course {
    /// There is nothing to compare it with: as soon as it is loaded.
    First,
    /// As was declared when it began.
    By(Strategy),
    /// It was stable before: as soon as it is loaded.
    Return,
}

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq)]
enum Stage {
    Loading,
    Step { index: usize, hold: Hold },
    Preview(Hold),
    Keep(Hold),
    Watch(Hold),
    Shadow(Hold),
    ShadowDone,
}

impl Stage {
    fn hold(&self) -> Option<&Hold> {
        match self {
            Stage::Step { hold, .. } | Stage::Preview(hold) | Stage::Keep(hold) | Stage::Watch(hold) => Some(hold),
            Stage::Shadow(hold) => Some(hold),
            Stage::Loading | Stage::ShadowDone => None,
        }
    }

    fn hold_mut(&mut self) -> Option<&mut Hold> {
        match self {
            Stage::Step { hold, .. } | Stage::Preview(hold) | Stage::Keep(hold) | Stage::Watch(hold) => Some(hold),
            Stage::Shadow(hold) => Some(hold),
            Stage::Loading | Stage::ShadowDone => None,
        }
    }
}

/// A candidate on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    candidate: Offer,
    course: Course,
    stage: Stage,
    began: Millis,
    /// Why it is paused.
    paused: Option<String>,
    failures: u32,
    inconclusive: u32,
    errors: u32,
    last: Option<Measurement>,
}

impl Rollout {
    /// What takes over.
    pub fn candidate(&self) -> &Offer {
        &self.candidate
    }

    /// When it was begun.
    pub fn began(&self) -> Millis {
        self.began
    }

    /// Why it is paused, if it is.
    pub fn paused(&self) -> Option<&str> {
        self.paused.as_deref()
    }

    /// The canary's step, from 0, and how many there are.
    pub fn step(&self) -> Option<(usize, usize)> {
        match (&self.course, &self.stage) {
            (Course::By(Strategy::Canary { steps, .. }), Stage::Step { index, .. }) => Some((*index, steps.len())),
            _ => None,
        }
    }

    /// How long the current step has lasted and how long it must last, in milliseconds; without the latter a person
    /// decides.
    pub fn held(&self, now: Millis) -> Option<(i64, Option<i64>)> {
        self.stage.hold().map(|hold| (hold.held(now), hold.length))
    }

    /// Failures so far.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Inconclusive measurements so far that were not forgiven.
    pub fn inconclusive(&self) -> u32 {
        self.inconclusive
    }

    /// Measurements in a row that could not be made.
    pub fn errors(&self) -> u32 {
        self.errors
    }

    /// The newest measurement.
    pub fn last(&self) -> Option<&Measurement> {
        self.last.as_ref()
    }

    fn check(&self) -> Option<&Check> {
        match &self.course {
            Course::By(strategy) => strategy.check(),
            Course::First | Course::Return => None,
        }
    }

    fn canary_step(&self) -> Option<&CanaryStep> {
        match (&self.course, &self.stage) {
            (Course::By(Strategy::Canary { steps, .. }), Stage::Step { index, .. }) => steps.get(*index),
            _ => None,
        }
    }

    /// The share of the requests that the candidate answers.
    fn answers(&self) -> f64 {
        match &self.stage {
            Stage::Step { .. } => self.canary_step().map_or(0.0, |step| step.weight),
            Stage::Keep(_) | Stage::Watch(_) => 1.0,
            Stage::Loading | Stage::Preview(_) | Stage::Shadow(_) | Stage::ShadowDone => 0.0,
        }
    }

    /// The share of the requests of which the candidate sees a copy.
    fn sees(&self) -> f64 {
        match (&self.stage, &self.course) {
            (Stage::Preview(_), _) => 1.0,
            (Stage::Shadow(_), Course::By(Strategy::Shadow { share, .. })) => *share,
            _ => 0.0,
        }
    }

    fn state(&self) -> State {
        if self.paused.is_some() {
            return State::Paused;
        }
        match (&self.stage, &self.course) {
            (Stage::Loading, Course::First) => State::Starting,
            (Stage::Loading, Course::Return) => State::Returning,
            (Stage::Loading, Course::By(_)) => State::Loading,
            (Stage::Step { hold, .. }, _) if hold.length.is_none() => State::AwaitingPromotion,
            (Stage::Step { .. }, _) => State::Holding,
            (Stage::Preview(_), _) => State::Previewing,
            (Stage::Keep(_), _) => State::Keeping,
            (Stage::Watch(_), _) => State::Watching,
            (Stage::Shadow(_), _) => State::Shadowing,
            (Stage::ShadowDone, _) => State::ShadowDone,
        }
    }
}

/// A candidate that did not take over, or that was taken back.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejected {
    /// What.
    pub offer: Offer,
    /// Why, in words.
    pub why: String,
    /// When.
    pub at: Millis,
    /// A newer candidate came; there was nothing wrong with this one.
    pub superseded: bool,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment {
    name: String,
    pipeline: String,
    node: Arc<DeployNode>,
    withdrawn: bool,
    stable: Option<Offer>,
    /// When it became stable.
    since: Option<Millis>,
    /// When the first version became stable.
    first_served: Option<Millis>,
    /// Earlier stable versions, the one before last.
    past: Vec<Offer>,
    /// All that were ever stable.
    served: BTreeMap<u64, Offer>,
    rollout: Option<Rollout>,
    /// Begins when the return to an earlier version is over.
    waiting: Option<Offer>,
    rejected: Vec<Rejected>,
}

impl Deployment {
    pub(super) fn new(name: &str, pipeline: &str, node: &DeployNode) -> Deployment {
        Deployment {
            name: name.to_owned(),
            pipeline: pipeline.to_owned(),
            node: Arc::new(node.clone()),
            withdrawn: false,
            stable: None,
            since: None,
            first_served: None,
            past: Vec::new(),
            served: BTreeMap::new(),
            rollout: None,
            waiting: None,
            rejected: Vec::new(),
        }
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        match (&self.rollout, &self.stable) {
            _ if self.withdrawn => State::Withdrawn,
            (Some(rollout), _) => rollout.state(),
            (None, Some(_)) => State::Serving,
            (None, None) => State::Idle,
        }
    }

    /// The pipeline whose file declares it.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// As its file declares it now.
    pub fn node(&self) -> &DeployNode {
        &self.node
    }

    /// The version that answers everybody the candidate does not.
    pub fn stable(&self) -> Option<&Offer> {
        self.stable.as_ref()
    }

    /// When the stable version became so.
    pub fn since(&self) -> Option<Millis> {
        self.since
    }

    /// When the first version became stable.
    pub fn first_served(&self) -> Option<Millis> {
        self.first_served
    }

    /// The version that a rollback leads to.
    pub fn previous(&self) -> Option<&Offer> {
        self.past.last()
    }

    /// The candidate on its way.
    pub fn rollout(&self) -> Option<&Rollout> {
        self.rollout.as_ref()
    }

    /// What was rejected, oldest first.
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Whether a file declares it.
    pub fn is_declared(&self) -> bool {
        !self.withdrawn
    }

    /// Whether a candidate or an earlier version is on its way.
    pub(super) fn is_rolling(&self) -> bool {
        self.rollout.is_some()
    }

    /// Whether anything of the traffic is answered by the stable version.
    pub(super) fn stable_answers(&self) -> bool {
        !self.withdrawn && self.stable.is_some() && self.rollout.as_ref().is_none_or(|it| it.answers() < 1.0)
    }

    /// Where requests go.
    pub fn routes(&self) -> Routes {
        if self.withdrawn {
            return Routes::default();
        }
        let given = |share: fn(&Rollout) -> f64| {
            let rollout = self.rollout.as_ref()?;
            Some((rollout.candidate.version, share(rollout))).filter(|(_, share)| *share > 0.0)
        };
        Routes {
            stable: self.stable.as_ref().map(|stable| stable.version),
            candidate: given(Rollout::answers),
            mirror: given(Rollout::sees),
        }
    }

    /// The versions that must be loaded.
    pub fn loaded(&self) -> BTreeSet<u64> {
        if self.withdrawn {
            return BTreeSet::new();
        }
        let candidate = self.rollout.as_ref().map(|rollout| &rollout.candidate);
        self.stable.iter().chain(candidate).map(|offer| offer.version).collect()
    }

    pub(super) fn duties(&self, now: Millis) -> Vec<Duty> {
        let Some(rollout) = self.rollout.as_ref().filter(|_| !self.withdrawn) else { return Vec::new() };
        let (deployment, version) = (self.name.clone(), rollout.candidate.version);
        if rollout.stage == Stage::Loading {
            return vec![Duty::Load { deployment, version }];
        }
        let Some(hold) = rollout.stage.hold() else { return Vec::new() };
        if hold.over_at().is_some_and(|at| at <= now) {
            return vec![Duty::Step { deployment }];
        }
        let check = rollout.check().filter(|_| hold.measure_at().is_some_and(|at| at <= now));
        let measure = |check| {
            let (metrics, since) = (measure::wanted(check), hold.measured_until());
            Duty::Measure { deployment, version, metrics, since }
        };
        check.map(measure).into_iter().collect()
    }

    pub(super) fn next_due(&self) -> Option<Millis> {
        let hold = self.rollout.as_ref().filter(|_| !self.withdrawn)?.stage.hold()?;
        hold.over_at().or_else(|| hold.measure_at())
    }

    /// Where it stands, in one line for people.
    pub fn words(&self, now: Millis) -> String {
        let stable = match &self.stable {
            Some(stable) => format!("{stable} is stable"),
            None => "no version is stable yet".to_owned(),
        };
        let Some(rollout) = &self.rollout else {
            return if self.withdrawn { "no longer declared".to_owned() } else { stable };
        };
        let candidate = &rollout.candidate;
        let doing = match &rollout.stage {
            Stage::Loading => format!("{candidate} is being loaded"),
            Stage::Step { .. } | Stage::Keep(_) | Stage::Watch(_) => {
                format!("{candidate} answers {} of the requests", words::share(rollout.answers()))
            }
            Stage::Preview(_) | Stage::Shadow(_) => {
                format!("{candidate} sees a copy of {} of the requests", words::share(rollout.sees()))
            }
            Stage::ShadowDone => format!("{candidate} has been seen long enough and waits for promote or abort"),
        };
        let time = match rollout.held(now) {
            Some((held, Some(length))) => format!(", {} of {}", lasted(held), lasted(length)),
            Some((_, None)) => " until promoted".to_owned(),
            None => String::new(),
        };
        let paused = rollout.paused.as_ref().map(|why| format!(", paused: {why}")).unwrap_or_default();
        format!("{stable}; {doing}{time}{paused}")
    }
}

/// Milliseconds in words.
fn lasted(millis: i64) -> String {
    words::lasting(millis as f64 * 1e6)
}
