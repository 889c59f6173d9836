//! Fine-tuning the open model, a few steps to a request, so that the page can draw and stop it.

use super::{now, problem::Problem};
use crate::messages::{Response, TrainSettings, Trained};
use emberlab_core::{
    Result,
    model::{Classifier, Source},
    train::{TrainConfig, Trainer},
};

pub struct Training {
    trainer: Trainer,
    /// The epoch of the last step, from 0.
    epoch: usize,
    learning_rate: f64,
}

impl Training {
    pub fn start(
        classifier: Classifier,
        texts: &[String],
        labels: Vec<usize>,
        settings: TrainSettings,
        state: Option<Vec<u8>>,
    ) -> std::result::Result<Self, Problem> {
        let positions = classifier.max_length();
        let max_length = settings.max_length.map_or(positions, |length| length.min(positions));
        let encodings = classifier.tokenizer().encode_all(texts, max_length)?;
        let config = recipe(settings, classifier.config().hidden_size);
        let learning_rate = config.learning_rate;
        let trainer = Trainer::new(classifier, encodings, labels, config)?;
        let trainer = match state {
            Some(bytes) => trainer.restore("the kept state", Source::Bytes(bytes))?,
            None => trainer,
        };
        Ok(Self { trainer, epoch: 0, learning_rate })
    }

    pub fn started(&self) -> Response {
        Response::TrainStarted {
            total_steps: self.trainer.total_steps(),
            steps_per_epoch: self.trainer.steps_per_epoch(),
            learning_rate: self.learning_rate,
            step: self.trainer.step_count(),
        }
    }

    /// Does `count` steps, fewer at the end of the run. The loss is read once, at their end.
    pub async fn steps(&mut self, count: usize) -> Result<Trained> {
        let start = now();
        let (mut rows, mut tokens) = (0, 0);
        for _ in 0..count {
            if self.trainer.is_done() {
                break;
            }
            let step = self.trainer.step()?;
            self.epoch = step.epoch;
            rows += step.rows;
            tokens += step.tokens;
        }
        let loss = self.trainer.read_loss().await?;
        Ok(Trained {
            step: self.trainer.step_count(),
            epoch: self.epoch,
            loss,
            done: self.trainer.is_done(),
            rows,
            tokens,
            milliseconds: now() - start,
        })
    }

    /// All of the training, after the steps that were taken.
    pub async fn state(&self) -> Result<Vec<u8>> {
        self.trainer.state().await
    }

    /// The present weights.
    pub fn classifier(&self) -> Classifier {
        self.trainer.classifier()
    }
}

/// What a model of this width learns well with (README, "Measured"); a head alone bears more.
fn learning_rate(hidden_size: usize, trainable_layers: Option<usize>) -> f64 {
    match (hidden_size, trainable_layers) {
        (_, Some(0)) => 3e-3,
        (0..=192, _) => 1e-3,
        (0..=512, _) => 1e-4,
        _ => 5e-5,
    }
}

fn recipe(settings: TrainSettings, hidden_size: usize) -> TrainConfig {
    let preset = TrainConfig::default();
    let usual = || learning_rate(hidden_size, settings.trainable_layers);
    TrainConfig {
        epochs: settings.epochs.unwrap_or(preset.epochs),
        batch_size: settings.batch_size.unwrap_or(preset.batch_size),
        learning_rate: settings.learning_rate.unwrap_or_else(usual),
        seed: settings.seed.unwrap_or(preset.seed),
        trainable_layers: settings.trainable_layers,
        ..preset
    }
}
