//! The private folder of an attempt: its inputs and settings before it, nothing but its outputs after it.
//!
//! ```text
//! <work>/              the program's current folder, its HOME and its TMPDIR
//! <work>/in/<input>    copies of small inputs, links to large ones
//! <work>/params.json
//! <work>/out/          the driver's, empty
//! ```
//!
//! Inputs are copies where that costs little: a program that runs as root, or that does not care, could otherwise write
//! through to an artifact or to a file of the project.

use crate::params;
use mlp_core::executor::{Given, Job, StepError};
use mlp_core::folder;
use mlp_lang::types::Type;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Up to this size an artifact is copied: little more work than a link.
const SMALL_ARTIFACT: u64 = 64 << 10;

/// Up to this size a file of the project is copied. A link to a script would also let it find the files that lie beside
/// it in the project, which nobody declared.
const SMALL_FILE: u64 = 16 << 20;

/// Where everything lies for one attempt.
pub struct Layout {
    /// By input.
    pub inputs: Vec<(String, PathBuf)>,
    /// By output.
    pub outputs: Vec<(String, PathBuf)>,
    /// The settings.
    pub params: PathBuf,
    /// An input is a folder, which takes longer to remove.
    has_folders: bool,
}

/// Where an attempt's files lie, and whether making them takes so long that it belongs on a thread of its own.
pub fn plan(job: &Job) -> (Layout, bool) {
    let inputs = job.inputs.iter().map(|(name, given)| {
        let path = job.work.join("in").join(file_name(name, &given.ty));
        (name.clone(), path)
    });
    let outputs = job.task.outputs().iter().map(|(name, ty)| (name.clone(), job.out.join(file_name(name, ty))));
    let has_folders = job.inputs.values().any(|given| given.ty == Type::Folder);
    let layout = Layout {
        inputs: inputs.collect(),
        outputs: outputs.collect(),
        params: job.work.join("params.json"),
        has_folders,
    };
    let is_large = |given: &Given| given.meta.format.is_empty() && size(&given.path) > SMALL_ARTIFACT;
    let takes_long = has_folders || job.inputs.values().any(is_large);
    (layout, takes_long)
}

impl Layout {
    /// Makes them. May block.
    pub fn make(&self, job: &Job) -> Result<(), StepError> {
        if !self.inputs.is_empty() {
            let folder = job.work.join("in");
            fs::create_dir(&folder).map_err(|error| failed("make the folder", &folder, &error))?;
        }
        for (name, to) in &self.inputs {
            if let Some(given) = job.inputs.get(name) {
                give(name, given, to)?;
            }
        }
        let text = params::json(job.task.params()).to_string();
        write(&self.params, text.as_bytes(), 0o444).map_err(|error| failed("write", &self.params, &error))
    }

    /// Removes what [`Layout::make`] made. What cannot be removed here goes with the whole folder.
    pub fn remove(&self, job: &Job) {
        if self.has_folders {
            return;
        }
        for (_, path) in &self.inputs {
            let _ = fs::remove_file(path);
        }
        if !self.inputs.is_empty() {
            let _ = fs::remove_dir(job.work.join("in"));
        }
        let _ = fs::remove_file(&self.params);
    }
}

/// Under which name a table is found, and everything else.
pub fn file_name(name: &str, ty: &Type) -> String {
    match ty {
        Type::Dataset(_) => format!("{name}.parquet"),
        Type::Metrics(_) => format!("{name}.json"),
        _ => name.to_owned(),
    }
}

fn give(name: &str, given: &Given, to: &Path) -> Result<(), StepError> {
    let from = &given.path;
    let is_of_project = given.meta.format.is_empty();
    if given.ty == Type::Folder {
        let made = if is_of_project { folder::copy(from, to) } else { folder::unpack(from, to) };
        return made.map_err(|error| StepError::BadInput {
            param: None,
            column: None,
            message: format!("input `{name}`: {error}"),
        });
    }
    let unreadable = |error: std::io::Error| match is_of_project {
        true => StepError::BadInput {
            param: None,
            column: None,
            message: format!("input `{name}`: {} cannot be read: {error}", from.display()),
        },
        false => failed("read", from, &error),
    };
    let about = fs::metadata(from).map_err(unreadable)?;
    if !about.is_file() {
        return Err(unreadable(std::io::Error::other("it is not a file")));
    }
    let most = if is_of_project { SMALL_FILE } else { SMALL_ARTIFACT };
    if about.len() > most {
        return symlink(from, to).map_err(|error| failed("make the link", to, &error));
    }
    // A script stays one that can be run.
    let mode = 0o444 | (about.permissions().mode() & 0o111);
    let bytes = fs::read(from).map_err(unreadable)?;
    write(to, &bytes, mode).map_err(|error| failed("write", to, &error))
}

/// A new file that cannot be written to again.
fn write(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(bytes)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

/// A failure of the machine.
pub fn failed(what: &str, path: &Path, error: &std::io::Error) -> StepError {
    StepError::Operational(format!("cannot {what} {}: {error}", path.display()))
}
