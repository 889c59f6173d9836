//! `model.safetensors` into a module, whatever names and types it was saved with.

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::{Tensor, TensorData},
};

use super::{BertForSequenceClassification, ParamPath, storage, weights::Weights};
use crate::{Error, Result};

/// What loading found, by Hugging Face key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Parameters that the file does not have and that start anew.
    pub initialized: Vec<String>,
    /// Tensors of the file that this model does not use (a masked-language-model head, say).
    pub ignored: Vec<String>,
}

impl Weights<'_> {
    /// Replaces the parameters of a module by those of the file. A missing pooler or head keeps
    /// its new values, as in transformers, and so does one named in `fresh`.
    ///
    /// # Errors
    /// The `Tensor…` variants of [`Error`], naming file and key.
    pub(crate) fn load(
        &self,
        model: BertForSequenceClassification,
        fresh: &[String],
    ) -> Result<(BertForSequenceClassification, LoadReport)> {
        let mut loader = Loader {
            weights: self,
            fresh,
            path: ParamPath::new(&model),
            used: Vec::new(),
            report: LoadReport::default(),
            error: None,
        };
        let model = model.map(&mut loader);
        let Loader { used, mut report, error, .. } = loader;
        if let Some(error) = error {
            return Err(error);
        }
        let unused = self.tensors().map(|(key, _)| key).filter(|key| !used.contains(key));
        report.ignored = unused.cloned().collect();
        Ok((model, report))
    }

    /// The values of the tensor `key` in our layout, where it is one of the parameter at `path`,
    /// of `shape` in our layout.
    ///
    /// # Errors
    /// The `Tensor…` variants of [`Error`], naming file and key.
    pub(crate) fn values_like(
        &self,
        path: &ParamPath,
        key: &str,
        shape: &[usize],
    ) -> Result<Vec<f32>> {
        let (name, key) = (self.name_of(key).to_owned(), key.to_owned());
        let Some(found) = self.shape(&key) else { return Err(Error::TensorMissing { name, key }) };
        let transposed = path.is_transposed();
        let mut expected = shape.to_vec();
        if transposed {
            expected.reverse();
        }
        if found != expected {
            let found = found.to_vec();
            return Err(Error::TensorShape { name, key, found, expected });
        }
        let values = self.values(&key)?;
        Ok(if transposed { storage::transpose(&values, expected[0], expected[1]) } else { values })
    }
}

struct Loader<'a> {
    weights: &'a Weights<'a>,
    fresh: &'a [String],
    path: ParamPath,
    used: Vec<String>,
    report: LoadReport,
    error: Option<Error>,
}

impl Loader<'_> {
    /// The values of a parameter in our layout, or `None` where it starts anew.
    fn read(&mut self, key: &str, shape: &[usize]) -> Result<Option<Vec<f32>>> {
        let name = self.weights.name_of(key);
        let is_fresh = self.fresh.iter().any(|fresh| fresh == key);
        if self.weights.shape(key).is_none() || is_fresh {
            if !self.path.is_of_head() {
                return Err(Error::TensorMissing { name: name.into(), key: key.into() });
            }
            self.report.initialized.push(key.into());
            return Ok(None);
        }
        let values = self.weights.values_like(&self.path, key, shape)?;
        self.used.push(key.into());
        Ok(Some(values))
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
