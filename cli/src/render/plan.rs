//! What would run, and why.

use super::table::{Cell, Table};
use super::text::{DIM, GOOD, PLAIN, STRONG, clean, plural, some_of};
use super::time;
use mlp_core::estimate::Forecast;
use mlp_core::plan::{Decision, Plan, PlannedNode};

/// A line a node, then the counts.
pub fn text(plan: &Plan, pipeline: &str, verbose: bool, width: Option<usize>) -> String {
    let mut table = Table::new(&["", "node", "what", "decision", "why"]).wrapping();
    for node in &plan.nodes {
        let (style, word) = decision(&node.decision);
        let reasons = reasons(node);
        // The first reason is the most telling; the others stand below it, so that no line grows without end.
        let mut reasons = reasons.iter();
        table.row([
            Cell::styled(DIM, &node.kind),
            Cell::styled(STRONG, &node.name),
            Cell::styled(PLAIN, &node.what),
            Cell::styled(style, word),
            Cell::from(reasons.next().map_or("", String::as_str)),
        ]);
        let limit = if verbose { usize::MAX } else { 4 };
        for reason in reasons.clone().take(limit) {
            table.row(["".into(), "".into(), "".into(), "".into(), Cell::from(reason.as_str())]);
        }
        let left = reasons.count().saturating_sub(limit);
        if left > 0 {
            table.row(["".into(), "".into(), "".into(), "".into(), format!("and {left} more (-v lists all)").into()]);
        }
    }
    let mut text = format!("{}\n{}: {}\n", table.render("", width), clean(pipeline), counts(plan));
    if !plan.resident.is_empty() {
        let names: Vec<String> = plan.resident.iter().map(|node| format!("{} {}", node.kind, node.name)).collect();
        let names = some_of(names.iter().map(String::as_str));
        text.push_str(&format!("lived through by `mlp serve`, not by a run: {names}\n"));
    }
    text
}

/// How long it will take, by how long it took before; nothing when nothing would run.
pub fn forecast(plan: &Plan, forecast: &Forecast) -> String {
    let known: Vec<(&PlannedNode, _)> =
        plan.nodes.iter().zip(&forecast.nodes).filter_map(|(node, took)| Some((node, (*took)?))).collect();
    let unknown = some_of(forecast.unknown.iter().map(String::as_str));
    let Some(longest) = known.iter().map(|(_, took)| took.runs).max() else {
        return match unknown.is_empty() {
            true => String::new(),
            false => format!("time: unknown, since nobody has seen these run: {unknown}\n"),
        };
    };
    let [packed, work, critical] = [forecast.packed, forecast.work, forecast.critical].map(time::took);
    let mut text = format!(
        "time: {}about {packed} with {}",
        if unknown.is_empty() { "" } else { "at least " },
        plural(forecast.jobs, "job"),
    );
    if work != packed {
        text.push_str(&format!("; {work} with one"));
    }
    if critical != packed {
        text.push_str(&format!("; at best {critical}"));
    }
    text.push('\n');
    let mut slowest = known;
    slowest.sort_by_key(|(_, took)| std::cmp::Reverse(took.median));
    let shown: Vec<String> = slowest
        .iter()
        .take(5)
        .map(|(node, took)| format!("{} {}", clean(&node.name), time::took(took.median)))
        .collect();
    let of = if longest == 1 { "in its last run".to_owned() } else { format!("the median of up to {longest} runs") };
    text.push_str(&format!("      {} ({of})\n", shown.join(", ")));
    if !unknown.is_empty() {
        text.push_str(&format!("      unknown, since nobody has seen these run: {unknown}\n"));
    }
    text
}

/// `2 to run, 3 reused, 1 to decide`
pub fn counts(plan: &Plan) -> String {
    let count = |wanted: fn(&Decision) -> bool| plan.nodes.iter().filter(|node| wanted(&node.decision)).count();
    let run = count(|decision| matches!(decision, Decision::Run { .. }));
    let reuse = count(|decision| matches!(decision, Decision::Reuse { .. }));
    let decide = count(|decision| matches!(decision, Decision::Decide));
    let skip = count(|decision| matches!(decision, Decision::Skip { .. }));
    let mut parts = vec![match run {
        0 => "nothing to run".to_owned(),
        _ => format!("{run} to run"),
    }];
    parts.extend((reuse > 0).then(|| format!("{reuse} to reuse")));
    parts.extend((decide > 0).then(|| format!("{decide} to decide")));
    parts.extend((skip > 0).then(|| format!("{skip} to skip")));
    let all = plural(plan.nodes.len(), "node");
    format!("{} of {all}", parts.join(", "))
}

/// Why a node is to be treated as it is, in words, most telling first.
pub fn reasons(node: &PlannedNode) -> Vec<String> {
    match &node.decision {
        Decision::Reuse { run, .. } if node.kind == "registry" => vec![format!("registered in run {run}")],
        Decision::Reuse { run, .. } => vec![format!("same as in run {run}")],
        Decision::Run { reasons, .. } => reasons.iter().map(ToString::to_string).collect(),
        Decision::Decide => vec![match node.kind.as_str() {
            "gate" => "judged anew in each run".to_owned(),
            "deploy" => "requested once its model is registered".to_owned(),
            _ => "registered if its gates pass and it changed".to_owned(),
        }],
        Decision::Skip { reason } => vec![reason.clone()],
    }
}

/// The decision in a word.
pub fn decision(decision: &Decision) -> (anstyle::Style, &'static str) {
    match decision {
        Decision::Reuse { .. } => (DIM, "reuse"),
        Decision::Run { .. } => (GOOD, "run"),
        Decision::Decide => (PLAIN, "decide"),
        Decision::Skip { .. } => (DIM, "skip"),
    }
}
