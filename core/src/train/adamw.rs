//! AdamW (Loshchilov & Hutter 2019, <https://arxiv.org/abs/1711.05101>) as `torch.optim.AdamW`
//! computes it, with the parameter groups of BERT: no decay on biases and LayerNorm.

use std::collections::HashMap;

use burn::{
    module::{Module, ModuleMapper, Param, ParamId},
    optim::GradientsParams,
    tensor::Tensor,
};

/// β₁, β₂, ε and the decay λ.
#[derive(Clone, Debug, PartialEq)]
pub struct AdamWConfig {
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub weight_decay: f64,
}

/// The moments of all parameters and the number of steps taken.
pub(super) struct AdamW {
    config: AdamWConfig,
    step: i32,
    moments: HashMap<ParamId, Moments>,
}

/// Running means of the gradient and its square, flattened: `[elements]`.
struct Moments {
    first: Tensor<1>,
    second: Tensor<1>,
}

impl AdamW {
    pub(super) fn new(config: AdamWConfig) -> Self {
        Self { config, step: 0, moments: HashMap::new() }
    }

    /// One step of all parameters that have a gradient; each gradient is first multiplied by
    /// `scale` `[1]`, where given.
    pub(super) fn step<M: Module>(
        &mut self,
        model: M,
        grads: GradientsParams,
        scale: Option<Tensor<1>>,
        learning_rate: f64,
    ) -> M {
        self.step += 1;
        model.map(&mut Update { optimizer: self, grads, scale, learning_rate, path: Vec::new() })
    }

    /// `θ ← θ − lr·λ·θ − lr·m̂ / (√v̂ + ε)`
    fn update(
        &mut self,
        id: ParamId,
        value: Tensor<1>,
        grad: Tensor<1>,
        learning_rate: f64,
        weight_decay: f64,
    ) -> Tensor<1> {
        let AdamWConfig { beta1, beta2, epsilon, .. } = self.config;
        let square = grad.clone().square() * (1.0 - beta2);
        let (first, second) = match self.moments.remove(&id) {
            Some(Moments { first, second }) => {
                (first * beta1 + grad * (1.0 - beta1), second * beta2 + square)
            }
            None => (grad * (1.0 - beta1), square),
        };
        self.moments.insert(id, Moments { first: first.clone(), second: second.clone() });
        let step_size = learning_rate / (1.0 - beta1.powi(self.step));
        let denominator = second.sqrt() / (1.0 - beta2.powi(self.step)).sqrt() + epsilon;
        value * (1.0 - learning_rate * weight_decay) - first / denominator * step_size
    }
}

struct Update<'a> {
    optimizer: &'a mut AdamW,
    grads: GradientsParams,
    scale: Option<Tensor<1>>,
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
        let Some(grad) = self.grads.remove::<D>(param.id) else { return param };
        let id = param.id;
        let decays = self.path.last().is_some_and(|name| name == "weight");
        let weight_decay = if decays { self.optimizer.config.weight_decay } else { 0.0 };
        param.map(|value| {
            let active = value.is_require_grad();
            let shape = value.shape();
            let mut grad = grad.reshape([-1]);
            if let Some(scale) = &self.scale {
                grad = grad * scale.clone();
            }
            let value = value.inner().reshape([-1]);
            let value = self.optimizer.update(id, value, grad, self.learning_rate, weight_decay);
            Tensor::from_inner(value.reshape(shape)).set_require_grad(active)
        })
    }
}
