//! Texts and pairs of texts → token ids, cut at a length.

use tokenizers::{PostProcessor, TruncationParams, truncate_encodings};

use super::{Texts, Tokenizer, Word, words::words};
use crate::{Error, Result};

/// One tokenized text with its special tokens: `[CLS] … [SEP]`, or `[CLS] … [SEP] … [SEP]` for a
/// pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// Token ids, at most `max_length`.
    pub ids: Vec<u32>,
    /// Segment ids (`token_type_ids`), as long as `ids`.
    pub type_ids: Vec<u32>,
    /// Whether tokens were cut off at `max_length`.
    pub truncated: bool,
    /// The words that are there, where they were asked for: see [`Tokenizer::encode_words`].
    pub words: Vec<Word>,
}

impl Tokenizer {
    /// Token ids of a text with special tokens, cut to `max_length` tokens on the right.
    ///
    /// # Errors
    /// [`Error::BadSetting`] when `max_length` leaves no room for a token;
    /// [`Error::BadTokenizer`] when the tokenizer refuses the text.
    pub fn encode(&self, text: &str, max_length: usize) -> Result<Encoding> {
        let room = self.room(max_length, false)?;
        let encoding = self.ask(|| self.inner.encode_fast(text, false))?;
        self.finish(encoding, None, room)
    }

    /// [`Tokenizer::encode`] for many texts, in order; on all cores where there are threads.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_all(&self, texts: &[String], max_length: usize) -> Result<Vec<Encoding>> {
        let room = self.room(max_length, false)?;
        each(self.pieces(texts)?, |encoding| self.finish(encoding, None, room))
    }

    /// Texts, in order: whole, as pairs, or word by word. Of a pair that is too long the longer half is
    /// cut first (transformers' `longest_first`).
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_texts(&self, texts: &Texts, max_length: usize) -> Result<Vec<Encoding>> {
        if !texts.words.is_empty() {
            return self.encode_words(&texts.words, max_length);
        }
        if texts.second.is_empty() {
            return self.encode_all(&texts.first, max_length);
        }
        let room = self.room(max_length, true)?;
        let pairs = self.pieces(&texts.first)?.into_iter().zip(self.pieces(&texts.second)?);
        each(pairs.collect(), |(first, second)| self.finish(first, Some(second), room))
    }

    /// The tokens of each text without special tokens.
    fn pieces(&self, texts: &[String]) -> Result<Vec<tokenizers::Encoding>> {
        let texts = texts.iter().map(String::as_str).collect();
        each(texts, |text| self.ask(|| self.inner.encode_fast(text, false)))
    }

    /// How many tokens of a text, or of both halves of a pair, `max_length` leaves room for.
    pub(super) fn room(&self, max_length: usize, pair: bool) -> Result<usize> {
        let special = self.inner.get_post_processor().map_or(0, |p| p.added_tokens(pair));
        max_length.checked_sub(special).filter(|&room| room > 0).ok_or_else(|| Error::BadSetting {
            name: "max_length",
            value: max_length.to_string(),
            reason: format!("the special tokens alone take {special}"),
        })
    }

    pub(super) fn finish(
        &self,
        first: tokenizers::Encoding,
        second: Option<tokenizers::Encoding>,
        room: usize,
    ) -> Result<Encoding> {
        let truncated = first.len() + second.as_ref().map_or(0, |second| second.len()) > room;
        let cut = TruncationParams { max_length: room, ..TruncationParams::default() };
        let encoding = self.cut_and_processed(first, second, &cut)?;
        Ok(Encoding {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            truncated,
            words: words(&encoding),
        })
    }

    /// What has been cut, between its special tokens.
    pub(super) fn cut_and_processed(
        &self,
        first: tokenizers::Encoding,
        second: Option<tokenizers::Encoding>,
        cut: &TruncationParams,
    ) -> Result<tokenizers::Encoding> {
        self.ask(|| {
            let (first, second) = truncate_encodings(first, second, cut)?;
            self.inner.post_process(first, second, true)
        })
    }
}

/// Works on each of many, on all cores where there are threads.
pub(super) fn each<T: Send, U: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> Result<U> + Send + Sync,
) -> Result<Vec<U>> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        items.into_par_iter().map(work).collect()
    }
    #[cfg(target_arch = "wasm32")]
    items.into_iter().map(work).collect()
}
