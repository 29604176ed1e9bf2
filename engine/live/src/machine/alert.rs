//! The life of an alert: pending until it is sent or given up.

use super::Illegal;
use super::duty::{AlertBody, Duty};
use mlp_core::record::Millis;
use mlp_lang::live::{Address, Channel};
use serde::{Deserialize, Serialize};

/// Attempts before it is given up.
pub const ATTEMPTS: u32 = 10;

/// Pause after the first failed attempt; doubles after each.
const FIRST_PAUSE: i64 = 1_000;

/// Longest pause between two attempts.
const LONGEST_PAUSE: i64 = 60_000;

/// What happens to an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// An attempt failed. The tenth ends it.
    Tried {
        /// One-based.
        attempt: u32,
        /// In words.
        why: String,
    },
    /// The receiver has it.
    Sent {
        /// One-based.
        attempt: u32,
    },
    /// It will never arrive.
    GaveUp {
        /// In words.
        why: String,
    },
}

impl Event {
    fn word(&self) -> &'static str {
        match self {
            Event::Tried { .. } => "tried",
            Event::Sent { .. } => "sent",
            Event::GaveUp { .. } => "gave up",
        }
    }
}

/// The states of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// To be sent, perhaps not for the first time.
    Pending,
    /// The receiver has it.
    Sent,
    /// Given up.
    GivenUp,
}

/// An alert.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    channel: Channel,
    to: Address,
    body: AlertBody,
    state: State,
    attempt: u32,
    due: Millis,
}

impl Alert {
    /// An alert that is due at once.
    pub(super) fn new(channel: Channel, to: Address, body: AlertBody, at: Millis) -> Alert {
        Alert { channel, to, body, state: State::Pending, attempt: 1, due: at }
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// What it says.
    pub fn body(&self) -> &AlertBody {
        &self.body
    }

    /// The next attempt, one-based.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When it is to be tried next.
    pub(super) fn due_at(&self) -> Option<Millis> {
        (self.state == State::Pending).then_some(self.due)
    }

    pub(super) fn duty(&self, now: Millis) -> Option<Duty> {
        self.due_at().filter(|due| *due <= now).map(|_| Duty::Alert {
            key: self.body.key.clone(),
            channel: self.channel,
            to: self.to.clone(),
            attempt: self.attempt,
            body: self.body.clone(),
        })
    }

    /// The one transition function of an alert.
    pub fn step(&self, at: Millis, event: &Event) -> Result<Alert, Illegal> {
        let illegal = |why: &str| Illegal {
            machine: format!("alert {}", self.body.key),
            state: format!("{:?}", self.state),
            event: event.word().to_owned(),
            why: why.to_owned(),
        };
        let next = self.clone();
        match (self.state, event) {
            (State::Pending, Event::Tried { attempt, .. } | Event::Sent { attempt }) if *attempt != self.attempt => {
                Err(illegal("it is another attempt's turn"))
            }
            (State::Pending, Event::Tried { attempt, .. }) if *attempt >= ATTEMPTS => {
                Ok(Alert { state: State::GivenUp, ..next })
            }
            (State::Pending, Event::Tried { attempt, .. }) => {
                let pause = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_PAUSE);
                Ok(Alert { attempt: attempt + 1, due: at.saturating_add(pause), ..next })
            }
            (State::Pending, Event::Sent { .. }) => Ok(Alert { state: State::Sent, ..next }),
            (State::Pending, Event::GaveUp { .. }) => Ok(Alert { state: State::GivenUp, ..next }),
            (State::Sent | State::GivenUp, _) => Err(illegal("it is over")),
        }
    }
}
