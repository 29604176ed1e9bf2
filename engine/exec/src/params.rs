//! The settings of a step as JSON: `params.json`.

use indexmap::IndexMap;
use mlp_lang::value::Value;
use serde_json::{Value as Json, json};

/// An object of all settings. Durations are nanoseconds, sizes bytes, fractions numbers.
pub fn json(params: &IndexMap<String, Value>) -> Json {
    Json::Object(params.iter().map(|(name, value)| (name.clone(), plain_json(value))).collect())
}

fn plain_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(is) => json!(is),
        Value::Int(number) | Value::Duration(number) => json!(number),
        Value::Size(bytes) => json!(bytes),
        Value::Float(number) | Value::Fraction(number) => json!(number),
        Value::Date(text) | Value::Time(text) | Value::String(text) | Value::Column(text) => json!(text),
        Value::List(items) => items.iter().map(plain_json).collect(),
        Value::Map(entries) => json(entries),
        Value::Range { low, high, inclusive } => {
            json!({ "low": plain_json(low), "high": plain_json(high), "inclusive": inclusive })
        }
    }
}
