//! What training minimises: a sum over items (rows, or words of token classification), which is then
//! divided by their weight.

mod config;
mod r_drop;
mod spans;
#[cfg(test)]
mod tests;

use burn::tensor::{
    Int, Tensor, TensorData,
    activation::{log_sigmoid, log_softmax},
};

use crate::data::Targets;

pub use config::LossConfig;
pub(super) use r_drop::Share;

/// Keeps the gradient of a power below 1 finite where the truth is certain.
const UNCERTAIN: f32 = 1e-8;

impl LossConfig {
    /// The loss of `logits` `[items, num_labels]` against as many targets, summed over items, `[1]`:
    /// cross-entropy for classes, the mean over classes of binary cross-entropy for sets of them, the
    /// squared error of scores, the mean of the cross-entropies of an answer's start and end over the tokens
    /// of its row (the losses of transformers' heads).
    pub(super) fn sum(&self, logits: Tensor<2>, targets: &Targets) -> Tensor<1> {
        let [items, classes] = logits.dims();
        match targets {
            Targets::Labels(_) | Targets::Tags(_) => self.cross_entropy(logits, &targets.ids()),
            Targets::LabelSets(sets) => {
                let truth = floats(multi_hot(sets, classes), [items, classes], &logits);
                self.binary_cross_entropy(logits, truth) / classes as f64
            }
            Targets::Scores(scores) => {
                let error = logits.clone() - floats(scores.clone(), [items, 1], &logits);
                (error.clone() * error).sum()
            }
            Targets::Spans(spans) => spans::cross_entropy(logits, spans),
            // Nothing is trained on these: see `train::targets`.
            Targets::Answers(_) => Tensor::zeros([1], &logits.device()),
        }
    }

    /// What the sum is divided by: the number of items, or the sum of their classes' weights, as
    /// `CrossEntropyLoss(weight=…)` does. Weights of sets are `pos_weight`s, which change no divisor.
    pub(super) fn weight(&self, targets: &Targets) -> f64 {
        match (targets, &self.class_weights) {
            (Targets::Labels(_) | Targets::Tags(_), Some(weights)) => {
                targets.ids().into_iter().map(|id| f64::from(weights[id])).sum()
            }
            (Targets::Tags(tags), None) => tags.iter().map(Vec::len).sum::<usize>() as f64,
            _ => targets.len() as f64,
        }
    }

    /// `Σ w (1 - p)^γ (-ln p)` over the probabilities p of the true classes; smoothing by ε moves that
    /// share of each item's weight to all classes alike (`CrossEntropyLoss(label_smoothing=ε)`).
    fn cross_entropy(&self, logits: Tensor<2>, ids: &[usize]) -> Tensor<1> {
        let [items, classes] = logits.dims();
        let log_p = log_softmax(logits, 1);
        let mut loss = of_truth(log_p.clone(), ids).neg();
        if self.focal_gamma > 0.0 {
            loss = self.focused(loss.clone(), loss);
        }
        let weights = self.class_weights.as_ref();
        if let Some(weights) = weights {
            let of_items = ids.iter().map(|&id| weights[id]).collect();
            loss = loss * floats(of_items, [items, 1], &log_p);
        }
        let smoothing = self.label_smoothing_factor;
        if smoothing == 0.0 {
            return loss.sum();
        }
        let all = match weights {
            Some(weights) => log_p.clone() * floats(weights.clone(), [1, classes], &log_p),
            None => log_p,
        };
        loss.sum() * (1.0 - smoothing) - all.sum() * (smoothing / classes as f64)
    }

    /// `Σ (1 - y) x - (1 + (w - 1) y) ln σ(x)`, as `BCEWithLogitsLoss(pos_weight=w)` computes it, of
    /// `logits` x against `truth` y, which is 0 or 1, both `[items, classes]`; focused, each times
    /// `(1 - p)^γ` with the probability p of what is true (torchvision's `sigmoid_focal_loss`).
    fn binary_cross_entropy(&self, logits: Tensor<2>, truth: Tensor<2>) -> Tensor<1> {
        let [_, classes] = logits.dims();
        let log_sigmoid = log_sigmoid(logits.clone());
        let untrue = (truth.clone().neg() + 1.0) * logits;
        let plain = || untrue.clone() - log_sigmoid.clone();
        let loss = match &self.class_weights {
            Some(weights) => {
                let more = weights.iter().map(|weight| weight - 1.0).collect();
                let more = truth.clone() * floats(more, [1, classes], &truth);
                untrue.clone() - (more + 1.0) * log_sigmoid.clone()
            }
            None => plain(),
        };
        if self.focal_gamma > 0.0 { self.focused(loss, plain()).sum() } else { loss.sum() }
    }

    /// A loss times `(1 - p)^γ`, where `surprise` is `-ln p` (Lin et al. 2017,
    /// <https://arxiv.org/abs/1708.02002>).
    fn focused(&self, loss: Tensor<2>, surprise: Tensor<2>) -> Tensor<2> {
        let uncertainty = (surprise.neg().exp().neg() + 1.0).clamp_min(UNCERTAIN);
        loss * uncertainty.powf_scalar(self.focal_gamma as f32)
    }
}

/// `-ln p` of the true class of each item, `[items, 1]`, of logits `[items, num_labels]`.
pub(crate) fn surprise(logits: Tensor<2>, ids: &[usize]) -> Tensor<2> {
    of_truth(log_softmax(logits, 1), ids).neg()
}

/// What of `log_p` `[items, num_labels]` stands at the true class of each item, `[items, 1]`.
fn of_truth(log_p: Tensor<2>, ids: &[usize]) -> Tensor<2> {
    let truth: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    let truth = TensorData::new(truth, [ids.len(), 1]);
    let truth = Tensor::<2, Int>::from_data(truth, &log_p.device());
    log_p.gather(1, truth)
}

fn floats(values: Vec<f32>, shape: [usize; 2], beside: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), &beside.device())
}

/// `[items * classes]`, 1 for each class of a set.
fn multi_hot(sets: &[Vec<usize>], classes: usize) -> Vec<f32> {
    let mut hot = vec![0.0; sets.len() * classes];
    for (row, set) in hot.chunks_mut(classes.max(1)).zip(sets) {
        set.iter().for_each(|&id| row[id] = 1.0);
    }
    hot
}
