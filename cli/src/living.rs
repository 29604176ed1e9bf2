//! The wiring of a resident engine: what `mlp serve` and `mlp replay` have in common.

use crate::commands::load::Loaded;
use crate::commands::load::{Purpose, missing};
use crate::fault::Fault;
use crate::render::{live, text::clean};
use crate::screen::Screen;
use crate::world::World;
use mlp_core::engine::{Engine, Options};
use mlp_core::error::EngineError;
use mlp_core::executor::Cancel;
use mlp_core::observer::Unobserved;
use mlp_core::project::Project;
use mlp_core::record::Outcome;
use mlp_core::request::RunRequest;
use mlp_lang::pipeline::Pipeline;
use mlp_lang::span::Source;
use mlp_live::clock::LiveClock;
use mlp_live::machine::Told;
use mlp_live::resident::{
    Declared, Parts, Ran, Resident, ResidentError, Runner, Wanted, Witness, start as start_resident,
};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A file that is served.
pub struct Served {
    /// Where it is.
    pub file: PathBuf,
    /// What it says.
    pub loaded: Loaded,
    /// Parameters of the command line, which hold for every run of it.
    pub params: Vec<(String, String)>,
}

/// Threads for a resident engine.
pub fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Fault::new("cannot start the threads that answer requests").cause(error))
}

/// Ready when somebody wants the process to end. A second wish ends it at once: what is written down is durable.
pub fn told_to_stop() -> Result<impl Future<Output = ()>, Fault> {
    use tokio::signal::unix::{SignalKind, signal};
    let cannot = |error: std::io::Error| Fault::new("cannot listen for Ctrl-C").cause(error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(cannot)?;
    let (told, stop) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let mut told = Some(told);
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            match told.take() {
                Some(told) => drop(told.send(())),
                None => std::process::exit(i32::from(crate::exit::Exit::Interrupted.code())),
            }
        }
    });
    Ok(async move {
        let _ = stop.await;
    })
}

/// Starts a resident engine for these files.
pub async fn start(
    screen: &Screen,
    project: &Project,
    served: Vec<Served>,
    clock: LiveClock,
) -> Result<Resident, Fault> {
    let declared = served.iter().map(|served| Declared {
        file: served.file.display().to_string(),
        pipeline: Arc::new(served.loaded.pipeline.clone()),
        base: served.loaded.world.base().to_owned(),
    });
    let declared: Vec<Declared> = declared.collect();
    let worlds: Vec<&World> = served.iter().map(|served| &served.loaded.world).collect();
    let predictors = crate::world::predictors(&worlds);
    let again = served.into_iter().map(|served| File {
        pipeline: served.loaded.pipeline.name.clone(),
        source: served.loaded.source,
        file: served.file,
        params: served.params,
    });
    let runner = Again { project: project.clone(), files: again.collect() };
    let parts = Parts { predictors, runner: Arc::new(runner), witness: Arc::new(Onlooker { screen: screen.clone() }) };
    Ok(start_resident(project, declared, clock, parts).await?)
}

/// What `mlp serve` says first.
pub fn greeting(resident: &Resident) -> String {
    live::greeting(resident.live(), resident.listening())
}

/// Prints what happens.
struct Onlooker {
    screen: Screen,
}

impl Witness for Onlooker {
    fn told(&self, told: &Told) {
        if self.screen.options.quiet {
            return;
        }
        let line = match self.screen.is_json() {
            true => format!("{}\n", live::json_line(told.at, &told.about, &told.words)),
            false => live::line(told.at, &told.about, &told.words),
        };
        // Standard output may be gone; the journal is not.
        let _ = self.screen.print(&line);
    }

    fn warning(&self, words: &str) {
        self.screen.say(&format!("warning: {}\n", clean(words)));
    }
}

/// A file as it was when it was served.
struct File {
    pipeline: String,
    source: Source,
    file: PathBuf,
    params: Vec<(String, String)>,
}

/// Runs pipelines again.
struct Again {
    project: Project,
    files: Vec<File>,
}

#[async_trait::async_trait]
impl Runner for Again {
    async fn run(&self, wanted: Wanted, cancel: Cancel) -> Ran {
        let failed = |words: String| Ran { run: None, outcome: Outcome::Failed, words };
        let Some(file) = self.files.iter().find(|file| file.pipeline == wanted.pipeline) else {
            return failed(format!("the pipeline `{}` is not served", wanted.pipeline));
        };
        let world = World::around(&file.file);
        let pipeline = match check(&world, file, &wanted.params) {
            Ok(pipeline) => pipeline,
            Err(words) => return failed(words),
        };
        let request = RunRequest {
            base: world.base().to_owned(),
            pipeline: Arc::new(pipeline),
            source: file.source.clone(),
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            force: Vec::new(),
            only: Vec::new(),
            keep_going: false,
            trigger: Some(wanted.trigger),
            aliases: wanted.aliases,
        };
        let project = self.project.clone();
        let handle = tokio::runtime::Handle::current();
        let run = move || carry_out(&project, &world, request, cancel, &handle);
        match tokio::task::spawn_blocking(run).await {
            Ok(Ok(ran)) => ran,
            Ok(Err(error)) => failed(error.to_string()),
            Err(error) => failed(format!("the run ended badly: {error}")),
        }
    }
}

fn carry_out(
    project: &Project,
    world: &World,
    request: RunRequest,
    cancel: Cancel,
    handle: &tokio::runtime::Handle,
) -> Result<Ran, EngineError> {
    // Not within `block_on`: an engine that finds a run that was cut off ends it first, which blocks.
    let mut engine = loop {
        // In pieces, so that a stop is heard while somebody else's run holds the project.
        let options = Options { wait: Duration::from_millis(500), ..Options::default() };
        match Engine::open_with(project.clone(), world.parts(None), options) {
            Err(EngineError::Busy { .. }) if !cancel.is_set() => {}
            opened => break opened?,
        }
    };
    let report = handle.block_on(engine.run(request, Arc::new(Unobserved), cancel))?;
    Ok(Ran { run: Some(report.run), outcome: report.outcome, words: live::run_in_words(&report.view) })
}

/// The file as it was, with other parameters.
fn check(world: &World, file: &File, params: &[(String, String)]) -> Result<Pipeline, String> {
    let mut overrides: indexmap::IndexMap<String, String> = file.params.iter().cloned().collect();
    overrides.extend(params.iter().cloned());
    let checked = mlp_lang::check::check(&file.source, world.modules(), &overrides);
    let unable = checked.pipeline.iter().flat_map(|it| missing(&file.source, it, Purpose::Serve));
    let unable: Vec<_> = unable.collect();
    checked.pipeline.filter(|_| unable.is_empty()).ok_or_else(|| {
        let first = checked.findings.iter().chain(&unable).find(|finding| finding.is_error());
        let why = first.map_or("it is not sound".to_owned(), |finding| finding.message.clone());
        format!("{} cannot run with these parameters: {why}", file.file.display())
    })
}

/// The one deployment, or the one named.
pub fn pick_deployment<'a>(names: impl Iterator<Item = &'a str>, wanted: Option<&str>) -> Result<String, Fault> {
    let names: Vec<&str> = names.collect();
    let nothing = "nothing is deployed in this project";
    match (wanted, names.as_slice()) {
        (_, []) => Err(Fault::usage(nothing).next("`mlp serve FILE` lets a file's deployments live")),
        (Some(wanted), names) if names.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), names) => {
            Err(Fault::usage(format!("there is no deployment `{wanted}`"))
                .next(format!("there is {}", names.join(", "))))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, several) => Err(Fault::usage("which deployment?").next(format!("name one of {}", several.join(", ")))),
    }
}

/// A live journal that cannot be read.
pub fn journal_fault(error: mlp_core::journal::JournalError) -> Fault {
    Fault::new(error.to_string())
        .safe("runs and models are untouched; nothing was changed")
        .next("bring the file back from a copy")
}

impl From<ResidentError> for Fault {
    fn from(error: ResidentError) -> Fault {
        let text = error.to_string();
        match error {
            ResidentError::Busy(_) => Fault::new(text)
                .safe("nothing was started or changed")
                .next("look at it with `mlp deploy status`, or stop that process"),
            ResidentError::Listen(_) => Fault::new(text)
                .safe("no request was taken; what is live is as it was")
                .next("free the address, or give the deployment another: `serve = online(port: 8081)`"),
            ResidentError::Journal(error) => journal_fault(error),
            ResidentError::History(error) => error.into(),
            _ => Fault::new(text).safe("what was written down before is kept; `mlp serve` goes on from there"),
        }
    }
}
