//! The value of a checked expression, once its facts are known.
//!
//! Three-valued: `None` is missing. `false and missing` is false and `true or missing` is true; everything else that
//! meets a missing value is missing, until `??` puts something in its place. A number that is not finite, a division by
//! zero and an overflow are missing too: neither NaN nor infinity ever comes out.
//!
//! The checker folds constants with the same functions, so that what `check` says and what a run does cannot differ.

use crate::live::LiveMetric;
use crate::pipeline::{Arithmetic, Expr, Function, MetricRef, Stat};
use crate::types::Comparison;
use crate::value::Value;
use jiff::{SignedDuration, Timestamp, civil};
use std::cmp::Ordering;

/// What is known at run time. `None` is missing.
pub trait Facts {
    /// A number a step gave.
    fn metric(&self, metric: &MetricRef) -> Option<Value>;
    /// A number about a table.
    fn stat(&self, stat: &Stat) -> Option<Value>;
    /// A number about a deployment.
    fn live(&self, _: &LiveMetric) -> Option<Value> {
        None
    }
}

/// Before a run nothing is known.
pub(crate) struct NoFacts;

impl Facts for NoFacts {
    fn metric(&self, _: &MetricRef) -> Option<Value> {
        None
    }

    fn stat(&self, _: &Stat) -> Option<Value> {
        None
    }
}

/// One comparison inside a condition, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparing {
    /// The left side, as the author wrote it where that is known, else rendered.
    pub text: String,
    /// What it was.
    pub left: Option<Value>,
    /// How it is compared. `a in low..=high` is two comparisons; `a in [...]` is `==` with the list on the right.
    pub comparison: Comparison,
    /// With what.
    pub right: Option<Value>,
    /// Signed distance to the threshold, positive inside; only for orderings of numbers. In the value's own unit:
    /// nanoseconds of a duration, bytes of a size.
    pub margin: Option<f64>,
    /// It held.
    pub held: bool,
}

/// The value of `expr`; `None` when something it needs is missing and nothing (`??`) stands in.
pub fn evaluate(expr: &Expr, facts: &dyn Facts) -> Option<Value> {
    let value = match expr {
        Expr::Const(value) => Some(value.clone()),
        Expr::Metric(metric) => facts.metric(metric),
        Expr::Stat(stat) => facts.stat(stat),
        Expr::Live(metric) => facts.live(metric),
        Expr::Not(inner) => truth(inner, facts).map(|held| Value::Bool(!held)),
        Expr::And(left, right) => match (truth(left, facts), truth(right, facts)) {
            (Some(false), _) | (_, Some(false)) => Some(Value::Bool(false)),
            (Some(true), Some(true)) => Some(Value::Bool(true)),
            _ => None,
        },
        Expr::Or(left, right) => match (truth(left, facts), truth(right, facts)) {
            (Some(true), _) | (_, Some(true)) => Some(Value::Bool(true)),
            (Some(false), Some(false)) => Some(Value::Bool(false)),
            _ => None,
        },
        Expr::Compare(comparison, left, right) => {
            compare(*comparison, &evaluate(left, facts)?, &evaluate(right, facts)?).map(Value::Bool)
        }
        Expr::In(left, right) => {
            let left = evaluate(left, facts)?;
            match &**right {
                // A list may be long: a constant one is looked at where it stands.
                Expr::Const(list) => contains(list, &left).map(Value::Bool),
                computed => contains(&evaluate(computed, facts)?, &left).map(Value::Bool),
            }
        }
        Expr::Negate(inner) => negate(evaluate(inner, facts)?),
        Expr::Arithmetic(operator, left, right) => {
            arithmetic(*operator, &evaluate(left, facts)?, &evaluate(right, facts)?)
        }
        Expr::Coalesce(left, right) => evaluate(left, facts).or_else(|| evaluate(right, facts)),
        Expr::When { then, condition, otherwise } => match truth(condition, facts)? {
            true => evaluate(then, facts),
            false => evaluate(otherwise, facts),
        },
        Expr::Call(function, arguments) => {
            let values: Option<Vec<Value>> = arguments.iter().map(|argument| evaluate(argument, facts)).collect();
            call(*function, values?)
        }
    };
    value.filter(present)
}

/// Whether `condition` holds (a missing value never does), and every comparison in it with its numbers.
pub fn judge(condition: &Expr, facts: &dyn Facts) -> (bool, Vec<Comparing>) {
    let mut comparisons = Vec::new();
    collect(condition, facts, &mut comparisons);
    (truth(condition, facts) == Some(true), comparisons)
}

fn collect(condition: &Expr, facts: &dyn Facts, out: &mut Vec<Comparing>) {
    match condition {
        Expr::Const(_) => {}
        Expr::And(left, right) | Expr::Or(left, right) => {
            collect(left, facts, out);
            collect(right, facts, out);
        }
        Expr::Not(inner) => collect(inner, facts, out),
        Expr::Compare(comparison, left, right) => {
            out.push(comparing(left.to_string(), evaluate(left, facts), *comparison, evaluate(right, facts)));
        }
        Expr::In(left, right) => {
            let (text, left) = (left.to_string(), evaluate(left, facts));
            match evaluate(right, facts) {
                Some(Value::Range { low, high, inclusive }) => {
                    let upper = if inclusive { Comparison::LessOrEqual } else { Comparison::Less };
                    out.push(comparing(text.clone(), left.clone(), Comparison::GreaterOrEqual, Some(*low)));
                    out.push(comparing(text, left, upper, Some(*high)));
                }
                list => {
                    let held = left.as_ref().zip(list.as_ref()).and_then(|(left, list)| contains(list, left));
                    let (comparison, held) = (Comparison::Equal, held == Some(true));
                    out.push(Comparing { text, left, comparison, right: list, margin: None, held });
                }
            }
        }
        lone => {
            let value = evaluate(lone, facts);
            out.push(comparing(lone.to_string(), value, Comparison::Equal, Some(Value::Bool(true))));
        }
    }
}

fn comparing(text: String, left: Option<Value>, comparison: Comparison, right: Option<Value>) -> Comparing {
    let both = left.as_ref().zip(right.as_ref());
    let held = both.and_then(|(left, right)| compare(comparison, left, right)) == Some(true);
    let margin = both.and_then(|(left, right)| {
        let (left, right) = (magnitude(left)?, magnitude(right)?);
        match comparison {
            Comparison::Greater | Comparison::GreaterOrEqual => Some(left - right),
            Comparison::Less | Comparison::LessOrEqual => Some(right - left),
            Comparison::Equal | Comparison::NotEqual => None,
        }
    });
    Comparing { text, left, comparison, right, margin: margin.filter(|m| m.is_finite()), held }
}

fn truth(expr: &Expr, facts: &dyn Facts) -> Option<bool> {
    match evaluate(expr, facts)? {
        Value::Bool(held) => Some(held),
        _ => None,
    }
}

/// Null is missing, and so is a number that is not finite.
fn present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Float(number) | Value::Fraction(number) => number.is_finite(),
        _ => true,
    }
}

/// A plain number.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) | Value::Fraction(number) => Some(*number),
        _ => None,
    }
}

/// A fraction as a person would write it, when arithmetic in base two is all that is between: 10% + 5% is 15%, and not
/// 15.000000000000002%. A number with more digits than a person writes stays.
fn decimal(exact: f64) -> f64 {
    const WRITTEN: usize = 12;
    let text = format!("{exact:.14e}");
    let digits = text.split('e').next().unwrap_or_default().trim_end_matches('0');
    let written = digits.chars().filter(char::is_ascii_digit).count() <= WRITTEN;
    text.parse().ok().filter(|_| written).unwrap_or(exact)
}

/// A plain number, or the size of a quantity in its base unit.
fn magnitude(value: &Value) -> Option<f64> {
    match value {
        Value::Duration(nanoseconds) => Some(*nanoseconds as f64),
        Value::Size(bytes) => Some(*bytes as f64),
        value => number(value),
    }
}

/// Whether `left` stands to `right` as said; `None` when they cannot be compared.
pub(crate) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    let order = order(left, right);
    match comparison {
        Comparison::Equal => order.map_or_else(|| equal(left, right), |order| Some(order.is_eq())),
        Comparison::NotEqual => order.map_or_else(|| equal(left, right).map(|e| !e), |order| Some(order.is_ne())),
        Comparison::Less => order.map(Ordering::is_lt),
        Comparison::LessOrEqual => order.map(Ordering::is_le),
        Comparison::Greater => order.map(Ordering::is_gt),
        Comparison::GreaterOrEqual => order.map(Ordering::is_ge),
    }
}

/// The order of two values of one kind.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp(right)),
        (Value::Size(left), Value::Size(right)) => Some(left.cmp(right)),
        (Value::Date(left), Value::Date(right)) => Some(date(left)?.cmp(&date(right)?)),
        (Value::Time(left), Value::Time(right)) => Some(time(left)?.cmp(&time(right)?)),
        (left, right) => number(left)?.partial_cmp(&number(right)?),
    }
}

fn equal(left: &Value, right: &Value) -> Option<bool> {
    (std::mem::discriminant(left) == std::mem::discriminant(right)).then(|| left == right)
}

/// Whether the list or range holds the value.
pub(crate) fn contains(container: &Value, value: &Value) -> Option<bool> {
    match container {
        Value::List(items) => Some(items.iter().any(|item| compare(Comparison::Equal, value, item) == Some(true))),
        Value::Range { low, high, inclusive } => {
            let upper = if *inclusive { Comparison::LessOrEqual } else { Comparison::Less };
            Some(compare(Comparison::GreaterOrEqual, value, low)? && compare(upper, value, high)?)
        }
        _ => None,
    }
}

fn negate(value: Value) -> Option<Value> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int),
        Value::Float(number) => Some(Value::Float(-number)),
        Value::Fraction(number) => Some(Value::Fraction(-number)),
        Value::Duration(nanoseconds) => nanoseconds.checked_neg().map(Value::Duration),
        _ => None,
    }
}

/// The result of an operator, by the table in `spec/03-types-and-units.md`.
fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Option<Value> {
    use Value::{Date, Duration, Float, Fraction, Int, Size, Time};
    match operator {
        Arithmetic::Add => match (left, right) {
            (Int(a), Int(b)) => a.checked_add(*b).map(Int),
            (Fraction(a), Fraction(b)) => finite(a + b).map(decimal).map(Fraction),
            (Duration(a), Duration(b)) => a.checked_add(*b).map(Duration),
            (Size(a), Size(b)) => a.checked_add(*b).map(Size),
            (Date(day), Duration(by)) | (Duration(by), Date(day)) => later_date(day, *by),
            (Time(at), Duration(by)) | (Duration(by), Time(at)) => later_time(at, *by),
            (a, b) => finite(number(a)? + number(b)?).map(Float),
        },
        Arithmetic::Subtract => match (left, right) {
            (Int(a), Int(b)) => a.checked_sub(*b).map(Int),
            (Fraction(a), Fraction(b)) => finite(a - b).map(decimal).map(Fraction),
            (Duration(a), Duration(b)) => a.checked_sub(*b).map(Duration),
            (Size(a), Size(b)) => a.checked_sub(*b).map(Size),
            (Date(a), Date(b)) => days_between(a, b)?.checked_mul(NANOSECONDS_PER_DAY).map(Duration),
            (Time(a), Time(b)) => i64::try_from(time(a)?.as_nanosecond() - time(b)?.as_nanosecond()).ok().map(Duration),
            (Date(day), Duration(by)) => later_date(day, by.checked_neg()?),
            (Time(at), Duration(by)) => later_time(at, by.checked_neg()?),
            (a, b) => finite(number(a)? - number(b)?).map(Float),
        },
        Arithmetic::Multiply => match (left, right) {
            (Int(a), Int(b)) => a.checked_mul(*b).map(Int),
            (Duration(a), Int(b)) | (Int(b), Duration(a)) => a.checked_mul(*b).map(Duration),
            (Size(a), Int(b)) | (Int(b), Size(a)) => a.checked_mul(u64::try_from(*b).ok()?).map(Size),
            (Duration(a), b) | (b, Duration(a)) => whole(*a as f64 * number(b)?).map(Duration),
            (Size(a), b) | (b, Size(a)) => bytes(*a as f64 * number(b)?).map(Size),
            (Fraction(a), b) | (b, Fraction(a)) => finite(a * number(b)?).map(decimal).map(Fraction),
            (a, b) => finite(number(a)? * number(b)?).map(Float),
        },
        Arithmetic::Divide => match (left, right) {
            (Duration(a), Duration(b)) => finite(*a as f64 / *b as f64).map(Float),
            (Size(a), Size(b)) => finite(*a as f64 / *b as f64).map(Float),
            (Fraction(a), Fraction(b)) => finite(a / b).map(Float),
            (Duration(a), b) => whole(*a as f64 / number(b)?).map(Duration),
            (Size(a), b) => bytes(*a as f64 / number(b)?).map(Size),
            (Fraction(a), b) => finite(a / number(b)?).map(decimal).map(Fraction),
            (a, b) => finite(number(a)? / number(b)?).map(Float),
        },
        Arithmetic::Remainder => match (left, right) {
            (Int(a), Int(b)) => a.checked_rem_euclid(*b).map(Int),
            _ => None,
        },
    }
}

fn call(function: Function, values: Vec<Value>) -> Option<Value> {
    let wanted = match function {
        Function::Min => return extreme(values, Ordering::Less),
        Function::Max => return extreme(values, Ordering::Greater),
        _ => values.into_iter().next()?,
    };
    match (function, &wanted) {
        (Function::Abs, Value::Int(number)) => number.checked_abs().map(Value::Int),
        (Function::Abs, Value::Float(number)) => Some(Value::Float(number.abs())),
        (Function::Abs, Value::Fraction(number)) => Some(Value::Fraction(number.abs())),
        (Function::Abs, Value::Duration(length)) => length.checked_abs().map(Value::Duration),
        (Function::Round, Value::Int(number)) => Some(Value::Int(*number)),
        (Function::Round, value) => whole(number(value)?).map(Value::Int),
        (Function::Sqrt, value) => finite(number(value)?.sqrt()).map(Value::Float),
        (Function::Log, value) => finite(number(value)?.ln()).map(Value::Float),
        (Function::Exp, value) => finite(number(value)?.exp()).map(Value::Float),
        _ => None,
    }
}

/// The smallest or largest; of equals the first. Between kinds of number the result is a float, as its type says.
fn extreme(values: Vec<Value>, wanted: Ordering) -> Option<Value> {
    let mixed = values.windows(2).any(|pair| std::mem::discriminant(&pair[0]) != std::mem::discriminant(&pair[1]));
    let mut values = values.into_iter();
    let mut best = values.next()?;
    for value in values {
        if order(&value, &best)? == wanted {
            best = value;
        }
    }
    if mixed { number(&best).map(Value::Float) } else { Some(best) }
}

const NANOSECONDS_PER_DAY: i64 = 86_400_000_000_000;

fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}

/// The nearest whole number, half away from zero, if it fits.
fn whole(number: f64) -> Option<i64> {
    let rounded = number.round();
    // 2^63 is the first float beyond i64; -2^63 is in it.
    (rounded >= i64::MIN as f64 && rounded < i64::MAX as f64).then_some(rounded as i64)
}

fn bytes(number: f64) -> Option<u64> {
    let rounded = number.round();
    (rounded >= 0.0 && rounded < u64::MAX as f64).then_some(rounded as u64)
}

fn date(text: &str) -> Option<civil::Date> {
    text.parse().ok()
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn days_between(left: &str, right: &str) -> Option<i64> {
    let span = date(right)?.until(date(left)?).ok()?;
    Some(i64::from(span.get_days()))
}

/// A day some whole days later; half a day after a date is no date, so it has no value.
fn later_date(day: &str, by: i64) -> Option<Value> {
    if by % NANOSECONDS_PER_DAY != 0 {
        return None;
    }
    let moved = date(day)?.checked_add(SignedDuration::from_nanos(by)).ok()?;
    Some(Value::Date(moved.to_string()))
}

fn later_time(at: &str, by: i64) -> Option<Value> {
    let moved = time(at)?.checked_add(SignedDuration::from_nanos(by)).ok()?;
    Some(Value::Time(moved.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::NodeId;
    use proptest::prelude::*;

    /// Facts where `rows` is what is said, and every metric is missing.
    struct Rows(Option<Value>);

    impl Facts for Rows {
        fn metric(&self, _: &MetricRef) -> Option<Value> {
            None
        }

        fn stat(&self, stat: &Stat) -> Option<Value> {
            if *stat == Stat::Rows { self.0.clone() } else { None }
        }
    }

    fn constant(value: Value) -> Box<Expr> {
        Box::new(Expr::Const(value))
    }

    fn rows() -> Box<Expr> {
        Box::new(Expr::Stat(Stat::Rows))
    }

    fn missing() -> Box<Expr> {
        let (output, metric, text) = ("metrics".to_owned(), "auc".to_owned(), "eval.auc".to_owned());
        Box::new(Expr::Metric(MetricRef { node: NodeId(0), output, metric, over: None, across: None, text }))
    }

    #[test]
    fn fractions_are_counted_as_people_write_them() {
        let fraction = |value: f64| Value::Fraction(value);
        let cases = [
            (Arithmetic::Add, fraction(0.1), fraction(0.05), 0.15),
            (Arithmetic::Subtract, fraction(0.3), fraction(0.1), 0.2),
            (Arithmetic::Multiply, fraction(0.1), Value::Int(3), 0.3),
            (Arithmetic::Divide, fraction(0.3), Value::Int(3), 0.1),
            // More digits than anybody writes are what was measured.
            (Arithmetic::Divide, fraction(1.0), Value::Int(3), 1.0 / 3.0),
        ];
        for (operator, a, b, expected) in cases {
            let expr = Expr::Arithmetic(operator, Box::new(Expr::Const(a)), Box::new(Expr::Const(b)));
            assert_eq!(evaluate(&expr, &NoFacts), Some(Value::Fraction(expected)), "{expr}");
        }
    }

    #[test]
    fn missing_never_holds_and_only_logic_looks_past_it() {
        let facts = Rows(None);
        let truth = |held| constant(Value::Bool(held));
        let below = || Box::new(Expr::Compare(Comparison::Less, missing(), constant(Value::Float(0.5))));
        assert_eq!(evaluate(&Expr::And(truth(false), below()), &facts), Some(Value::Bool(false)));
        assert_eq!(evaluate(&Expr::And(truth(true), below()), &facts), None);
        assert_eq!(evaluate(&Expr::Or(below(), truth(true)), &facts), Some(Value::Bool(true)));
        assert_eq!(evaluate(&Expr::Not(below()), &facts), None);
        assert!(!judge(&below(), &facts).0);
        assert!(!judge(&Expr::Not(below()), &facts).0, "not missing is missing too");
        let stood_in = Expr::Coalesce(missing(), constant(Value::Int(1)));
        assert_eq!(evaluate(&stood_in, &facts), Some(Value::Int(1)));
    }

    #[test]
    fn nothing_infinite_comes_out() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(evaluate(&rows(), &Rows(Some(Value::Float(value)))), None);
        }
        let none = Rows(None);
        for (operator, left, right) in [
            (Arithmetic::Divide, Value::Int(1), Value::Int(0)),
            (Arithmetic::Divide, Value::Duration(1), Value::Duration(0)),
            (Arithmetic::Remainder, Value::Int(1), Value::Int(0)),
            (Arithmetic::Remainder, Value::Int(i64::MIN), Value::Int(-1)),
            (Arithmetic::Add, Value::Int(i64::MAX), Value::Int(1)),
            (Arithmetic::Multiply, Value::Float(f64::MAX), Value::Float(2.0)),
            (Arithmetic::Subtract, Value::Size(1), Value::Size(2)),
            (Arithmetic::Add, Value::Date("2024-01-01".into()), Value::Duration(1)),
            (Arithmetic::Add, Value::Date("9999-12-31".into()), Value::Duration(86_400_000_000_000)),
        ] {
            assert_eq!(evaluate(&Expr::Arithmetic(operator, constant(left), constant(right)), &none), None);
        }
        assert_eq!(evaluate(&Expr::Call(Function::Sqrt, vec![*constant(Value::Int(-1))]), &none), None);
        assert_eq!(evaluate(&Expr::Call(Function::Log, vec![*constant(Value::Int(0))]), &none), None);
    }

    #[test]
    fn dates_and_times_are_counted_on_the_calendar() {
        let date = |text: &str| constant(Value::Date(text.into()));
        let difference = Expr::Arithmetic(Arithmetic::Subtract, date("2024-03-01"), date("2024-02-01"));
        assert_eq!(evaluate(&difference, &Rows(None)), Some(Value::Duration(29 * 86_400_000_000_000)));
        let one_day = constant(Value::Duration(86_400_000_000_000));
        let leap = Expr::Arithmetic(Arithmetic::Add, one_day, date("2024-02-28"));
        assert_eq!(evaluate(&leap, &Rows(None)), Some(Value::Date("2024-02-29".into())));
        let time = |text: &str| constant(Value::Time(text.into()));
        let same = Expr::Compare(Comparison::Equal, time("2024-01-01T00:00:00Z"), time("2024-01-01T01:00:00+01:00"));
        assert_eq!(evaluate(&same, &Rows(None)), Some(Value::Bool(true)));
    }

    #[test]
    fn a_condition_is_judged_by_its_comparisons() {
        let range = Value::Range { low: Value::Int(10).into(), high: Value::Int(20).into(), inclusive: false };
        let unique = Box::new(Expr::Stat(Stat::Unique("mean radius".into())));
        let condition = Expr::And(Box::new(Expr::In(rows(), constant(range))), unique);
        let (held, comparisons) = judge(&condition, &Rows(Some(Value::Int(20))));
        assert!(!held);
        let told: Vec<String> = comparisons
            .iter()
            .map(|c| format!("{} {} {:?}: {} by {:?}", c.text, c.comparison, c.right, c.held, c.margin))
            .collect();
        assert_eq!(
            told,
            [
                "rows >= Some(Int(10)): true by Some(10.0)",
                "rows < Some(Int(20)): false by Some(0.0)",
                "unique(\"mean radius\") == Some(Bool(true)): false by None",
            ]
        );
    }

    proptest! {
        /// The verdict and the numbers beside it never disagree: a conjunction holds when each comparison does.
        #[test]
        fn a_conjunction_holds_with_its_parts(value in any::<i64>(), low in any::<i64>(), high in any::<i64>()) {
            let part = |comparison, limit| Box::new(Expr::Compare(comparison, rows(), constant(Value::Int(limit))));
            let condition = Expr::And(part(Comparison::GreaterOrEqual, low), part(Comparison::Less, high));
            let (held, comparisons) = judge(&condition, &Rows(Some(Value::Int(value))));
            prop_assert_eq!(held, comparisons.iter().all(|comparison| comparison.held));
            prop_assert_eq!(held, value >= low && value < high);
        }
    }
}
