//! How far one distribution of numbers is from another.

use super::numbers::{Numbers, together};

/// A standard deviation below this is taken for this, as in Evidently.
const LEAST_DEVIATION: f64 = 0.001;

/// The first Wasserstein distance: the area between the two distribution functions (`scipy.stats.wasserstein_distance`
/// 1.17; S. S. Vallender, 1973). Not finite when a difference of two numbers overflows.
pub fn wasserstein(reference: &Numbers, current: &Numbers) -> f64 {
    let (n, m) = (reference.rows() as f64, current.rows() as f64);
    if let Some((reference, current)) = reference.sorted().zip(current.sorted())
        && reference.len() == current.len()
    {
        // Of equal sizes it is the mean distance of the numbers at the same place.
        return reference.iter().zip(current).map(|(a, b)| (a - b).abs()).sum::<f64>() / n;
    }
    let (mut below_reference, mut below_current, mut area) = (0.0, 0.0, 0.0);
    let mut last = reference.range().0.min(current.range().0);
    together(reference, current, |number, of_reference, of_current| {
        area += f64::abs(below_reference / n - below_current / m) * (number - last);
        below_reference += of_reference as f64;
        below_current += of_current as f64;
        last = number;
    });
    area
}

/// [`wasserstein`] over the reference's standard deviation, at least 0.001: Evidently 0.7, `wasserstein_distance_norm`.
pub fn wasserstein_normed(reference: &Numbers, deviation: f64, current: &Numbers) -> f64 {
    wasserstein(reference, current) / deviation.max(LEAST_DEVIATION)
}
