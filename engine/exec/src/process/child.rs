//! One program from its start to its end, with all that it started.
//!
//! A program leads a group of processes of its own. Whatever ends it, what is left of the group is killed before the
//! program itself is waited for: until then the kernel gives its number to nobody else.

use super::output::Stream;
use mlp_core::executor::{Job, StepError, Usage};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process_group, pidfd_open, waitpgid};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::time::MissedTickBehavior;
use wait4::Wait4;

/// How often it is looked whether the program is to stop.
const TICK: Duration = Duration::from_millis(20);
/// How often memory is looked at, in ticks.
const MEMORY_TICKS: u32 = 5;
/// How long the output of a program that has ended is waited for: somebody who left the group may hold it open.
const LINGER: Duration = Duration::from_millis(500);
/// What is read in one go.
const BUFFER: usize = 16 << 10;

/// How a program ended.
pub struct Ended {
    pub status: ExitStatus,
    pub usage: Usage,
    /// It was stopped, for this reason.
    pub stopped: Option<StepError>,
}

/// A program that runs. Dropped, it is killed with its group.
struct Running {
    child: Option<Child>,
    group: Pid,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            let _ = kill_process_group(self.group, Signal::KILL);
            let _ = child.wait4();
        }
    }
}

/// Follows a program to its end. `said` are its standard output and standard error.
pub async fn follow(mut child: Child, job: &Job, said: [Stream; 2]) -> io::Result<Ended> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    let pipes = (child.stdout.take(), child.stderr.take());
    let mut running = Running { child: Some(child), group };
    // Not a pipe, but it can be waited for like one: it becomes readable when the program ends.
    let end = Receiver::from_owned_fd_unchecked(pidfd_open(group, PidfdFlags::NONBLOCK)?)?;
    let [mut out, mut err] = said;
    let mut stdout = pipes.0.map(|pipe| Receiver::from_owned_fd(OwnedFd::from(pipe))).transpose()?;
    let mut stderr = pipes.1.map(|pipe| Receiver::from_owned_fd(OwnedFd::from(pipe))).transpose()?;
    let mut buffers = (vec![0; BUFFER], vec![0; BUFFER]);
    let mut limits = Limits::new(job, group);
    job.began.say();
    let mut over_at: Option<Instant> = None;
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if stdout.is_none() && stderr.is_none() && over_at.is_some() {
            break;
        }
        tokio::select! {
            read = read(&mut stdout, &mut buffers.0), if stdout.is_some() => match read {
                Ok(bytes @ 1..) => out.take(&buffers.0[..bytes]),
                _ => stdout = None,
            },
            read = read(&mut stderr, &mut buffers.1), if stderr.is_some() => match read {
                Ok(bytes @ 1..) => err.take(&buffers.1[..bytes]),
                _ => stderr = None,
            },
            _ = end.readable(), if over_at.is_none() => {
                over_at = Some(Instant::now());
                // What it left behind would go on writing to files that are about to be published.
                let _ = kill_process_group(group, Signal::KILL);
            }
            _ = tick.tick() => {
                match over_at {
                    None => limits.look(),
                    Some(at) if at.elapsed() > LINGER => break,
                    Some(_) => {}
                }
            }
        }
    }
    out.finish();
    err.finish();
    let Some(child) = running.child.take() else { return Err(io::ErrorKind::NotFound.into()) };
    let ended = child.wait4()?;
    // Where nobody else adopts orphans they are ours to reap.
    while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
    let stopped = limits.stopped.take();
    let memory = limits.memory(ended.rusage.maxrss);
    let usage = Usage { cpu: ended.rusage.utime + ended.rusage.stime, memory, exit: ended.status.code() };
    // Between two looks it may have held more than it may: the same program must not now pass and now fail.
    let stopped = stopped.or_else(|| limits.exceeded(memory));
    Ok(Ended { status: ended.status, usage, stopped })
}

async fn read(pipe: &mut Option<Receiver>, buffer: &mut [u8]) -> io::Result<usize> {
    match pipe {
        Some(pipe) => pipe.read(buffer).await,
        None => std::future::pending().await,
    }
}

/// What stops a program before its end.
struct Limits<'a> {
    job: &'a Job,
    group: Pid,
    ticks: u32,
    /// The most that was seen.
    seen: u64,
    stopped: Option<StepError>,
    asked: bool,
    killed: bool,
}

impl Limits<'_> {
    fn new(job: &Job, group: Pid) -> Limits<'_> {
        Limits { job, group, ticks: 0, seen: 0, stopped: None, asked: false, killed: false }
    }

    fn look(&mut self) {
        self.ticks += 1;
        if self.stopped.is_none() {
            let memory = if self.ticks % MEMORY_TICKS == 1 { self.look_at_memory() } else { None };
            self.stopped = if self.job.cancel.is_set() { Some(StepError::Cancelled) } else { memory };
        }
        if self.stopped.is_none() {
            return;
        }
        // Memory that is gone is gone at once.
        let kill = self.job.cancel.is_killed() || matches!(self.stopped, Some(StepError::OutOfMemory { .. }));
        if kill && !self.killed {
            (self.asked, self.killed) = (true, true);
            let _ = kill_process_group(self.group, Signal::KILL);
        } else if !self.asked {
            self.asked = true;
            let _ = kill_process_group(self.group, Signal::TERM);
        }
    }

    fn look_at_memory(&mut self) -> Option<StepError> {
        let limit = self.job.task.limits().memory;
        let held = match limit {
            Some(_) => super::memory::of_group(self.group),
            None => super::memory::peak_of(self.group),
        };
        self.seen = self.seen.max(held);
        self.exceeded(self.seen)
    }

    fn exceeded(&self, held: u64) -> Option<StepError> {
        let limit = self.job.task.limits().memory.filter(|limit| held > *limit)?;
        Some(StepError::OutOfMemory { limit, message: format!("it held {held} bytes") })
    }

    /// The most that it held. The kernel's own figure begins with what the engine held when it started the program, since
    /// the program was a part of it for a moment: below that it says nothing.
    fn memory(&self, peak: u64) -> u64 {
        if super::memory::is_above_own_peak(peak) { peak.max(self.seen) } else { self.seen }
    }
}

/// `exit code 3`, `SIGSEGV (signal 11)`: fits after "ended with".
pub fn describe(status: ExitStatus) -> String {
    const NAMES: [(i32, &str); 12] = [
        (1, "SIGHUP"),
        (2, "SIGINT"),
        (3, "SIGQUIT"),
        (4, "SIGILL"),
        (6, "SIGABRT"),
        (7, "SIGBUS"),
        (8, "SIGFPE"),
        (9, "SIGKILL"),
        (11, "SIGSEGV"),
        (13, "SIGPIPE"),
        (15, "SIGTERM"),
        (24, "SIGXCPU"),
    ];
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match NAMES.iter().find(|(number, _)| *number == signal) {
            Some((number, name)) => format!("{name} (signal {number})"),
            None => format!("signal {signal}"),
        },
        (None, None) => status.to_string(),
    }
}
