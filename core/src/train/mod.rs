//! Fine-tuning, one optimizer step at a time.

mod adamw;
mod clip;
mod config;
mod gradients;
mod loss;
mod schedule;
mod state;
mod step_gradients;
mod targets;
mod trainer;

pub use adamw::AdamWConfig;
pub use config::TrainConfig;
pub use gradients::gradients;
pub use loss::LossConfig;
pub use schedule::Schedule;
pub(crate) use state::is_of_optimizer;
pub use trainer::{StepInfo, Trainer};
