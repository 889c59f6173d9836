//! Fine-tuning, one optimizer step at a time.

mod adamw;
mod clip;
mod config;
mod gradients;
mod layer_rates;
mod lesson;
mod loss;
mod masked_rows;
mod pairs;
mod row_file;
mod row_words;
mod rows;
mod schedule;
mod state;
mod step_gradients;
mod step_info;
mod targets;
mod trainable;
mod trainer;
mod windows;

pub use config::TrainConfig;
pub use gradients::gradients;
pub use lesson::{Lesson, LessonRow, LessonStep, PartGradient, WeightChange, lesson};
pub use loss::LossConfig;
pub(crate) use loss::surprise;
pub use masked_rows::{MaskedRows, Masking};
pub use pairs::{PairRows, PairTrainer};
pub use row_file::{RowFile, RowFileWriter};
pub use rows::{LabelledRows, Rows};
pub use schedule::Schedule;
pub(crate) use state::is_of_optimizer;
pub use step_info::StepInfo;
pub use trainer::Trainer;

pub use crate::model::LoraConfig;
