//! `mlp run --detach`: the same command in a process of its own, which goes on when the shell is gone.

use crate::exit::Exit;
use crate::fault::Fault;
use crate::progress::Progress;
use crate::screen::Screen;
use mlp_core::observer::Observer;
use mlp_core::project::Project;
use mlp_core::record::Record;
use serde_json::json;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How the process in the background is told where its log is.
const ANNOUNCE: &str = "--announce";
/// How often is looked whether the run has its number.
const GLANCE: Duration = Duration::from_millis(10);
/// With `--wait` the number may come much later; then the process is named instead.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts the command line again without `--detach`, and tells the run's number once it has one.
///
/// What the process would print goes to a file in the state folder, which is renamed after the run as soon as that has its
/// number. If it ends before it has a run, its words and its exit code are this command's.
pub fn detach(screen: &Screen, project: &Project, waits: bool) -> Result<Exit, Fault> {
    let cannot = |error: std::io::Error| Fault::new("cannot start a run in the background").cause(error);
    let folder = project.state.join("detached");
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    let log = folder.join(format!("{}-{}.log", super::now(), std::process::id()));
    let mut child = start(&log).map_err(cannot)?;
    let began = Instant::now();
    loop {
        // In this order: a run that has ended has said its number before.
        let ended = child.try_wait().map_err(cannot)?;
        if let Some(run) = announced(&log) {
            // Only whoever was told of the log by its first name needs that.
            let _ = std::fs::remove_file(&log);
            return told(screen, Some(run), child.id(), &folder.join(named(run)));
        }
        if let Some(status) = ended {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let _ = std::fs::remove_file(&log);
            screen.say(&said);
            return Ok(exit(status.code()));
        }
        if waits && began.elapsed() > PATIENCE {
            return told(screen, None, child.id(), &log);
        }
        std::thread::sleep(GLANCE);
    }
}

fn start(log: &Path) -> std::io::Result<Child> {
    let out = File::create(log)?;
    let mut command = Command::new(std::env::current_exe()?);
    let mut replaced = false;
    for argument in std::env::args_os().skip(1) {
        if !replaced && argument == "--detach" {
            replaced = true;
            command.arg(ANNOUNCE).arg(log);
        } else {
            command.arg(argument);
        }
    }
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    // A group of its own: Ctrl-C in this terminal is not meant for it.
    command.process_group(0).spawn()
}

/// The command line as a person wrote it, for whoever finds the project busy.
pub fn as_written() -> String {
    written(std::env::args())
}

fn written(mut arguments: impl Iterator<Item = String>) -> String {
    let mut words: Vec<String> = Vec::new();
    while let Some(word) = arguments.next() {
        match word == ANNOUNCE && arguments.next().is_some() {
            true => words.push("--detach".to_owned()),
            false => words.push(word),
        }
    }
    words.join(" ")
}

/// What the log of a run in the background is called.
fn named(run: u64) -> String {
    format!("{run:06}.log")
}

/// The run whose log this one became, once it did.
fn announced(log: &Path) -> Option<u64> {
    std::fs::read_link(log).ok()?.file_stem()?.to_str()?.parse().ok()
}

/// Renames a log after its run; its first name goes on to lead to it.
fn announce(log: &Path, run: u64) -> std::io::Result<()> {
    std::fs::rename(log, log.with_file_name(named(run)))?;
    std::os::unix::fs::symlink(named(run), log)
}

fn told(screen: &Screen, run: Option<u64>, pid: u32, log: &Path) -> Result<Exit, Fault> {
    let shown = log.display();
    if screen.is_json() {
        let document = json!({"schema": "mlp.detached/1", "run": run, "pid": pid, "log": shown.to_string()});
        screen.print_json(&document, true)?;
        return Ok(Exit::Done);
    }
    match run {
        Some(run) => {
            screen.print(&format!("run {run}\n"))?;
            if !screen.options.quiet {
                screen.say(&format!(
                    "it goes on in process {pid} and writes to {shown}\nmlp status looks at it, mlp logs {run} -f follows it, mlp cancel {run} stops it\n"
                ));
            }
        }
        None => screen.print(&format!("process {pid} waits for its turn and writes to {shown}\n"))?,
    }
    Ok(Exit::Done)
}

/// As this command's own end; a process that was killed has no code.
fn exit(code: Option<i32>) -> Exit {
    let known = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Blocked, Exit::Waiting, Exit::Interrupted];
    known.into_iter().find(|exit| code == Some(i32::from(exit.code()))).unwrap_or(Exit::Failed)
}

/// Shows a run as another does, and renames its log after it as soon as it has a number.
pub struct Announced {
    inner: Arc<dyn Progress>,
    log: PathBuf,
}

impl Announced {
    /// Whose log this is.
    pub fn new(inner: Arc<dyn Progress>, log: &Path) -> Announced {
        Announced { inner, log: log.to_owned() }
    }
}

impl Observer for Announced {
    fn record(&self, record: &Record) {
        if let Record::RunStarted(started) = record
            && let Err(error) = announce(&self.log, started.run)
        {
            self.inner.notice(&format!("cannot rename {} after run {}: {error}", self.log.display(), started.run));
        }
        self.inner.record(record);
    }

    fn log(&self, node: &str, level: &str, line: &str) {
        self.inner.log(node, level, line);
    }

    fn progress(&self, node: &str, fraction: f64) {
        self.inner.progress(node, fraction);
    }

    fn metric(&self, node: &str, name: &str, value: f64, at: Option<u64>) {
        self.inner.metric(node, name, value, at);
    }
}

impl Progress for Announced {
    fn notice(&self, text: &str) {
        self.inner.notice(text);
    }

    fn finish(&self) -> Result<(), Fault> {
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_found_by_its_first_name_once_it_is_the_log_of_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("1795298974779-12.log");
        std::fs::write(&log, "words").unwrap();
        assert_eq!(announced(&log), None);
        announce(&log, 12).unwrap();
        assert_eq!(announced(&log), Some(12));
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "words");
        assert_eq!(std::fs::read_to_string(folder.path().join("000012.log")).unwrap(), "words");
    }

    #[test]
    fn a_busy_project_names_the_command_that_a_person_wrote() {
        for (given, expected) in [
            ("mlp run x.mlp --announce /tmp/a.log --jobs 2", "mlp run x.mlp --detach --jobs 2"),
            ("mlp run x.mlp", "mlp run x.mlp"),
            ("mlp run --announce", "mlp run --announce"),
        ] {
            assert_eq!(written(given.split(' ').map(str::to_owned)), expected);
        }
    }

    #[test]
    fn the_end_of_the_process_is_the_end_of_the_command() {
        let cases =
            [(Some(0), Exit::Done), (Some(2), Exit::Usage), (Some(130), Exit::Interrupted), (None, Exit::Failed)];
        for (code, expected) in cases {
            assert_eq!(exit(code), expected);
        }
    }
}
