//! One text a file, in a folder named after its class: `pos/0.txt`, `train/neg/1.txt`.

use std::path::PathBuf;

use anyhow::Result;
use emberlab_core::Error;
use emberlab_core::data::{At, BadRows, Place, Row, Table};
use serde_json::{Map, Value};

use crate::files;

/// A row for each file: its text and, as `label`, the name of its folder.
///
/// # Errors
/// A file that cannot be read or is no text.
pub fn read(paths: &[PathBuf], name: &str, bad: &mut BadRows) -> Result<Table> {
    let mut rows = Vec::with_capacity(paths.len());
    for path in paths {
        let bytes = files::read(path)?;
        let place = Place { file: path.display().to_string().into(), at: At::WholeFile };
        let label = path.parent().and_then(|folder| folder.file_name()).unwrap_or_default();
        match text(bytes, &place) {
            Ok(text) => {
                let label = label.to_string_lossy().into_owned();
                let cells = [("text".to_owned(), text), ("label".to_owned(), label)];
                let cells = cells.into_iter().map(|(column, cell)| (column, Value::from(cell)));
                rows.push(Row { place, cells: Map::from_iter(cells) });
            }
            Err(error) => bad.meet(error)?,
        }
    }
    let columns = vec!["text".to_owned(), "label".to_owned()];
    Ok(Table { name: name.into(), columns, rows, ..Table::default() })
}

fn text(bytes: Vec<u8>, place: &Place) -> Result<String, Error> {
    let text = String::from_utf8(bytes).map_err(|_| Error::NotUtf8 { place: place.clone() })?;
    if text.contains('\0') {
        let reason = "holds a NUL byte; save the file as UTF-8 text".to_owned();
        return Err(Error::BadRow { place: place.clone(), reason });
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end().to_owned())
}
