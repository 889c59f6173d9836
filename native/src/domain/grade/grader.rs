//! A model that gives answers points.

use std::path::Path;

use anyhow::{Context, Result};
use emberlab_core::Device;
use emberlab_core::data::{LabelMap, Targets, Task};
use emberlab_core::model::{Classifier, Head, ModelFiles, SentenceEncoder, StorageDtype};
use emberlab_core::text::{Encoding, Texts, Tokenizer};
use emberlab_core::train::{PairRows, PairTrainer, TrainConfig, Trainer};

use super::{Answers, stored};
use crate::cli::{GradeSettings, InferenceArgs, Method};
use crate::files;
use crate::inference::check_pairs;
use crate::machine::device;
use crate::terminal::{note, progress};

/// A model with what its outputs, 0 to 1, are parts of.
pub struct Grader {
    model: Model,
    /// Tokens at which texts are cut.
    pub max_length: usize,
    /// The most points of a question that says nothing else.
    pub most: f32,
    /// The part of the most from which an answer counts as right.
    pub threshold: f32,
}

enum Model {
    /// Reads question and reference, and the answer beside them.
    Cross(Box<Classifier>),
    /// Compares reference and answer.
    Sentences(Box<SentenceEncoder>),
}

impl Grader {
    /// Trains a model on answers.
    ///
    /// # Errors
    /// What is wrong with a file or a setting, by name.
    pub fn train(
        files: &ModelFiles,
        answers: &Answers,
        settings: &GradeSettings,
        device: &Device,
        no_kernels: bool,
    ) -> Result<Self> {
        let config = TrainConfig {
            epochs: settings.epochs,
            batch_size: settings.batch_size,
            learning_rate: settings.learning_rate,
            seed: settings.seed,
            ..TrainConfig::default()
        };
        let model = match settings.method {
            Method::CrossEncoder => {
                let head = Head { task: Task::Regression, label_map: LabelMap::of_a_score() };
                let (model, _) = Classifier::for_training(files, head, config.seed, device)?;
                let model = if no_kernels { model.without_kernels() } else { model };
                let max_length = settings.max_length.min(model.max_length());
                let encodings = together(model.tokenizer(), answers, max_length)?;
                check_pairs(model.config(), encodings.first(), true)?;
                let targets = Targets::Scores(answers.parts());
                let mut trainer = Trainer::new(model, encodings, targets, config)?;
                let bar = progress::steps(trainer.total_steps());
                while !trainer.is_done() {
                    trainer.step()?;
                    bar.inc(1);
                }
                pollster::block_on(trainer.read_loss())?;
                bar.finish_and_clear();
                Model::Cross(Box::new(trainer.classifier()))
            }
            Method::SentenceEncoder => {
                let (encoder, _) = SentenceEncoder::open(files, device)?;
                let encoder = if no_kernels { encoder.without_kernels() } else { encoder };
                let max_length = settings.max_length.min(encoder.max_length());
                let [first, second] = halves(encoder.tokenizer(), answers, max_length)?;
                let rows = PairRows { first, second, scores: answers.parts() };
                let mut trainer = PairTrainer::new(encoder, rows, config)?;
                let bar = progress::steps(trainer.total_steps());
                while !trainer.is_done() {
                    trainer.step();
                    bar.inc(1);
                }
                bar.finish_and_clear();
                Model::Sentences(Box::new(trainer.encoder()))
            }
        };
        Ok(Self::new(model, answers.highest(), settings))
    }

    /// A sentence encoder as it is, which has seen no answers.
    ///
    /// # Errors
    /// What is wrong with a file, by name.
    pub fn untrained(
        files: &ModelFiles,
        answers: &Answers,
        settings: &GradeSettings,
        device: &Device,
        no_kernels: bool,
    ) -> Result<Self> {
        let (encoder, _) = SentenceEncoder::open(files, device)?;
        let encoder = if no_kernels { encoder.without_kernels() } else { encoder };
        Ok(Self::new(Model::Sentences(Box::new(encoder)), answers.highest(), settings))
    }

    fn new(model: Model, most: f32, settings: &GradeSettings) -> Self {
        let limit = match &model {
            Model::Cross(model) => model.max_length(),
            Model::Sentences(encoder) => encoder.max_length(),
        };
        let max_length = settings.max_length.min(limit);
        Self { model, max_length, most, threshold: settings.threshold }
    }

    /// Opens a folder that `emberlab grade train` wrote.
    ///
    /// # Errors
    /// It is none; what is wrong with a file, by name.
    pub fn open(folder: &Path, args: &InferenceArgs) -> Result<Self> {
        let about = stored::read(folder)?;
        let chosen = device::choose(args.device.device)?;
        let files = files::read_model(folder)?;
        let model = match about.method.as_str() {
            "cross-encoder" => {
                let (model, _) = Classifier::open(&files, &chosen.device)?;
                Model::Cross(Box::new(args.device.apply(model)))
            }
            "sentence-encoder" => {
                let (encoder, _) = SentenceEncoder::open(&files, &chosen.device)?;
                let plain = args.device.no_kernels;
                let encoder = if plain { encoder.without_kernels() } else { encoder };
                Model::Sentences(Box::new(encoder))
            }
            other => anyhow::bail!("{}: method \"{other}\" is not known", folder.display()),
        };
        note(format_args!("model   {}\ndevice  {chosen}", folder.display()));
        let max_length = args.max_length.unwrap_or(about.max_length);
        Ok(Self { model, max_length, most: about.max_score, threshold: about.threshold })
    }

    /// The points of each answer, 0 to what its question gives at most.
    ///
    /// # Errors
    /// The tokenizer refuses a text; the device fails.
    pub fn grade(&self, answers: &Answers, batch_size: usize) -> Result<Vec<f32>> {
        let parts = match &self.model {
            Model::Cross(model) => {
                let encodings = together(model.tokenizer(), answers, self.max_length)?;
                let predictions = model.predict(&encodings, batch_size, |_| ());
                let predictions = pollster::block_on(predictions)?;
                predictions.iter().map(|prediction| prediction.score()).collect::<Vec<f32>>()
            }
            Model::Sentences(encoder) => {
                let [first, second] = halves(encoder.tokenizer(), answers, self.max_length)?;
                pollster::block_on(encoder.similarities(&first, &second, batch_size))?
            }
        };
        let most = answers.most.iter().copied().chain(std::iter::repeat(self.most));
        Ok(parts.iter().zip(most).map(|(part, most)| part.clamp(0.0, 1.0) * most).collect())
    }

    pub fn method(&self) -> &'static str {
        match self.model {
            Model::Cross(_) => "cross-encoder",
            Model::Sentences(_) => "sentence-encoder",
        }
    }

    /// The files of its Hugging Face folder.
    ///
    /// # Errors
    /// The device fails.
    pub fn to_files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let files = match &self.model {
            Model::Cross(model) => pollster::block_on(model.to_files(StorageDtype::F32)),
            Model::Sentences(encoder) => pollster::block_on(encoder.to_files(StorageDtype::F32)),
        };
        files.context("cannot read the weights back")
    }
}

/// Question and reference, and the answer, as a pair.
fn together(tokenizer: &Tokenizer, answers: &Answers, max_length: usize) -> Result<Vec<Encoding>> {
    let mut texts = Texts::default();
    let first = answers.questions.iter().zip(&answers.references);
    for ((question, reference), answer) in first.zip(&answers.answers) {
        texts.push(&format!("{question} {reference}"), Some(answer));
    }
    Ok(tokenizer.encode_texts(&texts, max_length)?)
}

/// References, and answers.
fn halves(
    tokenizer: &Tokenizer,
    answers: &Answers,
    max_length: usize,
) -> Result<[Vec<Encoding>; 2]> {
    let first = tokenizer.encode_all(&answers.references, max_length)?;
    Ok([first, tokenizer.encode_all(&answers.answers, max_length)?])
}
