//! Tokenized rows in a file, for sets that do not fit memory.
//!
//! ```text
//! magic      8 bytes
//! blocks     of 256 rows: words, then their CRC-32
//! index      where each block begins and the last one ends, 8 bytes each
//! metadata   whatever the writer wants to keep beside the rows
//! footer     rows, where the index begins, magic: 8 bytes each
//! ```
//!
//! A row is a word for its label, one for its number of tokens, doubled, plus one where tokens were cut
//! off, and one for each token: its id in the lower 24 bits, its segment id in the upper 8. Words are of
//! 4 bytes; all numbers are little-endian.

use std::{
    io::{self, Write},
    ops::Range,
};

use super::LabelledRows;
use crate::{
    Error, Result,
    model::Source,
    text::{BLOCK_ROWS, Encoding},
};

const MAGIC: [u8; 8] = *b"EMBROWS1";
const WORD: usize = size_of::<u32>();
/// Bytes of a place in the file.
const PLACE: u64 = size_of::<u64>() as u64;
const FOOTER: u64 = 2 * PLACE + MAGIC.len() as u64;
const ID_BITS: u32 = 24;

/// Writes rows one after the other.
pub struct RowFileWriter<W: Write> {
    out: W,
    at: u64,
    /// Where each block begins.
    index: Vec<u64>,
    block: Vec<u8>,
    rows: usize,
}

impl<W: Write> RowFileWriter<W> {
    /// # Errors
    /// Whatever `out` says.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        let at = MAGIC.len() as u64;
        Ok(Self { out, at, index: vec![at], block: Vec::new(), rows: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Whatever `out` says; a token or segment id that is too large.
    pub fn push(&mut self, encoding: &Encoding, label: usize) -> io::Result<()> {
        let too_large = |_| io::Error::other("a label or token id is too large to be stored");
        let length = u32::try_from(encoding.ids.len() * 2).map_err(too_large)?;
        let label = u32::try_from(label).map_err(too_large)?;
        self.word(label);
        self.word(length | u32::from(encoding.truncated));
        for (&id, &type_id) in encoding.ids.iter().zip(&encoding.type_ids) {
            if id >> ID_BITS != 0 || type_id > u32::from(u8::MAX) {
                return Err(io::Error::other("a token or segment id is too large to be stored"));
            }
            self.word(id | type_id << ID_BITS);
        }
        self.rows += 1;
        if self.rows.is_multiple_of(BLOCK_ROWS) { self.end_block() } else { Ok(()) }
    }

    /// Writes what closes the file, and gives back where it was written to.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn finish(mut self, metadata: &[u8]) -> io::Result<W> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        let index_at = self.at;
        for place in self.index {
            self.out.write_all(&place.to_le_bytes())?;
        }
        self.out.write_all(metadata)?;
        self.out.write_all(&(self.rows as u64).to_le_bytes())?;
        self.out.write_all(&index_at.to_le_bytes())?;
        self.out.write_all(&MAGIC)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn word(&mut self, word: u32) {
        self.block.extend_from_slice(&word.to_le_bytes());
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.word(crc32fast::hash(&self.block));
        self.out.write_all(&self.block)?;
        self.at += self.block.len() as u64;
        self.index.push(self.at);
        self.block.clear();
        Ok(())
    }
}

/// A file of rows, opened by the caller. Rows are read when they are asked for.
#[derive(Debug)]
pub struct RowFile {
    name: String,
    source: Source,
    rows: usize,
    index_at: u64,
    metadata: Vec<u8>,
}

impl RowFile {
    /// Reads what stands around the rows.
    ///
    /// # Errors
    /// [`Error::BadRowFile`] where it is none, or not whole.
    pub fn open(name: &str, source: Source) -> Result<Self> {
        let bad = |reason: String| Error::BadRowFile { name: name.into(), reason };
        let unreadable = |error: io::Error| bad(error.to_string());
        let not_whole = || bad("it is not whole".into());
        let end = source.len().map_err(unreadable)?.checked_sub(FOOTER).ok_or_else(not_whole)?;
        let mut magic = MAGIC;
        source.read_at(end + 2 * PLACE, &mut magic).map_err(unreadable)?;
        let rows = place_at(&source, end).map_err(unreadable)?;
        let index_at = place_at(&source, end + PLACE).map_err(unreadable)?;
        let blocks = rows.div_ceil(BLOCK_ROWS as u64);
        let index = blocks.checked_add(1).and_then(|places| places.checked_mul(PLACE));
        let metadata_at = index.and_then(|index| index.checked_add(index_at));
        let length = metadata_at.and_then(|at| usize::try_from(end.checked_sub(at)?).ok());
        let (Some(at), Some(length), true) = (metadata_at, length, magic == MAGIC) else {
            return Err(not_whole());
        };
        let mut metadata = vec![0; length];
        source.read_at(at, &mut metadata).map_err(unreadable)?;
        let rows = usize::try_from(rows).map_err(|_| not_whole())?;
        Ok(Self { name: name.into(), source, rows, index_at, metadata })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// What the writer kept beside the rows.
    pub fn metadata(&self) -> &[u8] {
        &self.metadata
    }

    /// Adds rows to `into`, in their order.
    ///
    /// # Errors
    /// [`Error::BadRowFile`] where the file is damaged or cannot be read any more.
    pub fn read(&self, rows: Range<usize>, into: &mut LabelledRows) -> Result<()> {
        let rows = rows.start..rows.end.min(self.rows);
        for block in rows.start / BLOCK_ROWS..rows.end.div_ceil(BLOCK_ROWS) {
            let words = self.block(block)?;
            let mut words = words.as_slice();
            for row in block * BLOCK_ROWS..self.rows.min((block + 1) * BLOCK_ROWS) {
                let (encoding, label) = row_of(&mut words).ok_or_else(|| self.damaged())?;
                if rows.contains(&row) {
                    into.encodings.push(encoding);
                    into.labels.push(label);
                }
            }
        }
        Ok(())
    }

    /// The words of a block.
    fn block(&self, block: usize) -> Result<Vec<u32>> {
        let unreadable = |error: io::Error| Error::BadRowFile {
            name: self.name.clone(),
            reason: error.to_string(),
        };
        let place = self.index_at + block as u64 * PLACE;
        let from = place_at(&self.source, place).map_err(unreadable)?;
        let to = place_at(&self.source, place + PLACE).map_err(unreadable)?;
        let length = to.checked_sub(from).filter(|_| to <= self.index_at);
        let mut bytes = vec![0; length.ok_or_else(|| self.damaged())? as usize];
        self.source.read_at(from, &mut bytes).map_err(unreadable)?;
        let (bytes, sum) = bytes.split_last_chunk::<WORD>().ok_or_else(|| self.damaged())?;
        if crc32fast::hash(bytes) != u32::from_le_bytes(*sum) {
            return Err(self.damaged());
        }
        let (words, _) = bytes.as_chunks::<WORD>();
        Ok(words.iter().copied().map(u32::from_le_bytes).collect())
    }

    fn damaged(&self) -> Error {
        Error::BadRowFile { name: self.name.clone(), reason: "it is damaged".into() }
    }
}

/// Takes a row off the words.
fn row_of(words: &mut &[u32]) -> Option<(Encoding, usize)> {
    let (&[label, length], rest) = words.split_first_chunk::<2>()?;
    let (tokens, rest) = rest.split_at_checked(length as usize / 2)?;
    *words = rest;
    let encoding = Encoding {
        ids: tokens.iter().map(|word| word & ((1 << ID_BITS) - 1)).collect(),
        type_ids: tokens.iter().map(|word| word >> ID_BITS).collect(),
        truncated: length % 2 == 1,
    };
    Some((encoding, label as usize))
}

fn place_at(source: &Source, at: u64) -> io::Result<u64> {
    let mut bytes = [0; PLACE as usize];
    source.read_at(at, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> LabelledRows {
        let encoding = |row: usize| Encoding {
            ids: (0..row as u32 % 7 + 1).map(|id| id * 30_000 + row as u32).collect(),
            type_ids: (0..row as u32 % 7 + 1).map(|id| id % 2).collect(),
            truncated: row.is_multiple_of(3),
        };
        LabelledRows {
            encodings: (0..count).map(encoding).collect(),
            labels: (0..count).map(|row| row % 5).collect(),
        }
    }

    fn written(rows: &LabelledRows) -> Vec<u8> {
        let mut writer = RowFileWriter::new(Vec::new()).unwrap();
        for (encoding, &label) in rows.encodings.iter().zip(&rows.labels) {
            writer.push(encoding, label).unwrap();
        }
        writer.finish(b"about them").unwrap()
    }

    #[test]
    fn rows_come_back_from_any_place() {
        for count in [1, 255, 256, 257, 1000] {
            let rows = rows(count);
            let file = RowFile::open("f", Source::Bytes(written(&rows))).unwrap();
            assert_eq!((file.len(), file.metadata()), (count, &b"about them"[..]));
            for range in [0..count, 0..1, count - 1..count, count / 3..count / 2] {
                let mut found = LabelledRows::default();
                file.read(range.clone(), &mut found).unwrap();
                assert_eq!(found.encodings, rows.encodings[range.clone()]);
                assert_eq!(found.labels, rows.labels[range]);
            }
        }
    }

    #[test]
    fn a_cut_or_damaged_file_is_refused() {
        let bytes = written(&rows(600));
        for end in [0, 20, 100, bytes.len() - 1] {
            assert!(RowFile::open("f", Source::Bytes(bytes[..end].to_vec())).is_err(), "{end}");
        }
        let mut damaged = bytes.clone();
        damaged[100] ^= 1;
        let file = RowFile::open("f", Source::Bytes(damaged)).unwrap();
        let error = file.read(0..1, &mut LabelledRows::default()).unwrap_err();
        assert!(error.to_string().starts_with("f: it is damaged"), "{error}");
        file.read(300..301, &mut LabelledRows::default()).unwrap();
    }

    #[test]
    fn what_does_not_fit_a_word_is_refused() {
        let encoding = Encoding { ids: vec![1 << 24], type_ids: vec![0], truncated: false };
        assert!(RowFileWriter::new(Vec::new()).unwrap().push(&encoding, 0).is_err());
    }
}
