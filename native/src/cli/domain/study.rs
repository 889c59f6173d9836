//! The flags of `study`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AnswerColumns, GradeSettings};
use crate::cli::DeviceArg;
use crate::cli::values::positive;

#[derive(Debug, Subcommand)]
pub enum StudyCommand {
    /// Whether adapting a model to a corpus, with and without new words, helps to grade answers
    Adaptation(Box<AdaptationArgs>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab study adaptation --corpus corpora/anatomy --data answers.jsonl --seeds 5 --out studies/anatomy

Trains on the corpus once as the model is and once with new words; then, for each seed, grades held-out
answers with all three models, each fine-tuned on the other answers (--method) and each as it is (cosine
of the means of reference and answer). Writes the models, study.json and README.md with the table.
Intervals and differences are of 1,000 resamples of the held-out questions.")]
pub struct AdaptationArgs {
    /// Model folder to start from [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Folder that `emberlab corpus` wrote
    #[arg(long, value_name = "DIR")]
    pub corpus: PathBuf,
    /// Answers with points; no text of theirs may stand in the corpus
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Answers to measure on, held against the corpus as well [default: held out of --data]
    #[arg(long, value_name = "FILE", conflicts_with = "test_size")]
    pub test: Option<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Runs of each grader: seeds from --seed on
    #[arg(long, value_name = "N", default_value = "5", value_parser = positive())]
    pub seeds: usize,
    /// New words, at most
    #[arg(long, value_name = "N", default_value = "1000", value_parser = positive())]
    pub words: usize,
    /// Passes over the corpus
    #[arg(long, value_name = "N", default_value = "3", value_parser = positive())]
    pub pretrain_epochs: usize,
    /// Highest learning rate on the corpus
    #[arg(long, value_name = "RATE", default_value = "5e-4")]
    pub pretrain_learning_rate: f64,
    #[command(flatten)]
    pub settings: GradeSettings,
    #[command(flatten)]
    pub columns: AnswerColumns,
    #[command(flatten)]
    pub device: DeviceArg,
}
