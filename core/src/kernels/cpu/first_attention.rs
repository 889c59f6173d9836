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
mod tests;
