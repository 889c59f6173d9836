//! The recipe of a run.

use burn::tensor::{Device, FloatDType};
use serde::{Deserialize, Serialize};

use super::{LoraConfig, LossConfig, Schedule, schedule::Course};
use crate::{Error, Result, text::WINDOW_ROWS};

/// Named and preset as transformers' `TrainingArguments`, but for `warmup_ratio` and
/// `weight_decay`, whose presets are those of the BERT paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    pub epochs: usize,
    /// Optimizer steps of the whole run, whatever `epochs` says.
    #[serde(default)]
    pub max_steps: Option<usize>,
    /// Rows in one forward pass.
    pub batch_size: usize,
    /// The peak, reached after warm-up.
    pub learning_rate: f64,
    /// AdamW's decoupled decay; never on biases and LayerNorm.
    pub weight_decay: f64,
    /// The share of all steps over which the rate rises from 0.
    pub warmup_ratio: f64,
    /// The number of these steps, whatever `warmup_ratio` says.
    #[serde(default)]
    pub warmup_steps: Option<usize>,
    pub schedule: Schedule,
    /// The rate at the end of a polynomial schedule.
    #[serde(default = "lr_end")]
    pub lr_end: f64,
    /// The power of a polynomial schedule.
    #[serde(default = "one")]
    pub power: f64,
    /// The rate of a layer is that of the layer above it times this; 1 gives all the same (see
    /// `LayerRates`).
    #[serde(default = "one")]
    pub layerwise_lr_decay: f64,
    /// Gradients are scaled down to this global L2 norm; 0 turns clipping off.
    pub max_grad_norm: f64,
    /// Batches whose gradients make one optimizer step.
    pub gradient_accumulation_steps: usize,
    /// Fixes the new head, the order of rows and dropout.
    pub seed: u64,
    /// The last layers of the encoder that are trained beside pooler and classifier: 0 trains those
    /// two alone. Where there is no number, everything is trained, embeddings included.
    #[serde(default)]
    pub trainable_layers: Option<usize>,
    /// Low-rank adapters are trained in place of the encoder's weights.
    #[serde(default)]
    pub lora: Option<LoraConfig>,
    #[serde(default)]
    pub loss: LossConfig,
    /// Products of linear layers are in bfloat16. Weights, gradients and optimizer, LayerNorm, softmax and the
    /// loss stay in f32, and so does evaluation.
    #[serde(default)]
    pub bf16: bool,
}

fn lr_end() -> f64 {
    1e-7
}
fn one() -> f64 {
    1.0
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 3,
            max_steps: None,
            batch_size: 32,
            learning_rate: 5e-5,
            weight_decay: 0.01,
            warmup_ratio: 0.1,
            warmup_steps: None,
            schedule: Schedule::Linear,
            lr_end: lr_end(),
            power: one(),
            layerwise_lr_decay: one(),
            max_grad_norm: 1.0,
            gradient_accumulation_steps: 1,
            seed: 42,
            trainable_layers: None,
            lora: None,
            loss: LossConfig::default(),
            bf16: false,
        }
    }
}

impl TrainConfig {
    /// # Errors
    /// [`Error::BadSetting`] naming the first value out of range.
    pub fn check(&self) -> Result<()> {
        let counts = [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps),
            ("max_steps", self.max_steps.unwrap_or(1)),
        ];
        if let Some(&(name, value)) = counts.iter().find(|(_, value)| *value == 0) {
            return Err(out_of_range(name, value.to_string(), "expected at least 1"));
        }
        let rates = [
            ("learning_rate", self.learning_rate, 0.0..=1.0),
            ("weight_decay", self.weight_decay, 0.0..=1.0),
            ("warmup_ratio", self.warmup_ratio, 0.0..=1.0),
            ("max_grad_norm", self.max_grad_norm, 0.0..=1e9),
            ("power", self.power, 0.0..=1e3),
            ("layerwise_lr_decay", self.layerwise_lr_decay, 0.0..=1.0),
        ];
        if self.schedule.has_end() && !(0.0..self.learning_rate).contains(&self.lr_end) {
            let expected = format!("expected 0 to below learning_rate, {}", self.learning_rate);
            return Err(out_of_range("lr_end", self.lr_end.to_string(), &expected));
        }
        if let Some(lora) = &self.lora {
            lora.check()?;
        }
        match rates.iter().find(|(_, value, range)| !range.contains(value)) {
            Some((name, value, range)) => {
                let expected = format!("expected {} to {}", range.start(), range.end());
                Err(out_of_range(name, value.to_string(), &expected))
            }
            None => Ok(()),
        }
    }

    /// # Errors
    /// Those of [`Self::check`], and [`Error::BadSetting`] for what the device cannot do.
    pub(super) fn check_on(&self, device: &Device) -> Result<()> {
        if self.bf16 && !device.supports_dtype(FloatDType::BF16) {
            let expected =
                "the device does not compute in bfloat16; CUDA does since compute capability 8.0";
            return Err(out_of_range("bf16", "true".to_owned(), expected));
        }
        self.check()
    }

    /// Optimizer steps of one epoch over `rows` rows.
    pub fn steps_per_epoch(&self, rows: usize) -> usize {
        rows.div_ceil(self.batch_size).div_ceil(self.gradient_accumulation_steps)
    }

    /// Optimizer steps of a run over `rows` rows.
    pub fn total_steps(&self, rows: usize) -> usize {
        self.max_steps.unwrap_or_else(|| self.epochs * self.steps_per_epoch(rows))
    }

    /// Rows of a file that are shuffled together: whole steps, so that an epoch over windows has as many
    /// as one over all rows.
    pub fn window_rows(&self) -> usize {
        let step = self.batch_size.saturating_mul(self.gradient_accumulation_steps);
        WINDOW_ROWS.div_ceil(step).saturating_mul(step)
    }

    /// The learning rate of optimizer step `step` (from 0) of `total_steps`.
    pub fn learning_rate_at(&self, step: usize, total_steps: usize) -> f64 {
        let of_ratio = || (total_steps as f64 * self.warmup_ratio).ceil() as usize;
        let course = Course {
            schedule: self.schedule,
            warmup_steps: self.warmup_steps.unwrap_or_else(of_ratio),
            total_steps,
            end: self.lr_end / self.learning_rate,
            power: self.power,
        };
        self.learning_rate * course.factor(step)
    }
}

fn out_of_range(name: &'static str, value: String, reason: &str) -> Error {
    Error::BadSetting { name, value, reason: reason.into() }
}
