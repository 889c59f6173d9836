//! How the bytes of a data file are laid out.

use crate::{Error, Result};

/// The layouts that [`crate::data::Table::parse`] reads. Parquet, which needs more than bytes in
/// order, is read natively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Cells between delimiters, with a header row (RFC 4180): CSV, TSV and their kin.
    Delimited { delimiter: u8 },
    /// One JSON object a line.
    Jsonl,
    /// A JSON array of objects, or one that is the value of `field` in a JSON object; without a
    /// field also one JSON object a line, as `load_dataset("json")` takes them.
    Json { field: Option<String> },
    /// One text a line, in a column `text`. Empty lines are skipped.
    Lines,
    /// A word a line with its tag, and an empty line after each sentence: columns `tokens`, `tags`.
    Conll,
}

impl Format {
    pub const CSV: Self = Self::Delimited { delimiter: b',' };
    pub const TSV: Self = Self::Delimited { delimiter: b'\t' };

    /// The format that a file's ending names.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] for any ending but `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`,
    /// `.txt`, `.conll`, `.bio`, `.iob` and `.iob2`.
    pub fn from_name(name: &str) -> Result<Self> {
        match ending(name).as_str() {
            "csv" => Ok(Self::CSV),
            "tsv" => Ok(Self::TSV),
            "jsonl" | "ndjson" => Ok(Self::Jsonl),
            "json" => Ok(Self::Json { field: None }),
            "txt" => Ok(Self::Lines),
            "conll" | "bio" | "iob" | "iob2" => Ok(Self::Conll),
            _ => Err(Error::UnknownFormat { name: name.into() }),
        }
    }
}

/// The ending of a file name in small letters: `csv` of `a/b.CSV`; all of a name without a dot.
pub fn ending(name: &str) -> String {
    name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase()
}
