//! What a step may use: time and room.

use super::*;
use crate::machine;
use crate::record::{Failure, Outcome};

/// Time flies while an attempt is under way: a second each few milliseconds.
struct Hours(Arc<TestClock>);

impl Observer for Hours {
    fn record(&self, record: &Record) {
        if matches!(record, Record::NodeStarted { .. } | Record::NodeFailed { retry_at: Some(_), .. }) {
            let clock = self.0.clone();
            std::thread::spawn(move || {
                for _ in 0..100 {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    clock.0.fetch_add(1_000, Ordering::SeqCst);
                }
            });
        }
    }
}

fn seconds(count: i64) -> Option<i64> {
    Some(count * 1_000_000_000)
}

/// How a run of one step ends, and why each of its attempts did.
fn run(does: &str, limits: Limits) -> (Outcome, Vec<Failure>) {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("s", does, &[], &[]).limits(limits).0;
    let observer = Arc::new(Hours(scratch.clock.clone()));
    let report = scratch.run_with(scratch.request(&pipeline), observer, Cancel::default()).unwrap();
    assert_eq!(scratch.litter(), Vec::<String>::new());
    let attempts = &report.view.nodes[0].attempts;
    (report.outcome, attempts.iter().filter_map(|attempt| attempt.failure.clone()).collect())
}

#[test]
fn an_attempt_that_takes_too_long_is_stopped_and_tried_again_as_often_as_it_may() {
    let (outcome, failures) = run("wait", Limits { timeout: seconds(5), retry: 1, ..Limits::default() });
    assert_eq!(outcome, Outcome::Failed);
    let told: Vec<(&str, &str)> = failures.iter().map(|it| (it.kind.as_str(), it.message.as_str())).collect();
    assert_eq!(told, [("timed_out", "ran into its time limit of 5s"); 2]);
}

#[test]
fn an_attempt_that_does_not_stop_when_it_is_asked_to_is_ended() {
    let (outcome, failures) = run("stubborn", Limits { timeout: seconds(5), ..Limits::default() });
    assert_eq!((outcome, failures.len()), (Outcome::Failed, 1));
    assert_eq!(failures[0].message, "ran into its time limit of 5s");
}

#[test]
fn all_attempts_together_have_a_deadline() {
    let (outcome, failures) = run("wait", Limits { deadline: seconds(30), retry: 9, ..Limits::default() });
    assert_eq!((outcome, failures.len()), (Outcome::Failed, 1));
    assert_eq!(failures[0].message, "was not done within its deadline, all attempts together, of 30s");
}

#[test]
fn steps_that_ask_for_the_whole_machine_run_one_after_the_other() {
    let scratch = Scratch::new();
    let whole = machine::present().cpu as f64 / 1_000.0;
    let alone = Limits { cpu: Some(whole), ..Limits::default() };
    let names: Vec<String> = (0..10).map(|number| format!("step{number}")).collect();
    let build = names.iter().enumerate().fold(Build::new(), |build, (number, name)| {
        build.step(name, "alone", &[], &[("n", number as i64)]).limits(alone)
    });
    let mut request = scratch.request(&build.0);
    request.jobs = 4;
    let report = scratch.run_with(request, Arc::new(Unobserved), Cancel::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran().len(), 10);
}
