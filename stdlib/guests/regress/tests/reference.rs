//! The regressors against scikit-learn, on real data. `classify/reference/reference.py` made the numbers.

use mlp_sdk::{Dataset, Metrics, Model, Table, testing};
use mlp_std_models::{Learned, ModelFile};
use mlp_std_regress::{evaluate, gradient_boosting, linear};
use serde_json::Value as Json;

fn reference() -> Json {
    serde_json::from_str(include_str!("../../classify/reference/reference.json")).expect("the reference is JSON")
}

fn bikeshare(months: &[&str]) -> Table {
    let text = include_str!("../../../../examples/bikeshare/data/hours.csv");
    let hours: Vec<String> = (0..24).map(|hour| hour.to_string()).collect();
    let hours: Vec<&str> = hours.iter().map(String::as_str).collect();
    let table = testing::csv(text, &[("hr", &hours)]);
    let mnth = table.cells("mnth").expect("a column").texts();
    let rows: Vec<usize> = (0..table.rows()).filter(|&r| months.contains(&mnth[r].as_deref().unwrap_or(""))).collect();
    table.take(&rows).expect("rows that exist")
}

const SPRING: [&str; 3] = ["Jan", "Feb", "March"];

fn features() -> Vec<String> {
    ["holiday", "workingday", "temp", "atemp", "hum", "windspeed", "weathersit", "hr"].map(String::from).to_vec()
}

fn linear(train: &Table, label: &str, features: Vec<String>, l2: f64) -> Model {
    let params = linear::Params { label: label.into(), features, l2 };
    linear::run(params, linear::Inputs { train: train.clone().into() }).expect("trains").model
}

fn evaluate(model: &Model, data: &Table, label: &str, by: &[&str]) -> Metrics {
    let params = evaluate::Params { label: label.into(), by: by.iter().map(ToString::to_string).collect() };
    let inputs = evaluate::Inputs { model: model.clone(), data: Dataset::from(data.clone()) };
    evaluate::run(params, inputs).expect("evaluates").metrics
}

fn assert_near(metrics: &Metrics, reference: &Json, distance: f64) {
    for (name, expected) in reference.as_object().expect("named numbers") {
        let (got, expected) = (metrics.get(name).expect("exists"), expected.as_f64().expect("a number"));
        assert!((got - expected).abs() <= distance, "{name}: got {got}, scikit-learn has {expected}");
    }
}

#[test]
fn least_squares_predicts_what_scikit_learn_predicts() {
    let (spring, april) = (bikeshare(&SPRING), bikeshare(&["April"]));
    let reference = &reference()["bikeshare"];
    let model = linear(&spring, "bikers", features(), 0.0);
    assert_near(&evaluate(&model, &spring, "bikers", &[]), &reference["linear_train"], 1e-6);
    assert_near(&evaluate(&model, &april, "bikers", &[]), &reference["linear"], 1e-6);
    let ridge = linear(&spring, "bikers", features(), 10.0);
    assert_near(&evaluate(&ridge, &april, "bikers", &[]), &reference["ridge_10"], 1e-6);
}

#[test]
fn boosting_is_near_its_neighbour() {
    let (spring, april) = (bikeshare(&SPRING), bikeshare(&["April"]));
    let params = gradient_boosting::Params {
        label: "bikers".into(),
        features: features(),
        iterations: 100,
        learning_rate: 0.1,
        max_depth: 5,
        min_leaf_weight: 1.0,
        l2: 1.0,
        subsample: 1.0,
        seed: 0,
    };
    let train = |params: gradient_boosting::Params| {
        gradient_boosting::run(params, gradient_boosting::Inputs { train: spring.clone().into() })
            .expect("trains")
            .model
    };
    let model = train(params.clone());
    let rmse = evaluate(&model, &april, "bikers", &[]).get("rmse").expect("exists");
    let neighbour = reference()["bikeshare"]["neighbour_boosting"]["rmse"].as_f64().expect("a number");
    assert!((rmse / neighbour - 1.0).abs() < 0.1, "{rmse} is far from {neighbour}");
    assert_eq!(model, train(params.clone()), "the same data and settings make the same bytes");
    let drawn = gradient_boosting::Params { subsample: 0.5, seed: 1, ..params };
    assert_eq!(train(drawn.clone()), train(drawn.clone()), "draws follow the seed");
    assert_ne!(train(drawn.clone()), train(gradient_boosting::Params { seed: 2, ..drawn }));
}

#[test]
fn columns_that_say_the_same_share_their_weight() {
    let table = testing::table(vec![
        testing::floats("x", [1.0, 2.0, 3.0, 4.0]),
        testing::floats("twice", [2.0, 4.0, 6.0, 8.0]),
        testing::floats("same", [7.0, 7.0, 7.0, 7.0]),
        testing::floats("y", [5.0, 7.0, 9.0, 11.0]),
    ]);
    let model = linear(&table, "y", ["x", "twice", "same"].map(String::from).to_vec(), 0.0);
    let file = ModelFile::parse(&model.bytes().expect("in memory")).expect("is readable");
    let Learned::Linear { outputs, .. } = &file.learned else { panic!("least squares is linear") };
    let weights = &outputs[0].weights;
    assert!((weights[0] - weights[1]).abs() < 1e-9, "{weights:?}");
    assert_eq!(weights[2], 0.0, "a constant says nothing");
    let metrics = evaluate(&model, &table, "y", &[]);
    assert!(metrics.get("rmse").expect("exists") < 1e-9);
}

#[test]
fn more_columns_than_rows_is_no_problem() {
    let columns: Vec<String> = (0..10).map(|i| format!("x{i}")).collect();
    let mut all: Vec<_> = columns
        .iter()
        .enumerate()
        .map(|(i, name)| testing::floats(name, (0..3).map(|row| ((i * 7 + row * 5) % 11) as f64)))
        .collect();
    all.push(testing::floats("y", [1.0, -1.0, 3.0]));
    let table = testing::table(all);
    let model = linear(&table, "y", columns, 0.0);
    assert!(evaluate(&model, &table, "y", &[]).get("rmse").expect("exists") < 1e-9);
}

#[test]
fn labels_that_do_not_vary_have_no_r2() {
    let table = testing::table(vec![testing::floats("x", [1.0, 2.0]), testing::ints("y", [3, 3])]);
    let model = linear(&table, "y", vec!["x".into()], 0.0);
    let metrics = evaluate(&model, &table, "y", &["y"]);
    assert_eq!(metrics.get("r2"), None);
    assert_eq!(metrics.get("rmse"), Some(0.0));
    assert_eq!(metrics.groups[0].metrics[2], ("r2".into(), None));
}
