//! Which checkpoints are whole, by their manifests, and which of them a run goes on from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FOLDER, MANIFEST, path_of, steps_of};
use crate::files::{self, METRICS};
use crate::terminal::note;

/// What a checkpoint is made of.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Steps taken.
    pub step: usize,
    /// How good these very weights are on the evaluation rows (`Watch::quality`); none where they were not
    /// measured.
    pub quality: Option<f64>,
    pub files: BTreeMap<String, Part>,
}

/// One file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    bytes: u64,
    sha256: String,
}

impl Part {
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: format!("{:x}", Sha256::digest(bytes)) }
    }

    fn of_file(path: &Path) -> Result<Self> {
        let sha256 = files::sha256([path])?;
        Ok(Self { bytes: files::open(path)?.metadata()?.len(), sha256 })
    }
}

/// The newest checkpoint of a run folder that is whole; each newer one that is not is named. `needed` says by its
/// `metrics.jsonl` which earlier one the end of the run will need: where that is damaged, the run goes on from one
/// before it, which makes it again, if there is such.
pub fn newest(
    run_folder: &Path,
    needed: &dyn Fn(&[u8]) -> Option<usize>,
) -> Option<(PathBuf, Manifest)> {
    let folder = run_folder.join(FOLDER);
    let (mut newest, mut below) = (None, usize::MAX);
    for step in steps_of(&folder) {
        let path = path_of(&folder, step);
        let pass_over = |error: anyhow::Error| {
            note(format_args!("note: passing over {}: {error:#}", path.display()));
        };
        if step >= below {
            continue;
        }
        let manifest = match verify(&path, step) {
            Ok(manifest) => manifest,
            Err(error) => {
                pass_over(error);
                continue;
            }
        };
        let metrics = files::read(&path.join(METRICS)).unwrap_or_default();
        let lacks = needed(&metrics).filter(|best| *best < step);
        let Some((best, error)) =
            lacks.and_then(|best| Some((best, whole(run_folder, best).err()?)))
        else {
            return Some((path, manifest));
        };
        pass_over(error.context(format!("the best weights, of step {best}, are damaged")));
        newest.get_or_insert((path, manifest));
        below = best;
    }
    if newest.is_some() {
        note("note: there is none before them; going on all the same");
    }
    newest
}

/// The checkpoint after `step`, if it is there and whole.
pub fn whole(run_folder: &Path, step: usize) -> Result<PathBuf> {
    let path = path_of(&run_folder.join(FOLDER), step);
    verify(&path, step)?;
    Ok(path)
}

/// Whether each file of a checkpoint is as it was written.
fn verify(path: &Path, step: usize) -> Result<Manifest> {
    let manifest = manifest(path)?;
    if manifest.step != step {
        bail!("{MANIFEST} is of step {}", manifest.step);
    }
    for (name, part) in &manifest.files {
        let found = Part::of_file(&path.join(name))?;
        ensure!(
            found == *part,
            "{name} is not as it was written (bytes {}, now {}; SHA-256 {}, now {})",
            part.bytes,
            found.bytes,
            part.sha256,
            found.sha256
        );
    }
    Ok(manifest)
}

pub fn manifest(path: &Path) -> Result<Manifest> {
    let bytes = files::read(&path.join(MANIFEST))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{MANIFEST} is damaged"))
}
