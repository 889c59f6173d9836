//! What `emberlab pretrain` is about to do.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use emberlab_core::model::{MaskedLm, ModelFiles, Source, StorageDtype};
use emberlab_core::text::Packed;
use emberlab_core::train::{MaskedRows, Masking, TrainConfig, Trainer};

use super::guard;
use super::held_out::HeldOutSet;
use crate::cli::{DEFAULT_MAX_LENGTH, PretrainArgs};
use crate::domain::corpus::{Corpus, documents};
use crate::files;
use crate::files::embedded;
use crate::inference::max_length;
use crate::machine::device::{self, ChosenDevice};
use crate::terminal::{grouped, millions, note};
use crate::train::recipe::recipe_line;

/// Everything a run needs, read and checked.
pub struct Plan {
    pub model_folder: PathBuf,
    /// Of each file of the model.
    pub model_sha256: BTreeMap<String, String>,
    /// Of each corpus that is measured beside the one that is read.
    pub measured_sha256: Vec<String>,
    pub corpus: PathBuf,
    pub sha256: String,
    pub device: ChosenDevice,
    pub recipe: TrainConfig,
    pub max_length: usize,
    pub storage: StorageDtype,
    /// Parameters that start anew.
    pub initialized: Vec<String>,
    rows: usize,
    words: usize,
    tokens: usize,
    /// Of the corpus itself first.
    pub held_out: Vec<HeldOutSet>,
    pub trainer: Trainer,
}

impl Plan {
    /// Reads model and corpus; trains nothing and writes nothing.
    pub fn prepare(args: &PretrainArgs) -> Result<Self> {
        let recipe = args.recipe.config();
        let path = args.corpus.as_deref().context("--corpus names no folder")?;
        let corpus = Corpus::open(path)?;
        ensure!(!corpus.train.is_empty(), "{} holds no paragraph to train on", path.display());
        guard::check(&args.guard, &corpus)?;
        let device = device::choose(args.device.device)?;
        let model_folder = embedded::model(args.model.as_deref())?;
        let (model, initialized) = if args.from_scratch {
            let files = without_weights(&model_folder)?;
            (
                MaskedLm::from_scratch(&files, recipe.seed, &device.device)?,
                vec!["everything".into()],
            )
        } else {
            let files = files::read_model(&model_folder)?;
            let (model, report) = MaskedLm::for_training(&files, recipe.seed, &device.device)?;
            (model, report.initialized)
        };
        let model = if args.device.no_kernels { model.without_kernels() } else { model };
        let max_length = max_length(args.max_length, DEFAULT_MAX_LENGTH, model.max_length())?;
        let masking = Masking::new(&model, args.mlm_probability)?;

        let mut held_out = Vec::new();
        let others: Result<Vec<Corpus>> =
            args.measure.iter().map(|path| Corpus::open(path)).collect();
        let others = others?;
        for corpus in std::iter::once(&corpus).chain(&others) {
            held_out.extend(HeldOutSet::new(corpus, &model, max_length)?);
        }
        if held_out.is_empty() {
            note("note: no document is held out: nothing will be measured");
        }
        let packed = Packed::new(model.tokenizer(), &documents(&corpus.train), max_length)?;
        let (rows, words, tokens) = (packed.encodings.len(), packed.words(), packed.tokens());
        let rows_to_mask = MaskedRows::new(packed.encodings, masking);
        // The trainer alone holds the weights, so that it can change them in place.
        let trainer = Trainer::masked(model, rows_to_mask, recipe.clone())?;
        Ok(Self {
            model_sha256: files::model_sha256(&model_folder)?,
            measured_sha256: others.iter().map(|corpus| corpus.sha256.clone()).collect(),
            model_folder,
            corpus: corpus.path,
            sha256: corpus.sha256,
            device,
            recipe,
            max_length,
            storage: args.dtype,
            initialized,
            rows,
            words,
            tokens,
            held_out,
            trainer,
        })
    }
}

/// The files of a folder that may have no weights.
fn without_weights(folder: &std::path::Path) -> Result<ModelFiles> {
    let mut found = Vec::new();
    for name in ["config.json", "tokenizer.json", "vocab.txt", "tokenizer_config.json"] {
        let path = folder.join(name);
        if path.is_file() {
            found.push((name.to_owned(), files::read(&path)?));
        }
    }
    let none = vec![(ModelFiles::WEIGHTS.to_owned(), Source::Bytes(Vec::new()))];
    Ok(ModelFiles::new(&folder.display().to_string(), found, none)?)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let model = self.trainer.masked_lm();
        let parameters = millions(model.num_parameters());
        writeln!(f, "model   {}: {parameters} parameters", self.model_folder.display())?;
        if !self.initialized.is_empty() {
            writeln!(f, "new     {}", self.initialized.join(", "))?;
        }
        writeln!(f, "device  {}", self.device)?;
        let [rows, words, tokens] = [self.rows, self.words, self.tokens].map(grouped);
        let corpus = self.corpus.display();
        writeln!(f, "corpus  {corpus}: {rows} rows, {words} words, {tokens} tokens")?;
        for set in &self.held_out {
            writeln!(f, "held    {}", set.about())?;
        }
        writeln!(f, "recipe  {}", recipe_line(&self.recipe, self.max_length))?;
        writeln!(f, "steps   {}", grouped(self.trainer.total_steps()))
    }
}
