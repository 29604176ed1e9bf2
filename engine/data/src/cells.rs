//! Whole tables of Parquet in memory, by column: what drift is measured on, what a log is read back as.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_schema::{DataType, SchemaRef, TimeUnit};
use mlp_core::predictor::Cells;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const BATCH_ROWS: usize = 8_192;

/// The columns of a Parquet file by name. Columns of types that [`cells_of`] does not know are left out. The error says
/// why the file cannot be read.
pub fn read_table(path: &Path) -> Result<BTreeMap<String, Cells>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let (schema, batches) = read_batches(file, None)?;
    let mut table = BTreeMap::new();
    for (index, field) in schema.fields().iter().enumerate() {
        if let Some(cells) = join(batches.iter().map(|batch| cells_of(batch.column(index).as_ref()))) {
            table.insert(field.name().clone(), cells);
        } else if batches.is_empty()
            && let Some(empty) = cells_of(arrow_array::new_empty_array(field.data_type()).as_ref())
        {
            table.insert(field.name().clone(), empty);
        }
    }
    Ok(table)
}

/// Every row of an open Parquet file, of all columns or of those whose place in the schema `wanted` names. Damaged bytes
/// are an error, never a panic.
pub fn read_batches(file: File, wanted: Option<&[usize]>) -> Result<(SchemaRef, Vec<RecordBatch>), String> {
    let read = || {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let mask = match wanted {
            Some(places) => ProjectionMask::roots(builder.parquet_schema(), places.iter().copied()),
            None => ProjectionMask::all(),
        };
        let reader =
            builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|error| error.to_string())?;
        let schema = reader.schema();
        let batches = reader.collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        Ok((schema, batches))
    };
    // The decoder is fed whatever is on the disk; that it errs instead of panicking is a hope, not a promise.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("its pages contradict each other".to_owned()))
}

/// The cells of an Arrow array: bools (0 or 1), ints, floats, dates (days since 1970-01-01) and times (milliseconds since
/// 1970, rounded down) are numbers, NaN where they are null; texts are texts. `None`: an array of another type.
pub fn cells_of(array: &dyn Array) -> Option<Cells> {
    use DataType as D;
    Some(match array.data_type() {
        D::Boolean => {
            let bools = array.as_boolean();
            Cells::Numbers(bools.iter().map(|cell| cell.map_or(f64::NAN, |b| f64::from(u8::from(b)))).collect())
        }
        D::Int8 => numbers::<Int8Type>(array, f64::from),
        D::Int16 => numbers::<Int16Type>(array, f64::from),
        D::Int32 => numbers::<Int32Type>(array, f64::from),
        D::Int64 => numbers::<Int64Type>(array, |n| n as f64),
        D::UInt8 => numbers::<UInt8Type>(array, f64::from),
        D::UInt16 => numbers::<UInt16Type>(array, f64::from),
        D::UInt32 => numbers::<UInt32Type>(array, f64::from),
        D::UInt64 => numbers::<UInt64Type>(array, |n| n as f64),
        D::Float32 => numbers::<Float32Type>(array, f64::from),
        D::Float64 => numbers::<Float64Type>(array, |n| n),
        D::Date32 => numbers::<Date32Type>(array, f64::from),
        D::Timestamp(TimeUnit::Second, _) => numbers::<TimestampSecondType>(array, |n| n as f64 * 1e3),
        D::Timestamp(TimeUnit::Millisecond, _) => numbers::<TimestampMillisecondType>(array, |n| n as f64),
        D::Timestamp(TimeUnit::Microsecond, _) => {
            numbers::<TimestampMicrosecondType>(array, |n| n.div_euclid(1_000) as f64)
        }
        D::Timestamp(TimeUnit::Nanosecond, _) => {
            numbers::<TimestampNanosecondType>(array, |n| n.div_euclid(1_000_000) as f64)
        }
        D::Utf8 => texts(array.as_string::<i32>().iter()),
        D::LargeUtf8 => texts(array.as_string::<i64>().iter()),
        D::Utf8View => texts(array.as_string_view().iter()),
        D::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            match cells_of(dictionary.values().as_ref())? {
                Cells::Numbers(values) => {
                    Cells::Numbers(picked(array, &keys, |key| values.get(key).copied(), f64::NAN))
                }
                Cells::Texts(values) => Cells::Texts(picked(array, &keys, |key| values.get(key).cloned(), None)),
            }
        }
        _ => return None,
    })
}

fn numbers<T: ArrowPrimitiveType>(array: &dyn Array, to: impl Fn(T::Native) -> f64) -> Cells {
    Cells::Numbers(array.as_primitive::<T>().iter().map(|cell| cell.map_or(f64::NAN, &to)).collect())
}

fn texts<'a>(cells: impl Iterator<Item = Option<&'a str>>) -> Cells {
    Cells::Texts(cells.map(|cell| cell.map(str::to_owned)).collect())
}

fn picked<T: Clone>(array: &dyn Array, keys: &[usize], value: impl Fn(usize) -> Option<T>, missing: T) -> Vec<T> {
    keys.iter()
        .enumerate()
        .map(|(row, key)| if array.is_null(row) { None } else { value(*key) })
        .map(|cell| cell.unwrap_or_else(|| missing.clone()))
        .collect()
}

/// Pieces of one column as one; `None` if there are none, or one is of another type than tables hold.
pub fn join(pieces: impl Iterator<Item = Option<Cells>>) -> Option<Cells> {
    let mut whole: Option<Cells> = None;
    for piece in pieces {
        match (&mut whole, piece?) {
            (None, piece) => whole = Some(piece),
            (Some(Cells::Numbers(cells)), Cells::Numbers(more)) => cells.extend(more),
            (Some(Cells::Texts(cells)), Cells::Texts(more)) => cells.extend(more),
            _ => return None,
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::types::Int32Type;
    use arrow_array::{
        ArrayRef, BooleanArray, Date32Array, DictionaryArray, Float64Array, Int64Array, StringArray,
        TimestampMicrosecondArray,
    };
    use parquet::arrow::ArrowWriter;
    use std::sync::Arc;

    fn written(columns: Vec<(&str, ArrayRef)>) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.parquet");
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).expect("fits");
        let mut writer =
            ArrowWriter::try_new(File::create(&path).expect("made"), batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("writes");
        writer.close().expect("closes");
        (folder, path)
    }

    #[test]
    fn every_type_of_a_table_is_numbers_or_texts() {
        let many: Vec<i64> = (0..20_000).collect();
        let repeat = |cell: Option<&'static str>| vec![cell; 20_000];
        let dictionary: DictionaryArray<Int32Type> = repeat(Some("b")).into_iter().collect();
        let (_folder, path) = written(vec![
            ("bool", Arc::new(BooleanArray::from(vec![Some(true); 20_000]))),
            ("int", Arc::new(Int64Array::from(many))),
            ("float", Arc::new(Float64Array::from(vec![None::<f64>; 20_000]))),
            ("date", Arc::new(Date32Array::from(vec![-1; 20_000]))),
            ("time", Arc::new(TimestampMicrosecondArray::from(vec![-1; 20_000]).with_timezone("UTC"))),
            ("text", Arc::new(StringArray::from(repeat(Some("a"))))),
            ("dictionary", Arc::new(dictionary)),
        ]);
        let table = read_table(&path).expect("reads");
        let first = |name: &str| match &table[name] {
            Cells::Numbers(cells) => (cells.len(), format!("{}", cells[cells.len() - 1])),
            Cells::Texts(cells) => (cells.len(), format!("{:?}", cells[cells.len() - 1])),
        };
        let seen: Vec<_> = table.keys().map(|name| (name.as_str(), first(name))).collect();
        let row = |name, text: &str| (name, (20_000, text.to_owned()));
        assert_eq!(
            seen,
            [
                row("bool", "1"),
                row("date", "-1"),
                row("dictionary", "Some(\"b\")"),
                row("float", "NaN"),
                row("int", "19999"),
                row("text", "Some(\"a\")"),
                // A microsecond before 1970 is in the millisecond before 1970.
                row("time", "-1"),
            ]
        );
    }

    #[test]
    fn a_table_without_rows_has_its_columns() {
        let (_folder, path) = written(vec![("n", Arc::new(Int64Array::from(Vec::<i64>::new())))]);
        assert_eq!(read_table(&path), Ok(BTreeMap::from([("n".to_owned(), Cells::Numbers(Vec::new()))])));
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let (_folder, path) = written(vec![("n", Arc::new(Int64Array::from(vec![1, 2, 3])))]);
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes.truncate(bytes.len() - 9);
        std::fs::write(&path, bytes).expect("writes");
        assert!(read_table(&path).is_err());
    }
}
