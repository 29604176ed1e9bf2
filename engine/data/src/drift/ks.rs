//! The two-sample Kolmogorov-Smirnov test.

use super::kolmogorov;
use super::numbers::{Numbers, together};

/// Up to this many rows in the larger sample the p-value is exact, as `method="auto"` of scipy.
const EXACT_ROWS: usize = 10_000;

/// What the test says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ks {
    /// The largest distance of the two distribution functions, 0 to 1.
    pub statistic: f64,
    /// How probable a distance at least as large is when both samples come from one distribution.
    pub p_value: f64,
    /// Whether the p-value is that of the finite samples.
    pub exact: bool,
}

/// Two-sided, as `scipy.stats.ks_2samp` 1.17 with `method="auto"`: exact up to 10,000 rows in the larger sample, else the
/// distribution of one sample of `round(n m / (n + m))` rows. scipy's numbers to a relative 1e-9.
pub fn ks(reference: &Numbers, current: &Numbers) -> Ks {
    let (n, m) = (reference.rows(), current.rows());
    let (width, height) = (n as f64, m as f64);
    // In units of 1 / (n m), in which the steps of both functions are whole numbers.
    let (mut below_reference, mut below_current, mut largest) = (0.0f64, 0.0, 0.0f64);
    together(reference, current, |_, of_reference, of_current| {
        below_reference += of_reference as f64 * height;
        below_current += of_current as f64 * width;
        largest = largest.max((below_reference - below_current).abs());
    });
    let statistic = largest / (width * height);
    let exact = (n.max(m) <= EXACT_ROWS).then(|| exact(n as u64, m as u64, largest as u64)).flatten();
    // Ties to even, as numpy rounds.
    let rows = (width * height / (width + height)).round_ties_even() as u64;
    let p_value = exact.unwrap_or_else(|| kolmogorov::above(rows, statistic));
    Ks { statistic, p_value, exact: exact.is_some() }
}

/// The probability that the distance is at least `distance / (n m)`: the share of the lattice paths from (0, 0) to (n, m)
/// that leave the band `|m x - n y| < distance` somewhere. `None` when rounding leads out of 0 to 1.
fn exact(n: u64, m: u64, distance: u64) -> Option<f64> {
    let divisor = gcd(n, m);
    let steps = distance / divisor.max(1);
    let probability = if steps == 0 {
        1.0
    } else if n == m {
        equal_sizes(n, steps)
    } else {
        outside(n, m, n / divisor, m / divisor, steps)
    };
    (0.0..=1.0).contains(&probability).then_some(probability)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Equal sizes: `2 (C(2n, n - h) - C(2n, n - 2h) + ...) / C(2n, n)` (B. V. Gnedenko and V. S. Korolyuk, 1951), nested so
/// that each bracket is a probability and nothing cancels.
fn equal_sizes(n: u64, steps: u64) -> f64 {
    let (rows, steps) = (n as f64, steps as f64);
    let mut sum = 0.0;
    let mut reach = (rows / steps).floor();
    while reach >= 0.0 {
        let (mut ratio, mut j) = (1.0, 0.0);
        while j < steps {
            ratio = (rows - reach * steps - j) * ratio / (rows + reach * steps + j + 1.0);
            j += 1.0;
        }
        sum = ratio * (1.0 - sum);
        reach -= 1.0;
    }
    2.0 * sum
}

/// Different sizes: J. L. Hodges, "The significance probability of the Smirnov two-sample test" (1958), in shares instead
/// of counts of paths: a cell's share that has left the band is the mean of its two predecessors', weighted by how many
/// paths come from each. Sums of positive numbers: nothing overflows or cancels. Cells are visited by diagonals, on which
/// none depends on another, so that the processor takes several at once.
///
/// `n / m = across / up` in lowest terms; the band is `|up x - across y| < steps`.
fn outside(n: u64, m: u64, across: u64, up: u64, steps: u64) -> f64 {
    let (n, m) = (n as i64, m as i64);
    let (across, up, steps) = (across as i64, up as i64, steps as i64);
    // A cell of the diagonal is named by its x; index 0 stands for x = -1. Outside the band the share is 1.
    let mut last = vec![1.0; n as usize + 3];
    let mut next = last.clone();
    let ramp: Vec<f64> = (0..=n).map(|x| x as f64).collect();
    for diagonal in 0..=n + m {
        // |up x - across (diagonal - x)| < steps, solved for x.
        let low = ((across * diagonal - steps).div_euclid(across + up) + 1).max(diagonal - m).max(0);
        let high = (across * diagonal + steps - 1).div_euclid(across + up).min(diagonal).min(n);
        if low > high {
            return 1.0;
        }
        if diagonal == 0 {
            last[1] = 0.0;
            continue;
        }
        let (low, high, length) = (low as usize, high as usize, diagonal as f64);
        let came_across = &last[low..=high];
        let came_up = &last[low + 1..=high + 1];
        let places = &ramp[low..=high];
        let cells = &mut next[low + 1..=high + 1];
        for (((cell, across), up), x) in cells.iter_mut().zip(came_across).zip(came_up).zip(places) {
            *cell = (across * x + up * (length - x)) / length;
        }
        next[low] = 1.0;
        next[high + 2] = 1.0;
        std::mem::swap(&mut last, &mut next);
    }
    last[n as usize + 1]
}
