//! Layers with new weights, as transformers' `ModernBertPreTrainedModel` makes them.

use burn::{
    module::Param,
    nn::{Embedding, EmbeddingConfig, Initializer, Linear, LinearConfig},
    tensor::{Device, Distribution, Tensor},
};

use super::{
    super::config::LayerAttention, ModernBertAttention, ModernBertEmbeddings, ModernBertLayer,
    ModernBertMlp, ModernBertModel,
};
use crate::model::{BertConfig, bert::Pooler, layer_norm::LayerNorm};

/// Makes layers of one model's sizes on one device.
pub(in crate::model) struct Layers<'a> {
    pub(in crate::model) config: &'a BertConfig,
    pub(in crate::model) device: &'a Device,
}

impl Layers<'_> {
    pub(in crate::model) fn encoder(&self) -> ModernBertModel {
        let modern = &self.config.modern;
        let layers = modern.attention.iter().enumerate();
        ModernBertModel {
            embeddings: ModernBertEmbeddings {
                tok_embeddings: self.embedding(),
                norm: self.layer_norm(),
                dropout_prob: modern.embedding_dropout,
            },
            layers: layers.map(|(index, kind)| self.layer(index, *kind)).collect(),
            final_norm: self.layer_norm(),
            mean_pooling: modern.mean_pooling,
        }
    }

    /// transformers' `ModernBertPredictionHead`.
    pub(in crate::model) fn pooler(&self) -> Pooler {
        let hidden = self.config.hidden_size;
        let dense = self.linear([hidden, hidden], self.config.modern.classifier_bias, self.out());
        Pooler { dense, norm: Some(self.layer_norm()) }
    }

    pub(in crate::model) fn classifier(&self, num_labels: usize) -> Linear {
        let hidden = self.config.hidden_size;
        self.linear([hidden, num_labels], true, (hidden as f64).powf(-0.5))
    }

    fn layer(&self, index: usize, kind: LayerAttention) -> ModernBertLayer {
        let BertConfig { hidden_size: hidden, intermediate_size: wide, modern, .. } = self.config;
        let (hidden, wide, range) = (*hidden, *wide, self.config.initializer_range);
        ModernBertLayer {
            attn_norm: (index > 0).then(|| self.layer_norm()),
            attn: ModernBertAttention {
                wqkv: self.linear([hidden, 3 * hidden], modern.attention_bias, range),
                wo: self.linear([hidden, hidden], modern.attention_bias, self.out()),
                dropout_prob: self.config.attention_probs_dropout_prob,
                num_heads: self.config.num_attention_heads,
                kind,
            },
            mlp_norm: self.layer_norm(),
            mlp: ModernBertMlp {
                wi: self.linear([hidden, 2 * wide], modern.mlp_bias, range),
                wo: self.linear([wide, hidden], modern.mlp_bias, self.out()),
                dropout_prob: self.config.hidden_dropout_prob,
            },
        }
    }

    /// The deviation of layers that add to the residual: the more there are, the less each adds.
    fn out(&self) -> f64 {
        self.config.initializer_range / (2.0 * self.config.num_hidden_layers as f64).sqrt()
    }

    fn layer_norm(&self) -> LayerNorm {
        let BertConfig { hidden_size, layer_norm_eps, modern, .. } = self.config;
        LayerNorm::new(*hidden_size, modern.norm_bias, *layer_norm_eps, self.device)
    }

    fn embedding(&self) -> Embedding {
        let std = self.config.initializer_range;
        let mut embedding = EmbeddingConfig::new(self.config.vocab_size, self.config.hidden_size)
            .with_initializer(Initializer::Normal { mean: 0.0, std })
            .init(self.device);
        embedding.weight = self.truncated(embedding.weight, std);
        embedding
    }

    fn linear(&self, [inputs, outputs]: [usize; 2], bias: bool, std: f64) -> Linear {
        let mut linear = LinearConfig::new(inputs, outputs)
            .with_initializer(Initializer::Normal { mean: 0.0, std })
            .with_bias(false)
            .init(self.device);
        linear.weight = self.truncated(linear.weight, std);
        linear.bias = bias.then(|| Initializer::Zeros.init([outputs], self.device));
        linear
    }

    /// Draws again what is too far from 0, some times, after which hardly anything is.
    fn truncated(&self, param: Param<Tensor<2>>, std: f64) -> Param<Tensor<2>> {
        const TIMES: usize = 8;
        let bound = self.config.modern.initializer_cutoff_factor * std;
        param.init_mapper(move |drawn| {
            let again = |drawn: Tensor<2>, _| {
                let others = Distribution::Normal(0.0, std);
                let others = Tensor::random(drawn.shape(), others, &drawn.device());
                drawn.clone().mask_where(drawn.abs().greater_elem(bound), others)
            };
            (0..TIMES).fold(drawn, again).clamp(-bound, bound)
        })
    }
}
