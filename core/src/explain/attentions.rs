//! Which tokens look at which, as transformers' `output_attentions` gives it.

use burn::tensor::Tensor;

use crate::{
    Result,
    model::{Classifier, Pass, floats},
    text::Encoding,
};

/// The attention probabilities of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Attentions {
    pub layers: usize,
    pub heads: usize,
    pub tokens: usize,
    /// `[layers, heads, tokens, tokens]`: how much a token takes from each token; a row sums to 1.
    pub values: Vec<f32>,
}

impl Classifier {
    /// Computes the model's queries and keys once more for a text, outside the kernels, which never hold
    /// these probabilities as a whole.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a text that is too long; [`Error::Device`] if the device fails.
    pub async fn attentions(&self, encoding: &Encoding) -> Result<Attentions> {
        let row = std::slice::from_ref(encoding);
        self.setup.check(row)?;
        let tokens = encoding.ids.len();
        let (kernels, device) = (self.setup.kernels, &self.setup.device);
        let batch = self.setup.collate(row, &[0], tokens).to_device(kernels, device);
        let layers = self.model.attentions(&batch, Pass::inference(kernels));
        let heads = layers.first().map_or(0, |layer| layer.dims()[0]);
        let count = layers.len();
        let values = floats(Tensor::cat(layers, 0)).await?;
        Ok(Attentions { layers: count, heads, tokens, values })
    }
}
