//! A node as a card: what it is, where it comes from, what it gives.

use super::parts::{doc, link, table};
use super::{Chapter, anchor, node_anchor, to_node};
use crate::render::export::{Column, Deploy, Event, Kind, Monitor, Node, Reference, Stage, Step};
use crate::render::graph::{lasting, word};
use crate::render::page::escape;
use std::fmt::Write;

/// The card of a node.
pub fn card(index: usize, chapter: &Chapter, node: &Node) -> String {
    let inside = match &node.kind {
        Kind::Data(data) => {
            let schema = data
                .declared_schema
                .as_deref()
                .map(|schema| format!(" of schema {}", link(&anchor(index, "schema", schema), schema)));
            let mut html = format!(
                "<p><code>{}</code> from <code>{}</code>{}</p>\n",
                escape(data.source.form),
                escape(&data.source.path),
                schema.unwrap_or_default()
            );
            html.push_str(&list("Expects", data.expectations.iter().map(|text| code(text))));
            html
        }
        Kind::Step(step) => body_of_step(index, chapter, step),
        Kind::Gate(gate) => table(
            &["requires", "because"],
            gate.requirements.iter().map(|one| {
                let unless = if one.unless_first { " <small>unless first</small>" } else { "" };
                vec![
                    format!("{}{unless}", code(&one.condition)),
                    one.because.as_deref().map(escape).unwrap_or_default(),
                ]
            }),
        ),
        Kind::Model(model) => {
            let mut html = format!("<p>{} of {}", escape(&model.flavor), output(index, chapter, &model.source));
            if !model.gates.is_empty() {
                let gates: Vec<String> =
                    model.gates.iter().map(|gate| to_node(index, &chapter.document, gate)).collect();
                let _ = write!(html, ", behind {}", gates.join(", "));
            }
            html.push_str("</p>\n");
            html.push_str(&table(&["", ""], model.card.iter().map(|(key, text)| vec![escape(key), escape(text)])));
            html
        }
        Kind::Registry(entry) => format!(
            "<p>A {} that an earlier run registered: {} of {}{}.</p>\n",
            escape(&entry.flavor),
            match entry.pick.as_str() {
                "latest" => "the newest version".to_owned(),
                pick if pick.bytes().all(|byte| byte.is_ascii_digit()) => format!("version {}", escape(pick)),
                pick => format!("what {} serves", to_node(index, &chapter.document, pick)),
            },
            to_node(index, &chapter.document, &entry.model),
            if entry.required { "" } else { ", if there is one" }
        ),
        Kind::Deploy(deploy) => body_of_deploy(index, chapter, deploy),
        Kind::Monitor(monitor) => body_of_monitor(index, chapter, monitor),
        Kind::Trigger(trigger) => {
            let when = match &trigger.on {
                Event::Schedule { cron, zone } => format!("At {} in {}", code(cron), escape(zone)),
                Event::Change { data } => format!("When {} changes", to_node(index, &chapter.document, data)),
            };
            let given: Vec<String> =
                trigger.parameters.iter().map(|(name, value)| code(&format!("{name}: {value}"))).collect();
            let given = if given.is_empty() { String::new() } else { format!(", with {}", given.join(", ")) };
            format!("<p>{when}{given}.</p>\n")
        }
    };
    let when = node.when.as_deref().map(|when| format!("<p>Only when {}.</p>\n", code(when))).unwrap_or_default();
    format!(
        "<section class=\"card {}\" id=\"{}\"><h3>{} <small>line {}</small></h3>\n{}{inside}{when}{}</section>\n",
        word(node),
        anchor(index, word(node), &node.name),
        escape(&node.name),
        node.line,
        doc(node.doc.as_deref()),
        used_by(index, chapter, node)
    )
}

fn body_of_step(index: usize, chapter: &Chapter, step: &Step) -> String {
    let module = step.module.rsplit('/').next().unwrap_or_default();
    let mut html = format!(
        "<p><a href=\"#module-{0}-{1}\"><code>{2}.{1}</code></a> <small>{3} {4}</small></p>\n",
        escape(&step.digest),
        escape(&step.step),
        escape(module),
        escape(&step.module),
        escape(&step.version)
    );
    let inputs = step
        .inputs
        .iter()
        .map(|(name, from)| vec!["input".to_owned(), code(name), output(index, chapter, from), String::new()]);
    let settings = step
        .settings
        .iter()
        .map(|(name, value)| vec!["setting".to_owned(), code(name), code(&value.written), String::new()]);
    let outputs = step.outputs.iter().map(|(name, given)| {
        let more = match (&given.columns, &given.metrics) {
            (Some(columns), _) => columns_of(columns),
            (_, Some(metrics)) => {
                metrics.iter().map(|(name, ty)| code(&format!("{name}: {ty}"))).collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        };
        vec!["output".to_owned(), code(name), code(&given.ty), more]
    });
    let rows: Vec<Vec<String>> = inputs.chain(settings).chain(outputs).collect();
    html.push_str(&table(&["", "", "", ""], rows));
    html
}

fn columns_of(columns: &[Column]) -> String {
    folded("", columns)
}

/// The columns behind a line that says how many there are.
fn folded(before: &str, columns: &[Column]) -> String {
    let names = columns.iter().map(|column| {
        let missing = if column.nullable { "?" } else { "" };
        let label = if column.label { " label" } else { "" };
        code(&format!("{}: {}{missing}{label}", column.name, column.ty))
    });
    format!(
        "<details><summary>{before}{}</summary><p class=\"many\">{}</p></details>",
        if columns.len() == 1 { "1 column".to_owned() } else { format!("{} columns", columns.len()) },
        names.collect::<Vec<_>>().join(" ")
    )
}

fn body_of_deploy(index: usize, chapter: &Chapter, deploy: &Deploy) -> String {
    let mut html = format!(
        "<p>{} at <code>{}:{}</code>, by {}; rolled back within {}.</p>\n",
        to_node(index, &chapter.document, &deploy.model),
        escape(&deploy.host),
        deploy.port,
        escape(&deploy.strategy.kind.replace('_', " ")),
        lasting(deploy.rollback_within_seconds)
    );
    let stage = |stage: &Stage| {
        let share = mlp_lang::value::Value::Fraction(stage.share).to_string();
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
    html.push_str(&folded("A request has ", &deploy.columns));
    html
}

fn body_of_monitor(index: usize, chapter: &Chapter, monitor: &Monitor) -> String {
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

/// The nodes that need this one.
fn used_by(index: usize, chapter: &Chapter, node: &Node) -> String {
    let mut users: Vec<&str> = Vec::new();
    for edge in chapter.document.edges.iter().filter(|edge| edge.from == node.name) {
        if !users.contains(&edge.to.as_str()) {
            users.push(&edge.to);
        }
    }
    if users.is_empty() {
        return String::new();
    }
    let users: Vec<String> = users.iter().map(|name| to_node(index, &chapter.document, name)).collect();
    format!("<p class=\"used\">Used by {}</p>\n", users.join(", "))
}

fn output(index: usize, chapter: &Chapter, from: &Reference) -> String {
    let text = format!("{}.{}", from.node, from.output);
    match node_anchor(index, &chapter.document, &from.node) {
        Some(anchor) => link(&anchor, &text),
        None => code(&text),
    }
}

fn list(title: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("<li>{item}</li>")).collect();
    match items.is_empty() {
        true => String::new(),
        false => format!("<p class=\"over\">{}</p>\n<ul class=\"plain\">{items}</ul>\n", escape(title)),
    }
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}
