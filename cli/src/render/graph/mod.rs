//! The graph of a pipeline as a picture or as text for other tools, from its exported document.

mod layout;
mod svg;
mod text;

use super::export::{Document, Edge, Event, Flow, Kind, Node, Serve, Work};
use serde_json::json;

pub use svg::{STYLE, embedded, standalone};
pub use text::{dot, mermaid};

/// A second line under a node's name: what it is, in a few words.
fn detail(node: &Node) -> String {
    let count = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    match &node.kind {
        Kind::Data(data) => data.source.form.replace('_', " "),
        Kind::Step(step) => work(&step.does),
        Kind::Tune(tune) => format!("{} over {}", count(tune.trials as usize, "trial"), tune.over),
        Kind::Gate(gate) => match gate.requirements.len() + gate.policies.len() {
            0 => count(gate.approvals.len(), "approval"),
            requirements => count(requirements, "requirement"),
        },
        Kind::Model(model) => model.flavor.clone(),
        Kind::Registry(entry) => entry.flavor.clone(),
        Kind::Deploy(deploy) => match deploy.serve {
            Serve::Online { .. } => deploy.strategy.kind.replace('_', " "),
            Serve::Batch { .. } => "batch".to_owned(),
            Serve::Stream { .. } => "stream".to_owned(),
        },
        Kind::Monitor(monitor) => format!("every {}", lasting(monitor.every_seconds)),
        Kind::Trigger(trigger) => match &trigger.on {
            Event::Schedule { .. } => "schedule".to_owned(),
            Event::Change { .. } => "change".to_owned(),
            Event::Webhook { .. } => "webhook".to_owned(),
            Event::Commit { .. } => "commit".to_owned(),
            Event::End { .. } => "end".to_owned(),
        },
    }
}

/// What a step does, in a word or two.
pub fn work(work: &Work) -> String {
    match work {
        Work::Module { module, step, .. } => {
            let module = module.rsplit('/').next().unwrap_or_default().trim_end_matches(".wasm");
            format!("{module}.{step}")
        }
        Work::Program { runner: "process", .. } => "process".to_owned(),
        Work::Program { .. } => "docker".to_owned(),
        Work::Query { .. } => "sql".to_owned(),
        Work::Fan { values, each, .. } => format!("{} × {}", values.len(), self::work(each)),
    }
}

/// The keyword of the declaration.
pub fn word(node: &Node) -> &'static str {
    match node.kind {
        Kind::Data(_) => "data",
        Kind::Step(_) => "step",
        Kind::Tune(_) => "tune",
        Kind::Gate(_) => "gate",
        Kind::Model(_) => "model",
        Kind::Registry(_) => "registry",
        Kind::Deploy(_) => "deploy",
        Kind::Monitor(_) => "monitor",
        Kind::Trigger(_) => "on",
    }
}

/// Seconds as a duration of the language.
pub fn lasting(seconds: f64) -> String {
    mlp_lang::value::Value::Duration((seconds * 1e9) as i64).to_string()
}

/// Only the order, or a decision: drawn dashed.
fn is_dashed(edge: &Edge) -> bool {
    !matches!(edge.what, Flow::Data)
}

/// Whether a node runs only under a condition.
fn is_conditional(node: &Node) -> bool {
    node.when.is_some()
}

/// `mlp.graph/1`: nodes and edges without their details.
pub fn json(document: &Document) -> serde_json::Value {
    let nodes = document.nodes.iter().map(|node| {
        json!({ "name": node.name, "kind": word(node), "detail": detail(node), "doc": node.doc, "when": node.when })
    });
    json!({
        "schema": "mlp.graph/1",
        "pipeline": document.pipeline.name,
        "nodes": nodes.collect::<Vec<_>>(),
        "edges": document.edges,
    })
}

#[cfg(test)]
mod tests;
