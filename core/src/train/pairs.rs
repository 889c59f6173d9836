//! Trains a sentence encoder on pairs of texts (Reimers and Gurevych 2019,
//! <https://arxiv.org/abs/1908.10084>): the similarity `(cos + 1) / 2` of the two means is brought near
//! the score of the pair by its squared error.

use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};

use super::{TrainConfig, adamw::AdamW, step_gradients::StepGradients};
use crate::{
    Error, Result,
    model::{BertForSequenceClassification, Pass, SentenceEncoder, Setup, stream},
    text::{Encoding, plan_epoch},
};

/// Keeps the length of a mean above 0.
const SHORTEST: f32 = 1e-8;

/// Pairs, each with a score of 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairRows {
    pub first: Vec<Encoding>,
    pub second: Vec<Encoding>,
    pub scores: Vec<f32>,
}

/// The training, one optimizer step at a time.
pub struct PairTrainer {
    setup: Setup,
    model: Option<BertForSequenceClassification>,
    device: Device,
    optimizer: AdamW,
    config: TrainConfig,
    /// The first halves, then the second.
    encodings: Vec<Encoding>,
    scores: Vec<f32>,
    step: usize,
}

impl PairTrainer {
    /// # Errors
    /// [`Error::BadSetting`] for a recipe, a text or a score out of range.
    pub fn new(encoder: SentenceEncoder, rows: PairRows, config: TrainConfig) -> Result<Self> {
        let PairRows { first, second, scores } = rows;
        if scores.is_empty() || first.len() != scores.len() || second.len() != scores.len() {
            let value = scores.len().to_string();
            let reason = format!("expected one for each of {} pairs", first.len());
            return Err(Error::BadSetting { name: "scores", value, reason });
        }
        if let Some(score) = scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
            let (value, reason) = (score.to_string(), "expected 0 to 1".into());
            return Err(Error::BadSetting { name: "scores", value, reason });
        }
        let encodings = [first, second].concat();
        let (model, setup) = encoder.into_parts();
        config.check_on(&setup.device)?;
        setup.check(&encodings)?;
        Ok(Self {
            model: Some(model.with_trainable(config.trainable_layers).train()),
            device: setup.device.clone().autodiff(),
            optimizer: AdamW::new(&config, &setup),
            setup,
            config,
            encodings,
            scores,
            step: 0,
        })
    }

    /// Optimizer steps of the whole run.
    pub fn total_steps(&self) -> usize {
        self.config.total_steps(self.scores.len())
    }

    pub fn is_done(&self) -> bool {
        self.step >= self.total_steps()
    }

    /// The present weights; training goes on undisturbed.
    #[expect(clippy::expect_used)]
    pub fn encoder(&self) -> SentenceEncoder {
        let model = self.model.as_ref().expect("it is there between updates");
        SentenceEncoder::from_parts(model.valid(), self.setup.clone())
    }

    /// One optimizer step, as [`super::Trainer::step`] does it; nothing once the run is done.
    pub fn step(&mut self) {
        let Some(model) = self.model.take().filter(|_| !self.is_done()) else { return };
        let pairs = self.scores.len();
        let steps = self.config.steps_per_epoch(pairs);
        let longest = |pair: usize| {
            self.encodings[pair].ids.len().max(self.encodings[pairs + pair].ids.len())
        };
        let lengths: Vec<usize> = (0..pairs).map(longest).collect();
        let TrainConfig { batch_size, seed, gradient_accumulation_steps, .. } = self.config;
        let epoch = (self.step / steps) as u64;
        let plan = plan_epoch(&lengths, batch_size, self.setup.max_length(), seed, epoch);
        let first = self.step % steps * gradient_accumulation_steps;
        let batches = &plan[first..plan.len().min(first + gradient_accumulation_steps)];
        let rows: usize = batches.iter().map(|batch| batch.rows.len()).sum();

        let step_seed = stream(seed, self.step);
        self.device.seed(step_seed);
        let mut grads = StepGradients::new();
        for (index, planned) in batches.iter().enumerate() {
            let second = planned.rows.iter().map(|pair| pairs + pair);
            let both: Vec<usize> = planned.rows.iter().copied().chain(second).collect();
            let batch =
                SentenceEncoder::collate(&self.setup, &self.encodings, &both, planned.seq_len);
            let batch = batch.to_device(self.setup.kernels, &self.device);
            let scores = planned.rows.iter().map(|&pair| self.scores[pair]).collect();
            let pass = Pass::training(self.setup.kernels, stream(step_seed, index))
                .with_bf16(self.config.bf16);
            grads.add(&model, &batch, (pass, None), |means, _| loss(means, scores) / rows as f64);
        }
        let grads = grads.sum(self.setup.kernels);
        let scale = grads.scale(&model, &self.setup, self.config.max_grad_norm);
        let learning_rate = self.config.learning_rate_at(self.step, self.total_steps());
        self.model = Some(self.optimizer.step(model, grads, scale, learning_rate));
        self.step += 1;
    }
}

/// The sum of squared errors, `[1]`, of `means` `[2 * pairs, hidden]`, first halves first.
fn loss(means: Tensor<2>, scores: Vec<f32>) -> Tensor<1> {
    let pairs = scores.len();
    let scores = Tensor::<2>::from_data(TensorData::new(scores, [pairs, 1]), &means.device());
    let error = similarity(means) - scores;
    (error.clone() * error).sum()
}

/// `(cos + 1) / 2` of the two halves of each pair, `[pairs, 1]`.
fn similarity(means: Tensor<2>) -> Tensor<2> {
    let pairs = means.dims()[0] / 2;
    let (first, second) = (means.clone().narrow(0, 0, pairs), means.narrow(0, pairs, pairs));
    let length = |x: Tensor<2>| (x.clone() * x).sum_dim(1).sqrt().clamp_min(SHORTEST);
    let cosine = (first.clone() * second.clone()).sum_dim(1) / (length(first) * length(second));
    (cosine + 1.0) / 2.0
}
