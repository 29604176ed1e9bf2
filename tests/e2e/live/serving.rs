//! What is served is what was judged, to any client that speaks the protocol.

use super::served::{Served, agent, eventually, free_port, predict};
use crate::space::{Space, repository};
use mlp_core::predictor::Cells;
use mlp_data::cells::read_table;
use mlp_lang::types::Type;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::process::Command;

/// A holdout as it was judged, with what the evaluation predicted for each row.
struct Holdout {
    rows: Vec<Map<String, Value>>,
    judged: BTreeMap<String, Cells>,
}

impl Holdout {
    /// `test`: the step and output that hold the rows; `evaluation`: the step that judged them.
    fn of(space: &Space, test: (&str, &str), evaluation: &str, columns: &[(String, Type)]) -> Holdout {
        let run = space.history().run("last").expect("a run").started.run;
        let table = |node: &str, output: &str| {
            let artifact = space.history().output(run, node, output).expect("a journal").expect("an output");
            let bytes = space.history().artifact_bytes(&artifact).expect("its bytes");
            space.write("table.parquet", bytes);
            read_table(&space.path("table.parquet")).expect("a table")
        };
        let (given, judged) = (table(test.0, test.1), table(evaluation, "predictions"));
        let count = judged.values().next().expect("a column").len();
        let cell = |name: &str, ty: &Type, row: usize| match &given[name] {
            Cells::Texts(cells) => cells[row].clone().map(Value::from),
            Cells::Numbers(cells) if cells[row].is_nan() => None,
            Cells::Numbers(cells) if *ty == Type::Int => Some(Value::from(cells[row] as i64)),
            Cells::Numbers(cells) => Some(Value::from(cells[row])),
        };
        let row = |row: usize| {
            columns.iter().filter_map(|(name, ty)| Some((name.clone(), cell(name, ty, row)?))).collect::<Map<_, _>>()
        };
        Holdout { rows: (0..count).map(row).collect(), judged }
    }
}

fn numbers(cells: &Cells) -> &[f64] {
    match cells {
        Cells::Numbers(numbers) => numbers,
        Cells::Texts(_) => panic!("numbers"),
    }
}

/// The features of the newest version, with their types.
fn features(space: &Space, file: &str, model: &str) -> Vec<(String, Type)> {
    let plan = space.mlp(&["show", model, "--output", "json"]).exits(0).json();
    let text = space.read(file);
    let ty = |name: &str| {
        let line = text.lines().find(|line| line.trim_start().trim_start_matches('"').starts_with(name)).unwrap_or("");
        if line.contains(" int") { Type::Int } else { Type::Float }
    };
    let names = plan["features"].as_array().expect("features").iter().filter_map(Value::as_str);
    names.map(|name| (name.to_owned(), ty(name))).collect()
}

/// Waits until the first version answers: loading it compiles its component once on a machine.
fn ready(space: &Space, served: &Served) {
    let agent = agent();
    eventually("readiness", space, || {
        let answer = agent.get(format!("{}/v2/health/ready", served.url())).call().ok()?;
        answer.status().is_success().then_some(())
    });
}

fn ask(served: &Served, rows: &[Map<String, Value>]) -> Vec<Value> {
    let agent = agent();
    rows.chunks(50)
        .flat_map(|chunk| {
            let seen = predict(&agent, served.url(), "production", &json!({ "rows": chunk }));
            assert_eq!(seen.status, 200, "{}", seen.body);
            let answer: Value = serde_json::from_str(&seen.body).expect("JSON");
            answer["predictions"].as_array().expect("predictions").clone()
        })
        .collect()
}

fn bikeshare() -> Space {
    let space = Space::with_example("bikeshare");
    space.replace("bikeshare.mlp", "port: 8080", &format!("port: {}", free_port()));
    space.mlp(&["run", "bikeshare.mlp"]).exits(4);
    space
}

#[test]
fn served_numbers_equal_the_evaluations_on_every_holdout_row() {
    let space = bikeshare();
    let columns = features(&space, "bikeshare.mlp", "demand");
    let holdout = Holdout::of(&space, ("split", "test"), "trees_eval", &columns);
    assert!(holdout.rows.len() > 400);
    let served = Served::start(&space, &["bikeshare.mlp"]);
    ready(&space, &served);
    let answers = ask(&served, &holdout.rows);
    let judged = numbers(&holdout.judged["prediction"]);
    assert_eq!(answers.len(), judged.len());
    for (row, (answer, judged)) in answers.iter().zip(judged).enumerate() {
        let answer = answer.as_f64().expect("a number");
        assert!((answer - judged).abs() <= 1e-9, "row {row}: {answer} served, {judged} judged");
    }
    assert_eq!(served.stop(), Some(0));
}

#[test]
fn served_classes_equal_the_evaluations_on_every_holdout_row() {
    let space = Space::with_example("breast_cancer");
    let text = space.read("breast_cancer.mlp");
    let deploy = format!("deploy production of cancer {{\n  serve = online(port: {})\n  replace\n}}\n", free_port());
    space.write("breast_cancer.mlp", format!("{text}\n{deploy}"));
    space.mlp(&["run", "breast_cancer.mlp"]).exits(4);
    let columns = features(&space, "breast_cancer.mlp", "cancer");
    let holdout = Holdout::of(&space, ("split", "test"), "eval", &columns);
    assert_eq!(holdout.rows.len(), 169);
    let served = Served::start(&space, &["breast_cancer.mlp"]);
    ready(&space, &served);
    let answers = ask(&served, &holdout.rows);
    let judged = numbers(&holdout.judged["probability"]);
    let Cells::Texts(classes) = &holdout.judged["prediction"] else { panic!("classes") };
    for (row, answer) in answers.iter().enumerate() {
        assert_eq!(answer["class"].as_str(), classes[row].as_deref(), "row {row}");
        // The evaluation's probability is that of the positive class.
        let close = |number: &Value| (number.as_f64().expect("a number") - judged[row]).abs() <= 1e-9;
        assert!(answer["probabilities"].as_object().expect("probabilities").values().any(close), "row {row}: {answer}");
    }
}

#[test]
fn clients_of_the_open_inference_protocol_from_pypi_work_unchanged() {
    let Some(python) = std::env::var_os("MLP_TEST_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "CI must set MLP_TEST_PYTHON");
        eprintln!(
            "\n!!! SKIPPED: no clients from PyPI were tried. Set MLP_TEST_PYTHON to a Python that has tritonclient[http]\n"
        );
        return;
    };
    let space = bikeshare();
    let columns = features(&space, "bikeshare.mlp", "demand");
    let holdout = Holdout::of(&space, ("split", "test"), "trees_eval", &columns);
    let served = Served::start(&space, &["bikeshare.mlp"]);
    ready(&space, &served);
    let tensor = |(name, ty): &(String, Type)| {
        let values: Vec<&Value> = holdout.rows.iter().map(|row| &row[name]).collect();
        let datatype = match (ty, values[0]) {
            (_, Value::String(_)) => "BYTES",
            (Type::Int, _) => "INT64",
            _ => "FP64",
        };
        json!({ "name": name, "datatype": datatype, "values": values })
    };
    let work = json!({
        "url": served.url().trim_start_matches("http://"),
        "model": "production",
        "columns": columns.iter().map(tensor).collect::<Vec<_>>(),
        "expected": numbers(&holdout.judged["prediction"]),
    });
    space.write("work.json", work.to_string());
    let script = repository().join("tests/e2e/live/clients.py");
    let ran = Command::new(python).arg(script).arg(space.path("work.json")).output().expect("Python starts");
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}
