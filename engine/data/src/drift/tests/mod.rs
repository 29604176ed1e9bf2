//! The rules against scipy and Evidently, against figures on real data, and against what must hold of any sample.

mod bikeshare;
mod cases;
mod golden;
mod laws;

/// The numbers that `tests/reference/make_drift_golden.py` draws: splitmix64's upper 53 bits as a fraction.
fn uniforms(mut seed: u64, rows: usize) -> Vec<f64> {
    let next = || {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 * 2f64.powi(-53)
    };
    std::iter::repeat_with(next).take(rows).collect()
}
