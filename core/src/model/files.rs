//! The files of a Hugging Face model folder as bytes.

use super::{BertConfig, Source, lora::Scaling, shards::is_shard, weights::Weights};
use crate::{
    Error, Result,
    text::{Encoding, Tokenizer},
};

/// What is needed of a model folder. `native` takes it from disk, `web` from the page.
#[derive(Debug)]
pub struct ModelFiles {
    folder: String,
    config: Vec<u8>,
    /// One, or the shards that an index names.
    weights: Vec<(String, Source)>,
    tokenizer: TokenizerFile,
    tokenizer_config: Option<Vec<u8>>,
    adapter: Option<Adapter>,
    /// What adapters of this model call it.
    known_as: String,
}

/// What is read of a folder of peft.
#[derive(Debug)]
struct Adapter {
    config: Vec<u8>,
    /// None where the adapters are among the weights, as in a checkpoint.
    weights: Option<(String, Source)>,
}

#[derive(Debug)]
enum TokenizerFile {
    Json(Vec<u8>),
    Vocab(Vec<u8>),
}

impl ModelFiles {
    /// The file of the weights.
    pub const WEIGHTS: &'static str = "model.safetensors";

    /// The files of adapters (LoRA), as peft names them.
    pub const ADAPTER: &'static str = "adapter_model.safetensors";
    pub const ADAPTER_CONFIG: &'static str = "adapter_config.json";

    /// The names worth reading, besides those that [`Self::INDEX`] names; others are passed over.
    pub const NAMES: [&'static str; 6] = [
        "config.json",
        Self::WEIGHTS,
        Self::INDEX,
        "tokenizer.json",
        "vocab.txt",
        "tokenizer_config.json",
    ];

    /// Picks what is needed from (name, bytes) pairs; `folder` names them in errors.
    ///
    /// # Errors
    /// [`Error::MissingFile`] without `config.json`, `model.safetensors`, or a tokenizer.
    pub fn from_named(folder: &str, files: Vec<(String, Vec<u8>)>) -> Result<Self> {
        let is_weights = |name: &str| name == Self::WEIGHTS || is_shard(name);
        let (weights, files): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|(name, _)| is_weights(name));
        let sources = weights.into_iter().map(|(name, bytes)| (name, Source::Bytes(bytes)));
        Self::new(folder, files, sources.collect())
    }

    /// The same with the weights apart, which are then read while a model is opened.
    ///
    /// # Errors
    /// Those of [`Self::from_named`].
    pub fn new(
        folder: &str,
        files: Vec<(String, Vec<u8>)>,
        weights: Vec<(String, Source)>,
    ) -> Result<Self> {
        let mut files: std::collections::HashMap<String, Vec<u8>> = files.into_iter().collect();
        let missing = |file| Error::MissingFile { folder: folder.into(), file };
        let config = files.remove("config.json").ok_or_else(|| missing("config.json"))?;
        let weights = match files.remove(Self::INDEX) {
            Some(index) if weights.iter().all(|(name, _)| name != Self::WEIGHTS) => {
                whole(folder, &index, weights)?
            }
            _ => weights.into_iter().filter(|(name, _)| name == Self::WEIGHTS).collect(),
        };
        if weights.is_empty() {
            return Err(missing(Self::WEIGHTS));
        }
        let weights = weights.into_iter().map(|(name, it)| (format!("{folder}/{name}"), it));
        let weights = weights.collect();
        let tokenizer = match (files.remove("tokenizer.json"), files.remove("vocab.txt")) {
            (Some(json), _) => TokenizerFile::Json(json),
            (None, Some(vocab)) => TokenizerFile::Vocab(vocab),
            (None, None) => return Err(missing("tokenizer.json")),
        };
        let tokenizer_config = files.remove("tokenizer_config.json");
        Ok(Self {
            folder: folder.into(),
            config,
            weights,
            tokenizer,
            tokenizer_config,
            adapter: None,
            known_as: folder.into(),
        })
    }

    /// The same with adapters, which are added to the weights: `config` is an `adapter_config.json`,
    /// `weights` the file that goes with it, or none where they are among the model's weights.
    pub fn with_adapter(self, config: Vec<u8>, weights: Option<Source>) -> Self {
        let weights = weights.map(|source| (self.path(Self::ADAPTER), source));
        Self { adapter: Some(Adapter { config, weights }), ..self }
    }

    /// The same under the name by which adapters made from it find it again.
    pub fn known_as(self, name: String) -> Self {
        Self { known_as: name, ..self }
    }

    /// What adapters of this model call it: its folder, where nothing else was said.
    pub(crate) fn name(&self) -> &str {
        &self.known_as
    }

    /// The folder's name, for messages.
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// `folder/file`, for messages.
    pub(crate) fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.folder)
    }

    /// Opens the weights, known by what `rename` makes of their keys.
    ///
    /// # Errors
    /// Those of [`Weights::open`] and [`Weights::with_adapters`].
    pub(crate) fn weights(&self, rename: impl Fn(&str) -> Option<String>) -> Result<Weights<'_>> {
        let weights = Weights::open(&self.weights_name(), &self.weights, &rename)?;
        let Some(Adapter { config, weights: file }) = &self.adapter else { return Ok(weights) };
        let scaling = Scaling::read(&self.path(Self::ADAPTER_CONFIG), config)?;
        weights.with_adapters(scaling, file.as_ref(), &rename)
    }

    /// The file of the weights, or of their index, for messages.
    pub(crate) fn weights_name(&self) -> String {
        match self.weights.as_slice() {
            [(name, _)] => name.clone(),
            _ => self.path(Self::INDEX),
        }
    }

    /// The size of all files of weights, in bytes; 0 for those that cannot be asked.
    pub fn weights_bytes(&self) -> u64 {
        self.weights.iter().map(|(_, source)| source.len().unwrap_or(0)).sum()
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
                let tokenizer = Tokenizer::from_json_of(&name, bytes, config.vocab_size)?;
                (name, tokenizer)
            }
            TokenizerFile::Vocab(bytes) => {
                let name = self.path("vocab.txt");
                check_words(&name, bytes, config.vocab_size)?;
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
    pub(crate) fn tokenizer_config(&self, config: &BertConfig) -> Vec<u8> {
        self.tokenizer_config.clone().unwrap_or_else(|| {
            let [unk, sep, pad, cls, mask] = match config.family.counts_from_padding() {
                true => ["<unk>", "</s>", "<pad>", "<s>", "<mask>"],
                false => ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"],
            };
            let config = serde_json::json!({
                "tokenizer_class": config.family.tokenizer_class(),
                "model_max_length": config.max_length(),
                "unk_token": unk, "sep_token": sep, "pad_token": pad,
                "cls_token": cls, "mask_token": mask,
            });
            serde_json::to_vec_pretty(&config).unwrap_or_default()
        })
    }
}

/// Bytes of the longest word that a vocabulary may have.
const LONGEST_WORD: usize = 1 << 16;

/// Looks at a `vocab.txt` before a word of it is kept.
fn check_words(name: &str, vocabulary: &[u8], rows: usize) -> Result<()> {
    let bad = |reason: String| Err(Error::BadTokenizer { name: name.into(), reason });
    let words = || vocabulary.split(|&byte| byte == b'\n');
    // The last line may be empty.
    let lines = words().count();
    if lines > rows + 1 {
        return bad(format!("gives ids up to {}, but vocab_size is {rows}", lines - 2));
    }
    match words().position(|word| word.len() > LONGEST_WORD) {
        Some(line) => {
            bad(format!("line {} is no word, but {LONGEST_WORD} bytes or more", line + 1))
        }
        None => Ok(()),
    }
}

/// The shards that an index names, all of which must be there.
fn whole(
    folder: &str,
    index: &[u8],
    mut found: Vec<(String, Source)>,
) -> Result<Vec<(String, Source)>> {
    let names = ModelFiles::shards(&format!("{folder}/{}", ModelFiles::INDEX), index)?;
    let take = |file: String| {
        let at = found.iter().position(|(name, _)| *name == file);
        let missing = || Error::MissingShard { folder: folder.into(), file };
        at.map(|at| found.swap_remove(at)).ok_or_else(missing)
    };
    names.into_iter().map(take).collect()
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
    let types = config.token_types().unwrap_or(usize::MAX);
    let limits = [
        ("id", ids, "vocab_size", config.vocab_size),
        ("type id", type_ids, "type_vocab_size", types),
    ];
    for (what, ids, key, limit) in limits {
        if let Some(id) = ids.into_iter().find(|&id| id as usize >= limit) {
            let reason = format!("gives a special token the {what} {id}, but {key} is {limit}");
            return Err(bad(reason));
        }
    }
    Ok(())
}
