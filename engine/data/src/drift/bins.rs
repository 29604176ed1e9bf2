//! Bins over numbers.

use super::numbers::Numbers;
use super::outcome::NoDrift;
use super::shares::Pair;

/// The edges of equal bins over both samples, ascending: Sturges' number of them, `ceil(log2 rows + 1)` as
/// `numpy.histogram_bin_edges(..., bins="sturges")` 2.4 rounds it. Whole numbers get no bin narrower than 1.
///
/// # Errors
/// [`NoDrift::TooLarge`] when the range overflows, [`NoDrift::TooClose`] when two edges would be the same number.
pub fn sturges((least, most): (f64, f64), rows: usize, whole: bool) -> Result<Vec<f64>, NoDrift> {
    // One number alone gets a bin of width 1 around it.
    let (first, last) = if least == most { (least - 0.5, most + 0.5) } else { (least, most) };
    let width = (most - least) / ((rows as f64).log2() + 1.0);
    let width = if whole && width < 1.0 { 1.0 } else { width };
    let bins = if least == most { 1.0 } else { ((last - first) / width).ceil() };
    if !(last - first).is_finite() || !bins.is_finite() {
        return Err(NoDrift::TooLarge);
    }
    let step = (last - first) / bins;
    let mut edges: Vec<f64> = (0..bins as u32).map(|bin| f64::from(bin) * step + first).collect();
    edges.push(last);
    if edges.is_sorted_by(|a, b| a < b) { Ok(edges) } else { Err(NoDrift::TooClose) }
}

/// The edges of `parts` bins that hold equally many rows of the reference, open at both ends: the quantiles are interpolated
/// (`numpy.quantile`, R. J. Hyndman and Y. Fan's seventh definition, 1996), equal ones are one edge.
pub fn quantiles(reference: &Numbers, parts: usize) -> Vec<f64> {
    let last = reference.rows().saturating_sub(1);
    let inner = (1..parts).map(|part| {
        let place = last as f64 * (part as f64 / parts as f64);
        let (low, high) = (reference.at(place as usize), reference.at((place as usize + 1).min(last)));
        low + (high - low) * place.fract()
    });
    let mut edges: Vec<f64> = std::iter::once(f64::NEG_INFINITY).chain(inner).chain([f64::INFINITY]).collect();
    edges.dedup();
    edges
}

/// How many numbers of a sorted sample are in each bin; a bin holds its lower edge, the last one also its upper.
pub(super) fn counts(numbers: &Numbers, edges: &[f64]) -> Vec<u64> {
    let mut below: Vec<usize> = edges.iter().map(|edge| numbers.below(*edge)).collect();
    if let Some(last) = below.last_mut() {
        *last = numbers.rows();
    }
    below.windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as u64).collect()
}

/// As [`counts`], of numbers in any order, of which those outside of the edges and NaN are dropped.
pub(super) fn counts_unsorted(numbers: &[f64], edges: &[f64]) -> Vec<u64> {
    let bins = edges.len().saturating_sub(1);
    let (Some(first), Some(last)) = (edges.first().copied(), edges.last().copied()) else { return Vec::new() };
    let scale = bins as f64 / (last - first);
    let mut counts = vec![0; bins];
    for number in numbers {
        if !(first..=last).contains(number) {
            continue;
        }
        // The guess is off by one at most, where a number is at an edge.
        let mut bin = (((number - first) * scale) as usize).min(bins - 1);
        if *number < edges[bin] {
            bin -= 1;
        } else if bin + 1 < bins && *number >= edges[bin + 1] {
            bin += 1;
        }
        counts[bin] += 1;
    }
    counts
}

/// The pairs of two samples over the same bins.
pub(super) fn pairs(reference: &[u64], current: &[u64]) -> Vec<Pair> {
    reference.iter().copied().zip(current.iter().copied()).collect()
}

/// The pairs over the reference's quantiles, for [`super::psi`] as banks compute it.
pub fn by_quantiles(reference: &Numbers, current: &Numbers, parts: usize) -> Vec<Pair> {
    let edges = quantiles(reference, parts);
    pairs(&counts(reference, &edges), &counts(current, &edges))
}
