//! What the engine costs beside the work itself: near-empty steps, each durable, against a bare loop that does no more
//! than make a private folder, write a file, hash it and move it into place.
//!
//! Prints ratios; the seconds depend on the machine and the hour. `cargo bench -p mlp-core [-- nodes]`

use mlp_core::aliases::Aliases;
use mlp_core::digest::Digest;
use mlp_core::engine::Engine;
use mlp_core::executor::{ArtifactMeta, Cancel, Executor, Imported, Job, Produced, StepError, TableInfo, Tables, Task};
use mlp_core::history::History;
use mlp_core::observer::Unobserved;
use mlp_core::project::Project;
use mlp_core::request::{Parts, RunRequest};
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::{Conduct, DataNode, Limits, Node, NodeId, NodeKind, OutputRef, Pipeline, StepNode};
use mlp_lang::span::{Source, Span};
use mlp_lang::types::{Schema, Type};
use mlp_lang::value::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let nodes: usize = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("{nodes} near-empty steps, two at a time");
    for (shape, width) in [("wide", nodes), ("layers of 100", 100), ("chain", 1)] {
        let folder = tempfile::tempdir_in(".")?;
        let project = Project::at(folder.path().join(".mlp"));
        let bare = bare_loop(folder.path(), nodes)?;
        let request = RunRequest {
            pipeline: Arc::new(pipeline(nodes, width, 0)),
            source: Source::new("bench.mlp", ""),
            base: folder.path().to_owned(),
            jobs: 2,
            force: Vec::new(),
            only: Vec::new(),
            keep_going: true,
            aliases: Aliases::none(),
            trigger: None,
        };
        let run = |request: RunRequest| -> Result<Costs, Box<dyn Error>> {
            let parts = Parts { executor: Arc::new(OneFile), tables: Arc::new(NoTables) };
            let (mut engine, open) = timed(|| Engine::open(project.clone(), parts))?;
            let (_, plan) = timed(|| engine.plan(&request.pipeline, &request.base, &[], &request.aliases))?;
            let ran = engine.run(request, Arc::new(Unobserved), Cancel::default());
            let (report, run) = timed(|| runtime.block_on(ran))?;
            let ((), close) = timed(|| -> Result<(), std::convert::Infallible> {
                drop(engine);
                Ok(())
            })?;
            drop(report);
            Ok(Costs { open, plan, run, close })
        };
        let cold = run(request.clone())?;
        let warm = run(request.clone())?;
        let leaf = run(RunRequest { pipeline: Arc::new(pipeline(nodes, width, 1)), ..request })?;
        let (_, history) = timed(|| History::open(&project).runs())?;
        println!(
            "{shape:>14}: cold {:.0} nodes/s, {:.2}x the bare loop ({:.0}/s)",
            nodes as f64 / cold.run.as_secs_f64(),
            cold.run.as_secs_f64() / bare.as_secs_f64(),
            nodes as f64 / bare.as_secs_f64(),
        );
        for (name, costs) in [("cold", cold), ("warm", warm), ("one changed", leaf)] {
            let Costs { open, plan, run, close } = costs;
            println!("{name:>14}: open {open:.1?}, plan {plan:.1?}, run {run:.1?}, close {close:.1?}");
        }
        println!("{:>14}: {history:.1?} for three runs", "history");
    }
    Ok(())
}

struct Costs {
    open: Duration,
    plan: Duration,
    run: Duration,
    close: Duration,
}

fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<(T, Duration), E> {
    let start = Instant::now();
    work().map(|result| (result, start.elapsed()))
}

/// The same files without an engine, on one thread, nothing made durable.
fn bare_loop(folder: &Path, nodes: usize) -> std::io::Result<Duration> {
    let start = Instant::now();
    let target = folder.join("bare");
    std::fs::create_dir_all(&target)?;
    for node in 0..nodes {
        let work = folder.join(format!("work-{node}"));
        std::fs::create_dir(&work)?;
        let path = work.join("out");
        let bytes = node.to_string();
        std::fs::write(&path, &bytes)?;
        std::fs::rename(&path, target.join(Digest::of(bytes.as_bytes()).to_string()))?;
        std::fs::remove_dir(&work)?;
    }
    Ok(start.elapsed())
}

/// Layers of this width; each step reads one of the layer above. `changed` is a setting of the last step.
fn pipeline(nodes: usize, width: usize, changed: i64) -> Pipeline {
    let step = |index: usize| {
        let above = index.checked_sub(width).map(|above| NodeId(above as u32));
        let read = |node| ("from".to_owned(), OutputRef { node, output: "out".to_owned() });
        let last = if index + 1 == nodes { changed } else { 0 };
        let step = StepNode {
            module: "bench".to_owned(),
            version: "1.0.0".to_owned(),
            digest: String::new(),
            step: "one_file".to_owned(),
            params: [("n".to_owned(), Value::Int(index as i64)), ("last".to_owned(), Value::Int(last))].into(),
            inputs: above.map(read).into_iter().collect(),
            outputs: [("out".to_owned(), Type::Model("any".to_owned()))].into(),
            limits: Limits::default(),
            conduct: Conduct::default(),
        };
        Node {
            id: NodeId(index as u32),
            name: format!("step_{index}"),
            doc: None,
            span: Span::default(),
            needs: above.into_iter().collect(),
            when: None,
            kind: NodeKind::Step(Arc::new(step)),
        }
    };
    Pipeline {
        name: "bench".to_owned(),
        about: None,
        owner: None,
        tags: Default::default(),
        params: Default::default(),
        tests: Vec::new(),
        nodes: (0..nodes).map(step).collect(),
    }
}

/// Writes its settings into its one output.
struct OneFile;

#[async_trait::async_trait]
impl Executor for OneFile {
    fn name(&self) -> &'static str {
        "bench"
    }

    fn identity(&self, _task: &Task) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    async fn run(&self, job: Job) -> Result<BTreeMap<String, Produced>, StepError> {
        let path = job.out.join("out");
        let text = format!("{:?}", job.task.params());
        std::fs::write(&path, text).map_err(|error| StepError::Operational(error.to_string()))?;
        let meta = ArtifactMeta { flavor: Some("any".to_owned()), ..ArtifactMeta::default() };
        Ok(BTreeMap::from([("out".to_owned(), Produced { path, meta })]))
    }
}

/// There are none.
struct NoTables;

impl Tables for NoTables {
    fn identity(&self, _data: &DataNode) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    fn import(&self, _: &DataNode, _: &Path, _: &str, _: &Path) -> Result<Imported, Vec<Finding>> {
        Err(Vec::new())
    }

    fn concat(&self, _: &Schema, _: &[PathBuf], _: &Path) -> Result<u64, String> {
        Err("there are no tables".to_owned())
    }

    fn inspect(&self, _: &Path) -> Result<TableInfo, String> {
        Err("there are no tables".to_owned())
    }
}
