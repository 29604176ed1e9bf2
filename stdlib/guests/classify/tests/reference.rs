//! The classifiers against scikit-learn, on real data. `reference/reference.py` made the numbers.

use mlp_sdk::{Dataset, Error, Metrics, Model, Table, testing};
use mlp_std_classify::{evaluate, gradient_boosting, logistic};
use mlp_std_models::{Learned, ModelFile};
use serde_json::Value as Json;

fn reference() -> Json {
    serde_json::from_str(include_str!("../reference/reference.json")).expect("the reference is JSON")
}

/// Rows 0 to 399 to train with, 400 to 568 to test with.
fn breast_cancer() -> (Table, Table) {
    breast_cancer_as(&["malignant", "benign"])
}

fn breast_cancer_as(classes: &[&str]) -> (Table, Table) {
    let text = include_str!("../../../../examples/breast_cancer/data/breast_cancer.csv");
    let table = testing::csv(text, &[("diagnosis", classes)]);
    let part = |rows: std::ops::Range<usize>| table.take(&rows.collect::<Vec<_>>()).expect("rows that exist");
    (part(0..400), part(400..569))
}

fn bikeshare(months: &[&str]) -> Table {
    let text = include_str!("../../../../examples/bikeshare/data/hours.csv");
    let table = testing::csv(text, &[]);
    let mnth = table.cells("mnth").expect("a column").texts();
    let rows: Vec<usize> = (0..table.rows()).filter(|&r| months.contains(&mnth[r].as_deref().unwrap_or(""))).collect();
    table.take(&rows).expect("rows that exist")
}

fn columns_but(table: &Table, label: &str) -> Vec<String> {
    let schema = table.batch().schema();
    schema.fields().iter().map(|f| f.name().clone()).filter(|name| name != label && name != "at").collect()
}

fn logistic(train: &Table, label: &str, features: Vec<String>, c: f64) -> Result<Model, Error> {
    let params = logistic::Params { label: label.into(), features, c, standardize: true, max_iterations: 10_000 };
    logistic::run(params, logistic::Inputs { train: train.clone().into() }).map(|outputs| outputs.model)
}

fn evaluate(model: &Model, data: &Table, label: &str, by: &[&str], positive: Option<&str>) -> Result<Metrics, Error> {
    let params = evaluate::Params {
        label: label.into(),
        by: by.iter().map(ToString::to_string).collect(),
        threshold: 0.5,
        positive: positive.map(Into::into),
    };
    let inputs = evaluate::Inputs { model: model.clone(), data: Dataset::from(data.clone()) };
    evaluate::run(params, inputs).map(|outputs| outputs.metrics)
}

/// Every number of the reference, within this distance.
fn assert_near(metrics: &Metrics, reference: &Json, distance: f64) {
    for (name, expected) in reference.as_object().expect("named numbers") {
        match (metrics.get(name), expected.as_f64()) {
            (None, None) => {}
            (Some(got), Some(expected)) if (got - expected).abs() <= distance => {}
            (got, expected) => panic!("{name}: got {got:?}, scikit-learn has {expected:?}"),
        }
    }
}

#[test]
fn logistic_regression_finds_the_weights_that_scikit_learn_finds() {
    let (train, test) = breast_cancer();
    let reference = reference();
    for (name, c) in [("logistic_c_1", 1.0), ("logistic_c_0.01", 0.01), ("logistic_c_100", 100.0)] {
        let expected = &reference["breast_cancer"][name];
        let model = logistic(&train, "diagnosis", columns_but(&train, "diagnosis"), c).expect("trains");
        let file = ModelFile::parse(&model.bytes().expect("in memory")).expect("is readable");
        let Learned::Linear { outputs, .. } = &file.learned else { panic!("logistic regression is linear") };
        let weights = expected["weights"].as_array().expect("a list");
        assert_eq!(outputs[0].weights.len(), weights.len());
        for (got, expected) in outputs[0].weights.iter().zip(weights) {
            let expected = expected.as_f64().expect("a number");
            assert!((got - expected).abs() < 1e-5, "c {c}: weight {got}, scikit-learn has {expected}");
        }
        let metrics = evaluate(&model, &test, "diagnosis", &[], None).expect("evaluates");
        assert_near(&metrics, &expected["metrics"], 1e-6);
    }
}

/// The one output of a model of two classes: its intercept, then its weights.
fn line(model: &Model) -> Vec<f64> {
    let file = ModelFile::parse(&model.bytes().expect("in memory")).expect("is readable");
    let Learned::Linear { outputs, .. } = file.learned else { panic!("logistic regression is linear") };
    assert_eq!(outputs.len(), 1, "two classes have one output");
    std::iter::once(outputs[0].intercept).chain(outputs[0].weights.iter().copied()).collect()
}

/// Benign rows are the majority: here the positive class is the minority, and every sign is the other.
#[test]
fn the_second_class_is_positive_even_when_it_is_the_smaller_one() {
    let (train, test) = breast_cancer_as(&["benign", "malignant"]);
    let model = logistic(&train, "diagnosis", columns_but(&train, "diagnosis"), 1.0).expect("trains");
    let expected = &reference()["breast_cancer"]["logistic_c_1"];
    let weights = expected["weights"].as_array().expect("a list");
    let expected_line = std::iter::once(&expected["intercept"]).chain(weights);
    for (got, opposite) in line(&model).iter().zip(expected_line) {
        let opposite = opposite.as_f64().expect("a number");
        assert!((got + opposite).abs() < 1e-5, "got {got}, scikit-learn has {}", -opposite);
    }
    let metrics = evaluate(&model, &test, "diagnosis", &[], None).expect("evaluates");
    let same = |name: &str| (metrics.get(name), expected["metrics"][name].as_f64());
    for (got, wanted) in ["accuracy", "auc", "log_loss", "brier"].map(same) {
        assert!((got.expect("exists") - wanted.expect("exists")).abs() < 1e-6, "{metrics:?}");
    }
}

/// Of 40 rows, 4, 20 or 36 are positive, the first row of either class, every kind of label: more x is more likely.
#[test]
fn no_balance_order_or_kind_of_label_inverts_a_model() {
    let reference = reference();
    for (positives, reversed) in [4, 20, 36].into_iter().flat_map(|p| [(p, false), (p, true)]) {
        let fits = reference["imbalanced"].as_array().expect("a list");
        let fit = fits.iter().find(|fit| fit["positives"] == positives).expect("is in the reference");
        let x: Vec<i32> = if reversed { (0..40).rev().collect() } else { (0..40).collect() };
        let positive: Vec<bool> = x.iter().map(|&x| x >= 40 - positives).collect();
        let text = |p: &bool| if *p { "a" } else { "b" };
        let labels = [
            testing::bools("y", positive.clone()),
            testing::ints("y", positive.iter().map(|&p| i64::from(p))),
            testing::levels("y", &["b", "a"], positive.iter().map(|p| Some(text(p)))),
            testing::texts("y", positive.iter().map(|&p| if p { "yes" } else { "no" })),
        ];
        for label in labels {
            let table = testing::table(vec![testing::floats("x", x.iter().map(|&x| f64::from(x))), label]);
            let boosting = gradient_boosting::Params {
                label: "y".into(),
                features: vec!["x".into()],
                iterations: 20,
                learning_rate: 0.3,
                max_depth: 3,
                min_leaf_weight: 0.0,
                l2: 1.0,
                subsample: 1.0,
                seed: 0,
            };
            let inputs = gradient_boosting::Inputs { train: table.clone().into() };
            let boosted = gradient_boosting::run(boosting, inputs).expect("trains").model;
            let linear = logistic(&table, "y", vec!["x".into()], 1.0).expect("trains");
            for (place, got) in line(&linear).into_iter().enumerate() {
                let expected = fit["line"][place].as_f64().expect("a number");
                assert!((got - expected).abs() < 1e-5, "{positives} positive: {got}, scikit-learn has {expected}");
            }
            for model in [linear, boosted] {
                let metrics = evaluate(&model, &table, "y", &[], None).expect("evaluates");
                assert_eq!(metrics.get("auc"), Some(1.0), "{positives} positive, reversed {reversed}");
                let counted = metrics.get("true_positive").zip(metrics.get("false_negative")).map(|(t, f)| t + f);
                assert_eq!(counted, Some(f64::from(positives)));
            }
        }
    }
}

/// The figures that people quote for this split; scikit-learn's own default stops a little before the minimum.
#[test]
fn logistic_regression_reaches_the_published_figures() {
    let (train, test) = breast_cancer();
    let model = logistic(&train, "diagnosis", columns_but(&train, "diagnosis"), 1.0).expect("trains");
    let metrics = evaluate(&model, &test, "diagnosis", &[], None).expect("evaluates");
    let figures = serde_json::json!({
        "accuracy": 0.970414, "precision": 1.0, "recall": 0.961538, "f1": 0.980392,
        "auc": 0.999211, "log_loss": 0.081491, "brier": 0.021576,
    });
    assert_near(&metrics, &figures, 1e-3);
}

#[test]
fn several_classes_are_told_apart_as_scikit_learn_does() {
    let spring = bikeshare(&["Jan", "Feb", "March"]);
    let features = ["temp", "atemp", "hum", "windspeed"].map(String::from).to_vec();
    let model = logistic(&spring, "weathersit", features, 1.0).expect("trains");
    let metrics = evaluate(&model, &spring, "weathersit", &[], None).expect("evaluates");
    assert_near(&metrics, &reference()["bikeshare"]["several_classes"]["metrics"], 1e-6);
    assert_eq!(metrics.get("true_positive"), None, "there is no positive class unless one is chosen");
    let one = evaluate(&model, &spring, "weathersit", &[], Some("clear")).expect("evaluates");
    let sum =
        ["true_positive", "false_positive", "true_negative", "false_negative"].map(|m| one.get(m).expect("counts"));
    assert_eq!(sum.iter().sum::<f64>(), 2067.0);
}

#[test]
fn boosting_is_at_least_as_good_as_a_line_on_breast_cancer() {
    let (train, test) = breast_cancer();
    let params = gradient_boosting::Params {
        label: "diagnosis".into(),
        features: columns_but(&train, "diagnosis"),
        iterations: 100,
        learning_rate: 0.1,
        max_depth: 5,
        min_leaf_weight: 1.0,
        l2: 1.0,
        subsample: 1.0,
        seed: 0,
    };
    let train = || {
        let inputs = gradient_boosting::Inputs { train: train.clone().into() };
        gradient_boosting::run(params.clone(), inputs).expect("trains").model
    };
    let model = train();
    let metrics = evaluate(&model, &test, "diagnosis", &[], None).expect("evaluates");
    assert!(metrics.get("accuracy") >= Some(0.95), "{metrics:?}");
    assert!(metrics.get("auc") >= Some(0.99), "{metrics:?}");
    assert_eq!(model, train(), "the same data and settings make the same bytes");
}

#[test]
fn the_positive_class_can_be_chosen() {
    let (train, test) = breast_cancer();
    let model = logistic(&train, "diagnosis", columns_but(&train, "diagnosis"), 1.0).expect("trains");
    let benign = evaluate(&model, &test, "diagnosis", &[], None).expect("evaluates");
    let malignant = evaluate(&model, &test, "diagnosis", &[], Some("malignant")).expect("evaluates");
    assert_eq!(malignant.get("true_positive"), benign.get("true_negative"));
    assert_eq!(malignant.get("accuracy"), benign.get("accuracy"));
    let error = evaluate(&model, &test, "diagnosis", &[], Some("maligant")).expect_err("a typo");
    assert_eq!(error.to_string(), "positive: `maligant` is no class of the model; it knows malignant, benign");
}

#[test]
fn a_solver_stopped_far_from_the_minimum_gives_no_model() {
    let (train, _) = breast_cancer();
    let params = logistic::Params {
        label: "diagnosis".into(),
        features: columns_but(&train, "diagnosis"),
        c: 1.0,
        standardize: true,
        max_iterations: 1,
    };
    let error = logistic::run(params, logistic::Inputs { train: train.into() }).map(|_| ()).expect_err("too early");
    assert!(error.to_string().contains("raise max_iterations"), "{error}");
}

#[test]
fn groups_are_judged_by_their_own_rows() {
    let table = testing::table(vec![
        testing::floats("x", [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 2.5, 2.6]),
        testing::bools("y", [false, false, false, true, true, true, false, true]),
        testing::levels(
            "plan",
            &["pro", "free"],
            [Some("free"), Some("free"), Some("pro"), Some("pro"), Some("free"), Some("free"), None, Some("pro")],
        ),
        testing::ints("size", [10, 9, 10, 9, 10, 9, 10, 9]),
    ]);
    let model = logistic(&table, "y", vec!["x".into()], 1.0).expect("trains");
    let metrics = evaluate(&model, &table, "y", &["plan", "size"], None).expect("evaluates");
    let shown: Vec<_> = metrics.groups.iter().map(|g| (g.by.as_str(), g.value.as_deref(), g.rows)).collect();
    assert_eq!(
        shown,
        [
            ("plan", Some("pro"), 3),
            ("plan", Some("free"), 4),
            ("plan", None, 1),
            ("size", Some("9"), 4),
            ("size", Some("10"), 4),
        ],
        "enums as declared, numbers by value, missing last"
    );
    let alone = &metrics.groups[2].metrics;
    assert!(alone.contains(&("auc".into(), None)), "one row has no AUC");
    for column in ["plan", "size"] {
        let rows: u64 = metrics.groups.iter().filter(|g| g.by == column).map(|g| g.rows).sum();
        assert_eq!(rows, 8);
    }
}

#[test]
fn what_cannot_be_learned_from_is_named() {
    let table = testing::table(vec![
        testing::floats("charges", [Some(1.0), None, Some(3.0), None]),
        testing::dates("signup", [1, 2, 3, 4]),
        testing::bools("churned", [true, false, true, false]),
        testing::bools("same", [true, true, true, true]),
        testing::floats("score", [0.1, 0.2, 0.3, 0.4]),
        testing::ints("age", [Some(1), Some(2), None, Some(4)]),
    ]);
    let error = |label: &str, feature: &str| {
        logistic(&table, label, vec![feature.into()], 1.0).expect_err("cannot be learned from").to_string()
    };
    assert_eq!(
        error("churned", "charges"),
        "column `charges`: 2 of 4 cells are missing, and this model cannot learn from or predict for missing values: \
         declare what they stand for in a SQL step, `coalesce(charges, 0)`, leave the column out of `features`, or use \
         gradient_boosting, which can"
    );
    assert_eq!(
        error("churned", "signup"),
        "column `signup`: a date or time cannot be learned from as it is: compute a number from it in a SQL step, or \
         leave the column out of `features`"
    );
    assert_eq!(error("churned", "churned"), "features: `churned` is the label: it cannot be learned from");
    assert_eq!(
        error("churned", "nope"),
        "column `nope`: the table has no such column; it has charges, signup, churned, same, score, age"
    );
    assert_eq!(error("same", "score"), "label: column `same`: all 4 rows are `true`: there is nothing to tell apart");
    assert_eq!(
        error("score", "churned"),
        "label: column `score`: a label to classify is a bool, an int, an enum or a text; to predict a number use \
         std/regress"
    );
    assert_eq!(
        error("age", "score"),
        "label: column `age`: 1 of 4 cells is missing: a row without a label can be neither learned from nor judged"
    );
}

#[test]
fn boosting_learns_from_missing_values() {
    let rows = 200;
    let table = testing::table(vec![
        testing::floats("x", (0..rows).map(|i| (i % 3 != 0).then_some(f64::from(i % 7)))),
        testing::bools("y", (0..rows).map(|i| i % 3 == 0)),
    ]);
    let params = gradient_boosting::Params {
        label: "y".into(),
        features: vec!["x".into()],
        iterations: 20,
        learning_rate: 0.3,
        max_depth: 3,
        min_leaf_weight: 1.0,
        l2: 1.0,
        subsample: 1.0,
        seed: 0,
    };
    let inputs = gradient_boosting::Inputs { train: table.clone().into() };
    let model = gradient_boosting::run(params, inputs).expect("trains").model;
    let metrics = evaluate(&model, &table, "y", &[], None).expect("evaluates");
    assert_eq!(metrics.get("accuracy"), Some(1.0), "whether x is missing says all");
}

#[test]
fn a_label_that_the_model_never_saw_is_named() {
    let train = testing::table(vec![testing::floats("x", [0.0, 1.0]), testing::texts("y", ["a", "b"])]);
    let test = testing::table(vec![testing::floats("x", [0.0, 1.0]), testing::texts("y", ["a", "c"])]);
    let model = logistic(&train, "y", vec!["x".into()], 1.0).expect("trains");
    let error = evaluate(&model, &test, "y", &[], None).expect_err("`c` is unknown");
    assert_eq!(error.to_string(), "label: column `y`: row 2 is `c`, and the model knows only a, b");
}
