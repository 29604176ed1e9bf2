//! Whether a value fits the type that is wanted, and what it becomes: `1` becomes `1.0` where a float is wanted.

use super::{units, with_article};
use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::syntax::ast::{self, ExprKind};
use crate::types::Type;
use crate::value::Value;
use crate::written::quoted;

/// The value as a value of `wanted`; `None` when it is none.
pub(crate) fn coerce(value: &Value, wanted: &Type) -> Option<Value> {
    let boxed = |value: &Value, wanted: &Type| coerce(value, wanted).map(Box::new);
    match (value, wanted) {
        (_, Type::Unknown) => Some(value.clone()),
        (Value::Null, Type::Optional(_)) => Some(Value::Null),
        (value, Type::Optional(inner)) => coerce(value, inner),
        (Value::Int(number), Type::Float) => Some(Value::Float(*number as f64)),
        (Value::Fraction(number), Type::Float) => Some(Value::Float(*number)),
        (Value::String(text), Type::Enum(variants)) => variants.contains(text).then(|| value.clone()),
        (Value::Bool(_), Type::Bool)
        | (Value::Int(_), Type::Int)
        | (Value::Float(_), Type::Float)
        | (Value::Fraction(_), Type::Fraction)
        | (Value::Duration(_), Type::Duration)
        | (Value::Size(_), Type::Size)
        | (Value::Date(_), Type::Date)
        | (Value::Time(_), Type::Time)
        | (Value::String(_), Type::String) => Some(value.clone()),
        (Value::List(items), Type::List(element)) => {
            items.iter().map(|item| coerce(item, element)).collect::<Option<_>>().map(Value::List)
        }
        (Value::Map(entries), Type::Map(element)) => entries
            .iter()
            .map(|(key, value)| Some((key.clone(), coerce(value, element)?)))
            .collect::<Option<_>>()
            .map(Value::Map),
        (Value::Range { low, high, inclusive }, Type::Range(element)) => {
            Some(Value::Range { low: boxed(low, element)?, high: boxed(high, element)?, inclusive: *inclusive })
        }
        _ => None,
    }
}

impl Context<'_> {
    /// The value as one of `wanted`, or a finding at the part of `written` that does not fit. `what` names what it is
    /// for: "`test`".
    pub(crate) fn fit(&mut self, written: &ast::Expr, value: &Value, wanted: &Type, what: &str) -> Option<Value> {
        let fitting = coerce(value, wanted);
        if fitting.is_none() {
            self.misfit(written, value, wanted, what);
        }
        fitting
    }

    /// Reports the first part of a value that does not fit.
    fn misfit(&mut self, written: &ast::Expr, value: &Value, wanted: &Type, what: &str) {
        let inner = super::operators::present(wanted);
        if let (ExprKind::List(parts), Value::List(items), Type::List(element)) = (&written.kind, value, inner)
            && let Some((part, item)) = parts.iter().zip(items).find(|(_, item)| coerce(item, element).is_none())
        {
            return self.misfit(part, item, element, &format!("each element of {what}"));
        }
        if let (ExprKind::Map(parts), Value::Map(entries), Type::Map(element)) = (&written.kind, value, inner)
            && let Some(((_, part), (key, item))) =
                parts.iter().zip(entries).find(|(_, (_, item))| coerce(item, element).is_none())
        {
            return self.misfit(part, item, element, &format!("`{key}` of {what}"));
        }
        if let (ExprKind::Range { low: a, high: b, .. }, Value::Range { low, high, .. }, Type::Range(element)) =
            (&written.kind, value, inner)
        {
            let (part, item) = if coerce(low, element).is_none() { (a, low) } else { (b, high) };
            return self.misfit(part, item, element, what);
        }
        if units::lacks_unit(value, inner) {
            let finding = units::missing_unit(self, written, value, inner);
            return self.report(finding.note(format!("{what} is {}", with_article(wanted))));
        }
        let finding = match (value, inner) {
            (Value::String(text), Type::Enum(variants)) => {
                let near = self.names.nearest(text, variants.iter().map(String::as_str)).map(quoted);
                let finding = Finding::error(
                    codes::NOT_ONE_OF,
                    self.place(written.span),
                    format!("{what} is one of {inner}, not {}", quoted(text)),
                );
                crate::names::suggest(finding, written.span, near.as_deref(), || "write one of them".to_owned())
            }
            _ => {
                let found = with_article(&type_of(value));
                Finding::error(
                    codes::TYPE_MISMATCH,
                    self.place(written.span),
                    format!("{what} is {}, not {found}", with_article(wanted)),
                )
                .label(format!("this is {found}"))
            }
        };
        let quoted_date = matches!(value, Value::String(_));
        let finding = match meant_date(&self.text(written.span)).filter(|_| *inner == Type::Date) {
            Some(date) => finding
                .help(match quoted_date {
                    true => "a date stands without quotes",
                    false => "a date is written with `-`, and with two digits for its month and for its day",
                })
                .fix(format!("write `{date}`"), written.span, date, Safety::Unsafe),
            None if *inner == Type::Date && finding.help.is_none() => {
                finding.help("a date is written as year, month and day: `2011-04-01`")
            }
            None if *inner == Type::Time && finding.help.is_none() => {
                finding.help("a time is written with its offset: `2011-04-01T12:00:00Z`")
            }
            None => finding,
        };
        self.report(finding);
    }
}

/// `2024-1-1`, which is a subtraction, as the date it was meant to be; also a date in quotes.
fn meant_date(written: &str) -> Option<String> {
    let mut parts = written.trim_matches('"').split(['-', '/']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some() || year.len() != 4 || !digits(year, 4) || !digits(month, 2) || !digits(day, 2) {
        return None;
    }
    let date = format!("{year}-{month:0>2}-{day:0>2}");
    date.parse::<jiff::civil::Date>().is_ok().then_some(date)
}

/// The type of a value by itself.
pub(crate) fn type_of(value: &Value) -> Type {
    match value {
        Value::Null => Type::Optional(Box::new(Type::Unknown)),
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::Fraction(_) => Type::Fraction,
        Value::Duration(_) => Type::Duration,
        Value::Size(_) => Type::Size,
        Value::Date(_) => Type::Date,
        Value::Time(_) => Type::Time,
        Value::String(_) | Value::Column(_) => Type::String,
        Value::List(items) => Type::List(Box::new(of_all(items.iter()))),
        Value::Map(entries) => Type::Map(Box::new(of_all(entries.values()))),
        Value::Range { low, high, .. } => Type::Range(Box::new(of_all([&**low, &**high].into_iter()))),
    }
}

/// The type that all of them have, if there is one.
fn of_all<'v>(mut values: impl Iterator<Item = &'v Value>) -> Type {
    let first = values.next().map_or(Type::Unknown, type_of);
    values.try_fold(first, |so_far, value| super::operators::unify(&so_far, &type_of(value))).unwrap_or(Type::Unknown)
}
