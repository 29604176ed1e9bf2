//! CSV files: from records to typed cells, and what is wrong with them on the way.

use crate::cell::{Cell, parse};
use crate::codes;
use crate::header::match_columns;
use crate::quotes::Stray;
use crate::records::{LONGEST_RECORD, Records, Stop};
use crate::report::{At, quoted, thousands};
use crate::source::{Source, first_bad_byte, report_io};
use crate::table::Table;
use mlp_lang::finding::Finding;
use mlp_lang::types::{Column, Type};
use std::fs::File;
use std::path::Path;

/// How the text is to be read.
pub(crate) struct Dialect<'a> {
    pub delimiter: u8,
    pub missing: &'a [String],
}

/// Reads all rows of `source` into `table`.
pub(crate) fn read(source: Source, path: &Path, shown: &str, dialect: &Dialect<'_>, table: &mut Table<'_>) {
    let (file, before) = source.split();
    let mut records = Records::new(file, path, dialect.delimiter);
    match rows(&mut records, dialect, table) {
        Ok(()) => {}
        Err(Stop::Io(e)) => report_io(path, shown, &e, &mut table.report),
        Err(Stop::Unclosed { row, line, opened, column }) => {
            let at = At { row, line: opened };
            let message = || format!("a quote is opened in line {opened} and never closed");
            table.report.add(codes::UNCLOSED_QUOTE, at, column.as_deref(), message, |f| {
                let f = f.help("close it; inside quotes a quote is written twice: `\"\"`");
                if line == opened { f } else { f.note(format!("the row begins in line {line}")) }
            });
        }
        Err(Stop::TooLong { row, line }) => {
            let message = || format!("a record is longer than {} bytes", thousands(LONGEST_RECORD as u64));
            let help = "most likely a quote is opened in this row and not closed";
            table.report.add(codes::RECORD_TOO_LONG, At { row, line }, None, message, |f| f.help(help));
        }
    }
    Source::check_still(before, &records.file, &mut table.report);
}

fn rows(records: &mut Records, dialect: &Dialect<'_>, table: &mut Table<'_>) -> Result<(), Stop> {
    if !records.next()? {
        let message = || "the file has no header: there is nothing but blank lines in it".to_owned();
        table.report.add(codes::FILE_EMPTY, At::default(), None, message, |f| f.help("write a header line and rows"));
        return Ok(());
    }
    let Some(places) = header(records, dialect, table) else { return Ok(()) };
    let width = records.len();
    records.names =
        (0..width).map(|i| records.field(i).unwrap_or_default().trim_matches([' ', '\t']).to_owned()).collect();
    let columns = table.columns();
    let empty_is_missing = dialect.missing.iter().any(String::is_empty);
    let mut bad_byte = None;
    while records.next()? {
        let at = records.at();
        if let Some(stray) = records.stray() {
            text_after_quote(stray, name_of(columns, &places, stray.field), at, table);
            continue;
        }
        if records.len() != width {
            ragged(records, width, at, table);
            continue;
        }
        for (index, (column, place)) in columns.iter().zip(&places).enumerate() {
            let Some(raw) = records.field(*place) else {
                let (offset, byte) = *bad_byte.get_or_insert_with(|| first_bad(records).unwrap_or_default());
                not_utf8(&column.name, at, offset, byte, table);
                table.push_wrong(index);
                continue;
            };
            let trimmed = raw.trim_matches([' ', '\t']);
            let missing = if trimmed.is_empty() {
                empty_is_missing && (raw.is_empty() || column.ty != Type::String)
            } else {
                dialect.missing.iter().any(|m| m == trimmed)
            };
            if missing {
                table.push(index, Cell::Null, at);
                continue;
            }
            match parse(&column.ty, raw) {
                Ok(Cell::Text(text)) if text.as_bytes().contains(&0) => {
                    nul(&column.name, at, table);
                    table.push_wrong(index);
                }
                Ok(cell) => table.push(index, cell, at),
                Err(_) if raw.as_bytes().contains(&0) => {
                    nul(&column.name, at, table);
                    table.push_wrong(index);
                }
                Err(fault) => {
                    let found = if trimmed.is_empty() { "an empty cell".to_owned() } else { quoted(trimmed) };
                    let message =
                        || format!("column {} holds {found}, and {} is wanted", quoted(&column.name), fault.expected);
                    let help = fault.help;
                    table.report.add(fault.code, at, Some(&column.name), message, |f| {
                        let f = f.label(format!("wanted: {}", fault.expected));
                        match help {
                            Some(help) => f.help(help),
                            None => f,
                        }
                    });
                    table.push_wrong(index);
                }
            }
        }
        table.end_row();
    }
    Ok(())
}

fn header(records: &mut Records, dialect: &Dialect<'_>, table: &mut Table<'_>) -> Option<Vec<usize>> {
    let at = At { row: 0, line: records.at().line };
    let width = records.len();
    if let Some(stray) = records.stray() {
        text_after_quote(stray, None, at, table);
        return None;
    }
    let fields: Option<Vec<&str>> = (0..width).map(|i| records.field(i).map(|f| f.trim_matches([' ', '\t']))).collect();
    let Some(names) = fields else {
        let (offset, byte) = first_bad(records).unwrap_or_default();
        let message = || format!("the header is not UTF-8: byte 0x{byte:02X} at offset {offset} of the file");
        table.report.add(codes::NOT_UTF8, at, None, message, |f| f.help(RECODE));
        return None;
    };
    if names.len() == 1
        && table.columns().len() > 1
        && let Some(other) = [';', '\t', ',', '|']
            .into_iter()
            .find(|d| *d as u32 != u32::from(dialect.delimiter) && names[0].contains(*d))
    {
        let written = if other == '\t' { "\\t".to_owned() } else { other.to_string() };
        let message = || format!("the header is one single column, {}", quoted(names[0]));
        table.report.add(codes::COLUMN_MISSING, at, None, message, |f| {
            f.help(format!("the file seems to be separated otherwise: `csv(\"...\", delimiter: \"{written}\")`"))
        });
        return None;
    }
    match_columns(table.columns(), &names, at.line, &mut table.report)
}

fn name_of<'a>(columns: &'a [Column], places: &[usize], place: usize) -> Option<&'a str> {
    columns.iter().zip(places).find(|(_, p)| **p == place).map(|(c, _)| c.name.as_str())
}

fn text_after_quote(stray: &Stray, column: Option<&str>, at: At, table: &mut Table<'_>) {
    let message = || {
        let place = match column {
            Some(name) => format!("a cell of column {}", quoted(name)),
            None => format!("name {} of the header", stray.field + 1),
        };
        format!("{place} goes on after its closing quote, with {}", quoted(&String::from_utf8_lossy(&stray.text)))
    };
    table.report.add(codes::TEXT_AFTER_QUOTE, at, column, message, |f| {
        f.help("put the quote at the very end of the cell; inside quotes a quote is written twice: `\"\"`")
    });
}

fn ragged(records: &Records, width: usize, at: At, table: &mut Table<'_>) {
    let found = records.len();
    let message =
        || format!("the row has {} cells, and the header {}", thousands(found as u64), thousands(width as u64));
    table.report.add(codes::RAGGED_ROW, at, None, message, |f: Finding| {
        let last = records.last_line();
        let f =
            if last > at.line { f.note(format!("the row runs on to line {last}: is a quote not closed?")) } else { f };
        f.help(if found < width {
            "add the cells that are missing; an empty cell still needs its delimiter"
        } else {
            "put a cell that holds the delimiter into double quotes"
        })
    });
}

const RECODE: &str =
    "the file is probably Latin-1 or Windows-1252: save it as UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8`";

fn first_bad(records: &Records) -> Option<(u64, u8)> {
    first_bad_byte(&mut File::open(&records.path).ok()?)
}

fn not_utf8(column: &str, at: At, offset: u64, byte: u8, table: &mut Table<'_>) {
    let message = || format!("a cell of column {} is not UTF-8", quoted(column));
    table.report.add(codes::NOT_UTF8, at, Some(column), message, |f| {
        f.note(format!("the first such byte is 0x{byte:02X}, at offset {offset} of the file")).help(RECODE)
    });
}

fn nul(column: &str, at: At, table: &mut Table<'_>) {
    let message = || format!("a cell of column {} holds a NUL byte", quoted(column));
    let help = "text has no NUL bytes: see whether the file was cut, or written as binary or UTF-16";
    table.report.add(codes::NUL_BYTE, at, Some(column), message, |f| f.help(help));
}
