//! What is live: strategies, checks, watches, actions.

use super::{Expr, Goal, Ident, Setting};
use crate::span::Span;

/// `canary { ... }`, `replace`, `blue_green { ... }`, `shadow { ... }`, `ab { ... }`
#[derive(Clone, Debug, PartialEq)]
pub struct Strategy {
    /// Which.
    pub word: Ident,
    /// `5% for 10m`, in the order written.
    pub weights: Vec<Weight>,
    /// `preview for 10m`, in the order written.
    pub phases: Vec<Phase>,
    /// `check every 30s { ... }`
    pub check: Option<Check>,
    /// `maximize accuracy(label: churned)`: one in `ab`, when it is right.
    pub goals: Vec<Goal>,
    /// `significance = 5%`
    pub settings: Vec<Setting>,
}

/// `5% for 10m`
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// The share of the traffic.
    pub share: Expr,
    /// How long.
    pub hold: Hold,
    /// Of the whole line.
    pub span: Span,
}

/// How long a weight stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Hold {
    /// Nothing is said.
    Unsaid,
    /// `for 10m`
    For(Expr),
    /// `until promoted`
    UntilPromoted(Span),
}

/// `preview for 10m`
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: Ident,
    /// How long.
    pub length: Expr,
}

/// `check every 30s { error_rate <= 1%  on_no_data = wait }`
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// `every 30s`; absent when its header could not be understood.
    pub every: Option<Expr>,
    /// The lines with conditions.
    pub verdicts: Vec<Verdict>,
    /// `on_no_data = wait`
    pub settings: Vec<Setting>,
    /// `tolerate = 2 failures, 1 inconclusive`: each number with its word.
    pub tolerate: Vec<(Expr, Ident)>,
    /// Of its header.
    pub span: Span,
    /// From its `{` to the end of its last line, for what is to be added there.
    pub block: Span,
}

/// `error_rate <= 1% fails when error_rate > 5%`
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What must hold.
    pub success: Expr,
    /// `fails when ...`
    pub failure: Option<Expr>,
    /// Of the whole line.
    pub span: Span,
}

/// `every 1h over 24h`
#[derive(Clone, Debug, PartialEq)]
pub struct Rhythm {
    /// How often.
    pub every: Expr,
    /// How much of the past.
    pub over: Option<Expr>,
}

/// `watch drift(age) <= 0.1`
#[derive(Clone, Debug, PartialEq)]
pub struct WatchLine {
    /// What must hold.
    pub condition: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// `on breach for 2 windows { alert webhook("..."), retrain }`
#[derive(Clone, Debug, PartialEq)]
pub struct Breach {
    /// How many windows in a row.
    pub windows: Option<Expr>,
    /// What is done.
    pub actions: Vec<ActionLine>,
    /// Of its header.
    pub span: Span,
}

/// `alert webhook("...")`, `retrain(until: now)`, `rollback`, `run(until: now)`
#[derive(Clone, Debug, PartialEq)]
pub struct ActionLine {
    /// Whether `alert` stands before it.
    pub alert: bool,
    /// What, or whom.
    pub what: Expr,
    /// Of the whole line.
    pub span: Span,
}

/// When a pipeline runs by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `schedule "0 3 * * 1" in "Europe/Paris"`: the texts as idents, without their quotes.
    Schedule {
        /// The five fields.
        cron: Ident,
        /// The zone.
        zone: Option<Ident>,
    },
    /// `change customers`
    Change(Ident),
    /// `webhook "retrain"`: the text, as an ident.
    Webhook(Ident),
    /// `commit "main"`: the branch, as an ident.
    Commit(Ident),
    /// `end of "features"`: another pipeline, as an ident.
    End(Ident),
}
