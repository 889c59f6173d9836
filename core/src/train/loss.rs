//! What training minimises.

use burn::tensor::{Int, Tensor, activation::log_softmax};

/// Cross-entropy of `logits` `[batch, classes]` against class ids `[batch]`, summed over rows.
pub(super) fn cross_entropy_sum(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, labels.unsqueeze_dim(1)).sum().neg()
}
