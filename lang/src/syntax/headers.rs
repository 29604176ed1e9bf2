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
            | kw_webhook
            | kw_commit
            | kw_end
            | kw_secret
            | kw_component
            | kw_output
            | kw_tune
            | kw_test
            | kw_with
            | kw_out
            | kw_pii
            | kw_approve
            | kw_by
            | kw_sql
            | kw_metrics
            | lparen
            | rparen
            | lbrace
            | rbrace
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

/// What stands before the block of a step.
pub(super) struct StepHeader {
    pub(super) name: Ident,
    pub(super) body: Expr,
    pub(super) fan: Option<FanOut>,
    pub(super) when: Option<Expr>,
    pub(super) after: Vec<Ident>,
}

/// The header of a step.
pub(super) fn step_header(parts: Vec<Node<'_>>, mut builder: Builder<'_>) -> Option<StepHeader> {
    let mut parts = parts.into_iter();
    let name = builder.ident(&parts.next()?);
    let body = parts.next()?;
    let body = if body.as_rule() == Rule::query { query(&mut builder, body)? } else { builder.expr(body) };
    let (mut fan, mut when, mut after) = (None, None, Vec::new());
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
            _ if fan.is_some() => builder.findings.push(failure::repeated(span, "for")),
            _ => fan = fan_out(&mut builder, part),
        }
    }
    Some(StepHeader { name, body, fan, when, after })
}

/// `for x in list`
fn fan_out(builder: &mut Builder<'_>, node: Node<'_>) -> Option<FanOut> {
    let span = builder.span(&node);
    let mut parts = node.into_inner().filter(|n| is_part(n.as_rule()));
    let variable = builder.ident(&parts.next()?);
    Some(FanOut { variable, values: builder.expr(parts.next()?), span })
}

/// `sql """..."""`, as a call of `sql`.
fn query(builder: &mut Builder<'_>, node: Node<'_>) -> Option<Expr> {
    let span = builder.span(&node);
    let mut parts = node.into_inner();
    let word = builder.ident(&parts.next()?);
    let value = builder.text_of(parts.next()?);
    let callee = Expr { kind: ExprKind::Name(word.name), span: word.span };
    Some(Expr { kind: ExprKind::Call(Box::new(callee), vec![Argument { name: None, value }]), span })
}
