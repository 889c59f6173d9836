//! CSV, TSV and JSON Lines into rows that remember their line.

use serde_json::{Map, Value};

use crate::{Error, Result};

/// How the bytes of a data file are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a header row (RFC 4180).
    Csv,
    /// Tab-separated, with a header row.
    Tsv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// The format that a file's ending names.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] for any ending but `.csv`, `.tsv`, `.jsonl` and `.ndjson`.
    pub fn from_name(name: &str) -> Result<Self> {
        let ending = name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            _ => Err(Error::UnknownFormat { name: name.into() }),
        }
    }
}

/// One row: its first line in the file (counted from 1) and its cells in column order.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub line: usize,
    pub cells: Map<String, Value>,
}

/// The rows of one file in file order. CSV cells are strings; JSON cells keep their type.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file's name, for error messages.
    pub name: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads a whole file.
    ///
    /// # Errors
    /// [`Error::NotUtf8`], [`Error::BadRow`] or [`Error::NoRows`], naming file and line.
    pub fn parse(name: &str, bytes: &[u8], format: Format) -> Result<Self> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
            name: name.into(),
            line: 1 + newlines(&bytes[..error.valid_up_to()]),
        })?;
        if let Some(at) = text.find('\0') {
            let line = 1 + newlines(&bytes[..at]);
            return Err(bad_row(name, line, "holds a NUL byte; save the file as UTF-8 text"));
        }
        let (columns, rows) = match format {
            Format::Csv => parse_delimited(name, text, b',')?,
            Format::Tsv => parse_delimited(name, text, b'\t')?,
            Format::Jsonl => parse_jsonl(name, text)?,
        };
        if rows.is_empty() {
            return Err(Error::NoRows { name: name.into() });
        }
        Ok(Self { name: name.into(), columns, rows })
    }
}

fn bad_row(name: &str, line: usize, reason: impl Into<String>) -> Error {
    Error::BadRow { name: name.into(), line, reason: reason.into() }
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}

/// Where a CSV record starts. The reader's own line numbers do not count the empty lines before a
/// record, nor the second half of a `\r\n`.
struct RecordStart<'a> {
    text: &'a [u8],
    byte: usize,
    line: usize,
}

impl RecordStart<'_> {
    /// Moves on to the record that begins at or after `byte`.
    fn advance(&mut self, byte: usize) {
        let is_break = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = byte + self.text[byte..].iter().take_while(is_break).count();
        self.line += newlines(&self.text[self.byte..start]);
        self.byte = start;
    }
}

/// Whether a quote in the last record is never closed: what follows would belong to it.
fn stays_open(last_record: &str, delimiter: u8) -> bool {
    let followed = format!("{last_record}\nend");
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.delimiter(delimiter).flexible(true).has_headers(false);
    let last = reader.from_reader(followed.as_bytes()).into_records().flatten().last();
    last.is_none_or(|last| last != ["end"][..])
}

fn parse_delimited(name: &str, text: &str, delimiter: u8) -> Result<(Vec<String>, Vec<Row>)> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let columns: Vec<String> = reader
        .headers()
        .map_err(|error| bad_row(name, 1, error.to_string()))?
        .iter()
        .map(|column| column.trim().to_string())
        .collect();
    if let Some(twice) = columns.iter().enumerate().find(|(i, c)| columns[..*i].contains(c)) {
        return Err(bad_row(name, 1, format!("column \"{}\" stands twice in the header", twice.1)));
    }
    let mut rows = Vec::new();
    let mut start = RecordStart { text: text.as_bytes(), byte: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|error| bad_row(name, start.line, error.to_string()))?;
        start.advance(record.position().map_or(0, |position| position.byte() as usize));
        let line = start.line;
        if record.len() != columns.len() {
            let reason = format!(
                "{} cells where the header names {}; is a quote or delimiter missing?",
                record.len(),
                columns.len()
            );
            return Err(bad_row(name, line, reason));
        }
        let cells = columns.iter().cloned().zip(record.iter().map(Value::from)).collect();
        rows.push(Row { line, cells });
    }
    if stays_open(&text[start.byte..], delimiter) {
        return Err(bad_row(name, start.line, "a quote opens in this row and is never closed"));
    }
    Ok((columns, rows))
}

fn parse_jsonl(name: &str, text: &str) -> Result<(Vec<String>, Vec<Row>)> {
    let mut columns: Vec<String> = Vec::new();
    let mut rows = Vec::new();
    for (index, content) in text.lines().enumerate() {
        let line = index + 1;
        if content.trim().is_empty() {
            continue;
        }
        let cells: Map<String, Value> = match serde_json::from_str(content) {
            Ok(Value::Object(cells)) => cells,
            Ok(_) => return Err(bad_row(name, line, "not a JSON object ({\"text\": …})")),
            Err(error) => {
                // Each line is parsed by itself, so the parser's own line number says nothing.
                let reason = error.to_string().replace(" at line 1 column", " at column");
                return Err(bad_row(name, line, format!("not valid JSON: {reason}")));
            }
        };
        for column in cells.keys().filter(|column| !columns.contains(column)).collect::<Vec<_>>() {
            columns.push(column.clone());
        }
        rows.push(Row { line, cells });
    }
    Ok((columns, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_keeps_quoted_newlines_and_lines() {
        let table =
            Table::parse("a.csv", b"\xEF\xBB\xBFtext,label\n\"a\nb\",x\nc,y\n", Format::Csv);
        let table = table.unwrap();
        assert_eq!(table.columns, ["text", "label"]);
        assert_eq!(table.rows[0].cells["text"], "a\nb");
        assert_eq!(table.rows[1].line, 4);
    }

    #[test]
    fn a_ragged_row_is_named_by_line() {
        let error = Table::parse("a.tsv", b"text\tlabel\na\tx\nb\n", Format::Tsv).unwrap_err();
        assert!(error.to_string().starts_with("a.tsv, line 3: 1 cells"), "{error}");
    }

    #[test]
    fn lines_are_counted_through_windows_endings_and_empty_lines() {
        let table = Table::parse("a.csv", b"text\r\n\r\n\"a\r\nb\"\r\n\r\n\r\nc\r\n", Format::Csv);
        let lines: Vec<usize> = table.unwrap().rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 7]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_rest() {
        let open = b"text,label\na,x\nb,\"y\nc,x\n";
        let error = Table::parse("a.csv", open, Format::Csv).unwrap_err();
        assert!(error.to_string().starts_with("a.csv, line 3: a quote opens"), "{error}");
        let closed = b"text,label\n5\" disk,x\n\"\"\"b\"\"\",\"x\"";
        assert_eq!(Table::parse("a.csv", closed, Format::Csv).unwrap().rows.len(), 2);
    }

    #[test]
    fn bad_utf8_and_bad_json_are_named_by_line() {
        let error = Table::parse("a.jsonl", b"{}\n\xFF\n", Format::Jsonl).unwrap_err();
        assert!(error.to_string().starts_with("a.jsonl, line 2: not valid UTF-8"), "{error}");
        let error = Table::parse("a.jsonl", b"{}\n{\n", Format::Jsonl).unwrap_err();
        assert!(error.to_string().starts_with("a.jsonl, line 2: not valid JSON"), "{error}");
    }
}
