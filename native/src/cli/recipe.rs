//! The flags of the recipe, named as in transformers' `TrainingArguments` where it has them.

use clap::{Args, ValueEnum};
use emberlab_core::train::Schedule;

use super::values::schedule;
use super::{CourseArgs, LoraArgs};

/// The hyperparameters; what is not given comes from [`crate::files::embedded::recipe`] or
/// `TrainConfig::default()`.
#[derive(Debug, Default, Args)]
#[command(
    next_help_heading = "Recipe (the embedded model has its own defaults, shown by --dry-run)"
)]
pub struct RecipeArgs {
    /// Passes over the training rows [default: 3]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Rows in a batch [default: 32]
    #[arg(long, value_name = "N")]
    pub batch_size: Option<usize>,
    /// Batches whose gradients make one optimizer step [default: 1]
    #[arg(long, value_name = "N")]
    pub gradient_accumulation_steps: Option<usize>,
    /// Highest learning rate of AdamW [default: 5e-5]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub learning_rate: Option<f64>,
    /// How the learning rate goes on after the warm-up; `constant` has none [default: linear]
    #[arg(long, visible_alias = "lr-scheduler-type", value_name = "SHAPE", value_parser = schedule())]
    pub schedule: Option<Schedule>,
    /// Part of all steps in which the learning rate rises from 0 [default: 0.1]
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    pub warmup_ratio: Option<f64>,
    /// AdamW's weight decay; none on biases and LayerNorm [default: 0.01]
    #[arg(long, value_name = "DECAY", allow_negative_numbers = true)]
    pub weight_decay: Option<f64>,
    /// Gradients are scaled down to this global norm [default: 1.0]
    #[arg(long, value_name = "NORM", allow_negative_numbers = true)]
    pub max_grad_norm: Option<f64>,
    /// Weights of the classes in the loss: balanced makes all count alike
    #[arg(long, value_name = "WEIGHTS")]
    pub class_weights: Option<ClassWeights>,
    /// γ of a focal loss, which looks away from rows that are learned; 2 is usual [default: 0, none]
    #[arg(long, value_name = "GAMMA", allow_negative_numbers = true)]
    pub focal_gamma: Option<f64>,
    /// Part of the truth that is spread over all classes [default: 0]
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    pub label_smoothing_factor: Option<f64>,
    /// Seed of the shuffle, the dropout and a new classification head [default: 42]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub course: CourseArgs,
    #[command(flatten)]
    pub lora: LoraArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClassWeights {
    Balanced,
}
