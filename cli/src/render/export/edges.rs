//! The edges of the document: everything a node needs, each with its reason.

use super::nodes::name;
use super::{Edge, Flow};
use mlp_lang::live::TriggerWhen;
use mlp_lang::pipeline::{Expr, Node, NodeId, NodeKind, Pipeline};

/// All edges, by the node they lead to.
pub fn edges(pipeline: &Pipeline) -> Vec<Edge> {
    pipeline.nodes.iter().flat_map(|node| into(pipeline, node)).collect()
}

fn into(pipeline: &Pipeline, node: &Node) -> Vec<Edge> {
    let mut edges: Vec<(NodeId, Flow, Option<String>)> = Vec::new();
    match &node.kind {
        NodeKind::Data(_) | NodeKind::Registry(_) => {}
        NodeKind::Step(step) => {
            edges.extend(step.inputs.values().map(|from| (from.node, Flow::Data, Some(from.output.clone()))));
        }
        NodeKind::Gate(gate) => {
            for requirement in &gate.requirements {
                edges.extend(metrics(&requirement.condition));
            }
        }
        NodeKind::Model(model) => {
            edges.push((model.source.node, Flow::Data, Some(model.source.output.clone())));
        }
        NodeKind::Deploy(deploy) => edges.push((deploy.model, Flow::Data, None)),
        NodeKind::Monitor(monitor) => {
            edges.push((monitor.deployment, Flow::Watch, None));
            edges.extend(monitor.reference.iter().map(|from| (from.node, Flow::Data, Some(from.output.clone()))));
        }
        NodeKind::Trigger(trigger) => {
            if let TriggerWhen::Change { data } = trigger.when {
                edges.push((data, Flow::Start, None));
            }
        }
    }
    edges.extend(node.when.iter().flat_map(metrics));
    for need in &node.needs {
        if !edges.iter().any(|(from, _, _)| from == need) {
            edges.push((*need, Flow::Order, None));
        }
    }
    let mut told: Vec<Edge> = Vec::new();
    for (from, what, output) in edges {
        let edge = Edge { from: name(pipeline, from), to: node.name.clone(), what, output };
        if !told.contains(&edge) {
            told.push(edge);
        }
    }
    told
}

fn metrics(condition: &Expr) -> Vec<(NodeId, Flow, Option<String>)> {
    let mut read = Vec::new();
    condition.visit(&mut |expr| {
        if let Expr::Metric(metric) = expr {
            read.push((metric.node, Flow::Metric, Some(metric.output.clone())));
        }
    });
    read
}
