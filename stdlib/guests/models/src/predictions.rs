//! The table of predictions that an evaluation gives: one row for each that was judged, in their order.

use mlp_sdk::arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray};
use mlp_sdk::arrow_schema::{DataType, Field};
use mlp_sdk::table::TYPE_KEY;
use mlp_sdk::{Error, Table};
use std::collections::HashMap;
use std::sync::Arc;

/// Of a regressor: `row`, `label`, `prediction`.
pub fn of_numbers(labels: &[f64], predictions: &[f64]) -> Result<Table, Error> {
    let floats = |cells: &[f64]| Arc::new(Float64Array::from(cells.to_vec()));
    Table::new(vec![
        positions(labels.len()),
        column("label", DataType::Float64, floats(labels)),
        column("prediction", DataType::Float64, floats(predictions)),
    ])
}

/// Of a classifier: `row`, `label`, `prediction`, `probability`.
pub fn of_classes(labels: Vec<&str>, predictions: Vec<&str>, probabilities: Vec<f64>) -> Result<Table, Error> {
    let (field, cells) = column("probability", DataType::Float64, Arc::new(Float64Array::from(probabilities)));
    let fraction = HashMap::from([(TYPE_KEY.to_owned(), "fraction".to_owned())]);
    Table::new(vec![
        positions(labels.len()),
        column("label", DataType::Utf8, Arc::new(StringArray::from(labels))),
        column("prediction", DataType::Utf8, Arc::new(StringArray::from(predictions))),
        (field.with_metadata(fraction), cells),
    ])
}

fn positions(rows: usize) -> (Field, ArrayRef) {
    column("row", DataType::Int64, Arc::new(Int64Array::from_iter_values(0..rows as i64)))
}

fn column(name: &str, ty: DataType, cells: ArrayRef) -> (Field, ArrayRef) {
    (Field::new(name, ty, false), cells)
}
