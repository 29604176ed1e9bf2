//! The signature of a step, in the JSON that `mlp check` reads.

use crate::module::{Field, Input, Output, OutputKind, Param, ParamType, Rows, Step};
use serde_json::{Value as Json, json};

/// One step.
pub fn step(step: &Step) -> Json {
    json!({
        "name": step.name,
        "doc": step.doc,
        "inputs": step.inputs.iter().flatten().map(input).collect::<Vec<_>>(),
        "params": step.params.iter().flatten().map(param).collect::<Vec<_>>(),
        "outputs": step.outputs.iter().map(output).collect::<Vec<_>>(),
    })
}

fn input(input: &Input) -> Json {
    let kind = match &input.flavor {
        Some(flavor) => json!({ "model": flavor }),
        None => "dataset".into(),
    };
    json!({ "name": input.name, "doc": input.doc, "kind": kind })
}

fn param(param: &Param) -> Json {
    json!({
        "name": param.name,
        "doc": param.doc,
        "ty": param_type(&param.ty),
        "default": param.default,
        "min": param.min,
        "max": param.max,
    })
}

fn param_type(ty: &ParamType) -> Json {
    match ty {
        ParamType::Bool => json!({ "plain": "bool" }),
        ParamType::Int => json!({ "plain": "int" }),
        ParamType::Float => json!({ "plain": "float" }),
        ParamType::Fraction => json!({ "plain": "fraction" }),
        ParamType::Duration => json!({ "plain": "duration" }),
        ParamType::Size => json!({ "plain": "size" }),
        ParamType::Text => json!({ "plain": "string" }),
        ParamType::OneOf(texts) => json!({ "plain": { "enum": texts } }),
        ParamType::Column { of } => json!({ "column": { "of": of } }),
        ParamType::ValueOf { param } => json!({ "value_of": { "param": param } }),
        ParamType::Optional(inner) => json!({ "optional": param_type(inner) }),
        ParamType::List(inner) => json!({ "list": param_type(inner) }),
    }
}

fn output(output: &Output) -> Json {
    let kind = match &output.kind {
        OutputKind::SameAs(of) => json!({ "same_as": of }),
        OutputKind::Table(columns) => json!({ "table": {
            "name": null,
            "columns": columns.iter().map(column).collect::<Vec<_>>(),
        } }),
        OutputKind::Model(flavor) => json!({ "model": flavor }),
        OutputKind::Metrics { fields, by } => json!({ "metrics": {
            "fields": fields.iter().map(metric).collect::<Vec<_>>(),
            "by": by,
        } }),
    };
    let mut json = json!({ "name": output.name, "doc": output.doc, "kind": kind });
    if let Some(rows) = &output.rows {
        json["rows"] = match rows {
            Rows::AllOf(of) => json!({ "all_of": of }),
            Rows::PartOf(of) => json!({ "part_of": of }),
        };
    }
    json
}

fn column(field: &Field) -> Json {
    json!({
        "name": field.name,
        "ty": field.ty,
        "nullable": field.nullable,
        "unique": false,
        "label": false,
        "bounds": [],
    })
}

fn metric(field: &Field) -> Json {
    json!({ "name": field.name, "ty": field.ty, "doc": field.doc })
}
