//! What an engine must be able to do to carry a pipeline out.
//!
//! A pipeline may be right and still ask for what an engine does not do. That is said before anything runs, for each place
//! that asks: `mlp check` finds nothing wrong with such a file, and `plan`, `run` and `serve` do nothing with it.

use crate::codes;
use crate::context::place;
use crate::finding::Finding;
use crate::live::{DeployNode, Form, Strategy, TriggerWhen};
use crate::pipeline::{DataNode, DataSource, GateNode, Node, NodeKind, Pipeline, StepNode};
use crate::span::{Source, Span};
use crate::work::{Pii, ProgramNode, Runner, Work};

/// Something that not every engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Steps in containers.
    Containers,
    /// Steps that are programs on the machine itself.
    Processes,
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
    /// Running a step each time, whatever is remembered of it.
    Uncached,
    /// `tune`.
    Searches,
    /// Policies in Rego.
    Policies,
    /// Approvals by people.
    Approvals,
    /// Serving a table at a time.
    Batches,
    /// Serving what a stream brings.
    Streams,
    /// `ab`.
    Experiments,
    /// Runs that a webhook starts.
    Webhooks,
    /// Runs that a commit starts.
    Commits,
    /// Runs that the end of another pipeline starts.
    Ends,
}

/// What this mlp cannot do.
pub const ABSENT: &[Capability] = &[
    Capability::Containers,
    Capability::Processes,
    Capability::Queries,
    Capability::FanOut,
    Capability::Https,
    Capability::ObjectStores,
    Capability::Databases,
    Capability::JsonLines,
    Capability::StepsAsData,
    Capability::Pii,
    Capability::Backoff,
    Capability::Uncached,
    Capability::Searches,
    Capability::Policies,
    Capability::Approvals,
    Capability::Batches,
    Capability::Streams,
    Capability::Experiments,
    Capability::Webhooks,
    Capability::Commits,
    Capability::Ends,
];

/// What a pipeline is about to be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `plan` and `run`: to its end, once. What only the resident engine lives through is left to it.
    Run,
    /// `serve`: whatever it declares.
    Serve,
}

impl Capability {
    /// For messages: "steps in containers".
    pub fn words(self) -> &'static str {
        match self {
            Capability::Containers => "steps in containers",
            Capability::Processes => "steps that are programs on the machine",
            Capability::Queries => "steps that are queries",
            Capability::FanOut => "one step for each value of a list",
            Capability::Https => "rows behind `https://`",
            Capability::ObjectStores => "rows in an object store",
            Capability::Databases => "rows of a database",
            Capability::JsonLines => "JSON lines",
            Capability::StepsAsData => "data that a step gives",
            Capability::Pii => "a search for personal data",
            Capability::Backoff => "a wait between attempts",
            Capability::Uncached => "steps that run each time",
            Capability::Searches => "searches",
            Capability::Policies => "policies in Rego",
            Capability::Approvals => "approvals by people",
            Capability::Batches => "serving in batches",
            Capability::Streams => "serving of streams",
            Capability::Experiments => "experiments with `ab`",
            Capability::Webhooks => "webhooks that start runs",
            Capability::Commits => "runs that a commit starts",
            Capability::Ends => "runs that the end of another pipeline starts",
        }
    }

    /// What to do instead.
    fn instead(self) -> &'static str {
        match self {
            Capability::Containers | Capability::Processes => {
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
            Capability::Uncached => "leave `cache` out, and name the step on the command line: `--force name`",
            Capability::Searches => "give the settings as parameters, and run the file with several values",
            Capability::Policies => "say it as conditions: `require eval.auc >= 80%`",
            Capability::Approvals => "deploy with `canary { 5% until promoted ... }`: a person decides there",
            Capability::Batches | Capability::Streams => "serve it `online(...)`",
            Capability::Experiments => "take over with `canary { ... }`, and compare the versions by hand",
            Capability::Webhooks | Capability::Commits | Capability::Ends => "start runs `on schedule` or `on change`",
        }
    }
}

/// Each thing that the pipeline asks for and that is among `absent`: one finding for each place and capability.
pub fn missing(pipeline: &Pipeline, source: &Source, purpose: Purpose, absent: &[Capability]) -> Vec<Finding> {
    let nodes = match purpose {
        Purpose::Run => pipeline.batch(),
        Purpose::Serve => &pipeline.nodes,
    };
    let mut findings = Vec::new();
    for node in nodes {
        let mut asked: Vec<(Span, Capability)> = Vec::new();
        needed(node, &mut |span, capability| {
            if !asked.contains(&(span, capability)) && absent.contains(&capability) {
                asked.push((span, capability));
            }
        });
        for (span, capability) in asked {
            let message =
                format!("{} needs {}, which this version of mlp does not have", called(node), capability.words());
            let finding = Finding::error(codes::MISSING_CAPABILITY, place(source, span), message);
            findings.push(finding.label("cannot be carried out").help(capability.instead()));
        }
    }
    findings
}

/// A node as people speak of it.
fn called(node: &Node) -> String {
    let kind = match &node.kind {
        NodeKind::Data(_) => "the data",
        NodeKind::Step(_) | NodeKind::Program(_) | NodeKind::Query(_) | NodeKind::Fan(_) => "the step",
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

fn needed(node: &Node, ask: &mut impl FnMut(Span, Capability)) {
    let here = &mut |capability| ask(node.span, capability);
    match &node.kind {
        NodeKind::Data(data) => of_data(data, here),
        NodeKind::Step(step) => of_step(step, here),
        NodeKind::Program(program) => of_program(program, here),
        NodeKind::Query(_) => here(Capability::Queries),
        NodeKind::Fan(fan) => {
            here(Capability::FanOut);
            // The members ask for the same, or for what the same settings say.
            match fan.members.first() {
                Some(Work::Step(step)) => of_step(step, here),
                Some(Work::Program(program)) => of_program(program, here),
                Some(Work::Query(_)) => here(Capability::Queries),
                None => {}
            }
        }
        NodeKind::Tune(_) => here(Capability::Searches),
        NodeKind::Gate(gate) => of_gate(gate, ask),
        NodeKind::Deploy(deploy) => of_deploy(deploy, here),
        NodeKind::Trigger(trigger) => match &trigger.when {
            TriggerWhen::Schedule { .. } | TriggerWhen::Change { .. } => {}
            TriggerWhen::Webhook { .. } => here(Capability::Webhooks),
            TriggerWhen::Commit { .. } => here(Capability::Commits),
            TriggerWhen::End { .. } => here(Capability::Ends),
        },
        NodeKind::Model(_) | NodeKind::Registry(_) | NodeKind::Monitor(_) => {}
    }
}

fn of_gate(gate: &GateNode, ask: &mut impl FnMut(Span, Capability)) {
    gate.policies.iter().for_each(|policy| ask(policy.span, Capability::Policies));
    gate.approvals.iter().for_each(|approval| ask(approval.span, Capability::Approvals));
}

fn of_deploy(deploy: &DeployNode, ask: &mut impl FnMut(Capability)) {
    match &deploy.form {
        Form::Online => {}
        Form::Batch { .. } => ask(Capability::Batches),
        Form::Stream { .. } => ask(Capability::Streams),
    }
    if matches!(deploy.strategy, Strategy::Ab(_)) {
        ask(Capability::Experiments);
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
    if !step.conduct.cache {
        ask(Capability::Uncached);
    }
}

fn of_program(program: &ProgramNode, ask: &mut impl FnMut(Capability)) {
    ask(match program.runner {
        Runner::Docker(_) | Runner::Build(_) => Capability::Containers,
        Runner::Process => Capability::Processes,
    });
}
