//! What would run, and why.

use crate::digest::Digest;
use mlp_lang::pipeline::NodeId;
use serde::{Deserialize, Serialize};

/// The decision for each node of a pipeline, in its order, before anything runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// One per node, in topological order.
    pub nodes: Vec<PlannedNode>,
}

/// The decision for one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// Which.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// `data`, `step`, `gate`, `model`.
    pub kind: String,
    /// What runs, for people: `std/classify.evaluate`, `csv data/x.csv`.
    pub what: String,
    /// What is to be done.
    pub decision: Decision,
}

/// What is to be done with a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Its result is in the cache.
    Reuse {
        /// Of what it would run.
        fingerprint: Digest,
        /// The run that made it.
        run: u64,
    },
    /// It runs, for these reasons (never empty).
    Run {
        /// Known unless an input is yet to be made.
        fingerprint: Option<Digest>,
        /// In words, most telling first.
        reasons: Vec<Reason>,
    },
    /// A gate or a model: decided anew in each run, from what its steps gave.
    Decide,
    /// `when` is false.
    Skip {
        /// In words.
        reason: String,
    },
}

/// One reason to run, with the words for people derived from it by `Display`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Never ran in this project.
    New,
    /// A fact of its manifest differs from when it last ran: `setting seed changed from 7 to 8`,
    /// `data/customers.csv changed (1f2e.. -> 9a8b..)`, `std/classify changed from 0.1.0 to 0.2.0`.
    Changed {
        /// What: `setting seed`, `input rows`, `module std/classify`.
        what: String,
        /// Then. Absent: it was not there.
        from: Option<String>,
        /// Now. Absent: it is gone.
        to: Option<String>,
    },
    /// An input comes from a node that runs itself; if that gives the same bytes as before, this is reused after all.
    Upstream {
        /// Which node.
        node: String,
        /// Feeding which input.
        input: String,
    },
    /// The cache names artifacts that are no longer there or no longer have their digest.
    Lost {
        /// Which output.
        output: String,
    },
    /// The command line asked for it.
    Forced,
}
