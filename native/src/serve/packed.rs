//! Files that are sent packed: packed once, and kept.

use std::io::{Read, Write};

use anyhow::Result;
use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};

/// A file in both forms.
pub struct Packed {
    pub plain: Bytes,
    pub gzip: Bytes,
    /// Names the contents.
    pub hash: String,
}

impl Packed {
    pub fn pack(plain: Vec<u8>) -> Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(&plain)?;
        Ok(Self::new(plain.into(), encoder.finish()?.into()))
    }

    pub fn unpack(gzip: &'static [u8]) -> Result<Self> {
        let mut plain = Vec::new();
        GzDecoder::new(gzip).read_to_end(&mut plain)?;
        Ok(Self::new(plain.into(), Bytes::from_static(gzip)))
    }

    fn new(plain: Bytes, gzip: Bytes) -> Self {
        let hash =
            Sha256::digest(&plain).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { plain, gzip, hash }
    }
}
