//! What an engine must be able to do to carry a pipeline out.
//!
//! A pipeline may be right and still ask for what an engine does not do. That is said before anything runs, for each place
//! that asks.

use crate::codes;
use crate::finding::{Finding, Place};
use crate::live::{Form, Strategy, TriggerWhen};
use crate::pipeline::{DataNode, DataSource, Limits, Node, NodeKind, Pipeline};
use crate::span::Source;
use crate::value::Value;
use crate::work::{Pii, ProgramNode, Runner, Work};

/// Something that not every engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Steps in containers.
    Containers,
    /// Steps that are queries.
    Queries,
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
    /// Choosing settings by trials.
    Searches,
    /// Gates that ask a policy.
    Policies,
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
            Capability::Https => "rows behind `https://`",
            Capability::ObjectStores => "rows in an object store",
            Capability::Databases => "rows of a database",
            Capability::JsonLines => "JSON lines",
            Capability::StepsAsData => "data that a step gives",
            Capability::Pii => "a search for personal data",
            Capability::Searches => "searches",
            Capability::Policies => "policies in Rego",
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
            Capability::Https | Capability::ObjectStores => "fetch the file first, and name its path",
            Capability::Databases => "export the rows to CSV or Parquet, and name the file",
            Capability::JsonLines => "convert the file to CSV or Parquet",
            Capability::StepsAsData => "give the step's output to the steps that read it",
            Capability::Pii => "leave `pii` out, or write `pii allow` if the columns are known to be there",
            Capability::Searches => "give the settings as parameters, and run the file with several values",
            Capability::Policies => "say it as conditions: `require eval.auc >= 80%`",
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

/// What a machine has for steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Present {
    /// Thousandths of a processor.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
    /// Devices.
    pub gpus: u64,
}

/// What a step takes up of a machine, if it says so: the same words as [`Present`].
pub fn asked(limits: &Limits) -> (Option<u64>, Option<u64>, u64) {
    // More processors than have a number are more than any machine has.
    let cpu = limits.cpu.map(|cpu| (cpu * 1_000.0).ceil() as u64);
    (cpu, limits.memory, u64::from(limits.gpu))
}

/// Each step that asks for more than the machine has: one finding for each resource, at the step's name.
pub fn beyond(source: &Source, pipeline: &Pipeline, present: &Present) -> Vec<Finding> {
    let mut findings = Vec::new();
    for node in pipeline.batch() {
        if let Some(limits) = most(node) {
            let (cpu, memory, gpus) = asked(&limits);
            let cores = |thousandths: u64| count(thousandths as f64 / 1_000.0, "processor");
            let bytes = |bytes: u64| Value::Size(bytes).to_string();
            let devices = |devices: u64| count(devices as f64, "GPU");
            let too_much = [
                cpu.filter(|cpu| *cpu > present.cpu).map(|cpu| ("cpu", cores(cpu), cores(present.cpu))),
                memory.filter(|it| *it > present.memory).map(|it| ("memory", bytes(it), bytes(present.memory))),
                (gpus > present.gpus).then(|| ("gpu", devices(gpus), devices(present.gpus))),
            ];
            for (setting, asked, has) in too_much.into_iter().flatten() {
                let place = Place::Source { path: source.path.clone(), span: node.span };
                let message = format!("`{}` asks for {asked}, and this machine has {has}", node.name);
                let help = format!("ask for less, or make `{setting}` a parameter and give it here with `--param`");
                let finding = Finding::error(codes::BEYOND_MACHINE, place, message);
                findings.push(finding.label("could never start here").help(help));
            }
        }
    }
    findings
}

/// `1 processor`, `1.5 processors`, `no GPU`.
fn count(number: f64, noun: &str) -> String {
    match number {
        0.0 => format!("no {noun}"),
        1.0 => format!("1 {noun}"),
        many => format!("{many} {noun}s"),
    }
}

/// The most that an attempt at a node takes up; `None` of what is not worked on.
pub fn most(node: &Node) -> Option<Limits> {
    let each = limits(node);
    let first = **each.first()?;
    Some(each.into_iter().fold(first, |most, one| Limits {
        cpu: most.cpu.into_iter().chain(one.cpu).reduce(f64::max),
        memory: most.memory.max(one.memory),
        gpu: most.gpu.max(one.gpu),
        ..most
    }))
}

/// The limits of a node that is worked on: of a step for each of several values, of each.
pub fn limits(node: &Node) -> Vec<&Limits> {
    match &node.kind {
        NodeKind::Step(step) => vec![&step.limits],
        NodeKind::Program(program) => vec![&program.limits],
        NodeKind::Query(query) => vec![&query.limits],
        NodeKind::Fan(fan) => fan.members.iter().map(Work::limits).collect(),
        _ => Vec::new(),
    }
}

fn needed(node: &Node, ask: &mut impl FnMut(Capability)) {
    match &node.kind {
        NodeKind::Data(data) => of_data(data, ask),
        NodeKind::Program(program) => of_program(program, ask),
        NodeKind::Query(_) => ask(Capability::Queries),
        // The members ask for the same, or for what the same settings say.
        NodeKind::Fan(fan) => match fan.members.first() {
            Some(Work::Program(program)) => of_program(program, ask),
            Some(Work::Query(_)) => ask(Capability::Queries),
            Some(Work::Step(_)) | None => {}
        },
        NodeKind::Tune(_) => ask(Capability::Searches),
        NodeKind::Gate(gate) => {
            gate.policies.iter().for_each(|_| ask(Capability::Policies));
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
        NodeKind::Step(_) | NodeKind::Model(_) | NodeKind::Registry(_) | NodeKind::Monitor(_) => {}
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

fn of_program(program: &ProgramNode, ask: &mut impl FnMut(Capability)) {
    match program.runner {
        Runner::Docker(_) | Runner::Build(_) => ask(Capability::Containers),
        Runner::Process => {}
    }
}
