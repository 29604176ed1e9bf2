//! Labels to a segment and back.

use super::error::EvidenceError;
use super::labels::LabelValue;
use super::segment::{self, Kind, Part, Segment, Written};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, TimestampMillisecondType};
use arrow_array::{Array, Float64Array, StringArray, TimestampMillisecondArray};
use mlp_core::record::Millis;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A label as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    /// Its place among all labels ever kept.
    pub sequence: u64,
    /// When it came.
    pub at: Millis,
    /// Of the prediction.
    pub id: String,
    pub value: LabelValue,
}

/// The segment that these labels, which follow each other in number, make. `None`: there are none.
pub(super) fn segment_of(labels: &[Label]) -> Option<Segment> {
    let (first, last) = (labels.first()?.sequence, labels.last()?.sequence);
    let (from, to) = (labels.iter().map(|label| label.at).min()?, labels.iter().map(|label| label.at).max()?);
    Some(Segment { kind: Kind::Labels, first, last, from, to })
}

/// Writes labels.
pub(super) fn write(folder: &Path, segment: &Segment, labels: &[Label]) -> Result<(), EvidenceError> {
    let number = |label: &Label| match label.value {
        LabelValue::Number(number) => Some(number),
        LabelValue::Text(_) => None,
    };
    let text = |label: &Label| match &label.value {
        LabelValue::Number(_) => None,
        LabelValue::Text(text) => Some(text.clone()),
    };
    let at: TimestampMillisecondArray = labels.iter().map(|label| Some(label.at)).collect();
    let column = |name: &str, cells| Written { name: name.to_owned(), role: name.to_owned(), cells };
    let mut columns = vec![
        column("id", Arc::new(StringArray::from_iter_values(labels.iter().map(|label| &label.id)))),
        column("at", Arc::new(at.with_timezone("UTC"))),
    ];
    if labels.iter().any(|label| number(label).is_some()) {
        columns.push(column("number", Arc::new(labels.iter().map(number).collect::<Float64Array>())));
    }
    if labels.iter().any(|label| text(label).is_some()) {
        columns.push(column("text", Arc::new(labels.iter().map(text).collect::<StringArray>())));
    }
    segment::write(folder, segment, columns)
}

/// All labels of a segment, in the order in which they came.
pub(super) fn read(segment: &Segment, file: File, path: &Path) -> Result<Vec<Label>, EvidenceError> {
    let mut labels = Vec::new();
    for part in segment.read(file, path)? {
        let first = segment.first + labels.len() as u64;
        labels_of(&part, first, &mut labels)
            .ok_or_else(|| EvidenceError::Damaged { path: path.to_owned(), why: "a column is missing".to_owned() })?;
    }
    Ok(labels)
}

fn labels_of(part: &Part, first: u64, labels: &mut Vec<Label>) -> Option<()> {
    let ids = part.column("id")?.as_string_opt::<i32>()?;
    let at = part.column("at")?.as_primitive_opt::<TimestampMillisecondType>()?;
    let numbers = part.column("number").and_then(|array| array.as_primitive_opt::<Float64Type>());
    let texts = part.column("text").and_then(|array| array.as_string_opt::<i32>());
    for index in 0..part.batch.num_rows() {
        let number = numbers.filter(|numbers| numbers.is_valid(index)).map(|n| LabelValue::Number(n.value(index)));
        let text =
            || texts.filter(|texts| texts.is_valid(index)).map(|texts| LabelValue::Text(texts.value(index).to_owned()));
        labels.push(Label {
            sequence: first + index as u64,
            at: at.value(index),
            id: ids.value(index).to_owned(),
            value: number.or_else(text)?,
        });
    }
    Some(())
}
