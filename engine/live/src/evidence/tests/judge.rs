use super::*;
use crate::evidence::{EvidenceError, Judgement, LabelValue, Reference, judge, metrics};
use mlp_lang::live::{DriftMethod, LabelMetric, LiveMetric, MonitorNode, OnNoData, Watch, Watched};
use mlp_lang::pipeline::{Arithmetic, Expr, NodeId};
use mlp_lang::span::Span;
use mlp_lang::types::Comparison;
use mlp_lang::value::Value;
use serde_json::Value as Json;

const SECOND: i64 = 1_000_000_000;

fn watch(what: Watched, comparison: Comparison, limit: Expr) -> Watch {
    Watch { what, comparison, limit, text: "as written".to_owned(), span: Span::default() }
}

fn most(limit: f64) -> Expr {
    Expr::Const(Value::Float(limit))
}

fn drift_of(columns: &[&str], method: DriftMethod) -> Watched {
    Watched::Drift { columns: columns.iter().map(ToString::to_string).collect(), method, alpha: 0.05 }
}

fn label(metric: LabelMetric) -> Watched {
    Watched::Label { metric, label: "bikers".into(), delay: 86_400 * SECOND }
}

fn monitor(watches: Vec<Watch>) -> MonitorNode {
    MonitorNode {
        deployment: NodeId(0),
        deployment_name: "production".into(),
        every: SECOND,
        over: SECOND,
        reference: None,
        watches,
        on_no_data: OnNoData::Wait,
        cooldown: 0,
        breaches: Vec::new(),
    }
}

fn rows(columns: Vec<(&str, Cells)>, predictions: Predictions, labels: Vec<Option<LabelValue>>) -> Rows {
    let count = labels.len();
    Rows {
        at: vec![0; count],
        version: vec![1; count],
        ids: vec![String::new(); count],
        columns: columns.into_iter().map(|(name, cells)| (name.to_owned(), cells)).collect(),
        predictions,
        classes: Vec::new(),
        labels,
    }
}

fn numbers(cells: impl Iterator<Item = f64>) -> Cells {
    Cells::Numbers(cells.collect())
}

/// Rows with these columns, without labels.
fn plain(columns: Vec<(&str, Cells)>) -> Rows {
    let count = columns.first().map_or(0, |(_, cells)| cells.len());
    rows(columns, Predictions::Numbers(vec![0.0; count]), vec![None; count])
}

fn reference(columns: Vec<(&str, Cells)>) -> Reference {
    Reference::new(columns.into_iter().map(|(name, cells)| (name.to_owned(), cells)).collect())
}

fn judged(watches: Vec<Watch>, rows: &Rows, reference: Option<&Reference>) -> Vec<Judgement> {
    judge(&monitor(watches), rows, |_| Ok(rows.clone()), reference, &|_| None, &|_, _| Vec::new())
}

fn told(judgements: &[Judgement]) -> String {
    judgements.iter().map(|j| format!("{:?} {}\n", j.held, j.words)).collect()
}

#[test]
fn drift_is_judged_column_by_column_with_its_rule_and_limit() {
    let large = reference(vec![
        ("temp", numbers((0..2_000).map(f64::from))),
        ("hum", numbers((0..2_000).map(f64::from))),
        ("sky", Cells::Texts(vec![Some("clear".into()); 2_000])),
    ]);
    let window = plain(vec![
        ("temp", numbers((0..400).map(|n| f64::from(n * 5)))),
        ("hum", numbers((0..400).map(|n| f64::from(n * 5 + 700)))),
        ("sky", Cells::Texts((0..400).map(|n| (n % 2 == 0).then(|| "rain".to_owned())).collect())),
    ]);
    let watches = || {
        vec![
            watch(drift_of(&["temp", "hum", "sky"], DriftMethod::Auto), Comparison::LessOrEqual, most(0.1)),
            watch(Watched::Drifted { columns: vec!["temp".into(), "hum".into()] }, Comparison::Less, most(0.5)),
        ]
    };
    let judgements = judged(watches(), &window, Some(&large));
    let columns: Vec<_> = judgements.iter().map(|j| (j.watch, j.column.as_deref(), j.rows, j.reference_rows)).collect();
    assert_eq!(
        columns,
        [
            (0, Some("temp"), 400, 2_000),
            (0, Some("hum"), 400, 2_000),
            (0, Some("sky"), 200, 2_000),
            (1, None, 400, 2_000)
        ]
    );
    insta::assert_snapshot!(told(&judgements), @r#"
    Some(true) Wasserstein distance / standard deviation of temp is 0.003464, wanted <= 0.1
    Some(false) Wasserstein distance / standard deviation of hum is 1.209, wanted <= 0.1
    Some(false) Jensen-Shannon distance (2 values) of sky is 0.8326, wanted <= 0.1
    Some(false) share of drifted columns is 0.5, wanted < 0.5; drifted: hum (Wasserstein distance / standard deviation 1.209)
    "#);

    let small = reference(vec![("temp", numbers((0..500).map(f64::from))), ("hum", numbers((0..500).map(f64::from)))]);
    let alpha = judged(
        vec![watch(drift_of(&["temp", "hum"], DriftMethod::Auto), Comparison::LessOrEqual, most(0.1))],
        &window,
        Some(&small),
    );
    assert_eq!((alpha[0].threshold, alpha[0].comparison), (Some(0.05), Comparison::Greater));
    insta::assert_snapshot!(told(&alpha), @r#"
    Some(false) Kolmogorov-Smirnov p-value (exact) of temp is 1.040e-122, wanted > 0.05; the rule gives a p-value, so alpha is the limit instead of `0.1`
    Some(false) Kolmogorov-Smirnov p-value (exact) of hum is 2.314e-267, wanted > 0.05; the rule gives a p-value, so alpha is the limit instead of `0.1`
    "#);
    // An author who asks for the p-value compares it himself.
    let ks = judged(
        vec![watch(drift_of(&["temp"], DriftMethod::Ks), Comparison::GreaterOrEqual, most(0.01))],
        &window,
        Some(&small),
    );
    assert_eq!((ks[0].threshold, ks[0].comparison, ks[0].held), (Some(0.01), Comparison::GreaterOrEqual, Some(false)));
}

#[test]
fn nothing_to_measure_is_no_verdict_and_says_why() {
    let small =
        reference(vec![("temp", numbers((0..500).map(f64::from))), ("gone", numbers([f64::NAN; 9].into_iter()))]);
    let of = |column: &str| watch(drift_of(&[column], DriftMethod::Auto), Comparison::LessOrEqual, most(0.1));
    let share = || {
        let columns = vec!["temp".into(), "other".into()];
        watch(Watched::Drifted { columns }, Comparison::Less, most(0.5))
    };
    let ten = plain(vec![("temp", numbers((0..10).map(f64::from))), ("gone", numbers((0..10).map(f64::from)))]);
    let missing = plain(vec![("temp", numbers([f64::NAN, 1.0].into_iter()))]);
    let cases = [
        judged(vec![of("temp")], &plain(vec![]), Some(&small)),
        judged(vec![of("temp")], &plain(vec![("temp", numbers([1.0].into_iter()))]), Some(&small)),
        judged(vec![of("temp")], &missing, Some(&small)),
        judged(vec![of("temp")], &ten, None),
        judged(vec![of("hum"), of("gone"), share()], &ten, Some(&small)),
        judged(vec![watch(label(LabelMetric::Rmse), Comparison::LessOrEqual, most(80.0))], &ten, None),
        judged(vec![watch(label(LabelMetric::Auc), Comparison::GreaterOrEqual, most(0.8))], &ten, None),
        judged(vec![watch(Watched::Service(LiveMetric::ErrorRate), Comparison::LessOrEqual, most(0.1))], &ten, None),
    ];
    let all: Vec<Judgement> = cases.into_iter().flatten().collect();
    assert!(all.iter().all(|j| j.held.is_none() && j.statistic.is_none()), "{all:#?}");
    insta::assert_snapshot!(told(&all), @r#"
    None no number for drift (auto) of temp: the window has no rows
    None no number for drift (auto) of temp: the window has only one row
    None no number for drift (auto) of temp: the window has only one row with a value
    None no number for drift (auto) of temp: there is no reference yet
    None no number for drift (auto) of hum: the window's rows have no such column
    None no number for drift (auto) of gone: the reference has no rows with a value
    None no number for share of drifted columns: other: the window's rows have no such column
    None no number for root mean squared error: none of the window's 10 rows has a label yet
    None no number for area under the ROC curve: the predictions are numbers, not classes
    None no number for error_rate: the window has no requests
    "#);
}

#[test]
fn a_window_of_labels_ends_earlier_and_may_be_unreadable() {
    let watches = vec![watch(label(LabelMetric::Mae), Comparison::LessOrEqual, most(1.0))];
    let labels = vec![Some(LabelValue::Number(1.0)), Some(LabelValue::Number(4.0)), None];
    let window = rows(vec![], Predictions::Numbers(vec![2.0, 6.0, 100.0]), labels);
    let asked = std::cell::Cell::new(0);
    let give = |delay| {
        asked.set(delay);
        Ok(window.clone())
    };
    let none = plain(vec![]);
    let verdict = judge(&monitor(watches.clone()), &none, give, None, &|_| None, &|_, _| Vec::new());
    assert_eq!(asked.get(), 86_400 * SECOND);
    assert_eq!((verdict[0].statistic, verdict[0].held, verdict[0].rows), (Some(1.5), Some(false), 2));
    insta::assert_snapshot!(verdict[0].words, @r#"
    mean absolute error is 1.5, wanted <= 1
    "#);

    let broken = |_| Err(EvidenceError::Stopped("the disk is full".into()));
    let verdict = judge(&monitor(watches), &none, broken, None, &|_| None, &|_, _| Vec::new());
    assert_eq!(verdict[0].held, None);
    assert!(verdict[0].words.contains("the disk is full"));
}

#[test]
fn a_service_metric_is_compared_with_its_own_past() {
    let live = |metric| Expr::Live(metric);
    let three_sigma = Expr::Arithmetic(
        Arithmetic::Add,
        Box::new(live(LiveMetric::Baseline(7))),
        Box::new(Expr::Arithmetic(
            Arithmetic::Multiply,
            Box::new(Expr::Const(Value::Int(3))),
            Box::new(live(LiveMetric::Sigma(7))),
        )),
    );
    let watches = vec![
        watch(Watched::Service(LiveMetric::Requests), Comparison::GreaterOrEqual, Expr::Const(Value::Int(1))),
        watch(Watched::Service(LiveMetric::Latency(0.95)), Comparison::LessOrEqual, three_sigma),
    ];
    let service = |metric: &LiveMetric| {
        Some(match metric {
            LiveMetric::Requests => Value::Int(40),
            _ => Value::Duration(20_000_000),
        })
    };
    let judge = |past: &[f64]| {
        let past = |watch, over| if (watch, over) == (1, 7) { past.to_vec() } else { Vec::new() };
        judge(&monitor(watches.clone()), &plain(vec![]), |_| Ok(plain(vec![])), None, &service, &past)
    };
    let calm = judge(&[10e6, 12e6, 14e6]);
    // Mean 12 ms, sample standard deviation 2 ms.
    assert_eq!(calm[1].threshold, Some(18e6));
    assert_eq!(calm.iter().map(|j| j.held).collect::<Vec<_>>(), [Some(true), Some(false)]);
    let young = judge(&[10e6, 12e6]);
    assert_eq!((young[1].statistic, young[1].threshold, young[1].held), (Some(20e6), None, None));
    insta::assert_snapshot!(told(&calm) + &told(&young), @r#"
    Some(true) requests is 40, wanted >= 1
    Some(false) p95(latency) is 20ms, wanted <= 18ms
    Some(true) requests is 40, wanted >= 1
    None p95(latency) is 20ms, and its limit `baseline(7ns) + 3 * sigma(7ns)` is not known: that takes 3 earlier windows
    "#);
}

fn golden() -> Json {
    serde_json::from_str(include_str!("metrics.json")).expect("JSON")
}

fn floats(json: &Json) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|n| n.as_f64().expect("a number")).collect()
}

fn assert_metric(case: &Json, metric: LabelMetric, rows: &Rows) {
    let (got, expected) = (metrics::measure(metric, rows).value, case[metric.word()].as_f64());
    let near = match (got, expected) {
        (Some(got), Some(expected)) => (got - expected).abs() <= 1e-9 * expected.abs().max(1.0),
        (got, expected) => got.is_none() && expected.is_none(),
    };
    assert!(near, "{} of {}: got {got:?}, scikit-learn has {expected:?}", metric.word(), case["name"]);
}

#[test]
fn metrics_of_numbers_are_those_of_scikit_learn() {
    for case in golden()["regression"].as_array().expect("cases") {
        let labels = floats(&case["label"]).into_iter().map(|n| Some(LabelValue::Number(n))).collect();
        let window = rows(vec![], Predictions::Numbers(floats(&case["prediction"])), labels);
        for metric in [LabelMetric::Rmse, LabelMetric::Mae, LabelMetric::Bias, LabelMetric::R2] {
            assert_metric(case, metric, &window);
        }
    }
}

#[test]
fn metrics_of_classes_are_those_of_scikit_learn_however_labels_are_written() {
    for case in golden()["classification"].as_array().expect("cases") {
        let count = case["classes"].as_u64().expect("a number") as usize;
        let labels = floats(&case["label"]);
        let spelled = |names: &[&str], labels: Vec<Option<LabelValue>>| Rows {
            classes: names[..count].iter().map(ToString::to_string).collect(),
            ..rows(vec![], Predictions::Probabilities(floats(&case["probabilities"])), labels)
        };
        let as_numbers = || labels.iter().map(|n| Some(LabelValue::Number(*n))).collect();
        let names = ["a", "b", "c", "d"];
        let as_texts = labels.iter().map(|n| Some(LabelValue::Text(names[*n as usize].to_owned()))).collect();
        let mut windows = vec![spelled(&names, as_texts), spelled(&["0", "1", "2", "3"], as_numbers())];
        if count == 2 {
            windows.push(spelled(&["false", "true"], as_numbers()));
        }
        for window in &windows {
            for metric in [LabelMetric::Accuracy, LabelMetric::Auc, LabelMetric::LogLoss] {
                assert_metric(case, metric, window);
            }
        }
    }
}

#[test]
fn a_class_that_the_model_does_not_know_counts_as_wrong() {
    let labels = ["a", "c"].map(|text| Some(LabelValue::Text(text.to_owned()))).to_vec();
    let window = Rows {
        classes: vec!["a".into(), "b".into()],
        ..rows(vec![], Predictions::Probabilities(vec![1.0, 0.0, 0.5, 0.5]), labels)
    };
    let value = |metric| metrics::measure(metric, &window).value;
    assert_eq!(value(LabelMetric::Accuracy), Some(0.5));
    assert!(value(LabelMetric::LogLoss).is_some_and(|loss| loss > 15.0));
}
