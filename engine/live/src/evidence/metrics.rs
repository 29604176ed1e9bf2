//! Numbers about predictions and what really happened. Defined as in scikit-learn; `tests/metrics.py` made the golden
//! values.

use super::labels::LabelValue;
use super::rows::Rows;
use super::stored_rows::first_highest;
use mlp_core::predictor::Predictions;
use mlp_lang::live::LabelMetric;

/// A metric of the rows whose label is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measured {
    /// `None`: `why` says why there is no number.
    pub value: Option<f64>,
    /// Rows that count.
    pub rows: u64,
    pub why: String,
}

/// The full name of a metric.
pub(super) fn name(metric: LabelMetric) -> &'static str {
    match metric {
        LabelMetric::Rmse => "root mean squared error",
        LabelMetric::Mae => "mean absolute error",
        LabelMetric::Bias => "mean of prediction minus label",
        LabelMetric::R2 => "coefficient of determination",
        LabelMetric::Accuracy => "accuracy",
        LabelMetric::Auc => "area under the ROC curve",
        LabelMetric::LogLoss => "log loss",
    }
}

/// Measures; fewer than 2 rows with a label are no data.
pub(super) fn measure(metric: LabelMetric, rows: &Rows) -> Measured {
    let of_numbers = matches!(metric, LabelMetric::Rmse | LabelMetric::Mae | LabelMetric::Bias | LabelMetric::R2);
    let (value, count, why) = match (&rows.predictions, of_numbers) {
        (Predictions::Numbers(predictions), true) => {
            let pairs = numbers(predictions, rows);
            (of_pairs(metric, &pairs), pairs.len(), "all labels of the window are equal")
        }
        (Predictions::Probabilities(probabilities), false) => {
            let classified = classes(probabilities, rows);
            let two = rows.classes.len() == 2 || metric != LabelMetric::Auc;
            let why = if two { "the window has labels of one class only" } else { "the model has not two classes" };
            (of_classes(metric, &classified), classified.len(), why)
        }
        (Predictions::Numbers(_), false) => (None, 0, "the predictions are numbers, not classes"),
        (Predictions::Probabilities(_), true) => (None, 0, "the predictions are classes, not numbers"),
    };
    let kinds_fit = matches!(rows.predictions, Predictions::Numbers(_)) == of_numbers;
    let why = match count {
        _ if rows.is_empty() => "the window has no rows".to_owned(),
        0 if kinds_fit => format!("none of the window's {} rows has a label yet", rows.len()),
        1 => "only one row of the window has a label yet".to_owned(),
        _ => why.to_owned(),
    };
    Measured { value: value.filter(|value| count >= 2 && value.is_finite()), rows: count as u64, why }
}

/// Prediction and label of each row that has both.
fn numbers(predictions: &[f64], rows: &Rows) -> Vec<(f64, f64)> {
    let pair = |(prediction, label): (&f64, &Option<LabelValue>)| match label {
        Some(LabelValue::Number(label)) if prediction.is_finite() => Some((*prediction, *label)),
        _ => None,
    };
    predictions.iter().zip(&rows.labels).filter_map(pair).collect()
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len() as f64;
    numbers.sum::<f64>() / count
}

fn of_pairs(metric: LabelMetric, pairs: &[(f64, f64)]) -> Option<f64> {
    let errors = || pairs.iter().map(|(prediction, label)| prediction - label);
    match metric {
        LabelMetric::Rmse => Some(mean(errors().map(|e| e * e)).sqrt()),
        LabelMetric::Mae => Some(mean(errors().map(f64::abs))),
        LabelMetric::Bias => Some(mean(errors())),
        LabelMetric::R2 => {
            let centre = mean(pairs.iter().map(|(_, label)| *label));
            let spread: f64 = pairs.iter().map(|(_, label)| (label - centre) * (label - centre)).sum();
            (spread > 0.0).then(|| 1.0 - errors().map(|e| e * e).sum::<f64>() / spread)
        }
        _ => None,
    }
}

/// A row's probabilities, and which class it really was; `None`: one that the model does not know.
type Classified<'a> = (&'a [f64], Option<usize>);

fn classes<'a>(probabilities: &'a [f64], rows: &Rows) -> Vec<Classified<'a>> {
    if rows.classes.is_empty() {
        return Vec::new();
    }
    let row = |(probabilities, label): (&'a [f64], &Option<LabelValue>)| {
        let label = label.as_ref().filter(|_| probabilities.iter().all(|p| p.is_finite()))?;
        Some((probabilities, rows.classes.iter().position(|class| is_class(label, class))))
    };
    probabilities.chunks(rows.classes.len()).zip(&rows.labels).filter_map(row).collect()
}

/// Whether a label means this class: classes of numbers and bools are named by how they are written.
fn is_class(label: &LabelValue, class: &str) -> bool {
    match label {
        LabelValue::Text(text) => text == class,
        LabelValue::Number(number) => match class {
            "true" => *number == 1.0,
            "false" => *number == 0.0,
            class => class.parse() == Ok(*number),
        },
    }
}

fn of_classes(metric: LabelMetric, rows: &[Classified<'_>]) -> Option<f64> {
    match metric {
        LabelMetric::Accuracy => {
            let right = |(probabilities, actual): &Classified<'_>| {
                actual.is_some() && first_highest(probabilities.iter().copied()) == *actual
            };
            Some(mean(rows.iter().map(|row| f64::from(u8::from(right(row))))))
        }
        LabelMetric::LogLoss => {
            // As scikit-learn 1.9 keeps the logarithm finite; a class that the model does not know has probability 0.
            let clip = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
            let loss = |(probabilities, actual): &Classified<'_>| {
                -clip(actual.and_then(|actual| probabilities.get(actual)).copied().unwrap_or(0.0)).ln()
            };
            Some(mean(rows.iter().map(loss)))
        }
        LabelMetric::Auc => auc(rows),
        _ => None,
    }
}

/// The probability that a row of the second class is ranked above one of the first (Mann and Whitney); ties count half.
fn auc(rows: &[Classified<'_>]) -> Option<f64> {
    let ranked = |(probabilities, actual): &Classified<'_>| match (probabilities, actual) {
        ([_, second], Some(actual)) => Some((*second, *actual == 1)),
        _ => None,
    };
    let mut scores: Vec<(f64, bool)> = rows.iter().filter_map(ranked).collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = scores.iter().filter(|(_, positive)| *positive).count() as f64;
    let negatives = scores.len() as f64 - positives;
    let (mut below, mut ranks) = (0.0, 0.0);
    for tied in scores.chunk_by(|a, b| a.0 == b.0) {
        // Ranks count from 1; tied scores share the mean of theirs.
        let rank = below + (tied.len() as f64 + 1.0) / 2.0;
        ranks += rank * tied.iter().filter(|(_, positive)| *positive).count() as f64;
        below += tied.len() as f64;
    }
    let pairs = positives * negatives;
    (pairs > 0.0).then(|| (ranks - positives * (positives + 1.0) / 2.0) / pairs)
}
