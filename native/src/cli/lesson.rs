//! The flags of `lesson`.

use std::path::PathBuf;

use clap::Args;
use emberlab_core::train::Schedule;

use super::DeviceArg;
use super::values::{positive, schedule};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab lesson --data rows.csv | jq .weights

One batch of all rows, without dropout: tokens, masks, logits, losses, gradients, one optimizer step, and a run of
--steps steps. The page's lesson shows the same numbers.")]
pub struct LessonArgs {
    /// Labelled rows, at most 64
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Model folder to start from [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Optimizer steps of the run
    #[arg(long, value_name = "N", default_value = "12", value_parser = positive())]
    pub steps: usize,
    /// Highest learning rate of AdamW
    #[arg(long, value_name = "RATE", default_value_t = 0.005)]
    pub learning_rate: f64,
    /// Part of all steps in which the learning rate rises from 0
    #[arg(long, value_name = "PART", default_value_t = 0.25)]
    pub warmup_ratio: f64,
    /// How the learning rate falls after the warm-up
    #[arg(long, value_name = "SHAPE", default_value = "linear", value_parser = schedule())]
    pub schedule: Schedule,
    /// Let the gradients of all steps add up
    #[arg(long)]
    pub no_zero_grad: bool,
    /// Seed of a new head
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
    #[command(flatten)]
    pub device: DeviceArg,
}
