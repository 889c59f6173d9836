//! Tokenized rows in a file, for sets that do not fit memory.
//!
//! ```text
//! magic      8 bytes
//! blocks     of 256 rows: words, then their CRC-32
//! index      where each block begins and the last one ends, 8 bytes each
//! metadata   whatever the writer wants to keep beside the rows
//! footer     rows, where the index begins, the task, magic: 8 bytes each
//! ```
//!
//! Words are of 4 bytes, see [`super::row_words`]; all numbers are little-endian. The task is a place in
//! [`Task::ALL`].

use std::{
    io::{self, Write},
    ops::Range,
};

use super::{
    LabelledRows,
    row_words::{of_row, take_row},
};
use crate::{Error, Result, data::Task, model::Source, text::BLOCK_ROWS};

const MAGIC: [u8; 8] = *b"EMBROWS1";
const WORD: usize = size_of::<u32>();
/// Bytes of a place in the file.
const PLACE: u64 = size_of::<u64>() as u64;
const FOOTER: u64 = 3 * PLACE + MAGIC.len() as u64;

/// Writes rows one after the other.
pub struct RowFileWriter<W: Write> {
    out: W,
    at: u64,
    /// Where each block begins.
    index: Vec<u64>,
    block: Vec<u8>,
    rows: usize,
    task: Task,
}

impl<W: Write> RowFileWriter<W> {
    /// Begins a file of rows for `task`.
    ///
    /// # Errors
    /// Whatever `out` says.
    pub fn new(mut out: W, task: Task) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        let at = MAGIC.len() as u64;
        Ok(Self { out, at, index: vec![at], block: Vec::new(), rows: 0, task })
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Whatever `out` says; rows of another task; a token, segment or class id that is too large.
    pub fn push(&mut self, rows: &LabelledRows) -> io::Result<()> {
        if rows.targets.task() != self.task {
            return Err(io::Error::other("rows of different tasks"));
        }
        for row in 0..rows.encodings.len() {
            of_row(rows, row)?.into_iter().for_each(|word| self.word(word));
            self.rows += 1;
            if self.rows.is_multiple_of(BLOCK_ROWS) {
                self.end_block()?;
            }
        }
        Ok(())
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
        let task = Task::ALL.iter().position(|task| *task == self.task).unwrap_or_default();
        self.out.write_all(&(task as u64).to_le_bytes())?;
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
    task: Task,
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
        source.read_at(end + 3 * PLACE, &mut magic).map_err(unreadable)?;
        let rows = place_at(&source, end).map_err(unreadable)?;
        let index_at = place_at(&source, end + PLACE).map_err(unreadable)?;
        let task = place_at(&source, end + 2 * PLACE).map_err(unreadable)?;
        let task = usize::try_from(task).ok().and_then(|task| Task::ALL.get(task));
        let blocks = rows.div_ceil(BLOCK_ROWS as u64);
        let index = blocks.checked_add(1).and_then(|places| places.checked_mul(PLACE));
        let metadata_at = index.and_then(|index| index.checked_add(index_at));
        let length = metadata_at.and_then(|at| usize::try_from(end.checked_sub(at)?).ok());
        let (Some(at), Some(length), Some(&task), true) =
            (metadata_at, length, task, magic == MAGIC)
        else {
            return Err(not_whole());
        };
        let mut metadata = vec![0; length];
        source.read_at(at, &mut metadata).map_err(unreadable)?;
        let rows = usize::try_from(rows).map_err(|_| not_whole())?;
        Ok(Self { name: name.into(), source, task, rows, index_at, metadata })
    }

    /// What its rows are answered with.
    pub fn task(&self) -> Task {
        self.task
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

    /// Adds rows to `into`, which has those of the same task, in their order.
    ///
    /// # Errors
    /// [`Error::BadRowFile`] where the file is damaged or cannot be read any more.
    pub fn read(&self, rows: Range<usize>, into: &mut LabelledRows) -> Result<()> {
        let rows = rows.start..rows.end.min(self.rows);
        for block in rows.start / BLOCK_ROWS..rows.end.div_ceil(BLOCK_ROWS) {
            let words = self.block(block)?;
            let mut words = words.as_slice();
            let mut passed = LabelledRows::new(self.task);
            for row in block * BLOCK_ROWS..self.rows.min((block + 1) * BLOCK_ROWS) {
                let into = if rows.contains(&row) { &mut *into } else { &mut passed };
                take_row(&mut words, into).ok_or_else(|| self.damaged())?;
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

fn place_at(source: &Source, at: u64) -> io::Result<u64> {
    let mut bytes = [0; PLACE as usize];
    source.read_at(at, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        data::{Span, Targets},
        text::{Encoding, Word},
    };

    fn rows(count: usize, task: Task) -> LabelledRows {
        let numbers = |row: usize| 0..row as u32 % 7 + 1;
        let word = |row: u32| Word { index: row as usize, token: 1, start: 2, end: 70_000 };
        let is_tagged = task == Task::TokenClassification;
        let encoding = |row: usize| Encoding {
            ids: numbers(row).map(|id| id * 30_000 + row as u32).collect(),
            type_ids: numbers(row).map(|id| id % 2).collect(),
            truncated: row.is_multiple_of(3),
            words: numbers(row).filter(|_| is_tagged).map(word).collect(),
        };
        let sets = |least: usize| (0..count).map(|row| (least..row % 4).collect()).collect();
        let (rows, span) = (0..count, |row: usize| Span { start: row, end: row + 1, tokens: 9 });
        let targets = match task {
            Task::SingleLabelClassification => Targets::Labels(rows.map(|row| row % 5).collect()),
            Task::MultiLabelClassification => Targets::LabelSets(sets(0)),
            Task::Regression => Targets::Scores(rows.map(|row| row as f32 / 3.0).collect()),
            Task::TokenClassification => Targets::Tags(sets(1)),
            Task::QuestionAnswering => Targets::Spans(rows.map(span).collect()),
        };
        LabelledRows { encodings: (0..count).map(encoding).collect(), targets }
    }

    fn written(rows: &LabelledRows) -> Vec<u8> {
        let mut writer = RowFileWriter::new(Vec::new(), rows.targets.task()).unwrap();
        writer.push(rows).unwrap();
        writer.finish(b"about them").unwrap()
    }

    fn labelled(count: usize) -> LabelledRows {
        rows(count, Task::SingleLabelClassification)
    }

    #[test]
    fn rows_of_each_task_come_back_from_any_place() {
        for (task, count) in Task::ALL
            .into_iter()
            .flat_map(|task| [1, 255, 256, 257, 1000].into_iter().map(move |count| (task, count)))
        {
            let rows = rows(count, task);
            let file = RowFile::open("f", Source::Bytes(written(&rows))).unwrap();
            assert_eq!((file.len(), file.task()), (count, task));
            assert_eq!(file.metadata(), b"about them");
            for range in [0..count, 0..1, count - 1..count, count / 3..count / 2] {
                let mut found = LabelledRows::new(task);
                file.read(range.clone(), &mut found).unwrap();
                assert_eq!(found.encodings, rows.encodings[range.clone()]);
                assert_eq!(found.targets, rows.targets.select(&range.collect::<Vec<_>>()));
            }
        }
    }

    #[test]
    fn a_cut_or_damaged_file_is_refused() {
        let bytes = written(&labelled(600));
        for end in [0, 20, 100, bytes.len() - 1] {
            assert!(RowFile::open("f", Source::Bytes(bytes[..end].to_vec())).is_err(), "{end}");
        }
        let mut damaged = bytes.clone();
        damaged[100] ^= 1;
        let file = RowFile::open("f", Source::Bytes(damaged)).unwrap();
        let error = file.read(0..1, &mut labelled(0)).unwrap_err();
        assert!(error.to_string().starts_with("f: it is damaged"), "{error}");
        file.read(300..301, &mut labelled(0)).unwrap();
    }

    #[test]
    fn what_does_not_fit_a_word_is_refused() {
        let mut rows = labelled(1);
        let mut writer = RowFileWriter::new(Vec::new(), Task::Regression).unwrap();
        assert!(writer.push(&rows).is_err(), "another task");
        rows.encodings[0].ids[0] = 1 << 24;
        let mut writer = RowFileWriter::new(Vec::new(), rows.targets.task()).unwrap();
        assert!(writer.push(&rows).is_err());
    }
}
