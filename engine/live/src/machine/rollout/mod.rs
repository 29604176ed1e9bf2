//! The life of a deployment.

use mlp_lang::live::LiveMetric;
use mlp_lang::value::Value;
use serde::{Deserialize, Serialize};

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
