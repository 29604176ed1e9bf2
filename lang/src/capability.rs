//! What the language has and this version of the engine cannot carry out: said before anything runs.
//!
//! A file with such a declaration is right, and `mlp check` finds nothing wrong with it. `plan`, `run` and `serve` ask here
//! first, and do nothing when something is missing.

use crate::codes;
use crate::context::place;
use crate::finding::Finding;
use crate::live::{Form, Strategy, TriggerWhen};
use crate::pipeline::{Node, NodeKind, Pipeline};
use crate::span::{Source, Span};

/// What a pipeline is about to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `plan` and `run`: to its end, once. What only the resident engine lives through is left to it.
    Run,
    /// `serve`: whatever it declares.
    Serve,
}

/// One finding for each declaration of the pipeline that cannot be carried out, in the order of nodes.
pub fn missing(pipeline: &Pipeline, source: &Source, purpose: Purpose) -> Vec<Finding> {
    let nodes = match purpose {
        Purpose::Run => pipeline.batch(),
        Purpose::Serve => &pipeline.nodes,
    };
    let mut findings = Vec::new();
    for node in nodes {
        for (span, capability, help) in of(node) {
            let message = format!("{} needs {capability}, which this version of mlp does not have", called(node));
            let finding = Finding::error(codes::MISSING_CAPABILITY, place(source, span), message);
            findings.push(finding.label("cannot be carried out").help(help));
        }
    }
    findings
}

/// A node as people speak of it.
fn called(node: &Node) -> String {
    let kind = match &node.kind {
        NodeKind::Data(_) => "the data",
        NodeKind::Step(_) => "the step",
        NodeKind::Tune(_) => "the search",
        NodeKind::Gate(_) => "the gate",
        NodeKind::Model(_) => "the model",
        NodeKind::Registry(_) => "the reference",
        NodeKind::Deploy(_) => "the deployment",
        NodeKind::Monitor(_) => "the monitor",
        NodeKind::Trigger(_) => "the trigger",
    };
    format!("{kind} `{}`", node.name)
}

/// What a node asks for that is not there: where, what, and what to do.
fn of(node: &Node) -> Vec<(Span, &'static str, &'static str)> {
    match &node.kind {
        NodeKind::Tune(_) => {
            vec![(node.span, "searches", "give the settings as parameters, and run the file with several values")]
        }
        NodeKind::Gate(gate) => {
            let policies = gate
                .policies
                .iter()
                .map(|policy| (policy.span, "policies in Rego", "say it as conditions: `require eval.auc >= 80%`"));
            let approvals = gate.approvals.iter().map(|approval| {
                (
                    approval.span,
                    "approvals by people",
                    "deploy with `canary { 5% until promoted ... }`: a person decides there",
                )
            });
            policies.chain(approvals).collect()
        }
        NodeKind::Deploy(deploy) => {
            let form = match &deploy.form {
                Form::Online => None,
                Form::Batch { .. } => Some((node.span, "serving in batches", "serve it `online(...)`")),
                Form::Stream { .. } => Some((node.span, "serving of streams", "serve it `online(...)`")),
            };
            let ab = matches!(deploy.strategy, Strategy::Ab(_)).then_some((
                node.span,
                "experiments with `ab`",
                "take over with `canary { ... }`, and compare the versions by hand",
            ));
            form.into_iter().chain(ab).collect()
        }
        NodeKind::Trigger(trigger) => {
            let capability = match &trigger.when {
                TriggerWhen::Schedule { .. } | TriggerWhen::Change { .. } => return Vec::new(),
                TriggerWhen::Webhook { .. } => "webhooks that start runs",
                TriggerWhen::Commit { .. } => "runs that a commit starts",
                TriggerWhen::End { .. } => "runs that the end of another pipeline starts",
            };
            vec![(node.span, capability, "start runs `on schedule` or `on change`")]
        }
        NodeKind::Data(_) | NodeKind::Step(_) | NodeKind::Model(_) | NodeKind::Registry(_) | NodeKind::Monitor(_) => {
            Vec::new()
        }
    }
}
