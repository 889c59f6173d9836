//! One text as a tokenizer sees it, in full: what `emberlab tokenize` and a course's slides show.

use std::ops::Range;

use serde::Serialize;
use tokenizers::{EncodeInput, TruncationParams};

use super::{Encoding, Tokenizer, tokenizer::bad};
use crate::Result;

/// The columns of a table with a row for each token; names are transformers'.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tokenized {
    /// Pieces, as `[CLS]` or `##ing`.
    pub tokens: Vec<String>,
    pub input_ids: Vec<u32>,
    /// 1 for the second half of a pair.
    pub token_type_ids: Vec<u32>,
    /// 0 for padding.
    pub attention_mask: Vec<u32>,
    /// 1 for what does not come from the text.
    pub special_tokens_mask: Vec<u32>,
    /// Where each token stands in its text: from and to, in characters. `(0, 0)` for special tokens.
    pub offset_mapping: Vec<(usize, usize)>,
    /// Which word of its text a token belongs to.
    pub word_ids: Vec<Option<u32>>,
    /// Which half of a pair a token belongs to.
    pub sequence_ids: Vec<Option<usize>>,
    /// What was cut off at `max_length`: of the first text, then of the second.
    pub cut_tokens: Vec<String>,
}

/// A word of a text: its characters there, and its tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WordTokens {
    pub text: String,
    pub tokens: Range<usize>,
}

impl Tokenizer {
    /// A text, or a pair of texts, in full.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn explain(&self, text: &str, pair: Option<&str>, max_length: usize) -> Result<Tokenized> {
        self.room(max_length, pair.is_some())?;
        // The crate's own way, from cut to special tokens, is the only one that keeps which token is
        // of which text. Copying a tokenizer for it is slow, and nobody looks at many texts.
        let mut inner = self.inner.clone();
        let cut = TruncationParams { max_length, ..TruncationParams::default() };
        inner.with_truncation(Some(cut)).map_err(|error| bad(&self.name, error))?;
        let input = match pair {
            Some(pair) => EncodeInput::Dual(text.into(), pair.into()),
            None => EncodeInput::Single(text.into()),
        };
        let encoding = self.ask(|| inner.encode_char_offsets(input, true))?;
        let pieces = [Some(text), pair].map(|half| {
            let all = half.map(|half| self.ask(|| self.inner.encode(half, false)));
            Ok(all.transpose()?.map_or_else(Vec::new, |half| half.get_tokens().to_vec()))
        });
        let pieces = pieces.into_iter().collect::<Result<Vec<Vec<String>>>>()?;
        let sequence_ids = encoding.get_sequence_ids();
        let kept = |half| sequence_ids.iter().filter(|id| **id == Some(half)).count();
        let cut = pieces
            .iter()
            .enumerate()
            .flat_map(|(half, pieces)| pieces.get(kept(half)..).unwrap_or_default().to_vec());
        Ok(Tokenized {
            tokens: encoding.get_tokens().to_vec(),
            input_ids: encoding.get_ids().to_vec(),
            token_type_ids: encoding.get_type_ids().to_vec(),
            attention_mask: encoding.get_attention_mask().to_vec(),
            special_tokens_mask: encoding.get_special_tokens_mask().to_vec(),
            offset_mapping: encoding.get_offsets().to_vec(),
            word_ids: encoding.get_word_ids().to_vec(),
            cut_tokens: cut.collect(),
            sequence_ids,
        })
    }
}

impl Tokenized {
    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// What a model reads of it.
    pub fn encoding(&self) -> Encoding {
        Encoding {
            ids: self.input_ids.clone(),
            type_ids: self.token_type_ids.clone(),
            truncated: !self.cut_tokens.is_empty(),
            ..Encoding::default()
        }
    }

    /// Fills up to `length` tokens with padding.
    pub fn pad(&mut self, length: usize, token: &str, id: u32) {
        let length = length.max(self.len());
        self.tokens.resize(length, token.to_owned());
        self.input_ids.resize(length, id);
        self.token_type_ids.resize(length, 0);
        self.attention_mask.resize(length, 0);
        self.special_tokens_mask.resize(length, 1);
        self.offset_mapping.resize(length, (0, 0));
        self.word_ids.resize(length, None);
        self.sequence_ids.resize(length, None);
    }

    /// The words of the halves of a pair, the second one empty where there is none. Special tokens
    /// belong to no word.
    pub fn words(&self, halves: [&str; 2]) -> Vec<WordTokens> {
        let mut words: Vec<WordTokens> = Vec::new();
        let mut last = None;
        for (index, place) in self.sequence_ids.iter().zip(&self.word_ids).enumerate() {
            let (&Some(half), &Some(word)) = place else { continue };
            let (from, to) = self.offset_mapping[index];
            let piece: String = halves[half].chars().skip(from).take(to - from).collect();
            match words.last_mut().filter(|_| last == Some((half, word))) {
                Some(known) => {
                    known.text.push_str(&piece);
                    known.tokens.end = index + 1;
                }
                None => words.push(WordTokens { text: piece, tokens: index..index + 1 }),
            }
            last = Some((half, word));
        }
        words
    }
}
