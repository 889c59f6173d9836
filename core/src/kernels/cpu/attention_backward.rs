//! Self-attention of rows packed without padding, backward.

use pulp::{Simd, WithSimd};

use super::attention::{Layout, Pair, QUERIES, with_scratch};
use super::dropout::Dropout;
use super::simd::{HAS_FMA, LANES, fma, sum_lanes};
use super::small_matmul::{Left, small_matmul};
use super::softmax::exponentials;
use super::threads::{Shared, for_each};
use crate::kernels::Attention;

/// The gradients of [`attention`](super::attention) at `grad`. Probabilities are computed anew.
#[allow(clippy::too_many_arguments)]
pub fn attention_backward(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    offsets: &[usize],
    attention: Attention,
    grad: &[f32],
    dq: &mut [f32],
    dk: &mut [f32],
    dv: &mut [f32],
) {
    let layout = Layout::new(q.len(), offsets, attention);
    let same = [k.len(), v.len(), grad.len(), dq.len(), dk.len(), dv.len()];
    assert_eq!(same, [q.len(); 6], "attention_backward: lengths");
    let gradients = [Shared::new(dq), Shared::new(dk), Shared::new(dv)];
    for_each(layout.parts(), |pairs| {
        let (layout, gradients) = (&layout, &gradients);
        let len = 7 * layout.longest * layout.padded_dim
            + QUERIES * (3 * layout.longest + layout.padded_dim);
        with_scratch(len, |scratch| {
            let part = Backward { layout, pairs, q, k, v, grad, gradients };
            pulp::Arch::new().dispatch(Run { part, scratch });
        });
    });
}

struct Backward<'a> {
    layout: &'a Layout<'a>,
    pairs: Vec<Pair>,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    grad: &'a [f32],
    gradients: &'a [Shared<'a>; 3],
}

/// A part and its thread's working memory.
struct Run<'a> {
    part: Backward<'a>,
    scratch: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { part, scratch } = self;
        for pair in &part.pairs {
            match S::IS_SCALAR || !HAS_FMA {
                true => part.pair::<S, false>(simd, *pair, scratch),
                false => part.pair::<S, true>(simd, *pair, scratch),
            }
        }
    }
}

impl Backward<'_> {
    #[inline(always)]
    fn pair<S: Simd, const FUSED: bool>(&self, simd: S, pair: Pair, scratch: &mut [f32]) {
        let layout = self.layout;
        let Layout { head_dim, padded_dim, longest, .. } = *layout;
        let Pair { len, padded, .. } = pair;
        let mut rest = scratch;
        let mut take = |len: usize| rest.split_off_mut(..len).expect("scratch of `with_simd`");
        let [queries, keys, outs] = [(); 3].map(|()| take(longest * padded_dim));
        let [keys_t, values_t] = [(); 2].map(|()| take(longest * padded_dim));
        let [dkeys, dvalues] = [(); 2].map(|()| take(longest * padded_dim));
        let [probs, dropped, dscores] = [(); 3].map(|()| take(QUERIES * longest));
        let dqueries = take(QUERIES * padded_dim);
        let scale = 1.0 / (head_dim as f32).sqrt();
        layout.pack(self.q, pair, queries);
        layout.pack(self.k, pair, keys);
        layout.pack(self.grad, pair, outs);
        layout.pack_transposed(self.k, pair, scale, keys_t);
        layout.pack_transposed(self.v, pair, 1.0, values_t);
        for first in (0..len).step_by(QUERIES) {
            let rows = QUERIES.min(len - first);
            let shape = [rows, head_dim, padded];
            let q = layout.left(self.q, pair, first);
            small_matmul(simd, shape, q, keys_t, padded, probs, padded, false);
            let grad = layout.left(self.grad, pair, first);
            small_matmul(simd, shape, grad, values_t, padded, dscores, padded, false);
            for row in 0..rows {
                let range = row * padded..(row + 1) * padded;
                let (probs, dscores) = (&mut probs[range.clone()], &mut dscores[range.clone()]);
                layout.mask(pair, first + row, probs, f32::NEG_INFINITY);
                layout.mask(pair, first + row, dscores, 0.0);
                let dropout = layout.dropout(pair, first + row);
                self.row::<FUSED>(scale, dropout, probs, &mut dropped[range], dscores);
            }
            let add = first > 0;
            let shape = [len, rows, padded_dim];
            let outs = &outs[first * padded_dim..];
            let left = Left { values: dropped, row_stride: 1, col_stride: padded };
            small_matmul(simd, shape, left, outs, padded_dim, dvalues, padded_dim, add);
            let left = Left { values: dscores, row_stride: 1, col_stride: padded };
            let queries = &queries[first * padded_dim..];
            small_matmul(simd, shape, left, queries, padded_dim, dkeys, padded_dim, add);
            let left = Left { values: dscores, row_stride: padded, col_stride: 1 };
            let shape = [rows, len, padded_dim];
            small_matmul(simd, shape, left, keys, padded_dim, dqueries, padded_dim, false);
            self.write(0, pair, first, rows, dqueries);
        }
        self.write(1, pair, 0, len, dkeys);
        self.write(2, pair, 0, len, dvalues);
    }

    /// One query: scores become probabilities, `dropped` those after dropout, and `dscores`, which
    /// comes as the gradient of the latter, the gradient of the scores, times `scale`.
    #[inline(always)]
    fn row<const FUSED: bool>(
        &self,
        scale: f32,
        dropout: Option<(Dropout, u32)>,
        probs: &mut [f32],
        dropped: &mut [f32],
        dscores: &mut [f32],
    ) {
        let inverse = 1.0 / exponentials::<FUSED>(probs);
        let dot = match dropout {
            None => weigh::<FUSED>(probs, dropped, dscores, inverse, |_| 1.0),
            Some((dropout, index)) => weigh::<FUSED>(probs, dropped, dscores, inverse, |key| {
                dropout.factor(index.wrapping_add(key))
            }),
        };
        for (prob, dscore) in probs.iter().zip(dscores) {
            *dscore = scale * prob * (*dscore - dot);
        }
    }

    /// Writes rows of head_dim to the gradient `which` of (q, k, v).
    #[inline(always)]
    #[allow(unsafe_code)]
    fn write(&self, which: usize, pair: Pair, first: usize, rows: usize, values: &[f32]) {
        let Layout { head_dim, padded_dim, .. } = *self.layout;
        for (row, values) in values.chunks_exact(padded_dim).take(rows).enumerate() {
            let start = self.layout.start(pair, first + row);
            // SAFETY: one part alone has this pair, hence these columns of these tokens.
            let out = unsafe { self.gradients[which].piece(start, head_dim) };
            out.copy_from_slice(&values[..head_dim]);
        }
    }
}

/// Turns exponentials into probabilities, and `dscores` into their gradient; gives the dot product
/// of the two.
#[inline(always)]
fn weigh<const FUSED: bool>(
    probs: &mut [f32],
    dropped: &mut [f32],
    dscores: &mut [f32],
    inverse: f32,
    factor: impl Fn(u32) -> f32,
) -> f32 {
    let mut lanes = [0.0; LANES];
    let mut first = 0;
    let dropped = dropped.as_chunks_mut::<LANES>().0;
    let rows = probs.as_chunks_mut::<LANES>().0.iter_mut().zip(dropped);
    for ((probs, dropped), dscores) in rows.zip(dscores.as_chunks_mut::<LANES>().0) {
        for lane in 0..LANES {
            let factor = factor(first + lane as u32);
            probs[lane] *= inverse;
            dropped[lane] = probs[lane] * factor;
            dscores[lane] *= factor;
            lanes[lane] = fma::<FUSED>(probs[lane], dscores[lane], lanes[lane]);
        }
        first += LANES as u32;
    }
    sum_lanes(lanes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_close, assert_gradient, dot, values, wide};
    use super::*;

    /// The definition, in f64.
    fn plain([q, k, v]: [&[f64]; 3], offsets: &[usize], attention: Attention) -> Vec<f64> {
        let Attention { heads, window, dropout } = attention;
        let hidden = q.len() / offsets.last().expect("offsets");
        let size = hidden / heads;
        let mut out = vec![0.0; q.len()];
        for row in offsets.windows(2) {
            for (head, i) in (0..heads).flat_map(|head| (row[0]..row[1]).map(move |i| (head, i))) {
                let start = |token| token * hidden + head * size;
                let scores = (row[0]..row[1]).map(|j| {
                    if window.is_some_and(|window| i.abs_diff(j) > window) {
                        return 0.0;
                    }
                    let dot: f64 = (0..size).map(|d| q[start(i) + d] * k[start(j) + d]).sum();
                    (dot / (size as f64).sqrt()).exp()
                });
                let scores: Vec<f64> = scores.collect();
                let sum: f64 = scores.iter().sum();
                for (key, score) in scores.iter().enumerate() {
                    let index = ((i * heads + head) * 512 + key) as u32;
                    let factor = dropout.map_or(1.0, |dropout| f64::from(dropout.factor(index)));
                    for d in 0..size {
                        out[start(i) + d] += score / sum * factor * v[start(row[0] + key) + d];
                    }
                }
            }
        }
        out
    }

    fn check(rows: &[usize], heads: usize, head_dim: usize, dropout: Option<Dropout>) {
        check_window(rows, head_dim, Attention { heads, window: None, dropout });
    }

    fn check_window(rows: &[usize], head_dim: usize, attention: Attention) {
        let heads = attention.heads;
        let mut offsets = vec![0];
        offsets.extend(rows.iter().scan(0, |end, len| {
            *end += len;
            Some(*end)
        }));
        let len = offsets[rows.len()] * heads * head_dim;
        // Large enough for a softmax that is far from uniform.
        let [q, k, v] =
            [1, 2, 3].map(|seed| values(len, seed).iter().map(|x| 3.0 * x).collect::<Vec<_>>());
        let grad = values(len, 4);
        let what = format!("rows {rows:?}, heads of {head_dim}, {attention:?}");
        let mut out = vec![9.0; len];
        super::super::attention(&q, &k, &v, &offsets, attention, &mut out);
        let [wq, wk, wv] = [&q, &k, &v].map(|values| wide(values));
        assert_close(&out, &plain([&wq, &wk, &wv], &offsets, attention), 5e-6, &what);

        let [mut dq, mut dk, mut dv] = [(); 3].map(|()| vec![9.0; len]);
        attention_backward(&q, &k, &v, &offsets, attention, &grad, &mut dq, &mut dk, &mut dv);
        let loss = |qkv: [&[f64]; 3]| dot(&plain(qkv, &offsets, attention), &grad);
        assert_gradient(&dq, &wq, |q| loss([q, &wk, &wv]), &format!("dq, {what}"));
        assert_gradient(&dk, &wk, |k| loss([&wq, k, &wv]), &format!("dk, {what}"));
        assert_gradient(&dv, &wv, |v| loss([&wq, &wk, v]), &format!("dv, {what}"));
    }

    #[test]
    fn forward_and_backward() {
        for dropout in [None, Some(Dropout { prob: 0.2, seed: 11 })] {
            check(&[1], 1, 1, dropout);
            check(&[1, 7, 2], 2, 5, dropout);
            check(&[31, 1, 33], 2, 32, dropout);
            check(&[20; 8], 3, 64, dropout);
            check(&[49, 0, 48, 96], 2, 16, dropout);
            check(&[130], 2, 40, dropout);
        }
    }

    #[test]
    fn long_rows() {
        check(&[500, 3], 1, 32, Some(Dropout { prob: 0.1, seed: 1 }));
        check(&[512], 1, 8, None);
    }

    #[test]
    fn local() {
        for dropout in [None, Some(Dropout { prob: 0.2, seed: 11 })] {
            for window in [0, 1, 7, 40, usize::MAX] {
                let attention = Attention { heads: 2, window: Some(window), dropout };
                check_window(&[1, 30, 0, 65], 8, attention);
            }
        }
    }

    /// What a thread's working memory holds from before must not reach a result.
    #[test]
    fn stale_scratch_is_harmless() {
        let run = |q: &[f32], rows: &[usize]| {
            let [mut out, mut dq, mut dk, mut dv] = [(); 4].map(|()| vec![9.0; q.len()]);
            let one = Attention { heads: 1, window: None, dropout: None };
            super::super::attention(q, q, q, rows, one, &mut out);
            attention_backward(q, q, q, rows, one, q, &mut dq, &mut dk, &mut dv);
            [out, dq, dk, dv]
        };
        let small = values(19 * 24, 1);
        let before = run(&small, &[0, 19]);
        run(&vec![f32::NAN; 64 * 24], &[0, 64]);
        assert_eq!(before, run(&small, &[0, 19]));
    }
}
