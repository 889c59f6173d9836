//! AdamW (Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>) as `torch.optim.AdamW`
//! computes it, with the parameter groups of BERT: no decay on biases and LayerNorm.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    tensor::Tensor,
};

use super::{TrainConfig, layer_rates::LayerRates, step_gradients::Summed};
use crate::{
    kernels::{AdamWStep, Kernels, Moments},
    model::Setup,
};

/// As in `torch.optim.AdamW`.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The moments of all parameters and the number of steps taken.
pub(super) struct AdamW {
    weight_decay: f64,
    kernels: Kernels,
    rates: LayerRates,
    step: i32,
    moments: HashMap<ParamId, Moments>,
}

impl AdamW {
    pub(super) fn new(config: &TrainConfig, setup: &Setup) -> Self {
        Self {
            weight_decay: config.weight_decay,
            kernels: setup.kernels,
            rates: LayerRates { decay: config.layerwise_lr_decay, layers: setup.num_layers() },
            step: 0,
            moments: HashMap::new(),
        }
    }

    /// One step of all parameters that have a gradient; each gradient is first multiplied by
    /// `scale` `[1]`.
    pub(super) fn step<M: Module>(
        &mut self,
        model: M,
        grads: Summed,
        scale: Tensor<1>,
        learning_rate: f64,
    ) -> M {
        self.step += 1;
        model.map(&mut Update { optimizer: self, grads, scale, learning_rate, path: Vec::new() })
    }

    /// What is kept of a parameter: nothing before its first gradient.
    pub(super) fn moments(&self, param: ParamId) -> Option<&Moments> {
        self.moments.get(&param)
    }

    /// Goes on after `step` steps with these moments.
    pub(super) fn resume(&mut self, step: usize, moments: HashMap<ParamId, Moments>) {
        self.step = step as i32;
        self.moments = moments;
    }

    fn step_of(&self, learning_rate: f64, decays: bool) -> AdamWStep {
        AdamWStep {
            learning_rate: learning_rate as f32,
            beta1: BETA1 as f32,
            beta2: BETA2 as f32,
            epsilon: EPSILON as f32,
            weight_decay: if decays { self.weight_decay as f32 } else { 0.0 },
            bias_correction1: (1.0 - BETA1.powi(self.step)) as f32,
            bias_correction2: (1.0 - BETA2.powi(self.step)) as f32,
            grad_scale: 1.0,
        }
    }
}

struct Update<'a> {
    optimizer: &'a mut AdamW,
    grads: Summed,
    scale: Tensor<1>,
    learning_rate: f64,
    path: Vec<String>,
}

impl ModuleMapper for Update<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = param.id;
        let words = self.grads.words.take_if(|words| words.param == id);
        let dense = self.grads.dense.remove::<D>(id);
        if words.is_none() && dense.is_none() {
            return param;
        }
        // Matrices: weights, and the factors of adapters.
        let decays =
            self.path.last().is_some_and(|name| ["weight", "a", "b"].contains(&name.as_str()));
        let rate = self.learning_rate * self.optimizer.rates.factor(&self.path);
        let step = self.optimizer.step_of(rate, decays);
        let kernels = self.optimizer.kernels;
        let scale = self.scale.clone();
        let moments = self.optimizer.moments.remove(&id);
        let mut updated = None;
        let param = param.map(|value| {
            let active = value.is_require_grad();
            let shape = value.shape();
            let value = value.inner();
            let moments = moments.unwrap_or_else(|| Moments::zeros(&value));
            let (value, moments) = match (words, dense) {
                (Some(words), _) => {
                    let [rows, width] = [shape[0], shape[1]];
                    let value = value.reshape([rows, width]);
                    let (value, moments) =
                        kernels.adamw_rows(value, words.rows, moments, scale, step);
                    (value.reshape([rows * width]), moments)
                }
                (None, Some(grad)) => {
                    let (value, grad) = (value.reshape([-1]), grad.reshape([-1]));
                    kernels.adamw(value, grad, moments, scale, step)
                }
                (None, None) => (value.reshape([-1]), moments),
            };
            updated = Some(moments);
            Tensor::from_inner(value.reshape(shape)).set_require_grad(active)
        });
        if let Some(moments) = updated {
            self.optimizer.moments.insert(id, moments);
        }
        param
    }
}
