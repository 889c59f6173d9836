//! Parquet, as `datasets` writes it.

mod cells;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, bail, ensure};
use emberlab_core::data::{At, LONGEST_ROW, MOST_COLUMNS, Place, Row, Table};
use emberlab_core::{Error, guarded};
use parquet::errors::ParquetError;
use parquet::file::metadata::FileMetaData;
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use parquet::schema::types::{SchemaDescriptor, Type};
use serde_json::Value;

use self::cells::cells;
use super::class_names::class_names as names_of;
use super::parquet_file::{Group, ParquetFile};
use super::pieces::Each;

/// The key under which `datasets` keeps its features, class names among them.
const FEATURES_KEY: &str = "huggingface";

/// Rows that are handed on together, or fewer where they have more bytes than that.
const PIECE: usize = 4096;
const PIECE_BYTES: usize = 16 << 20;

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
    let (columns, class_names) = (Vec::from_iter(columns), class_names(metadata));
    ensure!(
        columns.len() <= MOST_COLUMNS,
        "{name}: more than {MOST_COLUMNS} columns; is it text with labels?"
    );
    let file: Arc<str> = name.into();
    let mut piece = Table { name: name.into(), columns, rows: Vec::new(), class_names };
    let mut piece_bytes = 0;
    let place_of = |row| Place { file: Arc::clone(&file), at: At::Row(row) };
    let mut row_number = 1;
    for index in 0..reader.num_row_groups() {
        let group = Group::new(sound(name, || reader.get_row_group(index))?.map_err(unreadable)?);
        let bad_row = |place: &Place, error, row| bad_row(place, &error, &group, row);
        // Its first row is read with it.
        let place = place_of(row_number);
        let rows = sound(&place, || group.rows(metadata.schema_descr_ptr()))?;
        let mut rows = rows.map_err(|error| bad_row(&place, error, 0))?;
        for row_of_group in 0.. {
            let place = place_of(row_number);
            let Some(row) = sound(&place, || rows.next())? else { break };
            let (cells, size) = cells(&row.map_err(|error| bad_row(&place, error, row_of_group))?);
            if size.text > LONGEST_ROW {
                bail!("{place}: a row of more than {} MB", LONGEST_ROW >> 20);
            }
            row_number += 1;
            piece_bytes += size.text + size.values;
            piece.rows.push(Row { place, cells });
            if piece.rows.len() == PIECE || piece_bytes > PIECE_BYTES {
                let next = piece.without_rows();
                piece_bytes = 0;
                if !each(mem::replace(&mut piece, next))? {
                    return Ok(false);
                }
            }
        }
    }
    if piece.rows.is_empty() { Ok(true) } else { each(piece) }
}

/// What is wrong with a row of a group.
fn bad_row(place: &Place, error: &ParquetError, group: &Group, row: usize) -> anyhow::Error {
    if is_unsupported(error) {
        return unreadable(&place.file, error);
    }
    if !is_not_utf8(error) {
        return anyhow!("{place}: {error}. Was the download complete?");
    }
    match column_that_is_not_utf8(group, row) {
        Some(column) => anyhow!("{place}: \"{column}\" is not valid UTF-8; save it as UTF-8"),
        None => Error::NotUtf8 { place: place.clone() }.into(),
    }
}

/// The crate (60.1) does not say which it is, so each is read alone.
fn column_that_is_not_utf8(group: &Group, row: usize) -> Option<String> {
    let schema = group.metadata().schema_descr().root_schema();
    let is_bad = |column: &&Arc<Type>| {
        let alone = Type::group_type_builder(schema.name()).with_fields(vec![Arc::clone(column)]);
        let read = guarded(|| {
            let alone = Arc::new(SchemaDescriptor::new(Arc::new(alone.build()?)));
            group.rows(alone)?.nth(row).transpose()
        });
        read.is_ok_and(|read| read.is_err_and(|error| is_not_utf8(&error)))
    };
    schema.get_fields().iter().find(is_bad).map(|column| column.name().to_owned())
}

/// The message goes on with all of the bytes.
fn is_not_utf8(error: &ParquetError) -> bool {
    matches!(error, ParquetError::General(what) if what.starts_with("Error reading BYTE_ARRAY as String"))
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
    use std::path::Path;

    use parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

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

    /// A file of texts, each with a list, in pages of two rows.
    fn write(path: &Path, texts: &[&[u8]]) {
        let schema = "message m { required binary text (UTF8); repeated int32 list; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let pages = WriterProperties::builder().set_data_page_row_count_limit(2);
        let pages = Arc::new(pages.set_write_batch_size(2).build());
        let file = File::create(path).unwrap();
        let mut writer = SerializedFileWriter::new(file, schema, pages).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let texts: Vec<ByteArray> = texts.iter().map(|text| text.to_vec().into()).collect();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
        column.close().unwrap();
        let levels = [0, 1].repeat(texts.len());
        let mut column = group.next_column().unwrap().unwrap();
        let numbers = vec![7; levels.len()];
        let defined = vec![1; levels.len()];
        let list = column.typed::<Int32Type>();
        list.write_batch(&numbers, Some(&defined), Some(&levels)).unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
    }

    fn read_back(name: &str, texts: &[&[u8]]) -> Result<Vec<usize>> {
        let path = std::env::temp_dir().join(format!("emberlab-{}-{name}", std::process::id()));
        write(&path, texts);
        let file = File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut pieces = Vec::new();
        each_piece(name, file, &mut |piece| {
            assert!(piece.rows.iter().all(|row| row.cells["list"] == serde_json::json!([7, 7])));
            pieces.push(piece.rows.len());
            Ok(true)
        })?;
        Ok(pieces)
    }

    #[test]
    fn lists_go_over_pages() {
        assert_eq!(read_back("pages.parquet", &[&b"some text"[..]; 7]).unwrap(), [7]);
    }

    #[test]
    fn pieces_and_rows_have_an_end() {
        let long = vec![b'a'; 5 << 20];
        assert_eq!(read_back("long.parquet", &[&long[..]; 7]).unwrap(), [4, 3]);
        let error = read_back("endless.parquet", &[b"a", &long.repeat(2)]).unwrap_err();
        assert_eq!(error.to_string(), "endless.parquet, row 2: a row of more than 8 MB");
    }

    #[test]
    fn text_that_is_not_utf8_is_named() {
        let error = read_back("latin.parquet", &[b"a", b"b", b"caf\xe9", b"c"]).unwrap_err();
        let says = "latin.parquet, row 3: \"text\" is not valid UTF-8; save it as UTF-8";
        assert_eq!(error.to_string(), says);
    }
}
