//! Fine-tuning, one optimizer step at a time.

mod adamw;
mod clip;
mod config;
mod gradients;
mod loss;
mod row_file;
mod rows;
mod schedule;
mod step_gradients;
mod trainer;

pub use adamw::AdamWConfig;
pub use config::TrainConfig;
pub use gradients::gradients;
pub use row_file::{RowFile, RowFileWriter};
pub use rows::{LabelledRows, Rows};
pub use schedule::Schedule;
pub use trainer::{StepInfo, Trainer};
