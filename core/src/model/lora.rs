//! LoRA (Hu et al. 2021, <https://arxiv.org/abs/2106.09685>), in the names, the folder format and with
//! the initialisation of Hugging Face's `peft`.

mod attach;
mod config;
mod low_rank;
mod merge;
mod peft;

pub use config::LoraConfig;
pub(super) use low_rank::LowRank;
pub(super) use merge::{Adapters, Scaling, add_product};
pub(super) use peft::write;
