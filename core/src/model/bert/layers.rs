//! Layers with new weights.

use burn::{
    nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig},
    tensor::Device,
};

use super::{
    super::BertConfig, BertAttention, BertLayer, BertSelfAttention, Dense, LayerNorm,
    ResidualOutput,
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

    pub(super) fn embedding(&self, rows: usize) -> Embedding {
        EmbeddingConfig::new(rows, self.config.hidden_size)
            .with_initializer(self.initializer())
            .init(self.device)
    }

    pub(super) fn layer_norm(&self) -> LayerNorm {
        let width = [self.config.hidden_size];
        LayerNorm {
            gamma: Initializer::Ones.init(width, self.device),
            beta: Initializer::Zeros.init(width, self.device),
            epsilon: self.config.layer_norm_eps,
        }
    }

    pub(super) fn linear(&self, inputs: usize, outputs: usize) -> Linear {
        let mut linear = LinearConfig::new(inputs, outputs)
            .with_initializer(self.initializer())
            .init(self.device);
        linear.bias = Some(Initializer::Zeros.init([outputs], self.device));
        linear
    }

    fn residual_output(&self, inputs: usize) -> ResidualOutput {
        ResidualOutput {
            dense: self.linear(inputs, self.config.hidden_size),
            layer_norm: self.layer_norm(),
            dropout_prob: self.config.hidden_dropout_prob,
        }
    }

    pub(super) fn layer(&self) -> BertLayer {
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
                output: self.residual_output(hidden),
            },
            intermediate: Dense { dense: self.linear(hidden, self.config.intermediate_size) },
            output: self.residual_output(self.config.intermediate_size),
        }
    }
}
