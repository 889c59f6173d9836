//! Weights in the order of their elements.

use burn::{
    module::{Module, ModuleMapper, Param},
    tensor::Tensor,
};

use super::BertForSequenceClassification;

/// The same model, of which no weight is seen transposed: one that is trained, as training goes on
/// to the same bits only where the weights that it never changes lie the same way, too.
pub(crate) fn contiguous(model: BertForSequenceClassification) -> BertForSequenceClassification {
    model.map(&mut Contiguous)
}

struct Contiguous;

impl ModuleMapper for Contiguous {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let shape = tensor.shape();
            tensor.reshape([shape.num_elements()]).reshape(shape)
        })
    }
}
