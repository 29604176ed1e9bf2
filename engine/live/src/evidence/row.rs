//! One logged row in memory, and many of them as columns.

use super::labels::LabelValue;
use super::predicted::Predicted;
use super::rows::Rows;
use mlp_core::predictor::{Cells, Predictions};
use mlp_core::record::Millis;
use std::sync::Arc;

/// What rows of one kind of request have in common. Rows that follow each other share it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    /// Each column's name, and where a row keeps its cell.
    pub columns: Vec<(String, Slot)>,
    /// Of a classifier.
    pub classes: Vec<String>,
}

/// Where a row keeps the cell of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Number(usize),
    Text(usize),
}

impl Layout {
    /// For columns of these names, which hold texts or numbers.
    pub fn new<'a>(columns: impl Iterator<Item = (&'a str, bool)>, classes: &[String]) -> Layout {
        let (mut numbers, mut texts) = (0, 0);
        let next = |count: &mut usize| {
            *count += 1;
            *count - 1
        };
        let columns = columns
            .map(|(name, is_text)| {
                let slot = if is_text { Slot::Text(next(&mut texts)) } else { Slot::Number(next(&mut numbers)) };
                (name.to_owned(), slot)
            })
            .collect();
        Layout { columns, classes: classes.to_vec() }
    }
}

/// A logged row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub at: Millis,
    /// Its place among all rows ever logged.
    pub sequence: u64,
    pub version: u64,
    /// The prediction id; begins with the request's id.
    pub id: Box<str>,
    pub request_length: usize,
    /// [`key`] of the id.
    pub key: u128,
    pub layout: Arc<Layout>,
    pub numbers: Box<[f64]>,
    pub texts: Box<[Option<Arc<str>>]>,
    /// One number, or one for each class.
    pub prediction: Box<[f64]>,
}

/// A key that two ids share exactly when they are equal: nobody can make two ids that collide.
pub(super) fn key(id: &str) -> u128 {
    let mut half = [0; 16];
    half.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
    u128::from_le_bytes(half)
}

/// The rows of a request, the first with number `first`. `None`: its columns and predictions do not fit together.
/// `last` is the layout of the request before, which is shared if it is the same.
pub(super) fn rows_of(
    predicted: &Predicted,
    classes: &[String],
    first: u64,
    last: &mut Arc<Layout>,
) -> Option<Vec<Arc<Row>>> {
    let (numbers, width) = match &predicted.predictions {
        Predictions::Numbers(numbers) => (numbers, 1),
        Predictions::Probabilities(numbers) => (numbers, classes.len()),
    };
    let count = numbers.len().checked_div(width)?;
    if count * width != numbers.len() || predicted.columns.iter().any(|(_, cells)| cells.len() != count) {
        return None;
    }
    let classes = if matches!(predicted.predictions, Predictions::Numbers(_)) { &[] } else { classes };
    let names = predicted.columns.iter().map(|(name, cells)| (name.as_str(), matches!(cells, Cells::Texts(_))));
    let layout = Layout::new(names, classes);
    if **last != layout {
        *last = Arc::new(layout);
    }
    let mut rows = Vec::with_capacity(count);
    for (index, prediction) in numbers.chunks(width).enumerate() {
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        for (_, cells) in &predicted.columns {
            match cells {
                Cells::Numbers(cells) => numbers.push(cells[index]),
                Cells::Texts(cells) => texts.push(cells[index].as_deref().map(Arc::from)),
            }
        }
        let id = if count == 1 { predicted.request.clone() } else { format!("{}/{index}", predicted.request) };
        rows.push(Arc::new(Row {
            at: predicted.at,
            sequence: first + index as u64,
            version: predicted.version,
            key: key(&id),
            id: id.into(),
            request_length: predicted.request.len(),
            layout: last.clone(),
            numbers: numbers.into(),
            texts: texts.into(),
            prediction: prediction.into(),
        }));
    }
    Some(rows)
}

/// Rows column by column.
pub(super) struct Gathered {
    /// All columns that any row has, in the order in which they come up. Where a column holds numbers in some rows and
    /// texts in others, the last row that has it decides, and it is missing in the others.
    pub columns: Vec<(String, Cells)>,
    /// NaN where there are probabilities instead.
    pub numbers: Vec<f64>,
    /// All classes that any row has.
    pub classes: Vec<String>,
    /// For each class, by row; NaN in rows without classes, 0 in rows of a version that does not know this class.
    pub probabilities: Vec<Vec<f64>>,
}

/// Turns rows into columns.
pub(super) fn gather(rows: &[Arc<Row>]) -> Gathered {
    let mut layouts: Vec<&Arc<Layout>> = Vec::new();
    for row in rows {
        if layouts.last().is_none_or(|last| !Arc::ptr_eq(last, &row.layout)) && !layouts.contains(&&row.layout) {
            layouts.push(&row.layout);
        }
    }
    let mut columns: Vec<(String, bool)> = Vec::new();
    let mut classes: Vec<String> = Vec::new();
    for layout in &layouts {
        for (name, slot) in &layout.columns {
            let is_text = matches!(slot, Slot::Text(_));
            match columns.iter_mut().find(|(known, _)| known == name) {
                Some((_, kind)) => *kind = is_text,
                None => columns.push((name.clone(), is_text)),
            }
        }
        for class in &layout.classes {
            if !classes.contains(class) {
                classes.push(class.clone());
            }
        }
    }
    let columns = columns
        .into_iter()
        .map(|(name, is_text)| {
            let cells = if is_text { texts(rows, &name) } else { numbers(rows, &name) };
            (name, cells)
        })
        .collect();
    let probabilities = classes.iter().map(|class| probabilities(rows, class)).collect();
    let numbers = rows
        .iter()
        .map(|row| match (row.layout.classes.is_empty(), &*row.prediction) {
            (true, [number]) => *number,
            _ => f64::NAN,
        })
        .collect();
    Gathered { columns, numbers, classes, probabilities }
}

/// For each row what `find` finds in its layout, looked up once for rows that share one.
fn by_layout<T: Copy>(
    rows: &[Arc<Row>],
    find: impl Fn(&Layout) -> Option<T>,
) -> impl Iterator<Item = (&Row, Option<T>)> {
    let mut last: Option<(*const Layout, Option<T>)> = None;
    rows.iter().map(move |row| {
        let found = match last {
            Some((layout, found)) if std::ptr::eq(layout, Arc::as_ptr(&row.layout)) => found,
            _ => find(&row.layout),
        };
        last = Some((Arc::as_ptr(&row.layout), found));
        (&**row, found)
    })
}

fn slot(layout: &Layout, name: &str) -> Option<Slot> {
    layout.columns.iter().find(|(column, _)| column == name).map(|(_, slot)| *slot)
}

fn numbers(rows: &[Arc<Row>], name: &str) -> Cells {
    let cell = |(row, slot): (&Row, Option<Slot>)| match slot {
        Some(Slot::Number(place)) => row.numbers.get(place).copied().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    Cells::Numbers(by_layout(rows, |layout| slot(layout, name)).map(cell).collect())
}

fn texts(rows: &[Arc<Row>], name: &str) -> Cells {
    let cell = |(row, slot): (&Row, Option<Slot>)| match slot {
        Some(Slot::Text(place)) => row.texts.get(place).and_then(Option::as_deref).map(str::to_owned),
        _ => None,
    };
    Cells::Texts(by_layout(rows, |layout| slot(layout, name)).map(cell).collect())
}

fn probabilities(rows: &[Arc<Row>], class: &str) -> Vec<f64> {
    by_layout(rows, |layout| layout.classes.iter().position(|known| known == class))
        .map(|(row, place)| match place {
            Some(place) => row.prediction.get(place).copied().unwrap_or(f64::NAN),
            None if row.layout.classes.is_empty() => f64::NAN,
            None => 0.0,
        })
        .collect()
}

/// A window as others see it. `label` is asked with each row's [`key`].
pub(super) fn window(rows: &[Arc<Row>], label: impl Fn(u128) -> Option<LabelValue>) -> Rows {
    let gathered = gather(rows);
    let newest_has_classes = rows.last().is_some_and(|row| !row.layout.classes.is_empty());
    let (predictions, classes) = if newest_has_classes {
        let probabilities = &gathered.probabilities;
        let by_row = (0..rows.len()).flat_map(|row| probabilities.iter().map(move |class| class[row]));
        (Predictions::Probabilities(by_row.collect()), gathered.classes)
    } else {
        (Predictions::Numbers(gathered.numbers), Vec::new())
    };
    Rows {
        at: rows.iter().map(|row| row.at).collect(),
        version: rows.iter().map(|row| row.version).collect(),
        ids: rows.iter().map(|row| row.id.to_string()).collect(),
        columns: gathered.columns,
        predictions,
        classes,
        labels: rows.iter().map(|row| label(row.key)).collect(),
    }
}
