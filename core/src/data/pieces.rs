//! A file that comes piece by piece, so that it need not stand in memory whole.

use super::{
    conll, delimited,
    json::{self, Array},
    lines,
    table::{Reading, newlines},
};
use crate::{
    Error, Result,
    data::{BadRows, Format, Place, Table},
};

/// Bytes that a single row may have. Without a limit a quote that is never closed would draw the rest
/// of a file into memory.
pub const LONGEST_ROW: usize = 8 << 20;
/// And an object that a `.json` file begins with: it may be all of SQuAD, on one line or on several.
const LONGEST_OBJECT: usize = 128 << 20;

/// Parses a file whose bytes come one piece after the other.
#[derive(Debug)]
pub struct Pieces {
    name: String,
    format: Format,
    /// The columns known so far.
    columns: Vec<String>,
    /// Bytes whose row has not ended yet.
    pending: Vec<u8>,
    /// Lines that have been parsed.
    lines: usize,
    begun: bool,
    /// Of a JSON array.
    array: Array,
    /// It is a JSON object over several lines.
    is_one_object: bool,
}

impl Pieces {
    pub fn new(name: &str, format: Format) -> Self {
        let (columns, pending) = (Vec::new(), Vec::new());
        Self {
            name: name.into(),
            format,
            columns,
            pending,
            lines: 0,
            begun: false,
            array: Array::default(),
            is_one_object: false,
        }
    }

    /// The rows that end in what has come so far and were not returned yet; there may be none. With
    /// `last` nothing follows. The columns are those of all rows so far. An array in a field of a JSON
    /// object is parsed when all of it has come.
    ///
    /// # Errors
    /// [`Error::NotUtf8`] or [`Error::BadRow`], naming file and line.
    pub fn read(&mut self, bytes: &[u8], last: bool, bad: &mut BadRows) -> Result<Table> {
        self.pending.extend_from_slice(bytes);
        if !self.begun && (last || self.pending.len() >= BOM.len()) {
            self.begun = true;
            if self.pending.starts_with(BOM) {
                self.pending.drain(..BOM.len());
            }
        }
        let end = match last {
            true => self.pending.len(),
            false if self.begun => self.whole_rows(),
            false => 0,
        };
        if end == 0 {
            self.check_length()?;
        }
        let columns = std::mem::take(&mut self.columns);
        let mut reading = Reading::new(&self.name, columns, self.lines, bad);
        let piece = &self.pending[..end];
        match &self.format {
            Format::Delimited { delimiter } => {
                delimited::read(piece, *delimiter, last, &mut reading)?;
            }
            Format::Jsonl => json::read_lines(piece, &mut reading)?,
            Format::Json { field: Some(field) } => json::read_field(piece, field, &mut reading)?,
            Format::Json { field: None } => json::read(piece, &mut self.array, last, &mut reading)?,
            Format::Lines | Format::Conll if self.lines == 0 && lines::are_of_old_macs(piece) => {
                let reason = "lines end in \\r, as on old Macs; save the file with \\n";
                return Err(reading.error(1, reason));
            }
            Format::Lines => lines::read(piece, &mut reading)?,
            Format::Conll => conll::read(piece, &mut reading)?,
        }
        let table = reading.finish();
        self.columns.clone_from(&table.columns);
        self.lines += match self.format {
            Format::Delimited { .. } => delimited::line_ends(piece),
            _ => newlines(piece),
        };
        self.pending.drain(..end);
        let is_json = matches!(self.format, Format::Json { .. });
        if end > 0 && !last && is_json && self.array == Array::Ahead {
            // It began as JSON Lines and stays that, whatever its next line begins with.
            self.format = Format::Jsonl;
        }
        Ok(table)
    }

    /// Refuses what is pending, where it is longer than any row.
    fn check_length(&self) -> Result<()> {
        let longest = self.longest_row();
        if self.pending.len() <= longest || matches!(self.format, Format::Json { field: Some(_) }) {
            return Ok(());
        }
        let (what, remedy) = match self.is_one_object {
            true => ("one object over several lines", json::NAME_THE_FIELD),
            false => ("a row", "is a quote never closed?"),
        };
        let place = Place::line(&self.name.as_str().into(), self.lines + 1);
        let reason = format!("{what} of more than {} MB; {remedy}", longest >> 20);
        Err(Error::BadRow { place, reason })
    }

    fn longest_row(&self) -> usize {
        let opens_object = || self.pending.trim_ascii_start().first() == Some(&b'{');
        match (&self.format, self.array) {
            (Format::Json { .. }, Array::Ahead) if opens_object() => LONGEST_OBJECT,
            _ => LONGEST_ROW,
        }
    }

    /// The bytes up to which rows are whole for sure.
    fn whole_rows(&mut self) -> usize {
        let may_be = self.array == Array::Ahead && self.format == Format::Json { field: None };
        if may_be && !self.is_one_object {
            self.is_one_object = json::is_one_object(&self.pending);
        }
        match &self.format {
            Format::Json { field: Some(_) } => 0,
            _ if self.is_one_object => 0,
            Format::Delimited { delimiter } => delimited::last_record(&self.pending, *delimiter),
            Format::Conll => conll::last_sentence(&self.pending),
            Format::Json { .. } => match (self.array, self.pending.trim_ascii_start().first()) {
                (Array::Ahead, Some(b'{')) => {
                    // Whether it is an object over several lines shows when its first line has ended.
                    let blank = self.pending.len() - self.pending.trim_ascii_start().len();
                    Some(last_line(&self.pending)).filter(|&end| end > blank).unwrap_or(0)
                }
                (Array::Ahead, None) => 0,
                (Array::Ahead, Some(first)) if *first != b'[' => self.pending.len(),
                (Array::Over, _) => self.pending.len(),
                (array, _) => json::last_item(&self.pending, array),
            },
            _ => last_line(&self.pending),
        }
    }
}

fn last_line(bytes: &[u8]) -> usize {
    if !bytes.contains(&b'\n') {
        return 0; // found out at once, which a long line asks for with each piece
    }
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests {
    use super::*;

    /// All rows with their places, where the file comes `size` bytes at a time.
    fn rows(format: &Format, bytes: &[u8], size: usize) -> Result<Vec<String>, String> {
        let mut pieces = Pieces::new("a", format.clone());
        let mut bad = BadRows::Refuse;
        let mut rows = Vec::new();
        let mut add = |table: Table| {
            let row = |row: crate::data::Row| format!("{} {:?}", row.place, row.cells);
            rows.extend(table.rows.into_iter().map(row));
        };
        for piece in bytes.chunks(size) {
            add(pieces.read(piece, false, &mut bad).map_err(|error| error.to_string())?);
        }
        add(pieces.read(b"", true, &mut bad).map_err(|error| error.to_string())?);
        Ok(rows)
    }

    #[test]
    fn pieces_of_any_size_give_the_rows_of_the_whole() {
        let csv = "\u{feff}text,label\r\n\"a\nb\",x\r\n\r\n\"c\"\"d\",y\r\nü,z";
        let squad = "\n{\"data\": [{\n\"paragraphs\": [{\"context\": \"c\",\n\"qas\": [{\"question\": \"q\"}]}]}]}\n";
        let jsonl = "{\"text\": \"a\"}\n\n{\"text\": \"ü\", \"label\": 1}\n{\"text\": \"c\"}";
        for (format, text) in [
            (Format::CSV, csv),
            (Format::Jsonl, jsonl),
            (Format::Json { field: None }, jsonl),
            (Format::Json { field: None }, "[{\"text\": \"a\"},\n{\"text\": \"b\"}]"),
            (Format::Json { field: None }, squad),
            (
                Format::Json { field: None },
                " [ {\"text\": \"],}\\\\\\\"{\"} ,\n\n{\"ü\": [1, {\"a\": 2}]}, {} ] \n",
            ),
            (Format::CSV, "text,label\ra,x\r\r\n\rb,y\r\"c\rd\",z\re,z\r"),
            (Format::Lines, "a\r\n\nü\nc"),
            (Format::Conll, "-DOCSTART- O\r\n\r\na O\r\nb B-X\r\n \r\nü O\r\n\r\nc O"),
        ] {
            let whole = Table::parse("a", text.as_bytes(), &format, &mut BadRows::Refuse).unwrap();
            let whole: Vec<String> =
                whole.rows.iter().map(|row| format!("{} {:?}", row.place, row.cells)).collect();
            for size in 1..text.len() {
                assert_eq!(
                    rows(&format, text.as_bytes(), size).unwrap(),
                    whole,
                    "{format:?} {size}"
                );
            }
        }
    }

    #[test]
    fn an_object_over_several_lines_is_not_awaited_for_ever() {
        let mut pieces = Pieces::new("a", Format::Json { field: None });
        pieces.read(b"{\n", false, &mut BadRows::Refuse).unwrap();
        let blank = vec![b' '; 32 << 20];
        let mut more = (0..5).map(|_| pieces.read(&blank, false, &mut BadRows::Refuse));
        let error = more.find_map(Result::err).unwrap().to_string();
        assert_eq!(
            error,
            "a, line 1: one object over several lines of more than 128 MB; name the field that holds the rows with --field"
        );
    }

    #[test]
    fn lines_of_old_macs_are_refused_where_there_would_be_one() {
        for size in [1, 3, 100] {
            for (format, text) in [
                (Format::Lines, "a\rb\r"),
                (Format::Conll, "a O\rb O\r\rc O\n"),
                (Format::Conll, "a O\rb O"),
            ] {
                let error = rows(&format, text.as_bytes(), size).unwrap_err();
                assert!(error.starts_with("a, line 1: lines end in \\r"), "{error}");
            }
        }
        assert_eq!(rows(&Format::Lines, b"a\r\r\nb\rc\n", 2).unwrap().len(), 2);
    }

    #[test]
    fn damage_is_named_by_its_line_in_the_file() {
        for size in [3, 7, 100] {
            let error = rows(&Format::CSV, b"text,label\na,x\nb,x\nc\nd,x\n", size).unwrap_err();
            assert!(error.starts_with("a, line 4: 1 cells"), "{error}");
            let error = rows(&Format::CSV, b"text,label\na,x\nb,\"y\nc,x\n", size).unwrap_err();
            assert!(error.starts_with("a, line 3: a quote opens"), "{error}");
            for (text, says) in [
                ("[{},\n{},\n{}\n{}]", "a, line 4: not valid JSON: expected `,`"),
                ("[{},\n{},\n,{}]", "a, line 3: not valid JSON: expected value"),
                ("[\n,{}]", "a, line 2: not valid JSON: expected value"),
                ("[{},\n{}", "a, line 2: not valid JSON: the file ends too early"),
                ("[{},\n7,\n{}]", "a, line 2: not a JSON object"),
                ("[{},\n{}]\n{}", "a, line 3: not valid JSON: something follows the end"),
                ("[{},\n{]}]", "a, line 2: not valid JSON: key must be a string"),
                ("\n7", "a, line 2: not an array of objects"),
            ] {
                let json = Format::Json { field: None };
                let error = rows(&json, text.as_bytes(), size).unwrap_err();
                assert!(error.starts_with(says), "{text} {size}: {error}");
            }
            let error = rows(&Format::Jsonl, b"{}\n{}\n{}\n{\n", size).unwrap_err();
            assert!(error.starts_with("a, line 4: not valid JSON"), "{error}");
        }
    }
}
