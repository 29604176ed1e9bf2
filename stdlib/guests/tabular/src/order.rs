//! The order of a column's cells, and where a value given as text falls in it.

use mlp_sdk::{Cells, Error, time};
use std::cmp::Ordering;

/// A column's cells as keys that sort: whole numbers as they are, floats by IEEE 754 total order (which is numeric
/// order for the finite numbers that the language has), enums by the order declared, other text by Unicode code points.
pub enum Keys {
    Whole(Vec<i64>),
    Float(Vec<f64>),
    Text(Vec<String>),
}

/// One value to compare with.
pub enum Key {
    Whole(i64),
    Float(f64),
    Text(String),
}

impl Keys {
    /// Of a column without missing cells.
    pub fn of(column: &str, cells: Cells) -> Result<Keys, Error> {
        let missing = cells.missing();
        if missing > 0 {
            let cells = if missing == 1 { "cell is" } else { "cells are" };
            return Err(Error::column(column, format!("cannot order rows by it: {missing} {cells} missing")));
        }
        Ok(match cells {
            Cells::Bool(cells) => Keys::Whole(cells.into_iter().flatten().map(i64::from).collect()),
            Cells::Int(cells) | Cells::Date(cells) | Cells::Time(cells) => {
                Keys::Whole(cells.into_iter().flatten().collect())
            }
            Cells::Float(cells) => Keys::Float(cells.into_iter().flatten().map(|f| f + 0.0).collect()),
            Cells::Text { cells, levels: Some(levels) } => {
                let cells = cells.iter().flatten();
                Keys::Whole(cells.map(|cell| place(&levels, cell)).collect())
            }
            Cells::Text { cells, levels: None } => Keys::Text(cells.into_iter().flatten().collect()),
        })
    }

    /// All rows, smallest key first; rows with the same key stay in file order.
    pub fn sorted_rows(&self) -> Vec<usize> {
        fn sort<T>(keys: &[T], compare: impl Fn(&T, &T) -> Ordering) -> Vec<usize> {
            let mut rows: Vec<usize> = (0..keys.len()).collect();
            rows.sort_by(|&a, &b| compare(&keys[a], &keys[b]));
            rows
        }
        match self {
            Keys::Whole(keys) => sort(keys, Ord::cmp),
            Keys::Float(keys) => sort(keys, f64::total_cmp),
            Keys::Text(keys) => sort(keys, Ord::cmp),
        }
    }

    /// Whether the row's key is smaller. Keys and key come from the same column.
    pub fn is_before(&self, row: usize, key: &Key) -> bool {
        match (self, key) {
            (Keys::Whole(keys), Key::Whole(key)) => keys[row] < *key,
            (Keys::Float(keys), Key::Float(key)) => keys[row] < *key,
            (Keys::Text(keys), Key::Text(key)) => keys[row] < *key,
            _ => false,
        }
    }
}

impl Key {
    /// A value of the column's type, from its canonical text.
    pub fn parse(text: &str, cells: &Cells) -> Option<Key> {
        match cells {
            Cells::Bool(_) => text.parse::<bool>().ok().map(|b| Key::Whole(b.into())),
            Cells::Int(_) => text.parse().ok().map(Key::Whole),
            Cells::Float(_) => text.parse().ok().filter(|f: &f64| f.is_finite()).map(Key::Float),
            Cells::Date(_) => time::parse_date(text).map(Key::Whole),
            Cells::Time(_) => time::parse_time(text).map(Key::Whole),
            Cells::Text { levels: Some(levels), .. } => {
                levels.iter().position(|level| level == text).map(|at| Key::Whole(at as i64))
            }
            Cells::Text { levels: None, .. } => Some(Key::Text(text.into())),
        }
    }
}

/// A text that is no level stands after all of them.
fn place(levels: &[String], text: &str) -> i64 {
    levels.iter().position(|level| level == text).unwrap_or(levels.len()) as i64
}
