//! The files of an attempt: a view of its inputs before it, its outputs after it.
//!
//! ```text
//! <work>/params.json         -> /mlp/params.json
//! <work>/in/<input>.parquet  -> /mlp/in/<input>.parquet    (a hard link to the artifact, or a copy)
//! <out>                      -> /mlp/out                   (the only place that can be written to)
//! ```
//!
//! Making and removing a folder is what a near-empty step costs most, so there is none that is not needed.

use super::Attempt;
use crate::params;
use mlp_core::executor::{Given, StepError};
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Where guests find what [`lay_out`] made.
const INPUTS: &str = "/mlp/in";

/// Where guests write.
const OUTPUTS: &str = "/mlp/out";

/// Makes the folder that the guest will see as `/mlp`.
pub fn lay_out(job: &Attempt) -> Result<PathBuf, StepError> {
    let view = job.work.clone();
    let fail = |what: &str, path: &Path, error: std::io::Error| {
        StepError::Operational(format!("cannot {what} {}: {error}", path.display()))
    };
    let inputs = view.join("in");
    if !job.inputs.is_empty() {
        fs::create_dir(&inputs).map_err(|error| fail("make the folder", &inputs, error))?;
    }
    let out = view.join("out");
    if out != job.out {
        // Never written to: it is there so that a guest that lists /mlp sees what it can open.
        fs::create_dir(&out).map_err(|error| fail("make the folder", &out, error))?;
    }
    for (name, given) in &job.inputs {
        let link = inputs.join(file_name(name, given));
        // Another file system, or too many links: a copy is as good, only slower.
        if fs::hard_link(&given.path, &link).is_err() {
            fs::copy(&given.path, &link).map_err(|error| fail("read the input", &given.path, error))?;
        }
    }
    let params = view.join("params.json");
    let text = params::json(&job.step.params).to_string();
    fs::write(&params, text).map_err(|error| fail("write", &params, error))?;
    Ok(view)
}

/// Where the guest finds this input.
pub fn guest_path(name: &str, given: &Given) -> String {
    format!("{INPUTS}/{}", file_name(name, given))
}

fn file_name(name: &str, given: &Given) -> String {
    match given.meta.format.as_str() {
        "parquet" | "json" => format!("{name}.{}", given.meta.format),
        _ => name.to_owned(),
    }
}

/// The file on this machine that a guest means by `path`, if it is a plain file in its own output folder.
pub fn output(job: &Attempt, output: &str, path: &str) -> Result<PathBuf, StepError> {
    let refuse = |why: &str| StepError::Failed(format!("the output `{output}` is said to be in {path:?}, {why}"));
    let inside = Path::new(path).strip_prefix(OUTPUTS).map_err(|_| refuse("which is not in /mlp/out"))?;
    let mut file = job.out.clone();
    let mut depth = 0;
    for part in inside.components() {
        let Component::Normal(part) = part else { return Err(refuse("which leaves /mlp/out")) };
        file.push(part);
        depth += 1;
        // Each part on its way: a guest can make links that point out of its folder, though it cannot follow them.
        match fs::symlink_metadata(&file) {
            Err(_) => return Err(refuse("but there is no such file")),
            Ok(about) if about.is_symlink() => return Err(refuse("which is a symbolic link; write a plain file")),
            Ok(_) => {}
        }
    }
    match depth > 0 && fs::symlink_metadata(&file).is_ok_and(|about| about.is_file()) {
        true => Ok(file),
        false => Err(refuse("which is not a file")),
    }
}

/// Whether hardly anything can be written to this folder any more.
pub fn is_full(folder: &Path) -> bool {
    const LITTLE: u64 = 256 << 10;
    rustix::fs::statvfs(folder).is_ok_and(|about| about.f_bavail.saturating_mul(about.f_frsize) < LITTLE)
}
