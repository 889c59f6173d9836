//! `LayerNorm(dropout(x) + residual)`: eight units share a row, eight rows a cube.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{
    super::Dropout,
    dropout::{Keep, factor, keep},
    tools::{cubes, dense, dims, elements, empty_like, lanes},
};

/// Units of a row.
pub(super) const ACROSS: u32 = 8;
/// Rows of a cube.
pub(super) const DOWN: u32 = 8;

#[cube(launch_unchecked)]
fn normalize<N: Size>(
    x: &[Vector<f32, N>],
    residual: &[Vector<f32, N>],
    gamma: &[Vector<f32, N>],
    beta: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    rows: u32,
    width: u32,
    epsilon: f32,
    mask: Keep,
    #[comptime] dropped: bool,
) {
    let mut parts = Shared::<[f32]>::new_slice(comptime!((ACROSS * DOWN) as usize));
    let (rows, width) = (rows as usize, width as usize);
    let row = CUBE_POS * DOWN as usize + UNIT_POS_Y as usize;
    // Rows beyond the last have no elements, but take part in barriers.
    let end = select(row < rows, width, 0usize);
    let length = (width * N::value()) as f32;

    // The sum waits in `out`, where each unit finds what it wrote itself.
    let mut sum = Vector::<f32, N>::new(0.0f32);
    let mut at = UNIT_POS_X as usize;
    while at < end {
        let place = row * width + at;
        let both = dropped_out(x[place], place, &mask, dropped) + residual[place];
        out[place] = both;
        sum += both;
        at += ACROSS as usize;
    }
    let mean = row_sum(lane_sum(sum), &mut parts) / length;

    let mut squares = Vector::<f32, N>::new(0.0f32);
    let mut at = UNIT_POS_X as usize;
    while at < end {
        let centred = out[row * width + at] - Vector::new(mean);
        squares += centred * centred;
        at += ACROSS as usize;
    }
    let variance = row_sum(lane_sum(squares), &mut parts) / length;
    let inverse = 1.0f32 / (variance + epsilon).sqrt();

    let mut at = UNIT_POS_X as usize;
    while at < end {
        let place = row * width + at;
        let normal = (out[place] - Vector::new(mean)) * Vector::new(inverse);
        out[place] = normal * gamma[at] + beta[at];
        at += ACROSS as usize;
    }
}

/// A vector at `place`, each lane with its own dropout.
#[cube]
pub(super) fn dropped_out<N: Size>(
    values: Vector<f32, N>,
    place: usize,
    mask: &Keep,
    #[comptime] dropped: bool,
) -> Vector<f32, N> {
    let mut factors = Vector::<f32, N>::new(1.0f32);
    if comptime!(dropped) {
        #[unroll]
        for lane in 0..N::value() {
            factors.insert(lane, factor(mask, (place * N::value() + lane) as u32));
        }
    }
    values * factors
}

#[cube]
pub(super) fn lane_sum<N: Size>(values: Vector<f32, N>) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for lane in 0..N::value() {
        sum += values.extract(lane);
    }
    sum
}

/// The sum of the parts of a row's units, for each of them.
#[cube]
pub(super) fn row_sum(part: f32, parts: &mut Shared<[f32]>) -> f32 {
    // Until all have read the sum before this one.
    sync_cube();
    parts[UNIT_POS as usize] = part;
    sync_cube();
    let first = (UNIT_POS_Y * ACROSS) as usize;
    let mut sum = 0.0f32;
    #[unroll]
    for unit in 0..ACROSS as usize {
        sum += parts[first + unit];
    }
    sum
}

/// Vectors of a row, and the rows: the last dimension is `gamma`'s.
pub(super) fn shape(x: &CubeTensor, gamma: &CubeTensor) -> (usize, usize, usize) {
    let [hidden] = dims(gamma);
    let lanes = lanes(hidden);
    assert!(elements(x).is_multiple_of(hidden), "layer norm: x and gamma");
    (elements(x) / hidden, hidden / lanes, lanes)
}

/// All `[n, hidden]` but the two weights.
pub(super) fn forward(
    x: CubeTensor,
    residual: CubeTensor,
    weights: [CubeTensor; 2],
    epsilon: f32,
    dropout: Option<Dropout>,
) -> CubeTensor {
    let (x, residual) = (dense(x), dense(residual));
    let [gamma, beta] = weights.map(dense);
    let (rows, width, lanes) = shape(&x, &gamma);
    assert_eq!(elements(&x), elements(&residual), "layer norm: x and residual");
    assert_eq!(elements(&gamma), elements(&beta), "layer norm: gamma and beta");
    let out = empty_like(&x);
    // SAFETY: all have `rows` rows of `width` vectors, the weights one.
    unsafe {
        normalize::launch_unchecked(
            &out.client,
            cubes(rows.div_ceil(DOWN as usize)),
            CubeDim::new_2d(ACROSS, DOWN),
            lanes,
            x.into_buffer_arg(),
            residual.into_buffer_arg(),
            gamma.into_buffer_arg(),
            beta.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            rows as u32,
            width as u32,
            epsilon,
            keep(dropout),
            dropout.is_some(),
        );
    }
    out
}
