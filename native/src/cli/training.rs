//! More flags of `train`: how the learning rate runs, what is trained, and which weights are kept. Named
//! as in transformers' `TrainingArguments` and `EarlyStoppingCallback`, and in peft's `LoraConfig`.

use clap::Args;
use emberlab_core::train::LoraConfig;

use super::values::positive;

/// The flags of the recipe that few runs need.
#[derive(Debug, Default, Args)]
pub struct CourseArgs {
    /// Optimizer steps of the whole run, whatever --epochs says
    #[arg(long, value_name = "N")]
    pub max_steps: Option<usize>,
    /// Steps in which the learning rate rises from 0, whatever --warmup-ratio says
    #[arg(long, value_name = "N", conflicts_with = "warmup_ratio")]
    pub warmup_steps: Option<usize>,
    /// Learning rate at the end of a polynomial schedule [default: 1e-7]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub lr_end: Option<f64>,
    /// Power of a polynomial schedule [default: 1]
    #[arg(long, value_name = "POWER", allow_negative_numbers = true)]
    pub power: Option<f64>,
    /// What the learning rate of a layer is of that of the layer above, as for ELECTRA; 0.8 to 0.95 is
    /// usual [default: 1, none]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true)]
    pub layerwise_lr_decay: Option<f64>,
    /// α of R-Drop: two passes with different dropout have to agree; 1 to 5 is usual [default: 0, none]
    #[arg(long, value_name = "ALPHA", allow_negative_numbers = true)]
    pub r_drop_alpha: Option<f64>,
    /// Multiply in bfloat16 in linear layers, as tensor cores do; all else and the weights themselves stay in
    /// f32. On the CPU the same rounding, but slower
    #[arg(long)]
    pub bf16: bool,
    /// Do not train the embeddings
    #[arg(long)]
    pub freeze_embeddings: bool,
    /// Do not train the first N layers, nor the embeddings
    #[arg(long, value_name = "N")]
    pub freeze_layers: Option<usize>,
    /// Where memory does not suffice, halve --batch-size and double --gradient-accumulation-steps until
    /// it does: as many rows make a step. It is estimated, and tried with the largest step
    #[arg(long)]
    pub auto_find_batch_size: bool,
    /// Take the largest step and end: how `trial.rs` tries whether it fits. With so many rows a batch and
    /// batches a step, or as the estimate says
    #[arg(long, value_name = "ROWS,BATCHES", value_delimiter = ',', num_args = 0..=2, hide = true)]
    pub trial: Option<Vec<usize>>,
}

/// Low-rank adapters.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "LoRA (the run folder is one of peft, and not a whole model)")]
pub struct LoraArgs {
    /// Train adapters of this rank beside the encoder's weights, and the head; 8 is usual
    #[arg(long, value_name = "R", conflicts_with_all = ["freeze_layers", "freeze_embeddings"])]
    pub lora_r: Option<usize>,
    /// What adapters add is multiplied by ALPHA / R [default: 8]
    #[arg(long, value_name = "ALPHA", requires = "lora_r")]
    pub lora_alpha: Option<usize>,
    /// Dropout of what goes into adapters [default: 0]
    #[arg(long, value_name = "PART", requires = "lora_r", allow_negative_numbers = true)]
    pub lora_dropout: Option<f64>,
    /// Linear layers that get an adapter, as `query,value` or all-linear [default: queries and values]
    #[arg(long, value_name = "NAMES", requires = "lora_r", value_delimiter = ',')]
    pub lora_target_modules: Vec<String>,
}

impl LoraArgs {
    pub fn config(&self) -> Option<LoraConfig> {
        let usual = LoraConfig::default();
        Some(LoraConfig {
            r: self.lora_r?,
            lora_alpha: self.lora_alpha.unwrap_or(usual.lora_alpha),
            lora_dropout: self.lora_dropout.unwrap_or(usual.lora_dropout),
            target_modules: self.lora_target_modules.clone(),
        })
    }
}

/// When it is measured how good the weights are, and what follows.
#[derive(Debug, Default, Args)]
pub struct BestArgs {
    /// Steps between two evaluations on the evaluation rows [default: once an epoch]
    #[arg(long, value_name = "N", value_parser = positive())]
    pub eval_steps: Option<usize>,
    /// What the best weights are best in: a figure of the evaluation, or loss [default: macro_f1, micro_f1
    /// of multi-label sets, pearson of scores, f1 of tags and answers]
    #[arg(long, value_name = "METRIC")]
    pub metric_for_best_model: Option<String>,
    /// Save the weights of the best evaluation instead of the last ones
    #[arg(long)]
    pub load_best_model_at_end: bool,
    /// Stop after N evaluations without a better one
    #[arg(long, value_name = "N", value_parser = positive())]
    pub early_stopping_patience: Option<usize>,
    /// By how much an evaluation has to be better for that [default: 0]
    #[arg(long, value_name = "BY", requires = "early_stopping_patience")]
    pub early_stopping_threshold: Option<f64>,
}
