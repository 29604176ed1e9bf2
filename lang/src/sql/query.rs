//! Queries: `with`, `select`, `union`; what each of them gives.

use super::from::renamed;
use super::scope::{Checker, Col, Frame, Typed};
use super::unify::{unified, unify, words};
use super::{Class, Mistake, class, path};
use crate::codes;
use crate::types::{Column, Type};
use sqlparser::ast::{
    BinaryOperator, Cte, Distinct, ExcludeSelectItem, Expr, GroupByExpr, LimitClause, ObjectName, OrderByKind, Query,
    RenameSelectItem, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Spanned, Value,
    WildcardAdditionalOptions,
};
use std::ops::Range;

/// A column of a result with the place that made it.
struct Made {
    column: Column,
    derived: bool,
    range: Range<usize>,
    /// It has a name of its own, not one that an engine would make up.
    named: bool,
}

impl Checker<'_> {
    /// The columns that a query gives; `None`: not known. `outermost`: they become a step's table.
    pub(super) fn query(&mut self, query: &Query, outermost: bool) -> Option<Vec<Col>> {
        let before = self.ctes.len();
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                self.cte(cte, with.recursive);
            }
        }
        let columns = self.body(&query.body, query, outermost);
        self.ctes.truncate(before);
        if query.pipe_operators.is_empty() { columns } else { None }
    }

    fn cte(&mut self, cte: &Cte, recursive: bool) {
        let name = cte.alias.name.value.clone();
        if recursive {
            self.ctes.push((name.clone(), None));
        }
        let frames = std::mem::take(&mut self.frames);
        let columns = self.query(&cte.query, false);
        self.frames = frames;
        if recursive {
            self.ctes.pop();
        }
        let columns = columns.map(|columns| renamed(columns, &cte.alias));
        self.ctes.push((name, columns));
    }

    fn body(&mut self, body: &SetExpr, query: &Query, outermost: bool) -> Option<Vec<Col>> {
        match body {
            SetExpr::Select(select) => self.select(select, Some(query), outermost),
            SetExpr::Query(inner) => self.query(inner, outermost),
            SetExpr::SetOperation { left, right, .. } => {
                let left_columns = self.body_of_side(left, outermost);
                let right_columns = self.body_of_side(right, false);
                self.limit_without_order(query);
                let range = self.lines.range(right.span()).unwrap_or(0..1);
                self.together(left_columns?, right_columns?, range)
            }
            SetExpr::Values(values) => {
                let mut columns: Option<Vec<Typed>> = None;
                self.frames.push(Frame::default());
                for row in &values.rows {
                    let typed: Vec<Typed> = row.content.iter().map(|expr| self.expr(expr)).collect();
                    columns = match columns {
                        Some(so_far) if so_far.len() == typed.len() => {
                            Some(so_far.iter().zip(&typed).map(|(a, b)| unified(a, b)).collect())
                        }
                        _ => Some(typed),
                    };
                }
                self.frames.pop();
                let columns = columns?.into_iter().enumerate();
                Some(columns.map(|(n, typed)| plain_column(format!("column{}", n + 1), &typed)).collect())
            }
            SetExpr::Table(_) => None,
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => {
                let range = self.lines.range(statement.span()).unwrap_or(0..1);
                let message = "a step reads tables and changes none".to_owned();
                self.mistake(Mistake::new(codes::NOT_A_QUERY, range, message).help("write `select ... from ...`"));
                None
            }
        }
    }

    fn body_of_side(&mut self, body: &SetExpr, outermost: bool) -> Option<Vec<Col>> {
        match body {
            SetExpr::Select(select) => self.select(select, None, outermost),
            SetExpr::Query(inner) => self.query(inner, outermost),
            SetExpr::SetOperation { left, right, .. } => {
                let left = self.body_of_side(left, outermost);
                let range = self.lines.range(right.span()).unwrap_or(0..1);
                let right = self.body_of_side(right, false);
                self.together(left?, right?, range)
            }
            _ => None,
        }
    }

    /// `union` and the like: as many columns on both sides, of types that go together.
    fn together(&mut self, left: Vec<Col>, right: Vec<Col>, range: Range<usize>) -> Option<Vec<Col>> {
        if left.len() != right.len() {
            let message = format!("the two sides give {} and {} columns", left.len(), right.len());
            self.mistake(Mistake::new(codes::SQL_TYPE, range, message).help("select the same columns on both sides"));
            return None;
        }
        let mut out = Vec::with_capacity(left.len());
        for (a, b) in left.into_iter().zip(right) {
            let (x, y) = (class(&a.column.ty), class(&b.column.ty));
            if x != y && x != Class::Unknown && y != Class::Unknown {
                let message = format!(
                    "`{}` is {} on one side and {} on the other",
                    a.column.name,
                    words(&a.column.ty),
                    words(&b.column.ty)
                );
                self.mistake(Mistake::new(codes::SQL_TYPE, range.clone(), message).help("cast one of them"));
            }
            let ty = unify(&a.column.ty, &b.column.ty);
            let bounds = if a.column.bounds == b.column.bounds { a.column.bounds.clone() } else { Vec::new() };
            let column = Column {
                ty,
                nullable: a.column.nullable || b.column.nullable,
                unique: false,
                label: a.column.label && b.column.label,
                bounds,
                ..a.column
            };
            out.push(Col { column, derived: a.derived || b.derived, merged: false });
        }
        Some(out)
    }

    fn limit_without_order(&mut self, query: &Query) {
        if query.order_by.is_some() {
            return;
        }
        let limit = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit: Some(limit), .. }) => limit,
            Some(LimitClause::OffsetCommaLimit { limit, .. }) => limit,
            _ => return,
        };
        let range = self.range(limit);
        let mistake = Mistake::new(
            codes::UNSTEADY_QUERY,
            range,
            "without `order by` these may be other rows each time".to_owned(),
        );
        self.mistake(Mistake {
            is_lint: true,
            ..mistake.help("add `order by` with columns that tell every row apart")
        });
    }

    fn select(&mut self, select: &Select, query: Option<&Query>, outermost: bool) -> Option<Vec<Col>> {
        if let Some(into) = &select.into {
            let range = into.targets.first().and_then(|name| self.lines.range(name.span())).unwrap_or(0..1);
            let message = "a step gives its table by itself, and writes no other".to_owned();
            self.mistake(Mistake::new(codes::NOT_A_QUERY, range, message).help("leave `into` out"));
        }
        if select.projection.is_empty() {
            let range = self.lines.range(select.select_token.0.span).unwrap_or(0..1);
            let message = "the query selects no column".to_owned();
            self.mistake(Mistake::new(codes::SQL_SYNTAX, range, message).help("name columns, or write `select *`"));
        }
        self.frames.push(Frame::default());
        for from in &select.from {
            self.from(from);
        }
        if let Some(condition) = &select.selection {
            self.in_clause("where", |it| it.condition(condition));
            self.narrow(condition);
        }
        self.keys(select);
        let mut made: Option<Vec<Made>> = Some(Vec::new());
        for item in &select.projection {
            let columns = self.item(item);
            match (&mut made, columns) {
                (Some(made), Some(columns)) => made.extend(columns),
                _ => made = None,
            }
        }
        if let Some(having) = &select.having {
            self.frame().sees_aliases = true;
            self.condition(having);
        }
        if let Some(qualify) = &select.qualify {
            self.frame().sees_aliases = true;
            self.condition(qualify);
        }
        let frame = self.frame();
        let grouped = frame.has_aggregate || !frame.keys.is_empty();
        let by_all = matches!(select.group_by, GroupByExpr::All(_));
        if grouped && !by_all {
            // One column may be read several times; the first place is enough.
            let mut told: Vec<(Range<usize>, String)> = Vec::new();
            for (range, name) in std::mem::take(&mut frame.bare) {
                if told.iter().any(|(place, other)| *place == range || *other == name) {
                    continue;
                }
                let message = format!("`{name}` has many values for each result");
                let help = format!("add `{name}` to `group by`, or take one value: `min({name})`");
                self.mistake(
                    Mistake::new(codes::NOT_GROUPED, range.clone(), message).label("not grouped by").help(help),
                );
                told.push((range, name));
            }
        }
        if let Some(query) = query {
            self.limit_without_order(query);
            self.order(query);
        }
        let single = self.frame().relations.len() == 1 && !grouped;
        let one_key = self.frame().keys.len() == 1;
        let key_names: Vec<String> = self.key_names();
        self.frames.pop();
        let mut made = made?;
        let distinct = matches!(select.distinct, Some(Distinct::Distinct)) && made.len() == 1;
        for it in &mut made {
            let keeps = single && it.column.unique;
            let is_key = grouped && one_key && key_names.contains(&it.column.name);
            it.column.unique = keeps || is_key || distinct;
        }
        self.finish(made, outermost)
    }

    /// The plain columns grouped by.
    fn key_names(&mut self) -> Vec<String> {
        let frame = self.frame();
        let name =
            |(r, c): &(usize, usize)| Some(frame.relations.get(*r)?.columns.as_ref()?.get(*c)?.column.name.clone());
        frame.key_columns.iter().filter_map(name).collect()
    }

    /// Names that are there twice, and results without one; a second label is no label any more.
    fn finish(&mut self, made: Vec<Made>, outermost: bool) -> Option<Vec<Col>> {
        let mut out: Vec<Col> = Vec::with_capacity(made.len());
        let mut has_label = false;
        let mut told: Vec<Range<usize>> = Vec::new();
        for it in made {
            let Made { mut column, mut derived, range, named } = it;
            if outermost && !named {
                let mut mistake = Mistake::new(
                    codes::UNNAMED_RESULT,
                    range.clone(),
                    "this result has no name, and a column needs one".to_owned(),
                );
                mistake.addition = Some(" as name".to_owned());
                self.mistake(mistake.help("write `as name` behind it"));
            } else if outermost && out.iter().any(|other| other.column.name == column.name) {
                if told.contains(&range) {
                    continue;
                }
                told.push(range.clone());
                let message = format!("two columns of the result are called `{}`", column.name);
                self.mistake(
                    Mistake::new(codes::REPEATED_RESULT, range, message)
                        .label("the second")
                        .help("name the columns that are wanted, write `as other_name`, or join by `using (...)`"),
                );
                continue;
            }
            if column.label {
                derived |= has_label;
                column.label = !has_label;
                has_label = true;
            }
            out.push(Col { column, derived, merged: false });
        }
        Some(out)
    }

    /// Looks at a clause that takes no aggregates, and whose columns need not be grouped by.
    pub(super) fn in_clause(&mut self, clause: &'static str, look: impl FnOnce(&mut Self)) {
        self.frame().clause = Some(clause);
        look(self);
        let frame = self.frame();
        frame.clause = None;
        frame.bare.clear();
    }

    pub(super) fn condition(&mut self, expr: &Expr) {
        let typed = self.expr(expr);
        let class = class(&typed.ty);
        if class != Class::Truth && class != Class::Unknown {
            let message = format!("a condition is true or false, and this is {}", words(&typed.ty));
            self.mistake(Mistake::new(codes::SQL_TYPE, typed.range, message).help("compare it: `age >= 18`"));
        }
    }

    /// `where charges is not null`: it is there from then on.
    fn narrow(&mut self, condition: &Expr) {
        match condition {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.narrow(left);
                self.narrow(right);
            }
            Expr::Nested(inner) => self.narrow(inner),
            Expr::IsNotNull(inner) => {
                let (qualifier, name) = match &**inner {
                    Expr::Identifier(ident) => (None, ident.value.clone()),
                    Expr::CompoundIdentifier(idents) => match idents.as_slice() {
                        [table, column] => (Some(table.value.clone()), column.value.clone()),
                        _ => return,
                    },
                    _ => return,
                };
                for relation in &mut self.frame().relations {
                    if qualifier.as_ref().is_none_or(|qualifier| relation.names.contains(qualifier)) {
                        let columns = relation.columns.iter_mut().flatten();
                        columns.filter(|it| it.column.name == name).for_each(|it| it.column.nullable = false);
                    }
                }
            }
            _ => {}
        }
    }

    /// `group by`
    fn keys(&mut self, select: &Select) {
        let GroupByExpr::Expressions(exprs, _) = &select.group_by else { return };
        for expr in exprs {
            // `group by 1` and `group by alias` stand for what is selected.
            let selected = match expr {
                Expr::Value(value) => match &value.value {
                    Value::Number(number, _) => {
                        number.parse::<usize>().ok().and_then(|n| select.projection.get(n.checked_sub(1)?))
                    }
                    _ => None,
                },
                Expr::Identifier(ident) if !self.has_column(&ident.value) => select
                    .projection
                    .iter()
                    .find(|item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value == ident.value)),
                _ => None,
            };
            let expr = match selected {
                Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => expr,
                _ => expr,
            };
            let nested: Vec<&Expr> = match expr {
                Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => sets.iter().flatten().collect(),
                Expr::Tuple(items) => items.iter().collect(),
                expr => vec![expr],
            };
            for key in nested {
                self.in_clause("group by", |it| {
                    it.expr(key);
                });
                if let Some(at) = self.place_of(key) {
                    self.frame().key_columns.push(at);
                }
                self.frame().keys.push(key.clone());
            }
        }
    }

    fn has_column(&mut self, name: &str) -> bool {
        let columns = self.frame().relations.iter().flat_map(|relation| relation.columns.iter().flatten());
        columns.into_iter().any(|it| it.column.name == name)
    }

    /// The table and the column that an expression is.
    fn place_of(&mut self, expr: &Expr) -> Option<(usize, usize)> {
        let (qualifier, name) = match expr {
            Expr::Identifier(ident) => (None, ident.value.as_str()),
            Expr::CompoundIdentifier(idents) => {
                let (column, before) = idents.split_last()?;
                let before: Vec<&str> = before.iter().map(|ident| ident.value.as_str()).collect();
                (Some(before.join(".")), column.value.as_str())
            }
            _ => return None,
        };
        self.frame().relations.iter().enumerate().find_map(|(r, relation)| {
            let named = qualifier.as_ref().is_none_or(|qualifier| relation.names.contains(qualifier));
            let columns = relation.columns.as_ref().filter(|_| named)?;
            Some((r, columns.iter().position(|it| it.column.name == name)?))
        })
    }

    fn order(&mut self, query: &Query) {
        let Some(order) = &query.order_by else { return };
        let OrderByKind::Expressions(exprs) = &order.kind else { return };
        self.frame().sees_aliases = true;
        for order in exprs {
            self.expr(&order.expr);
        }
    }

    fn item(&mut self, item: &SelectItem) -> Option<Vec<Made>> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let typed = self.expr(expr);
                let name = match bare_name(expr) {
                    Some(name) => Some(name),
                    None => typed.same.as_ref().map(|column| column.name.clone()),
                };
                Some(vec![self.made(name, typed)])
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let mut typed = self.expr(expr);
                let range = self.range_of(alias);
                typed.range = typed.range.start.min(range.start)..range.end;
                Some(vec![self.made(Some(alias.value.clone()), typed)])
            }
            SelectItem::Wildcard(options) => {
                let range = self.lines.range(options.wildcard_token.0.span).unwrap_or(0..1);
                if self.frame().relations.is_empty() {
                    let message = "`*` is all columns of the tables in `from`, and there is no `from`".to_owned();
                    self.mistake(Mistake::new(codes::SQL_SYNTAX, range, message).help("add `from table`"));
                    return None;
                }
                let relations: Vec<usize> = (0..self.frame().relations.len()).collect();
                self.star(&relations, range, options)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                let range = self.lines.range(name.span()).unwrap_or(0..1);
                let wanted = path(name)?.join(".");
                let at = self.frame().relations.iter().position(|relation| relation.names.contains(&wanted));
                match at {
                    Some(at) => self.star(&[at], range, options),
                    None => {
                        let names: Vec<String> =
                            self.frame().relations.iter().filter_map(|it| it.names.first().cloned()).collect();
                        let message = format!("no table of the query is called `{wanted}`");
                        let mut mistake = Mistake::new(codes::UNKNOWN_TABLE, range, message);
                        mistake.candidates = Some((wanted, names));
                        self.mistake(mistake);
                        None
                    }
                }
            }
            SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. } => None,
        }
    }

    fn made(&mut self, name: Option<String>, typed: Typed) -> Made {
        let named = name.is_some();
        let name = name.unwrap_or_default();
        let derived = typed.derived;
        let column = match typed.same {
            Some(column) => Column { name: name.clone(), nullable: typed.nullable, ..column },
            None => plain_column(name.clone(), &typed).column,
        };
        let label_told = column.label;
        let shown =
            Typed { ty: column.ty.clone(), ..Typed::of(column.ty.clone(), typed.nullable, typed.range.clone()) };
        self.frame().aliases.push((name, Typed { derived: derived || label_told, ..shown }));
        Made { column, derived, range: typed.range, named }
    }

    /// `*`, with what is left out, replaced and renamed.
    fn star(
        &mut self,
        relations: &[usize],
        range: Range<usize>,
        options: &WildcardAdditionalOptions,
    ) -> Option<Vec<Made>> {
        let mut made = Vec::new();
        for at in relations {
            let columns = self.frame().relations.get(*at)?.columns.clone()?;
            for (place, it) in columns.iter().enumerate().filter(|(_, it)| !it.merged) {
                let frame = self.frame();
                if !frame.key_columns.contains(&(*at, place)) {
                    frame.bare.push((range.clone(), it.column.name.clone()));
                }
                let (column, derived) = (it.column.clone(), it.derived);
                made.push(Made { column, derived, range: range.clone(), named: true });
            }
        }
        let object = |name: &ObjectName| name.0.last().and_then(|part| part.as_ident()).cloned();
        let mut left_out = Vec::new();
        match &options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => left_out.extend(object(name)),
            Some(ExcludeSelectItem::Multiple(names)) => left_out.extend(names.iter().filter_map(object)),
            None => {}
        }
        if let Some(except) = &options.opt_except {
            left_out.push(except.first_element.clone());
            left_out.extend(except.additional_elements.iter().cloned());
        }
        let all: Vec<String> = made.iter().map(|it| it.column.name.clone()).collect();
        let known = |it: &mut Self, ident: &sqlparser::ast::Ident| {
            let is_known = all.contains(&ident.value);
            if !is_known {
                let message = format!("there is no column `{}` among these", ident.value);
                let mut mistake = Mistake::new(codes::UNKNOWN_COLUMN, it.range_of(ident), message);
                mistake.candidates = Some((ident.value.clone(), all.clone()));
                it.mistake(mistake);
            }
            is_known
        };
        for ident in &left_out {
            if known(self, ident) {
                made.retain(|it| it.column.name != ident.value);
            }
        }
        for element in options.opt_replace.iter().flat_map(|replace| &replace.items) {
            let typed = self.expr(&element.expr);
            if known(self, &element.column_name) {
                let name = element.column_name.value.clone();
                for it in made.iter_mut().filter(|it| it.column.name == name) {
                    it.derived = typed.tells_label() && !it.column.label;
                    it.column = plain_column(name.clone(), &typed).column;
                }
            }
        }
        let renames = match &options.opt_rename {
            Some(RenameSelectItem::Single(one)) => vec![one],
            Some(RenameSelectItem::Multiple(many)) => many.iter().collect(),
            None => Vec::new(),
        };
        for rename in renames {
            if known(self, &rename.ident) {
                let renamed = made.iter_mut().filter(|it| it.column.name == rename.ident.value);
                renamed.for_each(|it| it.column.name.clone_from(&rename.alias.value));
            }
        }
        Some(made)
    }
}

/// The name of a column that is selected as it is.
fn bare_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(ident.value.clone()),
        Expr::CompoundIdentifier(idents) => idents.last().map(|ident| ident.value.clone()),
        Expr::Nested(inner) => bare_name(inner),
        _ => None,
    }
}

fn plain_column(name: String, typed: &Typed) -> Col {
    // A length of time cannot be stored; how an engine stores it is not known.
    let ty = if typed.ty == Type::Duration { Type::Unknown } else { typed.ty.clone() };
    let column = Column { name, ty, nullable: typed.nullable, unique: false, label: false, bounds: Vec::new() };
    Col { column, derived: typed.derived, merged: false }
}
