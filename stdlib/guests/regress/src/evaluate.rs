//! `regress.evaluate`.

/// Judges a regressor on rows whose label is known, over all rows and by group. A number that does not exist (R2 where
/// all labels are the same) is missing, and a missing number passes no gate.
#[mlp_sdk::step]
pub mod evaluate {
    use mlp_sdk::prelude::*;

    /// How to judge.
    #[derive(Clone, Debug)]
    pub struct Params {
        /// What really happened.
        #[param(column_of = "data", default_label)]
        pub label: Column,
        /// Columns by whose values every metric is given as well.
        #[param(column_of = "data", default = [])]
        pub by: Vec<Column>,
    }

    /// What is judged.
    pub struct Inputs {
        /// A model of std/regress.
        #[input(flavor = "regressor")]
        pub model: Model,
        /// Rows that it has not learned from.
        pub data: Dataset,
    }

    /// The judgement.
    pub struct Outputs {
        /// How good it is.
        #[output(by = "by", metrics(
            /// Square root of the mean squared error.
            rmse: float,
            /// Mean distance between prediction and label.
            mae: float,
            /// Share of the labels' variance that the predictions explain.
            r2: float,
            /// Mean of prediction minus label.
            bias: float,
            /// Rows judged.
            rows: int,
        ))]
        pub metrics: Metrics,
        /// What it predicts for each row of `data`: the row's position from 0, its label, the prediction.
        #[output(columns(row: int, label: float, prediction: float))]
        pub predictions: Dataset,
    }

    /// Judges.
    pub fn run(params: Params, inputs: Inputs) -> Result<Outputs, Error> {
        super::judge(&params, &inputs)
    }
}

pub use evaluate::{Inputs, MLP_STEP_SIGNATURE, Outputs, Params, run};

use mlp_sdk::{Error, Metrics};
use mlp_std_models::{Flavor, ModelFile, groups, labels, predictions};

fn judge(params: &Params, inputs: &Inputs) -> Result<Outputs, Error> {
    let model = ModelFile::read(&inputs.model, Flavor::Regressor)?;
    let mut names = model.encoding.names();
    names.push(params.label.clone());
    names.extend(params.by.iter().cloned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let table = inputs.data.read_columns(&names)?;
    let actual = labels::numbers(&table, &params.label)?;
    let predicted = model.predict(&table)?;
    let judge = |rows: &[usize]| {
        let pairs: Vec<(f64, f64)> = rows.iter().map(|&row| (actual[row], predicted[row])).collect();
        metrics(&pairs)
    };
    let every_row: Vec<usize> = (0..table.rows()).collect();
    let metrics = Metrics { all: judge(&every_row), groups: groups::metrics(&table, &params.by, judge)? };
    Ok(Outputs { metrics, predictions: predictions::of_numbers(&actual, &predicted)?.into() })
}

/// Of pairs of label and prediction.
fn metrics(pairs: &[(f64, f64)]) -> Vec<(String, Option<f64>)> {
    let rows = pairs.len() as f64;
    let mean = |value: &dyn Fn(&(f64, f64)) -> f64| (rows > 0.0).then(|| pairs.iter().map(value).sum::<f64>() / rows);
    let squared = mean(&|(actual, predicted)| (predicted - actual).powi(2));
    let centre = mean(&|(actual, _)| *actual);
    let variance = centre.and_then(|centre| mean(&|(actual, _)| (actual - centre).powi(2)));
    let r2 = squared.zip(variance).and_then(|(error, variance)| (variance > 0.0).then(|| 1.0 - error / variance));
    [
        ("rmse", squared.map(f64::sqrt)),
        ("mae", mean(&|(actual, predicted)| (predicted - actual).abs())),
        ("r2", r2),
        ("bias", mean(&|(actual, predicted)| predicted - actual)),
        ("rows", Some(rows)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
