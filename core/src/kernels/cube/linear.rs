//! Linear layers: one dispatch forward, two backward.

use burn::backend::ops::FloatTensorOps;
use burn_cubecl::{CubeBackend, tensor::CubeTensor};
use cubecl::{RuntimeId, prelude::*};

use super::{
    matmul::{EACH, Form, Sizes, SizesLaunch, accumulate, store},
    tools::{dense, dims, empty},
};

#[cube(launch_unchecked)]
fn product_and_bias(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    out: &mut [f32],
    sizes: Sizes,
    #[comptime] form: Form,
) {
    let mut product = zeros(comptime!(EACH * EACH));
    let mut sums = zeros(EACH);
    accumulate(x, weight, &sizes, &mut product, &mut sums, form, false);
    store(&product, bias, out, &sizes, true);
}

#[cube(launch_unchecked)]
fn product_alone(
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
    sizes: Sizes,
    #[comptime] form: Form,
) {
    let mut product = zeros(comptime!(EACH * EACH));
    let mut sums = zeros(EACH);
    accumulate(left, right, &sizes, &mut product, &mut sums, form, false);
    store(&product, left, out, &sizes, false);
}

/// `left·right`, and the sums of the columns of `right`, which every tile reads anyway.
#[cube(launch_unchecked)]
fn product_and_sums(
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
    out_sums: &mut [f32],
    sizes: Sizes,
    #[comptime] form: Form,
) {
    let mut product = zeros(comptime!(EACH * EACH));
    let mut sums = zeros(EACH);
    accumulate(left, right, &sizes, &mut product, &mut sums, form, true);
    store(&product, left, out, &sizes, false);
    if CUBE_POS_Y == 0 && UNIT_POS_Y == 0 {
        let first = (CUBE_POS_X * CUBE_DIM_X + UNIT_POS_X) as usize * EACH;
        #[unroll]
        for j in 0..EACH {
            if first + j < sizes.columns as usize {
                out_sums[first + j] = sums[j];
            }
        }
    }
}

#[cube]
fn zeros(#[comptime] length: usize) -> Array<f32> {
    let mut array = Array::<f32>::new(length);
    #[unroll]
    for i in 0..length {
        array[i] = 0.0f32;
    }
    array
}

/// Whether Burn's own matrix products are to be used: on CUDA they are tuned and run on tensor
/// cores, and a dispatch costs microseconds.
fn has_fast_matmul(tensor: &CubeTensor) -> bool {
    tensor.device.runtime() == RuntimeId::Cuda
}

/// `x·weight + bias`: `[n, in]`, `[in, out]`, `[out]` → `[n, out]`.
pub(super) fn forward(x: CubeTensor, weight: CubeTensor, bias: CubeTensor) -> CubeTensor {
    let [rows, inner] = dims(&x);
    let [weight_rows, columns] = dims(&weight);
    assert_eq!((weight_rows, dims(&bias)), (inner, [columns]), "linear: weight and bias");
    if has_fast_matmul(&x) {
        let bias = CubeBackend::float_reshape(bias, [1, columns].into());
        return CubeBackend::float_add(CubeBackend::float_matmul(x, weight), bias);
    }
    let (x, bias) = (dense(x), dense(bias));
    let (weight, transposed) = lying(weight);
    let out = empty(&x, [rows, columns]);
    let form = Form::new(rows, false, transposed);
    // SAFETY: the tensors have the sizes told, which bound every index.
    unsafe {
        product_and_bias::launch_unchecked(
            &out.client,
            form.cube_count(rows, columns),
            form.cube_dim(),
            x.into_buffer_arg(),
            weight.into_buffer_arg(),
            bias.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            SizesLaunch::new(rows as u32, inner as u32, columns as u32),
            form,
        );
    }
    out
}

/// The gradient of `x`: `grad·weightᵀ`.
pub(super) fn input_gradient(weight: CubeTensor, grad: CubeTensor) -> CubeTensor {
    let [rows, inner] = dims(&grad);
    let [columns, weight_columns] = dims(&weight);
    assert_eq!(weight_columns, inner, "linear: weight and gradient");
    if has_fast_matmul(&grad) {
        return CubeBackend::float_matmul(grad, CubeBackend::float_swap_dims(weight, 0, 1));
    }
    let grad = dense(grad);
    let (weight, transposed) = lying(weight);
    let out = empty(&grad, [rows, columns]);
    let form = Form::new(rows, false, !transposed);
    // SAFETY: the tensors have the sizes told, which bound every index.
    unsafe {
        product_alone::launch_unchecked(
            &out.client,
            form.cube_count(rows, columns),
            form.cube_dim(),
            grad.into_buffer_arg(),
            weight.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            SizesLaunch::new(rows as u32, inner as u32, columns as u32),
            form,
        );
    }
    out
}

/// The gradients of the weight and the bias: `xᵀ·grad` and the sums of the columns of `grad`.
pub(super) fn weight_gradients(x: CubeTensor, grad: CubeTensor) -> (CubeTensor, CubeTensor) {
    let [inner, rows] = dims(&x);
    let [grad_rows, columns] = dims(&grad);
    assert_eq!(grad_rows, inner, "linear: x and gradient");
    if has_fast_matmul(&grad) {
        let sums = CubeBackend::float_sum_dim(grad.clone(), 0);
        let sums = CubeBackend::float_reshape(sums, [columns].into());
        return (CubeBackend::float_matmul(CubeBackend::float_swap_dims(x, 0, 1), grad), sums);
    }
    let (x, grad) = (dense(x), dense(grad));
    let (out, sums) = (empty(&x, [rows, columns]), empty(&x, [columns]));
    let form = Form::new(rows, true, false);
    // SAFETY: the tensors have the sizes told, which bound every index.
    unsafe {
        product_and_sums::launch_unchecked(
            &out.client,
            form.cube_count(rows, columns),
            form.cube_dim(),
            x.into_buffer_arg(),
            grad.into_buffer_arg(),
            out.clone().into_buffer_arg(),
            sums.clone().into_buffer_arg(),
            SizesLaunch::new(rows as u32, inner as u32, columns as u32),
            form,
        );
    }
    (out, sums)
}

/// A weight `[in, out]` as it lies in memory, and whether that is transposed: a weight read from a
/// file may be a view of `[out, in]`, which costs nothing to multiply with.
fn lying(weight: CubeTensor) -> (CubeTensor, bool) {
    let turned = CubeBackend::float_swap_dims(weight.clone(), 0, 1);
    if !weight.is_contiguous() && turned.is_contiguous() {
        (dense(turned), true)
    } else {
        drop(turned);
        (dense(weight), false)
    }
}
