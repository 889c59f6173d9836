//! ModernBERT's encoder (Warner et al. 2024, <https://arxiv.org/abs/2412.13663>), as transformers'
//! `ModernBertModel` computes it: norms before attention and MLP, rotary positions, a gated MLP, no
//! biases, and attention that is local in two layers of three.
//!
//! Fields carry the names of its Hugging Face checkpoint but for the words in [`super::names`].

mod layers;
mod rotary;

use burn::{
    module::Module,
    nn::{Embedding, Linear},
    tensor::Tensor,
};

pub(super) use self::layers::Layers;
use self::rotary::Rotary;
use super::{Pass, config::LayerAttention, layer_norm::LayerNorm};
use crate::{
    kernels::Attention,
    text::{BatchTensors, Layout},
};

#[derive(Module, Debug)]
pub(super) struct ModernBertModel {
    pub(super) embeddings: ModernBertEmbeddings,
    layers: Vec<ModernBertLayer>,
    final_norm: LayerNorm,
    mean_pooling: bool,
}

#[derive(Module, Debug)]
pub(super) struct ModernBertEmbeddings {
    pub(super) tok_embeddings: Embedding,
    norm: LayerNorm,
    dropout_prob: f64,
}

#[derive(Module, Debug)]
struct ModernBertLayer {
    /// The first layer has none: the norm of the embeddings stands before it.
    attn_norm: Option<LayerNorm>,
    attn: ModernBertAttention,
    mlp_norm: LayerNorm,
    mlp: ModernBertMlp,
}

#[derive(Module, Debug)]
struct ModernBertAttention {
    /// Queries, keys and values beside one another: `[hidden, 3 * hidden]`.
    wqkv: Linear,
    wo: Linear,
    dropout_prob: f64,
    num_heads: usize,
    #[module(skip)]
    kind: LayerAttention,
}

#[derive(Module, Debug)]
struct ModernBertMlp {
    /// What is let through, and its gate: `[hidden, 2 * intermediate]`.
    wi: Linear,
    wo: Linear,
    dropout_prob: f64,
}

/// The site of the embeddings' dropout (see [`Pass::dropout`]); layer `n` has `3n + 2` to `3n + 4`.
const EMBEDDINGS: usize = 1;

impl ModernBertModel {
    /// The same, of which the last `layers` and the last norm take gradients.
    pub(super) fn with_trainable(self, layers: usize) -> Self {
        let frozen = self.layers.len().saturating_sub(layers);
        let layer = self.layers.into_iter().enumerate();
        let layer = layer.map(|(index, it)| if index < frozen { it.no_grad() } else { it });
        Self { embeddings: self.embeddings.no_grad(), layers: layer.collect(), ..self }
    }

    /// What the head sees of each row, `[rows, hidden]`: its first token, or the mean of all; or the
    /// first token of each word, `[words, hidden]`.
    pub(super) fn forward(
        &self,
        words: Tensor<2>,
        batch: &BatchTensors,
        pass: Pass,
        of_words: bool,
    ) -> Tensor<2> {
        let normed = self.embeddings.norm.normalize(words, pass);
        let dropout = pass.dropout(EMBEDDINGS, self.embeddings.dropout_prob);
        let embedded = pass.kernels.dropout(normed, dropout);
        let rotaries = self.rotaries(batch, &embedded);
        let layers = self.layers.iter().enumerate();
        let hidden = layers.fold(embedded, |hidden, (index, layer)| {
            layer.forward(hidden, &batch.layout, &rotaries, pass, 3 * index + 2)
        });
        match &batch.means {
            Some(means) if self.mean_pooling && !of_words => {
                means.clone().matmul(self.final_norm.normalize(hidden, pass))
            }
            _ => {
                let seen = if of_words { &batch.words } else { &batch.first_tokens };
                self.final_norm.normalize(hidden.select(0, seen.clone()), pass)
            }
        }
    }

    /// One for each base that there is among the layers.
    fn rotaries(&self, batch: &BatchTensors, hidden: &Tensor<2>) -> Vec<Rotary> {
        let mut rotaries: Vec<Rotary> = Vec::new();
        for attn in self.layers.iter().map(|layer| &layer.attn) {
            let theta = attn.kind.rope_theta;
            if rotaries.iter().all(|rotary| rotary.theta != theta) {
                let head_dim = hidden.dims()[1] / attn.num_heads;
                rotaries.push(Rotary::new(theta, head_dim, batch, &hidden.device()));
            }
        }
        rotaries
    }
}

impl ModernBertLayer {
    /// `[tokens, hidden]`; `site` is the first of its three sites of dropout.
    fn forward(
        &self,
        hidden: Tensor<2>,
        layout: &Layout,
        rotaries: &[Rotary],
        pass: Pass,
        site: usize,
    ) -> Tensor<2> {
        let normed = match &self.attn_norm {
            Some(norm) => norm.normalize(hidden.clone(), pass),
            None => hidden.clone(),
        };
        let hidden = hidden + self.attn.forward(normed, layout, rotaries, pass, site);
        let normed = self.mlp_norm.normalize(hidden.clone(), pass);
        hidden + self.mlp.forward(normed, pass, site + 2)
    }
}

impl ModernBertAttention {
    fn forward(
        &self,
        x: Tensor<2>,
        layout: &Layout,
        rotaries: &[Rotary],
        pass: Pass,
        site: usize,
    ) -> Tensor<2> {
        let hidden = x.dims()[1];
        let projected = pass.linear(x, &self.wqkv);
        let value = projected.clone().narrow(1, 2 * hidden, hidden);
        let turned = projected.narrow(1, 0, 2 * hidden);
        let turned = match rotaries.iter().find(|rotary| rotary.theta == self.kind.rope_theta) {
            Some(rotary) => rotary.turn(turned, 2 * self.num_heads),
            None => turned,
        };
        let (query, key) = (turned.clone().narrow(1, 0, hidden), turned.narrow(1, hidden, hidden));
        let attention = Attention {
            heads: self.num_heads,
            window: self.kind.window,
            dropout: pass.dropout(site, self.dropout_prob),
        };
        let context = pass.kernels.attention([query, key, value], layout, attention);
        let out = pass.linear(context, &self.wo);
        pass.kernels.dropout(out, pass.dropout(site + 1, self.dropout_prob))
    }
}

impl ModernBertMlp {
    /// GeGLU (Shazeer 2020, <https://arxiv.org/abs/2002.05202>).
    fn forward(&self, x: Tensor<2>, pass: Pass, site: usize) -> Tensor<2> {
        let widened = pass.linear(x, &self.wi);
        let half = widened.dims()[1] / 2;
        let (input, gate) = (widened.clone().narrow(1, 0, half), widened.narrow(1, half, half));
        let gated = pass.kernels.gelu(input) * gate;
        let gated = pass.kernels.dropout(gated, pass.dropout(site, self.dropout_prob));
        pass.linear(gated, &self.wo)
    }
}
