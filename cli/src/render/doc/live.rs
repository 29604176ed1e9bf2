//! Cards of what is live.

use super::nodes::{code, folded, list, output};
use super::{Chapter, to_node};
use crate::render::export::{Deploy, Event, Monitor, Serve, Stage, Trigger};
use crate::render::graph::lasting;
use crate::render::page::escape;
use mlp_lang::value::Value;
use std::fmt::Write;

/// What a deployment is.
pub fn deploy(index: usize, chapter: &Chapter, deploy: &Deploy) -> String {
    let model = to_node(index, &chapter.document, &deploy.model);
    let strategy = escape(&deploy.strategy.kind.replace('_', " "));
    let back = lasting(deploy.rollback_within_seconds);
    let mut html = match &deploy.serve {
        Serve::Online { host, port, .. } => {
            format!(
                "<p>{model} at {}, by {strategy}; rolled back within {back}.</p>\n",
                code(&format!("{host}:{port}"))
            )
        }
        Serve::Batch { rows, to, every_seconds } => format!(
            "<p>{model} for the rows of {}, to {}{}; by {strategy}.</p>\n",
            output(index, chapter, rows),
            code(to),
            every_seconds.map(|seconds| format!(", every {}", lasting(seconds))).unwrap_or_default()
        ),
        Serve::Stream { from, to } => {
            format!("<p>{model} for the messages of {}, to {}; by {strategy}.</p>\n", code(from), code(to))
        }
    };
    let stage = |stage: &Stage| {
        let share = Value::Fraction(stage.share).to_string();
        let what = match stage.what {
            "traffic" => share,
            "shadow" => format!("a copy of {share}"),
            what => what.to_owned(),
        };
        match (stage.seconds, stage.until_promoted) {
            (_, true) => format!("{what} until promoted"),
            (Some(seconds), _) => format!("{what} for {}", lasting(seconds)),
            (None, false) => what,
        }
    };
    if !deploy.strategy.stages.is_empty() {
        let stages: Vec<String> = deploy.strategy.stages.iter().map(|one| escape(&stage(one))).collect();
        let _ = writeln!(html, "<p class=\"stages\">{}</p>", stages.join(" → "));
    }
    if let Some(check) = &deploy.strategy.check {
        let title = format!("Checks every {}; without data: {}", lasting(check.every_seconds), check.on_no_data);
        html.push_str(&list(&title, check.conditions.iter().map(|text| code(text))));
    }
    if let Some(experiment) = &deploy.strategy.experiment {
        let _ = writeln!(
            html,
            "<p>To {} {}; significance {}, power {}, smallest difference {}.</p>",
            if experiment.maximize { "maximize" } else { "minimize" },
            code(&experiment.goal),
            Value::Fraction(experiment.significance),
            Value::Fraction(experiment.power),
            code(&experiment.smallest)
        );
    }
    html.push_str(&folded("A row has ", &deploy.columns));
    html
}

/// What a monitor watches.
pub fn monitor(index: usize, chapter: &Chapter, monitor: &Monitor) -> String {
    let mut html = format!(
        "<p>Watches {} every {} over {}{}; without data: {}.</p>\n",
        to_node(index, &chapter.document, &monitor.deployment),
        lasting(monitor.every_seconds),
        lasting(monitor.over_seconds),
        monitor
            .reference
            .as_ref()
            .map(|from| format!(", against {}", output(index, chapter, from)))
            .unwrap_or_default(),
        monitor.on_no_data
    );
    html.push_str(&list("Watches", monitor.watches.iter().map(|text| code(text))));
    for breach in &monitor.breaches {
        let windows =
            if breach.windows == 1 { "a breach".to_owned() } else { format!("{} windows in breach", breach.windows) };
        html.push_str(&list(&format!("After {windows}"), breach.actions.iter().map(|text| code(text))));
    }
    html
}

/// What starts a run.
pub fn trigger(index: usize, chapter: &Chapter, trigger: &Trigger) -> String {
    let when = match &trigger.on {
        Event::Schedule { cron, zone } => format!("At {} in {}", code(cron), escape(zone)),
        Event::Change { data } => format!("When {} changes", to_node(index, &chapter.document, data)),
        Event::Webhook { name, signed } => {
            format!("When somebody posts to {}{}", code(name), if *signed { ", signed" } else { "" })
        }
        Event::Commit { branch } => format!("When {} has another head", code(branch)),
        Event::End { pipeline } => format!("When a run of {} has ended", code(pipeline)),
    };
    let given: Vec<String> = trigger.parameters.iter().map(|(name, value)| code(&format!("{name}: {value}"))).collect();
    let given = if given.is_empty() { String::new() } else { format!(", with {}", given.join(", ")) };
    format!("<p>{when}{given}.</p>\n")
}
