//! R-Drop (Wu et al. 2021, <https://arxiv.org/abs/2106.14448>): two passes with different dropout have
//! to say the same.

use burn::tensor::{Tensor, activation::log_softmax};

use super::LossConfig;
use crate::data::Targets;

/// What the sums over the items of a whole step are divided by.
#[derive(Clone, Copy, Debug)]
pub(in crate::train) struct Share {
    /// See [`LossConfig::weight`].
    pub(in crate::train) weight: f64,
    /// Their number.
    pub(in crate::train) items: f64,
}

impl LossConfig {
    /// The share `[1]` of a step's loss that one batch has, from its logits `[items, num_labels]`; with
    /// those of a second pass the mean of both losses, and α times the mean over items of the divergence
    /// between the two, as in the authors' own code.
    pub(in crate::train) fn of_batch(
        &self,
        logits: Tensor<2>,
        second: Option<Tensor<2>>,
        targets: &Targets,
        share: Share,
    ) -> Tensor<1> {
        let Some(second) = second else { return self.sum(logits, targets) / share.weight };
        let sums = self.sum(logits.clone(), targets) + self.sum(second.clone(), targets);
        sums / (2.0 * share.weight) + divergence(logits, second) * (self.r_drop_alpha / share.items)
    }
}

/// `½ Σ KL(p‖q) + KL(q‖p) = ½ Σ (p - q)(ln p - ln q)` over the items of two batches of logits, `[1]`.
fn divergence(one: Tensor<2>, other: Tensor<2>) -> Tensor<1> {
    let [p, q] = [one, other].map(|logits| log_softmax(logits, 1));
    ((p.clone().exp() - q.clone().exp()) * (p - q)).sum() * 0.5
}
