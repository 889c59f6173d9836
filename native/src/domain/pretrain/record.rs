//! `run.json` of a pretraining.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use emberlab_core::train::TrainConfig;
use serde::Serialize;
use serde_json::Value;

use super::figures;
use super::held_out::HeldOutLoss;
use super::plan::Plan;
use crate::cli::PretrainArgs;
use crate::machine::system;
use crate::run::markdown::{code, fenced, plain};
use crate::run::record::{DeviceRecord, Origin, Status};
use crate::terminal::{bytes, clock, shell_word};

/// What was run, on what, with what result.
#[derive(Debug, Serialize)]
pub struct PretrainRecord {
    pub status: Status,
    #[serde(flatten)]
    pub origin: Origin,
    emberlab: &'static str,
    burn: &'static str,
    device: DeviceRecord,
    base_model: PathBuf,
    /// Of each file.
    base_model_sha256: BTreeMap<String, String>,
    /// Parameters that were not in the file.
    initialized: Vec<String>,
    parameters: usize,
    corpus: PathBuf,
    corpus_sha256: String,
    measured_sha256: Vec<String>,
    recipe: TrainConfig,
    mlm_probability: f64,
    max_length: usize,
    steps: usize,
    total_steps: usize,
    pub train_seconds: f64,
    peak_memory_bytes: Option<u64>,
    /// Mean training loss of the last logged steps.
    pub loss: Option<f32>,
    held_out: Vec<Measured>,
}

/// What a run that goes on must not find changed.
pub const DECIDING: [&str; 8] = [
    "base_model_sha256",
    "measured_sha256",
    "parameters",
    "initialized",
    "corpus_sha256",
    "recipe",
    "mlm_probability",
    "max_length",
];

/// A measurement on a held-out part.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub when: String,
    pub step: usize,
    #[serde(flatten)]
    pub loss: HeldOutLoss,
}

impl PretrainRecord {
    pub fn new(args: &PretrainArgs, plan: &Plan, origin: Origin) -> Self {
        Self {
            status: Status::Running,
            origin,
            emberlab: env!("CARGO_PKG_VERSION"),
            burn: system::BURN_VERSION,
            device: DeviceRecord::new(&args.device, &plan.device),
            base_model: plan.model_folder.clone(),
            base_model_sha256: plan.model_sha256.clone(),
            measured_sha256: plan.measured_sha256.clone(),
            initialized: plan.initialized.clone(),
            parameters: plan.trainer.masked_lm().num_parameters(),
            corpus: plan.corpus.clone(),
            corpus_sha256: plan.sha256.clone(),
            recipe: plan.recipe.clone(),
            mlm_probability: args.mlm_probability,
            max_length: plan.max_length,
            steps: 0,
            total_steps: plan.trainer.total_steps(),
            train_seconds: 0.0,
            peak_memory_bytes: None,
            loss: None,
            held_out: Vec::new(),
        }
    }

    pub fn reached(&mut self, step: usize) {
        self.steps = step;
        self.peak_memory_bytes = self.peak_memory_bytes.max(system::peak_memory());
    }

    pub fn measured(&mut self, when: &str, step: usize, loss: HeldOutLoss) {
        let is_same = |known: &Measured| known.step == step && known.loss.corpus == loss.corpus;
        self.held_out.retain(|known| !is_same(known));
        self.held_out.push(Measured { when: when.to_owned(), step, loss });
    }

    /// The step of the last measurement.
    pub fn measured_at(&self) -> Option<usize> {
        self.held_out.last().map(|measured| measured.step)
    }

    /// The last measurement on the corpus itself.
    pub fn last(&self) -> Option<&HeldOutLoss> {
        let step = self.measured_at()?;
        self.held_out.iter().find(|known| known.step == step).map(|known| &known.loss)
    }

    /// Goes on from the figures of `then`, an earlier `run.json` of the same run.
    pub fn add_up(&mut self, then: &Value) {
        self.train_seconds = then["train_seconds"].as_f64().unwrap_or_default();
        self.peak_memory_bytes = then["peak_memory_bytes"].as_u64();
        self.loss = then["loss"].as_f64().map(|loss| loss as f32);
        self.steps = then["steps"].as_u64().unwrap_or_default() as usize;
        let measured = then["held_out"].as_array().into_iter().flatten();
        self.held_out = measured.filter_map(figures::stored).collect();
    }

    /// What a person sees at the end.
    pub fn summary(&self, out: &Path) -> String {
        let folder = shell_word(&out.display().to_string());
        let time = clock(Duration::try_from_secs_f64(self.train_seconds).unwrap_or_default());
        let memory = self.peak_memory_bytes.map_or_else(|| "unknown".to_owned(), bytes);
        let mut text = figures::table(&self.held_out);
        if self.status == Status::Interrupted {
            text.push_str(&format!(
                "interrupted after step {} of {}; go on: emberlab pretrain --resume {folder}\n",
                self.steps, self.total_steps
            ));
        }
        text.push_str(&format!(
            "time    {time} training\nmemory  {memory} at most\nsaved   {} (the weights after step {})\n\n\
             try it: emberlab fill-mask --model {folder} 'The [MASK] of it.'\n",
            out.display(),
            self.steps
        ));
        text
    }

    /// The model card.
    pub fn card(&self) -> String {
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        format!(
            "---\nlibrary_name: transformers\npipeline_tag: fill-mask\n---\n\n\
             # {} on {}\n\n\
             A masked language model, trained by {}: {} steps, whole words masked ({} of the tokens).\n\n\
             Held-out text, in bits for each character of the masked words:\n\n{}\n\
             ```python\nfrom transformers import AutoModelForMaskedLM, AutoTokenizer\n\
             model = AutoModelForMaskedLM.from_pretrained(\".\")\n\
             tokenizer = AutoTokenizer.from_pretrained(\".\")\n```\n",
            plain(&name(&self.base_model)),
            plain(&name(&self.corpus)),
            code(&self.origin.command),
            self.steps,
            self.mlm_probability,
            fenced("", &figures::table(&self.held_out)),
        )
    }
}
