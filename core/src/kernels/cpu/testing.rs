//! What the tests of this folder share.

use crate::model::stream;

/// `len` numbers in -1..1, a function of `seed`.
pub fn values(len: usize, seed: u64) -> Vec<f32> {
    let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..len).map(|index| (stream(seed, index) >> 40) as f32 / 8_388_608.0 - 1.0).collect()
}

pub fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Fails where |got - expected| > tolerance · max(1, |expected|).
#[track_caller]
pub fn assert_close(got: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs() / expected.abs().max(1.0);
        assert!(error <= tolerance, "{what}[{i}]: {got}, expected {expected} ({error:.1e})");
    }
}

/// Compares `got` with central differences of `loss` around `at`, at up to 40 places.
#[track_caller]
pub fn assert_gradient(got: &[f32], at: &[f64], loss: impl Fn(&[f64]) -> f64, what: &str) {
    const STEP: f64 = 1e-4;
    assert_eq!(got.len(), at.len(), "{what}");
    for i in (0..got.len()).step_by(got.len().div_ceil(40)) {
        let mut moved = at.to_vec();
        moved[i] = at[i] + STEP;
        let above = loss(&moved);
        moved[i] = at[i] - STEP;
        let slope = (above - loss(&moved)) / (2.0 * STEP);
        let error = (f64::from(got[i]) - slope).abs() / slope.abs().max(1.0);
        assert!(error <= 2e-5, "{what}[{i}]: {}, slope {slope} ({error:.1e})", got[i]);
    }
}

pub fn dot(a: &[f64], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum()
}

/// The error function: its Maclaurin series, beyond 3 the continued fraction of erfc.
pub fn erf(x: f64) -> f64 {
    if x.abs() < 3.0 {
        let (mut term, mut sum) = (x, x);
        for n in 1..100 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let size = x.abs();
    let mut fraction = size;
    for n in (1..200).rev() {
        fraction = size + f64::from(n) / 2.0 / fraction;
    }
    let erfc = (-x * x).exp() / fraction / std::f64::consts::PI.sqrt();
    x.signum() * (1.0 - erfc)
}
