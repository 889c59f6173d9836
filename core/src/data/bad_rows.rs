//! What becomes of rows that cannot be used.

use crate::{Error, Result};

/// How many of the skipped rows are kept to be shown.
const SHOWN: usize = 5;

/// Whether the first bad row ends the reading, or bad rows are left out and counted.
#[derive(Debug)]
pub enum BadRows {
    Refuse,
    Skip {
        count: usize,
        /// The first few.
        first: Vec<Error>,
    },
}

impl BadRows {
    /// Leaves bad rows out.
    pub fn skip() -> Self {
        Self::Skip { count: 0, first: Vec::new() }
    }

    /// A row is bad.
    ///
    /// # Errors
    /// The given one, where bad rows are refused.
    pub fn meet(&mut self, error: Error) -> Result<()> {
        match self {
            Self::Refuse => Err(error),
            Self::Skip { count, first } => {
                *count += 1;
                if first.len() < SHOWN {
                    first.push(error);
                }
                Ok(())
            }
        }
    }

    /// Counts what was left out elsewhere, too.
    pub fn add(&mut self, other: Self) {
        if let (Self::Skip { count, first }, Self::Skip { count: more, first: others }) =
            (self, other)
        {
            *count += more;
            first.extend(others);
            first.truncate(SHOWN);
        }
    }

    /// How many rows were left out so far.
    pub fn count(&self) -> usize {
        match self {
            Self::Refuse => 0,
            Self::Skip { count, .. } => *count,
        }
    }
}
