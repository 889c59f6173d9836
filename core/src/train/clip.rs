//! Clipping by the global norm (Pascanu et al. 2013, as `torch.nn.utils.clip_grad_norm_`).

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::Tensor,
};

/// The L2 norm over all gradients, `[1]`; `None` where there are none.
pub(super) fn global_norm<M: Module>(model: &M, grads: &GradientsParams) -> Option<Tensor<1>> {
    let mut visitor = SquaredSum { grads, sum: None };
    model.visit(&mut visitor);
    visitor.sum.map(Tensor::sqrt)
}

/// The factor that brings a norm down to `max_norm`: `min(1, max_norm / (norm + 1e-6))`, `[1]`.
pub(super) fn factor(norm: Tensor<1>, max_norm: f64) -> Tensor<1> {
    ((norm + 1e-6).recip() * max_norm).clamp_max(1.0)
}

struct SquaredSum<'a> {
    grads: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for SquaredSum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(grad) = self.grads.get::<D>(param.id) else { return };
        let squares = grad.square().sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + squares,
            None => squares,
        });
    }
}
