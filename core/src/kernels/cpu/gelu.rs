//! The exact GELU, x·Φ(x), as `torch.nn.GELU()` computes it, and its derivative.

use super::simd::{exp, fma, vectorized};
use super::threads::{for_each, part_len};

/// out\[i\] = x\[i\]·Φ(x\[i\]), error under 2e-7·max(1, |x|); -0 at -∞.
pub fn gelu(x: &[f32], out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "gelu: x and out");
    let part = part_len(x.len(), 1);
    let parts: Vec<_> = x.chunks(part).zip(out.chunks_mut(part)).collect();
    for_each(parts, |(x, out)| vectorized!(forward(x, out)));
}

/// As [`gelu`], in place.
pub fn gelu_in_place(x: &mut [f32]) {
    let part = part_len(x.len(), 1);
    for_each(x.chunks_mut(part).collect(), |x| vectorized!(forward_in_place(x)));
}

/// dx\[i\] = grad\[i\]·(Φ(x\[i\]) + x\[i\]·φ(x\[i\])).
pub fn gelu_backward(x: &[f32], grad: &[f32], dx: &mut [f32]) {
    assert!(x.len() == grad.len() && x.len() == dx.len(), "gelu_backward: x, grad and dx");
    let part = part_len(x.len(), 1);
    let inputs = x.chunks(part).zip(grad.chunks(part));
    let parts: Vec<_> = inputs.zip(dx.chunks_mut(part)).collect();
    for_each(parts, |((x, grad), dx)| vectorized!(backward(x, grad, dx)));
}

#[inline(always)]
fn forward<const FUSED: bool>(x: &[f32], out: &mut [f32]) {
    for (x, out) in x.iter().zip(out) {
        *out = value::<FUSED>(*x);
    }
}

#[inline(always)]
fn forward_in_place<const FUSED: bool>(x: &mut [f32]) {
    for x in x {
        *x = value::<FUSED>(*x);
    }
}

#[inline(always)]
fn backward<const FUSED: bool>(x: &[f32], grad: &[f32], dx: &mut [f32]) {
    for ((x, grad), dx) in x.iter().zip(grad).zip(dx) {
        *dx = grad * derivative::<FUSED>(*x);
    }
}

/// x·Φ(x) = max(x, 0) - |x|·Φ(-|x|).
#[inline(always)]
fn value<const FUSED: bool>(x: f32) -> f32 {
    let (size, gauss) = size_and_gauss::<FUSED>(x);
    let positive = if x < 0.0 { 0.0 } else { x };
    fma::<FUSED>(-size, tail::<FUSED>(size) * gauss, positive)
}

#[inline(always)]
fn derivative<const FUSED: bool>(x: f32) -> f32 {
    const INV_SQRT_2_PI: f32 = 0.398_942_3;
    let (size, gauss) = size_and_gauss::<FUSED>(x);
    // By symmetry, the derivative at -|x|; that at |x| is 1 less it.
    let left = gauss * fma::<FUSED>(-size, INV_SQRT_2_PI, tail::<FUSED>(size));
    if x < 0.0 { left } else { 1.0 - left }
}

/// |x| and exp(-x²/2). Beyond 20 the latter is 0 in f32 and the former is cut, so that their
/// product is no NaN at infinity.
#[inline(always)]
fn size_and_gauss<const FUSED: bool>(x: f32) -> (f32, f32) {
    let size = if x.abs() > 20.0 { 20.0 } else { x.abs() };
    (size, exp::<FUSED>(-0.5 * size * size))
}

/// Φ(-x)·exp(x²/2) for x ≥ 0: t·P(t) with t = 1 / (1 + px), the form of Abramowitz and Stegun's
/// 7.1.26 with seven terms. Coefficients: weighted least squares (Lawson) against SciPy's `erfcx`;
/// Φ is off by at most 3e-9 before rounding.
#[inline(always)]
fn tail<const FUSED: bool>(x: f32) -> f32 {
    let t = 1.0 / fma::<FUSED>(x, 0.45, 1.0);
    const COEFFICIENTS: [f32; 6] =
        [0.217_446_95, -0.474_041_46, 0.393_639_62, 0.018_136_196, 0.205_400_97, 0.177_271_6];
    let mut p = -0.037_853_88_f32;
    for coefficient in COEFFICIENTS {
        p = fma::<FUSED>(p, t, coefficient);
    }
    p * t
}

#[cfg(test)]
mod tests {
    use super::super::testing::{erf, values};
    use super::*;

    fn phi(x: f64) -> f64 {
        0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2))
    }

    fn inputs() -> Vec<f32> {
        let mut inputs: Vec<f32> = values(100_003, 1).iter().map(|x| x * 9.0).collect();
        inputs.extend([0.0, -0.0, 1e-30, -1e-30, 1e-40, 30.0, -30.0, 1e30, -1e30, f32::MAX]);
        inputs
    }

    #[test]
    fn is_within_2e_7_of_the_definition() {
        let x = inputs();
        let mut out = vec![0.0; x.len()];
        gelu(&x, &mut out);
        for (x, out) in x.iter().zip(&out) {
            let (x, out) = (f64::from(*x), f64::from(*out));
            let error = (out - x * phi(x)).abs() / x.abs().max(1.0);
            assert!(error <= 2e-7, "gelu({x}) = {out} ({error:.1e})");
        }
        let mut same = x;
        gelu_in_place(&mut same);
        assert_eq!(out, same);
    }

    #[test]
    fn derivative_is_within_2e_7() {
        let x = inputs();
        let mut dx = vec![0.0; x.len()];
        gelu_backward(&x, &vec![1.0; x.len()], &mut dx);
        for (x, dx) in x.iter().zip(&dx) {
            let (x, dx) = (f64::from(*x), f64::from(*dx));
            let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let error = (dx - phi(x) - x * density).abs();
            assert!(error <= 2e-7, "gelu'({x}) = {dx} ({error:.1e})");
        }
    }

    #[test]
    fn infinities_and_nan() {
        let x = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        let mut out = [0.0; 3];
        gelu(&x, &mut out);
        assert_eq!(out[..2], [f32::INFINITY, 0.0]);
        assert!(out[2].is_nan());
        gelu_backward(&x, &[2.0; 3], &mut out);
        assert_eq!(out[..2], [2.0, 0.0]);
        assert!(out[2].is_nan());
    }

    #[test]
    fn without_fused_multiply_add() {
        for x in inputs() {
            assert!((value::<false>(x) - value::<true>(x)).abs() <= 4e-7 * x.abs().max(1.0));
            assert!((derivative::<false>(x) - derivative::<true>(x)).abs() <= 4e-7);
        }
    }
}
