//! What a deployment predicts for, other than requests, and experiments.

use super::{Check, LabelMetric, LiveMetric, OnNoData};
use crate::pipeline::OutputRef;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// What a deployment predicts for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `serve = online(...)`: for requests. How is in [`DeployNode::serve`].
    #[default]
    Online,
    /// `serve = batch(customers, to: parquet("out.parquet"), every: 1d)`: for the rows of a table.
    Batch {
        /// The table.
        rows: OutputRef,
        /// Where its predictions go.
        to: Sink,
        /// How often, in nanoseconds, above 0. `None`: once for each version that takes over.
        every: Option<i64>,
    },
    /// `serve = stream(from: "kafka://host/in", to: "kafka://host/out")`: for messages.
    Stream {
        /// Where rows come from.
        from: String,
        /// Where predictions go; never the same.
        to: String,
    },
}

impl Form {
    /// Whether it answers requests.
    pub fn is_online(&self) -> bool {
        *self == Form::Online
    }

    /// As written.
    pub fn word(&self) -> &'static str {
        match self {
            Form::Online => "online",
            Form::Batch { .. } => "batch",
            Form::Stream { .. } => "stream",
        }
    }
}

/// Where a table is written. Paths are as written; relative ones start at the `.mlp` file's folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sink {
    /// How.
    pub format: SinkFormat,
    /// As written.
    pub path: String,
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SinkFormat {
    /// `csv(...)`
    Csv,
    /// `parquet(...)`
    Parquet,
    /// `json_lines(...)`
    JsonLines,
}

/// `ab { ... }`: an experiment of a fixed length. At its end the candidate takes over if it is better, by a test of the
/// given significance; otherwise it goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ab {
    /// The candidate's share of the traffic, above 0 and below 1.
    pub share: f64,
    /// How long, in nanoseconds.
    pub length: i64,
    /// What is compared.
    pub goal: Goal,
    /// Whether it is to be large, or else small.
    pub maximize: bool,
    /// `significance = 5%`: how often chance alone may look like a difference; 5% unless told.
    pub significance: f64,
    /// `power = 80%`: how often a difference of `smallest` is found; 80% unless told.
    pub power: f64,
    /// `smallest = 1%`: the smallest difference worth acting on, in the goal's unit.
    pub smallest: Value,
    /// What a goal without a number at the end is taken for.
    pub on_no_data: OnNoData,
    /// For a goal that is a share of requests: how many each version must answer, at the most, for the power to be had.
    pub needed: Option<u64>,
    /// What is checked meanwhile.
    pub check: Option<Check>,
}

/// What an `ab` compares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// `minimize error_rate`, `minimize p95(latency)`.
    Service(LiveMetric),
    /// `maximize accuracy(label: churned, delay: 7d)`.
    Label {
        /// Which.
        metric: LabelMetric,
        /// The label's column.
        label: String,
        /// How long labels take, in nanoseconds.
        delay: i64,
    },
}
