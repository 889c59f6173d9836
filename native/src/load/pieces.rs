//! The rows of data files, piece by piece.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use emberlab_core::Error;
use emberlab_core::data::{BadRows, Format, Pieces, Table, ending};
use flate2::read::MultiGzDecoder;

use super::{DataFiles, Layout, Loader, parquet, text_folder};
use crate::files;

/// Bytes of a text file that are parsed together.
const PIECE: usize = 1 << 20;
/// Files that are read together where each is one text.
const TEXT_FILES: usize = 1024;
/// The ending of a file that is packed.
const GZIP: &str = "gz";

/// What takes a piece; it says whether to go on.
pub type Each<'a> = &'a mut dyn FnMut(Table) -> Result<bool>;

impl Loader<'_> {
    /// Hands on the rows of a split. Each piece has the columns that are known by then.
    ///
    /// # Errors
    /// A file that cannot be read, with its place, or that has no rows.
    pub(super) fn each_piece(&mut self, files: &DataFiles, split: &str, each: Each) -> Result<()> {
        let paths = files.paths(split);
        let mut each = |mut piece: Table| {
            for (column, names) in &files.class_names {
                piece.class_names.entry(column.clone()).or_insert_with(|| names.clone());
            }
            each(piece)
        };
        if files.layout == Layout::ClassFolders {
            let name = files.split_name(split);
            let mut rows = 0;
            for paths in paths.chunks(TEXT_FILES) {
                let piece = text_folder::read(paths, &name, &mut self.bad)?;
                rows += piece.rows.len();
                if !each(piece)? {
                    break;
                }
            }
            return self.require(rows, name);
        }
        for path in paths {
            let mut rows = 0;
            let mut counted = |piece: Table| {
                rows += piece.rows.len();
                each(piece)
            };
            if !self.each_of_file(path, &mut counted)? {
                break;
            }
            self.require(rows, path.display().to_string())?;
        }
        Ok(())
    }

    fn require(&self, rows: usize, name: String) -> Result<()> {
        match rows {
            0 => Err(Error::NoRows { name, skipped: self.bad.count() }.into()),
            _ => Ok(()),
        }
    }

    /// Hands on the rows of a file; says whether to go on after it.
    fn each_of_file(&mut self, path: &Path, each: Each) -> Result<bool> {
        let name = path.display().to_string();
        if !path.exists() {
            bail!("cannot read {name}: there is no such file or folder");
        }
        let file = files::open(path)?;
        let unpacked = unpacked(&name);
        if ending(&name) == "parquet" {
            return parquet::each_piece(&name, file, each);
        }
        let format = match (
            Format::from_name(unpacked.unwrap_or(&name)),
            self.args.delimiter,
            &self.args.field,
        ) {
            (Ok(Format::Delimited { .. }), Some(delimiter), _) => Format::Delimited { delimiter },
            (Ok(Format::Json { .. }), _, field) => Format::Json { field: field.clone() },
            (format, ..) => format?,
        };
        match unpacked {
            Some(_) => each_of_text(&name, MultiGzDecoder::new(file), format, &mut self.bad, each),
            None => each_of_text(&name, file, format, &mut self.bad, each),
        }
    }
}

/// The name of a packed file without its ending; none where it is not packed.
pub fn unpacked(name: &str) -> Option<&str> {
    let (unpacked, ending) = name.rsplit_once('.')?;
    ending.eq_ignore_ascii_case(GZIP).then_some(unpacked)
}

/// Hands on the rows of a text; says whether to go on after it.
///
/// # Errors
/// It cannot be read, or parsed; what is wrong is named by line.
pub fn each_of_text(
    name: &str,
    mut text: impl Read,
    format: Format,
    bad: &mut BadRows,
    each: Each,
) -> Result<bool> {
    let mut pieces = Pieces::new(name, format);
    let mut bytes = Vec::with_capacity(PIECE);
    loop {
        bytes.clear();
        let read = text.by_ref().take(PIECE as u64).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {name}"))?;
        let last = bytes.len() < PIECE;
        let piece = pieces.read(&bytes, last, bad)?;
        if !piece.rows.is_empty() && !each(piece)? {
            return Ok(false);
        }
        if last {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_ends_in_gz() {
        let cases = [
            ("a.csv.gz", Some("a.csv")),
            ("a.GZ", Some("a")),
            (".gz", Some("")),
            ("gz", None),
            ("a.b/gz", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(unpacked(name), expected, "{name}");
        }
    }
}
