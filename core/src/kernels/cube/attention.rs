//! Self-attention of packed rows, forward: each unit has one query and walks over the keys of its
//! row, which its cube brings into shared memory some at a time (Dao et al. 2022,
//! <https://arxiv.org/abs/2205.14135>, algorithm 1; Milakov and Gimelshein 2018 for the softmax).

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{
    super::Attention,
    Ints,
    blocks::{
        BLOCK, Plan, dot, find, head, nothing, probability_index, put, seen, share, tokens_seen,
    },
    dropout::{Keep, factor, keep},
    tools::{dense, empty_like, indices},
};

/// Below every score, and yet finite: WGSL has no infinities.
pub(super) const LOWEST: f32 = -1e30;

#[cube(launch_unchecked)]
fn attend<N: Size>(
    query: &[Vector<f32, N>],
    key: &[Vector<f32, N>],
    value: &[Vector<f32, N>],
    offsets: &[i32],
    out: &mut [Vector<f32, N>],
    rows: u32,
    scale: f32,
    window: u32,
    mask: Keep,
    #[comptime] width: usize,
    #[comptime] shared: usize,
    #[comptime] local: bool,
    #[comptime] dropped: bool,
) {
    let block = find(offsets, rows);
    if block.len == 0 {
        terminate!();
    }
    let mut keys = Shared::<[Vector<f32, N>]>::new_slice(comptime!(shared * width));
    let mut values = Shared::<[Vector<f32, N>]>::new_slice(comptime!(shared * width));
    let mut scores = Shared::<[f32]>::new_slice(comptime!(shared * BLOCK as usize));
    let unit = UNIT_POS as usize;
    let place = block.first + unit;
    // Units beyond the row's end compute its last query, for nothing: barriers want all of them.
    let token = block.start + min(place, block.len - 1);
    let query = head(query, token, scale, width);
    let mut sum = nothing::<N>(width);
    let mut most = f32::new(LOWEST);
    let mut total = 0.0f32;
    let mut first = 0usize;
    while first < block.len {
        let count = min(shared, block.len - first);
        share(key, &mut keys, block.start + first, count, width);
        share(value, &mut values, block.start + first, count, width);
        sync_cube();
        let before = most;
        for j in 0..count {
            // Where nothing was seen yet, this adds to the sums what the first score that counts
            // shrinks to nothing.
            let score = dot(&query, &keys, j * width, width);
            let score =
                seen(score, f32::new(LOWEST), token - block.start, first + j, window, local);
            scores[j * BLOCK as usize + unit] = score;
            most = max(most, score);
        }
        let shrink = (before - most).exp();
        total *= shrink;
        #[unroll]
        for i in 0..width {
            sum[i] *= Vector::new(shrink);
        }
        for j in 0..count {
            let mut weight = (scores[j * BLOCK as usize + unit] - most).exp();
            total += weight;
            if comptime!(dropped) {
                weight *= factor(&mask, probability_index(token, first + j));
            }
            #[unroll]
            for i in 0..width {
                sum[i] += values[j * width + i] * Vector::new(weight);
            }
        }
        first += shared;
        sync_cube();
    }
    if place < block.len {
        put(&sum, out, token, 1.0f32 / total, width);
    }
}

/// `[tokens, hidden]` from three of them and `offsets` `[rows + 1]`.
pub(super) fn forward(
    query_key_value: [CubeTensor; 3],
    offsets: Ints,
    attention: Attention,
) -> CubeTensor {
    let [query, key, value] = query_key_value.map(dense);
    let offsets = indices(offsets);
    let Attention { heads, window, dropout } = attention;
    let plan = Plan::new(&query, &offsets, heads);
    let out = empty_like(&query);
    // SAFETY: tokens and heads are those of all three tensors, and `offsets` ascends up to the
    // number of tokens, as whoever packed the rows made it.
    unsafe {
        attend::launch_unchecked(
            &out.client,
            plan.cube_count(),
            CubeDim::new_1d(BLOCK),
            plan.lanes,
            query.into_buffer_arg(),
            key.into_buffer_arg(),
            value.into_buffer_arg(),
            offsets.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            plan.rows as u32,
            plan.scale,
            tokens_seen(window),
            keep(dropout),
            plan.width,
            plan.shared,
            window.is_some(),
            dropout.is_some(),
        );
    }
    out
}
