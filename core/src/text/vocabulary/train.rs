//! New vocabularies, by the trainers of the `tokenizers` crate.

use tokenizers::{
    AddedToken,
    models::{
        TrainerWrapper,
        bpe::{BPE, BpeTrainerBuilder},
        wordpiece::{WordPiece, WordPieceTrainer},
    },
    normalizers::bert::BertNormalizer,
    pre_tokenizers::{bert::BertPreTokenizer, byte_level::ByteLevel},
    processors::{bert::BertProcessing, roberta::RobertaProcessing},
};

use super::super::{Tokenizer, tokenizer::bad};
use crate::Result;

/// What a vocabulary is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VocabularyKind {
    /// BERT's: pieces of words, `##ing` within one; lower case and without accents where it is asked for.
    WordPiece { lowercase: bool },
    /// RoBERTa's: merges of bytes, which know every text.
    ByteLevelBpe,
}

/// Their order is that of the ids, from 0.
const OF_BERT: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const OF_ROBERTA: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// Pieces that are seen once are not worth a row.
const MIN_FREQUENCY: u64 = 2;

impl VocabularyKind {
    /// The `tokenizer_config.json` with which transformers opens such a tokenizer.
    pub fn tokenizer_config(self) -> Vec<u8> {
        let ([pad, unk, cls, sep, mask], class) = match self {
            Self::WordPiece { .. } => (OF_BERT, "BertTokenizer"),
            Self::ByteLevelBpe => {
                let [cls, pad, sep, unk, mask] = OF_ROBERTA;
                ([pad, unk, cls, sep, mask], "PreTrainedTokenizerFast")
            }
        };
        let mut config = serde_json::json!({
            "tokenizer_class": class, "pad_token": pad, "unk_token": unk, "cls_token": cls,
            "sep_token": sep, "mask_token": mask,
        });
        if let Self::WordPiece { lowercase } = self {
            config["do_lower_case"] = lowercase.into();
        }
        serde_json::to_vec_pretty(&config).unwrap_or_default()
    }
}

impl Tokenizer {
    /// Trains a vocabulary of at most `vocab_size` pieces on texts.
    ///
    /// # Errors
    /// [`crate::Error::BadTokenizer`] when the trainer fails.
    pub fn train<'a>(
        kind: VocabularyKind,
        vocab_size: usize,
        texts: impl Iterator<Item = &'a str> + Send,
    ) -> Result<Self> {
        const NAME: &str = "tokenizer.json";
        let failed = |error: tokenizers::Error| bad(NAME, error);
        let special = |names: [&str; 5]| names.map(|name| AddedToken::from(name, true)).to_vec();
        let (mut inner, mut trainer) = match kind {
            VocabularyKind::WordPiece { lowercase } => {
                let mut inner = tokenizers::Tokenizer::new(WordPiece::default());
                let normalizer = BertNormalizer::new(true, true, None, lowercase);
                inner.with_normalizer(Some(normalizer)).map_err(failed)?;
                inner.with_pre_tokenizer(Some(BertPreTokenizer));
                let trainer = WordPieceTrainer::builder()
                    .vocab_size(vocab_size)
                    .min_frequency(MIN_FREQUENCY)
                    .special_tokens(special(OF_BERT))
                    .show_progress(false)
                    .build();
                (inner, TrainerWrapper::from(trainer))
            }
            VocabularyKind::ByteLevelBpe => {
                let mut inner = tokenizers::Tokenizer::new(BPE::default());
                inner.with_pre_tokenizer(Some(ByteLevel::default().add_prefix_space(false)));
                inner.with_decoder(Some(ByteLevel::default()));
                let trainer = BpeTrainerBuilder::new()
                    .vocab_size(vocab_size)
                    .min_frequency(MIN_FREQUENCY)
                    .special_tokens(special(OF_ROBERTA))
                    .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
                    .show_progress(false)
                    .build();
                (inner, TrainerWrapper::from(trainer))
            }
        };
        inner.train(&mut trainer, texts).map_err(failed)?;
        let around = |name: &str| {
            let missing = || bad(NAME, format!("the trainer left {name} out"));
            inner.token_to_id(name).map(|id| (name.to_owned(), id)).ok_or_else(missing)
        };
        match kind {
            VocabularyKind::WordPiece { .. } => {
                let processor = BertProcessing::new(around("[SEP]")?, around("[CLS]")?);
                inner.with_post_processor(Some(processor));
            }
            VocabularyKind::ByteLevelBpe => {
                let processor = RobertaProcessing::new(around("</s>")?, around("<s>")?);
                inner.with_post_processor(Some(processor.add_prefix_space(false)));
            }
        }
        Self::new(NAME, inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 3] = [
        "The heart pumps blood through the heart's chambers.",
        "Blood returns to the heart through the veins; the Heart fills with blood.",
        "Ünder the heart, chambers of blood.",
    ];

    #[test]
    fn frequent_words_become_whole() {
        let kind = VocabularyKind::WordPiece { lowercase: true };
        let tokenizer = Tokenizer::train(kind, 200, TEXTS.into_iter()).unwrap();
        assert!(tokenizer.vocab_size() <= 200);
        let encoding = tokenizer.encode("HEART blood", 16).unwrap();
        let pieces: Vec<_> = encoding.ids.iter().filter_map(|&id| tokenizer.token(id)).collect();
        assert_eq!(pieces, ["[CLS]", "heart", "blood", "[SEP]"]);
        let again = Tokenizer::from_json("t", &tokenizer.to_json().unwrap()).unwrap();
        assert_eq!(again.encode(TEXTS[2], 64).unwrap(), tokenizer.encode(TEXTS[2], 64).unwrap());
    }

    #[test]
    fn bytes_know_every_text() {
        let tokenizer =
            Tokenizer::train(VocabularyKind::ByteLevelBpe, 300, TEXTS.into_iter()).unwrap();
        let unknown = tokenizer.inner.token_to_id("<unk>").unwrap();
        let ids = tokenizer.encode("日本 \u{1f600}", 64).unwrap().ids;
        assert!(!ids.contains(&unknown));
        assert_eq!(tokenizer.inner.decode(&ids, true).unwrap(), "日本 \u{1f600}");
    }
}
