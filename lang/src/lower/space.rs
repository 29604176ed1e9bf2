//! `lr in log(1e-4..1e-1)`: the values that a search tries for one setting.

use super::settings::within_limits;
use super::step::written_type;
use super::tune::{described, plain};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::signature::ParamSignature;
use crate::syntax::ast::{self, Argument, ExprKind, SpaceLine};
use crate::tune::Space;
use crate::types::Type;
use crate::typing::{Scope, Typing};
use crate::value::Value;

pub(super) fn lower(cx: &mut Context<'_>, setting: &ParamSignature, line: &SpaceLine) -> Option<Space> {
    let name = &line.name.name;
    let Some(ty) = plain(&setting.ty) else {
        let message = format!("`{name}` is a {}, which a search cannot choose", written_type(&setting.ty));
        let finding = Finding::error(codes::UNSEARCHABLE, cx.place(line.name.span), message);
        cx.report(finding.help("search numbers, durations, sizes, truths and texts"));
        return None;
    };
    let ty = ty.clone();
    let (values, log) = match &line.values.kind {
        ExprKind::Error => return None,
        ExprKind::Call(callee, arguments) if matches!(&callee.kind, ExprKind::Name(name) if name == "log") => {
            let [Argument { name: None, value }] = arguments.as_slice() else {
                return bad_log(cx, line.values.span, "`log` takes one range");
            };
            if !matches!(value.kind, ExprKind::Range { .. } | ExprKind::Name(_)) {
                return bad_log(cx, value.span, "`log` takes a range");
            }
            (value, true)
        }
        _ => (&line.values, false),
    };
    let (_, constant) = Typing::new(cx, Scope::Constant).constant(values)?;
    match constant {
        Value::Range { low, high, inclusive } => range(cx, setting, &ty, values, (*low, *high, inclusive), log),
        Value::List(items) if !log => list(cx, setting, &ty, values, items),
        other => {
            let message =
                format!("`{name}` is searched in a range or among the values of a list, not in {}", described(&other));
            let finding = Finding::error(codes::UNSEARCHABLE, cx.place(values.span), message);
            let text = cx.text(values.span);
            cx.report(finding.help(format!("write `{name} in [{text}]`, or a range such as `1..=10`")));
            None
        }
    }
}

fn bad_log(cx: &mut Context<'_>, span: crate::span::Span, message: &str) -> Option<Space> {
    let finding = Finding::error(codes::BAD_LOG_RANGE, cx.place(span), message);
    cx.report(finding.help("write `log(1e-4..1e-1)`"));
    None
}

fn range(
    cx: &mut Context<'_>,
    setting: &ParamSignature,
    ty: &Type,
    written: &ast::Expr,
    (low, high, inclusive): (Value, Value, bool),
    log: bool,
) -> Option<Space> {
    let name = &setting.name;
    // What a program is given need not be known: then each range will do.
    let numbers = [Type::Int, Type::Float, Type::Fraction, Type::Duration, Type::Size, Type::Unknown];
    if !numbers.contains(ty) {
        let message = format!("`{name}` is a {ty}, and no range goes through its values");
        let finding = Finding::error(codes::UNSEARCHABLE, cx.place(written.span), message);
        cx.report(finding.help("name the values: `[...]`"));
        return None;
    }
    let (low_written, high_written) = match &written.kind {
        ExprKind::Range { low, high, .. } => (&**low, &**high),
        _ => (written, written),
    };
    let mut end = |value: Value, written: &ast::Expr| {
        let value = cx.fit(written, &value, ty, &format!("`{name}`"))?;
        within_limits(cx, setting, Some(written), written.span, &value).then_some(value)
    };
    let (low, high) = (end(low, low_written), end(high, high_written));
    let (low, high) = (low?, high?);
    if log && !above_zero(&low) {
        let message = format!("`log` is for numbers above 0, and this begins with {low}");
        let finding = Finding::error(codes::BAD_LOG_RANGE, cx.place(low_written.span), message);
        cx.report(finding.label("not above 0").help("begin with the smallest that makes sense, such as `1e-4`"));
        return None;
    }
    Some(Space::Range { low, high, inclusive, log })
}

fn above_zero(value: &Value) -> bool {
    match value {
        Value::Int(number) => *number > 0,
        Value::Float(number) | Value::Fraction(number) => *number > 0.0,
        Value::Duration(length) => *length > 0,
        Value::Size(bytes) => *bytes > 0,
        _ => false,
    }
}

fn list(
    cx: &mut Context<'_>,
    setting: &ParamSignature,
    ty: &Type,
    written: &ast::Expr,
    items: Vec<Value>,
) -> Option<Space> {
    let name = &setting.name;
    if items.is_empty() {
        let finding = Finding::error(codes::EMPTY_RANGE, cx.place(written.span), "nothing is tried of an empty list");
        cx.report(finding.help("name the values that are tried"));
        return None;
    }
    let parts: Vec<&ast::Expr> = match &written.kind {
        ExprKind::List(parts) if parts.len() == items.len() => parts.iter().collect(),
        _ => vec![written; items.len()],
    };
    let mut values: Vec<Value> = Vec::with_capacity(items.len());
    let mut sound = true;
    for (part, item) in parts.into_iter().zip(items) {
        let fitting = cx.fit(part, &item, ty, &format!("`{name}`"));
        let fitting = fitting.filter(|value| within_limits(cx, setting, Some(part), part.span, value));
        match fitting {
            None => sound = false,
            Some(value) if values.contains(&value) => {
                let message = format!("{value} stands twice among the values of `{name}`");
                let finding = Finding::warning(codes::REPEATED_VALUE, cx.place(part.span), message);
                cx.report(finding.label("tried once").help("remove one"));
            }
            Some(value) => values.push(value),
        }
    }
    sound.then_some(Space::OneOf(values))
}
