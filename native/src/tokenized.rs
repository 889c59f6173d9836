//! Large sets, tokenized once on all cores and kept in a file of the cache folder.
//!
//! A file is called by what decides on its content: the data, how they are read, the tokenizer and the
//! length at which texts are cut. It may be deleted at any time.

use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use emberlab_core::Error;
use emberlab_core::data::{Dataset, LabelMap};
use emberlab_core::model::{BertConfig, Source as Bytes};
use emberlab_core::text::Tokenizer;
use emberlab_core::train::{LabelledRows, RowFile, RowFileWriter};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cli::{DEFAULT_MAX_LENGTH, ReadArgs};
use crate::files::{self, StagedFile};
use crate::inference::{check_pairs, max_length};
use crate::load::{Content, Loader, Scan, Source};
use crate::progress;
use crate::report::{bytes, counted, note, short};
use crate::token_lengths::{LengthCounts, TokenLengths};

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
        let max_length =
            max_length(asked_length, DEFAULT_MAX_LENGTH, config.max_position_embeddings)?;
        Ok(Self { tokenizer, config, max_length })
    }
}

/// A set in a file.
pub struct TokenizedSet {
    pub rows: RowFile,
    pub sha256: String,
    pub labels: LabelMap,
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
    pub label_column: Option<String>,
    pub tokens: TokenLengths,
}

/// All that decides on the content of a file.
#[derive(Serialize)]
struct Key<'a> {
    version: &'static str,
    content: &'a Content,
    read: &'a ReadArgs,
    labels: Option<&'a [String]>,
    tokenizer: String,
    max_length: usize,
}

/// Opens the tokenized rows of a large set, which are made unless the cache has them. `known` are the
/// labels that its rows must have, where those of another set hold. `None` for a set without labels
/// that nobody `asked` for.
///
/// # Errors
/// A row that cannot be used, with its place; the cache cannot be written.
pub fn open(
    source: &Source,
    asked: bool,
    read: &ReadArgs,
    known: Option<&LabelMap>,
    tokenizing: &Tokenizing,
) -> Result<Option<TokenizedSet>> {
    let content = Content::of(source)?;
    let key = Key {
        version: env!("CARGO_PKG_VERSION"),
        content: &content,
        read,
        labels: known.map(LabelMap::names),
        tokenizer: format!("{:x}", Sha256::digest(tokenizing.tokenizer.to_json()?)),
        max_length: tokenizing.max_length,
    };
    let name = format!("{:x}.rows", Sha256::digest(serde_json::to_vec(&key)?));
    let path = folder()?.join(name);
    if !path.exists() {
        let mut loader = Loader::new(read);
        let scan = loader.scan(source)?;
        scan.selected.note_clamped(source);
        if !asked && !scan.is_labelled {
            return Ok(None);
        }
        Making { source, read, scan: &scan, tokenizing }.make(known, &path)?;
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
    let labels = LabelMap::new(&source.to_string(), about.labels.clone())?;
    let mut first = LabelledRows::default();
    rows.read(0..1, &mut first)?;
    check_pairs(&tokenizing.config, first.encodings.first(), about.text_pair_column.is_some())?;
    Ok(Some(TokenizedSet { rows, sha256: content.sha256, labels, about }))
}

/// A file in the making.
struct Making<'a> {
    source: &'a Source,
    read: &'a ReadArgs,
    scan: &'a Scan,
    tokenizing: &'a Tokenizing,
}

impl Making<'_> {
    fn make(&self, known: Option<&LabelMap>, path: &Path) -> Result<()> {
        let started = Instant::now();
        let columns = Loader::new(self.read).columns(&self.scan.table)?;
        let labels = match known {
            Some(known) => known.clone(),
            None => Loader::new(self.read).label_map(self.scan, &columns)?,
        };
        let cannot_write = || format!("cannot write {}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(path)).with_context(cannot_write)?;
        let (staged, file) = StagedFile::create(path)?;
        let mut writer = RowFileWriter::new(BufWriter::new(file)).with_context(cannot_write)?;
        let mut lengths = LengthCounts::default();
        let mut label_counts = vec![0; labels.len()];
        // Rows that cannot be read are the one's, those that lack text or label the other's.
        let (mut loader, mut usable) = (Loader::new(self.read), Loader::new(self.read));
        let to_come = self.scan.selected.rows();
        note(format_args!("tokens  {}: {} to tokenize", self.source, counted(to_come, "row")));
        let bar = progress::texts(to_come);
        loader.each_selected_ahead(self.scan, |piece| {
            let rows = piece.rows.len();
            let dataset = Dataset::from_table(&piece, &columns, Some(&labels), &mut usable.bad);
            if let Some(dataset) = some_rows(dataset)? {
                let Tokenizing { tokenizer, max_length, .. } = self.tokenizing;
                let encodings = tokenizer.encode_texts(&dataset.texts, *max_length)?;
                for (encoding, &label) in encodings.iter().zip(&dataset.labels) {
                    writer.push(encoding, label).with_context(cannot_write)?;
                    lengths.add(encoding);
                    label_counts[label] += 1;
                }
            }
            bar.inc(rows as u64);
            Ok(())
        })?;
        bar.finish_and_clear();
        loader.bad.add(usable.bad);
        loader.report_skipped();
        let skipped_rows = loader.bad.count();
        let rows: usize = label_counts.iter().sum();
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
            label_column: columns.label,
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
