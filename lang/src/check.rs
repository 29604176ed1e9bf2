//! From a syntax tree to a checked pipeline.

use crate::finding::Finding;
use crate::pipeline::Pipeline;
use crate::signature::Modules;
use crate::span::Source;
use indexmap::IndexMap;

/// The outcome of a check.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Present exactly when no finding is an error.
    pub pipeline: Option<Pipeline>,
    /// In order of their place.
    pub findings: Vec<Finding>,
}

/// Checks one file. `overrides` are parameters given on the command line, as text in the syntax of their declared type.
pub fn check(source: &Source, _modules: &dyn Modules, _overrides: &IndexMap<String, String>) -> Checked {
    let syntax = crate::syntax::parse(source);
    Checked { pipeline: None, findings: syntax.findings }
}
