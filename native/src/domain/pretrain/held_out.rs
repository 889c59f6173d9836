//! How well a model knows text that it was not trained on.

use std::f64::consts::LN_2;
use std::fmt;

use anyhow::Result;
use emberlab_core::model::MaskedLm;
use emberlab_core::text::Packed;
use emberlab_core::train::{LabelledRows, MaskedRows, Masking};
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::corpus::{Corpus, documents};
use crate::terminal::grouped;

/// Which words are masked to measure, always: those that a run before masked.
const SEED: u64 = 1;
/// The part of them that is, whatever training masks.
const MASKED: f64 = 0.15;

/// The held-out part of a corpus, masked.
pub struct HeldOutSet {
    name: String,
    rows: LabelledRows,
    /// Words that are masked, and their characters.
    words: usize,
    characters: usize,
}

/// What a model has yet to learn of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldOutLoss {
    pub corpus: String,
    /// `-log₂ p` of what the masked words are, by character of them.
    pub bits_per_character: f64,
    /// `-ln p` by masked piece, as a training loss.
    pub loss: f64,
    /// Masked.
    pub words: usize,
    pub pieces: usize,
    pub characters: usize,
}

impl HeldOutSet {
    /// None where the corpus holds nothing out.
    pub fn new(corpus: &Corpus, model: &MaskedLm, max_length: usize) -> Result<Option<Self>> {
        let packed = Packed::new(model.tokenizer(), &documents(&corpus.held_out), max_length)?;
        if packed.encodings.is_empty() {
            return Ok(None);
        }
        let Packed { encodings, characters: of_words, .. } = packed;
        let all_words: Vec<_> = encodings.iter().map(|row| row.words.clone()).collect();
        let masking = Masking::new(model, MASKED)?;
        let rows = MaskedRows::new(encodings, masking).held_out(SEED);
        let (mut words, mut characters) = (0, 0);
        for ((row, all_words), of_words) in rows.encodings.iter().zip(&all_words).zip(&of_words) {
            let is_masked = |token| row.words.iter().any(|masked| masked.token == token);
            for (_, length) in
                all_words.iter().zip(of_words).filter(|(word, _)| is_masked(word.token))
            {
                words += 1;
                characters += length;
            }
        }
        Ok(Some(Self { name: corpus.name(), rows, words, characters }))
    }

    /// A line of the plan.
    pub fn about(&self) -> String {
        let rows = grouped(self.rows.encodings.len());
        format!("{}: {rows} rows, {} words masked", self.name, grouped(self.words))
    }

    pub fn measure(&self, model: &MaskedLm, batch_size: usize) -> Result<HeldOutLoss> {
        let surprise = pollster::block_on(model.surprise(&self.rows, batch_size, |_| ()))?;
        let nats: f64 = surprise.iter().flatten().map(|&nats| f64::from(nats)).sum();
        let pieces = self.rows.encodings.iter().map(|row| row.words.len()).sum();
        let Self { words, characters, .. } = *self;
        // Six decimals come back from a file as they were written.
        let rounded = |figure: f64| (figure * 1e6).round() / 1e6;
        let by = |count: usize| nats / count.max(1) as f64;
        Ok(HeldOutLoss {
            corpus: self.name.clone(),
            bits_per_character: rounded(by(characters) / LN_2),
            loss: rounded(by(pieces)),
            words,
            pieces,
            characters,
        })
    }
}

impl HeldOutLoss {
    /// A line of `metrics.jsonl`.
    pub fn line(&self, step: usize) -> Result<Value> {
        let mut line = json!({ "split": "held_out", "step": step });
        if let (Value::Object(line), Value::Object(figures)) =
            (&mut line, serde_json::to_value(self)?)
        {
            line.extend(figures);
        }
        Ok(line)
    }
}

impl fmt::Display for HeldOutLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { corpus, bits_per_character, loss, .. } = self;
        write!(f, "{corpus} {bits_per_character:.4} bits per character, loss {loss:.4}")
    }
}
