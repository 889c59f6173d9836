//! What is sent: bytes that are there, or a part of a file, read as it goes out.

use std::fs::File;
use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

/// So much goes out at a time, and a client has so long to take it: 4 KiB a second at least.
const PIECE: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(16);
/// How often it is looked whether there is room. The system says so only when much of its buffer is free, for
/// which a slow client may need longer than it has.
const LOOK: Duration = Duration::from_secs(1);

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

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// # Errors
    /// The other end is gone or slow, or the file has become shorter than was promised.
    pub fn write_to(self, stream: &mut TcpStream) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => bytes.chunks(PIECE).try_for_each(|piece| send(stream, piece)),
            Self::File { mut file, length } => {
                // Not `io::copy`: on a socket it is `sendfile`, which outlives the time limit.
                let mut piece = vec![0; length.min(PIECE as u64) as usize];
                let mut left = length;
                while left > 0 {
                    let part = &mut piece[..left.min(PIECE as u64) as usize];
                    file.read_exact(part)?;
                    send(stream, part)?;
                    left -= part.len() as u64;
                }
                Ok(())
            }
        }
    }
}

/// Sends all of a piece in time. Not `write_all` under a time limit: each byte that the system finds room for
/// would begin the time anew.
///
/// # Errors
/// The other end is gone, or has not taken it in [`PATIENCE`].
pub fn send(stream: &mut TcpStream, mut piece: &[u8]) -> io::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !piece.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(TimedOut.into());
        }
        stream.set_write_timeout(Some(left.min(LOOK)))?;
        match stream.write(piece) {
            Ok(count) => piece = &piece[count..],
            Err(error) if matches!(error.kind(), Interrupted | TimedOut | WouldBlock) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
