//! A node as a card: what it is, where it comes from, what it gives.

use super::parts::{doc, lines, link, table};
use super::{Chapter, anchor, live, node_anchor, to_node};
use crate::render::export::{Column, Gate, Input, Kind, Node, Output, Reference, Step, Tune, Work, Written};
use crate::render::graph::{lasting, word};
use crate::render::page::escape;
use mlp_lang::value::Value;
use std::fmt::Write;

/// The card of a node.
pub fn card(index: usize, chapter: &Chapter, node: &Node) -> String {
    let inside = match &node.kind {
        Kind::Data(data) => {
            let schema = data
                .declared_schema
                .as_deref()
                .map(|schema| format!(" of schema {}", link(&anchor(index, "schema", schema), schema)));
            let place = match (&data.source.path, &data.source.output) {
                (Some(path), _) => format!("<code>{}</code> from <code>{}</code>", data.source.form, escape(path)),
                (None, Some(from)) => format!("The output {}", output(index, chapter, from)),
                (None, None) => String::new(),
            };
            let mut html = format!("<p>{place}{}</p>\n", schema.unwrap_or_default());
            if let Some(query) = &data.source.query {
                let _ = writeln!(html, "<pre>{}</pre>", lines(query));
            }
            html.push_str(&list("Expects", data.expectations.iter().map(|text| code(text))));
            if let Some(rule) = data.pii {
                let _ = writeln!(html, "<p>Personal data: {rule}.</p>");
            }
            html
        }
        Kind::Step(step) => body_of_step(index, chapter, step),
        Kind::Tune(tune) => body_of_tune(index, chapter, tune),
        Kind::Gate(gate) => body_of_gate(gate),
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
        Kind::Deploy(deploy) => live::deploy(index, chapter, deploy),
        Kind::Monitor(monitor) => live::monitor(index, chapter, monitor),
        Kind::Trigger(trigger) => live::trigger(index, chapter, trigger),
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
    let mut html = work(&step.does);
    let inputs = step.inputs.iter().map(|(name, from)| {
        let from = match from {
            Input::Output(from) => output(index, chapter, from),
            Input::File { file } => format!("the file {}", code(file)),
            Input::Folder { folder } => format!("the folder {}", code(folder)),
        };
        vec!["input".to_owned(), code(name), from, String::new()]
    });
    // What is left out says nothing.
    let settings = settings(&step.does)
        .filter(|(_, setting)| !setting.value.is_null())
        .map(|(name, value)| vec!["setting".to_owned(), code(name), code(&value.written), String::new()]);
    let rows: Vec<Vec<String>> = inputs.chain(settings).chain(step.outputs.iter().map(given)).collect();
    html.push_str(&table(&["", "", "", ""], rows));
    html.push_str(&limits(step));
    html
}

/// What a step does.
fn work(work: &Work) -> String {
    match work {
        Work::Module { module, version, digest, step, .. } => {
            let short = module.rsplit('/').next().unwrap_or_default();
            format!(
                "<p><a href=\"#module-{0}-{1}\"><code>{2}.{1}</code></a> <small>{3} {4}</small></p>\n",
                escape(digest),
                escape(step),
                escape(short),
                escape(module),
                escape(version)
            )
        }
        Work::Program { runner, from, run, environment, network, .. } => {
            let mut html = match (*runner, from) {
                ("docker", Some(image)) => format!("<p>In the container {}", code(image)),
                ("build", Some(folder)) => format!("<p>In a container built from {}", code(folder)),
                _ => "<p>As a process of the machine".to_owned(),
            };
            html.push_str(match network.first().map(String::as_str) {
                None | Some("none") => ", without network",
                Some("all") => ", with the whole network",
                Some(_) => ", with a part of the network",
            });
            html.push_str(".</p>\n");
            if !run.is_empty() {
                let _ = writeln!(html, "<pre>{}</pre>", lines(&run.join(" ")));
            }
            html.push_str(&list("Its environment has", environment.iter().map(|name| code(name))));
            html
        }
        Work::Query { sql } => format!("<pre>{}</pre>\n", lines(sql)),
        Work::Fan { variable, values, each } => {
            let values: Vec<String> = values.iter().map(|value| code(&value.written)).collect();
            format!("{}<p>For each {} of {}.</p>\n", self::work(each), code(variable), values.join(", "))
        }
    }
}

fn settings(work: &Work) -> impl Iterator<Item = (&String, &Written)> {
    let mut work = work;
    while let Work::Fan { each, .. } = work {
        work = each;
    }
    let settings = match work {
        Work::Module { settings, .. } | Work::Program { settings, .. } => Some(settings),
        Work::Query { .. } | Work::Fan { .. } => None,
    };
    settings.into_iter().flatten()
}

/// An output as a row.
fn given((name, given): (&String, &Output)) -> Vec<String> {
    let more = match (&given.columns, &given.metrics) {
        (Some(columns), _) => columns_of(columns),
        (_, Some(metrics)) => {
            metrics.iter().map(|(name, ty)| code(&format!("{name}: {ty}"))).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    };
    vec!["output".to_owned(), code(name), code(&given.ty), more]
}

fn limits(step: &Step) -> String {
    let limits = &step.limits;
    let mut told = Vec::new();
    told.extend(limits.timeout_seconds.map(|seconds| format!("at most {}", lasting(seconds))));
    told.extend(limits.memory_bytes.map(|bytes| format!("{} of memory", Value::Size(bytes))));
    told.extend(limits.cpu.map(|cpu| format!("{cpu} processors")));
    told.extend((limits.gpu > 0).then(|| format!("{} GPU", limits.gpu)));
    told.extend((limits.retry > 0).then(|| format!("tried again {} times", limits.retry)));
    told.extend((!step.cache).then(|| "never reused".to_owned()));
    match told.is_empty() {
        true => String::new(),
        false => format!("<p class=\"used\">{}</p>\n", escape(&told.join(", "))),
    }
}

fn body_of_tune(index: usize, chapter: &Chapter, tune: &Tune) -> String {
    let mut html = format!(
        "<p>Looks for the settings of {} that {} {}: {} trials, {} at once.</p>\n",
        to_node(index, &chapter.document, &tune.over),
        if tune.maximize { "maximize" } else { "minimize" },
        code(&tune.goal),
        tune.trials,
        tune.parallel
    );
    let space = tune.space.iter().map(|(name, space)| vec!["tries".to_owned(), code(name), code(space), String::new()]);
    html.push_str(&table(&["", "", "", ""], space.chain(tune.outputs.iter().map(given))));
    html
}

fn body_of_gate(gate: &Gate) -> String {
    let because = |because: &Option<String>| because.as_deref().map(escape).unwrap_or_default();
    let requirements = gate.requirements.iter().map(|one| {
        let unless = if one.unless_first { " <small>unless first</small>" } else { "" };
        vec![format!("{}{unless}", code(&one.condition)), because(&one.because)]
    });
    let policies =
        gate.policies.iter().map(|policy| vec![format!("the policy {}", code(&policy.path)), because(&policy.because)]);
    let approvals = gate.approvals.iter().map(|approval| {
        let within = approval.within_seconds.map(|seconds| format!(" within {}", lasting(seconds))).unwrap_or_default();
        let people = escape(&approval.people.join(", "));
        vec![format!("approval by {} of {people}{within}", approval.count), String::new()]
    });
    table(&["requires", "because"], requirements.chain(policies).chain(approvals))
}

fn columns_of(columns: &[Column]) -> String {
    folded("", columns)
}

/// The columns behind a line that says how many there are.
pub fn folded(before: &str, columns: &[Column]) -> String {
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

/// One output of one node, with a link to it.
pub fn output(index: usize, chapter: &Chapter, from: &Reference) -> String {
    let text = format!("{}.{}", from.node, from.output);
    match node_anchor(index, &chapter.document, &from.node) {
        Some(anchor) => link(&anchor, &text),
        None => code(&text),
    }
}

/// A few lines under a few words; nothing without lines.
pub fn list(title: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items.map(|item| format!("<li>{item}</li>")).collect();
    match items.is_empty() {
        true => String::new(),
        false => format!("<p class=\"over\">{}</p>\n<ul class=\"plain\">{items}</ul>\n", escape(title)),
    }
}

/// As code.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}
