//! Layer normalisation of a residual sum, backward.

use super::dropout::Dropout;
use super::layer_norm::{add, mean_and_scale};
use super::simd::{LANES, fma, sum_lanes, vectorized};
use super::threads::{for_each, part_len};

/// The gradients of [`add_layer_norm`](super::add_layer_norm) at `grad`: `dx` of x, `dsum` of the
/// residual (and of the sum), `dgamma` and `dbeta`. Mean and variance are computed anew.
#[allow(clippy::too_many_arguments)]
pub fn add_layer_norm_backward(
    x: &[f32],
    residual: &[f32],
    gamma: &[f32],
    eps: f32,
    dropout: Option<Dropout>,
    grad: &[f32],
    dx: &mut [f32],
    dsum: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let width = gamma.len();
    assert!(dgamma.len() == width && dbeta.len() == width, "add_layer_norm_backward: gamma");
    assert_eq!(x.len() % width, 0, "add_layer_norm_backward: x of rows of {width}");
    let same = [residual.len(), grad.len(), dx.len(), dsum.len()];
    assert_eq!(same, [x.len(); 4], "add_layer_norm_backward: lengths");
    let part = part_len(x.len() / width, 2 * width) * width;
    let mut sums = vec![0.0; x.len().div_ceil(part) * 2 * width];
    let inputs = x.chunks(part).zip(residual.chunks(part)).zip(grad.chunks(part));
    let outputs = dx.chunks_mut(part).zip(dsum.chunks_mut(part)).zip(sums.chunks_mut(2 * width));
    let parts: Vec<_> = inputs.zip(outputs).enumerate().collect();
    for_each(parts, |(number, (((x, residual), grad), ((dx, dsum), sums)))| {
        let input = Input { first: number * part, x, residual, grad };
        let (dgamma, dbeta) = sums.split_at_mut(width);
        vectorized!(rows(input, gamma, eps, dropout, dx, dsum, dgamma, dbeta));
    });
    dgamma.fill(0.0);
    dbeta.fill(0.0);
    for sums in sums.chunks_exact(2 * width) {
        dgamma.iter_mut().zip(&sums[..width]).for_each(|(total, sum)| *total += sum);
        dbeta.iter_mut().zip(&sums[width..]).for_each(|(total, sum)| *total += sum);
    }
}

/// The rows of one part; `first` is the index of their first element to the dropout.
struct Input<'a> {
    first: usize,
    x: &'a [f32],
    residual: &'a [f32],
    grad: &'a [f32],
}

#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn rows<const FUSED: bool>(
    input: Input<'_>,
    gamma: &[f32],
    eps: f32,
    dropout: Option<Dropout>,
    dx: &mut [f32],
    dsum: &mut [f32],
    dgamma: &mut [f32],
    dbeta: &mut [f32],
) {
    let width = gamma.len();
    let inputs = input.x.chunks_exact(width).zip(input.residual.chunks_exact(width));
    let inputs = inputs.zip(input.grad.chunks_exact(width));
    let outputs = dx.chunks_exact_mut(width).zip(dsum.chunks_exact_mut(width));
    for (row, (((x, residual), grad), (dx, dsum))) in inputs.zip(outputs).enumerate() {
        let first = input.first + row * width;
        add(first, x, residual, dropout, dsum);
        let (mean, scale) = mean_and_scale::<FUSED>(dsum, eps);
        for (((sum, grad), dgamma), dbeta) in
            dsum.iter_mut().zip(grad).zip(&mut *dgamma).zip(&mut *dbeta)
        {
            *sum = (*sum - mean) * scale;
            *dgamma = fma::<FUSED>(*grad, *sum, *dgamma);
            *dbeta += grad;
        }
        let (mean_grad, mean_product) = means::<FUSED>(grad, gamma, dsum);
        for ((sum, grad), gamma) in dsum.iter_mut().zip(grad).zip(gamma) {
            let centred = fma::<FUSED>(*grad, *gamma, -mean_grad);
            *sum = scale * fma::<FUSED>(*sum, -mean_product, centred);
        }
        match dropout {
            None => dx.copy_from_slice(dsum),
            Some(dropout) => {
                for (offset, (dx, dsum)) in (0u32..).zip(dx.iter_mut().zip(&*dsum)) {
                    *dx = dsum * dropout.factor((first as u32).wrapping_add(offset));
                }
            }
        }
    }
}

/// The means over a row of grad·gamma and of grad·gamma·normal.
#[inline(always)]
fn means<const FUSED: bool>(grad: &[f32], gamma: &[f32], normal: &[f32]) -> (f32, f32) {
    let (grads, grad_rest) = grad.as_chunks::<LANES>();
    let (gammas, gamma_rest) = gamma.as_chunks::<LANES>();
    let (normals, normal_rest) = normal.as_chunks::<LANES>();
    let (mut sums, mut products) = ([0.0; LANES], [0.0; LANES]);
    for ((grad, gamma), normal) in grads.iter().zip(gammas).zip(normals) {
        for lane in 0..LANES {
            let scaled = grad[lane] * gamma[lane];
            sums[lane] += scaled;
            products[lane] = fma::<FUSED>(scaled, normal[lane], products[lane]);
        }
    }
    let (mut sum, mut product) = (sum_lanes(sums), sum_lanes(products));
    for ((grad, gamma), normal) in grad_rest.iter().zip(gamma_rest).zip(normal_rest) {
        sum += grad * gamma;
        product += grad * gamma * normal;
    }
    let count = grad.len() as f32;
    (sum / count, product / count)
}

#[cfg(test)]
mod tests {
    use super::super::add_layer_norm;
    use super::super::testing::{assert_close, assert_gradient, dot, values, wide};
    use super::*;

    const EPS: f64 = 1e-3;

    fn plain(
        x: &[f64],
        residual: &[f64],
        gamma: &[f64],
        beta: &[f64],
        drop: Option<Dropout>,
    ) -> Vec<f64> {
        let width = gamma.len();
        let factor = |i| drop.map_or(1.0, |drop| f64::from(drop.factor(i as u32)));
        let sums: Vec<f64> = (0..x.len()).map(|i| x[i] * factor(i) + residual[i]).collect();
        let rows = sums.chunks(width).map(|row| {
            let mean = row.iter().sum::<f64>() / width as f64;
            let variance = row.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / width as f64;
            let normal = row.iter().map(move |s| (s - mean) / (variance + EPS).sqrt());
            normal.zip(gamma.iter().zip(beta)).map(|(n, (gamma, beta))| n * gamma + beta)
        });
        rows.flatten().collect()
    }

    #[test]
    fn forward_and_backward() {
        for (rows, width) in [(1, 1), (3, 7), (31, 33), (1, 500), (200, 384), (65, 128)] {
            for drop in [None, Some(Dropout { prob: 0.3, seed: 5 })] {
                let len = rows * width;
                let (x, residual, grad) = (values(len, 1), values(len, 2), values(len, 3));
                let (gamma, beta) = (values(width, 4), values(width, 5));
                let what = format!("{rows} rows of {width}, {drop:?}");
                let mut out = vec![9.0; len];
                add_layer_norm(&x, &residual, &gamma, &beta, EPS as f32, drop, &mut out);
                let [wx, wr, wg, wb] = [&x, &residual, &gamma, &beta].map(|v| wide(v));
                assert_close(&out, &plain(&wx, &wr, &wg, &wb, drop), 3e-6, &what);

                let (mut dx, mut dsum) = (vec![9.0; len], vec![9.0; len]);
                let (mut dgamma, mut dbeta) = (vec![9.0; width], vec![9.0; width]);
                add_layer_norm_backward(
                    &x,
                    &residual,
                    &gamma,
                    EPS as f32,
                    drop,
                    &grad,
                    &mut dx,
                    &mut dsum,
                    &mut dgamma,
                    &mut dbeta,
                );
                let loss = |x: &[f64], r: &[f64], g: &[f64], b: &[f64]| {
                    dot(&plain(x, r, g, b, drop), &grad)
                };
                assert_gradient(&dx, &wx, |x| loss(x, &wr, &wg, &wb), &what);
                assert_gradient(&dsum, &wr, |r| loss(&wx, r, &wg, &wb), &what);
                assert_gradient(&dgamma, &wg, |g| loss(&wx, &wr, g, &wb), &what);
                assert_gradient(&dbeta, &wb, |b| loss(&wx, &wr, &wg, b), &what);
            }
        }
    }

    #[test]
    fn a_large_mean_does_not_hurt() {
        let x: Vec<f32> = values(384, 1).iter().map(|x| x + 1000.0).collect();
        let (zeros, ones) = (vec![0.0; 384], vec![1.0; 384]);
        let mut out = vec![0.0; 384];
        add_layer_norm(&x, &zeros, &ones, &zeros, EPS as f32, None, &mut out);
        let (zeros, ones) = (wide(&zeros), wide(&ones));
        assert_close(&out, &plain(&wide(&x), &zeros, &ones, &zeros, None), 1e-4, "mean 1000");
    }
}
