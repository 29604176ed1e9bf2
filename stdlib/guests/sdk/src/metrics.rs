//! Named numbers.

use crate::error::Error;
use crate::wit::types;
use serde_json::{Map, Value as Json};

/// Named numbers, over all rows and by group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Over all rows, in order. `None`: the number does not exist (AUC with one class).
    pub all: Vec<(String, Option<f64>)>,
    /// By group.
    pub groups: Vec<Group>,
}

/// The rows that share one value of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The column.
    pub by: String,
    /// The value, as text; `None` for rows where it is missing.
    pub value: Option<String>,
    /// How many rows.
    pub rows: u64,
    /// The numbers over these rows.
    pub metrics: Vec<(String, Option<f64>)>,
}

impl Metrics {
    /// The number of this name over all rows.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.all.iter().find(|(n, _)| n == name).and_then(|(_, value)| *value)
    }

    /// The document of the contract: `{ "metrics": { ... }, "groups": [ ... ] }`. In it the empty text stands for the
    /// group of rows whose value is missing.
    pub fn to_json(&self) -> String {
        let groups: Vec<Json> = self
            .groups
            .iter()
            .map(|g| {
                serde_json::json!({ "by": g.by, "value": g.value.as_deref().unwrap_or(""), "rows": g.rows, "metrics": object(&g.metrics) })
            })
            .collect();
        let document = serde_json::json!({ "metrics": object(&self.all), "groups": groups });
        format!("{document:#}\n")
    }

    #[doc(hidden)]
    pub fn store(self, name: &str) -> Result<types::Metrics, Error> {
        let path = crate::dataset::out_path(name);
        std::fs::write(&path, self.to_json())
            .map_err(|error| Error::failed(format!("cannot write {path}: {error}")))?;
        Ok(types::Metrics { path })
    }
}

fn object(metrics: &[(String, Option<f64>)]) -> Json {
    let pairs = metrics.iter().map(|(name, value)| (name.clone(), value.map_or(Json::Null, number)));
    Json::Object(pairs.collect::<Map<_, _>>())
}

/// Whole numbers are written without a fraction: a count reads as a count. What is not finite does not exist.
fn number(value: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT {
        return (value as i64).into();
    }
    serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number)
}
