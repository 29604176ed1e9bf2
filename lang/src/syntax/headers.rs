//! Parts of headers: what counts in them, names after `after`, the header of a step.

use super::ast::*;
use super::failure;
use super::grammar::{Node, Rule};
use super::tree::Builder;

/// Whether a node is more than a keyword or a mark.
pub(super) fn is_part(rule: Rule) -> bool {
    use Rule::*;
    !matches!(
        rule,
        kw_mlp
            | kw_pipeline
            | kw_use
            | kw_param
            | kw_schema
            | kw_data
            | kw_step
            | kw_gate
            | kw_model
            | kw_as
            | kw_after
            | kw_when
            | kw_for
            | kw_in
            | kw_expect
            | kw_require
            | kw_card
            | kw_deploy
            | kw_monitor
            | kw_on
            | kw_of
            | kw_every
            | kw_over
            | kw_fails
            | kw_tolerate
            | kw_rollback
            | kw_within
            | kw_check
            | kw_watch
            | kw_breach
            | kw_windows
            | kw_schedule
            | kw_change
            | colon
            | equals
            | comma
            | EOI
    )
}

/// The names in `after a, b`.
pub(super) fn names_after(builder: &Builder<'_>, node: &Node<'_>) -> Vec<Ident> {
    node.clone().into_inner().filter(|n| n.as_rule() == Rule::name).map(|n| builder.ident(&n)).collect()
}

/// Name, body, condition and what is waited for.
pub(super) type StepHeader = (Ident, Expr, Option<Expr>, Vec<Ident>);

/// The header of a step.
pub(super) fn step_header(parts: Vec<Node<'_>>, mut builder: Builder<'_>) -> Option<StepHeader> {
    let mut parts = parts.into_iter();
    let name = builder.ident(&parts.next()?);
    let body = builder.expr(parts.next()?);
    let (mut when, mut after) = (None, Vec::new());
    for part in parts {
        let span = builder.span(&part);
        match part.as_rule() {
            Rule::condition => {
                let condition = part.into_inner().find(|n| n.as_rule() == Rule::expr)?;
                if when.is_some() {
                    builder.findings.push(failure::repeated(span, "when"));
                } else {
                    when = Some(builder.expr(condition));
                }
            }
            Rule::after => after.extend(names_after(&builder, &part)),
            _ => builder.findings.push(failure::not_yet(span, "for", "a fan-out over a list")),
        }
    }
    Some((name, body, when, after))
}
