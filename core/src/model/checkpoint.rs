//! `model.safetensors` into a module, whatever names and types it was saved with.

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Tensor, TensorData},
};
use safetensors::{SafeTensors, tensor::TensorView};

use super::{BertForSequenceClassification, ParamPath, names, storage};
use crate::{Error, Result};

/// What loading found, by Hugging Face key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Parameters that the file does not have and that start anew.
    pub initialized: Vec<String>,
    /// Tensors of the file that this model does not use (a masked-language-model head, say).
    pub ignored: Vec<String>,
}

/// An opened safetensors file with keys under their current names.
pub(crate) struct Checkpoint<'a> {
    name: String,
    tensors: BTreeMap<String, TensorView<'a>>,
}

impl<'a> Checkpoint<'a> {
    /// # Errors
    /// [`Error::BadSafetensors`] when the bytes are not a whole safetensors file.
    pub(crate) fn open(name: &str, bytes: &'a [u8]) -> Result<Self> {
        let bad = |reason: String| Error::BadSafetensors { name: name.into(), reason };
        let file = SafeTensors::deserialize(bytes).map_err(|error| bad(error.to_string()))?;
        let mut tensors = BTreeMap::new();
        for (key, view) in file.tensors() {
            let Some(key) = names::current(&key).map(names::with_prefix) else { continue };
            if tensors.insert(key.clone(), view).is_some() {
                return Err(bad(format!("\"{key}\" stands there under two names")));
            }
        }
        Ok(Self { name: name.into(), tensors })
    }

    pub(crate) fn shape(&self, key: &str) -> Option<&[usize]> {
        self.tensors.get(key).map(|view| view.shape())
    }

    /// The finite f32 values of a tensor.
    fn values(&self, key: &str, view: &TensorView) -> Result<Vec<f32>> {
        let values = storage::decode(view).ok_or_else(|| Error::TensorDtype {
            name: self.name.clone(),
            key: key.into(),
            dtype: format!("{:?}", view.dtype()),
        })?;
        // Without an early exit, so that it is done many values at a time.
        if values.iter().fold(false, |found, value| found | !value.is_finite()) {
            return Err(Error::TensorNotFinite { name: self.name.clone(), key: key.into() });
        }
        Ok(values)
    }

    /// Replaces the parameters of a module by those of the file. A missing pooler or head keeps
    /// its new values, as in transformers, and so does one named in `fresh`.
    ///
    /// # Errors
    /// The `Tensor…` variants of [`Error`], naming file and key.
    pub(crate) fn load(
        &self,
        model: BertForSequenceClassification,
        fresh: &[&str],
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let mut loader = Loader {
            checkpoint: self,
            fresh,
            path: ParamPath::default(),
            used: Vec::new(),
            report: LoadReport::default(),
            error: None,
        };
        let model = model.map(&mut loader);
        let Loader { used, mut report, error, .. } = loader;
        if let Some(error) = error {
            return Err(error);
        }
        let unused = self.tensors.keys().filter(|key| !used.contains(key));
        report.ignored = unused.cloned().collect();
        Ok((model, report))
    }
}

struct Loader<'a> {
    checkpoint: &'a Checkpoint<'a>,
    fresh: &'a [&'a str],
    path: ParamPath,
    used: Vec<String>,
    report: LoadReport,
    error: Option<Error>,
}

impl Loader<'_> {
    /// The values of a parameter in our layout, or `None` where it starts anew.
    fn read(&mut self, key: &str, shape: &[usize]) -> Result<Option<Vec<f32>>> {
        let name = &self.checkpoint.name;
        let found = self.checkpoint.tensors.get(key);
        let Some(view) = found.filter(|_| !self.fresh.contains(&key)) else {
            let optional = key.starts_with("bert.pooler.") || key.starts_with("classifier.");
            if !optional {
                return Err(Error::TensorMissing { name: name.clone(), key: key.into() });
            }
            self.report.initialized.push(key.into());
            return Ok(None);
        };
        let mut expected = shape.to_vec();
        if self.path.is_transposed() {
            expected.reverse();
        }
        if view.shape() != expected {
            let found = view.shape().to_vec();
            return Err(Error::TensorShape {
                name: name.clone(),
                key: key.into(),
                found,
                expected,
            });
        }
        let values = self.checkpoint.values(key, view)?;
        self.used.push(key.into());
        let transposed = self.path.is_transposed();
        Ok(Some(if transposed {
            storage::transpose(&values, expected[0], expected[1])
        } else {
            values
        }))
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.error.is_some() {
            return param;
        }
        let shape = param.lazy_shape();
        match self.read(&self.path.key(), shape.as_slice()) {
            Ok(Some(values)) => {
                let device = param.lazy_device();
                let tensor = Tensor::from_data(TensorData::new(values, shape), &device);
                let id = param.id;
                param.transform_for_load(tensor, id)
            }
            Ok(None) => param,
            Err(error) => {
                self.error = Some(error);
                param
            }
        }
    }
}
