//! AdamW in one pass, and the square sum that clipping needs.

pub(super) use super::super::settings::AdamWStep;
use super::simd::{LANES, vectorized};
use super::threads::{for_each, part_len};

/// A moment smaller than this becomes 0, long before it would be a denormal number, which
/// processors compute with a hundred times slower: rows of an embedding that long had no gradient.
const SMALLEST_M: f32 = 1e-30;
/// The same for the second moment: its root is then far below any epsilon.
const SMALLEST_V: f32 = 1e-35;

/// p -= lr·wd·p; m = b1·m + (1 - b1)·g; v = b2·v + (1 - b2)·g²;
/// p -= lr / bc1 · m / (√v / √bc2 + eps).
pub fn adamw(param: &mut [f32], grad: &[f32], m: &mut [f32], v: &mut [f32], step: AdamWStep) {
    let len = param.len();
    assert!(grad.len() == len && m.len() == len && v.len() == len, "adamw: lengths");
    let part = part_len(len, 1);
    let parts = param.chunks_mut(part).zip(grad.chunks(part));
    let parts: Vec<_> = parts.zip(m.chunks_mut(part).zip(v.chunks_mut(part))).collect();
    for_each(parts, |((param, grad), (m, v))| vectorized!(with_grad(param, grad, m, v, step)));
}

#[inline(always)]
fn with_grad<const FUSED: bool>(
    param: &mut [f32],
    grad: &[f32],
    m: &mut [f32],
    v: &mut [f32],
    step: AdamWStep,
) {
    let rates = Rates::new(step);
    for (((param, grad), m), v) in param.iter_mut().zip(grad).zip(m).zip(v) {
        rates.update(param, grad * step.grad_scale, m, v);
    }
}

/// What is the same for every element of a step.
pub(super) struct Rates {
    step: AdamWStep,
    decay: f32,
    rate: f32,
    root_scale: f32,
}

impl Rates {
    pub(super) fn new(step: AdamWStep) -> Self {
        Self {
            decay: 1.0 - step.learning_rate * step.weight_decay,
            rate: step.learning_rate / step.bias_correction1,
            root_scale: 1.0 / step.bias_correction2.sqrt(),
            step,
        }
    }

    #[inline(always)]
    pub(super) fn decayed(&self, param: f32) -> f32 {
        param * self.decay
    }

    #[inline(always)]
    pub(super) fn update(&self, param: &mut f32, grad: f32, m: &mut f32, v: &mut f32) {
        let AdamWStep { beta1, beta2, epsilon, .. } = self.step;
        let first = beta1 * *m + (1.0 - beta1) * grad;
        let second = beta2 * *v + (1.0 - beta2) * grad * grad;
        *m = if first.abs() < SMALLEST_M { 0.0 } else { first };
        *v = if second < SMALLEST_V { 0.0 } else { second };
        *param = self.decayed(*param) - self.rate * *m / (v.sqrt() * self.root_scale + epsilon);
    }
}

/// Σ x², summed in f64.
pub fn sum_of_squares(x: &[f32]) -> f64 {
    let part = part_len(x.len(), 1);
    let mut sums = vec![0.0; x.len().div_ceil(part)];
    let parts: Vec<_> = x.chunks(part).zip(&mut sums).collect();
    for_each(parts, |(x, sum)| *sum = vectorized!(squares(x)));
    sums.iter().sum()
}

#[inline(always)]
fn squares<const FUSED: bool>(x: &[f32]) -> f64 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0f64; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += f64::from(chunk[lane]) * f64::from(chunk[lane]);
        }
    }
    let rest: f64 = rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, values, wide};
    use super::*;

    fn step(t: i32) -> AdamWStep {
        AdamWStep {
            learning_rate: 1e-2,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.1,
            bias_correction1: 1.0 - 0.9_f32.powi(t),
            bias_correction2: 1.0 - 0.999_f32.powi(t),
            grad_scale: 0.5,
        }
    }

    #[test]
    fn equals_a_plain_loop_over_steps() {
        for len in [1, 7, 33, 500, 70_001] {
            let (mut param, mut m, mut v) = (values(len, 1), vec![0.0; len], vec![0.0; len]);
            let (mut wp, mut wm, mut wv) = (wide(&param), wide(&m), wide(&v));
            for t in 1..=6 {
                let grad = if t == 4 { vec![0.0; len] } else { values(len, 10 + t as u64) };
                adamw(&mut param, &grad, &mut m, &mut v, step(t));
                for i in 0..len {
                    let g = f64::from(grad[i]) * 0.5;
                    wp[i] -= 1e-2 * 0.1 * wp[i];
                    wm[i] = 0.9 * wm[i] + 0.1 * g;
                    wv[i] = 0.999 * wv[i] + 0.001 * g * g;
                    let correction = (1.0 - 0.999_f64.powi(t)).sqrt();
                    let rate = 1e-2 / (1.0 - 0.9_f64.powi(t));
                    wp[i] -= rate * wm[i] / (wv[i].sqrt() / correction + 1e-8);
                }
            }
            assert_close(&param, &wp, 2e-6, "param");
            assert_close(&m, &wm, 1e-6, "m");
            assert_close(&v, &wv, 1e-6, "v");
        }
    }

    #[test]
    fn small_moments_become_zero() {
        let (mut param, mut m, mut v) = ([1.0; 2], [1.05e-30, -1.0], [1e-35, 1.0]);
        adamw(&mut param, &[0.0; 2], &mut m, &mut v, step(1000));
        assert_eq!((m[0], v[0]), (0.0, 0.0));
        assert!(m[1] != 0.0 && v[1] != 0.0 && param[0].is_finite());
    }

    #[test]
    fn squares_are_summed() {
        for len in [0, 1, 7, 33, 500, 100_003] {
            let x = values(len, 1);
            let expected: f64 = wide(&x).iter().map(|x| x * x).sum();
            assert!((sum_of_squares(&x) - expected).abs() <= 1e-12 * expected);
        }
    }
}
