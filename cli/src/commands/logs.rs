//! `mlp logs`: what the steps of a run said.

use super::{follow, project_here};
use crate::args::Logs;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::render::json;
use crate::render::text::{clean, some_of};
use crate::screen::Screen;
use mlp_core::history::{History, Log};
use mlp_core::view::{NodeView, RunView};
use mlp_lang::import::nearest;

/// Prints the logs of one step, or of all of them.
pub fn logs(screen: &Screen, args: &Logs) -> Result<Exit, Fault> {
    let history = History::open(&project_here(&screen.options)?);
    let run = history.run(&args.run)?;
    let number = run.started.run;
    let nodes: Vec<&NodeView> = match &args.node {
        Some(name) => vec![node(&run, name.split_once('[').map_or(name.as_str(), |(of, _)| of))?],
        None => run.nodes.iter().collect(),
    };
    let names = names(&nodes, args.node.as_deref());
    if let (Some(name), []) = (&args.node, names.as_slice()) {
        let known = nodes.iter().flat_map(|node| &node.members).map(|member| member.name.as_str());
        let fault = Fault::usage(format!("nothing is known of `{name}` in run {number}"));
        return Err(fault.next(format!("it has {}", some_of(known))));
    }
    if args.follow {
        return follow::follow(screen, &history, number, args.node.as_deref());
    }
    let mut logs: Vec<(String, Log)> = Vec::new();
    for name in names {
        logs.extend(history.logs(&run, name).into_iter().map(|log| (name.to_owned(), log)));
    }
    if screen.is_json() {
        screen.print_json(&json::logs(number, &logs), false)?;
        return Ok(Exit::Done);
    }
    screen.print(&text(&logs, args.node.is_none()))?;
    if logs.is_empty() && !screen.options.quiet {
        screen.say(&format!("{}\n", nothing(&run, args.node.is_some().then(|| nodes[0]))));
    }
    Ok(Exit::Done)
}

/// Everything that has logs: nodes, and members of steps for each of several values; or the one member that is named.
fn names<'a>(nodes: &[&'a NodeView], wanted: Option<&'a str>) -> Vec<&'a str> {
    let all = nodes.iter().flat_map(|node| {
        std::iter::once(node.name.as_str()).chain(node.members.iter().map(|member| member.name.as_str()))
    });
    match wanted.filter(|name| name.contains('[')) {
        Some(member) => all.filter(|name| *name == member).collect(),
        None => all.collect(),
    }
}

/// The node of this name, or which there are.
pub fn node<'a>(run: &'a RunView, name: &str) -> Result<&'a NodeView, Fault> {
    run.node(name).ok_or_else(|| {
        let number = run.started.run;
        let names = || run.nodes.iter().map(|node| node.name.as_str());
        Fault::usage(format!("run {number} has no node named `{name}`")).next(match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`? it has {}", some_of(names())),
            None => format!("it has {}", some_of(names())),
        })
    })
}

fn text(logs: &[(String, Log)], named: bool) -> String {
    let mut text = String::new();
    for (node, log) in logs {
        for line in log.text.lines() {
            match named {
                true => text.push_str(&format!("{} | {}\n", clean(node), clean(line))),
                false => text.push_str(&format!("{}\n", clean(line))),
            }
        }
    }
    text
}

fn nothing(run: &RunView, node: Option<&NodeView>) -> String {
    let number = run.started.run;
    match node {
        Some(NodeView { name, from: Some(from), .. }) => {
            format!("`{name}` was reused in run {number}; what it said when it ran: mlp logs {from} {name}")
        }
        Some(node) => format!("`{}` said nothing in run {number}", node.name),
        None => format!("no step said anything in run {number}"),
    }
}
