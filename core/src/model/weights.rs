//! `model.safetensors`, read one tensor at a time, so that a file and its weights never stand in
//! memory together.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use half::{bf16, f16, slice::HalfFloatSliceExt};
use safetensors::{
    Dtype, SafeTensorError,
    tensor::{Metadata, TensorInfo},
};

use crate::{Error, Result};

/// Where weights are read from.
#[derive(Debug)]
pub enum Source {
    /// The bytes of a file.
    Bytes(Vec<u8>),
    /// A file that the caller opened.
    File(File),
}

impl Source {
    pub(crate) fn len(&self) -> io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(file) => Ok(file.metadata()?.len()),
        }
    }

    /// Fills `out` with what stands from `start` on.
    pub(crate) fn read_at(&self, start: u64, out: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Bytes(bytes) => {
                let rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..));
                rest.unwrap_or_default().read_exact(out)
            }
            Self::File(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(out)
            }
        }
    }
}

/// A file's tensors; their values are read when asked for.
pub(crate) struct Weights<'a> {
    name: String,
    source: &'a Source,
    /// Where the tensors' bytes begin.
    data: u64,
    tensors: BTreeMap<String, TensorInfo>,
}

/// Bytes before the header, which say how long it is.
const LENGTH: u64 = size_of::<u64>() as u64;

/// The longest header that the format allows, in bytes.
const LONGEST_HEADER: u64 = 100_000_000;

impl<'a> Weights<'a> {
    /// Reads and checks the header. Tensors are known by what `rename` makes of their keys; those
    /// for which it has no name are left out.
    ///
    /// # Errors
    /// [`Error::BadSafetensors`] where it is none, or the file is not as long as it says.
    pub(crate) fn open(
        name: &str,
        source: &'a Source,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let bad = |reason: String| Error::BadSafetensors { name: name.into(), reason };
        let (data, metadata) = header(source).map_err(|error| bad(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (key, info) in metadata.tensors() {
            let Some(key) = rename(&key) else { continue };
            if tensors.insert(key.clone(), info.clone()).is_some() {
                return Err(bad(format!("\"{key}\" stands there under two names")));
            }
        }
        Ok(Self { name: name.into(), source, data, tensors })
    }

    /// What the file is called in messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Keys and shapes.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (&String, &[usize])> {
        self.tensors.iter().map(|(key, info)| (key, info.shape.as_slice()))
    }

    pub(crate) fn shape(&self, key: &str) -> Option<&[usize]> {
        self.tensors.get(key).map(|info| info.shape.as_slice())
    }

    /// The finite f32 values of a tensor, row-major; none where there is no such tensor.
    ///
    /// # Errors
    /// [`Error::TensorDtype`], [`Error::TensorNotFinite`], or [`Error::BadSafetensors`] where the
    /// file cannot be read any more.
    pub(super) fn values(&self, key: &str) -> Result<Vec<f32>> {
        let Some(info) = self.tensors.get(key) else { return Ok(Vec::new()) };
        let (name, key) = (self.name.clone(), key.to_string());
        let unreadable = |error: io::Error| Error::BadSafetensors {
            name: name.clone(),
            reason: error.to_string(),
        };
        let values = match info.dtype {
            Dtype::F32 => self.read(info).map(from_le),
            Dtype::F16 => self.read(info).map(|bits| halves(bits, f16::from_bits)),
            Dtype::BF16 => self.read(info).map(|bits| halves(bits, bf16::from_bits)),
            _ => return Err(Error::TensorDtype { name, key, dtype: format!("{:?}", info.dtype) }),
        };
        let values = values.map_err(unreadable)?;
        // Without an early exit, so that it is done many values at a time.
        if values.iter().fold(false, |found, value| found | !value.is_finite()) {
            return Err(Error::TensorNotFinite { name, key });
        }
        Ok(values)
    }

    /// The words of a tensor as they stand in the file.
    fn read<T: bytemuck::Pod>(&self, info: &TensorInfo) -> io::Result<Vec<T>> {
        let (start, end) = info.data_offsets;
        let mut words = vec![T::zeroed(); (end - start) / size_of::<T>()];
        self.source.read_at(self.data + start as u64, bytemuck::cast_slice_mut(&mut words))?;
        Ok(words)
    }
}

/// Where the data begins, and the header, checked as the `safetensors` crate does, which would have
/// the whole file in memory.
fn header(source: &Source) -> Result<(u64, Metadata), SafeTensorError> {
    let len = source.len()?;
    let mut bytes = [0; LENGTH as usize];
    if len < LENGTH {
        return Err(SafeTensorError::HeaderTooSmall);
    }
    source.read_at(0, &mut bytes)?;
    let length = u64::from_le_bytes(bytes);
    if length > LONGEST_HEADER {
        return Err(SafeTensorError::HeaderTooLarge);
    }
    if length > len - LENGTH {
        return Err(SafeTensorError::InvalidHeaderLength);
    }
    let mut header = vec![0; length as usize];
    source.read_at(LENGTH, &mut header)?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
    let data = LENGTH + length;
    if len - data != metadata.data_len() as u64 {
        return Err(SafeTensorError::MetadataIncompleteBuffer);
    }
    Ok((data, metadata))
}

/// f32 values of words that were read as they stand in a file, which is little-endian.
fn from_le(mut words: Vec<f32>) -> Vec<f32> {
    for word in &mut words {
        *word = f32::from_bits(u32::from_le(word.to_bits()));
    }
    words
}

fn halves<T>(bits: Vec<u16>, from_bits: fn(u16) -> T) -> Vec<f32>
where
    [T]: HalfFloatSliceExt,
{
    let values: Vec<T> = bits.into_iter().map(|bits| from_bits(u16::from_le(bits))).collect();
    values.to_f32_vec()
}
