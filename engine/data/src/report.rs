//! Findings as they come in, bounded: a column of a million bad cells makes ten findings and one exact count.

use mlp_lang::finding::{Code, Finding, Place};
use std::collections::HashMap;
use std::sync::Arc;

/// Shown per kind and column.
const PER_GROUP: u64 = 10;
/// Shown in all.
const IN_ALL: usize = 100;

/// Collects what is wrong with one file.
pub(crate) struct Report {
    path: Arc<str>,
    findings: Vec<Finding>,
    groups: HashMap<(Code, Option<String>), Group>,
    unshown: u64,
}

struct Group {
    total: u64,
    last: usize,
}

/// A row as people find it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    /// One-based, the header not counted; 0 is no row at all.
    pub row: u64,
    /// One-based line of a text file; 0 is unknown.
    pub line: u64,
}

impl Report {
    /// Nothing found yet in the file that messages call `shown`.
    pub fn new(shown: &str) -> Report {
        Report { path: shown.into(), findings: Vec::new(), groups: HashMap::new(), unshown: 0 }
    }

    /// Whether nothing is wrong so far.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// A place in this file.
    pub fn place(&self, at: At, column: Option<&str>) -> Place {
        Place::Data {
            path: self.path.clone(),
            row: (at.row > 0).then_some(at.row),
            line: (at.line > 0).then_some(at.line),
            column: column.map(str::to_owned),
        }
    }

    /// Counts one finding of kind `code` and, unless enough of its kind are shown already, keeps what `make` says.
    /// `make` adds to a finding that has its code, place and message.
    pub fn add(
        &mut self,
        code: Code,
        at: At,
        column: Option<&str>,
        message: impl FnOnce() -> String,
        make: impl FnOnce(Finding) -> Finding,
    ) {
        let next = self.findings.len();
        let key = (code.clone(), column.map(str::to_owned));
        let full = next >= IN_ALL;
        match self.groups.get_mut(&key) {
            Some(group) => {
                group.total += 1;
                if group.total > PER_GROUP || full {
                    return;
                }
                group.last = next;
            }
            None if full => {
                self.unshown += 1;
                return;
            }
            None => {
                self.groups.insert(key, Group { total: 1, last: next });
            }
        }
        let place = self.place(at, column);
        self.findings.push(make(Finding::error(code, place, message())));
    }

    /// The findings, each kind's last one saying how many more there are.
    pub fn finish(mut self) -> Vec<Finding> {
        let mut shown: HashMap<(Code, Option<String>), u64> = HashMap::new();
        for finding in &self.findings {
            let Place::Data { column, .. } = &finding.primary.place else { continue };
            *shown.entry((finding.code.clone(), column.clone())).or_default() += 1;
        }
        for (key, group) in &self.groups {
            let more = group.total - shown.get(key).copied().unwrap_or(0);
            if more > 0 {
                let in_column = key.1.as_deref().map_or(String::new(), |c| format!(" in column {}", quoted(c)));
                let note = format!("and {} more of this kind{in_column}", thousands(more));
                self.findings[group.last].notes.push(note);
            }
        }
        if let (Some(last), true) = (self.findings.last_mut(), self.unshown > 0) {
            last.notes.push(format!("and {} more findings of other kinds or columns", thousands(self.unshown)));
        }
        self.findings
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A cell's text for a message: quoted, what cannot be seen escaped, never long.
pub fn quoted(text: &str) -> String {
    quoted_up_to(60, text)
}

/// The same for texts such as paths, of which the end matters too.
pub(crate) fn quoted_up_to(longest: usize, text: &str) -> String {
    let mut out = String::from("`");
    for (i, c) in text.chars().enumerate() {
        if i == longest {
            out.push_str("...");
            break;
        }
        if is_unseen(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.push('`');
    out
}

/// Whether a reader of a message would not see this character, or take it for a plain space: control and format
/// characters (Unicode Cc and Cf: zero widths, directions, byte order marks, tags) and white space beyond ASCII.
pub(crate) fn is_unseen(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && !c.is_ascii())
        || matches!(c,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}')
}

/// The name nearest to `wanted` but not the same, if one is near enough to be a slip of the pen.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let fold = |name: &str| name.chars().filter(|c| !is_unseen(*c)).collect::<String>().trim().to_lowercase();
    let folded = fold(wanted);
    if folded.len() > 200 {
        return None;
    }
    let length = folded.chars().count();
    // Of a single letter nothing would be left to be alike.
    let most = if length == 1 { 0 } else { (length / 3).max(1) };
    names
        .filter(|n| *n != wanted && n.len().abs_diff(wanted.len()) <= most + 4 && n.len() <= 200)
        .map(|n| (strsim::osa_distance(&folded, &fold(n)), n))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, n)| n)
}
