//! Rules for each cell of a column: `in 18..=120`, `>= 0.0`, `in ["a", "b"]`.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::syntax::ast::{self, ExprKind};
use crate::types::{Bound, Comparison, Type};
use crate::typing::fit::type_of;
use crate::typing::{Scope, Typing, operators, with_article};
use crate::value::Value;

/// `in a..b` or `in [a, b]` on a column of this type.
pub(super) fn within(cx: &mut Context<'_>, column: &str, ty: &Type, values: &ast::Expr) -> Option<Bound> {
    let (_, value) = Typing::new(cx, Scope::Constant).constant(values)?;
    match value {
        Value::Range { low, high, inclusive } => {
            let (low_expr, high_expr) = match &values.kind {
                ExprKind::Range { low, high, .. } => (&**low, &**high),
                _ => (values, values),
            };
            let low = bound_value(cx, column, ty, Comparison::GreaterOrEqual, low_expr, *low);
            let high = bound_value(cx, column, ty, Comparison::LessOrEqual, high_expr, *high);
            let (low, high) = (Box::new(low?), Box::new(high?));
            Some(Bound::Within(Value::Range { low, high, inclusive }))
        }
        Value::List(items) => {
            if items.is_empty() {
                let finding = Finding::error(codes::EMPTY_RANGE, cx.place(values.span), "no cell is in an empty list");
                cx.report(finding.help("name the values that are allowed"));
                return None;
            }
            let parts: Vec<&ast::Expr> = match &values.kind {
                ExprKind::List(parts) if parts.len() == items.len() => parts.iter().collect(),
                _ => vec![values; items.len()],
            };
            let mut allowed = Vec::with_capacity(items.len());
            for (part, item) in parts.into_iter().zip(items) {
                allowed.push(bound_value(cx, column, ty, Comparison::Equal, part, item)?);
            }
            Some(Bound::OneOf(Value::List(allowed)))
        }
        other => {
            let finding = Finding::error(
                codes::TYPE_MISMATCH,
                cx.place(values.span),
                format!("`in` wants a range or a list, not {}", with_article(&type_of(&other))),
            );
            cx.report(finding.help("write `in 1..=10` or `in [\"a\", \"b\"]`"));
            None
        }
    }
}

/// `>= v` on a column of this type.
pub(super) fn compare(
    cx: &mut Context<'_>,
    column: &str,
    ty: &Type,
    comparison: Comparison,
    value: &ast::Expr,
) -> Option<Bound> {
    let (_, constant) = Typing::new(cx, Scope::Constant).constant(value)?;
    Some(Bound::Compare(comparison, bound_value(cx, column, ty, comparison, value, constant)?))
}

/// The value as one that cells of the column are compared with: of the column's own type, except that whole numbers may
/// be held against a number with a point.
fn bound_value(
    cx: &mut Context<'_>,
    column: &str,
    ty: &Type,
    comparison: Comparison,
    written: &ast::Expr,
    value: Value,
) -> Option<Value> {
    if *ty == Type::Unknown {
        return None;
    }
    let found = type_of(&value);
    match (ty, &value) {
        (Type::Int, Value::Float(_)) => return Some(value),
        (Type::Fraction, Value::Int(0 | 1)) => {
            return Some(Value::Fraction(if value == Value::Int(0) { 0.0 } else { 1.0 }));
        }
        (Type::Fraction, Value::Float(number)) if number.abs() <= 1.0 => return Some(Value::Fraction(*number)),
        _ if operators::comparable(comparison, ty, ty) => {}
        _ => {
            let finding = Finding::error(
                codes::BAD_OPERANDS,
                cx.place(written.span),
                format!("the column `{column}` is {}, which has no order", with_article(ty)),
            );
            cx.report(
                finding
                    .label(format!("compared with {}", with_article(&found)))
                    .help("name the values allowed: `in [...]`"),
            );
            return None;
        }
    }
    cx.fit(written, &value, ty, &format!("the column `{column}`"))
}
