//! The exact GELU, `x·Φ(x)`, and its derivative, by the same approximation as on the CPU.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::tools::{UNITS, cubes_for_each, dense, elements, empty_like, lanes};

#[cube(launch_unchecked)]
fn values<N: Size>(x: &[Vector<f32, N>], out: &mut [Vector<f32, N>], count: u32) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let inputs = x[at];
        let mut results = Vector::<f32, N>::new(0.0f32);
        #[unroll]
        for lane in 0..N::value() {
            results.insert(lane, value(inputs.extract(lane)));
        }
        out[at] = results;
    }
}

#[cube(launch_unchecked)]
fn gradients<N: Size>(
    x: &[Vector<f32, N>],
    grad: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    count: u32,
) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        let inputs = x[at];
        let mut results = Vector::<f32, N>::new(0.0f32);
        #[unroll]
        for lane in 0..N::value() {
            results.insert(lane, derivative(inputs.extract(lane)));
        }
        out[at] = results * grad[at];
    }
}

/// `x·Φ(x) = max(x, 0) - |x|·Φ(-|x|)`
#[cube]
fn value(x: f32) -> f32 {
    let size = size(x);
    max(x, 0.0f32) - size * tail(size) * gauss(size)
}

/// `Φ(x) + x·φ(x)`
#[cube]
fn derivative(x: f32) -> f32 {
    let size = size(x);
    // By symmetry, the derivative at -|x|; that at |x| is 1 less it.
    let left = gauss(size) * (tail(size) - size * 0.398_942_3f32);
    select(x < 0.0f32, left, 1.0f32 - left)
}

/// `|x|`, cut where `exp(-x²/2)` has long become 0 in f32, so that nothing overflows.
#[cube]
fn size(x: f32) -> f32 {
    min(x.abs(), 20.0f32)
}

#[cube]
fn gauss(size: f32) -> f32 {
    (size * size * -0.5f32).exp()
}

/// `Φ(-x)·exp(x²/2)` for x ≥ 0; `cpu/gelu.rs` has the coefficients' origin.
#[cube]
fn tail(x: f32) -> f32 {
    let t = 1.0f32 / (x * 0.45f32 + 1.0f32);
    let p = t * -0.037_853_88f32 + 0.217_446_95f32;
    let p = p * t - 0.474_041_46f32;
    let p = p * t + 0.393_639_62f32;
    let p = p * t + 0.018_136_196f32;
    let p = p * t + 0.205_400_97f32;
    let p = p * t + 0.177_271_6f32;
    p * t
}

/// GELU of any shape.
pub(super) fn forward(x: CubeTensor) -> CubeTensor {
    let x = dense(x);
    let out = empty_like(&x);
    let lanes = lanes(elements(&x));
    let count = elements(&x) / lanes;
    // SAFETY: x and out have `count` vectors, beyond which no unit goes.
    unsafe {
        values::launch_unchecked(
            &out.client,
            cubes_for_each(count),
            CubeDim::new_1d(UNITS),
            lanes,
            x.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            count as u32,
        );
    }
    out
}

/// The gradient of `x`.
pub(super) fn backward(x: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let (x, grad) = (dense(x), dense(grad));
    assert_eq!(elements(&x), elements(&grad), "gelu: x and its gradient");
    let out = empty_like(&x);
    let lanes = lanes(elements(&x));
    let count = elements(&x) / lanes;
    // SAFETY: all three have `count` vectors, beyond which no unit goes.
    unsafe {
        gradients::launch_unchecked(
            &out.client,
            cubes_for_each(count),
            CubeDim::new_1d(UNITS),
            lanes,
            x.into_buffer_arg(),
            grad.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            count as u32,
        );
    }
    out
}
