//! The life of a run that a monitor or a trigger asked for.

use super::Illegal;
use super::duty::Duty;
use mlp_core::record::Millis;
use mlp_lang::live::Given;
use serde::{Deserialize, Serialize};

/// What happens to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It starts; written before it does. Again when its number is known.
    Started {
        /// The run's number, if it is known.
        run: Option<u64>,
    },
    /// It is over. Without having started: it could not.
    Ended {
        /// The run's number, if there was one.
        run: Option<u64>,
        /// How.
        outcome: RetrainOutcome,
        /// For people.
        words: String,
    },
}

/// How such a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetrainOutcome {
    /// It succeeded and offered this version (which may be one that was known before).
    Offered(u64),
    /// It succeeded and has nothing to offer.
    Nothing,
    /// A gate said no.
    Blocked,
    /// It failed, or could not start.
    Failed,
}

/// The states of such a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// To be started when its pipeline is free.
    Wanted,
    /// Under way.
    Started,
    /// Over.
    Ended,
}

/// A run that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Retraining {
    key: String,
    asker: String,
    pipeline: String,
    params: Vec<(String, Given)>,
    now: Millis,
    words: String,
    state: State,
    run: Option<u64>,
}

impl Retraining {
    /// A run that is wanted. `asker`: the monitor or the trigger's key.
    pub(super) fn new(
        key: String,
        asker: &str,
        pipeline: &str,
        params: &[(String, Given)],
        now: Millis,
        words: String,
    ) -> Retraining {
        let (asker, pipeline, params) = (asker.to_owned(), pipeline.to_owned(), params.to_vec());
        Retraining { key, asker, pipeline, params, now, words, state: State::Wanted, run: None }
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// The monitor or the trigger's key.
    pub fn asker(&self) -> &str {
        &self.asker
    }

    /// The pipeline that runs.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Its number, if it is known.
    pub fn run(&self) -> Option<u64> {
        self.run
    }

    /// Why it was asked for.
    pub fn words(&self) -> &str {
        &self.words
    }

    pub(super) fn duty(&self) -> Duty {
        Duty::Retrain {
            key: self.key.clone(),
            pipeline: self.pipeline.clone(),
            params: self.params.clone(),
            now: self.now,
            words: self.words.clone(),
            started: self.state == State::Started,
            run: self.run,
        }
    }

    /// The one transition function of such a run.
    pub fn step(&self, event: &Event) -> Result<Retraining, Illegal> {
        let illegal = |event: &str, why: &str| Illegal {
            machine: self.key.clone(),
            state: format!("{:?}", self.state),
            event: event.to_owned(),
            why: why.to_owned(),
        };
        let known = |run: &Option<u64>| run.or(self.run);
        match (self.state, event) {
            (State::Wanted, Event::Started { run }) => {
                Ok(Retraining { state: State::Started, run: *run, ..self.clone() })
            }
            (State::Started, Event::Started { run: Some(run) }) if self.run.is_none() => {
                Ok(Retraining { run: Some(*run), ..self.clone() })
            }
            (State::Started, Event::Started { .. }) => Err(illegal("started", "it was started before")),
            (State::Wanted | State::Started, Event::Ended { run, .. }) => {
                Ok(Retraining { state: State::Ended, run: known(run), ..self.clone() })
            }
            (State::Ended, Event::Started { .. }) => Err(illegal("started", "it is over")),
            (State::Ended, Event::Ended { .. }) => Err(illegal("ended", "it is over")),
        }
    }
}
