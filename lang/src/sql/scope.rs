//! Names within a query: tables, their columns, and which one is meant.

use super::{Lines, Mistake, Table};
use crate::codes;
use crate::types::{Column, Type};
use sqlparser::ast::{Expr, Ident, Spanned};
use std::collections::HashMap;
use std::ops::Range;

/// A column of a table in a query.
#[derive(Clone, Debug)]
pub(super) struct Col {
    pub(super) column: Column,
    /// Computed from the label of the same row.
    pub(super) derived: bool,
    /// The same as one to the left, by `using`: not counted again.
    pub(super) merged: bool,
}

/// A table in `from`.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    /// What may stand before the dot.
    pub(super) names: Vec<String>,
    /// `None`: not known, so that any column may be in it.
    pub(super) columns: Option<Vec<Col>>,
}

/// The type of an expression and what is known of where it comes from.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    pub(super) ty: Type,
    pub(super) nullable: bool,
    /// The column that it is, unchanged.
    pub(super) same: Option<Column>,
    pub(super) derived: bool,
    /// It is a text as written, not a value of a table.
    pub(super) literal: bool,
    pub(super) range: Range<usize>,
}

impl Typed {
    pub(super) fn of(ty: Type, nullable: bool, range: Range<usize>) -> Typed {
        Typed { ty, nullable, same: None, derived: false, literal: false, range }
    }

    pub(super) fn unknown(range: Range<usize>) -> Typed {
        Typed::of(Type::Unknown, true, range)
    }

    /// Whether it tells the label of its row.
    pub(super) fn tells_label(&self) -> bool {
        self.derived || self.same.as_ref().is_some_and(|column| column.label)
    }
}

/// What is noticed about one `select` while its expressions are looked at.
#[derive(Default)]
pub(super) struct Frame {
    pub(super) relations: Vec<Relation>,
    /// Names of results, for `group by`, `having` and `order by`.
    pub(super) aliases: Vec<(String, Typed)>,
    pub(super) sees_aliases: bool,
    /// `group by`: its expressions, and the columns among them.
    pub(super) keys: Vec<Expr>,
    pub(super) key_columns: Vec<(usize, usize)>,
    /// Columns outside of any aggregate that are no keys.
    pub(super) bare: Vec<(Range<usize>, String)>,
    pub(super) has_aggregate: bool,
    pub(super) inside_aggregate: bool,
    /// The clause that is looked at, if it takes no aggregates.
    pub(super) clause: Option<&'static str>,
}

/// Checks one query with all queries in it.
pub(super) struct Checker<'q> {
    pub(super) tables: &'q HashMap<String, Table>,
    pub(super) lines: &'q Lines,
    pub(super) mistakes: Vec<Mistake>,
    /// `with name as (...)`: what is in reach, the innermost last.
    pub(super) ctes: Vec<(String, Option<Vec<Col>>)>,
    /// The selects around, the innermost last.
    pub(super) frames: Vec<Frame>,
}

impl<'q> Checker<'q> {
    pub(super) fn new(tables: &'q HashMap<String, Table>, lines: &'q Lines) -> Checker<'q> {
        Checker { tables, lines, mistakes: Vec::new(), ctes: Vec::new(), frames: Vec::new() }
    }

    pub(super) fn mistake(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    pub(super) fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    pub(super) fn range_of(&self, ident: &Ident) -> Range<usize> {
        self.lines.range(ident.span).unwrap_or(0..1)
    }

    pub(super) fn range(&self, expr: &Expr) -> Range<usize> {
        self.lines.range(expr.span()).unwrap_or(0..0)
    }

    /// `age`
    pub(super) fn bare_column(&mut self, ident: &Ident) -> Typed {
        let range = self.range_of(ident);
        let name = ident.value.as_str();
        for depth in (0..self.frames.len()).rev() {
            let innermost = depth + 1 == self.frames.len();
            let frame = &self.frames[depth];
            let mut found: Vec<(usize, usize)> = Vec::new();
            for (r, relation) in frame.relations.iter().enumerate() {
                let columns = relation.columns.iter().flatten().enumerate();
                found.extend(columns.filter(|(_, c)| c.column.name == name && !c.merged).map(|(c, _)| (r, c)));
            }
            match found.as_slice() {
                [] => {}
                [one] => return self.found(depth, *one, name, range),
                [first, second, ..] => {
                    let of = |at: &(usize, usize)| frame.relations[at.0].names.first().cloned().unwrap_or_default();
                    let (first, second) = (of(first), of(second));
                    let message = format!("`{name}` is a column of `{first}` and of `{second}`");
                    self.mistake(
                        Mistake::new(codes::AMBIGUOUS_COLUMN, range.clone(), message)
                            .label("which one is meant?")
                            .help(format!("write `{first}.{name}` or `{second}.{name}`")),
                    );
                    return Typed::unknown(range);
                }
            }
            if innermost
                && frame.sees_aliases
                && let Some((_, typed)) = frame.aliases.iter().find(|(alias, _)| alias == name)
            {
                return Typed { range, ..typed.clone() };
            }
            if frame.relations.iter().any(|relation| relation.columns.is_none()) {
                return Typed::unknown(range);
            }
        }
        let mut candidates: Vec<String> = Vec::new();
        if let Some(frame) = self.frames.last() {
            for column in frame.relations.iter().flat_map(|relation| relation.columns.iter().flatten()) {
                if !candidates.contains(&column.column.name) {
                    candidates.push(column.column.name.clone());
                }
            }
            if frame.sees_aliases {
                candidates.extend(frame.aliases.iter().map(|(alias, _)| alias.clone()));
            }
        }
        self.unknown_column(name, range.clone(), candidates, "no table of the query");
        Typed::unknown(range)
    }

    fn unknown_column(&mut self, name: &str, range: Range<usize>, candidates: Vec<String>, of: &str) {
        let mut mistake = Mistake::new(codes::UNKNOWN_COLUMN, range, format!("{of} has a column `{name}`"));
        if of != "no table of the query" {
            mistake.message = format!("{of} has no column `{name}`");
        }
        mistake.candidates = Some((name.to_owned(), candidates));
        self.mistake(mistake);
    }

    /// `t.age`, `split.train.age`
    pub(super) fn qualified_column(&mut self, idents: &[Ident]) -> Typed {
        let Some((column, qualifier)) = idents.split_last() else { return Typed::unknown(0..0) };
        let range = self.range_of(column);
        let whole = idents.first().map_or(range.clone(), |first| self.range_of(first).start..range.end);
        let before: Vec<&str> = qualifier.iter().map(|ident| ident.value.as_str()).collect();
        let before = before.join(".");
        for depth in (0..self.frames.len()).rev() {
            let Some(at) = self.frames[depth].relations.iter().position(|it| it.names.contains(&before)) else {
                continue;
            };
            let Some(columns) = &self.frames[depth].relations[at].columns else { return Typed::unknown(whole) };
            return match columns.iter().position(|it| it.column.name == column.value) {
                Some(place) => self.found(depth, (at, place), &column.value, whole),
                None => {
                    let names = columns.iter().map(|it| it.column.name.clone()).collect();
                    self.unknown_column(&column.value, range, names, &format!("`{before}`"));
                    Typed::unknown(whole)
                }
            };
        }
        // A field of a structure, or of a table that is not known.
        let known = self.frames.iter().all(|frame| frame.relations.iter().all(|it| it.columns.is_some()));
        if known {
            let names: Vec<String> = self
                .frames
                .last()
                .iter()
                .flat_map(|it| &it.relations)
                .filter_map(|it| it.names.first().cloned())
                .collect();
            let first = idents.first().map_or(range.clone(), |first| self.range_of(first));
            let end = qualifier.last().map_or(first.end, |last| self.range_of(last).end);
            let message = format!("no table of the query is called `{before}`");
            let mut mistake = Mistake::new(codes::UNKNOWN_TABLE, first.start..end, message);
            mistake.candidates = Some((before, names));
            self.mistake(mistake);
        }
        Typed::unknown(whole)
    }

    fn found(&mut self, depth: usize, at: (usize, usize), name: &str, range: Range<usize>) -> Typed {
        let innermost = depth + 1 == self.frames.len();
        let frame = &mut self.frames[depth];
        if innermost && !frame.inside_aggregate && !frame.key_columns.contains(&at) {
            frame.bare.push((range.clone(), name.to_owned()));
        }
        let relation = &frame.relations[at.0];
        let Some(found) = relation.columns.as_ref().and_then(|columns| columns.get(at.1)) else {
            return Typed::unknown(range);
        };
        Typed {
            ty: found.column.ty.clone(),
            nullable: found.column.nullable,
            same: Some(found.column.clone()),
            derived: found.derived,
            literal: false,
            range,
        }
    }
}
