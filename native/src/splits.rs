//! The data files of a run: read, and described.

use std::path::{Path, PathBuf};

use anyhow::Result;
use emberlab_core::data::{Columns, Dataset, LabelMap};
use emberlab_core::text::Encoding;
use serde::Serialize;

use crate::cli::ColumnArgs;
use crate::files;

/// One data file, as the plan shows it and `run.json` records it.
#[derive(Debug, Serialize)]
pub struct Split {
    pub split: &'static str,
    pub path: PathBuf,
    pub sha256: String,
    pub rows: usize,
    /// Rows of each class, in id order.
    pub label_counts: Vec<usize>,
    pub text_column: String,
    pub label_column: Option<String>,
    pub tokens: TokenLengths,
}

/// How long the texts are, in tokens after the cut.
#[derive(Debug, PartialEq, Serialize)]
pub struct TokenLengths {
    pub mean: f64,
    /// 95 of 100 texts are no longer than this.
    pub percentile_95: usize,
    pub longest: usize,
    /// Texts that lost their end at `max_length`.
    pub truncated: usize,
}

impl TokenLengths {
    fn of(encodings: &[Encoding]) -> Self {
        let mut lengths: Vec<usize> = encodings.iter().map(|encoding| encoding.ids.len()).collect();
        lengths.sort_unstable();
        let rows = lengths.len();
        Self {
            mean: lengths.iter().sum::<usize>() as f64 / rows.max(1) as f64,
            percentile_95: lengths.get(rows.saturating_sub(1) * 95 / 100).copied().unwrap_or(0),
            longest: lengths.last().copied().unwrap_or(0),
            truncated: encodings.iter().filter(|encoding| encoding.truncated).count(),
        }
    }
}

/// A split as it was read.
pub struct ReadDataset {
    pub split: &'static str,
    path: PathBuf,
    sha256: String,
    columns: Columns,
    pub dataset: Dataset,
}

impl ReadDataset {
    /// What the plan shows of it and `run.json` records.
    pub fn describe(&self, encodings: &[Encoding]) -> Split {
        Split {
            split: self.split,
            path: self.path.clone(),
            sha256: self.sha256.clone(),
            rows: self.dataset.texts.len(),
            label_counts: self.dataset.label_counts(),
            text_column: self.columns.text.clone(),
            label_column: self.columns.label.clone(),
            tokens: TokenLengths::of(encodings),
        }
    }
}

/// Reads the splits; the first one's labels hold for all.
pub fn read_datasets(
    paths: &[(&'static str, PathBuf)],
    columns: &ColumnArgs,
) -> Result<Vec<ReadDataset>> {
    let mut read: Vec<ReadDataset> = Vec::new();
    for (split, path) in paths {
        let known = read.first().map(|first| &first.dataset.label_map);
        read.push(read_dataset(split, path, columns, known)?);
    }
    Ok(read)
}

fn read_dataset(
    split: &'static str,
    path: &Path,
    asked: &ColumnArgs,
    known: Option<&LabelMap>,
) -> Result<ReadDataset> {
    let files::DataFile { table, sha256 } = files::read_data(path)?;
    let columns =
        Columns::guess(&table, asked.text_column.as_deref(), asked.label_column.as_deref())?;
    let dataset = Dataset::from_table(&table, &columns, known)?;
    Ok(ReadDataset { split, path: path.to_owned(), sha256, columns, dataset })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_lengths() {
        let encoding = |length: usize| Encoding {
            ids: vec![0; length],
            type_ids: vec![0; length],
            truncated: length == 9,
        };
        let lengths = TokenLengths::of(&[encoding(1), encoding(9), encoding(2)]);
        assert_eq!(lengths, TokenLengths { mean: 4.0, percentile_95: 2, longest: 9, truncated: 1 });
    }
}
