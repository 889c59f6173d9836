//! The inside of a matrix product: a cube's tile of it, through shared memory.

use cubecl::prelude::*;

/// Elements of the product that a unit computes along each axis. On a software adapter, which loads
/// shared memory lane by lane, eight took 0.6 times as long as four.
pub(super) const EACH: usize = 8;
/// Units of a cube along a row, and along a column where the product has rows enough.
const SIDE: usize = 8;
/// Elements of the product that a cube computes along a row.
const WIDTH: usize = SIDE * EACH;
/// Elements of the inner dimension that are shared at a time.
const DEPTH: usize = 16;

/// How the factors of a product `[rows, columns]` over an inner dimension lie, row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    /// The left factor lies `[inner, rows]` instead of `[rows, inner]`.
    pub(super) left_transposed: bool,
    /// The right one lies `[columns, inner]` instead of `[inner, columns]`.
    pub(super) right_transposed: bool,
    /// Units of a cube along a column: no more than have rows to compute.
    down: usize,
}

impl Form {
    /// For a product of so many rows.
    pub(super) fn new(rows: usize, left_transposed: bool, right_transposed: bool) -> Self {
        let enough = [1, 2, 4].into_iter().find(|down| rows <= down * EACH);
        Self { left_transposed, right_transposed, down: enough.unwrap_or(SIDE) }
    }

    /// The units of a cube.
    pub(super) fn cube_dim(self) -> CubeDim {
        CubeDim::new_2d(SIDE as u32, self.down as u32)
    }

    /// One cube a tile: columns along x, rows along y.
    pub(super) fn cube_count(self, rows: usize, columns: usize) -> CubeCount {
        let (across, down) = (columns.div_ceil(WIDTH), rows.div_ceil(self.down * EACH));
        CubeCount::Static(across as u32, down as u32, 1)
    }
}

/// From one depth to the next in shared memory: one more than a tile's side, so that units that
/// write a column fall into different banks.
const fn stride(side: usize) -> usize {
    side + 1
}

/// The sizes of a product, as a kernel takes them.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) rows: u32,
    pub(super) inner: u32,
    pub(super) columns: u32,
}

/// Adds this unit's `EACH` by `EACH` elements of the product to `product`, and where `summing` the
/// sums of the right factor's columns to `sums`.
#[cube]
pub(super) fn accumulate(
    left: &[f32],
    right: &[f32],
    sizes: &Sizes,
    product: &mut Array<f32>,
    sums: &mut Array<f32>,
    #[comptime] form: Form,
    #[comptime] summing: bool,
) {
    let height = comptime!(form.down * EACH);
    let units = comptime!(form.down * SIDE);
    let mut lefts = Shared::<[f32]>::new_slice(comptime!(DEPTH * stride(height)));
    let mut rights = Shared::<[f32]>::new_slice(comptime!(DEPTH * stride(WIDTH)));
    let (rows, inner, columns) =
        (sizes.rows as usize, sizes.inner as usize, sizes.columns as usize);
    let first_row = CUBE_POS_Y as usize * height;
    let first_column = CUBE_POS_X as usize * WIDTH;
    let row = UNIT_POS_Y as usize * EACH;
    let column = UNIT_POS_X as usize * EACH;
    let steps = inner.div_ceil(DEPTH);
    for step in 0..steps {
        let first = step * DEPTH;
        load(left, &mut lefts, first_row, rows, first, inner, form.left_transposed, height, units);
        load(
            right,
            &mut rights,
            first_column,
            columns,
            first,
            inner,
            comptime!(!form.right_transposed),
            WIDTH,
            units,
        );
        sync_cube();
        for depth in 0..DEPTH {
            let left_at = depth * comptime!(stride(height)) + row;
            let right_at = depth * comptime!(stride(WIDTH)) + column;
            let mut other = Array::<f32>::new(EACH);
            #[unroll]
            for j in 0..EACH {
                other[j] = rights[right_at + j];
                if comptime!(summing) {
                    sums[j] += other[j];
                }
            }
            #[unroll]
            for i in 0..EACH {
                let one = lefts[left_at + i];
                #[unroll]
                for j in 0..EACH {
                    product[i * EACH + j] += one * other[j];
                }
            }
        }
        sync_cube();
    }
}

/// Brings `DEPTH` of the inner dimension, from `first`, of a tile's `side` of the outer one into
/// `shared`, zeros beyond the ends. The factor lies `[inner, outer]` where `inner_first`, else
/// `[outer, inner]`; neighbouring units read neighbouring elements either way.
#[cube]
fn load(
    factor: &[f32],
    shared: &mut Shared<[f32]>,
    first_outer: usize,
    outer: usize,
    first: usize,
    inner: usize,
    #[comptime] inner_first: bool,
    #[comptime] side: usize,
    #[comptime] units: usize,
) {
    let turns = comptime!(DEPTH * side / units);
    #[unroll(turns <= DEPTH)]
    for turn in 0..turns {
        let at = turn * units + UNIT_POS as usize;
        let mut depth = at % DEPTH;
        let mut along = at / DEPTH;
        if comptime!(inner_first) {
            depth = at / side;
            along = at % side;
        }
        let (i, o) = (first + depth, first_outer + along);
        let mut value = 0.0f32;
        if i < inner && o < outer {
            if comptime!(inner_first) {
                value = factor[i * outer + o];
            } else {
                value = factor[o * inner + i];
            }
        }
        shared[depth * comptime!(stride(side)) + along] = value;
    }
}

/// Writes what [`accumulate`] made, plus `bias` where `biased`.
#[cube]
pub(super) fn store(
    product: &Array<f32>,
    bias: &[f32],
    out: &mut [f32],
    sizes: &Sizes,
    #[comptime] biased: bool,
) {
    let first_row = (CUBE_POS_Y * CUBE_DIM_Y + UNIT_POS_Y) as usize * EACH;
    let first_column = (CUBE_POS_X * CUBE_DIM_X + UNIT_POS_X) as usize * EACH;
    let (rows, columns) = (sizes.rows as usize, sizes.columns as usize);
    #[unroll]
    for j in 0..EACH {
        let column = first_column + j;
        if column < columns {
            let mut shift = 0.0f32;
            if comptime!(biased) {
                shift = bias[column];
            }
            #[unroll]
            for i in 0..EACH {
                let row = first_row + i;
                if row < rows {
                    out[row * columns + column] = product[i * EACH + j] + shift;
                }
            }
        }
    }
}
