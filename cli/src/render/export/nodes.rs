//! The nodes of the document. A new kind of node has its place here, in `edges.rs`, and in `spec/pipeline.schema.json`.

use super::values::{columns, output, seconds, written};
use super::{
    Address, Breach, Check, Data, Deploy, Event, Gate, Kind, Model, Monitor, Node, Reference, Registry, Requirement,
    Stage, Step, Strategy, Trigger,
};
use mlp_lang::live::{self, Action, Given, Hold, Pick, TriggerWhen};
use mlp_lang::pipeline::{self, DataSource, NodeId, NodeKind, OutputRef, Pipeline};
use mlp_lang::span::Source;
use mlp_lang::value::Value;

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

fn reference(pipeline: &Pipeline, from: &OutputRef) -> Reference {
    Reference { node: name(pipeline, from.node), output: from.output.clone() }
}

fn kind(pipeline: &Pipeline, kind: &NodeKind) -> Kind {
    match kind {
        NodeKind::Data(data) => Kind::Data(Data {
            source: Address {
                form: match &data.source {
                    DataSource::Csv { .. } => "csv",
                    DataSource::Parquet { .. } => "parquet",
                },
                path: data.source.path().to_owned(),
            },
            declared_schema: data.schema.name.clone(),
            columns: columns(&data.schema),
            expectations: data.expectations.iter().map(|expectation| expectation.text.clone()).collect(),
        }),
        NodeKind::Step(step) => Kind::Step(Step {
            module: step.module.clone(),
            version: step.version.clone(),
            digest: step.digest.clone(),
            step: step.step.clone(),
            settings: step.params.iter().map(|(name, value)| (name.clone(), written(value))).collect(),
            inputs: step.inputs.iter().map(|(name, from)| (name.clone(), reference(pipeline, from))).collect(),
            outputs: step.outputs.iter().map(|(name, ty)| (name.clone(), output(ty))).collect(),
            timeout_seconds: step.limits.timeout.map(seconds),
            memory_bytes: step.limits.memory,
            retry: step.limits.retry,
        }),
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
        NodeKind::Deploy(deploy) => Kind::Deploy(Deploy {
            model: name(pipeline, deploy.model),
            flavor: deploy.flavor.clone(),
            columns: columns(&deploy.row),
            label: deploy.label.as_ref().map(|column| column.name.clone()),
            host: deploy.serve.host.clone(),
            port: deploy.serve.port,
            replicas: deploy.serve.replicas,
            timeout_seconds: seconds(deploy.serve.timeout),
            strategy: strategy(&deploy.strategy),
            rollback_within_seconds: seconds(deploy.rollback_within),
        }),
        NodeKind::Monitor(monitor) => Kind::Monitor(Monitor {
            deployment: monitor.deployment_name.clone(),
            every_seconds: seconds(monitor.every),
            over_seconds: seconds(monitor.over),
            reference: monitor.reference.as_ref().map(|from| reference(pipeline, from)),
            watches: monitor.watches.iter().map(|watch| watch.text.clone()).collect(),
            on_no_data: monitor.on_no_data.word(),
            cooldown_seconds: seconds(monitor.cooldown),
            breaches: monitor
                .breaches
                .iter()
                .map(|breach| Breach { windows: breach.windows, actions: breach.actions.iter().map(action).collect() })
                .collect(),
        }),
        NodeKind::Trigger(trigger) => Kind::Trigger(Trigger {
            on: match &trigger.when {
                TriggerWhen::Schedule { cron, zone } => Event::Schedule { cron: cron.clone(), zone: zone.clone() },
                TriggerWhen::Change { data } => Event::Change { data: name(pipeline, *data) },
            },
            parameters: trigger.params.iter().map(|(name, value)| (name.clone(), given(value))).collect(),
        }),
    }
}

fn strategy(strategy: &live::Strategy) -> Strategy {
    let stage =
        |what, share, nanoseconds| Stage { what, share, seconds: Some(seconds(nanoseconds)), until_promoted: false };
    let stages = match strategy {
        live::Strategy::Replace { watch: 0, .. } => Vec::new(),
        live::Strategy::Replace { watch, .. } => vec![stage("watch", 1.0, *watch)],
        live::Strategy::Canary { steps, .. } => steps
            .iter()
            .map(|step| Stage {
                what: "traffic",
                share: step.weight,
                seconds: match step.hold {
                    Hold::For(nanoseconds) => Some(seconds(nanoseconds)),
                    Hold::UntilPromoted | Hold::Done => None,
                },
                until_promoted: step.hold == Hold::UntilPromoted,
            })
            .collect(),
        live::Strategy::BlueGreen { preview, keep, .. } => {
            vec![stage("preview", 0.0, *preview), stage("keep", 1.0, *keep)]
        }
        live::Strategy::Shadow { share, hold, .. } => vec![stage("shadow", *share, *hold)],
    };
    Strategy {
        kind: strategy.word(),
        stages,
        check: strategy.check().map(|check| Check {
            every_seconds: seconds(check.every),
            conditions: check.conditions.iter().map(|condition| condition.text.clone()).collect(),
            on_no_data: check.on_no_data.word(),
        }),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Alert { webhook } => format!("alert webhook({})", Value::String(webhook.clone())),
        Action::Retrain { params } if params.is_empty() => "retrain".to_owned(),
        Action::Retrain { params } => {
            let params: Vec<String> = params.iter().map(|(name, value)| format!("{name}: {}", given(value))).collect();
            format!("retrain({})", params.join(", "))
        }
        Action::Rollback => "rollback".to_owned(),
    }
}

fn given(given: &Given) -> String {
    match given {
        Given::Value(value) => value.to_string(),
        Given::Now => "now".to_owned(),
    }
}
