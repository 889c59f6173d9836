//! The flags of `tokenizer`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::values::positive;

#[derive(Debug, Subcommand)]
pub enum TokenizerCommand {
    /// Train a vocabulary on a corpus
    Train(TokenizerTrainArgs),
    /// Give a model's vocabulary the words that its corpus has most of and that it lacks
    Extend(TokenizerExtendArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab tokenizer train --corpus corpora/anatomy --vocab-size 8000 --out tokenizers/anatomy
  emberlab tokenizer train --corpus corpora/anatomy --model DIR --out models/new
  emberlab pretrain --model models/new --from-scratch --corpus corpora/anatomy --out runs/new

With --model, config.json of that folder comes along with the new vocab_size: a model to train from
scratch.")]
pub struct TokenizerTrainArgs {
    /// Folder that `emberlab corpus` wrote
    #[arg(long, value_name = "DIR")]
    pub corpus: PathBuf,
    /// Folder to write: tokenizer.json and tokenizer_config.json
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Pieces, special ones included, at most
    #[arg(long, value_name = "N", default_value = "30000", value_parser = positive())]
    pub vocab_size: usize,
    /// BERT's WordPiece, or RoBERTa's byte-level BPE
    #[arg(long, value_name = "KIND", default_value = "wordpiece")]
    pub kind: VocabularyChoice,
    /// Tell capitals from small letters, and keep accents (WordPiece)
    #[arg(long)]
    pub cased: bool,
    /// Folder whose shape a model from scratch is to have
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VocabularyChoice {
    #[value(name = "wordpiece")]
    WordPiece,
    Bpe,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab tokenizer extend --model models/bert-tiny --corpus corpora/anatomy --words 1000 --out models/anatomy

Rows of the embeddings that were there stay as they are, to the last bit; that of a new word is the mean
of the rows of its pieces. Words are chosen in the corpus's training part and counted in its held-out
part.")]
pub struct TokenizerExtendArgs {
    /// Model folder to extend [default: models/bert-tiny, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Folder that `emberlab corpus` wrote
    #[arg(long, value_name = "DIR")]
    pub corpus: PathBuf,
    /// Model folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Words to add, at most
    #[arg(long, value_name = "N", default_value = "1000", value_parser = positive())]
    pub words: usize,
    /// Words that stand less often in the corpus are not added
    #[arg(long, value_name = "N", default_value = "5", value_parser = positive())]
    pub min_count: usize,
    /// Words to show, those that gained most
    #[arg(long, value_name = "N", default_value = "20", value_parser = positive())]
    pub show: usize,
}
