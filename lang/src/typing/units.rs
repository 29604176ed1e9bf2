//! Bare numbers where a unit is wanted: when that is a mistake, and how to say so with a fix.

use super::reach;
use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::pipeline::Expr;
use crate::syntax::ast::{self, ExprKind};
use crate::types::Type;
use crate::value::Value;
use crate::written::percent;

/// Whether `value` is a bare number and `wanted` a quantity with a unit.
pub(crate) fn lacks_unit(value: &Value, wanted: &Type) -> bool {
    matches!(value, Value::Int(_) | Value::Float(_)) && matches!(wanted, Type::Fraction | Type::Duration | Type::Size)
}

/// Beside a fraction a number in 0..1 is that fraction. One beyond 1 that the other side cannot reach is a forgotten `%`.
/// Beside a duration or a size every bare number is a mistake.
pub(crate) fn is_implausible(cx: &Context<'_>, value: &Value, wanted: &Type, beside: &Expr) -> bool {
    let number = match (value, wanted) {
        (Value::Int(number), Type::Fraction) => *number as f64,
        (Value::Float(number), Type::Fraction) => *number,
        _ => return true,
    };
    number.abs() > 1.0 && reach::of(cx, beside).is_none_or(|(low, high)| number > high || number < low)
}

/// The finding for a bare number, with a fix when it is a literal.
pub(crate) fn missing_unit(cx: &Context<'_>, written: &ast::Expr, value: &Value, wanted: &Type) -> Finding {
    let text = cx.text(written.span);
    let finding = Finding::error(
        codes::MISSING_UNIT,
        cx.place(written.span),
        format!("`{text}` has no unit, and a {wanted} is wanted"),
    )
    .label("a bare number");
    match wanted {
        Type::Fraction => {
            // 0.1 can mean nothing else; 10 could in theory be 1000%, so a person decides.
            let (percent, safety) = match value {
                Value::Float(number) if number.abs() <= 1.0 => (percent(*number), Safety::Safe),
                Value::Int(0) => ("0".to_owned(), Safety::Safe),
                Value::Float(number) => (format!("{number}"), Safety::Unsafe),
                other => (other.to_string(), Safety::Unsafe),
            };
            let finding = finding.help(format!("write `{percent}%`"));
            if is_literal(written) {
                finding.fix(format!("write `{percent}%`"), written.span, format!("{percent}%"), safety)
            } else {
                finding
            }
        }
        Type::Duration => {
            finding.help(format!("write its unit: `{text}ms`, `{text}s`, `{text}m` (minutes), `{text}h` or `{text}d`"))
        }
        _ => finding.help(format!("write its unit: `{text}KiB`, `{text}MiB` or `{text}GiB`")),
    }
}

fn is_literal(expr: &ast::Expr) -> bool {
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Float(_) => true,
        ExprKind::Negate(inner) => is_literal(inner),
        _ => false,
    }
}
