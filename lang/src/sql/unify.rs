//! What two values are together.

use super::scope::Typed;
use super::{Class, class};
use crate::types::Type;

/// The type that values of both have.
pub(super) fn unify(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (a, b) if a == b => a.clone(),
        (Type::Unknown, _) | (_, Type::Unknown) => Type::Unknown,
        (Type::Enum(a), Type::Enum(b)) => {
            let mut all = a.clone();
            all.extend(b.iter().filter(|text| !a.contains(text)).cloned());
            Type::Enum(all)
        }
        (a, b) => match (class(a), class(b)) {
            (Class::Number, Class::Number) => Type::Float,
            (Class::Text, Class::Text) => Type::String,
            (Class::Instant, Class::Instant) => Type::Time,
            _ => Type::Unknown,
        },
    }
}

/// One of two values.
pub(super) fn unified(a: &Typed, b: &Typed) -> Typed {
    Typed {
        ty: unify(&a.ty, &b.ty),
        nullable: a.nullable || b.nullable,
        same: None,
        derived: a.tells_label() || b.tells_label(),
        literal: a.literal && b.literal,
        range: a.range.start.min(b.range.start)..a.range.end.max(b.range.end),
    }
}

/// A type for messages, with its article.
pub(super) fn words(ty: &Type) -> String {
    match ty {
        Type::Enum(_) => "a text".to_owned(),
        Type::Bool => "true or false".to_owned(),
        ty => crate::typing::with_article(ty),
    }
}
