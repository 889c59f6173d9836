//! The data files of a run: read, and described.

use std::path::{Path, PathBuf};

use anyhow::Result;
use emberlab_core::data::{
    Columns, Dataset, Duplicates, GoldAnswer, LabelledTexts, Targets, Task, duplicates,
};
use emberlab_core::model::{Classifier, Head};
use emberlab_core::text::{Texts, Window, spans};
use emberlab_core::train::{LabelledRows, Rows};
use serde::Serialize;

use super::token_lengths::TokenLengths;
use super::tokenized::{self, Asking, TokenizedSet, Tokenizing};
use super::{DataFiles, Loaded, Loader, Source};
use crate::cli::{ReadArgs, TrainArgs};
use crate::files::hub::{self, Kind};
use crate::inference::{check_pairs, encode};
use crate::terminal::{counted, note};

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
    /// Windows on the contexts of questions, which are the rows that are trained on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<usize>,
    /// Questions whose context does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_answer: Option<usize>,
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
    let usual = |split: &'static str| if split == "eval" { "validation" } else { split };
    let wanted = named.map(|(split, named)| {
        named.as_ref().map_or_else(|| usual(split).to_owned(), |path| path.display().to_string())
    });
    let data = &hub::dataset(data, wanted.iter().map(String::as_str))?;
    let files = DataFiles::find(data)?;
    let source = |(split, named): (&'static str, &Option<PathBuf>)| {
        let usual = usual(split);
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
    pub head: Head,
    rows: ReadRows,
}

/// Rows that are tokenized.
pub struct TokenizedRows {
    pub rows: Rows,
    /// Of all rows; none of a set that is not held in memory.
    pub texts: Texts,
    /// Where rows are windows on the contexts of these texts.
    pub questions: Option<Questions>,
}

/// Questions beside the windows on their contexts.
pub struct Questions {
    pub windows: Vec<Window>,
    /// What they may be answered with.
    pub answers: Targets,
}

/// How texts become tokens.
#[derive(Clone, Copy)]
pub struct Lengths {
    pub max_length: usize,
    pub doc_stride: usize,
}

enum ReadRows {
    Memory { dataset: Dataset, sha256: String, skipped_rows: usize, columns: Columns },
    File(TokenizedSet),
}

impl ReadDataset {
    /// The tokenized rows, with what the plan shows of them and `run.json` records.
    ///
    /// # Errors
    /// The tokenizer refuses a text; the model takes no pairs.
    pub fn tokenized(
        self,
        classifier: &Classifier,
        lengths: Lengths,
    ) -> Result<(Split, TokenizedRows)> {
        let Self { split, source: Source { path, split: instruction }, rows, .. } = self;
        Ok(match rows {
            ReadRows::Memory { dataset, sha256, skipped_rows, columns } => {
                let label_counts = dataset.label_counts();
                let Dataset { texts, targets, .. } = dataset;
                let (rows, questions) = match targets {
                    Targets::Answers(answers) => {
                        let (rows, questions) = windows(classifier, &texts, answers, lengths)?;
                        (rows, Some(questions))
                    }
                    targets => {
                        let encodings = encode(classifier, &texts, lengths.max_length)?;
                        (LabelledRows { encodings, targets }, None)
                    }
                };
                let described = Split {
                    split,
                    path,
                    instruction,
                    sha256,
                    rows: texts.len(),
                    windows: questions.as_ref().map(|questions| questions.windows.len()),
                    without_answer: questions.as_ref().map(Questions::without_answer),
                    skipped_rows,
                    label_counts,
                    text_column: columns.text,
                    text_pair_column: columns.text_pair,
                    label_columns: columns.labels,
                    tokens: TokenLengths::of(&rows.encodings),
                };
                (described, TokenizedRows { rows: Rows::Memory(rows), texts, questions })
            }
            ReadRows::File(TokenizedSet { rows, sha256, about, .. }) => {
                let described = Split {
                    split,
                    path,
                    instruction,
                    sha256,
                    rows: rows.len(),
                    windows: None,
                    without_answer: None,
                    skipped_rows: about.skipped_rows,
                    label_counts: about.label_counts,
                    text_column: about.text_column,
                    text_pair_column: about.text_pair_column,
                    label_columns: about.label_columns,
                    tokens: about.tokens,
                };
                let (rows, texts) = (Rows::File(rows), Texts::default());
                (described, TokenizedRows { rows, texts, questions: None })
            }
        })
    }
}

/// Questions in windows on their contexts.
fn windows(
    classifier: &Classifier,
    texts: &Texts,
    answers: Vec<Vec<GoldAnswer>>,
    Lengths { max_length, doc_stride }: Lengths,
) -> Result<(LabelledRows, Questions)> {
    let tokenizer = classifier.tokenizer();
    let (encodings, windows) = tokenizer.encode_questions(texts, max_length, doc_stride)?;
    check_pairs(classifier.config(), encodings.first(), true)?;
    let targets = spans(&windows, &encodings, &answers);
    let questions = Questions { windows, answers: Targets::Answers(answers) };
    Ok((LabelledRows { encodings, targets }, questions))
}

impl Questions {
    fn without_answer(&self) -> usize {
        let Targets::Answers(answers) = &self.answers else { return 0 };
        answers.iter().filter(|answers| answers.is_empty()).count()
    }
}

/// What holds for all splits of a run.
pub struct Reading<'a> {
    pub args: &'a ReadArgs,
    /// What the labels are, if that is not to be guessed.
    pub task: Option<Task>,
    /// The folder of the model, whose tokenizer large sets go through at once.
    pub model: &'a Path,
    pub max_length: Option<usize>,
}

impl Reading<'_> {
    /// Reads the splits; the first one's task and labels hold for all.
    ///
    /// # Errors
    /// A file that cannot be read, or a row that cannot be used, with its place.
    pub fn datasets(&self, sources: &[SplitSource]) -> Result<Vec<ReadDataset>> {
        let mut read: Vec<ReadDataset> = Vec::new();
        for source in sources {
            let known = read.first().map(|first| &first.head);
            read.extend(self.dataset(source, known)?);
        }
        Ok(read)
    }

    /// One split; none where it has no labels and nobody asked for it.
    fn dataset(
        &self,
        SplitSource { split, source, asked }: &SplitSource,
        known: Option<&Head>,
    ) -> Result<Option<ReadDataset>> {
        let mut loader = Loader::new(self.args);
        let task = known.map_or(self.task, |known| Some(known.task));
        let without_labels = || note(format_args!("note: {source} has no labels; it is left out"));
        let Some(loaded) = loader.load_small(source)? else {
            let tokenizing = Tokenizing::open(self.model, self.max_length)?;
            let asking = Asking { asked: *asked, read: self.args, task, known };
            let set = tokenized::open(source, &asking, &tokenizing)?;
            if set.is_none() {
                without_labels();
            }
            return Ok(set.map(|set| ReadDataset {
                split,
                source: source.clone(),
                head: set.head.clone(),
                rows: ReadRows::File(set),
            }));
        };
        loaded.selected.note_clamped(source);
        let Loaded { table, sha256, .. } = loaded;
        let columns = loader.columns(&table, task)?;
        if !asked && !table.has_labels(&columns) {
            without_labels();
            return Ok(None);
        }
        let labels = known.map(|known| &known.label_map);
        let dataset = Dataset::from_table(&table, &columns, labels, &mut loader.bad)?;
        loader.report_skipped();
        let head = Head { task: columns.task, label_map: dataset.label_map.clone() };
        let skipped_rows = loader.bad.count();
        let rows = ReadRows::Memory { dataset, sha256, skipped_rows, columns };
        Ok(Some(ReadDataset { split, source: source.clone(), head, rows }))
    }
}

/// Finds the texts that stand twice, and says where text that is measured on stands in the training
/// rows, too.
pub fn note_overlaps(read: &[ReadDataset]) -> Duplicates {
    let mut texts = Vec::new();
    for ReadDataset { split, rows, .. } in read {
        match rows {
            ReadRows::Memory { dataset, .. } => {
                texts.push(LabelledTexts { split, texts: &dataset.texts, labels: &[] });
            }
            ReadRows::File(_) => note(format_args!(
                "note: {split} is too large to be held in memory; it is not searched for texts of other splits"
            )),
        }
    }
    let found = duplicates(&texts);
    for overlap in found.across.iter().filter(|overlap| overlap.also_in == "train") {
        let (rows, split) = (counted(overlap.rows, "text"), &overlap.split);
        note(format_args!(
            "note: {rows} of {split} in train too; figures on {split} flatter the model"
        ));
    }
    found
}
