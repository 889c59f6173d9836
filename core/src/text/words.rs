//! Words and the tokens they begin with, for tags of words.

use serde::Serialize;
use tokenizers::EncodeInput;

use super::{
    Encoding, Tokenizer,
    encode::{beginning, each, head},
};
use crate::Result;

/// A word of a text that a model sees, and its first token, which is the one that is tagged
/// (transformers' examples give the others -100).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Word {
    /// Its number in its text.
    pub index: usize,
    /// The place of its first token in the encoding.
    pub token: usize,
    /// Where it begins and ends, in bytes: of the text, or, where a text is given word by word, of the
    /// word itself.
    pub start: usize,
    pub end: usize,
}

impl Tokenizer {
    /// Texts that are given word by word (transformers' `is_split_into_words`), in order. A word cut
    /// off at `max_length`, or of which no token is left, is not among [`Encoding::words`].
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_words(&self, texts: &[Vec<String>], max_length: usize) -> Result<Vec<Encoding>> {
        let room = self.room(max_length, false)?;
        each(texts.iter().collect(), |words| {
            self.tagged(words.len(), room, |size| words[..size].into())
        })
    }

    /// Whole texts with their words, which are those of the tokenizer: white space and, of BERT's,
    /// punctuation part them.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_with_words(&self, texts: &[String], max_length: usize) -> Result<Vec<Encoding>> {
        let room = self.room(max_length, false)?;
        each(texts.iter().collect(), |text| {
            self.tagged(text.len(), room, |size| head(text, size).into())
        })
    }

    fn tagged<'a>(
        &self,
        size: usize,
        room: usize,
        part: impl Fn(usize) -> EncodeInput<'a>,
    ) -> Result<Encoding> {
        let tokens =
            beginning(size, room, |size| self.ask(|| self.inner.encode(part(size), false)))?;
        self.finish(tokens, None, room)
    }
}

/// The words of an encoding with their first tokens; none where it was made without them.
pub(super) fn words(encoding: &tokenizers::Encoding) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let tokens = encoding.get_word_ids().iter().zip(encoding.get_offsets()).enumerate();
    for (token, (word, &(start, end))) in tokens {
        let Some(index) = word.map(|word| word as usize) else { continue };
        match words.last_mut().filter(|last| last.index == index) {
            Some(last) => last.end = end,
            None => words.push(Word { index, token, start, end }),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n,\n";

    fn words(encodings: Vec<Encoding>) -> Vec<[usize; 4]> {
        let words = encodings.into_iter().flat_map(|encoding| encoding.words);
        words.map(|word| [word.index, word.token, word.start, word.end]).collect()
    }

    #[test]
    fn a_word_begins_with_its_first_piece() {
        let tokenizer = Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap();
        let rows = [["worlds", "\u{200d}", "hello", "worlds"].map(str::to_owned).to_vec()];
        let encodings = tokenizer.encode_words(&rows, 16).unwrap();
        assert_eq!(encodings[0].ids, [2, 6, 7, 5, 6, 7, 3]);
        // What is no character to BERT leaves no token, and the number of its word is skipped.
        assert_eq!(words(encodings), [[0, 1, 0, 6], [2, 3, 0, 5], [3, 4, 0, 6]]);
        let cut = tokenizer.encode_words(&rows, 4).unwrap();
        assert!(cut[0].truncated);
        assert_eq!(words(cut), [[0, 1, 0, 6]]);
    }

    #[test]
    fn words_of_a_text_know_their_place() {
        let tokenizer = Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap();
        let encodings = tokenizer.encode_with_words(&["Hello, worlds".to_owned()], 16).unwrap();
        assert_eq!(encodings[0].ids, [2, 5, 8, 6, 7, 3]);
        assert_eq!(words(encodings), [[0, 1, 0, 5], [1, 2, 5, 6], [2, 3, 7, 13]]);
        assert_eq!(tokenizer.encode("Hello, worlds", 16).unwrap().words, []);
    }
}
