//! What runs, what is reused, and why.

use super::*;
use crate::history::History;
use crate::record::Outcome;

#[test]
fn a_first_run_does_everything_and_a_second_nothing() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).0;
    assert_eq!(scratch.why(&pipeline)[0], "x: it never ran");
    let first = scratch.run(&pipeline);
    assert_eq!(first.outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran(), ["split", "train", "eval"]);
    let second = scratch.run(&pipeline);
    assert_eq!((second.run, second.outcome), (2, Outcome::Succeeded));
    assert!(scratch.ran().is_empty());
    assert!(scratch.why(&pipeline).is_empty());
    let reused = ["x", "split", "train", "eval"].map(|name| (name.to_owned(), NodeState::Reused));
    assert_eq!(states(&second)[..4], reused);
    let kept: Vec<bool> = [first, second].iter().map(|report| report.view.models[0].kept).collect();
    assert_eq!(kept, [false, true], "the same artifact is the same version");
}

#[test]
fn a_changed_setting_re_runs_its_step_and_says_so() {
    let scratch = Scratch::new();
    scratch.run(&churn(2, 1, 90).0);
    scratch.ran();
    let changed = churn(2, 3, 90).0;
    assert_eq!(
        scratch.why(&changed),
        ["train: setting `c` changed from 1 to 3", "eval: input `from` comes from `train`, which re-runs"]
    );
    let report = scratch.run(&changed);
    assert_eq!(scratch.ran(), ["train", "eval"]);
    assert_eq!(report.view.models[0].entry.version, 2);
}

#[test]
fn a_changed_cell_names_the_file_and_stops_where_nothing_changes() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).0;
    scratch.run(&pipeline);
    scratch.ran();
    // The third row changes; the split keeps two.
    std::fs::write(scratch.folder.path().join("x.csv"), "a\n1\n2\n9\n").unwrap();
    let why = scratch.why(&pipeline);
    assert!(why[0].starts_with("x: x.csv changed (content "), "{why:?}");
    assert_eq!(why[1], "split: input `from` comes from `x`, which re-runs");
    let report = scratch.run(&pipeline);
    assert_eq!(scratch.ran(), ["split"], "the same bytes came out, so nothing after it runs");
    assert_eq!(report.view.node("train").map(|node| node.state), Some(NodeState::Reused));
    assert!(report.view.models[0].kept);
}

#[test]
fn names_limits_and_touching_a_file_re_run_nothing() {
    let scratch = Scratch::new();
    let mut pipeline = churn(2, 1, 90).0;
    scratch.run(&pipeline);
    scratch.ran();
    pipeline.nodes[2].name = "fit".to_owned();
    if let NodeKind::Step(step) = &mut pipeline.nodes[2].kind {
        let mut other = StepNode::clone(step);
        other.limits = Limits { timeout: Some(1), memory: Some(1), retry: 9, ..Limits::default() };
        *step = Arc::new(other);
    }
    if let NodeKind::Data(data) = &mut pipeline.nodes[0].kind {
        data.schema.name = Some("Renamed".to_owned());
    }
    let path = scratch.folder.path().join("x.csv");
    std::fs::write(&path, std::fs::read(&path).unwrap()).unwrap();
    assert!(scratch.why(&pipeline).is_empty());
    scratch.run(&pipeline);
    assert!(scratch.ran().is_empty());
}

#[test]
fn a_rebuilt_component_is_told_from_a_new_version() {
    let scratch = Scratch::new();
    let mut pipeline = churn(2, 1, 90).0;
    scratch.run(&pipeline);
    *scratch.steps.version.lock().unwrap() = "2".to_owned();
    assert_eq!(scratch.why(&pipeline)[0], "split: std/test 0.1.0 was rebuilt (d -> d2)");
    for node in &mut pipeline.nodes {
        if let NodeKind::Step(step) = &mut node.kind {
            let version = "0.2.0".to_owned();
            *step = Arc::new(StepNode { version, ..StepNode::clone(step) });
        }
    }
    assert_eq!(scratch.why(&pipeline)[0], "split: std/test changed from 0.1.0 to 0.2.0");
}

#[test]
fn force_runs_a_step_and_reuses_what_comes_after_if_the_bytes_are_the_same() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).0;
    scratch.run(&pipeline);
    scratch.ran();
    let request = RunRequest { force: vec!["train".to_owned()], ..scratch.request(&pipeline) };
    scratch.run_with(request, Arc::new(Unobserved), Cancel::default()).unwrap();
    assert_eq!(scratch.ran(), ["train"]);
    let request = RunRequest { force: vec!["trian".to_owned()], ..scratch.request(&pipeline) };
    let error = scratch.run_with(request, Arc::new(Unobserved), Cancel::default()).unwrap_err();
    assert_eq!(error.to_string(), "nothing in pipeline `p` is named `trian`");
}

#[test]
fn a_gate_that_says_no_blocks_the_model_and_tells_the_numbers() {
    let scratch = Scratch::new();
    let report = scratch.run(&churn(2, 1, 70).0);
    assert_eq!(report.outcome, Outcome::Blocked);
    assert!(report.view.models.is_empty());
    let history = History::open(&scratch.project());
    assert!(history.models().unwrap().is_empty());
    let view = history.run("last").unwrap();
    assert_eq!(view.node("churn").and_then(|node| node.reason.clone()).unwrap(), "gate `quality` said no");
    let verdict = &view.node("quality").unwrap().verdicts[0];
    assert_eq!((verdict.held, verdict.because.as_deref()), (false, Some("it matters")));
    let measured = &verdict.measured[0];
    assert_eq!(measured.value, Some(Value::Fraction(0.7)));
    assert!((measured.margin.unwrap() + 0.1).abs() < 1e-9);
}

#[test]
fn a_number_that_is_missing_never_satisfies_a_gate() {
    let scratch = Scratch::new();
    let build = Build::new().step("eval", "score", &[], &[("auc", 90)]);
    let none = build.metric("eval", "none");
    let report = scratch.run(&build.gate("g", "eval.none >= 0", at_least(none, Value::Fraction(0.0))).0);
    assert_eq!(report.outcome, Outcome::Blocked);
    assert_eq!(report.view.node("g").unwrap().verdicts[0].measured[0].value, None);
}

#[test]
fn groups_with_too_few_rows_are_left_out_and_named() {
    let scratch = Scratch::new();
    let build = Build::new().step("eval", "score", &[], &[("auc", 90)]);
    let Expr::Metric(metric) = build.metric("eval", "auc") else { unreachable!() };
    let over = OverGroups { reduce: Reduce::Lowest, by: "plan".to_owned(), min_support: 100 };
    let text = "lowest(eval.auc, by: plan)".to_owned();
    let lowest = Expr::Metric(MetricRef { over: Some(over), text, ..metric });
    let report = scratch.run(&build.gate("g", "lowest", at_least(lowest, Value::Fraction(0.7))).0);
    assert_eq!(report.outcome, Outcome::Succeeded);
    let measured = &report.view.node("g").unwrap().verdicts[0].measured[0];
    assert_eq!(measured.value, Some(Value::Fraction(0.8)));
    assert!(measured.text.ends_with("(too few rows, left out: team (3 rows))"), "{}", measured.text);
}

#[test]
fn a_table_that_is_not_as_expected_fails_and_is_not_cached() {
    let scratch = Scratch::new();
    let rows = at_least(Expr::Stat(Stat::Rows), Value::Int(100));
    let pipeline = Build::new().data("x", vec![("rows >= 100", rows)]).step("split", "head", &["x.rows"], &[]).0;
    let report = scratch.run(&pipeline);
    assert_eq!(report.outcome, Outcome::Failed);
    let failure = report.view.node("x").unwrap().failure().unwrap();
    assert!(failure.message.starts_with("x.csv: expected rows >= 100, but "), "{}", failure.message);
    assert!(failure.message.ends_with(" is 3"), "{}", failure.message);
    assert_eq!(report.view.node("split").unwrap().reason.as_deref(), Some("data `x` failed"));
    assert_eq!(scratch.why(&pipeline)[0], "x: it never ran");
}

#[test]
fn freshness_is_judged_again_when_the_table_itself_is_reused() {
    let scratch = Scratch::new();
    let fresh = Expr::Stat(Stat::Fresh("a".to_owned()));
    let limit = Expr::Const(Value::Duration(60_000_000_000));
    let condition = Expr::Compare(Comparison::LessOrEqual, Box::new(fresh), Box::new(limit));
    let pipeline = Build::new().data("x", vec![("fresh(a) <= 60s", condition)]).0;
    assert_eq!(scratch.run(&pipeline).outcome, Outcome::Succeeded);
    assert_eq!(scratch.run(&pipeline).view.node("x").unwrap().state, NodeState::Reused);
    scratch.clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    let stale = scratch.run(&pipeline);
    assert_eq!(stale.outcome, Outcome::Failed);
    assert!(stale.view.node("x").unwrap().failure().unwrap().message.contains(" is 59m59s"));
}

#[test]
fn bad_data_is_told_with_its_findings_and_leaves_nothing() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).0;
    for content in [Some("a\nword\n"), None] {
        let path = scratch.folder.path().join("x.csv");
        match content {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let report = scratch.run(&pipeline);
        assert_eq!(report.outcome, Outcome::Failed);
        assert_eq!(report.view.node("x").unwrap().failure().unwrap().findings.len(), 1);
        assert_eq!(scratch.litter(), Vec::<String>::new());
    }
    assert!(scratch.ran().is_empty());
}

#[test]
fn each_way_to_give_the_wrong_thing_is_told() {
    let scratch = Scratch::new();
    let message = |does: &str| {
        let report = scratch.run(&Build::new().step("s", does, &[], &[]).0);
        assert_eq!(report.outcome, Outcome::Failed, "{does}");
        report.view.node("s").unwrap().failure().unwrap().message.clone()
    };
    assert!(message("nothing").ends_with("output `model` is missing"));
    assert!(message("elsewhere").ends_with("lies outside the folder for outputs"));
    assert!(message("link").ends_with("is not a plain file"));
    assert!(message("infinite").contains("is not a metrics file"));
    assert!(message("mute").ends_with("`auc` is declared but not given"));
    assert!(message("regressor").ends_with("is a `regressor`, declared is `classifier`"));
    assert_eq!(message("fail"), "the step says no");
    assert!(message("panic").starts_with("the test executor panicked"));
    assert_eq!(scratch.litter(), Vec::<String>::new());
}

#[test]
fn a_step_that_asks_for_it_is_tried_again() {
    let scratch = Scratch::new();
    // One retry is allowed. The clock stands nearly still, so it is moved on by the record of the failure.
    struct Hurry(Arc<TestClock>);
    impl Observer for Hurry {
        fn record(&self, record: &Record) {
            if let Record::NodeFailed { retry_at: Some(_), .. } = record {
                self.0.0.fetch_add(10_000, Ordering::SeqCst);
            }
        }
    }
    let run = |times| {
        let pipeline = Build::new().step("s", "flaky", &[], &[("times", times)]).0;
        let observer = Arc::new(Hurry(scratch.clock.clone()));
        let report = scratch.run_with(scratch.request(&pipeline), observer, Cancel::default()).unwrap();
        (report.outcome, report.view.nodes[0].attempts.len())
    };
    assert_eq!(run(1), (Outcome::Succeeded, 2));
    assert_eq!(run(2), (Outcome::Failed, 2));
}

#[test]
fn a_failure_stops_what_needs_it_and_with_keep_going_nothing_else() {
    let scratch = Scratch::new();
    let pipeline = Build::new()
        .step("bad", "fail", &[], &[])
        .step("after", "train", &["bad.model"], &[])
        .step("other", "train", &[], &[("c", 1)])
        .model("m", "other", &[])
        .0;
    let report = scratch.run(&pipeline);
    assert_eq!(report.outcome, Outcome::Failed);
    let reasons: Vec<_> = report.view.nodes.iter().map(|node| node.reason.as_deref()).collect();
    let no_effect = "step `bad` failed, and a run that failed registers nothing";
    assert_eq!(reasons, [None, Some("step `bad` failed"), None, Some(no_effect)]);
    assert_eq!(report.view.node("other").unwrap().state, NodeState::Done);
}

#[test]
fn cancelling_stops_what_runs_and_skips_the_rest() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("long", "wait", &[], &[]).step("after", "train", &["long.model"], &[]).0;
    struct CancelOnStart(Cancel);
    impl Observer for CancelOnStart {
        fn record(&self, record: &Record) {
            if matches!(record, Record::NodeStarted { .. }) {
                self.0.set();
            }
        }
    }
    let cancel = Cancel::default();
    let observer = Arc::new(CancelOnStart(cancel.clone()));
    let report = scratch.run_with(scratch.request(&pipeline), observer, cancel).unwrap();
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert!(report.view.cancelled.is_some());
    assert_eq!(report.view.node("after").unwrap().reason.as_deref(), Some("the run was cancelled"));
    assert_eq!(scratch.litter(), Vec::<String>::new());
}

#[test]
fn another_process_can_ask_a_run_to_stop() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("long", "wait", &[], &[]).step("after", "train", &["long.model"], &[]).0;
    /// Asks as another process would, when the step has begun.
    struct AskOnStart(Project);
    impl Observer for AskOnStart {
        fn record(&self, record: &Record) {
            if matches!(record, Record::NodeStarted { .. }) {
                crate::cancel::request(&self.0, 1, 0).unwrap();
            }
        }
    }
    let observer = Arc::new(AskOnStart(scratch.project()));
    let report = scratch.run_with(scratch.request(&pipeline), observer, Cancel::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Cancelled);
    assert!(crate::cancel::is_requested(&scratch.project(), 1));
    // The next run is another one.
    assert!(!crate::cancel::is_requested(&scratch.project(), 2));
}

#[test]
fn only_what_was_asked_for_and_what_it_needs_is_done() {
    let scratch = Scratch::new();
    let pipeline = churn(2, 1, 90).0;
    let only = |names: &[&str]| RunRequest {
        only: names.iter().map(|name| (*name).to_owned()).collect(),
        ..scratch.request(&pipeline)
    };
    let report = scratch.run_with(only(&["train"]), Arc::new(Unobserved), Cancel::default()).unwrap();
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(scratch.ran(), ["split", "train"]);
    for left_out in ["eval", "quality", "churn"] {
        let node = report.view.node(left_out).unwrap();
        assert_eq!(
            (node.state, node.reason.as_deref()),
            (NodeState::Skipped, Some("it was not asked for")),
            "{left_out}"
        );
    }
    assert!(report.view.models.is_empty(), "nothing happens outside");
    // A gate is asked for like anything else, and its model is not.
    let report = scratch.run_with(only(&["quality"]), Arc::new(Unobserved), Cancel::default()).unwrap();
    assert_eq!(scratch.ran(), ["eval"]);
    assert_eq!(report.view.node("quality").unwrap().state, NodeState::Passed);
    assert!(report.view.models.is_empty());
    let error = scratch.run_with(only(&["trian"]), Arc::new(Unobserved), Cancel::default()).unwrap_err();
    assert_eq!(error.to_string(), "nothing in pipeline `p` is named `trian`");
}

#[test]
fn why_a_step_ran_is_told_as_it_was_then() {
    let scratch = Scratch::new();
    scratch.run(&churn(2, 1, 90).0);
    scratch.run(&churn(2, 3, 90).0);
    scratch.run(&churn(2, 1, 90).0);
    let history = History::open(&scratch.project());
    let account = |run: &str, node: &str| {
        let view = history.run(run).unwrap();
        history.account(&view, view.node(node).unwrap()).unwrap()
    };
    let changed = |run: &str, node: &str| {
        let account = account(run, node);
        let words: Vec<String> = account.changed.iter().map(ToString::to_string).collect();
        (account.before, words)
    };
    assert_eq!(changed("1", "train"), (None, vec![]));
    assert_eq!(changed("2", "train"), (Some(1), vec!["setting `c` changed from 1 to 3".to_owned()]));
    assert_eq!(changed("2", "split"), (Some(1), vec![]));
    // Reused from the first run, and different from the second.
    assert_eq!(changed("3", "train"), (Some(2), vec!["setting `c` changed from 3 to 1".to_owned()]));
    assert!(account("3", "train").facts > 0);
}

#[test]
fn what_never_ran_takes_an_unknown_time() {
    let scratch = Scratch::new();
    let history = History::open(&scratch.project());
    let pipeline = churn(2, 1, 90).0;
    let unknown = |pipeline: &Pipeline| {
        let durations = history.durations("p").unwrap();
        let plan = history
            .plan(&scratch.parts(), pipeline, scratch.folder.path(), &["train".to_owned()], &scratch.aliases())
            .unwrap();
        crate::estimate::forecast(&plan, pipeline, &durations, 2).unknown
    };
    assert_eq!(unknown(&pipeline), ["x", "split", "train", "eval"]);
    scratch.run(&pipeline);
    assert_eq!(unknown(&pipeline), [""; 0]);
}

#[test]
fn the_same_work_under_two_names_is_done_once() {
    let scratch = Scratch::new();
    let pipeline = Build::new().step("a", "train", &[], &[("c", 5)]).step("b", "train", &[], &[("c", 5)]).0;
    let report = scratch.run(&pipeline);
    assert_eq!(scratch.ran().len(), 1);
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(report.view.nodes[0].outputs[0].digest, report.view.nodes[1].outputs[0].digest);
}

#[test]
fn a_condition_decides_when_its_numbers_are_there() {
    let scratch = Scratch::new();
    let pipeline = |auc| {
        let build = Build::new().step("eval", "score", &[], &[("auc", auc)]);
        let good = at_least(build.metric("eval", "auc"), Value::Fraction(0.8));
        build.step("deep", "train", &[], &[]).when(good).step("after", "train", &["deep.model"], &[]).0
    };
    let report = scratch.run(&pipeline(70));
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(report.view.node("deep").unwrap().reason.as_deref(), Some("its condition is false"));
    assert_eq!(
        scratch.why(&pipeline(70)),
        ["deep: skip: its condition is false", "after: skip: it needs `deep`, which is skipped"]
    );
    scratch.run(&pipeline(90));
    assert_eq!(scratch.ran(), ["eval", "eval", "deep", "after"]);
}

#[test]
fn what_a_step_says_is_kept_and_shown() {
    let scratch = Scratch::new();
    let watching = Arc::new(Watching::default());
    let pipeline = Build::new().step("s", "talk", &[], &[]).step("quiet", "train", &[], &[]).0;
    let report = scratch.run_with(scratch.request(&pipeline), watching.clone(), Cancel::default()).unwrap();
    assert_eq!(*watching.1.lock().unwrap(), ["s info first", "s info second"]);
    let history = History::open(&scratch.project());
    let logs = history.logs(&report.view, "s");
    let texts: Vec<&str> = logs[0].text.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(texts, ["info   first", "info   second"]);
    assert!(history.logs(&report.view, "quiet").is_empty(), "no file for a step that says nothing");
    let read = crate::history::records(&scratch.project(), report.run).unwrap();
    assert_eq!(read, *watching.0.lock().unwrap(), "the observer sees what the journal keeps");
}

#[test]
fn folders_that_a_step_locked_up_are_removed_all_the_same() {
    let scratch = Scratch::new();
    let report = scratch.run(&Build::new().step("s", "litter", &[], &[]).0);
    assert_eq!(report.outcome, Outcome::Succeeded);
    assert_eq!(scratch.litter(), Vec::<String>::new());
}

#[test]
fn a_plan_says_that_a_known_table_breaks_what_is_now_expected_of_it() {
    let scratch = Scratch::new();
    let of = |rows| {
        let expected = at_least(Expr::Stat(Stat::Rows), Value::Int(rows));
        Build::new().data("x", vec![("rows >= n", expected)]).step("s", "head", &["x.rows"], &[("rows", 1)]).0
    };
    scratch.run(&of(1));
    assert!(scratch.why(&of(2)).is_empty(), "a rule that holds changes nothing");
    let why = scratch.why(&of(9));
    assert!(why[0].starts_with("x: it will fail: x.csv: expected rows >= n, but "), "{why:?}");
    assert_eq!(why[1], "s: skip: it needs `x`, which will fail");
    let report = scratch.run(&of(9));
    assert_eq!(report.outcome, Outcome::Failed);
    let expected = [("x", NodeState::Failed), ("s", NodeState::Skipped)];
    assert_eq!(states(&report), expected.map(|(name, state)| (name.to_owned(), state)));
}

#[test]
fn a_file_replaced_while_it_was_read_is_a_finding_with_a_way_out() {
    /// Reads a file, and has it replaced behind the reader's back.
    struct Replaced;
    impl Tables for Replaced {
        fn concat(&self, _: &Schema, _: &[PathBuf], _: &Path) -> Result<u64, String> {
            Ok(0)
        }

        fn identity(&self, data: &DataNode) -> BTreeMap<String, String> {
            TextTables.identity(data)
        }
        fn import(&self, data: &DataNode, path: &Path, shown: &str, out: &Path) -> Result<Imported, Vec<Finding>> {
            let imported = TextTables.import(data, path, shown, out);
            std::fs::write(path.with_extension("new"), "a\n7\n").unwrap();
            std::fs::rename(path.with_extension("new"), path).unwrap();
            imported
        }
        fn inspect(&self, path: &Path) -> Result<TableInfo, String> {
            TextTables.inspect(path)
        }
    }
    let scratch = Scratch::new();
    let pipeline = Build::new().data("x", Vec::new()).0;
    let parts = Parts { tables: Arc::new(Replaced), ..scratch.parts() };
    let mut engine = Engine::open(scratch.project(), parts).unwrap();
    let running = engine.run(scratch.request(&pipeline), Arc::new(Unobserved), Cancel::default());
    let report = runtime().block_on(running).unwrap();
    drop(engine);
    let failure = report.view.node("x").unwrap().attempts[0].failure.clone().unwrap();
    assert_eq!(failure.message, "x.csv was changed or replaced while it was read");
    assert_eq!(failure.findings[0].code, Code::new("D0005", "file-changed"));
    assert_eq!(scratch.run(&pipeline).outcome, Outcome::Succeeded, "the same command again");
}
