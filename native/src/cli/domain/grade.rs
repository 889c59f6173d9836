//! The flags of `grade`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::values::positive;
use crate::cli::{DeviceArg, InferenceArgs};

#[derive(Debug, Subcommand)]
pub enum GradeCommand {
    /// Train a model on answers that a teacher gave points, and measure it on others
    Train(Box<GradeTrainArgs>),
    /// Give answers points
    Predict(Box<GradePredictArgs>),
    /// Measure a model on answers that have points
    Evaluate(Box<GradeEvaluateArgs>),
}

/// Which columns of a data set are what.
#[derive(Clone, Debug, Default, Args)]
pub struct AnswerColumns {
    /// Column of the student's answer [default: guessed, e.g. `answer`, `student_answer`, `text`]
    #[arg(long, value_name = "NAME")]
    pub answer_column: Option<String>,
    /// Column of the reference answer [default: guessed, e.g. `reference`, `text_b`]
    #[arg(long, value_name = "NAME")]
    pub reference_column: Option<String>,
    /// Column of the question [default: `question`]
    #[arg(long, value_name = "NAME")]
    pub question_column: Option<String>,
    /// Column of the points, or of labels [default: guessed, e.g. `score`, `label`]
    #[arg(long, value_name = "NAME")]
    pub score_column: Option<String>,
    /// Columns of the points of two raters, whose agreement is told [default: `score_me` and
    /// `score_other` where there are such]
    #[arg(long, value_name = "NAME", num_args = 2)]
    pub rater_column: Vec<String>,
    /// Column of the most points that a question gives [default: `max_score` where there is such, else
    /// the most that is given]
    #[arg(long, value_name = "NAME")]
    pub max_score_column: Option<String>,
    /// Label that is worth a point, where answers have labels; others are worth none
    #[arg(long, value_name = "LABEL", default_value = "correct")]
    pub correct: String,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab grade train --data answers.jsonl --split-by question --out runs/grader
  emberlab grade train --data train.jsonl --test test.jsonl --model runs/anatomy --out runs/grader
  emberlab grade train --data answers.jsonl --method sentence-encoder --out runs/encoder

A row has a question, a reference answer, a student's answer and points (or a label). Without --test,
part of the rows is held out: whole questions, or rows of any question. The table sets the model beside
the majority class, ridge regression on the answers' words and, where two raters gave points, their
agreement.")]
pub struct GradeTrainArgs {
    /// Model folder to start from [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Answers with points
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Answers to measure on [default: held out of --data]
    #[arg(long, value_name = "FILE", conflicts_with = "test_size")]
    pub test: Option<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    #[command(flatten)]
    pub settings: GradeSettings,
    #[command(flatten)]
    pub columns: AnswerColumns,
    #[command(flatten)]
    pub device: DeviceArg,
}

/// How a grader is made and measured.
#[derive(Clone, Debug, Args)]
pub struct GradeSettings {
    /// A cross-encoder reads question, reference and answer together and gives points; a sentence
    /// encoder compares the means of reference and answer
    #[arg(long, value_name = "METHOD", default_value = "cross-encoder")]
    pub method: Method,
    /// What is held out: all answers to some questions, or rows of any question
    #[arg(long, value_name = "WHAT", default_value = "question")]
    pub split_by: SplitChoice,
    /// Part that is held out
    #[arg(long, value_name = "PART", default_value = "0.2")]
    pub test_size: f64,
    /// Part of the most points from which an answer counts as right
    #[arg(long, value_name = "PART", default_value = "0.5")]
    pub threshold: f32,
    /// Tokens at which question, reference and answer together are cut
    #[arg(long, value_name = "N", default_value = "128", value_parser = positive())]
    pub max_length: usize,
    /// Passes over the answers
    #[arg(long, value_name = "N", default_value = "5")]
    pub epochs: usize,
    /// Rows in a batch
    #[arg(long, value_name = "N", default_value = "16")]
    pub batch_size: usize,
    /// Highest learning rate of AdamW
    #[arg(long, value_name = "RATE", default_value = "2e-4")]
    pub learning_rate: f64,
    /// Seed of what is held out, the head, the shuffle and the dropout
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    CrossEncoder,
    SentenceEncoder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SplitChoice {
    Question,
    Row,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab grade predict --model runs/grader --data answers.jsonl > graded.jsonl
  emberlab grade predict --model runs/grader --question 'What does the heart do?' \\
    --reference 'It pumps blood.' --answer 'It moves blood around.'")]
pub struct GradePredictArgs {
    /// Folder that `emberlab grade train` wrote
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Answers: each row comes back with `predicted_score`
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "answer",
        conflicts_with = "answer"
    )]
    pub data: Option<PathBuf>,
    /// A student's answer
    #[arg(long, value_name = "TEXT", requires_all = ["question", "reference"])]
    pub answer: Option<String>,
    /// The question it answers
    #[arg(long, value_name = "TEXT")]
    pub question: Option<String>,
    /// The reference answer
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<String>,
    #[command(flatten)]
    pub columns: AnswerColumns,
    #[command(flatten)]
    pub inference: InferenceArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab grade evaluate --model runs/grader --data test.jsonl
  emberlab grade evaluate --model runs/grader --data test.jsonl --json")]
pub struct GradeEvaluateArgs {
    /// Folder that `emberlab grade train` wrote
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Answers with points
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub columns: AnswerColumns,
    #[command(flatten)]
    pub inference: InferenceArgs,
}
