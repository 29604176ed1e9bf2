//! `tabular.split`.

/// Splits a table into rows to train with and rows to test with. Say how with exactly one of `test`, `train_rows` and
/// `before`.
#[mlp_sdk::step]
pub mod split {
    use mlp_sdk::prelude::*;

    /// How to split.
    #[derive(Clone, Debug)]
    pub struct Params {
        /// Share of rows for testing, rounded to the nearest whole row.
        #[param(min = 0.0, max = 1.0)]
        pub test: Option<Fraction>,
        /// Number of rows for training; the rest is for testing.
        #[param(min = 1)]
        pub train_rows: Option<i64>,
        /// Rows whose `by` is smaller are for training, the rest for testing.
        #[param(value_of = "by")]
        pub before: Option<ValueOf>,
        /// Orders the rows by this column before they are cut. Nothing is shuffled then.
        #[param(column_of = "rows")]
        pub by: Option<Column>,
        /// Draw the rows at random; `false` takes the last rows for testing.
        #[param(default = true)]
        pub shuffle: bool,
        /// The same seed draws the same rows, on every machine.
        #[param(default = 0)]
        pub seed: i64,
        /// Keeps the shares of this column's values the same in both parts.
        #[param(column_of = "rows")]
        pub stratify: Option<Column>,
    }

    /// What is split.
    pub struct Inputs {
        /// The table.
        pub rows: Dataset,
    }

    /// The two parts.
    pub struct Outputs {
        /// Rows to train with.
        #[output(same_as = "rows", part_of = "rows")]
        pub train: Dataset,
        /// Rows to test with.
        #[output(same_as = "rows", part_of = "rows")]
        pub test: Dataset,
    }

    /// Splits.
    pub fn run(params: Params, inputs: Inputs) -> Result<Outputs, Error> {
        let table = inputs.rows.read()?;
        let parts = super::parts(&params, &table)?;
        host::info(&format!("{} rows to train with, {} to test with", parts.train.len(), parts.test.len()));
        Ok(Outputs { train: table.take(&parts.train)?.into(), test: table.take(&parts.test)?.into() })
    }
}

pub use split::{Inputs, MLP_STEP_SIGNATURE, Outputs, Params, run};

use crate::order::{Key, Keys};
use crate::random::Random;
use mlp_sdk::{Cells, Error, Table};
use std::collections::HashMap;

/// Row numbers of the two parts, in the order in which they are written.
struct Parts {
    train: Vec<usize>,
    test: Vec<usize>,
}

fn parts(params: &Params, table: &Table) -> Result<Parts, Error> {
    check(params)?;
    let rows = table.rows();
    if rows < 2 {
        return Err(Error::input(format!("a table of {rows} row cannot be split: neither part may be empty")));
    }
    let keys = match &params.by {
        Some(by) => Some(Keys::of(by, table.cells(by)?)?),
        None => None,
    };
    let order = keys.as_ref().map_or_else(|| (0..rows).collect(), Keys::sorted_rows);
    let is_test = match (&params.before, &params.by, &keys) {
        (Some(before), Some(by), Some(keys)) => tested_from(before, by, table, keys)?,
        _ => {
            let count = test_count(params, rows)?;
            let mut strata = match &params.stratify {
                Some(column) => strata(column, table, &order)?,
                None => vec![order.clone()],
            };
            if params.shuffle && params.by.is_none() {
                let mut random = Random::new(params.seed);
                strata.iter_mut().for_each(|stratum| random.shuffle(stratum));
            }
            tested_last(&strata, count, rows)
        }
    };
    let (test, train): (Vec<usize>, Vec<usize>) = order.into_iter().partition(|&row| is_test[row]);
    let parts = Parts { train, test };
    parts.not_empty(params)
}

impl Parts {
    /// A part without rows is never what was meant: say so here, not three steps later.
    fn not_empty(self, params: &Params) -> Result<Parts, Error> {
        let empty = match (self.train.is_empty(), self.test.is_empty()) {
            (true, _) => "training",
            (_, true) => "testing",
            _ => return Ok(self),
        };
        let setting = match params {
            Params { test: Some(_), .. } => "test",
            Params { train_rows: Some(_), .. } => "train_rows",
            _ => "before",
        };
        let rows = self.train.len() + self.test.len();
        Err(Error::param(setting, format!("leaves no row of {rows} for {empty}")))
    }
}

/// What the types of the settings cannot say.
fn check(params: &Params) -> Result<(), Error> {
    let given: Vec<&str> = [
        ("test", params.test.is_some()),
        ("train_rows", params.train_rows.is_some()),
        ("before", params.before.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_given)| is_given.then_some(name))
    .collect();
    match given[..] {
        [] => return Err(Error::param("test", "say where to cut: one of `test`, `train_rows` and `before`")),
        [_] => {}
        [.., last] => {
            let message = format!("only one of {} may be given", given.join(", "));
            return Err(Error::param(last, message));
        }
    }
    if params.before.is_some() && params.by.is_none() {
        return Err(Error::param("by", "`before` cuts by a column's value: name the column, `by: signup`"));
    }
    if params.before.is_some() && params.stratify.is_some() {
        return Err(Error::param("stratify", "`before` already decides for every row; drop one of the two"));
    }
    Ok(())
}

fn test_count(params: &Params, rows: usize) -> Result<usize, Error> {
    if let Some(train) = params.train_rows {
        return match usize::try_from(train) {
            Ok(train) if (1..rows).contains(&train) => Ok(rows - train),
            _ => Err(Error::param("train_rows", format!("{train} of {rows} rows leaves an empty part"))),
        };
    }
    let share = params.test.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&share) {
        return Err(Error::param("test", format!("{share} is no fraction from 0% to 100%")));
    }
    Ok((share * rows as f64).round() as usize)
}

/// By row: whether the cell of `by` is `before` or greater.
fn tested_from(before: &str, by: &str, table: &Table, keys: &Keys) -> Result<Vec<bool>, Error> {
    let Some(key) = Key::parse(before, &table.cells(by)?) else {
        let message =
            format!("`{before}` is no value of a column of type {}", mlp_sdk::table::type_text(table.field(by)?));
        return Err(Error::BadInput { param: Some("before".into()), column: Some(by.into()), message });
    };
    Ok((0..table.rows()).map(|row| !keys.is_before(row, &key)).collect())
}

/// By row: whether it is one of the last of its stratum. Each stratum gives its share of `count`, rounded so that the
/// shares add up (largest remainder, ties to the stratum that comes first).
fn tested_last(strata: &[Vec<usize>], count: usize, rows: usize) -> Vec<bool> {
    let exact = |stratum: &Vec<usize>| stratum.len() as u128 * count as u128;
    let mut shares: Vec<usize> = strata.iter().map(|s| (exact(s) / rows as u128) as usize).collect();
    let mut by_remainder: Vec<usize> = (0..strata.len()).collect();
    by_remainder.sort_by_key(|&s| std::cmp::Reverse(exact(&strata[s]) % rows as u128));
    let left = count - shares.iter().sum::<usize>();
    by_remainder.iter().take(left).for_each(|&s| shares[s] += 1);
    let mut is_test = vec![false; rows];
    for (stratum, share) in strata.iter().zip(shares) {
        stratum[stratum.len() - share..].iter().for_each(|&row| is_test[row] = true);
    }
    is_test
}

/// The rows of each value, in the order in which the values first appear. Missing is a value of its own.
fn strata(column: &str, table: &Table, order: &[usize]) -> Result<Vec<Vec<usize>>, Error> {
    let cells = table.cells(column)?;
    if matches!(cells, Cells::Float(_)) {
        let message = "a column of floats has no groups to keep the shares of: use a bool, an int, an enum or a text";
        return Err(Error::column(column, message).of_param("stratify"));
    }
    let texts = cells.texts();
    let mut known: HashMap<Option<&str>, usize> = HashMap::new();
    let mut strata: Vec<Vec<usize>> = vec![];
    for &row in order {
        let stratum = *known.entry(texts[row].as_deref()).or_insert(strata.len());
        if stratum == strata.len() {
            strata.push(vec![]);
        }
        strata[stratum].push(row);
    }
    Ok(strata)
}
