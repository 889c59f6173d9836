//! The recipe of a run.

use serde::{Deserialize, Serialize};

use super::{LossConfig, Schedule};
use crate::{Error, Result, text::WINDOW_ROWS};

/// Named and preset as transformers' `TrainingArguments`, but for `warmup_ratio` and
/// `weight_decay`, whose presets are those of the BERT paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainConfig {
    pub epochs: usize,
    /// Rows in one forward pass.
    pub batch_size: usize,
    /// The peak, reached after warm-up.
    pub learning_rate: f64,
    /// AdamW's decoupled decay; never on biases and LayerNorm.
    pub weight_decay: f64,
    /// The share of all steps over which the rate rises from 0.
    pub warmup_ratio: f64,
    pub schedule: Schedule,
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
    #[serde(default)]
    pub loss: LossConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch_size: 32,
            learning_rate: 5e-5,
            weight_decay: 0.01,
            warmup_ratio: 0.1,
            schedule: Schedule::Linear,
            max_grad_norm: 1.0,
            gradient_accumulation_steps: 1,
            seed: 42,
            trainable_layers: None,
            loss: LossConfig::default(),
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
        ];
        if let Some(&(name, value)) = counts.iter().find(|(_, value)| *value == 0) {
            return Err(out_of_range(name, value.to_string(), "expected at least 1"));
        }
        let rates = [
            ("learning_rate", self.learning_rate, 0.0..=1.0),
            ("weight_decay", self.weight_decay, 0.0..=1.0),
            ("warmup_ratio", self.warmup_ratio, 0.0..=1.0),
            ("max_grad_norm", self.max_grad_norm, 0.0..=1e9),
        ];
        match rates.iter().find(|(_, value, range)| !range.contains(value)) {
            Some((name, value, range)) => {
                let expected = format!("expected {} to {}", range.start(), range.end());
                Err(out_of_range(name, value.to_string(), &expected))
            }
            None => Ok(()),
        }
    }

    /// Optimizer steps of one epoch over `rows` rows.
    pub fn steps_per_epoch(&self, rows: usize) -> usize {
        rows.div_ceil(self.batch_size).div_ceil(self.gradient_accumulation_steps)
    }

    /// Rows of a file that are shuffled together: whole steps, so that an epoch over windows has as many
    /// as one over all rows.
    pub fn window_rows(&self) -> usize {
        let step = self.batch_size.saturating_mul(self.gradient_accumulation_steps);
        WINDOW_ROWS.div_ceil(step).saturating_mul(step)
    }

    /// The learning rate of optimizer step `step` (from 0) of `total_steps`.
    pub fn learning_rate_at(&self, step: usize, total_steps: usize) -> f64 {
        let warmup_steps = (total_steps as f64 * self.warmup_ratio).ceil() as usize;
        self.learning_rate * self.schedule.factor(step, warmup_steps, total_steps)
    }
}

fn out_of_range(name: &'static str, value: String, reason: &str) -> Error {
    Error::BadSetting { name, value, reason: reason.into() }
}
