//! DistilBERT's `config.json`, which has names of its own for most of BERT's settings.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{BertConfig, Modern, gelu, initializer_range, layer_norm_eps, tenth};
use crate::model::Family;

/// transformers' [`DistilBertConfig`](https://huggingface.co/docs/transformers/model_doc/distilbert).
/// Whether positions began as sinusoids (`sinusoidal_pos_embds`) does not matter: they are weights.
#[derive(Deserialize)]
pub(super) struct DistilBertConfig {
    vocab_size: usize,
    max_position_embeddings: usize,
    dim: usize,
    n_layers: usize,
    n_heads: usize,
    hidden_dim: usize,
    #[serde(default = "gelu")]
    activation: String,
    #[serde(default = "tenth")]
    dropout: f64,
    #[serde(default = "tenth")]
    attention_dropout: f64,
    #[serde(default = "fifth")]
    seq_classif_dropout: f64,
    #[serde(default = "initializer_range")]
    initializer_range: f64,
    #[serde(default)]
    pad_token_id: Option<u32>,
    #[serde(default)]
    id2label: Map<String, Value>,
}

fn fifth() -> f64 {
    0.2
}

impl From<DistilBertConfig> for BertConfig {
    fn from(config: DistilBertConfig) -> Self {
        Self {
            family: Family::DistilBert,
            vocab_size: config.vocab_size,
            embedding_size: None,
            hidden_size: config.dim,
            num_hidden_layers: config.n_layers,
            num_attention_heads: config.n_heads,
            intermediate_size: config.hidden_dim,
            max_position_embeddings: config.max_position_embeddings,
            type_vocab_size: 1,
            hidden_act: config.activation,
            hidden_dropout_prob: config.dropout,
            attention_probs_dropout_prob: config.attention_dropout,
            classifier_dropout: Some(config.seq_classif_dropout),
            initializer_range: config.initializer_range,
            layer_norm_eps: layer_norm_eps(),
            pad_token_id: config.pad_token_id,
            position_embedding_type: None,
            is_decoder: None,
            id2label: config.id2label,
            modern: Modern::default(),
            raw: Map::new(),
        }
    }
}
