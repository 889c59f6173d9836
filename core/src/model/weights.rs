//! `model.safetensors`, or the files it is spread over, read one tensor at a time, so that a file and
//! its weights never stand in memory together.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use half::{bf16, f16, slice::HalfFloatSliceExt};
use safetensors::{
    Dtype, SafeTensorError,
    tensor::{Metadata, TensorInfo},
};

use super::{
    header,
    lora::{Adapters, Scaling, add_product},
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
    /// Its size in bytes.
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

/// The tensors of all files; their values are read when asked for.
pub(crate) struct Weights<'a> {
    /// The file, or the index of the files.
    name: String,
    files: Vec<OpenFile<'a>>,
    /// With the number of its file.
    tensors: BTreeMap<String, (usize, TensorInfo)>,
    adapters: Adapters,
}

struct OpenFile<'a> {
    name: &'a str,
    source: &'a Source,
    /// Where the tensors' bytes begin.
    data: u64,
    /// What the header says beside the tensors.
    notes: HashMap<String, String>,
}

/// Bytes before the header, which say how long it is.
const LENGTH: u64 = size_of::<u64>() as u64;

/// In bytes: a tenth of what the format allows, as a header takes ten times its size in memory. That
/// of a BERT of 24 layers has 40,000.
const LONGEST_HEADER: u64 = 10_000_000;

impl<'a> Weights<'a> {
    /// Reads and checks the headers. Tensors are known by what `rename` makes of their keys; those
    /// for which it has no name are left out.
    ///
    /// # Errors
    /// [`Error::BadSafetensors`] where a file is none, or is not as long as it says.
    pub(crate) fn open(
        name: &str,
        sources: &'a [(String, Source)],
        rename: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut weights = Self {
            name: name.into(),
            files: Vec::new(),
            tensors: BTreeMap::new(),
            adapters: Adapters::default(),
        };
        for (name, source) in sources {
            weights.add(name, source, &rename, false)?;
        }
        Ok(weights)
    }

    /// Reads the header of one more file, whose tensors take the place of others where they may.
    fn add(
        &mut self,
        name: &'a str,
        source: &'a Source,
        rename: &impl Fn(&str) -> Option<String>,
        replace: bool,
    ) -> Result<()> {
        let bad = |reason: String| Error::BadSafetensors { name: name.into(), reason };
        let (data, metadata) = header(source).map_err(|error| bad(error.to_string()))?;
        let notes = metadata.metadata().clone().unwrap_or_default();
        let index = self.files.len();
        self.files.push(OpenFile { name, source, data, notes });
        for (key, info) in metadata.tensors() {
            let Some(key) = rename(&key) else { continue };
            let known = self.tensors.insert(key.clone(), (index, info.clone()));
            if known.is_some_and(|(file, _)| !replace || file == index) {
                return Err(bad(format!("\"{key}\" stands there under two names")));
            }
        }
        Ok(())
    }

    /// The same weights with adapters, from a file of their own or from among these tensors, whose
    /// products are scaled: weights are from then on what the adapters make of them.
    ///
    /// # Errors
    /// [`Error::BadSafetensors`] for a file that is none, or not of adapters of these weights.
    pub(super) fn with_adapters(
        mut self,
        scaling: Scaling,
        file: Option<&'a (String, Source)>,
        rename: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        if let Some((name, source)) = file {
            self.add(name, source, &|key: &str| rename(Adapters::bare(key)), true)?;
        }
        let name = file.map_or(&self.name, |(name, _)| name);
        self.adapters = Adapters::take(name, scaling, &mut self.tensors)?;
        Ok(self)
    }

    /// What the file is called in messages that has this tensor; where none has it, all of them.
    pub(crate) fn name_of(&self, key: &str) -> &str {
        match self.tensors.get(key) {
            Some(&(file, _)) => self.files[file].name,
            None => &self.name,
        }
    }

    /// Keys and shapes.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (&String, &[usize])> {
        self.tensors.iter().map(|(key, (_, info))| (key, info.shape.as_slice()))
    }

    /// What the header says under `name` beside the tensors.
    pub(crate) fn note(&self, name: &str) -> Option<&str> {
        self.files.iter().find_map(|file| file.notes.get(name)).map(String::as_str)
    }

    pub(crate) fn shape(&self, key: &str) -> Option<&[usize]> {
        self.tensors.get(key).map(|(_, info)| info.shape.as_slice())
    }

    /// The finite f32 values of a tensor, row-major; none where there is no such tensor.
    ///
    /// # Errors
    /// [`Error::TensorDtype`], [`Error::TensorNotFinite`], or [`Error::BadSafetensors`] where the
    /// file cannot be read any more.
    pub(crate) fn values(&self, key: &str) -> Result<Vec<f32>> {
        let Some(place) = self.tensors.get(key) else { return Ok(Vec::new()) };
        let mut values = self.values_at(key, place)?;
        let Some([a, b]) = self.adapters.of(key) else { return Ok(values) };
        let wrong = |expected: Vec<usize>, (file, info): &(usize, TensorInfo)| Error::TensorShape {
            name: self.files[*file].name.into(),
            key: format!("adapter of {key}"),
            found: info.shape.clone(),
            expected,
        };
        let &[outputs, inputs] = place.1.shape.as_slice() else {
            return Err(wrong(place.1.shape.clone(), a));
        };
        let r = self.adapters.scaling.r;
        if let Some(&found) = a.1.shape.first().filter(|&&found| found != r) {
            let name = self.files[a.0].name.into();
            let reason = format!(
                "the adapter of \"{key}\" has {found} rows, but adapter_config.json says r = {r}"
            );
            return Err(Error::BadSafetensors { name, reason });
        }
        for (place, expected) in [(a, vec![r, inputs]), (b, vec![outputs, r])] {
            if place.1.shape != expected {
                return Err(wrong(expected, place));
            }
        }
        let name = self.files[a.0].name.to_owned();
        let [a, b] = [self.values_at(key, a)?, self.values_at(key, b)?];
        add_product(&mut values, [&a, &b], self.adapters.scaling);
        match all_finite(&values) {
            true => Ok(values),
            false => Err(Error::TensorNotFinite { name, key: format!("{key} with its adapter") }),
        }
    }

    fn values_at(&self, key: &str, (file, info): &(usize, TensorInfo)) -> Result<Vec<f32>> {
        let file = &self.files[*file];
        let (name, key) = (file.name.to_string(), key.to_string());
        let unreadable = |error: io::Error| Error::BadSafetensors {
            name: name.clone(),
            reason: error.to_string(),
        };
        let values = match info.dtype {
            Dtype::F32 => file.read(info).map(from_le),
            Dtype::F16 => file.read(info).map(|bits| halves(bits, f16::from_bits)),
            Dtype::BF16 => file.read(info).map(|bits| halves(bits, bf16::from_bits)),
            _ => return Err(Error::TensorDtype { name, key, dtype: format!("{:?}", info.dtype) }),
        };
        let values = values.map_err(unreadable)?;
        match all_finite(&values) {
            true => Ok(values),
            false => Err(Error::TensorNotFinite { name, key }),
        }
    }
}

impl OpenFile<'_> {
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
    header::check_keys(&header).map_err(SafeTensorError::InvalidHeaderDeserialization)?;
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

/// Without an early exit, so that it is done many values at a time.
fn all_finite(values: &[f32]) -> bool {
    values.iter().fold(true, |finite, value| finite & value.is_finite())
}

fn halves<T>(bits: Vec<u16>, from_bits: fn(u16) -> T) -> Vec<f32>
where
    [T]: HalfFloatSliceExt,
{
    let values: Vec<T> = bits.into_iter().map(|bits| from_bits(u16::from_le(bits))).collect();
    values.to_f32_vec()
}
