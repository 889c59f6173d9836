//! The flags of `explain`.

use std::path::PathBuf;

use clap::Args;

use super::InferenceArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab explain 'I could not stop smiling all day'
  emberlab explain --model runs/mine --label spam 'You have won a prize' --html why.html

A word's score is what it adds to the logit of the class, against the same text with [PAD] in place of
its words: integrated gradients (Sundararajan, Taly and Yan 2017). The scores add up to the whole
difference but for the error of the integral, which is told.")]
pub struct ExplainArgs {
    /// Texts to explain
    #[arg(value_name = "TEXT", required = true)]
    pub text: Vec<String>,
    /// Second halves, where the texts are pairs: as many as there are texts
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    pub text_pair: Vec<String>,
    /// Folder of the classifier [default: models/emotions, which comes with emberlab]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Class to explain [default: the one it predicts]
    #[arg(long, value_name = "LABEL")]
    pub label: Option<String>,
    /// Print JSON, an object for each text, instead of bars
    #[arg(long)]
    pub json: bool,
    /// Write a page with the words in colour
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub inference: InferenceArgs,
}
