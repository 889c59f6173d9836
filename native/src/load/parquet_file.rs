//! A file as the `parquet` crate reads it, which takes what a file says of its parts for true.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// So often a part may be read on at the end of the file.
const MOST_READS_AT_END: usize = 1000;

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
        Ok(Ending { inner: self.0.get_read(start)?, reads_at_end: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len());
        end.ok_or_else(|| ParquetError::EOF("a part reaches beyond the end of the file".into()))?;
        self.0.get_bytes(start, length)
    }
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
