//! Rows as they stand in a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::column_names::ColumnNames;
use crate::{
    Error, Result,
    data::{At, BadRows, Format, Pieces, Place, Selection},
};

/// Bytes of a file that are parsed together, so that what a parser needs for itself does not grow with the
/// file.
const PIECE: usize = 1 << 20;

/// One row: its place and its cells in column order.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub place: Place,
    pub cells: Map<String, Value>,
}

/// The rows of a file, or of the files of a split, in order. Cells of delimited files are strings;
/// other cells keep their type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The file's or the split's name, for messages.
    pub name: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    /// The class names of columns that hold ids, where the file states them (`ClassLabel`).
    pub class_names: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// Reads a whole file. Bad rows are refused or skipped as `bad` says.
    ///
    /// # Errors
    /// [`Error::NotUtf8`], [`Error::BadRow`] or [`Error::NoRows`], naming file and line.
    pub fn parse(name: &str, bytes: &[u8], format: &Format, bad: &mut BadRows) -> Result<Self> {
        let mut pieces = Pieces::new(name, format.clone());
        let mut parts = Vec::new();
        let mut rest = bytes;
        while rest.len() > PIECE {
            let (piece, behind) = rest.split_at(PIECE);
            parts.push(pieces.read(piece, false, bad)?);
            rest = behind;
        }
        parts.push(pieces.read(rest, true, bad)?);
        let table = Self::concat(name, parts);
        match table.rows.is_empty() {
            true => Err(Error::NoRows { name: table.name, skipped: bad.count() }),
            false => Ok(table),
        }
    }

    /// Its columns and classes.
    pub fn without_rows(&self) -> Self {
        let (columns, class_names) = (self.columns.clone(), self.class_names.clone());
        Self { name: self.name.clone(), columns, rows: Vec::new(), class_names }
    }

    /// The files of a split as one table, in their order.
    pub fn concat(name: &str, parts: Vec<Self>) -> Self {
        let mut all = Self { name: name.into(), ..Self::default() };
        let mut columns = ColumnNames::default();
        for part in parts {
            columns.add(part.columns.iter());
            all.rows.extend(part.rows);
            all.class_names.extend(part.class_names);
        }
        all.columns = columns.into_names();
        all
    }
}

/// The rows that a [`crate::data::ReadInstruction`] selected from splits.
pub fn selected_rows(name: &str, splits: &[(&str, Table)], selections: &[Selection]) -> Table {
    let parts = selections.iter().filter_map(|selection| {
        let (_, table) = splits.iter().find(|(split, _)| *split == selection.split)?;
        let rows = table.rows.get(selection.rows.clone()).unwrap_or_default().to_vec();
        Some(Table { rows, ..table.without_rows() })
    });
    Table::concat(name, parts.collect())
}

/// A table in the making, of a piece of a file. Lines are counted from where the piece begins.
pub(super) struct Reading<'a> {
    file: Arc<str>,
    columns: ColumnNames,
    rows: Vec<Row>,
    /// Lines of the file before this piece.
    lines_before: usize,
    bad: &'a mut BadRows,
}

impl<'a> Reading<'a> {
    pub fn new(
        name: &str,
        columns: Vec<String>,
        lines_before: usize,
        bad: &'a mut BadRows,
    ) -> Self {
        let columns = ColumnNames::new(columns);
        Self { file: name.into(), columns, rows: Vec::new(), lines_before, bad }
    }

    /// The columns known so far, those of earlier pieces included.
    pub fn columns(&self) -> &[String] {
        self.columns.names()
    }

    fn place(&self, line: usize) -> Place {
        Place::line(&self.file, self.lines_before + line)
    }

    /// The next row's cells; columns are those of all rows, in the order they come up.
    ///
    /// # Errors
    /// [`Error::BadRow`] for more columns than a data set has, or longer names.
    pub fn row(&mut self, line: usize, cells: Map<String, Value>) -> Result<()> {
        if !cells.keys().eq(self.columns.names()) && self.columns.add(cells.keys()) {
            self.check_columns(line)?;
        }
        self.rows.push(Row { place: self.place(line), cells });
        Ok(())
    }

    /// The next row of a file whose rows are not its lines.
    pub fn numbered_row(&mut self, cells: Map<String, Value>) {
        self.columns.add(cells.keys());
        let at = At::Row(self.rows.len() + 1);
        self.rows.push(Row { place: Place { file: Arc::clone(&self.file), at }, cells });
    }

    /// The columns, where a header names them.
    ///
    /// # Errors
    /// [`Error::BadRow`] for more of them than a data set has, or longer names.
    pub fn header(&mut self, columns: Vec<String>) -> Result<()> {
        self.columns.add(columns.iter());
        self.check_columns(1)
    }

    fn check_columns(&self, line: usize) -> Result<()> {
        self.columns.excess().map_or(Ok(()), |reason| Err(self.error(line, reason)))
    }

    /// A row that cannot be read.
    ///
    /// # Errors
    /// [`Error::BadRow`] where such are refused.
    pub fn bad_row(&mut self, line: usize, reason: impl Into<String>) -> Result<()> {
        let error = self.error(line, reason);
        self.bad.meet(error)
    }

    /// What is wrong with the file from `line` on.
    pub fn error(&self, line: usize, reason: impl Into<String>) -> Error {
        Error::BadRow { place: self.place(line), reason: reason.into() }
    }

    /// The text of bytes that begin at `line`; `None` if they hold none and that is skipped.
    ///
    /// # Errors
    /// [`Error::NotUtf8`], or [`Error::BadRow`] for a NUL byte, where bad rows are refused.
    pub fn text<'b>(&mut self, line: usize, bytes: &'b [u8]) -> Result<Option<&'b str>> {
        match self.checked(line, bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => self.bad.meet(error).map(|()| None),
        }
    }

    /// The text of bytes that begin at `line`.
    ///
    /// # Errors
    /// [`Error::NotUtf8`], or [`Error::BadRow`] for a NUL byte, with its line.
    pub fn checked<'b>(&self, line: usize, bytes: &'b [u8]) -> Result<&'b str> {
        let text = std::str::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
            place: self.place(line + newlines(&bytes[..error.valid_up_to()])),
        })?;
        match text.find('\0') {
            None => Ok(text),
            Some(at) => {
                let line = line + newlines(&bytes[..at]);
                Err(self.error(line, "holds a NUL byte; save the file as UTF-8 text"))
            }
        }
    }

    pub fn finish(self) -> Table {
        let (name, columns, rows) = (self.file.to_string(), self.columns.into_names(), self.rows);
        Table { name, columns, rows, ..Table::default() }
    }
}

pub(super) fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8], format: &Format, bad: &mut BadRows) -> Result<Table, String> {
        Table::parse("a", bytes, format, bad).map_err(|error| error.to_string())
    }

    #[test]
    fn bad_utf8_and_bad_json_are_named_by_line() {
        let error = parse(b"{}\n\xFF\n", &Format::Jsonl, &mut BadRows::Refuse).unwrap_err();
        assert!(error.starts_with("a, line 2: not valid UTF-8"), "{error}");
        let error = parse(b"{}\n{\n", &Format::Jsonl, &mut BadRows::Refuse).unwrap_err();
        assert!(error.starts_with("a, line 2: not valid JSON"), "{error}");
    }

    #[test]
    fn bad_rows_are_skipped_and_counted() {
        let texts = |table: Table| -> Vec<Value> {
            table.rows.into_iter().map(|row| row.cells["text"].clone()).collect()
        };
        for (format, bytes) in [
            (Format::CSV, &b"text,label\na,x\nb\n\xff,x\n\0,x\nc,y\n"[..]),
            (Format::Jsonl, b"{\"text\": \"a\"}\n[]\n{\n\xff\n{\"text\": \"c\"}\n"),
            (Format::Json { field: None }, b"[{\"text\": \"a\"}, 1, 2, 3, {\"text\": \"c\"}]"),
        ] {
            let mut bad = BadRows::skip();
            let table = parse(bytes, &format, &mut bad).unwrap();
            assert_eq!((texts(table), bad.count()), (vec!["a".into(), "c".into()], 3));
        }
        let error = parse(b"text,label\na\n", &Format::CSV, &mut BadRows::skip()).unwrap_err();
        assert_eq!(error, "a: no rows: the only row was skipped");
    }

    #[test]
    fn tables_of_a_split_follow_one_another() {
        let part = |text: &str| parse(text.as_bytes(), &Format::CSV, &mut BadRows::Refuse).unwrap();
        let table = Table::concat("train", vec![part("text\na\n"), part("text,label\nb,x\n")]);
        assert_eq!((table.columns.len(), table.rows.len()), (2, 2));
        assert_eq!(table.rows[1].place.to_string(), "a, line 2");
    }
}
