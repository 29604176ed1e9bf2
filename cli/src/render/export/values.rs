//! Values, types and columns of the document.

use super::{Column, Output, Written};
use mlp_lang::types::{Bound, Schema, Type};
use mlp_lang::value::Value;
use serde_json::json;

/// A value for programs and as written.
pub fn written(value: &Value) -> Written {
    Written { value: plain(value), written: value.to_string() }
}

/// Nanoseconds as seconds.
pub fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

fn plain(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => json!(value),
        Value::Int(value) => json!(value),
        Value::Float(value) | Value::Fraction(value) => json!(value),
        Value::Duration(nanoseconds) => json!(seconds(*nanoseconds)),
        Value::Size(bytes) => json!(bytes),
        Value::Date(text) | Value::Time(text) | Value::String(text) | Value::Column(text) => json!(text),
        Value::List(items) => items.iter().map(plain).collect(),
        Value::Map(entries) => entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect(),
        other @ Value::Range { .. } => json!(other.to_string()),
    }
}

/// The columns of a table.
pub fn columns(schema: &Schema) -> Vec<Column> {
    let bound = |bound: &Bound| bound.to_string();
    schema
        .columns
        .iter()
        .map(|column| Column {
            name: column.name.clone(),
            ty: column.ty.to_string(),
            nullable: column.nullable,
            unique: column.unique,
            label: column.label,
            bounds: column.bounds.iter().map(bound).collect(),
        })
        .collect()
}

/// What a step gives.
pub fn output(ty: &Type) -> Output {
    let (columns, metrics) = match ty {
        Type::Dataset(schema) => (Some(columns(schema)), None),
        Type::Metrics(fields) => {
            (None, Some(fields.iter().map(|field| (field.name.clone(), field.ty.to_string())).collect()))
        }
        _ => (None, None),
    };
    let ty = match ty {
        Type::Dataset(Schema { name: Some(name), .. }) => format!("dataset<{name}>"),
        Type::Dataset(_) => "dataset".to_owned(),
        Type::Metrics(_) => "metrics".to_owned(),
        other => other.to_string(),
    };
    Output { ty, columns, metrics }
}
