//! Least squares, safe when columns depend on each other.
//!
//! The rows are folded block by block into the triangular factor of their QR decomposition, so that memory does not grow
//! with the table and accuracy is that of QR, not of the normal equations. The factor's singular values then tell which
//! directions the data says anything about; the others get no weight (the solution of least norm).

use linfa_linalg::qr::QRInto;
use linfa_linalg::svd::SVD;
use mlp_sdk::Error;
use mlp_std_models::Matrix;
use ndarray::{Array1, Array2, s};

/// Rows folded at once, beside the factor.
const BLOCK: usize = 1024;

/// The weights `w` that minimise `|y - X w|^2 + l2 |w|^2`; of several, the smallest.
pub fn solve(x: &Matrix, y: &[f64], l2: f64) -> Result<Vec<f64>, Error> {
    let width = x.columns.len();
    let factor = fold(x, y)?;
    let triangle = factor.slice(s![..width, ..width]).to_owned();
    let rotated = factor.slice(s![..width, width]).to_owned();
    let (u, values, vt) = triangle.svd(true, true).map_err(failed)?;
    let (Some(u), Some(vt)) = (u, vt) else {
        return Err(Error::failed("the decomposition gave no vectors"));
    };
    let largest = values.iter().copied().fold(0.0, f64::max);
    let rows_or_width = x.rows.max(width) as f64;
    let least = largest * rows_or_width * f64::EPSILON;
    let along = u.t().dot(&rotated);
    let scaled: Array1<f64> = values
        .iter()
        .zip(&along)
        .map(|(&value, &along)| if value > least { along * value / (value * value + l2) } else { 0.0 })
        .collect();
    Ok(vt.t().dot(&scaled).to_vec())
}

/// The triangular factor of `[X | y]`.
fn fold(x: &Matrix, y: &[f64]) -> Result<Array2<f64>, Error> {
    let size = x.columns.len() + 1;
    let mut factor = Array2::<f64>::zeros((size, size));
    let mut from = 0;
    while from < x.rows {
        let rows = BLOCK.max(size).min(x.rows - from);
        let mut stacked = Array2::<f64>::zeros((size + rows, size));
        stacked.slice_mut(s![..size, ..]).assign(&factor);
        for (index, column) in x.columns.iter().map(Vec::as_slice).chain([y]).enumerate() {
            for row in 0..rows {
                stacked[[size + row, index]] = column[from + row];
            }
        }
        factor = stacked.qr_into().map_err(failed)?.into_r();
        from += rows;
    }
    Ok(factor)
}

fn failed(error: linfa_linalg::LinalgError) -> Error {
    Error::failed(format!("least squares failed: {error}"))
}
