//! How attention is cut into cubes: blocks of up to [`BLOCK`] tokens of one row, for each head.
//!
//! Rows' lengths are on the device only, so each cube finds its block in `offsets`. The number of
//! blocks is not known either, but at most `tokens / BLOCK + rows`; cubes beyond the last do
//! nothing.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::tools::{dims, lanes};

/// Tokens of a block, one a unit.
pub(super) const BLOCK: u32 = 32;
/// Vectors of keys and values that a cube shares at a time, 4 KiB each if of four lanes.
const SHARED: usize = 256;

/// A block of a row.
#[derive(CubeType, Clone, Copy)]
pub(super) struct Block {
    /// The first token of the row.
    pub(super) start: usize,
    /// Tokens of the row; 0 where there is no such block.
    pub(super) len: usize,
    /// Where in the row the block begins.
    pub(super) first: usize,
}

/// The block of this cube, `CUBE_POS_X`-th of all rows'.
#[cube]
pub(super) fn find(offsets: &[i32], rows: u32) -> Block {
    let mut found = Shared::<[u32]>::new_slice(3usize);
    if UNIT_POS == 0 {
        found[1] = 0u32;
        let mut left = CUBE_POS_X;
        let mut row = 0u32;
        while row < rows {
            let start = offsets[row as usize] as u32;
            let len = offsets[row as usize + 1] as u32 - start;
            let blocks = len.div_ceil(BLOCK);
            if left < blocks {
                found[0] = start;
                found[1] = len;
                found[2] = left * BLOCK;
                row = rows;
            } else {
                left -= blocks;
                row += 1u32;
            }
        }
    }
    agree(&found)
}

/// What the first unit found, for all units. Loops around barriers go by it, so WGSL wants it to be
/// uniform, and takes this load's word for it.
#[cube]
pub(super) fn agree(found: &Shared<[u32]>) -> Block {
    let start = workgroup_uniform_load(&found[0]) as usize;
    let len = workgroup_uniform_load(&found[1]) as usize;
    let first = workgroup_uniform_load(&found[2]) as usize;
    Block { start, len, first }
}

/// The sizes of one attention, for its launches.
pub(super) struct Plan {
    pub(super) rows: usize,
    pub(super) heads: usize,
    /// Lanes of a vector.
    pub(super) lanes: usize,
    /// Vectors of a head.
    pub(super) width: usize,
    /// Tokens whose keys and values, or queries and gradients, are shared at a time.
    pub(super) shared: usize,
    /// 1 / √head_dim
    pub(super) scale: f32,
    /// At least the number of blocks.
    pub(super) blocks: usize,
}

impl Plan {
    pub(super) fn new(query: &CubeTensor, offsets: &CubeTensor, heads: usize) -> Self {
        let [tokens, hidden] = dims(query);
        let [bounds] = dims(offsets);
        assert!(bounds > 0 && hidden.is_multiple_of(heads), "attention: offsets and heads");
        let head_dim = hidden / heads;
        let lanes = lanes(head_dim);
        let width = head_dim / lanes;
        let rows = bounds - 1;
        Self {
            rows,
            heads,
            lanes,
            width,
            shared: (SHARED * 4 / head_dim).clamp(1, 16),
            scale: 1.0 / (head_dim as f32).sqrt(),
            blocks: tokens.div_ceil(BLOCK as usize) + rows,
        }
    }

    pub(super) fn cube_count(&self) -> CubeCount {
        CubeCount::Static(self.blocks as u32, self.heads as u32, 1)
    }
}

/// Brings a head of up to `count` tokens from `first` on into `shared`.
#[cube]
pub(super) fn share<N: Size>(
    tokens: &[Vector<f32, N>],
    shared: &mut Shared<[Vector<f32, N>]>,
    first: usize,
    count: usize,
    #[comptime] width: usize,
) {
    let stride = CUBE_COUNT_Y as usize * width;
    let mut at = UNIT_POS as usize;
    while at < count * width {
        let place = (first + at / width) * stride + CUBE_POS_Y as usize * width + at % width;
        shared[at] = tokens[place];
        at += BLOCK as usize;
    }
}

/// The sum of the products of two heads, one of them in `shared` from `at` on.
#[cube]
pub(super) fn dot<N: Size>(
    one: &Array<Vector<f32, N>>,
    shared: &Shared<[Vector<f32, N>]>,
    at: usize,
    #[comptime] width: usize,
) -> f32 {
    let mut sums = Vector::<f32, N>::new(0.0f32);
    #[unroll]
    for i in 0..width {
        sums += one[i] * shared[at + i];
    }
    let mut sum = 0.0f32;
    #[unroll]
    for lane in 0..N::value() {
        sum += sums.extract(lane);
    }
    sum
}

/// The head of one token, times `scale`.
#[cube]
pub(super) fn head<N: Size>(
    tokens: &[Vector<f32, N>],
    token: usize,
    scale: f32,
    #[comptime] width: usize,
) -> Array<Vector<f32, N>> {
    let place = (token * CUBE_COUNT_Y as usize + CUBE_POS_Y as usize) * width;
    let mut head = Array::<Vector<f32, N>>::new(width);
    #[unroll]
    for i in 0..width {
        head[i] = tokens[place + i] * Vector::new(scale);
    }
    head
}

/// Writes the head of one token.
#[cube]
pub(super) fn put<N: Size>(
    head: &Array<Vector<f32, N>>,
    out: &mut [Vector<f32, N>],
    token: usize,
    scale: f32,
    #[comptime] width: usize,
) {
    let place = (token * CUBE_COUNT_Y as usize + CUBE_POS_Y as usize) * width;
    #[unroll]
    for i in 0..width {
        out[place + i] = head[i] * Vector::new(scale);
    }
}

#[cube]
pub(super) fn nothing<N: Size>(#[comptime] width: usize) -> Array<Vector<f32, N>> {
    let mut head = Array::<Vector<f32, N>>::new(width);
    #[unroll]
    for i in 0..width {
        head[i] = Vector::new(0.0f32);
    }
    head
}

/// The dropout's index of a probability, as on the CPU.
#[cube]
pub(super) fn probability_index(token: usize, key: usize) -> u32 {
    (token as u32 * CUBE_COUNT_Y + CUBE_POS_Y) * 512u32 + key as u32
}

/// A window as the kernels take it; they look at it where there is one.
pub(super) fn tokens_seen(window: Option<usize>) -> u32 {
    window.and_then(|window| u32::try_from(window).ok()).unwrap_or(u32::MAX)
}

/// `value`, or `far` where two places of a row are further apart than a token sees.
#[cube]
pub(super) fn seen(
    value: f32,
    far: f32,
    one: usize,
    other: usize,
    window: u32,
    #[comptime] local: bool,
) -> f32 {
    let mut seen = value;
    if comptime!(local) {
        let distance = (max(one, other) - min(one, other)) as u32;
        if distance > window {
            seen = far;
        }
    }
    seen
}
