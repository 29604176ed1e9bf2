//! The log and its labels, seen from outside, and what a crash leaves of them.

mod judge;
mod labels;
mod log;

use super::{Evidence, Limits, Predicted, Rows};
use mlp_core::predictor::{Cells, PredictionKind, Predictions};
use mlp_core::record::Millis;
use mlp_lang::types::{Column, Schema, Type};
use std::path::Path;
use std::time::Duration;

/// An hour, in the tests' own time.
const HOUR: Millis = 3_600_000;

fn column(name: &str, ty: Type) -> Column {
    Column { name: name.to_owned(), ty, nullable: false, unique: false, label: false, bounds: Vec::new() }
}

fn schema() -> Schema {
    let columns = [
        column("temp", Type::Float),
        column("hr", Type::Int),
        column("open", Type::Bool),
        column("sky", Type::Enum(vec!["clear".into(), "rain".into()])),
        // Two names that the log has itself.
        column("at", Type::Time),
        column("id", Type::String),
    ];
    Schema { name: None, columns: columns.to_vec() }
}

fn bikers() -> Column {
    column("bikers", Type::Int)
}

fn limits(memory: usize, segment: usize) -> Limits {
    Limits { memory, segment, age: Duration::from_secs(3_600) }
}

fn open(folder: &Path) -> Evidence {
    open_with(folder, limits(1_000, 100))
}

fn open_with(folder: &Path, limits: Limits) -> Evidence {
    Evidence::open_with(folder, &schema(), Some(&bikers()), limits).expect("opens")
}

/// A request of one row in hour `n`, named `r<n>`.
fn request(n: i64) -> Predicted {
    Predicted {
        at: n * HOUR,
        request: format!("r{n}"),
        version: 1,
        columns: vec![
            ("temp".into(), Cells::Numbers(vec![n as f64 / 10.0])),
            ("hr".into(), Cells::Numbers(vec![if n % 5 == 0 { f64::NAN } else { (n % 24) as f64 }])),
            ("open".into(), Cells::Numbers(vec![(n % 2) as f64])),
            ("sky".into(), Cells::Texts(vec![if n % 3 == 0 { None } else { Some("rain".into()) }])),
            ("at".into(), Cells::Numbers(vec![(n * HOUR) as f64])),
            ("id".into(), Cells::Texts(vec![Some(format!("bike {n}"))])),
        ],
        predictions: Predictions::Numbers(vec![n as f64 * 2.0]),
    }
}

/// A request of rows with probabilities of two classes.
fn classified(n: i64, version: u64, rows: usize) -> Predicted {
    Predicted {
        version,
        columns: vec![("temp".into(), Cells::Numbers(vec![0.5; rows]))],
        predictions: Predictions::Probabilities([0.25, 0.75].repeat(rows)),
        ..request(n)
    }
}

fn yes_or_no() -> PredictionKind {
    PredictionKind::Class(vec!["no".into(), "yes".into()])
}

fn everything(log: &Evidence) -> Rows {
    log.flush().expect("flushes");
    log.window(Millis::MIN, Millis::MAX, None).expect("reads")
}

fn ids(rows: &Rows) -> Vec<&str> {
    rows.ids.iter().map(String::as_str).collect()
}

/// The folder as a kill of the process leaves it now. A kill takes all files at one instant and a copy does not, so one
/// during which the writer made a segment is thrown away.
fn killed(folder: &Path) -> tempfile::TempDir {
    let state = || (files(folder), std::fs::metadata(folder.join("log")).expect("is there").len());
    loop {
        let (before, copy) = (state(), tempfile::tempdir().expect("a folder"));
        let copied = before.0.iter().all(|name| std::fs::copy(folder.join(name), copy.path().join(name)).is_ok());
        if copied && state() == before {
            return copy;
        }
    }
}

fn files(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).expect("lists").map(|e| e.expect("an entry").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
