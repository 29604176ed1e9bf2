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

/// How often is looked whether the run has its number.
const GLANCE: Duration = Duration::from_millis(10);
/// With `--wait` the number may come much later; then the process is named instead.
const PATIENCE: Duration = Duration::from_secs(2);

/// Starts the command line again without `--detach`, and tells the run's number once it has one.
///
/// What the process would print goes to a file in the state folder. If it ends before it has a run, its words and its exit
/// code are this command's.
pub fn detach(screen: &Screen, project: &Project, waits: bool) -> Result<Exit, Fault> {
    let cannot = |error: std::io::Error| Fault::new("cannot start a run in the background").cause(error);
    let folder = project.state.join("detached");
    std::fs::create_dir_all(&folder).map_err(cannot)?;
    let name = format!("{}-{}", super::now(), std::process::id());
    let (log, announced) = (folder.join(format!("{name}.log")), folder.join(format!("{name}.run")));
    let mut child = start(&log, &announced).map_err(cannot)?;
    let began = Instant::now();
    loop {
        // In this order: a run that has ended has said its number before.
        let ended = child.try_wait().map_err(cannot)?;
        if let Some(run) = std::fs::read_to_string(&announced).ok().and_then(|text| text.trim().parse::<u64>().ok()) {
            let _ = std::fs::remove_file(&announced);
            let kept = folder.join(format!("{run:06}.log"));
            let log = if std::fs::rename(&log, &kept).is_ok() { kept } else { log };
            return told(screen, Some(run), child.id(), &log);
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

fn start(log: &Path, announced: &Path) -> std::io::Result<Child> {
    let out = File::create(log)?;
    let mut command = Command::new(std::env::current_exe()?);
    let mut replaced = false;
    for argument in std::env::args_os().skip(1) {
        if !replaced && argument == "--detach" {
            replaced = true;
            command.arg("--announce").arg(announced);
        } else {
            command.arg(argument);
        }
    }
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    // A group of its own: Ctrl-C in this terminal is not meant for it.
    command.process_group(0).spawn()
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

/// Shows a run as another does, and says its number in a file as soon as it has one.
pub struct Announced {
    inner: Arc<dyn Progress>,
    path: PathBuf,
}

impl Announced {
    /// In this file.
    pub fn new(inner: Arc<dyn Progress>, path: &Path) -> Announced {
        Announced { inner, path: path.to_owned() }
    }
}

impl Observer for Announced {
    fn record(&self, record: &Record) {
        if let Record::RunStarted(started) = record {
            let aside = self.path.with_extension("new");
            let written = std::fs::write(&aside, format!("{}\n", started.run));
            if let Err(error) = written.and_then(|()| std::fs::rename(&aside, &self.path)) {
                self.inner.notice(&format!("cannot write {}: {error}", self.path.display()));
            }
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
    fn the_end_of_the_process_is_the_end_of_the_command() {
        let cases =
            [(Some(0), Exit::Done), (Some(2), Exit::Usage), (Some(130), Exit::Interrupted), (None, Exit::Failed)];
        for (code, expected) in cases {
            assert_eq!(exit(code), expected);
        }
    }
}
