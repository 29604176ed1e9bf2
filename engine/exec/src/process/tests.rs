//! Programs, run as the driver runs them.

use super::*;
use mlp_core::digest::Digest;
use mlp_core::executor::{Began, Cancel, StepLog, Usage};
use mlp_lang::pipeline::{Conduct, Limits};
use mlp_lang::types::Type;
use mlp_lang::work::Network;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tempfile::TempDir;

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<(String, String)>>,
    usage: Mutex<Option<Usage>>,
}

impl StepLog for Log {
    fn line(&self, level: &str, message: &str) {
        self.lines.lock().unwrap().push((level.to_owned(), message.to_owned()));
    }
    fn progress(&self, _: f64) {}
    fn metric(&self, _: &str, _: f64, _: Option<u64>) {}
    fn usage(&self, usage: Usage) {
        *self.usage.lock().unwrap() = Some(usage);
    }
}

/// A shell that runs `line` and must write `out/a`.
struct Shell {
    top: TempDir,
    log: Arc<Log>,
    job: Job,
}

impl Shell {
    fn new(line: &str, limits: Limits) -> Shell {
        let top = TempDir::new().unwrap();
        let work = top.path().join("work");
        std::fs::create_dir_all(work.join("out")).unwrap();
        let node = ProgramNode {
            runner: Runner::Process,
            run: ["sh", "-c", line].map(str::to_owned).to_vec(),
            params: Default::default(),
            inputs: Default::default(),
            outputs: [("a".to_owned(), Type::File)].into_iter().collect(),
            env: Default::default(),
            secrets: Default::default(),
            network: Network::None,
            platform: None,
            limits,
            conduct: Conduct::default(),
        };
        let log = Arc::new(Log::default());
        let job = Job {
            task: Task::Program(Arc::new(node)),
            node: "s".to_owned(),
            attempt: 1,
            inputs: BTreeMap::new(),
            out: work.join("out"),
            work,
            fingerprint: Digest::of(b"x"),
            log: log.clone(),
            began: Began::default(),
            cancel: Cancel::default(),
        };
        Shell { top, log, job }
    }

    fn executor(&self) -> ProcessExecutor {
        ProcessExecutor::new(ProcessOptions { base: self.top.path().to_owned(), watcher: None })
    }

    fn run(&self) -> Result<BTreeMap<String, Produced>, StepError> {
        runtime().block_on(self.executor().run(self.job.clone()))
    }

    fn said(&self, level: &str) -> Vec<String> {
        let lines = self.log.lines.lock().unwrap();
        lines.iter().filter(|(at, _)| at == level).map(|(_, line)| line.clone()).collect()
    }

    fn usage(&self) -> Usage {
        self.log.usage.lock().unwrap().expect("told at the end")
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// The process whose number the program wrote to a file, once it did.
fn written(path: &Path) -> i32 {
    let begin = Instant::now();
    loop {
        if let Some(number) = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok()) {
            return number;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "it never started");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether it runs; one that nobody has waited for yet does not.
fn is_alive(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn until_dead(process: i32) {
    let begin = Instant::now();
    while is_alive(process) {
        assert!(begin.elapsed() < Duration::from_secs(60), "it lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_it_used_is_told() {
    let shell = Shell::new("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo x > out/a", Limits::default());
    shell.run().unwrap();
    let usage = shell.usage();
    assert!(usage.cpu > Duration::from_millis(5), "{usage:?}");
    assert_eq!(usage.exit, Some(0));
    let failing = Shell::new("exit 7", Limits::default());
    assert!(matches!(failing.run(), Err(StepError::Failed(why)) if why.contains("exit code 7")));
    assert_eq!(failing.usage().exit, Some(7));
    let killed = Shell::new("kill -KILL $$", Limits::default());
    assert!(matches!(killed.run(), Err(StepError::Failed(why)) if why.contains("SIGKILL (signal 9)")));
    assert_eq!(killed.usage().exit, None);
}

#[test]
fn both_streams_are_heard_to_their_end() {
    let line = "yes out | head -n 20000; yes err | head -n 20000 >&2; printf last; echo x > out/a";
    let shell = Shell::new(line, Limits::default());
    shell.run().unwrap();
    assert_eq!((shell.said("stdout").len(), shell.said("stderr").len()), (20001, 20000));
    assert_eq!(shell.said("stdout").last().map(String::as_str), Some("last"));
}

#[test]
fn a_flood_is_bounded_and_counted_and_can_be_stopped() {
    let shell = Shell::new("yes", Limits::default());
    let cancel = shell.job.cancel.clone();
    let canceller = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1_500));
        cancel.set();
    });
    assert!(matches!(shell.run(), Err(StepError::Cancelled)));
    canceller.join().unwrap();
    assert_eq!(shell.said("stdout").len() as u64, MAX_LINES);
    assert!(shell.said("warn")[0].contains("more lines were left out"));
}

#[test]
fn a_program_that_closes_its_output_is_waited_for() {
    let shell = Shell::new("exec >&- 2>&-; sleep 0.2; echo x > out/a", Limits::default());
    shell.run().unwrap();
}

#[test]
fn a_cancelled_program_dies_with_its_children() {
    let shell = Shell::new("sleep 1000 & echo $! > child; wait", Limits::default());
    let cancel = shell.job.cancel.clone();
    let child = shell.job.work.join("child");
    let other = std::thread::spawn(move || {
        let process = written(&child);
        cancel.set();
        process
    });
    assert!(matches!(shell.run(), Err(StepError::Cancelled)));
    assert!(!is_alive(other.join().unwrap()));
}

#[test]
fn a_program_that_does_not_hear_is_killed_when_its_time_is_up() {
    let shell = Shell::new("trap '' TERM; echo $$ > child; while :; do sleep 0.05; done", Limits::default());
    let cancel = shell.job.cancel.clone();
    let child = shell.job.work.join("child");
    let other = std::thread::spawn(move || {
        let process = written(&child);
        cancel.set();
        std::thread::sleep(Duration::from_millis(300));
        let alive = is_alive(process);
        cancel.kill();
        alive
    });
    assert!(matches!(shell.run(), Err(StepError::Cancelled)));
    assert!(other.join().unwrap(), "it was only asked");
}

#[test]
fn a_run_that_is_dropped_leaves_nothing() {
    let shell = Shell::new("sleep 1000 & echo $! > child; wait", Limits::default());
    let (executor, job) = (shell.executor(), shell.job.clone());
    let runtime = runtime();
    let task = runtime.spawn(async move { executor.run(job).await });
    let process = written(&shell.job.work.join("child"));
    task.abort();
    until_dead(process);
}

#[test]
fn who_leaves_the_group_and_holds_the_output_does_not_hold_the_step() {
    let line = "setsid sh -c 'echo $$ > escaped; exec sleep 1000' & while ! test -s escaped; do sleep 0.01; done; echo x > out/a";
    let shell = Shell::new(line, Limits::default());
    shell.run().unwrap();
    let process = written(&shell.job.work.join("escaped"));
    if let Some(process) = rustix::process::Pid::from_raw(process) {
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
}

#[test]
fn too_much_memory_ends_it_also_when_a_child_takes_it() {
    let limits = Limits { memory: Some(50 << 20), ..Limits::default() };
    let shell = Shell::new("(head -c 300000000 /dev/zero | tail) > out/a", limits);
    let told = shell.run();
    assert!(matches!(told, Err(StepError::OutOfMemory { limit, .. }) if limit == 50 << 20), "{told:?}");
}

#[test]
fn the_private_folder_holds_nothing_but_outputs_afterwards() {
    let shell = Shell::new("cat params.json > out/a", Limits::default());
    shell.run().unwrap();
    let left: Vec<_> = std::fs::read_dir(&shell.job.work).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["out"]);
}
