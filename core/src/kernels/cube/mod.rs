//! The operations on GPUs, by CubeCL: WGSL in a browser, SPIR-V or WGSL on Vulkan, CUDA C++.
//!
//! One file an operation: the `#[cube]` kernel, and the function that launches it. Whatever runs in
//! a browser bounds them: f32 only, no plane (subgroup) operations, at most 256 units in a cube,
//! 16 KiB of shared memory and 8 storage buffers, of which CubeCL takes one for the scalars. A
//! dispatch costs about a millisecond there, so each operation is one or two.
//!
//! Kernels are launched unchecked, and what they index was measured by the function that launches
//! them: that is the module's `unsafe` code.
#![allow(unsafe_code)]

mod adamw;
mod attention;
mod attention_backward;
mod blocks;
mod dropout;
mod gelu;
mod gradients;
mod layer_norm;
mod layer_norm_backward;
mod linear;
mod matmul;
mod sum;
#[cfg(all(test, feature = "flex", feature = "wgpu"))]
mod tests;
mod tools;

use burn::{
    backend::{
        DispatchDevice,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::Device,
};
use burn_cubecl::CubeBackend;

use super::{AdamWStep, Attention, Dropout, extension::FusedOps};

type Floats = FloatTensor<CubeBackend>;
type Ints = IntTensor<CubeBackend>;

/// Whether the device is a GPU of whichever kind.
pub(super) fn runs_on(device: &Device) -> bool {
    matches!(device.clone().inner().as_dispatch(), DispatchDevice::Cube(_))
}

impl FusedOps for CubeBackend {
    fn fused_linear(x: Floats, weight: Floats, bias: Floats) -> Floats {
        linear::forward(x, weight, bias)
    }

    fn fused_gelu(x: Floats) -> Floats {
        gelu::forward(x)
    }

    fn fused_add_layer_norm(
        x: Floats,
        residual: Floats,
        gamma: Floats,
        beta: Floats,
        epsilon: f32,
        dropout: Option<Dropout>,
    ) -> Floats {
        layer_norm::forward(x, residual, [gamma, beta], epsilon, dropout)
    }

    fn fused_attention(
        query: Floats,
        key: Floats,
        value: Floats,
        offsets: Ints,
        attention: Attention,
    ) -> Floats {
        attention::forward([query, key, value], offsets, attention)
    }

    fn fused_dropout(x: Floats, dropout: Dropout) -> Floats {
        dropout::forward(x, dropout)
    }

    fn add_squares(x: Floats, before: Floats) -> Floats {
        sum::add_squares(x, before)
    }

    fn fused_adamw(
        param: Floats,
        grad: Floats,
        first: Floats,
        second: Floats,
        scale: Floats,
        step: AdamWStep,
    ) -> (Floats, Floats, Floats) {
        adamw::update(param, grad, first, second, scale, step)
    }
}
