//! What a comparison gives, in numbers and in words.

use super::DriftMethod;
use std::fmt;

/// The outcome for one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The rule that was really used.
    pub rule: Rule,
    /// What is compared: a p-value or a distance. Finite; a p-value is within 0 and 1, a distance at least 0.
    pub statistic: f64,
    /// Whether [`Drift::statistic`] is a p-value: a small one means drift.
    pub is_p_value: bool,
    /// The default profile's own: 0.05 of a p-value, 0.1 of a distance.
    pub threshold: f64,
    /// By the default profile's own threshold and comparison.
    pub drifted: bool,
    /// Cells of the reference that were compared; missing and infinite ones are not.
    pub reference_rows: usize,
    /// Cells of the current window that were compared.
    pub current_rows: usize,
}

impl Drift {
    /// The outcome of `rule` with the profile's verdict.
    pub(super) fn of(rule: Rule, statistic: f64, reference_rows: usize, current_rows: usize) -> Result<Drift, NoDrift> {
        if !statistic.is_finite() {
            return Err(NoDrift::TooLarge);
        }
        let threshold = rule.threshold();
        Ok(Drift {
            rule,
            statistic,
            is_p_value: rule.method().gives_p_value(),
            threshold,
            drifted: rule.drifts(statistic, threshold),
            reference_rows,
            current_rows,
        })
    }

    /// What was measured, as people say it: `Wasserstein distance / standard deviation`.
    pub fn words(&self) -> String {
        self.rule.to_string()
    }
}

/// The rule that was used, never [`DriftMethod::Auto`], with its parameters. Shown in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Two-sample Kolmogorov-Smirnov, two-sided.
    Ks {
        /// The p-value is that of the finite samples, not of the limit.
        exact: bool,
    },
    /// Pearson's chi-square of the current counts against the reference's, scaled.
    ChiSquare {
        /// Distinct values of both; the degrees of freedom are one less.
        values: usize,
    },
    /// Two proportions, two-sided, pooled variance.
    Z,
    /// Distance of the distributions over the reference's standard deviation.
    Wasserstein,
    /// Natural logarithm; the square root of the divergence.
    JensenShannon(Bins),
    /// Population stability index.
    Psi(Bins),
}

/// What the shares are shares of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// Each distinct value is one; how many.
    Values(usize),
    /// Equal widths over both samples, Sturges' number of them.
    Sturges(usize),
}

impl Rule {
    /// The method, as an author names it.
    pub fn method(self) -> DriftMethod {
        match self {
            Rule::Ks { .. } => DriftMethod::Ks,
            Rule::ChiSquare { .. } => DriftMethod::ChiSquare,
            Rule::Z => DriftMethod::Z,
            Rule::Wasserstein => DriftMethod::Wasserstein,
            Rule::JensenShannon(_) => DriftMethod::JensenShannon,
            Rule::Psi(_) => DriftMethod::Psi,
        }
    }

    /// The default profile's threshold.
    pub fn threshold(self) -> f64 {
        if self.method().gives_p_value() { 0.05 } else { 0.1 }
    }

    /// Whether `statistic` is drift under `threshold`. Kolmogorov-Smirnov and distances drift at the threshold itself;
    /// chi-square and z only below it, as in Evidently.
    pub fn drifts(self, statistic: f64, threshold: f64) -> bool {
        match self {
            Rule::Ks { .. } => statistic <= threshold,
            Rule::ChiSquare { .. } | Rule::Z => statistic < threshold,
            Rule::Wasserstein | Rule::JensenShannon(_) | Rule::Psi(_) => statistic >= threshold,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Ks { exact: true } => f.write_str("Kolmogorov-Smirnov p-value (exact)"),
            Rule::Ks { exact: false } => f.write_str("Kolmogorov-Smirnov p-value (asymptotic)"),
            Rule::ChiSquare { values } => write!(f, "chi-square p-value ({values} values)"),
            Rule::Z => f.write_str("z-test p-value"),
            Rule::Wasserstein => f.write_str("Wasserstein distance / standard deviation"),
            Rule::JensenShannon(bins) => write!(f, "Jensen-Shannon distance ({bins})"),
            Rule::Psi(bins) => write!(f, "population stability index ({bins})"),
        }
    }
}

impl fmt::Display for Bins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bins::Values(1) => f.write_str("1 value"),
            Bins::Values(values) => write!(f, "{values} values"),
            Bins::Sturges(1) => f.write_str("1 bin"),
            Bins::Sturges(bins) => write!(f, "{bins} bins"),
        }
    }
}

/// Which of the two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What is compared with.
    Reference,
    /// What is compared.
    Current,
}

/// Why there is no number. Shown in words, as the end of a sentence: "there is no number for hum: ...".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDrift {
    /// One of the samples has no row, or only missing and infinite cells.
    NoRows(Side),
    /// One sample holds numbers and the other texts.
    Kinds,
    /// The method is for numbers, the column holds categories.
    NotNumeric(DriftMethod),
    /// A z-test compares the shares of two values; there are more.
    MoreThanTwo,
    /// Both samples hold one and the same value, with which a chi-square has no degree of freedom.
    OneValue,
    /// The numbers are so large that a sum or difference of them is no longer finite.
    TooLarge,
    /// The numbers are so close together that no bins fit between them.
    TooClose,
}

impl fmt::Display for NoDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoDrift::NoRows(Side::Reference) => f.write_str("the reference has no rows with a value"),
            NoDrift::NoRows(Side::Current) => f.write_str("the window has no rows with a value"),
            NoDrift::Kinds => f.write_str("the reference and the window hold different kinds, numbers and texts"),
            NoDrift::NotNumeric(method) => {
                write!(f, "`{}` is for numbers, and the column holds categories", method.word())
            }
            NoDrift::MoreThanTwo => f.write_str("a z-test compares two values, and the column holds more"),
            NoDrift::OneValue => f.write_str("a chi-square needs two values, and the column holds one"),
            NoDrift::TooLarge => f.write_str("the numbers are too large to be compared"),
            NoDrift::TooClose => f.write_str("the numbers are too close together for bins"),
        }
    }
}

impl std::error::Error for NoDrift {}

/// The share of the columns that drifted; `None` of no columns. Evidently calls the whole data set drifted when the share
/// is at least one half.
pub fn share(drifts: &[Drift]) -> Option<f64> {
    let drifted = drifts.iter().filter(|drift| drift.drifted).count();
    (!drifts.is_empty()).then(|| drifted as f64 / drifts.len() as f64)
}
