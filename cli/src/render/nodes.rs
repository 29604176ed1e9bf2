//! One node of a run: facts, inputs, outputs, attempts.

use super::events::{artifact, label};
use super::table::{Cell, Table};
use super::text::{BAD, DIM, GOOD, PLAIN, STRONG, WARN, clean, one_line, styled};
use super::{metrics, plan, summary, time, verdicts};
use mlp_core::manifest::Section;
use mlp_core::metrics::Metrics;
use mlp_core::view::{MemberView, NodeState, NodeView, RunView};
use std::path::PathBuf;

/// How many values are told of one by one.
const FEW: usize = 20;

/// What only the project's files can tell about a node.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Parsed metrics by output name.
    pub metrics: Vec<(String, Metrics)>,
    /// Files of outputs that have one, by output name.
    pub files: Vec<(String, PathBuf)>,
    /// Logs of its attempts.
    pub logs: Vec<PathBuf>,
    /// Everything its result depends on, from the run that made it.
    pub facts: Vec<mlp_core::manifest::Fact>,
}

/// The word for where a node stands, and its style.
pub fn state(state: NodeState) -> (anstyle::Style, &'static str) {
    match state {
        NodeState::Waiting => (DIM, "waiting"),
        NodeState::Running => (STRONG, "running"),
        NodeState::Retrying => (WARN, "retrying"),
        NodeState::Done => (GOOD, "done"),
        NodeState::Reused => (DIM, "reused"),
        NodeState::Passed => (GOOD, "passed"),
        NodeState::Requested => (GOOD, "requested"),
        NodeState::Asking => (WARN, "asks people"),
        NodeState::Blocked => (BAD, "blocked"),
        NodeState::Failed => (BAD, "failed"),
        NodeState::Skipped => (DIM, "skipped"),
    }
}

/// The same, as far as it can be: what was under way in a run that is not live any more came to no end.
pub fn standing(run: &RunView, node: &NodeView, live: bool) -> (anstyle::Style, &'static str) {
    match node.state {
        NodeState::Running | NodeState::Retrying if run.outcome.is_some() || !live => (WARN, "cut off"),
        known => state(known),
    }
}

/// Everything about one node.
pub fn text(run: &RunView, node: &NodeView, evidence: &Evidence, live: bool, width: Option<usize>) -> String {
    let (style, word) = standing(run, node, live);
    let mut text = format!(
        "{} in run {} of {}: {}\n",
        styled(STRONG, label(node)),
        run.started.run,
        clean(&run.started.pipeline),
        styled(style, word)
    );
    let mut facts = Table::new(&[]);
    let mut fact = |name: &str, value: String| facts.row([Cell::styled(DIM, name), value.into()]);
    fact("what", node.what.clone());
    for (index, reason) in plan::reasons(&planned(node)).iter().enumerate() {
        fact(if index == 0 { "why" } else { "" }, reason.clone());
    }
    if let Some(from) = node.from {
        fact(
            "made in",
            match node.kind.as_str() {
                "registry" => format!("run {from} (mlp show {from})"),
                _ => format!("run {from} (mlp show {from} {})", node.name),
            },
        );
    }
    if let Some(reason) = &node.reason {
        fact("reason", reason.clone());
    }
    if let Some(started) = node.started {
        fact("started", time::absolute(started));
        if let Some(ended) = node.ended {
            fact("ended", time::absolute(ended));
        }
        if let Some(took) = node.took() {
            fact("took", time::took(took));
        }
        if !run.started.host.is_empty() {
            fact("host", run.started.host.clone());
        }
    }
    if let Some(fingerprint) = &node.fingerprint {
        fact("fingerprint", format!("blake3:{fingerprint}"));
    }
    text.push_str(&facts.render("  ", None));
    text.push_str(&depends(evidence));
    text.push_str(&outputs(node, evidence));
    for (output, numbers) in &evidence.metrics {
        text.push_str(&format!("\n  {}\n", styled(STRONG, clean(output))));
        text.push_str(&metrics::tables(numbers, "    ", width));
    }
    if !node.verdicts.is_empty() {
        text.push('\n');
        text.push_str(&verdicts::table(&node.verdicts, "  ", width));
    }
    text.push_str(&attempts(node));
    text.push_str(&members(node));
    if node.state == NodeState::Failed {
        text.push_str(&summary::failures(&only(run, node), width));
    }
    for (index, log) in evidence.logs.iter().enumerate() {
        text.push_str(&format!("{}  {}  {}\n", if index == 0 { "\n" } else { "" }, styled(DIM, "log"), log.display()));
    }
    text
}

fn depends(evidence: &Evidence) -> String {
    let mut text = String::new();
    for (section, title) in [
        (Section::Runs, "runs"),
        (Section::Setting, "settings"),
        (Section::Input, "inputs"),
        (Section::Content, "files"),
    ] {
        let mut table = Table::new(&[]);
        for fact in evidence.facts.iter().filter(|fact| fact.section == section) {
            table.row([Cell::styled(PLAIN, &fact.name), Cell::styled(DIM, &fact.value)]);
        }
        if !table.is_empty() {
            text.push_str(&format!("\n  {}\n{}", styled(STRONG, title), table.render("    ", None)));
        }
    }
    text
}

fn outputs(node: &NodeView, evidence: &Evidence) -> String {
    if node.outputs.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&[]);
    for output in &node.outputs {
        let file = evidence.files.iter().find(|(name, _)| *name == output.output);
        table.row([
            Cell::styled(PLAIN, &output.output),
            Cell::styled(DIM, &format!("blake3:{}", output.digest.short())),
            artifact(output).into(),
            file.map_or(String::new(), |(_, path)| path.display().to_string()).into(),
        ]);
    }
    format!("\n  {}\n{}", styled(STRONG, "outputs"), table.render("    ", None))
}

fn attempts(node: &NodeView) -> String {
    if node.attempts.len() < 2 {
        return String::new();
    }
    let mut table = Table::new(&[]);
    for attempt in &node.attempts {
        let ended = attempt.ended.map_or("not ended".to_owned(), |ended| time::took(ended - attempt.started));
        let how = attempt.failure.as_ref().map_or("done".to_owned(), |failure| one_line(&failure.message));
        let started = time::absolute(attempt.started);
        table.row([format!("attempt {}", attempt.number).into(), started.into(), ended.into(), how.into()]);
    }
    format!("\n{}", table.render("  ", None))
}

/// What was done for each value: all of a few, else those that did not end well.
fn members(node: &NodeView) -> String {
    let few = node.members.len() <= FEW;
    let ended_well = |member: &MemberView| matches!(member.state, NodeState::Done | NodeState::Reused);
    let mut table = Table::new(&[]);
    for member in node.members.iter().filter(|member| few || !ended_well(member)).take(FEW) {
        let (style, word) = state(member.state);
        let took =
            member.started.zip(member.ended).map_or(String::new(), |(started, ended)| time::took(ended - started));
        let why = member.failure().map(|failure| one_line(&failure.message)).or_else(|| member.reason.clone());
        let from = member.from.map(|from| format!("from run {from}"));
        table.row([
            Cell::styled(PLAIN, &member.name),
            Cell::styled(style, word),
            took.into(),
            why.or(from).unwrap_or_default().into(),
        ]);
    }
    if node.of_members == 0 {
        return String::new();
    }
    let count = |wanted| node.members.iter().filter(|member| member.state == wanted).count();
    let all = [NodeState::Done, NodeState::Reused, NodeState::Failed, NodeState::Skipped].into_iter();
    let counts = all.map(|it| (count(it), state(it).1)).filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    let title = format!("values  {} of {}", counts.join(", "), node.of_members);
    format!("\n  {}\n{}", styled(STRONG, title), table.render("    ", None))
}

/// The node as it was planned.
pub fn planned(node: &NodeView) -> mlp_core::plan::PlannedNode {
    mlp_core::plan::PlannedNode {
        id: mlp_lang::pipeline::NodeId(0),
        name: node.name.clone(),
        kind: node.kind.clone(),
        what: node.what.clone(),
        decision: node.decision.clone(),
    }
}

/// The run as if it had this node alone.
fn only(run: &RunView, node: &NodeView) -> RunView {
    let mut run = run.clone();
    run.nodes = vec![node.clone()];
    run
}
