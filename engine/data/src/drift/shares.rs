//! Counts of the same values or bins in two samples, and what tells them apart.

use super::numbers::{Numbers, together};
use super::special::{chi_square_above, normal_beyond};
use std::cmp::Ordering;
use std::collections::HashMap;

/// How often a value is in the reference and in the current sample.
pub type Pair = (u64, u64);

/// So many different texts are looked for one by one before a hash table is worth it.
const FRONT: usize = 12;

/// The pairs of each different number of both, ascending.
pub(super) fn of_numbers(reference: &Numbers, current: &Numbers) -> Vec<Pair> {
    let mut pairs = Vec::new();
    together(reference, current, |_, of_reference, of_current| pairs.push((of_reference, of_current)));
    pairs
}

/// How often each different text is there, in the order of the texts.
pub(super) fn count_texts(texts: &[Option<String>]) -> Vec<(&str, u64)> {
    let mut front: Vec<(&str, u64)> = Vec::with_capacity(FRONT);
    let mut rest: HashMap<&str, u64> = HashMap::new();
    for text in texts.iter().flatten() {
        match front.iter().position(|(known, _)| known == text) {
            Some(place) => front[place].1 += 1,
            None if front.len() < FRONT => front.push((text, 1)),
            None => *rest.entry(text).or_default() += 1,
        }
    }
    front.extend(rest);
    front.sort_unstable();
    front
}

/// The pairs of each different text of two counts in order.
pub(super) fn of_texts(reference: &[(Box<str>, u64)], current: &[(&str, u64)]) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(reference.len().max(current.len()));
    let (mut left, mut right) = (reference, current);
    loop {
        let order = match (left.first(), right.first()) {
            (Some((a, _)), Some((b, _))) => a.as_ref().cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return pairs,
        };
        let mut pair = (0, 0);
        if let (Ordering::Less | Ordering::Equal, Some(((_, count), rest))) = (order, left.split_first()) {
            (pair.0, left) = (*count, rest);
        }
        if let (Ordering::Greater | Ordering::Equal, Some(((_, count), rest))) = (order, right.split_first()) {
            (pair.1, right) = (*count, rest);
        }
        pairs.push(pair);
    }
}

fn totals(pairs: &[Pair]) -> (f64, f64) {
    let (reference, current) = pairs.iter().fold((0, 0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    (reference as f64, current as f64)
}

/// The p-value of Pearson's chi-square of the current counts against the reference's, scaled to the current total: Evidently
/// 0.7 `chisquare`, which is `scipy.stats.chisquare` with one degree of freedom less than there are values. 0 when a value is
/// new; `None` with less than two values or an empty sample.
pub fn chi_square(pairs: &[Pair]) -> Option<f64> {
    let (reference, current) = totals(pairs);
    if pairs.len() < 2 || reference == 0.0 || current == 0.0 {
        return None;
    }
    let scale = current / reference;
    let statistic = pairs.iter().map(|(of_reference, of_current)| {
        let expected = *of_reference as f64 * scale;
        (*of_current as f64 - expected).powi(2) / expected
    });
    Some(chi_square_above(pairs.len() - 1, statistic.sum()))
}

/// The p-value of two proportions, two-sided with pooled variance: Evidently 0.7 `z`. Evidently subtracts from 1 what it
/// should not, so that its smallest p-values are 0; these are not. 1 when all rows are of one value; `None` with more than
/// two values or an empty sample.
pub fn two_proportions(pairs: &[Pair]) -> Option<f64> {
    let (reference, current) = totals(pairs);
    if pairs.len() > 2 || reference == 0.0 || current == 0.0 {
        return None;
    }
    let Some((hits, other_hits)) = pairs.get(1).copied() else { return Some(1.0) };
    let (hits, other_hits) = (hits as f64, other_hits as f64);
    let pooled = (hits + other_hits) / (reference + current);
    let variance = pooled * (1.0 - pooled) * (1.0 / reference + 1.0 / current);
    Some(normal_beyond((hits / reference - other_hits / current) / variance.sqrt()))
}

/// The Jensen-Shannon distance with natural logarithm, 0 to the root of ln 2: `scipy.spatial.distance.jensenshannon` 1.17.
/// `None` of an empty sample.
///
/// Of the same sum in a form in which nothing cancels: with `d` the difference of two shares over their sum, a value adds
/// `(sum / 2) ((1 + d) ln(1 + d) + (1 - d) ln(1 - d))`. scipy loses half of the digits where the samples are nearly the same,
/// and may then say NaN.
pub fn jensen_shannon(pairs: &[Pair]) -> Option<f64> {
    let (reference, current) = totals(pairs);
    if reference == 0.0 || current == 0.0 {
        return None;
    }
    let sum: f64 = pairs
        .iter()
        .filter(|pair| **pair != (0, 0))
        .map(|(of_reference, of_current)| {
            let (p, q) = (*of_reference as f64 * current, *of_current as f64 * reference);
            let d = (p - q) / (p + q);
            let entropy = if d.abs() < 0.5 {
                (-d * d).ln_1p() + 2.0 * d * d.atanh()
            } else {
                let part = |x: f64| if x == 0.0 { 0.0 } else { x * x.ln() };
                part(1.0 + d) + part(1.0 - d)
            };
            (p / (reference * current) + q / (reference * current)) / 2.0 * entropy
        })
        .sum();
    Some((sum / 2.0).max(0.0).sqrt())
}

/// The population stability index: Evidently 0.7 `psi`. A share of zero is taken for 0.0001, or for a millionth of the
/// smallest other share when that is not above 0.0001. `None` of an empty sample.
pub fn psi(pairs: &[Pair]) -> Option<f64> {
    let (reference, current) = totals(pairs);
    if reference == 0.0 || current == 0.0 {
        return None;
    }
    let filler = |counts: &mut dyn Iterator<Item = u64>, total: f64| {
        let least = counts.filter(|count| *count > 0).min().unwrap_or(0) as f64 / total;
        if least <= 1e-4 { least / 1e6 } else { 1e-4 }
    };
    let for_reference = filler(&mut pairs.iter().map(|pair| pair.0), reference);
    let for_current = filler(&mut pairs.iter().map(|pair| pair.1), current);
    let share = |count: u64, total: f64, filler: f64| if count == 0 { filler } else { count as f64 / total };
    let terms = pairs.iter().map(|(of_reference, of_current)| {
        let p = share(*of_reference, reference, for_reference);
        let q = share(*of_current, current, for_current);
        (p - q) * (p / q).ln()
    });
    Some(terms.sum())
}
