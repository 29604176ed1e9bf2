//! A column's declared bounds, made ready to be asked a million times.

use crate::cell::{Cell, parse_date, parse_time};
use mlp_lang::types::{Bound, Comparison, Type};
use mlp_lang::value::Value;
use std::cmp::Ordering;

/// One bound.
pub struct Rule {
    test: Test,
    /// As the author would write it: `in 18..=120`.
    pub text: String,
}

enum Test {
    Within { low: Limit, high: Limit, inclusive: bool },
    OneOf(Vec<Limit>),
    Compare(Comparison, Limit),
}

/// A constant that cells are compared with.
struct Limit(Held);

enum Held {
    Plain(Cell<'static>),
    Text(String),
}

impl Limit {
    fn new(value: &Value, ty: &Type) -> Option<Limit> {
        let held = match value {
            Value::Bool(b) => Held::Plain(Cell::Bool(*b)),
            Value::Int(i) => Held::Plain(Cell::Int(*i)),
            Value::Float(f) | Value::Fraction(f) => Held::Plain(Cell::Float(*f)),
            Value::Date(d) => Held::Plain(Cell::Date(parse_date(d)?)),
            Value::Time(t) => Held::Plain(Cell::Time(parse_time(t)?)),
            Value::String(s) => Held::Text(s.clone()),
            _ => return None,
        };
        let limit = Limit(held);
        let sample = match ty {
            Type::Bool => Cell::Bool(true),
            Type::Int => Cell::Int(0),
            Type::Float | Type::Fraction => Cell::Float(0.0),
            Type::Date => Cell::Date(0),
            Type::Time => Cell::Time(0),
            Type::String | Type::Enum(_) => Cell::Text(""),
            _ => return None,
        };
        limit.order_of(&sample).map(|_| limit)
    }

    /// How `cell` stands to this constant.
    fn order_of(&self, cell: &Cell<'_>) -> Option<Ordering> {
        match &self.0 {
            Held::Plain(constant) => cell.order(constant),
            Held::Text(text) => cell.order(&Cell::Text(text)),
        }
    }
}

impl Rule {
    /// The rule for a column of type `ty`; `None` when the bound's values cannot be compared with it.
    pub fn new(bound: &Bound, ty: &Type) -> Option<Rule> {
        let limit = |value: &Value| Limit::new(value, ty);
        let (test, text) = match bound {
            Bound::Within(range @ Value::Range { low, high, inclusive }) => (
                Test::Within { low: limit(low)?, high: limit(high)?, inclusive: *inclusive },
                format!("in {}", written(range)),
            ),
            Bound::OneOf(list @ Value::List(values)) => {
                (Test::OneOf(values.iter().map(limit).collect::<Option<_>>()?), format!("in {}", written(list)))
            }
            Bound::Compare(comparison, value) => {
                (Test::Compare(*comparison, limit(value)?), format!("{} {}", sign(*comparison), written(value)))
            }
            Bound::Within(_) | Bound::OneOf(_) => return None,
        };
        Some(Rule { test, text })
    }

    /// Whether a present cell keeps the rule.
    pub fn allows(&self, cell: &Cell<'_>) -> bool {
        match &self.test {
            Test::Within { low, high, inclusive } => {
                let below = if *inclusive { Comparison::LessOrEqual } else { Comparison::Less };
                holds(Comparison::GreaterOrEqual, low.order_of(cell)) && holds(below, high.order_of(cell))
            }
            Test::OneOf(limits) => limits.iter().any(|l| holds(Comparison::Equal, l.order_of(cell))),
            Test::Compare(comparison, limit) => holds(*comparison, limit.order_of(cell)),
        }
    }
}

fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    let Some(order) = order else { return false };
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// A value as it is written in a `.mlp` file; a long list is cut.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => format!("{f:?}"),
        Value::Fraction(f) => format!("{}%", (f * 1e14).round() / 1e12),
        Value::Date(s) | Value::Time(s) => s.clone(),
        Value::String(s) => format!("{s:?}"),
        Value::Range { low, high, inclusive } => {
            format!("{}{}{}", written(low), if *inclusive { "..=" } else { ".." }, written(high))
        }
        Value::List(values) => {
            let mut shown: Vec<String> = values.iter().take(8).map(written).collect();
            if values.len() > shown.len() {
                shown.push(format!("... {} more", values.len() - shown.len()));
            }
            format!("[{}]", shown.join(", "))
        }
        other => format!("{other:?}"),
    }
}
