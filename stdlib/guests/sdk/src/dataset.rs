//! Tables, in files or in memory.

use crate::error::Error;
use crate::table::Table;
use crate::wit::types;
use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use std::fs::File;
use std::sync::Arc;

/// A table that a step takes or gives. Reading is explicit, so that a step decodes only the columns it needs.
#[derive(Clone, Debug)]
pub struct Dataset(Source);

#[derive(Clone, Debug)]
enum Source {
    File { path: String, format: types::Format },
    Memory(Table),
}

/// Rows in one batch and in one row group: bounds the memory of whoever reads the file.
const ROWS_AT_ONCE: usize = 64 * 1024;

impl From<Table> for Dataset {
    fn from(table: Table) -> Self {
        Dataset(Source::Memory(table))
    }
}

impl From<types::Dataset> for Dataset {
    fn from(dataset: types::Dataset) -> Self {
        Dataset(Source::File { path: dataset.path, format: dataset.format })
    }
}

impl Dataset {
    /// The table in this Parquet file.
    pub fn from_parquet(path: impl Into<String>) -> Dataset {
        Dataset(Source::File { path: path.into(), format: types::Format::Parquet })
    }

    /// The columns, with their types and metadata, without reading any row.
    pub fn schema(&self) -> Result<SchemaRef, Error> {
        match &self.0 {
            Source::Memory(table) => Ok(table.batch().schema()),
            Source::File { path, format } => Ok(open(path, *format)?.schema().clone()),
        }
    }

    /// All rows and columns.
    pub fn read(&self) -> Result<Table, Error> {
        match &self.0 {
            Source::Memory(table) => Ok(table.clone()),
            Source::File { path, format } => read(path, *format, None),
        }
    }

    /// All rows of these columns, in the order given; each must exist.
    pub fn read_columns(&self, names: &[&str]) -> Result<Table, Error> {
        let schema = self.schema()?;
        let mut indices = vec![];
        for name in names {
            let index = schema.index_of(name).map_err(|_| crate::table::no_column(name, &schema))?;
            if !indices.contains(&index) {
                indices.push(index);
            }
        }
        let table = match &self.0 {
            Source::Memory(table) => table.clone(),
            Source::File { path, format } => read(path, *format, Some(&indices))?,
        };
        table.select(names)
    }

    #[doc(hidden)]
    pub fn store(self, name: &str) -> Result<types::Dataset, Error> {
        let path = out_path(name);
        let table = self.read()?;
        let file = File::create(&path).map_err(|e| Error::failed(format!("cannot write {path}: {e}")))?;
        write(&table, file).map_err(|e| Error::failed(format!("cannot write {path}: {e}")))?;
        let schema = table.batch().schema();
        let field = |f: &Arc<arrow_schema::Field>| types::Field {
            name: f.name().clone(),
            ty: crate::table::type_text(f),
            nullable: f.is_nullable(),
        };
        Ok(types::Dataset {
            path,
            format: types::Format::Parquet,
            rows: Some(table.rows() as u64),
            schema: schema.fields().iter().map(field).collect(),
        })
    }
}

/// Where the output of this name goes.
pub(crate) fn out_path(name: &str) -> String {
    format!("/mlp/out/{name}")
}

/// Writes a table as Parquet. The same table gives the same bytes: nothing in the file depends on when, where or with
/// which version of what library it was written.
pub fn write<W: std::io::Write + Send>(table: &Table, to: W) -> Result<(), parquet::errors::ParquetError> {
    let properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROWS_AT_ONCE))
        .set_created_by("mlp-sdk".into())
        .build();
    let batch = table.batch();
    let mut writer = ArrowWriter::try_new(to, batch.schema(), Some(properties))?;
    let mut from = 0;
    while from < batch.num_rows() {
        let rows = ROWS_AT_ONCE.min(batch.num_rows() - from);
        writer.write(&batch.slice(from, rows))?;
        from += rows;
    }
    writer.close().map(drop)
}

fn open(path: &str, format: types::Format) -> Result<ParquetRecordBatchReaderBuilder<Bytes>, Error> {
    if format != types::Format::Parquet {
        return Err(Error::failed(format!("{path} is {format:?}; this step reads Parquet")));
    }
    // The whole file at once: WASI cannot duplicate a file handle, which is how the reader would seek in a `File`.
    let bytes = std::fs::read(path).map_err(|e| Error::failed(format!("cannot read {path}: {e}")))?;
    ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))
        .map_err(|e| Error::failed(format!("{path} is no Parquet file: {e}")))
}

fn read(path: &str, format: types::Format, columns: Option<&[usize]>) -> Result<Table, Error> {
    let mut builder = open(path, format)?.with_batch_size(ROWS_AT_ONCE);
    let mut schema = builder.schema().clone();
    if let Some(indices) = columns {
        let mask = ProjectionMask::roots(builder.parquet_schema(), indices.iter().copied());
        builder = builder.with_projection(mask);
        let mut sorted = indices.to_vec();
        sorted.sort_unstable();
        let fields: Vec<_> = sorted.iter().map(|&i| schema.fields()[i].clone()).collect();
        schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    }
    let damaged = |e: String| Error::failed(format!("cannot read {path}: {e}"));
    let batches = builder
        .build()
        .map_err(|e| damaged(e.to_string()))?
        .collect::<Result<Vec<RecordBatch>, _>>()
        .map_err(|e| damaged(e.to_string()))?;
    arrow_select::concat::concat_batches(&schema, &batches).map(Table::from).map_err(|e| damaged(e.to_string()))
}
