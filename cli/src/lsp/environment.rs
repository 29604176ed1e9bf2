//! What the documents' world knows, from the disk.

use crate::render::{time, values};
use crate::world::World;
use mlp_core::clock::{Clock, SystemClock};
use mlp_core::history::History;
use mlp_core::metrics::Metrics;
use mlp_core::plan::Decision;
use mlp_core::project::Project;
use mlp_core::view::RunView;
use mlp_ide::{Environment, LastValue};
use mlp_lang::pipeline::Pipeline;
use mlp_lang::signature::Modules;
use mlp_lang::types::MetricField;
use mlp_live::home::Home;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long it is believed what a journal said: a list of metrics asks for each of them.
const BELIEVED: Duration = Duration::from_secs(2);

/// How many runs are looked through for one of a file.
const MOST_RUNS: usize = 20;

/// Modules by folder, and the last run of each file.
#[derive(Default)]
pub struct Disk {
    worlds: Mutex<HashMap<PathBuf, Arc<World>>>,
    runs: Mutex<HashMap<String, Asked>>,
}

/// When the last run of a file was asked for, and what it was.
type Asked = (Instant, Option<Arc<LastRun>>);

/// What a run measured.
struct LastRun {
    run: u64,
    started: i64,
    /// By node and output.
    metrics: HashMap<(String, String), Metrics>,
}

impl Disk {
    /// Forgets what was read: something on the disk is another.
    pub fn forget(&self) {
        lock(&self.worlds).clear();
    }

    /// The world of the documents in a folder.
    fn world(&self, path: &str) -> Arc<World> {
        let folder = crate::files::base_of(Path::new(path));
        lock(&self.worlds).entry(folder).or_insert_with(|| Arc::new(World::around(Path::new(path)))).clone()
    }

    /// The last run of a file, as its project's journals have it.
    fn last_run(&self, path: &str) -> Option<Arc<LastRun>> {
        if let Some((at, known)) = lock(&self.runs).get(path)
            && at.elapsed() < BELIEVED
        {
            return known.clone();
        }
        let found = last_run(Path::new(path)).map(Arc::new);
        lock(&self.runs).insert(path.to_owned(), (Instant::now(), found.clone()));
        found
    }
}

impl Environment for Disk {
    fn modules(&self, path: &str, ask: &mut dyn FnMut(&dyn Modules)) {
        ask(self.world(path).modules());
    }

    fn last_value(&self, path: &str, node: &str, output: &str, metric: &MetricField) -> Option<LastValue> {
        let last = self.last_run(path)?;
        let metrics = last.metrics.get(&(node.to_owned(), output.to_owned()))?;
        let value = metrics.value(&metric.name, &metric.ty)?;
        let run = format!("run {}, {}", last.run, time::ago(last.started, SystemClock.now()));
        Some(LastValue { value: values::value(&value), run })
    }

    fn plan(&self, path: &str, pipeline: &Pipeline) -> Option<String> {
        let world = self.world(path);
        let project = Project::discover(Path::new(path));
        let aliases = Home::of(&project).aliases().ok()?;
        let history = History::open(&project);
        let plan = history.plan(&world.parts(None), pipeline, world.base(), &[], &aliases).ok()?;
        let steps = plan.nodes.iter().filter(|node| node.kind == "step");
        let would_run = steps.filter(|node| matches!(node.decision, Decision::Run { .. })).count();
        Some(match would_run {
            0 => "nothing would run".to_owned(),
            1 => "1 step would run".to_owned(),
            many => format!("{many} steps would run"),
        })
    }
}

fn last_run(path: &Path) -> Option<LastRun> {
    let project = Project::discover(path);
    if !project.state.is_dir() {
        return None;
    }
    let history = History::open(&project);
    let newest = history.runs().ok()?;
    // A run knows its file as somebody wrote it, from wherever that was.
    let name = path.file_name()?;
    let of_file = newest.iter().rev().take(MOST_RUNS).filter(|run| Path::new(&run.file).file_name() == Some(name));
    of_file.filter_map(|run| history.run(&run.run.to_string()).ok()).map(|view| measured(&history, &view)).find(|run| {
        // A run that failed before it measured anything tells nothing.
        !run.metrics.is_empty()
    })
}

fn measured(history: &History, view: &RunView) -> LastRun {
    let mut metrics = HashMap::new();
    for node in &view.nodes {
        for output in node.outputs.iter().filter(|output| output.meta.format == "json") {
            let parsed = history.artifact_bytes(output).and_then(|bytes| Metrics::parse(&bytes).ok());
            metrics.extend(parsed.map(|parsed| ((node.name.clone(), output.output.clone()), parsed)));
        }
    }
    LastRun { run: view.started.run, started: view.started.at, metrics }
}

/// What is kept here is whole whatever panicked: entries are only put in and taken out.
fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
