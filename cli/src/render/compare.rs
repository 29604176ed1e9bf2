//! What differs between two runs.

use super::nodes::{Evidence, standing, state};
use super::table::{Cell, Table};
use super::text::{DIM, STRONG, WARN, clean, some_of, styled};
use super::values::{self, significant};
use super::{diff, events, json as documents, time};
use anstyle::Style;
use mlp_core::clock::rfc3339;
use mlp_core::manifest::{Fact, Manifest};
use mlp_core::plan::Reason;
use mlp_core::record::Artifact;
use mlp_core::view::{NodeState, NodeView, RunView};
use mlp_lang::value::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// A run, with what its project's files tell of it.
pub struct Side<'a> {
    /// Which.
    pub run: &'a RunView,
    /// Whether it is under way.
    pub live: bool,
    /// By node: everything its result depends on.
    pub facts: Vec<(String, Vec<Fact>)>,
    /// By node: its metrics.
    pub evidence: Vec<(String, Evidence)>,
}

/// What differs. What is the same is left out, but for metrics, which are told side by side where any of a file differs.
pub struct Comparison<'a> {
    before: &'a RunView,
    after: &'a RunView,
    /// Whether each is under way.
    live: [bool; 2],
    params: Vec<(String, Option<Value>, Option<Value>)>,
    /// As `diff -u` writes it; empty: the same.
    source: String,
    nodes: Vec<NodeDifference<'a>>,
    metrics: Vec<Number>,
}

struct NodeDifference<'a> {
    name: &'a str,
    before: Option<&'a NodeView>,
    after: Option<&'a NodeView>,
    /// Where it stood in each, in a word.
    words: [&'static str; 2],
    /// What both their results depend on is known.
    comparable: bool,
    /// Of what its result depends on: what runs, settings, inputs by digest.
    changed: Vec<Reason>,
    /// Outputs whose bytes differ.
    outputs: Vec<(&'a str, Option<&'a Artifact>, Option<&'a Artifact>)>,
}

struct Number {
    /// `eval.metrics auc`
    of: String,
    before: Option<f64>,
    after: Option<f64>,
}

/// Compares two runs, of the same pipeline or not.
pub fn compare<'a>(before: &Side<'a>, after: &Side<'a>) -> Comparison<'a> {
    let (then, now) = (before.run, after.run);
    let mut names: Vec<&str> = now.nodes.iter().map(|node| node.name.as_str()).collect();
    names.extend(then.nodes.iter().map(|node| node.name.as_str()).filter(|name| now.node(name).is_none()));
    let nodes = names.into_iter().map(|name| node(name, before, after)).filter(|node| !node.is_alike()).collect();
    Comparison {
        before: then,
        after: now,
        live: [before.live, after.live],
        params: params(then, now),
        source: diff::unified(&now.started.file, &then.started.source, &now.started.source),
        nodes,
        metrics: metrics(before, after),
    }
}

/// How a run stands: nobody ends one that was killed.
fn stands(run: &RunView, live: bool) -> (Style, &'static str) {
    match run.outcome {
        None if live => (STRONG, "running"),
        None => (WARN, "cut off"),
        ended => (events::outcome_style(ended), events::outcome(ended)),
    }
}

fn params(then: &RunView, now: &RunView) -> Vec<(String, Option<Value>, Option<Value>)> {
    let of = |run: &RunView, name: &str| {
        run.started.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let all = now.started.params.iter().chain(&then.started.params);
    let mut seen = BTreeSet::new();
    all.filter(|(name, _)| seen.insert(name.clone()))
        .map(|(name, _)| (name.clone(), of(then, name), of(now, name)))
        .filter(|(_, before, after)| before != after)
        .collect()
}

fn node<'a>(name: &'a str, before: &Side<'a>, after: &Side<'a>) -> NodeDifference<'a> {
    let (then, now) = (before.run.node(name), after.run.node(name));
    let facts =
        |side: &Side| side.facts.iter().find(|(known, _)| known == name).map_or(Vec::new(), |(_, facts)| facts.clone());
    let (old, new) = (facts(before), facts(after));
    let shown = now.and_then(|node| node.what.split_once(' ')).map_or("", |(_, shown)| shown);
    let comparable = !old.is_empty() && !new.is_empty();
    let changed = if comparable { Manifest::between(&old, &new, shown) } else { Vec::new() };
    let word = |side: &Side, node: Option<&NodeView>| node.map_or("", |node| standing(side.run, node, side.live).1);
    let words = [word(before, then), word(after, now)];
    let given = |node: Option<&'a NodeView>| node.map_or(&[][..], |node| &node.outputs);
    let (old, new) = (given(then), given(now));
    let mut outputs: BTreeSet<&str> = new.iter().map(|it| it.output.as_str()).collect();
    outputs.extend(old.iter().map(|it| it.output.as_str()));
    let find = |among: &'a [Artifact], output: &str| among.iter().find(|it| it.output == output);
    let outputs = outputs
        .into_iter()
        .map(|output| (output, find(old, output), find(new, output)))
        .filter(|(_, old, new)| old.map(|it| it.digest) != new.map(|it| it.digest))
        .collect();
    NodeDifference { name, before: then, after: now, words, comparable, changed, outputs }
}

impl NodeDifference<'_> {
    /// Whether both runs had it with the same result, whoever made that.
    fn is_alike(&self) -> bool {
        let (Some(before), Some(after)) = (self.before, self.after) else { return false };
        let well = |node: &NodeView| {
            use NodeState::{Done, Passed, Requested, Reused};
            matches!(node.state, Done | Reused | Passed | Requested)
        };
        let same_end = before.state == after.state || (well(before) && well(after));
        same_end && self.changed.is_empty() && self.outputs.is_empty()
    }
}

fn metrics(before: &Side, after: &Side) -> Vec<Number> {
    let of = |side: &Side| -> Vec<(String, Option<f64>)> {
        let mut numbers = Vec::new();
        for (node, evidence) in &side.evidence {
            for (output, metrics) in &evidence.metrics {
                numbers.extend(metrics.metrics.iter().map(|(name, value)| (format!("{node}.{output} {name}"), *value)));
            }
        }
        numbers
    };
    let (old, new) = (of(before), of(after));
    let find = |among: &[(String, Option<f64>)], of: &str| {
        among.iter().find(|(known, _)| known == of).and_then(|(_, value)| *value)
    };
    let mut names: Vec<&String> = new.iter().map(|(of, _)| of).collect();
    names.extend(old.iter().map(|(of, _)| of).filter(|of| new.iter().all(|(known, _)| known != *of)));
    names.into_iter().map(|of| Number { of: of.clone(), before: find(&old, of), after: find(&new, of) }).collect()
}

impl Number {
    fn differs(&self) -> bool {
        self.before != self.after
    }

    fn is_in_both(&self) -> bool {
        self.before.is_some() && self.after.is_some()
    }

    fn difference(&self) -> Option<f64> {
        Some(self.after? - self.before?)
    }
}

/// For people: a section for each kind of difference.
pub fn text(comparison: &Comparison, width: Option<usize>) -> String {
    let Comparison { before, after, live, params, source, nodes, metrics } = comparison;
    let different = before.started.pipeline != after.started.pipeline;
    let mut head = Table::new(&[]);
    for (run, live) in [before, after].into_iter().zip(live) {
        let (style, word) = stands(run, *live);
        head.row([
            Cell::styled(STRONG, &format!("run {}", run.started.run)),
            Cell::from(run.started.pipeline.as_str()),
            Cell::styled(style, word),
            Cell::from(time::absolute(run.started.at)),
            Cell::from(run.ended.map_or_else(String::new, |ended| time::took(ended - run.started.at))),
            Cell::styled(DIM, &format!("mlp {}", run.started.engine)),
        ]);
    }
    let mut text = head.render("", width);
    if different {
        // Their texts have nothing in common that a person wants to read line by line.
        text.push_str("\nthese are runs of different pipelines: their sources are not compared\n");
    }
    let mut section = |name: &str, body: String| {
        if !body.is_empty() {
            text.push_str(&format!("\n{}\n{body}", styled(STRONG, name)));
        }
    };
    let mut table = Table::new(&[]);
    for (name, old, new) in params {
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "not there".to_owned(), values::value);
        table.row([Cell::from(name.as_str()), Cell::from(shown(old)), Cell::styled(DIM, "->"), Cell::from(shown(new))]);
    }
    section("parameters", table.render("  ", width));
    if !different {
        section("source", super::text::indented(source, "  "));
    }
    section("nodes", node_lines(nodes, width));
    let mut table = Table::new(&[]).right(&[1, 2, 3]);
    if metrics.iter().any(Number::differs) {
        for number in metrics.iter().filter(|number| !different || number.is_in_both()) {
            let shown = |value: Option<f64>| value.map_or_else(|| "missing".to_owned(), |value| significant(value, 6));
            let difference = match number.difference() {
                Some(change) if number.differs() => {
                    format!("{}{}", if change > 0.0 { "+" } else { "" }, significant(change, 4))
                }
                _ => String::new(),
            };
            table.row([number.of.clone(), shown(number.before), shown(number.after), difference].map(Cell::from));
        }
    }
    section("metrics", table.render("  ", width));
    section("artifacts", artifact_lines(nodes, width));
    if params.is_empty() && source.is_empty() && nodes.is_empty() {
        text.push_str("\nthe same parameters, the same source, the same results\n");
    }
    text
}

fn node_lines(nodes: &[NodeDifference], width: Option<usize>) -> String {
    let mut table = Table::new(&[]).wrapping();
    for node in nodes {
        let how = match (node.before, node.after) {
            (Some(_), Some(_)) => match node.words {
                [before, after] if before == after => after.to_owned(),
                [before, after] => format!("{before} -> {after}"),
            },
            (None, Some(_)) => "only in the second".to_owned(),
            (_, None) => "only in the first".to_owned(),
        };
        let names: Vec<&str> = node.outputs.iter().map(|(output, _, _)| *output).collect();
        let mut lines: Vec<String> = node.changed.iter().map(ToString::to_string).collect();
        if lines.is_empty() && !names.is_empty() && node.comparable {
            // The same work gave other bytes: worth a look.
            lines.push(format!("other results from the same inputs and settings: {}", some_of(names)));
        }
        // Why it gave nothing on one side.
        for (side, other) in [(node.before, node.after), (node.after, node.before)] {
            if let (Some(NodeView { reason: Some(reason), state: NodeState::Skipped, .. }), Some(other)) = (side, other)
                && other.state != NodeState::Skipped
            {
                lines.push(reason.clone());
            }
        }
        let mut lines = lines.into_iter();
        table.row([Cell::styled(STRONG, node.name), Cell::from(how), Cell::from(lines.next().unwrap_or_default())]);
        lines.for_each(|line| table.row([Cell::from(""), Cell::from(""), Cell::from(line)]));
    }
    table.render("  ", width)
}

/// Two lines for each, so that digests and sizes stand below each other.
fn artifact_lines(nodes: &[NodeDifference], width: Option<usize>) -> String {
    let mut table = Table::new(&[]);
    let mut row = |name: &str, arrow: &str, artifact: Option<&Artifact>| {
        let (digest, about) = match artifact {
            Some(artifact) => (artifact.digest.short(), events::artifact(artifact)),
            None => ("not there".to_owned(), String::new()),
        };
        table.row([Cell::from(name), Cell::styled(DIM, arrow), Cell::from(digest), Cell::styled(DIM, &about)]);
    };
    // What a node gave that only one run has is no difference between results.
    for node in nodes.iter().filter(|node| node.before.is_some() && node.after.is_some()) {
        for (output, old, new) in &node.outputs {
            row(&format!("{}.{output}", clean(node.name)), "", *old);
            row("", "->", *new);
        }
    }
    table.render("  ", width)
}

/// `mlp.diff/1`
pub fn json(comparison: &Comparison) -> serde_json::Value {
    let Comparison { before, after, live, params, source, nodes, metrics } = comparison;
    let run = |run: &RunView, live: bool| {
        json!({
            "run": run.started.run,
            "pipeline": run.started.pipeline,
            "outcome": documents::outcome_or(run, live),
            "started": rfc3339(run.started.at),
            "seconds": run.ended.map(|ended| (ended - run.started.at) as f64 / 1000.0),
            "mlp": run.started.engine,
        })
    };
    let value = |value: &Option<Value>| value.as_ref().map(values::json);
    let artifact = |artifact: &Option<&Artifact>| {
        artifact.map(|it| json!({"digest": it.digest.to_string(), "size": it.size, "rows": it.meta.rows}))
    };
    let view = |node: Option<&NodeView>| {
        node.map(|node| {
            json!({
                "state": state(node.state).1,
                "what": node.what,
                "fingerprint": node.fingerprint.map(|digest| digest.to_string()),
                "seconds": node.took().map(|took| took as f64 / 1000.0),
            })
        })
    };
    json!({
        "schema": "mlp.diff/1",
        "before": run(before, live[0]),
        "after": run(after, live[1]),
        "params": params.iter().map(|(name, old, new)| json!({
            "name": name, "before": value(old), "after": value(new),
        })).collect::<Vec<_>>(),
        "source": (!source.is_empty()).then(|| anstream::adapter::strip_str(source).to_string()),
        "nodes": nodes.iter().map(|node| json!({
            "name": node.name,
            "before": view(node.before),
            "after": view(node.after),
            "changed": node.changed.iter().map(documents::reason).collect::<Vec<_>>(),
            "artifacts": node.outputs.iter().map(|(output, old, new)| json!({
                "output": output, "before": artifact(old), "after": artifact(new),
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "metrics": metrics.iter().map(|number| json!({
            "name": number.of,
            "before": number.before,
            "after": number.after,
            "difference": number.difference(),
        })).collect::<Vec<_>>(),
    })
}
