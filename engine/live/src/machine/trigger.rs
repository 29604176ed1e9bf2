//! The life of a trigger.

use mlp_core::record::Millis;
use serde::{Deserialize, Serialize};

/// What names a trigger in a project: two pipelines may have the same schedule.
pub fn key(pipeline: &str, trigger: &str) -> String {
    format!("{pipeline}/{trigger}")
}

/// What happens to a trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A schedule's time came.
    Fired {
        /// The time it was scheduled for, as the duty gave it.
        at: Millis,
    },
    /// The data has this content now. The first that is seen is what others are compared with.
    Seen {
        /// Of the file.
        digest: String,
    },
}
