//! `schema Customer { ... }`: columns with their types and rules.

use super::rules::Rule;
use super::{bounds, rules};
use crate::codes;
use crate::context::Context;
use crate::finding::Finding;
use crate::kept::Outcome;
use crate::span::Span;
use crate::syntax::ast::{Attribute, DeclarationKind, Field, Ident, TypeExpr, TypeKind};
use crate::types::{Column, Schema, Type};
use std::collections::HashMap;
use std::sync::Arc;

pub(super) fn lower_all(cx: &mut Context<'_>) {
    let file = cx.file;
    for (index, declaration) in file.declarations.iter().enumerate() {
        let DeclarationKind::Schema { name, fields } = &declaration.kind else { continue };
        if let Some(kept) = cx.kept.schema(index) {
            cx.schemas.extend(kept.map(|schema| (name.name.as_str(), schema)));
            continue;
        }
        let told = cx.told;
        let schema = lower(cx, name, fields, declaration.damaged);
        // A column that could not be understood may be the one that others ask for, or the label: a schema without it
        // is not known, and what reads it is silent.
        if cx.names.owns(&name.name, index) && !declaration.damaged {
            cx.schemas.insert(&name.name, Arc::new(schema));
        }
        if cx.told == told {
            let owned = cx.names.owns(&name.name, index);
            let schema = || cx.schemas.get(name.name.as_str()).filter(|_| owned).cloned();
            cx.kept.keep(index, file, || Outcome::Schema(schema()));
        }
    }
}

fn lower(cx: &mut Context<'_>, name: &Ident, fields: &[Field], damaged: bool) -> Schema {
    if fields.is_empty() && !damaged {
        cx.report(
            Finding::error(
                codes::EMPTY_SCHEMA,
                cx.place(name.span),
                format!("the schema `{}` has no columns", name.name),
            )
            .help("name each column with its type: `age: int`"),
        );
    }
    let mut columns = Vec::with_capacity(fields.len());
    let mut seen: HashMap<&str, Span> = HashMap::with_capacity(fields.len());
    let mut label: Option<Span> = None;
    for field in fields {
        if let Some(first) = seen.get(field.name.name.as_str()) {
            let finding = Finding::error(
                codes::DUPLICATE_COLUMN,
                cx.place(field.name.span),
                format!("the column `{}` is declared twice", field.name.name),
            )
            .also(cx.place(*first), "first declared here")
            .help("remove one");
            cx.report(finding);
            continue;
        }
        seen.insert(&field.name.name, field.name.span);
        let column = column(cx, field, &mut label);
        columns.push(column);
    }
    Schema { name: Some(name.name.clone()), columns }
}

fn column(cx: &mut Context<'_>, field: &Field, label: &mut Option<Span>) -> Column {
    let (written, nullable) = nullable(&field.ty);
    let ty = cx.scalar_type(written);
    if matches!(ty, Type::Duration | Type::Size) {
        cx.report(
            Finding::error(
                codes::TYPE_MISMATCH,
                cx.place(written.span),
                format!("a column cannot be {}", crate::typing::with_article(&ty)),
            )
            .help("store it as a number and say the unit in the column's name: `latency_ms: float`"),
        );
    }
    let ty = if matches!(ty, Type::Duration | Type::Size) { Type::Unknown } else { ty };
    let mut column =
        Column { name: field.name.name.clone(), ty, nullable, unique: false, label: false, bounds: Vec::new() };
    rules::doubled(cx, field);
    let mut found: Vec<Rule<'_>> = Vec::new();
    let mut end = field.ty.span.end;
    for attribute in &field.attributes {
        let value = match attribute {
            Attribute::Unique(span) | Attribute::Label(span) => *span,
            Attribute::In(value) | Attribute::Compare(_, value) => value.span,
        };
        let whole = Span { start: end, end: value.end };
        end = value.end;
        match attribute {
            Attribute::Unique(_) => column.unique = true,
            Attribute::Label(_) if column.label => {}
            Attribute::Label(span) => match *label {
                None => {
                    *label = Some(*span);
                    column.label = true;
                }
                Some(first) => {
                    let finding = Finding::error(
                        codes::TWO_LABELS,
                        cx.place(*span),
                        "a schema has one label, and this is the second",
                    )
                    .also(cx.place(first), "the first")
                    .help("keep one; a step can be told another one by its `label` setting");
                    cx.report(finding);
                }
            },
            Attribute::In(values) => {
                let bound = bounds::within(cx, &column.name, &column.ty, values);
                found.extend(bound.map(|bound| Rule { bound, value: values, whole }));
            }
            Attribute::Compare(comparison, value) => {
                let bound = bounds::compare(cx, &column.name, &column.ty, *comparison, value);
                found.extend(bound.map(|bound| Rule { bound, value, whole }));
            }
        }
    }
    rules::beside(cx, &column.name, &column.ty, &found);
    column.bounds = found.into_iter().map(|rule| rule.bound).collect();
    column
}

/// The type beneath `?`, and whether there was one.
fn nullable(written: &TypeExpr) -> (&TypeExpr, bool) {
    match &written.kind {
        TypeKind::Optional(inner) => (nullable(inner).0, true),
        _ => (written, false),
    }
}
