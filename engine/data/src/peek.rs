//! The columns of a file before anything is declared about them.

use crate::columnar;
use crate::records::Records;
use crate::report::Report;
use crate::source::{Format, Source};
use mlp_lang::pipeline::DataSource;
use mlp_lang::types::{Column, Type};
use std::path::Path;

/// The columns of a file, each once, in order, all nullable: those of CSV are strings, those of Parquet what they are
/// stored as. Of a file that cannot be read there are none; why, its import says.
pub fn columns(source: &DataSource, path: &Path) -> Vec<Column> {
    let mut found: Vec<Column> = Vec::new();
    for column in all(source, path).unwrap_or_default() {
        if !found.iter().any(|other| other.name == column.name) {
            found.push(column);
        }
    }
    found
}

fn all(source: &DataSource, path: &Path) -> Option<Vec<Column>> {
    match source {
        DataSource::Csv { delimiter, .. } => {
            let file = Source::open(path, "", Format::Csv, &mut Report::new(""))?.file;
            let mut records = Records::new(file, path, *delimiter);
            if !records.next().ok()? {
                return None;
            }
            let name = |index| records.field(index).map(|name| name.trim_matches([' ', '\t']).to_owned());
            (0..records.len()).map(|index| Some(nullable(name(index)?, Type::String))).collect()
        }
        DataSource::Parquet { .. } => {
            let file = columnar::inspect(path).ok()?;
            Some(file.columns.into_iter().map(|column| nullable(column.name, column.ty)).collect())
        }
        _ => None,
    }
}

fn nullable(name: String, ty: Type) -> Column {
    Column { name, ty, nullable: true, unique: false, label: false, bounds: Vec::new() }
}
