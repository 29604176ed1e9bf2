//! Whether a column of today looks like the same column of the reference: the two-sample drift rules.
//!
//! Owns: which rule fits which column, the statistics and their p-values, the thresholds of the default profile. The rules
//! are those of Evidently 0.7 on scipy 1.17 (`spec/12-drift.md`), so that a team's old numbers keep their meaning.
//! Must never know: monitors, windows, limits that an author wrote; where the rows came from.
//!
//! ```text
//! Sample -> Reference (sorted or counted once) --+-> rule (method, column, size) -> statistic -> Drift
//! Sample -> sorted or counted as the rule needs -+
//! ```
//!
//! Invariants: pure functions; no input panics; the numbers of a [`Drift`] are finite; what cannot be measured is a
//! [`NoDrift`], never a number that reads as "no drift".

mod bins;
mod distance;
mod kolmogorov;
mod ks;
mod numbers;
mod outcome;
mod reference;
mod shares;
mod special;
#[cfg(test)]
mod tests;

pub use bins::{by_quantiles, quantiles, sturges};
pub use distance::{wasserstein, wasserstein_normed};
pub use ks::{Ks, ks};
pub use mlp_lang::live::DriftMethod;
pub use numbers::Numbers;
pub use outcome::{Bins, Drift, NoDrift, Rule, Side, share};
pub use reference::Reference;
pub use shares::{Pair, chi_square, jensen_shannon, psi, two_proportions};
pub use special::{chi_square_above, normal_beyond};

/// The cells of one column.
#[derive(Clone, Copy, Debug)]
pub enum Sample<'a> {
    /// NaN and infinities are dropped; `-0.0` is `0.0`.
    Numbers(&'a [f64]),
    /// `None` is dropped.
    Texts(&'a [Option<String>]),
}

/// Measures how far `current` is from `reference`, by `method`.
///
/// `numeric` is how the column is meant: numbers that are codes (`weekday`) are categories when it is false. Texts are
/// always categories. To compare many windows with the same reference, prepare it once: [`Reference::prepare`].
///
/// # Errors
/// [`NoDrift`] says in words why there is no number.
pub fn drift(reference: &Sample, current: &Sample, method: DriftMethod, numeric: bool) -> Result<Drift, NoDrift> {
    Reference::prepare(reference, numeric)?.drift(current, method)
}
