//! The minimum of the regularised logistic loss. linfa's L-BFGS looks for it; what it says is checked here against the
//! gradient, computed afresh, because a solver that stops early says nothing.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use mlp_sdk::{Error, host};
use mlp_std_models::Matrix;
use mlp_std_models::file::Weights;
use ndarray::{Array1, Array2, ArrayView1, ShapeBuilder};

/// Half the squared weights plus `c` times the summed log loss of `places` given `matrix`.
pub struct Problem {
    pub matrix: Matrix,
    pub places: Vec<usize>,
    pub classes: usize,
    pub c: f64,
}

/// The largest entry of the mean loss' gradient at which the solver may stop.
const CONVERGED: f64 = 1e-9;
/// The largest that is let pass without a warning: still two orders below what moves a probability's sixth digit.
const NEARLY_CONVERGED: f64 = 1e-6;
/// Beyond this, with columns of large numbers brought to size 1, the weights are no minimum of anything: no model.
const FAR_FROM_CONVERGED: f64 = 1e-2;

impl Problem {
    /// One output for two classes, else one for each class.
    pub fn solve(self, max_iterations: u64) -> Result<Vec<Weights>, Error> {
        let Problem { matrix, places, classes, c } = self;
        let (rows, width) = (matrix.rows, matrix.columns.len());
        // linfa sums over rows and weighs the squares instead: the same minimum, its gradient times `c`.
        let alpha = 1.0 / c;
        let tolerance = CONVERGED * rows as f64;
        let records = Array2::from_shape_vec((rows, width).f(), matrix.into_column_major())
            .map_err(|error| Error::failed(format!("the matrix has the wrong shape: {error}")))?;
        let data = DatasetBase::new(records, Array1::from(places));
        let failed = |error: linfa_logistic::error::Error| Error::failed(format!("the solver failed: {error}"));
        let outputs = if classes == 2 {
            let solver =
                LogisticRegression::new().alpha(alpha).max_iterations(max_iterations).gradient_tolerance(tolerance);
            let fitted = solver.fit(&data).map_err(failed)?;
            // linfa's positive class is the one with more rows; ours is the second, however many rows it has.
            let sign: f64 = if fitted.labels().pos.class == 1 { 1.0 } else { -1.0 };
            let weights = fitted.params().iter().map(|weight| sign * weight).collect();
            vec![Weights { intercept: sign * fitted.intercept(), weights }]
        } else {
            let solver = MultiLogisticRegression::new()
                .alpha(alpha)
                .max_iterations(max_iterations)
                .gradient_tolerance(tolerance);
            let fitted = solver.fit(&data).map_err(failed)?;
            let output = |class: usize| Weights {
                intercept: fitted.intercept()[class],
                weights: fitted.params().column(class).to_vec(),
            };
            (0..classes).map(output).collect()
        };
        let slopes = slopes(data.records(), data.targets(), &outputs, alpha);
        let gradient = largest(slopes.iter().map(|slope| slope.entry)) / rows as f64;
        host::emit("gradient", gradient, None);
        if !gradient.is_finite() {
            return Err(Error::failed(
                "the solver found no finite weights: are there columns with very large numbers and `standardize: false`?",
            ));
        }
        if largest(slopes.iter().map(|slope| slope.entry / slope.size)) / rows as f64 > FAR_FROM_CONVERGED {
            return Err(Error::failed(format!(
                "the solver was far from the minimum when it stopped, after at most {max_iterations} iterations \
                 (gradient {gradient:.1e}), so there is no model: raise max_iterations, make c smaller, or use \
                 `standardize: true`"
            )));
        }
        if gradient > NEARLY_CONVERGED {
            host::warn(&format!(
                "not converged after at most {max_iterations} iterations (gradient {gradient:.1e}): raise \
                 max_iterations, or make c smaller"
            ));
        }
        Ok(outputs)
    }
}

/// One entry of the gradient.
struct Slope {
    entry: f64,
    /// The root mean square of its column, at least 1: what the entry owes to large numbers alone.
    size: f64,
}

/// The gradient of the summed loss plus `alpha` times half the squared weights.
fn slopes(records: &Array2<f64>, places: &Array1<usize>, outputs: &[Weights], alpha: f64) -> Vec<Slope> {
    let rows = records.nrows();
    let score = |output: &Weights| records.dot(&Array1::from(output.weights.clone())) + output.intercept;
    let scores: Vec<Array1<f64>> = outputs.iter().map(score).collect();
    let size = |column: ArrayView1<f64>| (column.dot(&column) / rows as f64).sqrt().max(1.0);
    let sizes: Vec<f64> = records.columns().into_iter().map(size).collect();
    let mut slopes = Vec::new();
    for (class, output) in outputs.iter().enumerate() {
        let error = |row: usize| {
            let (probability, positive) = match outputs {
                [_] => (mlp_std_models::ready::logistic(scores[0][row]), 1),
                _ => {
                    let highest = scores.iter().fold(f64::NEG_INFINITY, |high, s| high.max(s[row]));
                    let total: f64 = scores.iter().map(|s| (s[row] - highest).exp()).sum();
                    ((scores[class][row] - highest).exp() / total, class)
                }
            };
            probability - f64::from(places[row] == positive)
        };
        let errors = Array1::from_iter((0..rows).map(error));
        let entries = records.t().dot(&errors) + Array1::from(output.weights.clone()) * alpha;
        slopes.extend(entries.iter().zip(&sizes).map(|(&entry, &size)| Slope { entry, size }));
        slopes.push(Slope { entry: errors.sum(), size: 1.0 });
    }
    slopes
}

/// The largest distance from 0; NaN if there is one.
fn largest(entries: impl Iterator<Item = f64>) -> f64 {
    entries.fold(0.0, |high: f64, entry| if entry.is_nan() || high.is_nan() { f64::NAN } else { high.max(entry.abs()) })
}
