//! The flags that say how data are read, and those of `data` and `tokenize`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use emberlab_core::data::Task;

use super::values::{delimiter, positive, task};

/// How files become rows, and which of their columns are what.
#[derive(Debug, Default, Args, Serialize)]
pub struct ReadArgs {
    /// Column that holds the text [default: guessed, e.g. `text`, `sentence1`]
    #[arg(long, value_name = "NAME")]
    pub text_column: Option<String>,
    /// Column that holds the second half of a pair of texts [default: guessed, e.g. `sentence2`]
    #[arg(long, value_name = "NAME")]
    pub text_pair_column: Option<String>,
    /// Column that holds the label [default: guessed, e.g. `label`, `labels`, `score`]; give it several
    /// times for columns of 0 and 1, each a class
    #[arg(long, value_name = "NAME")]
    pub label_column: Vec<String>,
    /// What parts the cells of .csv and .tsv files, such as ';' or '\t' [default: by the ending]
    #[arg(long, value_name = "CHAR", value_parser = delimiter())]
    pub delimiter: Option<u8>,
    /// Field of a .json file that holds the rows
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Leave out rows that cannot be used, and count them, instead of stopping at the first
    #[arg(long)]
    pub skip_bad_rows: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab data train.csv test.csv
  emberlab data imdb/ --split 'train[:5000]' --max-length 256
  emberlab data imdb/ --html imdb.html

A file is a split named after itself; a folder has the splits that load_dataset finds in it.
Lengths are counted in tokens of --model, special tokens included.")]
pub struct DataArgs {
    /// Files, rows of files as FILE[:5000], or folders
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Splits or slices to show, such as train[:5000] [default: every split]
    #[arg(long, value_name = "SPLIT", num_args = 1..)]
    pub split: Vec<String>,
    /// What the labels are [default: guessed from them]
    #[arg(long, value_name = "TASK", value_parser = task())]
    pub task: Option<Task>,
    /// Folder with the tokenizer that counts tokens [default: models/bert-tiny]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Also say what a cut at N tokens would take away
    #[arg(long, value_name = "N", value_parser = positive())]
    pub max_length: Option<usize>,
    /// Print JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Write the same as a page that stands by itself
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub read: ReadArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab tokenize 'Tokenizers split words'
  emberlab tokenize --model bert-base-uncased/ 'A short one' 'And a longer one' --padding longest
  emberlab tokenize 'Who wrote it?' --text-pair 'It was written by Ada.' --max-length 12 --json

--json prints an object for each text, with the fields that a tokenizer of transformers returns.")]
pub struct TokenizeArgs {
    /// Texts to tokenize
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// Second halves, where the texts are pairs: as many as there are texts
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub text_pair: Vec<String>,
    /// Folder with the tokenizer [default: models/bert-tiny]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Tokens at which a text is cut [default: none are cut]
    #[arg(long, value_name = "N", value_parser = positive())]
    pub max_length: Option<usize>,
    /// What shorter texts are filled up to: the longest of these texts, or --max-length
    #[arg(long, value_name = "TO", default_value = "longest")]
    pub padding: Padding,
    /// Print JSON instead of tables
    #[arg(long)]
    pub json: bool,
}

/// As the `padding` of a tokenizer of transformers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Padding {
    Longest,
    MaxLength,
    DoNotPad,
}
