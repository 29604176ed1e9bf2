//! What an engine must be able to do to carry a pipeline out.
//!
//! A pipeline may be right and still ask for what an engine does not do. That is said before anything runs, for each place
//! that asks.

use crate::codes;
use crate::finding::{Finding, Place};
use crate::live::{Form, Strategy, TriggerWhen};
use crate::pipeline::{DataNode, DataSource, Node, NodeKind, Pipeline, StepNode};
use crate::span::Source;
use crate::work::{Pii, ProgramNode, Runner, Work};

/// Something that not every engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Steps in containers.
    Containers,
    /// Steps that are queries.
    Queries,
    /// One step for each value of a list.
    FanOut,
    /// Files behind `https://`.
    Https,
    /// Files in object stores: `s3://`, `gs://`, `az://`.
    ObjectStores,
    /// Tables of databases.
    Databases,
    /// Files with a JSON object a line.
    JsonLines,
    /// Data that is a table of a step.
    StepsAsData,
    /// Looking for personal data.
    Pii,
    /// Waiting between attempts.
    Backoff,
    /// Choosing settings by trials.
    Searches,
    /// Gates that ask a policy.
    Policies,
    /// Gates that ask people.
    Approvals,
    /// Predicting tables.
    Batches,
    /// Predicting messages.
    Streams,
    /// Comparing versions by an experiment.
    Experiments,
    /// Runs that a webhook starts.
    Webhooks,
    /// Runs that a commit starts.
    Commits,
    /// Runs that the end of another pipeline starts.
    EndsOfOthers,
}

impl Capability {
    /// For messages: "steps in containers".
    pub fn words(self) -> &'static str {
        match self {
            Capability::Containers => "steps in containers",
            Capability::Queries => "steps that are queries",
            Capability::FanOut => "one step for each value of a list",
            Capability::Https => "rows behind `https://`",
            Capability::ObjectStores => "rows in an object store",
            Capability::Databases => "rows of a database",
            Capability::JsonLines => "JSON lines",
            Capability::StepsAsData => "data that a step gives",
            Capability::Pii => "a search for personal data",
            Capability::Backoff => "a wait between attempts",
            Capability::Searches => "searches",
            Capability::Policies => "policies in Rego",
            Capability::Approvals => "approvals by people",
            Capability::Batches => "predicting in batches",
            Capability::Streams => "predicting of streams",
            Capability::Experiments => "experiments with `ab`",
            Capability::Webhooks => "runs that a webhook starts",
            Capability::Commits => "runs that a commit starts",
            Capability::EndsOfOthers => "runs that the end of another pipeline starts",
        }
    }

    /// Asked for only by what the resident engine alone lives through: a run does without.
    pub fn is_resident(self) -> bool {
        matches!(self, Capability::Webhooks | Capability::Commits | Capability::EndsOfOthers)
    }

    /// What to do instead.
    fn instead(self) -> &'static str {
        match self {
            Capability::Containers => {
                "a plugin runs everywhere: `use \"./step.wasm\" as name`; `mlp check` still checks the step"
            }
            Capability::Queries => "compute the columns in a plugin, or before the file is written",
            Capability::FanOut => "write one step for each value",
            Capability::Https | Capability::ObjectStores => "fetch the file first, and name its path",
            Capability::Databases => "export the rows to CSV or Parquet, and name the file",
            Capability::JsonLines => "convert the file to CSV or Parquet",
            Capability::StepsAsData => "give the step's output to the steps that read it",
            Capability::Pii => "leave `pii` out, or write `pii allow` if the columns are known to be there",
            Capability::Backoff => "leave `backoff` out: the next attempt then starts at once",
            Capability::Searches => "give the settings as parameters, and run the file with several values",
            Capability::Policies => "say it as conditions: `require eval.auc >= 80%`",
            Capability::Approvals => "deploy with `canary { 5% until promoted ... }`: a person decides there",
            Capability::Batches | Capability::Streams => "serve it `online(...)`",
            Capability::Experiments => "take over with `canary { ... }`, and compare the versions by hand",
            Capability::Webhooks | Capability::Commits | Capability::EndsOfOthers => {
                "start runs `on schedule` or `on change`"
            }
        }
    }
}

/// Each thing that the pipeline asks for and `can` denies: one finding for each node and capability, at the node's name.
pub fn missing(source: &Source, pipeline: &Pipeline, can: impl Fn(Capability) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in &pipeline.nodes {
        let mut asked: Vec<Capability> = Vec::new();
        needed(node, &mut |capability| {
            if !asked.contains(&capability) && !can(capability) {
                asked.push(capability);
            }
        });
        for capability in asked {
            let place = Place::Source { path: source.path.clone(), span: node.span };
            let message = format!("`{}` needs {}, which this mlp cannot do yet", node.name, capability.words());
            let finding = Finding::error(codes::MISSING_CAPABILITY, place, message);
            findings.push(finding.label("cannot run here").help(capability.instead()));
        }
    }
    findings
}

fn needed(node: &Node, ask: &mut impl FnMut(Capability)) {
    match &node.kind {
        NodeKind::Data(data) => of_data(data, ask),
        NodeKind::Step(step) => of_step(step, ask),
        NodeKind::Program(program) => of_program(program, ask),
        NodeKind::Query(_) => ask(Capability::Queries),
        NodeKind::Fan(fan) => {
            ask(Capability::FanOut);
            // The members ask for the same, or for what the same settings say.
            match fan.members.first() {
                Some(Work::Step(step)) => of_step(step, ask),
                Some(Work::Program(program)) => of_program(program, ask),
                Some(Work::Query(_)) => ask(Capability::Queries),
                None => {}
            }
        }
        NodeKind::Tune(_) => ask(Capability::Searches),
        NodeKind::Gate(gate) => {
            gate.policies.iter().for_each(|_| ask(Capability::Policies));
            gate.approvals.iter().for_each(|_| ask(Capability::Approvals));
        }
        NodeKind::Deploy(deploy) => {
            match deploy.form {
                Form::Online => {}
                Form::Batch { .. } => ask(Capability::Batches),
                Form::Stream { .. } => ask(Capability::Streams),
            }
            if matches!(deploy.strategy, Strategy::Ab(_)) {
                ask(Capability::Experiments);
            }
        }
        NodeKind::Trigger(trigger) => match trigger.when {
            TriggerWhen::Schedule { .. } | TriggerWhen::Change { .. } => {}
            TriggerWhen::Webhook { .. } => ask(Capability::Webhooks),
            TriggerWhen::Commit { .. } => ask(Capability::Commits),
            TriggerWhen::End { .. } => ask(Capability::EndsOfOthers),
        },
        NodeKind::Model(_) | NodeKind::Registry(_) | NodeKind::Monitor(_) => {}
    }
}

fn of_data(data: &DataNode, ask: &mut impl FnMut(Capability)) {
    let mut source = &data.source;
    loop {
        match source {
            DataSource::Csv { .. } | DataSource::Parquet { .. } => {}
            DataSource::JsonLines { .. } => ask(Capability::JsonLines),
            DataSource::Database { .. } => ask(Capability::Databases),
            DataSource::Output(_) => ask(Capability::StepsAsData),
            DataSource::Remote { remote, format } => {
                ask(if remote.scheme == "https" { Capability::Https } else { Capability::ObjectStores });
                source = format;
                continue;
            }
        }
        break;
    }
    if data.pii.is_some_and(|rule| rule != Pii::Allow) {
        ask(Capability::Pii);
    }
}

fn of_step(step: &StepNode, ask: &mut impl FnMut(Capability)) {
    if step.limits.backoff.is_some() {
        ask(Capability::Backoff);
    }
}

fn of_program(program: &ProgramNode, ask: &mut impl FnMut(Capability)) {
    match program.runner {
        Runner::Docker(_) | Runner::Build(_) => ask(Capability::Containers),
        Runner::Process => {}
    }
    if program.limits.backoff.is_some() {
        ask(Capability::Backoff);
    }
}
