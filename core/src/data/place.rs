//! Where a row stands, so that whoever has to mend it finds it.

use std::fmt;
use std::sync::Arc;

/// A row's file and its place in it; shown as `train.csv, line 3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: Arc<str>,
    pub at: At,
}

/// What names a row in its file. Counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The line where it begins.
    Line(usize),
    /// Its number, in a file whose rows are not its lines (Parquet, SQuAD's own form).
    Row(usize),
    /// The file holds this row only.
    WholeFile,
}

impl Place {
    /// A line of a file.
    pub fn line(file: &Arc<str>, line: usize) -> Self {
        Self { file: Arc::clone(file), at: At::Line(line) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            At::Line(line) => write!(f, "{}, line {line}", self.file),
            At::Row(row) => write!(f, "{}, row {row}", self.file),
            At::WholeFile => write!(f, "{}", self.file),
        }
    }
}
