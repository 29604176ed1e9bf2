//! Findings: what is wrong, where, and what to do next.
//!
//! A finding is a value. Who prints it, and as what (text, JSON, SARIF), is the business of the binary. The engine's
//! crates use the same type for mistakes in data, so that a bad cell and a bad line of `.mlp` read alike.

use crate::span::Span;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// The stable identity of a kind of finding. Codes are never reused for something else.
///
/// `E01xx` syntax, `E02xx` names, `E03xx` types and units, `E04xx` graph and declarations, `E09xx` known to the
/// language but not to this version; `W0xxx` lints; `D0xxx` data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Code {
    /// `E0203`.
    pub id: Cow<'static, str>,
    /// `unknown-step`.
    pub name: Cow<'static, str>,
}

impl Code {
    /// A code, for a constant.
    pub const fn new(id: &'static str, name: &'static str) -> Code {
        Code { id: Cow::Borrowed(id), name: Cow::Borrowed(name) }
    }

    /// Whether it is of a lint: has a level, and can be silenced.
    pub fn is_lint(&self) -> bool {
        self.id.starts_with('W')
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing runs until it is mended.
    Error,
    /// It runs; it is probably not what was meant.
    Warning,
}

/// Where a label points.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In a `.mlp` file.
    Source {
        /// The path as the user wrote it.
        path: Arc<str>,
        /// The bytes meant.
        span: Span,
    },
    /// In a data file.
    Data {
        /// The path as the user wrote it.
        path: Arc<str>,
        /// Data row, one-based, the header not counted. Absent when the finding is about the whole file.
        row: Option<u64>,
        /// Line of the file, one-based: what an editor shows. Differs from `row` by the header and quoted newlines.
        line: Option<u64>,
        /// The column's name.
        column: Option<String>,
    },
}

/// A place with a few words on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there, in a few words. May be empty.
    pub text: String,
}

/// How sure a fix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Safety {
    /// Means what the author wrote; may be applied unasked.
    Safe,
    /// Probably what the author meant; a person decides.
    Unsafe,
}

/// A change to the text that mends the finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does: "write `10%`".
    pub title: String,
    /// Replacements, in order, not overlapping.
    pub edits: Vec<Edit>,
    /// How sure it is.
    pub safety: Safety,
}

/// Replace these bytes by this text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The bytes replaced.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which kind.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// One sentence in the user's words, without a full stop.
    pub message: String,
    /// The place that is wrong.
    pub primary: Label,
    /// Places that explain it.
    pub secondary: Vec<Label>,
    /// What to know.
    pub notes: Vec<String>,
    /// What to do next.
    pub help: Option<String>,
    /// A change that mends it.
    pub fix: Option<Fix>,
}

impl Finding {
    /// An error at `place`. The message is one sentence in the user's words: "no step is named `trian`".
    pub fn error(code: Code, place: Place, message: impl Into<String>) -> Finding {
        Finding {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { place, text: String::new() },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A lint at `place`.
    pub fn warning(code: Code, place: Place, message: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, place, message) }
    }

    /// A few words on the primary place.
    pub fn label(mut self, text: impl Into<String>) -> Finding {
        self.primary.text = text.into();
        self
    }

    /// Another place that explains it.
    pub fn also(mut self, place: Place, text: impl Into<String>) -> Finding {
        self.secondary.push(Label { place, text: text.into() });
        self
    }

    /// Something to know.
    pub fn note(mut self, text: impl Into<String>) -> Finding {
        self.notes.push(text.into());
        self
    }

    /// What to do next.
    pub fn help(mut self, text: impl Into<String>) -> Finding {
        self.help = Some(text.into());
        self
    }

    /// A replacement of one range that mends it.
    pub fn fix(mut self, title: impl Into<String>, span: Span, text: impl Into<String>, safety: Safety) -> Finding {
        self.fix = Some(Fix { title: title.into(), edits: vec![Edit { span, text: text.into() }], safety });
        self
    }

    /// Whether it stops a run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
