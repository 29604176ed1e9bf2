//! From columns to a matrix of numbers.
//!
//! A bool is 0 or 1, an int or a float itself, an enum or a text one column per level (1 where the cell is that level).
//! A text that is no level is 0 in all of them.

use mlp_sdk::{Cells, Dataset, Error, Table};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A text column with more different values than this is an identifier, not a feature.
pub const MOST_LEVELS: usize = 1_000;

/// One column that a model reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// The column.
    pub name: String,
    /// How it is read.
    #[serde(flatten)]
    pub kind: Kind,
}

/// How a column is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A bool, as 0 or 1.
    Bool,
    /// An int or a float.
    Number,
    /// An enum or a text, one column per level.
    Category {
        /// The enum's texts in the order declared, or the texts seen in training, sorted.
        levels: Vec<String>,
    },
}

/// What a missing cell becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// An error that names the column.
    Rejected,
    /// NaN: the model knows what to do with it.
    Kept,
}

/// How a table becomes a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    /// What happens to missing cells.
    pub missing: Missing,
    /// The columns, in order.
    pub features: Vec<Feature>,
}

/// Numbers in columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Rows.
    pub rows: usize,
    /// `rows` numbers each.
    pub columns: Vec<Vec<f64>>,
}

impl Encoding {
    /// Learned from a table.
    pub fn learn(table: &Table, names: &[String], missing: Missing) -> Result<Encoding, Error> {
        let mut features: Vec<Feature> = vec![];
        for name in names {
            if features.iter().any(|f| f.name == *name) {
                return Err(Error::param("features", format!("column `{name}` is named twice")));
            }
            let kind = Kind::learn(name, table.cells(name)?)?;
            features.push(Feature { name: name.clone(), kind });
        }
        match features.is_empty() {
            true => Err(Error::param("features", "there is no column to learn from: name at least one")),
            false => Ok(Encoding { missing, features }),
        }
    }

    /// The columns it reads, in order.
    pub fn names(&self) -> Vec<String> {
        self.features.iter().map(|f| f.name.clone()).collect()
    }

    /// How many columns the matrix has.
    pub fn width(&self) -> usize {
        self.features.iter().map(|f| f.kind.width()).sum()
    }

    /// A word per column of the matrix, for messages: `charges`, `plan is "free"`.
    pub fn column_names(&self) -> Vec<String> {
        let each = |feature: &Feature| match &feature.kind {
            Kind::Category { levels } => levels.iter().map(|l| format!("{} is {l:?}", feature.name)).collect(),
            Kind::Bool | Kind::Number => vec![feature.name.clone()],
        };
        self.features.iter().flat_map(each).collect()
    }

    /// A table as numbers.
    pub fn encode(&self, table: &Table) -> Result<Matrix, Error> {
        let mut columns = vec![];
        for feature in &self.features {
            let cells = table.cells(&feature.name)?;
            self.missing.check(&feature.name, &cells)?;
            feature.encode(cells, &mut columns)?;
        }
        Ok(Matrix { rows: table.rows(), columns })
    }
}

impl Missing {
    /// An error if these cells cannot be taken as they are. NaN is missing too.
    pub fn check(self, name: &str, cells: &Cells) -> Result<(), Error> {
        let nan = match cells {
            Cells::Float(cells) => cells.iter().flatten().filter(|number| number.is_nan()).count(),
            _ => 0,
        };
        let missing = cells.missing() + nan;
        if missing == 0 || self == Missing::Kept {
            return Ok(());
        }
        let message = format!(
            "{} missing, and this model cannot learn from or predict for missing values: declare what they stand for \
             in a SQL step, `coalesce({name}, 0)`, leave the column out of `features`, or use gradient_boosting, which \
             can",
            count(missing, cells.len()),
        );
        Err(Error::column(name, message))
    }
}

impl Kind {
    fn learn(name: &str, cells: Cells) -> Result<Kind, Error> {
        Ok(match cells {
            Cells::Bool(_) => Kind::Bool,
            Cells::Int(_) | Cells::Float(_) => Kind::Number,
            Cells::Text { levels: Some(levels), .. } => Kind::Category { levels },
            Cells::Text { cells, levels: None } => {
                let seen: BTreeSet<String> = cells.into_iter().flatten().collect();
                if seen.len() > MOST_LEVELS {
                    let message = format!(
                        "{} different texts are too many to learn from ({MOST_LEVELS} at most): leave the column out \
                         of `features`",
                        seen.len()
                    );
                    return Err(Error::column(name, message));
                }
                Kind::Category { levels: seen.into_iter().collect() }
            }
            Cells::Date(_) | Cells::Time(_) => {
                let message = "a date or time cannot be learned from as it is: compute a number from it in a SQL step, \
                               or leave the column out of `features`";
                return Err(Error::column(name, message));
            }
        })
    }

    /// How many columns of the matrix it becomes.
    pub fn width(&self) -> usize {
        match self {
            Kind::Bool | Kind::Number => 1,
            Kind::Category { levels } => levels.len(),
        }
    }
}

impl Feature {
    fn encode(&self, cells: Cells, columns: &mut Vec<Vec<f64>>) -> Result<(), Error> {
        match &self.kind {
            Kind::Bool | Kind::Number => {
                let numbers = cells.numbers().ok_or_else(|| {
                    Error::column(&self.name, "the model was trained on numbers here, and these are none")
                })?;
                if let Some(row) = numbers.iter().position(|n| n.is_some_and(f64::is_infinite)) {
                    return Err(Error::column(&self.name, format!("row {} is infinite", row + 1)));
                }
                columns.push(numbers.into_iter().map(|n| n.unwrap_or(f64::NAN)).collect());
            }
            Kind::Category { levels } => {
                let texts = cells.texts();
                let places: Vec<Option<usize>> = texts
                    .iter()
                    .map(|text| text.as_ref().and_then(|text| levels.iter().position(|level| level == text)))
                    .collect();
                for level in 0..levels.len() {
                    let cell = |row: usize| match (&texts[row], places[row]) {
                        (None, _) => f64::NAN,
                        (Some(_), place) => f64::from(place == Some(level)),
                    };
                    columns.push((0..texts.len()).map(cell).collect());
                }
            }
        }
        Ok(())
    }
}

impl Matrix {
    /// Each column to mean 0 and standard deviation 1 (over all rows, not one less), a constant column to 0; gives the
    /// means and standard deviations. For columns without NaN.
    pub fn standardize(&mut self) -> (Vec<f64>, Vec<f64>) {
        let rows = self.rows as f64;
        self.columns
            .iter_mut()
            .map(|column| {
                let mean = column.iter().sum::<f64>() / rows;
                let deviation = (column.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / rows).sqrt();
                // Rounding leaves a trace of variance in a constant column; dividing by it would blow it up.
                let is_constant = deviation <= 10.0 * f64::EPSILON * mean.abs().max(f64::MIN_POSITIVE);
                if is_constant {
                    column.fill(0.0);
                    return (mean, 1.0);
                }
                column.iter_mut().for_each(|x| *x = (*x - mean) / deviation);
                (mean, deviation)
            })
            .unzip()
    }

    /// The same numbers, column after column.
    pub fn into_column_major(self) -> Vec<f64> {
        self.columns.into_iter().flatten().collect()
    }
}

/// The columns that training reads, and no others.
pub fn training_table(train: &Dataset, features: &[String], label: &str) -> Result<Table, Error> {
    if features.iter().any(|feature| feature == label) {
        return Err(Error::param("features", format!("`{label}` is the label: it cannot be learned from")));
    }
    let names: Vec<&str> = features.iter().map(String::as_str).chain([label]).collect();
    train.read_columns(&names)
}

/// `3 of 400 cells are`
pub fn count(cells: usize, of: usize) -> String {
    let are = if cells == 1 { "is" } else { "are" };
    format!("{cells} of {of} cells {are}")
}
