//! Attention of the first token of each row alone: all that a classifier reads of the last layer.

use super::dropout::Dropout;
use super::simd::{LANES, fma, sum_lanes, vectorized};
use super::softmax::{drop_out, exponentials};
use super::threads::for_each;

/// Rows that one part takes: a row alone is too little work to hand over.
const ROWS: usize = 8;

/// [`super::attention`] with one query for each row: `q` and `out` are \[rows, hidden\], `k` and
/// `v` \[tokens, hidden\]. The dropout's index of a probability is (row·heads + head)·512 + key.
pub fn first_attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    offsets: &[usize],
    heads: usize,
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    let shape = &Shape::new(q, k, offsets, heads);
    assert_eq!([v.len(), out.len()], [k.len(), q.len()], "first_attention: v and out");
    let bounds: Vec<&[usize]> = offsets.windows(2).collect();
    let parts = out.chunks_mut(ROWS * shape.hidden).zip(bounds.chunks(ROWS)).enumerate();
    let parts: Vec<_> = parts.map(|(part, (out, rows))| (part * ROWS, out, rows)).collect();
    for_each(parts, |(first, out, rows)| {
        for (index, (out, row)) in out.chunks_mut(shape.hidden).zip(rows).enumerate() {
            let query = &q[(first + index) * shape.hidden..][..shape.hidden];
            let tokens = row[0] * shape.hidden..row[1] * shape.hidden;
            let row =
                Row { number: first + index, query, keys: &k[tokens.clone()], values: &v[tokens] };
            vectorized!(forward(shape, &row, dropout, out));
        }
    });
}

/// The gradients of [`first_attention`] at `grad` \[rows, hidden\]: `dq` like `q`, `dk` and `dv`
/// like `k`. Probabilities are computed again.
#[allow(clippy::too_many_arguments)]
pub fn first_attention_backward(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    offsets: &[usize],
    heads: usize,
    dropout: Option<Dropout>,
    grad: &[f32],
    dq: &mut [f32],
    dk: &mut [f32],
    dv: &mut [f32],
) {
    let shape = &Shape::new(q, k, offsets, heads);
    let hidden = shape.hidden;
    assert_eq!([grad.len(), dq.len()], [q.len(); 2], "first_attention_backward: grad and dq");
    assert_eq!([v.len(), dk.len(), dv.len()], [k.len(); 3], "first_attention_backward: v, dk, dv");
    let (mut dk, mut dv) = (dk, dv);
    let mut rows = Vec::new();
    for (number, (bounds, dq)) in offsets.windows(2).zip(dq.chunks_mut(hidden)).enumerate() {
        let tokens = bounds[0] * hidden..bounds[1] * hidden;
        let query = &q[number * hidden..][..hidden];
        let row = Row { number, query, keys: &k[tokens.clone()], values: &v[tokens.clone()] };
        let (row_dk, rest_dk) = dk.split_at_mut(tokens.len());
        let (row_dv, rest_dv) = dv.split_at_mut(tokens.len());
        (dk, dv) = (rest_dk, rest_dv);
        rows.push((
            row,
            Gradients { out: &grad[number * hidden..][..hidden], dq, dk: row_dk, dv: row_dv },
        ));
    }
    let mut parts = Vec::new();
    while !rows.is_empty() {
        parts.push(rows.split_off(rows.len().saturating_sub(ROWS)));
    }
    for_each(parts, |part| {
        for (row, grads) in part {
            vectorized!(backward(shape, &row, dropout, grads));
        }
    });
}

struct Shape {
    heads: usize,
    head_dim: usize,
    hidden: usize,
}

impl Shape {
    fn new(q: &[f32], k: &[f32], offsets: &[usize], heads: usize) -> Self {
        let (rows, tokens) =
            (offsets.len().saturating_sub(1), offsets.last().copied().unwrap_or(0));
        let hidden = q.len().checked_div(rows).unwrap_or(heads);
        assert_eq!(
            [rows * hidden, tokens * hidden],
            [q.len(), k.len()],
            "first_attention: q and k"
        );
        assert_eq!(hidden % heads, 0, "first_attention: {heads} heads in {hidden} columns");
        Self { heads, head_dim: hidden / heads, hidden }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }
}

/// One row: its query `[hidden]`, its keys and values `[len, hidden]`.
struct Row<'a> {
    number: usize,
    query: &'a [f32],
    keys: &'a [f32],
    values: &'a [f32],
}

struct Gradients<'a> {
    out: &'a [f32],
    dq: &'a mut [f32],
    dk: &'a mut [f32],
    dv: &'a mut [f32],
}

/// The softmax of one head's scores, and the same after dropout.
#[inline(always)]
fn probabilities<const FUSED: bool>(
    shape: &Shape,
    row: &Row<'_>,
    head: usize,
    dropout: Option<Dropout>,
) -> (Vec<f32>, Vec<f32>) {
    let columns = head * shape.head_dim..(head + 1) * shape.head_dim;
    let len = row.keys.len() / shape.hidden;
    let mut scores = vec![f32::NEG_INFINITY; len.next_multiple_of(LANES)];
    for (score, key) in scores.iter_mut().zip(row.keys.chunks_exact(shape.hidden)) {
        *score = dot::<FUSED>(&row.query[columns.clone()], &key[columns.clone()]) * shape.scale();
    }
    let sum = exponentials::<FUSED>(&mut scores);
    scores.iter_mut().for_each(|score| *score /= sum);
    let mut dropped = scores.clone();
    if let Some(dropout) = dropout {
        drop_out(&mut dropped, dropout, ((row.number * shape.heads + head) * 512) as u32);
    }
    (scores, dropped)
}

#[inline(always)]
fn forward<const FUSED: bool>(
    shape: &Shape,
    row: &Row<'_>,
    dropout: Option<Dropout>,
    out: &mut [f32],
) {
    out.fill(0.0);
    for (head, out) in out.chunks_exact_mut(shape.head_dim).enumerate() {
        let (_, dropped) = probabilities::<FUSED>(shape, row, head, dropout);
        for (value, weight) in row.values.chunks_exact(shape.hidden).zip(dropped) {
            add::<FUSED>(out, &value[head * shape.head_dim..][..shape.head_dim], weight);
        }
    }
}

#[inline(always)]
fn backward<const FUSED: bool>(
    shape: &Shape,
    row: &Row<'_>,
    dropout: Option<Dropout>,
    grads: Gradients<'_>,
) {
    let Gradients { out, dq, dk, dv } = grads;
    dq.fill(0.0);
    dk.fill(0.0);
    dv.fill(0.0);
    for head in 0..shape.heads {
        let columns = head * shape.head_dim..(head + 1) * shape.head_dim;
        let (kept, dropped) = probabilities::<FUSED>(shape, row, head, dropout);
        let grad = &out[columns.clone()];
        let tokens = row.values.chunks_exact(shape.hidden).zip(dv.chunks_exact_mut(shape.hidden));
        let mut slopes = kept.clone();
        let mut mean = 0.0;
        for (token, (value, dv)) in tokens.enumerate() {
            add::<FUSED>(&mut dv[columns.clone()], grad, dropped[token]);
            // The probability after dropout over that before it is dropout's factor.
            let factor = if kept[token] > 0.0 { dropped[token] / kept[token] } else { 0.0 };
            slopes[token] = dot::<FUSED>(grad, &value[columns.clone()]) * factor;
            mean += slopes[token] * kept[token];
        }
        let tokens = row.keys.chunks_exact(shape.hidden).zip(dk.chunks_exact_mut(shape.hidden));
        for (token, (key, dk)) in tokens.enumerate() {
            let slope = kept[token] * (slopes[token] - mean) * shape.scale();
            add::<FUSED>(&mut dk[columns.clone()], &row.query[columns.clone()], slope);
            add::<FUSED>(&mut dq[columns.clone()], &key[columns.clone()], slope);
        }
    }
}

#[inline(always)]
fn dot<const FUSED: bool>(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] = fma::<FUSED>(a[lane], b[lane], sums[lane]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sum_lanes(sums) + rest
}

/// out += values·weight
#[inline(always)]
fn add<const FUSED: bool>(out: &mut [f32], values: &[f32], weight: f32) {
    for (out, value) in out.iter_mut().zip(values) {
        *out = fma::<FUSED>(*value, weight, *out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_gradient, dot, values};
    use super::super::{attention, attention_backward};
    use super::*;

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
        attention(&q, &k, &v, &offsets, heads, None, &mut all);
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
        attention_backward(
            &q, &k, &v, &offsets, heads, None, &all_grad, expected.0, expected.1, expected.2,
        );
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
                    let at = |token: usize, d: usize| {
                        (offsets[row] + token) * hidden + head * head_dim + d
                    };
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
        let wide = super::super::testing::wide;
        let (wq, wk, wv) = (wide(&q), wide(&k), wide(&v));
        let mut out = vec![f32::NAN; rows * hidden];
        first_attention(&q, &k, &v, &offsets, heads, Some(dropout), &mut out);
        super::super::testing::assert_close(&out, &plain(&wq, &wk, &wv), 1e-6, "out");
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
}
