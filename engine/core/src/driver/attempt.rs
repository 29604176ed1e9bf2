//! One attempt at a node: a private folder, the work, the checks, the publishing, and no trace left.

use super::Context;
use super::logs::NodeLog;
use super::outputs;
use crate::artifacts::{self, Published};
use crate::canonical;
use crate::digest::Digest;
use crate::disk::{self, At, DiskError, Stamp};
use crate::executor::{ArtifactMeta, Cancel, Given, Job, Produced, StepError, Task};
use crate::outside::{GivenFile, Outside, OutsideFile};
use crate::project::file_name;
use crate::record::{Failure, Millis, Verdict};
use crate::verdict::{self, Profile};
use mlp_lang::finding::{Code, Finding, Place};
use mlp_lang::pipeline::{DataNode, NodeKind, Pipeline};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a reader of tables says, too, if it sees the file change under its hands.
const FILE_CHANGED: Code = Code::new("D0005", "file-changed");
/// The output of a data node that holds its statistics.
pub(crate) const PROFILE: &str = "profile";
/// The output of a data node that holds its rows.
const ROWS: &str = "rows";
/// Above this an output is hashed on a thread that may block.
const SMALL: u64 = 256 << 10;

/// What to attempt.
pub(super) struct Attempt {
    pub context: Arc<Context>,
    pub pipeline: Arc<Pipeline>,
    pub node: usize,
    pub attempt: u32,
    pub manifest: Vec<u8>,
    pub fingerprint: Digest,
    pub started: Millis,
    pub inputs: BTreeMap<String, Given>,
    pub file: Option<OutsideFile>,
    /// What a program is given of the project, as it was planned with.
    pub given: BTreeMap<String, GivenFile>,
    pub cancel: Cancel,
}

/// What came of it.
pub(super) struct Finished {
    pub node: usize,
    pub attempt: u32,
    pub fingerprint: Digest,
    pub manifest: Vec<u8>,
    pub started: Millis,
    /// How a table's expectations came out.
    pub judged: Option<(bool, Vec<Verdict>)>,
    pub result: Attempted,
}

/// What an attempt gave.
pub(super) enum Attempted {
    /// Published outputs.
    Gave(Vec<Published>),
    /// Nothing.
    Failed { failure: Failure, transient: bool },
}

impl Attempted {
    fn failed(kind: &str, message: impl Into<String>) -> Attempted {
        let failure = Failure { message: message.into(), findings: Vec::new(), kind: kind.to_owned() };
        Attempted::Failed { failure, transient: false }
    }

    fn operational(error: &DiskError) -> Attempted {
        Attempted::failed("operational", error.to_string())
    }
}

impl Attempt {
    /// Makes it. Whatever happens in it, an answer comes and the folder is gone.
    pub async fn make(self) -> Finished {
        let name = self.pipeline.nodes[self.node].name.clone();
        let folder = format!("{:06}-{}-{}", self.context.run, file_name(&name), self.attempt);
        let work = self.context.project.work().join(folder);
        let out = work.join("out");
        let mut judged = None;
        let made = make_work(&work, &out);
        let result = match (&made, &self.pipeline.nodes[self.node].kind) {
            (Err(error), _) => Attempted::operational(error),
            (Ok(()), NodeKind::Data(data)) => self.data(data.clone(), &out, &mut judged).await,
            (Ok(()), kind) => match Task::of(kind) {
                Some(task) => self.step(&name, task, &work, &out).await,
                None => Attempted::failed("operational", "only data and steps are attempted"),
            },
        };
        if made.is_ok() && !removed_when_empty(&work, &out) {
            let gone = tokio::task::spawn_blocking(move || disk::remove_tree(&work)).await;
            if let Ok(Err(error)) = gone {
                // Swept up when the project is next opened.
                tracing::warn!(%error, "a work folder stays behind");
            }
        }
        let Attempt { node, attempt, fingerprint, manifest, started, .. } = self;
        Finished { node, attempt, fingerprint, manifest, started, judged, result }
    }

    async fn step(&self, name: &str, task: Task, work: &Path, out: &Path) -> Attempted {
        let log_path = self.context.project.log(self.context.run, name, self.attempt);
        let observer = self.context.observer.clone();
        let log = Arc::new(NodeLog::new(name, log_path, observer, self.context.clock.clone()));
        let job = Job {
            task: task.clone(),
            node: name.to_owned(),
            attempt: self.attempt,
            inputs: self.inputs.clone(),
            work: work.to_owned(),
            out: out.to_owned(),
            fingerprint: self.fingerprint,
            log,
            cancel: self.cancel.clone(),
        };
        let executor = self.context.parts.executor.clone();
        // A task of its own: a panic in an executor fails its step, not the run.
        let produced = match tokio::spawn(async move { executor.run(job).await }).await {
            Ok(Ok(produced)) => produced,
            Ok(Err(error)) => return step_failed(error),
            Err(error) => {
                let name = self.context.parts.executor.name();
                return Attempted::failed("operational", format!("the {name} executor panicked: {error}"));
            }
        };
        if let Some(changed) = self.changed() {
            return changed;
        }
        let tables = self.context.parts.tables.clone();
        let (project, out) = (self.context.project.clone(), out.to_owned());
        let heavy = outputs::take_long(task.outputs())
            || produced.values().any(|it| std::fs::metadata(&it.path).is_ok_and(|meta| meta.len() > SMALL));
        let publish = move || publish_step(&project, &task, produced, &out, tables.as_ref());
        match heavy {
            true => blocking(publish).await,
            false => publish(),
        }
    }

    /// The first thing of the project that is not any more what the program was planned with: what it saw is not known.
    fn changed(&self) -> Option<Attempted> {
        let outside = Outside { store: &self.context.store, read_only: false };
        let is_other = |given: &&GivenFile| outside.digest(given).ok().flatten() != given.digest;
        let shown = &self.given.values().find(is_other)?.shown;
        let place = Place::Data { path: shown.as_str().into(), row: None, line: None, column: None };
        let message = format!("{shown} was changed or replaced while the step ran");
        let finding = Finding::error(FILE_CHANGED, place, message);
        Some(bad_data(shown, vec![finding.help("run the same command again once it is complete")]))
    }

    async fn data(&self, data: DataNode, out: &Path, judged: &mut Option<(bool, Vec<Verdict>)>) -> Attempted {
        let Some(file) = self.file.clone() else {
            return Attempted::failed("operational", "the file was not looked at before the run");
        };
        let context = self.context.clone();
        let out = out.to_owned();
        let work = move || {
            let mut judged = None;
            let result = import(&context, &data, &file, &out, &mut judged);
            (judged, result)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok((verdicts, result)) => {
                *judged = verdicts;
                result
            }
            Err(error) => Attempted::failed("operational", format!("reading the table panicked: {error}")),
        }
    }
}

/// The folder must be new: what an earlier attempt left in it must never be taken for a result.
fn make_work(work: &Path, out: &Path) -> Result<(), DiskError> {
    std::fs::create_dir(work).at("make the folder", work)?;
    std::fs::create_dir(out).at("make the folder", out)
}

/// Most attempts leave nothing but two empty folders: two calls instead of a walk.
fn removed_when_empty(work: &Path, out: &Path) -> bool {
    std::fs::remove_dir(out).is_ok() && std::fs::remove_dir(work).is_ok()
}

async fn blocking(work: impl FnOnce() -> Attempted + Send + 'static) -> Attempted {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Attempted::failed("operational", format!("checking the outputs panicked: {error}")),
    }
}

fn publish_step(
    project: &crate::project::Project,
    task: &Task,
    mut produced: BTreeMap<String, Produced>,
    out: &Path,
    tables: &dyn crate::executor::Tables,
) -> Attempted {
    // All are checked before any is published: a step gives everything or nothing.
    let mut checked: Vec<(&String, PathBuf, ArtifactMeta)> = Vec::new();
    for (name, ty) in task.outputs() {
        let what = || format!("{} did not give what it declares: output `{name}`", task.describe());
        let Some(file) = produced.remove(name) else {
            return Attempted::failed("output", format!("{} is missing", what()));
        };
        match outputs::check(&file, ty, out, tables) {
            Ok((path, meta)) => checked.push((name, path, meta)),
            Err(why) => return Attempted::failed("output", format!("{} {why}", what())),
        }
    }
    let mut published = Vec::new();
    for (name, path, meta) in checked {
        match artifacts::publish(project, name, &path, meta) {
            Ok(artifact) => published.push(artifact),
            Err(error) => return Attempted::operational(&error),
        }
    }
    Attempted::Gave(published)
}

/// Reads a file from outside, judges the table, and publishes it if it is as expected.
fn import(
    context: &Context,
    data: &DataNode,
    file: &OutsideFile,
    out: &Path,
    judged: &mut Option<(bool, Vec<Verdict>)>,
) -> Attempted {
    let shown = data.source.path();
    let rows = out.join("rows.parquet");
    let imported = match context.parts.tables.import(data, &file.path, shown, &rows) {
        Ok(imported) => imported,
        Err(findings) => return bad_data(shown, findings),
    };
    let now = std::fs::metadata(&file.path).map(|meta| Stamp::of(&meta)).ok();
    if file.content.is_none_or(|(_, planned)| Some(planned) != now) {
        let place = Place::Data { path: shown.into(), row: None, line: None, column: None };
        let message = format!("{shown} was changed or replaced while it was read");
        let finding = Finding::error(FILE_CHANGED, place, message);
        return bad_data(shown, vec![finding.help("run the same command again once the file is complete")]);
    }
    let profile = Profile { rows: imported.rows, stats: imported.stats };
    let (passed, verdicts) = verdict::judge_data(data, &profile, context.clock.now());
    let failure = (!passed).then(|| not_as_expected(data, &verdicts));
    *judged = Some((passed, verdicts));
    if let Some(failure) = failure {
        return Attempted::Failed { failure, transient: false };
    }
    let path = out.join("profile.json");
    let bytes = match serde_json::to_vec(&profile) {
        Ok(bytes) => bytes,
        Err(error) => return Attempted::failed("operational", format!("the profile cannot be written: {error}")),
    };
    let meta = |format: &str| ArtifactMeta { format: format.to_owned(), ..ArtifactMeta::default() };
    let publish = || {
        std::fs::write(&path, bytes).at("write", &path)?;
        let table = ArtifactMeta { rows: Some(imported.rows), ..meta("parquet") };
        let rows = artifacts::publish(&context.project, ROWS, &rows, table)?;
        Ok(vec![rows, artifacts::publish(&context.project, PROFILE, &path, meta("json"))?])
    };
    match publish() {
        Ok(published) => Attempted::Gave(published),
        Err(error) => Attempted::operational(&error),
    }
}

fn bad_data(shown: &str, findings: Vec<Finding>) -> Attempted {
    let message = match findings.as_slice() {
        [] => format!("{shown} cannot be used"),
        [one] => one.message.clone(),
        [first, rest @ ..] => format!("{}, and {} more", first.message, rest.len()),
    };
    let failure = Failure { message, findings, kind: "data".to_owned() };
    Attempted::Failed { failure, transient: false }
}

/// What to say of a table that breaks its expectations: each as written, with what was measured.
pub(crate) fn not_as_expected(data: &DataNode, verdicts: &[Verdict]) -> Failure {
    let broken = verdicts.iter().filter(|verdict| !verdict.passes()).map(|verdict| {
        let measured = verdict.measured.iter().filter(|it| !it.held);
        let measured: Vec<String> = measured
            .map(|it| match &it.value {
                Some(value) => format!("{} is {}", it.text, canonical::value(value)),
                None => format!("{} is missing", it.text),
            })
            .collect();
        match measured.is_empty() {
            true => format!("expected {}", verdict.text),
            false => format!("expected {}, but {}", verdict.text, measured.join(", ")),
        }
    });
    let message = format!("{}: {}", data.source.path(), broken.collect::<Vec<_>>().join("; "));
    Failure { message, findings: Vec::new(), kind: "data".to_owned() }
}

fn step_failed(error: StepError) -> Attempted {
    let kind = match &error {
        StepError::BadInput { .. } => "bad_input",
        StepError::Failed(_) => "failed",
        StepError::Transient(_) => "transient",
        StepError::TimedOut { .. } => "timed_out",
        StepError::OutOfMemory { .. } => "out_of_memory",
        StepError::Cancelled => "cancelled",
        StepError::Operational(_) => "operational",
    };
    let place = match &error {
        StepError::BadInput { param, column, .. } => {
            let named = |what, name: &Option<String>| name.as_ref().map(|name| format!("{what} `{name}`"));
            let parts: Vec<String> = [named("setting", param), named("column", column)].into_iter().flatten().collect();
            parts.join(", ")
        }
        _ => String::new(),
    };
    let message = if place.is_empty() { error.to_string() } else { format!("{place}: {error}") };
    let failure = Failure { message, findings: Vec::new(), kind: kind.to_owned() };
    Attempted::Failed { failure, transient: matches!(error, StepError::Transient(_)) }
}
