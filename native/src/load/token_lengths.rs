//! How long the texts of a split are, in tokens after the cut.

use emberlab_core::text::{Encoding, LengthBin, length_histogram};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenLengths {
    pub mean: f64,
    /// 95 of 100 texts are no longer than this.
    pub percentile_95: usize,
    pub longest: usize,
    /// Texts that lost their end at `max_length`.
    pub truncated: usize,
    /// How many texts have which length.
    #[serde(default)]
    pub histogram: Vec<LengthBin>,
}

/// How many texts have each length, so that no length need be kept.
#[derive(Default)]
pub struct LengthCounts {
    /// `rows[length]`
    rows: Vec<usize>,
    truncated: usize,
}

impl LengthCounts {
    /// Counts a text.
    pub fn add(&mut self, encoding: &Encoding) {
        let length = encoding.ids.len();
        self.rows.resize(self.rows.len().max(length + 1), 0);
        self.rows[length] += 1;
        self.truncated += usize::from(encoding.truncated);
    }

    /// The figures of all texts so far.
    pub fn summary(&self) -> TokenLengths {
        let rows: usize = self.rows.iter().sum();
        let tokens: usize = self.rows.iter().enumerate().map(|(length, rows)| length * rows).sum();
        // The text with this number, from 0, in the order of lengths.
        let number = rows.saturating_sub(1) * 95 / 100;
        let mut upto = 0;
        let percentile_95 = self.rows.iter().position(|rows| {
            upto += rows;
            upto > number
        });
        TokenLengths {
            mean: tokens as f64 / rows.max(1) as f64,
            percentile_95: percentile_95.unwrap_or(0),
            longest: self.rows.len().saturating_sub(1),
            truncated: self.truncated,
            histogram: length_histogram(&self.rows),
        }
    }
}

impl TokenLengths {
    pub fn of(encodings: &[Encoding]) -> Self {
        let mut counts = LengthCounts::default();
        encodings.iter().for_each(|encoding| counts.add(encoding));
        counts.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_lengths() {
        let encoding = |length: usize| Encoding {
            ids: vec![0; length],
            type_ids: vec![0; length],
            truncated: length == 9,
            ..Encoding::default()
        };
        let lengths = TokenLengths::of(&[encoding(1), encoding(9), encoding(2)]);
        let bins: Vec<usize> = lengths.histogram.iter().map(|bin| bin.rows).collect();
        assert_eq!(bins, [1, 1, 1]);
        let expected = TokenLengths {
            mean: 4.0,
            percentile_95: 2,
            longest: 9,
            truncated: 1,
            histogram: lengths.histogram.clone(),
        };
        assert_eq!(lengths, expected);
    }
}
