//! Parquet, as `datasets` writes it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use emberlab_core::data::{At, Place, Row, Table};
use emberlab_core::guarded;
use parquet::errors::ParquetError;
use parquet::file::metadata::FileMetaData;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Map, Value};

use super::class_names::class_names as names_of;
use super::parquet_file::{Group, ParquetFile};
use super::pieces::Each;

/// The key under which `datasets` keeps its features, class names among them.
const FEATURES_KEY: &str = "huggingface";

/// Rows that are handed on together.
const PIECE: usize = 4096;

/// So many seconds may pass before the next piece.
const PATIENCE: usize = 60;

/// Hands on the rows of a file; says whether to go on after it.
///
/// It is read on a thread of its own: a list of booleans takes no bytes, and one that claims two billion of them keeps the
/// crate (60.1) busy for seconds, as often as there is one.
///
/// # Errors
/// It is no whole Parquet file, is compressed in a way that is not supported, or takes without end.
pub fn each_piece(name: &str, file: File, each: Each) -> Result<bool> {
    let (sender, pieces) = mpsc::sync_channel(0);
    let named = name.to_owned();
    thread::spawn(move || {
        let read = read(&named, file, &mut |piece| Ok(sender.send(Ok(Some(piece))).is_ok()));
        let _ = sender.send(read.map(|_| None));
    });
    while let Some(piece) = next(name, &pieces, PATIENCE)? {
        if !each(piece)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What comes next: a piece, or none after the last.
fn next(
    name: &str,
    pieces: &Receiver<Result<Option<Table>>>,
    patience: usize,
) -> Result<Option<Table>> {
    // Second by second: a process that was stopped for a minute has waited for one of them.
    for _ in 0..patience {
        match pieces.recv_timeout(Duration::from_secs(1)) {
            Ok(piece) => return piece,
            Err(RecvTimeoutError::Disconnected) => return Err(unsound(name)),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    bail!(
        "{name}: not a readable Parquet file: no row came of it in {patience} seconds. Was the download complete?"
    )
}

fn read(name: &str, file: File, each: Each) -> Result<bool> {
    let unreadable = |error| unreadable(name, &error);
    let reader =
        sound(name, || SerializedFileReader::new(ParquetFile(file)))?.map_err(unreadable)?;
    let metadata = reader.metadata().file_metadata();
    let columns = metadata.schema().get_fields().iter().map(|field| field.name().to_owned());
    let (columns, class_names) = (columns.collect(), class_names(metadata));
    let file: Arc<str> = name.into();
    let mut piece = Table { name: name.into(), columns, rows: Vec::new(), class_names };
    let place_of = |row| Place { file: Arc::clone(&file), at: At::Row(row) };
    let of_row = |place: &Place, error| match is_unsupported(&error) {
        true => unreadable(error),
        false => anyhow!("{place}: {error}. Was the download complete?"),
    };
    let mut row_number = 1;
    for index in 0..reader.num_row_groups() {
        let group = Group(sound(name, || reader.get_row_group(index))?.map_err(unreadable)?);
        // Its first row is read with it.
        let place = place_of(row_number);
        let rows = sound(&place, || group.get_row_iter(None))?;
        let mut rows = rows.map_err(|error| of_row(&place, error))?;
        loop {
            let place = place_of(row_number);
            let Some(row) = sound(&place, || rows.next())? else { break };
            let cells = row.map_err(|error| of_row(&place, error))?.into_columns().into_iter();
            let cells = cells.map(|(column, field)| (column, cell(&field)));
            row_number += 1;
            piece.rows.push(Row { place, cells: Map::from_iter(cells) });
            if piece.rows.len() == PIECE {
                let next = piece.without_rows();
                if !each(std::mem::replace(&mut piece, next))? {
                    return Ok(false);
                }
            }
        }
    }
    if piece.rows.is_empty() { Ok(true) } else { each(piece) }
}

/// The crate takes for granted that offsets and sizes in a file are sound, and panics where they are not.
fn sound<T>(place: impl Display, read: impl FnOnce() -> T) -> Result<T> {
    guarded(read).map_err(|_| unsound(place))
}

fn unsound(place: impl Display) -> anyhow::Error {
    anyhow!(
        "{place}: not a readable Parquet file: its parts do not fit. Was the download complete?"
    )
}

fn unreadable(name: &str, error: &ParquetError) -> anyhow::Error {
    match is_unsupported(error) {
        true => anyhow!(
            "{name}: compressed in a way that is not supported ({error}); write it with snappy, gzip, zstd or none"
        ),
        false => {
            anyhow!("{name}: not a readable Parquet file: {error}. Was the download complete?")
        }
    }
}

/// Whether it is whole but compressed by a codec that this build leaves out.
fn is_unsupported(error: &ParquetError) -> bool {
    matches!(error, ParquetError::General(what) | ParquetError::NYI(what) if what.contains("feature"))
}

/// A cell as JSON; what JSON has no word for, as its text.
fn cell(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float(value) => (*value).into(),
        Field::Double(value) => (*value).into(),
        Field::Str(value) => value.as_str().into(),
        Field::Group(row) => Value::Object(
            row.get_column_iter().map(|(name, field)| (name.clone(), cell(field))).collect(),
        ),
        Field::ListInternal(list) => list.elements().iter().map(cell).collect(),
        other => other.to_string().into(),
    }
}

/// The names of each `ClassLabel` column.
fn class_names(metadata: &FileMetaData) -> BTreeMap<String, Vec<String>> {
    let pairs = metadata.key_value_metadata().map_or(&[][..], |pairs| pairs);
    let features = pairs
        .iter()
        .find(|pair| pair.key == FEATURES_KEY)
        .and_then(|pair| serde_json::from_str::<Value>(pair.value.as_deref()?).ok());
    features.as_ref().map_or_else(BTreeMap::new, |value| names_of(&value["info"]["features"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_do_not_come_are_not_waited_for() {
        let (sender, pieces) = mpsc::sync_channel(1);
        let next = || next("a.parquet", &pieces, 1).map_err(|error| error.to_string());
        assert!(next().unwrap_err().contains("no row came of it in 1 seconds"));
        sender.send(Ok(None)).unwrap();
        assert!(next().unwrap().is_none());
        drop(sender); // As where its thread has panicked.
        assert!(next().unwrap_err().contains("its parts do not fit"));
    }
}
