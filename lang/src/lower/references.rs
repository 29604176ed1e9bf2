//! Which names an expression mentions. Walks with a list, not by recursion: a chain of operators may be long.

use crate::span::Span;
use crate::syntax::ast::{Argument, Expr, ExprKind, StringPart};

/// Calls `visit` for each name in the expression. The `by:` of a metric over groups names a column and is left out.
pub(crate) fn names<'e>(expr: &'e Expr, visit: &mut dyn FnMut(&'e str, Span)) {
    let mut waiting = vec![expr];
    while let Some(expr) = waiting.pop() {
        match &expr.kind {
            ExprKind::Name(name) => visit(name, expr.span),
            ExprKind::Member(inner, _) | ExprKind::Not(inner) | ExprKind::Negate(inner) => waiting.push(inner),
            ExprKind::Call(callee, arguments) => {
                let over_groups = matches!(&callee.kind, ExprKind::Name(name) if REDUCTIONS.contains(&name.as_str()));
                waiting.push(callee);
                let mentioned = |argument: &&Argument| !(over_groups && argument.name.is_some());
                waiting.extend(arguments.iter().filter(mentioned).map(|argument| &argument.value));
            }
            ExprKind::List(items) => waiting.extend(items),
            ExprKind::Map(entries) => waiting.extend(entries.iter().map(|(_, value)| value)),
            ExprKind::Range { low, high, .. } => waiting.extend([&**low, &**high]),
            ExprKind::And(left, right)
            | ExprKind::Or(left, right)
            | ExprKind::Compare(_, left, right)
            | ExprKind::In(left, right)
            | ExprKind::Arithmetic(_, left, right)
            | ExprKind::Coalesce(left, right) => waiting.extend([&**left, &**right]),
            ExprKind::When { then, condition, otherwise } => waiting.extend([&**then, &**condition, &**otherwise]),
            ExprKind::String(parts) => waiting.extend(parts.iter().filter_map(|part| match part {
                StringPart::Hole(hole) => Some(hole),
                StringPart::Text(_) => None,
            })),
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Fraction(_)
            | ExprKind::Duration(_)
            | ExprKind::Size(_)
            | ExprKind::Date(_)
            | ExprKind::Time(_)
            | ExprKind::Error => {}
        }
    }
}

/// Functions over groups, whose named argument is a column.
pub(crate) const REDUCTIONS: &[&str] = &["disparity", "lowest", "highest"];
