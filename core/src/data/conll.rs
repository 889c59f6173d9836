//! CoNLL: a word a line with its tag in the last column, and an empty line after each sentence.

use serde_json::{Map, Value};

use super::{lines::numbered_lines, table::Reading};
use crate::Result;

/// What CoNLL-2003 puts between documents.
const DOCUMENT_START: &str = "-DOCSTART-";

/// A row for each sentence: `tokens` from the first column and `tags` from the last.
pub(super) fn read(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    let mut sentence = Sentence::default();
    for (line, content) in numbered_lines(bytes) {
        let content = reading.text(line, content)?.map(str::trim);
        match content {
            None => sentence.is_bad = true,
            Some("") => sentence.end(reading)?,
            Some(content) if content.starts_with(DOCUMENT_START) => sentence.end(reading)?,
            Some(content) => {
                let mut columns = content.split_whitespace();
                match (columns.next(), columns.next_back()) {
                    (Some(word), Some(tag)) => sentence.push(line, word, tag),
                    _ => {
                        let reason = "a word without a tag; CoNLL has the word first and its tag last on a line";
                        reading.bad_row(line, reason)?;
                        sentence.is_bad = true;
                    }
                }
            }
        }
    }
    sentence.end(reading)
}

/// The bytes up to which sentences are whole for sure.
pub(super) fn last_sentence(bytes: &[u8]) -> usize {
    let (mut at, mut end) = (0, 0);
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        at += line.len();
        if line.ends_with(b"\n") && line.trim_ascii().is_empty() {
            end = at;
        }
    }
    end
}

/// A sentence in the making.
#[derive(Default)]
struct Sentence {
    line: usize,
    tokens: Vec<Value>,
    tags: Vec<Value>,
    /// A line of it cannot be read: all of it is left out.
    is_bad: bool,
}

impl Sentence {
    fn push(&mut self, line: usize, word: &str, tag: &str) {
        if self.tokens.is_empty() {
            self.line = line;
        }
        self.tokens.push(word.into());
        self.tags.push(tag.into());
    }

    fn end(&mut self, reading: &mut Reading) -> Result<()> {
        let Self { line, tokens, tags, is_bad } = std::mem::take(self);
        if is_bad || tokens.is_empty() {
            return Ok(());
        }
        let cells = [("tokens", tokens), ("tags", tags)];
        let cells = cells.map(|(column, cells)| (column.to_owned(), Value::Array(cells)));
        reading.row(line, Map::from_iter(cells))
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{BadRows, Format, Table};

    const TEXT: &str =
        "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter\tB-PER\n";

    #[test]
    fn sentences_are_rows() {
        let table = Table::parse("a.conll", TEXT.as_bytes(), &Format::Conll, &mut BadRows::Refuse);
        let table = table.unwrap();
        let cells = serde_json::to_string(&table.rows[0].cells).unwrap();
        assert_eq!(cells, r#"{"tokens":["EU","rejects"],"tags":["B-ORG","O"]}"#);
        assert_eq!(table.rows[1].place.to_string(), "a.conll, line 6");
    }

    #[test]
    fn a_word_without_a_tag_is_named_by_line() {
        let text = "EU B-ORG\nrejects\n\nPeter B-PER\n";
        let parse =
            |bad: &mut BadRows| Table::parse("a.conll", text.as_bytes(), &Format::Conll, bad);
        let error = parse(&mut BadRows::Refuse).unwrap_err().to_string();
        assert!(error.starts_with("a.conll, line 2: a word without a tag"), "{error}");
        let mut bad = BadRows::skip();
        assert_eq!((parse(&mut bad).unwrap().rows.len(), bad.count()), (1, 1));
    }
}
