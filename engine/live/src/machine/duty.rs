//! Duties: what must be done because of what is so.

use super::monitor::Window;
use mlp_core::record::Millis;
use mlp_lang::live::{Address, Channel, Given, LiveMetric};
use serde::{Deserialize, Serialize};

/// Something that must be done now. Due until an entry answers it; carried out at most once at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Duty {
    /// Load a candidate; if it is loaded already, say so. Answer: `Rollout{Loaded}` or `Rollout{LoadFailed}`.
    Load {
        /// For whom.
        deployment: String,
        /// What.
        version: u64,
    },
    /// Measure the candidate. Answer: `Rollout{Measured}` or `Rollout{NotMeasured}`.
    Measure {
        /// Whose.
        deployment: String,
        /// The candidate.
        version: u64,
        /// The numbers wanted.
        metrics: Vec<LiveMetric>,
        /// From when on; the end is now.
        since: Millis,
    },
    /// The time of the step is over. Answer: `Rollout{Ticked}`.
    Step {
        /// Whose.
        deployment: String,
    },
    /// Judge a window. Answer: `Monitor{Judged}` or `Monitor{NotJudged}`.
    Judge {
        /// Which monitor.
        monitor: String,
        /// Which window. For a watch on labels: [`super::monitor::window_of`].
        window: Window,
        /// The stable version.
        version: u64,
        /// When it became so; rows from before are not its own.
        since: Millis,
    },
    /// The time of a schedule has come. Answer: `Trigger{Fired}` with the same time.
    Fire {
        /// Its key.
        trigger: String,
        /// When it was scheduled.
        at: Millis,
    },
    /// Look at a data file every 10 s. Answer `Trigger{Seen}` once its digest is not `known`; until then there is nothing
    /// to write. Due as long as the trigger is declared.
    Watch {
        /// Its key.
        trigger: String,
        /// The digest last seen. `None`: none yet.
        known: Option<String>,
    },
    /// Run a pipeline; one at a time for each. Answer: `Retrain{Started}` before it starts, again once its number is
    /// known, and `Retrain{Ended}`.
    Retrain {
        /// Names it for ever: `retrain/health/1302566400000`, `trigger/bikes/change days/1302566400000`.
        key: String,
        /// Which pipeline.
        pipeline: String,
        /// Parameters of the run.
        params: Vec<(String, Given)>,
        /// What `now` stands for in them.
        now: Millis,
        /// Why, for people.
        words: String,
        /// An entry says that it was started: do not start it again, find out how it went on.
        started: bool,
        /// Its number, if an entry says it.
        run: Option<u64>,
    },
    /// Send an alert. Answer: `Alert{Sent}`, `Alert{Tried}` or `Alert{GaveUp}`.
    Alert {
        /// Names it for ever, for the receiver to tell a repetition: `health/1302566400000/0`.
        key: String,
        /// What is understood there.
        channel: Channel,
        /// Where to.
        to: Address,
        /// One-based.
        attempt: u32,
        /// What to say.
        body: AlertBody,
    },
}

/// What an alert says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertBody {
    /// The same as the duty's.
    pub key: String,
    /// Which monitor.
    pub monitor: String,
    /// Of which deployment.
    pub deployment: String,
    /// Its model.
    pub model: String,
    /// The version that was judged.
    pub version: u64,
    /// The window in which it was breached for long enough.
    pub window: Window,
    /// How many windows in a row.
    pub breaches: u32,
    /// Each breached watch, in words with numbers.
    pub breached: Vec<String>,
}
