//! BERT (Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>) with a sequence-classification
//! head, as transformers' `BertForSequenceClassification` computes it.
//!
//! Fields carry the names of the Hugging Face checkpoint, so that a parameter's path is its key
//! there but for the few words in [`super::names`].

mod layers;

use burn::{
    module::{Module, Param},
    nn::{Embedding, Linear},
    tensor::{Device, Int, Tensor},
};

use self::layers::Layers;
use super::{BertConfig, Pass};
use crate::{
    kernels::Dropout,
    text::{BatchTensors, Layout},
};

/// An encoder, its pooler and a linear head; or, without a pooler, transformers'
/// `BertForTokenClassification`, whose head reads the first token of each word.
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    bert: BertModel,
    dropout_prob: f64,
    classifier: Linear,
}

#[derive(Module, Debug)]
struct BertModel {
    embeddings: BertEmbeddings,
    encoder: BertEncoder,
    pooler: Option<BertPooler>,
}

#[derive(Module, Debug)]
struct BertEmbeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
    dropout_prob: f64,
}

/// Burn's own keeps its epsilon to itself.
#[derive(Module, Debug)]
struct LayerNorm {
    gamma: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    epsilon: f64,
}

#[derive(Module, Debug)]
struct BertEncoder {
    layer: Vec<BertLayer>,
}

#[derive(Module, Debug)]
struct BertLayer {
    attention: BertAttention,
    intermediate: Dense,
    output: ResidualOutput,
}

#[derive(Module, Debug)]
struct BertAttention {
    self_attention: BertSelfAttention,
    output: ResidualOutput,
}

#[derive(Module, Debug)]
struct BertSelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    dropout_prob: f64,
    num_heads: usize,
}

/// A linear layer, dropout, and a LayerNorm over the sum with the residual.
#[derive(Module, Debug)]
struct ResidualOutput {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout_prob: f64,
}

#[derive(Module, Debug)]
struct Dense {
    dense: Linear,
}

type BertPooler = Dense;

impl BertForSequenceClassification {
    /// A model with new weights, as transformers initialises them: normal with
    /// `initializer_range`, biases 0, LayerNorm 1 and 0. Parameters are made when first used, so
    /// those that a checkpoint replaces cost nothing.
    pub fn new(config: &BertConfig, num_labels: usize, device: &Device) -> Self {
        let new = Layers { config, device };
        Self {
            bert: BertModel {
                embeddings: BertEmbeddings {
                    word_embeddings: new.embedding(config.vocab_size),
                    position_embeddings: new.embedding(config.max_position_embeddings),
                    token_type_embeddings: new.embedding(config.type_vocab_size),
                    layer_norm: new.layer_norm(),
                    dropout_prob: config.hidden_dropout_prob,
                },
                encoder: BertEncoder {
                    layer: (0..config.num_hidden_layers).map(|_| new.layer()).collect(),
                },
                pooler: Some(Dense { dense: new.linear(config.hidden_size, config.hidden_size) }),
            },
            dropout_prob: config.classifier_dropout(),
            classifier: new.linear(config.hidden_size, num_labels),
        }
    }

    /// The same for tags of words, which need no pooler.
    pub(crate) fn for_words(mut self) -> Self {
        self.bert.pooler = None;
        self
    }

    /// The same, of which the last `layers` of the encoder, the pooler and the classifier take
    /// gradients; everything where no number is given.
    pub(crate) fn with_trainable(self, layers: Option<usize>) -> Self {
        let mut model = self.set_require_grad(true);
        let Some(layers) = layers else { return model };
        let BertModel { embeddings, encoder, pooler } = model.bert;
        let frozen = encoder.layer.len().saturating_sub(layers);
        let layer = encoder.layer.into_iter().enumerate();
        let layer = layer.map(|(index, it)| if index < frozen { it.no_grad() } else { it });
        let encoder = BertEncoder { layer: layer.collect() };
        model.bert = BertModel { embeddings: embeddings.no_grad(), encoder, pooler };
        model
    }

    /// Logits `[rows, num_labels]` of a batch; of words `[words, num_labels]`.
    pub(crate) fn forward(&self, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let words = self.word_embeddings().val().select(0, batch.input_ids.clone());
        self.forward_embedded(words, batch, pass)
    }

    /// The same from the batch's word embeddings `[tokens, hidden]`.
    pub(crate) fn forward_embedded(
        &self,
        words: Tensor<2>,
        batch: &BatchTensors,
        pass: Pass,
    ) -> Tensor<2> {
        let pooled = self.bert.pool(self.bert.forward(words, batch, pass), pass);
        let dropout = pass.dropout(HEAD, self.dropout_prob);
        pass.kernels.linear(pass.kernels.dropout(pooled, dropout), &self.classifier)
    }

    /// `[vocab, hidden]`
    pub(crate) fn word_embeddings(&self) -> &Param<Tensor<2>> {
        &self.bert.embeddings.word_embeddings.weight
    }
}

/// Sites of dropout outside the layers (see [`Pass::dropout`]); layer `n` has `3n + 2` to `3n + 4`.
const HEAD: usize = 0;
const EMBEDDINGS: usize = 1;

impl BertModel {
    /// Hidden states `[rows, hidden]` of the first token of each row in the last layer. That layer
    /// computes no others where it can: a sixth of MiniLM's work, and nothing reads them. Without a
    /// pooler those of the first token of each word, `[words, hidden]`.
    fn forward(&self, words: Tensor<2>, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let embedded = self.embeddings.forward(words, batch, pass);
        let first_only = self.pooler.is_some() && pass.kernels.attends_first(&embedded.device());
        let last = self.encoder.layer.len() - 1;
        let layers = self.encoder.layer.iter().enumerate();
        let hidden = layers.fold(embedded, |hidden, (index, layer)| {
            let first = (first_only && index == last).then(|| batch.first_tokens.clone());
            layer.forward(hidden, &batch.layout, first, pass, 3 * index + 2)
        });
        match &self.pooler {
            Some(_) if first_only => hidden,
            Some(_) => hidden.select(0, batch.first_tokens.clone()),
            None => hidden.select(0, batch.words.clone()),
        }
    }

    /// `tanh` of a linear layer: `[rows, hidden]` of first tokens. Words are left as they are.
    fn pool(&self, states: Tensor<2>, pass: Pass) -> Tensor<2> {
        match &self.pooler {
            Some(pooler) => pass.kernels.linear(states, &pooler.dense).tanh(),
            None => states,
        }
    }
}

impl BertEmbeddings {
    fn forward(&self, words: Tensor<2>, batch: &BatchTensors, pass: Pass) -> Tensor<2> {
        let rows =
            |table: &Embedding, ids: &Tensor<1, Int>| table.weight.val().select(0, ids.clone());
        let types = rows(&self.token_type_embeddings, &batch.token_type_ids);
        let positions = rows(&self.position_embeddings, &batch.position_ids);
        let embedded = self.layer_norm.forward(words + types, positions, None, pass);
        pass.kernels.dropout(embedded, pass.dropout(EMBEDDINGS, self.dropout_prob))
    }
}

impl LayerNorm {
    /// Of `dropout(x) + residual`, all `[tokens, hidden]`.
    fn forward(
        &self,
        x: Tensor<2>,
        residual: Tensor<2>,
        dropout: Option<Dropout>,
        pass: Pass,
    ) -> Tensor<2> {
        let weights = [self.gamma.val(), self.beta.val()];
        pass.kernels.add_layer_norm(x, residual, weights, self.epsilon, dropout)
    }
}

impl BertLayer {
    /// `[tokens, hidden]` from as many, or `[rows, hidden]` of the `first` tokens `[rows]` alone.
    /// `site` is the first of its three sites of dropout.
    fn forward(
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
        let widened = pass.kernels.linear(attended.clone(), &self.intermediate.dense);
        self.output.forward(pass.kernels.gelu(widened), attended, pass, site + 2)
    }
}

impl BertSelfAttention {
    fn forward(&self, hidden: Tensor<2>, layout: &Layout, pass: Pass, site: usize) -> Tensor<2> {
        let projected = [&self.query, &self.key, &self.value]
            .map(|linear| pass.kernels.linear(hidden.clone(), linear));
        let dropout = pass.dropout(site, self.dropout_prob);
        pass.kernels.attention(projected, layout, self.num_heads, dropout)
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
            pass.kernels.linear(first, &self.query),
            pass.kernels.linear(hidden.clone(), &self.key),
            pass.kernels.linear(hidden, &self.value),
        ];
        let dropout = pass.dropout(site, self.dropout_prob);
        pass.kernels.first_attention(projected, layout, self.num_heads, dropout)
    }
}

impl ResidualOutput {
    fn forward(&self, x: Tensor<2>, residual: Tensor<2>, pass: Pass, site: usize) -> Tensor<2> {
        let x = pass.kernels.linear(x, &self.dense);
        self.layer_norm.forward(x, residual, pass.dropout(site, self.dropout_prob), pass)
    }
}
