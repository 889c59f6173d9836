//! Fine-tuning the open model, a few steps to a request, so that the page can draw and stop it.

use super::{answer::in_words, now};
use crate::messages::{Response, TrainSettings, Trained};
use emberlab_core::{
    Result,
    model::Classifier,
    train::{TrainConfig, Trainer},
};

pub struct Training {
    trainer: Trainer,
    /// The epoch of the last step, from 0.
    epoch: usize,
}

impl Training {
    pub fn start(
        classifier: Classifier,
        texts: &[String],
        labels: Vec<usize>,
        settings: TrainSettings,
    ) -> std::result::Result<Self, String> {
        let positions = classifier.max_length();
        let max_length = settings.max_length.map_or(positions, |length| length.min(positions));
        let encodings = classifier.tokenizer().encode_all(texts, max_length).map_err(in_words)?;
        let config = recipe(settings);
        let trainer = Trainer::new(classifier, encodings, labels, config).map_err(in_words)?;
        Ok(Self { trainer, epoch: 0 })
    }

    pub fn started(&self) -> Response {
        Response::TrainStarted {
            total_steps: self.trainer.total_steps(),
            steps_per_epoch: self.trainer.steps_per_epoch(),
        }
    }

    /// Does `count` steps, fewer at the end of the run. The loss is read once, at their end.
    pub async fn steps(&mut self, count: usize) -> Result<Trained> {
        let start = now();
        for _ in 0..count {
            if self.trainer.is_done() {
                break;
            }
            self.epoch = self.trainer.step().epoch;
        }
        let loss = self.trainer.read_loss().await?;
        Ok(Trained {
            step: self.trainer.step_count(),
            epoch: self.epoch,
            loss,
            done: self.trainer.is_done(),
            milliseconds: now() - start,
        })
    }

    /// The present weights.
    pub fn classifier(&self) -> Classifier {
        self.trainer.classifier()
    }
}

fn recipe(settings: TrainSettings) -> TrainConfig {
    let preset = TrainConfig::default();
    TrainConfig {
        epochs: settings.epochs.unwrap_or(preset.epochs),
        batch_size: settings.batch_size.unwrap_or(preset.batch_size),
        learning_rate: settings.learning_rate.unwrap_or(preset.learning_rate),
        seed: settings.seed.unwrap_or(preset.seed),
        ..preset
    }
}
