//! `deploy production of churn { serve = online(port: 8080) canary { ... } rollback within 30s }`

use super::{duration, serve, strategy};
use crate::codes;
use crate::context::{Context, NodeFacts};
use crate::finding::Finding;
use crate::live::{DeployNode, Form, Strategy};
use crate::lower::{block, referred};
use crate::names::Kind;
use crate::syntax::ast::{self, Ident, Setting};

/// `rollback within 30s`, when it is left out.
const ROLLBACK: i64 = 30_000_000_000;

/// A deployment as written.
pub(crate) struct Written<'e> {
    pub(crate) name: &'e Ident,
    pub(crate) model: &'e Ident,
    pub(crate) settings: &'e [Setting],
    pub(crate) strategies: &'e [ast::Strategy],
    pub(crate) rollback: &'e Option<ast::Expr>,
    pub(crate) damaged: bool,
}

pub(crate) fn lower(cx: &mut Context<'_>, written: &Written<'_>) -> (NodeFacts, Option<DeployNode>) {
    let model = referred(cx, written.model, Kind::Model, "a deployment is `of` a model");
    let facts = model.and_then(|index| cx.nodes.get(&index)).map(|facts| NodeFacts::clone(facts)).unwrap_or_default();
    let found = block::settings(cx, "a deployment", written.settings, &["serve"], &["traffic", "region", "scale"]);
    let setting = found.get("serve").copied();
    let serve = serve::lower(cx, setting, facts.trained.as_ref());
    let deployed = strategy::Deployed {
        name: &written.name.name,
        trained: facts.trained.as_ref(),
        flavor: facts.flavor.as_deref(),
        damaged: written.damaged,
    };
    let strategy = only_strategy(cx, written, &deployed);
    let strategy = match (strategy, &serve) {
        (Some(strategy), Some((_, form))) => fits_form(cx, written, form, strategy),
        (strategy, _) => strategy,
    };
    let rollback_within = match written.rollback {
        Some(limit) => duration(cx, limit, "`rollback within`"),
        None => Some(ROLLBACK),
    };
    let logs = serve.as_ref().map(|(serve, _)| serve.log);
    let online = serve.as_ref().map(|(_, form)| form.is_online());
    let node = || {
        let trained = facts.trained.clone()?;
        let (serve, form) = serve?;
        Some(DeployNode {
            model: *cx.ids.get(&model?)?,
            model_name: written.model.name.clone(),
            flavor: facts.flavor.clone()?,
            row: trained.row,
            label: trained.label,
            serve,
            form,
            strategy: strategy?,
            rollback_within: rollback_within?,
        })
    };
    let node = node();
    (NodeFacts { outputs: None, logs, online, ..facts }, node)
}

/// A strategy that moves requests needs requests.
fn fits_form(cx: &mut Context<'_>, written: &Written<'_>, form: &Form, strategy: Strategy) -> Option<Strategy> {
    let first = written.strategies.first()?;
    let (why, place) = match (form, &strategy) {
        (Form::Online, _) | (Form::Stream { .. }, Strategy::Canary { .. } | Strategy::Shadow { .. }) => {
            return Some(strategy);
        }
        (_, Strategy::Replace { watch: 0, check: None }) => return Some(strategy),
        (_, Strategy::Replace { .. }) => ("has no requests to watch", first.word.span),
        (Form::Batch { .. }, _) => ("predicts all rows at once, and has no requests to share out", first.word.span),
        (Form::Stream { .. }, _) => ("shares out messages by `canary` and `shadow` only", first.word.span),
    };
    let served = if matches!(form, Form::Batch { .. }) { "in batches" } else { "from a stream" };
    let message = format!("a deployment that is served {served} {why}");
    let finding = Finding::error(codes::UNFIT_STRATEGY, cx.place(place), message);
    cx.report(finding.label("cannot be followed").help("write `replace`, without a block"));
    None
}

fn only_strategy(cx: &mut Context<'_>, written: &Written<'_>, deployed: &strategy::Deployed<'_>) -> Option<Strategy> {
    let mut strategies = written.strategies.iter();
    let Some(first) = strategies.next() else {
        if !written.damaged {
            let name = &written.name.name;
            cx.report(
                Finding::error(
                    codes::WRONG_STRATEGY,
                    cx.place(written.name.span),
                    format!("`{name}` does not say how a candidate takes over"),
                )
                .label("no strategy")
                .help("write one of `replace`, `canary { ... }`, `blue_green { ... }`, `shadow { ... }`, `ab { ... }`"),
            );
        }
        return None;
    };
    let lowered = strategy::lower(cx, first, deployed);
    let mut only = true;
    for other in strategies {
        let finding = Finding::error(
            codes::WRONG_STRATEGY,
            cx.place(other.word.span),
            format!("`{}` takes over in one way, and this is the second", written.name.name),
        )
        .also(cx.place(first.word.span), "the first");
        cx.report(finding.help("keep one of them"));
        only = false;
    }
    lowered.filter(|_| only)
}
