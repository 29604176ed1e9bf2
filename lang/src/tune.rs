//! What a search is: the settings of one step that are tried, and what makes one choice better than another.
//!
//! A search is a node of the graph: `search.best.model` is its output `model`. What it tries again for each trial are the
//! nodes from the searched step to the one that gives the goal ([`TuneNode::again`]); everything else runs once.

use crate::pipeline::{MetricRef, NodeId};
use crate::types::Type;
use crate::value::Value;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// `tune search over train { lr in log(1e-4..1e-1)  maximize eval.auc  trials = 40 }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TuneNode {
    /// The step whose settings are searched. What the file gives for them is where the search begins.
    pub over: NodeId,
    /// What runs anew in each trial, in order: `over` first, what gives the goal last.
    pub again: Vec<NodeId>,
    /// What is tried, by setting, in the order written; never empty.
    pub space: IndexMap<String, Space>,
    /// Whether the goal is to be large, or else small.
    pub maximize: bool,
    /// What the trials are compared by.
    pub goal: MetricRef,
    /// How many trials at most, at least 1. Never more than the space has points.
    pub trials: u32,
    /// How many at once, at least 1; 1 unless told.
    pub parallel: u32,
    /// What the choices are drawn with; 0 unless told.
    pub seed: i64,
    /// Whether trials that do badly end early.
    pub prune: Prune,
    /// What `search.best` gives: the outputs of the searched step, by name.
    pub outputs: IndexMap<String, Type>,
}

/// The values that one setting may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Space {
    /// `1e-4..1e-1`, `log(1e-4..1e-1)`, `3..=9`
    Range {
        /// Lowest, of the setting's type.
        low: Value,
        /// Highest, of the same type.
        high: Value,
        /// Whether `high` itself may be chosen. Of a range of real numbers that makes no difference.
        inclusive: bool,
        /// Drawn so that each factor of ten is as likely as another; both ends are above 0.
        log: bool,
    },
    /// `[3, 5, 7]`: different values of the setting's type, at least one.
    OneOf(Vec<Value>),
}

impl Space {
    /// How many different values there are; `None`: more than can be counted.
    pub fn points(&self) -> Option<u64> {
        match self {
            Space::Range { low: Value::Int(low), high: Value::Int(high), inclusive, .. } => {
                Some(high.abs_diff(*low).saturating_add(u64::from(*inclusive)))
            }
            Space::Range { low, high, .. } => (low == high).then_some(1),
            Space::OneOf(values) => Some(values.len() as u64),
        }
    }
}

/// How trials that do badly are ended early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prune {
    /// Never.
    #[default]
    None,
    /// Successive halving, without waiting for the others: Li et al., "A System for Massively Parallel Hyperparameter
    /// Tuning", 2020.
    Asha,
    /// When it is worse than half of those before it at the same point.
    Median,
}

impl Prune {
    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            Prune::None => "none",
            Prune::Asha => "asha",
            Prune::Median => "median",
        }
    }
}
