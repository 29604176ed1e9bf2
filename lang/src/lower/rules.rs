//! Rules of one column beside each other: those that no cell can keep together, and those that say nothing new.

use super::references;
use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::names::Kind;
use crate::span::Span;
use crate::syntax::ast::{Attribute, Expr, Field};
use crate::types::{Bound, Comparison, Type};
use crate::value::Value;
use std::cmp::Ordering;

/// A rule that was understood: what it says, where its value stands, and from where on it can be taken away.
pub(super) struct Rule<'f> {
    pub(super) bound: Bound,
    pub(super) value: &'f Expr,
    pub(super) whole: Span,
}

/// Reports `unique unique` and `label label`; each is said once.
pub(super) fn doubled(cx: &mut Context<'_>, field: &Field) {
    let mut seen: [Option<Span>; 2] = [None, None];
    let mut end = field.ty.span.end;
    for attribute in &field.attributes {
        let (at, span, word) = match attribute {
            Attribute::Unique(span) => (0, *span, "unique"),
            Attribute::Label(span) => (1, *span, "label"),
            Attribute::In(value) | Attribute::Compare(_, value) => {
                end = value.span.end;
                continue;
            }
        };
        let whole = Span { start: end, end: span.end };
        end = span.end;
        match seen[at] {
            None => seen[at] = Some(span),
            Some(first) => {
                let message = format!("`{word}` stands twice for the column `{}`", field.name.name);
                repeated(cx, message, span, first, whole);
            }
        }
    }
}

fn repeated(cx: &mut Context<'_>, message: String, span: Span, first: Span, whole: Span) {
    let finding = Finding::warning(codes::REPEATED_RULE, cx.place(span), message).also(cx.place(first), "said here");
    cx.report(finding.label("says nothing new").help("remove it").fix("remove it", whole, "", Safety::Safe));
}

/// Reports rules of a column in a schema that cannot hold together, and those that another one includes.
pub(super) fn beside(cx: &mut Context<'_>, column: &str, ty: &Type, rules: &[Rule<'_>]) {
    let plain: Vec<&Rule<'_>> = rules.iter().filter(|rule| !asks_param(cx, rule.value)).collect();
    for (at, rule) in plain.iter().enumerate() {
        let earlier = plain.get(..at).unwrap_or_default();
        if let Some(other) = earlier.iter().find(|other| clash(ty, &other.bound, &rule.bound)) {
            let message = format!("no cell of `{column}` can be `{}` and `{}`", other.bound, rule.bound);
            let finding = Finding::error(codes::CONTRADICTION, cx.place(rule.value.span), message);
            let finding = finding.label("never together").also(cx.place(other.value.span), "the other");
            cx.report(finding.help("loosen one of them, or remove it"));
            // More would be said of what is wrong already.
            return;
        }
    }
    for (at, rule) in plain.iter().enumerate() {
        let includes = |(other_at, other): &(usize, &&Rule<'_>)| {
            *other_at != at && says(&other.bound, &rule.bound) && (*other_at < at || !says(&rule.bound, &other.bound))
        };
        if let Some((_, other)) = plain.iter().enumerate().find(includes) {
            let message = match rule.bound == other.bound {
                true => format!("`{}` stands twice for the column `{column}`", rule.bound),
                false => format!("`{}` says nothing that `{}` does not say", rule.bound, other.bound),
            };
            repeated(cx, message, rule.value.span, other.value.span, rule.whole);
        }
    }
}

/// Reports an expectation of each row that the rules of the schema exclude. True when it was.
pub(super) fn against(
    cx: &mut Context<'_>,
    column: &str,
    ty: &Type,
    rules: &[Bound],
    bound: &Bound,
    value: &Expr,
) -> bool {
    if asks_param(cx, value) {
        return false;
    }
    let Some(other) = rules.iter().find(|other| clash(ty, other, bound)) else { return false };
    let message = format!("no cell of `{column}` can be `{other}` and `{bound}`");
    let finding = Finding::error(codes::CONTRADICTION, cx.place(value.span), message);
    cx.report(
        finding
            .label("never together")
            .note(format!("`{column}` is `{other}` already"))
            .help("loosen one of them, or remove it"),
    );
    true
}

/// Whether a parameter decides.
fn asks_param(cx: &Context<'_>, written: &Expr) -> bool {
    let mut asks = false;
    references::names(written, &mut |name, _| {
        asks |= cx.names.get(name).is_some_and(|declared| declared.kind == Kind::Param);
    });
    asks
}

/// What a rule leaves: some values, or all between two ends, each with whether it is left out itself.
enum Left<'b> {
    Values(Vec<&'b Value>),
    Between(Option<(&'b Value, bool)>, Option<(&'b Value, bool)>),
}

fn left(bound: &Bound) -> Option<Left<'_>> {
    Some(match bound {
        Bound::OneOf(Value::List(values)) => Left::Values(values.iter().collect()),
        Bound::Within(Value::Range { low, high, inclusive }) => {
            Left::Between(Some((low, false)), Some((high, !inclusive)))
        }
        Bound::Compare(Comparison::Equal, value) => Left::Values(vec![value]),
        Bound::Compare(Comparison::Less, value) => Left::Between(None, Some((value, true))),
        Bound::Compare(Comparison::LessOrEqual, value) => Left::Between(None, Some((value, false))),
        Bound::Compare(Comparison::Greater, value) => Left::Between(Some((value, true)), None),
        Bound::Compare(Comparison::GreaterOrEqual, value) => Left::Between(Some((value, false)), None),
        _ => return None,
    })
}

/// `None`: not comparable, or not known how.
fn order(a: &Value, b: &Value) -> Option<Ordering> {
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) | Value::Fraction(number) => Some(*number),
        _ => None,
    };
    match (a, b) {
        // Days are written so that their texts have their order.
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (a, b) if a == b => Some(Ordering::Equal),
        _ => number(a)?.partial_cmp(&number(b)?),
    }
}

/// Whether a value lies on the right side of both ends. What is not known does.
fn lies(value: &Value, low: Option<(&Value, bool)>, high: Option<(&Value, bool)>) -> bool {
    let above = low.is_none_or(|(low, open)| match order(value, low) {
        Some(Ordering::Less) => false,
        Some(Ordering::Equal) => !open,
        _ => true,
    });
    let below = high.is_none_or(|(high, open)| match order(value, high) {
        Some(Ordering::Greater) => false,
        Some(Ordering::Equal) => !open,
        _ => true,
    });
    above && below
}

/// Whether no value keeps both rules.
fn clash(ty: &Type, a: &Bound, b: &Bound) -> bool {
    let (Some(left_a), Some(left_b)) = (left(a), left(b)) else { return false };
    match (left_a, left_b) {
        (Left::Values(a), Left::Values(b)) => {
            let same = |a: &Value, b: &Value| a == b || order(a, b) == Some(Ordering::Equal);
            !a.iter().any(|a| b.iter().any(|b| same(a, b)))
        }
        (Left::Values(values), Left::Between(low, high)) | (Left::Between(low, high), Left::Values(values)) => {
            !values.iter().any(|value| lies(value, low, high))
        }
        (Left::Between(low_a, high_a), Left::Between(low_b, high_b)) => {
            let apart = |low: Option<(&Value, bool)>, high: Option<(&Value, bool)>| {
                let (Some((low, low_open)), Some((high, high_open))) = (low, high) else { return false };
                match (order(low, high), ty, low, high) {
                    (Some(Ordering::Greater), ..) => true,
                    (Some(Ordering::Equal), ..) => low_open || high_open,
                    // No whole number lies between two that follow each other.
                    (Some(Ordering::Less), Type::Int, Value::Int(low), Value::Int(high)) => {
                        low_open && high_open && low.checked_add(1) == Some(*high)
                    }
                    _ => false,
                }
            };
            apart(low_a, high_b) || apart(low_b, high_a)
        }
    }
}

/// Whether each value that keeps the first rule keeps the second.
fn says(first: &Bound, second: &Bound) -> bool {
    let (Some(left_first), Some(left_second)) = (left(first), left(second)) else { return first == second };
    match (left_first, left_second) {
        (Left::Values(first), Left::Values(second)) => first.iter().all(|value| second.contains(value)),
        (Left::Values(values), Left::Between(low, high)) => {
            let is_known = |value: &&Value| {
                [low, high].into_iter().flatten().all(|(end, _)| order(value, end).is_some()) && lies(value, low, high)
            };
            values.iter().all(is_known)
        }
        (Left::Between(..), Left::Values(_)) => false,
        (Left::Between(low_first, high_first), Left::Between(low_second, high_second)) => {
            let end = |first: Option<(&Value, bool)>, second: Option<(&Value, bool)>, outside: Ordering| {
                let Some((second, second_open)) = second else { return true };
                let Some((first, first_open)) = first else { return false };
                match order(second, first) {
                    Some(Ordering::Equal) => first_open || !second_open,
                    Some(found) => found == outside,
                    None => false,
                }
            };
            end(low_first, low_second, Ordering::Less) && end(high_first, high_second, Ordering::Greater)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(low: i64, high: i64) -> Bound {
        let (low, high) = (Box::new(Value::Int(low)), Box::new(Value::Int(high)));
        Bound::Within(Value::Range { low, high, inclusive: true })
    }

    fn compare(comparison: Comparison, value: i64) -> Bound {
        Bound::Compare(comparison, Value::Int(value))
    }

    #[test]
    fn rules_clash_when_no_value_keeps_both() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, NotEqual};
        let one_of = |values: &[i64]| Bound::OneOf(Value::List(values.iter().map(|it| Value::Int(*it)).collect()));
        let cases = [
            (within(18, 120), compare(GreaterOrEqual, 200), true),
            (within(18, 120), compare(GreaterOrEqual, 120), false),
            (within(18, 120), compare(Greater, 120), true),
            (compare(Greater, 5), compare(Less, 5), true),
            (compare(Greater, 5), compare(Less, 6), true),
            (compare(Greater, 5), compare(Less, 7), false),
            (within(1, 3), within(4, 9), true),
            (within(1, 3), within(3, 9), false),
            (within(1, 3), one_of(&[4, 5]), true),
            (within(1, 3), one_of(&[3, 4]), false),
            (one_of(&[1]), one_of(&[2]), true),
            (one_of(&[1]), compare(Equal, 1), false),
            (one_of(&[1]), compare(NotEqual, 1), false),
        ];
        for (a, b, expected) in cases {
            assert_eq!(clash(&Type::Int, &a, &b), expected, "{a} and {b}");
            assert_eq!(clash(&Type::Int, &b, &a), expected, "{b} and {a}");
        }
    }

    #[test]
    fn a_rule_says_what_every_value_of_it_keeps() {
        use Comparison::{Greater, GreaterOrEqual, LessOrEqual};
        let cases = [
            (within(18, 120), compare(GreaterOrEqual, 10), true),
            (within(18, 120), compare(GreaterOrEqual, 18), true),
            (within(18, 120), compare(Greater, 18), false),
            (within(18, 120), compare(LessOrEqual, 100), false),
            (compare(GreaterOrEqual, 10), within(18, 120), false),
            (within(2, 3), within(1, 5), true),
            (within(1, 3), within(2, 5), false),
        ];
        for (first, second, expected) in cases {
            assert_eq!(says(&first, &second), expected, "{first} says {second}");
        }
    }
}
