//! The data files of a folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use emberlab_core::data::{ReadInstruction, class_folder, ending, split_files};

use super::Stamps;
use super::class_names::{self, ClassNames};
use super::pieces::unpacked;
use crate::terminal::{counted, note_once};

/// Endings that are read alike. A folder's data are the files of the group it has most of, as for
/// `load_dataset`.
const KINDS: [&[&str]; 5] = [
    &["csv", "tsv"],
    &["json", "jsonl", "ndjson"],
    &["parquet"],
    &["txt"],
    &["conll", "bio", "iob", "iob2"],
];

/// How the rows lie in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Many rows a file.
    Rows,
    /// One text a file, in a folder named after its class.
    ClassFolders,
}

/// The files of a data set by split.
#[derive(Debug)]
pub struct DataFiles {
    pub root: PathBuf,
    pub layout: Layout,
    pub splits: Vec<(String, Vec<PathBuf>)>,
    /// The names of `ClassLabel` columns, where a description of the folder states them.
    pub class_names: ClassNames,
}

impl DataFiles {
    /// A file is split `train`; the files of a folder are sorted into splits by their names.
    ///
    /// # Errors
    /// A folder that cannot be read or that holds no data file.
    pub fn find(path: &Path) -> Result<Self> {
        let root = path.to_owned();
        if !path.is_dir() {
            let splits = vec![("train".to_owned(), vec![root.clone()])];
            let class_names = ClassNames::new();
            return Ok(Self { root, layout: Layout::Rows, splits, class_names });
        }
        let mut files = Vec::new();
        walk(path, "", &mut files).with_context(|| format!("cannot read {}", path.display()))?;
        if files.iter().any(|file| ending(file) == "arrow") {
            // What lies beside them in JSON describes them, and holds no rows.
            bail!(
                "cannot read {}: Arrow files (of save_to_disk) are not read; write each split with dataset.to_parquet(\"train.parquet\")",
                path.display()
            );
        }
        let (mut files, others) = most_of_a_kind(files);
        if others > 0 {
            note_once(format_args!(
                "{}: {} of other kinds left out",
                path.display(),
                counted(others, "data file")
            ));
        }
        let texts = files.first().is_some_and(|file| ending(file) == "txt");
        let classes = texts && files.iter().any(|file| class_folder(file).is_some());
        if classes {
            let all = files.len();
            files.retain(|file| class_folder(file).is_some());
            if files.len() < all {
                let out = counted(all - files.len(), "text file");
                note_once(format_args!("{}: {out} outside class folders left out", path.display()));
            }
        }
        let splits = split_files(&files);
        if splits.is_empty() {
            bail!(
                "cannot read {}: no data file in this folder; expected .csv, .tsv, .jsonl, .json, .txt, .conll (or packed as .gz) or .parquet",
                path.display()
            );
        }
        let in_root = |files: Vec<String>| files.into_iter().map(|file| root.join(file)).collect();
        let splits = splits.into_iter().map(|(split, files)| (split, in_root(files)));
        let splits = splits.collect::<Vec<(String, Vec<PathBuf>)>>();
        let layout = if classes { Layout::ClassFolders } else { Layout::Rows };
        Ok(Self { class_names: class_names::of_folder(&root), root, layout, splits })
    }

    /// The files of a split, sorted by name; none where there is no such split.
    pub fn paths(&self, split: &str) -> &[PathBuf] {
        self.splits.iter().find(|(name, _)| name == split).map_or(&[], |(_, paths)| paths)
    }

    /// What the files that an instruction reads are now.
    pub fn stamps(&self, instruction: &ReadInstruction) -> Stamps {
        let splits = instruction.splits(&self.names()).into_iter();
        Stamps::of(splits.flat_map(|split| self.paths(split)))
    }

    /// What a split of several files is called in messages.
    pub fn split_name(&self, split: &str) -> String {
        format!("{} ({split})", self.root.display())
    }

    /// Whether there is such a split.
    pub fn has(&self, split: &str) -> bool {
        self.splits.iter().any(|(name, _)| name == split)
    }

    /// The names of the splits.
    pub fn names(&self) -> Vec<&str> {
        self.splits.iter().map(|(split, _)| split.as_str()).collect()
    }

    /// The name of the split, where there is one only.
    ///
    /// # Errors
    /// There are several; the message says how to choose.
    pub fn only_split(&self) -> Result<&str> {
        match &self.splits[..] {
            [(only, _)] => Ok(only),
            _ => bail!(
                "{} holds several splits ({}); say which: --data {} with --train and --eval, or --split",
                self.root.display(),
                self.names().join(", "),
                self.root.display()
            ),
        }
    }
}

/// Of the files of a folder, those that make its splits, or some of them where there are such, and what
/// describes them.
pub fn data_files(files: Vec<String>, splits: Option<&[String]>) -> Vec<String> {
    let described = |file: &&String| class_names::DESCRIPTIONS.contains(&file.as_str());
    let mut wanted: Vec<String> = files.iter().filter(described).cloned().collect();
    let (files, _) = most_of_a_kind(files);
    let all = split_files(&files);
    let is_wanted = |split: &String| splits.is_none_or(|splits| splits.contains(split));
    let none = !all.iter().any(|(split, _)| is_wanted(split));
    let found = all.into_iter().filter(|(split, _)| none || is_wanted(split));
    wanted.extend(found.flat_map(|(_, files)| files));
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

/// Whether a name ends as those of data files do.
pub fn is_data_file(name: &str) -> bool {
    kind(name).is_some()
}

/// The kind of a file, as an index of [`KINDS`]; that of `a.csv.gz` is that of `a.csv`.
fn kind(name: &str) -> Option<usize> {
    let ending =
        unpacked(name).map(ending).filter(|of| of != "parquet").unwrap_or_else(|| ending(name));
    KINDS.iter().position(|endings| endings.contains(&ending.as_str()))
}

/// All files below a folder as paths in it with `/`; hidden ones are passed over.
fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = entry.path();
        match path.is_dir() {
            true => walk(&path, &format!("{prefix}{name}/"), files)?,
            false => files.push(format!("{prefix}{name}")),
        }
    }
    Ok(())
}

/// The files of the kind there are most of, and the number of data files of other kinds.
fn most_of_a_kind(files: Vec<String>) -> (Vec<String>, usize) {
    let described = split_files(&files).into_iter().flat_map(|(_, files)| files);
    let mut counts = [0; KINDS.len()];
    let mut seen: Vec<String> = described.collect();
    seen.sort_unstable();
    seen.dedup();
    seen.iter().filter_map(|file| kind(file)).for_each(|kind| counts[kind] += 1);
    let most = (0..KINDS.len()).rev().max_by_key(|&kind| counts[kind]).unwrap_or(0);
    let others = counts.iter().sum::<usize>() - counts[most];
    (files.into_iter().filter(|file| kind(file) == Some(most)).collect(), others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_files_are_of_the_kind_that_is_in_them() {
        assert_eq!(kind("a.csv.gz"), kind("b.tsv"));
        for none in ["gz", ".gz", "a.gz", "a.parquet.gz"] {
            assert!(!is_data_file(none), "{none}");
        }
    }
}
