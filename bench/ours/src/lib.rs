//! What the in-process rows and the Criterion benches share: opening a folder, making rows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use emberlab_core::model::{Classifier, ModelFiles};
use emberlab_core::text::Encoding;
use emberlab_core::{Device, train::TrainConfig};

/// Opens a fine-tuned folder on the CPU.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn open(folder: &Path) -> Result<Classifier> {
    let mut files = Vec::new();
    for name in ModelFiles::NAMES {
        let path = folder.join(name);
        if path.is_file() {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            files.push((name.to_owned(), bytes));
        }
    }
    let files = ModelFiles::from_named(&folder.display().to_string(), files)?;
    let (classifier, _) = Classifier::open(&files, &Device::flex())?;
    Ok(classifier)
}

/// Rows of token ids as they are, of one segment.
pub fn encodings(rows: &[Vec<u32>]) -> Vec<Encoding> {
    let encoding = |ids: &Vec<u32>| Encoding {
        ids: ids.clone(),
        type_ids: vec![0; ids.len()],
        truncated: false,
    };
    rows.iter().map(encoding).collect()
}

/// The recipe of a measured training step: enough epochs never to end, and no warm-up.
///
/// # Errors
/// There are no rows to train on.
pub fn endless_recipe(rows: usize, batch_size: usize) -> Result<TrainConfig> {
    if rows == 0 || !rows.is_multiple_of(batch_size) {
        bail!("{rows} rows are no whole number of batches of {batch_size}");
    }
    Ok(TrainConfig { epochs: 1_000_000, batch_size, warmup_ratio: 0.0, ..TrainConfig::default() })
}
