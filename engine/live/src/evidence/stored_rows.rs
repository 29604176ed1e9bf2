//! Logged rows to a segment and back.

use super::error::EvidenceError;
use super::row::{Layout, Row, Slot, gather, key};
use super::segment::{self, Kind, Part, Segment, Written};
use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMillisecondType, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMillisecondArray,
    UInt64Array,
};
use mlp_core::predictor::Cells;
use mlp_data::cells::cells_of;
use mlp_lang::types::{Schema, Type};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

const COLUMN: &str = "column:";
const PROBABILITY: &str = "probability:";

/// The segment that these rows, which follow each other in number, make. `None`: there are no rows.
pub(super) fn segment_of(rows: &[Arc<Row>]) -> Option<Segment> {
    let (first, last) = (rows.first()?.sequence, rows.last()?.sequence);
    let (from, to) = (rows.iter().map(|row| row.at).min()?, rows.iter().map(|row| row.at).max()?);
    Some(Segment { kind: Kind::Rows, first, last, from, to })
}

/// Writes rows; `types` are the declared types of columns.
pub(super) fn write(folder: &Path, segment: &Segment, rows: &[Arc<Row>], types: &Schema) -> Result<(), EvidenceError> {
    let gathered = gather(rows);
    let request = |row: &Arc<Row>| row.id.get(..row.request_length).unwrap_or(&row.id).to_owned();
    let classes = &gathered.classes;
    let predicted: Vec<Option<&str>> = (0..rows.len())
        .map(|row| first_highest(gathered.probabilities.iter().map(|class| class[row])))
        .map(|place| place.and_then(|place| classes.get(place)).map(String::as_str))
        .collect();
    // The author's columns keep their names; ours give way.
    let mut columns: Vec<Written> = gathered
        .columns
        .into_iter()
        .map(|(name, cells)| {
            let ty = types.column(&name).map_or(&Type::Float, |column| &column.ty);
            Written { role: format!("{COLUMN}{name}"), cells: array(cells, ty), name }
        })
        .collect();
    let mut ours = |name: &str, cells: ArrayRef| {
        columns.push(Written { name: name.to_owned(), role: name.to_owned(), cells });
    };
    let at: TimestampMillisecondArray = rows.iter().map(|row| Some(row.at)).collect();
    ours("id", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.id))));
    ours("request", Arc::new(StringArray::from_iter_values(rows.iter().map(request))));
    ours("at", Arc::new(at.with_timezone("UTC")));
    ours("version", Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.version))));
    if classes.is_empty() || gathered.numbers.iter().any(|number| !number.is_nan()) {
        ours("prediction", Arc::new(present(&gathered.numbers)));
    }
    if !classes.is_empty() {
        ours("class", Arc::new(StringArray::from(predicted)));
        for (class, probabilities) in classes.iter().zip(&gathered.probabilities) {
            columns.push(Written {
                name: format!("probability_{class}"),
                role: format!("{PROBABILITY}{class}"),
                cells: Arc::new(present(probabilities)),
            });
        }
    }
    segment::write(folder, segment, columns)
}

/// The place of the first of the highest numbers.
pub(super) fn first_highest(numbers: impl Iterator<Item = f64>) -> Option<usize> {
    let highest = |best: Option<(usize, f64)>, (place, number): (usize, f64)| match best {
        Some((_, most)) if number <= most || number.is_nan() => best,
        None if number.is_nan() => None,
        _ => Some((place, number)),
    };
    numbers.enumerate().fold(None, highest).map(|(place, _)| place)
}

fn present(numbers: &[f64]) -> Float64Array {
    numbers.iter().map(|number| (!number.is_nan()).then_some(*number)).collect()
}

/// Cells as the declared type stores them, where each of them can be; numbers of another kind stay floats, so that
/// nothing is lost.
fn array(cells: Cells, ty: &Type) -> ArrayRef {
    let numbers = match cells {
        Cells::Texts(texts) => {
            let mut out = StringBuilder::new();
            texts.iter().for_each(|text| out.append_option(text.as_deref()));
            return Arc::new(out.finish());
        }
        Cells::Numbers(numbers) => numbers,
    };
    let whole = |limit: f64| numbers.iter().all(|n| n.is_nan() || (n.fract() == 0.0 && n.abs() <= limit));
    let each = || numbers.iter().map(|n| (!n.is_nan()).then_some(*n));
    // The largest whole number below which floats hold each one.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match ty {
        Type::Bool if numbers.iter().all(|n| n.is_nan() || *n == 0.0 || *n == 1.0) => {
            Arc::new(each().map(|n| n.map(|n| n == 1.0)).collect::<BooleanArray>())
        }
        Type::Int if whole(EXACT) => Arc::new(each().map(|n| n.map(|n| n as i64)).collect::<Int64Array>()),
        Type::Date if whole(f64::from(i32::MAX)) => {
            Arc::new(each().map(|n| n.map(|n| n as i32)).collect::<Date32Array>())
        }
        Type::Time if whole(EXACT) => {
            let times: TimestampMillisecondArray = each().map(|n| n.map(|n| n as i64)).collect();
            Arc::new(times.with_timezone("UTC"))
        }
        _ => Arc::new(present(&numbers)),
    }
}

/// All rows of a segment, in the order of their numbers.
pub(super) fn read(segment: &Segment, file: File, path: &Path) -> Result<Vec<Arc<Row>>, EvidenceError> {
    let mut rows = Vec::new();
    let mut layout = Arc::new(Layout::default());
    for part in segment.read(file, path)? {
        let first = segment.first + rows.len() as u64;
        rows_of(&part, first, &mut layout, &mut rows)
            .ok_or_else(|| EvidenceError::Damaged { path: path.to_owned(), why: "a column is missing".to_owned() })?;
    }
    Ok(rows)
}

fn rows_of(part: &Part, first: u64, last: &mut Arc<Layout>, rows: &mut Vec<Arc<Row>>) -> Option<()> {
    let ids = part.column("id")?.as_string_opt::<i32>()?;
    let requests = part.column("request")?.as_string_opt::<i32>()?;
    let at = part.column("at")?.as_primitive_opt::<TimestampMillisecondType>()?;
    let version = part.column("version")?.as_primitive_opt::<UInt64Type>()?;
    let predictions = match part.column("prediction").map(|cells| cells_of(cells.as_ref())) {
        Some(Some(Cells::Numbers(numbers))) => Some(numbers),
        _ => None,
    };
    let (mut names, mut cells, mut classes, mut probabilities) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (role, array) in part.columns() {
        if let Some(name) = role.strip_prefix(COLUMN) {
            names.push(name);
            cells.push(cells_of(array.as_ref())?);
        } else if let Some(class) = role.strip_prefix(PROBABILITY)
            && let Cells::Numbers(numbers) = cells_of(array.as_ref())?
        {
            classes.push(class.to_owned());
            probabilities.push(numbers);
        }
    }
    let kinds = || names.iter().zip(&cells).map(|(name, cells)| (*name, matches!(cells, Cells::Texts(_))));
    let (plain, classified) = (Layout::new(kinds(), &[]), Layout::new(kinds(), &classes));
    let (plain, classified) = (shared(plain, last), shared(classified, last));
    for index in 0..part.batch.num_rows() {
        let number = predictions.as_ref().and_then(|numbers| numbers.get(index)).copied().unwrap_or(f64::NAN);
        let is_plain = classes.is_empty() || !number.is_nan();
        let layout = if is_plain { plain.clone() } else { classified.clone() };
        let (mut numbers, mut texts) = (Vec::new(), Vec::new());
        for ((_, slot), cells) in layout.columns.iter().zip(&cells) {
            match (slot, cells) {
                (Slot::Number(_), Cells::Numbers(cells)) => numbers.push(cells.get(index).copied().unwrap_or(f64::NAN)),
                (Slot::Text(_), Cells::Texts(cells)) => {
                    texts.push(cells.get(index).and_then(Option::as_deref).map(Arc::from));
                }
                _ => {}
            }
        }
        let id = ids.is_valid(index).then(|| ids.value(index))?;
        rows.push(Arc::new(Row {
            at: at.value(index),
            sequence: first + index as u64,
            version: version.value(index),
            key: key(id),
            id: id.into(),
            request_length: requests.value(index).len(),
            layout,
            numbers: numbers.into(),
            texts: texts.into(),
            prediction: match is_plain {
                true => Box::new([number]),
                false => probabilities.iter().map(|class| class.get(index).copied().unwrap_or(f64::NAN)).collect(),
            },
        }));
    }
    *last = if classes.is_empty() { plain } else { classified };
    Some(())
}

fn shared(layout: Layout, last: &Arc<Layout>) -> Arc<Layout> {
    if **last == layout { last.clone() } else { Arc::new(layout) }
}
