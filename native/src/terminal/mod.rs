//! What a person reads: lines on standard error, tables on standard output.

pub(crate) mod figures;
pub mod interrupt;
pub(crate) mod picture;
pub(crate) mod progress;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{Formatter, PrettyFormatter};

/// Says something on standard error. A reader that has gone away is no reason to stop.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr(), "{}", visible(&text.to_string()));
}

/// [`note`], unless the same was said before: of a folder that is looked into for each split.
pub fn note_once(text: impl Display) {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let text = text.to_string();
    let Ok(mut said) = SAID.lock() else { return };
    if !said.contains(&text) {
        note(&text);
        said.push(text);
    }
}

/// Writes a result to standard output.
pub fn print(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    let text = if out.is_terminal() { visible(&text.to_string()) } else { text.to_string() };
    write!(out, "{text}").and_then(|()| out.flush()).context("cannot write to standard output")
}

/// [`print`] of what was done: it is, though nobody may read that any more.
pub fn print_at_end(text: impl Display) -> Result<()> {
    print(text).or_else(|error| if is_broken_pipe(&error) { Ok(()) } else { Err(error) })
}

/// Text as a terminal may show it: what it would obey, the control characters of a data set or a file name, is
/// escaped.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() && !matches!(c, '\n' | '\t') {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// Text on one line: what would end it, turn it around or not be seen is an escape.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    line
}

/// Whether `error` only says that nobody reads our output any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// `16000` as `16,000`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2,000 rows`.
pub fn counted(number: usize, unit: &str) -> String {
    format!("{} {unit}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A figure with six decimals: what there is to tell, without the noise of the last bits of f32.
pub fn rounded(figure: f32) -> f64 {
    (f64::from(figure) * 1e6).round() / 1e6
}

/// `4386178` as `4.4 million`, for parameters.
pub fn millions(number: usize) -> String {
    format!("{:.1} million", number as f64 / 1e6)
}

/// `0:41`, `12:05` or `1:02:03`.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A short time as `12 ms` or `3.4 s`.
pub fn short(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{seconds:.1} s"),
    }
}

/// Bytes as `512 MiB` or `1.4 GiB`.
pub fn bytes(number: u64) -> String {
    let mebibytes = number as f64 / f64::from(1 << 20);
    if mebibytes < 1024.0 {
        format!("{mebibytes:.0} MiB")
    } else {
        format!("{:.1} GiB", mebibytes / 1024.0)
    }
}

/// Text as HTML shows it, in elements and in attributes. Marks of direction, which would turn around what we say behind
/// it, are left out: `unicode-bidi: isolate` does not hold what begins with U+2069 or a line separator.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => html.push(c),
        }
    }
    html
}

/// Indented JSON with each array on one line, so that a confusion matrix takes a line and not a page.
pub fn json(value: &impl Serialize) -> Result<String> {
    let mut bytes = Vec::new();
    let formatter = ArraysOnOneLine(PrettyFormatter::new());
    value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))?;
    bytes.push(b'\n');
    Ok(String::from_utf8(bytes)?)
}

/// Objects as [`PrettyFormatter`] writes them; arrays as [`Formatter`] does by itself.
struct ArraysOnOneLine(PrettyFormatter<'static>);

impl Formatter for ArraysOnOneLine {
    fn begin_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object(to)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object(to)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        to: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(to, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.begin_object_value(to)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, to: &mut W) -> io::Result<()> {
        self.0.end_object_value(to)
    }
}

/// A word as a shell takes it, quoted where it has to be.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(clock(Duration::from_secs(41)), "0:41");
        assert_eq!(clock(Duration::from_millis(59_700)), "1:00");
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(bytes(512 << 20), "512 MiB");
        assert_eq!(bytes(1536 << 20), "1.5 GiB");
    }

    #[test]
    fn json_keeps_arrays_on_one_line() {
        let value = serde_json::json!({"a": [[1, 2], [3, 4]], "b": {"c": []}});
        assert_eq!(
            json(&value).unwrap(),
            "{\n  \"a\": [[1,2],[3,4]],\n  \"b\": {\n    \"c\": []\n  }\n}\n"
        );
    }

    #[test]
    fn a_terminal_is_told_nothing_by_a_text() {
        assert_eq!(visible("a\tb\n\u{1b}]0;x\u{7}\u{9b}\r"), "a\tb\n\\u{1b}]0;x\\u{7}\\u{9b}\\r");
    }

    #[test]
    fn shell_words() {
        assert_eq!(shell_word("runs/a-b_1"), "runs/a-b_1");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
