//! What the batches of one optimizer step add up to.
//!
//! A batch uses a few hundred of the vocabulary's 30,000 rows. Our CPU kernels take the gradient of
//! those rows alone; a dense one would be mostly zeros, written, added, squared and read again.

use burn::{
    module::{Module, ModuleVisitor, Param, ParamId},
    optim::{GradientsAccumulator, GradientsParams},
    tensor::{Gradients, Int, Tensor},
};

use super::clip;
use crate::{
    kernels::{Kernels, SparseRows},
    model::{BertForSequenceClassification, Pass, Setup},
    text::BatchTensors,
};

/// The sums so far.
pub(super) struct StepGradients {
    dense: GradientsAccumulator<BertForSequenceClassification>,
    words: Option<WordGradient>,
}

/// The sums of a whole step.
pub(super) struct Summed {
    pub(super) dense: GradientsParams,
    pub(super) words: Option<WordGradient>,
}

/// The gradient of the word embeddings.
pub(super) struct WordGradient {
    pub(super) param: ParamId,
    pub(super) rows: SparseRows,
}

impl StepGradients {
    pub(super) fn new() -> Self {
        Self { dense: GradientsAccumulator::new(), words: None }
    }

    /// Adds the gradients of `loss(logits, second)` on one batch, with the logits of a second pass over it
    /// where there is one; returns the loss `[1]`.
    pub(super) fn add(
        &mut self,
        model: &BertForSequenceClassification,
        batch: &BatchTensors,
        (pass, second): (Pass, Option<Pass>),
        loss: impl FnOnce(Tensor<2>, Option<Tensor<2>>) -> Tensor<1>,
    ) -> Tensor<1> {
        let table = model.word_embeddings();
        let weights = table.val();
        let is_sparse = pass.kernels.on_cpu(&weights.device()) && !model.is_tied();
        if !is_sparse || !weights.is_require_grad() {
            let forward = |pass: Pass| model.forward(batch, pass);
            let loss = loss(forward(pass), second.map(forward));
            self.add_dense(loss.backward(), model);
            return loss.inner();
        }
        let ids = batch.input_ids.clone();
        let words = weights.inner().select(0, ids.clone().inner());
        let words = Tensor::from_inner(words).require_grad();
        let forward = |pass: Pass| model.forward_embedded(words.clone(), batch, pass);
        let loss = loss(forward(pass), second.map(forward));
        let mut grads = loss.backward();
        if let Some(rows) = words.grad_remove(&mut grads) {
            self.add_words(table.id, ids.inner(), rows);
        }
        self.add_dense(grads, model);
        loss.inner()
    }

    fn add_dense(&mut self, grads: Gradients, model: &BertForSequenceClassification) {
        self.dense.accumulate(model, GradientsParams::from_grads(grads, model));
    }

    fn add_words(&mut self, param: ParamId, ids: Tensor<1, Int>, rows: Tensor<2>) {
        let rows = match self.words.take() {
            None => SparseRows { ids, rows },
            Some(WordGradient { rows: known, .. }) => SparseRows {
                ids: Tensor::cat(vec![known.ids, ids], 0),
                rows: Tensor::cat(vec![known.rows, rows], 0),
            },
        };
        self.words = Some(WordGradient { param, rows });
    }

    /// The sums, each id of the word embeddings once.
    pub(super) fn sum(mut self, kernels: Kernels) -> Summed {
        let words = self.words.map(|WordGradient { param, rows }| WordGradient {
            param,
            rows: kernels.merge_rows(rows),
        });
        Summed { dense: self.dense.grads(), words }
    }
}

impl Summed {
    /// What the gradients are multiplied by to clip their norm, `[1]`: 1 where `max_norm` is 0.
    pub(super) fn scale(
        &self,
        model: &BertForSequenceClassification,
        setup: &Setup,
        max_norm: f64,
    ) -> Tensor<1> {
        let clips = max_norm > 0.0;
        match clips.then(|| self.global_norm(model, setup.kernels)).flatten() {
            Some(norm) => clip::factor(norm, max_norm),
            None => Tensor::ones([1], &setup.device),
        }
    }

    /// The L2 norm over all gradients, `[1]`; `None` where there are none.
    pub(super) fn global_norm(
        &self,
        model: &BertForSequenceClassification,
        kernels: Kernels,
    ) -> Option<Tensor<1>> {
        let mut visitor = SquaredSum { grads: &self.dense, kernels, sum: None };
        if let Some(words) = &self.words {
            visitor.add(words.rows.rows.clone());
        }
        model.visit(&mut visitor);
        visitor.sum.map(Tensor::sqrt)
    }
}

struct SquaredSum<'a> {
    grads: &'a GradientsParams,
    kernels: Kernels,
    sum: Option<Tensor<1>>,
}

impl SquaredSum<'_> {
    fn add<const D: usize>(&mut self, grad: Tensor<D>) {
        let before = self.sum.take().unwrap_or_else(|| Tensor::zeros([1], &grad.device()));
        self.sum = Some(self.kernels.add_squares(grad, before));
    }
}

impl ModuleVisitor for SquaredSum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            self.add(grad);
        }
    }
}
