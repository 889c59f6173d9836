//! The run folder: a Hugging Face model folder plus `run.json`, `metrics.jsonl`, a model card and
//! checkpoints.
//!
//! It stands under its name from the first step on, and each file in it is whole at any time; the
//! model's files come at the end.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use emberlab_core::metrics::Metrics;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::record::{Answering, Origin, RunRecord};
use super::tensorboard::EventFile;
use super::{checkpoint, watch};
use crate::cli::config_file;
use crate::files::staged::{self, StagedFolder};
use crate::files::{self, METRICS, RUN_FILE};
use crate::terminal::{json, rounded};

/// Beginnings of the names of files that state the base model's terms, which hold for what is made
/// of it too.
const TERMS: [&str; 4] = ["license", "licence", "notice", "copying"];

/// The folder of a run under way, which no other process writes to.
pub struct RunFolder {
    path: PathBuf,
    /// Locked for as long as it is open.
    metrics: File,
    /// The same for TensorBoard, where that was asked for.
    events: Option<EventFile>,
}

impl RunFolder {
    /// Gives a staged folder the name `out`.
    pub fn start(staged: StagedFolder, out: &Path, record: &RunRecord) -> Result<Self> {
        let Origin { arguments, working_folder, .. } = &record.origin;
        let mut lengths = vec![("max_length", record.max_length)];
        lengths.extend(record.question_answering.map(|of| ("doc_stride", of.doc_stride)));
        let repeats = config_file::render(arguments, &record.recipe, &lengths, working_folder)?;
        staged.write(config_file::FILE, repeats.as_bytes())?;
        Self::begin(staged, out, record)
    }

    /// The same of a run whose arguments are nowhere but in its record.
    pub fn begin(staged: StagedFolder, out: &Path, record: &impl Serialize) -> Result<Self> {
        staged.folder(checkpoint::FOLDER)?;
        staged.write(METRICS, b"")?;
        staged.write(RUN_FILE, json(record)?.as_bytes())?;
        // Locked before it has its name, so that at no time another process can replace it.
        let metrics = files::lock_run(staged.path())?;
        staged.finish()?;
        Ok(Self { path: out.to_owned(), metrics, events: None })
    }

    /// Opens a folder to go on writing it.
    ///
    /// # Errors
    /// It is no run folder, or another process writes to it.
    pub fn open(path: &Path) -> Result<Self> {
        ensure!(path.is_dir(), "there is no run folder {}", path.display());
        let run = path.ancestors().nth(2).filter(|_| path.join(checkpoint::MANIFEST).is_file());
        if let Some(run) = run {
            bail!(
                "{} is a checkpoint; name its run, which goes on from the newest: --resume {}",
                path.display(),
                run.display()
            );
        }
        Ok(Self { path: path.to_owned(), metrics: files::lock_run(path)?, events: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `run.json` as it stands there.
    pub fn stored(&self) -> Result<Value> {
        let path = self.path.join(RUN_FILE);
        serde_json::from_slice(&files::read(&path)?)
            .with_context(|| format!("{}: not a JSON object", path.display()))
    }

    /// Takes `metrics.jsonl` back to what it was.
    pub fn rewind(&mut self, metrics: &[u8]) -> Result<()> {
        let rewound = self.metrics.set_len(0).and_then(|()| self.metrics.write_all(metrics));
        rewound.with_context(|| format!("cannot write {METRICS}"))
    }

    /// Also writes TensorBoard events from now on, with what is in `metrics.jsonl` already.
    pub fn write_events(&mut self) -> Result<()> {
        self.events = Some(EventFile::start(&self.path, &self.metrics()?)?);
        Ok(())
    }

    /// `metrics.jsonl` so far.
    pub fn metrics(&self) -> Result<Vec<u8>> {
        files::read(&self.path.join(METRICS))
    }

    /// Replaces `run.json`.
    pub fn write_record(&self, record: &impl Serialize) -> Result<()> {
        staged::write(&self.path.join(RUN_FILE), json(record)?.as_bytes())
    }

    /// Adds the training loss to `metrics.jsonl`.
    pub fn log_loss(
        &mut self,
        step: usize,
        epoch: f64,
        loss: f32,
        learning_rate: f64,
    ) -> Result<()> {
        let loss = rounded(loss);
        self.log(&serde_json::json!({ "step": step, "epoch": epoch, "loss": loss, "learning_rate": learning_rate }))
    }

    /// Adds an evaluation to `metrics.jsonl`; returns what stands there.
    pub fn log_evaluation(
        &mut self,
        split: &str,
        step: usize,
        epoch: f64,
        (metrics, loss): (&Metrics, f64),
    ) -> Result<Value> {
        let mut line = Map::from_iter([
            ("split".to_owned(), split.into()),
            ("step".to_owned(), step.into()),
            ("epoch".to_owned(), epoch.into()),
        ]);
        let figures = metrics.figures().into_iter();
        line.extend(figures.map(|(name, figure)| (name.to_owned(), figure.into())));
        line.insert(watch::LOSS.to_owned(), loss.into());
        line.insert("rows".to_owned(), metrics.rows().into());
        let line = line.into();
        self.log(&line)?;
        // A number may come back from text with another last digit, and so it will when a run goes on.
        Ok(serde_json::from_str(&line.to_string())?)
    }

    /// Adds a line to `metrics.jsonl`.
    pub fn log(&mut self, line: &Value) -> Result<()> {
        let written = self.metrics.write_all(format!("{line}\n").as_bytes());
        written.with_context(|| format!("cannot write {METRICS}"))?;
        self.events.as_mut().map_or(Ok(()), |events| events.add(line))
    }

    /// Writes model and card, takes the base model's licence files along, and at last the record,
    /// which says that the rest is there.
    pub fn finish(
        &self,
        model_files: &[(String, Vec<u8>)],
        record: &impl Serialize,
        base_model: &Path,
        card: &str,
    ) -> Result<()> {
        for (name, bytes) in model_files {
            staged::write(&self.path.join(name), bytes)?;
        }
        for terms in terms_files(base_model)? {
            let name = terms.file_name().unwrap_or_default();
            staged::write(&self.path.join(name), &files::read(&terms)?)?;
        }
        staged::write(&self.path.join("README.md"), card.as_bytes())?;
        self.metrics.sync_all().with_context(|| format!("cannot write {METRICS}"))?;
        self.write_record(record)
    }
}

/// The files in a folder that state its model's terms.
pub fn terms_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let is_terms = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_file() && TERMS.iter().any(|start| name.starts_with(start))
    };
    Ok(entries.flatten().map(|entry| entry.path()).filter(is_terms).collect())
}

/// The `max_length` that the classifier in `folder` was trained with, where its `run.json` says.
pub fn max_length(folder: &Path) -> Option<usize> {
    #[derive(Deserialize)]
    struct Run {
        max_length: usize,
    }
    files::recorded(folder).map(|run: Run| run.max_length).filter(|&length| length > 0)
}

/// How the model in `folder` was trained to answer questions, where its `run.json` says.
pub fn answering(folder: &Path) -> Option<Answering> {
    #[derive(Deserialize)]
    struct Run {
        question_answering: Answering,
    }
    files::recorded(folder).map(|run: Run| run.question_answering)
}
