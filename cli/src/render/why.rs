//! Why a step ran or was reused in a run.

use super::events::label;
use super::nodes::{planned, standing};
use super::plan;
use super::table::{Cell, Table};
use super::text::{DIM, STRONG, clean, plural, styled};
use super::time;
use mlp_core::view::{NodeState, NodeView, RunView};
use mlp_core::why::Account;

/// What was planned, what came of it, and what differs from the result before.
pub fn text(run: &RunView, node: &NodeView, account: &Account, live: bool, width: Option<usize>) -> String {
    let (style, word) = standing(run, node, live);
    let mut text = format!(
        "{} in run {} of {}: {}\n",
        styled(STRONG, label(node)),
        run.started.run,
        clean(&run.started.pipeline),
        styled(style, word)
    );
    let mut table = Table::new(&[]).wrapping();
    let mut section = |name: &str, lines: Vec<String>| {
        for (index, line) in lines.iter().enumerate() {
            table.row([Cell::styled(DIM, if index == 0 { name } else { "" }), Cell::from(line.as_str())]);
        }
    };
    let mut lines = plan::reasons(&planned(node));
    let (_, decision) = plan::decision(&node.decision);
    match lines.first_mut() {
        Some(first) => *first = format!("{decision}: {first}"),
        None => lines.push(decision.to_owned()),
    }
    section("planned", lines);
    section("came to", vec![came_to(run, node, live)]);
    if let Some(lines) = since(node, account) {
        let name = account.before.map_or_else(|| "before".to_owned(), |before| format!("since run {before}"));
        section(&name, lines);
    }
    text.push_str(&table.render("  ", width));
    text
}

/// What happened, in words.
pub fn came_to(run: &RunView, node: &NodeView, live: bool) -> String {
    let took = node.took().map_or_else(String::new, |took| format!(", {}", time::took(took)));
    let attempts = plural(node.attempts.len(), "attempt");
    match (node.state, node.from) {
        (NodeState::Reused, Some(from)) if node.kind == "registry" => {
            format!("it was read from the registry; run {from} made it")
        }
        (NodeState::Reused, Some(from)) => {
            format!("everything it depends on was as in run {from}, so that result was taken")
        }
        (NodeState::Done, _) => format!("it ran: {attempts}{took}"),
        (NodeState::Failed, _) => match node.failure() {
            Some(failure) => format!("it failed after {attempts}{took}: {}", failure.message),
            None => format!("it failed after {attempts}{took}"),
        },
        (NodeState::Passed | NodeState::Blocked, _) if node.kind == "gate" => {
            let held = node.verdicts.iter().filter(|verdict| verdict.passes()).count();
            let word = if node.state == NodeState::Passed { "it passed" } else { "it said no" };
            format!("{word}: {held} of {} held", plural(node.verdicts.len(), "requirement"))
        }
        (NodeState::Passed, _) => match run.models.iter().find(|model| model.node == node.name) {
            Some(model) if model.kept => format!("it is what was registered: still version {}", model.entry.version),
            Some(model) => format!("it was registered as version {}", model.entry.version),
            None => "it is in the registry".to_owned(),
        },
        (NodeState::Requested, _) => "it was requested: `mlp serve` takes it up".to_owned(),
        _ => match &node.reason {
            Some(reason) => reason.clone(),
            None => match standing(run, node, live).1 {
                "cut off" => format!("it was cut off: {}", cut_off(node)),
                word => format!("it is {word}"),
            },
        },
    }
}

/// What the end of the process came in between of.
fn cut_off(node: &NodeView) -> String {
    match node.attempts.len() {
        0 | 1 => "the run's process was killed".to_owned(),
        attempts => format!("the run's process was killed in attempt {attempts}"),
    }
}

/// What differs from the result before; `None` when there is nothing to compare.
fn since(node: &NodeView, account: &Account) -> Option<Vec<String>> {
    if account.facts == 0 {
        return None;
    }
    let facts = plural(account.facts, "fact");
    Some(match account.before {
        None => vec![format!("it had given no result; this one depends on {facts}")],
        Some(_) if !account.changed.is_empty() => account.changed.iter().map(ToString::to_string).collect(),
        Some(_) if node.state == NodeState::Done => {
            vec![format!("none of the {facts} that its result depends on changed")]
        }
        Some(_) => vec![format!("all {facts} are the same")],
    })
}
