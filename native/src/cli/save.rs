//! The flags that say when checkpoints are written, named as in transformers' `TrainingArguments`
//! where it has them.

use clap::Args;

use super::values::{minutes, positive};

#[derive(Debug, Args)]
pub struct SaveArgs {
    /// Steps between two checkpoints [default: by time, see --save-minutes]
    #[arg(long, value_name = "N", value_parser = positive(), conflicts_with = "save_minutes")]
    pub save_steps: Option<usize>,
    /// Minutes between two checkpoints
    #[arg(long, value_name = "M", default_value = "5", value_parser = minutes())]
    pub save_minutes: f64,
    /// The newest checkpoints to keep, beside the best on the evaluation rows
    #[arg(long, value_name = "K", default_value = "2", value_parser = positive())]
    pub save_total_limit: usize,
}
