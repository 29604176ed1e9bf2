//! What a checked pipeline says about the time after a run: deployments, monitors, triggers, and references to what is
//! registered.
//!
//! These are nodes of the same graph as steps and gates. A run carries out [`RegistryNode`]s (it looks them up) and
//! [`DeployNode`]s (it hands the candidate over); [`MonitorNode`]s and [`TriggerNode`]s are lived through by the resident
//! engine alone, and stand last in [`crate::pipeline::Pipeline::nodes`].
//!
//! Durations are nanoseconds, shares are fractions of 1.

mod forms;

pub use forms::*;

use crate::pipeline::{Expr, NodeId, OutputRef};
use crate::span::Span;
use crate::types::{Comparison, Schema};
use crate::value::Value;
use crate::work::SecretSource;
use serde::{Deserialize, Serialize};

/// `registry("demand@production")`: a version of a model that an earlier run registered. Its node is named as it is
/// written, `demand@production`, or `demand@latest` for `registry("demand")`, so that it is not the name of the model's own
/// node; its one output is named `model`. Two references to the same are one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegistryNode {
    /// The model's name.
    pub model: String,
    /// Which version of it.
    pub pick: Pick,
    /// What the steps that read it want.
    pub flavor: String,
    /// Some step reads it without `when exists`: if it is not there, the run fails. Otherwise what reads it is skipped.
    pub required: bool,
}

/// Which version of a registered model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// `demand`: the newest.
    Latest,
    /// `demand@3`
    Version(u64),
    /// `demand@production`: what the deployment of this name serves to everybody now (its stable version).
    Serving(String),
}

/// `deploy production of demand { ... }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeployNode {
    /// The model node.
    pub model: NodeId,
    /// Its name: that of the model in the registry.
    pub model_name: String,
    /// What it predicts with: `classifier`, `regressor`.
    pub flavor: String,
    /// The columns that a row of a request may have: those of the table it was trained on, without the label. Which of
    /// them it must have is known by the version that serves (its features).
    pub row: Schema,
    /// The column it predicts, if that is known.
    pub label: Option<crate::types::Column>,
    /// How it is reached, if it answers requests; what stands there unless told, if it does not.
    pub serve: Serve,
    /// What it predicts for.
    #[serde(default)]
    pub form: Form,
    /// How a candidate takes over.
    pub strategy: Strategy,
    /// `rollback within 30s`: how long requests under way at a version that lost its traffic may take to end. After it
    /// none is answered by that version.
    pub rollback_within: i64,
}

/// `serve = online(port: 8080, timeout: 5s)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serve {
    /// `host`: where to listen; `127.0.0.1` unless told.
    pub host: String,
    /// `port`: 8080 unless told. Deployments with the same host and port share a listener.
    pub port: u16,
    /// `replicas`: copies of the model that predict at once, at least 1; 1 unless told.
    pub replicas: u32,
    /// `timeout`: a request that takes longer fails; 5 s unless told.
    pub timeout: i64,
    /// `batch`: most rows in one call of the model; 256 unless told.
    pub batch: u32,
    /// `sticky: header("x-user")`, `sticky: column(customer)`: requests of the same key go to the same version as long
    /// as the weights stand, and a rising weight takes no key back. `None`: each request for itself.
    pub sticky: Option<Sticky>,
    /// `log`: whether predictions are logged; true unless told. Monitors need it.
    pub log: bool,
}

/// What decides which version a request goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sticky {
    /// A header of the request, lower case.
    Header(String),
    /// A column of its first row.
    Column(String),
}

/// How a candidate takes over from the stable version. Without a stable version the candidate takes over as soon as it
/// is loaded: there is nothing to compare it with and nothing to go back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// `replace { watch for 10m, check ... }`: all traffic at once, then, if told, watched; the old version is kept until
    /// the watch is over and takes the traffic back if a check fails.
    Replace {
        /// How long it is watched; 0: not at all.
        watch: i64,
        /// What is checked meanwhile.
        check: Option<Check>,
    },
    /// `canary { 5% for 10m, 25% until promoted, 100%, check ... }`
    Canary {
        /// Weights rise strictly; the last is 100% and ends the rollout.
        steps: Vec<CanaryStep>,
        /// What is checked from the first step to the last.
        check: Option<Check>,
    },
    /// `blue_green { preview for 10m, keep for 1h, check ... }`: during the preview the candidate sees a copy of every
    /// request and its answers are thrown away; then all traffic switches at once; then the old version is kept, ready to
    /// take the traffic back. Checks run in both.
    BlueGreen {
        /// How long the preview takes.
        preview: i64,
        /// How long the old version is kept after the switch.
        keep: i64,
        /// What is checked.
        check: Option<Check>,
    },
    /// `shadow { 100% for 1h, check ... }`: a share of the requests is copied to the candidate and its answers are thrown
    /// away. It never answers anybody; when the time is over it waits for `mlp deploy promote`.
    Shadow {
        /// The share, above 0.
        share: f64,
        /// How long.
        hold: i64,
        /// What is checked.
        check: Option<Check>,
    },
    /// `ab { 50% for 14d  maximize accuracy(label: churned, delay: 7d) ... }`: both versions answer, the numbers decide.
    Ab(Box<Ab>),
}

impl Strategy {
    /// As written.
    pub fn word(&self) -> &'static str {
        match self {
            Strategy::Replace { .. } => "replace",
            Strategy::Canary { .. } => "canary",
            Strategy::BlueGreen { .. } => "blue_green",
            Strategy::Shadow { .. } => "shadow",
            Strategy::Ab(_) => "ab",
        }
    }

    /// What is checked.
    pub fn check(&self) -> Option<&Check> {
        match self {
            Strategy::Replace { check, .. }
            | Strategy::Canary { check, .. }
            | Strategy::BlueGreen { check, .. }
            | Strategy::Shadow { check, .. } => check.as_ref(),
            Strategy::Ab(ab) => ab.check.as_ref(),
        }
    }
}

/// A step of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CanaryStep {
    /// The candidate's share of the traffic, above 0 and at most 1.
    pub weight: f64,
    /// How long it stays there.
    pub hold: Hold,
}

/// How long a canary stays at a weight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// `5% for 10m`
    For(i64),
    /// `25% until promoted`: a person decides.
    UntilPromoted,
    /// `100%`: the end.
    Done,
}

/// `check every 30s { error_rate <= 1%  on_no_data = wait  tolerate = 2 failures }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// Between two measurements, above 0. A measurement is about the requests since the one before.
    pub every: i64,
    /// All must hold.
    pub conditions: Vec<Condition>,
    /// What a measurement without a number is taken for.
    pub on_no_data: OnNoData,
    /// `tolerate = 2 failures`: one more aborts the rollout. Over the whole rollout; compared with `>`, as Argo Rollouts
    /// does.
    pub failures: u32,
    /// `1 inconclusive`: one more pauses it.
    pub inconclusive: u32,
    /// `4 errors`: one more *in a row* aborts it; 4 unless told.
    pub errors: u32,
}

/// One line of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Boolean over [`Expr::Live`] and constants.
    pub success: Expr,
    /// `error_rate <= 1% fails when error_rate > 5%`: between the two it is inconclusive. `None`: whatever is no success
    /// is a failure.
    pub failure: Option<Expr>,
    /// As the author wrote it.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// What is done when there is nothing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNoData {
    /// The time of the step does not pass (of a monitor: neither breach nor recovery).
    Wait,
    /// As if it had held.
    Pass,
    /// As if it had not.
    Fail,
}

impl OnNoData {
    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            OnNoData::Wait => "wait",
            OnNoData::Pass => "pass",
            OnNoData::Fail => "fail",
        }
    }
}

/// A number about a deployment that is live.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveMetric {
    /// `requests`: int. Never missing.
    Requests,
    /// `error_rate`: fraction of requests that the version failed to answer (its error or its timeout; not the client's
    /// mistakes). Missing without requests.
    ErrorRate,
    /// `p50(latency)`, `p95(latency)`, `p99(latency)`: duration from the request's arrival to its answer. A request under
    /// way counts with its age. The number is the quantile in 0..1. Missing without requests.
    Latency(f64),
    /// `mean(latency)`: duration.
    MeanLatency,
    /// `baseline(7d)`: mean of the same watch over the last windows of so long. Missing below 3 windows.
    Baseline(i64),
    /// `sigma(7d)`: their standard deviation (ddof 1).
    Sigma(i64),
}

/// `monitor health of production { ... }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitorNode {
    /// The deploy node.
    pub deployment: NodeId,
    /// Its name.
    pub deployment_name: String,
    /// `every 1h over 24h`: between two windows, above 0.
    pub every: i64,
    /// How much of the past a window holds, at least `every`.
    pub over: i64,
    /// `reference = split.train`: what drift is measured against. As the run made it that registered the version that is
    /// stable now. Always there if a watch is about drift.
    pub reference: Option<OutputRef>,
    /// What is watched.
    pub watches: Vec<Watch>,
    /// What a watch without a number is taken for.
    pub on_no_data: OnNoData,
    /// `cooldown = 7d`: after a retraining or a rollback, how long until this monitor may start another; `over` unless told.
    pub cooldown: i64,
    /// `on breach for 2 windows { ... }`
    pub breaches: Vec<OnBreach>,
}

/// One line of a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// What is measured.
    pub what: Watched,
    /// How it is compared with the limit for all to be well.
    pub comparison: Comparison,
    /// Numbers, [`LiveMetric::Baseline`] and [`LiveMetric::Sigma`].
    pub limit: Expr,
    /// As the author wrote it.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// What a watch measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// `drift(temp, hum) <= 0.1`: each column's statistic. With [`DriftMethod::Auto`] the rule follows the column and the
    /// size of the reference; where that gives a p-value, `alpha` is the limit instead, which the verdict says.
    Drift {
        /// The columns, at least one.
        columns: Vec<String>,
        /// `method: psi`
        method: DriftMethod,
        /// `alpha: 5%`: below it a p-value is a breach.
        alpha: f64,
    },
    /// `drifted(temp, hum, windspeed) < 50%`: the share of the columns that drift by the default profile's own thresholds.
    Drifted {
        /// The columns, at least one.
        columns: Vec<String>,
    },
    /// `p95(latency)`, `error_rate`, `requests`: of the stable version, over the window.
    Service(LiveMetric),
    /// `rmse(label: bikers, delay: 1d)`: of the rows in the window whose label has arrived. The window ends `delay`
    /// earlier than for the other watches, so that its labels can have arrived.
    Label {
        /// Which.
        metric: LabelMetric,
        /// The label's column.
        label: String,
        /// How long labels take.
        delay: i64,
    },
}

/// How drift is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftMethod {
    /// As Evidently's default profile chooses.
    Auto,
    /// Two-sample Kolmogorov-Smirnov; a p-value.
    Ks,
    /// Chi-square; a p-value.
    ChiSquare,
    /// Z-test of two proportions; a p-value.
    Z,
    /// Wasserstein distance over the reference's standard deviation.
    Wasserstein,
    /// Jensen-Shannon distance, natural logarithm.
    JensenShannon,
    /// Population stability index.
    Psi,
}

impl DriftMethod {
    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            DriftMethod::Auto => "auto",
            DriftMethod::Ks => "ks",
            DriftMethod::ChiSquare => "chi_square",
            DriftMethod::Z => "z",
            DriftMethod::Wasserstein => "wasserstein",
            DriftMethod::JensenShannon => "jensen_shannon",
            DriftMethod::Psi => "psi",
        }
    }

    /// A small number is a breach.
    pub fn gives_p_value(self) -> bool {
        matches!(self, DriftMethod::Ks | DriftMethod::ChiSquare | DriftMethod::Z)
    }
}

/// A number about predictions and what really happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelMetric {
    /// Of a regressor.
    Rmse,
    /// Of a regressor.
    Mae,
    /// Of a regressor: mean of prediction minus label.
    Bias,
    /// Of a regressor.
    R2,
    /// Of a classifier.
    Accuracy,
    /// Of a classifier with two classes.
    Auc,
    /// Of a classifier.
    LogLoss,
}

impl LabelMetric {
    /// As written.
    pub fn word(self) -> &'static str {
        match self {
            LabelMetric::Rmse => "rmse",
            LabelMetric::Mae => "mae",
            LabelMetric::Bias => "bias",
            LabelMetric::R2 => "r2",
            LabelMetric::Accuracy => "accuracy",
            LabelMetric::Auc => "auc",
            LabelMetric::LogLoss => "log_loss",
        }
    }
}

/// `on breach for 2 windows { alert webhook("..."), retrain(until: now) }`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnBreach {
    /// How many windows in a row, at least 1.
    pub windows: u32,
    /// What then happens, once per breach; a breach ends with a window in which everything holds.
    pub actions: Vec<Action>,
}

/// What a breach brings about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// `alert webhook("http://...")`, `alert slack(slack_url)`: a POST of JSON, with an idempotency key.
    Alert {
        /// What is understood there.
        channel: Channel,
        /// Where to.
        to: Address,
    },
    /// `retrain`, `retrain(until: now)`: runs this pipeline again, with these parameters set.
    Retrain {
        /// Name and value, in the order written.
        params: Vec<(String, Given)>,
    },
    /// `rollback`: back to the version that was stable before.
    Rollback,
}

/// Who reads an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A program: all that is known, as JSON.
    Webhook,
    /// People, through an incoming webhook of Slack or of what understands the same: `{"text": "..."}`.
    Slack,
}

impl Channel {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Webhook => "webhook",
            Channel::Slack => "slack",
        }
    }
}

/// Where an alert goes. Who knows the address of a webhook can often post to it, so that it may be a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// `"http://..."`
    Plain(String),
    /// A secret, which is read anew whenever it is needed.
    Secret(SecretSource),
}

impl Address {
    /// What an address must be, for messages.
    pub const WANTED: &str = "an address that begins with http:// or https://";

    /// Whether a text can be an address.
    pub fn is_one(text: &str) -> bool {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Plain(address) => f.write_str(address),
            Address::Secret(source) => write!(f, "the address in {source}"),
        }
    }
}

/// What a retraining gives a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A constant.
    Value(Value),
    /// `now`: when the breach was found, as the parameter's type has it (a `time`, or the `date` in UTC).
    Now,
}

/// `on schedule "0 3 * * 1" in "Europe/Paris"`, `on change customers`: runs this pipeline again. Named by what it is about:
/// `schedule 0 3 * * 1`, `schedule 0 3 * * 1 in Europe/Paris`, `change customers`, `webhook retrain`, `commit main`,
/// `end features`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TriggerNode {
    /// When.
    pub when: TriggerWhen,
    /// `on schedule "..." { run(until: now) }`: parameters of the run.
    pub params: Vec<(String, Given)>,
}

/// When a trigger fires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerWhen {
    /// At these times.
    Schedule {
        /// Five fields: minute, hour, day of month, month, day of week.
        cron: String,
        /// IANA name; `UTC` unless told.
        zone: String,
    },
    /// When the file of a data node has another content than before.
    Change {
        /// The data node.
        data: NodeId,
    },
    /// `on webhook "retrain" { secret = hook_token }`: when somebody posts to it.
    Webhook {
        /// The last part of its address.
        name: String,
        /// What a request must be signed with. `None`: anybody may start a run.
        secret: Option<SecretSource>,
    },
    /// `on commit "main"`: when the branch of the project's repository has another head than before.
    Commit {
        /// The branch.
        branch: String,
    },
    /// `on end of "features"`: when a run of this other pipeline has ended well.
    End {
        /// Its name.
        pipeline: String,
    },
}

impl TriggerWhen {
    /// What fires it, as the language calls it.
    pub fn word(&self) -> &'static str {
        match self {
            TriggerWhen::Schedule { .. } => "schedule",
            TriggerWhen::Change { .. } => "change",
            TriggerWhen::Webhook { .. } => "webhook",
            TriggerWhen::Commit { .. } => "commit",
            TriggerWhen::End { .. } => "end",
        }
    }
}

impl std::fmt::Display for LiveMetric {
    /// As written.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let lasting = |nanos: i64| Value::Duration(nanos);
        match self {
            LiveMetric::Requests => f.write_str("requests"),
            LiveMetric::ErrorRate => f.write_str("error_rate"),
            LiveMetric::Latency(quantile) => write!(f, "p{}(latency)", crate::written::percent(*quantile)),
            LiveMetric::MeanLatency => f.write_str("mean(latency)"),
            LiveMetric::Baseline(over) => write!(f, "baseline({})", lasting(*over)),
            LiveMetric::Sigma(over) => write!(f, "sigma({})", lasting(*over)),
        }
    }
}
