//! Large sets, tokenized once on all cores and kept in a file of the cache folder.
//!
//! A file is called by what decides on its content: the data, how they are read, the tokenizer and the
//! length at which texts are cut. It may be deleted at any time.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use emberlab_core::Error;
use emberlab_core::data::{Columns, Dataset, LabelMap, Targets, Task};
use emberlab_core::model::{BertConfig, Head, Source as Bytes};
use emberlab_core::text::{Encoding, Tokenizer};
use emberlab_core::train::{LabelledRows, RowFile, RowFileWriter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::token_lengths::{LengthCounts, TokenLengths};
use super::{Content, Loader, Scan, Source, Stamps};
use crate::cli::{DEFAULT_MAX_LENGTH, ReadArgs};
use crate::files;
use crate::files::staged::StagedFile;
use crate::inference::{check_pairs, max_length};
use crate::terminal::{bytes, counted, note, progress, short};

/// What makes texts into tokens, and for which model.
pub struct Tokenizing {
    tokenizer: Tokenizer,
    config: BertConfig,
    max_length: usize,
}

impl Tokenizing {
    /// As a model's folder says.
    ///
    /// # Errors
    /// A file of it cannot be read; more tokens were asked for than the model can read.
    pub fn open(model: &Path, asked_length: Option<usize>) -> Result<Self> {
        let files = files::read_model(model)?;
        let config = files.config()?;
        let tokenizer = files.tokenizer(&config)?;
        let max_length = max_length(asked_length, DEFAULT_MAX_LENGTH, config.max_length())?;
        Ok(Self { tokenizer, config, max_length })
    }
}

/// A set in a file.
pub struct TokenizedSet {
    pub rows: RowFile,
    pub sha256: String,
    pub head: Head,
    pub about: About,
}

/// What is kept beside the rows.
#[derive(Serialize, Deserialize)]
pub struct About {
    labels: Vec<String>,
    pub label_counts: Vec<usize>,
    pub skipped_rows: usize,
    pub text_column: String,
    pub text_pair_column: Option<String>,
    pub label_columns: Vec<String>,
    pub tokens: TokenLengths,
}

/// How a set is asked for.
pub struct Asking<'a> {
    /// By the user; else a set without labels is left out.
    pub asked: bool,
    pub read: &'a ReadArgs,
    /// What the labels are, if that is not to be guessed.
    pub task: Option<Task>,
    /// What the rows must have, where another set decides on it.
    pub known: Option<&'a Head>,
}

/// All that decides on the content of a file.
#[derive(Serialize)]
struct Key<'a> {
    version: &'static str,
    content: &'a Content,
    read: &'a ReadArgs,
    task: Option<Task>,
    labels: Option<&'a [String]>,
    tokenizer: String,
    max_length: usize,
}

/// Opens the tokenized rows of a large set, which are made unless the cache has them. `None` for a set
/// without labels that nobody asked for. What the labels are is guessed from the first rows.
///
/// # Errors
/// A row that cannot be used, with its place; the cache cannot be written.
pub fn open(
    source: &Source,
    &Asking { asked, read, task, known }: &Asking,
    tokenizing: &Tokenizing,
) -> Result<Option<TokenizedSet>> {
    let before = source.stamps()?;
    let content = Content::of(source)?;
    let key = Key {
        version: env!("CARGO_PKG_VERSION"),
        content: &content,
        read,
        task,
        labels: known.map(|known| known.label_map.names()),
        tokenizer: format!("{:x}", Sha256::digest(tokenizing.tokenizer.to_json()?)),
        max_length: tokenizing.max_length,
    };
    let name = format!("{:x}.rows", Sha256::digest(serde_json::to_vec(&key)?));
    let path = folder()?.join(name);
    if !path.exists() {
        let mut loader = Loader::new(read);
        let scan = loader.scan(source)?;
        scan.selected.note_clamped(source);
        let columns = loader.columns(&scan.table, task)?;
        if !asked && !scan.table.has_labels(&columns) {
            return Ok(None);
        }
        if columns.task == Task::QuestionAnswering {
            bail!(
                "{source}: question answering holds its sets in memory, and this one is too large; write a part of it to a file of its own"
            );
        }
        Making { source, read, scan: &scan, columns, before, tokenizing }.make(known, &path)?;
    }
    note(format_args!(
        "tokens  {source}: {} in {}",
        bytes(path.metadata().map_or(0, |about| about.len())),
        path.display()
    ));
    let shown = path.display().to_string();
    let rows = RowFile::open(&shown, Bytes::File(files::open(&path)?))?;
    let about: About = serde_json::from_slice(rows.metadata())
        .with_context(|| format!("{shown}: written by another version; delete it"))?;
    let label_map = match rows.task() {
        Task::Regression => LabelMap::of_a_score(),
        _ => LabelMap::new(&source.to_string(), about.labels.clone())?,
    };
    let head = Head { task: rows.task(), label_map };
    let mut first = LabelledRows::new(rows.task());
    rows.read(0..1, &mut first)?;
    check_pairs(&tokenizing.config, first.encodings.first(), about.text_pair_column.is_some())?;
    Ok(Some(TokenizedSet { rows, sha256: content.sha256, head, about }))
}

/// A file in the making.
struct Making<'a> {
    source: &'a Source,
    read: &'a ReadArgs,
    scan: &'a Scan,
    columns: Columns,
    /// What its files were before the first pass.
    before: Stamps,
    tokenizing: &'a Tokenizing,
}

impl Making<'_> {
    fn make(self, known: Option<&Head>, path: &Path) -> Result<()> {
        let started = Instant::now();
        let columns = self.columns;
        columns.require_label(&self.scan.table)?;
        let labels = match known {
            Some(known) => known.label_map.clone(),
            None => Loader::new(self.read).label_map(self.scan, &columns)?,
        };
        let cannot_write = || format!("cannot write {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(path)).with_context(cannot_write)?;
        let (staged, file) = StagedFile::create(path)?;
        let mut writer =
            RowFileWriter::new(BufWriter::new(file), columns.task).with_context(cannot_write)?;
        let mut lengths = LengthCounts::default();
        let mut rows = 0;
        let mut label_counts = Targets::new(columns.task).counts(labels.len());
        // Rows that cannot be read are the one's, those that lack text or label the other's.
        let (mut loader, mut usable) = (Loader::new(self.read), Loader::new(self.read));
        let to_come = self.scan.selected.rows();
        note(format_args!("tokens  {}: {} to tokenize", self.source, counted(to_come, "row")));
        let bar = progress::texts(to_come);
        loader.each_selected_ahead(self.scan, |piece| {
            let read = piece.rows.len();
            let dataset = Dataset::from_table(&piece, &columns, Some(&labels), &mut usable.bad);
            if let Some(dataset) = some_rows(dataset)? {
                let Tokenizing { tokenizer, max_length, .. } = self.tokenizing;
                let encodings = tokenizer.encode_texts(&dataset.texts, *max_length)?;
                refuse_without_words(columns.task, &encodings, self.source, rows)?;
                encodings.iter().for_each(|encoding| lengths.add(encoding));
                rows += encodings.len();
                let counts = dataset.label_counts();
                label_counts.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
                let targets = dataset.targets;
                writer.push(&LabelledRows { encodings, targets }).with_context(cannot_write)?;
            }
            bar.inc(read as u64);
            Ok(())
        })?;
        bar.finish_and_clear();
        // Under this name nobody would look for rows of other files.
        self.before.check()?;
        loader.bad.add(usable.bad);
        loader.report_skipped();
        let skipped_rows = loader.bad.count();
        if rows == 0 {
            return Err(
                Error::NoRows { name: self.source.to_string(), skipped: skipped_rows }.into()
            );
        }
        let about = About {
            labels: labels.names().to_vec(),
            label_counts,
            skipped_rows,
            text_column: columns.text,
            text_pair_column: columns.text_pair,
            label_columns: columns.labels,
            tokens: lengths.summary(),
        };
        let writer = writer.finish(&serde_json::to_vec(&about)?).with_context(cannot_write)?;
        staged.finish(&writer.into_inner().map_err(|error| error.into_error())?)?;
        let rate = rows as f64 / started.elapsed().as_secs_f64();
        let (rows, took) = (counted(rows, "row"), short(started.elapsed()));
        note(format_args!("tokens  {}: {rows} in {took}, {rate:.0} a second", self.source));
        Ok(())
    }
}

/// Training has no use for a text of which no word is tagged. `before` rows came before these.
fn refuse_without_words(
    task: Task,
    encodings: &[Encoding],
    source: &Source,
    before: usize,
) -> Result<()> {
    let empty = encodings.iter().position(|encoding| encoding.words.is_empty());
    match empty.filter(|_| task == Task::TokenClassification) {
        Some(row) => bail!(
            "{source}: the tokenizer leaves no word of text {}; take it out of the data",
            before + row + 1
        ),
        None => Ok(()),
    }
}

/// The rows of a piece; none where all of them were skipped.
fn some_rows(dataset: Result<Dataset, Error>) -> Result<Option<Dataset>, Error> {
    match dataset {
        Err(Error::NoRows { .. }) => Ok(None),
        dataset => dataset.map(Some),
    }
}

/// The folder of such files.
fn folder() -> Result<PathBuf> {
    let cache =
        dirs::cache_dir().context("this system names no cache folder; set XDG_CACHE_HOME")?;
    Ok(cache.join("emberlab").join("tokenized"))
}
