//! How much memory a training takes, and how much there is.

use std::fmt;

use anyhow::{Result, bail};
use emberlab_core::model::{BertConfig, Family};
use emberlab_core::train::TrainConfig;

use super::cuda;
use super::device::ChosenDevice;
use super::system::Free;
use crate::terminal::{bytes, note};

const F32: usize = size_of::<f32>();

/// Bytes, about.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    pub weights: usize,
    pub gradients: usize,
    /// AdamW's two means.
    pub optimizer: usize,
    /// What a forward pass keeps for the backward one, of `rows` rows of `tokens` tokens each.
    pub activations: usize,
    pub rows: usize,
    pub tokens: usize,
}

/// What decides how much memory a training takes.
pub struct Training<'a> {
    pub config: &'a BertConfig,
    pub parameters: usize,
    /// Those that are trained.
    pub trained: usize,
    /// The tokens of the longest row.
    pub longest: usize,
    /// Whether our kernels compute, which keep only what they cannot compute again.
    pub own_kernels: bool,
    /// Whether the last layer is computed of each row's first token alone.
    pub first_only: bool,
}

impl Training<'_> {
    /// Of batches of `rows` rows.
    pub fn estimate(&self, recipe: &TrainConfig, rows: usize) -> Estimate {
        let passes = if recipe.loss.r_drop_alpha > 0.0 { 2 } else { 1 };
        Estimate {
            weights: self.parameters * F32,
            gradients: self.trained * F32,
            optimizer: 2 * self.trained * F32,
            activations: passes * rows * self.longest * self.bytes_of_a_token(recipe),
            rows,
            tokens: self.longest,
        }
    }

    fn bytes_of_a_token(&self, recipe: &TrainConfig) -> usize {
        let BertConfig { hidden_size: hidden, intermediate_size: wide, .. } = self.config;
        let layers = self.config.num_hidden_layers;
        let kept = recipe.trainable_layers.map_or(layers, |trained| trained.min(layers));
        // Of a layer: its input, query, key and value, the context, what adds to the residual and the
        // norm's output, twice; the widened, before and after GELU.
        let floats = match self.config.family {
            Family::ModernBert => 20 * hidden + 6 * wide,
            _ => 8 * hidden + 2 * wide,
        };
        // Burn's operations keep each result, and the scores of all heads.
        let floats = match self.own_kernels {
            true => floats,
            false => 2 * floats + 4 * self.config.num_attention_heads * self.longest,
        };
        // The last layer needs keys and values of all tokens. Below the layers are the embeddings.
        let last = if self.first_only { 4 * hidden } else { floats };
        (kept.saturating_sub(1) * floats + last + 4 * hidden) * F32
    }
}

impl Estimate {
    /// Beside the weights, which are there when it is asked.
    fn beside_weights(&self) -> usize {
        self.gradients + self.optimizer + self.activations
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |number: usize| bytes(number as u64);
        let Self { weights, gradients, optimizer, activations, rows, tokens } = *self;
        write!(
            f,
            "about {}: weights {}, gradients {}, AdamW {}, activations {} ({rows} × {tokens} tokens)",
            shown(weights + self.beside_weights()),
            shown(weights),
            shown(gradients),
            shown(optimizer),
            shown(activations)
        )
    }
}

/// Whether an error is one of memory, as libraries and drivers say it.
pub fn ran_out(said: &str) -> bool {
    let said = said.to_lowercase();
    let ways = [
        // The system, the drivers and CubeCL.
        "out of memory",
        "out-of-memory",
        "out_of_memory",
        "outofmemory",
        "out of device memory",
        "can't allocate buffer",
        // Rust's allocator, the C library, and wgpu.
        "memory allocation of",
        "cannot allocate memory",
        "not enough memory",
    ];
    ways.iter().any(|way| said.contains(way))
}

/// The memory that is free on a device, in bytes, where the system or the driver says.
pub fn free(device: &ChosenDevice) -> Option<Free> {
    match device.kind.strip_prefix("cuda:") {
        Some(index) => cuda::free_memory(index).map(|bytes| Free { bytes, limit: "the GPU" }),
        None if device.kind == "cpu" => Free::now(),
        None => None,
    }
}

/// The recipe with batches that fit into what is free: where it asks for it, `batch_size` is divided and
/// `gradient_accumulation_steps` multiplied until they do, so that as many rows make a step.
///
/// # Errors
/// Not even a single row fits.
pub fn fit(
    recipe: &mut TrainConfig,
    training: &Training<'_>,
    free: Option<&Free>,
    may_change: bool,
) -> Result<Estimate> {
    let asked = training.estimate(recipe, recipe.batch_size);
    let Some(Free { bytes: free, limit }) = free else { return Ok(asked) };
    let fits = |estimate: &Estimate| estimate.beside_weights() as u64 <= *free;
    if fits(&asked) {
        return Ok(asked);
    }
    let (needed, there) = (bytes(asked.beside_weights() as u64), bytes(*free));
    if !may_change {
        note(format_args!(
            "note: batches of {} rows may take {needed} more; {limit} has {there}. --auto-find-batch-size makes them smaller",
            asked.rows
        ));
        return Ok(asked);
    }
    let before = recipe.batch_size;
    let mut estimate = asked;
    while !fits(&estimate) {
        if recipe.batch_size == 1 {
            bail!(too_large(&estimate, *free, limit));
        }
        let factor = smallest_factor(recipe.batch_size);
        recipe.batch_size /= factor;
        recipe.gradient_accumulation_steps *= factor;
        estimate = training.estimate(recipe, recipe.batch_size);
    }
    note(format_args!(
        "memory  batches of {before} rows may take {needed}, {limit} has {there}: {} rows × {} batches to a step",
        recipe.batch_size, recipe.gradient_accumulation_steps
    ));
    Ok(estimate)
}

/// What is wrong where one row is too much, and what would do.
fn too_large(estimate: &Estimate, free: u64, limit: &str) -> String {
    let fixed = (estimate.gradients + estimate.optimizer) as u64;
    let row = format!(
        "a batch of one row of {} tokens may take {}; {limit} has {}",
        estimate.tokens,
        bytes(estimate.beside_weights() as u64),
        bytes(free)
    );
    let of_a_token = (estimate.activations / estimate.tokens.max(1)).max(1) as u64;
    match free.saturating_sub(fixed) / of_a_token {
        tokens if tokens >= 8 => format!("{row}. --max-length {tokens} would fit"),
        _ => format!(
            "{row}, and {} go to gradients and AdamW alone. Train less of it: --freeze-layers N, or --lora-r 8",
            bytes(fixed)
        ),
    }
}

/// The least that divides `number`, itself but for 1.
pub fn smallest_factor(number: usize) -> usize {
    (2..).take_while(|n| n * n <= number).find(|n| number.is_multiple_of(*n)).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> BertConfig {
        let json = br#"{"vocab_size": 30522, "hidden_size": 128, "num_hidden_layers": 2,
            "num_attention_heads": 2, "intermediate_size": 512, "max_position_embeddings": 512}"#;
        BertConfig::from_json("config.json", json).unwrap()
    }

    fn fitted(batch_size: usize, free: u64) -> Result<(usize, usize)> {
        let config = config();
        let (parameters, trained) = (4_000_000, 4_000_000);
        let training = Training {
            config: &config,
            parameters,
            trained,
            longest: 128,
            own_kernels: true,
            first_only: true,
        };
        let mut recipe =
            TrainConfig { batch_size, gradient_accumulation_steps: 3, ..TrainConfig::default() };
        let free = Free { bytes: free, limit: "this machine" };
        fit(&mut recipe, &training, Some(&free), true)?;
        Ok((recipe.batch_size, recipe.gradient_accumulation_steps))
    }

    /// A row of 128 tokens takes 1.5 MiB, gradients and AdamW 45.8.
    #[test]
    fn as_many_rows_make_a_step_whatever_is_free() {
        let mib = 1 << 20;
        assert_eq!(fitted(32, 1000 * mib).unwrap(), (32, 3));
        assert_eq!(fitted(32, 80 * mib).unwrap(), (16, 6));
        assert_eq!(fitted(32, 55 * mib).unwrap(), (4, 24));
        assert_eq!(fitted(30, 80 * mib).unwrap(), (15, 6));
        assert_eq!(fitted(30, 60 * mib).unwrap(), (5, 18));
        assert_eq!(fitted(7, 48 * mib).unwrap(), (1, 21));
        let said = fitted(7, 47 * mib).unwrap_err().to_string();
        assert!(said.contains("one row of 128 tokens"), "{said}");
        assert!(said.contains("--max-length 104 would fit"), "{said}");
        let said = fitted(7, 20 * mib).unwrap_err().to_string();
        assert!(said.contains("--freeze-layers N, or --lora-r 8"), "{said}");
    }
}
