//! What would run, and why.

use crate::digest::Digest;
use mlp_lang::pipeline::NodeId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The decision for each node of a pipeline, in its order, before anything runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// One per node, in topological order.
    pub nodes: Vec<PlannedNode>,
}

/// The decision for one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// Which.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// `data`, `step`, `gate`, `model`.
    pub kind: String,
    /// What runs, for people: `std/classify.evaluate`, `csv data/x.csv`.
    pub what: String,
    /// What is to be done.
    pub decision: Decision,
}

/// What is to be done with a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Its result is in the cache.
    Reuse {
        /// Of what it would run.
        fingerprint: Digest,
        /// The run that made it.
        run: u64,
    },
    /// It runs, for these reasons (never empty).
    Run {
        /// Known unless an input is yet to be made.
        fingerprint: Option<Digest>,
        /// In words, most telling first.
        reasons: Vec<Reason>,
    },
    /// A gate or a model: decided anew in each run, from what its steps gave.
    Decide,
    /// `when` is false.
    Skip {
        /// In words.
        reason: String,
    },
}

/// One reason to run, with the words for people derived from it by `Display`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Never ran in this project.
    New,
    /// A fact of its manifest differs from when it last ran: `setting seed changed from 7 to 8`,
    /// `data/customers.csv changed (1f2e.. -> 9a8b..)`, `std/classify changed from 0.1.0 to 0.2.0`.
    Changed {
        /// What: `setting seed`, `input rows`, `module std/classify`, `component std/classify 0.1.0`, `file data/x.csv`,
        /// `column age`, `output clf`; else the name of a fact about what runs.
        what: String,
        /// Then. Absent: it was not there.
        from: Option<String>,
        /// Now. Absent: it is gone.
        to: Option<String>,
    },
    /// An input comes from a node that runs itself; if that gives the same bytes as before, this is reused after all.
    Upstream {
        /// Which node.
        node: String,
        /// Feeding which input.
        input: String,
    },
    /// The cache names artifacts that are no longer there or no longer have their digest.
    Lost {
        /// Which output.
        output: String,
    },
    /// The command line asked for it.
    Forced,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::New => f.write_str("it never ran"),
            Reason::Changed { what, from, to } => changed(f, what, from.as_deref(), to.as_deref()),
            Reason::Upstream { node, input } => write!(f, "input `{input}` comes from `{node}`, which re-runs"),
            Reason::Lost { output } if output.is_empty() => f.write_str("its result is no longer kept"),
            Reason::Lost { output } => write!(f, "output `{output}` is gone or damaged"),
            Reason::Forced => f.write_str("forced"),
        }
    }
}

/// The words depend on what kind of thing changed: its first word says so.
fn changed(f: &mut fmt::Formatter<'_>, what: &str, from: Option<&str>, to: Option<&str>) -> fmt::Result {
    let (kind, name) = what.split_once(' ').unwrap_or((what, ""));
    match (kind, from, to) {
        ("file", Some(from), Some(to)) => write!(f, "{name} changed (content {} -> {})", brief(from), brief(to)),
        ("file", _, _) => write!(f, "{name} cannot be read"),
        ("component", Some(from), Some(to)) => write!(f, "{name} was rebuilt ({} -> {})", brief(from), brief(to)),
        ("module", Some(from), Some(to)) if !name.is_empty() => write!(f, "{name} changed from {from} to {to}"),
        ("list", _, _) => write!(f, "the {what} changed"),
        ("setting" | "input" | "output" | "column", from, to) => {
            write!(f, "{kind} `{name}` ")?;
            from_to(f, from, to)
        }
        (_, from, to) => {
            write!(f, "{what} ")?;
            from_to(f, from, to)
        }
    }
}

fn from_to(f: &mut fmt::Formatter<'_>, from: Option<&str>, to: Option<&str>) -> fmt::Result {
    match (from.map(brief), to.map(brief)) {
        (Some(from), Some(to)) => write!(f, "changed from {from} to {to}"),
        (None, Some(to)) => write!(f, "is new ({to})"),
        (Some(from), None) => write!(f, "is gone (was {from})"),
        (None, None) => f.write_str("changed"),
    }
}

/// Digests by their first digits; anything longer than a line by its beginning.
fn brief(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 80;
    let hex = text.strip_prefix("blake3:").unwrap_or(text);
    if let Some(digest) = Digest::parse(hex) {
        return digest.short().into();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(what: &str, from: Option<&str>, to: Option<&str>) -> String {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Reason::Changed { what: what.to_owned(), from: owned(from), to: owned(to) }.to_string()
    }

    #[test]
    fn reasons_read_as_sentences() {
        let (a, b) = (Digest::of(b"a").to_string(), Digest::of(b"b").to_string());
        assert_eq!(changed("setting c", Some("1"), Some("2")), "setting `c` changed from 1 to 2");
        assert_eq!(changed("setting by", None, Some("[]")), "setting `by` is new ([])");
        assert_eq!(
            changed("file data/x.csv", Some(&a), Some(&b)),
            "data/x.csv changed (content 17762fddd969 -> 10e5cf3d3c8a)"
        );
        assert_eq!(changed("file data/x.csv", Some(&a), None), "data/x.csv cannot be read");
        assert_eq!(
            changed("module std/classify", Some("0.1.0"), Some("0.2.0")),
            "std/classify changed from 0.1.0 to 0.2.0"
        );
        assert_eq!(
            changed("component std/classify 0.1.0", Some(&a), Some(&format!("blake3:{b}"))),
            "std/classify 0.1.0 was rebuilt (17762fddd969 -> 10e5cf3d3c8a)"
        );
        assert_eq!(changed("reader", Some("csv 1"), Some("csv 2")), "reader changed from csv 1 to csv 2");
    }
}
