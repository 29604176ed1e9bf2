//! The nodes of what is live: deployments, monitors, triggers.

use super::nodes::{name, reference};
use super::values::{columns, seconds};
use super::{Breach, Check, Deploy, Event, Experiment, Monitor, Serve, Stage, Strategy, Trigger};
use mlp_lang::live::{
    self, Action, Address, DeployNode, Form, Given, Goal, Hold, MonitorNode, TriggerNode, TriggerWhen,
};
use mlp_lang::pipeline::Pipeline;
use mlp_lang::value::Value;

/// `deploy`
pub fn deploy(pipeline: &Pipeline, deploy: &DeployNode) -> Deploy {
    let online = &deploy.serve;
    Deploy {
        model: name(pipeline, deploy.model),
        flavor: deploy.flavor.clone(),
        columns: columns(&deploy.row),
        label: deploy.label.as_ref().map(|column| column.name.clone()),
        serve: match &deploy.form {
            Form::Online => Serve::Online {
                host: online.host.clone(),
                port: online.port,
                replicas: online.replicas,
                timeout_seconds: seconds(online.timeout),
            },
            Form::Batch { rows, to, every } => {
                Serve::Batch { rows: reference(pipeline, rows), to: to.path.clone(), every_seconds: every.map(seconds) }
            }
            Form::Stream { from, to } => Serve::Stream { from: from.clone(), to: to.clone() },
        },
        strategy: strategy(&deploy.strategy),
        rollback_within_seconds: seconds(deploy.rollback_within),
    }
}

/// `monitor`
pub fn monitor(pipeline: &Pipeline, monitor: &MonitorNode) -> Monitor {
    Monitor {
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
    }
}

/// `on`
pub fn trigger(pipeline: &Pipeline, trigger: &TriggerNode) -> Trigger {
    Trigger {
        on: match &trigger.when {
            TriggerWhen::Schedule { cron, zone } => Event::Schedule { cron: cron.clone(), zone: zone.clone() },
            TriggerWhen::Change { data } => Event::Change { data: name(pipeline, *data) },
            TriggerWhen::Webhook { name, secret } => Event::Webhook { name: name.clone(), signed: secret.is_some() },
            TriggerWhen::Commit { branch } => Event::Commit { branch: branch.clone() },
            TriggerWhen::End { pipeline } => Event::End { pipeline: pipeline.clone() },
        },
        parameters: trigger.params.iter().map(|(name, value)| (name.clone(), given(value))).collect(),
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
        live::Strategy::Ab(ab) => vec![stage("traffic", ab.share, ab.length)],
    };
    let experiment = match strategy {
        live::Strategy::Ab(ab) => Some(Experiment {
            maximize: ab.maximize,
            goal: goal(&ab.goal),
            significance: ab.significance,
            power: ab.power,
            smallest: ab.smallest.to_string(),
            on_no_data: ab.on_no_data.word(),
        }),
        _ => None,
    };
    Strategy {
        kind: strategy.word(),
        stages,
        experiment,
        check: strategy.check().map(|check| Check {
            every_seconds: seconds(check.every),
            conditions: check.conditions.iter().map(|condition| condition.text.clone()).collect(),
            on_no_data: check.on_no_data.word(),
        }),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::Alert { channel, to: Address::Plain(address) } => {
            format!("alert {}({})", channel.word(), Value::String(address.clone()))
        }
        Action::Alert { channel, to: Address::Secret(_) } => format!("alert {}(a secret)", channel.word()),
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

fn goal(goal: &Goal) -> String {
    match goal {
        Goal::Service(metric) => metric.to_string(),
        Goal::Label { metric, label, delay } => {
            format!("{}(label: {}, delay: {})", metric.word(), Value::Column(label.clone()), Value::Duration(*delay))
        }
    }
}
