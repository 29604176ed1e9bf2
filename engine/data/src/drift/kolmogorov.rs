//! The distribution of Kolmogorov's statistic of one sample, which is the limit of the two-sample test.
//!
//! Which formula is taken where follows R. Simard and P. L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov
//! distribution", Journal of Statistical Software 39 (2011), as scipy 1.17 (`kstwo.sf`) does.

use super::special::stirling_error;
use std::f64::consts::PI;

/// The probability that the statistic of a sample of `n >= 1` is at least `d`.
pub(super) fn above(n: u64, d: f64) -> f64 {
    let rows = n.max(1) as f64;
    let steps = rows * d;
    if d >= 1.0 {
        return 0.0;
    }
    if steps <= 0.5 {
        return 1.0;
    }
    let square = steps * d;
    let probability = if steps <= 1.0 {
        // Ruben and Gambino (1982): n!/n^n (2nd - 1)^n lies below.
        let factorial = (stirling_error(rows) - rows).exp() * (2.0 * PI * rows).sqrt();
        1.0 - factorial * (2.0 * steps - 1.0).powf(rows)
    } else if steps >= rows - 1.0 {
        2.0 * (1.0 - d).powf(rows)
    } else if d >= 0.5 {
        2.0 * one_sided(rows, d)
    } else if n <= 140 {
        if square <= 4.0 { 1.0 - durbin(n, d) } else { 2.0 * one_sided(rows, d) }
    } else if square >= 370.0 {
        0.0
    } else if square >= 2.2 {
        2.0 * one_sided(rows, d)
    } else if n <= 100_000 && rows * d.powf(1.5) <= 1.4 {
        1.0 - durbin(n, d)
    } else {
        1.0 - pelz_good(rows, d)
    };
    probability.clamp(0.0, 1.0)
}

/// The probability that the one-sided statistic is at least `d`: the sum of N. Smirnov (1944),
/// `d sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j)`, each term a binomial probability in Loader's form. Beyond a million
/// rows the limit of U. R. Maag and G. Dicaire (1971), as scipy.
fn one_sided(n: f64, d: f64) -> f64 {
    let steps = n * d;
    if n > 1e6 {
        return (-(6.0 * steps + 1.0).powi(2) / (18.0 * n)).exp();
    }
    let whole = stirling_error(n);
    let mut sum = (n * (-d).ln_1p()).exp();
    let mut taken = 1.0;
    while taken < n - steps {
        let left = n - taken;
        let exponent = whole - stirling_error(taken) - stirling_error(left)
            + taken * (steps / taken).ln_1p()
            + left * (-steps / left).ln_1p();
        sum += exponent.exp() * (n / (2.0 * PI * taken * left)).sqrt() * steps / (steps + taken);
        taken += 1.0;
    }
    sum
}

/// The probability that the statistic is below `d`, by a power of J. Durbin's matrix (1968) as G. Marsaglia, W. W. Tsang
/// and J. Wang compute it, "Evaluating Kolmogorov's distribution", Journal of Statistical Software 8 (2003). Costs the cube
/// of `n d`, which the callers keep below 60.
fn durbin(n: u64, d: f64) -> f64 {
    /// Kept out of the numbers and counted apart, so that no power overflows.
    const SCALE: i32 = 128;
    let scale = 2f64.powi(SCALE);
    let steps = n as f64 * d;
    let half = steps.ceil();
    let rest = half - steps;
    let middle = half as usize - 1;
    let size = 2 * middle + 1;

    // 1/j! for j = 0..=size, and the first column, which is the last row upside down.
    let mut inverse = vec![1.0; size + 1];
    for j in 1..=size {
        inverse[j] = inverse[j - 1] / j as f64;
    }
    let mut edge: Vec<f64> = (1..=size).map(|j| (1.0 - rest.powi(j as i32)) * inverse[j]).collect();
    let corner = (2.0 * rest - 1.0).max(0.0).powi(size as i32) - 2.0 * rest.powi(size as i32);
    edge[size - 1] = (1.0 + corner) * inverse[size];
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        matrix[row * size] = edge[row];
        for column in 1..size.min(row + 2) {
            matrix[row * size + column] = inverse[row + 1 - column];
        }
    }
    for column in 0..size {
        matrix[(size - 1) * size + column] = edge[size - 1 - column];
    }

    // The middle row of the power, from the lowest bit of n on.
    let mut row = vec![0.0; size];
    row[middle] = 1.0;
    let (mut row_scale, mut matrix_scale) = (0i32, 0i32);
    let mut bits = n;
    while bits > 0 {
        if bits % 2 == 1 {
            row = times(&row, &matrix, size);
            row_scale += matrix_scale;
            if row[middle] > scale {
                row.iter_mut().for_each(|cell| *cell /= scale);
                row_scale += SCALE;
            }
        }
        bits /= 2;
        if bits > 0 {
            matrix = matrix.chunks(size).flat_map(|line| times(line, &matrix, size)).collect();
            matrix_scale *= 2;
            if matrix[middle * size + middle] > scale {
                matrix.iter_mut().for_each(|cell| *cell /= scale);
                matrix_scale += SCALE;
            }
        }
    }
    let mut below = row[middle];
    for i in 1..=n {
        below *= i as f64 / n as f64;
        if below < 1.0 / scale {
            below *= scale;
            row_scale -= SCALE;
        }
    }
    (below * 2f64.powi(row_scale)).clamp(0.0, 1.0)
}

/// A row times a square matrix of `size` columns.
fn times(row: &[f64], matrix: &[f64], size: usize) -> Vec<f64> {
    let mut product = vec![0.0; size];
    for (factor, line) in row.iter().zip(matrix.chunks(size)) {
        if *factor != 0.0 {
            product.iter_mut().zip(line).for_each(|(sum, cell)| *sum += factor * cell);
        }
    }
    product
}

/// The probability that the statistic is below `d`, to order `n^(-3/2)`: W. Pelz and I. J. Good, "Approximating the lower
/// tail-areas of the Kolmogorov-Smirnov one-sample statistic", Journal of the Royal Statistical Society B 38 (1976).
fn pelz_good(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let z2 = z * z;
    let (z3, z4, z6, z7) = (z2 * z, z2 * z2, z2 * z2 * z2, z2 * z2 * z2 * z);
    let (p2, p4, p6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let (mut k0, mut k1, mut k2, mut k3) = (0.0, 0.0, 0.0, 0.0);
    let (mut even2, mut even3) = (0.0, 0.0);
    for k in (1..=(16.0 * z / PI).ceil() as u32).rev().map(f64::from) {
        let m2 = (2.0 * k - 1.0).powi(2);
        let (m4, m6) = (m2 * m2, m2 * m2 * m2);
        let odd = (-m2 * p2 / (8.0 * z2)).exp();
        k0 += odd;
        k1 += odd * (p2 / 4.0 * m2 - z2);
        k2 += odd * (6.0 * z6 + 2.0 * z4 + p2 / 4.0 * (2.0 * z4 - 5.0 * z2) * m2 + p4 / 16.0 * (1.0 - 2.0 * z2) * m4);
        k3 += odd
            * (-30.0 * z6 - 90.0 * z4 * z4
                + p2 / 4.0 * (135.0 * z4 - 96.0 * z6) * m2
                + p4 / 16.0 * (212.0 * z4 - 60.0 * z2) * m4
                + p6 / 64.0 * (5.0 - 30.0 * z2) * m6);
        let even = (-k * k * p2 / (2.0 * z2)).exp() * k * k;
        even2 += even;
        even3 += even * (3.0 * z2 - p2 * k * k);
    }
    let root = (2.0 * PI).sqrt();
    let k2 = root * (k2 / (72.0 * z7) - p2 * even2 / (36.0 * z3));
    let k3 = root * (k3 / (6480.0 * z7 * z3) + p2 * even3 / (216.0 * z6));
    root * k0 / z + root * k1 / (6.0 * z4) / n.sqrt() + k2 / n + k3 / n.powf(1.5)
}
