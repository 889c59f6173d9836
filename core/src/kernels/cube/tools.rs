//! Tensors as kernels take them, and how many cubes a launch has.

use burn::tensor::{DType, Shape};
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_contiguous_dtype,
    tensor::CubeTensor,
};
use cubecl::prelude::*;

use super::Ints;

/// What WebGPU promises at least in each dimension.
const MOST_CUBES: u32 = 65_535;

/// f32 values in order. Whatever the device's own type is, kernels read f32 only.
pub(super) fn dense(tensor: CubeTensor) -> CubeTensor {
    assert_eq!(tensor.dtype, DType::F32, "kernels compute in f32");
    into_contiguous(tensor)
}

/// i32 values in order.
pub(super) fn indices(tensor: Ints) -> CubeTensor {
    use burn::backend::ops::IntTensorOps;
    let tensor = match tensor.dtype {
        DType::I32 => tensor,
        _ => CubeBackend::int_cast(tensor, burn::tensor::IntDType::I32),
    };
    into_contiguous(tensor)
}

/// Uninitialised f32 values on the device of `like`.
pub(super) fn empty(like: &CubeTensor, shape: impl Into<Shape>) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, shape.into(), DType::F32)
}

/// Uninitialised values of the shape of `like`.
pub(super) fn empty_like(like: &CubeTensor) -> CubeTensor {
    empty(like, like.meta.shape().clone())
}

pub(super) fn elements(tensor: &CubeTensor) -> usize {
    tensor.meta.shape().num_elements()
}

pub(super) fn dims<const D: usize>(tensor: &CubeTensor) -> [usize; D] {
    tensor.meta.shape().dims()
}

/// Values that a unit reads at once: a divisor of `length`.
pub(super) fn lanes(length: usize) -> usize {
    [4, 2].into_iter().find(|&lanes| length.is_multiple_of(lanes)).unwrap_or(1)
}

/// At least `count` cubes, spread over two dimensions; `CUBE_POS` counts through them.
pub(super) fn cubes(count: usize) -> CubeCount {
    let count = count as u32;
    let height = count.div_ceil(MOST_CUBES).max(1);
    CubeCount::Static(count.div_ceil(height), height, 1)
}

/// Units of a cube where each computes elements of its own.
pub(super) const UNITS: u32 = 64;

/// Cubes of [`UNITS`] for `count` pieces of work, one a unit.
pub(super) fn cubes_for_each(count: usize) -> CubeCount {
    cubes(count.div_ceil(UNITS as usize))
}
