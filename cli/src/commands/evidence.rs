//! What the project's files tell about a node beyond the journal: metrics, artifacts, logs, the manifest behind a result.

use crate::render::nodes::Evidence;
use mlp_core::history::History;
use mlp_core::manifest::Fact;
use mlp_core::metrics::Metrics;
use mlp_core::view::{NodeView, RunView};

/// Metrics alone, for the story of a whole run; nodes without any are left out.
pub fn of_run(history: &History, run: &RunView) -> Vec<(String, Evidence)> {
    run.nodes
        .iter()
        .map(|node| (node.name.clone(), Evidence { metrics: metrics(history, node), ..Evidence::default() }))
        .filter(|(_, evidence)| !evidence.metrics.is_empty())
        .collect()
}

/// Everything about one node.
pub fn of_node(history: &History, run: &RunView, node: &NodeView) -> Evidence {
    let files =
        node.outputs.iter().filter_map(|output| Some((output.output.clone(), history.artifact_path(&output.digest)?)));
    Evidence {
        metrics: metrics(history, node),
        files: files.collect(),
        logs: history.logs(run, &node.name).into_iter().map(|log| log.path).collect(),
        facts: facts(history, node),
    }
}

/// What cannot be read is left out: the story is told with what is there.
fn metrics(history: &History, node: &NodeView) -> Vec<(String, Metrics)> {
    node.outputs
        .iter()
        .filter(|output| output.meta.format == "json")
        .filter_map(|output| {
            let bytes = history.artifact_bytes(output)?;
            Some((output.output.clone(), Metrics::parse(&bytes).ok()?))
        })
        .collect()
}

/// The manifest is kept by the run that made the result; the node may have had another name then.
fn facts(history: &History, node: &NodeView) -> Vec<Fact> {
    match node.from {
        Some(from) if node.facts.is_empty() => history.run(&from.to_string()).map_or(Vec::new(), |run| {
            let made = run.nodes.into_iter().find(|other| other.fingerprint == node.fingerprint);
            made.map_or(Vec::new(), |made| made.facts)
        }),
        _ => node.facts.clone(),
    }
}
