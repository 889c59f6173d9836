//! `run.json`: what a run is, how far it is, and what came of it.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, Result};
use emberlab_core::data::{Duplicates, Task};
use emberlab_core::train::TrainConfig;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::results::Calibration;
use super::watch::Best;
use crate::Outcome;
use crate::cli::{DOC_STRIDE, DeviceArg, TrainArgs, config_file};
use crate::load::splits::Split;
use crate::machine::device::ChosenDevice;
use crate::machine::system;
use crate::terminal::shell_word;
use crate::train::plan::Plan;

/// What was run, on what, with what result.
#[derive(Debug, Serialize)]
pub struct RunRecord {
    pub status: Status,
    #[serde(flatten)]
    pub origin: Origin,
    pub emberlab: &'static str,
    pub burn: &'static str,
    pub device: DeviceRecord,
    pub base_model: BaseModelRecord,
    /// Of each file.
    pub base_model_sha256: BTreeMap<String, String>,
    pub task: Task,
    pub labels: Vec<String>,
    pub data: Vec<Split>,
    pub duplicates: Duplicates,
    pub recipe: TrainConfig,
    pub seed: u64,
    pub max_length: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question_answering: Option<Answering>,
    pub dtype: &'static str,
    pub steps: usize,
    pub total_steps: usize,
    pub train_seconds: f64,
    pub evaluation_seconds: f64,
    pub peak_memory_bytes: Option<u64>,
    /// Mean training loss of the last logged steps.
    pub loss: Option<f32>,
    /// The best evaluation.
    pub best: Option<Best>,
    /// The step whose weights were saved, where it is not the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights_step: Option<usize>,
    /// By split.
    pub metrics: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// How contexts are read and questions answered.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Answering {
    /// Tokens that two windows on a context share.
    pub doc_stride: usize,
    /// Whether an answer may be that the context does not say: whether there were such questions to train on.
    pub version_2_with_negative: bool,
}

impl Default for Answering {
    fn default() -> Self {
        Self { doc_stride: DOC_STRIDE, version_2_with_negative: false }
    }
}

/// How the run was started, which `--resume` needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct Origin {
    /// As it was typed, quoted for a shell.
    pub command: String,
    /// The same word by word, with what its --config file says.
    pub arguments: Vec<String>,
    /// What paths are relative to.
    pub working_folder: PathBuf,
    /// UTC.
    pub started_at: String,
    /// Those of all runs of `--seeds`; this one's alone where it stands by itself, and then nothing
    /// says how far another seed would differ.
    #[serde(default)]
    pub seeds: Vec<u64>,
}

/// How the run ended, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Running,
    Completed,
    Interrupted,
}

impl From<Outcome> for Status {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Completed => Self::Completed,
            Outcome::Interrupted => Self::Interrupted,
        }
    }
}

/// Where it ran.
#[derive(Debug, Serialize)]
pub struct DeviceRecord {
    pub requested: String,
    pub chosen: String,
    pub name: String,
    /// Of the processor, which compute where it is the device.
    pub threads: usize,
}

impl DeviceRecord {
    /// The device that was found for what was asked for.
    pub fn new(asked: &DeviceArg, found: &ChosenDevice) -> Self {
        Self {
            requested: asked.device.to_string(),
            chosen: found.kind.clone(),
            name: found.name.clone(),
            threads: rayon::current_num_threads(),
        }
    }
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

impl Origin {
    /// This process.
    pub fn here() -> Result<Self> {
        let text = |words: Vec<OsString>| -> Vec<String> {
            words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
        };
        let arguments = text(config_file::arguments()?);
        let typed = text(env::args_os().skip(1).collect());
        let quoted = typed.iter().map(|word| shell_word(word));
        let command = std::iter::once("emberlab".to_owned()).chain(quoted);
        Ok(Self {
            command: command.collect::<Vec<_>>().join(" "),
            arguments,
            working_folder: env::current_dir().context("there is no working folder")?,
            started_at: system::utc(SystemTime::now()),
            seeds: Vec::new(),
        })
    }
}

impl RunRecord {
    /// A run before its first step.
    pub fn new(args: &TrainArgs, plan: &Plan, mut origin: Origin) -> Self {
        if origin.seeds.is_empty() {
            origin.seeds.push(plan.recipe.seed);
        }
        Self {
            status: Status::Running,
            origin,
            emberlab: env!("CARGO_PKG_VERSION"),
            burn: system::BURN_VERSION,
            device: DeviceRecord::new(&args.device, &plan.device),
            base_model: BaseModelRecord {
                path: plan.sources.model.clone(),
                parameters: plan.trainer.classifier().num_parameters(),
                initialized: plan.load_report.initialized.clone(),
                ignored: plan.load_report.ignored.clone(),
            },
            base_model_sha256: plan.model_sha256.clone(),
            task: plan.task,
            labels: plan.labels.names().to_vec(),
            data: plan.splits.clone(),
            duplicates: plan.duplicates.clone(),
            recipe: plan.recipe.clone(),
            seed: plan.recipe.seed,
            max_length: plan.max_length,
            question_answering: plan.answering,
            dtype: plan.storage.name(),
            steps: 0,
            total_steps: plan.trainer.total_steps(),
            train_seconds: 0.0,
            evaluation_seconds: 0.0,
            peak_memory_bytes: None,
            loss: None,
            best: None,
            weights_step: None,
            metrics: Map::new(),
            calibration: None,
        }
    }

    /// Training is after step `step`.
    pub fn reached(&mut self, step: usize) {
        self.steps = step;
        self.peak_memory_bytes = self.peak_memory_bytes.max(system::peak_memory());
    }

    /// Goes on from the figures of `then`, an earlier `run.json` of the same run.
    pub fn add_up(&mut self, then: &Value) {
        let seconds = |key: &str| then[key].as_f64().unwrap_or_default();
        self.train_seconds = seconds("train_seconds");
        self.evaluation_seconds = seconds("evaluation_seconds");
        self.peak_memory_bytes = then["peak_memory_bytes"].as_u64();
        self.loss = then["loss"].as_f64().map(|loss| loss as f32);
        self.metrics = then["metrics"].as_object().cloned().unwrap_or_default();
        self.steps = then["steps"].as_u64().unwrap_or_default() as usize;
    }
}
