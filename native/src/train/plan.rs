//! What `emberlab train` is about to do: sources, data, recipe and a trainer that is ready to step.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use emberlab_core::data::{Duplicates, LabelMap, Task};
use emberlab_core::model::{Classifier, LoadReport, StorageDtype};
use emberlab_core::train::{LossConfig, Rows, TrainConfig, Trainer};

use super::recipe::{recipe, recipe_line, trainable_layers};
use crate::cli::{ClassWeights, DOC_STRIDE, TrainArgs};
use crate::files;
use crate::files::{adapter, embedded};
use crate::inference::{max_length, usual_length};
use crate::load::Stamps;
use crate::load::splits::{
    Lengths, Reading, Split, SplitSource, TokenizedRows, note_overlaps, sources,
};
use crate::load::token_lengths::TokenLengths;
use crate::machine::device::{self, ChosenDevice};
use crate::machine::memory::{self, Estimate};
use crate::run::record::Answering;
use crate::run::watch::Watch;
use crate::terminal::{grouped, millions, note};

/// The folders and files of a run, given or embedded.
pub struct Sources {
    pub model: PathBuf,
    pub model_is_embedded: bool,
    /// `train`, then `eval` and `test` where there are such.
    pub data: Vec<SplitSource>,
    pub out: PathBuf,
}

impl Sources {
    /// What the arguments name; what they leave out comes from the embedded default, which is said.
    pub fn resolve(args: &TrainArgs) -> Result<Self> {
        let model = embedded::model(args.model.as_deref())?;
        if args.model.is_none() {
            note(format_args!("no --model given: starting from the embedded {}", embedded::MODEL));
        }
        let data = match sources(args)? {
            Some(sources) => sources,
            None => {
                note(format_args!("no --train given: using the embedded {}", embedded::DATA));
                let folder = embedded::find(embedded::DATA, "--train FILE")?;
                let file = |split| folder.join(split).with_extension("jsonl");
                ["train", "eval", "test"].map(|split| SplitSource::new(split, &file(split))).into()
            }
        };
        let out = args.out.clone().unwrap_or_else(|| PathBuf::from(embedded::OUT));
        Ok(Self { model, model_is_embedded: args.model.is_none(), data, out })
    }
}

/// Rows to measure on.
pub struct HeldOut {
    pub split: &'static str,
    pub rows: TokenizedRows,
}

/// Everything a run needs, read and checked.
pub struct Plan {
    pub sources: Sources,
    pub device: ChosenDevice,
    pub recipe: TrainConfig,
    pub max_length: usize,
    /// Of question answering alone.
    pub answering: Option<Answering>,
    pub storage: StorageDtype,
    pub load_report: LoadReport,
    /// Of each file of the model.
    pub model_sha256: BTreeMap<String, String>,
    pub task: Task,
    pub labels: LabelMap,
    pub splits: Vec<Split>,
    pub duplicates: Duplicates,
    pub held_out: Vec<HeldOut>,
    pub trainer: Trainer,
    pub watch: Watch,
    pub memory: Estimate,
    /// What the data files were when they were read.
    pub stamps: Vec<Stamps>,
}

impl Plan {
    /// Reads model and data; trains nothing and writes nothing.
    pub fn prepare(args: &TrainArgs, sources: Sources) -> Result<Self> {
        let device = device::choose(args.device.device)?;
        let mut recipe = recipe(&args.recipe, sources.model_is_embedded);
        let reading = Reading {
            args: &args.read,
            task: args.task,
            model: &sources.model,
            max_length: args.max_length,
        };
        let stamps = sources.data.iter().map(|split| split.source.stamps());
        let stamps = stamps.collect::<Result<_>>()?;
        let data = reading.datasets(&sources.data)?;
        let duplicates = note_overlaps(&data);
        let head = data.first().context("there is no training data")?.head.clone();
        let model = files::read_model(&sources.model)?;
        let model_sha256 = files::model_sha256(&sources.model)?;
        let (classifier, load_report) =
            Classifier::for_training(&model, head, recipe.seed, &device.device)?;
        let classifier = args.device.apply(classifier);
        let limit = classifier.max_length();
        let task = classifier.task();
        let max_length = max_length(args.max_length, usual_length(task), limit)?;
        if task != Task::QuestionAnswering && args.doc_stride.is_some() {
            bail!("--doc-stride is of question answering, and this is {task}");
        }
        let doc_stride = args.doc_stride.unwrap_or(DOC_STRIDE);

        let mut splits = Vec::new();
        let mut tokenized = Vec::new();
        for read in data {
            let split = read.split;
            let (described, rows) =
                read.tokenized(&classifier, Lengths { max_length, doc_stride })?;
            splits.push(described);
            tokenized.push(HeldOut { split, rows });
        }
        let train = tokenized.remove(0);
        let labels = classifier.label_map().clone();
        let answering = splits[0].without_answer.map(|without| {
            let version_2_with_negative = without > 0;
            Answering { doc_stride, version_2_with_negative }
        });
        if args.recipe.class_weights == Some(ClassWeights::Balanced) {
            let Split { label_counts, rows, .. } = &splits[0];
            recipe.loss.class_weights = Some(LossConfig::balanced(task, label_counts, *rows)?);
        }
        let can_evaluate = tokenized.iter().any(|held_out| held_out.split == "eval");
        let watch = Watch::new(&args.best, task, &labels, can_evaluate)?;
        let layers = classifier.config().num_hidden_layers;
        if let Some(layers) = trainable_layers(&args.recipe.course, layers)? {
            recipe.trainable_layers = Some(layers);
        }
        if recipe.lora.is_some() {
            adapter::refuse_stacked(&sources.model)?;
        }
        let config = classifier.config().clone();
        let parameters = classifier.num_parameters();
        // The trainer alone holds the weights, so that it can change them in place.
        let mut trainer = match train.rows.rows {
            Rows::Memory(rows) => {
                Trainer::new(classifier, rows.encodings, rows.targets, recipe.clone())?
            }
            Rows::File(rows) => Trainer::on_file(classifier, rows, recipe.clone())?,
        };
        let own_kernels = !args.device.no_kernels;
        let training = memory::Training {
            config: &config,
            parameters,
            trained: trainer.num_trainable(),
            longest: splits[0].tokens.longest,
            own_kernels,
            first_only: !matches!(task, Task::TokenClassification | Task::QuestionAnswering)
                && (device.kind == "cpu" || !own_kernels),
        };
        let may_change = args.recipe.course.auto_find_batch_size;
        let free = memory::free(&device);
        let memory = memory::fit(&mut recipe, &training, free.as_ref(), may_change)?;
        trainer.set_batches(recipe.batch_size, recipe.gradient_accumulation_steps);
        let (storage, held_out) = (args.dtype, tokenized);
        Ok(Self {
            sources,
            device,
            recipe,
            max_length,
            answering,
            storage,
            load_report,
            model_sha256,
            task,
            labels,
            splits,
            duplicates,
            held_out,
            trainer,
            watch,
            memory,
            stamps,
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classifier = self.trainer.classifier();
        let config = classifier.config();
        let parameters = millions(classifier.num_parameters());
        let (layers, hidden) = (config.num_hidden_layers, config.hidden_size);
        writeln!(
            f,
            "model   {}: {parameters} parameters, {layers} layers of {hidden}",
            self.sources.model.display()
        )?;
        let trained = self.trainer.num_trainable();
        if trained < classifier.num_parameters() {
            writeln!(f, "trained {} parameters", grouped(trained))?;
        }
        if !self.load_report.initialized.is_empty() {
            writeln!(f, "new     {}", self.load_report.initialized.join(", "))?;
        }
        writeln!(f, "device  {}", self.device)?;
        for Split { split, path, instruction, rows, windows, tokens, .. } in &self.splits {
            let TokenLengths { mean, percentile_95, longest, truncated, .. } = tokens;
            let rows = match windows {
                Some(windows) => {
                    format!("{} questions in {} windows", grouped(*rows), grouped(*windows))
                }
                None => format!("{} rows", grouped(*rows)),
            };
            write!(
                f,
                "{split:6}  {rows}, {mean:.0} tokens each (95 % up to {percentile_95}, longest {longest}",
            )?;
            if *truncated > 0 {
                write!(f, ", {} cut", grouped(*truncated))?;
            }
            let instruction = instruction.as_ref().map_or_else(String::new, |of| format!(" {of}"));
            writeln!(f, "): {}{instruction}", path.display())?;
        }
        if let Some(Split { text_column, text_pair_column: Some(second), .. }) = self.splits.first()
        {
            writeln!(f, "pairs   {text_column} and {second}")?;
        }
        writeln!(f, "task    {}", self.task)?;
        if let (Some(Answering { doc_stride, .. }), Some(train)) =
            (self.answering, self.splits.first())
        {
            let without = train.without_answer.unwrap_or(0);
            writeln!(
                f,
                "answers {} questions without one, windows share {doc_stride} tokens",
                grouped(without)
            )?;
        }
        let counts = self.splits.first().map_or(&[][..], |train| &train.label_counts);
        if !counts.is_empty() {
            let labels = self.labels.names().iter().zip(counts);
            let labels = labels.map(|(name, &rows)| format!("{name} {}", grouped(rows)));
            writeln!(f, "labels  {}", labels.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(f, "recipe  {}", recipe_line(&self.recipe, self.max_length))?;
        writeln!(f, "steps   {}", grouped(self.trainer.total_steps()))?;
        writeln!(f, "memory  {}", self.memory)?;
        writeln!(f, "out     {}", self.sources.out.display())
    }
}
