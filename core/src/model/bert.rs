//! BERT (Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>) with a sequence-classification
//! head, as transformers' `BertForSequenceClassification` computes it.
//!
//! Fields carry the names of the Hugging Face checkpoint, so that a parameter's path is its key
//! there but for the few words in [`super::names`].

use burn::{
    module::{Flag, Module, ModuleMapper, Param},
    nn::{
        Dropout, DropoutConfig, Embedding, EmbeddingConfig, Initializer, LayerNorm,
        LayerNormConfig, Linear, LinearConfig,
    },
    tensor::{Device, Tensor, activation::softmax},
};

use super::{BertConfig, gelu::gelu};
use crate::text::BatchTensors;

/// An encoder, its pooler and a linear head.
#[derive(Module, Debug)]
pub struct BertForSequenceClassification {
    bert: BertModel,
    dropout: Dropout,
    classifier: Linear,
}

#[derive(Module, Debug)]
struct BertModel {
    embeddings: BertEmbeddings,
    encoder: BertEncoder,
    pooler: BertPooler,
}

#[derive(Module, Debug)]
struct BertEmbeddings {
    word_embeddings: Embedding,
    position_embeddings: Embedding,
    token_type_embeddings: Embedding,
    layer_norm: LayerNorm,
    dropout: Dropout,
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
    dropout: Dropout,
    num_heads: usize,
}

/// A linear layer, dropout, and a LayerNorm over the sum with the residual.
#[derive(Module, Debug)]
struct ResidualOutput {
    dense: Linear,
    layer_norm: LayerNorm,
    dropout: Dropout,
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
                    dropout: dropout(config.hidden_dropout_prob),
                },
                encoder: BertEncoder {
                    layer: (0..config.num_hidden_layers).map(|_| new.layer()).collect(),
                },
                pooler: Dense { dense: new.linear(config.hidden_size, config.hidden_size) },
            },
            dropout: dropout(config.classifier_dropout()),
            classifier: new.linear(config.hidden_size, num_labels),
        }
    }

    /// Logits `[batch, num_labels]` of a batch `[batch, seq]`.
    pub fn forward(&self, batch: BatchTensors) -> Tensor<2> {
        let hidden = self.bert.forward(batch);
        self.classifier.forward(self.dropout.forward(self.bert.pool(hidden)))
    }

    /// The same model with every dropout switched off, gradients or not.
    pub(crate) fn without_dropout(self) -> Self {
        self.map(&mut DropoutOff)
    }
}

struct DropoutOff;

impl ModuleMapper for DropoutOff {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(false)
    }
}

impl BertModel {
    /// Hidden states `[batch, seq, hidden]` of the last layer.
    fn forward(&self, batch: BatchTensors) -> Tensor<3> {
        let BatchTensors { input_ids, token_type_ids, attention_bias } = batch;
        let [_, seq_len] = input_ids.dims();
        let positions = self.embeddings.position_embeddings.weight.val().slice_dim(0, 0..seq_len);
        let embedded = self.embeddings.word_embeddings.forward(input_ids)
            + self.embeddings.token_type_embeddings.forward(token_type_ids)
            + positions.unsqueeze::<3>();
        let embedded = self.embeddings.layer_norm.forward(embedded);
        let embedded = self.embeddings.dropout.forward(embedded);
        let layers = self.encoder.layer.iter();
        layers.fold(embedded, |hidden, layer| layer.forward(hidden, attention_bias.clone()))
    }

    /// `tanh` of a linear layer over the first token: `[batch, hidden]`.
    fn pool(&self, hidden: Tensor<3>) -> Tensor<2> {
        let [batch, _, width] = hidden.dims();
        let first = hidden.slice([0..batch, 0..1, 0..width]).reshape([batch, width]);
        self.pooler.dense.forward(first).tanh()
    }
}

impl BertLayer {
    fn forward(&self, hidden: Tensor<3>, attention_bias: Tensor<4>) -> Tensor<3> {
        let context = self.attention.self_attention.forward(hidden.clone(), attention_bias);
        let attended = self.attention.output.forward(context, hidden);
        let widened = gelu(self.intermediate.dense.forward(attended.clone()));
        self.output.forward(widened, attended)
    }
}

impl BertSelfAttention {
    /// `softmax(q·kᵀ / √d + bias)·v` for each head.
    fn forward(&self, hidden: Tensor<3>, attention_bias: Tensor<4>) -> Tensor<3> {
        let [batch, seq_len, width] = hidden.dims();
        let head_dim = width / self.num_heads;
        let heads = |linear: &Linear| {
            let projected = linear.forward(hidden.clone());
            projected.reshape([batch, seq_len, self.num_heads, head_dim]).swap_dims(1, 2)
        };
        let query = heads(&self.query) * (1.0 / (head_dim as f64).sqrt());
        let scores = query.matmul(heads(&self.key).transpose()) + attention_bias;
        let probabilities = self.dropout.forward(softmax(scores, 3));
        let context = probabilities.matmul(heads(&self.value));
        context.swap_dims(1, 2).reshape([batch, seq_len, width])
    }
}

impl ResidualOutput {
    fn forward(&self, hidden: Tensor<3>, residual: Tensor<3>) -> Tensor<3> {
        let hidden = self.dropout.forward(self.dense.forward(hidden));
        self.layer_norm.forward(hidden + residual)
    }
}

fn dropout(prob: f64) -> Dropout {
    DropoutConfig::new(prob).init()
}

/// Makes layers of one model's sizes on one device.
struct Layers<'a> {
    config: &'a BertConfig,
    device: &'a Device,
}

impl Layers<'_> {
    fn initializer(&self) -> Initializer {
        Initializer::Normal { mean: 0.0, std: self.config.initializer_range }
    }

    fn embedding(&self, rows: usize) -> Embedding {
        EmbeddingConfig::new(rows, self.config.hidden_size)
            .with_initializer(self.initializer())
            .init(self.device)
    }

    fn layer_norm(&self) -> LayerNorm {
        LayerNormConfig::new(self.config.hidden_size)
            .with_epsilon(self.config.layer_norm_eps)
            .init(self.device)
    }

    fn linear(&self, inputs: usize, outputs: usize) -> Linear {
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
            dropout: dropout(self.config.hidden_dropout_prob),
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
                    dropout: dropout(self.config.attention_probs_dropout_prob),
                    num_heads: self.config.num_attention_heads,
                },
                output: self.residual_output(hidden),
            },
            intermediate: Dense { dense: self.linear(hidden, self.config.intermediate_size) },
            output: self.residual_output(self.config.intermediate_size),
        }
    }
}
