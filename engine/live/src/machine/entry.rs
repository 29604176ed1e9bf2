//! Entries: what happened to whatever is live, in order. The content of the live journal.
//!
//! Encoded with postcard, so: externally tagged enums only, no skipped fields, no `serde_json::Value`.

use super::{alert, monitor, retrain, rollout, trigger};
use mlp_core::record::Millis;
use mlp_lang::live::{DeployNode, MonitorNode, TriggerNode};
use serde::{Deserialize, Serialize};

/// One journal entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Millis,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum What {
    /// A resident engine began. Time in which none lived counts for no rollout.
    Opened {
        /// Of `mlp`.
        engine: String,
        /// Its process.
        pid: u32,
        /// Its time is moved by a replay.
        virtual_time: bool,
    },
    /// It ended in good order.
    Closed,
    /// What a file says now; replaces what the pipeline declared before. A rollout under way keeps the strategy it began
    /// with. What is no longer declared is withdrawn.
    Declared {
        /// The pipeline's name.
        pipeline: String,
        /// Its file.
        file: String,
        /// By name; names of deployments are unique in a project.
        deployments: Vec<(String, DeployNode)>,
        /// By name; names of monitors are unique in a project.
        monitors: Vec<(String, MonitorNode)>,
        /// By name. Two pipelines may use the same, so that everywhere else a trigger is named [`trigger::key`].
        triggers: Vec<(String, TriggerNode)>,
    },
    /// A run handed a candidate over.
    Offered {
        /// To which deployment.
        deployment: String,
        /// What.
        offer: Offer,
    },
    /// The world answered a duty of a rollout.
    Rollout {
        /// Whose.
        deployment: String,
        /// What.
        event: rollout::Event,
    },
    /// A window was judged.
    Monitor {
        /// Which monitor.
        monitor: String,
        /// What.
        event: monitor::Event,
    },
    /// A trigger's time came, or its data changed.
    Trigger {
        /// Its key.
        trigger: String,
        /// What.
        event: trigger::Event,
    },
    /// A run that a monitor or a trigger asked for.
    Retrain {
        /// As in [`super::Duty::Retrain`].
        key: String,
        /// What.
        event: retrain::Event,
    },
    /// An alert on its way.
    Alert {
        /// As in [`super::Duty::Alert`].
        key: String,
        /// What.
        event: alert::Event,
    },
    /// Somebody asked for something: the audit log, whether or not it was carried out.
    Asked {
        /// Who.
        who: String,
        /// What.
        what: Asked,
        /// Of which deployment.
        deployment: String,
        /// Why it was not carried out, in words; `None`: it was, by this entry.
        refused: Option<String>,
    },
}

/// A version of a model that may go live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The model's name in the registry.
    pub model: String,
    /// Which version.
    pub version: u64,
    /// The run that hands it over, which need not be the one that registered it.
    pub run: u64,
}

/// `demand@2`
impl std::fmt::Display for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.model, self.version)
    }
}

/// What a person can ask of a deployment: `mlp deploy promote`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// Go on: past a pause or the rest of a hold to the next step.
    Promote,
    /// Stay at this step until told otherwise.
    Pause,
    /// Go on where it was paused; inconclusive measurements so far are forgiven.
    Resume,
    /// Give all traffic back to the stable version and reject the candidate.
    Abort,
    /// Back to the version that was stable before, or to an earlier one; during a rollout the same as abort.
    Rollback {
        /// To which version; `None`: the one before.
        to: Option<u64>,
    },
    /// Offer the candidate that was rejected last once more.
    Retry,
}

impl Asked {
    /// As typed.
    pub fn word(&self) -> &'static str {
        match self {
            Asked::Promote => "promote",
            Asked::Pause => "pause",
            Asked::Resume => "resume",
            Asked::Abort => "abort",
            Asked::Rollback { .. } => "rollback",
            Asked::Retry => "retry",
        }
    }
}
