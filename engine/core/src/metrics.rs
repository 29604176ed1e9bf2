//! The numbers that steps give, as `spec/wit/step.wit` writes them.
//!
//! ```json
//! { "metrics": { "auc": 0.98 }, "groups": [ { "by": "plan", "value": "free", "rows": 120, "metrics": { } } ] }
//! ```
//!
//! Numbers that are given for all rows alone may stand there by themselves: `{ "auc": 0.98 }`.

use mlp_lang::pipeline::{OverGroups, Reduce};
use mlp_lang::types::{MetricField, Type};
use mlp_lang::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A parsed metrics file. `None` is a number that does not exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// By name.
    pub metrics: BTreeMap<String, Option<f64>>,
    /// The same numbers for parts of the rows.
    #[serde(default)]
    pub groups: Vec<Group>,
}

/// One part of the rows: those with this value in this column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The column.
    pub by: String,
    /// The value, as text.
    pub value: String,
    /// How many rows.
    pub rows: u64,
    /// By name.
    pub metrics: BTreeMap<String, Option<f64>>,
}

/// A group that was left out of a reduction, and its rows.
pub(crate) type LeftOut = (String, u64);

impl Metrics {
    /// From a metrics file; the message says what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Metrics, String> {
        let bare = || serde_json::from_slice(bytes).ok().map(|metrics| Metrics { metrics, groups: Vec::new() });
        let metrics: Metrics = match serde_json::from_slice(bytes) {
            Ok(metrics) => metrics,
            Err(error) => bare().ok_or_else(|| error.to_string())?,
        };
        let all = metrics.groups.iter().map(|group| &group.metrics).chain([&metrics.metrics]);
        for (name, value) in all.flatten() {
            if value.is_some_and(|number| !number.is_finite()) {
                return Err(format!("`{name}` is not a finite number"));
            }
        }
        Ok(metrics)
    }

    /// Whether every declared number is there (`null` counts) and whole numbers are whole.
    pub fn fits(&self, declared: &[MetricField]) -> Result<(), String> {
        for field in declared {
            match self.metrics.get(&field.name) {
                None => return Err(format!("`{}` is declared but not given", field.name)),
                Some(Some(number)) if field.ty == Type::Int && number.fract() != 0.0 => {
                    return Err(format!("`{}` is declared int but is {number}", field.name));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// One number, of its declared type.
    pub fn value(&self, name: &str, ty: &Type) -> Option<Value> {
        self.metrics.get(name).copied().flatten().map(|number| typed(number, ty))
    }

    /// One number reduced over the groups of a column. A group that is large enough but has no such number makes the
    /// whole missing: leaving it out could hide the very group that a gate asks about.
    pub(crate) fn over(&self, name: &str, ty: &Type, over: &OverGroups) -> (Option<Value>, Vec<LeftOut>) {
        let groups = self.groups.iter().filter(|group| group.by == over.by);
        let (kept, small): (Vec<&Group>, Vec<&Group>) = groups.partition(|group| group.rows >= over.min_support);
        let left_out = small.into_iter().map(|group| (group.value.clone(), group.rows)).collect();
        let numbers: Option<Vec<f64>> = kept.iter().map(|group| group.metrics.get(name).copied().flatten()).collect();
        let reduced = numbers.and_then(|numbers| reduce(over.reduce, &numbers));
        (reduced.map(|number| typed(number, ty)), left_out)
    }
}

/// One number of many; `None` of none.
fn reduce(how: Reduce, numbers: &[f64]) -> Option<f64> {
    let lowest = || numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = || numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (!numbers.is_empty()).then(|| match how {
        Reduce::Disparity => highest() - lowest(),
        Reduce::Lowest => lowest(),
        Reduce::Highest => highest(),
        Reduce::Mean => numbers.iter().sum::<f64>() / numbers.len() as f64,
    })
}

/// What the members of a step for each of several values gave, in the order of the values.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Each {
    /// The values, as they are written.
    pub values: Vec<String>,
    /// The metrics file of each.
    pub metrics: Vec<Metrics>,
}

impl Each {
    /// One number over all values. One that is missing for any of them makes the whole missing.
    pub fn across(&self, name: &str, ty: &Type, how: Reduce) -> Option<Value> {
        let numbers: Option<Vec<f64>> =
            self.metrics.iter().map(|metrics| metrics.metrics.get(name).copied().flatten()).collect();
        let ty = if how == Reduce::Mean && *ty == Type::Int { &Type::Float } else { ty };
        reduce(how, &numbers?).map(|number| typed(number, ty))
    }
}

fn typed(number: f64, ty: &Type) -> Value {
    match ty {
        // Checked to be whole when it was published; 2^53 bounds what JSON numbers keep exact anyway.
        Type::Int => Value::Int(number as i64),
        Type::Fraction => Value::Fraction(number),
        _ => Value::Float(number),
    }
}
