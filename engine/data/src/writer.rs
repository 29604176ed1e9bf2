//! Tables to Parquet: the same rows make the same bytes, on every machine and at any hour.

use crate::column::spelled;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef, TimeUnit};
use mlp_lang::types::{Column, Schema, Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// The zone of every `time` column.
pub(crate) const UTC: &str = "UTC";
/// Key of the field metadata that holds a column's type as it is written in a `.mlp` file.
pub const TYPE_KEY: &str = "mlp.type";

/// Writes one table.
pub(crate) struct Writer {
    schema: SchemaRef,
    parquet: ArrowWriter<File>,
}

impl Writer {
    /// A new file at `out`.
    pub fn create(schema: &Schema, out: &Path) -> Result<Writer, String> {
        let fields: Vec<Field> = schema.columns.iter().map(field).collect();
        let schema: SchemaRef = Arc::new(ArrowSchema::new(fields));
        // A fixed author instead of a version: an upgrade must not make other bytes of the same rows.
        let properties =
            WriterProperties::builder().set_created_by("mlp".to_owned()).set_compression(Compression::SNAPPY).build();
        let file = File::create(out).map_err(|e| e.to_string())?;
        let parquet = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(|e| e.to_string())?;
        Ok(Writer { schema, parquet })
    }

    /// Adds rows.
    pub fn write(&mut self, arrays: Vec<ArrayRef>) -> Result<(), String> {
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(|e| e.to_string())?;
        self.parquet.write(&batch).map_err(|e| e.to_string())
    }

    /// Writes what is held and the footer.
    pub fn finish(self) -> Result<(), String> {
        self.parquet.close().map(|_| ()).map_err(|e| e.to_string())
    }
}

fn field(column: &Column) -> Field {
    let ty = match &column.ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float | Type::Fraction => DataType::Float64,
        Type::Date => DataType::Date32,
        Type::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        _ => DataType::Utf8,
    };
    let mark = if column.nullable { "?" } else { "" };
    let metadata = HashMap::from([(TYPE_KEY.to_owned(), format!("{}{mark}", spelled(&column.ty)))]);
    Field::new(&column.name, ty, column.nullable).with_metadata(metadata)
}
