//! The gradients of `LayerNorm(dropout(x) + residual)`: one dispatch by rows for the inputs, one by
//! columns for the weights.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::{
    super::Dropout,
    dropout::{Keep, factor, keep},
    layer_norm::{ACROSS, DOWN, dropped_out, lane_sum, row_sum, shape},
    tools::{cubes, dense, elements, empty, empty_like},
};

/// Columns of a cube, and units that share each.
const COLUMNS: u32 = 16;
const SHARES: u32 = 16;

/// Also writes `notes`: the mean of each row and the inverse of its standard deviation.
#[cube(launch_unchecked)]
fn input_gradients<N: Size>(
    x: &[Vector<f32, N>],
    residual: &[Vector<f32, N>],
    gamma: &[Vector<f32, N>],
    grad: &[Vector<f32, N>],
    out: &mut [Vector<f32, N>],
    out_dropped: &mut [Vector<f32, N>],
    notes: &mut [f32],
    rows: u32,
    width: u32,
    epsilon: f32,
    mask: Keep,
    #[comptime] dropped: bool,
) {
    let mut parts = Shared::<[f32]>::new_slice(comptime!((ACROSS * DOWN) as usize));
    let (rows, width) = (rows as usize, width as usize);
    let row = CUBE_POS * DOWN as usize + UNIT_POS_Y as usize;
    let end = select(row < rows, width, 0usize);
    let length = (width * N::value()) as f32;

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
    let mut slopes = Vector::<f32, N>::new(0.0f32);
    let mut products = Vector::<f32, N>::new(0.0f32);
    let mut at = UNIT_POS_X as usize;
    while at < end {
        let place = row * width + at;
        let centred = out[place] - Vector::new(mean);
        let slope = grad[place] * gamma[at];
        squares += centred * centred;
        slopes += slope;
        products += slope * centred;
        at += ACROSS as usize;
    }
    let variance = row_sum(lane_sum(squares), &mut parts) / length;
    let inverse = 1.0f32 / (variance + epsilon).sqrt();
    let slope_mean = row_sum(lane_sum(slopes), &mut parts) / length;
    let product_mean = row_sum(lane_sum(products), &mut parts) / length * inverse * inverse;

    let mut at = UNIT_POS_X as usize;
    while at < end {
        let place = row * width + at;
        let centred = out[place] - Vector::new(mean);
        let slope = grad[place] * gamma[at];
        let result = (slope - Vector::new(slope_mean) - centred * Vector::new(product_mean))
            * Vector::new(inverse);
        out[place] = result;
        if comptime!(dropped) {
            out_dropped[place] = dropped_out(result, place, &mask, dropped);
        }
        at += ACROSS as usize;
    }
    if row < rows && UNIT_POS_X == 0 {
        notes[row * 2] = mean;
        notes[row * 2 + 1] = inverse;
    }
}

/// The gradients of gamma and of beta, each `[hidden]`.
#[cube(launch_unchecked)]
fn weight_gradients(
    x: &[f32],
    residual: &[f32],
    grad: &[f32],
    notes: &[f32],
    out_gamma: &mut [f32],
    out_beta: &mut [f32],
    rows: u32,
    hidden: u32,
    mask: Keep,
    #[comptime] dropped: bool,
) {
    let size = comptime!((COLUMNS * SHARES) as usize);
    let mut gammas = Shared::<[f32]>::new_slice(size);
    let mut betas = Shared::<[f32]>::new_slice(size);
    let (rows, hidden) = (rows as usize, hidden as usize);
    let column = (CUBE_POS_X * COLUMNS + UNIT_POS_X) as usize;
    let end = select(column < hidden, rows, 0usize);
    let mut gamma = 0.0f32;
    let mut beta = 0.0f32;
    let mut row = UNIT_POS_Y as usize;
    while row < end {
        let place = row * hidden + column;
        let mut value = x[place];
        if comptime!(dropped) {
            value *= factor(&mask, place as u32);
        }
        let normal = (value + residual[place] - notes[row * 2]) * notes[row * 2 + 1];
        let slope = grad[place];
        gamma += slope * normal;
        beta += slope;
        row += SHARES as usize;
    }
    gammas[UNIT_POS as usize] = gamma;
    betas[UNIT_POS as usize] = beta;
    sync_cube();
    if UNIT_POS_Y == 0 && column < hidden {
        let mut gamma = 0.0f32;
        let mut beta = 0.0f32;
        for share in 0..SHARES {
            let at = (share * COLUMNS + UNIT_POS_X) as usize;
            gamma += gammas[at];
            beta += betas[at];
        }
        out_gamma[column] = gamma;
        out_beta[column] = beta;
    }
}

/// The gradients of `x`, `residual`, `gamma` and `beta`.
pub(super) fn backward(
    x: CubeTensor,
    residual: CubeTensor,
    gamma: CubeTensor,
    grad: CubeTensor,
    epsilon: f32,
    dropout: Option<Dropout>,
) -> (CubeTensor, CubeTensor, CubeTensor, CubeTensor) {
    let [x, residual, gamma, grad] = [x, residual, gamma, grad].map(dense);
    let (rows, width, lanes) = shape(&x, &gamma);
    let sizes = [&residual, &grad].map(elements);
    assert_eq!(sizes, [elements(&x); 2], "layer norm: x, residual and gradient");
    let hidden = elements(&gamma);
    let (out, notes) = (empty_like(&x), empty(&x, [rows * 2]));
    // Without dropout one gradient is both, and not bound twice: WebGPU allows no two writers.
    let out_dropped = if dropout.is_some() { empty_like(&x) } else { empty(&x, [lanes]) };
    let (out_gamma, out_beta) = (empty_like(&gamma), empty_like(&gamma));
    // SAFETY: all have `rows` rows of `width` vectors, the weights one, `notes` two values a row.
    unsafe {
        input_gradients::launch_unchecked(
            &out.client,
            cubes(rows.div_ceil(DOWN as usize)),
            CubeDim::new_2d(ACROSS, DOWN),
            lanes,
            x.clone().into_buffer_arg(),
            residual.clone().into_buffer_arg(),
            gamma.into_buffer_arg(),
            grad.clone().into_buffer_arg(),
            out.clone().into_buffer_arg(),
            out_dropped.clone().into_buffer_arg(),
            notes.clone().into_buffer_arg(),
            rows as u32,
            width as u32,
            epsilon,
            keep(dropout),
            dropout.is_some(),
        );
        weight_gradients::launch_unchecked(
            &out.client,
            CubeCount::Static((hidden as u32).div_ceil(COLUMNS), 1, 1),
            CubeDim::new_2d(COLUMNS, SHARES),
            x.into_buffer_arg(),
            residual.into_buffer_arg(),
            grad.into_buffer_arg(),
            notes.into_buffer_arg(),
            out_gamma.clone().into_buffer_arg(),
            out_beta.clone().into_buffer_arg(),
            rows as u32,
            hidden as u32,
            keep(dropout),
            dropout.is_some(),
        );
    }
    let out_dropped = if dropout.is_some() { out_dropped } else { out.clone() };
    (out_dropped, out, out_gamma, out_beta)
}
