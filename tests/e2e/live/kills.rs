//! `kill -9` of `mlp serve` in every state of a rollout and of the loop: the next engine goes on where the killed one was.
//!
//! A scenario is a list of small steps on virtual time. It is played calmly once; then with the engine killed after each
//! step; then with the engine killed somewhere within each step, which is done again after the restart, as a client does
//! that got no answer. What happened must be the same each time.

use super::hook::Hook;
use super::served::{Served, agent, eventually, free_port};
use crate::space::Space;
use mlp_core::history::records;
use mlp_core::project::Project;
use mlp_core::record::{Outcome, Record};
use mlp_live::control::{Answer, Client, Request};
use mlp_live::evidence::LabelValue;
use mlp_live::home::Home;
use mlp_live::machine::{Asked, Entry, Live, What};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// When virtual time begins.
const START: i64 = 1_893_456_000_000;
const START_TEXT: &str = "2030-01-01T00:00:00Z";

/// A thing that somebody does, or that happens in the world. Each ends at a time at which something is written down, since
/// after a kill virtual time stands where the journal ends.
#[derive(Clone, Debug)]
enum Step {
    /// `mlp run` with this value of the model: offers a version.
    Run(&'static str),
    /// Requests; then what really happened, if that is known; then time moves on to so many seconds.
    Play { rows: u32, truth: Option<f64>, to: i64 },
    /// A person asks for something.
    Ask(Asked),
}

use Step::{Ask, Run};

/// Enough requests that any share of them is some, and time moves on.
fn play(to: i64) -> Step {
    Step::Play { rows: 40, truth: None, to }
}

fn labelled(truth: f64, to: i64) -> Step {
    Step::Play { rows: 20, truth: Some(truth), to }
}

fn wait(to: i64) -> Step {
    Step::Play { rows: 0, truth: None, to }
}

struct Scenario {
    name: &'static str,
    strategy: &'static str,
    monitor: &'static str,
    steps: Vec<Step>,
    /// The states that it is about: each must have been killed.
    states: &'static [&'static str],
}

/// A model that says the same number about every row.
const FILE: &str = "mlp 1
use \"./probe.wasm\" as probe

param value: float = 1.0

schema Row {
  x: float
  y: float label
}

data points: Row {
  source = csv(\"rows.csv\")
}

step train = probe.model(points, value: value)

model demand = train.model

deploy production of demand {
  serve = online(port: PORT)
  STRATEGY
  rollback within 1s
}

MONITOR
";

const CHECK: &str = "check every 10s {\n error_rate <= 50%\n on_no_data = wait\n }";

fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario {
            name: "canary",
            strategy: "canary {\n 20% for 20s\n 50% until promoted\n 100%\n CHECK\n }",
            monitor: "",
            steps: vec![
                Run("1.0"),
                Run("2.0"),
                play(10),
                Ask(Asked::Pause),
                play(20),
                Ask(Asked::Resume),
                play(30),
                play(40),
                Ask(Asked::Promote),
                // Another one, which is given up; then back to the first, and forward again.
                Run("3.0"),
                play(50),
                Ask(Asked::Abort),
                Ask(Asked::Rollback { to: None }),
                Ask(Asked::Retry),
                Ask(Asked::Promote),
                Ask(Asked::Promote),
            ],
            states: &["serving", "holding", "paused", "awaiting_promotion"],
        },
        Scenario {
            name: "blue-green",
            strategy: "blue_green {\n preview for 20s\n keep for 20s\n CHECK\n }",
            monitor: "",
            steps: vec![Run("1.0"), Run("2.0"), play(10), play(20), play(30), play(40)],
            states: &["serving", "previewing", "keeping"],
        },
        Scenario {
            name: "shadow",
            strategy: "shadow {\n 100% for 20s\n CHECK\n }",
            monitor: "",
            steps: vec![Run("1.0"), Run("2.0"), play(10), play(20), Ask(Asked::Promote)],
            states: &["serving", "shadowing", "shadow_done"],
        },
        Scenario {
            name: "replace",
            strategy: "replace {\n watch for 20s\n CHECK\n }",
            monitor: "",
            steps: vec![Run("1.0"), Run("2.0"), play(10), play(20)],
            states: &["serving", "watching"],
        },
        Scenario {
            name: "loop",
            strategy: "canary {\n 50% for 60s\n 100%\n }",
            monitor: "monitor health of production {\n every 60s over 60s\n on_no_data = wait\n cooldown = 1h\n \
                      watch rmse(label: y) <= 5.0\n on breach { alert webhook(\"HOOK\") }\n \
                      on breach for 2 windows { retrain(value: 3.0) }\n}",
            steps: vec![
                Run("1.0"),
                labelled(1.0, 60),
                // The model says 1 and 100 is true. The alert is refused twice, then received.
                labelled(100.0, 120),
                wait(121),
                wait(123),
                // The second breach in a row: retrained, and the new version is rolled out.
                labelled(100.0, 180),
                wait(240),
                labelled(3.0, 300),
            ],
            states: &["serving", "holding", "alert pending"],
        },
    ]
}

/// When the engine dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kill {
    Never,
    AfterEachStep,
    WithinEachStep,
}

/// What became of a scenario.
#[derive(Debug, Default)]
struct Played {
    /// When, about what, what; without the comings and goings of the engine.
    story: Vec<String>,
    /// Keys of the alerts that were received.
    received: BTreeSet<String>,
    /// Runs that a monitor asked for: key and how often one came to its end.
    retrained: BTreeMap<String, usize>,
    /// How the deployment stands in the end.
    end: Value,
    /// Kills survived, by the state in which they came.
    kills: BTreeMap<String, u32>,
}

#[test]
fn a_kill_after_any_step_changes_nothing_of_what_happens() {
    let mut table = BTreeMap::new();
    for scenario in scenarios() {
        let calm = scenario.play(Kill::Never);
        let killed = scenario.play(Kill::AfterEachStep);
        assert_eq!(killed.story, calm.story, "{}", scenario.name);
        scenario.same_in_the_end(&killed, &calm);
        for state in scenario.states {
            assert!(killed.kills.contains_key(*state), "{}: never {state}, only {:?}", scenario.name, killed.kills);
        }
        add(&mut table, &killed);
    }
    print(&table);
}

#[test]
fn a_kill_within_any_step_skips_nothing_and_repeats_nothing() {
    let mut table = BTreeMap::new();
    for scenario in scenarios() {
        let calm = scenario.play(Kill::Never);
        let killed = scenario.play(Kill::WithinEachStep);
        // What was asked for twice because the answer was lost may be told twice; the rollout itself not.
        assert_eq!(killed.rollout(), calm.rollout(), "{}", scenario.name);
        scenario.same_in_the_end(&killed, &calm);
        add(&mut table, &killed);
    }
    print(&table);
}

#[test]
fn a_retraining_that_is_killed_again_and_again_is_done_once() {
    let space = Space::new();
    let rows: String = (0..4_000).map(|row| format!("{},{}\n", row % 997, row * 31 % 101)).collect();
    space.write("rows.csv", format!("x,y\n{rows}"));
    space.write(
        "bikes.mlp",
        "mlp 1\nuse std/regress\n\nparam iterations: int = 5\n\nschema Row {\n  x: float\n  y: float label\n}\n\n\
         data points: Row {\n  source = csv(\"rows.csv\")\n}\n\n\
         step train = regress.gradient_boosting(points, features: [x], iterations: iterations)\n\n\
         model demand = train.model\n\n\
         deploy production of demand {\n  serve = online(port: PORT)\n  replace\n}\n\n\
         monitor health of production {\n  every 60s over 60s\n  on_no_data = wait\n  watch rmse(label: y) <= 5.0\n  \
         on breach { retrain(iterations: 3_000) }\n}\n",
    );
    space.replace("bikes.mlp", "PORT", &free_port().to_string());
    let engine = start(&space);
    space.mlp(&["run", "bikes.mlp"]).exits(0);
    let step = labelled(1_000_000.0, 60);
    let (pid, url) = (pid(&space), engine.url().to_owned());
    std::thread::scope(|threads| {
        let advancing = threads.spawn(|| do_step(&space, &url, 1, &step));
        eventually("the second training", &space, || (trainings(&space) == 2).then_some(()));
        kill(pid);
        assert!(!advancing.join().expect("a client"), "time moved on although the engine died on the way");
    });
    drop(engine);

    // The next engines take the run up before they listen to anybody, so nobody waits for them to.
    for number in 3..5 {
        let mut child = space.start(&["serve", "bikes.mlp", "--virtual-from", START_TEXT]);
        eventually("the next training", &space, || (trainings(&space) == number).then_some(()));
        child.kill().expect("SIGKILL");
        child.wait().expect("a dead child");
    }

    let engine = start(&space);
    let (_, live) = read(&space);
    assert_eq!(live.retrainings().count(), 0, "still under way");
    assert_eq!(live.serving("production"), Some(("demand".to_owned(), 2)));
    let runs = space.history().runs().expect("readable journals");
    let outcomes: Vec<_> = runs.iter().skip(1).map(|run| run.outcome).collect();
    let (last, before) = outcomes.split_last().expect("runs");
    assert_eq!(*last, Some(Outcome::Succeeded));
    assert!(before.iter().all(|outcome| matches!(outcome, None | Some(Outcome::Interrupted))), "{outcomes:?}");
    let keys: BTreeSet<_> = runs.iter().filter_map(|run| Some(run.trigger.as_ref()?.key.clone())).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert_eq!(before.len(), 3, "each kill came while it was under way");
    println!("retraining under way: {} kills survived", before.len());
    assert_eq!(engine.stop(), Some(0));
}

/// How often training was begun.
fn trainings(space: &Space) -> usize {
    let project = Project::at(space.path(".mlp"));
    // A journal whose first record is just being written says nothing yet.
    let known = |run| records(&project, run).unwrap_or_default();
    let begun = |record: &Record| matches!(record, Record::NodeStarted { node, .. } if node == "train");
    (1..10).flat_map(known).filter(begun).count()
}

impl Scenario {
    fn space(&self, hook: &Hook) -> Space {
        let space = Space::new();
        std::fs::copy(mlp_stdlib::PROBE, space.path("probe.wasm")).expect("the probe");
        let rows: String = (0..200).map(|row| format!("{row},{}\n", row % 2)).collect();
        space.write("rows.csv", format!("x,y\n{rows}"));
        let text = FILE.replace("STRATEGY", self.strategy).replace("MONITOR", self.monitor).replace("CHECK", CHECK);
        space.write("bikes.mlp", text.replace("HOOK", hook.url()).replace("PORT", &free_port().to_string()));
        space
    }

    fn play(&self, when: Kill) -> Played {
        // Refuses each alert twice, so that it is on its way for some steps.
        let hook = Hook::start(2);
        let space = self.space(&hook);
        let mut played = Played::default();
        let mut engine = start(&space);
        for (number, step) in self.steps.iter().enumerate() {
            let whole = format!("{}, step {number}, {step:?}", self.name);
            match when {
                Kill::Never => assert!(do_step(&space, engine.url(), number, step), "{whole}"),
                Kill::AfterEachStep => {
                    assert!(do_step(&space, engine.url(), number, step), "{whole}");
                    let before = status(&space);
                    played.count(&space);
                    engine.kill();
                    engine = start(&space);
                    let after = status(&space);
                    for what in ["routes", "state", "stable"] {
                        assert_eq!(after[what], before[what], "{what} after {whole}");
                    }
                }
                Kill::WithinEachStep => {
                    let (pid, known) = (pid(&space), read(&space).0.len());
                    // Not the same in each step: before anything was written, after everything was, and in between.
                    let delay = Duration::from_millis(number as u64 * 7 % 23);
                    let killer = std::thread::spawn(move || {
                        std::thread::sleep(delay);
                        kill(pid);
                    });
                    let done = do_step(&space, engine.url(), number, step);
                    killer.join().expect("a killer");
                    drop(engine);
                    played.count(&space);
                    engine = start(&space);
                    let missing = !done && !is_written(&space, known, step);
                    assert!(!missing || do_step(&space, engine.url(), number, step), "{whole}, once more");
                }
            }
        }
        played.end = status(&space);
        // So that versions, not moments or ports, are compared.
        let (entries, live) = read(&space);
        let told = live.story().iter().filter(|told| told.about != "mlp serve");
        played.story =
            told.map(|told| format!("{} {}", (told.at - START) / 1_000, told).replace(hook.url(), "HOOK")).collect();
        assert_eq!(engine.stop(), Some(0));
        assert!(Live::fold(&entries).is_ok());
        played.received = hook.received();
        for run in space.history().runs().expect("readable journals") {
            if let (Some(trigger), Some(Outcome::Succeeded)) = (run.trigger, run.outcome) {
                *played.retrained.entry(trigger.key).or_default() += 1;
            }
        }
        played
    }

    fn same_in_the_end(&self, killed: &Played, calm: &Played) {
        for what in ["routes", "state", "stable", "previous"] {
            assert_eq!(killed.end[what], calm.end[what], "{}: {what}", self.name);
        }
        assert_eq!(killed.received, calm.received, "{}: alerts", self.name);
        assert_eq!(killed.retrained, calm.retrained, "{}: retrainings", self.name);
        assert!(killed.retrained.values().all(|times| *times == 1), "{}: {:?}", self.name, killed.retrained);
    }
}

impl Played {
    /// What happened to the deployment.
    fn rollout(&self) -> Vec<&String> {
        self.story.iter().filter(|line| line.contains("production: ")).collect()
    }

    /// A kill comes now.
    fn count(&mut self, space: &Space) {
        let (_, live) = read(space);
        let state = status(space)["state"].as_str().expect("a state").to_owned();
        let alert = live.alerts().next().map(|_| "alert pending".to_owned());
        let run = live.retrainings().next().map(|_| "retraining".to_owned());
        for state in [Some(state), alert, run].into_iter().flatten() {
            *self.kills.entry(state).or_default() += 1;
        }
    }
}

fn add(table: &mut BTreeMap<String, u32>, played: &Played) {
    for (state, kills) in &played.kills {
        *table.entry(state.clone()).or_default() += kills;
    }
}

fn print(table: &BTreeMap<String, u32>) {
    println!("{:<20} kills survived", "state");
    for (state, kills) in table {
        println!("{state:<20} {kills}");
    }
}

fn start(space: &Space) -> Served {
    Served::start(space, &["bikes.mlp", "--virtual-from", START_TEXT])
}

/// Does a step; false if the engine died before it said that all is done.
fn do_step(space: &Space, url: &str, number: usize, step: &Step) -> bool {
    match step {
        Run(value) => {
            let ran =
                space.command(&["run", "bikes.mlp", "-p", &format!("value={value}")]).output().expect("mlp starts");
            // Without an engine its deployment waits for the next one: a run needs no repetition.
            assert!(matches!(ran.status.code(), Some(0 | 4)), "{}", String::from_utf8_lossy(&ran.stderr));
            true
        }
        Ask(what) => {
            let request = Request::Ask { deployment: "production".to_owned(), what: what.clone() };
            match ask(space, &request) {
                Some(Answer::Refused(why)) if why != "the engine is ending" => panic!("{step:?} was refused: {why}"),
                answer => matches!(answer, Some(Answer::Done(_))),
            }
        }
        Step::Play { rows, truth, to } => {
            let agent = agent();
            let id = |row: u32| format!("step-{number}-row-{row}");
            for row in 0..*rows {
                let sent = agent
                    .post(format!("{url}/deployments/production/predict"))
                    .header("content-type", "application/json")
                    .header("x-request-id", id(row))
                    .send(json!({"rows": [{"x": row}]}).to_string());
                match sent {
                    Ok(answer) => {
                        assert_eq!(answer.status().as_u16(), 200, "{:?}", answer.into_body().read_to_string())
                    }
                    Err(_) => return false,
                }
            }
            if let Some(truth) = truth {
                let labels = (0..*rows).map(|row| (id(row), LabelValue::Number(*truth))).collect();
                let request = Request::Labels { deployment: "production".to_owned(), labels };
                if !matches!(ask(space, &request), Some(Answer::Labels(_))) {
                    return false;
                }
            }
            matches!(ask(space, &Request::Advance { to: START + to * 1_000 }), Some(Answer::Done(_)))
        }
    }
}

/// What a person sees who got no answer and looks before asking again: whether it is in the journal.
fn is_written(space: &Space, known: usize, step: &Step) -> bool {
    let Ask(wanted) = step else { return false };
    let (entries, _) = read(space);
    entries.iter().skip(known).any(|entry| matches!(&entry.what, What::Asked { what, .. } if what == wanted))
}

fn home(space: &Space) -> Home {
    Home::of(&Project::at(space.path(".mlp")))
}

fn ask(space: &Space, request: &Request) -> Option<Answer> {
    Client::connect(&home(space)).ok()?.ask(request).ok()
}

fn read(space: &Space) -> (Vec<Entry>, Live) {
    let entries = home(space).entries().expect("a readable journal");
    let live = Live::fold(&entries).expect("a journal that can have happened");
    (entries, live)
}

fn status(space: &Space) -> Value {
    space.mlp(&["deploy", "status", "production", "--output", "json"]).exits(0).json()["deployments"][0].clone()
}

fn pid(space: &Space) -> u32 {
    match ask(space, &Request::Hello) {
        Some(Answer::Hello { pid, .. }) => pid,
        other => panic!("no resident engine: {other:?}"),
    }
}

/// The process is a child that nobody has waited for yet, so its number is still its own.
fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("SIGKILL");
}
