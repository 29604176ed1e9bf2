//! The table as it grows: every cell of every reader comes through here, is checked against its column, counted into
//! the statistics and, as long as nothing is wrong, written.

use crate::cell::Cell;
use crate::codes;
use crate::column::Sink;
use crate::report::{At, Report};
use crate::writer::Writer;
use arrow_array::ArrayRef;
use mlp_core::executor::Imported;
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::{DataNode, Stat};
use mlp_lang::types::Column;
use mlp_lang::value::Value;
use std::path::Path;

/// Rows that are held before they are written.
const BATCH_ROWS: usize = 65_536;
/// Bytes of text that are held before they are written: far below what one Arrow array can address.
const BATCH_BYTES: usize = 64 << 20;

/// A table being read.
pub(crate) struct Table<'a> {
    /// What is wrong so far.
    pub report: Report,
    data: &'a DataNode,
    stats: Vec<Stat>,
    sinks: Vec<Sink<'a>>,
    writer: Option<Writer>,
    rows: u64,
    held: usize,
    held_bytes: usize,
}

impl<'a> Table<'a> {
    /// An empty table for `data`, to be written to `out`.
    pub fn new(data: &'a DataNode, shown: &str, out: &Path) -> Table<'a> {
        let mut report = Report::new(shown);
        let stats = data.stats();
        let sinks: Vec<Sink<'_>> =
            data.schema.columns.iter().filter_map(|c| Sink::new(c, &stats, &mut report)).collect();
        let mut table = Table { report, data, stats, sinks, writer: None, rows: 0, held: 0, held_bytes: 0 };
        if table.report.is_clean() {
            match Writer::create(&data.schema, out) {
                Ok(writer) => table.writer = Some(writer),
                Err(e) => table.not_written(&e),
            }
        }
        table
    }

    /// The declared columns.
    pub fn columns(&self) -> &'a [Column] {
        &self.data.schema.columns
    }

    /// Takes the cell of the column at `index` in the current row.
    pub fn push(&mut self, index: usize, cell: Cell<'_>, at: At) {
        if let Cell::Text(text) = cell {
            self.held_bytes += text.len();
        }
        if let Some(sink) = self.sinks.get_mut(index) {
            sink.push(cell, at, &mut self.report);
        }
    }

    /// Stands in for a cell that was reported as wrong: keeps the columns level, counts for nothing.
    pub fn push_wrong(&mut self, index: usize) {
        if let Some(sink) = self.sinks.get_mut(index) {
            sink.push_wrong();
        }
    }

    /// All cells of the current row were given.
    pub fn end_row(&mut self) {
        self.rows += 1;
        self.held += 1;
        if self.held >= BATCH_ROWS || self.held_bytes >= BATCH_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let arrays: Vec<ArrayRef> = self.sinks.iter_mut().map(Sink::take).collect();
        (self.held, self.held_bytes) = (0, 0);
        if !self.report.is_clean() {
            self.writer = None;
        } else if let Some(writer) = &mut self.writer
            && let Err(e) = writer.write(arrays)
        {
            self.not_written(&e);
        }
    }

    fn not_written(&mut self, why: &str) {
        self.writer = None;
        let message = || format!("the imported table could not be written: {why}");
        let help =
            |f: Finding| f.help("look at the free space and the permissions of the state folder, then run again");
        self.report.add(codes::NOT_WRITTEN, At::default(), None, message, help);
    }

    /// Ends the table: the statistics, or everything that is wrong.
    pub fn finish(mut self) -> Result<Imported, Vec<Finding>> {
        if self.rows == 0 && self.report.is_clean() && !self.stats.contains(&Stat::Rows) {
            let help = "if a table without rows is fine, say so with an expectation on `rows`: `expect rows >= 0`";
            let message = || "the table has columns but not one row".to_owned();
            self.report.add(codes::NO_ROWS, At::default(), None, message, |f| f.help(help));
        }
        self.finish_even_empty()
    }

    /// The same of a table that may have no rows.
    pub fn finish_even_empty(mut self) -> Result<Imported, Vec<Finding>> {
        if self.held > 0 {
            self.flush();
        }
        if self.report.is_clean()
            && let Some(writer) = self.writer.take()
            && let Err(e) = writer.finish()
        {
            self.not_written(&e);
        }
        if !self.report.is_clean() {
            return Err(self.report.finish());
        }
        let stats = std::mem::take(&mut self.stats);
        let stats = stats.into_iter().map(|s| (s.clone(), self.stat(&s))).collect();
        Ok(Imported { rows: self.rows, stats })
    }

    fn stat(&self, stat: &Stat) -> Option<Value> {
        match stat {
            Stat::Rows => i64::try_from(self.rows).ok().map(Value::Int),
            Stat::Missing(c)
            | Stat::Unique(c)
            | Stat::Distinct(c)
            | Stat::Min(c)
            | Stat::Max(c)
            | Stat::Mean(c)
            | Stat::Fresh(c) => self.sinks.iter().find(|s| s.name() == c)?.stat(stat),
        }
    }
}
