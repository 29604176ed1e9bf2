//! Values and types as canonical text: one text for each, different texts for different ones, short enough to be read in
//! "setting `c` changed from 1 to 2".

use mlp_lang::pipeline::Stat;
use mlp_lang::types::{Bound, Column, Comparison, Schema, Type};
use mlp_lang::value::Value;

/// A value as the language writes it, exactly: what `--param` reads back as the same value.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Int(int) => int.to_string(),
        // Debug keeps the point in `1.0` and is the shortest text that reads back as the same number.
        Value::Float(float) => format!("{float:?}"),
        Value::Fraction(fraction) => format!("{}%", hundredfold(*fraction)),
        Value::Duration(nanos) => duration(*nanos),
        Value::Size(bytes) => size(*bytes),
        Value::Date(text) | Value::Time(text) => text.clone(),
        Value::String(text) => quoted(text),
        // Bare where it cannot be taken for anything else that stands in its place: people read this in `mlp show`.
        Value::Column(name) if is_plain(name) => name.clone(),
        Value::Column(name) => format!("column {}", quoted(name)),
        Value::List(items) => format!("[{}]", joined(items.iter().map(self::value))),
        Value::Map(entries) => {
            format!(
                "{{{}}}",
                joined(entries.iter().map(|(key, item)| format!("{}: {}", quoted(key), self::value(item))))
            )
        }
        Value::Range { low, high, inclusive } => {
            format!("{}..{}{}", self::value(low), if *inclusive { "=" } else { "" }, self::value(high))
        }
    }
}

/// Of a type.
pub(crate) fn ty(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int => "int".to_owned(),
        Type::Float => "float".to_owned(),
        Type::Fraction => "fraction".to_owned(),
        Type::Duration => "duration".to_owned(),
        Type::Size => "size".to_owned(),
        Type::Date => "date".to_owned(),
        Type::Time => "time".to_owned(),
        Type::String => "string".to_owned(),
        Type::Enum(texts) => texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" | "),
        Type::Optional(inner) => format!("({})?", self::ty(inner)),
        Type::List(inner) => format!("list<{}>", self::ty(inner)),
        Type::Map(inner) => format!("map<{}>", self::ty(inner)),
        Type::Range(inner) => format!("range<{}>", self::ty(inner)),
        Type::Dataset(schema) => format!("dataset {{{}}}", columns(schema)),
        Type::Model(flavor) => format!("model<{flavor}>"),
        Type::Metrics(fields) => {
            let fields = fields.iter().map(|field| format!("{}: {}", quoted(&field.name), self::ty(&field.ty)));
            format!("metrics {{{}}}", joined(fields))
        }
        Type::File => "file".to_owned(),
        Type::Folder => "folder".to_owned(),
        Type::Secret => "secret".to_owned(),
        Type::Unknown => "unknown".to_owned(),
    }
}

/// What a column must hold: everything but its name.
pub(crate) fn column(column: &Column) -> String {
    let mut text = ty(&column.ty);
    if column.nullable {
        text.push('?');
    }
    for (flag, word) in [(column.unique, " unique"), (column.label, " label")] {
        if flag {
            text.push_str(word);
        }
    }
    for bound in &column.bounds {
        let bound = match bound {
            Bound::Within(range) => format!(" in {}", value(range)),
            Bound::OneOf(list) => format!(" in {}", value(list)),
            Bound::Compare(comparison, limit) => format!(" {} {}", sign(*comparison), value(limit)),
        };
        text.push_str(&bound);
    }
    text
}

/// Of a number about a table.
pub(crate) fn stat(stat: &Stat) -> String {
    let of = |name: &str, column: &String| format!("{name}({})", quoted(column));
    match stat {
        Stat::Rows => "rows".to_owned(),
        Stat::Missing(column) => of("missing", column),
        Stat::Unique(column) => of("unique", column),
        Stat::Distinct(column) => of("distinct", column),
        Stat::Min(column) => of("min", column),
        Stat::Max(column) => of("max", column),
        Stat::Mean(column) => of("mean", column),
        Stat::Fresh(column) => of("fresh", column),
    }
}

/// As written in the language.
pub(crate) fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// The schema's own name is only for messages and left out.
fn columns(schema: &Schema) -> String {
    joined(schema.columns.iter().map(|one| format!("{}: {}", quoted(&one.name), column(one))))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

/// In quotes, with everything escaped that could be mistaken for their end.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// A number times hundred, exactly: the decimal point moves, nothing is rounded.
fn hundredfold(number: f64) -> String {
    let text = format!("{number}");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let decimals = format!("{decimals:0<2}");
    let (moved, rest) = decimals.split_at(2);
    let whole = format!("{whole}{moved}");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        trimmed => trimmed,
    };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

fn duration(nanos: i64) -> String {
    const UNITS: [(u64, &str); 7] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
        (1, "ns"),
    ];
    let mut left = nanos.unsigned_abs();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = if nanos < 0 { "-".to_owned() } else { String::new() };
    for (unit, name) in UNITS {
        if left >= unit {
            text.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    text
}

fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

fn is_plain(name: &str) -> bool {
    !matches!(name, "null" | "true" | "false")
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_read_as_they_are_written() {
        let text = |it: Value| value(&it);
        assert_eq!(text(Value::Float(1.0)), "1.0");
        assert_eq!(text(Value::Int(1)), "1");
        assert_eq!(text(Value::Fraction(0.2)), "20%");
        assert_eq!(text(Value::Fraction(0.005)), "0.5%");
        assert_eq!(text(Value::Fraction(-0.3)), "-30%");
        assert_eq!(text(Value::Fraction(1.0)), "100%");
        assert_eq!(text(Value::Duration(5_400_000_000_000)), "1h30m");
        assert_eq!(text(Value::Size(4 << 30)), "4GiB");
        assert_eq!(text(Value::Size(1000)), "1000B");
        assert_eq!(text(Value::List(vec![Value::String("a\"b".into()), Value::Null])), r#"["a\"b", null]"#);
    }

    proptest! {
        #[test]
        fn different_fractions_have_different_texts(a in -2.0f64..2.0, b in -2.0f64..2.0) {
            let same = value(&Value::Fraction(a)) == value(&Value::Fraction(b));
            prop_assert_eq!(same, a == b);
        }

        #[test]
        fn different_durations_have_different_texts(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(duration(a) == duration(b), a == b);
        }

        #[test]
        fn texts_cannot_run_into_each_other(a in ".*", b in ".*", c in ".*") {
            let list = |items: &[&String]| value(&Value::List(items.iter().map(|s| Value::String((*s).clone())).collect()));
            prop_assert_ne!(list(&[&a, &b]), list(&[&format!("{a}{b}")]));
            prop_assert_eq!(list(&[&a]) == list(&[&c]), a == c);
        }
    }
}
