//! From a syntax tree to a checked pipeline.
//!
//! ```
//! use mlp_lang::check::check;
//! use mlp_lang::signature::{ModuleError, ModuleSignature, Modules};
//! use mlp_lang::span::Source;
//! use std::sync::Arc;
//!
//! /// A checker without any module.
//! struct Nothing;
//!
//! impl Modules for Nothing {
//!     fn module(&self, path: &str) -> Result<Arc<ModuleSignature>, ModuleError> {
//!         Err(ModuleError::NotFound(path.to_owned()))
//!     }
//!
//!     fn known(&self) -> Vec<String> {
//!         Vec::new()
//!     }
//! }
//!
//! let text = "mlp 1\nschema Row { a: int }\ndata rows_in: Row {\n  source = csv(\"a.csv\")\n  expect missing(b) <= 2%\n}\n";
//! let checked = check(&Source::new("a.mlp", text), &Nothing, &Default::default());
//! assert!(checked.pipeline.is_none());
//! assert_eq!(checked.findings.len(), 1);
//! assert_eq!(checked.findings[0].code.name, "unknown-column");
//! ```

use crate::context::Context;
use crate::finding::{Finding, Place};
use crate::kept::Kept;
use crate::link::judge;
use crate::link::load::{FileId, World};
use crate::lower::{self, Lowered};
use crate::names::Names;
use crate::pipeline::Pipeline;
use crate::signature::Modules;
use crate::silence::Silenced;
use crate::span::Source;
use crate::syntax::codes::TOO_MANY_FINDINGS;
use crate::syntax::{MOST_FINDINGS, Syntax};
use indexmap::IndexMap;

#[cfg(test)]
mod tests;

/// The outcome of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Present exactly when no finding is an error (and, of [`inspect`], when each parameter has a value).
    pub pipeline: Option<Pipeline>,
    /// In order of their place; those in files that this one uses come last.
    pub findings: Vec<Finding>,
    /// Whether there is a pipeline; some of it may have been kept from the last check, which keeps no nodes.
    pub(crate) whole: bool,
    /// Lints that comments in the file silence.
    pub silenced: Vec<Silenced>,
    /// The file and all that it uses: what places of findings are in.
    pub sources: Vec<Source>,
}

/// Checks one file. `overrides` are parameters given on the command line, as text in the syntax of their declared type.
///
/// For a file that is about to run: a parameter without a value is an error.
pub fn check(source: &Source, modules: &dyn Modules, overrides: &IndexMap<String, String>) -> Checked {
    check_for(source, modules, overrides, Purpose::Run)
}

/// Checks one file as it stands, before anybody says with which parameters it will run. A parameter without a value is
/// no mistake then: its value is unknown, and what depends on it is not looked at further. The outcome has no pipeline if
/// there is such a parameter, even when nothing is wrong.
pub fn inspect(source: &Source, modules: &dyn Modules, overrides: &IndexMap<String, String>) -> Checked {
    check_for(source, modules, overrides, Purpose::Inspection)
}

/// What a file is checked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Run,
    Inspection,
}

/// What is asked about a file.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) modules: &'q dyn Modules,
    pub(crate) overrides: &'q IndexMap<String, String>,
    pub(crate) purpose: Purpose,
}

fn check_for(
    source: &Source,
    modules: &dyn Modules,
    overrides: &IndexMap<String, String>,
    purpose: Purpose,
) -> Checked {
    let question = Question { modules, overrides, purpose };
    check_and(source, &crate::syntax::parse(source), question, &mut Kept::default(), |_| ()).0
}

/// Checks what was parsed, and hands over what the checker knows at its end.
pub(crate) fn check_and<T>(
    source: &Source,
    syntax: &Syntax,
    question: Question<'_>,
    kept: &mut Kept,
    harvest: impl FnOnce(&Context<'_>) -> T,
) -> (Checked, T) {
    if !crate::link::joins(&syntax.file) {
        let (checked, harvested) = check_one(None, source, syntax, question, kept, harvest);
        return (Checked { sources: vec![source.clone()], ..checked }, harvested);
    }
    let mut world = World::load(source, syntax.clone(), question.modules);
    let mut findings = Vec::new();
    // A file is last in its own order.
    for id in world.order.clone().into_iter().filter(|id| *id != 0) {
        let (source, syntax) = (world.files[id].source.clone(), world.files[id].syntax.clone());
        let question = Question { overrides: &IndexMap::new(), purpose: Purpose::Inspection, ..question };
        let nothing = &mut Kept::default();
        let found = check_one(Some((&mut world, id)), &source, &syntax, question, nothing, |_| ());
        findings.extend(found.0.findings);
    }
    let (mut checked, harvested) = check_one(Some((&mut world, 0)), source, syntax, question, kept, harvest);
    for finding in findings {
        if !checked.findings.contains(&finding) {
            checked.findings.push(finding);
        }
    }
    shorten(source, &mut checked.findings);
    checked.whole &= !checked.findings.iter().any(Finding::is_error);
    checked.pipeline = checked.pipeline.filter(|_| checked.whole);
    checked.sources = world.files.into_iter().map(|file| file.source).collect();
    (checked, harvested)
}

/// Checks one file, as it is written or joined with what it uses.
fn check_one<T>(
    world: Option<(&mut World<'_>, FileId)>,
    source: &Source,
    syntax: &Syntax,
    question: Question<'_>,
    kept: &mut Kept,
    harvest: impl FnOnce(&Context<'_>) -> T,
) -> (Checked, T) {
    let Question { modules, overrides, purpose } = question;
    let broken = !syntax.findings.is_empty();
    let mut findings = syntax.findings.clone();
    let names = Names::collect(source, &syntax.file, &syntax.broken, &mut findings);
    let mut about_parts = Vec::new();
    let (mut linked, library) = (None, crate::link::is_library(&syntax.file));
    if let Some((world, id)) = world {
        about_parts = judge::definitions(world, id);
        findings.append(&mut world.files[id].findings.clone());
        linked = crate::link::link(world, id);
    }
    let before = findings.len();
    let mut cx = Context::new(source, &syntax.file, names, findings, linked.as_ref());
    cx.overridden = overrides.keys().cloned().collect();
    cx.kept = std::mem::take(kept);
    let Lowered { pipeline, whole: lowered } = lower::lower(&mut cx, modules, overrides, purpose);
    judge::fits(&mut cx);
    let whole = before..cx.findings.len();
    crate::lint::lint(&mut cx, broken, library);
    cx.count_repetitions();
    let harvested = harvest(&cx);
    *kept = std::mem::take(&mut cx.kept);
    let mut findings = judge::settle(&mut cx, whole, about_parts);
    let failed = findings.iter().any(Finding::is_error);
    // With other parameters, or without an error, there may be something to silence after all.
    let complete = !failed && lowered && overrides.is_empty();
    let silenced = crate::silence::silence(source, &syntax.file, &mut findings, complete);
    findings.sort_by_key(position);
    shorten(source, &mut findings);
    let mut pipeline = pipeline.filter(|_| !failed);
    if let (Some(pipeline), Some(linked)) = (&mut pipeline, &linked) {
        judge::place_nodes(pipeline, linked);
    }
    (Checked { pipeline, whole: lowered && !failed, findings, silenced, sources: Vec::new() }, harvested)
}

fn position(finding: &Finding) -> (u32, u32) {
    match &finding.primary.place {
        Place::Source { span, .. } => (span.start, span.end),
        Place::Data { .. } => (u32::MAX, u32::MAX),
    }
}

/// Nobody reads more than [`MOST_FINDINGS`]. `findings` are in order; what is left out is told once.
fn shorten(source: &Source, findings: &mut Vec<Finding>) {
    if findings.len() <= MOST_FINDINGS + 1 {
        return;
    }
    findings.retain(|finding| finding.code != TOO_MANY_FINDINGS);
    let left_out = findings.split_off(MOST_FINDINGS.min(findings.len()));
    let Some(first) = left_out.first() else { return };
    let place = match &first.primary.place {
        Place::Source { span, .. } => crate::context::place(source, *span),
        other => other.clone(),
    };
    findings.push(
        Finding::error(TOO_MANY_FINDINGS, place, format!("more than {MOST_FINDINGS} things are wrong"))
            .label("what is wrong from here on is not shown")
            .help("mend the first findings and check again"),
    );
}
