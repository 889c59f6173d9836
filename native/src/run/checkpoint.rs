//! Checkpoints: the run folder as it would be if training ended now, with the whole state of the
//! training for weights, and a manifest by which a damaged one is known.
//!
//! Each is written under a hidden name, synced to the disk and renamed; the one before is only then
//! let go. `checkpoints/checkpoint-500` is what the run was after step 500.

mod whole;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use emberlab_core::model::ModelFiles;
use emberlab_core::train::Trainer;
use serde::Serialize;

pub use self::whole::{Manifest, newest, whole};
use self::whole::{Part, manifest};
use super::folder::RunFolder;
use crate::cli::SaveArgs;
use crate::files::staged::{self, StagedFolder};
use crate::files::{METRICS, RUN_FILE};
use crate::terminal::{json, note, short};

/// The folder of the checkpoints in a run folder.
pub const FOLDER: &str = "checkpoints";
/// Written last, so that without it a checkpoint is not whole.
pub const MANIFEST: &str = "manifest.json";
/// The beginning of a checkpoint's name, as transformers has it.
const NAME: &str = "checkpoint-";
/// An evaluation that is the best so far is worth a checkpoint once this part of the interval has
/// passed.
const BEST: f64 = 0.2;

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
    /// The best one, where it could not be written and the end of the run will need it.
    unwritten: Option<Unwritten>,
}

struct Unwritten {
    step: usize,
    quality: Option<f64>,
    files: Vec<(String, Vec<u8>)>,
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
            unwritten: None,
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
        files: Vec<(String, Vec<u8>)>,
    ) -> String {
        let started = Instant::now();
        self.write_unwritten();
        let is_best = quality.is_some() && quality > self.best();
        let written = self.write_whole(step, quality, &files);
        (self.last, self.last_step) = (Instant::now(), step);
        match written {
            Ok(()) => {
                self.kept.retain(|(known, _)| *known != step);
                self.kept.push((step, quality));
                if is_best {
                    self.unwritten = None;
                }
                self.let_go();
                format!("checkpoint after step {step}, written in {}", short(started.elapsed()))
            }
            Err(error) => {
                if is_best && self.keeps_best {
                    self.unwritten = Some(Unwritten { step, quality, files });
                }
                format!("note: no checkpoint after step {step}: {error:#}")
            }
        }
    }

    /// Tries once more to write the best one, before another is written or its weights are needed.
    pub fn write_unwritten(&mut self) {
        let Some(Unwritten { step, quality, files }) = self.unwritten.take() else { return };
        match self.write_whole(step, quality, &files) {
            Ok(()) => {
                self.kept.push((step, quality));
                self.kept.sort_by_key(|(step, _)| *step);
            }
            Err(_) => self.unwritten = Some(Unwritten { step, quality, files }),
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
        let unwritten = self.unwritten.as_ref().map(|it| (it.step, it.quality));
        let all = self.kept.iter().chain(&unwritten);
        all.filter_map(|(_, quality)| *quality).max_by(f64::total_cmp)
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
