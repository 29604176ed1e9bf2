//! The story of one run, from its journal alone.

use super::events::outcome;
use super::nodes::{Evidence, standing};
use super::table::{Cell, Table};
use super::text::{DIM, STRONG, clean, styled};
use super::{metrics, summary, time, values};
use mlp_core::record::Millis;
use mlp_core::view::{NodeView, RunView};

/// Everything that happened in a run. `evidence` holds what the project's files tell about a node, by name.
pub fn text(run: &RunView, evidence: &[(String, Evidence)], live: bool, now: Millis, width: Option<usize>) -> String {
    let mut text = match (run.outcome, live) {
        (None, true) => {
            format!("run {} of {} is running\n", run.started.run, styled(STRONG, clean(&run.started.pipeline)))
        }
        (None, false) => format!(
            "run {} of {} was cut off: its process was killed\n",
            run.started.run,
            styled(STRONG, clean(&run.started.pipeline))
        ),
        (Some(_), _) => format!("{}\n", summary::headline(run)),
    };
    text.push_str(&facts(run, now));
    text.push('\n');
    text.push_str(&nodes(run, live, width));
    for (node, evidence) in evidence {
        for (output, numbers) in &evidence.metrics {
            text.push_str(&format!("\n{}.{}\n", styled(STRONG, clean(node)), clean(output)));
            text.push_str(&metrics::tables(numbers, "  ", width));
        }
    }
    for node in run.nodes.iter().filter(|node| node.kind == "gate") {
        text.push_str(&format!("\n{}", summary::gate(node, width)));
    }
    text.push_str(&summary::failures(run, width));
    if !run.models.is_empty() {
        text.push('\n');
        text.extend(run.models.iter().map(summary::registration));
    }
    text.extend(run.deployments.iter().map(|request| format!("{}\n", summary::request(request))));
    text
}

fn facts(run: &RunView, now: Millis) -> String {
    let mut table = Table::new(&[]);
    let mut fact = |name: &str, value: String| table.row([Cell::styled(DIM, name), value.into()]);
    let started = &run.started;
    fact("file", started.file.clone());
    fact("started", format!("{} ({})", time::absolute(started.at), time::ago(started.at, now)));
    if let Some(at) = run.cancelled {
        fact("told to stop", time::absolute(at));
    }
    if let Some(ended) = run.ended {
        fact("ended", format!("{}, {}", time::absolute(ended), outcome(run.outcome)));
    }
    if let Some(trigger) = &started.trigger {
        fact("set off by", trigger.words.clone());
    }
    if let Some(resumes) = started.resumes {
        fact("goes on from", format!("run {resumes}, which was cut off"));
    }
    fact("engine", started.engine.clone());
    if !started.host.is_empty() {
        fact("host", started.host.clone());
    }
    for (index, (name, value)) in started.params.iter().enumerate() {
        fact(if index == 0 { "parameters" } else { "" }, format!("{name} = {}", values::value(value)));
    }
    table.render("  ", None)
}

fn nodes(run: &RunView, live: bool, width: Option<usize>) -> String {
    let mut table = Table::new(&["", "node", "what", "", "at", "took", "why", "gave"]).right(&[4, 5]);
    for node in &run.nodes {
        let (style, word) = standing(run, node, live);
        table.row([
            Cell::styled(DIM, &node.kind),
            Cell::styled(STRONG, &node.name),
            node.what.as_str().into(),
            Cell::styled(style, &attempted(word, node)),
            node.started.map_or(String::new(), |at| format!("+{}", time::took(at - run.started.at))).into(),
            node.took().map_or(String::new(), time::took).into(),
            why(node).into(),
            gave(node).into(),
        ]);
    }
    table.render("  ", width)
}

/// Where it stands; how often it was tried, if more than once.
fn attempted(word: &str, node: &NodeView) -> String {
    match node.attempts.len() {
        0 | 1 => word.to_owned(),
        attempts => format!("{word}, {attempts} attempts"),
    }
}

fn why(node: &NodeView) -> String {
    match (&node.reason, node.from) {
        (Some(reason), _) => reason.clone(),
        (None, Some(from)) if node.kind == "registry" => format!("registered in run {from}"),
        (None, Some(from)) => format!("same as in run {from}"),
        (None, None) => match &node.decision {
            mlp_core::plan::Decision::Run { reasons, .. } => match reasons.as_slice() {
                [] => String::new(),
                [only] => only.to_string(),
                [first, rest @ ..] => format!("{first}, and {} more", rest.len()),
            },
            mlp_core::plan::Decision::Reuse { run, .. } => format!("same as in run {run}"),
            mlp_core::plan::Decision::Skip { reason } => reason.clone(),
            mlp_core::plan::Decision::Decide => String::new(),
        },
    }
}

fn gave(node: &NodeView) -> String {
    let digests = node.outputs.iter().map(|output| match node.outputs.len() {
        1 => output.digest.short(),
        _ => format!("{} {}", output.output, output.digest.short()),
    });
    digests.collect::<Vec<_>>().join(", ")
}
