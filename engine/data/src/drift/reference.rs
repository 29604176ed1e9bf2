//! A reference that is sorted or counted once and compared with many windows.

use super::outcome::{Bins, Drift, NoDrift, Rule, Side};
use super::shares::{self, Pair};
use super::{DriftMethod, Numbers, Sample, bins, ks, wasserstein_normed};

/// Up to this many rows of the reference the default profile tests; above, it measures distances.
const SMALL: usize = 1_000;

/// Numbers with at most this many different values are treated by value in the default profile.
const FEW_VALUES: usize = 5;

/// A reference that is sorted or counted once and compared with many windows.
#[derive(Clone, Debug)]
pub struct Reference {
    cells: Cells,
    rows: usize,
}

#[derive(Clone, Debug)]
enum Cells {
    /// Numbers that mean amounts.
    Amounts { numbers: Numbers, deviation: f64, whole: bool },
    /// Numbers that mean categories.
    Codes(Numbers),
    /// Each different text and how often it is there, in order.
    Texts(Vec<(Box<str>, u64)>),
}

impl Reference {
    /// Sorts or counts the reference's cells; `numeric` as in [`super::drift`].
    ///
    /// # Errors
    /// [`NoDrift::NoRows`] when nothing is left to compare with.
    pub fn prepare(reference: &Sample, numeric: bool) -> Result<Reference, NoDrift> {
        let none = NoDrift::NoRows(Side::Reference);
        match reference {
            Sample::Numbers(numbers) => {
                let numbers = Numbers::new(numbers).ok_or(none)?;
                let rows = numbers.rows();
                let cells = if numeric {
                    Cells::Amounts { deviation: numbers.deviation(), whole: numbers.whole(), numbers }
                } else {
                    Cells::Codes(numbers)
                };
                Ok(Reference { cells, rows })
            }
            Sample::Texts(texts) => {
                let counts: Vec<_> =
                    shares::count_texts(texts).into_iter().map(|(text, count)| (text.into(), count)).collect();
                let rows = counts.iter().map(|(_, count)| *count as usize).sum();
                if rows == 0 { Err(none) } else { Ok(Reference { cells: Cells::Texts(counts), rows }) }
            }
        }
    }

    /// How many cells there are to compare with.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// As [`super::drift`].
    ///
    /// # Errors
    /// [`NoDrift`] says in words why there is no number.
    pub fn drift(&self, current: &Sample, method: DriftMethod) -> Result<Drift, NoDrift> {
        let none = NoDrift::NoRows(Side::Current);
        match (&self.cells, current) {
            (Cells::Amounts { numbers, whole, .. }, Sample::Numbers(current))
                if numbers.few().is_none() && matches!(method, DriftMethod::JensenShannon | DriftMethod::Psi) =>
            {
                self.binned(numbers, *whole, current, method)
            }
            (Cells::Amounts { numbers, deviation, .. }, Sample::Numbers(current)) => {
                let current = Numbers::new(current).ok_or(none)?;
                let method = match method {
                    DriftMethod::Auto => self.amounts_rule(numbers, &current),
                    told => told,
                };
                match method {
                    DriftMethod::Ks => {
                        let test = ks(numbers, &current);
                        Drift::of(Rule::Ks { exact: test.exact }, test.p_value, self.rows, current.rows())
                    }
                    DriftMethod::Wasserstein if !deviation.is_finite() => Err(NoDrift::TooLarge),
                    DriftMethod::Wasserstein => {
                        let distance = wasserstein_normed(numbers, *deviation, &current);
                        Drift::of(Rule::Wasserstein, distance, self.rows, current.rows())
                    }
                    by_value => self.by_value(&shares::of_numbers(numbers, &current), by_value, current.rows()),
                }
            }
            (Cells::Codes(numbers), Sample::Numbers(current)) => {
                let current = Numbers::new(current).ok_or(none)?;
                self.by_value(&shares::of_numbers(numbers, &current), method, current.rows())
            }
            (Cells::Texts(texts), Sample::Texts(current)) => {
                let counts = shares::count_texts(current);
                let rows = counts.iter().map(|(_, count)| *count as usize).sum();
                if rows == 0 {
                    return Err(none);
                }
                self.by_value(&shares::of_texts(texts, &counts), method, rows)
            }
            (Cells::Texts(_), Sample::Numbers(_)) | (_, Sample::Texts(_)) => Err(NoDrift::Kinds),
        }
    }

    /// The default profile's choice for amounts.
    fn amounts_rule(&self, reference: &Numbers, current: &Numbers) -> DriftMethod {
        let few = reference.few().is_some() && current.few().is_some();
        let values = if few { shares::of_numbers(reference, current).len() } else { usize::MAX };
        match values {
            ..=FEW_VALUES => self.values_rule(values),
            _ if self.rows <= SMALL => DriftMethod::Ks,
            _ => DriftMethod::Wasserstein,
        }
    }

    /// The default profile's choice for categories.
    fn values_rule(&self, values: usize) -> DriftMethod {
        match values {
            _ if self.rows > SMALL => DriftMethod::JensenShannon,
            ..=2 => DriftMethod::Z,
            _ => DriftMethod::ChiSquare,
        }
    }

    /// Where each different value counts for itself.
    fn by_value(&self, pairs: &[Pair], method: DriftMethod, rows: usize) -> Result<Drift, NoDrift> {
        let none = NoDrift::NoRows(Side::Current);
        let values = pairs.len();
        let (rule, statistic) = match method {
            DriftMethod::Auto => return self.by_value(pairs, self.values_rule(values), rows),
            DriftMethod::ChiSquare => (Rule::ChiSquare { values }, shares::chi_square(pairs).ok_or(NoDrift::OneValue)?),
            DriftMethod::Z => (Rule::Z, shares::two_proportions(pairs).ok_or(NoDrift::MoreThanTwo)?),
            DriftMethod::JensenShannon => {
                (Rule::JensenShannon(Bins::Values(values)), shares::jensen_shannon(pairs).ok_or(none)?)
            }
            DriftMethod::Psi => (Rule::Psi(Bins::Values(values)), shares::psi(pairs).ok_or(none)?),
            DriftMethod::Ks | DriftMethod::Wasserstein => return Err(NoDrift::NotNumeric(method)),
        };
        Drift::of(rule, statistic, self.rows, rows)
    }

    /// Jensen-Shannon and the stability index of a reference with many different numbers. The current numbers need no order.
    fn binned(&self, numbers: &Numbers, whole: bool, current: &[f64], method: DriftMethod) -> Result<Drift, NoDrift> {
        let none = NoDrift::NoRows(Side::Current);
        let finite = || current.iter().copied().filter(|number| number.is_finite());
        let rows = finite().count();
        if rows == 0 {
            return Err(none);
        }
        let (least, most) =
            finite().fold(numbers.range(), |(least, most), number| (least.min(number), most.max(number)));
        let whole = whole && finite().all(|number| number.trunc() == number);
        let edges = bins::sturges((least, most), self.rows + rows, whole)?;
        let pairs = bins::pairs(&bins::counts(numbers, &edges), &bins::counts_unsorted(current, &edges));
        let bins = Bins::Sturges(pairs.len());
        let (rule, statistic) = if method == DriftMethod::Psi {
            (Rule::Psi(bins), shares::psi(&pairs))
        } else {
            (Rule::JensenShannon(bins), shares::jensen_shannon(&pairs))
        };
        Drift::of(rule, statistic.ok_or(none)?, self.rows, rows)
    }
}
