//! What the in-process rows and the Criterion benches share: opening a folder, making rows.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};
use emberlab_core::model::{Classifier, ModelFiles, Source};
use emberlab_core::text::Encoding;
use emberlab_core::{Device, train::TrainConfig};

/// Opens a fine-tuned folder on the CPU.
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn open(folder: &Path) -> Result<Classifier> {
    let path = |name: &str| folder.join(name);
    let cannot_read = |name: &str| format!("cannot read {}", path(name).display());
    let weights = File::open(path(ModelFiles::WEIGHTS));
    let weights = Source::File(weights.with_context(|| cannot_read(ModelFiles::WEIGHTS))?);
    let weights = vec![(ModelFiles::WEIGHTS.to_owned(), weights)];
    let named = ModelFiles::NAMES.into_iter();
    let named = named.filter(|&name| name != ModelFiles::WEIGHTS && path(name).is_file());
    let read = |name: &str| {
        Ok((name.to_owned(), fs::read(path(name)).with_context(|| cannot_read(name))?))
    };
    let files = named.map(read).collect::<Result<_>>()?;
    let files = ModelFiles::new(&folder.display().to_string(), files, weights)?;
    let (classifier, _) = Classifier::open(&files, &Device::flex())?;
    Ok(classifier)
}

/// Rows of token ids as they are, of one segment.
pub fn encodings(rows: &[Vec<u32>]) -> Vec<Encoding> {
    let encoding = |ids: &Vec<u32>| Encoding {
        ids: ids.clone(),
        type_ids: vec![0; ids.len()],
        ..Encoding::default()
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
