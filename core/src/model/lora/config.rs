//! What adapters are to be like.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Named and preset as `peft.LoraConfig`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraConfig {
    /// The rank.
    pub r: usize,
    /// What an adapter adds is multiplied by `lora_alpha / r`.
    pub lora_alpha: usize,
    /// Of what goes into an adapter.
    pub lora_dropout: f64,
    /// The names of the encoder's linear layers that get one, as they end in its checkpoint;
    /// `all-linear` for all. Where there are none, those that peft takes: queries and values.
    pub target_modules: Vec<String>,
}

impl Default for LoraConfig {
    fn default() -> Self {
        Self { r: 8, lora_alpha: 8, lora_dropout: 0.0, target_modules: Vec::new() }
    }
}

impl LoraConfig {
    /// # Errors
    /// [`Error::BadSetting`] naming the first value out of range.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |name, value: String, expected: &str| {
            Err(Error::BadSetting { name, value, reason: format!("expected {expected}") })
        };
        if !(1..=4096).contains(&self.r) {
            return bad("lora_r", self.r.to_string(), "1 to 4096");
        }
        if !(1..=1_000_000).contains(&self.lora_alpha) {
            return bad("lora_alpha", self.lora_alpha.to_string(), "1 to 1000000");
        }
        if !(0.0..1.0).contains(&self.lora_dropout) {
            return bad("lora_dropout", self.lora_dropout.to_string(), "0 to below 1");
        }
        Ok(())
    }

    pub(super) fn scale(&self) -> f64 {
        self.lora_alpha as f64 / self.r as f64
    }
}
