//! The `tokenizers` crate: opening a Hugging Face tokenizer.

use std::fmt::Display;

use serde::Deserialize;
use tokenizers::{
    AddedToken, Model, models::wordpiece::WordPiece, normalizers::bert::BertNormalizer,
    pre_tokenizers::bert::BertPreTokenizer, processors::bert::BertProcessing,
};

use super::check::check;
use crate::{Error, Result, guarded};

/// A Hugging Face tokenizer. Padding and truncation stored in its file are dropped: length is the
/// batch's business (MiniLM's own file pads everything to 128).
#[derive(Clone)]
pub struct Tokenizer {
    /// The file's name, for messages.
    pub(super) name: String,
    pub(super) inner: tokenizers::Tokenizer,
}

/// The part of `tokenizer_config.json` that a `vocab.txt` tokenizer needs.
#[derive(Deserialize)]
#[serde(default)]
struct VocabOptions {
    do_lower_case: bool,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: bool,
}

impl Default for VocabOptions {
    fn default() -> Self {
        Self { do_lower_case: true, strip_accents: None, tokenize_chinese_chars: true }
    }
}

pub(super) fn bad(name: &str, reason: impl ToString) -> Error {
    Error::BadTokenizer { name: name.into(), reason: reason.to_string() }
}

impl Tokenizer {
    /// From the bytes of a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] when the `tokenizers` crate cannot read it.
    pub fn from_json(name: &str, bytes: &[u8]) -> Result<Self> {
        Self::from_json_of(name, bytes, usize::MAX)
    }

    /// The same for a model with embeddings for `vocab_size` ids: a vocabulary that is larger is not kept.
    pub(crate) fn from_json_of(name: &str, bytes: &[u8], vocab_size: usize) -> Result<Self> {
        check(bytes, vocab_size).map_err(|reason| bad(name, reason))?;
        let unreadable =
            |error: &dyn Display| bad(name, format!("not a readable tokenizer.json: {error}"));
        let inner = guarded(|| tokenizers::Tokenizer::from_bytes(bytes))
            .map_err(|panic| unreadable(&panic))?
            .map_err(|error| unreadable(&error))?;
        Self::new(name, inner)
    }

    /// A BERT WordPiece tokenizer from the bytes of a `vocab.txt` (one piece a line), as
    /// transformers' `BertTokenizer` builds it; `config` is `tokenizer_config.json`, if any.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] when a special token is missing or the options are not JSON.
    pub fn from_vocab(name: &str, bytes: &[u8], config: Option<&[u8]>) -> Result<Self> {
        let options: VocabOptions = match config {
            Some(bytes) => serde_json::from_slice(bytes)
                .map_err(|error| bad(&format!("tokenizer_config.json beside {name}"), error))?,
            None => VocabOptions::default(),
        };
        let vocab = WordPiece::read_bytes(bytes).map_err(|error| bad(name, error))?;
        let model = WordPiece::builder()
            .vocab(vocab)
            .unk_token("[UNK]".into())
            .build()
            .map_err(|error| bad(name, error))?;
        let special = |token: &str| {
            let missing = || bad(name, format!("{token} is not in the vocabulary"));
            model.token_to_id(token).map(|id| (token.to_string(), id)).ok_or_else(missing)
        };
        let (sep, cls) = (special("[SEP]")?, special("[CLS]")?);
        special("[UNK]")?;
        let present = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
            .into_iter()
            .filter(|token| model.token_to_id(token).is_some())
            .map(|token| AddedToken::from(token, true))
            .collect::<Vec<_>>();
        let normalizer = BertNormalizer::new(
            true,
            options.tokenize_chinese_chars,
            options.strip_accents,
            options.do_lower_case,
        );
        let mut inner = tokenizers::Tokenizer::new(model);
        inner.with_normalizer(Some(normalizer)).map_err(|error| bad(name, error))?;
        inner.with_pre_tokenizer(Some(BertPreTokenizer));
        inner.with_post_processor(Some(BertProcessing::new(sep, cls)));
        inner.add_special_tokens(present).map_err(|error| bad(name, error))?;
        Self::new(name, inner)
    }

    pub(super) fn new(name: &str, mut inner: tokenizers::Tokenizer) -> Result<Self> {
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|error| bad(name, error))?;
        Ok(Self { name: name.into(), inner })
    }

    /// What the crate answers. There are files that it opens and then panics on.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] when it refuses, or panics.
    pub(super) fn ask<T>(&self, question: impl FnOnce() -> tokenizers::Result<T>) -> Result<T> {
        guarded(question)
            .map_err(|panic| bad(&self.name, format!("the tokenizers library fails: {panic}")))?
            .map_err(|error| bad(&self.name, error))
    }

    /// The bytes of a `tokenizer.json` that transformers opens.
    ///
    /// # Errors
    /// [`Error::BadTokenizer`] if it cannot be written as JSON.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let json = self.inner.to_string(false).map_err(|error| bad("tokenizer.json", error))?;
        Ok(json.into_bytes())
    }

    /// The largest id it can give, plus one.
    pub fn vocab_size(&self) -> usize {
        let ids = self.inner.get_vocab(true).into_values();
        ids.max().map_or(0, |id| id as usize + 1)
    }

    /// The piece with an id, as `[CLS]` or `##ing`.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n";

    #[test]
    fn vocab_txt_lowercases_splits_and_truncates() {
        let tokenizer = Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap();
        let encoding = tokenizer.encode("Hello W\u{f6}rlds [MASK]", 16).unwrap();
        assert_eq!(encoding.ids, [2, 5, 6, 7, 4, 3]);
        let encoding = tokenizer.encode("hello worlds", 4).unwrap();
        assert_eq!((encoding.ids, encoding.truncated), (vec![2, 5, 6, 3], true));
        assert!(tokenizer.encode("hello", 2).is_err());
    }

    #[test]
    fn the_written_json_is_the_same_tokenizer() {
        let tokenizer = Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap();
        let again = Tokenizer::from_json("t", &tokenizer.to_json().unwrap()).unwrap();
        let text = "worlds hello, x";
        assert_eq!(tokenizer.encode(text, 9).unwrap(), again.encode(text, 9).unwrap());
    }

    #[test]
    fn a_vocabulary_without_special_tokens_is_refused() {
        let error = Tokenizer::from_vocab("vocab.txt", b"hello\n", None).err().unwrap();
        assert!(error.to_string().contains("[SEP]"), "{error}");
    }
}
