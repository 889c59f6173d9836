//! The training loop's inside: its caller turns the crank.

use burn::{
    module::Module,
    optim::{GradientsAccumulator, GradientsParams},
    tensor::{Device, Int, Tensor, TensorData},
};

use super::{AdamWConfig, TrainConfig, adamw::AdamW, clip, loss::cross_entropy_sum};
use crate::{
    Error, Result,
    model::{BertForSequenceClassification, Classifier},
    text::{Encoding, PlannedBatch, plan_epoch},
};

/// Fine-tunes a classifier. [`Trainer::step`] does one optimizer step and returns, so that a
/// command line can draw and a page can pause; nothing is read from the device until
/// [`Trainer::read_loss`] asks.
pub struct Trainer {
    classifier: Classifier,
    model: BertForSequenceClassification,
    device: Device,
    optimizer: AdamW,
    config: TrainConfig,
    encodings: Vec<Encoding>,
    labels: Vec<usize>,
    plan: Vec<PlannedBatch>,
    step: usize,
    /// The summed loss of the steps not yet read, and their number.
    unread_loss: Option<(Tensor<1>, usize)>,
}

/// One finished optimizer step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepInfo {
    /// Steps taken so far, this one included.
    pub step: usize,
    /// The epoch it belongs to, from 0.
    pub epoch: usize,
    pub learning_rate: f64,
    /// Rows in it.
    pub rows: usize,
    /// Tokens in it, without padding.
    pub tokens: usize,
}

impl Trainer {
    /// Takes the classifier to train and its data, `labels[i]` being the class of `encodings[i]`.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a recipe, a text or a label out of range.
    pub fn new(
        classifier: Classifier,
        encodings: Vec<Encoding>,
        labels: Vec<usize>,
        config: TrainConfig,
    ) -> Result<Self> {
        config.check()?;
        classifier.check(&encodings)?;
        check_labels(&encodings, &labels, classifier.label_map().len())?;
        let weight_decay = config.weight_decay;
        let adamw = AdamWConfig { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay };
        Ok(Self {
            model: classifier.model.clone().train(),
            device: classifier.device.clone().autodiff(),
            optimizer: AdamW::new(adamw),
            classifier,
            config,
            encodings,
            labels,
            plan: Vec::new(),
            step: 0,
            unread_loss: None,
        })
    }

    /// Optimizer steps of the whole run.
    pub fn total_steps(&self) -> usize {
        self.config.epochs * self.steps_per_epoch()
    }

    /// Optimizer steps of one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.config.steps_per_epoch(self.encodings.len())
    }

    /// Optimizer steps taken.
    pub fn step_count(&self) -> usize {
        self.step
    }

    /// The epoch of the next step, from 0.
    pub fn epoch(&self) -> usize {
        self.step / self.steps_per_epoch()
    }

    pub fn is_done(&self) -> bool {
        self.step >= self.total_steps()
    }

    /// The present weights, ready to predict; training goes on undisturbed.
    pub fn classifier(&self) -> Classifier {
        self.classifier.with_model(self.model.valid())
    }

    /// One optimizer step: forward and backward for each batch of it, clipping by the global
    /// norm, AdamW. Does nothing but return the last state once the run is done.
    ///
    /// Every random stream is a function of (seed, step), so a run can go on where it stopped.
    pub fn step(&mut self) -> StepInfo {
        let epoch = self.epoch();
        let index = self.step % self.steps_per_epoch();
        if index == 0 || self.plan.is_empty() {
            self.plan_epoch(epoch);
        }
        let learning_rate = self.config.learning_rate_at(self.step, self.total_steps());
        let mut info = StepInfo { step: self.step, epoch, learning_rate, rows: 0, tokens: 0 };
        if self.is_done() {
            return info;
        }
        self.device.seed(stream(self.config.seed, self.step));
        let size = self.config.gradient_accumulation_steps;
        let batches = self.plan.iter().skip(index * size).take(size).cloned().collect::<Vec<_>>();
        info.rows = batches.iter().map(|batch| batch.rows.len()).sum();

        let mut accumulator = GradientsAccumulator::new();
        for batch in &batches {
            info.tokens += self.backward(batch, info.rows, &mut accumulator);
        }
        self.update(accumulator.grads(), learning_rate);
        self.step += 1;
        info.step = self.step;
        info
    }

    /// The mean loss of the steps since the last call. Waits for the device: call it seldom.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] when training has diverged, [`Error::Device`] if the device fails.
    pub async fn read_loss(&mut self) -> Result<Option<f32>> {
        let Some((sum, steps)) = self.unread_loss.take() else { return Ok(None) };
        let data = sum.into_data_async().await.map_err(|e| Error::Device(e.to_string()))?;
        let loss = data.iter::<f32>().next().unwrap_or(f32::NAN) / steps as f32;
        if loss.is_finite() {
            return Ok(Some(loss));
        }
        Err(Error::LossNotFinite { loss, step: self.step })
    }

    fn plan_epoch(&mut self, epoch: usize) {
        let lengths: Vec<usize> = self.encodings.iter().map(|e| e.ids.len()).collect();
        let TrainConfig { batch_size, seed, .. } = self.config;
        let positions = self.classifier.max_length();
        self.plan = plan_epoch(&lengths, batch_size, positions, seed, epoch as u64);
    }

    /// Adds the gradient of one batch's share of the mean loss over `total_rows`; returns the
    /// batch's tokens.
    fn backward(
        &mut self,
        planned: &PlannedBatch,
        total_rows: usize,
        accumulator: &mut GradientsAccumulator<BertForSequenceClassification>,
    ) -> usize {
        let batch = self.classifier.collate(&self.encodings, &planned.rows, planned.seq_len);
        let ids: Vec<i32> = planned.rows.iter().map(|&row| self.labels[row] as i32).collect();
        let labels = TensorData::new(ids, [planned.rows.len()]);
        let labels = Tensor::<1, Int>::from_data(labels, &self.device);
        let logits = self.model.forward(batch.to_device(&self.device));
        let loss = cross_entropy_sum(logits, labels) / total_rows as f64;
        let grads = GradientsParams::from_grads(loss.backward(), &self.model);
        accumulator.accumulate(&self.model, grads);
        self.note_loss(loss.inner());
        batch.tokens()
    }

    fn note_loss(&mut self, loss: Tensor<1>) {
        self.unread_loss = Some(match self.unread_loss.take() {
            Some((sum, steps)) => (sum + loss, steps),
            None => (loss, 0),
        });
    }

    fn update(&mut self, grads: GradientsParams, learning_rate: f64) {
        let max_norm = self.config.max_grad_norm;
        let norm = if max_norm > 0.0 { clip::global_norm(&self.model, &grads) } else { None };
        let scale = norm.map(|norm| clip::factor(norm, max_norm));
        let model = self.model.clone();
        self.model = self.optimizer.step(model, grads, scale, learning_rate);
        if let Some((_, steps)) = &mut self.unread_loss {
            *steps += 1;
        }
    }
}

/// One random stream a step (SplitMix64's finalizer, Steele et al. 2014).
fn stream(seed: u64, step: usize) -> u64 {
    let mut z = seed.wrapping_add((step as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn check_labels(encodings: &[Encoding], labels: &[usize], classes: usize) -> Result<()> {
    let bad = |value: String, reason: String| Error::BadSetting { name: "labels", value, reason };
    if encodings.is_empty() || encodings.len() != labels.len() {
        let reason = format!("expected one for each of {} texts", encodings.len());
        return Err(bad(labels.len().to_string(), reason));
    }
    match labels.iter().find(|&&label| label >= classes) {
        Some(label) => Err(bad(label.to_string(), format!("there are {classes} classes"))),
        None => Ok(()),
    }
}
