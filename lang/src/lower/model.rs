//! `model churn = train.model after quality { card { ... } }`

use super::block;
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::pipeline::{ModelNode, NodeId, OutputRef};
use crate::syntax::ast::{self, ExprKind, Ident, Setting};
use crate::types::Type;
use crate::typing::access::{self, Accessed};
use crate::typing::{Scope, Typing, plain, with_article};
use crate::value::Value;
use indexmap::IndexMap;

pub(super) fn lower(
    cx: &mut Context<'_>,
    value: &ast::Expr,
    gates: Vec<NodeId>,
    card: &[(Ident, ast::Expr)],
    settings: &[Setting],
) -> Option<ModelNode> {
    let source = source(cx, value);
    let card = lower_card(cx, card);
    block::settings(cx, "a model", settings, &[], &["stage", "alias", "tags", "format"]);
    let (source, flavor) = source?;
    Some(ModelNode { source, flavor, gates, card: card? })
}

/// What others may ask of a model.
pub(super) fn facts(cx: &Context<'_>, node: &ModelNode) -> NodeFacts {
    let step = cx.order.get(node.source.node.index()).and_then(|index| cx.nodes.get(index));
    NodeFacts {
        flavor: Some(node.flavor.clone()),
        trained: step.and_then(|step| step.trained.clone()),
        ..NodeFacts::default()
    }
}

fn source(cx: &mut Context<'_>, value: &ast::Expr) -> Option<(OutputRef, String)> {
    let Some(path) = access::path(value) else {
        if !matches!(value.kind, ExprKind::Error) {
            cx.report(
                Finding::error(codes::TYPE_MISMATCH, cx.place(value.span), "a model comes from a step")
                    .help("name the output: `model churn = train.model`"),
            );
        }
        return None;
    };
    let found = match cx.access(&path) {
        Accessed::Output { node, output, ty: Type::Model(flavor) } => {
            return Some((OutputRef { node, output }, flavor));
        }
        Accessed::Output { ty, .. } => with_article(&ty),
        Accessed::Metric { field, .. } => with_article(&field.ty),
        Accessed::Poison => return None,
    };
    let text = cx.text(value.span);
    cx.report(
        Finding::error(codes::TYPE_MISMATCH, cx.place(value.span), format!("`{text}` is {found}, not a model"))
            .help("name a step's output that is a model: `train.model`"),
    );
    None
}

fn lower_card(cx: &mut Context<'_>, card: &[(Ident, ast::Expr)]) -> Option<IndexMap<String, String>> {
    let mut entries = IndexMap::new();
    let mut sound = true;
    for (key, written) in card {
        let what = format!("`{}` of the card", key.name);
        let value = match Typing::new(cx, Scope::Constant).constant(written) {
            Some((_, value)) => cx.fit(written, &value, &Type::String, &what),
            None => None,
        };
        let Some(value @ Value::String(_)) = value else {
            sound = false;
            continue;
        };
        if entries.insert(key.name.clone(), plain(&value)).is_some() {
            let finding = Finding::error(
                codes::DUPLICATE_SETTING,
                cx.place(key.span),
                format!("`{}` stands twice in this card", key.name),
            );
            cx.report(finding.help("remove one"));
            sound = false;
        }
    }
    sound.then_some(entries)
}
