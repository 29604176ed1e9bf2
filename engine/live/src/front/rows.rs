//! The rows of a request, column by column, and what is wrong with them.

use super::shape::{Kept, Scalar, Shape};
use mlp_core::predictor::Cells;
use serde::Serialize;
use std::sync::Arc;

/// Most rows in a request, and most cells: what a request may cost in memory whatever it looks like.
pub(super) const MOST_ROWS: usize = 1_000_000;
pub(super) const MOST_CELLS: usize = 4_194_304;
/// Most problems that are shown.
const SHOWN: usize = 20;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Problem {
    /// From 0, as in the request's list.
    pub row: usize,
    pub field: String,
    pub reason: String,
}

/// All that is wrong: the first few, and how many.
#[derive(Debug, Default)]
pub(super) struct Problems {
    pub shown: Vec<Problem>,
    pub count: usize,
}

impl Problems {
    /// `reason` is only asked for when it will be shown.
    fn add(&mut self, row: usize, field: &str, reason: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < SHOWN {
            let field = field.chars().take(100).collect();
            self.shown.push(Problem { row, field, reason: reason() });
        }
    }
}

/// Rows of a request.
pub(super) struct Rows {
    pub shape: Arc<Shape>,
    pub count: usize,
    /// In the order of the shape; `None`: no row has the column.
    pub columns: Vec<Option<Cells>>,
    gaps: Vec<Gaps>,
    cells: usize,
    pub problems: Problems,
}

/// Rows that do not have a column which others have.
#[derive(Clone, Default)]
struct Gaps {
    first: Vec<usize>,
    count: usize,
}

/// The request has more rows or cells than one may have.
#[derive(Debug)]
pub(super) struct TooMany;

impl Rows {
    pub fn new(shape: Arc<Shape>) -> Rows {
        let columns = shape.columns.iter().map(|_| None).collect();
        let gaps = vec![Gaps::default(); shape.columns.len()];
        Rows { shape, count: 0, columns, gaps, cells: 0, problems: Problems::default() }
    }

    /// Cells held in memory.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The next row begins; gives its number.
    pub fn begin(&mut self) -> Result<usize, TooMany> {
        if self.count >= MOST_ROWS {
            return Err(TooMany);
        }
        self.count += 1;
        Ok(self.count - 1)
    }

    /// A field of a row. Rows come in order; a field that comes twice is a problem.
    pub fn put(&mut self, row: usize, index: usize, value: Scalar<'_>) -> Result<(), TooMany> {
        let shape = Arc::clone(&self.shape);
        let Some(column) = shape.columns.get(index) else { return Ok(()) };
        let held = self.columns.get(index).and_then(Option::as_ref).map_or(0, Cells::len);
        if held > row {
            self.problems.add(row, &column.name, || "the field is given twice".to_owned());
            return Ok(());
        }
        self.pad(index, row)?;
        let kept = column.keep(value).unwrap_or_else(|reason| {
            self.problems.add(row, &column.name, || reason);
            column.missing()
        });
        self.push(index, kept)
    }

    /// A field whose problem is told already.
    pub fn skip(&mut self, row: usize, index: usize) -> Result<(), TooMany> {
        self.pad(index, row)?;
        let missing = self.shape.columns.get(index).map(|column| column.missing());
        missing.map_or(Ok(()), |missing| self.push(index, missing))
    }

    /// A field that no column has.
    pub fn unknown(&mut self, row: usize, name: &str) {
        let shape = Arc::clone(&self.shape);
        self.problems.add(row, name, || shape.unknown(name));
    }

    /// Something else that is wrong.
    pub fn wrong(&mut self, row: usize, field: &str, reason: impl FnOnce() -> String) {
        self.problems.add(row, field, reason);
    }

    /// All rows are there: columns get the same length.
    pub fn end(&mut self) -> Result<(), TooMany> {
        for index in 0..self.columns.len() {
            if self.columns.get(index).is_some_and(Option::is_some) {
                self.pad(index, self.count)?;
            }
        }
        Ok(())
    }

    /// The places of a version's features among the columns. What the version must have and a row lacks is a problem.
    /// The error names a feature that no column has.
    pub fn features(&self, names: &[String], problems: &mut Problems) -> Result<Vec<usize>, String> {
        let mut places = Vec::with_capacity(names.len());
        for name in names {
            let place = self.shape.index(name, places.len()).ok_or_else(|| name.clone())?;
            places.push(place);
            let (Some(column), Some(gaps)) = (self.shape.columns.get(place), self.gaps.get(place)) else { continue };
            if column.nullable {
                continue;
            }
            let lacks = || format!("the field is missing, and the model needs it: {} is wanted", column.wants());
            if self.columns.get(place).is_some_and(Option::is_some) {
                gaps.first.iter().for_each(|row| problems.add(*row, name, lacks));
                problems.count += gaps.count - gaps.first.len();
            } else {
                (0..self.count.min(SHOWN)).for_each(|row| problems.add(row, name, lacks));
                problems.count += self.count.saturating_sub(SHOWN);
            }
        }
        Ok(places)
    }

    fn pad(&mut self, index: usize, to: usize) -> Result<(), TooMany> {
        loop {
            let held = self.columns.get(index).and_then(Option::as_ref).map_or(0, Cells::len);
            if held >= to {
                return Ok(());
            }
            if let Some(gaps) = self.gaps.get_mut(index) {
                gaps.count += 1;
                if gaps.first.len() < SHOWN {
                    gaps.first.push(held);
                }
            }
            let Some(missing) = self.shape.columns.get(index).map(|column| column.missing()) else { return Ok(()) };
            self.push(index, missing)?;
        }
    }

    fn push(&mut self, index: usize, kept: Kept<'_>) -> Result<(), TooMany> {
        self.cells += 1;
        if self.cells > MOST_CELLS {
            return Err(TooMany);
        }
        let (Some(slot), Some(column)) = (self.columns.get_mut(index), self.shape.columns.get(index)) else {
            return Ok(());
        };
        match (slot.get_or_insert_with(|| column.empty(1)), kept) {
            (Cells::Numbers(cells), Kept::Number(number)) => cells.push(number),
            (Cells::Texts(cells), Kept::Text(text)) => cells.push(text.map(str::to_owned)),
            // A column makes cells of its own kind only.
            (Cells::Numbers(cells), Kept::Text(_)) => cells.push(f64::NAN),
            (Cells::Texts(cells), Kept::Number(_)) => cells.push(None),
        }
        Ok(())
    }

    /// The first row's cell in a column, as a text that is the same for the same value; `None` when it is missing.
    pub fn key(&self, name: &str) -> Option<String> {
        let index = self.shape.index(name, 0)?;
        match self.columns.get(index)?.as_ref()? {
            Cells::Numbers(cells) => cells.first().filter(|cell| !cell.is_nan()).map(|cell| (cell + 0.0).to_string()),
            Cells::Texts(cells) => cells.first()?.clone(),
        }
    }

    /// Every column the request gave.
    pub fn given(&self) -> Vec<(String, Cells)> {
        let named = self.shape.columns.iter().zip(&self.columns);
        named.filter_map(|(column, cells)| Some((column.name.clone(), cells.clone()?))).collect()
    }
}
