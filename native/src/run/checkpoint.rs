//! Checkpoints: the run folder as it would be if training ended now, with the whole state of the
//! training for weights, and a manifest by which a damaged one is known.
//!
//! Each is written under a hidden name, synced to the disk and renamed; the one before is only then
//! let go. `checkpoints/checkpoint-500` is what the run was after step 500.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use emberlab_core::model::ModelFiles;
use emberlab_core::train::Trainer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::folder::RunFolder;
use crate::cli::SaveArgs;
use crate::files::staged::{self, StagedFolder};
use crate::files::{self, METRICS, RUN_FILE};
use crate::terminal::{json, note, short};

/// The folder of the checkpoints in a run folder.
pub const FOLDER: &str = "checkpoints";
/// Written last, so that without it a checkpoint is not whole.
const MANIFEST: &str = "manifest.json";
/// The beginning of a checkpoint's name, as transformers has it.
const NAME: &str = "checkpoint-";
/// An evaluation that is the best so far is worth a checkpoint once this part of the interval has
/// passed.
const BEST: f64 = 0.2;

/// What a checkpoint is made of.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Steps taken.
    pub step: usize,
    /// How good these very weights are on the evaluation rows (`Watch::quality`); none where they were not
    /// measured.
    pub quality: Option<f64>,
    files: BTreeMap<String, Part>,
}

/// One file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    bytes: u64,
    sha256: String,
}

/// What a checkpoint holds beside the files of the model: the state of the training for weights, and the run's
/// history and record as they are now.
pub fn contents(
    trainer: &Trainer,
    folder: &RunFolder,
    record: &impl Serialize,
) -> Result<[(String, Vec<u8>); 3]> {
    Ok([
        (ModelFiles::WEIGHTS.to_owned(), pollster::block_on(trainer.state())?),
        (METRICS.to_owned(), folder.metrics()?),
        (RUN_FILE.to_owned(), json(record)?.into_bytes()),
    ])
}

/// The checkpoints of a run under way.
pub struct Checkpoints {
    folder: PathBuf,
    every: Interval,
    limit: usize,
    /// Whether each evaluation that is the best so far is worth one.
    keeps_best: bool,
    last: Instant,
    last_step: usize,
    /// Steps and figures of those that are there, oldest first.
    kept: Vec<(usize, Option<f64>)>,
}

enum Interval {
    Steps(usize),
    Time(Duration),
}

impl Checkpoints {
    /// Of the run in `run_folder`, which goes on after `step`. Where `keeps_best`, the weights of the best
    /// evaluation are always among them.
    pub fn new(run_folder: &Path, args: &SaveArgs, step: usize, keeps_best: bool) -> Self {
        let folder = run_folder.join(FOLDER);
        let every = match args.save_steps {
            Some(steps) => Interval::Steps(steps),
            None => Interval::Time(Duration::from_secs_f64(args.save_minutes * 60.0)),
        };
        let earlier = steps_of(&folder).into_iter().rev().filter(|&known| known <= step);
        let kept = earlier.filter_map(|step| {
            let manifest = manifest(&path_of(&folder, step)).ok()?;
            Some((step, manifest.quality))
        });
        let kept = kept.collect();
        Self {
            folder,
            every,
            limit: args.save_total_limit,
            keeps_best,
            last: Instant::now(),
            last_step: step,
            kept,
        }
    }

    /// Whether it is time for one after `step`, whose weights have this quality if they were
    /// measured.
    pub fn is_due(&self, step: usize, quality: Option<f64>) -> bool {
        let (is_time, passed) = match self.every {
            Interval::Steps(steps) => {
                (step.is_multiple_of(steps), (step - self.last_step) as f64 / steps as f64)
            }
            Interval::Time(time) => {
                let passed = self.last.elapsed().as_secs_f64() / time.as_secs_f64();
                (passed >= 1.0, passed)
            }
        };
        let is_best = quality.is_some() && quality > self.best();
        is_time || is_best && (self.keeps_best || passed >= BEST)
    }

    /// Whether the last one is of these very weights: the signal that ends a run may come while it is written.
    pub fn has(&self, step: usize, quality: Option<f64>) -> bool {
        self.kept.last() == Some(&(step, quality))
    }

    /// Writes one whole, then lets go of those that are neither among the newest nor the best, and
    /// says so. A full disk is no reason to end a training: the next is written when it is due.
    pub fn write(
        &mut self,
        step: usize,
        quality: Option<f64>,
        files: &[(String, Vec<u8>)],
    ) -> String {
        let started = Instant::now();
        let written = self.write_whole(step, quality, files);
        (self.last, self.last_step) = (Instant::now(), step);
        match written {
            Ok(()) => {
                self.kept.retain(|(known, _)| *known != step);
                self.kept.push((step, quality));
                self.let_go();
                format!("checkpoint after step {step}, written in {}", short(started.elapsed()))
            }
            Err(error) => format!("note: no checkpoint after step {step}: {error:#}"),
        }
    }

    fn write_whole(
        &self,
        step: usize,
        quality: Option<f64>,
        files: &[(String, Vec<u8>)],
    ) -> Result<()> {
        let target = path_of(&self.folder, step);
        if !target.join(RUN_FILE).is_file() && target.exists() {
            // So damaged that nothing would replace it.
            staged::remove_folder(&target)?;
        }
        // One that is there stays until the new one is whole: training goes past it again where it was damaged.
        let folder = StagedFolder::create(&target, true)?;
        let mut parts = BTreeMap::new();
        for (name, bytes) in files {
            folder.write(name, bytes)?;
            parts.insert(name.clone(), Part::of(bytes));
        }
        let manifest = Manifest { step, quality, files: parts };
        folder.write(MANIFEST, json(&manifest)?.as_bytes())?;
        folder.finish()
    }

    fn best(&self) -> Option<f64> {
        self.kept.iter().filter_map(|(_, quality)| *quality).max_by(f64::total_cmp)
    }

    fn let_go(&mut self) {
        let best = self.best();
        // Of equals the first, as in transformers.
        let best = self.kept.iter().position(|(_, quality)| best.is_some() && *quality == best);
        let newest = self.kept.len().saturating_sub(self.limit);
        let mut index = 0;
        self.kept.retain(|(step, _)| {
            let stays = index >= newest || Some(index) == best;
            index += 1;
            if !stays && let Err(error) = staged::remove_folder(&path_of(&self.folder, *step)) {
                note(format_args!("note: {error:#}"));
            }
            stays
        });
    }
}

impl Part {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, sha256: format!("{:x}", Sha256::digest(bytes)) }
    }

    fn of_file(path: &Path) -> Result<Self> {
        let mut file = files::open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut bytes = 0;
        loop {
            match file
                .read(&mut buffer)
                .with_context(|| format!("cannot read {}", path.display()))?
            {
                0 => break,
                read => {
                    hash.update(&buffer[..read]);
                    bytes += read as u64;
                }
            }
        }
        Ok(Self { bytes, sha256: format!("{:x}", hash.finalize()) })
    }
}

/// The newest checkpoint of a run folder that is whole; each newer one that is not is named.
pub fn newest(run_folder: &Path) -> Option<(PathBuf, Manifest)> {
    let folder = run_folder.join(FOLDER);
    steps_of(&folder).into_iter().find_map(|step| {
        let path = path_of(&folder, step);
        match verify(&path, step) {
            Ok(manifest) => Some((path, manifest)),
            Err(error) => {
                note(format_args!("note: passing over {}: {error:#}", path.display()));
                None
            }
        }
    })
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

fn manifest(path: &Path) -> Result<Manifest> {
    let bytes = files::read(&path.join(MANIFEST))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{MANIFEST} is damaged"))
}

/// The steps of the checkpoints in a folder, newest first.
fn steps_of(folder: &Path) -> Vec<usize> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let step = |entry: fs::DirEntry| entry.file_name().to_str()?.strip_prefix(NAME)?.parse().ok();
    let mut steps: Vec<usize> = entries.filter_map(step).collect();
    steps.sort_by_key(|&step| Reverse(step));
    steps
}

fn path_of(folder: &Path, step: usize) -> PathBuf {
    folder.join(format!("{NAME}{step}"))
}

#[cfg(test)]
mod tests;
