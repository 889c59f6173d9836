//! What a flag names: a file or a folder, and which rows of it.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Result;
use emberlab_core::data::ReadInstruction;
use serde::Serialize;

use super::{DataFiles, Stamps};
use crate::files::hub;

/// A data set and an expression such as `train[:80%]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    pub path: PathBuf,
    /// `None` for the only split there is.
    pub split: Option<String>,
}

impl Source {
    /// `path`, or `path[from:to]` for rows of a file, which is split `train`.
    pub fn new(path: &Path) -> Self {
        let whole = || Self { path: path.to_owned(), split: None };
        let Some(text) = path.to_str().filter(|_| !path.exists()) else { return whole() };
        match text.split_once('[') {
            Some((file, slice)) if !file.is_empty() && Path::new(file).exists() => {
                Self { path: file.into(), split: Some(format!("train[{slice}")) }
            }
            _ => whole(),
        }
    }

    /// Rows of the data set at `path`, which may be `path[from:to]` where no split is named.
    pub fn with_split(path: &Path, split: Option<&str>) -> Self {
        match split {
            Some(split) => Self { path: path.to_owned(), split: Some(split.to_owned()) },
            None => Self::new(path),
        }
    }

    /// Its files, and which of their rows it takes.
    ///
    /// # Errors
    /// There are no such files; no split is named where there are several.
    pub(super) fn find(&self) -> Result<(DataFiles, ReadInstruction)> {
        let files = DataFiles::find(&self.path)?;
        let instruction = match &self.split {
            Some(expression) => ReadInstruction::parse(expression)?,
            None => ReadInstruction::split(files.only_split()?),
        };
        Ok((files, instruction))
    }

    /// What its files are now.
    ///
    /// # Errors
    /// There are no such files.
    pub fn stamps(&self) -> Result<Stamps> {
        let (files, instruction) = self.find()?;
        Ok(files.stamps(&instruction))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = || self.path.display().to_string();
        let name = hub::id_of(&self.path).unwrap_or_else(path);
        match &self.split {
            Some(split) => write!(f, "{name} {split}"),
            None => write!(f, "{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_may_follow_a_file() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let sliced = format!("{}[:10%]", file.display());
        let source = Source::new(Path::new(&sliced));
        assert_eq!((source.path, source.split.as_deref()), (file.clone(), Some("train[:10%]")));
        assert_eq!(Source::new(&file).split, None);
        assert_eq!(Source::new(Path::new("absent[1]")).path, Path::new("absent[1]"));
    }
}
