//! Sums of squares.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::tools::{dense, elements, empty};

/// Units of a cube.
const UNITS: u32 = 256;
/// Elements that a unit adds up before a second cube is worth its dispatch.
const EACH: usize = 256;
/// Cubes at most, so that one can add up what they found.
const MOST_CUBES: usize = 256;

/// One sum for each cube, each unit with every `CUBE_COUNT · UNITS`-th element.
#[cube(launch_unchecked)]
fn sums(
    x: &[f32],
    before: &[f32],
    out: &mut [f32],
    count: u32,
    #[comptime] squared: bool,
    #[comptime] last: bool,
) {
    let mut parts = Shared::<[f32]>::new_slice(comptime!(UNITS as usize));
    let unit = UNIT_POS as usize;
    let mut sum = 0.0f32;
    let mut at = ABSOLUTE_POS;
    while at < count as usize {
        let value = x[at];
        if comptime!(squared) {
            sum += value * value;
        } else {
            sum += value;
        }
        at += CUBE_COUNT * UNITS as usize;
    }
    parts[unit] = sum;
    sync_cube();
    // Sixteen units add sixteen parts each, then one unit theirs.
    if UNIT_POS < 16 {
        let mut sum = 0.0f32;
        for part in 0..16usize {
            sum += parts[part * 16 + unit];
        }
        parts[unit] = sum;
    }
    sync_cube();
    if UNIT_POS == 0 {
        let mut sum = 0.0f32;
        if comptime!(last) {
            sum += before[0];
        }
        for part in 0..16usize {
            sum += parts[part];
        }
        out[CUBE_POS] = sum;
    }
}

/// `before` + Σ x² of any shape, `[1]`: added up in the same order for the same number of elements,
/// whatever the device.
pub(super) fn add_squares(x: CubeTensor, before: CubeTensor) -> CubeTensor {
    let (x, before) = (dense(x), dense(before));
    assert_eq!(elements(&before), 1, "add_squares: before");
    let cubes = elements(&x).div_ceil(UNITS as usize * EACH).clamp(1, MOST_CUBES);
    if cubes == 1 {
        return launch(x, &before, 1, true);
    }
    let parts = launch(x, &before, cubes, true);
    launch(parts, &before, 1, false)
}

/// Sums of so many parts, the only one with what came before.
fn launch(x: CubeTensor, before: &CubeTensor, cubes: usize, squared: bool) -> CubeTensor {
    let out = empty(&x, [cubes]);
    let count = elements(&x) as u32;
    // SAFETY: x has `count` elements, `before` one, out one for each cube.
    unsafe {
        sums::launch_unchecked(
            &out.client,
            CubeCount::Static(cubes as u32, 1, 1),
            CubeDim::new_1d(UNITS),
            x.into_buffer_arg(),
            before.clone().into_buffer_arg(),
            out.clone().into_buffer_arg(),
            count,
            squared,
            cubes == 1,
        );
    }
    out
}
