//! The run folder: a Hugging Face model folder plus `run.json`, `metrics.jsonl` and a model card.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use emberlab_core::data::Task;
use emberlab_core::metrics::Metrics;
use emberlab_core::train::TrainConfig;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::files::{RUN_FILE, StagedFolder};
use crate::report::{json, rounded};
use crate::splits::Split;

/// Beginnings of the names of files that state the base model's terms, which hold for what is made
/// of it too.
const TERMS: [&str; 4] = ["license", "licence", "notice", "copying"];

/// `run.json`: what was run, on what, with what result.
#[derive(Debug, Serialize)]
pub struct RunRecord {
    pub status: Status,
    pub command: String,
    pub emberlab: &'static str,
    pub burn: &'static str,
    /// UTC.
    pub started_at: String,
    pub device: DeviceRecord,
    pub base_model: BaseModelRecord,
    pub task: Task,
    pub labels: Vec<String>,
    pub data: Vec<Split>,
    pub recipe: TrainConfig,
    pub seed: u64,
    pub max_length: usize,
    pub dtype: &'static str,
    pub steps: usize,
    pub total_steps: usize,
    pub train_seconds: f64,
    pub evaluation_seconds: f64,
    pub peak_memory_bytes: Option<u64>,
    /// Mean training loss of the last logged steps.
    pub loss: Option<f32>,
    /// By split.
    pub metrics: Map<String, Value>,
}

/// How the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Completed,
    Interrupted,
}

/// Where it ran.
#[derive(Debug, Serialize)]
pub struct DeviceRecord {
    pub requested: String,
    pub chosen: String,
    pub name: String,
}

/// What it started from.
#[derive(Debug, Serialize)]
pub struct BaseModelRecord {
    pub path: PathBuf,
    pub parameters: usize,
    /// Parameters that were not in the file.
    pub initialized: Vec<String>,
    /// Tensors of the file that were not used.
    pub ignored: Vec<String>,
}

/// A run folder in the making.
pub struct RunFolder {
    folder: StagedFolder,
    metrics: File,
}

impl RunFolder {
    /// Starts the folder that will be `out`; see [`StagedFolder::create`].
    pub fn create(out: &Path, overwrite: bool) -> Result<Self> {
        let folder = StagedFolder::create(out, overwrite)?;
        let metrics = folder.open("metrics.jsonl")?;
        Ok(Self { folder, metrics })
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

    /// Adds an evaluation to `metrics.jsonl`.
    pub fn log_evaluation(
        &mut self,
        split: &str,
        step: usize,
        epoch: f64,
        metrics: &Metrics,
    ) -> Result<()> {
        let mut line = Map::from_iter([
            ("split".to_owned(), split.into()),
            ("step".to_owned(), step.into()),
            ("epoch".to_owned(), epoch.into()),
        ]);
        let figures = metrics.figures().into_iter();
        line.extend(figures.map(|(name, figure)| (name.to_owned(), figure.into())));
        line.insert("rows".to_owned(), metrics.rows().into());
        self.log(&line.into())
    }

    fn log(&mut self, line: &Value) -> Result<()> {
        writeln!(self.metrics, "{line}").context("cannot write metrics.jsonl")
    }

    /// Writes model, record and card, takes the base model's licence files along, and gives the
    /// folder its name.
    pub fn finish(
        self,
        model_files: &[(String, Vec<u8>)],
        record: &RunRecord,
        card: &str,
    ) -> Result<()> {
        for (name, bytes) in model_files {
            self.folder.write(name, bytes)?;
        }
        for terms in terms_files(&record.base_model.path)? {
            self.folder.copy(&terms)?;
        }
        self.folder.write("README.md", card.as_bytes())?;
        self.folder.write(RUN_FILE, json(record)?.as_bytes())?;
        self.metrics.sync_all().context("cannot write metrics.jsonl")?;
        self.folder.finish()
    }
}

fn terms_files(folder: &Path) -> Result<Vec<PathBuf>> {
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
    let run: Value = serde_json::from_slice(&fs::read(folder.join(RUN_FILE)).ok()?).ok()?;
    run.get("max_length")?
        .as_u64()
        .and_then(|length| usize::try_from(length).ok())
        .filter(|&length| length > 0)
}
