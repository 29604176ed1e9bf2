//! The one transition function of a deployment.

use super::super::{Asked, Illegal, Offer, words};
use super::hold::Worth;
use super::{Course, Deployment, Event, Hold, HoldFor, Measurement, Rejected, Rollout, Stage, Verdict, measure};
use mlp_core::record::Millis;
use mlp_lang::live::{Check, DeployNode, Strategy};
use std::sync::Arc;

/// All that can happen to a deployment.
#[derive(Clone, Debug)]
pub(in super::super) enum Input<'a> {
    /// Its file says this now.
    Declared { pipeline: &'a str, node: &'a DeployNode },
    /// No file declares it any more.
    Withdrawn,
    /// A new engine lives; the one before was last heard of then.
    Opened { last: Millis },
    /// A run hands a candidate over.
    Offered(&'a Offer),
    /// The world answers.
    World(&'a Event),
    /// A person asks.
    Asked { who: &'a str, what: &'a Asked },
    /// A monitor wants the version before back.
    Breached { monitor: &'a str },
}

impl Input<'_> {
    fn word(&self) -> &'static str {
        match self {
            Input::Declared { .. } => "declared",
            Input::Withdrawn => "withdrawn",
            Input::Opened { .. } => "opened",
            Input::Offered(_) => "offered",
            Input::World(Event::Loaded { .. }) => "loaded",
            Input::World(Event::LoadFailed { .. }) => "load failed",
            Input::World(Event::Measured { .. }) => "measured",
            Input::World(Event::NotMeasured { .. }) => "not measured",
            Input::World(Event::Ticked) => "ticked",
            Input::Asked { what, .. } => what.word(),
            Input::Breached { .. } => "breached",
        }
    }
}

/// What there is to tell.
type News = Vec<String>;

impl Deployment {
    /// The one transition function of a deployment: what it is after this, and what there is to tell.
    pub(in super::super) fn step(&self, at: Millis, input: &Input) -> Result<(Deployment, News), Illegal> {
        let (mut next, mut news) = (self.clone(), News::new());
        next.take(at, input, &mut news).map_err(|why| Illegal {
            machine: format!("deployment {}", self.name),
            state: format!("{:?}", self.state()),
            event: input.word().to_owned(),
            why,
        })?;
        Ok((next, news))
    }

    fn take(&mut self, at: Millis, input: &Input, news: &mut News) -> Result<(), String> {
        match input {
            Input::Declared { pipeline, node } => self.declared(pipeline, node, news),
            Input::Opened { last } => self.opened(at, *last),
            _ if self.withdrawn => return Err(format!("`{}` is no longer declared", self.name)),
            Input::Withdrawn => self.withdraw(at, news),
            Input::Offered(offer) => self.offered(at, offer, news)?,
            Input::World(event) => self.answered(at, event, news)?,
            Input::Asked { who, what } => self.asked(at, who, what, news)?,
            Input::Breached { monitor } => match self.past.last().cloned() {
                _ if self.rollout.is_some() => return Err("a rollout is under way".to_owned()),
                Some(to) => self.begin_return(at, to, &format!("`{monitor}` is breached"), news),
                None => return Err(self.nothing_before()),
            },
        }
        Ok(())
    }

    fn declared(&mut self, pipeline: &str, node: &DeployNode, news: &mut News) {
        self.pipeline = pipeline.to_owned();
        if node.model_name != self.node.model_name {
            news.push(format!("serves `{}` from now on, no longer `{}`", node.model_name, self.node.model_name));
            *self = Deployment::new(&self.name, &self.pipeline, node);
            return;
        }
        if self.withdrawn {
            news.push("declared again".to_owned());
        }
        self.withdrawn = false;
        self.node = Arc::new(node.clone());
    }

    fn withdraw(&mut self, at: Millis, news: &mut News) {
        self.waiting = None;
        if self.rollout.is_some() {
            self.abort(at, "no longer declared", news);
        }
        news.push("no longer declared: nobody is answered".to_owned());
        self.withdrawn = true;
    }

    fn opened(&mut self, at: Millis, last: Millis) {
        if let Some(hold) = self.rollout.as_mut().and_then(|rollout| rollout.stage.hold_mut()) {
            hold.reopen(at, last);
        }
    }

    fn offered(&mut self, at: Millis, offer: &Offer, news: &mut News) -> Result<(), String> {
        if offer.model != self.node.model_name {
            return Err(format!("`{}` serves `{}`, not `{}`", self.name, self.node.model_name, offer.model));
        }
        let known = |other: &Offer| other.version == offer.version;
        let rejected = |it: &&Rejected| known(&it.offer) && it.offer.run == offer.run;
        if self.stable.as_ref().is_some_and(known) {
            news.push(format!("{offer} of run {} is stable already", offer.run));
            return Ok(());
        }
        if let Some(before) = self.rejected.iter().rev().find(rejected) {
            news.push(format!("{offer} of run {} was rejected before ({})", offer.run, before.why));
            return Ok(());
        }
        let newest = self.rollout.as_ref().map(|rollout| &rollout.candidate).or(self.stable.as_ref());
        if let Some(newer) = newest.filter(|newest| offer.run < newest.run) {
            news.push(format!("{offer} of run {} comes too late: {newer} is of run {}", offer.run, newer.run));
            return Ok(());
        }
        match &self.rollout {
            Some(rollout) if known(&rollout.candidate) => news.push(format!("{offer} is on its way already")),
            Some(Rollout { course: Course::Return, candidate, .. }) => {
                news.push(format!("{offer} of run {} waits until {candidate} is back", offer.run));
                self.waiting = Some(offer.clone());
            }
            Some(_) => {
                self.reject(at, &format!("superseded by {offer}"), true, news);
                self.begin(at, offer.clone(), news);
            }
            None => self.begin(at, offer.clone(), news),
        }
        Ok(())
    }

    fn answered(&mut self, at: Millis, event: &Event, news: &mut News) -> Result<(), String> {
        let Some(rollout) = &mut self.rollout else { return Err("nothing is being rolled out".to_owned()) };
        let expected = rollout.candidate.version;
        match event {
            Event::Loaded { version }
            | Event::LoadFailed { version, .. }
            | Event::Measured { version, .. }
            | Event::NotMeasured { version, .. }
                if *version != expected =>
            {
                Err(format!("version {version} is not the one on its way, which is {}", rollout.candidate))
            }
            Event::Loaded { .. } => match rollout.stage {
                Stage::Loading => {
                    self.advance(at, news);
                    Ok(())
                }
                _ => Err(format!("{} was loaded before", rollout.candidate)),
            },
            Event::LoadFailed { why, .. } => {
                self.abort(at, &format!("it cannot be loaded: {why}"), news);
                Ok(())
            }
            Event::Measured { requests, numbers, .. } => {
                let check = rollout.check().cloned().ok_or("it is not checked")?;
                let measurement = measure::judge(&check, at, *requests, numbers);
                self.measured(&check, measurement, news)
            }
            Event::NotMeasured { why, .. } => {
                let check = rollout.check().cloned().ok_or("it is not checked")?;
                self.measured(&check, measure::error(at, why), news)
            }
            Event::Ticked => {
                let over = rollout.stage.hold().and_then(Hold::over_at);
                if over.is_none_or(|over| over > at) {
                    return Err("its time is not over".to_owned());
                }
                self.advance(at, news);
                Ok(())
            }
        }
    }

    /// Counts a measurement; the limits are compared with `>`, failures before inconclusive before errors.
    fn measured(&mut self, check: &Check, measurement: Measurement, news: &mut News) -> Result<(), String> {
        let Some(rollout) = &mut self.rollout else { return Err("nothing is being rolled out".to_owned()) };
        let (at, verdict, why) = (measurement.at, measurement.verdict, measurement.words());
        let worth = match verdict {
            Verdict::Success => Worth::Success,
            Verdict::Failed | Verdict::Inconclusive => Worth::Other,
            Verdict::NoData | Verdict::Error => Worth::Nothing,
        };
        let due = rollout.stage.hold_mut().is_some_and(|hold| hold.measured(at, worth));
        if !due {
            return Err("no measurement is due".to_owned());
        }
        let before = rollout.last.replace(measurement).map(|it| it.verdict);
        rollout.errors = if verdict == Verdict::Error { rollout.errors.saturating_add(1) } else { 0 };
        let candidate = rollout.candidate.clone();
        match verdict {
            Verdict::Success if before == Some(Verdict::NoData) => news.push(format!("{candidate} has data again")),
            Verdict::Success => {}
            Verdict::NoData if before == Some(Verdict::NoData) => {}
            Verdict::NoData => news.push(format!("{candidate}: {why}; its time stands still")),
            Verdict::Failed => {
                rollout.failures = rollout.failures.saturating_add(1);
                let (failures, tolerated) = (rollout.failures, words::count(check.failures.into()));
                if failures > check.failures {
                    let failures = words::counted(failures, "failure", "failures");
                    self.abort(at, &format!("{why}, {failures} and {tolerated} tolerated"), news);
                } else {
                    news.push(format!("{candidate}: {why}, failure {failures} of {tolerated} tolerated"));
                }
            }
            Verdict::Inconclusive => {
                rollout.inconclusive = rollout.inconclusive.saturating_add(1);
                let (count, tolerated) = (rollout.inconclusive, words::count(check.inconclusive.into()));
                if count <= check.inconclusive {
                    news.push(format!("{candidate}: {why}, inconclusive {count} of {tolerated} tolerated"));
                } else if rollout.paused.is_none() {
                    let why = format!("{why}, {count} inconclusive and {tolerated} tolerated");
                    news.push(format!("{candidate} paused: {why}; promote, resume or abort"));
                    pause(rollout, at, why);
                }
            }
            Verdict::Error => {
                let (count, tolerated) = (rollout.errors, words::count(check.errors.into()));
                let why = format!("it could not be measured: {why}");
                if count > check.errors {
                    let errors = words::counted(count, "error", "errors");
                    self.abort(at, &format!("{why}, {errors} in a row and {tolerated} tolerated"), news);
                } else {
                    news.push(format!("{candidate}: {why}, error {count} of {tolerated} tolerated in a row"));
                }
            }
        }
        Ok(())
    }

    fn asked(&mut self, at: Millis, who: &str, what: &Asked, news: &mut News) -> Result<(), String> {
        if let Asked::Rollback { to } = what {
            return self.roll_back(at, who, *to, news);
        }
        if let Asked::Retry = what {
            return self.retry(at, who, news);
        }
        let Some(rollout) = &mut self.rollout else { return Err("nothing is being rolled out".to_owned()) };
        let candidate = rollout.candidate.clone();
        let loading = rollout.stage == Stage::Loading;
        match what {
            Asked::Abort => self.abort(at, &format!("by {who}"), news),
            _ if loading => return Err(format!("{candidate} is still being loaded")),
            Asked::Promote => {
                news.push(format!("{candidate} promoted by {who}"));
                rollout.paused = None;
                rollout.inconclusive = 0;
                self.advance(at, news);
            }
            Asked::Pause => match (&rollout.paused, &rollout.stage) {
                (Some(_), _) => return Err("it is paused already".to_owned()),
                (None, Stage::ShadowDone) => return Err(format!("{candidate} waits for promote or abort already")),
                (None, _) => {
                    news.push(format!("{candidate} paused by {who}"));
                    pause(rollout, at, format!("by {who}"));
                }
            },
            Asked::Resume => {
                rollout.paused.take().ok_or("it is not paused")?;
                rollout.inconclusive = 0;
                news.push(format!("{candidate} resumed by {who}"));
                if let Some(hold) = rollout.stage.hold_mut() {
                    hold.resume(at);
                }
            }
            Asked::Rollback { .. } | Asked::Retry => {}
        }
        Ok(())
    }

    fn roll_back(&mut self, at: Millis, who: &str, to: Option<u64>, news: &mut News) -> Result<(), String> {
        let stable = self.stable.as_ref().map(|stable| stable.version);
        let named = match to {
            Some(to) => match self.served.get(&to) {
                Some(offer) => Some(offer.clone()),
                None => return Err(format!("{}@{to} was never stable in `{}`", self.node.model_name, self.name)),
            },
            None => None,
        };
        match &self.rollout {
            Some(Rollout { course: Course::Return, candidate, .. }) => {
                return Err(format!("{candidate} is being brought back already"));
            }
            Some(_) => {
                self.abort(at, &format!("rolled back by {who}"), news);
                if let Some(to) = named.filter(|to| Some(to.version) != stable) {
                    self.begin_return(at, to, &format!("by {who}"), news);
                }
            }
            None => match named.or_else(|| self.past.last().cloned()) {
                Some(to) if Some(to.version) == stable => return Err(format!("{to} is stable already")),
                Some(to) => self.begin_return(at, to, &format!("by {who}"), news),
                None => return Err(self.nothing_before()),
            },
        }
        Ok(())
    }

    fn retry(&mut self, at: Millis, who: &str, news: &mut News) -> Result<(), String> {
        if let Some(rollout) = &self.rollout {
            return Err(format!("{} is on its way", rollout.candidate));
        }
        let stable = self.stable.as_ref().map(|stable| stable.version);
        let last = self.rejected.iter().rposition(|it| !it.superseded && Some(it.offer.version) != stable);
        let offer = match last {
            Some(last) => self.rejected.remove(last).offer,
            None => return Err("nothing was rejected".to_owned()),
        };
        news.push(format!("{offer} offered again by {who}"));
        self.begin(at, offer, news);
        Ok(())
    }

    fn nothing_before(&self) -> String {
        match &self.stable {
            Some(stable) => format!("no version was stable before {stable}"),
            None => "no version was ever stable".to_owned(),
        }
    }

    fn begin(&mut self, at: Millis, candidate: Offer, news: &mut News) {
        let course = match &self.stable {
            None => Course::First,
            Some(_) => Course::By(self.node.strategy.clone()),
        };
        news.push(match (&course, &self.stable) {
            (Course::By(strategy), Some(stable)) => {
                let strategy = strategy.word();
                format!("{candidate} of run {} is to take over from {stable}: {strategy}", candidate.run)
            }
            _ => format!("{candidate} of run {} is the first version", candidate.run),
        });
        self.start(at, candidate, course);
    }

    fn begin_return(&mut self, at: Millis, to: Offer, why: &str, news: &mut News) {
        news.push(format!("back to {to}: {why}"));
        self.start(at, to, Course::Return);
    }

    fn start(&mut self, at: Millis, candidate: Offer, course: Course) {
        self.rollout = Some(Rollout {
            candidate,
            course,
            stage: Stage::Loading,
            began: at,
            paused: None,
            failures: 0,
            inconclusive: 0,
            errors: 0,
            last: None,
        });
    }

    /// The rollout goes on to its next stage.
    fn advance(&mut self, at: Millis, news: &mut News) {
        let Some(rollout) = &self.rollout else { return };
        let next = match (&rollout.course, &rollout.stage) {
            (Course::By(strategy), stage) => next_stage(at, strategy, stage),
            (Course::First | Course::Return, _) => None,
        };
        match next {
            None => self.promote(at, news),
            Some(stage) => {
                if let Some(rollout) = &mut self.rollout {
                    rollout.stage = stage;
                    news.push(rollout.arrived());
                }
            }
        }
    }

    fn promote(&mut self, at: Millis, news: &mut News) {
        let Some(Rollout { candidate, course, .. }) = self.rollout.take() else { return };
        let before = self.stable.replace(candidate.clone());
        self.since = Some(at);
        self.first_served.get_or_insert(at);
        self.served.insert(candidate.version, candidate.clone());
        let back = self.past.iter().position(|it| it.version == candidate.version);
        match (course, before) {
            (Course::Return, Some(before)) => {
                news.push(format!("{candidate} is stable again, {before} no longer"));
                self.past.truncate(back.unwrap_or(self.past.len()));
                let why = format!("rolled back to {candidate}");
                self.rejected.push(Rejected { offer: before, why, at, superseded: false });
            }
            (_, Some(before)) => {
                news.push(format!("{candidate} is stable, {before} no longer"));
                self.past.retain(|it| it.version != candidate.version);
                self.past.push(before);
            }
            (_, None) => news.push(format!("{candidate} is stable")),
        }
        self.begin_waiting(at, news);
    }

    /// All traffic goes back to the stable version.
    fn abort(&mut self, at: Millis, why: &str, news: &mut News) {
        self.reject(at, why, false, news);
        self.begin_waiting(at, news);
    }

    fn reject(&mut self, at: Millis, why: &str, superseded: bool, news: &mut News) {
        let Some(Rollout { candidate, course, .. }) = self.rollout.take() else { return };
        news.push(format!("{candidate} aborted: {why}"));
        if course != Course::Return {
            self.rejected.push(Rejected { offer: candidate, why: why.to_owned(), at, superseded });
        }
    }

    fn begin_waiting(&mut self, at: Millis, news: &mut News) {
        let stable = self.stable.as_ref().map(|stable| stable.version);
        if let Some(offer) = self.waiting.take().filter(|offer| Some(offer.version) != stable) {
            self.begin(at, offer, news);
        }
    }
}

fn pause(rollout: &mut Rollout, at: Millis, why: String) {
    rollout.paused = Some(why);
    if let Some(hold) = rollout.stage.hold_mut() {
        hold.pause(at);
    }
}

/// The stage after this one; `None`: the candidate is stable.
fn next_stage(at: Millis, strategy: &Strategy, stage: &Stage) -> Option<Stage> {
    let check = strategy.check();
    // A stage of no length is passed over: there is nothing to wait for.
    let timed = |length: i64| (length > 0).then(|| Hold::begin(at, Some(length), check));
    match (strategy, stage) {
        (Strategy::Canary { steps, .. }, stage) => {
            let index = match stage {
                Stage::Step { index, .. } => index + 1,
                _ => 0,
            };
            let length = match steps.get(index)?.hold {
                HoldFor::For(length) => Some(length),
                HoldFor::UntilPromoted => None,
                HoldFor::Done => return None,
            };
            Some(Stage::Step { index, hold: Hold::begin(at, length, check) })
        }
        (Strategy::BlueGreen { preview, keep, .. }, Stage::Loading) => {
            timed(*preview).map(Stage::Preview).or_else(|| timed(*keep).map(Stage::Keep))
        }
        (Strategy::BlueGreen { keep, .. }, Stage::Preview(_)) => timed(*keep).map(Stage::Keep),
        (Strategy::Replace { watch, .. }, Stage::Loading) => timed(*watch).map(Stage::Watch),
        (Strategy::Shadow { hold, .. }, Stage::Loading) => Some(timed(*hold).map_or(Stage::ShadowDone, Stage::Shadow)),
        (Strategy::Shadow { .. }, Stage::Shadow(_)) => Some(Stage::ShadowDone),
        _ => None,
    }
}

impl Rollout {
    /// What to tell of the stage it has just come to.
    fn arrived(&self) -> String {
        let candidate = &self.candidate;
        let time = self.stage.hold().and_then(|hold| hold.length).map(super::lasted);
        let time = time.map_or_else(|| " until promoted".to_owned(), |time| format!(" for {time}"));
        match &self.stage {
            Stage::Step { .. } => format!("{candidate} takes {} of the requests{time}", words::share(self.answers())),
            Stage::Preview(_) => format!("{candidate} sees a copy of every request{time}"),
            Stage::Keep(_) => format!("{candidate} takes all requests, the version before is kept{time}"),
            Stage::Watch(_) => format!("{candidate} takes all requests and is watched{time}"),
            Stage::Shadow(_) => {
                format!("{candidate} sees a copy of {} of the requests{time}", words::share(self.sees()))
            }
            Stage::ShadowDone => format!("{candidate} has been seen long enough; promote or abort"),
            Stage::Loading => format!("{candidate} is being loaded"),
        }
    }
}
