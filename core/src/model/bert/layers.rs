//! Layers with new weights.

use burn::{
    nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig},
    tensor::Device,
};

use super::{
    super::{BertConfig, Family, layer_norm::LayerNorm},
    BertEncoder, BertModel,
    layer::{BertAttention, BertEmbeddings, BertLayer, BertSelfAttention, Dense, ResidualOutput},
};

/// Makes layers of one model's sizes on one device.
pub(super) struct Layers<'a> {
    pub(super) config: &'a BertConfig,
    pub(super) device: &'a Device,
}

impl Layers<'_> {
    fn initializer(&self) -> Initializer {
        Initializer::Normal { mean: 0.0, std: self.config.initializer_range }
    }

    pub(super) fn encoder(&self) -> BertModel {
        let layer = (0..self.config.num_hidden_layers).map(|_| self.layer()).collect();
        BertModel {
            embeddings: self.embeddings(),
            embeddings_project: self.embeddings_project(),
            encoder: BertEncoder { layer },
        }
    }

    fn embeddings(&self) -> BertEmbeddings {
        let config = self.config;
        let has_types = config.family != Family::DistilBert;
        BertEmbeddings {
            word_embeddings: self.embedding(config.vocab_size),
            position_embeddings: self.embedding(config.max_position_embeddings),
            token_type_embeddings: has_types.then(|| self.embedding(config.type_vocab_size)),
            layer_norm: self.layer_norm(config.embedding_size()),
            dropout_prob: config.hidden_dropout_prob,
        }
    }

    /// Only where the widths are not the same.
    fn embeddings_project(&self) -> Option<Linear> {
        let (narrow, hidden) = (self.config.embedding_size(), self.config.hidden_size);
        (narrow != hidden).then(|| self.linear(narrow, hidden))
    }

    fn embedding(&self, rows: usize) -> Embedding {
        EmbeddingConfig::new(rows, self.config.embedding_size())
            .with_initializer(self.initializer())
            .init(self.device)
    }

    fn layer_norm(&self, width: usize) -> LayerNorm {
        LayerNorm::new(width, true, self.config.layer_norm_eps, self.device)
    }

    pub(super) fn linear(&self, inputs: usize, outputs: usize) -> Linear {
        let mut linear = LinearConfig::new(inputs, outputs)
            .with_initializer(self.initializer())
            .init(self.device);
        linear.bias = Some(Initializer::Zeros.init([outputs], self.device));
        linear
    }

    fn residual_output(&self, inputs: usize, dropout_prob: f64) -> ResidualOutput {
        ResidualOutput {
            dense: self.linear(inputs, self.config.hidden_size),
            layer_norm: self.layer_norm(self.config.hidden_size),
            dropout_prob,
        }
    }

    fn layer(&self) -> BertLayer {
        let hidden = self.config.hidden_size;
        BertLayer {
            attention: BertAttention {
                self_attention: BertSelfAttention {
                    query: self.linear(hidden, hidden),
                    key: self.linear(hidden, hidden),
                    value: self.linear(hidden, hidden),
                    dropout_prob: self.config.attention_probs_dropout_prob,
                    num_heads: self.config.num_attention_heads,
                },
                output: self.residual_output(hidden, self.config.attention_output_dropout()),
            },
            intermediate: Dense { dense: self.linear(hidden, self.config.intermediate_size) },
            output: self
                .residual_output(self.config.intermediate_size, self.config.hidden_dropout_prob),
        }
    }
}
