//! A table in memory, and its columns as what a step computes with.

use crate::error::Error;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use std::sync::Arc;

/// The key of a field's metadata that holds its type in the language: `fraction`, `"free" | "pro"`.
pub const TYPE_KEY: &str = "mlp.type";

/// A table in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Table(RecordBatch);

/// A column as what a step computes with.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// `bool`
    Bool(Vec<Option<bool>>),
    /// `int`
    Int(Vec<Option<i64>>),
    /// `float`, `fraction`
    Float(Vec<Option<f64>>),
    /// `string` and enums. `levels`: an enum's texts, in the order declared.
    Text {
        /// One for each row.
        cells: Vec<Option<String>>,
        /// An enum's texts.
        levels: Option<Vec<String>>,
    },
    /// `date`, in days since 1970-01-01.
    Date(Vec<Option<i64>>),
    /// `time`, in nanoseconds since 1970-01-01T00:00:00Z.
    Time(Vec<Option<i64>>),
}

impl From<RecordBatch> for Table {
    fn from(batch: RecordBatch) -> Self {
        Table(batch)
    }
}

impl Table {
    /// A table of these columns, which must be equally long.
    pub fn new(columns: Vec<(Field, ArrayRef)>) -> Result<Table, Error> {
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .map(Table)
            .map_err(|e| Error::failed(format!("these columns make no table: {e}")))
    }

    /// The Arrow data.
    pub fn batch(&self) -> &RecordBatch {
        &self.0
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The field of a column.
    pub fn field(&self, name: &str) -> Result<&Field, Error> {
        self.0.schema_ref().field_with_name(name).map_err(|_| no_column(name, self.0.schema_ref()))
    }

    /// A column's cells.
    pub fn cells(&self, name: &str) -> Result<Cells, Error> {
        let field = self.field(name)?;
        let array = self.0.column_by_name(name).ok_or_else(|| no_column(name, self.0.schema_ref()))?;
        cells(field, array)
            .ok_or_else(|| Error::column(name, format!("its type {} cannot be used here", field.data_type())))
    }

    /// The table with these columns alone, in this order.
    pub fn select(&self, names: &[&str]) -> Result<Table, Error> {
        let mut indices = vec![];
        for name in names {
            indices.push(self.0.schema_ref().index_of(name).map_err(|_| no_column(name, self.0.schema_ref()))?);
        }
        self.0.project(&indices).map(Table).map_err(|e| Error::failed(format!("cannot take these columns: {e}")))
    }

    /// The table of these rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Result<Table, Error> {
        let indices = UInt64Array::from_iter_values(rows.iter().map(|&row| row as u64));
        arrow_select::take::take_record_batch(&self.0, &indices)
            .map(Table)
            .map_err(|e| Error::failed(format!("cannot take these rows: {e}")))
    }
}

impl Cells {
    /// How many cells.
    pub fn len(&self) -> usize {
        match self {
            Cells::Bool(cells) => cells.len(),
            Cells::Int(cells) | Cells::Date(cells) | Cells::Time(cells) => cells.len(),
            Cells::Float(cells) => cells.len(),
            Cells::Text { cells, .. } => cells.len(),
        }
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many cells are missing.
    pub fn missing(&self) -> usize {
        fn count<T>(cells: &[Option<T>]) -> usize {
            cells.iter().filter(|c| c.is_none()).count()
        }
        match self {
            Cells::Bool(cells) => count(cells),
            Cells::Int(cells) | Cells::Date(cells) | Cells::Time(cells) => count(cells),
            Cells::Float(cells) => count(cells),
            Cells::Text { cells, .. } => count(cells),
        }
    }

    /// As numbers, where that has a meaning: bools as 0 and 1, ints, floats.
    pub fn numbers(&self) -> Option<Vec<Option<f64>>> {
        Some(match self {
            Cells::Bool(cells) => cells.iter().map(|c| c.map(f64::from)).collect(),
            Cells::Int(cells) => cells.iter().map(|c| c.map(|i| i as f64)).collect(),
            Cells::Float(cells) => cells.clone(),
            Cells::Text { .. } | Cells::Date(_) | Cells::Time(_) => return None,
        })
    }

    /// As text, as a person would write each value.
    pub fn texts(&self) -> Vec<Option<String>> {
        fn each<T: Copy>(cells: &[Option<T>], write: impl Fn(T) -> String) -> Vec<Option<String>> {
            cells.iter().map(|c| c.map(&write)).collect()
        }
        match self {
            Cells::Bool(cells) => each(cells, |b| b.to_string()),
            Cells::Int(cells) => each(cells, |i| i.to_string()),
            Cells::Float(cells) => each(cells, |f| f.to_string()),
            Cells::Text { cells, .. } => cells.clone(),
            Cells::Date(cells) => each(cells, crate::time::date_text),
            Cells::Time(cells) => each(cells, crate::time::time_text),
        }
    }
}

/// A column's type in the language.
pub fn type_text(field: &Field) -> String {
    if let Some(text) = field.metadata().get(TYPE_KEY) {
        return text.clone();
    }
    match field.data_type() {
        DataType::Boolean => "bool",
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "float",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(..) => "time",
        ty if ty.is_integer() => "int",
        _ => "string",
    }
    .into()
}

/// The texts of `"free" | "pro"`, in order; `None` for any other type.
pub fn levels(type_text: &str) -> Option<Vec<String>> {
    let mut rest = type_text.trim();
    let mut levels: Vec<String> = vec![];
    loop {
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        levels.push(stream.next()?.ok()?);
        rest = rest.get(stream.byte_offset()..)?.trim_start();
        if rest.is_empty() {
            return Some(levels);
        }
        rest = rest.strip_prefix('|')?;
    }
}

/// The error for a column that is not there, with those that are.
pub(crate) fn no_column(name: &str, schema: &Schema) -> Error {
    const SHOWN: usize = 20;
    let names: Vec<&str> = schema.fields().iter().take(SHOWN).map(|f| f.name().as_str()).collect();
    let more = if schema.fields().len() > SHOWN { ", ..." } else { "" };
    Error::column(name, format!("the table has no such column; it has {}{more}", names.join(", ")))
}

fn cells(field: &Field, array: &ArrayRef) -> Option<Cells> {
    macro_rules! each {
        ($ty:ty, $to:expr) => {
            array.as_primitive::<$ty>().iter().map(|c| c.map($to)).collect()
        };
    }
    let text = |cells: Vec<Option<String>>| Cells::Text { cells, levels: levels(&type_text(field)) };
    const SECOND: i64 = 1_000_000_000;
    Some(match array.data_type() {
        DataType::Boolean => Cells::Bool(array.as_boolean().iter().collect()),
        DataType::Int8 => Cells::Int(each!(Int8Type, i64::from)),
        DataType::Int16 => Cells::Int(each!(Int16Type, i64::from)),
        DataType::Int32 => Cells::Int(each!(Int32Type, i64::from)),
        DataType::Int64 => Cells::Int(each!(Int64Type, i64::from)),
        DataType::UInt8 => Cells::Int(each!(UInt8Type, i64::from)),
        DataType::UInt16 => Cells::Int(each!(UInt16Type, i64::from)),
        DataType::UInt32 => Cells::Int(each!(UInt32Type, i64::from)),
        DataType::UInt64 => Cells::Float(each!(UInt64Type, |u| u as f64)),
        DataType::Float32 => Cells::Float(each!(Float32Type, f64::from)),
        DataType::Float64 => Cells::Float(each!(Float64Type, f64::from)),
        DataType::Date32 => Cells::Date(each!(Date32Type, i64::from)),
        DataType::Timestamp(TimeUnit::Second, _) => {
            Cells::Time(each!(TimestampSecondType, |t| t.saturating_mul(SECOND)))
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            Cells::Time(each!(TimestampMillisecondType, |t| t.saturating_mul(SECOND / 1_000)))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            Cells::Time(each!(TimestampMicrosecondType, |t| t.saturating_mul(SECOND / 1_000_000)))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => Cells::Time(each!(TimestampNanosecondType, i64::from)),
        DataType::Utf8 => text(array.as_string::<i32>().iter().map(|c| c.map(str::to_owned)).collect()),
        DataType::LargeUtf8 => text(array.as_string::<i64>().iter().map(|c| c.map(str::to_owned)).collect()),
        DataType::Utf8View => text(array.as_string_view().iter().map(|c| c.map(str::to_owned)).collect()),
        _ => return None,
    })
}
