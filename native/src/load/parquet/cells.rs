//! The cells of a row of Parquet as JSON.

use emberlab_core::data::LONGEST_ROW;
use emberlab_core::guarded;
use parquet::record::{Field, Row};
use serde_json::{Map, Value};

/// What a value and an object take besides their text, about.
const VALUE: usize = 32;
const OBJECT: usize = 200;

/// What cells take: bytes of text, and besides.
#[derive(Default)]
pub struct Size {
    pub text: usize,
    pub values: usize,
}

/// The cells of a row, and what they take. Text beyond [`LONGEST_ROW`] is left out.
pub fn cells(row: &Row) -> (Map<String, Value>, Size) {
    let mut size = Size::default();
    let cells = object(row, &mut size);
    (cells, size)
}

fn object(row: &Row, size: &mut Size) -> Map<String, Value> {
    size.values += OBJECT;
    let mut cells = Map::with_capacity(row.len());
    for (name, field) in row.get_column_iter() {
        size.values += name.len();
        cells.insert(name.clone(), cell(field, size));
    }
    cells
}

/// What JSON has no word for, as its text.
fn cell(field: &Field, size: &mut Size) -> Value {
    size.values += VALUE;
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
        Field::Str(value) => text(value, size),
        // Not all that write text say that it is (Spark); an image is nothing that could be learnt from here.
        Field::Bytes(value) => value.as_utf8().map_or(Value::Null, |value| text(value, size)),
        Field::Group(row) => Value::Object(object(row, size)),
        Field::ListInternal(list) => list.elements().iter().map(|item| cell(item, size)).collect(),
        // The crate (60.1) panics on a day that its calendar does not have, as `infinity` of PostgreSQL.
        other => guarded(|| other.to_string()).map_or(Value::Null, |value| text(&value, size)),
    }
}

fn text(text: &str, size: &mut Size) -> Value {
    size.text += text.len();
    if size.text > LONGEST_ROW { Value::Null } else { text.into() }
}

#[cfg(test)]
mod tests {
    use parquet::data_type::ByteArray;

    use super::*;

    #[test]
    fn what_is_no_text_is_null() {
        let bytes = |bytes: &[u8]| Field::Bytes(ByteArray::from(bytes.to_vec()));
        let cases = [
            (bytes(b"good"), "\"good\""),
            (bytes(b"\x89PNG"), "null"),
            (Field::Date(1), "\"1970-01-02\""),
            (Field::Date(i32::MAX), "null"),
            (Field::TimestampMicros(i64::MAX), "null"),
        ];
        for (field, expected) in cases {
            assert_eq!(cell(&field, &mut Size::default()).to_string(), expected, "{field:?}");
        }
    }

    #[test]
    fn a_row_is_no_longer_than_it_may_be() {
        let long = Field::Str("a".repeat(LONGEST_ROW / 2));
        let fields = ["a", "b", "c"].map(|name| (name.to_owned(), long.clone()));
        let (cells, size) = cells(&Row::new(fields.to_vec()));
        assert!(size.text > LONGEST_ROW && cells["a"].is_string() && cells["c"].is_null());
    }
}
