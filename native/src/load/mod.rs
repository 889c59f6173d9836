//! Data sets as `load_dataset` opens them: a file, a folder of files, and slices of their splits.

mod folder;
mod parquet;
mod source;
mod text_folder;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use emberlab_core::data::{
    BadRows, Columns, Format, NamedColumns, ReadInstruction, Selection, Table, Task, selected_rows,
};
use sha2::{Digest, Sha256};

use crate::cli::ReadArgs;
use crate::report::{counted, grouped, note};

pub use folder::{DataFiles, Layout, data_files, is_data_file};
pub use source::Source;

/// Rows as they were read.
pub struct Loaded {
    pub table: Table,
    /// SHA-256 of the bytes of the files, one after the other, in hexadecimal.
    pub sha256: String,
    selections: Vec<Selection>,
    /// The rows of each split that was read, before a slice was taken.
    split_sizes: Vec<(String, usize)>,
}

impl Loaded {
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

/// Reads data sets, as the arguments say, and counts the rows it skips.
pub struct Loader<'a> {
    args: &'a ReadArgs,
    pub bad: BadRows,
}

impl<'a> Loader<'a> {
    pub fn new(args: &'a ReadArgs) -> Self {
        let bad = if args.skip_bad_rows { BadRows::skip() } else { BadRows::Refuse };
        Self { args, bad }
    }

    /// Reads the rows that a source names.
    ///
    /// # Errors
    /// A file that cannot be read, with its place; a split that is not there.
    pub fn load(&mut self, source: &Source) -> Result<Loaded> {
        let files = DataFiles::find(&source.path)?;
        let instruction = match &source.split {
            Some(expression) => ReadInstruction::parse(expression)?,
            None => ReadInstruction::split(files.only_split()?),
        };
        let known: Vec<&str> = files.splits.iter().map(|(split, _)| split.as_str()).collect();
        let mut hash = Sha256::new();
        let mut tables = Vec::new();
        for split in instruction.splits(&known) {
            // A split that is not there is named by `select`, with those that are.
            let Some((_, paths)) = files.splits.iter().find(|(name, _)| name == split) else {
                tables.clear();
                break;
            };
            tables.push((split, self.read_split(&files, split, paths, &mut hash)?));
        }
        let sizes: Vec<(&str, usize)> = match tables.is_empty() {
            true => known.iter().map(|split| (*split, 0)).collect(),
            false => tables.iter().map(|(split, table)| (*split, table.rows.len())).collect(),
        };
        let selections =
            instruction.select(&sizes).with_context(|| source.path.display().to_string())?;
        let split_sizes = sizes.iter().map(|(split, rows)| ((*split).to_owned(), *rows)).collect();
        let whole = matches!(&selections[..], [only] if only.rows.len() == sizes[0].1);
        let table = match tables.pop() {
            Some((_, table)) if whole && tables.is_empty() => table,
            last => {
                tables.extend(last);
                selected_rows(&source.to_string(), &tables, &selections)
            }
        };
        Ok(Loaded { table, sha256: format!("{:x}", hash.finalize()), selections, split_sizes })
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

    fn read_split(
        &mut self,
        files: &DataFiles,
        split: &str,
        paths: &[PathBuf],
        hash: &mut Sha256,
    ) -> Result<Table> {
        let name = |path: &Path| path.display().to_string();
        if files.layout == Layout::ClassFolders {
            return text_folder::read(
                paths,
                &format!("{} ({split})", name(&files.root)),
                hash,
                &mut self.bad,
            );
        }
        let mut parts = Vec::with_capacity(paths.len());
        for path in paths {
            let bytes = read(path)?;
            hash.update(&bytes);
            parts.push(self.parse(&name(path), bytes)?);
        }
        match parts.len() {
            1 => Ok(parts.remove(0)),
            _ => Ok(Table::concat(&format!("{} ({split})", name(&files.root)), parts)),
        }
    }

    fn parse(&mut self, name: &str, bytes: Vec<u8>) -> Result<Table> {
        if emberlab_core::data::ending(name) == "parquet" {
            return parquet::read(name, bytes);
        }
        let format = match (Format::from_name(name)?, self.args.delimiter, &self.args.field) {
            (Format::Delimited { .. }, Some(delimiter), _) => Format::Delimited { delimiter },
            (Format::Json { .. }, _, field) => Format::Json { field: field.clone() },
            (format, ..) => format,
        };
        Ok(Table::parse(name, &bytes, &format, &mut self.bad)?)
    }
}

/// The bytes of a data file.
fn read(path: &Path) -> Result<Vec<u8>> {
    if !path.exists() {
        bail!("cannot read {}: there is no such file or folder", path.display());
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
