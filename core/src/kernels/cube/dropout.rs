//! Dropout without a stored mask; see [`Dropout::factor`].

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::{Dropout, settings::Mask};
use super::tools::{UNITS, cubes_for_each, dense, elements, empty_like};

/// [`Mask`] as a kernel takes it.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Keep {
    low: u32,
    high: u32,
    threshold: u32,
    scale: f32,
}

/// The launch argument for `dropout`; any where there is none.
pub(super) fn keep(dropout: Option<Dropout>) -> KeepLaunch {
    let none = Mask { low: 0, high: 0, threshold: 0, scale: 1.0 };
    let Mask { low, high, threshold, scale } = dropout.map_or(none, Dropout::mask);
    KeepLaunch::new(low, high, threshold, scale)
}

/// `Dropout::factor`, bit for bit.
#[cube]
pub(super) fn factor(keep: &Keep, index: u32) -> f32 {
    let first = index ^ keep.low;
    let second = ((first ^ (first >> 16)) * 0x7feb_352d_u32) ^ keep.high;
    let third = (second ^ (second >> 15)) * 0x846c_a68b_u32;
    let hash = third ^ (third >> 16);
    select(hash >= keep.threshold, keep.scale, 0.0f32)
}

#[cube(launch_unchecked)]
fn apply(x: &[f32], out: &mut [f32], count: u32, keep: Keep) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        out[at] = x[at] * factor(&keep, at as u32);
    }
}

/// `x[i]·factor(i)`, of any shape.
pub(super) fn forward(x: CubeTensor, dropout: Dropout) -> CubeTensor {
    let x = dense(x);
    let out = empty_like(&x);
    let count = elements(&x);
    // SAFETY: x and out have `count` elements, beyond which no unit goes.
    unsafe {
        apply::launch_unchecked(
            &out.client,
            cubes_for_each(count),
            CubeDim::new_1d(UNITS),
            x.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            count as u32,
            keep(Some(dropout)),
        );
    }
    out
}
