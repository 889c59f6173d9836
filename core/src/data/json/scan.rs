//! A JSON text, value by value.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::{Array, NOT_AN_OBJECT, not_json};
use crate::{
    Error, Result,
    data::table::{Reading, newlines},
};

/// Values that a row may hold: in memory each takes some 100 bytes, of which two may be in the file.
pub const MOST_VALUES: usize = 250_000;

/// Whether the value at the head of a text is no row.
pub fn has_too_many_values(text: &str) -> bool {
    text.len() > MOST_VALUES && values(text) > MOST_VALUES
}

pub fn too_many_values() -> String {
    format!("a row of more than {MOST_VALUES} values; leave out lists that are not read")
}

/// How many values the value at the head of a text is made of, itself included; no fewer than there are.
pub fn values(text: &str) -> usize {
    let (mut values, mut depth) = (1, 0_usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => (values, depth) = (values + 1, depth + 1),
            b',' => values += 1,
            b']' | b'}' if depth < 2 => break,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    values
}

/// Goes through a JSON text value by value, so that each is known by its line.
pub struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// The line of `counted`, which is where lines are counted up to.
    line: usize,
    counted: usize,
}

impl<'a> Scan<'a> {
    pub fn new(text: &'a str) -> Self {
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

    pub fn error(&mut self, reading: &Reading, what: &str) -> Error {
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
    pub fn field(&mut self, field: &str, reading: &mut Reading) -> Result<()> {
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
            return Err(self.no_array(reading));
        }
        self.items(*b"[]", reading, Self::item)
    }

    /// An item of an array, which is a row.
    fn item(&mut self, reading: &mut Reading) -> Result<()> {
        self.peek();
        let line = self.line();
        if has_too_many_values(&self.text[self.at..]) {
            self.value::<IgnoredAny>(reading)?;
            return reading.bad_row(line, too_many_values());
        }
        match self.value(reading)? {
            Value::Object(cells) => reading.row(line, cells),
            _ => reading.bad_row(line, NOT_AN_OBJECT),
        }
    }

    /// What there is of an array of objects; more of it may come.
    pub fn array(&mut self, array: &mut Array, reading: &mut Reading) -> Result<()> {
        if *array == Array::Ahead {
            if self.peek() != Some(b'[') {
                return Err(self.no_array(reading));
            }
            self.at += 1;
            *array = Array::Empty;
        }
        while *array != Array::Over {
            match self.peek() {
                None => break,
                Some(b']') => {
                    self.at += 1;
                    *array = Array::Over;
                }
                Some(_) => {
                    if *array == Array::Inside {
                        self.take(b',', reading)?;
                    }
                    *array = Array::Inside;
                    self.item(reading)?;
                }
            }
        }
        Ok(())
    }

    fn no_array(&mut self, reading: &Reading) -> Error {
        let line = self.line();
        reading.error(line, "not an array of objects ([{\"text\": …}, …])")
    }

    pub fn end(&mut self, reading: &Reading) -> Result<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error(reading, "something follows the end")),
        }
    }
}
