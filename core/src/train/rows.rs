//! The rows of a set, in memory or in a file.

use std::borrow::Cow;

use super::RowFile;
use crate::{
    Result,
    data::{Targets, Task},
    text::{Encoding, WINDOW_ROWS},
};

/// Tokenized texts with what each of them is to be answered with, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledRows {
    pub encodings: Vec<Encoding>,
    pub targets: Targets,
}

impl LabelledRows {
    /// No rows yet.
    pub fn new(task: Task) -> Self {
        let targets = match task {
            Task::QuestionAnswering => Targets::Spans(Vec::new()),
            task => Targets::new(task),
        };
        Self { encodings: Vec::new(), targets }
    }
}

/// Where the rows of a set are.
#[derive(Debug)]
pub enum Rows {
    Memory(LabelledRows),
    /// For sets that do not fit memory: a window of them is read at a time.
    File(RowFile),
}

impl Rows {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(rows) => rows.encodings.len(),
            Self::File(file) => file.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All rows in their order, as many at a time as may be in memory together.
    ///
    /// # Errors
    /// Those of [`RowFile::read`].
    pub fn in_order(&self) -> impl Iterator<Item = Result<Cow<'_, LabelledRows>>> {
        let step = match self {
            Self::Memory(rows) => rows.encodings.len().max(1),
            Self::File(_) => WINDOW_ROWS,
        };
        (0..self.len()).step_by(step).map(move |from| match self {
            Self::Memory(rows) => Ok(Cow::Borrowed(rows)),
            Self::File(file) => {
                let mut rows = LabelledRows::new(file.task());
                file.read(from..from + step, &mut rows)?;
                Ok(Cow::Owned(rows))
            }
        })
    }
}
