//! Parquet files: the declared columns by name, converted where nothing is lost.

use crate::cell::{Cell, parse};
use crate::codes;
use crate::column::spelled;
use crate::header::match_columns;
use crate::report::{At, quoted};
use crate::source::Source;
use crate::table::Table;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use mlp_core::executor::TableInfo;
use mlp_lang::finding::Finding;
use mlp_lang::types::{Column, Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

const BATCH_ROWS: usize = 8_192;

/// Reads all rows of `source` into `table`.
pub(crate) fn read(source: Source, table: &mut Table<'_>) {
    let (file, before) = source.split();
    let Ok(kept) = file.try_clone() else { return damaged(table, "the file handle could not be doubled") };
    // The decoder is fed whatever is on the disk; that it errs instead of panicking is a hope, not a promise.
    match catch_unwind(AssertUnwindSafe(|| rows(file, table))) {
        Ok(Ok(())) => {}
        Ok(Err(why)) => damaged(table, &why),
        Err(_) => damaged(table, "its pages contradict each other"),
    }
    Source::check_still(before, &kept, &mut table.report);
}

fn damaged(table: &mut Table<'_>, why: &str) {
    let message = || format!("the Parquet file cannot be decoded: {why}");
    let help = "the file is damaged or was cut: copy or write it again";
    table.report.add(codes::PARQUET_DAMAGED, At::default(), None, message, |f| f.help(help));
}

fn rows(file: File, table: &mut Table<'_>) -> Result<(), String> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| e.to_string())?;
    let schema = builder.schema().clone();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let columns = table.columns();
    let Some(places) = match_columns(columns, &names, 0, &mut table.report) else { return Ok(()) };
    for (column, place) in columns.iter().zip(&places) {
        let found = schema.field(*place).data_type();
        if !converts(found, &column.ty) {
            let message = || {
                format!("column {} is declared {}, and the file has {found}", quoted(&column.name), spelled(&column.ty))
            };
            let help = "declare the type that the file has, or write the column anew";
            table.report.add(codes::COLUMN_TYPE, At::default(), Some(&column.name), message, |f: Finding| f.help(help));
        }
    }
    if !table.report.is_clean() {
        return Ok(());
    }
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(|e| e.to_string())?;
    let mut row = 0;
    for batch in reader {
        let batch: RecordBatch = batch.map_err(|e| e.to_string())?;
        let arrays: Vec<&dyn Array> = columns
            .iter()
            .map(|c| {
                batch
                    .column_by_name(&c.name)
                    .map(AsRef::as_ref)
                    .ok_or_else(|| format!("column `{}` has no pages", c.name))
            })
            .collect::<Result<_, _>>()?;
        for i in 0..batch.num_rows() {
            row += 1;
            let at = At { row, line: 0 };
            for (index, (column, array)) in columns.iter().zip(&arrays).enumerate() {
                take(*array, i, index, column, at, table);
            }
            table.end_row();
        }
    }
    Ok(())
}

fn take(array: &dyn Array, i: usize, index: usize, column: &Column, at: At, table: &mut Table<'_>) {
    match cell(array, i, &column.ty) {
        Ok(cell) => table.push(index, cell, at),
        Err(wrong) => {
            let message =
                || format!("column {} holds {}, and {} is wanted", quoted(&column.name), wrong.found, wrong.expected);
            table.report.add(wrong.code, at, Some(&column.name), message, |f| {
                let f = f.label(format!("wanted: {}", wrong.expected));
                match wrong.help {
                    Some(help) => f.help(help),
                    None => f,
                }
            });
            table.push_wrong(index);
        }
    }
}

struct Wrong {
    code: mlp_lang::finding::Code,
    found: String,
    expected: String,
    help: Option<String>,
}

/// Whether each value of a stored type has one value of the declared type, or a finding of its own.
fn converts(stored: &DataType, declared: &Type) -> bool {
    use DataType as D;
    let int = matches!(stored, D::Int8 | D::Int16 | D::Int32 | D::Int64 | D::UInt8 | D::UInt16 | D::UInt32 | D::UInt64);
    match declared {
        Type::Bool => *stored == D::Boolean,
        Type::Int => int,
        Type::Float | Type::Fraction => {
            let small = matches!(stored, D::Int8 | D::Int16 | D::Int32 | D::UInt8 | D::UInt16 | D::UInt32);
            small || matches!(stored, D::Float32 | D::Float64)
        }
        Type::Date => *stored == D::Date32,
        // A stored time without a zone is local to nobody knows where.
        Type::Time => matches!(stored, D::Timestamp(_, Some(_))),
        Type::String | Type::Enum(_) => match stored {
            D::Dictionary(_, values) => matches!(**values, D::Utf8 | D::LargeUtf8 | D::Utf8View),
            other => matches!(other, D::Utf8 | D::LargeUtf8 | D::Utf8View),
        },
        _ => false,
    }
}

/// One value. Only called for pairs that [`converts`] allows.
fn cell<'a>(array: &'a dyn Array, i: usize, ty: &Type) -> Result<Cell<'a>, Wrong> {
    use DataType as D;
    if array.is_null(i) {
        return Ok(Cell::Null);
    }
    let int = |value: i64| match ty {
        Type::Int => Cell::Int(value),
        _ => Cell::Float(value as f64),
    };
    Ok(match array.data_type() {
        D::Boolean => Cell::Bool(array.as_boolean().value(i)),
        D::Int8 => int(array.as_primitive::<Int8Type>().value(i).into()),
        D::Int16 => int(array.as_primitive::<Int16Type>().value(i).into()),
        D::Int32 => int(array.as_primitive::<Int32Type>().value(i).into()),
        D::Int64 => int(array.as_primitive::<Int64Type>().value(i)),
        D::UInt8 => int(array.as_primitive::<UInt8Type>().value(i).into()),
        D::UInt16 => int(array.as_primitive::<UInt16Type>().value(i).into()),
        D::UInt32 => int(array.as_primitive::<UInt32Type>().value(i).into()),
        D::UInt64 => {
            let value = array.as_primitive::<UInt64Type>().value(i);
            return i64::try_from(value).map(int).map_err(|_| Wrong {
                code: codes::INT_OVERFLOW,
                found: value.to_string(),
                expected: "a whole number up to 9223372036854775807".to_owned(),
                help: None,
            });
        }
        D::Float32 => return finite(array.as_primitive::<Float32Type>().value(i).into()),
        D::Float64 => return finite(array.as_primitive::<Float64Type>().value(i)),
        D::Date32 => return day(array.as_primitive::<Date32Type>().value(i)),
        D::Timestamp(unit, _) => return instant(array, i, *unit),
        D::Utf8 => return text(array.as_string::<i32>().value(i), ty),
        D::LargeUtf8 => return text(array.as_string::<i64>().value(i), ty),
        D::Utf8View => return text(array.as_string_view().value(i), ty),
        D::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.keys();
            return cell(dictionary.values().as_ref(), key_at(key, i), ty);
        }
        other => {
            return Err(Wrong {
                code: codes::COLUMN_TYPE,
                found: other.to_string(),
                expected: spelled(ty),
                help: None,
            });
        }
    })
}

fn key_at(keys: &dyn Array, i: usize) -> usize {
    use DataType as D;
    match keys.data_type() {
        D::Int8 => keys.as_primitive::<Int8Type>().value(i) as usize,
        D::Int16 => keys.as_primitive::<Int16Type>().value(i) as usize,
        D::Int32 => keys.as_primitive::<Int32Type>().value(i) as usize,
        D::UInt8 => keys.as_primitive::<UInt8Type>().value(i) as usize,
        D::UInt16 => keys.as_primitive::<UInt16Type>().value(i) as usize,
        D::UInt32 => keys.as_primitive::<UInt32Type>().value(i) as usize,
        D::UInt64 => keys.as_primitive::<UInt64Type>().value(i) as usize,
        _ => keys.as_primitive::<Int64Type>().value(i) as usize,
    }
}

fn finite<'a>(value: f64) -> Result<Cell<'a>, Wrong> {
    if value.is_finite() {
        return Ok(Cell::Float(value));
    }
    Err(Wrong {
        code: codes::NOT_FINITE,
        found: format!("`{value}`"),
        expected: "a finite number".to_owned(),
        help: Some("write missing values as null, not as NaN".to_owned()),
    })
}

fn day<'a>(days: i32) -> Result<Cell<'a>, Wrong> {
    // 0001-01-01 to 9999-12-31: what can be written as text.
    if (-719_162..=2_932_896).contains(&days) {
        return Ok(Cell::Date(days));
    }
    Err(Wrong {
        code: codes::NOT_DATE,
        found: format!("day {days} from 1970-01-01"),
        expected: "a day of the years 1 to 9999".to_owned(),
        help: None,
    })
}

fn instant<'a>(array: &dyn Array, i: usize, unit: TimeUnit) -> Result<Cell<'a>, Wrong> {
    let (value, micros) = match unit {
        TimeUnit::Second => {
            let v = array.as_primitive::<TimestampSecondType>().value(i);
            (v, v.checked_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            let v = array.as_primitive::<TimestampMillisecondType>().value(i);
            (v, v.checked_mul(1_000))
        }
        TimeUnit::Microsecond => {
            let v = array.as_primitive::<TimestampMicrosecondType>().value(i);
            (v, Some(v))
        }
        TimeUnit::Nanosecond => {
            let v = array.as_primitive::<TimestampNanosecondType>().value(i);
            (v, (v % 1_000 == 0).then_some(v / 1_000))
        }
    };
    micros.filter(|m| jiff::Timestamp::from_microsecond(*m).is_ok()).map(Cell::Time).ok_or_else(|| Wrong {
        code: codes::NOT_TIME,
        found: format!("{value} {unit:?}s from 1970"),
        expected: "an instant of the years 1 to 9999, to the microsecond".to_owned(),
        help: None,
    })
}

fn text<'a>(value: &'a str, ty: &Type) -> Result<Cell<'a>, Wrong> {
    if value.contains('\0') {
        return Err(Wrong {
            code: codes::NUL_BYTE,
            found: "a NUL byte".to_owned(),
            expected: "text".to_owned(),
            help: None,
        });
    }
    parse(ty, value).map_err(|fault| Wrong {
        code: fault.code,
        found: quoted(value),
        expected: fault.expected,
        help: fault.help,
    })
}

/// The columns and the row count of a Parquet file, by storage type.
pub(crate) fn inspect(path: &Path) -> Result<TableInfo, String> {
    let file = File::open(path).map_err(|e| e.to_string())?;
    let opened = catch_unwind(AssertUnwindSafe(|| ParquetRecordBatchReaderBuilder::try_new(file)));
    let builder = match opened {
        Ok(opened) => opened.map_err(|e| format!("not a readable Parquet file: {e}"))?,
        Err(_) => return Err("not a readable Parquet file: its footer contradicts itself".to_owned()),
    };
    let rows = u64::try_from(builder.metadata().file_metadata().num_rows())
        .map_err(|_| "not a readable Parquet file: a negative number of rows".to_owned())?;
    let columns = builder.schema().fields().iter().map(|f| {
        let ty = stored(f.data_type())
            .ok_or_else(|| format!("column `{}` has a type that tables do not know: {}", f.name(), f.data_type()))?;
        Ok(Column {
            name: f.name().clone(),
            ty,
            nullable: f.is_nullable(),
            unique: false,
            label: false,
            bounds: Vec::new(),
        })
    });
    Ok(TableInfo { columns: columns.collect::<Result<_, String>>()?, rows })
}

fn stored(ty: &DataType) -> Option<Type> {
    [Type::Bool, Type::Int, Type::Float, Type::Date, Type::Time, Type::String].into_iter().find(|t| converts(ty, t))
}
