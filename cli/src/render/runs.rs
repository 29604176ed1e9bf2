//! All runs, and what is going on now.

use super::events::{outcome, outcome_style};
use super::table::{Cell, Table};
use super::text::{DIM, STRONG, clean, plural, some_of, styled};
use super::{models, time};
use mlp_core::history::RunSummary;
use mlp_core::lock::Holder;
use mlp_core::record::{Millis, ModelVersion};
use mlp_core::view::{NodeState, RunView};

/// A line a run, in the order given.
pub fn text(runs: &[RunSummary], live: Option<u64>, now: Millis, width: Option<usize>) -> String {
    let mut header = vec!["run", "pipeline", "outcome", "started", "", "took", "ran", "reused", "models"];
    let triggered = runs.iter().any(|run| run.trigger.is_some());
    header.extend(triggered.then_some("set off by"));
    let mut table = Table::new(&header).right(&[0, 6, 7]);
    let mut notes = String::new();
    for run in runs {
        if let Some(why) = &run.damaged {
            let mut row: [Cell; 9] = std::array::from_fn(|_| Cell::from(""));
            row[0] = run.run.to_string().into();
            row[2] = Cell::styled(super::text::WARN, "damaged");
            table.row(row);
            notes.push_str(&format!("run {}: {}\n", run.run, clean(why)));
            continue;
        }
        let running = live == Some(run.run);
        let (style, word) = match run.outcome {
            None if running => (STRONG, "running"),
            // Killed, and nobody looked since.
            None => (super::text::WARN, "cut off"),
            ended => (outcome_style(ended), outcome(ended)),
        };
        let took = match (run.ended, running) {
            (Some(ended), _) => time::took(ended - run.started),
            (None, true) => time::took(now - run.started),
            (None, false) => String::new(),
        };
        let models: Vec<String> = run.models.iter().map(|(name, version)| format!("{name} v{version}")).collect();
        let mut row: Vec<Cell> = vec![
            run.run.to_string().into(),
            run.pipeline.as_str().into(),
            Cell::styled(style, word),
            time::absolute(run.started).into(),
            Cell::styled(DIM, &time::ago(run.started, now)),
            took.into(),
            run.ran.to_string().into(),
            run.reused.to_string().into(),
            models.join(", ").into(),
        ];
        row.extend(run.trigger.as_ref().map(|trigger| Cell::from(trigger.words.as_str())));
        table.row(row);
    }
    let table = table.render("", width);
    if notes.is_empty() { table } else { format!("{table}\n{notes}") }
}

/// What is going on: the live run if there is one, else how the last one ended; then the registry.
pub fn status(
    live: Option<&Holder>,
    run: Option<&RunView>,
    registered: &[ModelVersion],
    now: Millis,
    width: Option<usize>,
) -> String {
    let mut text = match (live, run) {
        (Some(holder), run) => holder_lines(holder, run, now),
        (None, Some(run)) => last(run, now),
        (None, None) => "nothing has run in this project yet: `mlp run FILE` runs a pipeline\n".to_owned(),
    };
    let latest = models::latest(registered);
    if !latest.is_empty() {
        text.push('\n');
        text.push_str(&models::table(&latest, now, width));
    }
    text
}

/// `3 done, 2 skipped`: how the nodes of a run stand.
pub fn tally(run: &RunView) -> String {
    let states = [
        (NodeState::Done, "done"),
        (NodeState::Reused, "reused"),
        (NodeState::Passed, "passed"),
        (NodeState::Requested, "requested"),
        (NodeState::Blocked, "blocked"),
        (NodeState::Skipped, "skipped"),
    ];
    let mut counts: Vec<(usize, &str)> = states.into_iter().map(|(state, word)| (run.count(state), word)).collect();
    // What was stopped did not fail by itself.
    let stopped = run.nodes.iter().filter(|node| node.failure().is_some_and(|failure| failure.kind == "cancelled"));
    let stopped = stopped.filter(|node| node.state == NodeState::Failed).count();
    counts.extend([(stopped, "stopped"), (run.count(NodeState::Failed) - stopped, "failed")]);
    let parts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    if parts.is_empty() { "nothing had begun".to_owned() } else { parts.join(", ") }
}

fn holder_lines(holder: &Holder, run: Option<&RunView>, now: Millis) -> String {
    let who = format!("process {} ({})", holder.pid, clean(&holder.command));
    let Some(run) = run else {
        return format!("{} is at work here, between runs, since {}\n", who, time::absolute(holder.since));
    };
    let named = |state| run.nodes.iter().filter(move |node| node.state == state).map(|node| node.name.as_str());
    let waiting = run.count(NodeState::Waiting);
    let failed = run.count(NodeState::Failed) + run.count(NodeState::Blocked);
    let running = run.count(NodeState::Running) + run.count(NodeState::Retrying);
    let done = run.nodes.len() - waiting - running - failed;
    let mut text = format!(
        "{} of {} has been running for {} ({})\n",
        styled(STRONG, format!("run {}", run.started.run)),
        clean(&run.started.pipeline),
        time::took(now - run.started.at),
        who
    );
    let failed_words = if failed > 0 { format!(", {failed} failed") } else { String::new() };
    text.push_str(&format!(
        "  {done} of {} done{failed_words}, {running} running, {waiting} waiting\n",
        plural(run.nodes.len(), "node")
    ));
    if running > 0 {
        let now_running = some_of(named(NodeState::Running).chain(named(NodeState::Retrying)));
        text.push_str(&format!("  running now: {now_running}\n"));
    }
    if run.cancelled.is_some() {
        text.push_str("  it was told to stop and is stopping\n");
    }
    text
}

fn last(run: &RunView, now: Millis) -> String {
    let word = match run.outcome {
        None => "cut off",
        ended => outcome(ended),
    };
    let ended = run.ended.unwrap_or(run.started.at);
    let mut text = format!(
        "nothing is running; run {} of {} {} {}\n",
        run.started.run,
        clean(&run.started.pipeline),
        styled(outcome_style(run.outcome), word),
        time::ago(ended, now)
    );
    match run.outcome {
        None => text
            .push_str("  it was killed, or its journal was cut short: the next `mlp run` takes up what it finished\n"),
        _ => text.push_str(&format!("  its story: mlp show {}\n", run.started.run)),
    }
    text
}
