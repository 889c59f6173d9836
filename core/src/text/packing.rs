//! Sentences of documents, packed into rows of one length: what a masked language model is trained on.

use unicode_segmentation::UnicodeSegmentation;

use super::{Encoding, Tokenizer, Word, encode::each, tokenizer::bad};
use crate::Result;

/// Rows of whole sentences, `[CLS] … [SEP]`, as many as fit; a sentence is cut only where it is longer
/// than a row. No row holds words of two documents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Packed {
    /// `words` are all words of a row. Their `index` counts the words of all documents, whatever pieces
    /// a vocabulary makes of them.
    pub encodings: Vec<Encoding>,
    /// The characters of each of these words.
    pub characters: Vec<Vec<usize>>,
    /// The document of each row.
    pub documents: Vec<usize>,
}

/// A word, as the pre-tokenizer finds it.
struct PackedWord {
    index: usize,
    ids: Vec<u32>,
    characters: usize,
}

impl Packed {
    /// Packs documents, which are lists of paragraphs, into rows of at most `max_length` tokens.
    ///
    /// # Errors
    /// [`crate::Error::BadSetting`] where `max_length` leaves no room, [`crate::Error::BadTokenizer`] where the
    /// tokenizer puts something else than one token before and one after a text, or refuses a text.
    pub fn new(
        tokenizer: &Tokenizer,
        documents: &[Vec<String>],
        max_length: usize,
    ) -> Result<Self> {
        let room = tokenizer.room(max_length, false)?;
        let Encoding { ids, .. } = tokenizer.encode("", max_length)?;
        let &[first, last] = ids.as_slice() else {
            let reason = "rows are packed between one token and another, such as [CLS] and [SEP]";
            return Err(bad(&tokenizer.name, reason));
        };
        let mut packing =
            Packing { packed: Self::default(), row: Vec::new(), tokens: 0, room, first, last };
        let mut index = 0;
        for (document, paragraphs) in documents.iter().enumerate() {
            let sentences = paragraphs.iter().flat_map(|text| text.unicode_sentences());
            let encodings = each(sentences.collect(), |sentence| {
                tokenizer.ask(|| tokenizer.inner.encode_char_offsets(sentence, false))
            });
            for encoding in encodings? {
                packing.add(words(&encoding, &mut index), document);
            }
            packing.end_row(document);
        }
        Ok(packing.packed)
    }

    /// The number of tokens.
    pub fn tokens(&self) -> usize {
        self.encodings.iter().map(|encoding| encoding.ids.len()).sum()
    }

    /// The number of words.
    pub fn words(&self) -> usize {
        self.encodings.iter().map(|encoding| encoding.words.len()).sum()
    }
}

/// The words of a sentence; `index` counts on.
fn words(encoding: &tokenizers::Encoding, index: &mut usize) -> Vec<PackedWord> {
    let mut found: Vec<(u32, PackedWord)> = Vec::new();
    let tokens = encoding.get_word_ids().iter().zip(encoding.get_offsets()).zip(encoding.get_ids());
    for ((word, &(start, end)), &id) in tokens {
        // What is no word is a special token that the text spells out.
        let Some(word) = *word else { continue };
        match found.last_mut().filter(|(known, _)| *known == word) {
            Some((_, packed)) => {
                packed.ids.push(id);
                packed.characters += end - start;
            }
            None => {
                let packed = PackedWord { index: *index, ids: vec![id], characters: end - start };
                found.push((word, packed));
                *index += 1;
            }
        }
    }
    found.into_iter().map(|(_, packed)| packed).collect()
}

/// A row in the making, and those that are done.
struct Packing {
    packed: Packed,
    row: Vec<PackedWord>,
    tokens: usize,
    room: usize,
    first: u32,
    last: u32,
}

impl Packing {
    fn add(&mut self, sentence: Vec<PackedWord>, document: usize) {
        let tokens: usize = sentence.iter().map(|word| word.ids.len()).sum();
        if self.tokens + tokens > self.room {
            self.end_row(document);
        }
        for word in sentence {
            if self.tokens + word.ids.len() > self.room {
                self.end_row(document);
            }
            self.tokens += word.ids.len();
            self.row.push(word);
        }
    }

    fn end_row(&mut self, document: usize) {
        if self.row.is_empty() {
            return;
        }
        let mut ids = vec![self.first];
        let mut words = Vec::with_capacity(self.row.len());
        let mut characters = Vec::with_capacity(self.row.len());
        for word in std::mem::take(&mut self.row) {
            words.push(Word { index: word.index, token: ids.len(), start: 0, end: 0 });
            ids.extend(word.ids);
            characters.push(word.characters);
        }
        ids.push(self.last);
        let type_ids = vec![0; ids.len()];
        self.packed.encodings.push(Encoding { ids, type_ids, truncated: false, words });
        self.packed.characters.push(characters);
        self.packed.documents.push(document);
        self.tokens = 0;
    }
}

impl Tokenizer {
    /// The id of `[MASK]`, or of `<mask>`.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] where there is none.
    pub fn mask_token_id(&self) -> Result<u32> {
        let missing = || bad(&self.name, "it has no [MASK], which a masked language model needs");
        let known = ["[MASK]", "<mask>"].into_iter();
        known.filter_map(|name| self.inner.token_to_id(name)).next().ok_or_else(missing)
    }

    /// The ids that stand for no word, such as `[CLS]`.
    pub fn special_token_ids(&self) -> Vec<u32> {
        let added = self.inner.get_added_tokens_decoder();
        let special = added.into_iter().filter(|(_, token)| token.special);
        let mut ids: Vec<u32> = special.map(|(id, _)| id).collect();
        ids.sort_unstable();
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    const VOCAB: &[u8] = b"[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n.\n";

    fn pack(documents: &[&[&str]], max_length: usize) -> Packed {
        let tokenizer = Tokenizer::from_vocab("vocab.txt", VOCAB, None).unwrap();
        let paragraphs = |texts: &&[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let documents: Vec<Vec<String>> = documents.iter().map(paragraphs).collect();
        Packed::new(&tokenizer, &documents, max_length).unwrap()
    }

    #[test]
    fn whole_sentences_fill_rows_of_one_document() {
        let packed = pack(&[&["Hello worlds. Hello hello. World.", "Hello."], &["Worlds."]], 9);
        let rows: Vec<&[u32]> = packed.encodings.iter().map(|row| row.ids.as_slice()).collect();
        let expected: [&[u32]; 3] =
            [&[2, 5, 6, 7, 8, 5, 5, 8, 3], &[2, 6, 8, 5, 8, 3], &[2, 6, 7, 8, 3]];
        assert_eq!(rows, expected);
        assert_eq!(packed.documents, [0, 0, 1]);
        assert_eq!(packed.characters[0], [5, 6, 1, 5, 5, 1]);
        let words = packed.encodings.iter().flat_map(|row| &row.words);
        let places: Vec<(usize, usize)> = words.map(|word| (word.index, word.token)).collect();
        assert_eq!(places[..4], [(0, 1), (1, 2), (2, 4), (3, 5)]);
        assert_eq!(places.last(), Some(&(11, 3)));
    }

    #[test]
    fn a_sentence_longer_than_a_row_is_cut_between_words() {
        let packed = pack(&[&["worlds hello worlds hello"]], 5);
        let lengths: Vec<usize> = packed.encodings.iter().map(|row| row.ids.len()).collect();
        assert_eq!(lengths, [5, 5]);
        assert!(matches!(
            Packed::new(&Tokenizer::from_vocab("v", VOCAB, None).unwrap(), &[], 2),
            Err(Error::BadSetting { .. })
        ));
    }
}
