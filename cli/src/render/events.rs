//! What happens in a run, one line an event.

use super::text::{BAD, DIM, GOOD, WARN, clean, one_line, plural, some_of, styled};
use super::{time, values};
use mlp_core::record::{Artifact, Outcome, Record};
use mlp_core::view::{NodeView, RunView};

/// The line for what just happened, if it is worth one. `view` has taken it in already. With `verbose`, also what is only
/// worth knowing when looking for something.
pub fn line(view: &RunView, record: &Record, verbose: bool) -> Option<String> {
    let name = |node: &str| match view.node(node) {
        Some(view) => label(view),
        None => clean(node).into_owned(),
    };
    match record {
        Record::RunStarted(started) => {
            let resumes =
                started.resumes.map_or(String::new(), |run| format!(", going on where run {run} was cut off"));
            let trigger = started.trigger.as_ref();
            let trigger = trigger.map_or(String::new(), |it| format!(", set off by {}", one_line(&it.words)));
            Some(format!(
                "run {} of {}: {}{resumes}{trigger}",
                started.run,
                clean(&started.pipeline),
                plural(started.plan.nodes.len(), "node")
            ))
        }
        Record::NodeStarted { node, attempt, .. } => {
            let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
            Some(format!("{}: started{again}", name(node)))
        }
        Record::FannedOut { node, members, .. } => {
            Some(format!("{}: {} to go through", name(node), plural(*members as usize, "value")))
        }
        Record::NodeReused { node, from, .. } => {
            Some(format!("{}: {}", name(node), styled(DIM, format!("reused from run {from}"))))
        }
        Record::NodeDone { node, outputs, started, at, .. } => {
            let gave = rows(outputs);
            Some(format!("{}: {} in {}{gave}", name(node), styled(GOOD, "done"), time::took(at - started)))
        }
        Record::NodeFailed { node, failure, retry_at, at, .. } => {
            let first = failure.message.lines().next().unwrap_or("no reason given");
            let then = match retry_at {
                Some(due) => format!("; trying again in {}", time::took(due - at)),
                None => String::new(),
            };
            let style = if retry_at.is_some() { WARN } else { BAD };
            Some(format!("{}: {}: {}{then}", name(node), styled(style, "failed"), one_line(first)))
        }
        Record::NodeSkipped { node, reason, .. } => {
            Some(format!("{}: {}", name(node), styled(DIM, format!("skipped: {}", one_line(reason)))))
        }
        Record::GateJudged { node, passed, verdicts, .. } => {
            let held = verdicts.iter().filter(|verdict| verdict.held).count();
            let (style, word) = if *passed { (GOOD, "passed") } else { (BAD, "said no") };
            let all = plural(verdicts.len(), "requirement");
            let waived = verdicts.iter().filter(|verdict| verdict.waived.is_some()).count();
            let waived = if waived > 0 { format!(", {waived} waived") } else { String::new() };
            Some(format!("{}: {}, {held} of {all} held{waived}", name(node), styled(style, word)))
        }
        Record::Asked { node, question, .. } => {
            let people = question.approvals.iter().flat_map(|approval| &approval.people).map(String::as_str);
            Some(format!("{}: {} {}", name(node), styled(WARN, "asks"), some_of(people)))
        }
        Record::Answered { node, answer, .. } => {
            let said = if answer.yes { styled(GOOD, "yes") } else { styled(BAD, "no") };
            Some(format!("{}: {} said {said}", name(node), clean(&answer.person)))
        }
        Record::DataJudged { node, passed, verdicts, .. } => {
            let failed = verdicts.iter().filter(|verdict| !verdict.passes()).count();
            match (passed, verdict_noun(verdicts.len())) {
                (true, all) if verbose => Some(format!("{}: {all} held", name(node))),
                (true, _) => None,
                (false, all) => {
                    Some(format!("{}: {}: {failed} of {all} do not hold", name(node), styled(BAD, "refused")))
                }
            }
        }
        // The intent is not news; the fact, or that nothing had to be done, is.
        Record::ModelRegistered { node, entry, kept, .. } => {
            let registered = view.models.iter().any(|model| model.node == *node && model.complete);
            registered.then(|| match kept {
                true => format!("{}: unchanged, still version {}", name(node), entry.version),
                false => format!(
                    "{}: {} as version {} ({})",
                    name(node),
                    styled(GOOD, "registered"),
                    entry.version,
                    entry.digest.short()
                ),
            })
        }
        Record::ModelBlocked { node, gates, .. } => Some(format!(
            "{}: {}, because gate {} said no",
            name(node),
            styled(BAD, "not registered"),
            super::text::some_of(gates.iter().map(String::as_str))
        )),
        Record::DeployRequested { node, model, version, .. } => {
            Some(format!("{}: {}, {} version {version}", name(node), styled(GOOD, "requested"), clean(model)))
        }
        Record::DeployBlocked { node, gates, .. } => Some(format!(
            "{}: {}, because gate {} said no",
            name(node),
            styled(BAD, "not requested"),
            super::text::some_of(gates.iter().map(String::as_str))
        )),
        Record::CancelRequested { .. } => Some("stopping: what is running is told to stop".to_owned()),
        Record::RunEnded { .. } => None,
    }
}

/// `step train`
pub fn label(node: &NodeView) -> String {
    format!("{} {}", node.kind, clean(&node.name))
}

/// How a run ended, in one word.
pub fn outcome(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Succeeded) => "succeeded",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Blocked) => "blocked",
        Some(Outcome::Cancelled) => "cancelled",
        Some(Outcome::Interrupted) => "cut off",
        Some(Outcome::Waiting) => "waiting",
        None => "not ended",
    }
}

/// How a run that is not live came to its end, to follow its name: `run 3 was cancelled`.
pub fn came_to_its_end(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Succeeded) => "succeeded",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Blocked) => "was blocked by a gate",
        Some(Outcome::Cancelled) => "was cancelled",
        Some(Outcome::Waiting) => "waits for people",
        Some(Outcome::Interrupted) | None => "was killed",
    }
}

/// The style of that word.
pub fn outcome_style(outcome: Option<Outcome>) -> anstyle::Style {
    match outcome {
        Some(Outcome::Succeeded) => GOOD,
        Some(Outcome::Failed | Outcome::Blocked) => BAD,
        Some(Outcome::Cancelled | Outcome::Interrupted | Outcome::Waiting) => WARN,
        None => super::text::PLAIN,
    }
}

/// `569 rows, 84KiB`, for the outputs of one node.
pub fn artifact(artifact: &Artifact) -> String {
    let rows = artifact.meta.rows.map(|rows| plural(usize::try_from(rows).unwrap_or(usize::MAX), "row"));
    let flavor = artifact.meta.flavor.as_ref().map(|flavor| clean(flavor).into_owned());
    let parts: Vec<String> = rows.into_iter().chain(flavor).chain([values::size(artifact.size)]).collect();
    parts.join(", ")
}

fn rows(outputs: &[Artifact]) -> String {
    let tables: Vec<(&Artifact, u64)> = outputs.iter().filter_map(|output| Some((output, output.meta.rows?))).collect();
    let counted: Vec<String> = tables
        .iter()
        .map(|(output, rows)| {
            let rows = plural(usize::try_from(*rows).unwrap_or(usize::MAX), "row");
            if tables.len() == 1 { rows } else { format!("{} {rows}", clean(&output.output)) }
        })
        .collect();
    if counted.is_empty() { String::new() } else { format!(", {}", counted.join(", ")) }
}

fn verdict_noun(count: usize) -> String {
    plural(count, "expectation")
}
