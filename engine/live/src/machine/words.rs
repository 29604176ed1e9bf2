//! Numbers as people read them: three digits that count, the unit beside them.

use mlp_core::record::{Measured, Millis};
use mlp_lang::live::Given;
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;

/// `672`, `1,650`
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `0.62`, `1,650`, `3.1e-5`
pub(super) fn number(number: f64) -> String {
    let size = number.abs();
    if !number.is_finite() {
        return "no number".to_owned();
    }
    if size >= 1e15 || (size > 0.0 && size < 1e-3) {
        return format!("{number:.1e}");
    }
    let sign = if number < 0.0 { "-" } else { "" };
    if size >= 1_000.0 {
        return format!("{sign}{}", count(size.round() as u64));
    }
    let decimals = match size {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{size:.decimals$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{sign}{short}")
}

/// `5.2%`
pub(super) fn share(fraction: f64) -> String {
    format!("{}%", number(fraction * 100.0))
}

/// `212ms`, `1.5s`, `1h30m`
pub(super) fn lasting(nanoseconds: f64) -> String {
    match nanoseconds.abs() {
        ..1e3 => format!("{}ns", number(nanoseconds)),
        ..1e6 => format!("{}us", number(nanoseconds / 1e3)),
        ..1e9 => format!("{}ms", number(nanoseconds / 1e6)),
        ..6e10 => format!("{}s", number(nanoseconds / 1e9)),
        _ => Value::Duration(((nanoseconds / 1e9).round() as i64).saturating_mul(1_000_000_000)).to_string(),
    }
}

/// A value as people read it.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Int(whole) if *whole >= 0 => count(whole.unsigned_abs()),
        Value::Float(float) => number(*float),
        Value::Fraction(fraction) => share(*fraction),
        Value::Duration(nanoseconds) => lasting(*nanoseconds as f64),
        other => other.to_string(),
    }
}

/// What holds when the comparison does not.
pub(super) fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    }
}

/// `error_rate 5.2% > 1%`: the comparison as it came out.
pub(super) fn compared(measured: &Measured) -> String {
    let (Some(left), Some(right)) = (&measured.value, &measured.threshold) else {
        return format!("{}: no data", measured.text);
    };
    let comparison = if measured.held { measured.comparison } else { opposite(measured.comparison) };
    format!("{} {} {comparison} {}", measured.text, value(left), value(right))
}

/// `1 failure`, `3 failures`
pub(super) fn counted(number: u32, one: &str, many: &str) -> String {
    format!("{} {}", count(number.into()), if number == 1 { one } else { many })
}

/// ` with until = 2011-04-30T00:00:00Z`: the parameters of a run; nothing if there are none.
pub(super) fn given(params: &[(String, Given)], now: Millis) -> String {
    let each: Vec<String> = params
        .iter()
        .map(|(name, given)| match given {
            Given::Value(value) => format!("{name} = {value}"),
            Given::Now => format!("{name} = {}", mlp_core::clock::rfc3339(now)),
        })
        .collect();
    if each.is_empty() { String::new() } else { format!(" with {}", each.join(", ")) }
}
