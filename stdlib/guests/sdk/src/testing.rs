//! Tables in memory, for the tests of steps. A step's `run` is a plain function off `wasm`: give it these tables.

use crate::table::{TYPE_KEY, Table};
use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};
use arrow_schema::{DataType, Field};
use std::collections::HashMap;
use std::sync::Arc;

/// A column: its field and its cells.
pub type TestColumn = (Field, ArrayRef);

/// A table of these columns.
///
/// # Panics
/// When the columns are not equally long.
pub fn table(columns: Vec<TestColumn>) -> Table {
    Table::new(columns).expect("columns of one length")
}

/// A column of bools.
pub fn bools<T: Into<Option<bool>>>(name: &str, cells: impl IntoIterator<Item = T>) -> TestColumn {
    column(name, DataType::Boolean, BooleanArray::from_iter(cells.into_iter().map(Into::into)))
}

/// A column of ints.
pub fn ints<T: Into<Option<i64>>>(name: &str, cells: impl IntoIterator<Item = T>) -> TestColumn {
    column(name, DataType::Int64, Int64Array::from_iter(cells.into_iter().map(Into::into)))
}

/// A column of floats.
pub fn floats<T: Into<Option<f64>>>(name: &str, cells: impl IntoIterator<Item = T>) -> TestColumn {
    column(name, DataType::Float64, Float64Array::from_iter(cells.into_iter().map(Into::into)))
}

/// A column of dates, in days since 1970-01-01.
pub fn dates<T: Into<Option<i32>>>(name: &str, cells: impl IntoIterator<Item = T>) -> TestColumn {
    column(name, DataType::Date32, Date32Array::from_iter(cells.into_iter().map(Into::into)))
}

/// A column of texts.
pub fn texts<'a, T: Into<Option<&'a str>>>(name: &str, cells: impl IntoIterator<Item = T>) -> TestColumn {
    let cells: Vec<Option<&str>> = cells.into_iter().map(Into::into).collect();
    column(name, DataType::Utf8, StringArray::from(cells))
}

/// A column of an enum with these levels.
pub fn levels<'a, T: Into<Option<&'a str>>>(
    name: &str,
    levels: &[&str],
    cells: impl IntoIterator<Item = T>,
) -> TestColumn {
    let (field, cells) = texts(name, cells);
    (with_levels(field, levels), cells)
}

/// A table from CSV text with a header and without quoted commas or line breaks. A column is of ints or floats if all
/// its cells are, or else of texts; `enums` gives some of these their levels.
///
/// # Panics
/// When a row is too short.
pub fn csv(text: &str, enums: &[(&str, &[&str])]) -> Table {
    let mut lines = text.lines().map(|line| line.split(',').map(|cell| cell.trim_matches('"')).collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let rows: Vec<Vec<&str>> = lines.collect();
    let column = |(index, name): (usize, &&str)| {
        let cells: Vec<&str> = rows.iter().map(|row| row[index]).collect();
        if let Some((_, known)) = enums.iter().find(|(column, _)| column == name) {
            return levels(name, known, cells);
        }
        let whole: Result<Vec<i64>, _> = cells.iter().map(|cell| cell.parse()).collect();
        let numbers: Result<Vec<f64>, _> = cells.iter().map(|cell| cell.parse()).collect();
        match (whole, numbers) {
            (Ok(whole), _) => ints(name, whole),
            (_, Ok(numbers)) => floats(name, numbers),
            _ => texts(name, cells),
        }
    };
    table(header.iter().enumerate().map(column).collect())
}

fn with_levels(field: Field, levels: &[&str]) -> Field {
    let text: Vec<String> = levels.iter().map(|level| format!("{level:?}")).collect();
    field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), text.join(" | "))]))
}

fn column(name: &str, ty: DataType, cells: impl arrow_array::Array + 'static) -> TestColumn {
    (Field::new(name, ty, true), Arc::new(cells))
}
