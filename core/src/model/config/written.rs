//! What becomes of a `config.json` that was read.

use serde_json::{Map, Value, json};

use super::{
    super::{Head, StorageDtype},
    BertConfig, TEMPERATURE,
};
use crate::{Error, Result};

impl BertConfig {
    /// The `config.json` of a model with this head and temperature, everything else as it was read.
    pub fn to_json(&self, head: &Head, dtype: &str, temperature: f32) -> Vec<u8> {
        let mut said = head.to_json(self.family);
        if temperature != 1.0 {
            said.insert(TEMPERATURE.into(), json!(f64::from(temperature)));
        }
        self.to_json_with(said, dtype)
    }

    /// The `config.json` of a model without classes, which transformers opens as `architecture`.
    pub(in crate::model) fn to_json_of(&self, architecture: &str, dtype: &str) -> Vec<u8> {
        let mut config = self.clone();
        for of_classes in ["problem_type", "id2label", "label2id"] {
            config.raw.remove(of_classes);
        }
        let said = Map::from_iter([("architectures".to_owned(), json!([architecture]))]);
        config.to_json_with(said, dtype)
    }

    /// What `said` says, over what was read but for the temperature.
    fn to_json_with(&self, said: Map<String, Value>, dtype: &str) -> Vec<u8> {
        let mut raw = self.raw.clone();
        for stale in ["_name_or_path", "torch_dtype", "gradient_checkpointing", TEMPERATURE] {
            raw.remove(stale);
        }
        raw.extend(said);
        raw.insert("model_type".into(), json!(self.family.model_type()));
        raw.insert("dtype".into(), json!(dtype));
        let mut bytes = serde_json::to_vec_pretty(&raw).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// The `config.json` of the same model with another number of rows in its vocabulary, stored as f32.
    ///
    /// # Errors
    /// [`Error::BadConfig`] where it cannot be written.
    pub fn with_vocab_size(&self, vocab_size: usize) -> Result<Vec<u8>> {
        let mut config = self.raw.clone();
        config.insert("vocab_size".into(), json!(vocab_size));
        config.remove("torch_dtype");
        config.insert("dtype".into(), json!(StorageDtype::F32.name()));
        serde_json::to_vec_pretty(&config).map_err(|error| Error::BadConfig {
            name: "config.json".into(),
            reason: error.to_string(),
        })
    }
}
