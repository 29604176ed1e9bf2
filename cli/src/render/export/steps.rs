//! Steps, whatever they do, and searches over them.

use super::nodes::{name, reference};
use super::values::{output, seconds, written};
use super::{Input, Limits, Output, Step, Tune, Work};
use indexmap::IndexMap;
use mlp_lang::pipeline::{self, Conduct, OutputRef, Pipeline, StepNode};
use mlp_lang::tune::{Space, TuneNode};
use mlp_lang::types::Type;
use mlp_lang::value::Value;
use mlp_lang::work::{self, FanNode, Network, ProgramInput, ProgramNode, QueryNode, Runner};

/// A step of a module.
pub fn module(pipeline: &Pipeline, step: &StepNode) -> Step {
    let does = Work::Module {
        module: step.module.clone(),
        version: step.version.clone(),
        digest: step.digest.clone(),
        step: step.step.clone(),
        settings: settings(&step.params),
    };
    whole(does, inputs(pipeline, &step.inputs), &step.outputs, &step.limits, &step.conduct)
}

/// A program.
pub fn program(pipeline: &Pipeline, program: &ProgramNode) -> Step {
    let (runner, from) = match &program.runner {
        Runner::Docker(image) => ("docker", Some(image.to_string())),
        Runner::Build(folder) => ("build", Some(folder.clone())),
        Runner::Process => ("process", None),
    };
    let does = Work::Program {
        runner,
        from,
        run: program.run.clone(),
        settings: settings(&program.params),
        environment: program.env.keys().chain(program.secrets.keys()).cloned().collect(),
        network: match &program.network {
            Network::None => vec!["none".to_owned()],
            Network::All => vec!["all".to_owned()],
            Network::Hosts(hosts) => hosts.clone(),
        },
        platform: program.platform.clone(),
    };
    let inputs = program.inputs.iter().map(|(name, from)| {
        let from = match from {
            ProgramInput::Output { from, .. } => Input::Output(reference(pipeline, from)),
            ProgramInput::File(file) => Input::File { file: file.clone() },
            ProgramInput::Folder(folder) => Input::Folder { folder: folder.clone() },
        };
        (name.clone(), from)
    });
    whole(does, inputs.collect(), &program.outputs, &program.limits, &program.conduct)
}

/// A query.
pub fn query(pipeline: &Pipeline, query: &QueryNode) -> Step {
    let does = Work::Query { sql: query.text.clone() };
    whole(does, inputs(pipeline, &query.tables), &query.outputs, &query.limits, &query.conduct)
}

/// The same work for each value: told by the first, with what comes of all.
pub fn fan(pipeline: &Pipeline, fan: &FanNode) -> Step {
    let first = fan.members.first().map(|work| match work {
        work::Work::Step(step) => module(pipeline, step),
        work::Work::Program(node) => program(pipeline, node),
        work::Work::Query(node) => query(pipeline, node),
    });
    let first = first.unwrap_or_else(|| {
        let nothing = Work::Query { sql: String::new() };
        whole(nothing, IndexMap::new(), &IndexMap::new(), &pipeline::Limits::default(), &Conduct::default())
    });
    Step {
        does: Work::Fan {
            variable: fan.variable.clone(),
            values: fan.values.iter().map(written).collect(),
            each: Box::new(first.does.clone()),
        },
        outputs: outputs(&fan.outputs),
        ..first
    }
}

/// A search.
pub fn tune(pipeline: &Pipeline, tune: &TuneNode) -> Tune {
    Tune {
        over: name(pipeline, tune.over),
        again: tune.again.iter().map(|id| name(pipeline, *id)).collect(),
        space: tune.space.iter().map(|(setting, space)| (setting.clone(), as_written(space))).collect(),
        maximize: tune.maximize,
        goal: tune.goal.text.clone(),
        trials: tune.trials,
        parallel: tune.parallel,
        seed: tune.seed,
        prune: tune.prune.word(),
        outputs: outputs(&tune.outputs),
    }
}

fn as_written(space: &Space) -> String {
    match space {
        Space::OneOf(values) => Value::List(values.clone()).to_string(),
        Space::Range { low, high, inclusive, log } => {
            let range = format!("{low}..{}{high}", if *inclusive { "=" } else { "" });
            if *log { format!("log({range})") } else { range }
        }
    }
}

fn whole(
    does: Work,
    inputs: IndexMap<String, Input>,
    gives: &IndexMap<String, Type>,
    limits: &pipeline::Limits,
    conduct: &Conduct,
) -> Step {
    Step {
        does,
        inputs,
        outputs: outputs(gives),
        limits: Limits {
            timeout_seconds: limits.timeout.map(seconds),
            memory_bytes: limits.memory,
            cpu: limits.cpu,
            gpu: limits.gpu,
            deadline_seconds: limits.deadline.map(seconds),
            retry: limits.retry,
            backoff_seconds: limits.backoff.map(seconds),
        },
        cache: conduct.cache,
        tags: conduct.tags.clone(),
    }
}

fn inputs(pipeline: &Pipeline, from: &IndexMap<String, OutputRef>) -> IndexMap<String, Input> {
    from.iter().map(|(name, from)| (name.clone(), Input::Output(reference(pipeline, from)))).collect()
}

fn outputs(outputs: &IndexMap<String, Type>) -> IndexMap<String, Output> {
    outputs.iter().map(|(name, ty)| (name.clone(), output(ty))).collect()
}

fn settings(params: &IndexMap<String, Value>) -> IndexMap<String, super::Written> {
    params.iter().map(|(name, value)| (name.clone(), written(value))).collect()
}
