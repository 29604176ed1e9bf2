//! Between the language's values and the component model's.
//!
//! The component's own types lead: a record is filled in the order in which the component declares it, so that a plugin
//! may order its fields as it likes.

use super::{Attempt, files};
use mlp_core::executor::{ArtifactMeta, Given, Produced, StepError};
use mlp_lang::types::{Column, Type as LangType};
use mlp_lang::value::Value;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use wasmtime::component::types::Record;
use wasmtime::component::{Type, Val};

/// The argument `p` or `i`: whichever record this is. A step without settings has no `p`, one without inputs no `i`.
pub fn argument(name: &str, ty: &Type, job: &Attempt) -> Result<Val, String> {
    let Type::Record(record) = ty else { return Err(format!("the argument `{name}` of `run` is not a record")) };
    match name {
        "p" | "params" => fill(record, |field, ty| {
            let value = job.step.params.get(field).unwrap_or(&Value::Null);
            setting(value, ty).map_err(|why| format!("setting `{field}`: {why}"))
        }),
        _ => fill(record, |field, ty| match job.inputs.get(field) {
            Some(given) => input(field, given, ty),
            None => Err(format!("the input `{field}` was not given")),
        }),
    }
}

fn fill(record: &Record, value: impl Fn(&str, &Type) -> Result<Val, String>) -> Result<Val, String> {
    let field = |field: wasmtime::component::types::Field<'_>| {
        Ok((field.name.to_owned(), value(&field.name.replace('-', "_"), &field.ty)?))
    };
    record.fields().map(field).collect::<Result<_, String>>().map(Val::Record)
}

fn setting(value: &Value, ty: &Type) -> Result<Val, String> {
    Ok(match (ty, value) {
        (Type::Option(_), Value::Null) => Val::Option(None),
        (Type::Option(option), value) => Val::Option(Some(Box::new(setting(value, &option.ty())?))),
        (Type::List(list), Value::List(items)) => {
            Val::List(items.iter().map(|item| setting(item, &list.ty())).collect::<Result<_, _>>()?)
        }
        (Type::Bool, Value::Bool(is)) => Val::Bool(*is),
        (Type::S64, Value::Int(number) | Value::Duration(number)) => Val::S64(*number),
        (Type::U64, Value::Size(bytes)) => Val::U64(*bytes),
        (Type::Float64, Value::Float(number) | Value::Fraction(number)) => Val::Float64(*number),
        (Type::Float64, Value::Int(number)) => Val::Float64(*number as f64),
        (Type::String, value) => Val::String(text(value).ok_or("it is missing")?),
        (_, Value::Null) => return Err("it is missing".into()),
        (ty, value) => return Err(format!("{value:?} does not fit {ty:?}")),
    })
}

/// The canonical text of a scalar: what stands for a value of some column's type.
fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Bool(is) => is.to_string(),
        Value::Int(number) | Value::Duration(number) => number.to_string(),
        Value::Size(bytes) => bytes.to_string(),
        Value::Float(number) | Value::Fraction(number) => number.to_string(),
        Value::Date(text) | Value::Time(text) | Value::String(text) | Value::Column(text) => text.clone(),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Range { .. } => return None,
    })
}

fn input(name: &str, given: &Given, ty: &Type) -> Result<Val, String> {
    let Type::Record(record) = ty else { return Err(format!("the input `{name}` is not a record")) };
    fill(record, |field, _| match field {
        "path" => Ok(Val::String(files::guest_path(name, given))),
        "format" => Ok(Val::Enum("parquet".into())),
        "rows" => Ok(Val::Option(given.meta.rows.map(|rows| Box::new(Val::U64(rows))))),
        "schema" => {
            let columns: &[Column] = match &given.ty {
                LangType::Dataset(schema) => &schema.columns,
                _ => &[],
            };
            Ok(Val::List(columns.iter().map(column).collect()))
        }
        "flavor" => Ok(Val::String(given.meta.flavor.clone().unwrap_or_default())),
        "features" => Ok(Val::List(given.meta.features.iter().cloned().map(Val::String).collect())),
        other => Err(format!("the input `{name}` has an unknown field `{other}`")),
    })
}

fn column(column: &Column) -> Val {
    Val::Record(vec![
        ("name".into(), Val::String(column.name.clone())),
        ("ty".into(), Val::String(type_text(&column.ty))),
        ("nullable".into(), Val::Bool(column.nullable)),
    ])
}

/// A column's type as written in the language.
fn type_text(ty: &LangType) -> String {
    match ty {
        LangType::Bool => "bool".into(),
        LangType::Int => "int".into(),
        LangType::Float => "float".into(),
        LangType::Fraction => "fraction".into(),
        LangType::Date => "date".into(),
        LangType::Time => "time".into(),
        LangType::Enum(texts) => {
            texts.iter().map(|text| Json::from(text.as_str()).to_string()).collect::<Vec<_>>().join(" | ")
        }
        _ => "string".into(),
    }
}

/// What `run` gave: its outputs, or its own error.
pub fn results(job: &Attempt, result: Val) -> Result<BTreeMap<String, Produced>, StepError> {
    let odd = || StepError::Failed("`run` gave something else than result<outputs, error>".into());
    match result {
        Val::Result(Ok(Some(outputs))) => {
            let Val::Record(fields) = *outputs else { return Err(odd()) };
            let mut fields: BTreeMap<_, _> =
                fields.into_iter().map(|(name, val)| (name.replace('-', "_"), val)).collect();
            let take = |(name, ty): (&String, &LangType)| {
                let said =
                    fields.remove(name).ok_or_else(|| StepError::Failed(format!("it gave no output `{name}`")))?;
                Ok((name.clone(), produced(job, name, ty, said)?))
            };
            job.step.outputs.iter().map(take).collect()
        }
        Val::Result(Err(Some(error))) => Err(step_error(*error).unwrap_or_else(odd)),
        _ => Err(odd()),
    }
}

fn produced(job: &Attempt, name: &str, ty: &LangType, said: Val) -> Result<Produced, StepError> {
    let Val::Record(fields) = said else {
        return Err(StepError::Failed(format!("the output `{name}` is not a record")));
    };
    let mut path = None;
    let mut meta = ArtifactMeta { format: format_of(ty).into(), ..ArtifactMeta::default() };
    for (field, val) in fields {
        match (field.as_str(), val) {
            ("path", Val::String(text)) => path = Some(text),
            ("format", Val::Enum(format)) if format != meta.format => {
                return Err(StepError::Failed(format!(
                    "the output `{name}` is {format}; steps give tables as Parquet"
                )));
            }
            ("rows", Val::Option(Some(rows))) => meta.rows = if let Val::U64(rows) = *rows { Some(rows) } else { None },
            ("flavor", Val::String(flavor)) => meta.flavor = Some(flavor),
            ("features", Val::List(features)) => {
                meta.features =
                    features.into_iter().filter_map(|f| if let Val::String(f) = f { Some(f) } else { None }).collect();
            }
            _ => {}
        }
    }
    if let (LangType::Model(declared), Some(flavor)) = (ty, &meta.flavor)
        && declared != flavor
    {
        return Err(StepError::Failed(format!(
            "the output `{name}` is a {flavor}; the step's signature says {declared}"
        )));
    }
    let path = path.ok_or_else(|| StepError::Failed(format!("the output `{name}` has no path")))?;
    Ok(Produced { path: files::output(job, name, &path)?, meta })
}

fn format_of(ty: &LangType) -> &'static str {
    match ty {
        LangType::Model(_) => "model",
        LangType::Metrics(_) => "json",
        _ => "parquet",
    }
}

fn step_error(error: Val) -> Option<StepError> {
    let Val::Variant(case, Some(payload)) = error else { return None };
    Some(match (case.as_str(), *payload) {
        ("failed", Val::String(message)) => StepError::Failed(message),
        ("retry", Val::String(message)) => StepError::Transient(message),
        ("bad-input", Val::Record(fields)) => {
            let (mut param, mut column, mut message) = (None, None, String::new());
            for (field, val) in fields {
                match (field.as_str(), val) {
                    ("param", Val::Option(Some(text))) => param = as_text(*text),
                    ("column", Val::Option(Some(text))) => column = as_text(*text),
                    ("message", Val::String(text)) => message = text,
                    _ => {}
                }
            }
            StepError::BadInput { param, column, message }
        }
        _ => return None,
    })
}

fn as_text(val: Val) -> Option<String> {
    if let Val::String(text) = val { Some(text) } else { None }
}
