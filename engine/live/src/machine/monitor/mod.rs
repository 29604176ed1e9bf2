//! The life of a monitor: which window is judged when, what counts as a breach, and what a breach brings about.
//!
//! Windows end at the time the deployment's first version became stable plus whole multiples of `every`. A window holds
//! the last `over` before its end, but nothing from before the stable version took over, and none is judged before that
//! version has been stable for one `every`.

mod judge;
mod verdict;

pub use verdict::{Outcome, WatchVerdict};

use super::{Duty, Illegal, millis};
use mlp_core::record::Millis;
use mlp_lang::live::{Address, Channel, Given, LiveMetric, MonitorNode, Watch, Watched};
use mlp_lang::pipeline::Expr;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A stretch of time: what happened at `from` is in it, what happened at `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Begin.
    pub from: Millis,
    /// End.
    pub to: Millis,
}

/// The rows that a watch of a window is about: for labels everything is earlier by their delay. `since`: when the version
/// became stable. `None`: there can be none yet.
pub fn window_of(node: &MonitorNode, watch: &Watch, window: Window, since: Millis) -> Option<Window> {
    let delay = match &watch.what {
        Watched::Label { delay, .. } => millis(*delay),
        Watched::Drift { .. } | Watched::Drifted { .. } | Watched::Service(_) => 0,
    };
    let to = window.to.saturating_sub(delay);
    let from = to.saturating_sub(millis(node.over)).max(since);
    (from < to).then_some(Window { from, to })
}

/// What happens to a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// A window was judged.
    Judged {
        /// Which, as the duty gave it.
        window: Window,
        /// The version judged.
        version: u64,
        /// One for each watch and, for drift, each of its columns.
        watches: Vec<WatchVerdict>,
    },
    /// A window could not be judged: neither breach nor recovery.
    NotJudged {
        /// Which, as the duty gave it.
        window: Window,
        /// The version that was to be judged.
        version: u64,
        /// In words.
        why: String,
    },
}

/// The states of a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No window of the stable version has said anything yet.
    Unjudged,
    /// The newest window that said anything was well.
    Well,
    /// It was not: an episode that ends with a window that is well, or with a new stable version.
    Breached,
}

/// What a monitor must know of its deployment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    /// The model.
    pub model: String,
    /// The stable version.
    pub version: u64,
    /// When it became so.
    pub since: Millis,
    /// When the first version became stable.
    pub first: Millis,
    /// Some requests are answered by it.
    pub answers: bool,
    /// A rollout is under way.
    pub rolling: bool,
    /// There is a version to go back to.
    pub can_return: bool,
    /// A run that was asked for is waiting or under way for the same pipeline.
    pub running: bool,
}

/// What a breach brings about.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    /// An alert.
    Alert { channel: Channel, to: Address, body: super::AlertBody },
    /// A run.
    Retrain { key: String, params: Vec<(String, Given)>, words: String },
    /// The version before comes back.
    Rollback,
}

/// A monitor.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    name: String,
    pipeline: String,
    node: Arc<MonitorNode>,
    state: State,
    /// Whom the state is about: the stable version and when it became so.
    about: Option<(u64, Millis)>,
    /// End of the newest window that was judged or could not be.
    judged: Option<Millis>,
    /// Breaches in a row; windows that said nothing do not break the row.
    streak: u32,
    /// Actions that this episode has brought about: block and place in it.
    fired: Vec<(usize, usize)>,
    /// What stood against an action in this episode and has been told.
    against: Vec<(usize, usize, &'static str)>,
    /// The last retraining or rollback.
    acted: Option<Millis>,
    past: Vec<Past>,
    last: Option<Judgement>,
}

/// The newest judged window.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Which.
    pub window: Window,
    /// The version judged.
    pub version: u64,
    /// As a whole.
    pub outcome: Outcome,
    /// Each watch.
    pub watches: Vec<WatchVerdict>,
}

/// A statistic of a window that is over.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Past {
    to: Millis,
    watch: u32,
    value: f64,
}

impl Monitor {
    pub(super) fn new(name: &str, pipeline: &str, node: &MonitorNode) -> Monitor {
        Monitor {
            name: name.to_owned(),
            pipeline: pipeline.to_owned(),
            node: Arc::new(node.clone()),
            state: State::Unjudged,
            about: None,
            judged: None,
            streak: 0,
            fired: Vec::new(),
            against: Vec::new(),
            acted: None,
            past: Vec::new(),
            last: None,
        }
    }

    /// What the monitor is once its file says this. If it means something else than before, its episode and its past
    /// windows are forgotten; its cooldown is not.
    pub(super) fn declared(&self, pipeline: &str, node: &MonitorNode) -> Monitor {
        let now = Monitor { pipeline: pipeline.to_owned(), node: Arc::new(node.clone()), ..self.clone() };
        if same(&self.node, node) {
            return now;
        }
        Monitor { judged: self.judged, acted: self.acted, ..Monitor::new(&self.name, pipeline, node) }
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// As its file declares it now.
    pub fn node(&self) -> &MonitorNode {
        &self.node
    }

    /// The pipeline whose file declares it, and which is run to retrain.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Breaches in a row.
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// The newest judged window.
    pub fn last(&self) -> Option<&Judgement> {
        self.last.as_ref()
    }

    pub(super) fn past(&self, watch: u32, over: i64, now: Millis) -> Vec<f64> {
        let from = now.saturating_sub(millis(over));
        let wanted = |it: &&Past| it.watch == watch && it.to > from && it.to <= now;
        self.past.iter().filter(wanted).map(|it| it.value).collect()
    }

    fn every(&self) -> i64 {
        millis(self.node.every).max(1)
    }

    /// The end of the oldest window that is still to be judged, past or future.
    fn next_end(&self, scene: &Scene) -> Millis {
        let every = self.every();
        // Whole intervals from the first version on: the first end that is late enough for the stable version, and the
        // first that was not judged yet.
        let ripe = scene.since.saturating_sub(scene.first).saturating_add(every);
        let ripe = ripe.div_euclid(every) + i64::from(ripe.rem_euclid(every) > 0);
        let new = self.judged.map_or(1, |judged| judged.saturating_sub(scene.first).div_euclid(every) + 1);
        scene.first.saturating_add(ripe.max(new).max(1).saturating_mul(every))
    }

    fn ending(&self, scene: &Scene, to: Millis) -> Window {
        Window { from: to.saturating_sub(millis(self.node.over)).max(scene.since), to }
    }

    /// The newest window that can be judged now: of those missed only the newest is.
    fn window(&self, scene: &Scene, now: Millis) -> Option<Window> {
        let next = self.next_end(scene);
        if now < next || !scene.answers {
            return None;
        }
        let to = next.saturating_add(now.saturating_sub(next) / self.every() * self.every());
        Some(self.ending(scene, to))
    }

    pub(super) fn next_due(&self, scene: &Scene) -> Option<Millis> {
        scene.answers.then(|| self.next_end(scene))
    }

    pub(super) fn duty(&self, scene: &Scene, now: Millis) -> Option<Duty> {
        let window = self.window(scene, now)?;
        Some(Duty::Judge { monitor: self.name.clone(), window, version: scene.version, since: scene.since })
    }

    /// The one transition function of a monitor: what it is after this, what a breach brings about, and what there is to
    /// tell.
    pub(super) fn step(
        &self,
        at: Millis,
        event: &Event,
        scene: Option<&Scene>,
    ) -> Result<(Monitor, Vec<Effect>, Vec<String>), Illegal> {
        let (word, window, version) = match event {
            Event::Judged { window, version, .. } => ("judged", *window, *version),
            Event::NotJudged { window, version, .. } => ("not judged", *window, *version),
        };
        let illegal = |why: &str| Illegal {
            machine: format!("monitor {}", self.name),
            state: format!("{:?}", self.state),
            event: word.to_owned(),
            why: why.to_owned(),
        };
        let scene = scene.ok_or_else(|| illegal("its deployment has no stable version"))?;
        if version != scene.version {
            return Err(illegal("another version is stable"));
        }
        let next = self.next_end(scene);
        let in_step = window.to >= next && (window.to - next) % self.every() == 0;
        if !in_step || window.to > at || window != self.ending(scene, window.to) {
            return Err(illegal("that window is not to be judged"));
        }
        if let Event::Judged { watches, .. } = event
            && watches.iter().any(|it| it.watch as usize >= self.node.watches.len())
        {
            return Err(illegal("it has no such watch"));
        }
        let mut news = Vec::new();
        let mut after = self.clone();
        let missed = (window.to - next) / self.every();
        if missed > 0 {
            let missed = super::words::counted(u32::try_from(missed).unwrap_or(u32::MAX), "window", "windows");
            news.push(format!("{missed} missed and not judged"));
        }
        after.judged = Some(window.to);
        if after.about != Some((scene.version, scene.since)) {
            (after.state, after.last) = (State::Unjudged, None);
            after.end_episode();
            after.about = Some((scene.version, scene.since));
        }
        let effects = match event {
            Event::NotJudged { why, .. } => {
                news.push(format!("a window could not be judged: {why}"));
                Vec::new()
            }
            Event::Judged { watches, .. } => {
                after.remember(window.to, watches);
                after.judge(at, window, watches, scene, &mut news)
            }
        };
        Ok((after, effects, news))
    }

    fn end_episode(&mut self) {
        self.streak = 0;
        self.fired.clear();
        self.against.clear();
    }

    /// Keeps what `baseline` and `sigma` will ask for, as long as they will.
    fn remember(&mut self, to: Millis, watches: &[WatchVerdict]) {
        for (index, watch) in self.node.watches.iter().enumerate() {
            let (Some(over), Ok(index)) = (looks_back(watch), u32::try_from(index)) else { continue };
            let from = to.saturating_sub(millis(over));
            self.past.retain(|it| it.watch != index || it.to > from);
            let verdict = watches.iter().find(|it| it.watch == index);
            self.past.extend(verdict.and_then(|it| it.statistic).filter(|it| it.is_finite()).map(|value| Past {
                to,
                watch: index,
                value,
            }));
        }
    }
}

/// How far back a limit looks, in nanoseconds.
fn looks_back(watch: &Watch) -> Option<i64> {
    let mut furthest = None;
    watch.limit.visit(&mut |expr| {
        if let Expr::Live(LiveMetric::Baseline(over) | LiveMetric::Sigma(over)) = expr {
            furthest = furthest.max(Some(*over));
        }
    });
    furthest
}

/// Whether both mean the same; where they stand in a file and what it numbers its nodes is no matter.
fn same(a: &MonitorNode, b: &MonitorNode) -> bool {
    let watch = |(a, b): (&Watch, &Watch)| {
        a.what == b.what && a.comparison == b.comparison && a.limit == b.limit && a.text == b.text
    };
    a.deployment_name == b.deployment_name
        && (a.every, a.over, a.on_no_data, a.cooldown) == (b.every, b.over, b.on_no_data, b.cooldown)
        && a.breaches == b.breaches
        && a.watches.len() == b.watches.len()
        && a.watches.iter().zip(&b.watches).all(watch)
}
