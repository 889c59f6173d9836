//! Data sets as `load_dataset` opens them: a file, a folder of files, and slices of their splits; and as tokens.

mod class_names;
mod folder;
mod held;
mod large;
mod parquet;
mod parquet_file;
mod pieces;
mod source;
pub(crate) mod splits;
mod stamps;
mod text_folder;
pub(crate) mod token_lengths;
mod tokenized;

use std::path::PathBuf;

use anyhow::{Context, Result};
use emberlab_core::data::{
    BadRows, Columns, NamedColumns, ReadInstruction, Selection, Table, Task, selected_rows,
};

use crate::cli::ReadArgs;
use crate::terminal::{counted, grouped, note};

use crate::files::sha256;
pub use class_names::of_card;
pub use folder::{DataFiles, Layout, data_files, is_data_file};
use held::held;
pub use large::{Content, Scan};
pub use pieces::each_of_text;
pub use source::Source;
pub use stamps::Stamps;

/// A set with more bytes, or a split with more rows or whose rows take more memory than this, is read as a
/// stream.
const LARGE_BYTES: u64 = 128 << 20;
const LARGE_ROWS: usize = 200_000;

/// What the rows of files with so many bytes may take in memory. Questions cannot be read as a stream, and have
/// their contexts with each, so that it is measured generously; a bomb of a few kB is none the less a stream.
fn large_in_memory(bytes: u64) -> u64 {
    ((64 << 20) + 64 * bytes).min(2 << 30)
}

/// The size of files.
fn bytes_of<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> u64 {
    paths.into_iter().map(|path| path.metadata().map_or(0, |about| about.len())).sum()
}

/// Rows as they were read.
pub struct Loaded {
    pub table: Table,
    /// SHA-256 of the bytes of the files, one after the other, in hexadecimal.
    pub sha256: String,
    pub selected: Selected,
}

/// Which rows a source takes.
pub struct Selected {
    selections: Vec<Selection>,
    /// The rows of each split that was read, before a slice was taken.
    split_sizes: Vec<(String, usize)>,
}

impl Selected {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.selections.iter().map(|selection| selection.rows.len()).sum()
    }

    /// Whether it is one split as it stands.
    fn is_all(&self) -> bool {
        matches!((&self.selections[..], &self.split_sizes[..]), ([only], [(_, rows)]) if only.rows == (0..*rows))
    }

    /// Says where a slice goes past the end of its split, and so gives fewer rows than it seems to.
    pub fn note_clamped(&self, source: &Source) {
        self.clamped(source).iter().for_each(|clamped| note(format_args!("note: {clamped}")));
    }

    /// What there is to say of each slice that goes past the end of its split.
    pub fn clamped(&self, source: &Source) -> Vec<String> {
        let clamped = self.selections.iter().filter(|selection| selection.clamped);
        let say = |Selection { split, rows, .. }: &Selection| {
            let size = self.split_sizes.iter().find(|(name, _)| name == split);
            format!(
                "{source} goes past the {} of {split}: it is clamped to rows {} to {}",
                counted(size.map_or(0, |(_, size)| *size), "row"),
                grouped(rows.start),
                grouped(rows.end)
            )
        };
        clamped.map(say).collect()
    }
}

/// What an instruction selects of splits of these sizes.
///
/// # Errors
/// A split that is not there; no row is selected.
fn select(
    source: &Source,
    files: &DataFiles,
    instruction: &ReadInstruction,
    split_sizes: Vec<(String, usize)>,
) -> Result<Selected> {
    let known = files.names();
    let sizes: Vec<(&str, usize)> = match instruction.splits(&known).len() == split_sizes.len() {
        true => split_sizes.iter().map(|(split, rows)| (split.as_str(), *rows)).collect(),
        false => known.iter().map(|split| (*split, 0)).collect(),
    };
    let selections = instruction.select(&sizes);
    let selections = selections.with_context(|| source.path.display().to_string())?;
    Ok(Selected { selections, split_sizes })
}

/// Whether bad rows are refused, or left out and counted.
fn rules(args: &ReadArgs) -> BadRows {
    if args.skip_bad_rows { BadRows::skip() } else { BadRows::Refuse }
}

/// Reads data sets, as the arguments say, and counts the rows it skips.
pub struct Loader<'a> {
    args: &'a ReadArgs,
    pub bad: BadRows,
}

impl<'a> Loader<'a> {
    pub fn new(args: &'a ReadArgs) -> Self {
        Self { args, bad: rules(args) }
    }

    /// Reads the rows that a source names.
    ///
    /// # Errors
    /// A file that cannot be read, with its place; a split that is not there.
    pub fn load(&mut self, source: &Source) -> Result<Loaded> {
        let (files, instruction) = source.find()?;
        let read = self.read(source, &files, &instruction, false)?;
        read.context("a set of any size is read")
    }

    /// The same, unless there is too much of it to be held in memory with ease.
    ///
    /// # Errors
    /// Those of [`Loader::load`].
    pub fn load_small(&mut self, source: &Source) -> Result<Option<Loaded>> {
        let (files, instruction) = source.find()?;
        let splits = instruction.splits(&files.names());
        match bytes_of(splits.iter().flat_map(|split| files.paths(split))) > LARGE_BYTES {
            true => Ok(None),
            false => self.read(source, &files, &instruction, true),
        }
    }

    /// `None` where only what is `small` is asked for and a split is not.
    fn read(
        &mut self,
        source: &Source,
        files: &DataFiles,
        instruction: &ReadInstruction,
        small: bool,
    ) -> Result<Option<Loaded>> {
        let known = files.names();
        let before = files.stamps(instruction);
        let mut tables = Vec::new();
        let mut paths = Vec::new();
        // A split that is not there is named by `select`, with those that are.
        for split in instruction.splits(&known).into_iter().filter(|split| files.has(split)) {
            let Some(table) = self.read_split(files, split, small)? else { return Ok(None) };
            paths.extend(files.paths(split));
            tables.push((split, table));
        }
        let sizes = tables.iter().map(|(split, table)| ((*split).to_owned(), table.rows.len()));
        let selected = select(source, files, instruction, sizes.collect())?;
        let table = match tables.pop() {
            Some((_, table)) if tables.is_empty() && selected.is_all() => table,
            last => {
                tables.extend(last);
                selected_rows(&source.to_string(), &tables, &selected.selections)
            }
        };
        let sha256 = sha256(paths)?;
        before.check()?;
        Ok(Some(Loaded { table, sha256, selected }))
    }

    /// The rows of a split; `None` where only what is `small` is asked for and it is not.
    fn read_split(&mut self, files: &DataFiles, split: &str, small: bool) -> Result<Option<Table>> {
        let most = large_in_memory(bytes_of(files.paths(split)));
        let (mut rows, mut bytes, mut fits, mut parts) = (0, 0, true, Vec::new());
        self.each_piece(files, split, &mut |piece| {
            rows += piece.rows.len();
            bytes += if small { held(&piece) as u64 } else { 0 };
            fits = !small || (rows <= LARGE_ROWS && bytes <= most);
            parts.push(piece);
            Ok(fits)
        })?;
        let name = match files.paths(split) {
            [only] if files.layout == Layout::Rows => only.display().to_string(),
            _ => files.split_name(split),
        };
        Ok(fits.then(|| Table::concat(&name, parts)))
    }

    /// Which of a table's columns are what, as the arguments name them or else by their names, for a
    /// task or else that which the labels look like.
    pub fn columns(&self, table: &Table, task: Option<Task>) -> Result<Columns> {
        let named = NamedColumns {
            text: self.args.text_column.as_deref(),
            text_pair: self.args.text_pair_column.as_deref(),
            labels: &self.args.label_column,
            task,
        };
        Ok(Columns::guess(table, named)?)
    }

    /// Says how many rows were skipped, and which.
    pub fn report_skipped(&self) {
        let BadRows::Skip { count, first } = &self.bad else { return };
        if *count == 0 {
            return;
        }
        note(format_args!("skipped {} that cannot be used", counted(*count, "row")));
        first.iter().for_each(|error| note(format_args!("  {error}")));
        if *count > first.len() {
            note(format_args!("  and {} more", counted(count - first.len(), "row")));
        }
    }
}
