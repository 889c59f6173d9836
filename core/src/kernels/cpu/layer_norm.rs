//! Layer normalisation of a residual sum, forward.

use super::dropout::Dropout;
use super::simd::{LANES, fma, sum_lanes, vectorized};
use super::threads::{for_each, part_len};

/// out = LayerNorm(dropout(x) + residual)·gamma + beta over rows of `gamma.len()`: biased
/// variance, `eps` inside the root, as `torch.nn.LayerNorm`.
pub fn add_layer_norm(
    x: &[f32],
    residual: &[f32],
    gamma: &[f32],
    beta: &[f32],
    eps: f32,
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    let width = gamma.len();
    assert_eq!(beta.len(), width, "add_layer_norm: gamma and beta");
    assert_eq!(x.len() % width, 0, "add_layer_norm: x of rows of {width}");
    assert!(x.len() == residual.len() && x.len() == out.len(), "add_layer_norm: lengths");
    let part = part_len(x.len() / width, width) * width;
    let inputs = x.chunks(part).zip(residual.chunks(part));
    let parts: Vec<_> = inputs.zip(out.chunks_mut(part)).enumerate().collect();
    for_each(parts, |(number, ((x, residual), out))| {
        let first = number * part;
        vectorized!(rows(first, x, residual, gamma, beta, eps, dropout, out));
    });
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn rows<const FUSED: bool>(
    first: usize,
    x: &[f32],
    residual: &[f32],
    gamma: &[f32],
    beta: &[f32],
    eps: f32,
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    let width = gamma.len();
    let inputs = x.chunks_exact(width).zip(residual.chunks_exact(width));
    for (row, ((x, residual), out)) in inputs.zip(out.chunks_exact_mut(width)).enumerate() {
        add(first + row * width, x, residual, dropout, out);
        let (mean, scale) = mean_and_scale::<FUSED>(out, eps);
        for ((out, gamma), beta) in out.iter_mut().zip(gamma).zip(beta) {
            *out = fma::<FUSED>((*out - mean) * scale, *gamma, *beta);
        }
    }
}

/// out = dropout(x) + residual; `first` is the index of the first element to the dropout.
#[inline(always)]
pub(super) fn add(
    first: usize,
    x: &[f32],
    residual: &[f32],
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    let inputs = x.iter().zip(residual);
    match dropout {
        None => {
            for ((x, residual), out) in inputs.zip(out) {
                *out = x + residual;
            }
        }
        Some(dropout) => {
            let first = first as u32;
            for (offset, ((x, residual), out)) in (0u32..).zip(inputs.zip(out)) {
                *out = x * dropout.factor(first.wrapping_add(offset)) + residual;
            }
        }
    }
}

/// Mean, and 1 / √(variance + eps), of a row: two passes, since the row is in the first cache.
#[inline(always)]
pub(super) fn mean_and_scale<const FUSED: bool>(row: &[f32], eps: f32) -> (f32, f32) {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += chunk[lane];
        }
    }
    let count = row.len() as f32;
    let mean = (sum_lanes(lanes) + rest.iter().sum::<f32>()) / count;
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            let off = chunk[lane] - mean;
            lanes[lane] = fma::<FUSED>(off, off, lanes[lane]);
        }
    }
    let rest = rest.iter().map(|value| (value - mean) * (value - mean)).sum::<f32>();
    (mean, 1.0 / ((sum_lanes(lanes) + rest) / count + eps).sqrt())
}
