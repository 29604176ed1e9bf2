//! Values as the language writes them, numbers rounded for reading.

use super::text::{clean, thousands};
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;
use serde_json::json;

/// As in a `.mlp` file, rounded to six significant digits.
pub fn value(value: &Value) -> String {
    write(value, &|number| significant(number, 6))
}

/// As in a `.mlp` file, with every digit.
pub fn exact(value: &Value) -> String {
    write(value, &|number| number.to_string())
}

/// A measured value beside its threshold: in the threshold's unit, and with every digit where rounding would make two
/// different numbers look equal.
pub fn pair(measured: Option<&Value>, threshold: Option<&Value>) -> (String, String) {
    let missing = || "missing".to_owned();
    let measured = match (measured, threshold) {
        // A fraction compared with `0.9` reads best as `0.93`, one compared with `90%` as `93%`.
        (Some(Value::Fraction(number)), Some(Value::Float(_) | Value::Int(_))) => Some(Value::Float(*number)),
        (Some(Value::Float(number)), Some(Value::Fraction(_))) => Some(Value::Fraction(*number)),
        (measured, _) => measured.cloned(),
    };
    let rounded = (measured.as_ref().map_or_else(missing, value), threshold.map_or_else(missing, value));
    if rounded.0 == rounded.1 && measured.as_ref() != threshold {
        return (measured.as_ref().map_or_else(missing, exact), threshold.map_or_else(missing, exact));
    }
    rounded
}

/// `+0.0092`, `-1.5%`: how far inside or outside, in the threshold's unit.
pub fn margin(margin: f64, threshold: Option<&Value>) -> String {
    let size = match threshold {
        Some(Value::Fraction(_)) => value(&Value::Fraction(margin.abs())),
        Some(Value::Duration(_)) => value(&Value::Duration(margin.abs() as i64)),
        Some(Value::Size(_)) => value(&Value::Size(margin.abs() as u64)),
        _ => significant(margin.abs(), 4),
    };
    format!("{}{size}", if margin < 0.0 { '-' } else { '+' })
}

/// `>=`
pub fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// For programs: plain JSON, units left out (fractions 0 to 1, durations in seconds, sizes in bytes).
pub fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => json!(null),
        Value::Bool(truth) => json!(truth),
        Value::Int(number) => json!(number),
        Value::Float(number) | Value::Fraction(number) => json!(number),
        Value::Duration(nanoseconds) => json!(*nanoseconds as f64 / 1e9),
        Value::Size(bytes) => json!(bytes),
        Value::Date(text) | Value::Time(text) | Value::String(text) | Value::Column(text) => json!(text),
        Value::List(values) => values.iter().map(json).collect(),
        Value::Map(values) => values.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
        Value::Range { low, high, inclusive } => json!({"low": json(low), "high": json(high), "inclusive": inclusive}),
    }
}

/// A number with at most so many significant digits, without zeros that say nothing.
pub fn significant(number: f64, digits: i32) -> String {
    if number == 0.0 || !number.is_finite() {
        return if number == 0.0 { "0".to_owned() } else { number.to_string() };
    }
    let magnitude = number.abs().log10().floor() as i32;
    if !(-5..15).contains(&magnitude) {
        let text = format!("{number:.*e}", (digits - 1).max(0) as usize);
        return match text.split_once('e') {
            Some((mantissa, exponent)) if mantissa.contains('.') => {
                format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
            }
            _ => text,
        };
    }
    let decimals = (digits - 1 - magnitude).max(0) as usize;
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// `4GiB`, `1.5MiB`, `312B`
pub fn size(bytes: u64) -> String {
    let units = [(1u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}{name}", significant(bytes as f64 / *unit as f64, 3)),
        None => format!("{bytes}B"),
    }
}

fn write(value: &Value, number: &dyn Fn(f64) -> String) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(whole) => match whole.unsigned_abs() {
            0..10_000 => whole.to_string(),
            large => format!("{}{}", if *whole < 0 { "-" } else { "" }, thousands(large)),
        },
        Value::Float(float) => number(*float),
        Value::Fraction(fraction) => format!("{}%", number(percent(*fraction))),
        Value::Duration(nanoseconds) => duration(*nanoseconds),
        Value::Size(bytes) => size(*bytes),
        Value::Date(text) | Value::Time(text) | Value::Column(text) => clean(text).into_owned(),
        Value::String(text) => format!("{:?}", text),
        Value::List(values) => {
            format!("[{}]", values.iter().map(|value| write(value, number)).collect::<Vec<_>>().join(", "))
        }
        Value::Map(values) => {
            let fields: Vec<_> =
                values.iter().map(|(name, value)| format!("{}: {}", clean(name), write(value, number))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Range { low, high, inclusive } => {
            format!("{}..{}{}", write(low, number), if *inclusive { "=" } else { "" }, write(high, number))
        }
    }
}

/// `0.07` is 7, not 7.000000000000001.
fn percent(fraction: f64) -> f64 {
    format!("{:.15e}", fraction * 100.0).parse::<f64>().map_or(fraction * 100.0, |percent| {
        let rounded = (percent * 1e10).round() / 1e10;
        if (rounded - percent).abs() <= percent.abs() * 4.0 * f64::EPSILON { rounded } else { percent }
    })
}

fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let mut left = nanoseconds.unsigned_abs();
    if left == 0 {
        return "0s".to_owned();
    }
    let mut text = sign.to_owned();
    for (unit, name) in [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
    ] {
        if left >= unit {
            text.push_str(&format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    match text == sign {
        true => format!("{sign}{left}ns"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_but_true() {
        let said: Vec<String> = [0.0, 0.999_211_4, 1.0, 569.0, 1_234_567.0, -0.000_012_3, 1e300]
            .map(|number| significant(number, 6))
            .into();
        assert_eq!(said, ["0", "0.999211", "1", "569", "1234567", "-0.0000123", "1e300"]);
    }

    #[test]
    fn values_are_written_as_in_the_language() {
        let values = [
            Value::Fraction(0.07),
            Value::Fraction(0.2),
            Value::Duration(5_400_000_000_000),
            Value::Size(4 << 30),
            Value::String("a\x1b".into()),
            Value::Range { low: Box::new(Value::Int(18)), high: Box::new(Value::Int(120)), inclusive: true },
            Value::List(vec![Value::Column("age".into()), Value::Null]),
        ];
        let said: Vec<String> = values.iter().map(value).collect();
        assert_eq!(said, ["7%", "20%", "1h30m", "4GiB", r#""a\u{1b}""#, "18..=120", "[age, null]"]);
    }

    #[test]
    fn a_near_miss_never_looks_like_a_hit() {
        let (measured, threshold) = pair(Some(&Value::Float(0.989_999_999)), Some(&Value::Float(0.99)));
        assert_eq!((measured.as_str(), threshold.as_str()), ("0.989999999", "0.99"));
        assert_eq!(pair(Some(&Value::Fraction(0.97)), Some(&Value::Float(0.95))).0, "0.97");
        assert_eq!(pair(None, Some(&Value::Fraction(0.95))), ("missing".into(), "95%".into()));
        assert_eq!(margin(-0.015, Some(&Value::Fraction(0.95))), "-1.5%");
        assert_eq!(margin(0.0092, Some(&Value::Float(0.99))), "+0.0092");
    }
}
