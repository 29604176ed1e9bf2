//! Which operators join which types, and what comes out: the table in `spec/03-types-and-units.md`.

use crate::pipeline::Arithmetic;
use crate::types::{Comparison, Type};

/// The type beneath `?`.
pub(crate) fn present(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => present(inner),
        other => other,
    }
}

fn is_plain(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float)
}

/// Int, float or fraction.
pub(crate) fn is_number(ty: &Type) -> bool {
    is_plain(ty) || *ty == Type::Fraction
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::String | Type::Enum(_))
}

/// The type of `left operator right`; `None` when the operator does not join them. What may be missing on either side
/// may be missing in the result.
pub(crate) fn arithmetic(operator: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    let result = joined(operator, present(left), present(right))?;
    let optional = [left, right].iter().any(|ty| matches!(ty, Type::Optional(_)));
    Some(if optional && result != Type::Unknown { Type::Optional(Box::new(result)) } else { result })
}

fn joined(operator: Arithmetic, left: &Type, right: &Type) -> Option<Type> {
    use Type::{Date, Duration, Float, Fraction, Int, Size, Time, Unknown};
    let result = match (operator, left, right) {
        (_, Unknown, _) | (_, _, Unknown) => Unknown,
        (Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Multiply, Int, Int) => Int,
        (Arithmetic::Remainder, Int, Int) => Int,
        (Arithmetic::Remainder, _, _) => return None,
        (Arithmetic::Add | Arithmetic::Subtract, Fraction, Fraction) => Fraction,
        (Arithmetic::Add | Arithmetic::Subtract, Duration, Duration) => Duration,
        (Arithmetic::Add | Arithmetic::Subtract, Size, Size) => Size,
        (Arithmetic::Add | Arithmetic::Subtract, Date, Duration) | (Arithmetic::Add, Duration, Date) => Date,
        (Arithmetic::Add | Arithmetic::Subtract, Time, Duration) | (Arithmetic::Add, Duration, Time) => Time,
        (Arithmetic::Subtract, Date, Date) | (Arithmetic::Subtract, Time, Time) => Duration,
        (Arithmetic::Multiply, Fraction, number) | (Arithmetic::Multiply, number, Fraction) if is_number(number) => {
            Fraction
        }
        (Arithmetic::Multiply, Duration, number) | (Arithmetic::Multiply, number, Duration) if is_number(number) => {
            Duration
        }
        (Arithmetic::Multiply, Size, number) | (Arithmetic::Multiply, number, Size) if is_number(number) => Size,
        (Arithmetic::Divide, Fraction, Fraction) => Float,
        (Arithmetic::Divide, Duration, Duration) | (Arithmetic::Divide, Size, Size) => Float,
        (Arithmetic::Divide, Fraction, number) if is_plain(number) => Fraction,
        (Arithmetic::Divide, Duration, number) if is_number(number) => Duration,
        (Arithmetic::Divide, Size, number) if is_number(number) => Size,
        (_, left, right) if is_number(left) && is_number(right) => Float,
        _ => return None,
    };
    Some(result)
}

/// Whether two types can be compared so.
pub(crate) fn comparable(comparison: Comparison, left: &Type, right: &Type) -> bool {
    let (left, right) = (present(left), present(right));
    if *left == Type::Unknown || *right == Type::Unknown {
        return true;
    }
    let ordered = is_number(left) && is_number(right)
        || left == right && matches!(left, Type::Duration | Type::Size | Type::Date | Type::Time);
    match comparison {
        Comparison::Equal | Comparison::NotEqual => {
            ordered || is_text(left) && is_text(right) || left == right && *left == Type::Bool
        }
        _ => ordered,
    }
}

/// The narrowest type that holds both.
pub(crate) fn unify(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (left, right) if left == right => Some(left.clone()),
        (Type::Unknown, other) | (other, Type::Unknown) => Some(other.clone()),
        (Type::Optional(left), Type::Optional(right)) => Some(Type::Optional(Box::new(unify(left, right)?))),
        (Type::Optional(inner), other) | (other, Type::Optional(inner)) => {
            Some(Type::Optional(Box::new(unify(inner, other)?)))
        }
        (left, right) if is_number(left) && is_number(right) => Some(Type::Float),
        (left, right) if is_text(left) && is_text(right) => Some(Type::String),
        (Type::List(left), Type::List(right)) => Some(Type::List(Box::new(unify(left, right)?))),
        (Type::Map(left), Type::Map(right)) => Some(Type::Map(Box::new(unify(left, right)?))),
        (Type::Range(left), Type::Range(right)) => Some(Type::Range(Box::new(unify(left, right)?))),
        _ => None,
    }
}
