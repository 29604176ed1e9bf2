//! `mlp run`: runs a pipeline to its end, or until it is told to stop.

use super::load::{Loaded, Purpose, forced, load};
use super::resident::{aliases, resident};
use super::{detach, plan, project};
use crate::args::Run;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::progress::{self, Progress};
use crate::render::text::clean;
use crate::render::{json, summary};
use crate::screen::Screen;
use mlp_core::aliases::Aliases;
use mlp_core::engine::{Engine, Options};
use mlp_core::error::EngineError;
use mlp_core::executor::Cancel;
use mlp_core::project::Project;
use mlp_core::request::{Parts, RunReport, RunRequest};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// As long as anybody waits for another run.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Runs a pipeline.
pub fn run(screen: &Screen, args: &Run) -> Result<Exit, Fault> {
    let loaded = match load(screen, &args.file, &args.params, Purpose::Run) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let wanted = How {
        force: forced(&loaded.pipeline, &args.force),
        only: args.only.only.clone(),
        jobs: jobs(args.jobs),
        keep_going: args.keep_going,
        wait: args.wait,
        announce: args.background.announce.as_deref(),
    };
    if args.dry_run {
        return plan::tell(screen, &loaded, &args.file, &wanted);
    }
    if args.background.detach {
        return detach::detach(screen, &project(&screen.options, &args.file), args.wait);
    }
    carry(screen, loaded, &args.file, wanted)
}

/// How a pipeline is run.
pub(super) struct How<'a> {
    /// Nodes to run even if their result is known.
    pub force: Vec<String>,
    /// Only these and what they need; all if empty.
    pub only: Vec<String>,
    pub jobs: usize,
    pub keep_going: bool,
    /// For another run to end.
    pub wait: bool,
    /// The log of a run in the background, to be renamed after the run.
    pub announce: Option<&'a Path>,
}

/// So many as were asked for, else one for each core.
pub(super) fn jobs(asked: Option<u16>) -> usize {
    match asked {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    }
}

/// Runs what was loaded from `file`, shows it, and tells how it ended.
pub(super) fn carry(screen: &Screen, loaded: Loaded, file: &Path, how: How) -> Result<Exit, Fault> {
    let mut progress = progress::on(screen);
    if let Some(path) = how.announce {
        progress = Arc::new(detach::Announced::new(progress, path));
    }
    let teller = progress.clone();
    let parts = loaded.world.parts(Some(Arc::new(move |module: &str| {
        teller.notice(&format!("compiling {} for this machine; this happens once", clean(module)));
    })));
    let project = project(&screen.options, file);
    let aliases = aliases(&project)?;
    let engine = open(project.clone(), parts, how.wait, &*progress)?;
    for note in engine.recovered() {
        progress.notice(&format!("note: {}", clean(note)));
    }
    let report = carry_out(engine, request(loaded, how, aliases), progress.clone());
    // The summary belongs below a tidy screen, even after a fault.
    let written = progress.finish();
    let report = report?;
    written?;
    let asks = !report.view.deployments.is_empty();
    let resident = if asks { resident(&project) } else { None };
    let exit = if asks && resident.is_none() { Exit::waiting(report.outcome) } else { Exit::of(report.outcome) };
    tell(screen, &report, resident, exit)?;
    Ok(exit)
}

fn open(project: Project, parts: Parts, wait: bool, progress: &dyn Progress) -> Result<Engine, Fault> {
    let options = Options { command: detach::as_written(), ..Options::default() };
    match Engine::open_with(project.clone(), parts.clone(), options.clone()) {
        Err(EngineError::Busy { holder }) if wait => {
            let holder = holder.map_or("another process".to_owned(), |holder| holder.to_string());
            progress.notice(&format!("waiting for {}", clean(&holder)));
            let options = Options { wait: FOREVER, ..options };
            Ok(Engine::open_with(project, parts, options)?)
        }
        opened => Ok(opened?),
    }
}

fn request(loaded: Loaded, how: How, aliases: Aliases) -> RunRequest {
    RunRequest {
        force: how.force,
        only: how.only,
        base: loaded.world.base().to_owned(),
        pipeline: Arc::new(loaded.pipeline),
        source: loaded.source,
        jobs: how.jobs,
        keep_going: how.keep_going,
        aliases,
        trigger: None,
    }
}

/// Runs to the end, or until somebody interrupts.
pub(super) fn carry_out(
    mut engine: Engine,
    request: RunRequest,
    progress: Arc<dyn Progress>,
) -> Result<RunReport, Fault> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the threads that run steps").cause(error))?;
    let cancel = Cancel::default();
    let report = runtime.block_on(async {
        let listening = listen(cancel.clone(), progress.clone())?;
        let report = engine.run(request, progress.clone(), cancel).await;
        listening.abort();
        Ok::<_, Fault>(report?)
    });
    // A step that does not listen must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    report
}

/// The first Ctrl-C (or SIGTERM, or the terminal's end) stops the run in good order; the second ends the process at
/// once, which loses nothing that was reported as done.
fn listen(cancel: Cancel, progress: Arc<dyn Progress>) -> Result<tokio::task::JoinHandle<()>, Fault> {
    use tokio::signal::unix::{SignalKind, signal};
    let cannot = |error: std::io::Error| Fault::new("cannot listen for Ctrl-C").cause(error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(cannot)?;
    let asked = AtomicBool::new(false);
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if asked.swap(true, Ordering::SeqCst) {
                let _ = progress.finish();
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
            cancel.set();
            progress.notice("interrupted: stopping what runs; once more to leave at once");
        }
    }))
}

fn tell(screen: &Screen, report: &RunReport, resident: Option<u32>, exit: Exit) -> Result<(), Fault> {
    if screen.is_json() {
        let mut document = json::run(&report.view, false, &[]);
        document["resident"] = resident.into();
        return screen.print_json(&document, true);
    }
    // Quiet is for success: what went wrong, or is left to do, is always told.
    if screen.options.quiet && exit == Exit::Done {
        return Ok(());
    }
    screen.print(&summary::text(&report.view, resident, screen.width()))
}
