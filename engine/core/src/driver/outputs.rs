//! Does a step's output hold what the pipeline says it holds?

use crate::executor::{ArtifactMeta, Produced, Tables};
use crate::folder;
use crate::metrics::Metrics;
use indexmap::IndexMap;
use mlp_lang::types::{Schema, Type};
use std::path::{Path, PathBuf};

/// A metrics file is read whole, also by whoever looks at it later.
const LARGEST_METRICS: u64 = 64 << 20;

/// Whether any output is a table or a folder, which takes a moment to look into.
pub(super) fn take_long(outputs: &IndexMap<String, Type>) -> bool {
    outputs.values().any(|ty| matches!(ty, Type::Dataset(_) | Type::Folder))
}

/// Checks one output and completes what is known of it; the file that is to be published. The error fits after
/// "output `x`".
pub(super) fn check(
    file: &Produced,
    ty: &Type,
    out: &Path,
    tables: &dyn Tables,
) -> Result<(PathBuf, ArtifactMeta), String> {
    let meta = std::fs::symlink_metadata(&file.path).map_err(|error| format!("cannot be read: {error}"))?;
    if *ty == Type::Folder {
        if !meta.is_dir() {
            return Err("is not a folder".to_owned());
        }
        // Beside what the step wrote: no name that it can have.
        let packed = file.path.with_file_name(format!("{}\u{1}packed", file_name(&file.path)));
        folder::pack(&file.path, &packed).map_err(|error| error.to_string())?;
        return Ok((packed, ArtifactMeta { format: "folder".to_owned(), ..file.meta.clone() }));
    }
    if !meta.is_file() {
        return Err("is not a plain file".to_owned());
    }
    if !lies_in(&file.path, out) {
        return Err("lies outside the folder for outputs".to_owned());
    }
    let mut known = file.meta.clone();
    match ty {
        Type::Dataset(schema) => {
            let found = tables.inspect(&file.path).map_err(|why| format!("is not a readable table: {why}"))?;
            compare(schema, &found.columns)?;
            known.format = "parquet".to_owned();
            known.rows = Some(found.rows);
        }
        Type::Model(flavor) => {
            if meta.len() == 0 {
                return Err("is an empty model".to_owned());
            }
            match &known.flavor {
                Some(given) if given == flavor => {}
                Some(given) => return Err(format!("is a `{given}`, declared is `{flavor}`")),
                None => return Err(format!("does not say its flavor, declared is `{flavor}`")),
            }
            known.format = "model".to_owned();
        }
        Type::Metrics(fields) => {
            if meta.len() > LARGEST_METRICS {
                return Err(format!("has {} bytes of metrics, more than {LARGEST_METRICS}", meta.len()));
            }
            let bytes = std::fs::read(&file.path).map_err(|error| format!("cannot be read: {error}"))?;
            let metrics = Metrics::parse(&bytes).map_err(|why| format!("is not a metrics file: {why}"))?;
            metrics.fits(fields).map_err(|why| format!("does not fit: {why}"))?;
            known.format = "json".to_owned();
        }
        Type::File => {
            if meta.len() == 0 {
                return Err("is an empty file".to_owned());
            }
            known.format = "file".to_owned();
        }
        other => return Err(format!("is declared as something a step cannot give: {other:?}")),
    }
    Ok((file.path.clone(), known))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Without following links on the way: a link out of the folder would publish somebody else's file.
fn lies_in(path: &Path, out: &Path) -> bool {
    // Most lie right in it, and are no links: nothing on the way to ask about.
    if path.parent() == Some(out) {
        return true;
    }
    match (path.canonicalize(), out.canonicalize()) {
        (Ok(path), Ok(out)) => path.starts_with(out),
        _ => false,
    }
}

/// The same columns, by name, each with the same storage. Which cells may be missing is not compared: a step may mark
/// a column as nullable and have no missing cell.
fn compare(declared: &Schema, found: &[mlp_lang::types::Column]) -> Result<(), String> {
    for column in &declared.columns {
        let Some(there) = found.iter().find(|it| it.name == column.name) else {
            return Err(format!("lacks the column `{}`", column.name));
        };
        if storage(&there.ty) != storage(&column.ty) {
            let (is, wanted) = (crate::canonical::ty(&there.ty), crate::canonical::ty(&column.ty));
            return Err(format!("has the column `{}` as {is}, declared is {wanted}", column.name));
        }
    }
    match found.iter().find(|it| declared.column(&it.name).is_none()) {
        Some(extra) => Err(format!("has a column `{}` that is not declared", extra.name)),
        None => Ok(()),
    }
}

/// How a type is stored: enums are strings, fractions floats, durations and sizes whole numbers.
fn storage(ty: &Type) -> Type {
    match ty {
        Type::Enum(_) => Type::String,
        Type::Fraction => Type::Float,
        Type::Duration | Type::Size => Type::Int,
        other => other.clone(),
    }
}
