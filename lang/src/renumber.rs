//! Numbering nodes anew: every reference inside a node follows.

use crate::live::{Form, TriggerWhen};
use crate::pipeline::{DataSource, Expr, MetricRef, Node, NodeId, NodeKind, OutputRef, StepNode};
use crate::work::{ProgramInput, ProgramNode, QueryNode, Work};
use std::sync::Arc;

/// What a node is called from now on.
type New<'n> = &'n dyn Fn(NodeId) -> NodeId;

impl Node {
    /// Gives each node that this one speaks of, and itself, its new number.
    pub(crate) fn renumber(&mut self, new: New<'_>) {
        self.id = new(self.id);
        each(&mut self.needs, new);
        self.needs.sort_unstable();
        self.when.iter_mut().for_each(|when| expr(when, new));
        match &mut self.kind {
            NodeKind::Data(data) => source(&mut data.source, new),
            NodeKind::Registry(_) => {}
            NodeKind::Step(step) => step_inputs(Arc::make_mut(step), new),
            NodeKind::Program(program) => program_inputs(Arc::make_mut(program), new),
            NodeKind::Query(query) => query_tables(Arc::make_mut(query), new),
            NodeKind::Fan(fan) => {
                for member in &mut Arc::make_mut(fan).members {
                    match member {
                        Work::Step(step) => step_inputs(step, new),
                        Work::Program(program) => program_inputs(program, new),
                        Work::Query(query) => query_tables(query, new),
                    }
                }
            }
            NodeKind::Gate(gate) => gate.requirements.iter_mut().for_each(|it| expr(&mut it.condition, new)),
            NodeKind::Model(model) => {
                output(&mut model.source, new);
                each(&mut model.gates, new);
            }
            NodeKind::Tune(tune) => {
                let tune = Arc::make_mut(tune);
                tune.over = new(tune.over);
                each(&mut tune.again, new);
                metric(&mut tune.goal, new);
            }
            NodeKind::Deploy(deploy) => {
                let deploy = Arc::make_mut(deploy);
                deploy.model = new(deploy.model);
                if let Form::Batch { rows, .. } = &mut deploy.form {
                    output(rows, new);
                }
            }
            NodeKind::Monitor(monitor) => {
                let monitor = Arc::make_mut(monitor);
                monitor.deployment = new(monitor.deployment);
                monitor.reference.iter_mut().for_each(|reference| output(reference, new));
            }
            NodeKind::Trigger(trigger) => {
                if let TriggerWhen::Change { data } = &mut trigger.when {
                    *data = new(*data);
                }
            }
        }
    }
}

fn source(source: &mut DataSource, new: New<'_>) {
    match source {
        DataSource::Output(from) => output(from, new),
        DataSource::Remote { format, .. } => self::source(format, new),
        DataSource::Csv { .. }
        | DataSource::Parquet { .. }
        | DataSource::JsonLines { .. }
        | DataSource::Database { .. } => {}
    }
}

fn step_inputs(step: &mut StepNode, new: New<'_>) {
    step.inputs.values_mut().for_each(|input| output(input, new));
}

fn program_inputs(program: &mut ProgramNode, new: New<'_>) {
    for input in program.inputs.values_mut() {
        match input {
            ProgramInput::Output { from, .. } => output(from, new),
            ProgramInput::File(_) | ProgramInput::Folder(_) => {}
        }
    }
}

fn query_tables(query: &mut QueryNode, new: New<'_>) {
    query.tables.values_mut().for_each(|table| output(table, new));
}

fn each(nodes: &mut [NodeId], new: New<'_>) {
    nodes.iter_mut().for_each(|node| *node = new(*node));
}

fn output(reference: &mut OutputRef, new: New<'_>) {
    reference.node = new(reference.node);
}

fn metric(reference: &mut MetricRef, new: New<'_>) {
    reference.node = new(reference.node);
}

fn expr(expr: &mut Expr, new: New<'_>) {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        match expr {
            Expr::Metric(reference) => metric(reference, new),
            Expr::Const(_) | Expr::Stat(_) | Expr::Live(_) => {}
            Expr::Not(inner) | Expr::Negate(inner) => waiting.push(inner),
            Expr::And(left, right)
            | Expr::Or(left, right)
            | Expr::Compare(_, left, right)
            | Expr::In(left, right)
            | Expr::Arithmetic(_, left, right)
            | Expr::Coalesce(left, right) => waiting.extend([&mut **left, &mut **right]),
            Expr::When { then, condition, otherwise } => {
                waiting.extend([&mut **then, &mut **condition, &mut **otherwise]);
            }
            Expr::Call(_, arguments) => waiting.extend(arguments),
        }
    }
}
