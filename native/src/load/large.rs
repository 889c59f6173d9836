//! Sets that are too large to be held in memory, in passes over their files.

use std::collections::BTreeSet;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Result, anyhow};
use emberlab_core::data::{BadRows, Columns, LabelMap, MOST_LABELS, Selection, Table, ending};
use serde::Serialize;

use super::class_names::ClassNames;
use super::pieces::Each;
use super::{DataFiles, Layout, Loader, Selected, Source, select};
use crate::files::sha256;

/// What a first pass over a set finds.
pub struct Scan {
    files: DataFiles,
    /// The columns of all rows, and the first rows, which tell what is in them.
    pub table: Table,
    pub selected: Selected,
}

/// All that decides which rows files give, beside the arguments.
#[derive(Debug, Serialize)]
pub struct Content {
    pub sha256: String,
    instruction: Option<String>,
    /// The ending and the length of each file, and its folder where that is the label.
    files: Vec<(String, u64, Option<String>)>,
    class_names: ClassNames,
}

impl Content {
    /// Of the files that a source reads.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(source: &Source) -> Result<Self> {
        let (files, instruction) = source.find()?;
        let known = files.names();
        let splits = instruction.splits(&known).into_iter();
        let paths: Vec<_> = splits.flat_map(|split| files.paths(split)).collect();
        let folder = |path: &std::path::PathBuf| {
            let folder = path.parent().filter(|_| files.layout == Layout::ClassFolders)?;
            Some(folder.display().to_string())
        };
        let about = |path: &&std::path::PathBuf| {
            let length = path.metadata().map_or(0, |about| about.len());
            (ending(&path.display().to_string()), length, folder(path))
        };
        Ok(Self {
            files: paths.iter().map(about).collect(),
            sha256: sha256(paths)?,
            instruction: source.split.clone(),
            class_names: files.class_names.clone(),
        })
    }
}

impl Loader<'_> {
    /// Goes once through all files: their columns, and how many rows there are.
    ///
    /// # Errors
    /// Those of [`Loader::load`].
    pub fn scan(&mut self, source: &Source) -> Result<Scan> {
        let (files, instruction) = source.find()?;
        let mut all = Table { name: source.to_string(), ..Table::default() };
        let mut sizes = Vec::new();
        // A split that is not there is named by `select`, with those that are.
        let splits = instruction.splits(&files.names());
        for split in splits.into_iter().filter(|split| files.has(split)) {
            let mut rows = 0;
            self.each_piece(&files, split, &mut |piece| {
                rows += piece.rows.len();
                let known = std::mem::take(&mut all);
                let piece = if known.rows.is_empty() { piece } else { piece.without_rows() };
                all = Table::concat(&known.name.clone(), vec![known, piece]);
                Ok(true)
            })?;
            sizes.push((split.to_owned(), rows));
        }
        let selected = select(source, &files, &instruction, sizes)?;
        Ok(Scan { files, table: all, selected })
    }

    /// The classes of a set: those that its files state, or else those that stand in its rows.
    ///
    /// # Errors
    /// A row that cannot be used; fewer than two classes, or too many to be classes.
    pub fn label_map(&mut self, scan: &Scan, columns: &Columns) -> Result<LabelMap> {
        if let Some(stated) = scan.table.stated_classes(columns)? {
            return Ok(stated);
        }
        let name = &scan.table.name;
        let mut labels = BTreeSet::new();
        let mut bad = self.rules();
        self.each_selected(scan, &mut |piece| {
            labels.append(&mut piece.distinct_labels(columns, &mut bad)?);
            Ok(labels.len() <= MOST_LABELS)
        })?;
        Ok(LabelMap::from_labels(name, labels.iter().map(String::as_str))?)
    }

    /// Hands on the selected rows piece by piece, in their order.
    ///
    /// # Errors
    /// Those of [`Loader::load`], and of `each`.
    pub fn each_selected(&mut self, scan: &Scan, each: Each) -> Result<()> {
        for Selection { split, rows, .. } in &scan.selected.selections {
            let mut at = 0;
            let mut goes_on = true;
            self.each_piece(&scan.files, split, &mut |mut piece| {
                let place = |row: usize| row.saturating_sub(at).min(piece.rows.len());
                let (from, to) = (place(rows.start), place(rows.end));
                at += piece.rows.len();
                piece.rows.truncate(to);
                piece.rows.drain(..from);
                goes_on = piece.rows.is_empty() || each(piece)?;
                Ok(goes_on && at < rows.end)
            })?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// The same, while a thread reads and parses ahead.
    ///
    /// # Errors
    /// Those of [`Loader::each_selected`].
    pub fn each_selected_ahead(
        &mut self,
        scan: &Scan,
        mut each: impl FnMut(Table) -> Result<()>,
    ) -> Result<()> {
        thread::scope(|scope| {
            let (sender, pieces) = sync_channel(1);
            let reading = scope.spawn(move || {
                // Where nobody takes pieces any more, there is an error to be reported.
                self.each_selected(scan, &mut |piece| Ok(sender.send(piece).is_ok()))
            });
            for piece in pieces {
                each(piece)?;
            }
            reading.join().map_err(|_| anyhow!("the thread that reads ended early"))?
        })
    }

    /// Bad rows are treated as the arguments say, and counted from 0.
    fn rules(&self) -> BadRows {
        super::rules(self.args)
    }
}
