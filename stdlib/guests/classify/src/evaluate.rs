//! `classify.evaluate`.

/// Judges a classifier on rows whose label is known, over all rows and by group. A number that does not exist (AUC where
/// all rows are of one class) is missing, and a missing number passes no gate.
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
        /// Rows whose probability to be positive is at least this are predicted positive.
        #[param(default = 0.5, min = 0.0, max = 1.0)]
        pub threshold: Fraction,
        /// The class that counts as positive; with more than two classes, all others together count as negative.
        /// Without it, the second of two: `true`, 1, the second of an enum as declared, the last of texts as sorted.
        #[param(value_of = "label")]
        pub positive: Option<ValueOf>,
    }

    /// What is judged.
    pub struct Inputs {
        /// A model of std/classify.
        #[input(flavor = "classifier")]
        pub model: Model,
        /// Rows that it has not learned from.
        pub data: Dataset,
    }

    /// The judgement.
    pub struct Outputs {
        /// How good it is.
        #[output(by = "by", metrics(
            /// Share of rows whose class is predicted right.
            accuracy: fraction,
            /// Share of the rows predicted positive that are.
            precision: fraction,
            /// Share of the positive rows that are predicted so.
            recall: fraction,
            /// Harmonic mean of precision and recall.
            f1: fraction,
            /// Chance that a positive row gets a higher probability than a negative one.
            auc: fraction,
            /// Mean of -ln of the probability given to what happened.
            log_loss: float,
            /// Mean squared distance between probability and what happened.
            brier: float,
            /// Distance between probability and frequency, over ten bins.
            calibration_error: fraction,
            /// Share of rows predicted positive.
            selection_rate: fraction,
            /// Share of the negative rows predicted positive.
            false_positive_rate: fraction,
            /// Rows judged.
            rows: int,
            /// Positive rows predicted positive.
            true_positive: int,
            /// Negative rows predicted positive.
            false_positive: int,
            /// Negative rows predicted negative.
            true_negative: int,
            /// Positive rows predicted negative.
            false_negative: int,
        ))]
        pub metrics: Metrics,
        /// What it predicts for each row of `data`: the row's position from 0, its class, the class predicted, and the
        /// probability of the positive class, or without one of the class predicted.
        #[output(columns(row: int, label: string, prediction: string, probability: fraction))]
        pub predictions: Dataset,
    }

    /// Judges.
    pub fn run(params: Params, inputs: Inputs) -> Result<Outputs, Error> {
        super::judge(&params, &inputs)
    }
}

pub use evaluate::{Inputs, MLP_STEP_SIGNATURE, Outputs, Params, run};

use crate::metrics::{Binary, Multiclass, Named};
use mlp_sdk::{Error, Metrics, Table};
use mlp_std_models::{Classes, Flavor, ModelFile, groups, predictions};

fn judge(params: &Params, inputs: &Inputs) -> Result<Outputs, Error> {
    let model = ModelFile::read(&inputs.model, Flavor::Classifier)?;
    if !(0.0..=1.0).contains(&params.threshold) {
        return Err(Error::param("threshold", format!("{} is no fraction from 0% to 100%", params.threshold)));
    }
    let mut names = model.encoding.names();
    names.push(params.label.clone());
    names.extend(params.by.iter().cloned());
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let table = inputs.data.read_columns(&names)?;
    let classes = model.classes.clone();
    let judged = Judged {
        actual: Classes(classes.clone()).read(&table, &params.label)?,
        positive: positive(&classes, params.positive.as_deref())?,
        probabilities: model.probabilities(&table)?,
        threshold: params.threshold,
    };
    let every_row: Vec<usize> = (0..table.rows()).collect();
    let metrics = Metrics {
        all: judged.metrics(&every_row),
        groups: groups::metrics(&table, &params.by, |rows| judged.metrics(rows))?,
    };
    Ok(Outputs { metrics, predictions: judged.predictions(&classes)?.into() })
}

/// The place of the positive class. `None`: there are many, and none was chosen.
fn positive(classes: &[String], chosen: Option<&str>) -> Result<Option<usize>, Error> {
    match chosen {
        None => Ok((classes.len() == 2).then_some(1)),
        Some(chosen) => match classes.iter().position(|class| class == chosen) {
            Some(place) => Ok(Some(place)),
            None => {
                let message = format!("`{chosen}` is no class of the model; it knows {}", classes.join(", "));
                Err(Error::param("positive", message))
            }
        },
    }
}

/// All rows, with what the model says about them.
struct Judged {
    actual: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    positive: Option<usize>,
    threshold: f64,
}

impl Judged {
    fn metrics(&self, rows: &[usize]) -> Named {
        let pick = |column: &Vec<f64>| -> Vec<f64> { rows.iter().map(|&row| column[row]).collect() };
        match self.positive {
            Some(class) => Binary {
                actual: &rows.iter().map(|&row| self.actual[row] == class).collect::<Vec<_>>(),
                probability: &pick(&self.probabilities[class]),
                threshold: self.threshold,
            }
            .metrics(),
            None => Multiclass {
                actual: &rows.iter().map(|&row| self.actual[row]).collect::<Vec<_>>(),
                probabilities: &self.probabilities.iter().map(pick).collect::<Vec<_>>(),
            }
            .metrics(),
        }
    }
    fn predictions(&self, classes: &[String]) -> Result<Table, Error> {
        let rows = 0..self.actual.len();
        let predicted: Vec<usize> = rows.clone().map(|row| self.predicted(row)).collect();
        let texts = |places: &[usize]| places.iter().map(|&place| classes[place].as_str()).collect::<Vec<_>>();
        let probability = |row| self.probabilities[self.positive.unwrap_or(predicted[row])][row];
        let probabilities = rows.map(probability).collect();
        predictions::of_classes(texts(&self.actual), texts(&predicted), probabilities)
    }

    /// The positive class from its threshold on, or else the most probable of the others, the first of equals.
    fn predicted(&self, row: usize) -> usize {
        if let Some(positive) = self.positive
            && self.probabilities[positive][row] >= self.threshold
        {
            return positive;
        }
        let others = (0..self.probabilities.len()).filter(|&class| Some(class) != self.positive);
        let better = |best: Option<usize>, class: usize| match best {
            Some(best) if self.probabilities[class][row] <= self.probabilities[best][row] => Some(best),
            _ => Some(class),
        };
        others.fold(None, better).unwrap_or_default()
    }
}
