//! A file as the `parquet` crate reads it, which takes what a file says of its parts for true.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use bytes::Bytes;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length, RowGroupReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::Type;

/// So often a part may be read on at the end of the file.
const MOST_READS_AT_END: usize = 1000;

/// Bytes of the end of a file, which is no page.
const END: u64 = 8;
/// What a page may unpack to, or so many times what it is packed in: the crate has room for all of it first.
const LARGEST_PAGE: u64 = 64 << 20;
const BEST_PACKED: u64 = 1000;

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
        let mut inner = self.0.get_read(start)?;
        // The crate reads from the head of a page on, or the end of the file.
        if start.saturating_add(END) != self.len() {
            let sizes = page_sizes(inner.fill_buf()?);
            let (unpacked, packed) =
                sizes.ok_or_else(|| ParquetError::EOF("Invalid page header".into()))?;
            if unpacked > LARGEST_PAGE.max(BEST_PACKED * packed) {
                let what = format!("a page of {packed} bytes that claims to unpack to {unpacked}");
                return Err(ParquetError::General(what));
            }
        }
        Ok(Ending { inner, reads_at_end: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len());
        end.ok_or_else(|| ParquetError::EOF("a part reaches beyond the end of the file".into()))?;
        self.0.get_bytes(start, length)
    }
}

/// What a page unpacks to and what it is packed in: after its kind the first fields of its header, which every
/// writer gives in their order (parquet.thrift, in Thrift's compact protocol).
fn page_sizes(header: &[u8]) -> Option<(u64, u64)> {
    const NEXT_FIELD_I32: u8 = 0x15;
    let mut bytes = header.iter().copied();
    let mut number = || {
        bytes.next().filter(|&byte| byte == NEXT_FIELD_I32)?;
        let mut zigzag = 0;
        for shift in (0..35).step_by(7) {
            let byte = bytes.next()?;
            zigzag |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(zigzag >> 1);
            }
        }
        None
    };
    let (_kind, unpacked, packed) = (number()?, number()?, number()?);
    Some((unpacked, packed))
}

/// Fails where it is read on and on at its end: the crate (60.1) passes over bytes that are not there without
/// noticing, as often as a list in the file claims to be long.
pub struct Ending<R> {
    inner: R,
    reads_at_end: usize,
}

impl<R: Read> Read for Ending<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
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

/// A group of rows whose dictionaries hold no more than they can.
pub struct Group<'a>(pub Box<dyn RowGroupReader + 'a>);

impl RowGroupReader for Group<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.0.metadata()
    }

    fn num_columns(&self) -> usize {
        self.0.num_columns()
    }

    fn get_column_page_reader(&self, column: usize) -> Result<Box<dyn PageReader>> {
        Ok(Box::new(Pages(self.0.get_column_page_reader(column)?)))
    }

    fn get_column_bloom_filter(&self, column: usize) -> Option<&Sbbf> {
        self.0.get_column_bloom_filter(column)
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

struct Pages(Box<dyn PageReader>);

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.0.get_next_page()?;
        // The crate has room for so many values before it reads the first of them, which takes a byte at least.
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page
            && *num_values as usize > buf.len()
        {
            let what = format!("a dictionary of {num_values} values in {} bytes", buf.len());
            return Err(ParquetError::General(what));
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.0.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.0.skip_next_page()
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
        for no in [&[0x15, 4, 0x15, 26][..], &[0x25, 4, 0x15, 26, 0x15, 30], &[0x15; 3]] {
            assert_eq!(page_sizes(no), None);
        }
    }
}
