//! What scipy 1.17.1 and Evidently 0.7.23 say, from `tests/reference/drift_golden.json`.

use super::super::kolmogorov;
use super::super::*;
use super::uniforms;
use serde_json::Value;

const GOLDEN: &str = include_str!("../../../tests/reference/drift_golden.json");

const METHODS: [DriftMethod; 7] = [
    DriftMethod::Auto,
    DriftMethod::Ks,
    DriftMethod::ChiSquare,
    DriftMethod::Z,
    DriftMethod::Wasserstein,
    DriftMethod::JensenShannon,
    DriftMethod::Psi,
];

/// A sample as the file has it.
enum Cells {
    Numbers(Vec<f64>),
    Texts(Vec<Option<String>>),
}

impl Cells {
    fn of(value: &Value) -> Cells {
        if let Some(rule) = value.get("drawn") {
            let [seed, rows, scale, shift, step] = [0, 1, 2, 3, 4].map(|place| rule[place].as_f64().unwrap());
            let numbers = uniforms(seed as u64, rows as usize).into_iter().map(|uniform| {
                let number = uniform * scale + shift;
                if step == 0.0 { number } else { (number / step).floor() * step }
            });
            return Cells::Numbers(numbers.collect());
        }
        let cells = value.as_array().unwrap();
        let number = |cell: &Value| match cell.as_str() {
            Some(text @ ("nan" | "inf" | "-inf")) => text.parse().ok(),
            _ => cell.as_f64(),
        };
        match cells.iter().map(number).collect() {
            Some(numbers) => Cells::Numbers(numbers),
            None => Cells::Texts(cells.iter().map(|cell| cell.as_str().map(str::to_owned)).collect()),
        }
    }

    fn sample(&self) -> Sample<'_> {
        match self {
            Cells::Numbers(numbers) => Sample::Numbers(numbers),
            Cells::Texts(texts) => Sample::Texts(texts),
        }
    }
}

/// Equal to a relative 1e-9; below 1e-12 what differs is how much the other library has lost (a z-test's p-value by
/// subtraction from 1).
fn same(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-15
}

/// Of nearly equal samples scipy's Jensen-Shannon distance is the root of a rounding error, or NaN.
fn same_statistic(method: DriftMethod, ours: f64, theirs: f64) -> bool {
    same(ours, theirs) || method == DriftMethod::JensenShannon && (ours * ours - theirs * theirs).abs() < 1e-15
}

#[test]
fn every_method_says_what_evidently_says() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in golden["cases"].as_array().unwrap() {
        let (reference, current) = (Cells::of(&case["reference"]), Cells::of(&case["current"]));
        let numeric = case["numeric"].as_bool().unwrap();
        for method in METHODS {
            let Some(expected) = case["expected"].get(method.word()) else { continue };
            let ours = drift(&reference.sample(), &current.sample(), method, numeric);
            compared += 1;
            let right = match (&ours, expected["statistic"].as_f64()) {
                (Ok(ours), Some(theirs)) => {
                    same_statistic(ours.rule.method(), ours.statistic, theirs)
                        && ours.rule.method().word() == expected["rule"]
                        && ours.drifted == expected["drifted"]
                        && ours.threshold == expected["threshold"]
                        && ours.reference_rows as u64 == case["expected"]["rows"][0]
                        && ours.current_rows as u64 == case["expected"]["rows"][1]
                }
                // Where Evidently has no number there may be one only for the distance it loses to rounding.
                (Ok(ours), None) => ours.rule.method() == DriftMethod::JensenShannon && ours.statistic < 1e-7,
                (Err(_), theirs) => theirs.is_none(),
            };
            if !right {
                wrong.push(format!("{}, {}: {ours:?}, not {expected}", case["name"], method.word()));
            }
        }
    }
    assert!(compared > 700, "only {compared} compared");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_parts_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let mut wrong = Vec::new();
    for case in golden["cases"].as_array().unwrap() {
        let Some(expected) = case["expected"].get("distances") else { continue };
        let (Cells::Numbers(reference), Cells::Numbers(current)) =
            (Cells::of(&case["reference"]), Cells::of(&case["current"]))
        else {
            panic!("{} is no case of numbers", case["name"]);
        };
        let (reference, current) = (Numbers::new(&reference).unwrap(), Numbers::new(&current).unwrap());
        let test = ks(&reference, &current);
        let ours = [test.statistic, test.p_value, wasserstein(&reference, &current), reference.deviation()];
        for (name, ours) in ["ks", "ks_p", "wasserstein", "deviation"].into_iter().zip(ours) {
            let theirs = expected[name].as_f64().unwrap();
            if !same(ours, theirs) {
                wrong.push(format!("{}, {name}: {ours}, not {theirs}", case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_tails_of_the_distributions_are_those_of_scipy() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let numbers =
        |row: &Value| -> Vec<f64> { row.as_array().unwrap().iter().map(|cell| cell.as_f64().unwrap()).collect() };
    let mut wrong = Vec::new();
    let mut check = |name: &str, row: &Value, ours: fn(&[f64]) -> f64| {
        let row = numbers(row);
        let (theirs, arguments) = row.split_last().unwrap();
        let ours = ours(arguments);
        if !same(ours, *theirs) {
            wrong.push(format!("{name} {arguments:?}: {ours}, not {theirs}"));
        }
    };
    let tails = &golden["tails"];
    for row in tails["kolmogorov"].as_array().unwrap() {
        check("kolmogorov", row, |arguments| kolmogorov::above(arguments[0] as u64, arguments[1]));
    }
    for row in tails["chi_square"].as_array().unwrap() {
        check("chi-square", row, |arguments| chi_square_above(arguments[0] as usize, arguments[1]));
    }
    for row in tails["normal"].as_array().unwrap() {
        check("normal", row, |arguments| normal_beyond(arguments[0]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
