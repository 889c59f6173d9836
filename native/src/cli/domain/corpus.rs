//! The flags of `corpus`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::values::positive;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab corpus books/ --out corpora/anatomy
  emberlab corpus chapter1.html notes.md script.pdf --language deu --out corpora/notes

Reads .txt, .md, .html and .pdf files (.pdf through pdftotext of poppler-utils) and folders of them. A
document is a file, or what stands below a heading `# …` of a text or Markdown file. Writes train.jsonl,
held_out.jsonl (a paragraph a line) and corpus.json, the report of what was dropped and why.")]
pub struct CorpusArgs {
    /// Files, or folders of files
    #[arg(value_name = "FILE|FOLDER", required = true)]
    pub paths: Vec<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Language to keep, by its code in ISO 639-3, or `any`
    #[arg(long, value_name = "CODE", default_value = "eng")]
    pub language: String,
    /// Shorter paragraphs are dropped
    #[arg(long, value_name = "WORDS", default_value = "5", value_parser = positive())]
    pub min_words: usize,
    /// Longer paragraphs are dropped
    #[arg(long, value_name = "WORDS", default_value = "1000", value_parser = positive())]
    pub max_words: usize,
    /// Part of the text that is held out, by document
    #[arg(long, value_name = "PART", default_value = "0.1")]
    pub held_out: f64,
    /// Which documents are held out
    #[arg(long, value_name = "N", default_value = "42")]
    pub seed: u64,
}
