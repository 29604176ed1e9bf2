//! Deployments: where they stand, and what happened to them.

use super::table::{Cell, Table};
use super::text::{BAD, DIM, GOOD, STRONG, clean, one_line, styled};
use super::{time, verdicts};
use mlp_core::record::Millis;
use mlp_core::view::{NodeState, RunView};
use mlp_live::machine::Live;
use mlp_live::machine::monitor::{Monitor, WatchVerdict};
use mlp_live::machine::rollout::Deployment;
use serde_json::{Value, json};

/// What `mlp serve` says when it answers.
pub fn greeting(live: &Live, listening: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, url) in listening {
        let name = clean(name);
        text.push_str(&format!("{} answers at {url}/deployments/{name}/predict\n", styled(STRONG, &name)));
    }
    for (name, deployment) in live.deployments().filter(|(_, it)| it.is_declared() && it.stable().is_none()) {
        if deployment.rollout().is_none() {
            let file = live.file(deployment.pipeline()).unwrap_or("FILE");
            text.push_str(&format!("{} waits for its first version: mlp run {}\n", clean(name), clean(file)));
        }
    }
    text
}

/// Who serves now.
pub fn served_by(pid: u32, listening: &[(String, String)]) -> String {
    let at: Vec<&str> = listening.iter().map(|(_, url)| url.as_str()).collect();
    format!("served by process {pid} at {}\n", at.join(", "))
}

/// One line of the story.
pub fn line(at: Millis, about: &str, words: &str) -> String {
    format!("{}  {}  {}\n", styled(DIM, time::absolute(at)), styled(STRONG, clean(about)), one_line(words))
}

/// The same for programs.
pub fn json_line(at: Millis, about: &str, words: &str) -> Value {
    json!({ "schema": "mlp.told/1", "at": mlp_core::clock::rfc3339(at), "about": about, "words": words })
}

/// Everything that a name stands for in a story: a deployment with its monitors and its pipeline's triggers, a pipeline
/// with its deployments, a monitor alone. Empty: nothing.
pub fn about(live: &Live, name: &str) -> Vec<String> {
    let deployments: Vec<&str> = live
        .deployments()
        .filter(|(known, deployment)| *known == name || deployment.pipeline() == name)
        .map(|(known, _)| known)
        .collect();
    let monitors = live.monitors().filter(|(known, monitor)| {
        *known == name || monitor.pipeline() == name || deployments.contains(&monitor.node().deployment_name.as_str())
    });
    let mut about: Vec<String> = monitors.map(|(known, _)| known.to_owned()).collect();
    let pipelines: Vec<&str> =
        live.deployments().filter(|(known, _)| deployments.contains(known)).map(|(_, it)| it.pipeline()).collect();
    let triggers = live.triggers().filter(|(_, trigger)| pipelines.contains(&trigger.pipeline()));
    about.extend(triggers.map(|(key, _)| key.to_owned()));
    about.extend(deployments.into_iter().map(str::to_owned));
    about
}

/// Where deployments stand, and what their monitors say.
pub fn status(live: &Live, wanted: Option<&str>, now: Millis, width: Option<usize>) -> String {
    let mut text = String::new();
    for (name, deployment) in live.deployments().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name)) {
        text.push_str(&format!("{}: {}\n", styled(STRONG, clean(name)), clean(&deployment.words(now))));
        if let Some(measurement) = deployment.rollout().and_then(|rollout| rollout.last()) {
            text.push_str(&format!("  last check, {} requests:\n", measurement.requests));
            for line in &measurement.lines {
                text.push_str(&format!(
                    "    {:<12} {}\n",
                    format!("{:?}", line.verdict).to_lowercase(),
                    one_line(&line.words())
                ));
            }
        }
        for rejected in deployment.rejected().iter().rev().take(3) {
            let when = time::absolute(rejected.at);
            text.push_str(&format!("  {} was rejected at {when}: {}\n", rejected.offer, one_line(&rejected.why)));
        }
        for (monitor, it) in live.monitors().filter(|(_, it)| it.node().deployment_name == name) {
            text.push_str(&watched(monitor, it, width));
        }
    }
    if text.is_empty() {
        text.push_str("nothing is deployed in this project\n");
    }
    text
}

fn watched(name: &str, monitor: &Monitor, width: Option<usize>) -> String {
    let Some(last) = monitor.last() else {
        return format!("  {}: no window was judged yet\n", clean(name));
    };
    let mut table = Table::new(&[]);
    for verdict in &last.watches {
        let (style, mark) = match verdict.held {
            Some(true) => (GOOD, "ok"),
            Some(false) => (BAD, "no"),
            None => (DIM, "no data"),
        };
        let told = monitor.node().watches.get(verdict.watch as usize).map(|watch| verdict.told(watch));
        table.row([Cell::styled(style, mark), one_line(told.as_deref().unwrap_or(&verdict.text)).as_str().into()]);
    }
    let window = format!("{} to {}", time::absolute(last.window.from), time::absolute(last.window.to));
    format!("  {}, {window}:\n{}", clean(name), table.render("    ", width))
}

/// The same for programs.
pub fn status_json(live: &Live, wanted: Option<&str>) -> Value {
    let chosen = live.deployments().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
    let deployments: Vec<Value> = chosen.map(|(name, deployment)| one(live, name, deployment)).collect();
    json!({ "schema": "mlp.deploy/1", "deployments": deployments })
}

fn one(live: &Live, name: &str, deployment: &Deployment) -> Value {
    let routes = deployment.routes();
    let rollout = deployment.rollout().map(|rollout| {
        json!({
            "candidate": rollout.candidate().version,
            "began": mlp_core::clock::rfc3339(rollout.began()),
            "step": rollout.step().map(|(step, of)| json!({ "number": step + 1, "of": of })),
            "paused": rollout.paused(),
            "failures": rollout.failures(),
            "inconclusive": rollout.inconclusive(),
            "errors": rollout.errors(),
        })
    });
    let rejected = deployment.rejected().iter().map(|it| {
        json!({ "version": it.offer.version, "run": it.offer.run, "why": it.why, "at": mlp_core::clock::rfc3339(it.at) })
    });
    let monitors = live.monitors().filter(|(_, it)| it.node().deployment_name == name).map(|(monitor, it)| {
        let last = it.last();
        json!({
            "name": monitor,
            "state": format!("{:?}", it.state()).to_lowercase(),
            "breaches": it.streak(),
            "from": last.map(|last| mlp_core::clock::rfc3339(last.window.from)),
            "to": last.map(|last| mlp_core::clock::rfc3339(last.window.to)),
            "watches": last.map(|last| last.watches.iter().map(verdict).collect::<Vec<_>>()),
        })
    });
    json!({
        "name": name,
        "pipeline": deployment.pipeline(),
        "model": deployment.node().model_name,
        "state": snake(&format!("{:?}", deployment.state())),
        "stable": deployment.stable().map(|stable| stable.version),
        "previous": deployment.previous().map(|previous| previous.version),
        "routes": {
            "stable": routes.stable,
            "candidate": routes.candidate.map(|(version, share)| json!({ "version": version, "share": share })),
            "mirror": routes.mirror.map(|(version, share)| json!({ "version": version, "share": share })),
        },
        "rollout": rollout,
        "rejected": rejected.collect::<Vec<_>>(),
        "monitors": monitors.collect::<Vec<_>>(),
    })
}

fn verdict(verdict: &WatchVerdict) -> Value {
    json!({
        "text": verdict.text,
        "column": verdict.column,
        "rule": verdict.rule,
        "statistic": verdict.statistic,
        "threshold": verdict.threshold,
        "held": verdict.held,
        "rows": verdict.rows,
        "reference_rows": verdict.reference_rows,
        "words": verdict.words,
    })
}

/// `AwaitingPromotion` as `awaiting_promotion`.
fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// What a run decided, on one line: its gates with their numbers, its failures.
pub fn run_in_words(run: &RunView) -> String {
    let mut parts = Vec::new();
    for node in &run.nodes {
        match node.state {
            NodeState::Failed => {
                let why =
                    node.failure().map_or_else(|| node.reason.clone().unwrap_or_default(), |it| it.message.clone());
                parts.push(format!("{} {} failed: {why}", node.kind, node.name));
            }
            NodeState::Passed | NodeState::Blocked if node.kind == "gate" => {
                let word = if node.state == NodeState::Passed { "passed" } else { "said no" };
                let numbers: Vec<String> = node.verdicts.iter().map(verdicts::short).collect();
                parts.push(format!("gate {} {word}: {}", node.name, numbers.join(", ")));
            }
            _ => {}
        }
    }
    parts.join("; ")
}
