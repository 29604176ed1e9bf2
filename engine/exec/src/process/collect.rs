//! What a program left behind, as outputs.

use super::layout::Layout;
use mlp_core::executor::{ArtifactMeta, Job, Produced, StepError};
use mlp_lang::types::Type;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Names that are listed when an output is not there.
const MOST_NAMES: usize = 8;

/// The declared outputs; all must be there. Whether they fit is for the driver to say.
pub fn outputs(job: &Job, layout: &Layout) -> Result<BTreeMap<String, Produced>, StepError> {
    let mut produced = BTreeMap::new();
    for (name, path) in &layout.outputs {
        let Some(ty) = job.task.outputs().get(name) else { continue };
        match fs::symlink_metadata(path) {
            Ok(about) if about.is_symlink() => resolve(job, layout, name, path)?,
            Ok(_) => {}
            Err(_) => return Err(missing(job, name, path)),
        }
        let (format, flavor) = match ty {
            Type::Dataset(_) => ("parquet", None),
            Type::Metrics(_) => ("json", None),
            // A program cannot say it: the author did.
            Type::Model(flavor) => ("model", Some(flavor.clone())),
            Type::Folder => ("folder", None),
            _ => ("file", None),
        };
        let meta = ArtifactMeta { format: format.to_owned(), flavor, ..ArtifactMeta::default() };
        produced.insert(name.clone(), Produced { path: path.clone(), meta });
    }
    Ok(produced)
}

/// A program that copies links as they are (`cp -a`, `cp -r`) hands a large input on: then the input itself is meant.
fn resolve(job: &Job, layout: &Layout, name: &str, path: &Path) -> Result<(), StepError> {
    let target = path.canonicalize().ok();
    let is_input = layout.inputs.iter().any(|(_, input)| target.is_some() && input.canonicalize().ok() == target);
    let shown = shown(job, path);
    match target.filter(|_| is_input) {
        Some(target) => fs::remove_file(path)
            .and_then(|()| fs::copy(target, path))
            .map(|_| ())
            .map_err(|error| super::layout::failed("copy to", path, &error)),
        None => Err(StepError::Failed(format!("output `{name}`: {shown} is a symbolic link; write a plain file"))),
    }
}

fn missing(job: &Job, name: &str, path: &Path) -> StepError {
    let mut there: Vec<String> = fs::read_dir(&job.out)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    there.sort();
    let more = there.len().saturating_sub(MOST_NAMES);
    there.truncate(MOST_NAMES);
    let found = match (there.is_empty(), more) {
        (true, _) => "there is nothing in out/".to_owned(),
        (false, 0) => format!("in out/ there is: {}", there.join(", ")),
        (false, more) => format!("in out/ there is: {}, and {more} more", there.join(", ")),
    };
    StepError::Failed(format!(
        "`{}` ended well, but output `{name}` is missing: it must write {}, which MLP_OUT_{} names; {found}",
        job.task.command(),
        shown(job, path),
        name.to_uppercase(),
    ))
}

/// As the program sees it: `out/rows.parquet`.
fn shown(job: &Job, path: &Path) -> String {
    path.strip_prefix(&job.work).unwrap_or(path).display().to_string()
}
