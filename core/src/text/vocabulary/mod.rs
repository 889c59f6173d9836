//! Vocabularies: what they make of the words of a corpus, more words for one, and new ones.

mod train;

use std::collections::BTreeMap;

use serde_json::Value;
use tokenizers::{
    Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer,
};

use super::{Tokenizer, tokenizer::bad};
use crate::Result;

pub use train::VocabularyKind;

/// Words with the number of times each stands in texts, as normalizer and pre-tokenizer leave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordCounts(pub BTreeMap<String, usize>);

/// A word that a vocabulary lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingWord {
    pub word: String,
    pub count: usize,
    /// What it is made of now, as `card`, `##io`.
    pub pieces: Vec<String>,
}

impl MissingWord {
    /// Pieces that its texts would be shorter by.
    pub fn gain(&self) -> usize {
        self.count * (self.pieces.len() - 1)
    }
}

impl Tokenizer {
    /// Counts the words of texts.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] when the tokenizer refuses a text.
    pub fn count_words<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Result<WordCounts> {
        let mut counts = BTreeMap::new();
        for text in texts {
            let words = self.ask(|| {
                let mut normalized = NormalizedString::from(text);
                if let Some(normalizer) = self.inner.get_normalizer() {
                    normalizer.normalize(&mut normalized)?;
                }
                let mut words = PreTokenizedString::from(normalized);
                if let Some(pre_tokenizer) = self.inner.get_pre_tokenizer() {
                    pre_tokenizer.pre_tokenize(&mut words)?;
                }
                Ok(words)
            })?;
            for (word, ..) in words.get_splits(OffsetReferential::Normalized, OffsetType::Byte) {
                match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None => {
                        counts.insert(word.to_owned(), 1);
                    }
                }
            }
        }
        Ok(WordCounts(counts))
    }

    /// The pieces of one word.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] when the tokenizer refuses it.
    pub fn pieces_of(&self, word: &str) -> Result<Vec<u32>> {
        let tokens = self.ask(|| self.inner.get_model().tokenize(word))?;
        Ok(tokens.into_iter().map(|token| token.id).collect())
    }

    /// The mean number of pieces of a word.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] when the tokenizer refuses a word.
    pub fn pieces_per_word(&self, WordCounts(counts): &WordCounts) -> Result<f64> {
        let mut pieces = 0;
        for (word, count) in counts {
            pieces += count * self.pieces_of(word)?.len();
        }
        Ok(pieces as f64 / counts.values().sum::<usize>().max(1) as f64)
    }

    /// Words of letters alone that stand at least `min_count` times and are made of several pieces, those
    /// first by which texts would lose most pieces.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] when the tokenizer refuses a word.
    pub fn missing_words(
        &self,
        WordCounts(counts): &WordCounts,
        min_count: usize,
    ) -> Result<Vec<MissingWord>> {
        let mut missing = Vec::new();
        for (word, &count) in counts {
            if count < min_count || !word.chars().all(char::is_alphabetic) {
                continue;
            }
            let ids = self.pieces_of(word)?;
            if ids.len() > 1 {
                let pieces = ids.into_iter().filter_map(|id| self.token(id)).collect();
                missing.push(MissingWord { word: word.clone(), count, pieces });
            }
        }
        missing.sort_by(|a, b| b.gain().cmp(&a.gain()).then_with(|| a.word.cmp(&b.word)));
        Ok(missing)
    }

    /// The same tokenizer with more whole words, whose ids begin at `first_id`.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] for another model than WordPiece, whose words are not entries of a table
    /// alone, and for a word that it has already.
    pub fn with_words(&self, words: &[String], first_id: usize) -> Result<Self> {
        let mut json: Value = serde_json::from_slice(&self.to_json()?)
            .map_err(|error| bad(&self.name, error.to_string()))?;
        let kind = json["model"]["type"].as_str().unwrap_or_default().to_owned();
        let vocab = json["model"]["vocab"].as_object_mut();
        let Some(vocab) = vocab.filter(|_| kind == "WordPiece") else {
            let reason = format!(
                "its model is {kind}; only WordPiece can be extended. Train another: emberlab tokenizer train"
            );
            return Err(bad(&self.name, reason));
        };
        for (id, word) in (first_id..).zip(words) {
            if vocab.insert(word.clone(), id.into()).is_some() {
                return Err(bad(&self.name, format!("it has the word \"{word}\" already")));
            }
        }
        let json = serde_json::to_vec(&json).map_err(|error| bad(&self.name, error.to_string()))?;
        Self::from_json(&self.name, &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOCAB: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nheart\ncard\n##io\n##logy\n.\n";
    const TEXT: &str = "The cardiology heart. Cardio, cardiology";

    #[test]
    fn words_that_are_in_pieces_are_found_and_become_whole() {
        let tokenizer = Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap();
        let counts = tokenizer.count_words([TEXT].into_iter()).unwrap();
        assert_eq!((counts.0["cardiology"], counts.0["the"]), (2, 1));
        // the, card io logy, heart, ., card io, [UNK], card io logy
        assert_eq!(tokenizer.pieces_per_word(&counts).unwrap(), 12.0 / 7.0);
        let missing = tokenizer.missing_words(&counts, 1).unwrap();
        let gains: Vec<(&str, usize)> =
            missing.iter().map(|word| (word.word.as_str(), word.gain())).collect();
        assert_eq!(gains, [("cardiology", 4), ("cardio", 1)]);
        assert_eq!(missing[0].pieces, ["card", "##io", "##logy"]);

        let more = tokenizer.with_words(&["cardiology".into()], 20).unwrap();
        assert_eq!(more.encode(TEXT, 64).unwrap().ids, [2, 5, 20, 6, 10, 7, 8, 1, 20, 3]);
        assert_eq!(more.vocab_size(), 21);
        let again = more.with_words(&["cardiology".into()], 30).err().unwrap().to_string();
        assert!(again.contains("has the word \"cardiology\" already"), "{again}");
    }
}
