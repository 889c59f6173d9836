//! Embeddings and layers.

use burn::{module::Module, nn::Linear, tensor::Tensor};

use super::{
    super::Pass,
    layer::{BertEmbeddings, BertLayer},
};
use crate::text::BatchTensors;

#[derive(Module, Debug)]
pub(super) struct BertModel {
    pub(super) embeddings: BertEmbeddings,
    /// ELECTRA's, from narrower embeddings to the layers.
    pub(super) embeddings_project: Option<Linear>,
    pub(super) encoder: BertEncoder,
}

#[derive(Module, Debug)]
pub(super) struct BertEncoder {
    pub(super) layer: Vec<BertLayer>,
}

impl BertModel {
    /// The same, of which the last `layers` take gradients.
    pub(super) fn with_trainable(self, layers: usize) -> Self {
        let frozen = self.encoder.layer.len().saturating_sub(layers);
        let layer = self.encoder.layer.into_iter().enumerate();
        let layer = layer.map(|(index, it)| if index < frozen { it.no_grad() } else { it });
        Self {
            embeddings: self.embeddings.no_grad(),
            embeddings_project: self.embeddings_project.map(Module::no_grad),
            encoder: BertEncoder { layer: layer.collect() },
        }
    }

    /// Hidden states `[rows, hidden]` of the first token of each row in the last layer. That layer
    /// computes no others where it can: a sixth of MiniLM's work, and nothing reads them. Or those
    /// of the first token of each word, `[words, hidden]`.
    pub(super) fn forward(
        &self,
        words: Tensor<2>,
        batch: &BatchTensors,
        pass: Pass,
        of_words: bool,
    ) -> Tensor<2> {
        let embedded = self.embed(words, batch, pass);
        let first_only = !of_words && pass.kernels.attends_first(&embedded.device());
        let last = self.encoder.layer.len() - 1;
        let layers = self.encoder.layer.iter().enumerate();
        let hidden = layers.fold(embedded, |hidden, (index, layer)| {
            let first = (first_only && index == last).then(|| batch.first_tokens.clone());
            layer.forward(hidden, &batch.layout, first, pass, 3 * index + 2)
        });
        match (first_only, of_words) {
            (true, _) => hidden,
            (_, true) => hidden.select(0, batch.words.clone()),
            _ => hidden.select(0, batch.first_tokens.clone()),
        }
    }

    /// Hidden states of all tokens in the last layer, `[tokens, hidden]`.
    pub(super) fn states(&self, words: Tensor<2>, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let embedded = self.embed(words, batch, pass);
        let layers = self.encoder.layer.iter().enumerate();
        layers.fold(embedded, |hidden, (index, layer)| {
            layer.forward(hidden, &batch.layout, None, pass, 3 * index + 2)
        })
    }

    /// What the first layer sees, `[tokens, hidden]`.
    fn embed(&self, words: Tensor<2>, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let embedded = self.embeddings.forward(words, batch, pass);
        match &self.embeddings_project {
            Some(project) => pass.linear(embedded, project),
            None => embedded,
        }
    }

    pub(super) fn attentions(
        &self,
        words: Tensor<2>,
        batch: &BatchTensors,
        pass: Pass,
    ) -> Vec<Tensor<3>> {
        let mut hidden = self.embed(words, batch, pass);
        let layers = self.encoder.layer.iter().enumerate();
        let seen = layers.map(|(index, layer)| {
            let before = hidden.clone();
            hidden = layer.forward(before.clone(), &batch.layout, None, pass, 3 * index + 2);
            layer.attention.self_attention.probabilities(before, pass)
        });
        seen.collect()
    }
}
