//! Metrics by group: the rows that share a value of a column.

use mlp_sdk::{Cells, Error, Group, Table};
use std::collections::BTreeMap;

/// A column with more different values than this does not make groups.
const MOST_GROUPS: usize = 1_000;

/// For each column, and each of its values, the metrics of the rows with that value.
pub fn metrics(
    table: &Table,
    by: &[String],
    judge: impl Fn(&[usize]) -> Vec<(String, Option<f64>)>,
) -> Result<Vec<Group>, Error> {
    let mut groups = vec![];
    for (index, column) in by.iter().enumerate() {
        if by[..index].contains(column) {
            return Err(Error::param("by", format!("column `{column}` is named twice")));
        }
        for (value, rows) in rows_by_value(table, column)? {
            let metrics = judge(&rows);
            groups.push(Group { by: column.clone(), value, rows: rows.len() as u64, metrics });
        }
    }
    Ok(groups)
}

/// The rows of each value: an enum in the order declared, bools and ints by value, texts sorted; missing last.
fn rows_by_value(table: &Table, column: &str) -> Result<Vec<(Option<String>, Vec<usize>)>, Error> {
    let cells = table.cells(column)?;
    let order: Box<dyn Fn(usize, &str) -> i64> = match &cells {
        Cells::Float(_) => {
            let message = "a column of floats makes no groups: cut it into ranges in a SQL step";
            return Err(Error::column(column, message).of_param("by"));
        }
        Cells::Bool(_) | Cells::Text { levels: None, .. } => Box::new(|_, _| 0),
        Cells::Int(numbers) | Cells::Date(numbers) | Cells::Time(numbers) => {
            let numbers = numbers.clone();
            Box::new(move |row, _| numbers[row].unwrap_or(i64::MAX))
        }
        Cells::Text { levels: Some(levels), .. } => {
            let levels = levels.clone();
            Box::new(move |_, text| levels.iter().position(|level| level == text).unwrap_or(levels.len()) as i64)
        }
    };
    let mut groups: BTreeMap<(bool, i64, Option<String>), Vec<usize>> = BTreeMap::new();
    for (row, text) in cells.texts().into_iter().enumerate() {
        let place = text.as_deref().map_or(i64::MAX, |text| order(row, text));
        groups.entry((text.is_none(), place, text)).or_default().push(row);
        if groups.len() > MOST_GROUPS {
            let message = format!("it has more than {MOST_GROUPS} different values: too many to be groups");
            return Err(Error::column(column, message).of_param("by"));
        }
    }
    Ok(groups.into_iter().map(|((_, _, value), rows)| (value, rows)).collect())
}
