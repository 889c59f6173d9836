//! What the optimizer computes, outside any graph.

use burn::tensor::Tensor;

use super::{assert_close, gpu, read, tensor, values};
use crate::kernels::{AdamWStep, Kernels, Moments};

#[test]
fn sums_of_squares() {
    let Some(gpu) = gpu("sums of squares") else { return };
    for len in [1, 7, 255, 500, 65_537, 3_000_001] {
        let x = values(len, 5);
        let squares: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        let (before, expected) = (tensor(&[2.5], [1], &gpu), 2.5 + squares);
        let got = read(Kernels::Own.add_squares(tensor(&x, [len], &gpu), before))[0];
        let error = (f64::from(got) - expected).abs() / expected;
        assert!(error < 1e-6, "{len}: {got}, expected {expected}");
    }
}

#[test]
fn adamw() {
    let Some(gpu) = gpu("adamw") else { return };
    for len in [1, 7, 500, 4096] {
        let start = values(len, 1);
        let mut param = tensor(&start, [len], &gpu);
        let mut moments = Moments::zeros(&param);
        // Whoever holds the old values keeps them.
        let (held, held_first) = (param.clone(), moments.first.clone());
        let (mut p, mut m, mut v) = (start.clone(), vec![0.0f32; len], vec![0.0f32; len]);
        for t in 1..=5 {
            let step = AdamWStep {
                learning_rate: 1e-2,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.1,
                bias_correction1: 1.0 - 0.9_f32.powi(t),
                bias_correction2: 1.0 - 0.999_f32.powi(t),
                grad_scale: 1.0,
            };
            let grad = values(len, 10 + t as u32);
            let scale = Tensor::full([1], 0.5, &gpu);
            (param, moments) =
                Kernels::Own.adamw(param, tensor(&grad, [len], &gpu), moments, scale, step);
            for i in 0..len {
                let g = grad[i] * 0.5;
                p[i] -= 1e-2 * 0.1 * p[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let root = v[i].sqrt() / step.bias_correction2.sqrt() + 1e-8;
                p[i] -= 1e-2 / step.bias_correction1 * m[i] / root;
            }
        }
        assert_close(&read(param), &p, 1e-6, "param");
        assert_close(&read(moments.first), &m, 1e-6, "first moment");
        assert_close(&read(moments.second), &v, 1e-6, "second moment");
        assert_eq!((read(held), read(held_first)), (start, vec![0.0; len]));
    }
}
