//! Nothing that a step started outlives the engine, also if the engine is killed.
//!
//! The kernel can send a signal to the child of a parent that dies, but only one that was forked, with code of its own
//! between fork and exec; and it means the death of the thread that forked. So a second process watches (see
//! docs/decisions): it holds one end of a pipe whose other end the engine holds, and when the engine is gone, however it
//! went, it ends all processes that carry the engine's token in their environment, whatever group they are in. While the
//! engine lives it costs nothing.

use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The first argument of the process that watches.
pub const ARGUMENT: &str = "watch-processes";

/// The variable that all programs of this engine have.
pub const VARIABLE: &str = "MLP_ENGINE";

/// What programs have to end by themselves once the engine is gone.
const GRACE: Duration = Duration::from_secs(2);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// One for this process: it ends when the process does.
static WATCHER: OnceLock<Option<Child>> = OnceLock::new();

/// What tells this engine's programs from all others.
pub fn token() -> &'static str {
    static TOKEN: OnceLock<String> = OnceLock::new();
    TOKEN.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        format!("{}-{:x}", std::process::id(), now.as_nanos())
    })
}

/// Starts the watching process, once: `program watch-processes TOKEN`. That it cannot be started is no reason not to run.
pub fn start(program: Option<&PathBuf>) {
    let Some(program) = program else { return };
    WATCHER.get_or_init(|| {
        let mut command = Command::new(program);
        command.args([ARGUMENT, token()]).env_clear().process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = command.spawn();
        if let Err(error) = &started {
            tracing::warn!(%error, "programs would outlive this engine if it were killed: their watcher cannot start");
        }
        started.ok()
    });
}

/// What the watching process does. Returns when nothing is left to end.
pub fn watch(token: &str) {
    // Nobody writes: this returns when the engine is gone.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    let gone = Instant::now();
    let mut asked = HashSet::new();
    loop {
        let left = carriers(token);
        if left.is_empty() {
            return;
        }
        for process in left {
            if gone.elapsed() > GRACE {
                let _ = kill_process(process, Signal::KILL);
            } else if asked.insert(process) {
                let _ = kill_process(process, Signal::TERM);
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// All processes with this token.
fn carriers(token: &str) -> Vec<Pid> {
    let wanted = format!("{VARIABLE}={token}");
    let carries = |number: &i32| {
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
    };
    let names = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let numbers = names.filter_map(|name| name.to_str()?.parse().ok());
    numbers.filter(carries).filter_map(Pid::from_raw).collect()
}
