//! Self-attention of rows packed without padding, forward.

use std::cell::RefCell;

use pulp::{Simd, WithSimd};

use super::dropout::Dropout;
use super::simd::{HAS_FMA, LANES};
use super::small_matmul::{Left, small_matmul};
use super::softmax::{drop_out, exponentials};
use super::threads::{Shared, count, for_each};
use crate::kernels::Attention;

/// The longest row that has dropout elements of its own; a longer one shares some with the next head.
const MAX_ROW: usize = 512;
/// Queries taken at a time, so that their scores stay in the first or second cache.
pub(super) const QUERIES: usize = 24;

thread_local! {
    /// Working memory of a thread, kept between calls: as fresh memory of the system for every
    /// call, its pages would cost more than the computation.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// softmax(q·kᵀ / √head_dim)·v for each row and head, with dropout on the probabilities; tokens
/// beyond the window have no score.
///
/// `q`, `k`, `v` and `out` are \[tokens, heads·head_dim\]; row r is the tokens
/// `offsets[r]..offsets[r + 1]` and head h the columns from h·head_dim. The
/// dropout's index of a probability is (token·heads + head)·512 + key, in wrapping 32 bits, where
/// `key` counts from the start of the row.
pub fn attention(
    q: &[f32],
    k: &[f32],
    v: &[f32],
    offsets: &[usize],
    attention: Attention,
    out: &mut [f32],
) {
    let layout = Layout::new(q.len(), offsets, attention);
    assert_eq!([k.len(), v.len(), out.len()], [q.len(); 3], "attention: lengths");
    let shared = Shared::new(out);
    for_each(layout.parts(), |pairs| {
        let out = &shared;
        let len =
            2 * layout.longest * layout.padded_dim + QUERIES * (layout.longest + layout.padded_dim);
        with_scratch(len, |scratch| {
            let part = Forward { layout: &layout, pairs, q, k, v, out };
            pulp::Arch::new().dispatch(Run { part, scratch });
        });
    });
}

/// Where the heads of the rows stand in a packed matrix.
pub(super) struct Layout<'a> {
    offsets: &'a [usize],
    attention: Attention,
    pub head_dim: usize,
    /// `head_dim`, padded to whole chunks.
    pub padded_dim: usize,
    /// Floats from one token to the next.
    pub hidden: usize,
    /// The longest row, padded to whole chunks.
    pub longest: usize,
}

/// One head of one row.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    /// The first token of the row, and how many it has.
    pub first: usize,
    pub len: usize,
    /// `len`, padded to whole chunks.
    pub padded: usize,
    pub head: usize,
}

impl<'a> Layout<'a> {
    pub(super) fn new(len: usize, offsets: &'a [usize], attention: Attention) -> Self {
        let heads = attention.heads;
        let tokens = offsets.last().copied().unwrap_or(0);
        let hidden = len.checked_div(tokens).unwrap_or(heads);
        assert_eq!(tokens * hidden, len, "attention: {tokens} tokens in {len} values");
        assert_eq!(hidden % heads, 0, "attention: {heads} heads in {hidden} columns");
        let longest = offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let head_dim = hidden / heads;
        let padded_dim = head_dim.next_multiple_of(LANES);
        let longest = longest.next_multiple_of(LANES);
        Self { offsets, attention, head_dim, padded_dim, hidden, longest }
    }

    /// All pairs, in runs of about the same work, several for each thread.
    pub(super) fn parts(&self) -> Vec<Vec<Pair>> {
        let rows = self.offsets.windows(2).filter(|row| row[0] < row[1]);
        let pairs = rows.flat_map(|row| {
            let (first, len) = (row[0], row[1] - row[0]);
            let padded = len.next_multiple_of(LANES);
            (0..self.attention.heads).map(move |head| Pair { first, len, padded, head })
        });
        let cost = |pair: &Pair| pair.len * (pair.padded + 16) * self.head_dim;
        let total: usize = pairs.clone().map(|pair| cost(&pair)).sum();
        // Below about 20 µs of work, one part.
        let parts = if total < 1 << 20 { 1 } else { count() * 8 };
        let (mut runs, mut run, mut done) = (Vec::new(), Vec::new(), 0);
        for pair in pairs {
            done += cost(&pair);
            run.push(pair);
            if done * parts >= total * (runs.len() + 1) {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs
    }

    /// Where the pair's token `token` of the row begins.
    pub(super) fn start(&self, pair: Pair, token: usize) -> usize {
        (pair.first + token) * self.hidden + pair.head * self.head_dim
    }

    /// The pair's rows from token `token` on, as a left operand.
    pub(super) fn left<'b>(&self, values: &'b [f32], pair: Pair, token: usize) -> Left<'b> {
        let values = &values[self.start(pair, token)..];
        Left { values, row_stride: self.hidden, col_stride: 1 }
    }

    /// The pair's rows, contiguous and padded to \[len, padded_dim\].
    #[inline(always)]
    pub(super) fn pack(&self, values: &[f32], pair: Pair, out: &mut [f32]) {
        for (token, out) in out.chunks_exact_mut(self.padded_dim).take(pair.len).enumerate() {
            let values = &values[self.start(pair, token)..][..self.head_dim];
            // Whole chunks are moves of a register each; `copy_from_slice` calls the C library.
            let (chunks, rest) = values.as_chunks::<LANES>();
            let (out, out_rest) = out.split_at_mut(chunks.len() * LANES);
            for (out, chunk) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(chunks) {
                *out = *chunk;
            }
            out_rest[..rest.len()].copy_from_slice(rest);
        }
    }

    /// The pair's rows, times `scale`, transposed and padded to \[head_dim, padded\].
    #[inline(always)]
    pub(super) fn pack_transposed(&self, values: &[f32], pair: Pair, scale: f32, out: &mut [f32]) {
        /// Tokens taken at a time, so that stores are of whole vectors.
        const TOKENS: usize = 8;
        let row = |token| &values[self.start(pair, token)..][..self.head_dim];
        let whole = pair.len - pair.len % TOKENS;
        for first in (0..whole).step_by(TOKENS) {
            let rows: [&[f32]; TOKENS] = std::array::from_fn(|token| row(first + token));
            for (d, out) in out.chunks_exact_mut(pair.padded).take(self.head_dim).enumerate() {
                let out: &mut [f32; TOKENS] = (&mut out[first..first + TOKENS]).try_into().unwrap();
                for token in 0..TOKENS {
                    out[token] = rows[token][d] * scale;
                }
            }
        }
        for token in whole..pair.len {
            for (out, value) in out.chunks_exact_mut(pair.padded).zip(row(token)) {
                out[token] = value * scale;
            }
        }
    }

    /// The dropout of a query's probabilities, and the index of the first of them.
    pub(super) fn dropout(&self, pair: Pair, query: usize) -> Option<(Dropout, u32)> {
        let index = ((pair.first + query) * self.attention.heads + pair.head) * MAX_ROW;
        self.attention.dropout.map(|dropout| (dropout, index as u32))
    }

    /// Leaves of a query's scores, which are padded to whole chunks, those that it sees.
    #[inline(always)]
    pub(super) fn mask(&self, pair: Pair, query: usize, scores: &mut [f32], hidden: f32) {
        let seen = self.attention.seen(query, pair.len);
        scores[..seen.start].fill(hidden);
        scores[seen.end..].fill(hidden);
    }
}

/// Runs `run` with `len` floats of this thread's working memory.
pub(super) fn with_scratch<R>(len: usize, run: impl FnOnce(&mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < len {
            scratch.resize(len, 0.0);
        }
        run(&mut scratch[..len])
    })
}

struct Forward<'a> {
    layout: &'a Layout<'a>,
    pairs: Vec<Pair>,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    out: &'a Shared<'a>,
}

/// A part and its thread's working memory.
struct Run<'a> {
    part: Forward<'a>,
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

impl Forward<'_> {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn pair<S: Simd, const FUSED: bool>(&self, simd: S, pair: Pair, scratch: &mut [f32]) {
        let Layout { head_dim, padded_dim, longest, .. } = *self.layout;
        let (keys, scratch) = scratch.split_at_mut(longest * padded_dim);
        let (values, scratch) = scratch.split_at_mut(longest * padded_dim);
        let (scores, context) = scratch.split_at_mut(QUERIES * longest);
        let scale = 1.0 / (head_dim as f32).sqrt();
        self.layout.pack_transposed(self.k, pair, scale, keys);
        self.layout.pack(self.v, pair, values);
        let Pair { len, padded, .. } = pair;
        for first in (0..len).step_by(QUERIES) {
            let rows = QUERIES.min(len - first);
            let queries = self.layout.left(self.q, pair, first);
            let shape = [rows, head_dim, padded];
            small_matmul(simd, shape, queries, keys, padded, scores, padded, false);
            let mut sums = [0.0; QUERIES];
            for (row, sum) in sums.iter_mut().enumerate().take(rows) {
                let scores = &mut scores[row * padded..][..padded];
                self.layout.mask(pair, first + row, scores, f32::NEG_INFINITY);
                *sum = exponentials::<FUSED>(scores);
                if let Some((dropout, index)) = self.layout.dropout(pair, first + row) {
                    drop_out(scores, dropout, index);
                }
            }
            let scores = Left { values: scores, row_stride: padded, col_stride: 1 };
            let shape = [rows, len, padded_dim];
            small_matmul(simd, shape, scores, values, padded_dim, context, padded_dim, false);
            for (row, sum) in sums.into_iter().enumerate().take(rows) {
                let context = &context[row * padded_dim..][..head_dim];
                let start = self.layout.start(pair, first + row);
                // SAFETY: one part alone has this pair, hence these columns of these tokens.
                let out = unsafe { self.out.piece(start, head_dim) };
                let scale = 1.0 / sum;
                for (out, value) in out.iter_mut().zip(context) {
                    *out = value * scale;
                }
            }
        }
    }
}
