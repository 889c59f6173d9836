use super::*;
use crate::kernels::cpu::testing::{assert_gradient, dot, values};
use crate::kernels::{
    Attention,
    cpu::{attention, attention_backward},
};

/// Row by row what attention of all tokens says of the first.
#[test]
fn is_the_first_row_of_attention() {
    let (heads, hidden) = (3, 3 * 20);
    let offsets = [0, 1, 8, 41, 170, 171, 175, 180, 200, 230, 233];
    let (rows, tokens) = (offsets.len() - 1, 233);
    let [q, k, v] = [1, 2, 3].map(|seed| values(tokens * hidden, seed));
    let first = |all: &[f32]| -> Vec<f32> {
        offsets[..rows].iter().flat_map(|&at| all[at * hidden..][..hidden].to_vec()).collect()
    };
    let mut all = vec![f32::NAN; tokens * hidden];
    let whole = Attention { heads, window: None, dropout: None };
    attention(&q, &k, &v, &offsets, whole, &mut all);
    let mut out = vec![f32::NAN; rows * hidden];
    first_attention(&first(&q), &k, &v, &offsets, heads, None, &mut out);
    close(&out, &first(&all));

    let grad = values(rows * hidden, 4);
    let mut all_grad = vec![0.0; tokens * hidden];
    for (row, &at) in offsets[..rows].iter().enumerate() {
        all_grad[at * hidden..][..hidden].copy_from_slice(&grad[row * hidden..][..hidden]);
    }
    let [mut dq, mut dk, mut dv] = [0, 1, 2].map(|_| vec![f32::NAN; tokens * hidden]);
    let expected = (&mut dq, &mut dk, &mut dv);
    attention_backward(&q, &k, &v, &offsets, whole, &all_grad, expected.0, expected.1, expected.2);
    let mut got_q = vec![f32::NAN; rows * hidden];
    let [mut got_k, mut got_v] = [0, 1].map(|_| vec![f32::NAN; tokens * hidden]);
    first_attention_backward(
        &first(&q),
        &k,
        &v,
        &offsets,
        heads,
        None,
        &grad,
        &mut got_q,
        &mut got_k,
        &mut got_v,
    );
    close(&got_q, &first(&dq));
    close(&got_k, &dk);
    close(&got_v, &dv);
}

#[track_caller]
fn close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() <= 2e-6, "[{i}] {got} {expected}");
    }
}

/// With dropout, against a plain loop in f64 and its differences.
#[test]
fn forward_and_backward_with_dropout() {
    let (heads, head_dim) = (2, 16);
    let hidden = heads * head_dim;
    let offsets = [0usize, 5, 6, 25];
    let (rows, tokens) = (3, 25);
    let dropout = Dropout { prob: 0.3, seed: 77 };
    let q = values(rows * hidden, 1);
    let [k, v] = [2, 3].map(|seed| values(tokens * hidden, seed));
    let grad = values(rows * hidden, 4);
    let plain = |q: &[f64], k: &[f64], v: &[f64]| -> Vec<f64> {
        let mut out = vec![0.0; rows * hidden];
        for row in 0..rows {
            for head in 0..heads {
                let at =
                    |token: usize, d: usize| (offsets[row] + token) * hidden + head * head_dim + d;
                let len = offsets[row + 1] - offsets[row];
                let query = |d: usize| q[row * hidden + head * head_dim + d];
                let scores = (0..len).map(|j| {
                    let sum: f64 = (0..head_dim).map(|d| query(d) * k[at(j, d)]).sum();
                    (sum / (head_dim as f64).sqrt()).exp()
                });
                let scores: Vec<f64> = scores.collect();
                let total: f64 = scores.iter().sum();
                for (j, score) in scores.iter().enumerate() {
                    let index = (row * heads + head) * 512 + j;
                    let weight = score / total * f64::from(dropout.factor(index as u32));
                    for d in 0..head_dim {
                        out[row * hidden + head * head_dim + d] += weight * v[at(j, d)];
                    }
                }
            }
        }
        out
    };
    let wide = crate::kernels::cpu::testing::wide;
    let (wq, wk, wv) = (wide(&q), wide(&k), wide(&v));
    let mut out = vec![f32::NAN; rows * hidden];
    first_attention(&q, &k, &v, &offsets, heads, Some(dropout), &mut out);
    crate::kernels::cpu::testing::assert_close(&out, &plain(&wq, &wk, &wv), 1e-6, "out");
    let mut dq = vec![f32::NAN; rows * hidden];
    let [mut dk, mut dv] = [0, 1].map(|_| vec![f32::NAN; tokens * hidden]);
    first_attention_backward(
        &q,
        &k,
        &v,
        &offsets,
        heads,
        Some(dropout),
        &grad,
        &mut dq,
        &mut dk,
        &mut dv,
    );
    assert_gradient(&dq, &wq, |q| dot(&plain(q, &wk, &wv), &grad), "dq");
    assert_gradient(&dk, &wk, |k| dot(&plain(&wq, k, &wv), &grad), "dk");
    assert_gradient(&dv, &wv, |v| dot(&plain(&wq, &wk, v), &grad), "dv");
}
