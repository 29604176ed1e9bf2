//! Types as written, resolved.

use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::names::{SCALARS, suggest};
use crate::syntax::ast::{TypeExpr, TypeKind};
use crate::types::Type;
use std::collections::HashSet;

impl Context<'_> {
    /// The type of a parameter: a scalar, an enum, or a list, map or range of them.
    pub(crate) fn param_type(&mut self, written: &TypeExpr) -> Type {
        match &written.kind {
            TypeKind::Optional(inner) => match self.param_type(inner) {
                Type::Unknown => Type::Unknown,
                Type::Optional(inner) => Type::Optional(inner),
                inner => Type::Optional(Box::new(inner)),
            },
            TypeKind::Generic(name, inner) => {
                let wrap: fn(Box<Type>) -> Type = match name.name.as_str() {
                    "list" => Type::List,
                    "map" => Type::Map,
                    "range" => Type::Range,
                    "dataset" | "model" | "metrics" => {
                        self.report(
                            Finding::error(
                                codes::TYPE_MISMATCH,
                                self.place(written.span),
                                format!("a parameter is a value; a {} comes from data or a step", name.name),
                            )
                            .help("declare `data`, or give a step's output to the step that needs it"),
                        );
                        return Type::Unknown;
                    }
                    other => {
                        self.unknown_type(other, written, &["list", "map", "range"]);
                        return Type::Unknown;
                    }
                };
                match self.param_type(inner) {
                    Type::Unknown => Type::Unknown,
                    inner => wrap(Box::new(inner)),
                }
            }
            _ => self.scalar_type(written),
        }
    }

    /// A type without parts, and not optional.
    pub(crate) fn scalar_type(&mut self, written: &TypeExpr) -> Type {
        match &written.kind {
            TypeKind::Named(name) => match scalar(name) {
                Some(ty) => ty,
                None => {
                    self.unknown_type(name, written, SCALARS);
                    Type::Unknown
                }
            },
            TypeKind::Enum(variants) => {
                let mut seen = HashSet::new();
                if let Some(twice) = variants.iter().find(|variant| !seen.insert(variant.as_str())) {
                    self.report(
                        Finding::error(
                            codes::DUPLICATE_SETTING,
                            self.place(written.span),
                            format!("{} stands twice in this type", crate::written::quoted(twice)),
                        )
                        .help("remove one"),
                    );
                }
                Type::Enum(variants.clone())
            }
            TypeKind::Optional(_) | TypeKind::Generic(..) | TypeKind::Metrics(_) => {
                self.report(
                    Finding::error(
                        codes::TYPE_MISMATCH,
                        self.place(written.span),
                        "a column holds one plain value per row",
                    )
                    .help(format!(
                        "write one of {}, or texts like `\"free\" | \"pro\"`",
                        crate::written::listed(SCALARS)
                    )),
                );
                Type::Unknown
            }
        }
    }

    fn unknown_type(&mut self, name: &str, written: &TypeExpr, candidates: &[&str]) {
        let near = synonym(name).or_else(|| self.names.nearest(name, candidates.iter().copied()));
        let finding =
            Finding::error(codes::UNKNOWN_TYPE, self.place(written.span), format!("there is no type `{name}`"));
        // The name may be a part of a longer type; only a type that is nothing but the name is replaced.
        let finding = match (&written.kind, near) {
            (TypeKind::Named(_), near) => {
                suggest(finding, written.span, near, || format!("types are {}", crate::written::listed(SCALARS)))
            }
            (_, Some(near)) => finding.help(format!("did you mean `{near}`?")),
            (_, None) => finding.help(format!("types with parts are {}", crate::written::listed(candidates))),
        };
        self.report(finding);
    }
}

/// The type of this name.
fn scalar(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "fraction" => Type::Fraction,
        "duration" => Type::Duration,
        "size" => Type::Size,
        "date" => Type::Date,
        "time" => Type::Time,
        "string" => Type::String,
        _ => return None,
    })
}

/// What other languages call our types.
fn synonym(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "str" | "text" | "varchar" | "utf8" => "string",
        "integer" | "int64" | "int32" | "i64" | "i32" | "bigint" | "long" => "int",
        "double" | "float64" | "float32" | "f64" | "f32" | "real" | "number" | "numeric" | "decimal" => "float",
        "boolean" => "bool",
        "percent" | "percentage" | "ratio" | "probability" => "fraction",
        "datetime" | "timestamp" | "instant" => "time",
        "bytes" => "size",
        "timedelta" | "interval" => "duration",
        _ => return None,
    })
}
