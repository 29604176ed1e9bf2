//! Does a step's output hold what the pipeline says it holds?

use crate::executor::{ArtifactMeta, Produced, Tables};
use crate::metrics::Metrics;
use mlp_lang::pipeline::StepNode;
use mlp_lang::types::{Schema, Type};
use std::path::Path;

/// A metrics file is read whole, also by whoever looks at it later.
const LARGEST_METRICS: u64 = 64 << 20;

/// Whether any output is a table, which takes a moment to look into.
pub(super) fn are_tables(step: &StepNode) -> bool {
    step.outputs.values().any(|ty| matches!(ty, Type::Dataset(_)))
}

/// Checks one output and completes what is known of it. The error fits after "output `x`".
pub(super) fn check(file: &Produced, ty: &Type, out: &Path, tables: &dyn Tables) -> Result<ArtifactMeta, String> {
    let meta = std::fs::symlink_metadata(&file.path).map_err(|error| format!("cannot be read: {error}"))?;
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
        other => return Err(format!("is declared as something a step cannot give: {other:?}")),
    }
    Ok(known)
}

/// Without following links on the way: a link out of the folder would publish somebody else's file.
fn lies_in(path: &Path, out: &Path) -> bool {
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
