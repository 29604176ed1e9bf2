//! Numbering nodes anew: every reference inside a node follows.

use crate::live::{Form, TriggerWhen};
use crate::pipeline::{Expr, MetricRef, Node, NodeId, NodeKind, OutputRef};
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
            NodeKind::Data(_) | NodeKind::Registry(_) => {}
            NodeKind::Step(step) => {
                let step = Arc::make_mut(step);
                step.inputs.values_mut().for_each(|input| output(input, new));
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
