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
        self.finish(self.tokens(text, room)?, None, room)
    }

    /// [`Tokenizer::encode`] for many texts, in order; on all cores where there are threads.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_all(&self, texts: &[String], max_length: usize) -> Result<Vec<Encoding>> {
        let room = self.room(max_length, false)?;
        each(texts.iter().collect(), |text| self.finish(self.tokens(text, room)?, None, room))
    }

    /// Texts, in order: whole, as pairs, or word by word. Of a pair that is too long the longer half is
    /// cut first (transformers' `longest_first`; which one gets an odd token may differ where both are longer than
    /// 64 KB).
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
        each(texts.first.iter().zip(&texts.second).collect(), |(first, second)| {
            self.finish(self.tokens(first, room)?, Some(self.tokens(second, room)?), room)
        })
    }

    /// The tokens of a text without special tokens, as many as tell which `room` of them stay.
    fn tokens(&self, text: &str, room: usize) -> Result<tokenizers::Encoding> {
        beginning(text.len(), room, |size| {
            self.ask(|| self.inner.encode_fast(head(text, size), false))
        })
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

    /// What stays of a text or a pair, between its special tokens.
    pub(super) fn finish(
        &self,
        first: tokenizers::Encoding,
        second: Option<tokenizers::Encoding>,
        room: usize,
    ) -> Result<Encoding> {
        let truncated = first.len() + second.as_ref().map_or(0, |second| second.len()) > room;
        let cut = TruncationParams { max_length: room, ..TruncationParams::default() };
        let encoding = self.ask(|| {
            let (mut first, mut second) = truncate_encodings(first, second, &cut)?;
            // The crate would pair each part that was cut off of one half with each of the other.
            first.take_overflowing();
            second.iter_mut().for_each(|second| drop(second.take_overflowing()));
            self.inner.post_process(first, second, true)
        })?;
        Ok(Encoding {
            ids: encoding.get_ids().to_vec(),
            type_ids: encoding.get_type_ids().to_vec(),
            truncated,
            words: words(&encoding),
        })
    }
}

/// Parts of an input, bytes or words, that are read at first: more than `max_length` tokens of most.
const BEGINNING: usize = 1 << 16;

/// Encodes as much of an input of `size` parts as `room` tokens take, and as many again: a token takes some 200 bytes,
/// where a text may have megabytes. What stands at the cut may be tokenized otherwise, but is cut off.
pub(super) fn beginning(
    size: usize,
    room: usize,
    encode: impl Fn(usize) -> Result<tokenizers::Encoding>,
) -> Result<tokenizers::Encoding> {
    let mut read = BEGINNING;
    loop {
        let encoding = encode(read.min(size))?;
        if read >= size || encoding.len() > room.saturating_mul(2) {
            return Ok(encoding);
        }
        read = read.saturating_mul(4);
    }
}

/// The first bytes of a text, to white space where there is some in the second half of them.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    if bytes >= text.len() {
        return text;
    }
    let head = &text[..text.floor_char_boundary(bytes)];
    let space = head.rfind(char::is_whitespace).filter(|&at| at > bytes / 2);
    &head[..space.unwrap_or(head.len())]
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

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n";

    fn tokenizer() -> Tokenizer {
        Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap()
    }

    #[test]
    fn the_head_of_a_long_text_is_that_of_all_its_tokens() {
        let scarce =
            format!("{} hello{}", "\u{200d}".repeat(BEGINNING), " worlds".repeat(BEGINNING));
        let one_word = "\u{4e2d}".repeat(BEGINNING);
        for text in ["hello worlds\n".repeat(BEGINNING), scarce, one_word, "hello".to_owned()] {
            let all = tokenizer().inner.encode(text.as_str(), false).unwrap();
            for max_length in [3, 128, 100_000] {
                let room = max_length - 2;
                let ours = tokenizer().encode(&text, max_length).unwrap();
                let kept = &all.get_ids()[..room.min(all.len())];
                assert!(ours.ids == [&[2], kept, &[3]].concat(), "{max_length}");
                assert_eq!(ours.truncated, all.len() > room);
                let with_words =
                    tokenizer().encode_with_words(std::slice::from_ref(&text), max_length).unwrap();
                assert!(with_words[0].ids == ours.ids, "{max_length}");
            }
        }
        assert_eq!(head("a b \u{e9}\u{e9}", 7), "a b \u{e9}");
        assert_eq!(head("hello worlds", 8), "hello");
    }

    /// The crate would make 800 times 800 pieces of it.
    #[test]
    fn a_pair_of_long_texts_is_cut_once() {
        let [first, second] =
            ["hello", "world"].map(|word| vec![format!("{word} ").repeat(50_000)]);
        let texts = Texts { first, second, ..Texts::default() };
        let pair = &tokenizer().encode_texts(&texts, 11).unwrap()[0];
        assert_eq!(pair.ids, [2, 5, 5, 5, 5, 3, 6, 6, 6, 6, 3]);
        assert!(pair.truncated);
    }
}
