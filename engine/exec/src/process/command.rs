//! Which program runs, and what it finds in its environment.

use super::layout::Layout;
use super::watch;
use mlp_core::executor::{Job, StepError};
use mlp_core::secret::Secret;
use mlp_lang::work::ProgramNode;
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Where programs are looked for if `mlp` itself has no `PATH`.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// How often, and with which pauses, a program that is busy is started again.
const BUSY_TRIES: u32 = 100;
const BUSY_PAUSE: Duration = Duration::from_millis(2);

/// Finds programs; remembers where, so that a thousand steps of one program do not walk `PATH` a thousand times.
pub struct Programs {
    base: PathBuf,
    path: OsString,
    found: Mutex<HashMap<String, PathBuf>>,
}

impl Programs {
    /// Relative paths start at `base`.
    pub fn new(base: PathBuf) -> Programs {
        let path = std::env::var_os("PATH").unwrap_or_else(|| USUAL_PATH.into());
        let base = std::path::absolute(&base).unwrap_or(base);
        Programs { base, path, found: Mutex::default() }
    }

    /// The file that a command's first word means. The attempt's files must be there.
    pub fn find(&self, word: &str, job: &Job) -> Result<PathBuf, StepError> {
        if word.contains('/') {
            let name = word.strip_prefix("in/").and_then(|rest| rest.split('/').next());
            let is_input = name.is_some_and(|name| job.inputs.contains_key(name));
            let folder = if is_input { &job.work } else { &self.base };
            let path: PathBuf = folder.join(word).components().collect();
            return match path.metadata() {
                Ok(_) => Ok(path),
                Err(error) => Err(StepError::Failed(format!("cannot start `{word}`, {}: {error}", path.display()))),
            };
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = found.get(word).filter(|known| known.is_file()) {
            return Ok(known.clone());
        }
        let runs =
            |path: &PathBuf| path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
        let path = std::env::split_paths(&self.path).map(|folder| folder.join(word)).find(runs).ok_or_else(|| {
            let beside = self.base.join(word).is_file();
            let help = match beside {
                true => format!("there is one beside the pipeline: write `./{word}` if that is meant"),
                false => "install it, or give its path".to_owned(),
            };
            StepError::Failed(format!("there is no program `{word}` in PATH; {help}"))
        })?;
        let path = std::path::absolute(&path).unwrap_or(path);
        found.insert(word.to_owned(), path.clone());
        Ok(path)
    }

    /// The command, ready to start. Nothing of the engine's own environment is in it but `PATH`.
    pub fn command(
        &self,
        program: &Path,
        node: &ProgramNode,
        job: &Job,
        layout: &Layout,
        secrets: &[(String, Secret)],
    ) -> Command {
        let mut command = Command::new(program);
        command.args(node.run.iter().skip(1)).current_dir(&job.work).env_clear().process_group(0);
        command.env("PATH", &self.path).env("HOME", &job.work).env("TMPDIR", &job.work);
        command.env("LANG", "C.UTF-8").env("TZ", "UTC");
        for (kind, files) in [("IN", &layout.inputs), ("OUT", &layout.outputs)] {
            for (name, path) in files {
                command.env(format!("MLP_{kind}_{}", name.to_uppercase()), path);
            }
        }
        command.env("MLP_PARAMS", &layout.params).env(watch::VARIABLE, watch::token());
        command.envs(&node.env);
        command.envs(secrets.iter().map(|(name, secret)| (name, secret.reveal())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Words of the command that are files of the project, which the program does not see: they are no inputs.
    pub fn unseen<'a>(&self, node: &'a ProgramNode, job: &Job) -> Option<&'a str> {
        let words = node.run.iter().skip(1).map(String::as_str).filter(|word| !word.starts_with(['-', '/']));
        words.into_iter().find(|word| !job.work.join(word).exists() && self.base.join(word).exists())
    }
}

/// Starts a program. One that was written a moment ago may still be held open for writing by a child of another thread that
/// has not become its own program yet.
pub async fn start(command: &mut Command) -> io::Result<Child> {
    for _ in 0..BUSY_TRIES {
        match command.spawn() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            other => return other,
        }
    }
    command.spawn()
}

/// Why a program that was found did not start.
pub fn not_started(word: &str, program: &Path, error: &io::Error) -> StepError {
    const NO_SUCH: i32 = 2;
    const NO_EXECUTABLE: i32 = 8;
    let why = match error.raw_os_error() {
        Some(NO_SUCH) => "the interpreter that its first line names is not there".to_owned(),
        Some(NO_EXECUTABLE) => {
            "it is no program for this machine: it was built for another one, or its first line does not name an \
             interpreter (`#!/bin/sh`)"
                .to_owned()
        }
        _ if error.kind() == io::ErrorKind::PermissionDenied => {
            "it may not be run by this user: `chmod +x` it, or name its interpreter first".to_owned()
        }
        _ if error.kind() == io::ErrorKind::ArgumentListTooLong => {
            "its words and its environment are longer than the system allows; hand long values over in a file"
                .to_owned()
        }
        // Too many processes, no memory: not the step's doing.
        _ => return StepError::Operational(format!("cannot start `{word}` ({}): {error}", program.display())),
    };
    StepError::Failed(format!("cannot start `{word}` ({}): {why}", program.display()))
}
