//! What `emberlab train` is about to do: sources, data, recipe and a trainer that is ready to step.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result};
use emberlab_core::data::{Duplicates, LabelMap, Task};
use emberlab_core::model::{Classifier, LoadReport, StorageDtype};
use emberlab_core::text::Texts;
use emberlab_core::train::{LossConfig, Rows, TrainConfig, Trainer};

use crate::cli::{ClassWeights, DEFAULT_MAX_LENGTH, RecipeArgs, TrainArgs};
use crate::device::{self, ChosenDevice};
use crate::hub::{self, Kind};
use crate::inference::max_length;
use crate::report::{grouped, millions, note};
use crate::splits::{Reading, Split, SplitSource, note_overlaps, sources};
use crate::token_lengths::TokenLengths;
use crate::{embedded, files};

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
        let model = match &args.model {
            Some(folder) => hub::folder(folder, Kind::Model)?,
            None => embedded::find(embedded::MODEL, "--model DIR")?,
        };
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
    pub rows: Rows,
    /// Of all rows; none of a set that is not held in memory.
    pub texts: Texts,
}

/// Everything a run needs, read and checked.
pub struct Plan {
    pub sources: Sources,
    pub device: ChosenDevice,
    pub recipe: TrainConfig,
    pub max_length: usize,
    pub storage: StorageDtype,
    pub load_report: LoadReport,
    pub task: Task,
    pub labels: LabelMap,
    pub splits: Vec<Split>,
    pub duplicates: Duplicates,
    pub held_out: Vec<HeldOut>,
    pub trainer: Trainer,
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
        let data = reading.datasets(&sources.data)?;
        let duplicates = note_overlaps(&data);
        let head = data.first().context("there is no training data")?.head.clone();
        let model = files::read_model(&sources.model)?;
        let (classifier, load_report) =
            Classifier::for_training(&model, head, recipe.seed, &device.device)?;
        let classifier = args.device.apply(classifier);
        let limit = classifier.max_length();
        let max_length = max_length(args.max_length, DEFAULT_MAX_LENGTH, limit)?;

        let mut splits = Vec::new();
        let mut tokenized = Vec::new();
        for read in data {
            let split = read.split;
            let (described, rows, texts) = read.tokenized(&classifier, max_length)?;
            splits.push(described);
            tokenized.push(HeldOut { split, rows, texts });
        }
        let train = tokenized.remove(0);
        let (task, labels) = (classifier.task(), classifier.label_map().clone());
        if args.recipe.class_weights == Some(ClassWeights::Balanced) {
            let Split { label_counts, rows, .. } = &splits[0];
            recipe.loss.class_weights = Some(LossConfig::balanced(task, label_counts, *rows)?);
        }
        // The trainer alone holds the weights, so that it can change them in place.
        let trainer = match train.rows {
            Rows::Memory(rows) => {
                Trainer::new(classifier, rows.encodings, rows.targets, recipe.clone())?
            }
            Rows::File(rows) => Trainer::on_file(classifier, rows, recipe.clone())?,
        };
        let (storage, held_out) = (args.dtype, tokenized);
        Ok(Self {
            sources,
            device,
            recipe,
            max_length,
            storage,
            load_report,
            task,
            labels,
            splits,
            duplicates,
            held_out,
            trainer,
        })
    }
}

/// The recipe: what was given, over the defaults of the embedded model or of any other.
fn recipe(given: &RecipeArgs, model_is_embedded: bool) -> TrainConfig {
    let default = if model_is_embedded { embedded::recipe() } else { TrainConfig::default() };
    TrainConfig {
        epochs: given.epochs.unwrap_or(default.epochs),
        batch_size: given.batch_size.unwrap_or(default.batch_size),
        learning_rate: given.learning_rate.unwrap_or(default.learning_rate),
        weight_decay: given.weight_decay.unwrap_or(default.weight_decay),
        warmup_ratio: given.warmup_ratio.unwrap_or(default.warmup_ratio),
        schedule: given.schedule.unwrap_or(default.schedule),
        max_grad_norm: given.max_grad_norm.unwrap_or(default.max_grad_norm),
        gradient_accumulation_steps: given
            .gradient_accumulation_steps
            .unwrap_or(default.gradient_accumulation_steps),
        seed: given.seed.unwrap_or(default.seed),
        trainable_layers: default.trainable_layers,
        loss: LossConfig {
            class_weights: None, // known with the data
            focal_gamma: given.focal_gamma.unwrap_or(default.loss.focal_gamma),
            label_smoothing_factor: given
                .label_smoothing_factor
                .unwrap_or(default.loss.label_smoothing_factor),
        },
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
        if !self.load_report.initialized.is_empty() {
            writeln!(f, "new     {}", self.load_report.initialized.join(", "))?;
        }
        writeln!(f, "device  {}", self.device)?;
        for Split { split, path, instruction, rows, tokens, .. } in &self.splits {
            let TokenLengths { mean, percentile_95, longest, truncated, .. } = tokens;
            write!(
                f,
                "{split:6}  {} rows, {mean:.0} tokens each (95 % up to {percentile_95}, longest {longest}",
                grouped(*rows)
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
        let counts = self.splits.first().map_or(&[][..], |train| &train.label_counts);
        if !counts.is_empty() {
            let labels = self.labels.names().iter().zip(counts);
            let labels = labels.map(|(name, &rows)| format!("{name} {}", grouped(rows)));
            writeln!(f, "labels  {}", labels.collect::<Vec<_>>().join(", "))?;
        }
        writeln!(f, "recipe  {}", recipe_line(&self.recipe, self.max_length))?;
        writeln!(f, "steps   {}", grouped(self.trainer.total_steps()))?;
        writeln!(f, "out     {}", self.sources.out.display())
    }
}

/// The recipe in one line.
pub fn recipe_line(recipe: &TrainConfig, max_length: usize) -> String {
    let TrainConfig {
        epochs, batch_size, learning_rate, weight_decay, warmup_ratio, schedule, ..
    } = recipe;
    let TrainConfig { max_grad_norm, gradient_accumulation_steps, seed, .. } = recipe;
    let batch = match gradient_accumulation_steps {
        1 => batch_size.to_string(),
        steps => format!("{batch_size} × {steps}"),
    };
    let schedule = format!("{schedule:?}").to_lowercase();
    format!(
        "{epochs} epochs, batch {batch}, learning rate {learning_rate:e} ({schedule}, warm-up {warmup_ratio}), \
         weight decay {weight_decay}, gradient norm {max_grad_norm}, max length {max_length}, seed {seed}{}",
        loss_words(&recipe.loss)
    )
}

/// What is unusual about the loss.
fn loss_words(loss: &LossConfig) -> String {
    let LossConfig { class_weights, focal_gamma, label_smoothing_factor } = loss;
    let mut words = String::new();
    if let Some(weights) = class_weights {
        let weights: Vec<String> = weights.iter().map(|weight| format!("{weight:.2}")).collect();
        words.push_str(&format!(", class weights {}", weights.join(" ")));
    }
    if *focal_gamma > 0.0 {
        words.push_str(&format!(", focal γ {focal_gamma}"));
    }
    if *label_smoothing_factor > 0.0 {
        words.push_str(&format!(", label smoothing {label_smoothing_factor}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_settings_win_over_the_defaults() {
        let given = RecipeArgs { epochs: Some(7), ..RecipeArgs::default() };
        assert_eq!(recipe(&given, true).epochs, 7);
        assert_eq!(recipe(&given, true).batch_size, embedded::recipe().batch_size);
        assert_eq!(recipe(&given, false).batch_size, TrainConfig::default().batch_size);
    }
}
