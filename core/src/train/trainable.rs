//! Which of a model's weights a training changes.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::Tensor,
};

use super::Trainer;

impl Trainer {
    /// The number of weights that steps change; the others are frozen.
    pub fn num_trainable(&self) -> usize {
        let mut count = Count(0);
        self.model().visit(&mut count);
        count.0
    }
}

struct Count(usize);

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0 += param.shape().num_elements();
        }
    }
}
