//! How values, types and checked expressions are written: the canonical notation of `.mlp`.
//!
//! What stands here can be pasted into a file. Parsing a written value gives the value back.

use crate::pipeline::{Arithmetic, Expr, Function, MetricRef, Reduce, Stat};
use crate::types::{Bound, Comparison, Type};
use crate::value::Value;
use std::fmt::{self, Display, Formatter, Write};

/// Whether `name` can stand in a file without quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A column's name as written where a column is wanted: bare, or in quotes when it is no identifier.
pub fn column(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { quoted(name) }
}

/// A text as a string literal.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Texts joined for people: "`a`, `b` and `c`". Of many only the first are read, so that a list beside each of many
/// findings costs nothing.
pub(crate) fn listed<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    const SHOWN: usize = 12;
    let first: Vec<String> = items.into_iter().take(SHOWN + 1).map(|item| format!("`{}`", item.as_ref())).collect();
    match first.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        many if many.len() > SHOWN => format!("{} and more", many[..SHOWN].join(", ")),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Fraction(value) => write!(f, "{}%", percent(*value)),
            Value::Duration(nanoseconds) => duration(*nanoseconds, f),
            Value::Size(bytes) => size(*bytes, f),
            Value::Date(text) | Value::Time(text) => f.write_str(text),
            Value::String(text) => f.write_str(&quoted(text)),
            Value::Column(name) => f.write_str(&column(name)),
            Value::List(items) => {
                f.write_str("[")?;
                separated(items, f)?;
                f.write_str("]")
            }
            Value::Map(entries) if entries.is_empty() => f.write_str("{}"),
            Value::Map(entries) => {
                f.write_str("{ ")?;
                for (index, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{}: {value}", if index > 0 { ", " } else { "" }, column(key))?;
                }
                f.write_str(" }")
            }
            Value::Range { low, high, inclusive } => write!(f, "{low}..{}{high}", if *inclusive { "=" } else { "" }),
        }
    }
}

fn separated<T: Display>(items: &[T], f: &mut Formatter<'_>) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    Ok(())
}

/// The shortest decimal of a fraction with its point moved two places, so that no digit is invented: 0.07 is `7`,
/// where `0.07 * 100.0` would be 7.000000000000001.
pub(crate) fn percent(fraction: f64) -> String {
    let text = format!("{fraction}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let moved = format!("{whole}{part:0<2}");
    let (whole, part) = moved.split_at(whole.len() + 2);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// Units of time, longest first, in nanoseconds.
const DURATIONS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

fn duration(nanoseconds: i64, f: &mut Formatter<'_>) -> fmt::Result {
    if nanoseconds == 0 {
        return f.write_str("0s");
    }
    if nanoseconds < 0 {
        f.write_str("-")?;
    }
    let mut rest = nanoseconds.unsigned_abs();
    for (unit, length) in DURATIONS {
        if rest >= length {
            write!(f, "{}{unit}", rest / length)?;
            rest %= length;
        }
    }
    Ok(())
}

fn size(bytes: u64, f: &mut Formatter<'_>) -> fmt::Result {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let unit = UNITS.iter().find(|(_, shift)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    match unit {
        Some((name, shift)) => write!(f, "{}{name}", bytes >> shift),
        None => write!(f, "{bytes}B"),
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float => f.write_str("float"),
            Type::Fraction => f.write_str("fraction"),
            Type::Duration => f.write_str("duration"),
            Type::Size => f.write_str("size"),
            Type::Date => f.write_str("date"),
            Type::Time => f.write_str("time"),
            Type::String => f.write_str("string"),
            Type::Enum(variants) => {
                for (index, variant) in variants.iter().enumerate() {
                    write!(f, "{}{}", if index > 0 { " | " } else { "" }, quoted(variant))?;
                }
                Ok(())
            }
            Type::Optional(inner) if **inner == Type::Unknown => f.write_str("null"),
            Type::Optional(inner) => write!(f, "{inner}?"),
            Type::List(inner) if **inner == Type::Unknown => f.write_str("list"),
            Type::List(inner) => write!(f, "list<{inner}>"),
            Type::Map(inner) if **inner == Type::Unknown => f.write_str("map"),
            Type::Map(inner) => write!(f, "map<{inner}>"),
            Type::Range(inner) => write!(f, "range<{inner}>"),
            Type::Dataset(schema) => match &schema.name {
                Some(name) => write!(f, "dataset<{name}>"),
                None => f.write_str("dataset"),
            },
            Type::Model(flavor) => write!(f, "model<{flavor}>"),
            Type::Metrics(_) => f.write_str("metrics"),
            Type::File => f.write_str("file"),
            Type::Folder => f.write_str("folder"),
            Type::Secret => f.write_str("secret"),
            Type::Unknown => f.write_str("unknown"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl Display for Bound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Within(value) | Bound::OneOf(value) => write!(f, "in {value}"),
            Bound::Compare(comparison, value) => write!(f, "{comparison} {value}"),
        }
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "mod",
        })
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Function::Min => "min",
            Function::Max => "max",
            Function::Abs => "abs",
            Function::Round => "round",
            Function::Sqrt => "sqrt",
            Function::Log => "log",
            Function::Exp => "exp",
        })
    }
}

impl Display for Reduce {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reduce::Disparity => "disparity",
            Reduce::Lowest => "lowest",
            Reduce::Highest => "highest",
            Reduce::Mean => "mean",
        })
    }
}

impl Display for MetricRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Display for Stat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (function, of) = match self {
            Stat::Rows => return f.write_str("rows"),
            Stat::Missing(of) => ("missing", of),
            Stat::Unique(of) => ("unique", of),
            Stat::Distinct(of) => ("distinct", of),
            Stat::Min(of) => ("min", of),
            Stat::Max(of) => ("max", of),
            Stat::Mean(of) => ("mean", of),
            Stat::Fresh(of) => ("fresh", of),
        };
        write!(f, "{function}({})", column(of))
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        expression(self, 0, f)
    }
}

/// How tightly an expression holds together, loosest first, as in the grammar.
fn precedence(expr: &Expr) -> u8 {
    match expr {
        Expr::When { .. } => 1,
        Expr::Coalesce(..) => 2,
        Expr::Or(..) => 3,
        Expr::And(..) => 4,
        Expr::Not(_) => 5,
        Expr::Compare(..) | Expr::In(..) => 6,
        Expr::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, ..) => 8,
        Expr::Arithmetic(Arithmetic::Multiply | Arithmetic::Divide, ..) => 9,
        Expr::Negate(_) => 10,
        Expr::Const(Value::Range { .. }) => 7,
        _ => 11,
    }
}

/// Writes `expr`, in parentheses if it holds together less tightly than `least`.
fn expression(expr: &Expr, least: u8, f: &mut Formatter<'_>) -> fmt::Result {
    let own = precedence(expr);
    if own < least {
        f.write_str("(")?;
        expression(expr, 0, f)?;
        return f.write_str(")");
    }
    let mut infix = |left: &Expr, operator: &dyn Display, right: &Expr| {
        expression(left, own, f)?;
        write!(f, " {operator} ")?;
        expression(right, own + 1, f)
    };
    match expr {
        Expr::And(left, right) => infix(left, &"and", right),
        Expr::Or(left, right) => infix(left, &"or", right),
        Expr::Coalesce(left, right) => infix(left, &"??", right),
        Expr::In(left, right) => infix(left, &"in", right),
        Expr::Compare(comparison, left, right) => infix(left, comparison, right),
        Expr::Arithmetic(Arithmetic::Remainder, left, right) => write!(f, "mod({left}, {right})"),
        Expr::Arithmetic(operator, left, right) => infix(left, operator, right),
        Expr::Const(value) => write!(f, "{value}"),
        Expr::Metric(metric) => write!(f, "{metric}"),
        Expr::Stat(stat) => write!(f, "{stat}"),
        Expr::Live(metric) => write!(f, "{metric}"),
        Expr::Not(inner) => {
            f.write_str("not ")?;
            expression(inner, own, f)
        }
        Expr::Negate(inner) => {
            f.write_str("-")?;
            expression(inner, own, f)
        }
        Expr::When { then, condition, otherwise } => {
            expression(then, own + 1, f)?;
            f.write_str(" when ")?;
            expression(condition, own + 1, f)?;
            f.write_str(" else ")?;
            expression(otherwise, own, f)
        }
        Expr::Call(function, arguments) => {
            write!(f, "{function}(")?;
            separated(arguments, f)?;
            f.write_str(")")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_in_their_canonical_form() {
        let cases = [
            (Value::Fraction(0.2), "20%"),
            (Value::Fraction(0.07), "7%"),
            (Value::Fraction(0.005), "0.5%"),
            (Value::Fraction(1.0), "100%"),
            (Value::Fraction(12.5), "1250%"),
            (Value::Fraction(0.0), "0%"),
            (Value::Duration(5_400_000_000_000), "1h30m"),
            (Value::Duration(1_500_000_000), "1s500ms"),
            (Value::Duration(0), "0s"),
            (Value::Duration(i64::MIN), "-106751d23h47m16s854ms775us808ns"),
            (Value::Size(4 << 30), "4GiB"),
            (Value::Size(1000), "1000B"),
            (Value::Size(0), "0B"),
            (Value::Float(1.0), "1.0"),
            (Value::String("a \"b\" ${c}\n".into()), "\"a \\\"b\\\" \\${c}\\n\""),
            (Value::Column("mean radius".into()), "\"mean radius\""),
            (Value::List(vec![Value::Int(1), Value::Null]), "[1, null]"),
            (Value::Range { low: Box::new(Value::Int(1)), high: Box::new(Value::Int(3)), inclusive: true }, "1..=3"),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn parentheses_stand_only_where_they_are_needed() {
        let one = || Box::new(Expr::Const(Value::Int(1)));
        let rows = || Box::new(Expr::Stat(Stat::Rows));
        let sum = Expr::Arithmetic(Arithmetic::Add, rows(), one());
        let product = Expr::Arithmetic(Arithmetic::Multiply, Box::new(sum.clone()), rows());
        assert_eq!(product.to_string(), "(rows + 1) * rows");
        let sum = Expr::Arithmetic(Arithmetic::Subtract, one(), Box::new(sum));
        assert_eq!(sum.to_string(), "1 - (rows + 1)");
    }
}
