//! A file as the `parquet` crate reads it, which takes what a file says of its parts for true.

mod deltas;
mod longest;
mod schema;

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use bytes::Bytes;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length, RowGroupReader};
use parquet::record::reader::{ReaderIter, RowIter, TreeBuilder};
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr, Type};

use self::longest::Longest;

/// So often a part may be read on at the end of the file.
const MOST_READS_AT_END: usize = 1000;

/// Bytes of the end of a file, which is no page.
const END: u64 = 8;
/// What a page may unpack to, or so many times what it is packed in: the crate has room for all of it first.
const LARGEST_PAGE: u64 = 16 << 20;
const BEST_PACKED: u64 = 500;
/// Rows that the crate reads ahead of each column, with their lists; of its own accord, it is 1024.
const ROWS_AHEAD: usize = 1;

/// Refuses parts that the file does not have, before there is memory for them.
pub struct ParquetFile(pub File);

impl Length for ParquetFile {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for ParquetFile {
    type T = Ending<BufReader<File>>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let inner = self.0.get_read(start)?;
        // The crate reads from the head of a page on, or the end of the file.
        let is_page = start.saturating_add(END) != self.len();
        Ok(Ending { inner, is_page, reads_at_end: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len());
        end.ok_or_else(|| ParquetError::EOF("a part reaches beyond the end of the file".into()))?;
        let bytes = self.0.get_bytes(start, length)?;
        if end.is_some_and(|end| end.saturating_add(END) == self.len()) {
            schema::check(&bytes)?;
        }
        Ok(bytes)
    }
}

/// What a page unpacks to and what it is packed in: after its kind the first fields of its header, which every
/// writer gives in their order (parquet.thrift, in Thrift's compact protocol).
fn page_sizes(mut header: &[u8]) -> Option<(u64, u64)> {
    const NEXT_FIELD_I32: u8 = 0x15;
    let mut number = || {
        header.split_off_first().filter(|&&byte| byte == NEXT_FIELD_I32)?;
        // The crate cuts off what an `i32` has no room for.
        u32::try_from(varint(&mut header)?).ok().map(|zigzag| u64::from(zigzag >> 1))
    };
    let (_kind, unpacked, packed) = (number()?, number()?, number()?);
    Some((unpacked, packed))
}

/// A number of Thrift and of runs, seven bits a byte.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Fails where a page claims too much, or where it is read on and on at its end: the crate (60.1) passes over bytes that
/// are not there without noticing, as often as a list in the file claims to be long.
pub struct Ending<R> {
    inner: R,
    /// It begins with the header of a page that is still to be read: not all are, as the crate may know it by then.
    is_page: bool,
    reads_at_end: usize,
}

impl<R: BufRead> Read for Ending<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if mem::take(&mut self.is_page) {
            let sizes = page_sizes(self.inner.fill_buf()?);
            let (unpacked, packed) =
                sizes.ok_or_else(|| io::Error::other("invalid page header"))?;
            if unpacked > LARGEST_PAGE.max(BEST_PACKED * packed) {
                let what = format!("a page of {packed} bytes that claims to unpack to {unpacked}");
                return Err(io::Error::other(what));
            }
        }
        let count = self.inner.read(into)?;
        if count == 0 && !into.is_empty() {
            self.reads_at_end += 1;
        }
        match self.reads_at_end > MOST_READS_AT_END {
            true => Err(ErrorKind::UnexpectedEof.into()),
            false => Ok(count),
        }
    }
}

/// A group of rows that takes no more than it can.
pub struct Group<'a> {
    inner: Box<dyn RowGroupReader + 'a>,
    longest_row: Arc<AtomicUsize>,
}

impl<'a> Group<'a> {
    pub fn new(inner: Box<dyn RowGroupReader + 'a>) -> Self {
        Self { inner, longest_row: Arc::default() }
    }

    /// All rows, or those of the columns of `schema`.
    pub fn rows(&self, schema: SchemaDescPtr) -> Result<ReaderIter> {
        TreeBuilder::new().with_batch_size(ROWS_AHEAD).as_iter(schema, self)
    }
}

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.inner.metadata()
    }

    fn num_columns(&self) -> usize {
        self.inner.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        let inner = self.inner.get_column_page_reader(column)?;
        let column = self.metadata().column(column).column_descr_ptr();
        let longest = Longest::new(&column, Arc::clone(&self.longest_row));
        Ok(Box::new(Pages { inner, column, longest }))
    }

    fn get_column_bloom_filter(&self, column: usize) -> Option<&Sbbf> {
        self.inner.get_column_bloom_filter(column)
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

struct Pages {
    inner: Box<dyn PageReader>,
    column: ColumnDescPtr,
    longest: Longest,
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        // The crate has room for so many values before it reads the first of them, which takes a byte at least.
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page
            && *num_values as usize > buf.len()
        {
            let what = format!("a dictionary of {num_values} values in {} bytes", buf.len());
            return Err(ParquetError::General(what));
        }
        if let Some(page) = &page {
            deltas::check(page, &self.column)?;
            self.longest.meet(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_it_unpacks_to() {
        // A dictionary as pyarrow writes it: 13 bytes, 15 packed.
        assert_eq!(page_sizes(&[0x15, 4, 0x15, 26, 0x15, 30, 0x4c]), Some((13, 15)));
        let large = [0x15, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0x15, 8];
        assert_eq!(page_sizes(&large), Some((i32::MAX as u64, 4)));
        let cut_off = [0x15, 4, 0x15, 26, 0x15, 0x82, 0x80, 0x80, 0x80, 0x10];
        for no in [&[0x15, 4, 0x15, 26][..], &[0x25, 4, 0x15, 26, 0x15, 30], &[0x15; 3], &cut_off] {
            assert_eq!(page_sizes(no), None);
        }
    }
}
