//! Expressions in queries: their types, and whether they can be missing.

use super::functions::{self, Kind, Shape};
use super::scope::{Checker, Typed};
use super::unify::{unified, words};
use super::{Class, Mistake, class};
use crate::codes;
use crate::types::Type;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Query, Spanned, UnaryOperator, Value, WindowType,
};
use std::ops::Range;

impl Checker<'_> {
    /// The type of an expression. What it reads is looked up, and what is wrong in it is told.
    pub(super) fn expr(&mut self, expr: &Expr) -> Typed {
        if !self.frame().inside_aggregate && self.frame().keys.contains(expr) {
            // A result of `group by` is one value, whatever it is made of.
            let bare = self.frame().bare.len();
            let typed = self.inner(expr);
            self.frame().bare.truncate(bare);
            return typed;
        }
        self.inner(expr)
    }

    fn inner(&mut self, expr: &Expr) -> Typed {
        match expr {
            Expr::Identifier(ident) => self.bare_column(ident),
            Expr::CompoundIdentifier(idents) => self.qualified_column(idents),
            Expr::Nested(inner) => self.expr(inner),
            Expr::Value(value) => {
                let range = self.lines.range(value.span).unwrap_or(0..0);
                literal(&value.value, range)
            }
            Expr::TypedString(typed) => {
                let range = self.lines.range(typed.value.span).unwrap_or(0..0);
                Typed::of(data_type(&typed.data_type), false, range)
            }
            Expr::Interval(interval) => {
                self.expr(&interval.value);
                Typed::of(Type::Duration, false, self.range(expr))
            }
            Expr::BinaryOp { .. } => self.chain(expr),
            Expr::UnaryOp { op, expr: inner } => {
                let typed = self.expr(inner);
                match op {
                    UnaryOperator::Not => {
                        self.wants(&typed, Class::Truth, "`not`");
                        Typed { ty: Type::Bool, same: None, derived: typed.tells_label(), literal: false, ..typed }
                    }
                    UnaryOperator::Minus | UnaryOperator::Plus => {
                        let ty = match class(&typed.ty) {
                            Class::Number | Class::Length => typed.ty.clone(),
                            _ => {
                                self.wants(&typed, Class::Number, "the sign");
                                Type::Unknown
                            }
                        };
                        Typed { ty, same: None, derived: typed.tells_label(), literal: false, ..typed }
                    }
                    _ => Typed { derived: typed.tells_label(), ..Typed::unknown(typed.range) },
                }
            }
            Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::IsTrue(inner)
            | Expr::IsNotTrue(inner)
            | Expr::IsFalse(inner)
            | Expr::IsNotFalse(inner)
            | Expr::IsUnknown(inner)
            | Expr::IsNotUnknown(inner) => {
                let typed = self.expr(inner);
                Typed { derived: typed.tells_label(), ..Typed::of(Type::Bool, false, typed.range) }
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                let (left, right) = (self.expr(left), self.expr(right));
                Typed { ty: Type::Bool, nullable: false, literal: false, ..unified(&left, &right) }
            }
            Expr::Between { expr: inner, low, high, .. } => {
                let typed = self.expr(inner);
                let mut out = typed.clone();
                for bound in [low, high] {
                    let bound = self.expr(bound);
                    self.comparable(&typed, &bound);
                    out = unified(&out, &bound);
                }
                Typed { ty: Type::Bool, same: None, literal: false, ..out }
            }
            Expr::InList { expr: inner, list, .. } => {
                let typed = self.expr(inner);
                let mut out = typed.clone();
                for item in list {
                    let item = self.expr(item);
                    self.comparable(&typed, &item);
                    out = unified(&out, &item);
                }
                Typed { ty: Type::Bool, same: None, literal: false, ..out }
            }
            Expr::InSubquery { expr: inner, subquery, .. } => {
                let typed = self.expr(inner);
                self.subquery(subquery);
                Typed { derived: typed.tells_label(), ..Typed::of(Type::Bool, typed.nullable, typed.range) }
            }
            Expr::Exists { subquery, .. } => {
                self.subquery(subquery);
                Typed::of(Type::Bool, false, self.range(expr))
            }
            Expr::Subquery(subquery) => {
                let range = self.range(expr);
                match self.subquery(subquery).as_deref() {
                    Some([one]) => Typed::of(one.column.ty.clone(), true, range),
                    Some(several) if several.len() > 1 => {
                        let message = format!("one value is wanted, and this query gives {} columns", several.len());
                        self.mistake(Mistake::new(codes::SQL_TYPE, range.clone(), message).help("select one column"));
                        Typed::unknown(range)
                    }
                    _ => Typed::unknown(range),
                }
            }
            Expr::Like { expr: inner, pattern, .. }
            | Expr::ILike { expr: inner, pattern, .. }
            | Expr::SimilarTo { expr: inner, pattern, .. }
            | Expr::RLike { expr: inner, pattern, .. } => {
                let (typed, pattern) = (self.expr(inner), self.expr(pattern));
                self.wants(&typed, Class::Text, "`like`");
                Typed { ty: Type::Bool, same: None, literal: false, ..unified(&typed, &pattern) }
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), self.range(expr))
            }
            Expr::Cast { expr: inner, data_type: wanted, kind, .. } => {
                let typed = self.expr(inner);
                let ty = data_type(wanted);
                let may_fail = matches!(kind, CastKind::TryCast | CastKind::SafeCast);
                let range = typed.range.start..self.lines.range(expr.span()).map_or(typed.range.end, |it| it.end);
                // A cast to what it is leaves it what it is.
                let same = typed.same.clone().filter(|column| column.ty == ty && !may_fail);
                Typed {
                    nullable: typed.nullable || may_fail,
                    derived: typed.tells_label() && same.is_none(),
                    same,
                    ..Typed::of(ty, true, range)
                }
            }
            Expr::Extract { expr: inner, .. } => {
                let typed = self.expr(inner);
                if class(&typed.ty) == Class::Number || class(&typed.ty) == Class::Truth {
                    self.wants(&typed, Class::Instant, "`extract`");
                }
                Typed { derived: typed.tells_label(), ..Typed::of(Type::Int, typed.nullable, typed.range) }
            }
            Expr::Ceil { expr: inner, .. } | Expr::Floor { expr: inner, .. } => {
                let typed = self.expr(inner);
                self.wants(&typed, Class::Number, "rounding");
                let ty = if typed.ty == Type::Int { Type::Int } else { Type::Float };
                Typed { derived: typed.tells_label(), ..Typed::of(ty, typed.nullable, typed.range) }
            }
            Expr::Position { expr: inner, r#in } => {
                let typed = unified(&self.expr(inner), &self.expr(r#in));
                Typed { ty: Type::Int, same: None, literal: false, ..typed }
            }
            Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. }
            | Expr::Overlay { expr: inner, .. } => {
                let typed = self.expr(inner);
                self.wants(&typed, Class::Text, "a function of texts");
                Typed { derived: typed.tells_label(), ..Typed::of(Type::String, typed.nullable, typed.range) }
            }
            Expr::Collate { expr: inner, .. } => self.expr(inner),
            Expr::AtTimeZone { timestamp, .. } => {
                let typed = self.expr(timestamp);
                Typed { derived: typed.tells_label(), ..Typed::of(Type::Time, typed.nullable, typed.range) }
            }
            Expr::Function(function) => self.function(function),
            Expr::Tuple(items) => {
                let typed: Vec<Typed> = items.iter().map(|item| self.expr(item)).collect();
                let derived = typed.iter().any(Typed::tells_label);
                Typed { derived, ..Typed::unknown(self.range(expr)) }
            }
            _ => Typed::unknown(self.range(expr)),
        }
    }

    fn subquery(&mut self, query: &Query) -> Option<Vec<super::scope::Col>> {
        self.query(query, false)
    }

    /// A chain of operators. It may be long, so it is walked and not descended.
    fn chain(&mut self, expr: &Expr) -> Typed {
        let mut rest: Vec<(&BinaryOperator, &Expr)> = Vec::new();
        let mut at = expr;
        while let Expr::BinaryOp { left, op, right } = at {
            rest.push((op, right));
            at = left;
            if !self.frame().inside_aggregate && self.frame().keys.contains(at) {
                break;
            }
        }
        let mut typed = self.expr(at);
        while let Some((op, right)) = rest.pop() {
            let right = self.expr(right);
            typed = self.binary(typed, op, right);
        }
        typed
    }

    fn binary(&mut self, left: Typed, op: &BinaryOperator, right: Typed) -> Typed {
        use BinaryOperator as Op;
        let both = Typed { literal: false, ..unified(&left, &right) };
        let ty = match op {
            Op::And | Op::Or | Op::Xor => {
                self.wants(&left, Class::Truth, &format!("`{}`", op.to_string().to_lowercase()));
                self.wants(&right, Class::Truth, &format!("`{}`", op.to_string().to_lowercase()));
                Type::Bool
            }
            Op::Eq | Op::NotEq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Spaceship => {
                self.comparable(&left, &right);
                Type::Bool
            }
            Op::StringConcat => Type::String,
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide | Op::Modulo => self.arithmetic(&left, op, &right),
            _ => Type::Unknown,
        };
        Typed { ty, ..both }
    }

    fn arithmetic(&mut self, left: &Typed, op: &BinaryOperator, right: &Typed) -> Type {
        use BinaryOperator as Op;
        let (a, b) = (class(&left.ty), class(&right.ty));
        match (a, b, op) {
            (Class::Number, Class::Number, _) => match (&left.ty, &right.ty) {
                (Type::Int, Type::Int) => Type::Int,
                _ => Type::Float,
            },
            (Class::Unknown, _, _) | (_, Class::Unknown, _) => Type::Unknown,
            (Class::Instant, Class::Length, Op::Plus | Op::Minus) => left.ty.clone(),
            (Class::Length, Class::Instant, Op::Plus) => right.ty.clone(),
            (Class::Instant, Class::Instant, Op::Minus) => Type::Duration,
            (Class::Length, Class::Length, Op::Plus | Op::Minus) => Type::Duration,
            (Class::Length, Class::Number, _) | (Class::Number, Class::Length, Op::Multiply) => Type::Duration,
            // Days are added to a date in some engines.
            (Class::Instant, Class::Number, Op::Plus | Op::Minus) => Type::Unknown,
            _ => {
                let wrong = if a == Class::Number { right } else { left };
                let message = format!("`{op}` joins numbers, and this is {}", words(&wrong.ty));
                let help = match class(&wrong.ty) {
                    Class::Text if matches!(op, Op::Plus) => "texts are joined by `||`".to_owned(),
                    Class::Truth => "count it: `case when ... then 1 else 0 end`".to_owned(),
                    _ => "cast it: `cast(... as double)`".to_owned(),
                };
                self.mistake(Mistake::new(codes::SQL_TYPE, wrong.range.clone(), message).help(help));
                Type::Unknown
            }
        }
    }

    /// Whether two values can be compared at all, and a text with the texts that a column can hold.
    fn comparable(&mut self, left: &Typed, right: &Typed) {
        if let (Type::Enum(a), Type::Enum(b)) = (&left.ty, &right.ty)
            && left.literal != right.literal
            && !a.iter().any(|text| b.contains(text))
        {
            let (column, literal, known) = if left.literal { (right, left, b) } else { (left, right, a) };
            let written = if left.literal { a.first() } else { b.first() };
            let name = column.same.as_ref().map_or("this".to_owned(), |column| format!("`{}`", column.name));
            let message = format!("{name} is never {}", crate::written::quoted(written.map_or("", String::as_str)));
            let mut mistake = Mistake::new(codes::NOT_ONE_OF, literal.range.clone(), message).label("no such value");
            let quoted = |text: &String| format!("'{}'", text.replace('\'', "''"));
            mistake.candidates = Some((written.map(quoted).unwrap_or_default(), known.iter().map(quoted).collect()));
            return self.mistake(mistake);
        }
        let (a, b) = (class(&left.ty), class(&right.ty));
        // A text as written becomes what it is compared with.
        let written = |typed: &Typed| typed.literal && class(&typed.ty) == Class::Text;
        if a == b || a == Class::Unknown || b == Class::Unknown || written(left) || written(right) {
            return;
        }
        let range = left.range.start.min(right.range.start)..left.range.end.max(right.range.end);
        let message = format!("{} cannot be compared with {}", words(&left.ty), words(&right.ty));
        self.mistake(Mistake::new(codes::SQL_TYPE, range, message).help("cast one of them"));
    }

    fn wants(&mut self, typed: &Typed, wanted: Class, what: &str) {
        let found = class(&typed.ty);
        if found == wanted || found == Class::Unknown {
            return;
        }
        let wanted = match wanted {
            Class::Number => "a number",
            Class::Text => "a text",
            Class::Truth => "a condition",
            Class::Instant => "a date or a time",
            Class::Length => "a length of time",
            Class::Unknown => return,
        };
        let message = format!("{what} wants {wanted}, and this is {}", words(&typed.ty));
        self.mistake(Mistake::new(codes::SQL_TYPE, typed.range.clone(), message));
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        range: Range<usize>,
    ) -> Typed {
        let operand = operand.map(|operand| self.expr(operand));
        let mut out: Option<Typed> = None;
        let mut derived = operand.as_ref().is_some_and(Typed::tells_label);
        for CaseWhen { condition, result } in conditions {
            let condition = self.expr(condition);
            derived |= condition.tells_label();
            match &operand {
                Some(operand) => self.comparable(operand, &condition),
                None => self.wants(&condition, Class::Truth, "`when`"),
            }
            let result = self.expr(result);
            out = Some(out.map_or(result.clone(), |so_far| unified(&so_far, &result)));
        }
        let mut typed = out.unwrap_or_else(|| Typed::unknown(range.clone()));
        match otherwise {
            Some(otherwise) => {
                let otherwise = self.expr(otherwise);
                typed = unified(&typed, &otherwise);
            }
            None => typed.nullable = true,
        }
        Typed { same: None, derived: derived || typed.tells_label(), literal: false, range, ..typed }
    }

    fn function(&mut self, function: &Function) -> Typed {
        let range = self.lines.range(function.span()).unwrap_or(0..0);
        let name = match super::path(&function.name).as_deref() {
            Some([name]) => name.to_ascii_lowercase(),
            _ => return Typed::unknown(range),
        };
        let name_range = self.lines.range(function.name.span()).unwrap_or(range.clone());
        let known = functions::find(&name);
        let is_window = function.over.is_some();
        let is_aggregate = known.as_ref().is_some_and(|known| known.kind == Kind::Aggregate) && !is_window;
        if is_aggregate {
            if let Some(clause) = self.frame().clause {
                let message = format!("`{clause}` looks at one row, and `{name}` at many");
                let help = if clause == "where" {
                    "write it behind `having`"
                } else {
                    "compute it in a query below: `with name as (...)`"
                };
                self.mistake(Mistake::new(codes::MISPLACED_AGGREGATE, range.clone(), message).help(help));
            } else if self.frame().inside_aggregate {
                let message = format!("`{name}` stands within another aggregate");
                self.mistake(
                    Mistake::new(codes::MISPLACED_AGGREGATE, range.clone(), message)
                        .help("compute the inner one in a query below: `with name as (...)`"),
                );
            }
            let counts = self.frame().clause.is_none();
            self.frame().has_aggregate |= counts;
        }
        let was_inside = self.frame().inside_aggregate;
        self.frame().inside_aggregate |= is_aggregate;
        let arguments = self.arguments(&function.args);
        if let Some(filter) = &function.filter {
            self.expr(filter);
        }
        for order in &function.within_group {
            self.expr(&order.expr);
        }
        self.frame().inside_aggregate = was_inside;
        if let Some(WindowType::WindowSpec(spec)) = &function.over {
            for expr in &spec.partition_by {
                self.expr(expr);
            }
            for order in &spec.order_by {
                self.expr(&order.expr);
            }
        }
        let Some(known) = known else {
            let message = format!("queries have no function `{name}`");
            let mut mistake = Mistake::new(codes::UNKNOWN_SQL_FUNCTION, name_range, message);
            mistake.candidates = Some((name, functions::names().map(str::to_owned).collect()));
            self.mistake(mistake);
            return Typed::unknown(range);
        };
        if known.kind == Kind::Window && !is_window {
            let message = format!("`{name}` looks at the rows around, and needs `over (...)`");
            let mistake = Mistake::new(codes::MISPLACED_AGGREGATE, range.clone(), message);
            self.mistake(mistake.help(format!("write `{name}(...) over (partition by ... order by ...)`")));
        }
        if known.kind == Kind::Volatile {
            let message = format!("`{name}` gives something else each time");
            let mistake = Mistake::new(codes::UNSTEADY_QUERY, range.clone(), message);
            let help = match known.shape {
                Shape::Float | Shape::Text => {
                    "draw rows by a step with a seed, or number them: `row_number() over (...)`"
                }
                _ => "give the day as a parameter: `${today}`",
            };
            self.mistake(Mistake { is_lint: true, ..mistake.help(help) });
        }
        let Some(arguments) = arguments else { return Typed::of(known.result(&[]), known.may_miss(&[]), range) };
        if !known.counts.contains(&arguments.len()) && !arguments.is_empty() {
            let message = format!("`{name}` takes {}, and is given {}", known.wanted(), arguments.len());
            self.mistake(Mistake::new(codes::BAD_ARGUMENTS, range.clone(), message));
            return Typed::unknown(range);
        }
        if let Some(wanted) = known.wants
            && let Some(first) = arguments.first().filter(|first| !(first.literal && wanted != Class::Text))
        {
            self.wants(first, wanted, &format!("`{name}`"));
        }
        // What is computed from many rows tells the label of none; a window may look at rows before only.
        let row_wise = !is_window && known.kind != Kind::Aggregate;
        let derived = row_wise && arguments.iter().any(Typed::tells_label);
        let nullable = if is_window && known.shape == Shape::Other { true } else { known.may_miss(&arguments) };
        Typed { derived, ..Typed::of(known.result(&arguments), nullable, range) }
    }

    /// The types of a call's arguments; `None` for those of `count(*)` and the like.
    fn arguments(&mut self, arguments: &FunctionArguments) -> Option<Vec<Typed>> {
        match arguments {
            FunctionArguments::None => Some(Vec::new()),
            FunctionArguments::Subquery(query) => {
                self.subquery(query);
                None
            }
            FunctionArguments::List(list) => {
                let mut typed = Vec::with_capacity(list.args.len());
                let mut plain = true;
                for argument in &list.args {
                    let (FunctionArg::Unnamed(arg)
                    | FunctionArg::Named { arg, .. }
                    | FunctionArg::ExprNamed { arg, .. }) = argument;
                    match arg {
                        FunctionArgExpr::Expr(expr) => typed.push(self.expr(expr)),
                        _ => plain = false,
                    }
                }
                plain.then_some(typed)
            }
        }
    }
}

fn literal(value: &Value, range: Range<usize>) -> Typed {
    match value {
        Value::Number(number, _) => {
            let is_float = number.contains(['.', 'e', 'E']) || number.parse::<i64>().is_err();
            Typed::of(if is_float { Type::Float } else { Type::Int }, false, range)
        }
        Value::Boolean(_) => Typed::of(Type::Bool, false, range),
        Value::Null => Typed::of(Type::Unknown, true, range),
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::NationalStringLiteral(text) => {
            Typed { literal: true, ..Typed::of(Type::Enum(vec![text.clone()]), false, range) }
        }
        Value::DollarQuotedString(_) | Value::UnicodeStringLiteral(_) => Typed::of(Type::String, false, range),
        _ => Typed::unknown(range),
    }
}

/// A type of SQL as one of ours.
fn data_type(ty: &DataType) -> Type {
    let name = ty.to_string().to_ascii_uppercase();
    let word = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match word {
        "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "INT2" | "INT4" | "INT8" | "INT16" | "INT32"
        | "INT64" | "UINT8" | "UINT16" | "UINT32" | "MEDIUMINT" | "UNSIGNED" | "SIGNED" => Type::Int,
        "FLOAT" | "FLOAT4" | "FLOAT8" | "FLOAT32" | "FLOAT64" | "DOUBLE" | "REAL" | "DECIMAL" | "NUMERIC" | "DEC" => {
            Type::Float
        }
        "BOOL" | "BOOLEAN" => Type::Bool,
        "DATE" | "DATE32" => Type::Date,
        "TIMESTAMP" | "DATETIME" | "TIMESTAMPTZ" => Type::Time,
        "VARCHAR" | "CHAR" | "CHARACTER" | "TEXT" | "STRING" | "NVARCHAR" | "CLOB" => Type::String,
        "INTERVAL" => Type::Duration,
        _ => Type::Unknown,
    }
}
