//! The flags of `pretrain` and `fill-mask`.

use std::path::PathBuf;

use clap::Args;
use emberlab_core::model::StorageDtype;
use emberlab_core::train::{LossConfig, Schedule, TrainConfig};

use crate::cli::values::{positive, schedule, storage_dtype};
use crate::cli::{DeviceArg, SaveArgs};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab corpus books/anatomy.txt --out corpora/anatomy
  emberlab pretrain --model DIR --corpus corpora/anatomy --guard test.jsonl --out runs/anatomy
  emberlab pretrain --model DIR --from-scratch --corpus corpora/anatomy --out runs/new
  emberlab pretrain --resume runs/anatomy

The folder it writes is transformers' BertForMaskedLM; emberlab train and emberlab grade begin with it as
with any other model. Masks: whole words, 80 % [MASK], 10 % another piece, 10 % as they are, others in
each epoch. The held-out loss is in bits for each character of the masked words, which are the same
words for every vocabulary.")]
pub struct PretrainArgs {
    /// Model folder to start from [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Take config.json and tokenizer of --model alone, and start with new weights
    #[arg(long)]
    pub from_scratch: bool,
    /// Folder that `emberlab corpus` wrote
    #[arg(long, value_name = "DIR", required_unless_present = "resume", requires = "out")]
    pub corpus: Option<PathBuf>,
    /// More corpora, whose held-out parts are measured too, before and after
    #[arg(long, value_name = "DIR", num_args = 1..)]
    pub measure: Vec<PathBuf>,
    /// Data sets no text of which the corpus may contain, such as test sets
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub guard: Vec<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace --out if it is an earlier run folder
    #[arg(long)]
    pub overwrite: bool,
    /// Go on with the run in this folder from its newest checkpoint, with the arguments that it was
    /// started with; ends in the very weights of a run that was never interrupted
    #[arg(long, value_name = "DIR", exclusive = true)]
    pub resume: Option<PathBuf>,
    /// Tokens of a row, into which sentences are packed [default: 128, or what the model can read if
    /// that is less]
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Part of the tokens that is masked
    #[arg(long, value_name = "PART", default_value = "0.15")]
    pub mlm_probability: f64,
    /// How model.safetensors stores the weights: f32, f16 or bf16
    #[arg(long, value_name = "DTYPE", default_value = "f32", value_parser = storage_dtype())]
    pub dtype: StorageDtype,
    /// Steps between two entries of the loss in metrics.jsonl
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive())]
    pub logging_steps: usize,
    #[command(flatten)]
    pub save: SaveArgs,
    #[command(flatten)]
    pub device: DeviceArg,
    #[command(flatten)]
    pub recipe: PretrainRecipe,
}

/// The hyperparameters.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Recipe")]
pub struct PretrainRecipe {
    /// Passes over the corpus
    #[arg(long, value_name = "N", default_value = "3")]
    pub epochs: usize,
    /// Rows in a batch
    #[arg(long, value_name = "N", default_value = "16")]
    pub batch_size: usize,
    /// Batches whose gradients make one optimizer step
    #[arg(long, value_name = "N", default_value = "1")]
    pub gradient_accumulation_steps: usize,
    /// Highest learning rate of AdamW
    #[arg(long, value_name = "RATE", default_value = "1e-4")]
    pub learning_rate: f64,
    /// How the learning rate falls after the warm-up
    #[arg(long, value_name = "SHAPE", default_value = "linear", value_parser = schedule())]
    pub schedule: Schedule,
    /// Part of all steps in which the learning rate rises from 0
    #[arg(long, value_name = "PART", default_value = "0.06")]
    pub warmup_ratio: f64,
    /// AdamW's weight decay; none on biases and LayerNorm
    #[arg(long, value_name = "DECAY", default_value = "0.01")]
    pub weight_decay: f64,
    /// Gradients are scaled down to this global norm
    #[arg(long, value_name = "NORM", default_value = "1.0")]
    pub max_grad_norm: f64,
    /// Seed of the masks, the shuffle, the dropout and new weights
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
}

impl PretrainRecipe {
    pub fn config(&self) -> TrainConfig {
        TrainConfig {
            epochs: self.epochs,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            warmup_ratio: self.warmup_ratio,
            schedule: self.schedule,
            max_grad_norm: self.max_grad_norm,
            gradient_accumulation_steps: self.gradient_accumulation_steps,
            seed: self.seed,
            loss: LossConfig::default(),
            ..TrainConfig::default()
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab fill-mask --model runs/anatomy 'The heart pumps [MASK] through the body.'
  emberlab fill-mask --model models/bert-tiny --compare runs/anatomy 'The [MASK] filters blood.'")]
pub struct FillMaskArgs {
    /// Texts with one [MASK] or more
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// Folder of a masked language model [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Another one, whose guesses stand beside the first one's
    #[arg(long, value_name = "DIR")]
    pub compare: Option<PathBuf>,
    /// Guesses for each mask
    #[arg(long, value_name = "K", default_value = "5", value_parser = positive())]
    pub top_k: usize,
    /// Print JSON, an object for each mask
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub device: DeviceArg,
}
