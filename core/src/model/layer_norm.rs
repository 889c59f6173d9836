//! Layer normalization (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>).

use burn::{
    module::{Module, Param},
    nn::Initializer,
    tensor::{Device, Tensor},
};

use super::Pass;
use crate::kernels::Dropout;

/// Burn's own keeps its epsilon to itself.
#[derive(Module, Debug)]
pub(super) struct LayerNorm {
    gamma: Param<Tensor<1>>,
    /// ModernBERT has none.
    beta: Option<Param<Tensor<1>>>,
    epsilon: f64,
}

impl LayerNorm {
    pub(super) fn new(width: usize, bias: bool, epsilon: f64, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([width], device),
            beta: bias.then(|| Initializer::Zeros.init([width], device)),
            epsilon,
        }
    }

    /// Of `x`: `[tokens, hidden]`.
    pub(super) fn normalize(&self, x: Tensor<2>, pass: Pass) -> Tensor<2> {
        let nothing = Tensor::zeros(x.shape(), &x.device());
        self.forward(x, nothing, None, pass)
    }

    /// Of `dropout(x) + residual`, all `[tokens, hidden]`.
    pub(super) fn forward(
        &self,
        x: Tensor<2>,
        residual: Tensor<2>,
        dropout: Option<Dropout>,
        pass: Pass,
    ) -> Tensor<2> {
        let gamma = self.gamma.val();
        let beta = match &self.beta {
            Some(beta) => beta.val(),
            None => Tensor::zeros(gamma.shape(), &gamma.device()),
        };
        pass.kernels.add_layer_norm(x, residual, [gamma, beta], self.epsilon, dropout)
    }
}
