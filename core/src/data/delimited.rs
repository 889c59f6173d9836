//! CSV, TSV and other delimited text.

use std::collections::HashSet;
use std::io::{Chain, Read};

use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use serde_json::Value;

use super::{column_names::MOST_COLUMNS, table::Reading};
use crate::Result;

/// A header, unless an earlier piece had it, and a row for each record below it. The last record of a
/// file must close its quotes.
pub(super) fn read(bytes: &[u8], delimiter: u8, last: bool, reading: &mut Reading) -> Result<()> {
    let Records { too_wide, stays_open, .. } = self::records(bytes, delimiter);
    if let Some(at) = too_wide {
        let line = 1 + line_ends(&bytes[..at]);
        let reason = format!("more than {MOST_COLUMNS} cells; is it text with labels?");
        return Err(reading.error(line, reason));
    }
    let has_header = reading.columns().is_empty();
    let mut records = reader(bytes, delimiter, has_header);
    if has_header {
        let header = records.byte_headers().map_err(|error| reading.error(1, error.to_string()))?;
        let columns = columns(header, reading)?;
        reading.header(columns)?;
    }
    let columns = reading.columns().to_vec();
    let mut start = RecordStart { bytes, byte: 0, line: 1 };
    for record in records.byte_records() {
        let record = record.map_err(|error| reading.error(start.line, error.to_string()))?;
        start.advance(place(record.position()));
        if let Some(cells) = cells(&record, columns.len(), start.line, reading)? {
            reading.row(start.line, columns.iter().cloned().zip(cells).collect())?;
        }
    }
    if last && stays_open {
        // With the rows behind the quote nothing is known of them, so this is not skipped.
        return Err(reading.error(start.line, "a quote opens in this row and is never closed"));
    }
    Ok(())
}

/// Where the last record begins, which may go on in bytes yet to come; all bytes, where a record in them has
/// more cells than any.
pub(super) fn last_record(bytes: &[u8], delimiter: u8) -> usize {
    let Records { last, too_wide, .. } = records(bytes, delimiter);
    match too_wide {
        Some(_) => bytes.len(),
        // Its line end may have its second half yet to come.
        None if last == bytes.len() && bytes.ends_with(b"\r") => last - 1,
        None => last,
    }
}

/// The lines that end in bytes, at `\n`, `\r\n` or, on old Macs, `\r`.
pub(super) fn line_ends(bytes: &[u8]) -> usize {
    let halves = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    bytes.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count() - halves
}

/// Where records begin.
struct Records {
    last: usize,
    /// The first one with more cells than a data set has columns.
    too_wide: Option<usize>,
    /// A quote in the last one is not closed: what follows would belong to it.
    stays_open: bool,
}

/// Goes through records as the `csv` crate parts them, which would keep a place of each cell.
fn records(bytes: &[u8], delimiter: u8) -> Records {
    #[derive(Clone, Copy, PartialEq)]
    enum Cell {
        Begins,
        Bare,
        Quoted,
        /// Behind a quote that closes the cell, unless another one follows.
        Closed,
    }
    let (mut last, mut cells, mut cell) = (0, 1, Cell::Begins);
    for (at, &byte) in bytes.iter().enumerate() {
        cell = match (cell, byte) {
            (Cell::Begins | Cell::Closed, b'"') => Cell::Quoted,
            (Cell::Quoted, b'"') => Cell::Closed,
            (Cell::Quoted, _) => Cell::Quoted,
            (_, b'\r' | b'\n') => {
                (last, cells) = (at + 1, 1);
                Cell::Begins
            }
            (_, byte) if byte == delimiter => {
                cells += 1;
                if cells > MOST_COLUMNS {
                    return Records { last, too_wide: Some(last), stays_open: false };
                }
                Cell::Begins
            }
            _ => Cell::Bare,
        };
    }
    Records { last, too_wide: None, stays_open: cell == Cell::Quoted }
}

/// Behind an empty line, which it passes over: it would take a byte order mark at the head of any piece for that
/// of the file.
fn reader(bytes: &[u8], delimiter: u8, has_headers: bool) -> Reader<Chain<&[u8], &[u8]>> {
    let mut builder = ReaderBuilder::new();
    let builder = builder.delimiter(delimiter).flexible(true).has_headers(has_headers);
    builder.from_reader(EMPTY_LINE.chain(bytes))
}

const EMPTY_LINE: &[u8] = b"\n";

/// The byte of a piece at which a record of its [`reader`] begins.
fn place(position: Option<&Position>) -> usize {
    position.map_or(0, |at| (at.byte() as usize).saturating_sub(EMPTY_LINE.len()))
}

/// The names in the header, each once.
fn columns(header: &ByteRecord, reading: &Reading) -> Result<Vec<String>> {
    let name = |cell| Ok(reading.checked(1, cell)?.trim().to_owned());
    let columns: Vec<String> = header.iter().map(name).collect::<Result<_>>()?;
    let mut seen = HashSet::new();
    match columns.iter().find(|column| !seen.insert(column.as_str())) {
        None => Ok(columns),
        Some(twice) => {
            Err(reading.error(1, format!("column \"{twice}\" stands twice in the header")))
        }
    }
}

/// The cells of a record, or `None` where it is bad and skipped.
fn cells(
    record: &ByteRecord,
    columns: usize,
    line: usize,
    reading: &mut Reading,
) -> Result<Option<Vec<Value>>> {
    if record.len() != columns {
        let found = record.len();
        let reason = format!(
            "{found} cells where the header names {columns}; is a quote or delimiter missing?"
        );
        return reading.bad_row(line, reason).map(|()| None);
    }
    let mut cells = Vec::with_capacity(columns);
    for cell in record {
        match reading.text(line, cell)? {
            Some(text) => cells.push(Value::from(text)),
            None => return Ok(None),
        }
    }
    Ok(Some(cells))
}

/// Where a record starts. The reader's own line numbers do not count the empty lines before a
/// record, nor the second half of a `\r\n`.
struct RecordStart<'a> {
    bytes: &'a [u8],
    byte: usize,
    line: usize,
}

impl RecordStart<'_> {
    /// Moves on to the record that begins at or after `byte`.
    fn advance(&mut self, byte: usize) {
        let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = byte + self.bytes[byte..].iter().take_while(is_break).count();
        self.line += line_ends(&self.bytes[self.byte..start]);
        self.byte = start;
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{BadRows, Format, Table};

    fn parse(bytes: &[u8], delimiter: u8) -> Result<Table, String> {
        let format = Format::Delimited { delimiter };
        Table::parse("a.csv", bytes, &format, &mut BadRows::Refuse).map_err(|e| e.to_string())
    }

    fn places(table: &Table) -> Vec<String> {
        table.rows.iter().map(|row| row.place.to_string()).collect()
    }

    #[test]
    fn csv_keeps_quoted_newlines_and_lines() {
        let table = parse(b"\xEF\xBB\xBFtext,label\n\"a\nb\",x\nc,y\n", b',').unwrap();
        assert_eq!(table.columns, ["text", "label"]);
        assert_eq!(table.rows[0].cells["text"], "a\nb");
        assert_eq!(places(&table)[1], "a.csv, line 4");
    }

    #[test]
    fn any_delimiter() {
        let table = parse(b"text;label\n\"a;b\";x\n", b';').unwrap();
        assert_eq!(table.rows[0].cells["text"], "a;b");
    }

    #[test]
    fn a_ragged_row_is_named_by_line() {
        let error = parse(b"text\tlabel\na\tx\nb\n", b'\t').unwrap_err();
        assert!(error.starts_with("a.csv, line 3: 1 cells"), "{error}");
    }

    #[test]
    fn lines_are_counted_through_windows_endings_and_empty_lines() {
        let table = parse(b"text\r\n\r\n\"a\r\nb\"\r\n\r\n\r\nc\r\n", b',').unwrap();
        assert_eq!(places(&table), ["a.csv, line 3", "a.csv, line 7"]);
    }

    #[test]
    fn lines_are_counted_through_the_endings_of_old_macs() {
        let table = parse(b"text\r\"a\rb\"\r\rc\r", b',').unwrap();
        assert_eq!(places(&table), ["a.csv, line 2", "a.csv, line 5"]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_rest() {
        let error = parse(b"text,label\na,x\nb,\"y\nc,x\n", b',').unwrap_err();
        assert!(error.starts_with("a.csv, line 3: a quote opens"), "{error}");
        let closed = b"text,label\n5\" disk,x\n\"\"\"b\"\"\",\"x\"";
        assert_eq!(parse(closed, b',').unwrap().rows.len(), 2);
    }
}
