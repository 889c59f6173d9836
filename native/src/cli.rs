//! The command line, declared once: flags, their help and their defaults.

pub mod config_file;
mod convert;
mod data;
mod domain;
mod explain;
mod lesson;
mod recipe;
mod results;
mod save;
mod serve;
mod training;
mod values;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use emberlab_core::data::Task;
use emberlab_core::model::StorageDtype;

use self::values::{positive, storage_dtype, task};
use crate::machine::device::DeviceChoice;

pub use convert::ConvertArgs;
pub use data::{DataArgs, Padding, ReadArgs, TokenizeArgs};
pub use domain::*;
pub use explain::ExplainArgs;
pub use lesson::LessonArgs;
pub use recipe::{ClassWeights, RecipeArgs};
pub use results::{CompareArgs, ReportArgs, ResultArgs};
pub use save::SaveArgs;
pub use serve::ServeArgs;
pub use training::{BestArgs, CourseArgs, LoraArgs};

/// Tokens a text is cut at, unless something else is asked for.
pub const DEFAULT_MAX_LENGTH: usize = 128;
/// The same of questions with their contexts, and the tokens that two windows on a context share, as in
/// transformers' example `run_qa.py`.
pub const QUESTION_MAX_LENGTH: usize = 384;
pub const DOC_STRIDE: usize = 128;

/// Fine-tune BERT text classifiers, and use them.
///
/// Models are Hugging Face folders (config.json, model.safetensors, tokenizer.json), in and out. Where a
/// folder is asked for, org/name is one of the hub (HF_HOME, HF_TOKEN and HF_HUB_OFFLINE hold).
/// Results go to standard output, everything else to standard error.
/// Exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted.
#[derive(Debug, Parser)]
#[command(name = "emberlab", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Start here:
  emberlab train                          fine-tunes the small model that comes with it
  emberlab predict --text 'What a day!'   classifies a sentence
  emberlab doctor                         says what this machine can do";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fine-tune a model on labelled texts and write a run folder
    Train(Box<TrainArgs>),
    /// Classify texts
    Predict(PredictArgs),
    /// Measure a classifier on labelled texts
    Evaluate(EvaluateArgs),
    /// Test whether two runs differ by more than chance
    Compare(CompareArgs),
    /// Write a run's report.html again
    Report(ReportArgs),
    /// Show which words made a classifier say what it says
    Explain(ExplainArgs),
    /// Take a few labelled texts through training steps and print every number, as the page's lesson does
    Lesson(LessonArgs),
    /// Serve the page, and models for it, to this machine or to a class
    Serve(ServeArgs),
    /// Show what a data set holds, and what is wrong with it
    Data(DataArgs),
    /// Show what a tokenizer makes of texts
    Tokenize(TokenizeArgs),
    #[command(flatten)]
    Domain(DomainCommand),
    /// Rewrite a model folder with another storage type and today's tensor names
    Convert(ConvertArgs),
    /// Say what this machine has and what is missing
    Doctor,
}

#[derive(Debug, Args)]
pub struct DeviceArg {
    /// Where to compute: auto, cpu, cuda, cuda:N or wgpu. `auto` takes the first usable CUDA device,
    /// else the CPU, and says so
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub device: DeviceChoice,

    /// Compute with Burn's own operations instead of our kernels: slower, the same numbers but for
    /// rounding and dropout
    #[arg(long)]
    pub no_kernels: bool,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("rows").args(["data", "train"]).multiple(true))]
#[command(after_help = "\
Examples:
  emberlab train
  emberlab train --model models/bert-tiny --train train.csv --test test.csv --out runs/mine
  emberlab train --model DIR --data imdb/ --train 'train[:80%]' --eval 'train[80%:]' --out runs/mine
  emberlab train --model DIR --train 'reviews.parquet[:5000]' --out runs/mine --dry-run
  emberlab train --resume runs/mine         goes on where a run was interrupted or killed

Data: CSV, TSV, JSONL, JSON, Parquet or a folder of them, with a text (or a pair of texts) and a
label on each row. Words or whole numbers are classes; lists, or columns of 0 and 1, are sets of them
(multi-label); numbers with a point are scores (regression); `answers` are parts of the `context` of a
`question`, as in SQuAD, whose own JSON is read, too. `emberlab data` shows what a set holds.
Without arguments it fine-tunes models/bert-tiny on data/emotions and writes runs/emotions.
The weights saved are those after the last step, or the best with --load-best-model-at-end.")]
pub struct TrainArgs {
    /// Model folder to start from [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Data set whose splits --train, --eval and --test name: a folder as load_dataset opens it, or
    /// a file [default: data/emotions, which comes with emberlab]
    #[arg(long, value_name = "PATH", requires = "out")]
    pub data: Option<PathBuf>,
    /// Rows to train on: a file, rows of a file as FILE[:5000] or FILE[10%:20%], or, with --data, a
    /// split or slice such as train[:80%] [default with --data: train]
    #[arg(long, value_name = "FILE|SPLIT", requires = "out")]
    pub train: Option<PathBuf>,
    /// Rows to evaluate on after each epoch [default with --data: validation, if there is one]
    #[arg(long, value_name = "FILE|SPLIT", requires = "rows")]
    pub eval: Option<PathBuf>,
    /// Rows to evaluate on at the end [default with --data: test, if there is one with labels]
    #[arg(long, value_name = "FILE|SPLIT", requires = "rows")]
    pub test: Option<PathBuf>,
    /// Run folder to write: a Hugging Face model folder plus run.json and metrics.jsonl
    /// [default: runs/emotions on the embedded data]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace --out if it is an earlier run folder
    #[arg(long)]
    pub overwrite: bool,
    /// Go on with the run in this folder from its newest checkpoint, with the arguments that it was
    /// started with; ends in the very weights of a run that was never interrupted
    #[arg(long, value_name = "DIR", conflicts_with_all = ["overwrite", "dry_run"])]
    pub resume: Option<PathBuf>,
    /// TOML file with arguments by the names of their flags, such as the train.toml of a run folder; what
    /// is typed takes the place of what it says
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub config: Option<PathBuf>,
    /// Show the plan (rows, labels, steps, device, memory, the learning rate) and train nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub read: ReadArgs,
    /// What the labels are [default: guessed from them]
    #[arg(long, value_name = "TASK", value_parser = task())]
    pub task: Option<Task>,
    /// Tokens at which a text is cut, or of a window on a context [default: 128, of windows 384, or what the
    /// model can read if that is less]
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Tokens that two windows on a context share, in question answering [default: 128]
    #[arg(long, value_name = "N")]
    pub doc_stride: Option<usize>,
    /// How model.safetensors stores the weights: f32, f16 or bf16
    #[arg(long, value_name = "DTYPE", default_value = "f32", value_parser = storage_dtype())]
    pub dtype: StorageDtype,
    /// Steps between two entries of the loss in metrics.jsonl
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive())]
    pub logging_steps: usize,
    #[command(flatten)]
    pub best: BestArgs,
    #[command(flatten)]
    pub save: SaveArgs,
    #[command(flatten)]
    pub results: ResultArgs,
    #[command(flatten)]
    pub device: DeviceArg,
    // Last, because its help heading holds for whatever follows.
    #[command(flatten)]
    pub recipe: RecipeArgs,
}

/// How texts go through a finished classifier.
#[derive(Debug, Args)]
pub struct InferenceArgs {
    /// Tokens at which a text is cut, or of a window on a context [default: as in training (run.json), else
    /// 128, of windows 384]
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// Texts in a batch
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive())]
    pub batch_size: usize,
    #[command(flatten)]
    pub device: DeviceArg,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab predict --text 'I could not stop smiling' 'Leave me alone'
  emberlab predict --model runs/mine --input test.csv --output predicted.csv
  echo 'Nobody came.' | emberlab predict --top-k 1

Without --text and --input it reads standard input: one text a line, or JSONL rows.
A JSONL row comes back with `label`, `score` and `probabilities`; its own label is kept as `gold`.
A CSV row comes back with `label`, `score` and a column `p_<label>` for each class.
A multi-label model gives `labels`, all that are more probable than not; a regression only `score`.
Questions (`question`, `context`, or --text and --text-pair) come back with `answer`, `score` and `start`.")]
pub struct PredictArgs {
    /// Folder of the classifier [default: models/emotions, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Texts to classify
    #[arg(long, value_name = "TEXT", num_args = 1.., conflicts_with = "input")]
    pub text: Vec<String>,
    /// Second halves, where the texts are pairs: as many as there are texts
    #[arg(long, value_name = "TEXT", num_args = 1.., requires = "text")]
    pub text_pair: Vec<String>,
    /// Data set of texts: a file, rows of it as FILE[:100], or a folder [default: standard input]
    #[arg(long, value_name = "PATH")]
    pub input: Option<PathBuf>,
    /// Split or slice of --input, such as test[:100]
    #[arg(long, value_name = "SPLIT", requires = "input")]
    pub split: Option<String>,
    /// File to write (.jsonl or .csv) [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Format of the output [default: by the ending of --output, else jsonl]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<OutputFormat>,
    /// Only the K most probable classes, best first; of questions the K best answers, as `n_best`
    #[arg(long, value_name = "K", value_parser = positive())]
    pub top_k: Option<usize>,
    /// Answer that a context does not say, where that is likelier than any answer [default: as in training
    /// (run.json): whether there were such questions]
    #[arg(long)]
    pub version_2_with_negative: bool,
    #[command(flatten)]
    pub read: ReadArgs,
    #[command(flatten)]
    pub inference: InferenceArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Jsonl,
    Csv,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab evaluate --model runs/mine --data test.jsonl
  emberlab evaluate --model runs/mine --data imdb/ --split 'test[:1000]'
  emberlab evaluate --model runs/mine --data test.csv --json > metrics.json")]
pub struct EvaluateArgs {
    /// Folder of the classifier [default: models/emotions, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Labelled rows: a file, rows of it as FILE[:100], or a folder
    #[arg(long, value_name = "PATH")]
    pub data: PathBuf,
    /// Split or slice of --data, such as test[:100] [default: the only split, else test]
    #[arg(long, value_name = "SPLIT")]
    pub split: Option<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Answer that a context does not say, where that is likelier than any answer [default: as in training
    /// (run.json): whether there were such questions]
    #[arg(long)]
    pub version_2_with_negative: bool,
    #[command(flatten)]
    pub read: ReadArgs,
    #[command(flatten)]
    pub inference: InferenceArgs,
}

#[cfg(test)]
mod tests;
