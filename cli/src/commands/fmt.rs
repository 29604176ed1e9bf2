//! `mlp fmt`: files in the one style, or whether they are.

use super::check::paths;
use crate::args::{Fmt, Output};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::render::text::{one_line, plural};
use crate::render::{diff, findings, json};
use crate::screen::Screen;
use mlp_lang::finding::Finding;
use mlp_lang::format::{Refusal, format};
use mlp_lang::span::Source;
use serde_json::json;
use std::path::Path;

/// What became of all files.
#[derive(Default)]
struct Done {
    sources: Vec<Source>,
    /// Of the files that are left as they are.
    findings: Vec<Finding>,
    faults: Vec<Fault>,
    /// The files that changed or would change, as the user named them.
    changed: Vec<String>,
    /// What goes to standard output: differences, or standard input formatted.
    out: String,
}

/// Formats every file; what is wrong with one does not keep the next from it.
pub fn fmt(screen: &Screen, args: &Fmt) -> Result<Exit, Fault> {
    let mut done = Done::default();
    for path in paths(&args.files, &mut done.faults) {
        let source = match &path {
            Some(path) => files::read(path),
            None => files::read_stdin(&args.stdin_name),
        };
        match source {
            Ok(source) => one(args, path.as_deref(), source, &mut done),
            Err(fault) => done.faults.push(fault),
        }
    }
    tell(screen, args, &done)?;
    let worst = done.faults.iter().map(|fault| fault.exit).max_by_key(|exit| exit.code());
    Ok(match worst {
        Some(exit) => exit,
        None if !done.findings.is_empty() => Exit::Usage,
        None if (args.check || args.diff) && !done.changed.is_empty() => Exit::Failed,
        None => Exit::Done,
    })
}

fn one(args: &Fmt, path: Option<&Path>, source: Source, done: &mut Done) {
    match format(&source) {
        Ok(text) => {
            let changes = text != *source.text;
            if args.diff && changes {
                done.out.push_str(&diff::unified(&source.path, &source.text, &text));
            }
            match path {
                None if !args.check && !args.diff => done.out.push_str(&text),
                Some(path) if changes && !args.check && !args.diff => {
                    if let Err(fault) = files::replace(path, &text) {
                        return done.faults.push(fault);
                    }
                }
                _ => {}
            }
            if changes {
                done.changed.push(source.path.to_string());
            }
        }
        Err(Refusal::Broken(findings)) => done.findings.extend(findings.into_iter().filter(Finding::is_error)),
        Err(Refusal::Unsafe(change)) => {
            let fault = Fault::new(format!("{} was not formatted", source.path));
            let fault = fault.cause(change).safe("the file is as it was");
            return done.faults.push(fault.next("this is a mistake in mlp: please report it with the file"));
        }
    }
    done.sources.push(source);
}

fn tell(screen: &Screen, args: &Fmt, done: &Done) -> Result<(), Fault> {
    if screen.options.output == Output::Json {
        let unreadable: Vec<_> = done.faults.iter().map(Fault::json).collect();
        let mut document = json::check(done.sources.len(), &done.findings, &done.sources, &unreadable);
        document["schema"] = json!("mlp.fmt/1");
        document["changed"] = json!(done.changed);
        document["written"] = json!(!args.check && !args.diff);
        return screen.print_json(&document, false);
    }
    screen.print(&done.out)?;
    if args.check {
        let names = done.changed.iter().map(|path| one_line(path) + "\n");
        screen.print(&names.collect::<String>())?;
    }
    screen.say(&findings::full(&done.findings, &done.sources, screen.width()));
    for fault in &done.faults {
        screen.fault(fault);
    }
    let from_stdin = args.files.iter().any(|file| file.as_os_str() == "-");
    let text_alone = from_stdin && done.faults.is_empty() && done.findings.is_empty();
    if !screen.options.quiet && !text_alone {
        screen.say(&summary(args, done));
    }
    Ok(())
}

/// `2 files formatted, 3 as they should be, 1 left as it is`
fn summary(args: &Fmt, done: &Done) -> String {
    let verb = if args.check || args.diff { "would be formatted" } else { "formatted" };
    let mut broken: Vec<&str> = done.findings.iter().filter_map(path_of).collect();
    broken.dedup();
    let fine = done.sources.len().saturating_sub(done.changed.len() + broken.len());
    let mut parts = Vec::new();
    if !done.changed.is_empty() {
        parts.push(format!("{} {verb}", plural(done.changed.len(), "file")));
    }
    if fine > 0 {
        parts.push(format!("{} formatted already", plural(fine, "file")));
    }
    if !broken.is_empty() {
        parts.push(format!("{} left with mistakes of syntax", plural(broken.len(), "file")));
    }
    if parts.is_empty() { String::new() } else { format!("{}\n", parts.join(", ")) }
}

fn path_of(finding: &Finding) -> Option<&str> {
    match &finding.primary.place {
        mlp_lang::finding::Place::Source { path, .. } => Some(path),
        mlp_lang::finding::Place::Data { .. } => None,
    }
}
