//! Many tensors from a device in one transfer, in Hugging Face's names and layout.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Tensor, Transaction},
};

use super::{BertForSequenceClassification, HostTensor, ParamPath, storage};
use crate::{Error, Result};

/// The values of one tensor, row-major.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub(crate) async fn floats<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await.map_err(|error| Error::Device(error.to_string()))?;
    data.try_into_vec::<f32>().map_err(|error| Error::Device(format!("{error:?}")))
}

/// The value of a tensor of one, `[1]`.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub(crate) async fn scalar(tensor: Tensor<1>) -> Result<f32> {
    Ok(floats(tensor).await?.first().copied().unwrap_or(f32::NAN))
}

/// Tensors waiting to be read.
#[derive(Default)]
pub(crate) struct Readback {
    transaction: Transaction,
    entries: Vec<Entry>,
}

struct Entry {
    key: String,
    shape: Vec<usize>,
    transposed: bool,
}

impl Readback {
    /// Adds a tensor of the layout that the parameter at `path` has.
    pub(crate) fn push<const D: usize>(&mut self, path: &ParamPath, tensor: Tensor<D>) {
        self.push_as(path.key(), path.is_transposed(), tensor);
    }

    /// Adds a tensor under a key of its own, to be transposed where our layout is PyTorch's
    /// transpose.
    pub(crate) fn push_as<const D: usize>(
        &mut self,
        key: String,
        transposed: bool,
        tensor: Tensor<D>,
    ) {
        let shape = tensor.shape().as_slice().to_vec();
        self.entries.push(Entry { key, shape, transposed });
        self.transaction = std::mem::take(&mut self.transaction).register(tensor);
    }

    /// # Errors
    /// [`Error::Device`] when the device fails.
    pub(crate) async fn read(self) -> Result<Vec<HostTensor>> {
        let failed = |error: String| Error::Device(error);
        let data = self.transaction.execute_async().await.map_err(|e| failed(e.to_string()))?;
        let tensors = self.entries.into_iter().zip(data).map(|(entry, data)| {
            let Entry { key, mut shape, transposed } = entry;
            let mut values = data.try_into_vec::<f32>().map_err(|e| failed(format!("{e:?}")))?;
            if transposed {
                values = storage::transpose(&values, shape[0], shape[1]);
                shape.reverse();
            }
            Ok(HostTensor { key, shape, values })
        });
        tensors.collect()
    }
}

struct Weights<'a> {
    path: ParamPath,
    wanted: &'a dyn Fn(&str) -> bool,
    readback: Readback,
}

impl ModuleVisitor for Weights<'_> {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        self.path.enter(name, container_type);
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if (self.wanted)(&self.path.key()) {
            self.readback.push(&self.path, param.val());
        }
    }
}

/// All parameters of a model.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub(crate) async fn weights(model: &BertForSequenceClassification) -> Result<Vec<HostTensor>> {
    some_weights(model, &|_| true).await
}

/// The parameters whose keys are `wanted`.
///
/// # Errors
/// [`Error::Device`] when the device fails.
pub(crate) async fn some_weights(
    model: &BertForSequenceClassification,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<HostTensor>> {
    let path = ParamPath::new(model);
    let mut visitor = Weights { path, wanted, readback: Readback::default() };
    model.visit(&mut visitor);
    visitor.readback.read().await
}
