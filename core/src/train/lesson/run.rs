//! Optimizer steps on one batch, whose gradients may be left to add up.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::{GradientsAccumulator, GradientsParams},
    tensor::Tensor,
};
use serde::Serialize;

use super::super::{TrainConfig, adamw::AdamW, clip, step_gradients::Summed};
use crate::{
    Result,
    data::Targets,
    model::{BertForSequenceClassification, Classifier, Pass, Setup, scalar},
    text::{BatchTensors, Encoding},
};

#[derive(Clone, Copy, Debug, Serialize)]
pub struct LessonStep {
    pub learning_rate: f64,
    /// Before the step.
    pub loss: f32,
    /// What the optimizer is given, before clipping.
    pub gradient_norm: f32,
}

/// Steps on one batch.
pub(super) struct Run<'a> {
    setup: &'a Setup,
    pub(super) model: BertForSequenceClassification,
    batch: BatchTensors,
    targets: &'a Targets,
    config: &'a TrainConfig,
    optimizer: AdamW,
    /// What `backward` has added up, as clipping has left it, and nothing has set to zero.
    sums: GradientsAccumulator<BertForSequenceClassification>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        classifier: &'a Classifier,
        encodings: &[Encoding],
        targets: &'a Targets,
        config: &'a TrainConfig,
    ) -> Self {
        let setup = &classifier.setup;
        let device = setup.device.clone().autodiff();
        let longest = encodings.iter().map(|encoding| encoding.ids.len()).max().unwrap_or(1);
        let rows: Vec<usize> = (0..encodings.len()).collect();
        let batch = setup.collate(encodings, &rows, longest).to_device(setup.kernels, &device);
        let model = classifier.model.clone().with_trainable(config.trainable_layers).train();
        let optimizer = AdamW::new(config, setup);
        Self { setup, model, batch, targets, config, optimizer, sums: GradientsAccumulator::new() }
    }

    pub(super) async fn step(&mut self, learning_rate: f64, zero_grad: bool) -> Result<LessonStep> {
        let kernels = self.setup.kernels;
        let (loss, targets) = (&self.config.loss, self.targets);
        let logits = self.model.forward(&self.batch, Pass::inference(kernels));
        let loss = loss.sum(logits, targets) / loss.weight(targets);
        let new = GradientsParams::from_grads(loss.backward(), &self.model);
        self.sums.accumulate(&self.model, new);
        let sums = Summed { dense: self.sums.grads(), words: None };
        let norm = sums.global_norm(&self.model, kernels);
        let norm = norm.unwrap_or_else(|| Tensor::zeros([1], &self.setup.device));
        let scale = match self.config.max_grad_norm {
            most if most > 0.0 => clip::factor(norm.clone(), most),
            _ => Tensor::ones([1], &self.setup.device),
        };
        if !zero_grad {
            let mut kept =
                Scaled { from: &sums.dense, scale: scale.clone(), to: GradientsParams::new() };
            self.model.visit(&mut kept);
            self.sums.accumulate(&self.model, kept.to);
        }
        self.model = self.optimizer.step(self.model.clone(), sums, scale, learning_rate);
        let loss = scalar(loss.inner()).await?;
        Ok(LessonStep { learning_rate, loss, gradient_norm: scalar(norm).await? })
    }
}

/// All gradients, multiplied as `clip_grad_norm_` does it in place.
struct Scaled<'a> {
    from: &'a GradientsParams,
    scale: Tensor<1>,
    to: GradientsParams,
}

impl ModuleVisitor for Scaled<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.from.get::<D>(param.id) {
            self.to.register::<D>(param.id, gradient * self.scale.clone().reshape([1; D]));
        }
    }
}
