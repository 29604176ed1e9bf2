//! The definition of every metric of classification. A metric that does not exist for some rows (a ratio of nothing, AUC
//! with one class) is `None`, which no gate lets pass; it is never a convenient number.

/// Named numbers, in the order of the step's signature.
pub type Named = Vec<(String, Option<f64>)>;

/// Bins of the calibration error.
const BINS: usize = 10;

/// Rows judged by the probability of one class, the positive one.
pub struct Binary<'a> {
    /// Whether each row is of the positive class.
    pub actual: &'a [bool],
    /// The probability of each row to be of it.
    pub probability: &'a [f64],
    /// Rows with this probability or more are predicted positive.
    pub threshold: f64,
}

/// Rows judged over all classes.
pub struct Multiclass<'a> {
    /// The class of each row.
    pub actual: &'a [usize],
    /// For each class, the probability of each row to be of it.
    pub probabilities: &'a [Vec<f64>],
}

/// How rows were told apart.
#[derive(Clone, Copy, Default)]
struct Confusion {
    true_positive: usize,
    false_positive: usize,
    true_negative: usize,
    false_negative: usize,
}

impl Confusion {
    fn count(pairs: impl Iterator<Item = (bool, bool)>) -> Confusion {
        let mut confusion = Confusion::default();
        for (actual, predicted) in pairs {
            *match (actual, predicted) {
                (true, true) => &mut confusion.true_positive,
                (false, true) => &mut confusion.false_positive,
                (false, false) => &mut confusion.true_negative,
                (true, false) => &mut confusion.false_negative,
            } += 1;
        }
        confusion
    }

    fn precision(&self) -> Option<f64> {
        ratio(self.true_positive, self.true_positive + self.false_positive)
    }

    fn recall(&self) -> Option<f64> {
        ratio(self.true_positive, self.true_positive + self.false_negative)
    }

    fn f1(&self) -> Option<f64> {
        ratio(2 * self.true_positive, 2 * self.true_positive + self.false_positive + self.false_negative)
    }
}

impl Binary<'_> {
    /// All metrics.
    pub fn metrics(&self) -> Named {
        let rows = self.actual.len();
        let predicted = self.probability.iter().map(|&p| p >= self.threshold);
        let confusion = Confusion::count(self.actual.iter().copied().zip(predicted));
        let Confusion { true_positive, false_positive, true_negative, false_negative } = confusion;
        let each = || self.actual.iter().copied().zip(self.probability.iter().copied());
        named([
            ("accuracy", ratio(true_positive + true_negative, rows)),
            ("precision", confusion.precision()),
            ("recall", confusion.recall()),
            ("f1", confusion.f1()),
            ("auc", auc(self.actual, self.probability)),
            ("log_loss", mean(rows, each().map(|(actual, p)| -clip(if actual { p } else { 1.0 - p }).ln()))),
            ("brier", mean(rows, each().map(|(actual, p)| (p - f64::from(actual)).powi(2)))),
            ("calibration_error", calibration_error(each())),
            ("selection_rate", ratio(true_positive + false_positive, rows)),
            ("false_positive_rate", ratio(false_positive, false_positive + true_negative)),
            ("rows", Some(rows as f64)),
            ("true_positive", Some(true_positive as f64)),
            ("false_positive", Some(false_positive as f64)),
            ("true_negative", Some(true_negative as f64)),
            ("false_negative", Some(false_negative as f64)),
        ])
    }
}

impl Multiclass<'_> {
    /// All metrics; those of a single positive class do not exist.
    pub fn metrics(&self) -> Named {
        let rows = self.actual.len();
        let classes = self.probabilities.len();
        let predicted: Vec<usize> = (0..rows).map(|row| self.most_likely(row)).collect();
        let right = |row: usize| self.actual[row] == predicted[row];
        let one_against_rest: Vec<Confusion> = (0..classes)
            .map(|class| Confusion::count(self.actual.iter().zip(&predicted).map(|(&a, &p)| (a == class, p == class))))
            .collect();
        let macro_mean = |metric: fn(&Confusion) -> Option<f64>| {
            all(one_against_rest.iter().map(metric)).and_then(|values| mean(classes, values.into_iter()))
        };
        let aucs = (0..classes).map(|class| {
            let actual: Vec<bool> = self.actual.iter().map(|&a| a == class).collect();
            auc(&actual, &self.probabilities[class])
        });
        let squares = |row: usize| {
            let square = |class: usize| (self.probabilities[class][row] - f64::from(self.actual[row] == class)).powi(2);
            (0..classes).map(square).sum::<f64>()
        };
        let certainty = (0..rows).map(|row| (right(row), self.probabilities[predicted[row]][row]));
        named([
            ("accuracy", ratio((0..rows).filter(|&row| right(row)).count(), rows)),
            ("precision", macro_mean(Confusion::precision)),
            ("recall", macro_mean(Confusion::recall)),
            ("f1", macro_mean(Confusion::f1)),
            ("auc", all(aucs).and_then(|values| mean(classes, values.into_iter()))),
            ("log_loss", mean(rows, (0..rows).map(|row| -clip(self.probabilities[self.actual[row]][row]).ln()))),
            ("brier", mean(rows, (0..rows).map(squares))),
            ("calibration_error", calibration_error(certainty)),
            ("selection_rate", None),
            ("false_positive_rate", None),
            ("rows", Some(rows as f64)),
            ("true_positive", None),
            ("false_positive", None),
            ("true_negative", None),
            ("false_negative", None),
        ])
    }

    /// The first of the classes with the highest probability.
    fn most_likely(&self, row: usize) -> usize {
        let mut best = 0;
        for class in 1..self.probabilities.len() {
            if self.probabilities[class][row] > self.probabilities[best][row] {
                best = class;
            }
        }
        best
    }
}

/// The share of pairs of a positive and a negative row in which the positive one has the higher probability; a tie
/// counts half. By midranks (Mann and Whitney), in `n log n`.
fn auc(actual: &[bool], probability: &[f64]) -> Option<f64> {
    let positives = actual.iter().filter(|a| **a).count();
    let negatives = actual.len() - positives;
    let mut rows: Vec<usize> = (0..actual.len()).collect();
    rows.sort_by(|&a, &b| probability[a].total_cmp(&probability[b]));
    let mut rank_sum = 0.0;
    let mut before = 0;
    for tied in rows.chunk_by(|&a, &b| probability[a] == probability[b]) {
        let midrank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += midrank * tied.iter().filter(|&&row| actual[row]).count() as f64;
        before += tied.len();
    }
    let pairs = positives as f64 * negatives as f64;
    (pairs > 0.0).then(|| (rank_sum - positives as f64 * (positives as f64 + 1.0) / 2.0) / pairs)
}

/// Expected calibration error: over ten bins of equal width, the distance between the mean probability and the share of
/// rows for which it came true, weighed by the bin's rows.
fn calibration_error(rows: impl Iterator<Item = (bool, f64)>) -> Option<f64> {
    let mut bins = [(0.0, 0.0); BINS];
    let mut total = 0;
    for (came_true, probability) in rows {
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += probability;
        bin.1 += f64::from(came_true);
        total += 1;
    }
    mean(total, bins.into_iter().map(|(expected, observed): (f64, f64)| (expected - observed).abs()))
}

/// A probability of 0 for what happened would be an infinite loss; scikit-learn's floor keeps it finite.
fn clip(probability: f64) -> f64 {
    probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON)
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(count: usize, values: impl Iterator<Item = f64>) -> Option<f64> {
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

fn all(values: impl Iterator<Item = Option<f64>>) -> Option<Vec<f64>> {
    values.collect()
}

fn named<const N: usize>(metrics: [(&str, Option<f64>); N]) -> Named {
    metrics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ties, single classes, certainty and the edges of bins, against scikit-learn.
    #[test]
    fn every_edge_is_where_scikit_learn_has_it() {
        let reference: serde_json::Value =
            serde_json::from_str(include_str!("../reference/reference.json")).expect("the reference is JSON");
        let list = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().expect("a list").iter().map(|n| n.as_f64().expect("a number")).collect()
        };
        for case in reference["edges"].as_array().expect("a list") {
            let actual: Vec<bool> = list(&case["actual"]).into_iter().map(|n| n == 1.0).collect();
            let judged = Binary { actual: &actual, probability: &list(&case["probability"]), threshold: 0.5 };
            for (name, got) in judged.metrics() {
                let expected = case["metrics"][&name].as_f64();
                let same = match (got, expected) {
                    (Some(got), Some(expected)) => (got - expected).abs() < 1e-12,
                    (got, expected) => got == expected,
                };
                assert!(same, "{}: {name} is {got:?}, scikit-learn has {expected:?}", case["name"]);
            }
        }
    }
}
