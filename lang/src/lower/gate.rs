//! `gate quality { require eval.auc >= 0.85 because "..."  approve by "ml-lead" }`

use super::live::registry;
use super::{certainty, people};
use crate::codes;
use crate::context::{Context, SeenIn};
use crate::finding::Finding;
use crate::pipeline::{Expr, GateNode, NodeId, Requirement};
use crate::syntax::ast::{self, Clause, Ident};
use crate::types::Type;
use crate::typing::{Scope, Typing};
use crate::value::Value;
use std::collections::BTreeSet;

/// A gate as written.
pub(super) struct Written<'e> {
    pub(super) name: &'e Ident,
    pub(super) clauses: &'e [Clause],
    pub(super) approvals: &'e [ast::Approval],
    pub(super) damaged: bool,
}

pub(super) fn lower(cx: &mut Context<'_>, written: &Written<'_>, needs: &mut BTreeSet<NodeId>) -> Option<GateNode> {
    if written.clauses.is_empty() && written.approvals.is_empty() {
        if !written.damaged {
            let message = format!("the gate `{}` requires nothing", written.name.name);
            let finding = Finding::error(codes::EMPTY_GATE, cx.place(written.name.span), message);
            cx.report(finding.help("add `require eval.accuracy >= 90%`, with a metric of a step"));
        }
        return None;
    }
    let mut gate = GateNode::default();
    let mut joint = Vec::new();
    let mut sound = true;
    for clause in written.clauses {
        if let Some(arguments) = people::policy_of(&clause.condition) {
            match people::policy(cx, clause, arguments) {
                Some(policy) => gate.policies.push(policy),
                None => sound = false,
            }
        } else {
            match requirement(cx, clause, needs) {
                Some(requirement) => {
                    joint.push(&clause.condition);
                    gate.requirements.push(requirement);
                }
                None => sound = false,
            }
        }
    }
    let joint: Vec<_> = joint.into_iter().zip(gate.requirements.iter().map(|it| &it.condition)).collect();
    certainty::contradictions(cx, &joint);
    for approval in written.approvals {
        match people::approval(cx, approval) {
            Some(approval) => gate.approvals.push(approval),
            None => sound = false,
        }
    }
    sound.then_some(gate)
}

fn requirement(cx: &mut Context<'_>, clause: &Clause, needs: &mut BTreeSet<NodeId>) -> Option<Requirement> {
    let min_support = clause.min_support.as_ref().map(|support| support_of(cx, support));
    let (typed, met_groups) = cx.seen_in(SeenIn::Verdict, |cx| {
        let mut typing = Typing::new(cx, Scope::Run);
        typing.min_support = min_support.flatten().unwrap_or(0);
        (typing.condition(&clause.condition), typing.met_groups)
    });
    if let Some(support) = clause.min_support.as_ref().filter(|_| !met_groups && !typed.is_unknown()) {
        cx.report(misplaced_support(cx, support));
    }
    if typed.is_unknown() || min_support == Some(None) {
        return None;
    }
    certainty::report(cx, &clause.condition, &typed.expr);
    let mut read = BTreeSet::new();
    measured(&typed.expr, &mut read);
    let unless_first = registry::unless_first(cx, clause, &typed.expr, &read)?;
    needs.extend(read);
    Some(Requirement {
        text: cx.text(clause.condition.span),
        condition: typed.expr,
        because: clause.because.clone(),
        unless_first,
        span: clause.span,
    })
}

/// `min_support` where there are no groups.
fn misplaced_support(cx: &Context<'_>, support: &ast::Expr) -> Finding {
    Finding::error(
        codes::MISPLACED_SUPPORT,
        cx.place(support.span),
        "`min_support` is about groups, and there are none in this condition",
    )
    .help("it belongs behind `disparity(...)`, `lowest(...)` or `highest(...)`")
}

/// `min_support 200`: a count.
fn support_of(cx: &mut Context<'_>, written: &ast::Expr) -> Option<u64> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(written)?;
    match cx.fit(written, &value, &Type::Int, "`min_support`")? {
        Value::Int(rows) if rows >= 0 => Some(rows.unsigned_abs()),
        _ => {
            let finding = Finding::error(
                codes::OUT_OF_RANGE,
                cx.place(written.span),
                "`min_support` is a number of rows, 0 or more",
            );
            cx.report(finding);
            None
        }
    }
}

/// The nodes whose metrics an expression reads.
pub(super) fn measured(expr: &Expr, needs: &mut BTreeSet<NodeId>) {
    match expr {
        Expr::Metric(metric) => {
            needs.insert(metric.node);
        }
        Expr::Const(_) | Expr::Stat(_) | Expr::Live(_) => {}
        Expr::Not(inner) | Expr::Negate(inner) => measured(inner, needs),
        Expr::And(left, right)
        | Expr::Or(left, right)
        | Expr::Compare(_, left, right)
        | Expr::In(left, right)
        | Expr::Arithmetic(_, left, right)
        | Expr::Coalesce(left, right) => {
            measured(left, needs);
            measured(right, needs);
        }
        Expr::When { then, condition, otherwise } => {
            [then, condition, otherwise].into_iter().for_each(|part| measured(part, needs));
        }
        Expr::Call(_, arguments) => arguments.iter().for_each(|argument| measured(argument, needs)),
    }
}
