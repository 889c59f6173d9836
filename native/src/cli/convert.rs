//! The flags of `convert`.

use std::path::PathBuf;

use clap::Args;
use emberlab_core::model::StorageDtype;

use super::values::storage_dtype;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab convert --model runs/mine --out runs/mine-f16 --dtype f16
  emberlab convert --merge --model runs/lora --out runs/whole      a model without adapters (LoRA)

Tensors get the names that transformers writes today, a stored `position_ids` is dropped, and the
other files are copied.")]
pub struct ConvertArgs {
    /// Model folder to read
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Model folder to write; must not exist or be empty
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// How model.safetensors stores the weights: f32, f16 or bf16; required without --merge
    #[arg(long, value_name = "DTYPE", value_parser = storage_dtype(), required_unless_present = "merge")]
    pub dtype: Option<StorageDtype>,
    /// Add adapters (LoRA) to the weights that they adapt; --dtype is then f32 unless given
    #[arg(long)]
    pub merge: bool,
}
