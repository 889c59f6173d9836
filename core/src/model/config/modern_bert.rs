//! ModernBERT's `config.json`.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{BertConfig, gelu, initializer_range};
use crate::model::Family;

/// transformers' [`ModernBertConfig`](https://huggingface.co/docs/transformers/model_doc/modernbert),
/// as it is written now and as it was before `layer_types` and `rope_parameters`.
#[derive(Deserialize)]
pub(super) struct ModernBertConfig {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "gelu")]
    hidden_activation: String,
    #[serde(default = "gelu")]
    classifier_activation: String,
    #[serde(default = "initializer_range")]
    initializer_range: f64,
    #[serde(default = "initializer_cutoff_factor")]
    initializer_cutoff_factor: Option<f64>,
    #[serde(default = "norm_eps")]
    norm_eps: f64,
    #[serde(default)]
    pad_token_id: Option<u32>,
    #[serde(default)]
    norm_bias: bool,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    classifier_bias: bool,
    #[serde(default)]
    attention_dropout: f64,
    #[serde(default)]
    embedding_dropout: f64,
    #[serde(default)]
    mlp_dropout: f64,
    #[serde(default)]
    classifier_dropout: f64,
    #[serde(default = "cls")]
    classifier_pooling: String,
    #[serde(default = "local_attention")]
    local_attention: usize,
    #[serde(default)]
    layer_types: Option<Vec<String>>,
    #[serde(default)]
    global_attn_every_n_layers: Option<usize>,
    #[serde(default)]
    rope_parameters: Option<RopeParameters>,
    #[serde(default)]
    rope_scaling: Option<Value>,
    #[serde(default)]
    global_rope_theta: Option<f64>,
    #[serde(default)]
    local_rope_theta: Option<f64>,
    #[serde(default)]
    id2label: Map<String, Value>,
}

#[derive(Deserialize)]
struct RopeParameters {
    #[serde(default)]
    full_attention: Option<Rope>,
    #[serde(default)]
    sliding_attention: Option<Rope>,
}

#[derive(Deserialize)]
struct Rope {
    #[serde(default)]
    rope_type: Option<String>,
    #[serde(default)]
    rope_theta: Option<f64>,
}

/// What ModernBERT has and BERT has not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modern {
    /// For each layer.
    pub(crate) attention: Vec<LayerAttention>,
    pub(crate) norm_bias: bool,
    pub(crate) attention_bias: bool,
    pub(crate) mlp_bias: bool,
    pub(crate) classifier_bias: bool,
    pub(crate) embedding_dropout: f64,
    /// New weights are no further from 0 than so many standard deviations.
    pub(crate) initializer_cutoff_factor: f64,
    /// Whether the head sees the mean of all tokens, not the first one.
    pub(crate) mean_pooling: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LayerAttention {
    /// How far from itself a token sees, in tokens; the whole row where there is no number.
    pub(crate) window: Option<usize>,
    /// The base of the rotary embedding's frequencies.
    pub(crate) rope_theta: f64,
}

fn initializer_cutoff_factor() -> Option<f64> {
    Some(2.0)
}
fn norm_eps() -> f64 {
    1e-5
}
fn cls() -> String {
    "cls".into()
}
fn local_attention() -> usize {
    128
}

const FULL: &str = "full_attention";
const SLIDING: &str = "sliding_attention";

impl ModernBertConfig {
    fn layer_types(&self) -> Result<Vec<&str>, String> {
        let layers = self.num_hidden_layers;
        let Some(types) = &self.layer_types else {
            let every = self.global_attn_every_n_layers.unwrap_or(3);
            if every == 0 {
                return Err("global_attn_every_n_layers is 0; expected at least 1".into());
            }
            let of = |layer: usize| if layer.is_multiple_of(every) { FULL } else { SLIDING };
            // So many layers are refused, and need no list.
            return Ok((0..layers.min(1_001)).map(of).collect());
        };
        if types.len() != layers {
            return Err(format!("layer_types has {} entries for {layers} layers", types.len()));
        }
        match types.iter().find(|name| ![FULL, SLIDING].contains(&name.as_str())) {
            Some(other) => Err(format!("layer_types names \"{other}\", which is not supported")),
            None => Ok(types.iter().map(String::as_str).collect()),
        }
    }

    /// The base of full and of local attention's frequencies.
    fn rope_thetas(&self) -> Result<[f64; 2], String> {
        if let Some(scaling) = self.rope_scaling.as_ref().filter(|scaling| !scaling.is_null()) {
            return Err(format!("rope_scaling {scaling} is not supported; only null"));
        }
        let parameters = self.rope_parameters.as_ref();
        let full = parameters.and_then(|rope| rope.full_attention.as_ref());
        let sliding = parameters.and_then(|rope| rope.sliding_attention.as_ref());
        for rope in [full, sliding].into_iter().flatten() {
            let kind = rope.rope_type.as_deref().unwrap_or("default");
            if kind != "default" {
                return Err(format!("rope_type \"{kind}\" is not supported; only \"default\""));
            }
        }
        let theta = |rope: Option<&Rope>| rope.and_then(|rope| rope.rope_theta);
        let full = theta(full).or(self.global_rope_theta).unwrap_or(160_000.0);
        let sliding = theta(sliding).or(self.local_rope_theta).unwrap_or(10_000.0);
        match [full, sliding].into_iter().find(|theta| *theta <= 0.0) {
            Some(theta) => Err(format!("rope_theta is {theta}; expected a number above 0")),
            None => Ok([full, sliding]),
        }
    }

    fn check(&self) -> Result<(), String> {
        if !["cls", "mean"].contains(&self.classifier_pooling.as_str()) {
            let found = &self.classifier_pooling;
            return Err(format!(
                "classifier_pooling \"{found}\" is not supported; cls and mean are"
            ));
        }
        if self.classifier_activation != "gelu" {
            let found = &self.classifier_activation;
            return Err(format!(
                "classifier_activation \"{found}\" is not supported; only \"gelu\""
            ));
        }
        if !(0.0..1.0).contains(&self.embedding_dropout) {
            return Err(format!(
                "embedding_dropout is {}; expected 0 to below 1",
                self.embedding_dropout
            ));
        }
        let heads = self.num_attention_heads.max(1);
        if !(self.hidden_size / heads).is_multiple_of(2) {
            return Err(format!(
                "hidden_size {} over num_attention_heads {heads} is odd; rotary positions need pairs",
                self.hidden_size
            ));
        }
        Ok(())
    }
}

impl TryFrom<ModernBertConfig> for BertConfig {
    /// What is not supported.
    type Error = String;

    fn try_from(config: ModernBertConfig) -> Result<Self, String> {
        config.check()?;
        let [full, sliding] = config.rope_thetas()?;
        let window = Some(config.local_attention / 2);
        let attention = |kind: &str| match kind {
            FULL => LayerAttention { window: None, rope_theta: full },
            _ => LayerAttention { window, rope_theta: sliding },
        };
        let modern = Modern {
            attention: config.layer_types()?.into_iter().map(attention).collect(),
            norm_bias: config.norm_bias,
            attention_bias: config.attention_bias,
            mlp_bias: config.mlp_bias,
            classifier_bias: config.classifier_bias,
            embedding_dropout: config.embedding_dropout,
            initializer_cutoff_factor: config.initializer_cutoff_factor.unwrap_or(3.0),
            mean_pooling: config.classifier_pooling == "mean",
        };
        Ok(Self {
            family: Family::ModernBert,
            vocab_size: config.vocab_size,
            embedding_size: None,
            hidden_size: config.hidden_size,
            num_hidden_layers: config.num_hidden_layers,
            num_attention_heads: config.num_attention_heads,
            intermediate_size: config.intermediate_size,
            max_position_embeddings: config.max_position_embeddings,
            type_vocab_size: 1,
            hidden_act: config.hidden_activation,
            hidden_dropout_prob: config.mlp_dropout,
            attention_probs_dropout_prob: config.attention_dropout,
            classifier_dropout: Some(config.classifier_dropout),
            initializer_range: config.initializer_range,
            layer_norm_eps: config.norm_eps,
            pad_token_id: config.pad_token_id,
            position_embedding_type: None,
            is_decoder: None,
            id2label: config.id2label,
            raw: Map::new(),
            modern,
        })
    }
}

#[cfg(test)]
mod tests;
