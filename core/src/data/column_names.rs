//! The names of a table's columns, in the order they come up.

use std::collections::HashSet;

/// Columns that a data set may have.
pub const MOST_COLUMNS: usize = 10_000;
/// Bytes that the name of a column may have, and those of all together: each row holds the names of its cells.
const LONGEST_NAME: usize = 1000;
const ALL_NAMES: usize = 1 << 20;

/// The columns that are known so far.
#[derive(Default)]
pub(super) struct ColumnNames {
    names: Vec<String>,
    /// The same, to be looked up: each row is held against them.
    known: HashSet<String>,
}

impl ColumnNames {
    pub fn new(names: Vec<String>) -> Self {
        Self { known: names.iter().cloned().collect(), names }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn into_names(self) -> Vec<String> {
        self.names
    }

    /// Adds those that are not known yet; says whether there are any.
    pub fn add<'a>(&mut self, found: impl Iterator<Item = &'a String>) -> bool {
        let before = self.names.len();
        let known = &mut self.known;
        let is_new = |name: &&String| !known.contains(*name) && known.insert((*name).clone());
        self.names.extend(found.filter(is_new).cloned());
        self.names.len() > before
    }

    /// What is too much of them.
    pub fn excess(&self) -> Option<String> {
        let lengths = || self.names.iter().map(String::len);
        if self.names.len() > MOST_COLUMNS {
            return Some(format!(
                "more than {MOST_COLUMNS} columns by this line; is it text with labels?"
            ));
        }
        if lengths().any(|length| length > LONGEST_NAME) {
            return Some(format!(
                "a column's name has more than {LONGEST_NAME} bytes; does a text stand in its place?"
            ));
        }
        (lengths().sum::<usize>() > ALL_NAMES).then(|| {
            let mb = ALL_NAMES >> 20;
            format!("the names of the columns have more than {mb} MB by this line; shorten them")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::data::{BadRows, Format, Pieces, Table};

    #[test]
    fn names_of_columns_are_short() {
        let names = |count: usize, length: usize| {
            let names: Vec<String> = (0..count).map(|name| format!("{name:0length$}")).collect();
            let json = format!("{{\"{}\": 1}}\n", names.join("\": 1, \""));
            (names.join(",") + "\n", json)
        };
        let read = |text: &str, format| {
            let table = Table::parse("a", text.as_bytes(), format, &mut BadRows::Refuse);
            table.map_err(|error| error.to_string())
        };
        for (count, length, says) in [
            (1, 1001, "a, line 1: a column's name has more than 1000 bytes"),
            (10_000, 200, "a, line 1: the names of the columns have more than 1 MB"),
        ] {
            let (csv, json) = names(count, length);
            assert!(read(&csv, &Format::CSV).unwrap_err().starts_with(says));
            assert!(read(&json, &Format::Jsonl).unwrap_err().starts_with(says));
        }
        assert!(read(&names(1000, 1000).1, &Format::Jsonl).is_ok());
    }

    /// In the product of rows and columns it takes minutes.
    #[test]
    fn few_cells_in_many_columns_are_read_at_once() {
        let (mut bad, mut pieces) = (BadRows::Refuse, Pieces::new("a", Format::Jsonl));
        let columns: Vec<String> = (0..MOST_COLUMNS).map(|id| format!("\"c{id}\": 1")).collect();
        let first = format!("{{{}}}\n", columns.join(", "));
        pieces.read(first.as_bytes(), false, &mut bad).unwrap();
        let (started, piece) = (Instant::now(), "{\"c9999\": 1}\n".repeat(100_000));
        for _ in 0..20 {
            pieces.read(piece.as_bytes(), false, &mut bad).unwrap();
        }
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
}
