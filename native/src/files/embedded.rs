//! The embedded default: the small model, data and classifier that come with the repository.
//!
//! They are looked for from the working directory, then from the executable upwards, then where
//! this binary was built.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use emberlab_core::train::TrainConfig;

use super::hub::{self, Kind};

/// A pretrained BERT to fine-tune.
pub const MODEL: &str = "models/bert-tiny";
/// Labelled sentences: `train.jsonl`, `eval.jsonl`, `test.jsonl`.
pub const DATA: &str = "data/emotions";
/// [`MODEL`] fine-tuned on [`DATA`].
pub const CLASSIFIER: &str = "models/emotions";
/// Where training on [`DATA`] writes when nothing else is said.
pub const OUT: &str = "runs/emotions";

/// Hyperparameters for [`MODEL`]: a small model wants more and larger steps than a base-size BERT.
pub fn recipe() -> TrainConfig {
    TrainConfig { epochs: 5, batch_size: 32, learning_rate: 1e-3, ..TrainConfig::default() }
}

/// The folder `name` ([`MODEL`], [`DATA`] or [`CLASSIFIER`]).
///
/// # Errors
/// It is not there; the message names `flag`, which says what to use instead.
pub fn find(name: &str, flag: &str) -> Result<PathBuf> {
    candidates().map(|root| root.join(name)).find(|folder| folder.is_dir()).with_context(|| {
        format!("the embedded {name} was not found here or beside emberlab; run in the repository, or give {flag}")
    })
}

/// The model folder that was named (see [`hub::folder`]), or [`MODEL`].
///
/// # Errors
/// It is not there.
pub fn model(named: Option<&Path>) -> Result<PathBuf> {
    match named {
        Some(folder) => hub::folder(folder, Kind::Model),
        None => find(MODEL, "--model DIR"),
    }
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let executable = env::current_exe().unwrap_or_default();
    let ancestors: Vec<PathBuf> = executable.ancestors().skip(1).map(Path::to_owned).collect();
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned);
    std::iter::once(PathBuf::new()).chain(ancestors).chain(built_in)
}
