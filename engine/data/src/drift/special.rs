//! The special functions that the tests of this module need beyond those of `libm`.

use std::f64::consts::PI;

/// `ln(2 pi) / 2`.
const LN_SQRT_TWO_PI: f64 = 0.918_938_533_204_672_8;

/// What Stirling's formula leaves out of `ln x!`: `ln x! - (x + 1/2) ln x + x - ln(2 pi) / 2`, for `x > 0`.
///
/// As `stirlerr` of C. Loader, "Fast and accurate computation of binomial probabilities" (2000): with it, probabilities of
/// large counts are not lost between huge logarithms.
pub(super) fn stirling_error(x: f64) -> f64 {
    if x < 16.0 {
        return libm::lgamma(x + 1.0) - (x + 0.5) * x.ln() + x - LN_SQRT_TWO_PI;
    }
    let square = x * x;
    // Bernoulli numbers over 2k (2k - 1); the next term is below 1e-17 from 16 on.
    (1.0 / 12.0
        - (1.0 / 360.0
            - (1.0 / 1260.0 - (1.0 / 1680.0 - (1.0 / 1188.0 - 691.0 / 360_360.0 / square) / square) / square) / square)
            / square)
        / x
}

/// `exp(-rate) rate^count / count!` for any `count >= 0`, whole or half (Loader 2000, Poisson).
fn poisson(count: f64, rate: f64) -> f64 {
    if count == 0.0 {
        return (-rate).exp();
    }
    let deviance = count * (count / rate).ln() + rate - count;
    (-stirling_error(count) - deviance).exp() / (2.0 * PI * count).sqrt()
}

/// The probability that a chi-square of `degrees` degrees of freedom is above `x`.
///
/// For whole degrees the regularized incomplete gamma function is a finite sum of positive terms (Abramowitz and Stegun
/// 26.4.4 and 26.4.5), which loses nothing to cancellation. It is summed from its largest term outwards, so that neither
/// far tails nor thousands of degrees underflow before they must. `degrees` is at least 1.
pub fn chi_square_above(degrees: usize, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x == f64::INFINITY {
        return 0.0;
    }
    let rate = x / 2.0;
    let odd = degrees % 2 == 1;
    // The terms stand at `last`, `last - 1`, ... down to 0, or to 1/2 for odd degrees.
    let last = degrees as f64 / 2.0 - 1.0;
    let base = if odd { libm::erfc(rate.sqrt()) } else { 0.0 };
    let lowest = if odd { 0.5 } else { 0.0 };
    if last < lowest {
        return base;
    }
    let peak = ((rate - lowest).floor() + lowest).clamp(lowest, last);
    let top = poisson(peak, rate);
    let mut sum = top;
    let (mut term, mut at) = (top, peak);
    while at >= lowest + 1.0 && term > sum * f64::EPSILON / 8.0 {
        term *= at / rate;
        at -= 1.0;
        sum += term;
    }
    (term, at) = (top, peak);
    while at < last && term > sum * f64::EPSILON / 8.0 {
        at += 1.0;
        term *= rate / at;
        sum += term;
    }
    (base + sum).min(1.0)
}

/// The probability that a normal deviate is further from zero than `z`, on either side.
pub fn normal_beyond(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}
