//! `config.json` of a Hugging Face BERT of any [`Family`].

mod distilbert;
mod modern_bert;
mod written;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

pub(super) use self::modern_bert::LayerAttention;
use self::{
    distilbert::DistilBertConfig,
    modern_bert::{Modern, ModernBertConfig},
};
use super::{Family, head::Reads, object::object};
use crate::{Error, Result, data::LabelMap, text::InputFormat};

/// The settings of a BERT, named as in `config.json`
/// (transformers' [`BertConfig`](https://huggingface.co/docs/transformers/model_doc/bert)); other
/// families' names are translated.
#[derive(Clone, Debug, Deserialize)]
pub struct BertConfig {
    #[serde(skip)]
    pub family: Family,
    pub vocab_size: usize,
    /// The width of the embeddings where a linear layer brings them to `hidden_size` (ELECTRA).
    #[serde(default)]
    embedding_size: Option<usize>,
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub intermediate_size: usize,
    pub max_position_embeddings: usize,
    #[serde(default = "two")]
    pub type_vocab_size: usize,
    #[serde(default = "gelu")]
    pub hidden_act: String,
    #[serde(default = "tenth")]
    pub hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    pub attention_probs_dropout_prob: f64,
    /// Dropout before the head; `hidden_dropout_prob` where it is null.
    #[serde(default)]
    pub classifier_dropout: Option<f64>,
    #[serde(default = "initializer_range")]
    pub initializer_range: f64,
    #[serde(default = "layer_norm_eps")]
    pub layer_norm_eps: f64,
    #[serde(default)]
    pub pad_token_id: Option<u32>,
    #[serde(default)]
    position_embedding_type: Option<String>,
    #[serde(default)]
    is_decoder: Option<bool>,
    #[serde(default)]
    id2label: Map<String, Value>,
    #[serde(skip)]
    pub(super) modern: Modern,
    /// The whole file, so that what we do not know survives a save.
    #[serde(skip)]
    raw: Map<String, Value>,
}

fn two() -> usize {
    2
}
fn gelu() -> String {
    "gelu".into()
}
fn tenth() -> f64 {
    0.1
}
fn initializer_range() -> f64 {
    0.02
}
fn layer_norm_eps() -> f64 {
    1e-12
}

/// The key of `config.json` with the temperature of a calibrated classifier. transformers keeps it and does
/// not look at it; its own `temperature` is that of text generation.
const TEMPERATURE: &str = "calibration_temperature";

impl BertConfig {
    /// Reads and checks a `config.json`.
    ///
    /// # Errors
    /// [`Error::BadConfig`] with the key that is missing, out of range or not supported.
    pub fn from_json(name: &str, bytes: &[u8]) -> Result<Self> {
        let bad = |reason: String| Error::BadConfig { name: name.into(), reason };
        let raw = object("config.json", bytes).map_err(bad)?;
        let family = family(&raw).map_err(bad)?;
        // From the bytes again: so an error says where the value stands.
        let config = match family {
            Family::DistilBert => read::<DistilBertConfig>(bytes).map(Self::from),
            Family::ModernBert => read::<ModernBertConfig>(bytes).and_then(Self::try_from),
            _ => read(bytes),
        };
        let config = config.map_err(bad)?;
        let config = Self { family, raw, ..config };
        config.check().map_err(bad)?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        if self.hidden_act != "gelu" {
            return Err(format!(
                "hidden_act \"{}\" is not supported; only \"gelu\"",
                self.hidden_act
            ));
        }
        let positions = self.position_embedding_type.as_deref().unwrap_or("absolute");
        if positions != "absolute" {
            return Err(format!("position_embedding_type \"{positions}\" is not supported"));
        }
        if self.is_decoder == Some(true) {
            return Err("is_decoder is true; only encoders are supported".into());
        }
        let sizes = [
            ("vocab_size", self.vocab_size, 10_000_000),
            ("hidden_size", self.hidden_size, 65_536),
            ("num_hidden_layers", self.num_hidden_layers, 1_000),
            ("num_attention_heads", self.num_attention_heads, 1_024),
            ("intermediate_size", self.intermediate_size, 1_000_000),
            ("max_position_embeddings", self.max_position_embeddings, 1_000_000),
            ("type_vocab_size", self.type_vocab_size, 1_000),
            ("embedding_size", self.embedding_size(), 65_536),
        ];
        if let Some((key, size, most)) = sizes.into_iter().find(|&(_, n, most)| n == 0 || n > most)
        {
            return Err(format!("{key} is {size}; expected 1 to {most}"));
        }
        if self.pad_token_id() as usize >= self.vocab_size {
            return Err(format!(
                "pad_token_id {} is not below vocab_size {}",
                self.pad_token_id(),
                self.vocab_size
            ));
        }
        if self.family.counts_from_padding() && self.max_length() == 0 {
            return Err(format!(
                "max_position_embeddings is {}; positions count from pad_token_id + 1, which is {}",
                self.max_position_embeddings,
                self.pad_token_id() + 1
            ));
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return Err(format!(
                "hidden_size {} is not a multiple of num_attention_heads {}",
                self.hidden_size, self.num_attention_heads
            ));
        }
        let rates = [
            ("hidden_dropout_prob", self.hidden_dropout_prob),
            ("attention_probs_dropout_prob", self.attention_probs_dropout_prob),
            ("classifier_dropout", self.classifier_dropout()),
            ("qa_dropout", self.head_dropout(Reads::Tokens)),
        ];
        if let Some((key, rate)) = rates.into_iter().find(|(_, rate)| !(0.0..1.0).contains(rate)) {
            return Err(format!("{key} is {rate}; expected 0 to below 1"));
        }
        let positive = self.layer_norm_eps > 0.0 && self.initializer_range > 0.0;
        if !positive {
            return Err("layer_norm_eps and initializer_range must be above 0".into());
        }
        Ok(())
    }

    /// Dropout before the classification head.
    pub fn classifier_dropout(&self) -> f64 {
        self.classifier_dropout.unwrap_or(self.hidden_dropout_prob)
    }

    /// Dropout before the head. DistilBERT's setting of `classifier_dropout` is that of whole texts alone;
    /// before answers only it drops anything.
    pub(super) fn head_dropout(&self, reads: Reads) -> f64 {
        match (self.family, reads) {
            (Family::DistilBert, Reads::Words) => self.hidden_dropout_prob,
            (Family::DistilBert, Reads::Tokens) => {
                self.raw("qa_dropout").and_then(Value::as_f64).unwrap_or(tenth())
            }
            (_, Reads::Tokens) => 0.0,
            _ => self.classifier_dropout(),
        }
    }

    /// The id that padding has; the family's unless the file says otherwise.
    pub fn pad_token_id(&self) -> u32 {
        let usual = match self.family {
            Family::Roberta | Family::XlmRoberta => 1,
            Family::ModernBert => 50_283,
            Family::Bert | Family::DistilBert | Family::Electra => 0,
        };
        self.pad_token_id.unwrap_or(usual)
    }

    /// The width of the embeddings.
    pub(crate) fn embedding_size(&self) -> usize {
        match self.family {
            Family::Electra => self.embedding_size.unwrap_or(128),
            _ => self.hidden_size,
        }
    }

    /// Dropout on what attention adds to the residual.
    pub(crate) fn attention_output_dropout(&self) -> f64 {
        if self.family == Family::DistilBert { 0.0 } else { self.hidden_dropout_prob }
    }

    /// The longest text the model takes, in tokens.
    pub fn max_length(&self) -> usize {
        let unused =
            if self.family.counts_from_padding() { self.pad_token_id() as usize + 1 } else { 0 };
        self.max_position_embeddings.saturating_sub(unused)
    }

    pub(crate) fn input_format(&self) -> InputFormat {
        InputFormat {
            pad_token_id: self.pad_token_id(),
            token_types: self.family.has_token_types(),
            counts_from_padding: self.family.counts_from_padding(),
            mean_pooling: self.modern.mean_pooling,
            every_token: false,
        }
    }

    /// Segment ids must be below this; `None` where the model does not look at them.
    pub fn token_types(&self) -> Option<usize> {
        self.family.has_token_types().then_some(self.type_vocab_size)
    }

    /// The classes named by `id2label`, if the file names any.
    ///
    /// # Errors
    /// [`Error::BadLabels`] when the ids are not 0, 1, 2 … or a name stands twice.
    pub fn label_map(&self, name: &str) -> Result<Option<LabelMap>> {
        if self.id2label.is_empty() {
            return Ok(None);
        }
        let label = |id: usize| match self.id2label.get(&id.to_string()) {
            Some(Value::String(label)) => Ok(label.clone()),
            _ => {
                let reason = format!("id2label has no name for id {id}");
                Err(Error::BadLabels { name: name.into(), reason })
            }
        };
        let names = (0..self.id2label.len()).map(label).collect::<Result<_>>()?;
        LabelMap::new(name, names).map(Some)
    }

    /// A value of the file as it was read.
    pub(super) fn raw(&self, key: &str) -> Option<&Value> {
        self.raw.get(key)
    }

    /// What logits are divided by before they become probabilities: [`TEMPERATURE`], 1 where it does not
    /// stand there.
    ///
    /// # Errors
    /// [`Error::BadConfig`] where it is no number above 0.
    pub(super) fn temperature(&self, name: &str) -> Result<f32> {
        let Some(stated) = self.raw(TEMPERATURE) else { return Ok(1.0) };
        let number = stated.as_f64().map(|number| number as f32);
        number.filter(|number| number.is_finite() && *number > 0.0).ok_or_else(|| {
            let reason = format!("{TEMPERATURE} is {stated}; expected a number above 0");
            Error::BadConfig { name: name.into(), reason }
        })
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// The family that `model_type` names; BERT where there is none, as in its first files.
fn family(raw: &Map<String, Value>) -> Result<Family, String> {
    let found = match raw.get("model_type") {
        None | Some(Value::Null) => return Ok(Family::Bert),
        Some(Value::String(name)) => name,
        Some(other) => return Err(format!("model_type is {other}; expected a name")),
    };
    Family::of_model_type(found).ok_or_else(|| {
        let known = Family::model_types();
        format!("model_type \"{found}\" is not supported; take a model of one of these: {known}")
    })
}
