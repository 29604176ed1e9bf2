//! Labels: what is learned.

use crate::encoding::count;
use mlp_sdk::{Cells, Error, Table};
use std::collections::BTreeSet;

/// The classes of a label, in order: `false` before `true`, ints by value, an enum as declared, other texts sorted. Of
/// two classes the second is the positive one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes(pub Vec<String>);

/// More classes than this are a number to predict, not a class.
const MOST_CLASSES: usize = 100;

impl Classes {
    /// The classes in a label column, and each row's place among them.
    pub fn learn(table: &Table, label: &str) -> Result<(Classes, Vec<usize>), Error> {
        let cells = present(table, label)?;
        let texts = cells.texts();
        let seen: BTreeSet<&String> = texts.iter().flatten().collect();
        let mut classes: Vec<String> = match &cells {
            Cells::Bool(_) => ["false", "true"].map(String::from).into(),
            Cells::Int(numbers) => {
                let numbers: BTreeSet<i64> = numbers.iter().flatten().copied().collect();
                numbers.into_iter().map(|n| n.to_string()).collect()
            }
            Cells::Text { levels: Some(levels), .. } => levels.clone(),
            Cells::Text { levels: None, .. } => seen.iter().map(|s| (*s).clone()).collect(),
            Cells::Float(_) | Cells::Date(_) | Cells::Time(_) => {
                let message = "a label to classify is a bool, an int, an enum or a text; to predict a number use \
                               std/regress";
                return Err(Error::column(label, message).of_param("label"));
            }
        };
        classes.retain(|class| seen.contains(class));
        if classes.len() < 2 {
            let message =
                format!("all {} rows are `{}`: there is nothing to tell apart", table.rows(), classes.concat());
            return Err(Error::column(label, message).of_param("label"));
        }
        if classes.len() > MOST_CLASSES {
            let message = format!("{} different classes are too many ({MOST_CLASSES} at most)", classes.len());
            return Err(Error::column(label, message).of_param("label"));
        }
        let classes = Classes(classes);
        let places = classes.places(&texts, label)?;
        Ok((classes, places))
    }

    /// Each row's place among these classes.
    pub fn read(&self, table: &Table, label: &str) -> Result<Vec<usize>, Error> {
        self.places(&present(table, label)?.texts(), label)
    }

    fn places(&self, texts: &[Option<String>], label: &str) -> Result<Vec<usize>, Error> {
        let place = |(row, text): (usize, &Option<String>)| {
            let text = text.as_deref().unwrap_or_default();
            self.0.iter().position(|class| class == text).ok_or_else(|| {
                let known = self.0.join(", ");
                let message = format!("row {} is `{text}`, and the model knows only {known}", row + 1);
                Error::column(label, message).of_param("label")
            })
        };
        texts.iter().enumerate().map(place).collect()
    }
}

/// A numeric label column.
pub fn numbers(table: &Table, label: &str) -> Result<Vec<f64>, Error> {
    let numbers = present(table, label)?.numbers().ok_or_else(|| {
        Error::column(label, "a label to predict as a number is an int or a float; to classify use std/classify")
            .of_param("label")
    })?;
    let numbers: Vec<f64> = numbers.into_iter().flatten().collect();
    match numbers.iter().position(|n| !n.is_finite()) {
        Some(row) => Err(Error::column(label, format!("row {} is not finite", row + 1)).of_param("label")),
        None => Ok(numbers),
    }
}

fn present(table: &Table, label: &str) -> Result<Cells, Error> {
    if table.rows() == 0 {
        return Err(Error::input("the table has no rows"));
    }
    let cells = table.cells(label)?;
    match cells.missing() {
        0 => Ok(cells),
        missing => {
            let message = format!(
                "{} missing: a row without a label can be neither learned from nor judged",
                count(missing, table.rows())
            );
            Err(Error::column(label, message).of_param("label"))
        }
    }
}
