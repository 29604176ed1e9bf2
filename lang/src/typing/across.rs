//! Metrics of a step that is there once for each value of a list: one number of many.

use super::access::{self, Accessed};
use super::{Typed, Typing};
use crate::codes;
use crate::finding::Finding;
use crate::pipeline::{Expr, MetricRef, Reduce};
use crate::span::Span;
use crate::syntax::ast::{self, Argument};
use crate::types::Type;

impl Typing<'_, '_, '_> {
    /// Reports a metric that stands for many numbers.
    pub(super) fn collected(&mut self, span: Span) {
        let text = self.cx.text(span);
        let message = format!("`{text}` is one number for each value of the step's `for`");
        let finding = Finding::error(codes::COLLECTED, self.cx.place(span), message);
        let help = format!("take one of them: `lowest({text})`, `highest({text})` or `mean({text})`");
        self.cx.report(finding.label("several numbers").help(help));
    }

    /// `lowest(part.auc)`: of a fanned-out step. `None`: it is none, or the call is of another form.
    pub(super) fn across(&mut self, expr: &ast::Expr, reduce: Reduce, arguments: &[Argument]) -> Option<Typed> {
        let [Argument { name: None, value }] = arguments else { return None };
        let path = access::path(value)?;
        let facts = self.cx.names.get(path.root).and_then(|declared| self.cx.nodes.get(&declared.index));
        let outputs = facts.and_then(|facts| facts.outputs.as_ref())?;
        if !outputs.values().any(|ty| matches!(ty, Type::List(_))) {
            return None;
        }
        Some(match self.cx.access(&path) {
            Accessed::Metric { node, output, field } if self.cx.is_collected(node, &output) => {
                let ty = match (reduce, field.ty) {
                    (Reduce::Mean, Type::Int) => Type::Float,
                    (_, ty) => ty,
                };
                let text = self.cx.text(expr.span);
                let across = Some(reduce);
                Typed {
                    ty,
                    expr: Expr::Metric(MetricRef { node, output, metric: field.name, over: None, across, text }),
                }
            }
            Accessed::Metric { .. } | Accessed::Output { .. } => {
                let example = format!("{reduce}({}.metric)", path.root);
                self.misused(value.span, format!("`{reduce}` takes one metric of a step"), &example)
            }
            Accessed::Poison => Typed::unknown(),
        })
    }
}
