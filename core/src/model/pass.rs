//! One way through the model.

use burn::{module::Param, nn::Linear, tensor::Tensor};

use super::lora::LowRank;
use crate::kernels::{Dropout, Kernels, bf16_product};

/// How a forward pass is computed: by which operations, and with which dropout.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pass {
    pub(crate) kernels: Kernels,
    /// Dropout is on where there is a seed.
    seed: Option<u64>,
    /// Linear layers multiply in bfloat16.
    bf16: bool,
}

impl Pass {
    /// Without dropout.
    pub(crate) fn inference(kernels: Kernels) -> Self {
        Self { kernels, seed: None, bf16: false }
    }

    /// With dropout, which is a function of `seed`.
    pub(crate) fn training(kernels: Kernels, seed: u64) -> Self {
        Self { kernels, seed: Some(seed), bf16: false }
    }

    /// The same with the products of linear layers in bfloat16, where `bf16`.
    pub(crate) fn with_bf16(self, bf16: bool) -> Self {
        Self { bf16, ..self }
    }

    /// The dropout at one `site` of the model; no two may share a number.
    pub(crate) fn dropout(self, site: usize, prob: f64) -> Option<Dropout> {
        let seed = self.seed.filter(|_| prob > 0.0)?;
        Some(Dropout { prob: prob as f32, seed: stream(seed, site) })
    }

    /// A linear layer, and what its adapter adds, where it has one: `[n, in]` → `[n, out]`.
    pub(crate) fn linear(self, x: Tensor<2>, layer: &Linear) -> Tensor<2> {
        let (weight, bias) = (layer.weight.base(), layer.bias.as_ref().map(Param::val));
        match layer.weight.reparameterization::<LowRank>() {
            None => self.product(x, weight, bias),
            Some(adapter) => self.product(x.clone(), weight, bias) + adapter.forward(x, self),
        }
    }

    /// `x·weight + bias`: `[n, in]`, `[in, out]`, `[out]` → `[n, out]`.
    pub(crate) fn product(
        self,
        x: Tensor<2>,
        weight: Tensor<2>,
        bias: Option<Tensor<1>>,
    ) -> Tensor<2> {
        match self.bf16 {
            true => bf16_product(x, weight, bias),
            false => self.kernels.product(x, weight, bias),
        }
    }
}

/// The seed of one random stream of many (SplitMix64's finalizer, Steele et al. 2014).
pub(crate) fn stream(seed: u64, index: usize) -> u64 {
    let mut z = seed.wrapping_add((index as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
