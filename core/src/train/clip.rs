//! Clipping by the global norm (Pascanu et al. 2013, as `torch.nn.utils.clip_grad_norm_`).

use burn::tensor::Tensor;

/// The factor that brings a norm down to `max_norm`: `min(1, max_norm / (norm + 1e-6))`, `[1]`.
pub(super) fn factor(norm: Tensor<1>, max_norm: f64) -> Tensor<1> {
    ((norm + 1e-6).recip() * max_norm).clamp_max(1.0)
}
