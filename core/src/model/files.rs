//! The files of a Hugging Face model folder as bytes.

use super::{BertConfig, Source};
use crate::{
    Error, Result,
    text::{Encoding, Tokenizer},
};

/// What is needed of a model folder. `native` takes it from disk, `web` from the page.
#[derive(Debug)]
pub struct ModelFiles {
    folder: String,
    config: Vec<u8>,
    weights: Source,
    tokenizer: TokenizerFile,
    tokenizer_config: Option<Vec<u8>>,
}

#[derive(Debug)]
enum TokenizerFile {
    Json(Vec<u8>),
    Vocab(Vec<u8>),
}

impl ModelFiles {
    /// The file of the weights.
    pub const WEIGHTS: &'static str = "model.safetensors";

    /// The names worth reading; others are passed over.
    pub const NAMES: [&'static str; 5] =
        ["config.json", Self::WEIGHTS, "tokenizer.json", "vocab.txt", "tokenizer_config.json"];

    /// Picks what is needed from (name, bytes) pairs; `folder` names them in errors.
    ///
    /// # Errors
    /// [`Error::MissingFile`] without `config.json`, `model.safetensors`, or a tokenizer.
    pub fn from_named(folder: &str, mut files: Vec<(String, Vec<u8>)>) -> Result<Self> {
        let weights = files.iter().position(|(name, _)| name == Self::WEIGHTS);
        let weights = weights.map(|index| Source::Bytes(files.swap_remove(index).1));
        Self::new(folder, files, weights)
    }

    /// The same with the weights apart, which are then read while a model is opened.
    ///
    /// # Errors
    /// Those of [`Self::from_named`].
    pub fn new(
        folder: &str,
        files: Vec<(String, Vec<u8>)>,
        weights: Option<Source>,
    ) -> Result<Self> {
        let mut files: std::collections::HashMap<String, Vec<u8>> = files.into_iter().collect();
        let missing = |file| Error::MissingFile { folder: folder.into(), file };
        let config = files.remove("config.json").ok_or_else(|| missing("config.json"))?;
        let weights = weights.ok_or_else(|| missing(Self::WEIGHTS))?;
        let tokenizer = match (files.remove("tokenizer.json"), files.remove("vocab.txt")) {
            (Some(json), _) => TokenizerFile::Json(json),
            (None, Some(vocab)) => TokenizerFile::Vocab(vocab),
            (None, None) => return Err(missing("tokenizer.json")),
        };
        let tokenizer_config = files.remove("tokenizer_config.json");
        Ok(Self { folder: folder.into(), config, weights, tokenizer, tokenizer_config })
    }

    /// The folder's name, for messages.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// `folder/file`, for messages.
    pub(crate) fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.folder)
    }

    pub(crate) fn weights(&self) -> &Source {
        &self.weights
    }

    /// # Errors
    /// [`Error::BadConfig`].
    pub fn config(&self) -> Result<BertConfig> {
        BertConfig::from_json(&self.path("config.json"), &self.config)
    }

    /// The tokenizer, checked against the model's vocabulary.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`], also where it gives ids that the model has no embedding for.
    pub fn tokenizer(&self, config: &BertConfig) -> Result<Tokenizer> {
        let (name, tokenizer) = match &self.tokenizer {
            TokenizerFile::Json(bytes) => {
                let name = self.path("tokenizer.json");
                let tokenizer = Tokenizer::from_json(&name, bytes)?;
                (name, tokenizer)
            }
            TokenizerFile::Vocab(bytes) => {
                let name = self.path("vocab.txt");
                let tokenizer =
                    Tokenizer::from_vocab(&name, bytes, self.tokenizer_config.as_deref())?;
                (name, tokenizer)
            }
        };
        let (ids, rows) = (tokenizer.vocab_size(), config.vocab_size);
        if ids > rows {
            let reason = format!("gives ids up to {}, but vocab_size is {rows}", ids - 1);
            return Err(Error::BadTokenizer { name, reason });
        }
        check_template(&name, &tokenizer, config)?;
        Ok(tokenizer)
    }

    /// `tokenizer_config.json` as it was, or one that makes transformers open `tokenizer.json`.
    pub(crate) fn tokenizer_config(&self, max_length: usize) -> Vec<u8> {
        self.tokenizer_config.clone().unwrap_or_else(|| {
            let config = serde_json::json!({
                "tokenizer_class": "BertTokenizer", "model_max_length": max_length,
                "unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]",
                "cls_token": "[CLS]", "mask_token": "[MASK]",
            });
            serde_json::to_vec_pretty(&config).unwrap_or_default()
        })
    }
}

/// The special tokens around a text have ids of their own in `tokenizer.json`, whatever the
/// vocabulary says.
fn check_template(name: &str, tokenizer: &Tokenizer, config: &BertConfig) -> Result<()> {
    let bad = |reason: String| Error::BadTokenizer { name: name.into(), reason };
    // Its row of a batch would have no first token to classify it by.
    if tokenizer.encode("", usize::MAX)?.ids.is_empty() {
        return Err(bad("adds no [CLS] to a text: its post_processor is missing or empty".into()));
    }
    let Encoding { ids, type_ids, .. } = tokenizer.encode("a", usize::MAX)?;
    let limits = [
        ("id", ids, "vocab_size", config.vocab_size),
        ("type id", type_ids, "type_vocab_size", config.type_vocab_size),
    ];
    for (what, ids, key, limit) in limits {
        if let Some(id) = ids.into_iter().find(|&id| id as usize >= limit) {
            let reason = format!("gives a special token the {what} {id}, but {key} is {limit}");
            return Err(bad(reason));
        }
    }
    Ok(())
}
