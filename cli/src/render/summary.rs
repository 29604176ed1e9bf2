//! How a run went: what it did, what was decided, where the evidence is, and what to do next.

use super::events::{label, outcome, outcome_style};
use super::text::{BAD, DIM, GOOD, STRONG, WARN, clean, plural, some_of, styled};
use super::{approvals, findings, time, verdicts};
use mlp_core::approval;
use mlp_core::record::{Failure, Outcome};
use mlp_core::view::{DeployRequest, MemberView, NodeState, NodeView, Registration, RunView};
use mlp_lang::finding::Place;

/// The end of `mlp run`. `resident`: the process of the resident engine that was told of its deployments.
pub fn text(run: &RunView, resident: Option<u32>, width: Option<usize>) -> String {
    if let Some(line) = nothing_to_do(run) {
        let deployments = deployments(run, resident);
        return format!("{line}\n{deployments}{}evidence: mlp show {}\n", next(run, resident), run.started.run);
    }
    let mut text = format!("{}\n", headline(run));
    text.push_str(&work(run));
    text.push_str(&failures(run, width));
    text.push_str(&gates(run, width));
    text.push_str(&models(run));
    text.push_str(&deployments(run, resident));
    text.push_str(&last_words(run, resident));
    text
}

/// `run 12 of churn succeeded in 3.1s`
pub fn headline(run: &RunView) -> String {
    let took = run.ended.map_or(String::new(), |ended| {
        let word = if run.outcome == Some(Outcome::Succeeded) { "in" } else { "after" };
        format!(" {word} {}", time::took(ended - run.started.at))
    });
    format!(
        "run {} of {} {}{took}",
        run.started.run,
        styled(STRONG, clean(&run.started.pipeline)),
        styled(outcome_style(run.outcome), outcome(run.outcome))
    )
}

/// The one line of a run that found everything done; `None` if it did anything.
pub fn nothing_to_do(run: &RunView) -> Option<String> {
    use NodeState::{Passed, Requested, Reused, Skipped};
    let idle = |node: &NodeView| matches!(node.state, Reused | Passed | Requested | Skipped);
    let changed_nothing = run.outcome == Some(Outcome::Succeeded)
        && run.nodes.iter().all(idle)
        && run.count(NodeState::Reused) > 0
        && run.models.iter().all(|model| model.kept);
    if !changed_nothing {
        return None;
    }
    let of_kind = |kind: &str, state| run.nodes.iter().filter(|node| node.kind == kind && node.state == state).count();
    let data = of_kind("data", NodeState::Reused);
    let steps = of_kind("step", NodeState::Reused);
    let gates = of_kind("gate", NodeState::Passed);
    let reused: Vec<String> = [(data, "table"), (steps, "step")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| plural(count, noun))
        .collect();
    let mut parts = vec![format!("{} reused", reused.join(" and "))];
    parts.extend((gates > 0).then(|| format!("{} passed", plural(gates, "gate"))));
    parts.extend(
        run.models.iter().map(|model| format!("model {} v{} unchanged", clean(&model.entry.name), model.entry.version)),
    );
    let skipped = run.count(NodeState::Skipped);
    parts.extend((skipped > 0).then(|| format!("{skipped} skipped")));
    Some(format!("{}: {}", styled(GOOD, "nothing to do"), parts.join("; ")))
}

/// Everything that went wrong, with what is safe now and what to do.
pub fn failures(run: &RunView, width: Option<usize>) -> String {
    let mut text = String::new();
    for node in run.nodes.iter().filter(|node| node.state == NodeState::Failed) {
        text.push('\n');
        match node.failure() {
            Some(failure) => text.push_str(&failed(node, failure, run.started.run, width)),
            None => {
                let why = node.reason.as_deref().unwrap_or("no reason was given");
                text.push_str(&format!("{} {}: {}\n", label(node), styled(BAD, "failed"), clean(why)));
            }
        }
    }
    text
}

/// One gate: the verdict and its numbers.
pub fn gate(node: &NodeView, width: Option<usize>) -> String {
    let word = match node.state {
        NodeState::Passed => styled(GOOD, "passed"),
        NodeState::Asking => styled(WARN, "waits for people"),
        NodeState::Blocked => styled(BAD, "said no"),
        NodeState::Skipped => styled(DIM, "was not judged"),
        _ => styled(DIM, "is not judged yet"),
    };
    let why = match (&node.reason, node.verdicts.is_empty()) {
        (Some(reason), true) => format!(": {}", clean(reason)),
        _ => String::new(),
    };
    format!("gate {} {word}{why}\n{}", clean(&node.name), verdicts::table(&node.verdicts, "  ", width))
}

/// One entry of the registry, as a run made or found it.
pub fn registration(model: &Registration) -> String {
    let entry = &model.entry;
    let what = match (model.kept, model.complete) {
        (true, _) => format!("unchanged, still version {}", entry.version),
        (false, true) => format!("{} as version {}", styled(GOOD, "registered"), entry.version),
        (false, false) => format!("about to be registered as version {} when the run was cut off", entry.version),
    };
    format!("model {} {what} ({}, blake3:{})\n", clean(&entry.name), clean(&entry.flavor), entry.digest.short())
}

fn work(run: &RunView) -> String {
    let of = |states: &[NodeState]| -> Vec<&str> {
        let work = |node: &&NodeView| {
            matches!(node.kind.as_str(), "data" | "step" | "registry") && states.contains(&node.state)
        };
        run.nodes.iter().filter(work).map(|node| node.name.as_str()).collect()
    };
    let mut text = String::new();
    for (word, names) in [
        ("ran", of(&[NodeState::Done])),
        ("reused", of(&[NodeState::Reused])),
        ("skipped", of(&[NodeState::Skipped])),
        ("unfinished", of(&[NodeState::Running, NodeState::Retrying, NodeState::Waiting])),
    ] {
        if !names.is_empty() {
            text.push_str(&format!("  {} {}\n", styled(DIM, format!("{word:<10}")), some_of(names)));
        }
    }
    text
}

fn failed(node: &NodeView, failure: &Failure, run: u64, width: Option<usize>) -> String {
    let attempts = match node.attempts.len() {
        0 | 1 => String::new(),
        attempts => format!(" in each of {attempts} attempts"),
    };
    if failure.kind == "cancelled" {
        return format!("{} was stopped; the next run does it again\n", label(node));
    }
    let mut text = format!("{} {}{attempts}: {}\n", label(node), styled(BAD, "failed"), clean(&failure.message));
    if !failure.findings.is_empty() {
        text.push('\n');
        text.push_str(&findings::full(&failure.findings, &[], width));
    }
    if !node.verdicts.is_empty() {
        text.push_str(&verdicts::table(&node.verdicts, "  ", width));
    }
    let next = match failure.kind.as_str() {
        "operational" | "data" if crate::fault::is_full(&failure.message) => crate::fault::MAKE_ROOM.to_owned(),
        "data" => next_for_data(failure),
        "bad_input" => {
            format!("mend its input or setting, then run again; what it said: mlp logs {run} {}", clean(&node.name))
        }
        "timed_out" => "give it more time with `timeout = ...` in its `{ }` block, or less to do".to_owned(),
        "out_of_memory" => "give it more memory with `memory = ...` in its `{ }` block, or less data".to_owned(),
        "registry" => "mlp status lists what is registered".to_owned(),
        "operational" => "mend what the message names, then run the same command again".to_owned(),
        _ => format!("mlp logs {run} {}", clean(&node.name)),
    };
    text.push_str(&format!("next:  {next}\n"));
    text
}

fn next_for_data(failure: &Failure) -> String {
    // These are about the file's place or the moment, not about what is in it.
    const OPERATIONAL: [&str; 4] = ["D0003", "D0004", "D0005", "D0050"];
    if failure.findings.iter().any(|finding| OPERATIONAL.contains(&finding.code.id.as_ref())) {
        return "see the help above, then run the same command again".to_owned();
    }
    let path = failure.findings.iter().find_map(|finding| match &finding.primary.place {
        Place::Data { path, .. } => Some(path),
        Place::Source { .. } => None,
    });
    match path {
        Some(path) => format!("mend {} or the schema it must follow, then run again", clean(path)),
        None => "mend the data or what is expected of it, then run again".to_owned(),
    }
}

fn gates(run: &RunView, width: Option<usize>) -> String {
    let judged = |node: &&NodeView| node.kind == "gate" && !node.verdicts.is_empty();
    run.nodes.iter().filter(judged).map(|node| format!("\n{}", gate(node, width))).collect()
}

fn models(run: &RunView) -> String {
    let mut lines: String = run.models.iter().map(registration).collect();
    for node in run.nodes.iter().filter(|node| node.kind == "model") {
        if matches!(node.state, NodeState::Blocked | NodeState::Skipped) {
            let why = node.reason.as_deref().map_or(String::new(), |reason| format!(": {}", clean(reason)));
            lines.push_str(&format!("model {} {}{why}\n", clean(&node.name), styled(BAD, "not registered")));
        }
    }
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// A deployment that a run requested, as history tells it.
pub fn request(request: &DeployRequest) -> String {
    format!(
        "deploy {}: {} version {} was {}",
        clean(&request.node),
        clean(&request.model),
        request.version,
        styled(GOOD, "requested")
    )
}

/// What becomes of the deployments that the run requested, and why others were not.
fn deployments(run: &RunView, resident: Option<u32>) -> String {
    let mut text = String::new();
    for request in &run.deployments {
        let what = match resident {
            Some(process) => format!("{} to the resident engine (process {process})", styled(GOOD, "handed over")),
            None => format!("{} for the resident engine, which is not running", styled(WARN, "waits")),
        };
        let (node, model) = (clean(&request.node), clean(&request.model));
        text.push_str(&format!("deploy {node}: {model} version {} {what}\n", request.version));
    }
    for node in run.nodes.iter().filter(|node| node.kind == "deploy") {
        if matches!(node.state, NodeState::Blocked | NodeState::Skipped) {
            let why = node.reason.as_deref().map_or(String::new(), |reason| format!(": {}", clean(reason)));
            text.push_str(&format!("deploy {} {}{why}\n", clean(&node.name), styled(BAD, "not requested")));
        }
    }
    text
}

/// What to type for the deployments to go on.
fn next(run: &RunView, resident: Option<u32>) -> String {
    match resident {
        _ if run.deployments.is_empty() => String::new(),
        Some(_) => "next:  mlp deploy status shows how it goes\n".to_owned(),
        None => format!("next:  mlp serve {} takes it up\n", clean(&run.started.file)),
    }
}

/// Whom the gates wait for, and what to type.
fn asks(run: &RunView) -> String {
    let mut text = "safe:  everything that was done is kept; nothing was registered\n".to_owned();
    for node in run.nodes.iter().filter(|node| node.state == NodeState::Asking) {
        let Some(question) = &node.question else { continue };
        let now = run.ended.unwrap_or(question.since);
        let standing = approval::standing(&question.approvals, &node.answers, question.since, now);
        text.push_str(&format!("waits: gate {} for {}\n", clean(&node.name), approvals::waits_for(&standing, now)));
        text.push_str(&format!(
            "next:  mlp approve {} --as NAME, then mlp retry {}\n",
            clean(&node.name),
            run.started.run
        ));
    }
    text
}

/// `3 values of part`, of a step that did not end well as a whole.
fn kept_values(node: &NodeView) -> Option<String> {
    let kept = |member: &&MemberView| matches!(member.state, NodeState::Done | NodeState::Reused);
    match node.members.iter().filter(kept).count() {
        0 => None,
        _ if matches!(node.state, NodeState::Done | NodeState::Reused) => None,
        count => Some(format!("{} of {}", plural(count, "value"), node.name)),
    }
}

fn last_words(run: &RunView, resident: Option<u32>) -> String {
    let number = run.started.run;
    let kept: Vec<String> = run
        .nodes
        .iter()
        .filter(|node| matches!(node.state, NodeState::Done | NodeState::Reused) && node.kind != "registry")
        .map(|node| node.name.clone())
        .chain(run.nodes.iter().filter_map(kept_values))
        .collect();
    let kept = match kept.len() {
        0 => "nothing was kept or registered".to_owned(),
        _ => format!("kept, and reused next time: {}", some_of(kept.iter().map(String::as_str))),
    };
    let lines = match run.outcome {
        Some(Outcome::Succeeded) | None => next(run, resident),
        Some(Outcome::Blocked) if run.nodes.iter().any(|node| node.kind == "deploy") => {
            "safe:  nothing was registered; what is deployed and the models before are untouched\n".to_owned()
        }
        Some(Outcome::Blocked) => "safe:  nothing was registered; the models before are untouched\n".to_owned(),
        Some(Outcome::Waiting) => asks(run),
        Some(Outcome::Failed) => format!("safe:  {kept}\n"),
        Some(Outcome::Cancelled | Outcome::Interrupted) => {
            format!("safe:  {kept}\nnext:  run the same command again to go on\n")
        }
    };
    format!("\n{lines}evidence: mlp show {number}\n")
}
