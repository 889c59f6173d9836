//! What is sent: bytes that are there, or a part of a file, read as it goes out.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Of a file, so much goes out at a time, and so much a second at least once the client had time to begin.
const PIECE: u64 = 256 << 10;
const SLOWEST: u64 = 4 << 10;
const PATIENCE: Duration = Duration::from_secs(30);

pub enum Contents {
    Bytes(Bytes),
    File { file: File, length: u64 },
}

impl Contents {
    /// A part of a file.
    pub fn of_file(path: &Path, part: Range<u64>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(part.start))?;
        Ok(Self::File { file, length: part.end - part.start })
    }

    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// # Errors
    /// The other end is gone or slow, or the file has become shorter than was promised.
    pub fn write_to(self, stream: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => stream.write_all(&bytes),
            Self::File { mut file, length } => {
                let (began, mut sent) = (Instant::now(), 0);
                // Not `io::copy`: on a socket it is `sendfile`, which outlives the time limit.
                let mut piece = vec![0; PIECE.min(length) as usize];
                while sent < length {
                    let count = PIECE.min(length - sent);
                    let part = &mut piece[..count as usize];
                    file.read_exact(part)?;
                    stream.write_all(part)?;
                    sent += count;
                    if began.elapsed() > PATIENCE + Duration::from_secs(sent / SLOWEST) {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Ok(())
            }
        }
    }
}
