//! The data files of a run: read, and described.

use std::path::{Path, PathBuf};

use anyhow::Result;
use emberlab_core::data::{Columns, Dataset, LabelledTexts, Table, Task, duplicates};
use emberlab_core::text::Encoding;
use serde::Serialize;

use crate::cli::{ReadArgs, TrainArgs};
use crate::hub::{self, Kind};
use crate::load::{DataFiles, Loaded, Loader, Source};
use crate::report::{counted, note};

/// One split of a run, as the plan shows it and `run.json` records it.
#[derive(Clone, Debug, Serialize)]
pub struct Split {
    pub split: &'static str,
    pub path: PathBuf,
    /// Which rows of it, as `train[:80%]`; none for the only split there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction: Option<String>,
    pub sha256: String,
    pub rows: usize,
    /// Rows that could not be used and were left out.
    pub skipped_rows: usize,
    /// Rows of each class, in id order; none of scores.
    pub label_counts: Vec<usize>,
    pub text_column: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_pair_column: Option<String>,
    pub label_columns: Vec<String>,
    pub tokens: TokenLengths,
}

/// How long the texts are, in tokens after the cut.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// What to read for a split of the run.
#[derive(Debug)]
pub struct SplitSource {
    pub split: &'static str,
    pub source: Source,
    /// Named by the user, and not only there.
    asked: bool,
}

impl SplitSource {
    /// A split that was asked for.
    pub fn new(split: &'static str, path: &Path) -> Self {
        Self { split, source: Source::new(path), asked: true }
    }
}

/// The splits that the arguments name: in `--data`, or each a file of its own. `None` without any.
pub fn sources(args: &TrainArgs) -> Result<Option<Vec<SplitSource>>> {
    let named = [("train", &args.train), ("eval", &args.eval), ("test", &args.test)];
    let Some(data) = &args.data else {
        let files = named.into_iter().filter_map(|(split, path)| Some((split, path.as_ref()?)));
        let files = files
            .map(|(split, path)| Ok(SplitSource::new(split, &hub::folder(path, Kind::Dataset)?)));
        return args.train.is_some().then(|| files.collect()).transpose();
    };
    let data = &hub::folder(data, Kind::Dataset)?;
    let files = DataFiles::find(data)?;
    let source = |(split, named): (&'static str, &Option<PathBuf>)| {
        let usual = if split == "eval" { "validation" } else { split };
        let there = || (split == "train" || files.has(usual)).then(|| usual.to_owned());
        let named = named.as_ref().map(|path| path.display().to_string());
        let (asked, path) = (named.is_some() || split == "train", data.clone());
        let instruction = named.or_else(there)?;
        Some(SplitSource { split, source: Source { path, split: Some(instruction) }, asked })
    };
    Ok(Some(named.into_iter().filter_map(source).collect()))
}

/// A split as it was read.
pub struct ReadDataset {
    pub split: &'static str,
    source: Source,
    sha256: String,
    skipped_rows: usize,
    columns: Columns,
    pub dataset: Dataset,
}

impl ReadDataset {
    /// What the plan shows of it and `run.json` records.
    pub fn describe(&self, encodings: &[Encoding]) -> Split {
        Split {
            split: self.split,
            path: self.source.path.clone(),
            instruction: self.source.split.clone(),
            sha256: self.sha256.clone(),
            rows: self.dataset.texts.len(),
            skipped_rows: self.skipped_rows,
            label_counts: self.dataset.label_counts(),
            text_column: self.columns.text.clone(),
            text_pair_column: self.columns.text_pair.clone(),
            label_columns: self.columns.labels.clone(),
            tokens: TokenLengths::of(encodings),
        }
    }
}

/// Reads the splits; the first one's task, unless one is given, and its labels hold for all.
pub fn read_datasets(
    sources: &[SplitSource],
    args: &ReadArgs,
    task: Option<Task>,
) -> Result<Vec<ReadDataset>> {
    let mut read: Vec<ReadDataset> = Vec::new();
    for source in sources {
        read.extend(read_dataset(source, args, task, read.first())?);
    }
    Ok(read)
}

/// Says where text that is measured on stands in the training rows, too.
pub fn note_overlaps(read: &[ReadDataset]) {
    let texts: Vec<LabelledTexts> = read
        .iter()
        .map(|ReadDataset { split, dataset, .. }| LabelledTexts {
            split,
            texts: &dataset.texts,
            labels: &[],
        })
        .collect();
    let found = duplicates(&texts);
    for overlap in found.across.iter().filter(|overlap| overlap.also_in == "train") {
        let (rows, split) = (counted(overlap.rows, "text"), &overlap.split);
        note(format_args!(
            "note: {rows} of {split} in train too; figures on {split} flatter the model"
        ));
    }
}

/// One split; none where it has no labels and nobody asked for it.
fn read_dataset(
    SplitSource { split, source, asked }: &SplitSource,
    args: &ReadArgs,
    task: Option<Task>,
    first: Option<&ReadDataset>,
) -> Result<Option<ReadDataset>> {
    let mut loader = Loader::new(args);
    let loaded = loader.load(source)?;
    loaded.note_clamped(source);
    let Loaded { table, sha256, .. } = loaded;
    let task = first.map_or(task, |first| Some(first.dataset.targets.task()));
    let columns = loader.columns(&table, task)?;
    if !asked && !is_labelled(&table, &columns) {
        note(format_args!("note: {source} has no labels; it is left out"));
        return Ok(None);
    }
    let known = first.map(|first| &first.dataset.label_map);
    let dataset = Dataset::from_table(&table, &columns, known, &mut loader.bad)?;
    loader.report_skipped();
    let (source, skipped_rows) = (source.clone(), loader.bad.count());
    Ok(Some(ReadDataset { split, source, sha256, skipped_rows, columns, dataset }))
}

/// Public test sets that keep their labels to themselves have none, or -1 in each row.
fn is_labelled(table: &Table, columns: &Columns) -> bool {
    table.label_words(columns).iter().any(|label| !label.is_empty())
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
            ..Encoding::default()
        };
        let lengths = TokenLengths::of(&[encoding(1), encoding(9), encoding(2)]);
        assert_eq!(lengths, TokenLengths { mean: 4.0, percentile_95: 2, longest: 9, truncated: 1 });
    }
}
