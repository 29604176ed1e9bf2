//! Labels: what really happened, told late and by prediction id.

use super::error::{At, EvidenceError};
use mlp_core::executor::Tables;
use mlp_core::predictor::Cells;
use mlp_core::record::Millis;
use mlp_data::TableReader;
use mlp_lang::pipeline::{DataNode, DataSource};
use mlp_lang::types::{Column, Schema, Type};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What really happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LabelValue {
    /// Of a label that is a bool (0 or 1), an int, a float or a fraction.
    Number(f64),
    /// Of a label that is a text or one of several texts.
    Text(String),
}

/// How a file of labels is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelImport {
    /// The path as the user wrote it, for findings.
    pub shown: String,
    /// Between the fields of a CSV file; `,` unless told.
    pub delimiter: u8,
    /// Cells of a CSV file that are missing; only the empty cell unless told.
    pub missing: Vec<String>,
    /// When it is imported.
    pub at: Millis,
}

/// What became of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelReport {
    /// Labels given, `duplicates` included.
    pub rows: u64,
    /// Different ids whose prediction is in the log.
    pub joined_now: u64,
    /// Different ids whose prediction is not in the log. Kept: the prediction may come later.
    pub unknown: u64,
    /// Labels that a later one of the same call overruled.
    pub duplicates: u64,
    /// Different ids that had another label before.
    pub replaced: u64,
    /// Different ids that had the same label before: nothing was written for them.
    pub unchanged: u64,
    /// Rows of a file whose label cell is missing, which a nullable label column allows: left out.
    pub without: u64,
}

/// Whether `value` can stand in the label's column.
pub(super) fn check(id: &str, value: &LabelValue, column: &Column) -> Result<(), EvidenceError> {
    let (fits, wanted) = match &column.ty {
        Type::Bool => (matches!(value, LabelValue::Number(n) if *n == 0.0 || *n == 1.0), "true or false".to_owned()),
        Type::Int => (matches!(value, LabelValue::Number(n) if n.fract() == 0.0), "a whole number".to_owned()),
        Type::Enum(texts) => {
            let listed: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
            let fits = matches!(value, LabelValue::Text(text) if texts.contains(text));
            (fits, format!("one of {}", listed.join(", ")))
        }
        Type::String => (matches!(value, LabelValue::Text(_)), "a text".to_owned()),
        _ => (matches!(value, LabelValue::Number(n) if n.is_finite()), "a finite number".to_owned()),
    };
    if fits {
        return Ok(());
    }
    let found = match value {
        LabelValue::Number(number) => number.to_string(),
        LabelValue::Text(text) => format!("`{}`", text.chars().take(60).collect::<String>()),
    };
    Err(EvidenceError::WrongLabel { id: id.chars().take(60).collect(), found, column: column.name.clone(), wanted })
}

/// Labels by prediction id, in order, and how many rows have none.
type Read = (Vec<(String, LabelValue)>, u64);

/// Reads a file of labels by the rules of every other table. `aside` is a file of ours to write to meanwhile.
pub(super) fn read(file: &Path, options: &LabelImport, label: &Column, aside: &Path) -> Result<Read, EvidenceError> {
    let is_parquet = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    let path = options.shown.clone();
    let source = match is_parquet {
        true => DataSource::Parquet { path },
        false => DataSource::Csv { path, delimiter: options.delimiter, missing: options.missing.clone() },
    };
    let mut columns = mlp_data::peek::columns(&source, file);
    let has = |name: &str| columns.iter().any(|column| column.name == name);
    let id_name = if !has("id") && has("request_id") { "request_id" } else { "id" };
    columns.retain(|column| column.name != id_name && column.name != label.name);
    let id = Column {
        name: id_name.to_owned(),
        ty: Type::String,
        nullable: false,
        unique: false,
        label: false,
        bounds: Vec::new(),
    };
    columns.extend([id, Column { unique: false, label: false, ..label.clone() }]);
    let data = DataNode { schema: Schema { name: None, columns }, source, expectations: Vec::new(), pii: None };
    TableReader.import(&data, file, &options.shown, aside).map_err(EvidenceError::Findings)?;
    let table = mlp_data::cells::read_table(aside);
    std::fs::remove_file(aside).at("remove", aside)?;
    let mut table = table.map_err(|why| EvidenceError::Damaged { path: aside.to_owned(), why })?;
    let (ids, values) = (table.remove(id_name), table.remove(&label.name));
    let (Some(Cells::Texts(ids)), Some(values)) = (ids, values) else { return Ok((Vec::new(), 0)) };
    let values: Vec<Option<LabelValue>> = match values {
        Cells::Numbers(numbers) => {
            numbers.into_iter().map(|number| (!number.is_nan()).then_some(LabelValue::Number(number))).collect()
        }
        Cells::Texts(texts) => texts.into_iter().map(|text| text.map(LabelValue::Text)).collect(),
    };
    let rows = ids.len();
    let labels: Vec<_> = ids.into_iter().zip(values).filter_map(|(id, value)| Some((id?, value?))).collect();
    let without = (rows - labels.len()) as u64;
    Ok((labels, without))
}

/// `240 labels: 238 joined, 2 of predictions that are not in the log`
impl std::fmt::Display for LabelReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} labels: {} joined to their predictions", self.rows, self.joined_now)?;
        let parts = [
            (self.unchanged, "known before"),
            (self.replaced, "in place of another one"),
            (self.unknown, "kept for predictions that are not in the log yet"),
            (self.duplicates, "overruled by a later one of the same file"),
            (self.without, "left out because the cell is missing"),
        ];
        parts.iter().filter(|(count, _)| *count > 0).try_for_each(|(count, words)| write!(f, ", {count} {words}"))
    }
}
