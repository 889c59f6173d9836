//! `emberlab data`: what a data set holds, and what is wrong with it.

mod examine;
mod html;
mod labels;
mod text;
mod warnings;

use std::path::PathBuf;

use anyhow::Result;
use emberlab_core::data::{ColumnProfile, Duplicates};
use emberlab_core::text::Lengths;
use serde::Serialize;

use self::labels::LabelReport;
use crate::Outcome;
use crate::cli::DataArgs;
use crate::files::staged::StagedFile;
use crate::terminal::{json, note, print};

/// What was found.
#[derive(Debug, Serialize)]
pub struct DataReport {
    /// Folder of the tokenizer that counted the tokens.
    pub tokenizer: PathBuf,
    pub splits: Vec<SplitReport>,
    pub duplicates: Duplicates,
    pub warnings: Vec<String>,
}

/// One split, or the rows that a slice takes of some.
#[derive(Debug, Serialize)]
pub struct SplitReport {
    pub split: String,
    pub path: PathBuf,
    pub sha256: String,
    pub rows: usize,
    /// Rows that cannot be read, or have no text.
    pub skipped_rows: usize,
    pub columns: Vec<ColumnProfile>,
    pub text_column: Option<String>,
    pub text_pair_column: Option<String>,
    #[serde(flatten)]
    pub labels: LabelReport,
    pub tokens: Option<Lengths>,
}

/// Runs the command.
pub fn run(args: &DataArgs) -> Result<Outcome> {
    let report = examine::examine(args)?;
    if let Some(path) = &args.html {
        StagedFile::write(path, html::render(&report).as_bytes())?;
        note(format_args!("wrote   {}", path.display()));
    }
    match (args.json, &args.html) {
        (true, _) => print(json(&report)?)?,
        (false, None) => print(text::render(&report))?,
        (false, Some(_)) => {}
    }
    Ok(Outcome::Completed)
}
