//! JSON Lines and JSON arrays, and SQuAD's own form.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::{
    lines::numbered_lines,
    squad,
    table::{Reading, newlines},
};
use crate::{Error, Result};

/// One object a line; empty lines are skipped.
pub(super) fn read_lines(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    for (line, content) in numbered_lines(bytes) {
        let Some(content) = reading.text(line, content)? else { continue };
        if content.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(content) {
            Ok(Value::Object(cells)) if squad::is_file(&cells) => questions(line, cells, reading)?,
            Ok(Value::Object(cells)) => reading.row(line, cells),
            Ok(_) => reading.bad_row(line, NOT_AN_OBJECT)?,
            Err(error) => reading.bad_row(line, not_json(&error))?,
        }
    }
    Ok(())
}

fn questions(line: usize, file: Map<String, Value>, reading: &mut Reading) -> Result<()> {
    match squad::rows(file) {
        Ok(rows) => rows.into_iter().for_each(|cells| reading.numbered_row(cells)),
        Err(error) => reading.bad_row(line, format!("not SQuAD's form: {error}"))?,
    }
    Ok(())
}

/// An array of objects, at the top or as the value of `field` in an object at the top. Without a
/// field, what does not begin as an array is read as JSON Lines.
pub(super) fn read(bytes: &[u8], field: Option<&str>, reading: &mut Reading) -> Result<()> {
    let first = bytes.trim_ascii_start().first();
    match (field, first) {
        (None, Some(b'{')) => return read_object_lines(bytes, reading),
        (Some(field), Some(b'[')) => {
            let reason = format!("begins with an array, so there is no field \"{field}\"");
            return Err(reading.error(1, reason));
        }
        (_, None) => return Ok(()),
        _ => {}
    }
    let mut scan = Scan::new(reading.checked(1, bytes)?);
    match field {
        Some(field) => scan.field(field, reading)?,
        None => scan.rows(reading)?,
    }
    scan.end(reading)
}

/// JSON Lines in a `.json` file, or an object over several lines, which is of SQuAD's own form or is told
/// what it lacks.
fn read_object_lines(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    if !is_one_object(bytes) {
        return read_lines(bytes, reading);
    }
    let line = 1 + newlines(&bytes[..bytes.len() - bytes.trim_ascii_start().len()]);
    match serde_json::from_str(reading.checked(1, bytes)?) {
        Ok(Value::Object(file)) if squad::is_file(&file) => questions(line, file, reading),
        Ok(_) => Err(reading
            .error(line, "one object over several lines, not rows; name the field that holds the rows with --field")),
        Err(_) => read_lines(bytes, reading),
    }
}

/// Whether the first line opens an object that it does not close.
pub(super) fn is_one_object(bytes: &[u8]) -> bool {
    let first = bytes.trim_ascii_start().split(|&byte| byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice::<IgnoredAny>(first).is_err_and(|error| error.is_eof())
}

const NOT_AN_OBJECT: &str = "not a JSON object ({\"text\": …})";

/// Each value is parsed by itself, so the parser's own line number says nothing.
fn not_json(error: &serde_json::Error) -> String {
    let reason = error.to_string();
    let reason = reason.split(" at line ").next().unwrap_or_default();
    match error.line() {
        1 => format!("not valid JSON: {reason} at column {}", error.column()),
        _ => format!("not valid JSON: {reason}"),
    }
}

/// Goes through a JSON text value by value, so that each is known by its line.
struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The line of `counted`, which is where lines are counted up to.
    line: usize,
    counted: usize,
}

impl<'a> Scan<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, line: 1, counted: 0 }
    }

    /// The next byte that is not white space, without taking it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_ascii_start().len();
        self.text.as_bytes().get(self.at).copied()
    }

    /// The line of the next byte.
    fn line(&mut self) -> usize {
        self.line += newlines(&self.text.as_bytes()[self.counted..self.at]);
        self.counted = self.at;
        self.line
    }

    fn error(&mut self, reading: &Reading, what: &str) -> Error {
        reading.error(self.line(), format!("not valid JSON: {what}"))
    }

    fn take(&mut self, byte: u8, reading: &Reading) -> Result<()> {
        match self.peek() {
            Some(found) if found == byte => self.at += 1,
            Some(_) => return Err(self.error(reading, &format!("expected `{}`", byte as char))),
            None => return Err(self.error(reading, "the file ends too early")),
        }
        Ok(())
    }

    /// The next value whole.
    fn value<T: DeserializeOwned>(&mut self, reading: &Reading) -> Result<T> {
        self.peek();
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..]).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) => {
                let line = self.line() + error.line().saturating_sub(1);
                Err(reading.error(line, not_json(&error)))
            }
            None => Err(self.error(reading, "the file ends too early")),
        }
    }

    /// The items between two brackets, parted by commas; `item` takes each.
    fn items(
        &mut self,
        [open, close]: [u8; 2],
        reading: &mut Reading,
        mut item: impl FnMut(&mut Self, &mut Reading) -> Result<()>,
    ) -> Result<()> {
        self.take(open, reading)?;
        let mut first = true;
        while self.peek() != Some(close) {
            if !first {
                self.take(b',', reading)?;
            }
            first = false;
            item(self, reading)?;
        }
        self.take(close, reading)
    }

    /// The rows in an object's `field`.
    fn field(&mut self, field: &str, reading: &mut Reading) -> Result<()> {
        let mut keys = Vec::new();
        self.items(*b"{}", reading, |scan, reading| {
            let key: String = scan.value(reading)?;
            scan.take(b':', reading)?;
            if key == field {
                scan.rows(reading)?
            } else {
                scan.value::<IgnoredAny>(reading).map(|_| ())?
            }
            keys.push(key);
            Ok(())
        })?;
        if keys.iter().any(|key| key == field) {
            return Ok(());
        }
        Err(reading.error(1, format!("no field \"{field}\"; it has: {}", keys.join(", "))))
    }

    /// The objects of an array.
    fn rows(&mut self, reading: &mut Reading) -> Result<()> {
        if self.peek() != Some(b'[') {
            let line = self.line();
            return Err(reading.error(line, "not an array of objects ([{\"text\": …}, …])"));
        }
        self.items(*b"[]", reading, |scan, reading| {
            scan.peek();
            let line = scan.line();
            match scan.value(reading)? {
                Value::Object(cells) => reading.row(line, cells),
                _ => reading.bad_row(line, NOT_AN_OBJECT)?,
            }
            Ok(())
        })
    }

    fn end(&mut self, reading: &Reading) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(reading, "something follows the end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{BadRows, Format, Row, Table};

    fn parse(text: &str, field: Option<&str>) -> Result<Table, String> {
        let format = Format::Json { field: field.map(str::to_owned) };
        Table::parse("a.json", text.as_bytes(), &format, &mut BadRows::Refuse)
            .map_err(|error| error.to_string())
    }

    fn places(table: Table) -> Vec<String> {
        table.rows.iter().map(|row: &Row| row.place.to_string()).collect()
    }

    #[test]
    fn rows_of_an_array_know_their_line() {
        let table =
            parse("[\n {\"text\": \"a\"}, {\"text\":\n\"b\"}\n\n,{\"text\": \"c\"}]\n", None)
                .unwrap();
        assert_eq!(table.rows[1].cells["text"], "b");
        assert_eq!(places(table), ["a.json, line 2", "a.json, line 2", "a.json, line 5"]);
    }

    #[test]
    fn a_field_holds_the_rows() {
        let text = "{\"version\": 1, \"data\": [\n{\"text\": \"a\"}], \"end\": {}}";
        assert_eq!(places(parse(text, Some("data")).unwrap()), ["a.json, line 2"]);
        let error = parse(text, Some("rows")).unwrap_err();
        assert_eq!(error, "a.json, line 1: no field \"rows\"; it has: version, data, end");
        let error = parse(text, Some("end")).unwrap_err();
        assert!(error.contains("line 2: not an array of objects"), "{error}");
    }

    #[test]
    fn json_lines_in_a_json_file() {
        assert_eq!(parse("{\"text\": \"a\"}\n{\"text\": \"b\"}\n", None).unwrap().rows.len(), 2);
        let error = parse("{\n\"data\": [{\"text\": \"a\"}]}", None).unwrap_err();
        assert!(error.contains("name the field that holds the rows with --field"), "{error}");
    }

    #[test]
    fn damage_is_named_by_line() {
        for (text, says) in [
            ("[\n{\"text\": }]", "line 2: not valid JSON: expected value at column 10"),
            ("[{\"text\": \"a\"}\n{\"text\": \"b\"}]", "line 2: not valid JSON: expected `,`"),
            ("[{\"text\": \"a\"},\n", "line 2: not valid JSON: the file ends too early"),
            ("[{\"text\": \"a\"}]\n]", "line 2: not valid JSON: something follows"),
            ("[{\"text\": \"a\"},\n7]", "line 2: not a JSON object"),
            ("7", "line 1: not an array of objects"),
        ] {
            let error = parse(text, None).unwrap_err();
            assert!(error.starts_with(&format!("a.json, {says}")), "{text}: {error}");
        }
    }
}
