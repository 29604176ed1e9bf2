//! Queries: which columns they give, and what is wrong with them, at its place in their text.
//!
//! ```text
//! text -> parse (one query, tables by name) -> query, from, scope, expr, functions, unify (columns with types) -> Answer
//! ```
//!
//! Owns: SQL as far as names and types go. Must never know: files of pipelines, nodes, findings; a mistake is told by its
//! range in the text, and [`text`] knows where that stands.
//!
//! Invariant: what is not known has the type `Unknown` and is silent. A query that an engine would run is never refused
//! because of something that this code does not know.

mod arms;
mod expr;
mod from;
mod functions;
mod parse;
mod query;
mod scope;
pub(crate) mod text;
mod unify;

pub(crate) use arms::arms;
pub(crate) use parse::{Parsed, parse};

use crate::finding::Code;
use crate::syntax::ast::StringPart;
use crate::types::{Column, Schema, Type};
use sqlparser::ast::ObjectName;
use sqlparser::tokenizer::{Location, Span};
use std::collections::HashMap;
use std::ops::Range;

/// What is wrong, in which bytes of the text.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    pub(crate) code: Code,
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    /// Names that may have been meant: what was written, and all there are.
    pub(crate) candidates: Option<(String, Vec<String>)>,
    /// To be added at the end of the range.
    pub(crate) addition: Option<String>,
    /// It runs, and is probably not what was meant.
    pub(crate) is_lint: bool,
}

impl Mistake {
    fn new(code: Code, range: Range<usize>, message: String) -> Mistake {
        let label = String::new();
        Mistake { code, range, message, label, help: None, candidates: None, addition: None, is_lint: false }
    }

    fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }

    fn label(mut self, label: impl Into<String>) -> Mistake {
        self.label = label.into();
        self
    }
}

/// A table that a query may read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Its columns; `None`: not known.
    pub(crate) columns: Option<Vec<Column>>,
    /// Columns that were computed from the label, row by row.
    pub(crate) derived: Vec<String>,
}

/// What a query gives.
pub(crate) struct Answer {
    pub(crate) table: Table,
    pub(crate) mistakes: Vec<Mistake>,
}

/// The tables that the query in a string reads; what is in holes is a value and never a table.
pub(crate) fn tables_of(parts: &[StringPart]) -> Vec<Vec<String>> {
    let text: String = parts
        .iter()
        .map(|part| match part {
            StringPart::Text(text) => text.as_str(),
            StringPart::Hole(_) => "NULL",
        })
        .collect();
    parse(&text).map_or(Vec::new(), |parsed| parsed.tables().into_iter().map(|(path, _)| path).collect())
}

/// Checks a query over tables, by their names with dots.
pub(crate) fn check(parsed: &Parsed, tables: &HashMap<String, Table>) -> Answer {
    let mut checker = scope::Checker::new(tables, &parsed.lines);
    let columns = checker.query(&parsed.query, true);
    let table = match columns {
        Some(columns) => Table {
            derived: columns.iter().filter(|it| it.derived).map(|it| it.column.name.clone()).collect(),
            columns: Some(columns.into_iter().map(|it| it.column).collect()),
        },
        None => Table::default(),
    };
    Answer { table, mistakes: checker.mistakes }
}

impl Table {
    /// As the schema of a computed table.
    pub(crate) fn schema(&self) -> Option<Schema> {
        Some(Schema { name: None, columns: self.columns.clone()? })
    }
}

/// The parts of a name that consists of plain names.
fn path(name: &ObjectName) -> Option<Vec<String>> {
    name.0.iter().map(|part| part.as_ident().map(|ident| ident.value.clone())).collect()
}

/// Where the lines of a text start, to turn the parser's places into offsets.
pub(crate) struct Lines {
    length: usize,
    /// The first character of each line, counted in characters.
    starts: Vec<usize>,
    /// The byte of each character, if some are longer than one.
    bytes: Option<Vec<usize>>,
}

impl Lines {
    fn new(text: &str) -> Lines {
        let ends = text.chars().enumerate().filter(|(_, c)| *c == '\n').map(|(at, _)| at + 1);
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Lines { length: text.len(), starts: std::iter::once(0).chain(ends).collect(), bytes }
    }

    /// The byte at a line and a column, both counted from 1, in characters.
    fn offset(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(1).saturating_sub(1);
        let column = usize::try_from(location.column).unwrap_or(1).saturating_sub(1);
        let Some(start) = self.starts.get(line) else { return self.length };
        let character = start.saturating_add(column);
        match &self.bytes {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.length),
            None => character.min(self.length),
        }
    }

    /// The bytes of a span; `None` when the parser does not know it.
    fn range(&self, span: Span) -> Option<Range<usize>> {
        if span.start.line == 0 {
            return None;
        }
        let (start, end) = (self.offset(span.start), self.offset(span.end));
        Some(start..end.max(start))
    }
}

/// The kinds of values that are told apart when they are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Number,
    Text,
    Truth,
    Instant,
    Length,
    Unknown,
}

fn class(ty: &Type) -> Class {
    match ty {
        Type::Int | Type::Float | Type::Fraction | Type::Size => Class::Number,
        Type::String | Type::Enum(_) => Class::Text,
        Type::Bool => Class::Truth,
        Type::Date | Type::Time => Class::Instant,
        Type::Duration => Class::Length,
        _ => Class::Unknown,
    }
}

#[cfg(test)]
mod tests;
