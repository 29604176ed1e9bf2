//! `mlp test`: runs the tests of files, each in a state folder that nobody else sees.

use super::load::{Purpose, missing, overrides, refused};
use super::run::carry_out;
use crate::args::{Output, Test};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::files;
use crate::progress::silent::Silent;
use crate::render::testing::{self, Line, Told};
use crate::render::text::clean;
use crate::screen::Screen;
use crate::world::World;
use indexmap::IndexMap;
use mlp_core::aliases::Aliases;
use mlp_core::engine::Engine;
use mlp_core::project::Project;
use mlp_core::record::Outcome;
use mlp_core::request::{Parts, RunRequest};
use mlp_core::view::{NodeState, NodeView, RunView};
use mlp_lang::check::check;
use mlp_lang::finding::Finding;
use mlp_lang::pipeline::Pipeline;
use mlp_lang::span::Source;
use mlp_lang::testing::{Ending, Expected, ExpectedKind, TestCase, TestRun};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file with its tests, ready to run.
struct Ready {
    source: Source,
    /// The file and all that it uses.
    sources: Vec<Source>,
    world: World,
    tests: Vec<(TestCase, TestRun)>,
}

/// Runs the tests of every file. Nothing runs when any of the files, or a test's own parameters, are wrong.
pub fn test(screen: &Screen, args: &Test) -> Result<Exit, Fault> {
    let given = overrides(&args.params, args.files.first().map_or(Path::new("."), PathBuf::as_path))?;
    let mut ready: Vec<Ready> = Vec::new();
    let mut found: Vec<Finding> = Vec::new();
    for path in paths(&args.files)? {
        let source = files::read(&path)?;
        let world = World::around(&path);
        let (tests, findings, sources) = prepare(&source, &world, &given, args.filter.as_deref());
        found.extend(findings);
        ready.push(Ready { source, sources, world, tests });
    }
    if found.iter().any(Finding::is_error) {
        let sources: Vec<Source> = ready.into_iter().flat_map(|file| file.sources).collect();
        return refused(screen, &found, &sources)?.end();
    }
    if ready.iter().all(|file| file.tests.is_empty()) {
        let fault = match &args.filter {
            Some(filter) => Fault::usage(format!("no test has `{filter}` in its name")),
            None => Fault::usage("there are no tests"),
        };
        return Err(
            fault.next("write one: `test \"what it shows\" { with customers = csv(\"...\")  expect customers fails }`")
        );
    }
    let mut told = Vec::new();
    let mut interrupted = false;
    for file in &ready {
        if interrupted || file.tests.is_empty() {
            continue;
        }
        interrupted = run_all(screen, file, &mut told)?;
    }
    tell(screen, &told)?;
    Ok(match () {
        () if interrupted => Exit::Interrupted,
        () if told.iter().all(Told::passed) => Exit::Done,
        () => Exit::Failed,
    })
}

/// Every file meant, each once, in the order given.
fn paths(given: &[PathBuf]) -> Result<Vec<PathBuf>, Fault> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for file in given {
        for path in files::pipelines_at(file)? {
            if !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    Ok(paths)
}

/// The tests of a file that are wanted, each with the run that answers it; what is wrong; and where.
fn prepare(
    source: &Source,
    world: &World,
    given: &IndexMap<String, String>,
    filter: Option<&str>,
) -> (Vec<(TestCase, TestRun)>, Vec<Finding>, Vec<Source>) {
    let checked = check(source, world.modules(), given);
    let Some(pipeline) = checked.pipeline else { return (Vec::new(), checked.findings, checked.sources) };
    let mut tests = Vec::new();
    let mut found = checked.findings;
    for (at, test) in pipeline.tests.iter().enumerate() {
        if filter.is_some_and(|filter| !test.name.contains(filter)) {
            continue;
        }
        let (of_test, findings) = with_params(source, world, given, test);
        // Warnings are those of the file, told already.
        found.extend(findings.into_iter().filter(Finding::is_error));
        let pipeline = match (&of_test, test.params.is_empty()) {
            (Some(of_test), _) => of_test,
            (None, true) => &pipeline,
            (None, false) => continue,
        };
        let Some(test) = pipeline.tests.get(at) else { continue };
        let run = pipeline.for_test(test);
        found.extend(missing(source, &run.pipeline, Purpose::Run));
        tests.push((test.clone(), run));
    }
    (tests, found, checked.sources)
}

/// The file checked again with the parameters of a test; nothing if it has none.
fn with_params(
    source: &Source,
    world: &World,
    given: &IndexMap<String, String>,
    test: &TestCase,
) -> (Option<Pipeline>, Vec<Finding>) {
    if test.params.is_empty() {
        return (None, Vec::new());
    }
    let mut overrides = given.clone();
    overrides.extend(test.params.iter().map(|(name, value)| (name.clone(), value.to_string())));
    let checked = check(source, world.modules(), &overrides);
    (checked.pipeline, checked.findings)
}

/// Runs the tests of one file, in a folder of their own that is gone afterwards. Whether somebody interrupted them.
fn run_all(screen: &Screen, file: &Ready, told: &mut Vec<Told>) -> Result<bool, Fault> {
    let cannot = |error: std::io::Error| Fault::new("cannot make a folder for the tests").cause(error);
    let folder = tempfile::Builder::new().prefix("mlp-test-").tempdir().map_err(cannot)?;
    let project = Project::at(folder.path().join(".mlp"));
    let teller = screen.clone();
    let parts = file.world.parts(Some(Arc::new(move |module: &str| {
        teller.say(&format!("compiling {} for this machine; this happens once\n", clean(module)));
    })));
    if screen.options.output == Output::Text && !screen.options.quiet {
        screen.print(&testing::heading(&file.source.path))?;
    }
    for (test, run) in &file.tests {
        let (outcome, view) = run_one(screen, file, &project, parts.clone(), run)?;
        if outcome == Outcome::Cancelled {
            return Ok(true);
        }
        let this = judge(&file.source, test, run, &view);
        if screen.options.output == Output::Text && (!screen.options.quiet || !this.passed()) {
            screen.print(&testing::told(&this))?;
        }
        told.push(this);
    }
    Ok(false)
}

fn run_one(
    screen: &Screen,
    file: &Ready,
    project: &Project,
    parts: Parts,
    run: &TestRun,
) -> Result<(Outcome, RunView), Fault> {
    let request = RunRequest {
        pipeline: Arc::new(run.pipeline.clone()),
        source: file.source.clone(),
        base: file.world.base().to_owned(),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        force: Vec::new(),
        only: Vec::new(),
        // One thing that fails as expected must not hide another.
        keep_going: true,
        aliases: Aliases::default(),
        trigger: None,
    };
    let engine = Engine::open(project.clone(), parts)?;
    let report = carry_out(engine, request, Arc::new(Silent::new(screen)))?;
    Ok((report.outcome, report.view))
}

/// What came of each line of a test.
fn judge(source: &Source, test: &TestCase, run: &TestRun, view: &RunView) -> Told {
    let lines = test.expectations.iter().zip(&run.told_by).map(|(expected, node)| Line {
        text: expected.text.clone(),
        because: expected.because.clone(),
        line: source.line_column(expected.span.start).0,
        why: why_not(expected, view.node(node)),
    });
    let ended = view.ended.unwrap_or(view.started.at);
    Told {
        file: source.path.to_string(),
        name: test.name.clone(),
        line: source.line_column(test.span.start).0,
        took: ended - view.started.at,
        lines: lines.collect(),
    }
}

/// Why an expectation did not come true; nothing if it did.
fn why_not(expected: &Expected, node: Option<&NodeView>) -> Option<String> {
    let Some(node) = node else { return Some("it was not run".to_owned()) };
    let found = match node.state {
        // Nobody is asked in a test: a gate that would ask has nothing else against it.
        NodeState::Done | NodeState::Reused | NodeState::Passed | NodeState::Asking | NodeState::Requested => {
            Some(Ending::Passes)
        }
        NodeState::Failed | NodeState::Blocked => Some(Ending::Fails),
        NodeState::Skipped => Some(Ending::Skipped),
        NodeState::Waiting | NodeState::Running | NodeState::Retrying => None,
    };
    let wanted = match &expected.what {
        ExpectedKind::Ends { how, .. } => *how,
        ExpectedKind::Holds(_) => Ending::Passes,
    };
    if found == Some(wanted) {
        return None;
    }
    Some(testing::ended(node))
}

fn tell(screen: &Screen, told: &[Told]) -> Result<(), Fault> {
    match screen.options.output {
        Output::Json => screen.print_json(&testing::json(told), false),
        Output::Junit => screen.print(&testing::junit(told)),
        _ if screen.options.quiet && told.iter().all(Told::passed) => Ok(()),
        _ => screen.print(&testing::summary(told)),
    }
}
