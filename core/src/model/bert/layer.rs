//! BERT's embeddings and layers.

use burn::{
    module::Module,
    nn::{Embedding, Linear},
    tensor::{Int, Tensor},
};

use super::{
    super::{Pass, layer_norm::LayerNorm},
    EMBEDDINGS,
};
use crate::{
    kernels::Attention,
    text::{BatchTensors, Layout},
};

#[derive(Module, Debug)]
pub(super) struct BertEmbeddings {
    pub(super) word_embeddings: Embedding,
    pub(super) position_embeddings: Embedding,
    /// DistilBERT has none.
    pub(super) token_type_embeddings: Option<Embedding>,
    pub(super) layer_norm: LayerNorm,
    pub(super) dropout_prob: f64,
}

#[derive(Module, Debug)]
pub(super) struct BertLayer {
    pub(super) attention: BertAttention,
    pub(super) intermediate: Dense,
    pub(super) output: ResidualOutput,
}

#[derive(Module, Debug)]
pub(super) struct BertAttention {
    pub(super) self_attention: BertSelfAttention,
    pub(super) output: ResidualOutput,
}

#[derive(Module, Debug)]
pub(super) struct BertSelfAttention {
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) dropout_prob: f64,
    pub(super) num_heads: usize,
}

/// A linear layer, dropout, and a LayerNorm over the sum with the residual.
#[derive(Module, Debug)]
pub(super) struct ResidualOutput {
    pub(super) dense: Linear,
    pub(super) layer_norm: LayerNorm,
    pub(super) dropout_prob: f64,
}

#[derive(Module, Debug)]
pub(super) struct Dense {
    pub(super) dense: Linear,
}

impl BertEmbeddings {
    pub(super) fn forward(&self, words: Tensor<2>, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let rows =
            |table: &Embedding, ids: &Tensor<1, Int>| table.weight.val().select(0, ids.clone());
        let typed = match &self.token_type_embeddings {
            Some(types) => words + rows(types, &batch.token_type_ids),
            None => words,
        };
        let positions = rows(&self.position_embeddings, &batch.position_ids);
        let embedded = self.layer_norm.forward(typed, positions, None, pass);
        pass.kernels.dropout(embedded, pass.dropout(EMBEDDINGS, self.dropout_prob))
    }
}

impl BertLayer {
    /// `[tokens, hidden]` from as many, or `[rows, hidden]` of the `first` tokens `[rows]` alone.
    /// `site` is the first of its three sites of dropout.
    pub(super) fn forward(
        &self,
        hidden: Tensor<2>,
        layout: &Layout,
        first: Option<Tensor<1, Int>>,
        pass: Pass,
        site: usize,
    ) -> Tensor<2> {
        let attention = &self.attention.self_attention;
        let (context, residual) = match first {
            None => (attention.forward(hidden.clone(), layout, pass, site), hidden),
            Some(first) => {
                let first = hidden.clone().select(0, first);
                (attention.forward_first(first.clone(), hidden, layout, pass, site), first)
            }
        };
        let attended = self.attention.output.forward(context, residual, pass, site + 1);
        let widened = pass.linear(attended.clone(), &self.intermediate.dense);
        self.output.forward(pass.kernels.gelu(widened), attended, pass, site + 2)
    }
}

impl BertSelfAttention {
    fn forward(&self, hidden: Tensor<2>, layout: &Layout, pass: Pass, site: usize) -> Tensor<2> {
        let projected =
            [&self.query, &self.key, &self.value].map(|linear| pass.linear(hidden.clone(), linear));
        let dropout = pass.dropout(site, self.dropout_prob);
        let attention = Attention { heads: self.num_heads, window: None, dropout };
        pass.kernels.attention(projected, layout, attention)
    }

    /// Of the first tokens `[rows, hidden]` to all tokens of their row.
    fn forward_first(
        &self,
        first: Tensor<2>,
        hidden: Tensor<2>,
        layout: &Layout,
        pass: Pass,
        site: usize,
    ) -> Tensor<2> {
        let projected = [
            pass.linear(first, &self.query),
            pass.linear(hidden.clone(), &self.key),
            pass.linear(hidden, &self.value),
        ];
        let dropout = pass.dropout(site, self.dropout_prob);
        pass.kernels.first_attention(projected, layout, self.num_heads, dropout)
    }
}

impl ResidualOutput {
    fn forward(&self, x: Tensor<2>, residual: Tensor<2>, pass: Pass, site: usize) -> Tensor<2> {
        let x = pass.linear(x, &self.dense);
        self.layer_norm.forward(x, residual, pass.dropout(site, self.dropout_prob), pass)
    }
}
