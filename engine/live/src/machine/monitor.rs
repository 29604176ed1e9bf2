//! The life of a monitor.

use mlp_core::record::Millis;
use mlp_lang::types::Comparison;
use serde::{Deserialize, Serialize};

/// A stretch of time: what happened at `from` is in it, what happened at `to` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Begin.
    pub from: Millis,
    /// End.
    pub to: Millis,
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

/// How one watch (of drift: one of its columns) came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WatchVerdict {
    /// Which line of the monitor, from 0.
    pub watch: u32,
    /// The line as written.
    pub text: String,
    /// The column, if it is about one of several.
    pub column: Option<String>,
    /// The rule in words: `Wasserstein distance / standard deviation`; empty if there is nothing to say.
    pub rule: String,
    /// What was measured: durations in nanoseconds, shares as fractions of 1. `None`: no data.
    pub statistic: Option<f64>,
    /// What it was compared with, in the same unit. `None`: no data.
    pub threshold: Option<f64>,
    /// How they must compare for all to be well.
    pub comparison: Comparison,
    /// It held. `None`: no data.
    pub held: Option<bool>,
    /// Rows in the window that count.
    pub rows: u64,
    /// Rows of the reference; 0 without one.
    pub reference_rows: u64,
    /// More to say, such as why there is no data; may be empty.
    pub words: String,
}
