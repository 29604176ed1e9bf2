//! `from`: tables, joins, and what their columns are together.

use super::scope::{Checker, Col, Relation};
use super::{Mistake, path};
use crate::codes;
use crate::types::Column;
use sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias, TableFactor, TableWithJoins,
};
use std::ops::Range;

impl Checker<'_> {
    pub(super) fn from(&mut self, from: &TableWithJoins) {
        let first = self.frame().relations.len();
        self.factor(&from.relation);
        for join in &from.joins {
            self.join(join, first);
        }
    }

    fn factor(&mut self, factor: &TableFactor) {
        let (names, columns, alias) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let range = self.lines.range(name.span()).unwrap_or(0..1);
                let (names, columns) = self.table(name, range);
                (names, columns, alias)
            }
            TableFactor::Derived { subquery, alias, lateral, .. } => {
                // A subquery in `from` sees nothing of what stands beside it.
                let frames = if *lateral { None } else { Some(std::mem::take(&mut self.frames)) };
                let columns = self.query(subquery, false);
                if let Some(frames) = frames {
                    self.frames = frames;
                }
                (Vec::new(), columns, alias)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => return self.from(table_with_joins),
            TableFactor::Table { alias, .. } => (Vec::new(), None, alias),
            _ => (Vec::new(), None, &None),
        };
        let (names, columns) = match alias {
            Some(alias) => (vec![alias.name.value.clone()], columns.map(|columns| renamed(columns, alias))),
            None => (names, columns),
        };
        self.frame().relations.push(Relation { names, columns });
    }

    /// A table by its name: one of `with`, or one that the pipeline gives.
    fn table(&mut self, name: &ObjectName, range: Range<usize>) -> (Vec<String>, Option<Vec<Col>>) {
        let Some(path) = path(name) else { return (Vec::new(), None) };
        let whole = path.join(".");
        if let [single] = path.as_slice()
            && let Some((_, columns)) = self.ctes.iter().rev().find(|(cte, _)| cte == single)
        {
            return (vec![whole], columns.clone());
        }
        let mut names = vec![whole.clone()];
        names.extend(path.last().filter(|_| path.len() > 1).cloned());
        let Some(table) = self.tables.get(&whole) else {
            let mut candidates: Vec<String> = self.ctes.iter().map(|(cte, _)| cte.clone()).collect();
            candidates.extend(self.tables.keys().cloned());
            candidates.sort();
            let mut mistake = Mistake::new(codes::UNKNOWN_TABLE, range, format!("there is no table `{whole}`"));
            mistake.candidates = Some((whole, candidates));
            self.mistake(mistake);
            return (names, None);
        };
        let derived = |name: &str| table.derived.iter().any(|other| other == name);
        let columns = table.columns.as_ref().map(|columns| {
            let col = |column: &Column| Col { derived: derived(&column.name), column: column.clone(), merged: false };
            columns.iter().map(col).collect()
        });
        (names, columns)
    }

    fn join(&mut self, join: &Join, first: usize) {
        let right = self.frame().relations.len();
        self.factor(&join.relation);
        let (constraint, left_may_miss, right_may_miss, keeps) = match &join.join_operator {
            JoinOperator::Join(it) | JoinOperator::Inner(it) | JoinOperator::StraightJoin(it) => {
                (Some(it), false, false, Keeps::Both)
            }
            JoinOperator::CrossJoin(it) => (Some(it), false, false, Keeps::Both),
            JoinOperator::Left(it) | JoinOperator::LeftOuter(it) => (Some(it), false, true, Keeps::Both),
            JoinOperator::Right(it) | JoinOperator::RightOuter(it) => (Some(it), true, false, Keeps::Both),
            JoinOperator::FullOuter(it) => (Some(it), true, true, Keeps::Both),
            JoinOperator::Semi(it)
            | JoinOperator::LeftSemi(it)
            | JoinOperator::Anti(it)
            | JoinOperator::LeftAnti(it) => (Some(it), false, false, Keeps::Left),
            JoinOperator::RightSemi(it) | JoinOperator::RightAnti(it) => (Some(it), false, false, Keeps::Right),
            JoinOperator::AsOf { match_condition, constraint } => {
                self.in_clause("on", |it| it.condition(match_condition));
                (Some(constraint), false, true, Keeps::Both)
            }
            JoinOperator::OuterApply => (None, false, true, Keeps::Both),
            _ => (None, false, false, Keeps::Both),
        };
        match constraint {
            Some(JoinConstraint::On(condition)) => self.in_clause("on", |it| it.condition(condition)),
            Some(JoinConstraint::Using(names)) => {
                for name in names {
                    if let Some(ident) = name.0.last().and_then(|part| part.as_ident()) {
                        let range = self.range_of(ident);
                        self.merge(&ident.value.clone(), first, right, Some(range));
                    }
                }
            }
            Some(JoinConstraint::Natural) => {
                let columns = self.frame().relations.get(right).and_then(|relation| relation.columns.clone());
                for it in columns.into_iter().flatten() {
                    self.merge(&it.column.name, first, right, None);
                }
            }
            Some(JoinConstraint::None) | None => {}
        }
        let relations = &mut self.frame().relations;
        for (at, relation) in relations.iter_mut().enumerate().skip(first) {
            if at >= right && right_may_miss || at < right && left_may_miss {
                relation.columns.iter_mut().flatten().for_each(|it| it.column.nullable = true);
            }
        }
        match keeps {
            Keeps::Both => {}
            Keeps::Left => relations.truncate(right),
            Keeps::Right => {
                relations.drain(first..right);
            }
        }
    }

    /// `using (id)`: the column of the right table is that of the left.
    fn merge(&mut self, name: &str, first: usize, right: usize, place: Option<Range<usize>>) {
        let relations = &mut self.frame().relations;
        let has = |relation: &Relation| {
            relation.columns.as_ref().is_none_or(|columns| columns.iter().any(|it| it.column.name == *name))
        };
        let in_left = relations.get(first..right).is_some_and(|left| left.iter().any(has));
        let in_right = relations.get(right).is_some_and(has);
        if in_left && in_right {
            let columns = relations.get_mut(right).and_then(|relation| relation.columns.as_mut());
            columns.into_iter().flatten().filter(|it| it.column.name == *name).for_each(|it| it.merged = true);
            return;
        }
        let Some(range) = place else { return };
        let side = if in_left { relations.get(right..) } else { relations.get(first..right) };
        let columns = side.into_iter().flatten().flat_map(|relation| relation.columns.iter().flatten());
        let candidates: Vec<String> = columns.map(|it| it.column.name.clone()).collect();
        let message = format!("the {} table has no column `{name}`", if in_left { "joined" } else { "first" });
        let mut mistake = Mistake::new(codes::UNKNOWN_COLUMN, range, message);
        mistake.candidates = Some((name.to_owned(), candidates));
        self.mistake(mistake);
        // Which columns are one and which are two is not known any more.
        if let Some(relation) = self.frame().relations.get_mut(right) {
            relation.columns = None;
        }
    }
}

/// Which sides of a join are there afterwards.
enum Keeps {
    Both,
    Left,
    Right,
}

/// Columns by the names that an alias gives them.
pub(super) fn renamed(mut columns: Vec<Col>, alias: &TableAlias) -> Vec<Col> {
    for (column, name) in columns.iter_mut().zip(&alias.columns) {
        column.column.name.clone_from(&name.name.value);
    }
    columns
}
