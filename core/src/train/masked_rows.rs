//! Rows of a masked language model, with other masks in each epoch.
//!
//! As in BERT (Devlin et al. 2019, section 3.1) and transformers' `DataCollatorForLanguageModeling`
//! with `whole_word_mask`: of the tokens of a row a part is chosen, word by word. Of these, 80 % become
//! `[MASK]`, 10 % another piece, and 10 % stay as they are.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

use super::{LabelledRows, Rows, TrainConfig, Trainer, targets::checked};
use crate::{
    Error, Result,
    data::Targets,
    model::{MaskedLm, stream},
    text::{Encoding, Word, shuffle},
};

/// Of the chosen tokens, those that become `[MASK]`, and those that become another piece.
const MASKED: f64 = 0.8;
const REPLACED: f64 = 0.1;

/// Which tokens are chosen, and what they become.
#[derive(Clone, Debug, PartialEq)]
pub struct Masking {
    /// The part of a row's tokens that is chosen (transformers' `mlm_probability`).
    probability: f64,
    mask_token_id: u32,
    vocab_size: u32,
    special_token_ids: Vec<u32>,
}

impl Masking {
    /// # Errors
    /// [`Error::BadSetting`] for a probability that is not above 0 and at most 1; [`Error::BadTokenizer`] for
    /// a vocabulary of special tokens alone.
    pub fn new(model: &MaskedLm, probability: f64) -> Result<Self> {
        if !(probability > 0.0 && probability <= 1.0) {
            let reason = "expected above 0 and at most 1".into();
            let value = probability.to_string();
            return Err(Error::BadSetting { name: "mlm_probability", value, reason });
        }
        let tokenizer = model.tokenizer();
        let (mask_token_id, special_token_ids) =
            (tokenizer.mask_token_id()?, tokenizer.special_token_ids());
        let vocab_size = tokenizer.vocab_size() as u32;
        if special_token_ids.len() >= vocab_size as usize {
            let reason = "all pieces of its vocabulary are special tokens".into();
            return Err(Error::BadTokenizer { name: "the tokenizer".into(), reason });
        }
        Ok(Self { probability, mask_token_id, vocab_size, special_token_ids })
    }
}

/// Rows whose `words` are all their words, and how they are masked.
#[derive(Debug)]
pub struct MaskedRows {
    encodings: Vec<Encoding>,
    masking: Masking,
}

impl MaskedRows {
    pub fn new(encodings: Vec<Encoding>, masking: Masking) -> Self {
        Self { encodings, masking }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.encodings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.encodings.is_empty()
    }

    /// The rows as they are in an epoch: `words` are the chosen tokens, and the targets what stood
    /// there. A row's masks are a function of (`seed`, `epoch`, its index).
    pub fn in_epoch(&self, seed: u64, epoch: usize) -> LabelledRows {
        let of_epoch = stream(seed, epoch);
        let rows = self.encodings.iter().enumerate();
        unzip(rows.map(|(index, row)| {
            let mut rng = ChaCha8Rng::seed_from_u64(stream(of_epoch, index));
            let chosen = self.choose(row, &mut rng);
            self.mask(row, chosen, |id| match rng.random::<f64>() {
                part if part < MASKED => self.masking.mask_token_id,
                part if part < MASKED + REPLACED => self.masking.another(&mut rng),
                _ => id,
            })
        }))
    }

    /// The rows to measure a model on: each word is chosen or not by `seed` and its index alone, so
    /// that models with other vocabularies are asked for the same words, and what is chosen is masked.
    pub fn held_out(&self, seed: u64) -> LabelledRows {
        let is_chosen = |word: &Word| {
            let part = stream(seed, word.index) >> 11;
            (part as f64) < self.masking.probability * (1u64 << 53) as f64
        };
        unzip(self.encodings.iter().map(|row| {
            let chosen = (0..row.words.len()).filter(|&at| is_chosen(&row.words[at]));
            self.mask(row, chosen.collect(), |_| self.masking.mask_token_id)
        }))
    }

    /// Words, in a random order, until a part of the row's tokens is reached; at least one.
    fn choose(&self, row: &Encoding, rng: &mut ChaCha8Rng) -> Vec<usize> {
        let mut words: Vec<usize> = (0..row.words.len()).collect();
        shuffle(&mut words, rng);
        let tokens: usize = words.iter().map(|&word| pieces(row, word).len()).sum();
        let wanted = ((tokens as f64 * self.masking.probability).round() as usize).max(1);
        let mut left = wanted;
        let fits = |&&word: &&usize| match left.checked_sub(pieces(row, word).len()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        let mut chosen: Vec<usize> = words.iter().filter(fits).copied().collect();
        if chosen.is_empty() {
            chosen.extend(words.first());
        }
        chosen.sort_unstable();
        chosen
    }

    fn mask(
        &self,
        row: &Encoding,
        chosen: Vec<usize>,
        mut becomes: impl FnMut(u32) -> u32,
    ) -> (Encoding, Vec<usize>) {
        let mut masked = Encoding { words: Vec::new(), ..row.clone() };
        let mut truth = Vec::new();
        for token in chosen.into_iter().flat_map(|word| pieces(row, word)) {
            let word = Word { index: truth.len(), token, start: 0, end: 0 };
            masked.words.push(word);
            truth.push(row.ids[token] as usize);
            masked.ids[token] = becomes(row.ids[token]);
        }
        (masked, truth)
    }
}

impl Trainer {
    /// Trains a masked language model, on other masks in each epoch.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a recipe out of range, or where there are no rows.
    pub fn masked(model: MaskedLm, rows: MaskedRows, config: TrainConfig) -> Result<Self> {
        let first = checked(rows.in_epoch(config.seed, 0), &model.0.setup)?;
        let mut trainer = Self::on(model.0, Rows::Memory(first), config)?;
        trainer.masked = Some(rows);
        Ok(trainer)
    }

    /// The present weights of [`Self::masked`], ready to be measured.
    pub fn masked_lm(&self) -> MaskedLm {
        MaskedLm(self.classifier())
    }
}

/// The places of a word's tokens: up to the next word, or the `[SEP]` that ends the row.
fn pieces(row: &Encoding, word: usize) -> std::ops::Range<usize> {
    let end = row.words.get(word + 1).map_or(row.ids.len() - 1, |next| next.token);
    row.words[word].token..end
}

impl Masking {
    /// Any piece of the vocabulary.
    fn another(&self, rng: &mut ChaCha8Rng) -> u32 {
        loop {
            let id = rng.random_range(0..self.vocab_size);
            if self.special_token_ids.binary_search(&id).is_err() {
                return id;
            }
        }
    }
}

fn unzip(rows: impl Iterator<Item = (Encoding, Vec<usize>)>) -> LabelledRows {
    let (encodings, tags) = rows.unzip();
    LabelledRows { encodings, targets: Targets::Tags(tags) }
}
