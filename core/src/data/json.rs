//! JSON Lines and JSON arrays, and SQuAD's own form.

pub(super) mod scan;

use serde::de::IgnoredAny;
use serde_json::Value;

use self::scan::Scan;
use super::{
    lines::numbered_lines,
    squad,
    table::{Reading, newlines},
};
use crate::Result;

/// One object a line; empty lines are skipped.
pub(super) fn read_lines(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    for (line, content) in numbered_lines(bytes) {
        let Some(content) = reading.text(line, content)? else { continue };
        if content.trim().is_empty() {
            continue;
        }
        object(line, content, reading)?;
    }
    Ok(())
}

/// A row, or the questions of SQuAD's own form.
fn object(line: usize, text: &str, reading: &mut Reading) -> Result<()> {
    if squad::is_file(text) {
        return questions(line, text, reading);
    }
    let value = match scan::has_too_many_values(text) {
        true => serde_json::from_str::<IgnoredAny>(text).map(|_| None),
        false => serde_json::from_str(text).map(Some),
    };
    match value {
        Ok(Some(Value::Object(cells))) => reading.row(line, cells),
        Ok(Some(_)) => reading.bad_row(line, NOT_AN_OBJECT),
        Ok(None) => reading.bad_row(line, scan::too_many_values()),
        Err(error) => reading.bad_row(line, not_json(&error)),
    }
}

fn questions(line: usize, file: &str, reading: &mut Reading) -> Result<()> {
    match squad::rows(file) {
        Ok(rows) => {
            rows.into_iter().for_each(|cells| reading.numbered_row(cells));
            Ok(())
        }
        Err(reason) => reading.bad_row(line, reason),
    }
}

/// An array of objects as the value of `field` in an object at the top.
pub(super) fn read_field(bytes: &[u8], field: &str, reading: &mut Reading) -> Result<()> {
    match bytes.trim_ascii_start().first() {
        Some(b'[') => {
            let reason = format!("begins with an array, so there is no field \"{field}\"");
            return Err(reading.error(1, reason));
        }
        None => return Ok(()),
        _ => {}
    }
    let mut scan = Scan::new(reading.checked(1, bytes)?);
    scan.field(field, reading)?;
    scan.end(reading)
}

/// How far a file that is one array has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Array {
    #[default]
    Ahead,
    /// It is open and has no item yet.
    Empty,
    Inside,
    Over,
}

/// An array of objects at the top, of which `array` has been read. What does not begin as one is read as JSON
/// Lines.
pub(super) fn read(
    bytes: &[u8],
    array: &mut Array,
    last: bool,
    reading: &mut Reading,
) -> Result<()> {
    match (*array, bytes.trim_ascii_start().first()) {
        (Array::Ahead, None) => return Ok(()),
        (Array::Ahead, Some(b'{')) => return read_object_lines(bytes, reading),
        _ => {}
    }
    let mut scan = Scan::new(reading.checked(1, bytes)?);
    scan.array(array, reading)?;
    match (*array, last) {
        (Array::Over, _) => scan.end(reading),
        (_, true) => Err(scan.error(reading, "the file ends too early")),
        (_, false) => Ok(()),
    }
}

/// Where the last item that is whole for sure ends: at a comma behind it, or at its own bracket. All
/// bytes, where the array ends in them.
pub(super) fn last_item(bytes: &[u8], array: Array) -> usize {
    let (mut end, mut depth, mut has_begun) = (0, 0_usize, false);
    let (mut in_string, mut escaped) = (false, false);
    let start = match array {
        Array::Ahead => bytes.iter().position(|&byte| byte == b'[').map_or(0, |at| at + 1),
        _ => 0,
    };
    for (at, &byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => (in_string, has_begun) = (!in_string, true),
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth == 0 => return bytes.len(),
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    (end, has_begun) = (at + 1, true);
                }
            }
            b',' if depth == 0 && has_begun => (end, has_begun) = (at, false),
            _ if depth == 0 => has_begun |= !byte.is_ascii_whitespace() && byte != b',',
            _ => {}
        }
    }
    end
}

/// JSON Lines in a `.json` file, or an object over several lines, which is of SQuAD's own form or is told
/// what it lacks.
fn read_object_lines(bytes: &[u8], reading: &mut Reading) -> Result<()> {
    if !is_one_object(bytes) {
        return read_lines(bytes, reading);
    }
    let line = 1 + newlines(&bytes[..bytes.len() - bytes.trim_ascii_start().len()]);
    let text = reading.checked(1, bytes)?;
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) if squad::is_file(text) => questions(line, text, reading),
        Ok(_) => {
            let reason = format!("one object over several lines, not rows; {NAME_THE_FIELD}");
            Err(reading.error(line, reason))
        }
        Err(_) => read_lines(bytes, reading),
    }
}

/// Whether the first line, which has ended, opens an object that it does not close.
pub(super) fn is_one_object(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    if text.first() != Some(&b'{') || !text.contains(&b'\n') {
        return false;
    }
    let end = text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len());
    let first = serde_json::from_slice::<IgnoredAny>(&text[..end]);
    first.is_err_and(|error| error.is_eof())
}

pub(super) const NAME_THE_FIELD: &str = "name the field that holds the rows with --field";
const NOT_AN_OBJECT: &str = "not a JSON object ({\"text\": …})";

/// Each value is parsed by itself, so the parser's own line number says nothing.
fn not_json(error: &serde_json::Error) -> String {
    match error.line() {
        1 => format!("not valid JSON: {} at column {}", reason(error), error.column()),
        _ => format!("not valid JSON: {}", reason(error)),
    }
}

/// What the parser says, but for the place.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let said = error.to_string();
    said.split(" at line ").next().unwrap_or_default().to_owned()
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
    fn a_row_of_too_many_values_is_refused() {
        let row = |values: usize| {
            format!("{{\"text\": \"a,[\\\",\", \"b\": [{}0]}}", "0,".repeat(values))
        };
        assert!(parse(&row(240_000), None).is_ok());
        for text in [row(300_000), format!("[{{}},\n{}]", row(300_000))] {
            let error = parse(&text, None).unwrap_err();
            assert!(error.contains(": a row of more than 250000 values"), "{error}");
        }
        let cut_off = format!("{{\"a\": [{}", "0,".repeat(300_000));
        assert!(parse(&cut_off, None).unwrap_err().contains("not valid JSON"));
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
