//! Tables: from files that others wrote to Parquet that every step can trust.
//!
//! Owns: how CSV and Parquet are read by a declared schema, the grammar of cells, the rules of columns, the statistics
//! that expectations ask for, the findings about all of it (`D0xxx`, see `spec/07-data.md`), and the drift of columns
//! ([`drift`], `spec/12-drift.md`).
//! Must never know: plans, runs, steps, the store; what an expectation's verdict is (it only gives the numbers).
//!
//! ```text
//! file -> source (is it what it is said to be) -> records, text | columnar -> cell -> table -> column: rules, statistics
//!                                                                               \-> writer -> Parquet
//! ```
//!
//! Invariants: the same bytes in and the same schema make the same bytes out. Memory is bounded by a batch of rows,
//! except for columns whose distinct values are asked for (24 bytes a value and hash table slack). No input panics.
//! Findings are bounded in number and size, counts in them are exact.

mod cell;
pub mod cells;
pub mod codes;
mod column;
mod columnar;
pub mod drift;
mod header;
pub mod peek;
mod quotes;
mod records;
mod report;
mod rule;
mod source;
mod table;
mod text;
mod writer;

pub use cell::{Cell, Fault, parse};
pub use report::{nearest, quoted};
pub use rule::Rule;
pub use writer::TYPE_KEY;

use mlp_core::executor::{Imported, TableInfo, Tables};
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::{DataNode, DataSource};
use mlp_lang::types::{Column, Schema};
use source::{Format, Source};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use table::Table;

/// Reads CSV and Parquet files from the local disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableReader;

impl Tables for TableReader {
    /// The number rises whenever the same file can come out as another table.
    fn identity(&self, data: &DataNode) -> BTreeMap<String, String> {
        let reader = match data.source {
            DataSource::Csv { .. } => "csv 2",
            DataSource::Parquet { .. } => "parquet 1",
            _ => "none",
        };
        BTreeMap::from([("reader".to_owned(), reader.to_owned())])
    }

    fn import(&self, data: &DataNode, path: &Path, shown: &str, out: &Path) -> Result<Imported, Vec<Finding>> {
        let mut table = Table::new(data, shown, out);
        let format = match data.source {
            DataSource::Csv { .. } => Format::Csv,
            DataSource::Parquet { .. } => Format::Parquet,
            _ => {
                let message = || "rows of this kind of source are not read".to_owned();
                let help = |f: Finding| f.help("name a CSV or a Parquet file");
                table.report.add(codes::WRONG_FORMAT, report::At::default(), None, message, help);
                return table.finish();
            }
        };
        if table.report.is_clean()
            && let Some(source) = Source::open(path, shown, format, &mut table.report)
        {
            match &data.source {
                DataSource::Csv { delimiter, missing, .. } => {
                    let dialect = text::Dialect { delimiter: *delimiter, missing };
                    text::read(source, path, shown, &dialect, &mut table);
                }
                _ => columnar::read(source, &mut table),
            }
        }
        let imported = table.finish();
        if imported.is_err() {
            // Nobody may take half a table for a whole one; if it cannot be removed the caller still discards it.
            let _ = std::fs::remove_file(out);
        }
        imported
    }

    fn concat(&self, schema: &Schema, parts: &[PathBuf], out: &Path) -> Result<u64, String> {
        let loose = |column: &Column| Column { unique: false, bounds: Vec::new(), ..column.clone() };
        let schema = Schema { columns: schema.columns.iter().map(loose).collect(), ..schema.clone() };
        let source = DataSource::Parquet { path: String::new() };
        let data = DataNode { schema, source, expectations: Vec::new(), pii: None };
        let mut table = Table::new(&data, "", out);
        for part in parts {
            let shown = part.display().to_string();
            if let Some(source) = Source::open(part, &shown, Format::Parquet, &mut table.report) {
                columnar::read(source, &mut table);
            }
            if !table.report.is_clean() {
                break;
            }
        }
        let told = |findings: Vec<Finding>| findings.first().map_or_else(String::new, |first| first.message.clone());
        table.finish_even_empty().map(|imported| imported.rows).map_err(told)
    }

    fn inspect(&self, path: &Path) -> Result<TableInfo, String> {
        columnar::inspect(path)
    }
}

#[cfg(test)]
mod tests;
