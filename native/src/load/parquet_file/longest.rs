//! What the rows of a group may take, before the `parquet` crate (60.1) has room for them: a list of two billion values
//! can stand in a few bytes, and so can one of the same long text.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parquet::basic::{Encoding, Type};
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescriptor;

use super::varint;

/// Bytes for the longest rows of all columns together: 30 seconds of sound as a list of numbers are just below it.
const MOST: usize = 44 << 20;
/// What a value takes beside its text, about, and one of an object in a list.
const VALUE: usize = 96;
const VALUE_OF_OBJECT: usize = 768;

/// The longest row of a column so far.
pub struct Longest {
    /// Bits of a repetition level: none in a column without lists.
    bits: usize,
    type_: Type,
    /// Bytes of a value beside its text.
    value: usize,
    /// Values since a row began; at most; and the bytes of a text of the dictionary.
    open: usize,
    values: usize,
    text: usize,
    /// What these take, and those of all columns.
    bytes: usize,
    of_group: Arc<AtomicUsize>,
}

impl Longest {
    pub fn new(column: &ColumnDescriptor, of_group: Arc<AtomicUsize>) -> Self {
        let bits = (i16::BITS - column.max_rep_level().leading_zeros()) as usize;
        let type_ = column.physical_type();
        // A list adds two to the path: `list` and `element`.
        let is_of_object = column.path().parts().len() > 1 + 2 * column.max_rep_level() as usize;
        let value = if is_of_object { VALUE_OF_OBJECT } else { VALUE };
        Self { bits, type_, value, open: 1, values: 1, text: 0, bytes: 0, of_group }
    }

    /// Refuses a page whose rows would take too much.
    pub fn meet(&mut self, page: &Page) -> Result<()> {
        match page {
            Page::DictionaryPage { buf, .. } if self.type_ == Type::BYTE_ARRAY => {
                self.text = longest_text(buf);
            }
            Page::DictionaryPage { .. } => {}
            Page::DataPage { buf, num_values, rep_level_encoding, .. } => {
                let is_known = *rep_level_encoding == Encoding::RLE;
                self.count(prefixed(buf).filter(|_| is_known), *num_values as usize);
            }
            Page::DataPageV2 { buf, num_values, rep_levels_byte_len, .. } => {
                self.count(buf.get(..*rep_levels_byte_len as usize), *num_values as usize);
            }
        }
        let bytes = self.values.saturating_mul(self.value + self.text);
        let more = bytes.saturating_sub(self.bytes);
        self.bytes = self.bytes.max(bytes);
        let all = self.of_group.fetch_add(more, Ordering::Relaxed).saturating_add(more);
        match all > MOST {
            true => Err(ParquetError::General(format!("a row of more than {} MB", MOST >> 20))),
            false => Ok(()),
        }
    }

    /// Goes through the repetition levels of a page, of which 0 begins a row: runs of one level, and levels that are
    /// packed in eights. Values without one are taken to be of the same row.
    fn count(&mut self, levels: Option<&[u8]>, mut values: usize) {
        if self.bits == 0 {
            return;
        }
        let mut levels = levels.unwrap_or_default();
        while values > 0 {
            let Some(header @ 1..) = varint(&mut levels) else { break };
            let run = usize::try_from(header >> 1).unwrap_or(usize::MAX);
            let (length, bytes) = match header & 1 {
                1 => (run.saturating_mul(8), run.saturating_mul(self.bits)),
                _ => (run, self.bits.div_ceil(8)),
            };
            let Some((run, rest)) = levels.split_at_checked(bytes) else { break };
            levels = rest;
            let length = length.min(values);
            values -= length;
            match header & 1 {
                1 => (0..length).for_each(|at| self.add(1, is_set(run, at * self.bits, self.bits))),
                _ => self.add(length, run.iter().any(|&byte| byte != 0)),
            }
        }
        self.add(values, true);
    }

    fn add(&mut self, values: usize, goes_on: bool) {
        self.open = if goes_on { self.open + values } else { 1 };
        self.values = self.values.max(self.open);
    }
}

fn is_set(bytes: &[u8], from: usize, bits: usize) -> bool {
    (from..from + bits).any(|bit| bytes[bit / 8] >> (bit % 8) & 1 == 1)
}

/// What follows its length.
pub(super) fn prefixed(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.get(..u32::from_le_bytes(*length) as usize)
}

fn longest_text(mut texts: &[u8]) -> usize {
    let mut longest = 0;
    while let Some(text) = prefixed(texts) {
        longest = longest.max(text.len());
        texts = &texts[4 + text.len()..];
    }
    longest
}

#[cfg(test)]
mod tests {
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;

    fn list() -> Longest {
        let schema = "message m { repeated binary a (UTF8); }";
        let schema = SchemaDescriptor::new(Arc::new(parse_message_type(schema).unwrap()));
        Longest::new(&schema.column(0), Arc::default())
    }

    fn page(levels: &[u8], num_values: u32) -> Page {
        Page::DataPage {
            buf: [&(levels.len() as u32).to_le_bytes(), levels].concat().into(),
            num_values,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        }
    }

    #[test]
    fn the_longest_row_is_counted_over_runs_and_pages() {
        // Three rows of one value, one of 1 + 4 + 6, of which three were in a page of their own, and one.
        let mut column = list();
        for (levels, values) in [(&[6, 0, 2, 0, 8, 1][..], 8), (&[3, 0b0011_1111], 7), (&[2, 1], 0)]
        {
            column.meet(&page(levels, values)).unwrap();
        }
        assert_eq!((column.values, column.open), (11, 1));
    }

    #[test]
    fn rows_that_take_too_much_are_refused() {
        let endless = page(&[2, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1], i32::MAX as u32);
        assert!(
            list().meet(&endless).unwrap_err().to_string().contains("a row of more than 44 MB")
        );
        let without_levels = page(&[], 1 << 20);
        assert!(list().meet(&without_levels).is_err());
        let text = [&100_000u32.to_le_bytes()[..], &[b'a'; 100_000]].concat();
        let (buf, encoding) = (text.into(), Encoding::PLAIN);
        let mut column = list();
        let dictionary = Page::DictionaryPage { buf, num_values: 1, encoding, is_sorted: false };
        column.meet(&dictionary).unwrap();
        assert!(column.meet(&page(&[2, 0, 0xce, 15, 1], 1000)).is_err());
        assert_eq!(column.text, 100_000);
    }
}
