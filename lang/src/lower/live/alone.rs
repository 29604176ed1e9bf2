//! What is live runs by itself, beside others and without anybody: findings that need all nodes.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::live::{Action, TriggerWhen};
use crate::pipeline::{Node, NodeKind};
use crate::span::Span;
use crate::syntax::ast::DeclarationKind;
use std::collections::HashMap;

/// `nodes`: those that could be lowered.
pub(in crate::lower) fn lint(cx: &mut Context<'_>, nodes: &[Node]) {
    ports(cx, nodes);
    every_minute(cx, nodes);
    unattended(cx, nodes);
}

/// Deployments share a listener when host and port are the same. Of all addresses and one of them, only the first can be
/// listened at.
fn ports(cx: &mut Context<'_>, nodes: &[Node]) {
    let mut taken: HashMap<u16, (&str, &Node)> = HashMap::new();
    for node in nodes {
        let NodeKind::Deploy(deploy) = &node.kind else { continue };
        if !deploy.form.is_online() {
            continue;
        }
        let host = deploy.serve.host.as_str();
        let (other, first) = *taken.entry(deploy.serve.port).or_insert((host, node));
        let all = |host: &str| matches!(host, "0.0.0.0" | "::" | "[::]");
        if other == host || !all(other) && !all(host) {
            continue;
        }
        let message = format!(
            "`{}` listens at {host}, and `{}` at {other}: one port, {}, cannot be both",
            node.name, first.name, deploy.serve.port
        );
        let finding = Finding::error(codes::PORT_TAKEN, cx.place(node.span), message);
        cx.report(
            finding
                .also(cx.place(first.span), "the port is taken here")
                .help("give both the same host, which makes them share the listener, or another `port`"),
        );
    }
}

/// `* 3 * * *` is not once at three.
fn every_minute(cx: &mut Context<'_>, nodes: &[Node]) {
    for node in nodes {
        let NodeKind::Trigger(trigger) = &node.kind else { continue };
        let TriggerWhen::Schedule { cron, .. } = &trigger.when else { continue };
        let mut fields = cron.split(' ');
        let (Some(minute), Some(hour)) = (fields.next(), fields.next()) else { continue };
        if minute != "*" || hour.contains('*') {
            continue;
        }
        let rest = fields.collect::<Vec<_>>().join(" ");
        let message = "this runs 60 times in the hour: once in each of its minutes";
        let finding = Finding::warning(codes::EVERY_MINUTE, cx.place(node.span), message);
        cx.report(
            finding.label("the first field is the minute").help(format!("for once an hour write `0 {hour} {rest}`")),
        );
    }
}

/// Runs that start by themselves: what they would have to ask a person for.
fn unattended(cx: &mut Context<'_>, nodes: &[Node]) {
    let file = cx.file;
    let mut params: Vec<(&str, Span)> = Vec::new();
    for declaration in &file.declarations {
        if let DeclarationKind::Param { name, default: None, .. } = &declaration.kind {
            params.push((&name.name, name.span));
        }
    }
    params.retain(|(name, _)| !cx.overridden.contains(*name));
    let waiting = nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Gate(gate) => Some((node, gate.approvals.iter().find(|it| it.within.is_none())?.span)),
        _ => None,
    });
    let mut told = false;
    for (place, word, given) in starts(nodes) {
        for (name, declared) in &params {
            if given.contains(name) {
                continue;
            }
            let message = format!("{word} starts runs by itself, and nobody gives `{name}` a value then");
            let finding = Finding::warning(codes::UNATTENDED_RUN, cx.place(place), message);
            let call = if word.starts_with("`on ") { "run" } else { "retrain" };
            let finding = finding
                .also(cx.place(*declared), "declared without a default")
                .help(format!("give `{name}` a default, or a value here: `{call}({name}: value)`"));
            cx.report_once(format!("unattended {name}"), "starts runs too", finding);
        }
        if let Some((gate, approval)) = waiting.filter(|_| !told) {
            told = true;
            let message = format!("{word} starts runs by itself, and each waits at `{}` without end", gate.name);
            let finding = Finding::warning(codes::WAITS_FOREVER, cx.place(approval), message);
            cx.report(finding.also(cx.place(place), "started here").help("say how long it waits: `within 3d`"));
        }
    }
}

/// Everything that starts a run by itself: where, what, and which parameters it gives.
fn starts(nodes: &[Node]) -> Vec<(Span, String, Vec<&str>)> {
    let mut starts = Vec::new();
    for node in nodes {
        match &node.kind {
            NodeKind::Trigger(trigger) => {
                let given = trigger.params.iter().map(|(name, _)| name.as_str()).collect();
                starts.push((node.span, format!("`on {}`", trigger.when.word()), given));
            }
            NodeKind::Monitor(monitor) => {
                for action in monitor.breaches.iter().flat_map(|breach| &breach.actions) {
                    if let Action::Retrain { params } = action {
                        let given = params.iter().map(|(name, _)| name.as_str()).collect();
                        starts.push((node.span, format!("`retrain` of the monitor `{}`", node.name), given));
                    }
                }
            }
            _ => {}
        }
    }
    starts
}
