//! Which tables the rows of a query are rows of: its arms.
//!
//! A row of a table that goes through a query stays that row, whatever columns are added or left out. What puts rows
//! together or makes new ones ends that. Where it is not certain, the arm is of no table.

use super::functions::{self, Kind};
use super::{Parsed, path};
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Join, JoinOperator, ObjectName, Query, Select, SelectItem, SetExpr, SetOperator,
    TableFactor, Visit, Visitor,
};
use std::ops::ControlFlow;

/// More arms than this are not followed: they are of no table.
const MOST: usize = 64;

/// Rows that a query gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arm {
    /// The table, as named in the query; `None`: rows of no table, or of one that is not known.
    pub(crate) table: Option<String>,
    /// Some of its rows may be left out.
    pub(crate) cut: bool,
}

impl Arm {
    const NEW: Arm = Arm { table: None, cut: false };
}

/// What the rows of a query are rows of; `has_label` tells of a table whether it has the label, which is how a row of two
/// joined tables is known to be one of the first or of the second.
pub(crate) fn arms(parsed: &Parsed, has_label: &dyn Fn(&str) -> bool) -> Vec<Arm> {
    let arms = Walk { has_label, ctes: Vec::new() }.query(&parsed.query).arms;
    if arms.len() > MOST { vec![Arm::NEW] } else { arms }
}

/// The rows of a part of a query.
#[derive(Clone)]
struct Part {
    arms: Vec<Arm>,
    labelled: bool,
}

impl Part {
    fn new_rows() -> Part {
        Part { arms: vec![Arm::NEW], labelled: false }
    }

    fn cut(mut self, cut: bool) -> Part {
        self.arms.iter_mut().for_each(|arm| arm.cut |= cut);
        self
    }
}

struct Walk<'w> {
    has_label: &'w dyn Fn(&str) -> bool,
    ctes: Vec<(String, Part)>,
}

impl Walk<'_> {
    fn query(&mut self, query: &Query) -> Part {
        let before = self.ctes.len();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
            let part = if recursive { Part::new_rows() } else { self.query(&cte.query) };
            self.ctes.push((cte.alias.name.value.clone(), part));
        }
        let part = self.body(&query.body);
        self.ctes.truncate(before);
        if !query.pipe_operators.is_empty() {
            return Part::new_rows();
        }
        part.cut(query.limit_clause.is_some() || query.fetch.is_some())
    }

    fn body(&mut self, body: &SetExpr) -> Part {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { op: SetOperator::Union, left, right, .. } => {
                let mut part = self.body(left);
                let right = self.body(right);
                part.arms.extend(right.arms.into_iter().filter(|arm| !part.arms.contains(arm)).collect::<Vec<_>>());
                part.labelled &= right.labelled;
                part
            }
            SetExpr::SetOperation { left, .. } => self.body(left).cut(true),
            _ => Part::new_rows(),
        }
    }

    fn select(&mut self, select: &Select) -> Part {
        let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        if grouped || select.having.is_some() || select.projection.iter().any(has_aggregate) {
            return Part::new_rows();
        }
        let Some(mut part) = self.from(select) else { return Part::new_rows() };
        if !select.lateral_views.is_empty() {
            part = Part::new_rows();
        }
        let cut = select.selection.is_some()
            || select.qualify.is_some()
            || select.prewhere.is_some()
            || select.top.is_some()
            || matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_)));
        part.cut(cut)
    }

    /// The rows of what stands behind `from`: those of the one table, or of the one that has the label.
    fn from(&mut self, select: &Select) -> Option<Part> {
        let mut sides: Vec<Part> = Vec::new();
        // Whether the rows of the first table are all there.
        let mut keeps_first = true;
        for (at, from) in select.from.iter().enumerate() {
            keeps_first &= at == 0;
            sides.push(self.factor(&from.relation));
            for join in &from.joins {
                match &join.join_operator {
                    JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => sides.push(self.factor(&join.relation)),
                    JoinOperator::Semi(_)
                    | JoinOperator::LeftSemi(_)
                    | JoinOperator::Anti(_)
                    | JoinOperator::LeftAnti(_) => keeps_first = false,
                    _ => {
                        keeps_first = false;
                        sides.push(self.joined(join)?);
                    }
                }
            }
        }
        if sides.len() == 1 {
            return sides.pop().map(|part| part.cut(!keeps_first));
        }
        let labelled: Vec<usize> = (0..sides.len()).filter(|at| sides[*at].labelled).collect();
        match labelled.as_slice() {
            [0] => Some(sides.swap_remove(0).cut(!keeps_first)),
            [one] => Some(sides.swap_remove(*one).cut(true)),
            _ => None,
        }
    }

    /// The second table of a join that keeps both.
    fn joined(&mut self, join: &Join) -> Option<Part> {
        match &join.join_operator {
            JoinOperator::Join(_)
            | JoinOperator::Inner(_)
            | JoinOperator::StraightJoin(_)
            | JoinOperator::CrossJoin(_)
            | JoinOperator::Right(_)
            | JoinOperator::RightOuter(_)
            | JoinOperator::FullOuter(_)
            | JoinOperator::AsOf { .. } => Some(self.factor(&join.relation)),
            _ => None,
        }
    }

    fn factor(&mut self, factor: &TableFactor) -> Part {
        match factor {
            TableFactor::Table { name, args: None, sample, .. } => self.table(name).cut(sample.is_some()),
            TableFactor::Derived { subquery, lateral: false, .. } => self.query(subquery),
            _ => Part::new_rows(),
        }
    }

    fn table(&self, name: &ObjectName) -> Part {
        let Some(path) = path(name) else { return Part::new_rows() };
        let whole = path.join(".");
        if let Some((_, part)) = self.ctes.iter().rev().find(|(cte, _)| *cte == whole) {
            return part.clone();
        }
        let labelled = (self.has_label)(&whole);
        Part { arms: vec![Arm { table: Some(whole), cut: false }], labelled }
    }
}

/// Whether many rows become one.
fn has_aggregate(item: &SelectItem) -> bool {
    struct Aggregates;
    impl Visitor for Aggregates {
        type Break = ();

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
            let name = match path(&function.name).as_deref() {
                Some([name]) => name.to_ascii_lowercase(),
                _ => return ControlFlow::Break(()),
            };
            // Of a function that nobody knows it is not known either.
            let looks_at_many = functions::find(&name).is_none_or(|known| known.kind == Kind::Aggregate);
            if looks_at_many && function.over.is_none() {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        }
    }
    item.visit(&mut Aggregates).is_break()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let parsed = super::super::parse(text).ok().unwrap();
        let arms = arms(&parsed, &|table| table.starts_with('t'));
        let each = arms.iter().map(|arm| {
            let table = arm.table.clone().unwrap_or_else(|| "new".to_owned());
            if arm.cut { format!("some of {table}") } else { table }
        });
        each.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_row_stays_that_row_until_rows_are_put_together() {
        // Tables that start with `t` have the label.
        let cases = [
            ("select * from t", "t"),
            ("select id, upper(plan) as p from t order by id", "t"),
            ("select *, row_number() over (order by id) as n from t", "t"),
            ("select * from t where age > 3", "some of t"),
            ("select distinct plan from t", "some of t"),
            ("select * from t order by id limit 5", "some of t"),
            ("select * from (select * from t where age > 3) as x", "some of t"),
            ("with x as (select * from split.train) select * from x", "split.train"),
            ("select * from t left join plans p on t.plan = p.plan", "t"),
            ("select * from t join plans p on t.plan = p.plan", "some of t"),
            ("select * from plans p join t on t.plan = p.plan", "some of t"),
            ("select * from t, plans", "some of t"),
            ("select * from t anti join t2 on t.id = t2.id", "some of t"),
            ("select * from t union all select * from t2 where age > 3", "t, some of t2"),
            ("select * from t except select * from t2", "some of t"),
            ("select * from t left join t2 on t.id = t2.id", "new"),
            ("select * from a left join b on a.id = b.id", "new"),
            ("select plan, count(*) as n from t group by plan", "new"),
            ("select count(*) as n from t", "new"),
            ("select some_aggregate(age) as n from t", "new"),
            ("select * from (values (1), (2)) as v", "new"),
            ("select 1 as one", "new"),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), expected, "{text}");
        }
    }
}
