//! The nodes of the document. A new kind of node has its place here, in `edges.rs`, and in `spec/pipeline.schema.json`.

use super::values::{columns, seconds};
use super::{Address, Approval, Data, Gate, Kind, Model, Node, Policy, Reference, Registry, Requirement, live, steps};
use mlp_lang::live::Pick;
use mlp_lang::pipeline::{self, DataSource, NodeId, NodeKind, OutputRef, Pipeline};
use mlp_lang::span::Source;
use mlp_lang::work::Pii;

/// One node.
pub fn node(pipeline: &Pipeline, node: &pipeline::Node, source: &Source) -> Node {
    let (line, column) = source.line_column(node.span.start);
    Node {
        name: node.name.clone(),
        doc: node.doc.clone(),
        line,
        column,
        when: node.when.as_ref().map(|condition| condition.to_string()),
        needs: node.needs.iter().map(|id| name(pipeline, *id)).collect(),
        kind: kind(pipeline, &node.kind),
    }
}

/// The name of a node.
pub fn name(pipeline: &Pipeline, id: NodeId) -> String {
    pipeline.nodes.get(id.index()).map_or_else(String::new, |node| node.name.clone())
}

/// One output of one node.
pub fn reference(pipeline: &Pipeline, from: &OutputRef) -> Reference {
    Reference { node: name(pipeline, from.node), output: from.output.clone() }
}

fn kind(pipeline: &Pipeline, kind: &NodeKind) -> Kind {
    match kind {
        NodeKind::Data(data) => Kind::Data(Data {
            source: address(pipeline, &data.source),
            declared_schema: data.schema.name.clone(),
            columns: columns(&data.schema),
            expectations: data.expectations.iter().map(|expectation| expectation.text.clone()).collect(),
            pii: data.pii.map(|pii| match pii {
                Pii::Deny => "deny",
                Pii::Mask => "mask",
                Pii::Quarantine => "quarantine",
                Pii::Allow => "allow",
            }),
        }),
        NodeKind::Step(step) => Kind::Step(Box::new(steps::module(pipeline, step))),
        NodeKind::Program(program) => Kind::Step(Box::new(steps::program(pipeline, program))),
        NodeKind::Query(query) => Kind::Step(Box::new(steps::query(pipeline, query))),
        NodeKind::Fan(fan) => Kind::Step(Box::new(steps::fan(pipeline, fan))),
        NodeKind::Tune(tune) => Kind::Tune(Box::new(steps::tune(pipeline, tune))),
        NodeKind::Gate(gate) => Kind::Gate(Gate {
            requirements: gate
                .requirements
                .iter()
                .map(|requirement| Requirement {
                    condition: requirement.text.clone(),
                    because: requirement.because.clone(),
                    unless_first: requirement.unless_first,
                })
                .collect(),
            policies: gate
                .policies
                .iter()
                .map(|policy| Policy { path: policy.path.clone(), because: policy.because.clone() })
                .collect(),
            approvals: gate
                .approvals
                .iter()
                .map(|approval| Approval {
                    count: approval.count,
                    people: approval.people.clone(),
                    within_seconds: approval.within.map(seconds),
                })
                .collect(),
        }),
        NodeKind::Model(model) => Kind::Model(Model {
            source: reference(pipeline, &model.source),
            flavor: model.flavor.clone(),
            gates: model.gates.iter().map(|id| name(pipeline, *id)).collect(),
            card: model.card.clone(),
        }),
        NodeKind::Registry(entry) => Kind::Registry(Registry {
            model: entry.model.clone(),
            pick: match &entry.pick {
                Pick::Latest => "latest".to_owned(),
                Pick::Version(version) => version.to_string(),
                Pick::Serving(deployment) => deployment.clone(),
            },
            flavor: entry.flavor.clone(),
            required: entry.required,
        }),
        NodeKind::Deploy(deploy) => Kind::Deploy(Box::new(live::deploy(pipeline, deploy))),
        NodeKind::Monitor(monitor) => Kind::Monitor(live::monitor(pipeline, monitor)),
        NodeKind::Trigger(trigger) => Kind::Trigger(live::trigger(pipeline, trigger)),
    }
}

fn address(pipeline: &Pipeline, source: &DataSource) -> Address {
    let at = |form, path: &str| Address { form, path: Some(path.to_owned()), query: None, output: None };
    match source {
        DataSource::Csv { path, .. } => at("csv", path),
        DataSource::Parquet { path } => at("parquet", path),
        DataSource::JsonLines { path } => at("json_lines", path),
        DataSource::Remote { format, .. } => address(pipeline, format),
        DataSource::Database { address, query, .. } => Address { query: Some(query.clone()), ..at("sql", address) },
        DataSource::Output(from) => {
            Address { form: "output", path: None, query: None, output: Some(reference(pipeline, from)) }
        }
    }
}
