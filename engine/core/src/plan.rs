//! What would run, and why.

use crate::digest::Digest;
use mlp_lang::pipeline::NodeId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The decision for each node of a pipeline, in its order, before anything runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// One per node that a run carries out, in topological order.
    pub nodes: Vec<PlannedNode>,
    /// Monitors and triggers: `mlp serve` lives through them, a run has nothing to do with them.
    pub resident: Vec<ResidentNode>,
}

/// A node that only the resident engine lives through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidentNode {
    /// Its name.
    pub name: String,
    /// `monitor`, `trigger`.
    pub kind: String,
}

/// The decision for one node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedNode {
    /// Which.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// `data`, `step`, `gate`, `model`, `registry`, `deploy`.
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
    /// Its result is in the cache, or in the registry.
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
    /// A gate, a model or a deployment: decided anew in each run, from what its steps gave.
    Decide,
    /// `when` is false, or what it reads does not exist.
    Skip {
        /// In words.
        reason: String,
    },
}

/// Why a node is skipped that a run was not asked for: `--only` named others.
pub const NOT_ASKED_FOR: &str = "it was not asked for";

/// What of a pipeline is wanted, and how much of it anew.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Nodes to run even if their result is known.
    pub force: &'a [String],
    /// Only these nodes and what they need. Empty: everything.
    pub only: &'a [String],
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
    /// What it reads from the registry is another version now.
    Version {
        /// As written: `demand@production`.
        of: String,
        /// Then.
        from: u64,
        /// Now.
        to: u64,
    },
    /// The cache names artifacts that are no longer there or no longer have their digest.
    Lost {
        /// Which output.
        output: String,
    },
    /// Of a step for each of several values: the results of the other values are known.
    Each {
        /// How many run.
        run: u64,
        /// Of how many.
        of: u64,
    },
    /// The command line asked for it.
    Forced,
    /// `cache = false`: whatever is remembered of it.
    Uncached,
    /// What is known already is not as it must be: the run will fail here.
    Unexpected {
        /// Which expectations a table breaks, and what was measured; what is wrong with a version in the registry.
        why: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::New => f.write_str("it never ran"),
            Reason::Changed { what, from, to } => changed(f, what, from.as_deref(), to.as_deref()),
            Reason::Upstream { node, input } => write!(f, "input `{input}` comes from `{node}`, which re-runs"),
            Reason::Version { of, from, to } => write!(f, "{of} is now version {to}, was version {from}"),
            Reason::Lost { output } if output.is_empty() => f.write_str("its result is no longer kept"),
            Reason::Lost { output } => write!(f, "output `{output}` is gone or damaged"),
            Reason::Each { run: 0, of } => write!(f, "all {of} values are known, and are put together anew"),
            Reason::Each { run, of } => write!(f, "{run} of {of} values run, the others are known"),
            Reason::Forced => f.write_str("forced"),
            Reason::Uncached => f.write_str("it runs each time (`cache = false`)"),
            Reason::Unexpected { why } => write!(f, "it will fail: {why}"),
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
    match (from, to) {
        (Some(from), Some(to)) => {
            let (from, to) = told_apart(from, to);
            write!(f, "changed from {from} to {to}")
        }
        (None, Some(to)) => write!(f, "is new ({})", brief(to)),
        (Some(from), None) => write!(f, "is gone (was {})", brief(from)),
        (None, None) => f.write_str("changed"),
    }
}

/// Both sides of a change in brief, but never alike: of long ones what lies between the commas around the difference.
fn told_apart<'a>(from: &'a str, to: &'a str) -> (Cow<'a, str>, Cow<'a, str>) {
    let (short_from, short_to) = (brief(from), brief(to));
    if !short_from.ends_with(MORE) && !short_to.ends_with(MORE) {
        return (short_from, short_to);
    }
    let (before, after): (Vec<&str>, Vec<&str>) = (from.split(',').collect(), to.split(',').collect());
    let head = before.iter().zip(&after).take_while(|(a, b)| a == b).count();
    let tails = before[head..].iter().rev().zip(after[head..].iter().rev());
    let tail = tails.take_while(|(a, b)| a == b).count();
    let middle = |parts: &[&str]| parts[head..parts.len() - tail].join(",").trim().to_owned();
    let (from, to) = (middle(&before), middle(&after));
    let skipped = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count().saturating_sub(LONGEST / 2);
    let shown = |middle: &str| {
        let lead = if head > 0 || skipped > 0 { MORE } else { "" };
        let rest: String = middle.chars().skip(skipped).take(LONGEST).collect();
        let end = if tail > 0 || middle.chars().count() > skipped + LONGEST { MORE } else { "" };
        if rest.is_empty() { "nothing".into() } else { format!("{lead}{rest}{end}").into() }
    };
    (shown(&from), shown(&to))
}

/// Longer texts are shown in part.
const LONGEST: usize = 80;
/// Stands for what is not shown.
const MORE: &str = "...";

/// Digests by their first digits; anything longer than a line by its beginning.
fn brief(text: &str) -> Cow<'_, str> {
    let hex = text.strip_prefix("blake3:").unwrap_or(text);
    if let Some(digest) = Digest::parse(hex) {
        return digest.short().into();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}{MORE}", &text[..end]).into(),
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
        let version = Reason::Version { of: "demand@production".to_owned(), from: 2, to: 3 };
        assert_eq!(version.to_string(), "demand@production is now version 3, was version 2");
    }

    #[test]
    fn long_lists_show_what_differs() {
        let list = |last: &str| {
            let names: Vec<String> = (0..30).map(|n| format!("feature_{n}")).chain([last.to_owned()]).collect();
            format!("[{}, target]", names.join(", "))
        };
        let of = |from: &str, to: &str| changed("setting features", Some(from), Some(to));
        assert_eq!(of(&list("age"), &list("income")), "setting `features` changed from ...age... to ...income...");
        assert_eq!(of(&list("a"), &list("a, b")), "setting `features` changed from nothing to ...b...");
        let text = |end: &str| format!("{}{end}", "x".repeat(200));
        let same = "x".repeat(40);
        assert_eq!(of(&text("1"), &text("2")), format!("setting `features` changed from ...{same}1 to ...{same}2"));
    }
}
