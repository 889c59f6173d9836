//! The training loop's inside: its caller turns the crank.

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};

use super::{
    LabelledRows, LossConfig, MaskedRows, RowFile, Rows, StepInfo, TrainConfig,
    adamw::AdamW,
    loss::Share,
    step_gradients::StepGradients,
    targets::{check_task, checked},
};
use crate::{
    Error, Result,
    data::Targets,
    model::{BertForSequenceClassification, Classifier, Pass, Setup, scalar, stream},
    text::{Encoding, PlannedBatch},
};

/// The stream of another pass over a batch, beyond the sites of dropout in one.
const SECOND_PASS: usize = 1 << 30;

/// Fine-tunes a classifier. [`Trainer::step`] does one optimizer step and returns, so that a
/// command line can draw and a page can pause; nothing is read from the device until
/// [`Trainer::read_loss`] asks.
pub struct Trainer {
    pub(super) setup: Setup,
    /// Taken out for the moment of an update only, which changes the weights in place.
    pub(super) model: Option<BertForSequenceClassification>,
    device: Device,
    pub(super) optimizer: AdamW,
    pub(super) config: TrainConfig,
    pub(super) rows: Rows,
    /// What the rows of an epoch are made of, where they are masked anew in each.
    pub(super) masked: Option<MaskedRows>,
    /// The rows of the present window, where they come from a file.
    pub(super) window: LabelledRows,
    /// The batches of the present window.
    pub(super) plan: Vec<PlannedBatch>,
    /// The epoch and the window that are planned.
    pub(super) planned: Option<(usize, usize)>,
    pub(super) step: usize,
    /// The summed loss of the steps not yet read, and their number.
    pub(super) unread_loss: Option<(Tensor<1>, usize)>,
}

impl Trainer {
    /// Takes the classifier to train and its data, a target for each of `encodings`.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a recipe, a text or a target out of range, or of another task.
    pub fn new(
        classifier: Classifier,
        encodings: Vec<Encoding>,
        targets: impl Into<Targets>,
        config: TrainConfig,
    ) -> Result<Self> {
        let rows = LabelledRows { encodings, targets: targets.into() };
        let rows = checked(rows, &classifier.setup)?;
        Self::on(classifier, Rows::Memory(rows), config)
    }

    /// The same on rows that are read from a file, a window of them at a time.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a recipe out of range, or rows of another task; rows themselves are
    /// checked when they are read.
    pub fn on_file(classifier: Classifier, rows: RowFile, config: TrainConfig) -> Result<Self> {
        check_task(rows.task(), &classifier.setup)?;
        Self::on(classifier, Rows::File(rows), config)
    }

    pub(super) fn on(classifier: Classifier, rows: Rows, config: TrainConfig) -> Result<Self> {
        let Classifier { model, mut setup } = classifier;
        config.check_on(&setup.device)?;
        config.loss.check(setup.task(), setup.num_labels())?;
        let mut model = model.with_trainable(config.trainable_layers);
        if let Some(lora) = &config.lora {
            model = model.with_lora(lora, config.seed)?;
            setup.lora = Some(lora.clone());
        }
        Ok(Self {
            model: Some(model.train()),
            device: setup.device.clone().autodiff(),
            optimizer: AdamW::new(&config, &setup),
            window: LabelledRows::new(setup.task()),
            rows,
            masked: None,
            setup,
            config,
            plan: Vec::new(),
            planned: None,
            step: 0,
            unread_loss: None,
        })
    }

    /// Makes steps of other batches, before the first one.
    pub fn set_batches(&mut self, batch_size: usize, gradient_accumulation_steps: usize) {
        debug_assert_eq!(self.step, 0);
        self.config.batch_size = batch_size;
        self.config.gradient_accumulation_steps = gradient_accumulation_steps;
    }

    /// Optimizer steps of the whole run.
    pub fn total_steps(&self) -> usize {
        self.config.total_steps(self.rows.len())
    }

    /// Optimizer steps of one epoch.
    pub fn steps_per_epoch(&self) -> usize {
        self.config.steps_per_epoch(self.rows.len())
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
        Classifier { model: self.model().valid(), setup: self.setup.clone() }
    }

    /// One optimizer step: forward and backward for each batch of it, clipping by the global
    /// norm, AdamW. Does nothing but return the last state once the run is done.
    ///
    /// Every random stream is a function of (seed, step), so a run can go on where it stopped.
    ///
    /// # Errors
    /// Those of [`RowFile::read`], and [`Error::BadSetting`] for what it holds; none for rows in memory.
    pub fn step(&mut self) -> Result<StepInfo> {
        let epoch = self.epoch();
        let learning_rate = self.config.learning_rate_at(self.step, self.total_steps());
        let mut info = StepInfo { step: self.step, epoch, learning_rate, rows: 0, tokens: 0 };
        if self.is_done() {
            return Ok(info);
        }
        let index = self.step % self.steps_per_epoch();
        let steps = self.config.steps_per_epoch(self.window_rows());
        self.plan_window(epoch, index / steps)?;
        let index = index % steps;
        let size = self.config.gradient_accumulation_steps;
        let batches = self.plan.iter().skip(index * size).take(size).cloned().collect::<Vec<_>>();
        info.rows = batches.iter().map(|batch| batch.rows.len()).sum();
        info.tokens = self.learn(&batches, learning_rate);
        self.step += 1;
        info.step = self.step;
        Ok(info)
    }

    /// Takes the step that needs the most memory (of the first window, where rows come from a file) twice, and
    /// waits for it: AdamW's means are there beside activations from the second step on. Of use to see whether
    /// it fits; the weights are those of no run afterwards.
    ///
    /// # Errors
    /// Those of [`Trainer::step`], and [`Error::Device`] if the device fails.
    pub async fn largest_step(&mut self) -> Result<()> {
        self.plan_window(0, 0)?;
        let largest = self.plan.iter().max_by_key(|batch| batch.rows.len() * batch.seq_len);
        // With a second batch, gradients are there beside the activations of the next.
        let size = self.config.gradient_accumulation_steps.min(2);
        let batches: Vec<_> = largest.into_iter().flat_map(|it| vec![it.clone(); size]).collect();
        self.learn(&batches, self.config.learning_rate);
        self.learn(&batches, self.config.learning_rate);
        self.read_loss().await.map(drop)
    }

    /// An update by these batches; returns their tokens.
    fn learn(&mut self, batches: &[PlannedBatch], learning_rate: f64) -> usize {
        let step_seed = stream(self.config.seed, self.step);
        self.device.seed(step_seed);
        let targets: Vec<Targets> =
            batches.iter().map(|batch| self.present().targets.select(&batch.rows)).collect();
        let share = Share {
            weight: targets.iter().map(|targets| self.config.loss.weight(targets)).sum(),
            items: targets.iter().map(|targets| LossConfig::default().weight(targets)).sum(),
        };
        let mut grads = StepGradients::new();
        let mut tokens = 0;
        for (index, batch) in batches.iter().zip(&targets).enumerate() {
            tokens += self.backward(batch, share, stream(step_seed, index), &mut grads);
        }
        self.update(grads, learning_rate);
        tokens
    }

    /// The mean loss of the steps since the last call. Waits for the device: call it seldom.
    ///
    /// # Errors
    /// [`Error::LossNotFinite`] when training has diverged, [`Error::Device`] if the device fails.
    pub async fn read_loss(&mut self) -> Result<Option<f32>> {
        let Some((sum, steps)) = self.unread_loss.take() else { return Ok(None) };
        let loss = scalar(sum).await? / steps as f32;
        if loss.is_finite() {
            return Ok(Some(loss));
        }
        Err(Error::LossNotFinite { loss, step: self.step })
    }

    #[expect(clippy::expect_used)]
    pub(super) fn model(&self) -> &BertForSequenceClassification {
        self.model.as_ref().expect("it is there between updates")
    }

    /// Adds the gradient of one batch's share of the step's loss; returns the batch's tokens.
    fn backward(
        &mut self,
        (planned, targets): (&PlannedBatch, &Targets),
        share: Share,
        seed: u64,
        grads: &mut StepGradients,
    ) -> usize {
        let batch = self.setup.collate(&self.present().encodings, &planned.rows, planned.seq_len);
        let kernels = self.setup.kernels;
        let tensors = batch.to_device(kernels, &self.device);
        let pass = |seed| Pass::training(kernels, seed).with_bf16(self.config.bf16);
        let second = (self.config.loss.r_drop_alpha > 0.0).then(|| pass(stream(seed, SECOND_PASS)));
        let passes = (pass(seed), second);
        let loss = grads.add(self.model(), &tensors, passes, |logits, second| {
            self.config.loss.of_batch(logits, second, targets, share)
        });
        self.note_loss(loss);
        batch.tokens()
    }

    fn note_loss(&mut self, loss: Tensor<1>) {
        self.unread_loss = Some(match self.unread_loss.take() {
            Some((sum, steps)) => (sum + loss, steps),
            None => (loss, 0),
        });
    }

    fn update(&mut self, grads: StepGradients, learning_rate: f64) {
        let grads = grads.sum(self.setup.kernels);
        let scale = grads.scale(self.model(), &self.setup, self.config.max_grad_norm);
        let Some(model) = self.model.take() else { return };
        self.model = Some(self.optimizer.step(model, grads, scale, learning_rate));
        if let Some((_, steps)) = &mut self.unread_loss {
            *steps += 1;
        }
    }
}
