//! f32 values to and from the bytes of safetensors tensors.

use std::borrow::Cow;

use half::{bf16, f16};
use safetensors::{Dtype, tensor::TensorView};

use super::{ModelFiles, names};
use crate::{Error, Result};

/// How weights are stored in a file. Computation is in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StorageDtype {
    #[default]
    F32,
    F16,
    Bf16,
}

impl StorageDtype {
    /// The name that `config.json` uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    fn encode(self, values: &[f32]) -> (Dtype, Cow<'_, [u8]>) {
        match self {
            Self::F32 if cfg!(target_endian = "little") => {
                (Dtype::F32, Cow::Borrowed(bytemuck::cast_slice(values)))
            }
            Self::F32 => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Self::F16 => {
                let bytes = values.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes());
                (Dtype::F16, bytes.collect())
            }
            Self::Bf16 => {
                let bytes = values.iter().flat_map(|&v| bf16::from_f32(v).to_le_bytes());
                (Dtype::BF16, bytes.collect())
            }
        }
    }
}

/// A tensor on the host in Hugging Face's name and layout.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    pub key: String,
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// `[rows, columns]` to `[columns, rows]`, a few rows at a time, so that what is read and what is
/// written stay in the cache.
pub(super) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const BLOCK: usize = 16;
    let mut transposed = vec![0.0; rows * columns];
    for first in (0..rows).step_by(BLOCK) {
        let last = (first + BLOCK).min(rows);
        for column in 0..columns {
            let out = &mut transposed[column * rows + first..column * rows + last];
            for (out, row) in out.iter_mut().zip(first..) {
                *out = values[row * columns + column];
            }
        }
    }
    transposed
}

/// The bytes of a file of weights.
///
/// # Errors
/// [`Error::BadSafetensors`] when a shape does not fit its values.
pub(super) fn encode(tensors: &[HostTensor], dtype: StorageDtype) -> Result<Vec<u8>> {
    encode_with(tensors, dtype, ("format", "pt".into()))
}

/// The bytes of a safetensors file whose header says one thing beside the tensors: of several, the
/// order would be another each time.
///
/// # Errors
/// [`Error::BadSafetensors`] when a shape does not fit its values.
pub(crate) fn encode_with(
    tensors: &[HostTensor],
    dtype: StorageDtype,
    (name, value): (&str, String),
) -> Result<Vec<u8>> {
    let bad = |error: safetensors::SafeTensorError| Error::BadSafetensors {
        name: "model.safetensors".into(),
        reason: error.to_string(),
    };
    let encoded: Vec<_> = tensors.iter().map(|tensor| dtype.encode(&tensor.values)).collect();
    let views = tensors.iter().zip(&encoded).map(|(tensor, (dtype, bytes))| {
        let view = TensorView::new(*dtype, tensor.shape.clone(), bytes).map_err(bad)?;
        Ok((tensor.key.as_str(), view))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let metadata = [(name.to_owned(), value)].into();
    safetensors::serialize(views, Some(metadata)).map_err(bad)
}

/// Rewrites a checkpoint as one file with current names (no `gamma`, `beta` or `position_ids`) in
/// another storage type, every other tensor kept.
///
/// # Errors
/// [`Error::BadSafetensors`], [`Error::TensorDtype`] or [`Error::TensorNotFinite`].
pub fn convert(files: &ModelFiles, dtype: StorageDtype) -> Result<Vec<u8>> {
    let weights = files.weights(names::current)?;
    let tensor = |(key, shape): (&String, &[usize])| {
        let values = weights.values(key)?;
        Ok(HostTensor { key: key.clone(), shape: shape.to_vec(), values })
    };
    let tensors = weights.tensors().map(tensor).collect::<Result<Vec<_>>>()?;
    encode(&tensors, dtype)
}
