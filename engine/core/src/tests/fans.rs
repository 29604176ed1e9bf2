//! A step for each of several values: done once each, known again one by one, put together in the order of the values.

use super::*;
use crate::record::Outcome;
use crate::view::NodeView;

fn heads(values: &[i64]) -> Pipeline {
    Build::new().data("x", Vec::new()).step("part", "head", &["x.rows"], &[]).each("rows", values).0
}

fn fan(report: &RunReport) -> &NodeView {
    report.view.node("part").unwrap()
}

fn states(report: &RunReport) -> Vec<(String, NodeState)> {
    let mut states: Vec<_> = fan(report).members.iter().map(|member| (member.name.clone(), member.state)).collect();
    states.sort_by(|a, b| a.0.cmp(&b.0));
    states
}

#[test]
fn what_members_gave_is_put_together_in_the_order_of_the_values() {
    let scratch = Scratch::new();
    let report = scratch.run(&heads(&[2, 1, 3]));
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran().len(), 3);
    let [rows] = fan(&report).outputs.as_slice() else { panic!("{:?}", fan(&report)) };
    assert_eq!(rows.meta.rows, Some(6));
    let bytes = rows.inline.clone().unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), "a\n1\n2\n1\n1\n2\n3");
    let done = ["part[1]", "part[2]", "part[3]"].map(|name| (name.to_owned(), NodeState::Done));
    assert_eq!(states(&report), done);
    assert_eq!(fan(&report).of_members, 3);
    assert_eq!(scratch.litter(), Vec::<String>::new());
}

#[test]
fn a_fan_that_was_done_is_reused_whole_and_one_with_another_value_but_for_that() {
    let scratch = Scratch::new();
    scratch.run(&heads(&[1, 2]));
    assert_eq!(scratch.ran().len(), 2);
    let again = scratch.run(&heads(&[1, 2]));
    assert_eq!((fan(&again).state, fan(&again).members.len()), (NodeState::Reused, 0));
    let more = scratch.run(&heads(&[1, 2, 3]));
    assert_eq!(scratch.ran(), ["part[3]"]);
    let expected = [("part[1]", NodeState::Reused), ("part[2]", NodeState::Reused), ("part[3]", NodeState::Done)];
    assert_eq!(states(&more), expected.map(|(name, state)| (name.to_owned(), state)));
    let other_order = scratch.run(&heads(&[2, 1]));
    assert_eq!(scratch.ran(), [""; 0]);
    assert_eq!(fan(&other_order).outputs[0].meta.rows, Some(3));
}

#[test]
fn the_plan_says_how_many_values_run() {
    let scratch = Scratch::new();
    scratch.run(&heads(&[1, 2]));
    let why = "part: setting `rows` changed from [1, 2] to [1, 2, 3, 4]; 2 of 4 values run, the others are known";
    assert_eq!(scratch.why(&heads(&[1, 2, 3, 4])), [why]);
}

#[test]
fn numbers_of_all_values_come_to_one() {
    let scratch = Scratch::new();
    for (how, bound, outcome) in [
        (Reduce::Lowest, 0.7, Outcome::Succeeded),
        (Reduce::Lowest, 0.71, Outcome::Blocked),
        (Reduce::Mean, 0.79, Outcome::Succeeded),
        (Reduce::Highest, 0.9, Outcome::Succeeded),
        (Reduce::Highest, 0.91, Outcome::Blocked),
    ] {
        let build = Build::new().step("eval", "score", &[], &[]).each("auc", &[70, 80, 90]);
        let Expr::Metric(metric) = build.metric("eval", "auc") else { panic!("no metric") };
        let metric = Expr::Metric(MetricRef { across: Some(how), ..metric });
        let report = scratch.run(&build.gate("good", "good", at_least(metric, Value::Fraction(bound))).0);
        assert_eq!(report.outcome, outcome, "{how:?} {bound}");
    }
    assert_eq!(scratch.ran().len(), 3);
}

#[test]
fn models_become_a_folder_with_one_file_for_each_value() {
    let scratch = Scratch::new();
    let report = scratch.run(&Build::new().step("part", "train", &[], &[]).each("c", &[5, 3]).0);
    let [models] = fan(&report).outputs.as_slice() else { panic!("{:?}", fan(&report)) };
    assert_eq!(models.meta.format, "folder");
    let to = scratch.folder.path().join("unpacked");
    crate::folder::unpack(&scratch.project().artifact(&models.digest), &to).unwrap();
    let texts = ["1", "2"].map(|name| std::fs::read_to_string(to.join(name)).unwrap());
    assert_eq!(texts, ["c=5;", "c=3;"]);
}

#[test]
fn a_member_that_fails_fails_the_whole_and_says_which() {
    let scratch = Scratch::new();
    let pipeline = Build::new()
        .step("part", "flaky", &[], &[])
        .each("times", &[0, 9, 8])
        .step("after", "train", &["part.model"], &[])
        .0;
    struct Hurry(Arc<TestClock>);
    impl Observer for Hurry {
        fn record(&self, record: &Record) {
            if let Record::NodeFailed { retry_at: Some(_), .. } = record {
                self.0.0.fetch_add(10_000, Ordering::SeqCst);
            }
        }
    }
    let request = RunRequest { keep_going: true, ..scratch.request(&pipeline) };
    let report = scratch.run_with(request, Arc::new(Hurry(scratch.clock.clone())), Cancel::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Failed);
    let why = fan(&report).failure().unwrap().message.clone();
    assert!(why.starts_with("2 of 3 values failed: `part[") && why.contains("not yet"), "{why}");
    assert_eq!(report.view.node("after").unwrap().reason.as_deref(), Some("step `part` failed"));
    // What was done is known, also of a whole that failed.
    let pipeline = Build::new().step("part", "flaky", &[], &[]).each("times", &[0]).0;
    scratch.ran();
    scratch.run(&pipeline);
    assert_eq!(scratch.ran(), [""; 0]);
}

#[test]
fn two_steps_for_the_same_values_share_their_members() {
    let scratch = Scratch::new();
    let build = Build::new().step("a", "train", &[], &[]).each("c", &[1, 2, 3]);
    let report = scratch.run(&build.step("b", "train", &[], &[]).each("c", &[3, 4]).0);
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran().len(), 4);
}
