//! The edges of the document: everything a node needs, each with its reason.

use super::nodes::name;
use super::{Edge, Flow};
use mlp_lang::live::{Form, TriggerWhen};
use mlp_lang::pipeline::{DataSource, Expr, Node, NodeId, NodeKind, OutputRef, Pipeline};
use mlp_lang::work::{ProgramInput, ProgramNode, Work};

/// All edges, by the node they lead to.
pub fn edges(pipeline: &Pipeline) -> Vec<Edge> {
    pipeline.nodes.iter().flat_map(|node| into(pipeline, node)).collect()
}

fn into(pipeline: &Pipeline, node: &Node) -> Vec<Edge> {
    let mut edges: Vec<Reason> = Vec::new();
    match &node.kind {
        NodeKind::Registry(_) => {}
        NodeKind::Data(data) => {
            if let DataSource::Output(from) = &data.source {
                edges.push(flow(from));
            }
        }
        NodeKind::Step(step) => edges.extend(step.inputs.values().map(flow)),
        NodeKind::Program(program) => edges.extend(of_program(program)),
        NodeKind::Query(query) => edges.extend(query.tables.values().map(flow)),
        NodeKind::Fan(fan) => {
            for work in &fan.members {
                match work {
                    Work::Step(step) => edges.extend(step.inputs.values().map(flow)),
                    Work::Program(program) => edges.extend(of_program(program)),
                    Work::Query(query) => edges.extend(query.tables.values().map(flow)),
                }
            }
        }
        NodeKind::Tune(tune) => {
            edges.push((tune.over, Flow::Data, None));
            edges.push((tune.goal.node, Flow::Metric, Some(tune.goal.output.clone())));
        }
        NodeKind::Gate(gate) => {
            for requirement in &gate.requirements {
                edges.extend(metrics(&requirement.condition));
            }
        }
        NodeKind::Model(model) => edges.push(flow(&model.source)),
        NodeKind::Deploy(deploy) => {
            edges.push((deploy.model, Flow::Data, None));
            if let Form::Batch { rows, .. } = &deploy.form {
                edges.push(flow(rows));
            }
        }
        NodeKind::Monitor(monitor) => {
            edges.push((monitor.deployment, Flow::Watch, None));
            edges.extend(monitor.reference.iter().map(flow));
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

/// Where an edge comes from, why, and what flows.
type Reason = (NodeId, Flow, Option<String>);

fn flow(from: &OutputRef) -> Reason {
    (from.node, Flow::Data, Some(from.output.clone()))
}

fn of_program(program: &ProgramNode) -> Vec<Reason> {
    let outputs = program.inputs.values().filter_map(|input| match input {
        ProgramInput::Output { from, .. } => Some(flow(from)),
        ProgramInput::File(_) | ProgramInput::Folder(_) => None,
    });
    outputs.collect()
}

fn metrics(condition: &Expr) -> Vec<Reason> {
    let mut read = Vec::new();
    condition.visit(&mut |expr| {
        if let Expr::Metric(metric) = expr {
            read.push((metric.node, Flow::Metric, Some(metric.output.clone())));
        }
    });
    read
}
