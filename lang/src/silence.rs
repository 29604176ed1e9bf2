//! Levels and silencers: which lints are heard, and how loudly.
//!
//! A silencer is a comment: `# mlp: allow(unused-param) because "read by the next version"`. Behind code it is about what
//! is found on its line. On a line of its own it is about what is found on the line below, or, when a declaration begins
//! there, in that whole declaration. Silencers are part of the check, so that every tool agrees on them. Levels are not:
//! they are what somebody wants to hear, and [`Levels::apply`] is called on what was found.
//!
//! Invariants: an error is never silenced, nor lowered. A silencer changes nothing but which lints are told. A silencer
//! that does nothing is told itself, unless an error may be the reason that it does nothing.

use crate::codes;
use crate::context::place;
use crate::finding::{Code, Edit, Finding, Place, Safety, Severity};
use crate::names::{nearest, suggest};
use crate::span::{Source, Span};
use crate::syntax::ast::File;
use crate::syntax::lexer::{Token, TokenKind, lex};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How loudly a lint is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Not at all.
    Allow,
    /// As a warning.
    Warn,
    /// As an error.
    Deny,
}

/// The levels that somebody asked for. What nobody asked for is a warning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Of all lints without a level of their own.
    all: Option<Level>,
    /// By code.
    own: BTreeMap<&'static str, Level>,
}

/// Why a level cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LevelError {
    /// No lint has this name.
    #[error("no lint has the name `{name}`")]
    Unknown {
        /// As given.
        name: String,
        /// The lint most like it.
        near: Option<&'static str>,
    },
    /// The name is that of an error.
    #[error("`{name}` is an error, and errors have no level")]
    NotALint {
        /// As given.
        name: String,
    },
    /// The lint was given another level before.
    #[error("`{name}` is given two levels")]
    Twice {
        /// As given.
        name: String,
    },
}

impl Levels {
    /// The name that stands for all lints.
    pub const ALL: &'static str = "warnings";

    /// Sets the level of a lint (by name or code), or of all that have none of their own (`warnings`).
    ///
    /// # Errors
    /// When there is no such lint, or when it has another level already: no order among them would be obvious.
    pub fn set(&mut self, name: &str, level: Level) -> Result<(), LevelError> {
        let before = match (name, named(name)) {
            (Levels::ALL, _) => self.all.replace(level),
            (_, Named::Lint(code)) => self.own.insert(&code.id, level),
            (_, Named::Error(_)) => return Err(LevelError::NotALint { name: name.to_owned() }),
            (_, Named::Nothing) => {
                return Err(LevelError::Unknown { name: name.to_owned(), near: nearest(name, lint_names()) });
            }
        };
        match before {
            Some(before) if before != level => Err(LevelError::Twice { name: name.to_owned() }),
            _ => Ok(()),
        }
    }

    /// The level of a lint.
    pub fn of(&self, code: &Code) -> Level {
        self.own.get(&*code.id).copied().or(self.all).unwrap_or(Level::Warn)
    }

    /// What is heard of these findings. Errors stay as they are.
    pub fn apply(&self, findings: Vec<Finding>) -> Vec<Finding> {
        let heard = findings.into_iter().filter_map(|finding| match (finding.severity, self.of(&finding.code)) {
            (Severity::Error, _) | (_, Level::Warn) => Some(finding),
            (_, Level::Deny) => Some(Finding { severity: Severity::Error, ..finding }),
            (_, Level::Allow) => None,
        });
        heard.collect()
    }
}

/// A lint that a comment silenced.
#[derive(Clone, Debug, PartialEq)]
pub struct Silenced {
    /// What would have been told.
    pub finding: Finding,
    /// `because "..."`
    pub because: Option<String>,
}

/// The change that silences a lint where it stands: behind its line, in the comment that silences others there, or, where the
/// line has another comment, on a line above. `None`: an error, a place that no comment can be about, or something wrong with
/// a silencer, which is better mended.
pub fn silencer(source: &Source, finding: &Finding) -> Option<Edit> {
    let Place::Source { path, span } = &finding.primary.place else { return None };
    let of_silencers = [codes::UNUSED_SILENCER, codes::UNKNOWN_LINT, codes::BAD_SILENCER, codes::NOT_A_LINT];
    let is_lint = finding.severity == Severity::Warning && finding.code.is_lint();
    if !is_lint || of_silencers.contains(&finding.code) || *path != source.path {
        return None;
    }
    let text = &*source.text;
    let tokens = lex(text);
    let from = tokens.partition_point(|token| token.span.end <= span.start);
    let line = tokens.get(from..)?;
    let end = line.iter().position(|token| token.kind == TokenKind::Newline).unwrap_or(line.len());
    // A line that ends inside of a text, or where one was left open, has no place for a comment.
    let closed = |token: &Token| match token.kind {
        TokenKind::StringText => !text[token.span.range()].contains('\n'),
        kind => !matches!(kind, TokenKind::Error(_)),
    };
    if !line[..end].iter().all(closed) {
        return None;
    }
    let code = &finding.code.name;
    let comment = line[..end].iter().find(|token| matches!(token.kind, TokenKind::Comment | TokenKind::Doc));
    let Some(comment) = comment else {
        let at = line.get(end).map_or(text.len(), |newline| newline.span.start as usize);
        let at = text[..at].trim_end_matches(['\r', ' ', '\t']).len();
        return Some(Edit { span: Span::new(at, at), text: format!("   # mlp: allow({code})") });
    };
    if speaks(&text[comment.span.range()])
        && let Ok(read) = read(text, comment.span)
    {
        let end = read.names.last()?.1.end as usize;
        return Some(Edit { span: Span::new(end, end), text: format!(", {code}") });
    }
    let start = text[..span.start as usize].rfind('\n').map_or(0, |at| at + 1);
    let indent = &text[start..start + text[start..].len() - text[start..].trim_start_matches([' ', '\t']).len()];
    Some(Edit { span: Span::new(start, start), text: format!("{indent}# mlp: allow({code})\n") })
}

/// Takes out of `findings` what the comments of a file silence, and adds what is wrong with these comments. Findings in
/// other files are left alone. `complete`: everything was looked at, so that a silencer without work has none.
pub(crate) fn silence(source: &Source, file: &File, findings: &mut Vec<Finding>, complete: bool) -> Vec<Silenced> {
    // Most files have none, and need not be read again.
    if !source.text.contains("mlp:") || source.text.len() > crate::syntax::LARGEST_FILE {
        return Vec::new();
    }
    let mut silencers = Vec::new();
    let mut wrong = Vec::new();
    for comment in comments(source, file) {
        match read(&source.text, comment.span) {
            Ok(read) => silencers.push(Silencer::new(source, comment, read, &mut wrong)),
            Err(problem) => wrong.push(problem.finding(source)),
        }
    }
    findings.append(&mut wrong);
    let mut silenced = take(source, &mut silencers, findings);
    if complete {
        findings.extend(silencers.iter().filter_map(|silencer| silencer.unused(source)));
        silenced.append(&mut take(source, &mut silencers, findings));
    }
    silenced
}

/// Moves every lint that is silenced out of `findings`.
fn take(source: &Source, silencers: &mut [Silencer], findings: &mut Vec<Finding>) -> Vec<Silenced> {
    let (mut kept, mut silenced) = (Vec::with_capacity(findings.len()), Vec::new());
    for finding in findings.drain(..) {
        let mut because: Option<Option<String>> = None;
        for silencer in silencers.iter_mut() {
            if silencer.matches(source, &finding) {
                because.get_or_insert_with(|| silencer.because.clone());
            }
        }
        match because {
            Some(because) => silenced.push(Silenced { finding, because }),
            None => kept.push(finding),
        }
    }
    *findings = kept;
    silenced
}

/// A comment that begins with `mlp:`.
#[derive(Clone, Copy)]
struct Comment {
    /// From `#` to the end of the line.
    span: Span,
    /// Whether nothing else stands on its line.
    alone: bool,
    /// What it is about.
    reach: Span,
}

/// The comments that speak to the checker.
fn comments(source: &Source, file: &File) -> Vec<Comment> {
    let text = &*source.text;
    let tokens = lex(text);
    let mut found = Vec::new();
    let mut line = 0;
    let mut alone = true;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Newline => (line, alone) = (token.span.end, true),
            TokenKind::Whitespace => {}
            TokenKind::Comment if speaks(&text[token.span.range()]) => {
                let end = match alone {
                    true => below(&tokens[index..]).map_or(token.span.end, |next| reach(text, file, next.span.start)),
                    false => token.span.end,
                };
                found.push(Comment { span: token.span, alone, reach: Span { start: line, end } });
            }
            _ => alone = false,
        }
    }
    found
}

/// Whether a comment is meant for the checker.
fn speaks(comment: &str) -> bool {
    comment.trim_start_matches('#').trim_start().starts_with("mlp:")
}

/// The first token of code on the line below, with nothing but comments between.
fn below(tokens: &[Token]) -> Option<&Token> {
    let mut newlines = 0;
    for token in tokens {
        match token.kind {
            TokenKind::Newline => newlines += 1,
            TokenKind::Comment | TokenKind::Doc => newlines = 0,
            TokenKind::Whitespace => {}
            _ => return Some(token),
        }
        if newlines > 1 {
            return None;
        }
    }
    None
}

/// Where what begins at `start` ends: a declaration with its block, or a line.
fn reach(text: &str, file: &File, start: u32) -> u32 {
    let declaration = file.declarations.iter().find(|declaration| declaration.span.start == start);
    match declaration {
        Some(declaration) => declaration.span.end,
        None => text[start as usize..].find('\n').map_or(text.len() as u32, |length| start + length as u32),
    }
}

/// What a silencer says.
struct Written {
    /// Between the brackets.
    list: Span,
    names: Vec<(String, Span)>,
    because: Option<String>,
}

/// Why a comment is no silencer: what was expected, and where.
struct Problem {
    at: Span,
    expected: &'static str,
}

impl Problem {
    fn finding(&self, source: &Source) -> Finding {
        let message = "a comment that begins with `mlp:` silences lints, and this one cannot be read";
        Finding::warning(codes::BAD_SILENCER, place(source, self.at), message)
            .label(format!("expected {}", self.expected))
            .help("write `# mlp: allow(unused-param) because \"...\"`, or begin the comment with another word")
    }
}

/// Reads `# mlp: allow(a, b) because "..."`.
fn read(text: &str, comment: Span) -> Result<Written, Problem> {
    let mut cursor = Cursor { text: &text[..comment.end as usize], at: comment.start as usize };
    cursor.word("#");
    cursor.word("mlp:");
    for expected in ["allow", "("] {
        if !cursor.word(expected) {
            return Err(cursor.problem(if expected == "(" { "`(`" } else { "`allow`" }));
        }
    }
    let start = cursor.at;
    let mut names = Vec::new();
    loop {
        cursor.skip_spaces();
        match cursor.name() {
            Some(name) => names.push(name),
            None => return Err(cursor.problem("the name of a lint")),
        }
        match () {
            () if cursor.word(",") => {}
            () if cursor.word(")") => break,
            () => return Err(cursor.problem("`,` or `)`")),
        }
    }
    let list = Span::new(start, cursor.at - 1);
    let because = match cursor.word("because") {
        true => Some(cursor.quoted().ok_or_else(|| cursor.problem("a reason in quotes"))?),
        false => None,
    };
    cursor.skip_spaces();
    match cursor.rest().trim_end().is_empty() {
        true => Ok(Written { list, names, because }),
        false => Err(cursor.problem("`because \"...\"`, or the end of the comment")),
    }
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Goes past spaces and this word, if it is there.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest().trim_start();
        let found = rest.starts_with(word);
        if found {
            self.at = self.text.len() - rest.len() + word.len();
        }
        found
    }

    fn name(&mut self) -> Option<(String, Span)> {
        let length = self.rest().find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
        let length = length.unwrap_or(self.rest().len());
        let name = &self.rest()[..length];
        let span = Span::new(self.at, self.at + length);
        self.at += length;
        (length > 0).then(|| (name.to_owned(), span))
    }

    fn quoted(&mut self) -> Option<String> {
        self.skip_spaces();
        let inside = self.rest().strip_prefix('"')?;
        let (reason, _) = inside.split_once('"').filter(|(reason, _)| !reason.trim().is_empty())?;
        self.at += reason.len() + 2;
        Some(reason.to_owned())
    }

    /// What was expected at the next character.
    fn problem(&mut self, expected: &'static str) -> Problem {
        self.skip_spaces();
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Problem { at: Span::new(self.at, self.at + length), expected }
    }
}

/// A silencer of lints that exist.
struct Silencer {
    comment: Comment,
    list: Span,
    /// With their place, and whether they were of use.
    lints: Vec<(&'static Code, Span, bool)>,
    /// How many were named, those that are no lints included.
    named: usize,
    because: Option<String>,
}

impl Silencer {
    /// Takes the lints; what is named and is none goes to `wrong`.
    fn new(source: &Source, comment: Comment, read: Written, wrong: &mut Vec<Finding>) -> Silencer {
        let mut lints = Vec::new();
        for (name, span) in &read.names {
            match named(name) {
                Named::Lint(code) => lints.push((code, *span, false)),
                Named::Error(code) => wrong.push(
                    Finding::warning(
                        codes::NOT_A_LINT,
                        place(source, *span),
                        format!("`{}` is an error, and only lints can be silenced", code.name),
                    )
                    .label("silences nothing")
                    .help("mend what the error tells, and take its name out of the comment"),
                ),
                Named::Nothing => {
                    let message = format!("no lint is named `{name}`");
                    let finding = Finding::warning(codes::UNKNOWN_LINT, place(source, *span), message);
                    wrong.push(suggest(finding.label("unknown"), *span, nearest(name, lint_names()), || {
                        "`mlp explain` lists all lints: their codes begin with W".to_owned()
                    }));
                }
            }
        }
        Silencer { comment, list: read.list, lints, named: read.names.len(), because: read.because }
    }

    /// Whether it silences this; if so, remembers that it was of use.
    fn matches(&mut self, source: &Source, finding: &Finding) -> bool {
        let Place::Source { path, span } = &finding.primary.place else { return false };
        let reach = self.comment.reach;
        let reached = *path == source.path && (reach.start..=reach.end).contains(&span.start);
        let mut matched = false;
        if reached && finding.severity == Severity::Warning {
            for (_, _, used) in self.lints.iter_mut().filter(|(code, ..)| **code == finding.code) {
                (*used, matched) = (true, true);
            }
        }
        matched
    }

    /// What it names for nothing.
    fn unused(&self, source: &Source) -> Option<Finding> {
        let unused: Vec<_> = self.lints.iter().filter(|(_, _, used)| !used).collect();
        let (_, first, _) = unused.first()?;
        let names: Vec<String> = unused.iter().map(|(code, ..)| format!("`{}`", code.name)).collect();
        let where_ = if self.comment.alone { "below" } else { "on this line" };
        let message = format!("nothing {where_} gives {}", names.join(" or "));
        let finding =
            Finding::warning(codes::UNUSED_SILENCER, place(source, *first), message).label("silences nothing");
        let (span, text) = match unused.len() == self.named {
            true => (self.whole(&source.text), String::new()),
            false => (self.list, self.without_unused(&source.text)),
        };
        let title = if text.is_empty() { "remove the comment".to_owned() } else { format!("write `allow({text})`") };
        Some(finding.help("remove it").fix(title, span, text, Safety::Safe))
    }

    /// The list without what is unused, as it was written.
    fn without_unused(&self, text: &str) -> String {
        let unused = |at: usize| self.lints.iter().any(|(_, span, used)| !used && span.range().contains(&at));
        let mut at = self.list.start as usize;
        let mut kept = Vec::new();
        for part in text[self.list.range()].split(',') {
            let name = at + part.len() - part.trim_start().len();
            if !unused(name) {
                kept.push(part.trim());
            }
            at += part.len() + 1;
        }
        kept.join(", ")
    }

    /// The comment with the spaces before it, and with its line if it has that for itself.
    fn whole(&self, text: &str) -> Span {
        let Span { start, end } = self.comment.span;
        let before = text[..start as usize].trim_end_matches([' ', '\t']).len();
        let newline = text[end as usize..].starts_with('\n');
        Span::new(before, end as usize + usize::from(self.comment.alone && newline))
    }
}

enum Named {
    Lint(&'static Code),
    Error(&'static Code),
    Nothing,
}

/// What a name or a code stands for. Of data there are only errors, and they have no comments to be silenced by.
fn named(name: &str) -> Named {
    let mut all = crate::syntax::codes::ALL.iter().chain(codes::ALL).map(|(code, _)| code);
    match all.find(|code| code.name == name || code.id == name) {
        Some(code) if code.is_lint() => Named::Lint(code),
        Some(code) => Named::Error(code),
        None => Named::Nothing,
    }
}

fn lint_names() -> impl Iterator<Item = &'static str> {
    let all = crate::syntax::codes::ALL.iter().chain(codes::ALL);
    all.filter(|(code, _)| code.is_lint()).map(|(code, _)| &*code.name)
}
