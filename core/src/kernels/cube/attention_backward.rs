//! Self-attention of packed rows, backward, in two dispatches: one for the queries' gradients, with
//! a query to each unit, and one for the keys' and values', with a key to each (Dao et al. 2022,
//! <https://arxiv.org/abs/2205.14135>, algorithm 4). Probabilities are computed again.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{
    super::Attention,
    Ints,
    attention::LOWEST,
    blocks::{
        BLOCK, Block, Plan, agree, dot, find, head, nothing, probability_index, put, seen, share,
        tokens_seen,
    },
    dropout::{Keep, factor, keep},
    tools::{dense, dims, empty, empty_like, indices},
};

/// Also writes `notes`: for each token and head the logarithm of the sum that its softmax divides
/// by, and the mean of its probabilities' gradients; then for each block what [`find`] found. It is
/// one buffer, because the second kernel is at WebGPU's limit of eight.
#[cube(launch_unchecked)]
fn query_gradients<N: Size>(
    query: &[Vector<f32, N>],
    key: &[Vector<f32, N>],
    value: &[Vector<f32, N>],
    grad: &[Vector<f32, N>],
    offsets: &[i32],
    out: &mut [Vector<f32, N>],
    notes: &mut [f32],
    rows: u32,
    tokens: u32,
    scale: f32,
    window: u32,
    mask: Keep,
    #[comptime] width: usize,
    #[comptime] shared: usize,
    #[comptime] local: bool,
    #[comptime] dropped: bool,
) {
    let block = find(offsets, rows);
    if UNIT_POS == 0 && CUBE_POS_Y == 0 {
        let at = block_note(tokens);
        notes[at] = block.start as f32;
        notes[at + 1] = block.len as f32;
        notes[at + 2] = block.first as f32;
    }
    if block.len == 0 {
        terminate!();
    }
    let mut keys = Shared::<[Vector<f32, N>]>::new_slice(comptime!(shared * width));
    let mut values = Shared::<[Vector<f32, N>]>::new_slice(comptime!(shared * width));
    let place = block.first + UNIT_POS as usize;
    let token = block.start + min(place, block.len - 1);
    let query = head(query, token, scale, width);
    let grad = head(grad, token, 1.0f32, width);

    let mut most = f32::new(LOWEST);
    let mut total = 0.0f32;
    let mut mean = 0.0f32;
    let mut first = 0usize;
    while first < block.len {
        let count = min(shared, block.len - first);
        share(key, &mut keys, block.start + first, count, width);
        share(value, &mut values, block.start + first, count, width);
        sync_cube();
        for j in 0..count {
            let score = dot(&query, &keys, j * width, width);
            let score =
                seen(score, f32::new(LOWEST), token - block.start, first + j, window, local);
            let next = max(most, score);
            let shrink = (most - next).exp();
            let weight = (score - next).exp();
            let mut slope = dot(&grad, &values, j * width, width);
            if comptime!(dropped) {
                slope *= factor(&mask, probability_index(token, first + j));
            }
            total = total * shrink + weight;
            mean = mean * shrink + weight * slope;
            most = next;
        }
        first += shared;
        sync_cube();
    }
    mean /= total;
    let logarithm = most + total.ln();

    let mut sum = nothing::<N>(width);
    let mut first = 0usize;
    while first < block.len {
        let count = min(shared, block.len - first);
        share(key, &mut keys, block.start + first, count, width);
        share(value, &mut values, block.start + first, count, width);
        sync_cube();
        for j in 0..count {
            let probability = (dot(&query, &keys, j * width, width) - logarithm).exp();
            let probability =
                seen(probability, 0.0f32, token - block.start, first + j, window, local);
            let mut slope = dot(&grad, &values, j * width, width);
            if comptime!(dropped) {
                slope *= factor(&mask, probability_index(token, first + j));
            }
            let score_slope = probability * (slope - mean);
            #[unroll]
            for i in 0..width {
                sum[i] += keys[j * width + i] * Vector::new(score_slope);
            }
        }
        first += shared;
        sync_cube();
    }
    if place < block.len {
        put(&sum, out, token, scale, width);
        let at = note(token);
        notes[at] = logarithm;
        notes[at + 1] = mean;
    }
}

#[cube(launch_unchecked)]
fn key_value_gradients<N: Size>(
    query: &[Vector<f32, N>],
    key: &[Vector<f32, N>],
    value: &[Vector<f32, N>],
    grad: &[Vector<f32, N>],
    notes: &[f32],
    out_key: &mut [Vector<f32, N>],
    out_value: &mut [Vector<f32, N>],
    tokens: u32,
    scale: f32,
    window: u32,
    mask: Keep,
    #[comptime] width: usize,
    #[comptime] shared: usize,
    #[comptime] local: bool,
    #[comptime] dropped: bool,
) {
    let block = recall(notes, tokens);
    if block.len == 0 {
        terminate!();
    }
    let mut queries = Shared::<[Vector<f32, N>]>::new_slice(comptime!(shared * width));
    let mut grads = Shared::<[Vector<f32, N>]>::new_slice(comptime!(shared * width));
    let place = block.first + UNIT_POS as usize;
    let token = block.start + min(place, block.len - 1);
    let key = head(key, token, scale, width);
    let value = head(value, token, 1.0f32, width);
    let mut key_sum = nothing::<N>(width);
    let mut value_sum = nothing::<N>(width);
    let mut first = 0usize;
    while first < block.len {
        let count = min(shared, block.len - first);
        share(query, &mut queries, block.start + first, count, width);
        share(grad, &mut grads, block.start + first, count, width);
        sync_cube();
        for j in 0..count {
            let other = block.start + first + j;
            let at = note(other);
            let probability = (dot(&key, &queries, j * width, width) - notes[at]).exp();
            let probability =
                seen(probability, 0.0f32, token - block.start, first + j, window, local);
            let mut kept = 1.0f32;
            if comptime!(dropped) {
                kept = factor(&mask, probability_index(other, place));
            }
            let slope = dot(&value, &grads, j * width, width) * kept;
            let score_slope = probability * (slope - notes[at + 1]);
            let weight = probability * kept;
            #[unroll]
            for i in 0..width {
                key_sum[i] += queries[j * width + i] * Vector::new(score_slope);
                value_sum[i] += grads[j * width + i] * Vector::new(weight);
            }
        }
        first += shared;
        sync_cube();
    }
    if place < block.len {
        put(&key_sum, out_key, token, scale, width);
        put(&value_sum, out_value, token, 1.0f32, width);
    }
}

/// Where the notes on one token and head begin.
#[cube]
fn note(token: usize) -> usize {
    (token * CUBE_COUNT_Y as usize + CUBE_POS_Y as usize) * 2
}

/// Where those on this block do.
#[cube]
fn block_note(tokens: u32) -> usize {
    (tokens * CUBE_COUNT_Y * 2 + CUBE_POS_X * 3) as usize
}

/// The block of this cube, as noted: numbers of tokens are exact in f32 up to 16 million.
#[cube]
fn recall(notes: &[f32], tokens: u32) -> Block {
    let mut found = Shared::<[u32]>::new_slice(3usize);
    if UNIT_POS < 3 {
        found[UNIT_POS as usize] = u32::cast_from(notes[block_note(tokens) + UNIT_POS as usize]);
    }
    agree(&found)
}

/// The gradients of query, key and value.
pub(super) fn backward(
    query_key_value: [CubeTensor; 3],
    offsets: Ints,
    grad: CubeTensor,
    attention: Attention,
) -> (CubeTensor, CubeTensor, CubeTensor) {
    let [query, key, value] = query_key_value.map(dense);
    let (offsets, grad) = (indices(offsets), dense(grad));
    let Attention { heads, window, dropout } = attention;
    let plan = Plan::new(&query, &offsets, heads);
    let [tokens, _] = dims(&query);
    let notes = empty(&query, [tokens * heads * 2 + plan.blocks * 3]);
    let [out_query, out_key, out_value] = [&query, &key, &value].map(empty_like);
    // SAFETY: as in the forward pass; `notes` has room for each token and head and each block.
    unsafe {
        query_gradients::launch_unchecked(
            &query.client,
            plan.cube_count(),
            CubeDim::new_1d(BLOCK),
            plan.lanes,
            query.clone().into_buffer_arg(),
            key.clone().into_buffer_arg(),
            value.clone().into_buffer_arg(),
            grad.clone().into_buffer_arg(),
            offsets.into_buffer_arg(),
            out_query.clone().into_buffer_arg(),
            notes.clone().into_buffer_arg(),
            plan.rows as u32,
            tokens as u32,
            plan.scale,
            tokens_seen(window),
            keep(dropout),
            plan.width,
            plan.shared,
            window.is_some(),
            dropout.is_some(),
        );
        key_value_gradients::launch_unchecked(
            &out_query.client,
            plan.cube_count(),
            CubeDim::new_1d(BLOCK),
            plan.lanes,
            query.into_buffer_arg(),
            key.into_buffer_arg(),
            value.into_buffer_arg(),
            grad.into_buffer_arg(),
            notes.into_buffer_arg(),
            out_key.clone().into_buffer_arg(),
            out_value.clone().into_buffer_arg(),
            tokens as u32,
            plan.scale,
            tokens_seen(window),
            keep(dropout),
            plan.width,
            plan.shared,
            window.is_some(),
            dropout.is_some(),
        );
    }
    (out_query, out_key, out_value)
}
